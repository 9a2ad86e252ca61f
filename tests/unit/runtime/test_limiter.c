/*
 * The limiter in virtual time: burst, refill, lanes, places.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "limiter.h"

enum { NOW = 1000000 };

static void test_no_bucket_lets_everybody_through(void **state)
{
	struct limiter l;
	struct limiter_turn turns[3];

	(void)state;
	limiter_init(&l, 0, 0, 16, NOW);
	for (int i = 0; i < 3; i++)
		limiter_wait(&l, &turns[i], LANE_NORMAL);
	assert_int_equal(l.waiting, 3);
	for (int i = 0; i < 3; i++)
		assert_ptr_equal(limiter_next(&l, NOW), &turns[i]);
	assert_null(limiter_next(&l, NOW));
	assert_int_equal(l.waiting, 0);
	assert_int_equal(l.active, 3);
	assert_int_equal(limiter_delay_ms(&l, NOW), -1);
}

static void test_burst_then_rate(void **state)
{
	struct limiter l;
	struct limiter_turn turns[6];

	(void)state;
	limiter_init(&l, 20, 3, 16, NOW);
	for (int i = 0; i < 6; i++)
		limiter_wait(&l, &turns[i], LANE_NORMAL);
	for (int i = 0; i < 3; i++)
		assert_ptr_equal(limiter_next(&l, NOW), &turns[i]);
	assert_null(limiter_next(&l, NOW));
	assert_int_equal(limiter_delay_ms(&l, NOW), 50);
	assert_null(limiter_next(&l, NOW + 49));
	assert_int_equal(limiter_delay_ms(&l, NOW + 49), 1);
	assert_ptr_equal(limiter_next(&l, NOW + 50), &turns[3]);
	assert_null(limiter_next(&l, NOW + 50));
	assert_ptr_equal(limiter_next(&l, NOW + 150), &turns[4]);
	assert_int_equal(limiter_delay_ms(&l, NOW + 150), 0);
	assert_ptr_equal(limiter_next(&l, NOW + 150), &turns[5]);
	assert_int_equal(limiter_delay_ms(&l, NOW + 150), -1);
}

static void test_bucket_fills_to_the_burst_only(void **state)
{
	struct limiter l;
	struct limiter_turn turns[4];

	(void)state;
	limiter_init(&l, 1000, 2, 16, NOW);
	for (int i = 0; i < 4; i++)
		limiter_wait(&l, &turns[i], LANE_NORMAL);
	assert_non_null(limiter_next(&l, NOW + 3600000));
	assert_non_null(limiter_next(&l, NOW + 3600000));
	assert_null(limiter_next(&l, NOW + 3600000));
	assert_null(limiter_next(&l, NOW));
	assert_int_equal(limiter_delay_ms(&l, NOW), 1);
}

/* The delay that is told must be enough, whatever the rate rounds to. */
static void test_delay_is_enough(void **state)
{
	static const double rates[] = { 0.3, 3, 7, 11.7, 333, 2999 };
	struct limiter l;
	struct limiter_turn turn;
	int64_t now = NOW;

	(void)state;
	for (size_t i = 0; i < array_len(rates); i++) {
		limiter_init(&l, rates[i], 0, 16, now);
		for (int n = 0; n < 50; n++) {
			int64_t delay;

			limiter_wait(&l, &turn, LANE_NORMAL);
			delay = limiter_delay_ms(&l, now);
			assert_true(delay >= 0 && (double)delay <= 1000 / rates[i] + 1);
			now += delay;
			assert_non_null(limiter_next(&l, now));
			limiter_release(&l);
		}
	}
}

static void test_lanes(void **state)
{
	struct limiter l;
	struct limiter_turn low, normal[2], high[2];

	(void)state;
	limiter_init(&l, 1, 1, 16, NOW);
	limiter_wait(&l, &low, LANE_LOW);
	limiter_wait(&l, &normal[0], LANE_NORMAL);
	limiter_wait(&l, &normal[1], LANE_NORMAL);
	limiter_wait(&l, &high[0], LANE_HIGH);
	limiter_wait(&l, &high[1], LANE_HIGH);
	assert_ptr_equal(limiter_next(&l, NOW), &high[0]);
	assert_null(limiter_next(&l, NOW));
	assert_ptr_equal(limiter_next(&l, NOW + 1000), &high[1]);
	assert_ptr_equal(limiter_next(&l, NOW + 2000), &normal[0]);
	assert_ptr_equal(limiter_next(&l, NOW + 3000), &normal[1]);
	assert_ptr_equal(limiter_next(&l, NOW + 4000), &low);
}

static void test_leaving_the_lane_costs_nothing(void **state)
{
	struct limiter l;
	struct limiter_turn a, b;

	(void)state;
	limiter_init(&l, 1, 1, 16, NOW);
	limiter_wait(&l, &a, LANE_NORMAL);
	limiter_wait(&l, &b, LANE_NORMAL);
	limiter_leave(&l, &a);
	assert_int_equal(l.waiting, 1);
	assert_ptr_equal(limiter_next(&l, NOW), &b);
	assert_int_equal(limiter_delay_ms(&l, NOW), -1);
}

static void test_places(void **state)
{
	struct limiter l;
	struct limiter_turn normal[3], high[3];

	(void)state;
	limiter_init(&l, 100, 100, 2, NOW);
	for (int i = 0; i < 3; i++)
		limiter_wait(&l, &normal[i], LANE_NORMAL);
	assert_ptr_equal(limiter_next(&l, NOW), &normal[0]);
	assert_ptr_equal(limiter_next(&l, NOW), &normal[1]);
	assert_null(limiter_next(&l, NOW));
	assert_int_equal(limiter_delay_ms(&l, NOW), -1); /* no bucket to wait for: a place has to become free */
	for (int i = 0; i < 3; i++)
		limiter_wait(&l, &high[i], LANE_HIGH);
	assert_ptr_equal(limiter_next(&l, NOW), &high[0]);
	assert_ptr_equal(limiter_next(&l, NOW), &high[1]);
	assert_null(limiter_next(&l, NOW));
	limiter_release(&l);
	assert_ptr_equal(limiter_next(&l, NOW), &high[2]);
	for (int i = 0; i < 2; i++) {
		limiter_release(&l);
		assert_null(limiter_next(&l, NOW));
	}
	limiter_release(&l);
	assert_ptr_equal(limiter_next(&l, NOW), &normal[2]);
	assert_int_equal(l.active, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_bucket_lets_everybody_through),
		cmocka_unit_test(test_burst_then_rate),
		cmocka_unit_test(test_bucket_fills_to_the_burst_only),
		cmocka_unit_test(test_delay_is_enough),
		cmocka_unit_test(test_lanes),
		cmocka_unit_test(test_leaving_the_lane_costs_nothing),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
