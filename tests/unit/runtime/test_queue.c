/*
 * The work queue: order, fairness, back-off, and that no key is ever worked on twice at the same time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "runtime/queue.h"

static struct rng rng;

static struct queue *make(struct queue_options options)
{
	rng.state = 7;
	return queue_new(&options, &rng);
}

static void assert_take(struct queue *q, int64_t now_ms, const char *key)
{
	const char *taken = queue_take(q, now_ms);

	assert_non_null(taken);
	assert_string_equal(taken, key);
}

static void empty(void **state)
{
	struct queue *q = make((struct queue_options){ 0 });

	(void)state;
	assert_null(queue_take(q, 1000));
	assert_int_equal(queue_next(q), -1);
	assert_int_equal(queue_len(q), 0);
	assert_int_equal(queue_tries(q, "a/b"), 0);
	queue_forget(q, "a/b");
	queue_free(q);
	queue_free(NULL);
}

static void first_come_first_served(void **state)
{
	struct queue *q = make((struct queue_options){ 0 });

	(void)state;
	queue_add(q, "a/1", 10, 0);
	queue_add(q, "a/2", 10, 0);
	queue_add(q, "a/1", 11, 0);
	queue_add(q, "a/3", 11, 0);
	assert_int_equal(queue_len(q), 3);
	assert_int_equal(queue_next(q), 10);
	assert_take(q, 20, "a/1");
	assert_int_equal(queue_due(q, "a/1"), 10);
	assert_int_equal(queue_next(q), 0);
	assert_take(q, 20, "a/2");
	assert_take(q, 20, "a/3");
	assert_null(queue_take(q, 20));
	assert_int_equal(queue_busy(q), 3);
	queue_finish(q, "a/2", 20);
	assert_int_equal(queue_busy(q), 2);
	queue_free(q);
}

static void earlier_time_counts(void **state)
{
	struct queue *q = make((struct queue_options){ 0 });

	(void)state;
	queue_add(q, "a/1", 0, 500);
	queue_add(q, "a/2", 0, 100);
	queue_add(q, "a/3", 0, 300);
	queue_add(q, "a/1", 0, 50);
	queue_add(q, "a/2", 0, 700);
	assert_int_equal(queue_next(q), 50);
	assert_null(queue_take(q, 49));
	assert_take(q, 50, "a/1");
	assert_int_equal(queue_next(q), 100);
	assert_take(q, 1000, "a/2");
	assert_take(q, 1000, "a/3");
	assert_null(queue_take(q, 2000));
	queue_free(q);
}

static void added_while_busy_runs_once_more(void **state)
{
	struct queue *q = make((struct queue_options){ 0 });

	(void)state;
	queue_add(q, "a/1", 0, 0);
	assert_take(q, 0, "a/1");
	queue_add(q, "a/1", 1, 500);
	queue_add(q, "a/1", 1, 0);
	queue_add(q, "a/1", 1, 900);
	assert_int_equal(queue_len(q), 0);
	assert_null(queue_take(q, 2000));
	queue_finish(q, "a/1", 5);
	assert_int_equal(queue_next(q), 5);
	assert_take(q, 5, "a/1");
	queue_finish(q, "a/1", 6);
	assert_null(queue_take(q, 5000));
	assert_int_equal(queue_next(q), -1);
	queue_free(q);
}

static void delay_given_while_busy_is_kept(void **state)
{
	struct queue *q = make((struct queue_options){ 0 });

	(void)state;
	queue_add(q, "a/1", 0, 0);
	assert_take(q, 0, "a/1");
	queue_add(q, "a/1", 0, 500);
	queue_finish(q, "a/1", 100);
	assert_int_equal(queue_next(q), 500);
	queue_free(q);
}

static void namespaces_take_turns(void **state)
{
	struct queue *q = make((struct queue_options){ 0 });

	(void)state;
	for (int i = 1; i <= 3; i++) {
		auto_free char *key = xasprintf("big/%d", i);

		queue_add(q, key, 0, 0);
	}
	queue_add(q, "small/1", 0, 0);
	queue_add(q, "node", 0, 0); /* not namespaced */
	assert_take(q, 0, "big/1");
	assert_take(q, 0, "small/1");
	assert_take(q, 0, "node");
	assert_take(q, 0, "big/2");
	queue_add(q, "small/2", 0, 0); /* served before big */
	assert_take(q, 0, "small/2");
	assert_take(q, 0, "big/3");
	queue_free(q);
}

/* A namespace that is emptied and filled again all the time does not get more than its turn. */
static void coming_back_is_not_being_new(void **state)
{
	struct queue *q = make((struct queue_options){ 0 });
	unsigned served = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		auto_free char *key = xasprintf("slow/%d", i);

		queue_add(q, key, 0, 0);
	}
	for (int i = 0; i < 40; i++) {
		const char *key;

		queue_add(q, "eager/1", i, 0);
		key = queue_take(q, i);
		served += strncmp(key, "slow/", 5) == 0;
		queue_finish(q, key, i);
	}
	assert_in_range(served, 19, 21);
	queue_free(q);
}

/* Namespaces that nobody has seen before do not push the waiting ones back for good. */
static void new_namespaces_do_not_starve_others(void **state)
{
	struct queue *q = make((struct queue_options){ 0 });
	bool served = false;

	(void)state;
	queue_add(q, "first/1", 0, 0);
	for (int i = 0; i < 5 && !served; i++) {
		auto_free char *key = xasprintf("new-%d/1", i);
		const char *taken;

		queue_add(q, key, i, 0);
		taken = queue_take(q, i);
		served = strcmp(taken, "first/1") == 0;
		queue_finish(q, taken, i);
	}
	assert_true(served);
	queue_free(q);
}

static int64_t retry_delay(struct queue *q, const char *key, int64_t now_ms, int64_t at_least_ms, int64_t at_most_ms)
{
	int64_t due_ms;

	queue_retry(q, key, now_ms, at_least_ms, at_most_ms);
	due_ms = queue_next(q);
	assert_take(q, due_ms, key);
	queue_finish(q, key, due_ms);
	return due_ms - now_ms;
}

static void back_off_grows_to_the_cap(void **state)
{
	struct queue *q = make((struct queue_options){ .retry_base_ms = 100, .retry_max_ms = 1000 });
	int64_t want_ms = 100;

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(queue_tries(q, "a/1"), i);
		assert_in_range(retry_delay(q, "a/1", 1000000 * (i + 1), 0, 0), want_ms / 2, want_ms);
		want_ms = want_ms < 500 ? want_ms * 2 : 1000;
	}
	queue_forget(q, "a/1");
	assert_int_equal(queue_tries(q, "a/1"), 0);
	assert_in_range(retry_delay(q, "a/1", 100000000, 0, 0), 50, 100);
	queue_free(q);
}

static void retry_bounds(void **state)
{
	struct queue *q = make((struct queue_options){ 0 });

	(void)state;
	assert_in_range(retry_delay(q, "a/1", 0, 7000, 0), 7000, 7000);
	for (int i = 0; i < 30; i++)
		retry_delay(q, "a/1", 1000000 * (i + 1), 0, 0);
	assert_in_range(retry_delay(q, "a/1", 100000000, 0, 30000), 15000, 30000);
	assert_in_range(retry_delay(q, "a/1", 200000000, 0, 0), 150000, 300000);
	assert_in_range(retry_delay(q, "a/1", 300000000, 0, 900000), 150000, 300000);
	queue_free(q);
}

/* 10 retries at once, 5 a second after that; plain additions do not wait. */
static void retries_share_a_rate(void **state)
{
	struct queue *q = make((struct queue_options){ .retry_base_ms = 2, .retry_qps = 5, .retry_burst = 10 });
	unsigned early = 0, second = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		auto_free char *key = xasprintf("a/%d", i);

		queue_retry(q, key, 0, 0, 0);
	}
	queue_add(q, "a/plain", 0, 0);
	assert_take(q, 0, "a/plain");
	while (queue_take(q, 100))
		early++;
	while (queue_take(q, 1000))
		second++;
	assert_int_equal(early, 10);
	assert_int_equal(second, 5);
	assert_int_equal(queue_next(q), 1200);
	queue_free(q);
}

/* The retries among 20 at that time that need not wait. All keys are forgotten afterwards. */
static unsigned retries_at_once(struct queue *q, int64_t now_ms)
{
	unsigned count = 0;
	const char *key;

	for (int i = 0; i < 20; i++) {
		auto_free char *name = xasprintf("a/%d", i);

		queue_retry(q, name, now_ms, 0, 0);
	}
	for (int64_t ms = 100; ms <= 60000; ms += 59900)
		while ((key = queue_take(q, now_ms + ms))) {
			count += ms == 100;
			queue_forget(q, key);
			queue_finish(q, key, now_ms + ms);
		}
	assert_int_equal(queue_len(q) + queue_busy(q), 0);
	return count;
}

/* However long nothing failed: no more than a burst is saved up. */
static void idleness_saves_up_no_retries(void **state)
{
	static const int64_t hour_ms = 3600000;
	struct queue *q = make((struct queue_options){ .retry_base_ms = 2, .retry_qps = 5, .retry_burst = 10 });

	(void)state;
	for (int64_t hour = 1; hour < 4; hour++)
		assert_int_equal(retries_at_once(q, hour * hour_ms), 10);
	queue_free(q);
}

static void forgetting_keeps_what_waits(void **state)
{
	struct queue *q = make((struct queue_options){ 0 });

	(void)state;
	queue_retry(q, "a/1", 0, 0, 0);
	queue_forget(q, "a/1");
	assert_int_equal(queue_tries(q, "a/1"), 0);
	assert_int_equal(queue_len(q), 1);
	assert_take(q, 100, "a/1");
	queue_forget(q, "a/1");
	queue_finish(q, "a/1", 100);
	assert_int_equal(queue_len(q) + queue_busy(q), 0);
	queue_free(q);
}

static void patient_keys_come_last(void **state)
{
	struct queue *q = make((struct queue_options){ 0 });

	(void)state;
	queue_add_patient(q, "a/p1", 0, 0);
	queue_add_patient(q, "a/p2", 1, 0);
	queue_add(q, "a/u1", 2, 0);
	queue_add(q, "a/u2", 3, 0);
	assert_int_equal(queue_len(q), 4);
	assert_int_equal(queue_next(q), 0);
	assert_take(q, 10, "a/u1");
	queue_add(q, "a/u3", 11, 0);
	assert_take(q, 11, "a/u2");
	assert_take(q, 11, "a/u3");
	assert_int_equal(queue_next(q), 0);
	assert_take(q, 11, "a/p1");
	assert_int_equal(queue_due(q, "a/p1"), 0);
	assert_take(q, 11, "a/p2");
	assert_null(queue_take(q, 20000));
	queue_free(q);
}

/* However much comes in, a patient key waits for its patience and not longer. */
static void patience_ends(void **state)
{
	struct queue *q = make((struct queue_options){ .patience_ms = 1000 });
	int64_t taken_ms = -1;

	(void)state;
	queue_add_patient(q, "a/late", 0, 5);
	queue_add_patient(q, "a/later", 0, 305);
	for (int64_t now_ms = 0; now_ms < 2000 && taken_ms < 0; now_ms += 10) {
		auto_free char *key = xasprintf("a/%d", (int)now_ms);
		const char *taken;

		queue_add(q, key, now_ms, 0);
		queue_add_patient(q, "a/late", now_ms, 5);
		taken = queue_take(q, now_ms);
		taken_ms = strcmp(taken, "a/late") == 0 ? now_ms : -1;
		queue_finish(q, taken, now_ms);
	}
	assert_int_equal(taken_ms, 1010);
	assert_take(q, 1304, "a/1010");
	assert_take(q, 1305, "a/later");
	queue_free(q);
}

static void patience_is_within_a_namespace(void **state)
{
	struct queue *q = make((struct queue_options){ 0 });

	(void)state;
	queue_add(q, "a/1", 0, 0);
	queue_add(q, "a/2", 0, 0);
	queue_add_patient(q, "b/1", 0, 0);
	queue_add_patient(q, "b/2", 0, 0);
	assert_take(q, 0, "a/1");
	assert_take(q, 0, "b/1");
	assert_take(q, 0, "a/2");
	assert_take(q, 0, "b/2");
	queue_free(q);
}

static void the_more_urgent_counts(void **state)
{
	struct queue *q = make((struct queue_options){ .patience_ms = 1000 });

	(void)state;
	queue_add_patient(q, "a/ready", 0, 0);
	queue_add_patient(q, "a/waits", 0, 0);
	queue_add(q, "a/1", 0, 0);
	assert_take(q, 0, "a/1");
	queue_add(q, "a/2", 1, 0);
	queue_add(q, "a/ready", 1, 0); /* behind a/2 */
	queue_add_patient(q, "a/2", 1, 0);
	queue_add(q, "a/waits", 1, 500); /* urgent then */
	assert_take(q, 2, "a/2");
	assert_take(q, 2, "a/ready");
	queue_add(q, "a/3", 2, 0);
	assert_take(q, 400, "a/3");
	queue_add(q, "a/4", 501, 0);
	assert_take(q, 501, "a/waits");
	assert_take(q, 501, "a/4");
	/* not due yet */
	queue_add(q, "a/delayed", 600, 5000);
	queue_add_patient(q, "a/delayed", 600, 100);
	assert_int_equal(queue_next(q), 700);
	queue_add(q, "a/5", 700, 0);
	assert_take(q, 700, "a/5");
	assert_take(q, 700, "a/delayed");
	/* while it is worked on */
	queue_add_patient(q, "a/delayed", 700, 0);
	queue_add(q, "a/5", 700, 0);
	queue_finish(q, "a/delayed", 800);
	queue_finish(q, "a/5", 800);
	assert_take(q, 800, "a/5");
	queue_add(q, "a/delayed", 800, 0);
	queue_add(q, "a/6", 800, 0);
	assert_take(q, 800, "a/delayed");
	assert_take(q, 800, "a/6");
	queue_free(q);
}

enum { KEYS = 60 };

/* Random operations against a model: per key the due time, whether it is busy, and whether it was added meanwhile. */
static void against_a_model(void **state)
{
	struct queue *q = make((struct queue_options){ 0 });
	int64_t due[KEYS], again[KEYS];
	bool busy[KEYS] = { false };
	struct rng dice = { 99 };
	int64_t now_ms = 0;

	(void)state;
	for (int i = 0; i < KEYS; i++)
		due[i] = again[i] = -1;
	for (int n = 0; n < 20000; n++) {
		int i = (int)rng_range(&dice, 0, KEYS);
		auto_free char *key = xasprintf("ns-%d/%d", i % 7, i);
		int64_t delay_ms = rng_range(&dice, 0, 50), at_ms = now_ms + delay_ms;
		const char *taken;

		switch (rng_range(&dice, 0, 4)) {
		case 0:
			if (rng_range(&dice, 0, 2))
				queue_add(q, key, now_ms, delay_ms);
			else
				queue_add_patient(q, key, now_ms, delay_ms);
			if (busy[i])
				again[i] = again[i] < 0 || at_ms < again[i] ? at_ms : again[i];
			else
				due[i] = due[i] < 0 || at_ms < due[i] ? at_ms : due[i];
			break;
		case 1:
			if (!busy[i])
				break;
			queue_finish(q, key, now_ms);
			busy[i] = false;
			due[i] = again[i] >= 0 && again[i] < now_ms ? now_ms : again[i];
			again[i] = -1;
			break;
		case 2:
			taken = queue_take(q, now_ms);
			if (taken) {
				int64_t index = -1;

				assert_true(text_i64(strchr(taken, '/') + 1, &index));
				assert_false(busy[index]);
				assert_in_range(due[index], 0, now_ms);
				busy[index] = true;
				due[index] = -1;
			} else {
				for (int k = 0; k < KEYS; k++)
					assert_true(due[k] < 0 || due[k] > now_ms);
			}
			break;
		default:
			now_ms += rng_range(&dice, 0, 5);
		}
	}
	queue_free(q);
}

static void what_waits_and_since_when(void **state)
{
	struct queue *q = make((struct queue_options){ 0 });
	int64_t since_ms = 0;

	(void)state;
	assert_int_equal(queue_waiting(q, 50, &since_ms), 0);
	assert_int_equal(since_ms, 50);
	queue_add(q, "a/1", 100, 30);
	queue_add(q, "a/2", 100, 10);
	queue_add(q, "a/3", 100, 500);
	assert_int_equal(queue_waiting(q, 109, &since_ms), 0);
	assert_int_equal(queue_waiting(q, 200, &since_ms), 2);
	assert_int_equal(since_ms, 110);
	assert_take(q, 200, "a/2");
	assert_int_equal(queue_waiting(q, 200, &since_ms), 1);
	assert_int_equal(since_ms, 130);
	assert_int_equal(queue_len(q), 2);
	queue_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(first_come_first_served),
		cmocka_unit_test(earlier_time_counts),
		cmocka_unit_test(added_while_busy_runs_once_more),
		cmocka_unit_test(delay_given_while_busy_is_kept),
		cmocka_unit_test(namespaces_take_turns),
		cmocka_unit_test(coming_back_is_not_being_new),
		cmocka_unit_test(new_namespaces_do_not_starve_others),
		cmocka_unit_test(back_off_grows_to_the_cap),
		cmocka_unit_test(retry_bounds),
		cmocka_unit_test(retries_share_a_rate),
		cmocka_unit_test(idleness_saves_up_no_retries),
		cmocka_unit_test(forgetting_keeps_what_waits),
		cmocka_unit_test(patient_keys_come_last),
		cmocka_unit_test(patience_ends),
		cmocka_unit_test(patience_is_within_a_namespace),
		cmocka_unit_test(the_more_urgent_counts),
		cmocka_unit_test(what_waits_and_since_when),
		cmocka_unit_test(against_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
