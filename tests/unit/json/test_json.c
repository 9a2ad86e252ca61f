/* Reading and building trees: accessors on wrong types, replacement in place, taking, equality. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "json/json.h"
#include "parse.h"

static void expect(const struct json *v, const char *want)
{
	auto_free char *text = json_print(v);

	assert_string_equal(text, want);
}

static void test_nothing_and_wrong_types(void **state)
{
	auto_json v = parse("{\"s\":\"x\",\"n\":1.5,\"a\":[1],\"z\":null}");

	(void)state;
	assert_int_equal(json_type(NULL), 0);
	assert_false(json_is(NULL, JSON_NULL));
	assert_null(json_get(NULL, "a"));
	assert_null(json_get(json_get(v, "a"), "0"));
	assert_null(json_at(v, "s.x"));
	assert_null(json_at(v, "a.0"));
	assert_int_equal(json_len(NULL), 0);
	assert_int_equal(json_len(json_get(v, "s")), 0);
	assert_null(json_first(json_get(v, "s")));
	assert_null(json_next(NULL));
	assert_null(json_name(NULL));
	assert_string_equal(json_str(NULL, "a", "x"), "x");
	assert_string_equal(json_str(v, "n", "x"), "x");
	assert_null(json_text(json_get(v, "z"), NULL));
	assert_true(json_number(json_get(v, "s"), 3) == 3);
	assert_int_equal(json_i64(v, "n", 7), 7);
	assert_int_equal(json_i64(v, "s", 7), 7);
	assert_int_equal(json_integer(NULL, 7), 7);
	assert_true(json_bool(v, "n", true));
	assert_false(json_true(json_get(v, "n")));
	assert_null(json_find(v, "a", "b"));
	assert_null(json_find(NULL, "a", "b"));
	assert_false(json_remove(NULL, "a"));
	assert_null(json_take(json_get(v, "a"), "0"));
	assert_null(json_take_first(NULL));
	assert_null(json_take_first(json_get(v, "z")));
	assert_null(json_dup(NULL));
	json_free(NULL);
}

static void test_reading(void **state)
{
	auto_json v = parse("{\"spec\":{\"driver\":{\"cores\":2,\"Cores\":3,\"on\":true}},\"a.b\":\"dot\",\"\":0,"
			    "\"l\":[{\"name\":\"x\",\"v\":1},7,{\"name\":\"y\",\"v\":2}],\"big\":9007199254740992,"
			    "\"huge\":1e17,\"exact\":9223372036854775807}");

	(void)state;
	assert_int_equal(json_i64(v, "spec.driver.cores", 0), 2);
	assert_int_equal(json_i64(v, "spec.driver.Cores", 0), 3);
	assert_int_equal(json_i64(v, "spec.driver.CORES", -1), -1);
	assert_int_equal(json_i64(v, "spec.driver.core", -1), -1);
	assert_true(json_bool(v, "spec.driver.on", false));
	assert_null(json_at(v, "a.b"));
	assert_string_equal(json_text(json_get(v, "a.b"), ""), "dot");
	assert_int_equal(json_i64(v, "", 5), 0);
	assert_int_equal(json_i64(v, "big", 0), INT64_C(9007199254740992));
	assert_int_equal(json_i64(v, "huge", -1), -1);
	assert_int_equal(json_i64(v, "exact", -1), INT64_MAX);
	assert_int_equal(json_i64(json_find(json_get(v, "l"), "name", "y"), "v", 0), 2);
	assert_null(json_find(json_get(v, "l"), "name", "z"));
	assert_null(json_find(json_get(v, "l"), "name", NULL));
	assert_int_equal(json_len(v), 7);
	assert_string_equal(json_name(json_first(v)), "spec");
	assert_null(json_name(json_first(json_get(v, "l"))));
}

static void test_each(void **state)
{
	auto_json v = parse("[1,2,3]");
	int sum = 0;

	(void)state;
	json_each (child, v)
		sum += (int)json_number(child, 0);
	assert_int_equal(sum, 6);
}

/* Integers of any size come back as they went in. */
static void test_large_integers(void **state)
{
	static const int64_t values[] = { INT64_MIN,	    INT64_MIN + 1,    -9007199254740993, -9007199254740992,
					  9007199254740992, 9007199254740993, INT64_MAX };
	auto_json other = json_new_i64(0);

	(void)state;
	for (size_t i = 0; i < array_len(values); i++) {
		auto_json v = json_new_i64(values[i]);
		auto_json dup = json_dup(v);

		assert_int_equal(json_integer(dup, 0), values[i]);
		assert_true(json_equal(v, dup));
		assert_false(json_equal(v, other));
		json_free(other);
		other = json_dup(v);
	}
}

static void test_set_keeps_the_place(void **state)
{
	auto_json v = parse("{\"a\":1,\"b\":2,\"c\":3}");
	auto_json one = json_new_object();

	(void)state;
	json_set_str(v, "b", "two");
	json_set_i64(v, "a", -1);
	json_set(v, "c", json_new_null());
	json_set_bool(v, "d", true);
	json_setf(v, "e", "%s-%d", "x", 5);
	json_set_str(v, "f", NULL);
	json_set(v, "A", json_new_double(0.5));
	expect(v, "{\"a\":-1,\"b\":\"two\",\"c\":null,\"d\":true,\"e\":\"x-5\",\"A\":0.5}");
	json_set_i64(one, "only", 1);
	json_set_i64(one, "only", 2);
	json_set_i64(one, "next", 3);
	expect(one, "{\"only\":2,\"next\":3}");
}

static void test_ensure(void **state)
{
	auto_json v = parse("{\"o\":{\"x\":1},\"n\":null,\"s\":\"\"}");

	(void)state;
	assert_int_equal(json_i64(json_ensure_object(v, "o"), "x", 0), 1);
	json_set_i64(json_ensure_object(v, "n"), "y", 2);
	json_append_str(json_ensure_array(v, "s"), "z");
	json_append(json_ensure_array(v, "s"), json_new_array());
	json_ensure_object(v, "new");
	expect(v, "{\"o\":{\"x\":1},\"n\":{\"y\":2},\"s\":[\"z\",[]],\"new\":{}}");
}

static void test_remove_and_take(void **state)
{
	auto_json v = parse("{\"a\":1,\"b\":{\"x\":[]},\"c\":3}");
	auto_json taken = json_take(v, "b");
	auto_json list = json_new_array();

	(void)state;
	assert_null(json_name(taken));
	assert_null(json_take(v, "b"));
	assert_true(json_remove(v, "c"));
	assert_false(json_remove(v, "c"));
	expect(v, "{\"a\":1}");
	json_set(v, "moved", take_ptr(taken));
	json_append(list, json_take(v, "a"));
	assert_null(json_name(json_first(list)));
	expect(v, "{\"moved\":{\"x\":[]}}");
	expect(list, "[1]");
}

static void test_take_first(void **state)
{
	auto_json v = parse("{\"a\":1,\"b\":2}");
	auto_json list = parse("[1,2]");
	auto_json a = json_take_first(v);
	auto_json b = json_take_first(v);
	auto_json one = json_take_first(list);

	(void)state;
	assert_string_equal(json_name(a), "a");
	assert_string_equal(json_name(b), "b");
	assert_null(json_take_first(v));
	assert_int_equal(json_integer(one, 0), 1);
	json_append(list, json_new_i64(3)); /* the ends of the chain are right */
	json_append(list, take_ptr(a));
	expect(list, "[2,3,1]");
	assert_null(json_name(json_next(json_next(json_first(list)))));
}

static void test_dup(void **state)
{
	auto_json v = parse("{\"a\":{\"b\":[1,\"x\"]}}");
	auto_json copy = json_dup(json_get(v, "a"));

	(void)state;
	assert_null(json_name(copy));
	json_set_i64(json_get(v, "a"), "b", 0);
	expect(copy, "{\"b\":[1,\"x\"]}");
}

static void test_equal(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{ "{\"a\":1,\"b\":[1,2]}", "{\"b\":[1,2],\"a\":1}", true },
		{ "{\"a\":1}", "{\"A\":1}", false },
		{ "{\"a\":1}", "{\"a\":1,\"b\":2}", false },
		{ "{\"a\":1,\"b\":2}", "{\"a\":1}", false },
		{ "{\"a\":null}", "{}", false },
		{ "[1,2]", "[2,1]", false },
		{ "[1]", "[1,1]", false },
		{ "[1,1]", "[1]", false },
		{ "1", "1.0", true },
		{ "1", "true", false },
		{ "true", "false", false },
		{ "true", "true", true },
		{ "null", "null", true },
		{ "\"a\"", "\"a\"", true },
		{ "\"a\"", "\"b\"", false },
		{ "{}", "[]", false },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_json a = parse(cases[i].a);
		auto_json b = parse(cases[i].b);

		if (json_equal(a, b) != cases[i].equal || json_equal(b, a) != cases[i].equal)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
		assert_false(json_equal(a, NULL));
	}
	assert_true(json_equal(NULL, NULL));
}

/* Far more members than the linear search is for, in opposite order. */
static void test_large_objects(void **state)
{
	enum { MEMBERS = 300 };
	auto_json a = json_new_object();
	auto_json b = json_new_object();

	(void)state;
	for (int i = 0; i < MEMBERS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		json_set_i64(a, name, i);
		snprintf(name, sizeof(name), "%d", MEMBERS - 1 - i);
		json_set_i64(b, name, MEMBERS - 1 - i);
	}
	assert_true(json_equal(a, b));
	json_set_i64(b, "77", 0);
	assert_false(json_equal(a, b));
}

static void test_hash(void **state)
{
	static const char *const same[] = { "{\"a\":1,\"b\":[1,2]}", "{ \"b\": [1, 2], \"a\": 1.0 }" };
	static const char *const others[] = {
		"null",
		"true",
		"false",
		"0",
		"1",
		"\"\"",
		"\"1\"",
		"[]",
		"[1]",
		"[[1]]",
		"[1,2]",
		"[2,1]",
		"{}",
		"{\"a\":1}",
		"{\"a\":2}",
		"{\"b\":1}",
		"{\"a\":[]}",
		"{\"a\":{}}",
		"{\"a\":null}",
		"[{\"a\":1}]",
		"{\"a\":{\"b\":1}}",
		"{\"b\":{\"a\":1}}",
		"[12345678901234567890]",
		"[12345678901234567891]",
	};
	uint64_t hashes[array_len(others)];
	auto_json a = parse(same[0]);
	auto_json b = parse(same[1]);

	(void)state;
	assert_true(json_hash(a) == json_hash(b));
	for (size_t i = 0; i < array_len(others); i++) {
		auto_json v = parse(others[i]);

		hashes[i] = json_hash(v);
		for (size_t j = 0; j < i; j++)
			if (hashes[j] == hashes[i])
				fail_msg("%s and %s have one hash", others[j], others[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_and_wrong_types),
		cmocka_unit_test(test_reading),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_large_integers),
		cmocka_unit_test(test_set_keeps_the_place),
		cmocka_unit_test(test_ensure),
		cmocka_unit_test(test_remove_and_take),
		cmocka_unit_test(test_take_first),
		cmocka_unit_test(test_dup),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_large_objects),
		cmocka_unit_test(test_hash),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
