/* Metrics by namespace: states, transitions, how long phases took, what waits. */
#include "metrics_world.h"

static double sum(const struct fixture *f, const char *phase)
{
	return metric_get(metrics_find(f->metrics, "spark_application_phase_duration_seconds"),
			  (const char *const[]){ "jobs", phase });
}

static bool count_is(struct fixture *f, const char *phase, int count)
{
	auto_free char *line = xasprintf(
	    "spark_application_phase_duration_seconds_count{namespace=\"jobs\",phase=\"%s\"} %d", phase, count);

	return shows(f, line);
}

/* Created at 1003, scheduled at 1004, started at 1006. */
static void put_driver(struct fixture *f, int attempt, bool has_started)
{
	struct json *tree = object(f, "jobs", "pi-driver", "d"), *labels = json_at(tree, "metadata.labels");
	struct json *status = json_ensure_object(tree, "status");
	struct json *condition = json_append(json_ensure_array(status, "conditions"), json_new_object());
	struct json *container = json_append(json_ensure_array(status, "containerStatuses"), json_new_object());

	json_set_str(json_get(tree, "metadata"), "creationTimestamp", "1970-01-01T00:16:43Z");
	json_set_str(labels, LABEL_SPARK_ROLE, "driver");
	json_set_str(labels, LABEL_APP_NAME, "pi");
	json_setf(labels, LABEL_SUBMISSION_ID, "attempt-%d", attempt);
	json_set_str(condition, "type", "PodScheduled");
	json_set_str(condition, "status", "True");
	json_set_str(condition, "lastTransitionTime", "1970-01-01T00:16:44Z");
	json_append(json_ensure_array(json_ensure_object(tree, "spec"), "containers"), json_new_object());
	json_set_str(json_first(json_at(tree, "spec.containers")), "name", DRIVER_CONTAINER);
	json_set_str(container, "name", DRIVER_CONTAINER);
	if (has_started)
		json_set_str(json_ensure_object(json_ensure_object(container, "state"), "running"), "startedAt",
			     "1970-01-01T00:16:46Z");
	put(f->pods, tree);
}

static void test_phases(void **state)
{
	struct fixture *f = *state;

	start_plain(f);
	put_app(f, "jobs", "u", "", 0, 0);
	put_driver(f, 1, false);
	put_app(f, "jobs", "u", "SUBMITTED", 1, 1);
	assert_true(sum(f, "submit") == 3);
	assert_true(count_is(f, "start", 0));
	put_driver(f, 1, true);
	put_app(f, "jobs", "u", "RUNNING", 1, 1);
	assert_true(sum(f, "schedule") == 1);
	assert_true(sum(f, "start") == 2);
	put_app(f, "jobs", "u", "RUNNING", 1, 1);
	put_app(f, "jobs", "u", "SUCCEEDING", 1, 1);
	put_app(f, "jobs", "u", "COMPLETED", 1, 1);
	assert_true(sum(f, "run") == 3);
	assert_true(count_is(f, "submit", 1));
	assert_true(count_is(f, "schedule", 1));
	assert_true(count_is(f, "start", 1));
	assert_true(count_is(f, "run", 1));
}

/* An operator that was restarted measures what it would have measured, and once. */
static void test_phases_over_a_restart(void **state)
{
	struct fixture *f = *state;

	put_driver(f, 1, true);
	put_app(f, "jobs", "u", "SUBMITTED", 1, 1);
	start_plain(f);
	put_app(f, "jobs", "u", "RUNNING", 1, 1);
	assert_true(count_is(f, "submit", 0));
	assert_true(sum(f, "start") == 2);
	put_app(f, "jobs", "u", "COMPLETED", 1, 1);
	assert_true(sum(f, "run") == 3);
}

/* A driver that was too quick to be seen running; one that is gone; one of another attempt. */
static void test_phases_left_out(void **state)
{
	struct fixture *f = *state;

	start_plain(f);
	put_app(f, "jobs", "u", "", 0, 0);
	put_driver(f, 1, true);
	put_app(f, "jobs", "u", "COMPLETED", 1, 1);
	assert_true(sum(f, "submit") == 3 && sum(f, "start") == 2 && sum(f, "run") == 3);
	put_app(f, "jobs", "v", "", 0, 0);
	put_app(f, "jobs", "v", "SUBMITTED", 1, 1);
	put_app(f, "jobs", "v", "FAILING", 1, 1);
	put_app(f, "jobs", "v", "PENDING_RERUN", 1, 1);
	put_app(f, "jobs", "v", "SUBMITTED", 2, 2);
	put_app(f, "jobs", "v", "FAILED", 2, 2);
	assert_true(count_is(f, "submit", 2));
	assert_true(count_is(f, "run", 2)); /* both of attempt-1, whose pod is there */
	store_remove(f->pods, "jobs/pi-driver");
	put_app(f, "jobs", "w", "", 0, 0);
	put_app(f, "jobs", "w", "SUBMITTED", 1, 1);
	assert_true(sum(f, "submit") == 3 + 3 + 2); /* without the pod: to the status' own time */
	put_app(f, "jobs", "w", "FAILED", 1, 1);
	assert_true(count_is(f, "run", 2));
}

static void test_transitions(void **state)
{
	struct fixture *f = *state;

	start_plain(f);
	put_app(f, "jobs", "u", "", 0, 0);
	assert_shows(f, "spark_application_transitions_total{namespace=\"jobs\",state=\"NEW\"} 1");
	assert_shows(f, "spark_application_transitions_total{namespace=\"jobs\",state=\"SUBMISSION_FAILED\"} 0");
	put_app(f, "jobs", "u", "SUBMISSION_FAILED", 1, 0);
	put_app(f, "jobs", "u", "SUBMISSION_FAILED", 2, 0);
	assert_shows(f, "spark_application_transitions_total{namespace=\"jobs\",state=\"SUBMISSION_FAILED\"} 1");
	put_app(f, "other", "v", "RUNNING", 1, 1);
	assert_shows(f, "spark_application_transitions_total{namespace=\"other\",state=\"RUNNING\"} 0");
}

static void test_waiting(void **state)
{
	struct fixture *f = *state;

	start_plain(f);
	put_app(f, "jobs", "u", "", 0, 0);
	assert_shows(f, "spark_application_oldest_waiting_seconds{namespace=\"jobs\",state=\"NEW\"} 12");
	put_app(f, "jobs", "u", "SUBMITTED", 1, 1);
	assert_shows(f, "spark_application_oldest_waiting_seconds{namespace=\"jobs\",state=\"NEW\"} 0");
	assert_shows(f, "spark_application_oldest_waiting_seconds{namespace=\"jobs\",state=\"SUBMITTED\"} 10");
	sched_run(&f->sched, 5000);
	assert_shows(f, "spark_application_oldest_waiting_seconds{namespace=\"jobs\",state=\"SUBMITTED\"} 15");
	put_app(f, "jobs", "u", "RUNNING", 1, 1);
	assert_shows(f, "spark_application_oldest_waiting_seconds{namespace=\"jobs\",state=\"SUBMITTED\"} 0");
}

/* One that is to wait does not count. */
static void test_suspended(void **state)
{
	struct fixture *f = *state;
	struct json *tree = object(f, "jobs", "pi", "u");

	start_plain(f);
	json_set_bool(json_ensure_object(tree, "spec"), "suspend", true);
	put(f->apps, tree);
	assert_shows(f, "spark_application_state{namespace=\"jobs\",state=\"NEW\"} 1");
	assert_shows(f, "spark_application_oldest_waiting_seconds{namespace=\"jobs\",state=\"NEW\"} 0");
}

static void test_executors(void **state)
{
	struct fixture *f = *state;

	start_plain(f);
	put_pod(f, "e1", "executor", "Pending");
	put_pod(f, "e2", "executor", "Running");
	put_pod(f, "d", "driver", "Running");
	assert_shows(f, "spark_executor_state{namespace=\"jobs\",state=\"PENDING\"} 1");
	assert_shows(f, "spark_executor_state{namespace=\"jobs\",state=\"RUNNING\"} 1");
	assert_shows(f, "spark_executor_transitions_total{namespace=\"jobs\",state=\"FAILED\"} 0");
	put_pod(f, "e1", "executor", "Running");
	put_pod(f, "e2", "executor", "Failed");
	assert_shows(f, "spark_executor_transitions_total{namespace=\"jobs\",state=\"RUNNING\"} 1");
	assert_shows(f, "spark_executor_transitions_total{namespace=\"jobs\",state=\"FAILED\"} 1");
	store_remove(f->pods, "jobs/e2");
	assert_shows(f, "spark_executor_state{namespace=\"jobs\",state=\"FAILED\"} 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_phases, setup, teardown),
		cmocka_unit_test_setup_teardown(test_phases_over_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_phases_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_transitions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waiting, setup, teardown),
		cmocka_unit_test_setup_teardown(test_suspended, setup, teardown),
		cmocka_unit_test_setup_teardown(test_executors, setup, teardown),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
