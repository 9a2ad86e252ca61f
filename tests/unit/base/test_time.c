/* Times as text both ways, chance and back-off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/time.h"

static void test_print(void **state)
{
	static const struct {
		int64_t ms;
		const char *seconds, *micro;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z" },
		{ 1767323045123, "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123000Z" },
		{ -1, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999000Z" },
		{ 951782400000, "2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000000Z" },
		{ INT64_MIN, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z" },
		{ INT64_MAX, "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999000Z" },
	};
	char out[TIME_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		assert_string_equal(time_rfc3339(cases[i].ms, out), cases[i].seconds);
		assert_string_equal(time_rfc3339_micro(cases[i].ms, out), cases[i].micro);
	}
}

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-01-02T03:04:05Z", 1767323045000 },
		{ "2026-01-02T03:04:05.1Z", 1767323045100 },
		{ "2026-01-02T03:04:05.123456789Z", 1767323045123 },
		{ "2026-01-02T03:04:05.0009Z", 1767323045000 },
		{ "2026-01-02T04:04:05+01:00", 1767323045000 },
		{ "2026-01-01T21:34:05.5-05:30", 1767323045500 },
		{ "2026-01-02T03:04:05+00:00", 1767323045000 },
		{ "1969-12-31T23:59:59.999Z", -1 },
		{ "0001-01-01T00:00:00Z", -62135596800000 },
		{ "9999-12-31T23:59:59Z", 253402300799000 },
		{ "2000-02-29T00:00:00Z", 951782400000 },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		int64_t got = 42;

		assert_true(time_parse(cases[i].text, &got));
		assert_int_equal(got, cases[i].want);
	}
}

static void test_parse_refuses(void **state)
{
	static const char *const cases[] = {
		NULL,
		"",
		"2026",
		"2026-01-02",
		"2026-01-02T03:04:05",
		"2026-01-02 03:04:05Z",
		"2026-01-02t03:04:05Z",
		"2026-01-02T03:04:05z",
		"2026-01-02T03:04:05Z ",
		" 2026-01-02T03:04:05Z",
		"2026-13-02T03:04:05Z",
		"2026-00-02T03:04:05Z",
		"2026-01-00T03:04:05Z",
		"2026-02-29T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2026-01-02T24:00:00Z",
		"2026-01-02T03:60:05Z",
		"2026-01-02T03:04:60Z",
		"2026-01-02T03:04:05.Z",
		"2026-01-02T03:04:05,5Z",
		"2026-01-02T03:04:05+0100",
		"2026-01-02T03:04:05+24:00",
		"2026-01-02T03:04:05+01:60",
		"2026-1-2T3:4:5Z",
		"+026-01-02T03:04:05Z",
		"2026-01-02T03:04:05Z+01:00",
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		int64_t got = 42;

		if (time_parse(cases[i], &got))
			fail_msg("%s was accepted", cases[i]);
		assert_int_equal(got, 42);
	}
}

static void test_round_trip(void **state)
{
	struct rng rng = { 7 };
	char out[TIME_TEXT_SIZE];

	(void)state;
	for (int i = 0; i < 2000; i++) {
		int64_t ms = rng_range(&rng, -62135596800000, 253402300800000), got;

		assert_true(time_parse(time_rfc3339_micro(ms, out), &got));
		assert_int_equal(got, ms);
	}
}

static void test_clocks(void **state)
{
	int64_t now = time_now_ms();

	(void)state;
	assert_true(now >= 0);
	assert_true(time_now_ms() >= now);
	assert_true(time_wall_ms() > 1700000000000);
}

static void test_rng(void **state)
{
	struct rng a = { 0 }, b = { 0 };
	bool seen[5] = { false };

	(void)state;
	assert_true(rng_next(&a) == 0xe220a8397b1dcdafu); /* splitmix64 with seed 0 */
	rng_next(&b);
	for (int i = 0; i < 200; i++) {
		int64_t n = rng_range(&a, -2, 3);

		assert_in_range(n + 2, 0, 4);
		assert_int_equal(n, rng_range(&b, -2, 3));
		seen[n + 2] = true;
	}
	for (size_t i = 0; i < array_len(seen); i++)
		assert_true(seen[i]);
	assert_int_equal(rng_range(&a, 5, 6), 5);
	rng_range(&a, INT64_MIN, INT64_MAX);
}

static void test_backoff(void **state)
{
	struct rng rng = { 3 };

	(void)state;
	for (unsigned tries = 0; tries < 100; tries++) {
		int64_t full = tries < 10 ? 5 << tries : 4000;
		int64_t delay = time_backoff_ms(5, 4000, tries, &rng);

		full = full > 4000 ? 4000 : full;
		assert_in_range(delay, full / 2, full);
	}
	assert_in_range(time_backoff_ms(1, INT64_MAX, UINT32_MAX, &rng), INT64_MAX / 2, INT64_MAX);
	assert_int_equal(time_backoff_ms(0, 1000, UINT32_MAX, &rng), 0);
	assert_int_equal(time_backoff_ms(10, 0, 3, &rng), 0);
	assert_in_range(time_backoff_ms(1, 1, 0, &rng), 0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_print),	   cmocka_unit_test(test_parse),  cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_clocks), cmocka_unit_test(test_rng),
		cmocka_unit_test(test_backoff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
