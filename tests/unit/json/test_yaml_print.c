/* YAML out: the style, and that whatever is written reads back as the same tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/time.h"
#include "json/yaml.h"
#include "parse.h"

static void test_style(void **state)
{
	static const struct {
		const char *json, *want;
	} cases[] = {
		{ "{\"a\":1,\"b\":{\"c\":[\"x\",{\"d\":true,\"e\":null}],\"f\":{}},\"g\":[],\"h\":[[1,2],[],[[3]]]}",
		  "a: 1\nb:\n  c:\n  - x\n  - d: true\n    e: null\n  f: {}\ng: []\nh:\n- - 1\n  - 2\n- []\n- - - "
		  "3\n" },
		{ "{\"t\":\"a\\nb\\n\",\"l\":[\"x\\n\\n y\",{\"k\":\"p\\nq\"}]}",
		  "t: |\n  a\n  b\nl:\n- |-\n  x\n\n   y\n- k: |-\n    p\n    q\n" },
		{ "[\"512m\",\"10Gi\",\"3.5.1\",\"1e3\",\"yes\",\"local:///a.py\",\"a: b\",\"-x\",\"a #b\",\"a#b\"]",
		  "- 512m\n- 10Gi\n- \"3.5.1\"\n- \"1e3\"\n- \"yes\"\n- local:///a.py\n- \"a: b\"\n- \"-x\"\n- \"a "
		  "#b\"\n"
		  "- \"a#b\"\n" },
		{ "{\"true\":0.5,\"a/b.c-d\":1e300,\"1\":\"\"}", "\"true\": 0.5\na/b.c-d: 1e+300\n\"1\": \"\"\n" },
		{ "\"x\\ty\\u0001\\u0085\\u2028\\ufeff\\\"\\\\\"", "\"x\\ty\\u0001\\u0085\\u2028\\uFEFF\\\"\\\\\"\n" },
		{ "\"a\\nb\"", "|-\n  a\n  b\n" },
		{ "{}", "{}\n" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_json v = parse(cases[i].json);
		auto_free char *text = yaml_print(v);

		assert_string_equal(text, cases[i].want);
	}
}

static void round_trip(const struct json *v)
{
	auto_free char *text = yaml_print(v);
	struct err err = { 0 };
	auto_json back = yaml_parse(text, strlen(text), &err);

	if (!back)
		fail_msg("%s\n%s", err.msg, text);
	if (!json_equal(json_first(back), v) || json_len(back) != 1)
		fail_msg("reads back as something else:\n%s", text);
}

/* As root, element, value and name. */
static void round_trip_string(const char *text)
{
	auto_json list = json_new_array();
	auto_json object = json_new_object();
	auto_json root = json_new_string(text);

	json_append_str(list, text);
	json_append_str(json_append(list, json_new_array()), text);
	json_set_str(object, text, text);
	json_set(json_ensure_object(object, "in"), text, json_dup(list));
	json_set_i64(json_append(list, json_new_object()), text, 1);
	round_trip(root);
	round_trip(list);
	round_trip(object);
}

/* What a YAML reader could take for something else. */
static const char *const nasty_strings[] = {
	"",
	" ",
	"yes",
	"No",
	"ON",
	"y",
	"null",
	"Null",
	"~",
	"true",
	"TRUE",
	"1",
	"1e3",
	"0x1f",
	"0o7",
	"010",
	"1_000",
	".5",
	"1.",
	"-1",
	"+1",
	".inf",
	".nan",
	"1:30",
	"190:20:30",
	"2026-01-02",
	"2026-01-02T03:04:05Z",
	"- a",
	"-",
	"--",
	"---",
	"...",
	"--- a",
	"? a",
	"?",
	":",
	": ",
	"a:",
	"a: b",
	":a",
	"a:b",
	"#",
	"# a",
	"a #b",
	"a#b",
	"&a",
	"*a",
	"!a",
	"!!str",
	"|",
	">",
	"|-",
	"%a",
	"@a",
	"`a",
	"'",
	"\"",
	"'a'",
	"\"a\"",
	"\\",
	"\\n",
	"[",
	"]",
	"[]",
	"{",
	"}",
	"{}",
	"a, b",
	"<<",
	"=",
	"a ",
	" a",
	"a  b",
	"\t",
	"a\t",
	"\ta",
	"\n",
	"\n\n",
	"a\n",
	"a\n\n",
	"\na",
	"a\nb",
	"a\nb\n",
	"a\n\nb",
	" a\nb",
	"a\n b\n",
	"a \nb",
	"a\n \nb",
	"a\n\t\nb",
	"a\n ",
	"a\n\tb",
	"a\r\nb",
	"\r",
	"a\n---\nb",
	"a\n...\nb\n",
	"a\n# b",
	"a: b\nc: d\n",
	"h\xc3\xa9llo",
	"\xf0\x9f\x98\x80",
	"a\xc2\x85"
	"b",
	"a\xe2\x80\xa8"
	"b",
	"\xef\xbb\xbf"
	"a",
	"\xef\xbf\xbe",
	"\x7f",
	"\x01",
	"\x1b[0m",
	"a\xc2\xa0",
	"\xc2\xa0",
	"0",
	"0b",
	"0b1",
	"1e",
	"e1",
	"1.2.3",
	"12e",
	"12d",
	"1__2",
	"9007199254740993",
	"a\nb\xc2\x85"
	"c",
	"a\nb\xe2\x80\xa9"
	"c\n",
	"${a}",
	"$(A)",
	"(a)",
	"spark.a=b",
	"a?b=c&d",
	"x,y",
	"a;b",
	"`",
	"a\n\xf0\x9f\x98\x80\n",
};

static void test_nasty_strings(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(nasty_strings); i++)
		round_trip_string(nasty_strings[i]);
}

static void test_random_strings(void **state)
{
	static const char *const pieces[] = { "a", "B",	 "1",	     "0",	 ".",  "-",  "_", ":", " ",  "\n",
					      "#", "\"", "'",	     "e",	 "x",  "\t", "[", "{", ",",  "?",
					      "|", "!",	 "\xc3\xa9", "\xc2\x85", "\\", "/",  "=", "~", "\r", "\x01" };
	struct rng rng = { 23 };

	(void)state;
	for (int i = 0; i < 300; i++) {
		auto_buf text;

		buf_init(&text, 1000);
		for (int64_t n = rng_range(&rng, 1, 7); n > 0; n--)
			buf_puts(&text, pieces[rng_range(&rng, 0, (int64_t)array_len(pieces))]);
		round_trip_string(buf_str(&text));
	}
}

static void test_long_keys(void **state)
{
	char key[3000];

	(void)state;
	for (size_t len = 990; len < sizeof(key); len += 67) {
		memset(key, 'k', len);
		key[len] = '\0';
		round_trip_string(key);
		memset(key, '"', len / 2);
		round_trip_string(key);
	}
}

/* Numbers that no double holds, and strings that look like them. */
static void test_literals(void **state)
{
	static const char text[] = "{\"a\":[9007199254740993,-18446744073709551616,1e999,-2E+400],"
				   "\"b\":[\"9007199254740993\",\"1e999\",\"!!float 1e999\"]}";
	struct err err = { 0 };
	auto_json v = json_parse(text, strlen(text), &err);
	auto_free char *yaml = yaml_print(v);
	auto_json documents = yaml_parse(yaml, strlen(yaml), &err);
	auto_free char *again = json_print(json_first(documents));

	(void)state;
	assert_string_equal(again, text);
	assert_non_null(strstr(yaml, "- 9007199254740993\n"));
	assert_non_null(strstr(yaml, "- !!float 1e999\n"));
}

static void test_broken_text_is_replaced(void **state)
{
	auto_json v = json_new_string("a\xff\nb");
	auto_free char *text = yaml_print(v);

	(void)state;
	assert_string_equal(text, "\"a\\uFFFD\\nb\"\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_style),	       cmocka_unit_test(test_nasty_strings),
		cmocka_unit_test(test_random_strings), cmocka_unit_test(test_long_keys),
		cmocka_unit_test(test_literals),       cmocka_unit_test(test_broken_text_is_replaced),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
