/* Field tables: every type, defaults, and the wording of errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "json/decode.h"
#include "json_text.h"

struct view {
	const char *str;
	int64_t number;
	bool flag;
	int mode;
	const struct json *tree, *object, *array, *map, *list;
	int64_t time;
};

static const char *const modes[] = { "cluster", "client", NULL };

static const struct field rows[] = {
	{ "a.str", FIELD_STR, offsetof(struct view, str), 0, NULL, 0, 0 },
	{ "a.number", FIELD_I64, offsetof(struct view, number), 7, NULL, 1, 100 },
	{ "flag", FIELD_BOOL, offsetof(struct view, flag), 1, NULL, 0, 0 },
	{ "mode", FIELD_ENUM, offsetof(struct view, mode), 1, modes, 0, 0 },
	{ "tree", FIELD_TREE, offsetof(struct view, tree), 0, NULL, 0, 0 },
	{ "object", FIELD_OBJECT, offsetof(struct view, object), 0, NULL, 0, 0 },
	{ "array", FIELD_ARRAY, offsetof(struct view, array), 0, NULL, 0, 0 },
	{ "map", FIELD_STRMAP, offsetof(struct view, map), 0, NULL, 0, 0 },
	{ "list", FIELD_STRLIST, offsetof(struct view, list), 0, NULL, 0, 0 },
	{ "time", FIELD_TIME, offsetof(struct view, time), -1, NULL, 0, 0 },
};

static int run(const char *text, const char *prefix, struct json **ret_tree, struct view *view, struct err *err)
{
	*ret_tree = json_parse(text, strlen(text), err);
	assert_non_null(*ret_tree);
	memset(view, 0x55, sizeof(*view));
	return decode(*ret_tree, rows, array_len(rows), prefix, view, err);
}

static void expect_defaults(const char *text)
{
	auto_json tree = NULL;
	struct err err = { 0 };
	struct view view;

	assert_int_equal(run(text, "", &tree, &view, &err), 0);
	assert_null(view.str);
	assert_int_equal(view.number, 7);
	assert_true(view.flag);
	assert_int_equal(view.mode, 1);
	assert_null(view.tree);
	assert_null(view.object);
	assert_null(view.array);
	assert_null(view.map);
	assert_null(view.list);
	assert_int_equal(view.time, -1);
	assert_int_equal(err.code, ERR_NONE);
}

static void test_defaults(void **state)
{
	(void)state;
	expect_defaults("{}");
	expect_defaults(JSON({
		"a" : { "str" : null, "number" : null },
		"flag" : null,
		"mode" : null,
		"tree" : null,
		"object" : null,
		"array" : null,
		"map" : null,
		"list" : null,
		"time" : null
	}));
	expect_defaults(JSON({ "a" : [] }));
}

static void test_integers(void **state)
{
	static const struct field whole = { .path = "n", .type = FIELD_I64, .min = INT64_MIN };
	static const struct {
		const char *text;
		int64_t want;
	} cases[] = {
		{ JSON({ "n" : 9223372036854775807 }), INT64_MAX },
		{ JSON({ "n" : -9223372036854775808 }), INT64_MIN },
		{ JSON({ "n" : 9007199254740993 }), 9007199254740993 },
		{ JSON({ "n" : 1 }), 1 },
		{ JSON({ "n" : 0 }), 0 },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		struct err err = { 0 };
		auto_json tree = json_parse(cases[i].text, strlen(cases[i].text), &err);
		int64_t number = 5;

		assert_int_equal(decode(tree, &whole, 1, "", &number, &err), 0);
		assert_int_equal(number, cases[i].want);
	}
}

static void test_values(void **state)
{
	auto_json tree = NULL;
	struct err err = { 0 };
	struct view view;

	(void)state;
	assert_int_equal(run(JSON({
				     "a" : { "str" : "", "number" : 1 },
				     "flag" : false,
				     "mode" : "cluster",
				     "tree" : 3,
				     "object" : { "x" : 1 },
				     "array" : [1],
				     "map" : { "k" : "v" },
				     "list" : [ "x", "y" ],
				     "time" : "1970-01-01T00:00:01Z"
			     }),
			     "", &tree, &view, &err),
			 0);
	assert_string_equal(view.str, "");
	assert_int_equal(view.number, 1);
	assert_false(view.flag);
	assert_int_equal(view.mode, 0);
	assert_int_equal(json_integer(view.tree, 0), 3);
	assert_ptr_equal(view.object, json_get(tree, "object"));
	assert_int_equal(json_len(view.array), 1);
	assert_string_equal(json_str(view.map, "k", ""), "v");
	assert_int_equal(json_len(view.list), 2);
	assert_int_equal(view.time, 1000);
}

static void test_errors(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ JSON({ "a" : { "str" : 5 } }), "spec.a.str: Invalid value: 5: expected a string" },
		{ JSON({ "a" : { "number" : "two" } }), "spec.a.number: Invalid value: \"two\": expected an integer" },
		{ JSON({ "a" : { "number" : 1.5 } }), "spec.a.number: Invalid value: 1.5: expected an integer" },
		{ JSON({ "a" : { "number" : 0 } }),
		  "spec.a.number: Invalid value: 0: must be greater than or equal to 1" },
		{ JSON({ "a" : { "number" : 101 } }),
		  "spec.a.number: Invalid value: 101: must be less than or equal to 100" },
		{ JSON({ "a" : { "number" : 9223372036854775808 } }),
		  "spec.a.number: Invalid value: 9223372036854775808: expected an integer" },
		{ JSON({ "flag" : "true" }), "spec.flag: Invalid value: \"true\": expected a boolean" },
		{ JSON({ "mode" : "Client" }),
		  "spec.mode: Unsupported value: \"Client\": supported values: \"cluster\", \"client\"" },
		{ JSON({ "mode" : 1 }), "spec.mode: Invalid value: 1: expected a string" },
		{ JSON({ "object" : [] }), "spec.object: Invalid value: []: expected an object" },
		{ JSON({ "array" : { "a" : 1 } }), "spec.array: Invalid value: {\"a\":1}: expected an array" },
		{ JSON({ "map" : "x" }), "spec.map: Invalid value: \"x\": expected an object of strings" },
		{ JSON({ "map" : { "a" : "", "b.c" : 1 } }), "spec.map[b.c]: Invalid value: 1: expected a string" },
		{ JSON({ "list" : {} }), "spec.list: Invalid value: {}: expected an array of strings" },
		{ JSON({ "list" : [ "a", null ] }), "spec.list[1]: Invalid value: null: expected a string" },
		{ JSON({ "time" : "yesterday" }),
		  "spec.time: Invalid value: \"yesterday\": expected an RFC 3339 time" },
		{ JSON({ "time" : 5 }), "spec.time: Invalid value: 5: expected an RFC 3339 time" },
		{ JSON({ "flag" : 1, "a" : { "str" : 2 }, "list" : 3 }),
		  "spec.a.str: Invalid value: 2: expected a string" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_json tree = NULL;
		struct err err = { 0 };
		struct view view;

		assert_int_equal(run(cases[i].text, "spec.", &tree, &view, &err), -ERR_INVALID);
		assert_int_equal(err.code, ERR_INVALID);
		assert_string_equal(err.msg, cases[i].want);
	}
}

/* The rows after a wrong one count, and a wrong one leaves its default. */
static void test_all_rows_are_tried(void **state)
{
	auto_json tree = NULL;
	struct err err = { 0 };
	struct view view;

	(void)state;
	run(JSON({ "a" : { "str" : [], "number" : "x" }, "mode" : "cluster", "list" : [1], "time" : true }), "", &tree,
	    &view, &err);
	assert_string_equal(err.msg, "a.str: Invalid value: []: expected a string");
	assert_null(view.str);
	assert_int_equal(view.number, 7);
	assert_int_equal(view.mode, 0);
	assert_null(view.list);
	assert_int_equal(view.time, -1);
}

static void test_long_values_are_cut(void **state)
{
	auto_json tree = NULL;
	struct err err = { 0 };
	struct view view;
	char text[2000];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "{\"flag\":\"", 9);
	memcpy(text + sizeof(text) - 3, "\"}", 3);
	assert_int_equal(run(text, "", &tree, &view, &err), -ERR_INVALID);
	assert_non_null(strstr(err.msg, "xxx...: expected a boolean"));
	assert_true(strlen(err.msg) < 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),	   cmocka_unit_test(test_values),
		cmocka_unit_test(test_integers),	   cmocka_unit_test(test_errors),
		cmocka_unit_test(test_all_rows_are_tried), cmocka_unit_test(test_long_values_are_cut),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
