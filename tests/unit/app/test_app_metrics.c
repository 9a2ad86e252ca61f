/* Counters move on transitions that were seen, gauges say what is there now. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "app_metrics.h"
#include "base/mem.h"
#include "process_metrics.h"
#include "spark/app.h"
#include "spark/pod.h"

enum { CREATED_S = 1000, NOW_S = 1012 };

struct fixture {
	struct metrics *metrics;
	struct store *apps;
	struct store *pods;
	struct app_metrics *app_metrics;
	int version;
};

static void on_app(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct fixture *f = arg;

	app_metrics_app_changed(f->app_metrics, before, now, NOW_S * 1000);
}

static void on_pod(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct fixture *f = arg;

	app_metrics_pod_changed(f->app_metrics, before, now);
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->metrics = metrics_new();
	f->apps = store_new(&app_kind);
	f->pods = store_new(&pod_kind);
	f->app_metrics = app_metrics_new(f->metrics, f->apps, f->pods);
	store_on_change(f->apps, on_app, f);
	store_on_change(f->pods, on_pod, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	app_metrics_free(f->app_metrics);
	metrics_free(f->metrics);
	store_free(f->apps);
	store_free(f->pods);
	free(f);
	return 0;
}

static struct json *object(struct fixture *f, const char *ns, const char *name, const char *uid)
{
	struct json *tree = json_new_object(), *metadata = json_ensure_object(tree, "metadata");

	json_set_str(metadata, "namespace", ns);
	json_set_str(metadata, "name", name);
	json_set_str(metadata, "uid", uid);
	json_setf(metadata, "resourceVersion", "%d", ++f->version);
	json_set_str(metadata, "creationTimestamp", "1970-01-01T00:16:40Z");
	return tree;
}

static void put(struct store *s, struct json *tree)
{
	struct err err = { 0 };
	struct kobj *o = kobj_new(store_kind(s), tree, &err);

	assert_non_null(o);
	store_upsert(s, o);
}

/* submitted at 1002, ended at 1009 */
static void put_app(struct fixture *f, const char *ns, const char *uid, const char *app_state, int submissions,
		    int runs)
{
	struct json *tree = object(f, ns, "pi", uid), *status = json_ensure_object(tree, "status");

	json_set_str(json_ensure_object(status, "applicationState"), "state", app_state);
	json_set_i64(status, "submissionAttempts", submissions);
	json_set_i64(status, "executionAttempts", runs);
	json_set_str(status, "lastSubmissionAttemptTime", "1970-01-01T00:16:42Z");
	json_set_str(status, "terminationTime", "1970-01-01T00:16:49Z");
	put(f->apps, tree);
}

static void put_pod(struct fixture *f, const char *name, const char *role, const char *phase)
{
	struct json *tree = object(f, "jobs", name, name);

	json_set_str(json_ensure_object(json_get(tree, "metadata"), "labels"), LABEL_SPARK_ROLE, role);
	json_set_str(json_ensure_object(tree, "status"), "phase", phase);
	put(f->pods, tree);
}

static bool shows(struct fixture *f, const char *line)
{
	auto_free char *want = xasprintf("\n%s\n", line);
	auto_buf text;

	buf_init(&text, 1 << 20);
	metrics_write(f->metrics, &text);
	return strstr(buf_str(&text), want) != NULL;
}

static double counter(const struct fixture *f, const char *name)
{
	const char *const jobs[] = { "jobs", NULL };

	return metric_get(metrics_find(f->metrics, name), jobs);
}

#define assert_counter(f, name, want) assert_true(counter(f, name) == (want))

static void test_life_of_an_application(void **state)
{
	struct fixture *f = *state;

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

	put_pod(f, "e1", "executor", "Running");
	assert_true(shows(f, "spark_executor_running_count{namespace=\"jobs\"} 1"));
	store_remove(f->pods, "jobs/e1");
	assert_true(shows(f, "spark_executor_running_count{namespace=\"jobs\"} 0"));
}

static void test_unreadable_application(void **state)
{
	struct fixture *f = *state;

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

	put_app(f, "jobs", "u", "RUNNING", 1, 1);
	put_app(f, "jobs", "v", "", 0, 0);
	assert_counter(f, "spark_application_count", 1);
	put_app(f, "jobs", "w", "FAILED", 1, 1);
	assert_counter(f, "spark_application_failure_count", 0);
	assert_counter(f, "spark_application_submit_count", 0);
}

static void test_process(void **state)
{
	struct metrics *m = metrics_new();
	struct process_metrics *p = process_metrics_new(m, 1500);
	auto_buf text;

	(void)state;
	buf_init(&text, 1 << 20);
	metrics_write(m, &text);
	assert_true(metric_get(metrics_find(m, "process_start_time_seconds"), NULL) == 1.5);
	assert_true(metric_get(metrics_find(m, "process_resident_memory_bytes"), NULL) > 1 << 20);
	assert_true(metric_get(metrics_find(m, "process_virtual_memory_bytes"), NULL) >=
		    metric_get(metrics_find(m, "process_resident_memory_bytes"), NULL));
	assert_true(metric_get(metrics_find(m, "process_open_fds"), NULL) >= 3);
	assert_true(metric_get(metrics_find(m, "process_max_fds"), NULL) >= 3);
	assert_true(metric_get(metrics_find(m, "process_cpu_seconds_total"), NULL) >= 0);
	process_metrics_free(p);
	metrics_free(m);
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
		cmocka_unit_test(test_process),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
