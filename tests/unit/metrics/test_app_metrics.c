/* Counters move on transitions that were seen, gauges say what is there now; names and labels as the user wants
 * them. */
#include "metrics_world.h"

static double counter(const struct fixture *f, const char *name)
{
	const char *const jobs[] = { "jobs", NULL };

	return metric_get(metrics_find(f->metrics, name), jobs);
}

#define assert_counter(f, name, want) assert_true(counter(f, name) == (want))

static void test_life_of_an_application(void **state)
{
	struct fixture *f = *state;

	start_plain(f);
	put_app(f, "jobs", "u", "", 0, 0);
	assert_counter(f, "spark_application_count", 1);
	assert_true(shows(f, "spark_application_state{namespace=\"jobs\",state=\"NEW\"} 1"));
	put_app(f, "jobs", "u", "SUBMITTED", 1, 1);
	assert_counter(f, "spark_application_submit_count", 1);
	assert_true(counter(f, "spark_application_submit_latency_seconds_histogram") == NOW_S - CREATED_S);
	put_app(f, "jobs", "u", "RUNNING", 1, 1);
	assert_true(counter(f, "spark_application_start_latency_seconds_histogram") == NOW_S - CREATED_S);
	assert_true(shows(f, "spark_application_running_count{namespace=\"jobs\"} 1"));
	put_app(f, "jobs", "u", "RUNNING", 1, 1);
	put_app(f, "jobs", "u", "SUCCEEDING", 1, 1);
	assert_counter(f, "spark_application_success_count", 0);
	put_app(f, "jobs", "u", "COMPLETED", 1, 1);
	put_app(f, "jobs", "u", "COMPLETED", 1, 1);
	assert_counter(f, "spark_application_count", 1);
	assert_counter(f, "spark_application_submit_count", 1);
	assert_counter(f, "spark_application_success_count", 1);
	assert_counter(f, "spark_application_success_execution_time_seconds", 7);
	assert_counter(f, "spark_application_failure_count", 0);
	assert_true(shows(f, "spark_application_start_latency_seconds_histogram_count{namespace=\"jobs\"} 1"));
}

/* Latencies are those of the first attempt. */
static void test_failures(void **state)
{
	struct fixture *f = *state;

	start_plain(f);
	put_app(f, "jobs", "u", "", 0, 0);
	put_app(f, "jobs", "u", "SUBMISSION_FAILED", 1, 0);
	assert_counter(f, "spark_application_failed_submission_count", 1);
	assert_counter(f, "spark_application_submit_count", 0);
	put_app(f, "jobs", "u", "SUBMITTED", 2, 1);
	put_app(f, "jobs", "u", "FAILING", 2, 1);
	put_app(f, "jobs", "u", "PENDING_RERUN", 2, 1);
	put_app(f, "jobs", "u", "RUNNING", 3, 2);
	put_app(f, "jobs", "u", "FAILED", 3, 2);
	assert_counter(f, "spark_application_submit_count", 2);
	assert_counter(f, "spark_application_failure_count", 1);
	assert_counter(f, "spark_application_failure_execution_time_seconds", 7);
	assert_counter(f, "spark_application_submit_latency_seconds_histogram", 0);
	assert_counter(f, "spark_application_start_latency_seconds_histogram", 0);
}

/* What is there when the operator starts has been counted before. */
static void test_restart_counts_nothing(void **state)
{
	struct fixture *f = *state;

	start_plain(f);
	put_app(f, "jobs", "u", "COMPLETED", 1, 1);
	put_pod(f, "e1", "executor", "Succeeded");
	assert_counter(f, "spark_application_count", 0);
	assert_counter(f, "spark_application_submit_count", 0);
	assert_counter(f, "spark_application_success_count", 0);
	assert_counter(f, "spark_executor_success_count", 0);
	assert_true(shows(f, "spark_application_state{namespace=\"jobs\",state=\"COMPLETED\"} 1"));
}

static void test_executors(void **state)
{
	struct fixture *f = *state;

	start_plain(f);
	put_pod(f, "e1", "executor", "Pending");
	put_pod(f, "e2", "executor", "Running");
	put_pod(f, "d", "driver", "Running");
	assert_true(shows(f, "spark_executor_running_count{namespace=\"jobs\"} 1"));
	put_pod(f, "e1", "executor", "Running");
	assert_true(shows(f, "spark_executor_running_count{namespace=\"jobs\"} 2"));
	put_pod(f, "e1", "executor", "Succeeded");
	put_pod(f, "e1", "executor", "Succeeded");
	put_pod(f, "e2", "executor", "Failed");
	put_pod(f, "d", "driver", "Failed");
	assert_counter(f, "spark_executor_success_count", 1);
	assert_counter(f, "spark_executor_failure_count", 1);
	assert_true(shows(f, "spark_executor_running_count{namespace=\"jobs\"} 0"));
}

/* Also in namespaces whose applications never could be read. */
static void test_gauges_fall_back(void **state)
{
	struct fixture *f = *state;

	start_plain(f);
	put_app(f, "jobs", "u", "RUNNING", 1, 1);
	put_app(f, "other", "v", "RUNNING", 1, 1);
	put_pod(f, "e1", "executor", "Running");
	assert_true(shows(f, "spark_application_running_count{namespace=\"jobs\"} 1"));
	assert_true(shows(f, "spark_executor_running_count{namespace=\"jobs\"} 1"));
	store_remove(f->apps, "jobs/pi");
	store_remove(f->pods, "jobs/e1");
	assert_true(shows(f, "spark_application_running_count{namespace=\"jobs\"} 0"));
	assert_true(shows(f, "spark_application_state{namespace=\"jobs\",state=\"RUNNING\"} 0"));
	assert_true(shows(f, "spark_executor_running_count{namespace=\"jobs\"} 0"));
	assert_true(shows(f, "spark_application_running_count{namespace=\"other\"} 1"));
}

static void test_executors_without_applications(void **state)
{
	struct fixture *f = *state;

	start_plain(f);
	put_pod(f, "e1", "executor", "Running");
	assert_true(shows(f, "spark_executor_running_count{namespace=\"jobs\"} 1"));
	store_remove(f->pods, "jobs/e1");
	assert_true(shows(f, "spark_executor_running_count{namespace=\"jobs\"} 0"));
}

static void test_unreadable_application(void **state)
{
	struct fixture *f = *state;

	start_plain(f);
	put_app(f, "jobs", "u", "NONSENSE", 0, 0);
	assert_counter(f, "spark_application_count", 0);
	assert_false(shows(f, "spark_application_state{namespace=\"jobs\",state=\"NEW\"} 1"));
	put_app(f, "jobs", "u", "COMPLETED", 1, 1);
	assert_counter(f, "spark_application_success_count", 0);
}

/* Deleted and made again between two lists: one change, two applications. */
static void test_recreated(void **state)
{
	struct fixture *f = *state;

	start_plain(f);
	put_app(f, "jobs", "u", "RUNNING", 1, 1);
	put_app(f, "jobs", "v", "", 0, 0);
	assert_counter(f, "spark_application_count", 1);
	put_app(f, "jobs", "w", "FAILED", 1, 1);
	assert_counter(f, "spark_application_failure_count", 0);
	assert_counter(f, "spark_application_submit_count", 0);
}

static struct strv list(const char *const *items)
{
	struct strv out = { 0 };

	for (; *items; items++)
		strv_add(&out, *items);
	return out;
}

#define items(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Both beside each other, with the same sum. */
static void test_summary_beside_histogram(void **state)
{
	struct fixture *f = *state;

	start_plain(f);
	put_app(f, "jobs", "u", "", 0, 0);
	put_app(f, "jobs", "u", "SUBMITTED", 1, 1);
	put_app(f, "jobs", "u", "RUNNING", 1, 1);
	assert_shows(f, "spark_application_submit_latency_seconds_sum{namespace=\"jobs\"} 12");
	assert_shows(f, "spark_application_submit_latency_seconds_histogram_bucket{namespace=\"jobs\",le=\"8\"} 0");
	assert_shows(f, "spark_application_submit_latency_seconds_histogram_bucket{namespace=\"jobs\",le=\"16\"} 1");
	assert_shows(f, "spark_application_start_latency_seconds_count{namespace=\"jobs\"} 1");
	assert_shows(f, "spark_application_start_latency_seconds_histogram_bucket{namespace=\"jobs\",le=\"30\"} 1");
}

static void test_shown_from_the_start(void **state)
{
	static const char *const lines[] = {
		"spark_application_count{namespace=\"jobs\"} 0",
		"spark_application_failed_submission_count{namespace=\"jobs\"} 0",
		"spark_application_running_count{namespace=\"jobs\"} 0",
		"spark_application_success_execution_time_seconds_count{namespace=\"jobs\"} 0",
		"spark_application_start_latency_seconds_histogram_bucket{namespace=\"jobs\",le=\"300\"} 0",
		"spark_executor_failure_count{namespace=\"jobs\"} 0",
	};
	const struct app_metrics_options none = { 0 };
	struct fixture *f = *state;

	start(f, &none, "jobs");
	for (size_t i = 0; i < array_len(lines); i++)
		assert_shows(f, lines[i]);
}

/* With labels that are not known beforehand: as soon as there is an application that has them. */
static void test_labels(void **state)
{
	auto_strv names = list(items("app_type", "team", "namespace"));
	const struct app_metrics_options options = { .prefix = "my-", .labels = &names };
	struct fixture *f = *state;

	f->labels = json_new_object();
	json_set_str(f->labels, "app_type", "etl");
	start(f, &options, "jobs");
	assert_false(
	    shows(f, "my_spark_application_count{app_type=\"Unknown\",team=\"Unknown\",namespace=\"jobs\"} 0"));
	put_app(f, "jobs", "u", "", 0, 0);
	assert_shows(f, "my_spark_application_count{app_type=\"etl\",team=\"Unknown\",namespace=\"jobs\"} 1");
	assert_shows(f, "my_spark_application_failure_count{app_type=\"etl\",team=\"Unknown\",namespace=\"jobs\"} 0");
	put_app(f, "jobs", "u", "RUNNING", 1, 1);
	assert_shows(f, "my_spark_application_running_count{app_type=\"etl\",team=\"Unknown\",namespace=\"jobs\"} 1");
	json_free(f->labels);
	f->labels = json_new_object();
	json_set_str(f->labels, "team", "blue");
	put_pod(f, "e1", "executor", "Running");
	assert_shows(f, "my_spark_executor_running_count{app_type=\"etl\",team=\"blue\",namespace=\"jobs\"} 1");
	assert_shows(f, "spark_application_state{namespace=\"jobs\",state=\"RUNNING\"} 1");
	json_set_str(f->labels, "namespace", "mine");
	put_app(f, "jobs", "u", "COMPLETED", 1, 1);
	assert_shows(f, "my_spark_application_success_count{app_type=\"Unknown\",team=\"blue\",namespace=\"mine\"} 1");
}

static void test_buckets(void **state)
{
	static const double bounds[] = { 0.25, 4 };
	const struct app_metrics_options options = { .submit_buckets = { bounds, array_len(bounds) } };
	struct fixture *f = *state;

	start(f, &options, "jobs");
	assert_shows(f, "spark_application_submit_latency_seconds_histogram_bucket{namespace=\"jobs\",le=\"0.25\"} 0");
	assert_false(
	    shows(f, "spark_application_submit_latency_seconds_histogram_bucket{namespace=\"jobs\",le=\"0.5\"} 0"));
	assert_shows(f, "spark_application_start_latency_seconds_histogram_bucket{namespace=\"jobs\",le=\"270\"} 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life_of_an_application, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart_counts_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_executors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gauges_fall_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_executors_without_applications, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreadable_application, setup, teardown),
		cmocka_unit_test_setup_teardown(test_recreated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_summary_beside_histogram, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shown_from_the_start, setup, teardown),
		cmocka_unit_test_setup_teardown(test_labels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_buckets, setup, teardown),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
