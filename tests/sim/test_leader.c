/*
 * Two replicas over one cluster: whatever happens to the one that leads, the other goes on, no application gets a
 * second driver, and none is left behind. That no two may write at the same time is checked at every instant by
 * sim_replicas_run.
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
#include "sim_replica.h"
#include "json_text.h"

enum {
	APPS = 3,
	BURST_MS = 200,		     /* when they are applied */
	LIVES_MS = 7000,	     /* in which nothing disturbs them they have ended */
	TAKE_OVER_MS = 15000 + 2500, /* after the last renewal: the lease duration, and what the requests take */
	LONGEST_MS = 120000,
};

struct stage {
	struct sim sim;
	struct sim_replica replicas[2];
};

static void run(struct stage *st, int64_t duration_ms)
{
	sim_replicas_run(&st->sim, st->replicas, array_len(st->replicas), duration_ms);
}

static void run_until(struct stage *st, int64_t now_ms)
{
	run(st, now_ms - sched_now(&st->sim.sched));
}

static void start(struct stage *st, size_t which, const char *identity, bool reckless)
{
	const struct sim_replica_options options = { .identity = identity, .reckless = reckless };

	sim_replica_start(&st->replicas[which], &st->sim, &options);
}

static void apply_burst(struct stage *st)
{
	for (int i = 0; i < APPS; i++) {
		auto_free char *name = xasprintf("app-%d", i);
		auto_free char *uid = xasprintf("aaaaaaaa-0000-4000-8000-00000000000%d", i);

		sim_apply_named(&st->sim, name, uid);
	}
}

/* The first leads, the second stands by, and a burst of applications is there; reckless: of the first. */
static void set_up(struct stage *st, bool reckless)
{
	*st = (struct stage){ 0 };
	sim_init_bare(&st->sim, SIM_SUCCEED);
	start(st, 0, "first", reckless);
	run(st, 100);
	start(st, 1, "second", false);
	run_until(st, BURST_MS);
	assert_true(leader_leads(st->replicas[0].leader));
	assert_false(leader_leads(st->replicas[1].leader));
	assert_true(manager_ready(st->replicas[1].manager));
	assert_string_equal(leader_holder(st->replicas[1].leader), "first");
	apply_burst(st);
}

static void tear_down(struct stage *st)
{
	for (size_t i = 0; i < array_len(st->replicas); i++)
		sim_replica_kill(&st->replicas[i]);
	sim_done(&st->sim);
}

/* Every application has completed, with one driver each. That there was no second one sim_cluster checks. */
static void expect_end(struct stage *st)
{
	const struct json *app;
	size_t pos = 0, apps = 0;

	while (!sim_has_ended(&st->sim) && sched_now(&st->sim.sched) < LONGEST_MS)
		run(st, 500);
	run(st, 2000);
	while ((app = fake_kube_next(st->sim.kube, &resource_sparkapplication, &pos))) {
		apps++;
		if (!text_eq(json_str(app, "status.applicationState.state", ""), "COMPLETED") ||
		    json_i64(app, "status.submissionAttempts", 0) != 1)
			fail_msg("%s is %s after %d submissions", json_str(app, "metadata.name", "?"),
				 json_str(app, "status.applicationState.state", "?"),
				 (int)json_i64(app, "status.submissionAttempts", 0));
	}
	assert_int_equal(apps, APPS);
	assert_int_equal(map_len(st->sim.driver_uids), APPS);
	sim_check_writes(&st->sim);
}

static const struct json *lease_of(const struct stage *st)
{
	return fake_kube_get(st->sim.kube, &resource_lease, SIM_LEASE_NS, SIM_LEASE);
}

static int64_t until_second_led(const struct stage *st, int64_t since_ms)
{
	const struct sim_replica *r = &st->replicas[1];

	if (r->led_ms < 0)
		fail_msg("the second has not led (since %d ms)", (int)since_ms);
	return r->led_ms - since_ms;
}

/* Closely while plans are carried out, widely between. */
static int64_t next_time(int64_t at_ms)
{
	return at_ms + (at_ms < 90 ? 4 : 431);
}

static void undisturbed(void **state)
{
	struct stage st;

	(void)state;
	set_up(&st, false);
	run_until(&st, BURST_MS + LIVES_MS);
	assert_true(sim_has_ended(&st.sim));
	expect_end(&st);
	assert_int_equal(st.replicas[1].writes, 0);
	assert_int_equal(st.replicas[1].led_ms, -1);
	assert_int_equal(json_i64(lease_of(&st), "spec.leaseTransitions", -1), 0);
	tear_down(&st);
}

static double counted(const struct stage *st, size_t which, const char *name)
{
	static const char *const ns[] = { "default" };
	const struct metric *metric = metrics_find(st->replicas[which].metrics, name);

	return metric ? metric_get(metric, ns) : 0;
}

static double status(const struct stage *st, size_t which)
{
	static const char *const lease[] = { SIM_LEASE };

	return metric_get(metrics_find(st->replicas[which].metrics, "leader_election_master_status"), lease);
}

/* A sum over the replicas is what one alone would have counted. */
static void only_the_leader_counts(void **state)
{
	static const char *const names[] = { "spark_application_count", "spark_application_submit_count",
					     "spark_application_success_count" };
	struct buf text = { .max = 1 << 20 };
	struct stage st;

	(void)state;
	set_up(&st, false);
	assert_true(status(&st, 0) == 1 && status(&st, 1) == 0);
	expect_end(&st);
	for (size_t i = 0; i < array_len(names); i++) {
		assert_true(counted(&st, 0, names[i]) == APPS);
		assert_null(metrics_find(st.replicas[1].metrics, names[i]));
	}
	metrics_write(st.replicas[1].metrics, &text);
	assert_null(strstr(buf_str(&text), "spark_application_state"));
	assert_null(strstr(buf_str(&text), "workqueue_adds_total{name=\"spark-application-controller\"} 1"));
	buf_done(&text);
	sim_replica_terminate(&st.replicas[0]);
	run(&st, 2000);
	assert_true(status(&st, 1) == 1);
	metrics_write(st.replicas[1].metrics, &text);
	assert_non_null(strstr(buf_str(&text), "spark_application_state{namespace=\"default\",state=\"COMPLETED\"} 3"));
	assert_true(counted(&st, 1, "spark_application_success_count") == 0);
	buf_done(&text);
	tear_down(&st);
}

static void handed_over_at_every_time(void **state)
{
	(void)state;
	for (int64_t at_ms = 1; at_ms < LIVES_MS; at_ms = next_time(at_ms)) {
		struct stage st;

		set_up(&st, false);
		run_until(&st, BURST_MS + at_ms);
		sim_replica_terminate(&st.replicas[0]);
		run(&st, 2000);
		assert_null(st.replicas[0].manager);
		assert_false(st.replicas[0].lost);
		assert_in_range(until_second_led(&st, BURST_MS + at_ms), 0, 1999);
		assert_string_equal(json_str(lease_of(&st), "spec.holderIdentity", ""), "second");
		assert_int_equal(json_i64(lease_of(&st), "spec.leaseTransitions", -1), 1);
		expect_end(&st);
		tear_down(&st);
	}
}

/* Who cannot watch the Lease follows at the next try. */
static void handed_over_unwatched(void **state)
{
	static const struct fake_refusal refusal = { 403, NULL, NULL, 0 };
	struct stage st;

	(void)state;
	set_up(&st, false);
	fake_kube_refuse(st.sim.kube, VERB_LIST, &resource_lease, -1, &refusal);
	fake_kube_refuse(st.sim.kube, VERB_WATCH, &resource_lease, -1, &refusal);
	fake_kube_cut_watches(st.sim.kube, true);
	run_until(&st, 20000);
	assert_true(leader_leads(st.replicas[0].leader));
	sim_replica_terminate(&st.replicas[0]);
	run(&st, 5000);
	assert_in_range(until_second_led(&st, 20000), 0, 4600);
	expect_end(&st);
	tear_down(&st);
}

static void on_crash(void *arg)
{
	struct stage *st = arg;

	sim_replica_kill(&st->replicas[0]);
}

/* Killed after each write, those of the Lease among them, and started anew a little later. */
static void killed_after_every_write(void **state)
{
	bool killed = true;

	(void)state;
	for (unsigned k = 1; killed; k++) {
		int64_t killed_ms;
		struct stage st;

		set_up(&st, false);
		fake_kube_crash_after(st.sim.kube, fake_kube_write_count(st.sim.kube) + k, on_crash, &st);
		while (st.replicas[0].manager && !sim_has_ended(&st.sim))
			run(&st, 10);
		killed = !st.replicas[0].manager;
		if (killed) {
			killed_ms = sched_now(&st.sim.sched);
			run(&st, 1000);
			start(&st, 0, "third", false);
			run(&st, TAKE_OVER_MS);
			assert_true((st.replicas[0].led_ms >= 0) != (st.replicas[1].led_ms >= 0));
			assert_in_range(st.replicas[0].led_ms + st.replicas[1].led_ms + 1 - killed_ms, 12000,
					TAKE_OVER_MS);
		} else {
			assert_in_range(k, 15, 100);
		}
		expect_end(&st);
		tear_down(&st);
	}
}

/* SIGSTOP for longer than the lease, SIGCONT: nothing is written any more, and the process ends. */
static void stopped_and_continued(void **state)
{
	(void)state;
	for (int64_t at_ms = 1; at_ms < LIVES_MS; at_ms = next_time(at_ms)) {
		unsigned writes;
		struct stage st;

		set_up(&st, false);
		run_until(&st, BURST_MS + at_ms);
		st.replicas[0].paused = true;
		run(&st, 20000);
		assert_in_range(until_second_led(&st, BURST_MS + at_ms), 12000, TAKE_OVER_MS);
		assert_true(leader_leads(st.replicas[0].leader)); /* so it thinks */
		writes = st.replicas[0].writes;
		st.replicas[0].paused = false;
		run(&st, 100);
		assert_true(st.replicas[0].lost);
		assert_null(st.replicas[0].manager);
		assert_int_equal(st.replicas[0].writes, writes);
		expect_end(&st);
		tear_down(&st);
	}
}

/*
 * The standby's watch of one resource is late by hours, and its other watches are not. So it sees that an application
 * was submitted, and not that its driver pod runs or has ended; or the pod, and not its application. When the leader
 * dies it takes over and goes on from what is there.
 */
static void taken_over_with_a_late_cache(void **state)
{
	static const struct resource *const late[] = { &resource_pod, &resource_sparkapplication };

	(void)state;
	for (size_t i = 0; i < array_len(late); i++) {
		for (int64_t at_ms = 1; at_ms < LIVES_MS; at_ms = next_time(at_ms)) {
			int64_t killed_ms;
			struct stage st;

			set_up(&st, false);
			st.replicas[1].late = late[i];
			st.replicas[1].late_ms = 4 * LONGEST_MS;
			run_until(&st, BURST_MS + at_ms);
			killed_ms = sched_now(&st.sim.sched);
			sim_replica_kill(&st.replicas[0]);
			run(&st, TAKE_OVER_MS);
			assert_in_range(until_second_led(&st, killed_ms), 12000, TAKE_OVER_MS);
			/* What comes after the take-over is not late any more, or nobody could work. */
			st.replicas[1].late = NULL;
			fake_kube_cut_watches(st.sim.kube, true);
			expect_end(&st);
			tear_down(&st);
		}
	}
}

/* A manager that leads from the beginning asks nothing more than one that stands by: its first lists are fresh. */
static void who_leads_from_the_beginning_asks_once(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, SIM_SUCCEED);
	sim_run(&s);
	/* pods, applications, schedules, SparkConnects */
	assert_int_equal(fake_kube_calls(s.kube, VERB_LIST, NULL), 4);
	assert_int_equal(fake_kube_calls(s.kube, VERB_WATCH, NULL), 4);
	sim_done(&s);
}

/* The same with one that does not ask: it takes up the plan where it stood and goes on for good beside the other. */
static void both_believe_to_lead(void **state)
{
	static const int64_t pauses_ms[] = { 15500, 20000 };
	bool both_wrote = false;

	(void)state;
	for (size_t i = 0; i < array_len(pauses_ms); i++) {
		for (int64_t at_ms = 1; at_ms < LIVES_MS; at_ms = next_time(at_ms)) {
			unsigned writes;
			struct stage st;

			set_up(&st, true);
			run_until(&st, BURST_MS + at_ms);
			st.replicas[0].paused = true;
			run(&st, pauses_ms[i]);
			writes = st.replicas[0].writes;
			st.replicas[0].paused = false;
			expect_end(&st);
			assert_non_null(st.replicas[0].manager);
			both_wrote |= st.replicas[0].writes > writes && st.replicas[1].writes > 0;
			tear_down(&st);
		}
	}
	assert_true(both_wrote);
}

/* From the first moment on there are two, on the same burst. */
static void both_work_on_the_same(void **state)
{
	const struct sim_replica_options second = { .identity = "second", .reckless = true };

	(void)state;
	for (int64_t apart_ms = 0; apart_ms < 40; apart_ms += 3) {
		struct stage st = { 0 };

		sim_init_bare(&st.sim, SIM_SUCCEED);
		start(&st, 0, "first", true);
		run(&st, 50);
		sim_replica_start(&st.replicas[1], &st.sim, &second);
		run(&st, 50);
		apply_burst(&st);
		run(&st, apart_ms);
		manager_lead(st.replicas[1].manager);
		expect_end(&st);
		assert_true(st.replicas[0].writes > 0);
		tear_down(&st);
	}
}

static void api_server_away(void **state)
{
	(void)state;
	for (int64_t at_ms = 1; at_ms < LIVES_MS; at_ms += 811) {
		struct stage st;

		set_up(&st, false);
		run_until(&st, BURST_MS + at_ms);
		fake_kube_down(st.sim.kube, 25000);
		run(&st, 10100);
		assert_true(st.replicas[0].lost); /* it has to end: who knows what the other sees */
		assert_null(st.replicas[0].manager);
		run(&st, 1000);
		start(&st, 0, "third", false);
		run(&st, 25000);
		assert_true((st.replicas[0].led_ms >= 0) != (st.replicas[1].led_ms >= 0));
		expect_end(&st);
		tear_down(&st);
	}
	/* a short one is none */
	for (int64_t at_ms = 1; at_ms < LIVES_MS; at_ms += 811) {
		struct stage st;

		set_up(&st, false);
		run_until(&st, BURST_MS + at_ms);
		fake_kube_down(st.sim.kube, 5000);
		run(&st, 20000);
		assert_false(st.replicas[0].lost);
		assert_int_equal(st.replicas[1].led_ms, -1);
		expect_end(&st);
		tear_down(&st);
	}
}

static void lease_deleted(void **state)
{
	(void)state;
	for (int64_t at_ms = 1; at_ms < LIVES_MS; at_ms += 811) {
		struct stage st;

		set_up(&st, false);
		run_until(&st, BURST_MS + at_ms);
		assert_true(fake_kube_delete(st.sim.kube, &resource_lease, SIM_LEASE_NS, SIM_LEASE));
		run(&st, 50);
		assert_string_equal(json_str(lease_of(&st), "spec.holderIdentity", ""), "first");
		expect_end(&st);
		assert_false(st.replicas[0].lost);
		assert_int_equal(st.replicas[1].led_ms, -1);
		tear_down(&st);
	}
}

static void lease_taken_away(void **state)
{
	struct stage st;

	(void)state;
	set_up(&st, false);
	run(&st, 100);
	fake_kube_patch(st.sim.kube, &resource_lease, SIM_LEASE_NS, SIM_LEASE,
			JSON({ "spec" : { "holderIdentity" : "stranger" } }));
	run(&st, 50);
	assert_true(st.replicas[0].lost);
	assert_null(st.replicas[0].manager);
	run(&st, 14000);
	assert_int_equal(st.replicas[1].led_ms, -1);
	run(&st, 3000);
	assert_true(st.replicas[1].led_ms >= 0);
	expect_end(&st);
	tear_down(&st);
}

/* Another program has a Lease of that name and renews it: nobody works until it stops. Its clock is of no matter. */
static void lease_of_a_stranger(void **state)
{
	static const char *const clocks[] = { "2019-01-01T00:00:0%d.000000Z", "2044-01-01T00:00:0%d.000000Z" };

	(void)state;
	for (size_t c = 0; c < array_len(clocks); c++) {
		auto_json object = json_new_object();
		struct json *spec = json_set(object, "spec", json_new_object());
		int64_t last_ms = 0;
		struct stage st = { 0 };

		sim_init_bare(&st.sim, SIM_SUCCEED);
		json_set_str(json_ensure_object(object, "metadata"), "name", SIM_LEASE);
		json_set_str(json_ensure_object(object, "metadata"), "namespace", SIM_LEASE_NS);
		json_set_str(spec, "holderIdentity", "stranger");
		json_set_i64(spec, "leaseDurationSeconds", 15);
		start(&st, 0, "first", false);
		for (int i = 0; i < 6; i++) {
			auto_free char *digit = xasprintf("%d", i);
			auto_free char *renewed = xstrdup(clocks[c]);

			memcpy(strstr(renewed, "%d"), digit, 1);
			memmove(strstr(renewed, "d."), ".000000Z", strlen(".000000Z") + 1);
			json_set_str(spec, "renewTime", renewed);
			fake_kube_put(st.sim.kube, &resource_lease, json_dup(object));
			last_ms = sched_now(&st.sim.sched);
			run(&st, 100);
			if (i == 0) {
				start(&st, 1, "second", false);
				apply_burst(&st);
			}
			run(&st, 9900);
		}
		assert_int_equal(st.replicas[0].writes + st.replicas[1].writes, 0);
		run_until(&st, last_ms + 14900);
		assert_true(st.replicas[0].led_ms < 0 && st.replicas[1].led_ms < 0);
		run(&st, 3000);
		assert_true((st.replicas[0].led_ms >= 0) != (st.replicas[1].led_ms >= 0));
		expect_end(&st);
		tear_down(&st);
	}
}

/* Hours between the clocks of the two: the standby neither comes too early nor too late. */
static void clocks_are_apart(void **state)
{
	static const int64_t skews_ms[] = { -INT64_C(18000000), INT64_C(18000000), INT64_C(1000000000000) };

	(void)state;
	for (size_t i = 0; i < array_len(skews_ms); i++) {
		struct sim_replica_options options = { .identity = "skewed", .skew_ms = skews_ms[i] };
		int64_t killed_ms;
		struct stage st;

		set_up(&st, false);
		sim_replica_kill(&st.replicas[1]);
		sim_replica_start(&st.replicas[1], &st.sim, &options);
		run(&st, 60000);
		assert_int_equal(st.replicas[1].led_ms, -1);
		killed_ms = sched_now(&st.sim.sched);
		sim_replica_kill(&st.replicas[0]);
		run(&st, TAKE_OVER_MS);
		assert_in_range(until_second_led(&st, killed_ms), 12000, TAKE_OVER_MS);
		/* and back */
		start(&st, 0, "third", false);
		run(&st, 60000);
		assert_int_equal(st.replicas[0].led_ms, -1);
		assert_false(st.replicas[1].lost);
		expect_end(&st);
		tear_down(&st);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(undisturbed),
		cmocka_unit_test(only_the_leader_counts),
		cmocka_unit_test(handed_over_at_every_time),
		cmocka_unit_test(handed_over_unwatched),
		cmocka_unit_test(killed_after_every_write),
		cmocka_unit_test(stopped_and_continued),
		cmocka_unit_test(taken_over_with_a_late_cache),
		cmocka_unit_test(who_leads_from_the_beginning_asks_once),
		cmocka_unit_test(both_believe_to_lead),
		cmocka_unit_test(both_work_on_the_same),
		cmocka_unit_test(api_server_away),
		cmocka_unit_test(lease_deleted),
		cmocka_unit_test(lease_taken_away),
		cmocka_unit_test(lease_of_a_stranger),
		cmocka_unit_test(clocks_are_apart),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
