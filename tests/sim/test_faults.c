/*
 * Every fault at every point, enumerated: the end must equal the undisturbed run's.
 *
 * A plot is played once to learn its K writes and its end; then again for each write k and each fault.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/text.h"
#include "sim_cluster.h"
#include "json_text.h"

static const enum sim_plot plots[] = { SIM_SUCCEED, SIM_FAIL, SIM_EXPIRE };

struct reference {
	char *end;
	unsigned writes;
};

static void play(enum sim_plot plot, struct reference *ret)
{
	struct sim s;

	sim_init(&s, plot);
	sim_run(&s);
	sim_check_writes(&s);
	ret->end = sim_end(&s);
	ret->writes = fake_kube_write_count(s.kube);
	sim_done(&s);
}

static struct json *parse_end(const char *text)
{
	struct err err = { 0 };
	struct json *end = json_parse(text, strlen(text), &err);

	assert_non_null(end);
	return end;
}

/* Who was blind for a while cannot know of executors that came and went meanwhile, nor that the driver was running. */
static void forget_passing_things(struct json *end)
{
	struct json *status = json_get(json_get(end, "sparkapplications/pi"), "status");

	json_remove(status, "executorState");
	json_remove(status, "conditions");
}

enum sight { SEES_ALL = 0, BLIND_FOR_A_WHILE };

static void expect_end(struct sim *s, const struct reference *reference, enum sight sight, const char *what, unsigned k)
{
	auto_free char *end = sim_end(s);
	auto_json want = parse_end(reference->end);
	auto_json got = parse_end(end);
	auto_json diff = NULL;
	auto_free char *text = NULL;

	if (sight == BLIND_FOR_A_WHILE) {
		forget_passing_things(want);
		forget_passing_things(got);
	}
	diff = json_merge_diff(want, got);
	text = diff ? json_print_pretty(diff) : NULL;
	if (diff)
		fail_msg("plot %d, %s at %u: another end: %s", s->plot, what, k, text);
	sim_check_writes(s);
}

static void undisturbed_run_is_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(plots); i++) {
		struct sim s;
		const struct json *app;

		sim_init(&s, plots[i]);
		sim_run(&s);
		sim_check_writes(&s);
		app = fake_kube_get(s.kube, &resource_sparkapplication, "default", "pi");
		if (plots[i] == SIM_EXPIRE) {
			assert_null(app);
			assert_int_equal(fake_kube_count(s.kube, &resource_pod),
					 0); /* the owner is gone, so are they */
		} else {
			assert_string_equal(json_str(app, "status.applicationState.state", ""),
					    plots[i] == SIM_FAIL ? "FAILED" : "COMPLETED");
			assert_int_equal(json_len(json_at(app, "status.executorState")), 2);
			assert_string_equal(json_str(app, "status.driverInfo.webUIAddress", ""), "10.96.0.7:4040");
		}
		assert_int_equal(map_len(s.driver_uids), 1);
		assert_in_range(fake_kube_write_count(s.kube), 5, 15);
		sim_done(&s);
	}
}

static void count_writes(const struct sim *s, unsigned *ret_status, unsigned *ret_events)
{
	size_t len = 0, pos = 0;
	const struct fake_write *writes = fake_kube_writes(s->kube, &len);
	const struct json *event;

	*ret_status = *ret_events = 0;
	for (size_t i = 0; i < len; i++)
		*ret_status += writes[i].number && text_eq(writes[i].subresource, "status");
	while ((event = fake_kube_next(s->kube, &resource_event, &pos)))
		*ret_events += text_eq(json_str(event, "reason", ""), "SparkUIServiceFailed");
}

/* What is known of the UI Service joins a write that is due anyway. One that cannot be created, because somebody else's
 * object has its name, changes nothing but that: it is told once. */
static void ui_service_changes_nothing_else(void **state)
{
	static const char stranger[] = JSON({ "metadata" : { "namespace" : "default", "name" : "pi-ui-svc" } });
	unsigned status[2], events[2];
	int64_t done_ms[2];

	(void)state;
	for (int taken = 0; taken < 2; taken++) {
		const struct json *app;
		struct err err = { 0 };
		struct sim s;

		sim_init(&s, SIM_SUCCEED);
		if (taken)
			fake_kube_put(s.kube, &resource_service, json_parse(stranger, strlen(stranger), &err));
		sim_run(&s);
		done_ms[taken] = s.sched.now_ms;
		count_writes(&s, &status[taken], &events[taken]);
		app = fake_kube_get(s.kube, &resource_sparkapplication, "default", "pi");
		assert_string_equal(json_str(app, "status.applicationState.state", ""), "COMPLETED");
		assert_int_equal(!json_at(app, "status.driverInfo.webUIServiceName"), taken);
		assert_int_equal(map_len(s.driver_uids), 1);
		sim_done(&s);
	}
	assert_int_equal(status[0], status[1]);
	assert_int_equal(events[0], 0);
	assert_int_equal(events[1], 1);
	assert_true(done_ms[1] <= done_ms[0]);
}

/* Plays every plot with the fault at each write, and one beyond the last. */
static void each_write(const char *what, sim_fault_fn *set_fault, const void *arg, enum sight sight)
{
	for (size_t i = 0; i < array_len(plots); i++) {
		struct reference reference;

		play(plots[i], &reference);
		for (unsigned k = 1; k <= reference.writes + 1; k++) {
			struct sim s;

			sim_init(&s, plots[i]);
			set_fault(&s, k, arg);
			sim_run(&s);
			expect_end(&s, &reference, sight, what, k);
			sim_done(&s);
		}
		free(reference.end);
	}
}

static void crash_after_every_write(void **state)
{
	(void)state;
	each_write("crash", sim_fault_crash, NULL, SEES_ALL);
}

static void reply_lost_at_every_write(void **state)
{
	static const enum fake_fault fault = FAKE_LOSE_REPLY;

	(void)state;
	each_write("lost reply", sim_fault_call, &fault, SEES_ALL);
}

static void call_lost_at_every_write(void **state)
{
	static const enum fake_fault fault = FAKE_LOSE_CALL;

	(void)state;
	each_write("lost call", sim_fault_call, &fault, SEES_ALL);
}

/* An application is not followed before its Service is there, which an API server that asks for patience puts off. */
static void every_write_refused_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIM_REFUSALS; i++) {
		const struct fake_refusal *refusal = &sim_refusals[i];
		auto_free char *what = xasprintf("refusal with %d", refusal->status);

		each_write(what, sim_fault_refusal, refusal, refusal->retry_after_s > 0 ? BLIND_FOR_A_WHILE : SEES_ALL);
	}
}

static void cut_cleanly(void *arg)
{
	struct sim *s = arg;

	fake_kube_cut_watches(s->kube, false);
}

static void compact_and_break(void *arg)
{
	struct sim *s = arg;

	fake_kube_compact(s->kube);
	fake_kube_cut_watches(s->kube, true);
}

static void expire_as_event(void *arg)
{
	struct sim *s = arg;

	fake_kube_expire(s->kube, true);
}

static void watch_cut_at_every_event(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(plots); i++) {
		struct reference reference;

		play(plots[i], &reference);
		for (unsigned n = 1; n <= 40; n++) {
			struct sim s;

			sim_init(&s, plots[i]);
			fake_kube_cut_at_event(s.kube, n);
			sim_run(&s);
			expect_end(&s, &reference, SEES_ALL, "cut at event", n);
			sim_done(&s);
		}
		free(reference.end);
	}
}

/* The watches are disturbed at instants all over the application's life. */
static void watch_disturbed_at_every_time(void **state)
{
	static sched_fn *const disturbances[] = { cut_cleanly, compact_and_break, expire_as_event };

	(void)state;
	for (size_t i = 0; i < array_len(plots); i++) {
		struct reference reference;

		play(plots[i], &reference);
		for (size_t d = 0; d < array_len(disturbances); d++) {
			for (int64_t at_ms = 1; at_ms < 6000; at_ms += 97) {
				struct sched_timer timer;
				struct sim s;

				sim_init(&s, plots[i]);
				sched_timer_init(&timer, disturbances[d], &s);
				sched_arm(&s.sched, &timer, at_ms);
				sim_run(&s);
				expect_end(&s, &reference, SEES_ALL, "disturbance of the watch", (unsigned)at_ms);
				sim_done(&s);
			}
		}
		free(reference.end);
	}
}

static void api_server_down_at_every_time(void **state)
{
	(void)state;
	for (int64_t at_ms = 1; at_ms < 6000; at_ms += 211) {
		struct reference reference;
		struct sim s;

		play(SIM_SUCCEED, &reference);
		sim_init(&s, SIM_SUCCEED);
		while (s.sched.now_ms < at_ms)
			sched_run(&s.sched, sched_next(&s.sched));
		fake_kube_down(s.kube, 20000);
		sim_run(&s);
		expect_end(&s, &reference, BLIND_FOR_A_WHILE, "API server down", (unsigned)at_ms);
		sim_done(&s);
		free(reference.end);
	}
}

/* What the operator has written itself, it sees late: it must not act on the older picture. */
static void cache_is_late(void **state)
{
	static const int64_t delays_ms[] = { 100, 1000, 8000 };

	(void)state;
	for (size_t i = 0; i < array_len(delays_ms); i++) {
		struct reference reference;
		struct sim s;

		play(SIM_SUCCEED, &reference);
		sim_init(&s, SIM_SUCCEED);
		fake_kube_delay(s.kube, &resource_pod, delays_ms[i]);
		sim_run(&s);
		expect_end(&s, &reference, BLIND_FOR_A_WHILE, "late pod events", (unsigned)delays_ms[i]);
		sim_done(&s);
		sim_init(&s, SIM_SUCCEED);
		fake_kube_delay(s.kube, &resource_sparkapplication, delays_ms[i]);
		sim_run(&s);
		expect_end(&s, &reference, BLIND_FOR_A_WHILE, "late application events", (unsigned)delays_ms[i]);
		sim_done(&s);
		free(reference.end);
	}
}

/* ---- look before act: the operator sees the applications as they were a minute ago ---- */

enum { BLIND_MS = 60000 };

static void init_blind(struct sim *s)
{
	sim_init(s, SIM_SUCCEED);
	fake_kube_delay(s->kube, &resource_sparkapplication, BLIND_MS);
}

static void pass_until(struct sim *s, int64_t now_ms)
{
	fake_kube_run(s->kube, now_ms - s->sched.now_ms);
}

static const int64_t blind_times_ms[] = { 11, 1000, 30000, BLIND_MS };

static void deleted_unseen(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(blind_times_ms); i++) {
		struct sim s;

		init_blind(&s);
		pass_until(&s, blind_times_ms[i]);
		assert_true(fake_kube_delete(s.kube, &resource_sparkapplication, "default", "pi"));
		pass_until(&s, 5 * BLIND_MS);
		assert_int_equal(fake_kube_calls(s.kube, VERB_GET, &resource_sparkapplication), 1);
		assert_int_equal(fake_kube_write_count(s.kube), 0);
		assert_int_equal(fake_kube_count(s.kube, &resource_event), 0);
		sim_done(&s);
	}
}

static void replaced_unseen(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(blind_times_ms); i++) {
		struct sim s;

		init_blind(&s);
		pass_until(&s, blind_times_ms[i]);
		assert_true(fake_kube_delete(s.kube, &resource_sparkapplication, "default", "pi"));
		sim_apply(&s, "bbbbbbbb-0000-4000-8000-000000000002");
		pass_until(&s, BLIND_MS + blind_times_ms[i]);
		assert_int_equal(fake_kube_write_count(s.kube), 0);
		sim_run(&s);
		assert_int_equal(map_len(s.driver_uids), 1);
		sim_done(&s);
	}
}

static struct json *status_of_success(void)
{
	const struct json *app;
	struct json *status;
	struct sim s;

	sim_init(&s, SIM_SUCCEED);
	sim_run(&s);
	app = fake_kube_get(s.kube, &resource_sparkapplication, "default", "pi");
	status = json_dup(json_get(app, "status"));
	sim_done(&s);
	return status;
}

/* Another operator has carried it to its end, and its driver pod is long gone. */
static void ended_unseen(void **state)
{
	auto_json status = status_of_success();

	(void)state;
	for (size_t i = 0; i < array_len(blind_times_ms); i++) {
		struct sim s;

		init_blind(&s);
		pass_until(&s, blind_times_ms[i]);
		fake_kube_patch_status(s.kube, &resource_sparkapplication, "default", "pi", json_dup(status));
		pass_until(&s, 5 * BLIND_MS);
		assert_in_range(fake_kube_calls(s.kube, VERB_GET, &resource_sparkapplication), 1, 15);
		assert_int_equal(fake_kube_write_count(s.kube), 0);
		sim_done(&s);
	}
}

/* The operator restarts, sees the application new and submits it; what it writes then, it does not see, and when the
 * driver has completed its pod is deleted: all that is left to see is a new application without a pod. */
static void driver_gone_while_blind_after_restart(void **state)
{
	static const int64_t gone_ms[] = { 2500, 4000, 20000, 50000 };

	(void)state;
	for (size_t i = 0; i < array_len(gone_ms); i++) {
		struct sim s;

		init_blind(&s);
		pass_until(&s, 1000);
		sim_crash(&s);
		pass_until(&s, gone_ms[i]);
		assert_int_equal(map_len(s.driver_uids), 1);
		assert_true(fake_kube_delete(s.kube, &resource_pod, "default", "pi-driver"));
		sim_run(&s);
		assert_int_equal(map_len(s.driver_uids), 1);
		assert_true(fake_kube_calls(s.kube, VERB_GET, &resource_sparkapplication) > 1);
		assert_non_null(strstr(json_str(fake_kube_get(s.kube, &resource_sparkapplication, "default", "pi"),
						"status.applicationState.errorMessage", ""),
				       "driver pod not found"));
		sim_done(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(undisturbed_run_is_right),
		cmocka_unit_test(ui_service_changes_nothing_else),
		cmocka_unit_test(crash_after_every_write),
		cmocka_unit_test(reply_lost_at_every_write),
		cmocka_unit_test(call_lost_at_every_write),
		cmocka_unit_test(every_write_refused_once),
		cmocka_unit_test(watch_cut_at_every_event),
		cmocka_unit_test(watch_disturbed_at_every_time),
		cmocka_unit_test(api_server_down_at_every_time),
		cmocka_unit_test(cache_is_late),
		cmocka_unit_test(deleted_unseen),
		cmocka_unit_test(replaced_unseen),
		cmocka_unit_test(ended_unseen),
		cmocka_unit_test(driver_gone_while_blind_after_restart),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
