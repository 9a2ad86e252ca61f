/* YAML in: how scalars are resolved, documents, aliases, refusals with their position. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
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
		{ "yes", "true" },
		{ "off", "false" },
		{ "n", "false" },
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
		{ "-0xffff_ffff_ffff_ffff", "\"-0xffff_ffff_ffff_ffff\"" },
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
	expect("\"1\": a\non: b\n!!str 2: c\n\"<<\": d\n", "[{\"1\":\"a\",\"true\":\"b\",\"2\":\"c\",\"<<\":\"d\"}]");
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
		{ "~: a\n", "line 1, column 1: a key cannot be null: quote it if it is a text" },
		{ "18446744073709551615: a\n", "is too large for a number: quote it" },
		{ "- &x [1]\n- {*x : a}\n", "line 2, column 4: keys must be texts" },
		{ "a: {<<: 1}\n", "line 1, column 9: << needs a mapping or a list of mappings" },
		{ "a: !!binary aGk\n", "line 1, column 4: !!binary is not base64" },
		{ "a: !!binary AA==\n", "strings with NUL" },
		{ "? [a]\n: b\n", "keys must be texts, numbers or booleans" },
		{ "a: *x\n", "line 1, column 4: unknown alias x" },
		{ "a: &x [*x]\n", "unknown alias x" },
		{ "a: &x 1\n---\nb: *x\n", "unknown alias x" },
		{ "a: !!int x\n", "does not fit its tag" },
		{ "a: !!bool 1\n", "does not fit its tag" },
		{ "a: !!float x\n", "does not fit its tag" },
		{ "a: !!int 1e999\n", "does not fit its tag" },
		{ "a: .inf\n", "JSON has no number .inf" },
		{ "a: \"\\0\"\n", "strings with NUL" },
		{ "a: [1\n", "line 2, column 1" },
		{ "a: 1\nb: ü\xff\n", "line 2, column 5: invalid leading UTF-8 octet" },
		{ "a: 1\n\nb: \"\xc3(\"\n", "line 3, column 6: invalid trailing UTF-8 octet" },
		{ "a: 1\nb: \x1b\n", "line 2, column 4: control characters are not allowed" },
		{ "a: b: c\n", "line 1, column 5" },
		{ "\ta: 1\n", "line 1, column 1" },
		{ "a: \xff\n", "YAML, line" },
		{ "a: \x01\n", "YAML, line" },
		{ "{\"a\":1,\"a\":2}", "already there" },
		{ "{}null\n", "line 1, column 3" },
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

/* What is more than kubectl reads, or more exact. */
static void test_more_than_kubectl(void **state)
{
	(void)state;
	expect("a: 1234567890123456789012345678901234567890123456789012345678901\n",
	       "[{\"a\":1.2345678901234568e+60}]");
	expect("{\"a\":1} {\"b\":\"}\\\"{\"}\n[]\n", "[{\"a\":1},{\"b\":\"}\\\"{\"},[]]");
	expect("--- a\n--- [b]\n", "[\"a\",[\"b\"]]");
}

/* ---- as kubectl reads it ---- */

/* "LINE: want: got" if ours differs from what sigs.k8s.io/yaml makes of the text; owned. */
static char *compare_with_goyaml(const char *line, const char *tab)
{
	struct err err = { 0 };
	auto_json text = json_parse(line, (size_t)(tab - line), &err);
	auto_json places = NULL;
	auto_json want = NULL;
	auto_json got = NULL;
	auto_free char *shown = NULL;
	const char *yaml = json_text(text, NULL);

	assert_non_null(yaml);
	got = yaml_parse_like_kubectl(yaml, strlen(yaml), &places, &err);
	if (text_eq(tab + 1, "error"))
		return got ? xasprintf("%s: accepted", line) : NULL;
	if (!got)
		return xasprintf("%s: %s", line, err.msg);
	want = json_parse(tab + 1, strlen(tab + 1), &err);
	if (json_is(want, JSON_NULL) ? json_len(got) == 0 : json_equal(json_first(got), want))
		return NULL;
	shown = json_print(got);
	return xasprintf("%s: %s", line, shown);
}

/* golden/yaml/goyaml.txt, recorded with golden/yaml/record */
static void test_goyaml(void **state)
{
	FILE *file = fopen(TESTS_DIR "/golden/yaml/goyaml.txt", "r");
	size_t size = 0, count = 0, wrong = 0;
	char *line = NULL;

	(void)state;
	assert_non_null(file);
	while (getline(&line, &size, file) > 0) {
		auto_free char *difference = NULL;

		line[strcspn(line, "\n")] = '\0';
		assert_non_null(strchr(line, '\t'));
		difference = compare_with_goyaml(line, strchr(line, '\t'));
		if (difference)
			print_error("%s\n", difference);
		wrong += difference != NULL;
		count++;
	}
	free(line);
	fclose(file);
	assert_true(count > 400);
	assert_int_equal(wrong, 0);
}

static void expect_places(const char *text, const char *want)
{
	struct err err = { 0 };
	auto_json places = NULL;
	auto_json documents = yaml_parse_like_kubectl(text, strlen(text), &places, &err);
	auto_free char *got = places ? json_print(places) : NULL;

	if (!documents)
		fail_msg("%s: %s", text, err.msg);
	assert_string_equal(got, want);
}

static void test_places_and_notes(void **state)
{
	(void)state;
	expect_places("---\n---\na: 1\n--- \n# c\n---\nb: 2\n",
		      "[{\"document\":2,\"notes\":[]},{\"document\":4,\"notes\":[]}]");
	expect_places("{\"a\":1}{\"b\":2}", "[{\"document\":1,\"notes\":[]},{\"document\":2,\"notes\":[]}]");
	expect_places(
	    "--- {a: 1}\n--- # c\na: 1\n---\n- b\n",
	    "[{\"document\":1,\"notes\":[\"line 1, column 5: kubectl refuses what stands behind ---: write it on "
	    "a line of its own\"]},{\"document\":2,\"notes\":[]},{\"document\":3,\"notes\":[]}]");
	expect_places("a: yes\n---\nb: [true, 'yes', False, 0644, 12, 1.5, !!bool on]\n",
		      "[{\"document\":1,\"notes\":[\"line 1, column 4: kubectl reads yes as true: quote it if it is "
		      "meant as text\"]},{\"document\":2,\"notes\":[]}]");
	expect_places("v: 3.10\non: 1e3\n",
		      "[{\"document\":1,\"notes\":[\"line 1, column 4: kubectl reads 3.10 as 3.1: quote it if it is "
		      "meant as text\",\"line 2, column 1: kubectl reads on as true: quote it if it is meant as text\","
		      "\"line 2, column 5: kubectl reads 1e3 as 1000: quote it if it is meant as text\"]}]");
	expect_places("a: 1\na: 2\n", "[{\"document\":1,\"notes\":[\"line 2, column 1: key \\\"a\\\" is there twice: "
				      "kubectl takes the last\"]}]");
	expect_places("x: &x {a: 1}\nw: {<<: *x, a: 2}\nz:\n  a: 3\n  <<: *x\n",
		      "[{\"document\":1,\"notes\":[\"line 5, column 7: kubectl lets << replace \\\"a\\\", which stands "
		      "above it: put << first\"]}]");
}

/* Merges copy too, also where no alias is. */
static void test_merge_bomb(void **state)
{
	struct err err = { 0 };
	auto_buf text;

	(void)state;
	buf_init(&text, 1 << 20);
	for (int i = 0; i < 200; i++)
		buf_puts(&text, "{<<: ");
	buf_puts(&text, "{");
	for (int i = 0; i < 1000; i++)
		buf_printf(&text, "a%d: 1, ", i);
	buf_puts(&text, "}");
	for (int i = 0; i < 200; i++)
		buf_puts(&text, "}");
	assert_null(yaml_parse(buf_str(&text), text.len, &err));
	assert_non_null(strstr(err.msg, "aliases expand to more than 100000 nodes"));
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
		cmocka_unit_test(test_more_than_kubectl),
		cmocka_unit_test(test_goyaml),
		cmocka_unit_test(test_places_and_notes),
		cmocka_unit_test(test_merge_bomb),
		cmocka_unit_test(test_alias_bomb),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_depth_through_alias),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
