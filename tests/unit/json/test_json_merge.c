/* RFC 7396: the examples of its appendix, and that a diff applied gives what was wanted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/time.h"
#include "json/json.h"
#include "parse.h"

/* Appendix A, as far as target and patch are objects. */
static void test_apply(void **state)
{
	static const struct {
		const char *target, *patch, *want;
	} cases[] = {
		{ "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
		{ "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}" },
		{ "{\"a\":\"b\"}", "{\"a\":null}", "{}" },
		{ "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}" },
		{ "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
		{ "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}" },
		{ "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}" },
		{ "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}" },
		{ "{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}" },
		{ "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}" },
		{ "{\"a\":\"foo\"}", "{\"a\":{\"b\":1,\"c\":null}}", "{\"a\":{\"b\":1}}" },
		{ "{\"a\":1}", "[1]", "{\"a\":1}" },
		{ "{\"a\":1}", "{\"a\":{\"b\":9007199254740993}}", "{\"a\":{\"b\":9007199254740993}}" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_json target = parse(cases[i].target);
		auto_json patch = parse(cases[i].patch);
		auto_free char *text = NULL;

		json_merge_apply(target, patch);
		text = json_print(target);
		assert_string_equal(text, cases[i].want);
	}
}

static void test_diff(void **state)
{
	static const struct {
		const char *from, *to, *want;
	} cases[] = {
		{ "{\"a\":1}", "{\"a\":1}", NULL },
		{ "{\"a\":9007199254740993}", "{\"a\":9007199254740993}", NULL },
		{ "{\"a\":9007199254740992}", "{\"a\":9007199254740993}", "{\"a\":9007199254740993}" },
		{ "{\"a\":1e400}", "{\"a\":1e401}", "{\"a\":1e401}" },
		{ "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", NULL },
		{ "{\"a\":1}", "{\"a\":2}", "{\"a\":2}" },
		{ "{\"a\":1}", "{}", "{\"a\":null}" },
		{ "{}", "{\"a\":{}}", "{\"a\":{}}" },
		{ "{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"b\":1,\"c\":3}}", "{\"a\":{\"c\":3}}" },
		{ "{\"a\":{\"b\":1}}", "{\"a\":{}}", "{\"a\":{\"b\":null}}" },
		{ "{\"a\":[1,2]}", "{\"a\":[1]}", "{\"a\":[1]}" },
		{ "{\"a\":1}", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}" },
		{ "{\"a\":{\"b\":1}}", "{\"a\":[]}", "{\"a\":[]}" },
		{ "{\"a\":1}", "{\"a\":null}", "{\"a\":null}" },
		{ "{}", "{\"a\":null}", NULL },
		{ "{\"a\":null}", "{}", NULL },
		{ "{\"a\":null}", "{\"a\":1}", "{\"a\":1}" },
		{ "[1]", "{\"a\":1}", "{\"a\":1}" },
		{ "1", "1", NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_json from = parse(cases[i].from);
		auto_json to = parse(cases[i].to);
		auto_json patch = json_merge_diff(from, to);
		auto_free char *text = patch ? json_print(patch) : NULL;

		if (!text || !cases[i].want)
			assert_true(!text && !cases[i].want);
		else
			assert_string_equal(text, cases[i].want);
	}
}

static void test_diff_with_nothing(void **state)
{
	auto_json v = parse("{\"a\":1}");
	auto_json made = json_merge_diff(NULL, v);
	auto_json gone = json_merge_diff(v, NULL);

	(void)state;
	assert_true(json_equal(made, v));
	assert_true(json_is(gone, JSON_NULL));
	assert_null(json_merge_diff(NULL, NULL));
}

/* Random values without null, few names, so that two of them have much in common. */
static struct json *random_value(struct rng *rng, int depth)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	struct json *v;

	switch (rng_range(rng, depth > 0 ? 0 : 2, 5)) {
	case 0:
		v = json_new_object();
		for (size_t i = 0; i < array_len(names); i++)
			if (rng_next(rng) & 1)
				json_set(v, names[i], random_value(rng, depth - 1));
		return v;
	case 1:
		v = json_new_array();
		for (int64_t i = rng_range(rng, 0, 3); i > 0; i--)
			json_append(v, random_value(rng, depth - 1));
		return v;
	case 2:
		return json_new_bool(rng_next(rng) & 1);
	case 3:
		return json_new_i64(rng_range(rng, 0, 2));
	default:
		return json_new_string(names[rng_range(rng, 0, 2)]);
	}
}

static void test_diff_applied_gives_the_target(void **state)
{
	struct rng rng = { 11 };

	(void)state;
	for (int i = 0; i < 3000; i++) {
		auto_json from = json_new_object();
		auto_json to = json_new_object();
		auto_json patch = NULL;

		json_set(from, "a", random_value(&rng, 4));
		json_set(to, rng_next(&rng) & 3 ? "a" : "b", random_value(&rng, 4));
		patch = json_merge_diff(from, to);
		assert_int_equal(patch == NULL, json_equal(from, to));
		json_merge_apply(from, patch);
		assert_true(json_equal(from, to));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apply),
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_diff_with_nothing),
		cmocka_unit_test(test_diff_applied_gives_the_target),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
