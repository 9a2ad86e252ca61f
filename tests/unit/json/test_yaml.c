/* YAML in: how scalars are resolved, documents, aliases, refusals with their position. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "json/yaml.h"

static void expect(const char *text, const char *want)
{
	struct err err = { 0 };
	auto_json v = yaml_parse(text, strlen(text), &err);
	auto_free char *got = NULL;

	if (!v)
		fail_msg("%s: %s", text, err.msg);
	got = json_print(v);
	assert_string_equal(got, want);
}

static void test_plain_scalars(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "~", "null" },
		{ "null", "null" },
		{ "Null", "null" },
		{ "", "null" },
		{ "nUll", "\"nUll\"" },
		{ "true", "true" },
		{ "False", "false" },
		{ "TRUE", "true" },
		{ "yes", "\"yes\"" },
		{ "off", "\"off\"" },
		{ "n", "\"n\"" },
		{ "0", "0" },
		{ "-7", "-7" },
		{ "+7", "7" },
		{ "0644", "420" },
		{ "0o17", "15" },
		{ "0x1F", "31" },
		{ "-0x1f", "-31" },
		{ "0b101", "5" },
		{ "1_000", "1000" },
		{ "08", "8" },
		{ "0x", "\"0x\"" },
		{ "0xg", "\"0xg\"" },
		{ "1e3", "1000" },
		{ "1.5", "1.5" },
		{ "1.", "1" },
		{ ".5", "0.5" },
		{ "-.5", "-0.5" },
		{ "1e", "\"1e\"" },
		{ "1e999", "\"1e999\"" },
		{ "!!float 1e999", "1e999" },
		{ "!!float 12", "12" },
		{ "9007199254740992", "9007199254740992" },
		{ "-9007199254740993", "-9007199254740993" },
		{ "+9_223_372_036_854_775_807", "9223372036854775807" },
		{ "0x7fffffffffffffff", "9223372036854775807" },
		{ "-0xffff_ffff_ffff_ffff", "-18446744073709551615" },
		{ "01777777777777777777777", "18446744073709551615" },
		{ "99999999999999999999999", "99999999999999999999999" },
		{ "\"9007199254740993\"", "\"9007199254740993\"" },
		{ ".", "\".\"" },
		{ "+", "\"+\"" },
		{ "_1", "\"_1\"" },
		{ "1:30", "\"1:30\"" },
		{ "2026-01-02", "\"2026-01-02\"" },
		{ "2026-01-02T03:04:05Z", "\"2026-01-02T03:04:05Z\"" },
		{ "512m", "\"512m\"" },
		{ "3.5.1", "\"3.5.1\"" },
		{ "a b", "\"a b\"" },
		{ "\"true\"", "\"true\"" },
		{ "'1'", "\"1\"" },
		{ "\"\"", "\"\"" },
		{ "\"\\x41\\u00e9\\U0001F600\\n\"", "\"A\xc3\xa9\xf0\x9f\x98\x80\\n\"" },
		{ "!!str 12", "\"12\"" },
		{ "! 12", "\"12\"" },
		{ "!!int \"12\"", "12" },
		{ "!!float 12", "12" },
		{ "!!bool 'true'", "true" },
		{ "!!null ''", "null" },
		{ "9007199254740992", "9007199254740992" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_free char *text = xasprintf("- %s\n", cases[i].text);
		auto_free char *want = xasprintf("[[%s]]", cases[i].want);

		expect(text, want);
	}
}

static void test_structure(void **state)
{
	(void)state;
	expect("", "[]");
	expect("# only a comment\n", "[]");
	expect("a:\n  b: [1, {c: d}]\n  e:\n  - f\n  -\n", "[{\"a\":{\"b\":[1,{\"c\":\"d\"}],\"e\":[\"f\",null]}}]");
	expect("---\na: 1\n---\n---\n# nothing\n---\nnull\n---\n- 2\n...\n", "[{\"a\":1},[2]]");
	expect("text: |\n  a\n   b\n\n  c\nfold: >-\n  a\n  b\n", "[{\"text\":\"a\\n b\\n\\nc\\n\",\"fold\":\"a b\"}]");
	expect("\"1\": a\non: b\n!!str 2: c\n\"<<\": d\n", "[{\"1\":\"a\",\"on\":\"b\",\"2\":\"c\",\"<<\":\"d\"}]");
	expect("!!map {a: !!seq [1]}", "[{\"a\":[1]}]");
}

static void test_json_is_accepted(void **state)
{
	(void)state;
	expect("\t{\"a\":\t\"\\ud83d\\ude00\\/\"}\n", "[{\"a\":\"\xf0\x9f\x98\x80/\"}]");
	expect("[1,\n2]", "[[1,2]]");
	expect("{\"a\": 1}\n---\n{\"b\": 2}\n", "[{\"a\":1},{\"b\":2}]");
}

static void test_aliases(void **state)
{
	(void)state;
	expect("a: &x {k: 1}\nb: *x\nc: [*x, &y z, *y]\n",
	       "[{\"a\":{\"k\":1},\"b\":{\"k\":1},\"c\":[{\"k\":1},\"z\",\"z\"]}]");
	expect("- &x 1\n- &x 2\n- *x\n", "[[1,2,2]]");
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "a: 1\nb: 2\na: 3\n", "line 3, column 1: key \"a\" is already there" },
		{ "{a: 1, a: 2}", "line 1, column 8: key \"a\" is already there" },
		{ "x:\n  1: a\n", "line 2, column 3: key 1 is not a string: quote it" },
		{ "true: a\n", "line 1, column 1: key true is not a string" },
		{ "~: a\n", "key ~ is not a string" },
		{ "? [a]\n: b\n", "keys must be strings" },
		{ "&x a: b\n", "keys must be strings without anchor" },
		{ "a: &x {b: 1}\nc:\n  <<: *x\n", "line 3, column 3: merge keys are not supported" },
		{ "a: *x\n", "line 1, column 4: unknown alias x" },
		{ "a: &x [*x]\n", "unknown alias x" },
		{ "a: &x 1\n---\nb: *x\n", "unknown alias x" },
		{ "a: !!binary aGk=\n", "unknown tag tag:yaml.org,2002:binary" },
		{ "a: !custom x\n", "unknown tag !custom" },
		{ "a: !!seq {}\n", "does not fit" },
		{ "a: !custom []\n", "does not fit" },
		{ "a: !!int x\n", "does not fit its tag" },
		{ "a: !!bool 1\n", "does not fit its tag" },
		{ "a: -0x10000000000000000\n", "line 1, column 4: integer too large" },
		{ "a: 1234567890123456789012345678901234567890123456789012345678901\n", "integer too large" },
		{ "a: !!float x\n", "does not fit its tag" },
		{ "a: !!float [1]\n", "does not fit" },
		{ "a: !!int 1e999\n", "does not fit its tag" },
		{ "a: .inf\n", "JSON has no number .inf" },
		{ "a: \"\\0\"\n", "strings with NUL" },
		{ "a: [1\n", "line 2, column 1" },
		{ "a: b: c\n", "line 1, column 5" },
		{ "\ta: 1\n", "line 1, column 1" },
		{ "a: \xff\n", "YAML, line" },
		{ "a: \x01\n", "YAML, line" },
		{ "{\"a\":1,\"a\":2}", "already there" },
		{ "%YAML 3.0\n---\na\n", "YAML, line" },
		{ "a: 1\n--- b\n...\n}", "YAML, line" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		struct err err = { 0 };
		auto_json v = yaml_parse(cases[i].text, strlen(cases[i].text), &err);

		if (v)
			fail_msg("%s was accepted", cases[i].text);
		assert_int_equal(err.code, ERR_INVALID);
		if (!strstr(err.msg, cases[i].want))
			fail_msg("%s: %s, not %s", cases[i].text, err.msg, cases[i].want);
	}
}

static void test_alias_bomb(void **state)
{
	struct err err = { 0 };
	auto_buf text;

	(void)state;
	buf_init(&text, 10000);
	buf_puts(&text, "a0: &a0 x\n");
	for (int i = 1; i < 12; i++) {
		buf_printf(&text, "a%d: &a%d [", i, i);
		for (int k = 0; k < 10; k++)
			buf_printf(&text, "%s*a%d", k > 0 ? ", " : "", i - 1);
		buf_puts(&text, "]\n");
	}
	assert_null(yaml_parse(buf_str(&text), text.len, &err));
	assert_non_null(strstr(err.msg, "aliases expand to more than 100000 nodes"));
}

static int nested(int depth)
{
	struct err err = { 0 };
	auto_json v = NULL;
	auto_buf text;

	buf_init(&text, 1 << 20);
	buf_puts(&text, "--- ");
	for (int i = 0; i < depth; i++)
		buf_puts(&text, i % 2 ? "[" : "{a: ");
	buf_puts(&text, "1");
	while (depth-- > 0)
		buf_puts(&text, depth % 2 ? "]" : "}");
	v = yaml_parse(buf_str(&text), text.len, &err);
	assert_true(v || strstr(err.msg, "nested too deeply"));
	return v != NULL;
}

/* An alias in a deep place brings its own depth along. */
static void test_depth_through_alias(void **state)
{
	static const char *const targets[] = { "1", "[]", "[1]", "[[]]" };

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct err err = { 0 };
		auto_json v = NULL;
		auto_buf text;

		buf_init(&text, 1 << 20);
		buf_printf(&text, "--- [&x %s, ", targets[i]);
		for (int k = 0; k < JSON_MAX_DEPTH - 2; k++)
			buf_puts(&text, "[");
		buf_puts(&text, "*x");
		for (int k = 0; k < JSON_MAX_DEPTH - 1; k++)
			buf_puts(&text, "]");
		v = yaml_parse(buf_str(&text), text.len, &err);
		assert_int_equal(v != NULL, i < 3);
	}
}

static void test_depth(void **state)
{
	(void)state;
	assert_true(nested(JSON_MAX_DEPTH));
	assert_false(nested(JSON_MAX_DEPTH + 1));
	assert_false(nested(5000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_scalars),
		cmocka_unit_test(test_structure),
		cmocka_unit_test(test_json_is_accepted),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_alias_bomb),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_depth_through_alias),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
