/* The names of the operator before 2.0, and when each is counted. */
#include "metrics_world.h"

static const struct app_metrics_options old_names = { .old_names = true };

static void test_only_on_request(void **state)
{
	struct fixture *f = *state;

	start_plain(f);
	put_app(f, "jobs", "u", "", 0, 0);
	assert_null(metrics_find(f->metrics, "spark_app_count"));
	assert_null(metrics_find(f->metrics, "spark_app_submit_count"));
}

/* Success is the driver's there, the application's here. */
static void test_success(void **state)
{
	struct fixture *f = *state;

	start(f, &old_names, NULL);
	put_app(f, "jobs", "u", "", 0, 0);
	assert_shows(f, "spark_app_count{namespace=\"jobs\"} 0");
	assert_shows(f, "spark_app_failed_submission_count{namespace=\"jobs\"} 0");
	put_app(f, "jobs", "u", "SUBMITTED", 1, 1);
	assert_shows(f, "spark_app_count{namespace=\"jobs\"} 1");
	assert_shows(f, "spark_app_submit_count{namespace=\"jobs\"} 1");
	put_app(f, "jobs", "u", "RUNNING", 1, 1);
	assert_shows(f, "spark_app_running_count{namespace=\"jobs\"} 1");
	assert_shows(f, "spark_app_start_latency_microseconds_sum{namespace=\"jobs\"} 12000000");
	assert_shows(f, "spark_app_start_latency_seconds_bucket{namespace=\"jobs\",le=\"30\"} 1");
	put_app(f, "jobs", "u", "SUCCEEDING", 1, 1);
	assert_shows(f, "spark_app_success_count{namespace=\"jobs\"} 1");
	assert_shows(f, "spark_application_success_count{namespace=\"jobs\"} 0");
	assert_shows(f, "spark_app_success_execution_time_microseconds_sum{namespace=\"jobs\"} 7000000");
	put_app(f, "jobs", "u", "COMPLETED", 1, 1);
	assert_shows(f, "spark_app_success_count{namespace=\"jobs\"} 1");
	assert_shows(f, "spark_app_start_latency_seconds_count{namespace=\"jobs\"} 1");
}

static void test_failure(void **state)
{
	const struct app_metrics_options options = { .old_names = true, .prefix = "my-" };
	struct fixture *f = *state;

	start(f, &options, NULL);
	put_app(f, "jobs", "u", "SUBMISSION_FAILED", 1, 0);
	put_app(f, "jobs", "u", "SUBMITTED", 2, 1);
	put_app(f, "jobs", "u", "FAILING", 2, 1);
	assert_shows(f, "my_spark_app_failure_count{namespace=\"jobs\"} 1");
	assert_shows(f, "my_spark_app_failure_execution_time_microseconds_count{namespace=\"jobs\"} 1");
	assert_shows(f, "my_spark_app_start_latency_seconds_count{namespace=\"jobs\"} 1");
	put_pod(f, "e1", "executor", "Running");
	assert_shows(f, "my_spark_app_executor_running_count{namespace=\"jobs\"} 1");
	put_pod(f, "e1", "executor", "Failed");
	assert_shows(f, "my_spark_app_executor_failure_count{namespace=\"jobs\"} 1");
	assert_shows(f, "my_spark_app_executor_success_count{namespace=\"jobs\"} 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_only_on_request, setup, teardown),
		cmocka_unit_test_setup_teardown(test_success, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failure, setup, teardown),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
