/* The pod view: what is taken from a Pod, and that no shape of it is too odd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "parse.h"
#include "spark/pod.h"

#define DRIVER_TEXT                                                                                                    \
	"{\"metadata\":{\"namespace\":\"jobs\",\"name\":\"pi-driver\",\"uid\":\"u1\",\"resourceVersion\":\"5\","       \
	"\"creationTimestamp\":\"2026-01-02T03:04:05Z\",\"labels\":{\"sparkoperator.k8s.io/app-name\":\"pi\","         \
	"\"sparkoperator.k8s.io/"                                                                                      \
	"submission-id\":\"sub\",\"spark-role\":\"driver\",\"spark-app-selector\":\"spark-1\"},"                       \
	"\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"x\",\"uid\":\"no\"},"                 \
	"{\"apiVersion\":\"sparkoperator.k8s.io/"                                                                      \
	"v1beta2\",\"kind\":\"SparkApplication\",\"name\":\"pi\",\"uid\":\"app\"}]},"
#define SPEC_TEXT "\"spec\":{\"containers\":[{\"name\":\"spark-kubernetes-driver\"},{\"name\":\"aa\"}]},"

static struct pod_view *view_of(const char *text)
{
	auto_json tree = parse(text);
	struct err err = { 0 };
	struct pod_view *v = pod_kind.view_new(tree, &err);

	assert_non_null(v);
	return v;
}

static void test_identity(void **state)
{
	struct pod_view *v = view_of(DRIVER_TEXT SPEC_TEXT "\"status\":{\"phase\":\"Pending\"}}");
	int64_t created_ms = 0;

	(void)state;
	time_parse("2026-01-02T03:04:05Z", &created_ms);
	assert_string_equal(v->ns, "jobs");
	assert_string_equal(v->name, "pi-driver");
	assert_string_equal(v->uid, "u1");
	assert_string_equal(v->app_name, "pi");
	assert_string_equal(v->submission_id, "sub");
	assert_string_equal(v->app_id, "spark-1");
	assert_string_equal(v->owner_uid, "app");
	assert_int_equal(v->role, POD_ROLE_DRIVER);
	assert_int_equal(v->phase, POD_PENDING);
	assert_int_equal(v->created_ms, created_ms);
	assert_int_equal(v->exec_id, 0);
	assert_false(v->deleting);
	assert_false(v->terminated);
	assert_string_equal(v->waiting_reason, "");
	pod_kind.view_free(v);
}

static void test_spark_container(void **state)
{
	struct pod_view *v =
	    view_of(DRIVER_TEXT SPEC_TEXT
		    "\"status\":{\"phase\":\"Running\",\"containerStatuses\":["
		    "{\"name\":\"aa\",\"state\":{\"terminated\":{\"exitCode\":3,\"reason\":\"Error\"}}},"
		    "{\"name\":\"spark-kubernetes-driver\",\"state\":{\"terminated\":{\"exitCode\":137,"
		    "\"reason\":\"OOMKilled\",\"message\":\"m\",\"finishedAt\":\"1970-01-01T00:00:01Z\"}}}]}}");

	(void)state;
	assert_string_equal(v->container, "spark-kubernetes-driver");
	assert_true(v->terminated);
	assert_int_equal(v->exit_code, 137);
	assert_string_equal(v->term_reason, "OOMKilled");
	assert_string_equal(v->term_message, "m");
	assert_int_equal(v->finished_ms, 1000);
	assert_int_equal(v->started_ms, 0);
	assert_string_equal(v->failed_container, "aa");
	assert_int_equal(v->failed_exit_code, 3);
	assert_string_equal(v->failed_reason, "Error");
	pod_kind.view_free(v);
}

static void test_times(void **state)
{
	struct pod_view *v =
	    view_of(DRIVER_TEXT SPEC_TEXT "\"status\":{\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"True\","
					  "\"lastTransitionTime\":\"1970-01-01T00:00:02Z\"}],\"containerStatuses\":["
					  "{\"name\":\"spark-kubernetes-driver\",\"state\":{\"running\":"
					  "{\"startedAt\":\"1970-01-01T00:00:03Z\"}}}]}}");

	(void)state;
	assert_int_equal(v->scheduled_ms, 2000);
	assert_int_equal(v->started_ms, 3000);
	assert_string_equal(v->unschedulable, "");
	pod_kind.view_free(v);
	v = view_of(DRIVER_TEXT SPEC_TEXT
		    "\"status\":{\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"False\","
		    "\"lastTransitionTime\":\"1970-01-01T00:00:02Z\"}],\"containerStatuses\":["
		    "{\"name\":\"spark-kubernetes-driver\",\"state\":{\"terminated\":{\"exitCode\":0,"
		    "\"startedAt\":\"1970-01-01T00:00:04Z\"}}}]}}");
	assert_int_equal(v->scheduled_ms, 0);
	assert_int_equal(v->started_ms, 4000);
	pod_kind.view_free(v);
}

/* Spark's own, which every pod has, are not kept. */
static void test_labels(void **state)
{
	struct pod_view *v = view_of(JSON({
		"metadata" : {
			"name" : "e",
			"labels" : {
				"spark-role" : "executor",
				"team" : "a",
				"sparkoperator.k8s.io/app-name" : "pi",
				"odd" : 7
			}
		}
	}));

	(void)state;
	assert_int_equal(v->labels.len, 4);
	assert_string_equal(v->labels.items[0], "team");
	assert_string_equal(v->labels.items[1], "a");
	assert_string_equal(v->labels.items[2], "odd");
	assert_string_equal(v->labels.items[3], "");
	pod_kind.view_free(v);
	v = view_of(JSON({ "metadata" : { "name" : "e", "labels" : ["team"] } }));
	assert_int_equal(v->labels.len, 0);
	pod_kind.view_free(v);
}

#define SIDECARS_TEXT                                                                                                  \
	"\"spec\":{\"nodeName\":\"node-1\",\"containers\":[{\"name\":\"spark-kubernetes-driver\"},{\"name\":\"aa\"},"  \
	"{\"name\":\"again\",\"restartPolicy\":\"Always\"}],\"initContainers\":[{\"name\":\"fetch\"},"                 \
	"{\"name\":\"native\",\"restartPolicy\":\"Always\"}]},"
#define DONE_TEXT(name, code)                                                                                          \
	"{\"name\":\"" name "\",\"state\":{\"terminated\":{\"exitCode\":" code                                         \
	",\"finishedAt\":\"1970-01-01T00:00:05Z\"}}}"

/* An init container ends before the others begin, and what the kubelet starts again has not ended. */
static void test_sidecars_that_ended(void **state)
{
	static const struct {
		const char *init;
		const char *containers;
		const char *failed;
		const char *ended;
	} rows[] = {
		{ DONE_TEXT("fetch", "0"), DONE_TEXT("aa", "0"), "", "aa" },
		{ DONE_TEXT("fetch", "0"), DONE_TEXT("aa", "3"), "aa", "" },
		{ DONE_TEXT("fetch", "3"), DONE_TEXT("aa", "0"), "fetch", "aa" },
		{ DONE_TEXT("native", "0"), DONE_TEXT("again", "0"), "", "" },
		{ DONE_TEXT("native", "3"), DONE_TEXT("again", "3"), "", "" },
		{ DONE_TEXT("fetch", "0"), DONE_TEXT("spark-kubernetes-driver", "0"), "", "" },
		{ DONE_TEXT("fetch", "0"), "{\"name\":\"aa\",\"state\":{\"running\":{}}}", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *text = xasprintf(
		    DRIVER_TEXT SIDECARS_TEXT "\"status\":{\"initContainerStatuses\":[%s],\"containerStatuses\":[%s]}}",
		    rows[i].init, rows[i].containers);
		struct pod_view *v = view_of(text);

		assert_string_equal(v->failed_container, rows[i].failed);
		assert_string_equal(v->ended_container, rows[i].ended);
		assert_int_equal(v->ended_ms, text_empty(rows[i].ended) ? 0 : 5000);
		pod_kind.view_free(v);
	}
}

static void test_lost_node(void **state)
{
	struct pod_view *v = view_of(JSON({
		"metadata" : {
			"name" : "d",
			"labels" : { "spark-role" : "driver" },
			"deletionTimestamp" : "1970-01-01T00:00:09Z"
		},
		"spec" : { "nodeName" : "node-1" },
		"status" : {
			"conditions" :
			    [ { "type" : "Ready", "status" : "False", "lastTransitionTime" : "1970-01-01T00:00:07Z" } ]
		}
	}));

	(void)state;
	assert_true(v->deleting);
	assert_int_equal(v->deletion_ms, 9000);
	assert_int_equal(v->unready_ms, 7000);
	assert_string_equal(v->node, "node-1");
	pod_kind.view_free(v);
	v = view_of(JSON({
		"metadata" : { "name" : "e", "labels" : { "spark-role" : "executor" } },
		"spec" : { "nodeName" : "node-1" },
		"status" : {
			"conditions" :
			    [ { "type" : "Ready", "status" : "True", "lastTransitionTime" : "1970-01-01T00:00:07Z" } ]
		}
	}));
	assert_int_equal(v->deletion_ms, 0);
	assert_int_equal(v->unready_ms, 0);
	assert_string_equal(v->node, "");
	pod_kind.view_free(v);
}

static void test_first_of_spec_if_renamed(void **state)
{
	struct pod_view *v = view_of(DRIVER_TEXT "\"spec\":{\"containers\":[{\"name\":\"zz\"},{\"name\":\"aa\"}]},"
						 "\"status\":{\"containerStatuses\":["
						 "{\"name\":\"aa\",\"state\":{\"terminated\":{\"exitCode\":1}}},"
						 "{\"name\":\"zz\",\"state\":{\"terminated\":{\"exitCode\":0}}}]}}");

	(void)state;
	assert_string_equal(v->container, "zz");
	assert_true(v->terminated);
	assert_int_equal(v->exit_code, 0);
	assert_string_equal(v->failed_container, "aa");
	assert_int_equal(v->phase, POD_PENDING);
	pod_kind.view_free(v);
}

static void test_end_without_code_is_no_success(void **state)
{
	struct pod_view *v =
	    view_of(DRIVER_TEXT SPEC_TEXT "\"status\":{\"containerStatuses\":[{\"name\":\"spark-kubernetes-driver\","
					  "\"state\":{\"terminated\":{\"exitCode\":\"0\"}}}]}}");

	(void)state;
	assert_true(v->terminated);
	assert_int_equal(v->exit_code, -1);
	pod_kind.view_free(v);
}

static void test_first_problem_waits(void **state)
{
	struct pod_view *v =
	    view_of(DRIVER_TEXT SPEC_TEXT
		    "\"status\":{\"phase\":\"Pending\",\"initContainerStatuses\":["
		    "{\"name\":\"ok\",\"state\":{\"waiting\":{\"reason\":\"PodInitializing\"}}},"
		    "{\"name\":\"i\",\"image\":\"img\",\"state\":{\"waiting\":{\"reason\":\"ErrImagePull\","
		    "\"message\":\"why\"}}}],\"containerStatuses\":[{\"name\":\"spark-kubernetes-driver\","
		    "\"state\":{\"waiting\":{\"reason\":\"CreateContainerError\"}}}]}}");

	(void)state;
	assert_string_equal(v->waiting_container, "i");
	assert_string_equal(v->waiting_reason, "ErrImagePull");
	assert_string_equal(v->waiting_message, "why");
	assert_string_equal(v->waiting_image, "img");
	pod_kind.view_free(v);
}

static void test_conditions(void **state)
{
	struct pod_view *v =
	    view_of(DRIVER_TEXT SPEC_TEXT
		    "\"status\":{\"phase\":\"Pending\",\"conditions\":["
		    "{\"type\":\"PodScheduled\",\"status\":\"False\",\"reason\":\"Unschedulable\",\"message\":\"no\"},"
		    "{\"type\":\"DisruptionTarget\",\"status\":\"True\",\"reason\":\"PreemptionByScheduler\","
		    "\"message\":\"gone\"}]}}");

	(void)state;
	assert_string_equal(v->unschedulable, "no");
	assert_string_equal(v->reason, "PreemptionByScheduler");
	assert_string_equal(v->message, "gone");
	pod_kind.view_free(v);
	v = view_of(
	    DRIVER_TEXT SPEC_TEXT
	    "\"status\":{\"reason\":\"Evicted\",\"message\":\"disk\",\"conditions\":["
	    "{\"type\":\"PodScheduled\",\"status\":\"False\",\"reason\":\"SchedulingGated\",\"message\":\"no\"},"
	    "{\"type\":\"DisruptionTarget\",\"status\":\"True\",\"reason\":\"TerminationByKubelet\"}]}}");
	assert_string_equal(v->unschedulable, "");
	assert_string_equal(v->reason, "Evicted");
	assert_string_equal(v->message, "disk");
	pod_kind.view_free(v);
	/* a disruption that did not come about, and a place that was found */
	v = view_of(DRIVER_TEXT SPEC_TEXT
		    "\"status\":{\"conditions\":["
		    "{\"type\":\"PodScheduled\",\"status\":\"True\",\"reason\":\"Unschedulable\",\"message\":\"no\"},"
		    "{\"type\":\"DisruptionTarget\",\"status\":\"False\",\"reason\":\"PreemptionByScheduler\"}]}}");
	assert_string_equal(v->unschedulable, "");
	assert_string_equal(v->reason, "");
	pod_kind.view_free(v);
}

static void test_executor(void **state)
{
	struct pod_view *v = view_of(JSON({
		"metadata" : {
			"name" : "e",
			"deletionTimestamp" : "2026-01-02T03:04:05Z",
			"labels" : { "spark-role" : "executor", "spark-exec-id" : "17" }
		},
		"spec" : { "containers" : [ { "name" : "x" }, { "name" : "executor" } ] },
		"status" : { "phase" : "Failed" }
	}));

	(void)state;
	assert_int_equal(v->role, POD_ROLE_EXECUTOR);
	assert_int_equal(v->exec_id, 17);
	assert_true(v->deleting);
	assert_string_equal(v->container, "executor");
	pod_kind.view_free(v);
	v = view_of(JSON({ "metadata" : { "labels" : { "spark-role" : "executor", "spark-exec-id" : "EXECID" } } }));
	assert_int_equal(v->exec_id, 0);
	assert_string_equal(v->container, "");
	pod_kind.view_free(v);
}

static void test_index(void **state)
{
	auto_json driver = parse(DRIVER_TEXT SPEC_TEXT "\"status\":{}}");
	auto_json other = parse(JSON({ "metadata" : { "namespace" : "jobs", "name" : "x" } }));
	auto_free char *key = pod_kind.index(driver);

	(void)state;
	assert_string_equal(key, "jobs/pi");
	assert_null(pod_kind.index(other));
	assert_false(pod_kind.keep_tree);
}

static void view_and_free(const struct json *tree)
{
	struct err err = { 0 };
	void *view = pod_kind.view_new(tree, &err);

	assert_non_null(view);
	pod_kind.view_free(view);
	free(pod_kind.index(tree));
}

/* Each member of a full pod in turn becomes null, a number, a text, a list, an object. */
static void mutate(struct json *root, struct json *at)
{
	static const char *const odd[] = { "null", "7", "\"odd\"", "[]", "[null,[1]]", JSON({ "a" : { "b" : 1 } }) };

	json_each (child, at) {
		auto_free char *name = xstrdup_null(json_name(child));

		mutate(root, child);
		for (size_t i = 0; name && i < array_len(odd); i++) {
			struct json *kept = json_dup(json_get(at, name));

			json_set(at, name, parse(odd[i]));
			view_and_free(root);
			child = json_set(at, name, kept);
		}
	}
}

static void test_odd_types(void **state)
{
	auto_json tree =
	    parse(DRIVER_TEXT SPEC_TEXT
		  "\"status\":{\"phase\":\"Failed\",\"reason\":\"r\",\"message\":\"m\",\"conditions\":["
		  "{\"type\":\"PodScheduled\",\"status\":\"False\",\"reason\":\"Unschedulable\",\"message\":\"no\"}],"
		  "\"initContainerStatuses\":[{\"name\":\"i\",\"state\":{\"terminated\":{\"exitCode\":1}}}],"
		  "\"containerStatuses\":[{\"name\":\"spark-kubernetes-driver\",\"image\":\"i\",\"state\":{"
		  "\"terminated\":{\"exitCode\":1,\"reason\":\"Error\",\"finishedAt\":\"2026-01-02T03:04:05Z\"},"
		  "\"waiting\":{\"reason\":\"x\",\"message\":\"y\"}}}]}}");
	auto_json empty = json_new_object();
	auto_json text = json_new_string("pod");

	(void)state;
	mutate(tree, tree);
	view_and_free(empty);
	view_and_free(text);
	pod_kind.view_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_spark_container),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_sidecars_that_ended),
		cmocka_unit_test(test_lost_node),
		cmocka_unit_test(test_first_of_spec_if_renamed),
		cmocka_unit_test(test_end_without_code_is_no_success),
		cmocka_unit_test(test_first_problem_waits),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_executor),
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_odd_types),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
