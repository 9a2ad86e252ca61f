/* What the parser takes and what it refuses, with the position. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "json/json.h"

static void test_accepted(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ " \t\r\n{ \"a\" : [ 1 , 2 ] }\n ", "{\"a\":[1,2]}" },
		{ "\"\\ud83d\\uDE00\\u00e9\\/\\n\"", "\"\xf0\x9f\x98\x80\xc3\xa9/\\n\"" },
		{ "\"\\u0001\x7f\"", "\"\\u0001\x7f\"" },
		{ "-0", "0" },
		{ "-0.5e-3", "-0.0005" },
		{ "1E+2", "100" },
		{ "9007199254740992", "9007199254740992" },
		{ "-9007199254740992", "-9007199254740992" },
		{ "1e15", "1000000000000000" },
		{ "null", "null" },
		{ "[true,false]", "[true,false]" },
		{ "{\"\":{}}", "{\"\":{}}" },
		{ "{\"a\":1,\"A\":2}", "{\"a\":1,\"A\":2}" },
		{ "\"a\\u0000b\"", "\"a\xef\xbf\xbd"
				   "b\"" },
		{ "\"\\\\u0000\"", "\"\\\\u0000\"" },
		{ "{\"\\u0000\":1,\"\xef\xbf\xbd\":2,\"b\":3}", "{\"\xef\xbf\xbd\":1,\"b\":3}" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		struct err err = { 0 };
		auto_json v = json_parse(cases[i].text, strlen(cases[i].text), &err);
		auto_free char *text = NULL;

		if (!v)
			fail_msg("%s: %s", cases[i].text, err.msg);
		text = json_print(v);
		assert_string_equal(text, cases[i].want);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "byte 1: unexpected end" },
		{ "  ", "byte 3: unexpected end" },
		{ "{", "byte 2: unexpected end" },
		{ "{\"a\":1,", "byte 8: unexpected end" },
		{ "[1,]", "byte 4: unexpected token" },
		{ "[1 2]", "byte 4: unexpected token" },
		{ "1 2", "byte 3: unexpected token" },
		{ "{}{}", "byte 3: unexpected token" },
		{ "]", "byte 1: unexpected token" },
		{ "[}", "byte 2: unexpected token" },
		{ "{\"a\" 1}", "byte 6: unexpected token" },
		{ "{1:2}", "byte 2: unexpected token" },
		{ "truefalse", "byte 5: unexpected token" },
		{ "nul", "byte 1: unexpected character" },
		{ "NaN", "byte 1: unexpected character" },
		{ "'a'", "byte 1: unexpected character" },
		{ "\xef\xbb\xbf{}", "byte 1: unexpected character" },
		{ "\v1", "byte 1: unexpected character" },
		{ "[1]//x", "byte 4: unexpected character" },
		{ "01", "byte 1: malformed number" },
		{ "-01", "byte 1: malformed number" },
		{ "-", "byte 1: malformed number" },
		{ "1.", "byte 1: malformed number" },
		{ "1e", "byte 1: malformed number" },
		{ "1e+", "byte 1: malformed number" },
		{ "+1", "byte 1: unexpected character" },
		{ ".5", "byte 1: unexpected character" },
		{ "0x10", "byte 2: unexpected character" },
		{ "0.1000000000000000000000000000000000000000000000000000000000001", "more than 60 characters" },
		{ "\"a", "byte 1: string without end" },
		{ "\"a\\\"", "byte 1: string without end" },
		{ "\"a\\", "byte 3: unknown escape" },
		{ "\"\\x\"", "byte 2: unknown escape" },
		{ "\"\\u00g0\"", "byte 2: \\u without" },
		{ "\"\\u00", "byte 2: \\u without" },
		{ "\"\\ud83d\"", "byte 2: half of a surrogate pair" },
		{ "\"\\ud83d\\u0041\"", "byte 2: half of a surrogate pair" },
		{ "\"\\ude00\"", "byte 2: half of a surrogate pair" },
		{ "\"\\ud83d\\ude0", "byte 2: half of a surrogate pair" },
		{ "\"\n\"", "byte 2: control character" },
		{ "\"\xff\"", "byte 2: not UTF-8" },
		{ "\"\xe2\x82\"", "byte 2: not UTF-8" },
		{ "{\"a\":1,\"b\":2,\"a\":3}", "duplicate member \"a\"" },
		{ "[{\"x\":{\"a\":1,\"\\u0061\":2}}]", "duplicate member \"a\"" },
		{ "{\"\\u0000\":1,\"\xef\xbf\xbd\":2,\"b\":3,\"b\":4}", "duplicate member \"b\"" },
		{ "{\"\xef\xbf\xbd\":1,\"\xef\xbf\xbd\":2}", "duplicate member" },
		{ "[9007199254740993,1,9007199254740993", "unexpected end" },
		{ "9999999999999999999999999999999999999999999999999999999999999", "more than 60 characters" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		struct err err = { 0 };
		/* a copy of the exact size, so that reading past the end is seen */
		size_t len = strlen(cases[i].text);
		auto_free char *text = xmalloc(len);
		auto_json v = NULL;

		memcpy(text, cases[i].text, len);
		v = json_parse(text, len, &err);
		if (v)
			fail_msg("%s was accepted", cases[i].text);
		assert_int_equal(err.code, ERR_INVALID);
		if (!strstr(err.msg, cases[i].want))
			fail_msg("%s: %s, not %s", cases[i].text, err.msg, cases[i].want);
	}
}

static void test_embedded_nul(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_null(json_parse("1\0", 2, &err));
	assert_null(json_parse("\"a\0b\"", 5, &err));
	assert_null(json_parse("{}\0x", 4, &err));
}

/* Every beginning of a text is refused and not read past. */
static void test_cut_anywhere(void **state)
{
	static const char text[] = "{\"a\":[1,-2.5e3,\"\\ud83d\\ude00\xc3\xa9\",true,null],\"b\":{\"c\":false}}";

	(void)state;
	for (size_t len = 0; len < strlen(text); len++) {
		auto_free char *copy = xmalloc(len);
		struct err err = { 0 };

		memcpy(copy, text, len);
		assert_null(json_parse(copy, len, &err));
		assert_int_equal(err.code, ERR_INVALID);
	}
}

static void nest(struct buf *text, int depth, const char *open, const char *middle, const char *close)
{
	buf_init(text, 1 << 20);
	for (int i = 0; i < depth; i++)
		buf_puts(text, open);
	buf_puts(text, middle);
	for (int i = 0; i < depth; i++)
		buf_puts(text, close);
}

/* Below JSON_MAX_DEPTH there are literals, but the text stays what it was. */
static void test_depth(void **state)
{
	static const int depths[] = { 1, JSON_MAX_DEPTH, JSON_MAX_DEPTH + 1, 2 * JSON_MAX_DEPTH + 1, 10000 };
	static const char *const kinds[][3] = { { "[", "1", "]" },
						{ "{\"a\":", "1", "}" },
						{ "[", "", "]" },
						{ "[\"\\\\\",7,\"]\\\"[\",", "18446744073709551615", ",1]" } };

	(void)state;
	for (size_t i = 0; i < array_len(depths) * array_len(kinds); i++) {
		const char *const *kind = kinds[i % array_len(kinds)];
		struct err err = { 0 };
		auto_buf text;
		auto_json v = NULL;
		auto_json dup = NULL;
		auto_free char *again = NULL;

		nest(&text, depths[i / array_len(kinds)], kind[0], kind[1], kind[2]);
		v = json_parse(buf_str(&text), text.len, &err);
		if (!v)
			fail_msg("%s: %s", kind[0], err.msg);
		dup = json_dup(v);
		assert_true(json_equal(v, dup));
		again = json_print(dup);
		assert_string_equal(again, buf_str(&text));
	}
}

static void test_too_deep(void **state)
{
	static const struct {
		int depth;
		const char *middle, *want;
	} cases[] = {
		{ 10001, "", "nested too deeply" },
		{ 500000, "", "nested too deeply" },
		{ JSON_MAX_DEPTH + 1, "{", "unexpected token" },
		{ JSON_MAX_DEPTH, "1[]", "unexpected token" },
		{ JSON_MAX_DEPTH, "[]1", "unexpected token" },
		{ JSON_MAX_DEPTH, "[][]", "unexpected token" },
		{ JSON_MAX_DEPTH - 1, "{[]:1}", "unexpected token" },
		{ JSON_MAX_DEPTH + 1, "1,", "JSON, from byte 501: JSON, byte 4: unexpected token" },
		{ JSON_MAX_DEPTH + 1, "}", "JSON, from byte 501: JSON, byte 2: unexpected token" },
		{ JSON_MAX_DEPTH + 1, "{\"a\":1,\"a\":2}", "duplicate member \"a\"" },
		{ JSON_MAX_DEPTH + 1, "\"", "collection without end" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		struct err err = { 0 };
		auto_buf text;

		nest(&text, cases[i].depth, "[", cases[i].middle, "]");
		assert_null(json_parse(buf_str(&text), text.len, &err));
		assert_int_equal(err.code, ERR_INVALID);
		if (!strstr(err.msg, cases[i].want))
			fail_msg("%s: %s", cases[i].middle, err.msg);
	}
}

/* Numbers that no double holds: text, value and type. */
static void test_literals(void **state)
{
	static const struct {
		const char *text;
		double number;
		int64_t integer;
	} cases[] = {
		{ "9007199254740993", 9007199254740992.0, 9007199254740993 },
		{ "-9007199254740993", -9007199254740992.0, -9007199254740993 },
		{ "9223372036854775807", 9223372036854775808.0, INT64_MAX },
		{ "-9223372036854775808", -9223372036854775808.0, INT64_MIN },
		{ "9223372036854775808", 9223372036854775808.0, 7 },
		{ "100000000000000000000", 1e20, 7 },
		{ "999999999999999999999999999999999999999999999999999999999999", 1e60, 7 },
		{ "1e400", DBL_MAX, 7 },
		{ "-1.5E+999", -DBL_MAX, 7 },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		struct err err = { 0 };
		auto_json v = json_parse(cases[i].text, strlen(cases[i].text), &err);
		auto_free char *text = json_print(v);

		assert_string_equal(text, cases[i].text);
		assert_int_equal(json_type(v), JSON_NUMBER);
		assert_true(json_number(v, 0) == cases[i].number);
		assert_int_equal(json_integer(v, 7), cases[i].integer);
		assert_null(json_text(v, NULL));
	}
}

/* Each literal lands on its own number, whatever is around it. */
static void test_literals_among_others(void **state)
{
	static const char text[] = "{\"n\":[1,9007199254740993,\"9007199254740994\",-2.5,{\"1\":2,\"x\":1e999}],"
				   "\"9007199254740995\":0,\"y\":-18446744073709551616,\"z\":3}";
	struct err err = { 0 };
	auto_json v = json_parse(text, strlen(text), &err);
	auto_free char *again = json_print(v);

	(void)state;
	assert_string_equal(again, text);
	assert_int_equal(json_i64(v, "z", 0), 3);
}

static void test_duplicates_among_many(void **state)
{
	struct err err = { 0 };
	auto_json v = NULL;
	auto_buf text;

	(void)state;
	buf_init(&text, 1 << 22);
	buf_puts(&text, "{\"last\":0");
	for (int i = 0; i < 50000; i++)
		buf_printf(&text, ",\"%d\":%d", i, i);
	buf_puts(&text, "}");
	v = json_parse(buf_str(&text), text.len, &err);
	assert_int_equal(json_len(v), 50001);
	text.len--;
	buf_puts(&text, ",\"last\":1}");
	assert_null(json_parse(buf_str(&text), text.len, &err));
	assert_string_equal(err.msg, "JSON: duplicate member \"last\"");
}

/* Names that only differ in what stands for U+FFFD: one stays, and it does not take forever. */
static void test_dropped_among_many(void **state)
{
	struct err err = { 0 };
	auto_json v = NULL;
	auto_buf text;

	(void)state;
	buf_init(&text, 1 << 22);
	buf_puts(&text, "{\"first\":0");
	for (int i = 0; i < 30000; i++)
		buf_printf(&text, ",\"%d\\u0000\":1,\"%d\xef\xbf\xbd\":2", i, i);
	buf_puts(&text, "}");
	v = json_parse(buf_str(&text), text.len, &err);
	assert_int_equal(json_len(v), 30001);
	assert_int_equal(json_integer(json_get(v, "29999\xef\xbf\xbd"), 0), 1);
}

static void test_left_out(void **state)
{
	static const struct {
		const char *text, *want; /* NULL: refused */
	} cases[] = {
		{ "{\"m\":{\"a\":1,\"x\":[{\"b\":\"]\\\"\"}],\"c\":2},\"x\":[3]}",
		  "{\"m\":{\"a\":1,\"c\":2},\"x\":[3]}" },
		{ "{\"m\":{\"x\" : {\"m\":{}} }}", "{\"m\":{}}" },
		{ "{\"m\":{\"x\":\"text\"}}", "{\"m\":{\"x\":\"text\"}}" },
		{ "{\"m\":{\"xx\":[],\"\":[]}}", "{\"m\":{\"xx\":[],\"\":[]}}" },
		{ "[{\"x\":[]}]", "[{\"x\":[]}]" },
		{ "{\"m\":[{\"x\":[]}]}", "{\"m\":[{\"x\":[]}]}" },
		{ "{\"m\":{\"x\":[", NULL },
		{ "{\"m\":{\"x\":[]", NULL },
		{ "{\"m\":{\"x\":[],}}", NULL },
		{ "{\"m\":{\"x\":[]]}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		struct err err = { 0 };
		auto_json v = json_parse_without(cases[i].text, strlen(cases[i].text), "m", "x", &err);
		auto_free char *text = v ? json_print(v) : NULL;

		if (!cases[i].want)
			assert_int_equal(err.code, ERR_INVALID);
		else if (!text)
			fail_msg("%s: %s", cases[i].text, err.msg);
		else
			assert_string_equal(text, cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_embedded_nul),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_too_deep),
		cmocka_unit_test(test_literals),
		cmocka_unit_test(test_literals_among_others),
		cmocka_unit_test(test_duplicates_among_many),
		cmocka_unit_test(test_dropped_among_many),
		cmocka_unit_test(test_left_out),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
