/* The map: order, ownership of values, removal while iterating, and a long random run against a plain model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"

static int freed;

static void count_free(void *value)
{
	freed++;
	free(value);
}

static int *boxed(int n)
{
	int *p = xmalloc(sizeof(*p));

	*p = n;
	return p;
}

static void test_ownership(void **state)
{
	struct map *m = map_new(count_free);
	int *taken;

	(void)state;
	freed = 0;
	assert_null(map_get(m, "a"));
	assert_false(map_remove(m, "a"));
	assert_null(map_take(m, "a"));
	assert_true(map_set(m, "a", boxed(1)));
	assert_false(map_set(m, "a", boxed(2)));
	assert_int_equal(freed, 1);
	assert_false(map_set(m, "a", map_get(m, "a")));
	assert_int_equal(freed, 1);
	assert_int_equal(*(int *)map_get(m, "a"), 2);
	map_set(m, "", boxed(3));
	map_set(m, "c", boxed(4));
	assert_int_equal(map_len(m), 3);
	assert_true(map_remove(m, "a"));
	assert_int_equal(freed, 2);
	taken = map_take(m, "");
	assert_int_equal(*taken, 3);
	free(taken);
	assert_int_equal(map_len(m), 1);
	map_free(m);
	assert_int_equal(freed, 3);
	map_free(NULL);
}

static void test_order_of_insertion(void **state)
{
	auto_map m = map_new(NULL);
	struct map_iter it = { 0 };
	char key[16];
	int n = 0;

	(void)state;
	assert_false(map_next(m, &it));
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		map_set(m, key, m);
	}
	for (int i = 0; i < 1000; i += 2) {
		snprintf(key, sizeof(key), "%d", i);
		map_remove(m, key);
	}
	map_set(m, "1", m); /* keeps its place */
	map_set(m, "0", m); /* comes back at the end */
	it = (struct map_iter){ 0 };
	for (int i = 1; i < 1000; i += 2, n++) {
		assert_true(map_next(m, &it));
		snprintf(key, sizeof(key), "%d", i);
		assert_string_equal(it.key, key);
	}
	assert_true(map_next(m, &it));
	assert_string_equal(it.key, "0");
	assert_false(map_next(m, &it));
}

static void test_removal_while_iterating(void **state)
{
	auto_map m = map_new(free);
	struct map_iter it = { 0 };
	char key[16];
	int seen = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "%d", i);
		map_set(m, key, boxed(i));
	}
	while (map_next(m, &it)) {
		assert_int_equal(*(int *)it.value, seen++);
		if (seen % 3)
			map_remove(m, it.key);
	}
	assert_int_equal(seen, 100);
	assert_int_equal(map_len(m), 33);
}

/* Few keys, set and removed often: holes must be found and reused. */
static void test_against_model(void **state)
{
	enum { KEYS = 50 };
	auto_map m = map_new(free);
	int model[KEYS];
	struct rng rng = { 1 };
	size_t len = 0;

	(void)state;
	memset(model, -1, sizeof(model));
	for (int step = 0; step < 20000; step++) {
		int k = (int)rng_range(&rng, 0, KEYS);
		char key[16];
		int *value;

		snprintf(key, sizeof(key), "key-%d", k);
		if (rng_next(&rng) & 1) {
			assert_int_equal(map_set(m, key, boxed(step)), model[k] < 0);
			len += model[k] < 0;
			model[k] = step;
		} else {
			assert_int_equal(map_remove(m, key), model[k] >= 0);
			len -= model[k] >= 0;
			model[k] = -1;
		}
		assert_int_equal(map_len(m), len);
		k = (int)rng_range(&rng, 0, KEYS);
		snprintf(key, sizeof(key), "key-%d", k);
		value = map_get(m, key);
		assert_int_equal(value ? *value : -1, model[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ownership),
		cmocka_unit_test(test_order_of_insertion),
		cmocka_unit_test(test_removal_while_iterating),
		cmocka_unit_test(test_against_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
