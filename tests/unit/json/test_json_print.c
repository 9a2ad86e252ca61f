/* Printing: numbers, strings, indentation; what is printed parses to the same tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "json/json.h"

static void test_numbers(void **state)
{
	static const struct {
		double value;
		const char *want;
	} cases[] = {
		{ 0, "0" },
		{ -1, "-1" },
		{ 1e15, "1000000000000000" },
		{ 1783012345678, "1783012345678" },
		{ 0.1, "0.1" },
		{ 1e20, "1e+20" },
		{ NAN, "null" },
		{ INFINITY, "null" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_json v = json_new_double(cases[i].value);
		auto_free char *text = json_print(v);

		assert_string_equal(text, cases[i].want);
	}
}

static void test_strings(void **state)
{
	auto_json v = json_new_object();
	auto_free char *text = NULL;

	(void)state;
	json_set_str(v, "quote\"", "\\ \x01 \n");
	json_set_str(v, "broken", "\xff");
	text = json_print(v);
	assert_string_equal(text, "{\"quote\\\"\":\"\\\\ \\u0001 \\n\",\"broken\":\"\xef\xbf\xbd\"}");
}

static void test_pretty(void **state)
{
	static const char want[] = "{\n  \"a\": [\n    1,\n    {\n      \"b\": null\n    }\n  ],\n  \"c\": {},\n"
				   "  \"d\": []\n}\n";
	struct err err = { 0 };
	auto_json v = json_parse(want, strlen(want), &err);
	auto_free char *text = json_print_pretty(v);
	auto_json scalar = json_new_bool(true);
	auto_free char *scalar_text = json_print_pretty(scalar);

	(void)state;
	assert_string_equal(text, want);
	assert_string_equal(scalar_text, "true\n");
}

static void test_round_trip(void **state)
{
	static const char text[] = "{\"a\":[1,-2.5,1e+300,9007199254740992,9007199254740994.0,0.30000000000000004],"
				   "\"b\":\"\xf0\x9f\x98\x80\\u0001\\\"\",\"\":{\"x\":{}},\"n\":null,\"t\":true}";
	struct err err = { 0 };
	auto_json v = json_parse(text, strlen(text), &err);
	auto_free char *again = json_print(v);

	(void)state;
	assert_string_equal(again, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_pretty),
		cmocka_unit_test(test_round_trip),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
