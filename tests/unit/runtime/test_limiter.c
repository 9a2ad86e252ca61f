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
		limiter_wait(&l, &turns[i], LIMITER_NORMAL);
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
		limiter_wait(&l, &turns[i], LIMITER_NORMAL);
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
		limiter_wait(&l, &turns[i], LIMITER_NORMAL);
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

			limiter_wait(&l, &turn, LIMITER_NORMAL);
			delay = limiter_delay_ms(&l, now);
			assert_true(delay >= 0 && (double)delay <= 1000 / rates[i] + 1);
			now += delay;
			assert_non_null(limiter_next(&l, now));
			limiter_release(&l, &turn);
		}
	}
}

static void test_lanes(void **state)
{
	struct limiter l;
	struct limiter_turn low, normal[2], high[2];

	(void)state;
	limiter_init(&l, 1, 1, 16, NOW);
	limiter_wait(&l, &low, LIMITER_LOW);
	limiter_wait(&l, &normal[0], LIMITER_NORMAL);
	limiter_wait(&l, &normal[1], LIMITER_NORMAL);
	limiter_wait(&l, &high[0], LIMITER_HIGH);
	limiter_wait(&l, &high[1], LIMITER_HIGH);
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
	limiter_wait(&l, &a, LIMITER_NORMAL);
	limiter_wait(&l, &b, LIMITER_NORMAL);
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
		limiter_wait(&l, &normal[i], LIMITER_NORMAL);
	assert_ptr_equal(limiter_next(&l, NOW), &normal[0]);
	assert_ptr_equal(limiter_next(&l, NOW), &normal[1]);
	assert_null(limiter_next(&l, NOW));
	assert_int_equal(limiter_delay_ms(&l, NOW), -1); /* no bucket to wait for: a place has to become free */
	for (int i = 0; i < 3; i++)
		limiter_wait(&l, &high[i], LIMITER_HIGH);
	assert_ptr_equal(limiter_next(&l, NOW), &high[0]);
	assert_ptr_equal(limiter_next(&l, NOW), &high[1]);
	assert_null(limiter_next(&l, NOW));
	limiter_release(&l, &high[0]);
	assert_ptr_equal(limiter_next(&l, NOW), &high[2]);
	for (int i = 0; i < 2; i++) {
		limiter_release(&l, &high[1 + i]);
		assert_null(limiter_next(&l, NOW));
	}
	limiter_release(&l, &normal[0]);
	assert_ptr_equal(limiter_next(&l, NOW), &normal[2]);
	assert_int_equal(l.active, 2);
}

static void lists_have_a_queue_of_their_own(void **state)
{
	static const struct request requests[] = {
		{ .verb = VERB_LIST, .lane = LANE_HIGH }, { .verb = VERB_LIST, .lane = LANE_LOW },
		{ .verb = VERB_GET, .lane = LANE_HIGH },  { .verb = VERB_CREATE },
		{ .verb = VERB_PATCH, .lane = LANE_LOW },
	};
	static const enum limiter_queue queues[] = { LIMITER_LIST, LIMITER_LIST, LIMITER_HIGH, LIMITER_NORMAL,
						     LIMITER_LOW };

	(void)state;
	for (size_t i = 0; i < array_len(requests); i++)
		assert_int_equal(limiter_queue_of(&requests[i]), queues[i]);
}

/* Hundreds of lists, after a restart of the API server: writes find places, and go first. */
static void lists_do_not_starve_writes(void **state)
{
	struct limiter_turn lists[200], writes[20];
	struct limiter l;

	(void)state;
	limiter_init(&l, 0, 0, 16, NOW);
	for (size_t i = 0; i < array_len(lists); i++)
		limiter_wait(&l, &lists[i], LIMITER_LIST);
	for (int i = 0; i < LIMITER_LISTS; i++)
		assert_ptr_equal(limiter_next(&l, NOW), &lists[i]);
	assert_null(limiter_next(&l, NOW));
	assert_int_equal(limiter_delay_ms(&l, NOW), -1);
	for (size_t i = 0; i < array_len(writes); i++)
		limiter_wait(&l, &writes[i], LIMITER_NORMAL);
	for (int i = 0; i < 16 - LIMITER_LISTS; i++)
		assert_ptr_equal(limiter_next(&l, NOW), &writes[i]);
	assert_null(limiter_next(&l, NOW));
	limiter_release(&l, &writes[0]);
	assert_ptr_equal(limiter_next(&l, NOW), &writes[12]);
	limiter_release(&l, &lists[0]);
	assert_ptr_equal(limiter_next(&l, NOW), &lists[4]); /* its turn: more than four writes have gone */
	limiter_release(&l, &lists[1]);
	assert_ptr_equal(limiter_next(&l, NOW), &writes[13]);
	assert_int_equal(l.active, 16);
	assert_int_equal(l.active_lists, LIMITER_LISTS - 1);
}

/* A row of writes that does not end, slower or faster than the rate: one call in five is a list. */
static void writes_do_not_starve_lists(void **state)
{
	struct limiter_turn writes[100], lists[20], *next;
	unsigned listed = 0;
	struct limiter l;

	(void)state;
	for (int qps = 0; qps <= 1; qps++) {
		listed = 0;
		limiter_init(&l, qps, 1, 1, NOW);
		for (size_t i = 0; i < array_len(writes); i++)
			limiter_wait(&l, &writes[i], LIMITER_NORMAL);
		for (size_t i = 0; i < array_len(lists); i++)
			limiter_wait(&l, &lists[i], LIMITER_LIST);
		for (int i = 0; i < 50; i++) {
			next = limiter_next(&l, NOW + i * 1000);
			assert_non_null(next);
			listed += next->queue == LIMITER_LIST;
			limiter_release(&l, next);
		}
		assert_int_equal(listed, 10);
	}
}

/* Events come after both. */
static void events_come_after_lists(void **state)
{
	struct limiter_turn list, event;
	struct limiter l;

	(void)state;
	limiter_init(&l, 0, 0, 16, NOW);
	limiter_wait(&l, &event, LIMITER_LOW);
	limiter_wait(&l, &list, LIMITER_LIST);
	assert_ptr_equal(limiter_next(&l, NOW), &list);
	assert_ptr_equal(limiter_next(&l, NOW), &event);
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
		cmocka_unit_test(lists_have_a_queue_of_their_own),
		cmocka_unit_test(lists_do_not_starve_writes),
		cmocka_unit_test(writes_do_not_starve_lists),
		cmocka_unit_test(events_come_after_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
