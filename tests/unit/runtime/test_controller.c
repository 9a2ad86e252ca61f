/*
 * The controller: plans are made and carried out, own writes are read first, status writes keep their pace, stopping
 * lets plans finish, and nothing is kept of keys that are gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "toy_world.h"

/* ---- the happy path ---- */

static void plan_is_carried_out(void **state)
{
	struct fixture *f = *state;
	const char *const name[] = { "toy" };
	size_t pos = 0;

	start(f, toy_app);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 2000);
	assert_string_equal(app_phase(f, "a"), "Running");
	assert_census(f, "patch sparkapplications/status ns/a\n"
			 "create pods ns/a-driver\n"
			 "patch sparkapplications/status ns/a\n");
	assert_string_equal(json_str(fake_kube_next(f->fk, &resource_event, &pos), "message", ""), "made a");
	assert_int_equal(fake_kube_count(f->fk, &resource_event), 1);
	assert_in_range(f->plans, 3, 5);
	assert_int_equal(result(f, "success"), f->plans);
	assert_int_equal(result(f, "error"), 0);
	assert_true(metric_get(metrics_find(f->metrics, "workqueue_adds_total"), name) >= 4);
	assert_forgotten(f);
}

static void nothing_before_start(void **state)
{
	struct fixture *f = *state;

	controller_enqueue(f->controller, "ns/a");
	fake_kube_run(f->fk, 1000);
	assert_int_equal(f->plans, 0);
	assert_int_equal(controller_queued(f->controller), 1);
	controller_start(f->controller);
	assert_int_equal(f->plans, 0);
	fake_kube_run(f->fk, 1);
	assert_int_equal(f->plans, 1);
	assert_int_equal(controller_queued(f->controller), 0);
}

static void requeue_is_honoured(void **state)
{
	struct fixture *f = *state;

	start(f, toy_requeue);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 3500);
	assert_int_equal(f->plans, 4);
	assert_int_equal(result(f, "requeue_after"), 4);
}

static void many_plans_at_once_but_not_more(void **state)
{
	struct fixture *f = *state;

	start(f, toy_app);
	for (int i = 0; i < 1000; i++) {
		auto_free char *name = xasprintf("app-%d", i);

		put_app(f, "ns", name, "{}");
	}
	for (int ms = 0; ms < 3000; ms++) {
		fake_kube_run(f->fk, 1);
		assert_true(controller_busy(f->controller) <= 32);
	}
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1000);
	assert_int_equal(fake_kube_write_count(f->fk), 3000);
	assert_string_equal(app_phase(f, "app-999"), "Running");
	assert_forgotten(f);
}

static void namespaces_take_turns(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 90; i++) { /* one page of the list: nothing is planned before all is known */
		auto_free char *name = xasprintf("app-%d", i);

		put_app(f, "big", name, "{}");
	}
	put_app(f, "small", "x", "{}");
	start(f, toy_status);
	assert_in_range(strstr(buf_str(&f->order), "small/x") - buf_str(&f->order), 0, 20);
}

/* ---- read your writes, status interval ---- */

static void own_writes_are_read_first(void **state)
{
	struct fixture *f = *state;

	start(f, toy_pod_only);
	fake_kube_delay(f->fk, RES_POD, 3000);
	put_app(f, "ns", "a", "{}");
	for (int i = 0; i < 29; i++) {
		fake_kube_run(f->fk, 100);
		controller_enqueue(f->controller, "ns/a");
	}
	assert_int_equal(f->plans, 1);
	fake_kube_run(f->fk, 200);
	assert_int_equal(f->plans, 2);
	assert_int_equal(fake_kube_calls(f->fk, VERB_CREATE, RES_POD), 1);
	fake_kube_run(f->fk, 10000);
	assert_in_range(f->plans, 2, 3);
	assert_forgotten(f);
}

static void but_not_for_ever(void **state)
{
	struct fixture *f = *state;

	start(f, toy_pod_only);
	fake_kube_delay(f->fk, RES_POD, 3600000);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 4900);
	assert_int_equal(f->plans, 1);
	fake_kube_run(f->fk, 200);
	assert_int_equal(f->plans, 2);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
	assert_int_equal(f->told, 0); /* it found its own pod */
}

static void status_is_written_every_100_ms_at_most(void **state)
{
	struct fixture *f = *state;
	const struct fake_write *writes;
	size_t len, count = 0;
	int64_t last_ms = -1;

	start(f, toy_status);
	put_app(f, "ns", "a", "{}");
	for (int i = 0; i < 100; i++) {
		auto_free char *patch = xasprintf("{\"spec\": {\"want\": \"P%d\"}}", i);

		fake_kube_run(f->fk, 10);
		fake_kube_patch(f->fk, RES_APP, "ns", "a", patch);
	}
	fake_kube_run(f->fk, 500);
	assert_string_equal(app_phase(f, "a"), "P99");
	writes = fake_kube_writes(f->fk, &len);
	for (size_t i = 0; i < len; i++) {
		assert_true(last_ms < 0 || writes[i].at_ms - last_ms >= 100);
		last_ms = writes[i].at_ms;
		count++;
	}
	assert_in_range(count, 8, 12);
	assert_forgotten(f);
}

/* The status says how many pods there are. */
static int toy_count(struct fixture *f, const struct kobj *app, const struct failure *failed, struct plan *plan,
		     struct err *err)
{
	auto_free char *phase = NULL;
	size_t pos = 0, count = 0;

	(void)failed;
	(void)err;
	while (store_index_next(f->pods, app->key, &pos))
		count++;
	phase = xasprintf("%zu pods", count);
	if (!text_eq(phase_of(app), phase))
		plan_phase(plan, app, phase);
	return 0;
}

/* A crowd of changes costs a plan for each status write, and not one for each change. */
static void nothing_is_planned_within_the_status_interval(void **state)
{
	struct fixture *f = *state;

	start(f, toy_count);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 1000);
	f->plans = 0;
	for (int i = 0; i < 1000; i++) {
		auto_json pod = json_new_object();

		json_setf(json_ensure_object(pod, "metadata"), "name", "pod-%d", i);
		json_set_str(json_get(pod, "metadata"), "namespace", "ns");
		json_set_str(json_ensure_object(json_get(pod, "metadata"), "labels"), "app", "a");
		fake_kube_put(f->fk, RES_POD, take_ptr(pod));
		fake_kube_run(f->fk, 1);
	}
	fake_kube_run(f->fk, 500);
	assert_string_equal(app_phase(f, "a"), "1000 pods");
	assert_in_range(f->plans, 8, 12);
}

static int toy_two_statuses(struct fixture *f, const struct kobj *app, const struct failure *failed, struct plan *plan,
			    struct err *err)
{
	(void)f;
	(void)failed;
	(void)err;
	if (phase_of(app)[0])
		return 0;
	plan_status(plan, RES_APP, app->ns, app->name, app->uid, NULL, status("One"));
	plan_status(plan, RES_APP, app->ns, app->name, app->uid, NULL, status("Two"));
	return 0;
}

static void later_status_of_a_plan_waits(void **state)
{
	struct fixture *f = *state;
	const struct fake_write *writes;
	size_t len;

	start(f, toy_two_statuses);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 1000);
	assert_string_equal(app_phase(f, "a"), "Two");
	writes = fake_kube_writes(f->fk, &len);
	assert_int_equal(len, 2);
	assert_in_range(writes[1].at_ms - writes[0].at_ms, 100, 110);
}

/* ---- stopping ---- */

static void stop_lets_plans_finish(void **state)
{
	struct fixture *f = *state;
	auto_json debug = NULL;

	start(f, toy_app);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 4);
	assert_int_equal(controller_busy(f->controller), 1);
	debug = controller_debug(f->controller);
	assert_string_equal(json_str(json_first(json_get(debug, "plans")), "action", ""),
			    "patch sparkapplications/status ns/a");
	controller_stop(f->controller);
	put_app(f, "ns", "b", "{}");
	fake_kube_run(f->fk, 1000);
	assert_int_equal(controller_busy(f->controller), 0);
	assert_int_equal(controller_queued(f->controller), 2);
	assert_census(f, "patch sparkapplications/status ns/a\ncreate pods ns/a-driver\n");
}

static void lost_leadership_drops_the_rest(void **state)
{
	struct fixture *f = *state;

	start(f, toy_app);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 5);
	f->locked = true;
	fake_kube_run(f->fk, 1000);
	assert_census(f, "patch sparkapplications/status ns/a\n");
	assert_int_equal(fake_kube_count(f->fk, &resource_event), 0);
	f->locked = false;
	fake_kube_run(f->fk, 30000);
	assert_string_equal(app_phase(f, "a"), "Running");
}

static void freed_under_way(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 50; i++) {
		auto_free char *name = xasprintf("app-%d", i);

		put_app(f, "ns", name, "{}");
	}
	start(f, toy_app);
	put_app(f, "ns", "late", "{}");
	fake_kube_run(f->fk, 5);
	assert_true(controller_busy(f->controller) > 0);
	controller_free(NULL);
}

/* Nothing stays of applications that came, failed or not, and went. */
static void dead_keys_cost_nothing(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal denied = { .status = 403 };

	start(f, toy_app);
	for (int i = 0; i < 300; i++) {
		auto_free char *name = xasprintf("app-%d", i);

		if (i == 100)
			fake_kube_refuse(f->fk, VERB_CREATE, RES_POD, -1, &denied);
		put_app(f, "ns", name, "{}");
		fake_kube_run(f->fk, 50);
		fake_kube_delete(f->fk, RES_APP, "ns", name);
	}
	fake_kube_run(f->fk, 700000);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 0);
	assert_forgotten(f);
}

static void metrics_show_the_load(void **state)
{
	struct fixture *f = *state;
	const char *const name[] = { "toy" };
	struct buf out = { .max = 1 << 20 };

	start(f, toy_app);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 4);
	controller_enqueue(f->controller, "ns/b");
	metrics_write(f->metrics, &out);
	assert_int_equal(metric_get(metrics_find(f->metrics, "workqueue_depth"), name), 1);
	assert_int_equal(metric_get(metrics_find(f->metrics, "controller_runtime_active_workers"), name), 1);
	assert_int_equal(metric_get(metrics_find(f->metrics, "controller_runtime_max_concurrent_reconciles"), name),
			 32);
	assert_true(metric_get(metrics_find(f->metrics, "workqueue_longest_running_processor_seconds"), name) > 0);
	assert_non_null(strstr(buf_str(&out), "workqueue_queue_duration_seconds_bucket{name=\"toy\",le=\"1e-08\"}"));
	buf_done(&out);
}

/* What nobody takes grows old; what is to be looked at later does not. */
static void metrics_show_what_waits(void **state)
{
	struct fixture *f = *state;
	const char *const name[] = { "toy" };
	struct buf out = { .max = 1 << 20 };

	metrics_write(f->metrics, &out);
	assert_non_null(
	    strstr(buf_str(&out), "controller_runtime_reconcile_total{controller=\"toy\",result=\"error\"} 0"));
	assert_non_null(strstr(buf_str(&out), "workqueue_work_duration_seconds_count{name=\"toy\"} 0"));
	controller_enqueue(f->controller, "ns/a");
	fake_kube_run(f->fk, 2500);
	metrics_write(f->metrics, &out);
	assert_int_equal(metric_get(metrics_find(f->metrics, "workqueue_depth"), name), 1);
	assert_true(metric_get(metrics_find(f->metrics, "spark_operator_workqueue_oldest_age_seconds"), name) == 2.5);
	start(f, toy_requeue);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 5);
	metrics_write(f->metrics, &out);
	assert_int_equal(metric_get(metrics_find(f->metrics, "workqueue_depth"), name), 0);
	assert_int_equal(metric_get(metrics_find(f->metrics, "spark_operator_workqueue_delayed"), name), 1);
	assert_true(metric_get(metrics_find(f->metrics, "spark_operator_workqueue_oldest_age_seconds"), name) == 0);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(metrics_show_what_waits),
		TEST(plan_is_carried_out),
		TEST(nothing_before_start),
		TEST(requeue_is_honoured),
		TEST(many_plans_at_once_but_not_more),
		TEST(namespaces_take_turns),
		TEST(own_writes_are_read_first),
		TEST(but_not_for_ever),
		TEST(status_is_written_every_100_ms_at_most),
		TEST(nothing_is_planned_within_the_status_interval),
		TEST(later_status_of_a_plan_waits),
		TEST(stop_lets_plans_finish),
		TEST(lost_leadership_drops_the_rest),
		TEST(freed_under_way),
		TEST(dead_keys_cost_nothing),
		TEST(metrics_show_the_load),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
