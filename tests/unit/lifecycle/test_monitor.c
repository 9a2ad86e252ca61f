/* States and sentences of the pod monitor: a pod's status in, one row per shape of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "monitor.h"

/* status: JSON with ' for ". The Spark container is called spark. */
static struct pod_view *pod_of(const char *status, bool deleting)
{
	auto_free char *text =
	    xasprintf("{'metadata':{'name':'p'%s},'spec':{'containers':[{'name':'spark'}]},'status':{%s}}",
		      deleting ? ",'deletionTimestamp':'2026-01-02T03:04:05Z'" : "", status);
	auto_json tree = NULL;
	struct err err = { 0 };

	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	tree = json_parse(text, strlen(text), &err);
	if (!tree)
		fail_msg("%s: %s", text, err.msg);
	return pod_kind.view_new(tree, &err);
}

enum { SECOND_MS = 1000 };

/* The moment of deletion in pod_of(). */
static const int64_t NOW_MS = 1767323045LL * SECOND_MS;

static char *message_of(const struct pod_view *driver, int64_t now_ms)
{
	const struct driver_look look = { driver, false, now_ms };

	return monitor_driver_message(&look);
}

#define ENDED(code, reason)                                                                                            \
	"'containerStatuses':[{'name':'spark','state':{'terminated':{'exitCode':" code ",'reason':'" reason "'}}}]"
#define SIDECAR(code)                                                                                                  \
	"'phase':'Running','containerStatuses':[{'name':'proxy','state':{'terminated':{'exitCode':" code               \
	",'finishedAt':'2026-01-02T03:04:05Z'}}}]"
#define WAITING(reason, message)                                                                                       \
	"'phase':'Pending','containerStatuses':[{'name':'spark','image':'i:1','state':{'waiting':{'reason':'" reason   \
	"','message':'" message "'}}}]"

static void test_driver(void **state)
{
	static const struct {
		const char *status;
		bool deleting;
		enum driver_state state;
		const char *message;
	} rows[] = {
		{ "'phase':'Pending'", false, DRIVER_PENDING, "" },
		{ "'phase':'Pending'", true, DRIVER_PENDING, "" },
		{ "'phase':'Running'", false, DRIVER_RUNNING, "" },
		{ "'phase':'Succeeded'", false, DRIVER_COMPLETED, "" },
		{ "", false, DRIVER_PENDING, "" },
		{ "'phase':'Unknown'", false, DRIVER_UNKNOWN,
		  "driver pod p is in an unknown state, its node may be lost" },
		{ "'phase':'Pending','conditions':[{'type':'PodScheduled','status':'False','reason':'Unschedulable',"
		  "'message':'0/3 nodes'}]",
		  false, DRIVER_PENDING, "driver pod p cannot be scheduled: 0/3 nodes" },
		{ WAITING("ContainerCreating", ""), false, DRIVER_PENDING, "" },
		{ WAITING("ErrImagePull", "not found"), false, DRIVER_PENDING,
		  "driver pod p: container spark cannot start: ImagePullBackOff: image \"i:1\": not found" },
		{ WAITING("ImagePullBackOff", "Back-off pulling image i:1: ErrImagePull: not found"), false,
		  DRIVER_PENDING,
		  "driver pod p: container spark cannot start: ImagePullBackOff: image \"i:1\": not found" },
		{ WAITING("ImagePullBackOff", "Back-off pulling image i:1"), false, DRIVER_PENDING,
		  "driver pod p: container spark cannot start: ImagePullBackOff: image \"i:1\"" },
		{ WAITING("InvalidImageName", ""), false, DRIVER_PENDING,
		  "driver pod p: container spark cannot start: InvalidImageName" },
		{ "'phase':'Running'", true, DRIVER_RUNNING, "driver pod p is being deleted" },
		{ "'phase':'Running','reason':'NodeLost','message':'gone'", false, DRIVER_RUNNING,
		  "driver pod p is in trouble: NodeLost: gone; its node does not answer" },
		{ "'phase':'Running','containerStatuses':[{'name':'proxy','state':{'terminated':{'exitCode':2}}}]",
		  false, DRIVER_RUNNING,
		  "container proxy of driver pod p ended with ExitCode: 2, Reason: Unknown: while the pod is not ready "
		  "new executors cannot find the driver; a container that may end belongs into initContainers with "
		  "restartPolicy Always" },
		{ "'phase':'Running'," ENDED("0", "Completed"), false, DRIVER_COMPLETED, "" },
		{ "'phase':'Failed'," ENDED("0", "Completed"), false, DRIVER_COMPLETED, "" },
		{ "'phase':'Running'," ENDED("1", "Error"), false, DRIVER_FAILED,
		  "driver container failed with ExitCode: 1, Reason: Error (container spark)" },
		{ "'phase':'Failed'," ENDED("1", ""), false, DRIVER_FAILED,
		  "driver container failed with ExitCode: 1, Reason: Unknown (container spark)" },
		{ "'phase':'Failed'," ENDED("137", "OOMKilled"), false, DRIVER_FAILED,
		  "driver container failed with ExitCode: 137, Reason: OOMKilled (container spark); raise "
		  "spec.driver.memoryOverhead or spec.driver.memory" },
		{ "'phase':'Failed','reason':'Preempting','message':'make room'," ENDED("143", "Error"), true,
		  DRIVER_FAILED,
		  "driver container failed with ExitCode: 143, Reason: Error (container spark); driver pod p was being "
		  "deleted: Preempting: make room" },
		{ "'phase':'Failed'," ENDED("11", "Error"), false, DRIVER_FAILED,
		  "driver container failed with ExitCode: 11, Reason: Error (container spark); from Spark 3.5 on, "
		  "exit code 11 means that more executors have failed than spark.executor.maxNumFailures allows: see "
		  "the events SparkExecutorFailed" },
		{ "'phase':'Failed','reason':'Evicted','message':'disk'", false, DRIVER_FAILED,
		  "driver pod failed: Evicted: disk" },
		{ "'phase':'Failed','initContainerStatuses':[{'name':'fetch','state':{'terminated':{'exitCode':9,"
		  "'reason':'Error'}}}]",
		  false, DRIVER_FAILED,
		  "driver pod failed: container fetch failed with ExitCode: 9, Reason: Error, before the driver could "
		  "start" },
		{ "'phase':'Failed'", false, DRIVER_FAILED, "driver pod failed: driver container status missing" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct pod_view *pod = pod_of(rows[i].status, rows[i].deleting);
		auto_free char *message = message_of(pod, NOW_MS);

		assert_int_equal(monitor_driver_state(pod), rows[i].state);
		assert_string_equal(message, rows[i].message);
		pod_kind.view_free(pod);
	}
}

static void test_executor(void **state)
{
	static const struct {
		const char *status;
		bool deleting;
		const char *running; /* while the application runs */
		const char *ending;  /* when it has succeeded */
	} rows[] = {
		{ "'phase':'Pending'", false, "PENDING", "PENDING" },
		{ "'phase':'Running'", false, "RUNNING", "RUNNING" },
		{ "'phase':'Succeeded'", false, "COMPLETED", "COMPLETED" },
		{ "'phase':'Failed'", false, "FAILED", "FAILED" },
		{ "'phase':'Unknown'", false, "UNKNOWN", "UNKNOWN" },
		{ "'phase':'Running'," ENDED("0", "Completed"), false, "COMPLETED", "COMPLETED" },
		{ "'phase':'Failed'," ENDED("1", "Error"), false, "FAILED", "FAILED" },
		{ "'phase':'Failed'," ENDED("1", "Error"), true, "FAILED", "FAILED" },
		{ "'phase':'Failed'," ENDED("143", "Error"), false, "FAILED", "COMPLETED" },
		{ "'phase':'Failed'," ENDED("143", "Error"), true, "RUNNING", "COMPLETED" },
		{ "'phase':'Failed'," ENDED("137", "Error"), true, "RUNNING", "COMPLETED" },
		{ "'phase':'Failed'," ENDED("137", "Error"), false, "FAILED", "FAILED" },
		{ "'phase':'Failed'," ENDED("137", "OOMKilled"), true, "FAILED", "FAILED" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct pod_view *pod = pod_of(rows[i].status, rows[i].deleting);

		assert_string_equal(monitor_executor_state(pod, false), rows[i].running);
		assert_string_equal(monitor_executor_state(pod, true), rows[i].ending);
		pod_kind.view_free(pod);
	}
}

static void test_executor_failure(void **state)
{
	static const char *const rows[][2] = {
		{ "'message':'m'," ENDED("137", "OOMKilled"),
		  "Executor p failed with ExitCode: 137, Reason: OOMKilled, Pod Message: m" },
		{ ENDED("1", ""), "Executor p failed with ExitCode: 1, Reason: Unknown" },
		{ "", "Executor p failed with ExitCode: -1, Reason: Unknown (Container not Found)" },
		{ "'reason':'Evicted','message':'disk'",
		  "Executor p failed with ExitCode: -1, Reason: Evicted, Pod Message: disk" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct pod_view *pod = pod_of(rows[i][0], false);
		auto_free char *message = monitor_executor_failure(pod);

		assert_string_equal(message, rows[i][1]);
		pod_kind.view_free(pod);
	}
}

static void test_long_texts(void **state)
{
	auto_free char *x = xcalloc(5001, 1);
	auto_free char *status = NULL;
	auto_free char *driver = NULL;
	auto_free char *executor = NULL;
	struct pod_view *pod;

	(void)state;
	memset(x, 'x', 5000);
	status = xasprintf("'phase':'Failed','reason':'%s','message':'%s'," ENDED("1", "%s"), x, x, x);
	pod = pod_of(status, false);
	driver = message_of(pod, NOW_MS);
	executor = monitor_executor_failure(pod);
	assert_true(strlen(driver) <= 8192);
	assert_true(text_starts(executor, "Executor p failed with ExitCode: 1, Reason: xxx"));
	pod_kind.view_free(pod);
}

/* Time passes, and the pod stays as it is. */
static void test_what_only_time_shows(void **state)
{
	static const struct {
		const char *status;
		bool deleting;
		bool finds_unready;
		int64_t later_ms;
		int64_t next_ms;
		const char *begin; /* of the message */
	} rows[] = {
		{ "'phase':'Running'", true, false, 59999, 1, "driver pod p is being deleted" },
		{ "'phase':'Running'", true, false, 60000, -1,
		  "driver pod p should have ended by 2026-01-02T03:04:05Z, but is still there" },
		{ "'phase':'Pending'", true, false, 60000, -1, "driver pod p should have ended by " },
		{ "'phase':'Unknown'", true, false, 60000, -1, "driver pod p should have ended by " },
		{ "'phase':'Running'," ENDED("1", "Error"), true, false, 60000, -1,
		  "driver container failed with ExitCode: 1" },
		{ SIDECAR("0"), false, false, 9999, 1, "" },
		{ SIDECAR("0"), false, false, 10000, -1, "container proxy of driver pod p ended with ExitCode: 0: " },
		{ SIDECAR("0"), false, true, 10000, -1, "" },
		{ SIDECAR("7"), false, false, 0, -1, "container proxy of driver pod p ended with ExitCode: 7" },
		{ SIDECAR("7"), false, true, 0, -1, "" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct pod_view *pod = pod_of(rows[i].status, rows[i].deleting);
		const struct driver_look look = { pod, rows[i].finds_unready, NOW_MS + rows[i].later_ms };
		auto_free char *message = monitor_driver_message(&look);

		assert_int_equal(monitor_driver_next_ms(&look), rows[i].next_ms);
		if (!text_starts(message, rows[i].begin) || text_empty(message) != text_empty(rows[i].begin))
			fail_msg("row %zu: %s", i, message);
		assert_int_equal(monitor_driver_is_stuck(pod, look.now_ms), strstr(message, "should have") != NULL);
		pod_kind.view_free(pod);
	}
}

static char text_p[] = "p", text_ns[] = "jobs", text_node[] = "node-1", text_none[] = "";

static void test_node_is_named(void **state)
{
	struct pod_view pod = {
		.name = text_p, .ns = text_ns, .node = text_node, .reason = text_none, .message = text_none
	};
	struct driver_look look = { &pod, false, NOW_MS };
	auto_free char *unknown = NULL, *stuck = NULL;

	(void)state;
	pod.phase = POD_UNKNOWN;
	pod.unready_ms = NOW_MS;
	unknown = monitor_driver_message(&look);
	assert_string_equal(unknown, "driver pod p is in an unknown state since 2026-01-02T03:04:05Z, its node node-1 "
				     "may be lost");
	pod.deletion_ms = NOW_MS;
	look.now_ms += 60 * SECOND_MS;
	stuck = monitor_driver_message(&look);
	assert_string_equal(stuck, "driver pod p should have ended by 2026-01-02T03:04:05Z, but "
				   "its node node-1 does not confirm that: if the node is off, taint it with "
				   "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute, or run kubectl delete "
				   "pod -n jobs p --force --grace-period=0; until then the driver may still run");
}

static void test_slow_start(void **state)
{
	struct pod_view pod = { .name = text_p, .created_ms = NOW_MS };
	struct driver_look look = { &pod, false, NOW_MS + 59 * SECOND_MS };
	auto_free char *early = monitor_driver_message(&look), *late = NULL, *executor = NULL;

	(void)state;
	assert_string_equal(early, "");
	assert_int_equal(monitor_driver_next_ms(&look), SECOND_MS);
	look.now_ms += SECOND_MS;
	late = monitor_driver_message(&look);
	assert_true(text_starts(late, "driver pod p has not started within 60 s: "));
	assert_int_equal(monitor_driver_next_ms(&look), -1);
	pod.role = POD_ROLE_EXECUTOR;
	executor = monitor_pending_message(&pod, look.now_ms);
	assert_true(text_starts(executor, "executor pod p has not started within 60 s: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_driver),
		cmocka_unit_test(test_executor),
		cmocka_unit_test(test_executor_failure),
		cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_what_only_time_shows),
		cmocka_unit_test(test_node_is_named),
		cmocka_unit_test(test_slow_start),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
