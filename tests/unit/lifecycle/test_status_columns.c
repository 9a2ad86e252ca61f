/*
 * The fields behind the columns of `kubectl get sparkapp`: what they say, and that they cost no write.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "parse.h"
#include "status.h"

/* A member of the status that becomes of `status`, after `patch` of what reconcile sets; "" if it is not there.
 * Owned. */
static char *column(const char *name, const char *spec, const char *status, const char *patch, enum app_state before,
		    enum app_state state, const struct pod_view *driver)
{
	auto_free char *text = xasprintf("{\"spec\": %s, \"status\": %s}", spec, status);
	auto_json tree = parse(text);
	auto_json more = parse(patch);
	const struct app app = {
		.tree = tree,
		.status = json_get(tree, "status"),
		.state = (int)before,
		.error_message = json_str(tree, "status.applicationState.errorMessage", NULL),
	};
	struct status s;
	char *got;

	status_init(&s, &app, 0);
	json_merge_apply(s.tree, more);
	status_set_columns(&s, state, driver);
	got = xstrdup(json_str(s.tree, name, ""));
	status_done(&s);
	return got;
}

/* ---- executors ---- */

#define EXECUTORS "{\"executorState\": {\"a\": \"RUNNING\", \"b\": \"RUNNING\", \"c\": \"PENDING\", \"d\": \"FAILED\"}}"

static void check_executors(const char *spec, enum app_state state, const char *want)
{
	auto_free char *got =
	    column("executors", spec, JSON({ "executors" : "9/9" }), EXECUTORS, APP_RUNNING, state, NULL);

	assert_string_equal(got, want);
}

static void test_executors(void **state)
{
	(void)state;
	check_executors(JSON({ "executor" : { "instances" : 5 } }), APP_RUNNING, "2/5");
	check_executors(JSON({ "executor" : { "instances" : 5 } }), APP_SUBMITTED, "2/5");
	check_executors(JSON({ "executor" : { "instances" : 5 } }), APP_UNKNOWN, "2/5");
	check_executors("{}", APP_RUNNING, "2/1");
	check_executors(JSON({ "sparkConf" : { "spark.executor.instances" : "7" } }), APP_RUNNING, "2/7");
	check_executors(JSON({ "executor" : { "instances" : 5 }, "dynamicAllocation" : { "enabled" : true } }),
			APP_RUNNING, "2/3");
	check_executors(JSON({ "executor" : { "instances" : 5 } }), APP_SUCCEEDING, "");
	check_executors(JSON({ "executor" : { "instances" : 5 } }), APP_FAILED, "");
}

/* Of a spec that was edited, what was recorded before the edit counts. */
static void check_edited(const char *spec, const char *stored, const char *want)
{
	auto_free char *text = xasprintf("{\"spec\": %s, \"status\": %s}", spec, stored);
	auto_json tree = parse(text);
	auto_json more = parse(EXECUTORS);
	const struct app app = { .tree = tree, .status = json_get(tree, "status"), .state = APP_RUNNING };
	struct status s;

	status_init(&s, &app, 0);
	s.is_edited = true;
	json_merge_apply(s.tree, more);
	status_set_columns(&s, APP_RUNNING, NULL);
	assert_string_equal(json_str(s.tree, "executors", ""), want);
	status_done(&s);
}

static void test_executors_of_edited_spec(void **state)
{
	(void)state;
	check_edited(JSON({ "executor" : { "instances" : 5 } }), JSON({ "executors" : "9/9" }), "2/9");
	check_edited(JSON({ "executor" : { "instances" : 5 } }), "{}", "2/3");
	check_edited(JSON({ "executor" : { "instances" : 5 } }), JSON({ "executors" : "0/0" }), "2/3");
	check_edited(JSON({ "executor" : { "instances" : 5 } }), JSON({ "executors" : "odd" }), "2/3");
	check_edited(JSON({ "dynamicAllocation" : { "enabled" : true } }), JSON({ "executors" : "9/9" }), "2/3");
}

/* ---- duration ---- */

static void check_duration(const char *begin, const char *end, const char *want)
{
	auto_free char *status = xasprintf("{\"lastSubmissionAttemptTime\": \"%s\"}", begin);
	auto_free char *patch = xasprintf("{\"terminationTime\": \"%s\"}", end);
	auto_free char *got = column("duration", "{}", status, patch, APP_RUNNING, APP_SUCCEEDING, NULL);

	assert_string_equal(got, want);
}

static void test_duration(void **state)
{
	(void)state;
	check_duration("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "0s");
	check_duration("2026-01-01T00:00:00Z", "2026-01-01T00:00:59Z", "59s");
	check_duration("2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", "1m0s");
	check_duration("2026-01-01T00:00:00Z", "2026-01-01T00:03:12Z", "3m12s");
	check_duration("2026-01-01T00:00:00Z", "2026-01-01T00:59:59Z", "59m59s");
	check_duration("2026-01-01T00:00:00Z", "2026-01-01T02:05:59Z", "2h5m");
	check_duration("2026-01-01T00:00:00Z", "2026-01-05T03:59:00Z", "4d3h");
	check_duration("2026-01-01T00:00:05Z", "2026-01-01T00:00:00Z", "0s"); /* clocks differ */
	check_duration("", "2026-01-01T00:00:00Z", "");
}

/* Of a run that is not over there is none. */
static void test_duration_removed(void **state)
{
	auto_free char *got =
	    column("duration", "{}", JSON({ "duration" : "5s", "terminationTime" : "2026-01-01T00:00:00Z" }),
		   JSON({ "terminationTime" : null }), APP_FAILED, APP_NEW, NULL);

	(void)state;
	assert_string_equal(got, "");
}

/* ---- reason ---- */

/* The view owns its strings, hence no const. */
#define TEXT(text) ((char[]){ text })

static char none[] = "";
static const struct pod_view plain = {
	.reason = none,
	.unschedulable = none,
	.term_reason = none,
	.waiting_reason = none,
	.failed_container = none,
};

#define TROUBLE "{\"applicationState\": {\"errorMessage\": \"trouble\"}}"

static void check_reason(const struct pod_view *driver, enum app_state state, const char *want)
{
	auto_free char *got = column("reason", "{}", "{}", TROUBLE, APP_RUNNING, state, driver);

	assert_string_equal(got, want);
}

static void test_reason_of_driver(void **state)
{
	struct pod_view pod = plain;

	(void)state;
	check_reason(&pod, APP_SUBMITTED, "NotStarted");
	pod.unschedulable = TEXT("0/3 nodes");
	check_reason(&pod, APP_SUBMITTED, "Unschedulable");
	pod.waiting_reason = TEXT("CreateContainerConfigError");
	check_reason(&pod, APP_SUBMITTED, "CreateContainerConfigError");
	pod.waiting_reason = TEXT("ErrImagePull");
	check_reason(&pod, APP_SUBMITTED, "ImagePullBackOff");
	pod = plain;
	pod.phase = POD_RUNNING;
	check_reason(&pod, APP_RUNNING, "SidecarFailed");
	pod.deleting = true;
	check_reason(&pod, APP_RUNNING, "DriverDeleted");
	pod.reason = TEXT("PreemptionByScheduler");
	check_reason(&pod, APP_RUNNING, "PreemptionByScheduler");
	pod = plain;
	pod.phase = POD_UNKNOWN;
	check_reason(&pod, APP_UNKNOWN, "DriverUnknown");
	pod.reason = TEXT("NodeLost");
	check_reason(&pod, APP_UNKNOWN, "NodeLost");
}

static void test_reason_of_failure(void **state)
{
	struct pod_view pod = plain;

	(void)state;
	pod.phase = POD_FAILED;
	check_reason(&pod, APP_FAILING, "DriverFailed");
	pod.failed_container = TEXT("init");
	check_reason(&pod, APP_FAILING, "InitContainerFailed");
	pod.terminated = true;
	pod.exit_code = 101;
	check_reason(&pod, APP_FAILING, "ExitCode:101");
	pod.term_reason = TEXT("Error");
	check_reason(&pod, APP_FAILING, "ExitCode:101");
	pod.term_reason = TEXT("OOMKilled");
	check_reason(&pod, APP_FAILING, "OOMKilled");
	pod.deleting = true;
	check_reason(&pod, APP_FAILING, "DriverDeleted");
	pod.reason = TEXT("Evicted");
	check_reason(&pod, APP_FAILING, "Evicted");
}

static void test_reason_without_driver(void **state)
{
	(void)state;
	check_reason(NULL, APP_NEW, "Refused");
	check_reason(NULL, APP_SUBMISSION_FAILED, "SubmissionFailed");
	check_reason(NULL, APP_FAILING, "DriverNotFound");
	check_reason(NULL, APP_FAILED, "SubmissionFailed"); /* never executed */
	check_reason(NULL, APP_SUSPENDED, "Unsupported");
	check_reason(NULL, APP_SUBMITTED, "DriverUnseen");
	check_reason(NULL, APP_RUNNING, "DriverUnseen");
	check_reason(NULL, APP_UNKNOWN, "DriverUnseen");
}

/* As long as nothing is submitted, it is that of the condition Submitted. */
static void test_reason_of_refusal(void **state)
{
	static const char *const reasons[] = { "Refused", "NameInUse", "Retrying" };

	(void)state;
	for (size_t i = 0; i < array_len(reasons); i++) {
		auto_free char *patch = xasprintf("{\"applicationState\": {\"errorMessage\": \"trouble\"},"
						  " \"conditions\": [{\"type\": \"Submitted\", \"reason\": \"%s\"}]}",
						  reasons[i]);
		auto_free char *got = column("reason", "{}", "{}", patch, APP_NEW, APP_NEW, NULL);

		assert_string_equal(got, reasons[i]);
	}
}

#define TOLD "{\"reason\": \"ImagePullBackOff\", \"applicationState\": {\"errorMessage\": \"trouble\"}}"

/* As long as the message stands, and gone with it. */
static void test_reason_steady(void **state)
{
	struct pod_view pod = plain;
	auto_free char *same = NULL, *other = NULL, *over = NULL;

	(void)state;
	same = column("reason", "{}", TOLD, JSON({ "submissionID" : "x" }), APP_SUBMITTED, APP_SUBMITTED, &pod);
	assert_string_equal(same, "ImagePullBackOff");
	other = column("reason", "{}", TOLD, JSON({ "applicationState" : { "errorMessage" : "new" } }), APP_SUBMITTED,
		       APP_SUBMITTED, &pod);
	assert_string_equal(other, "NotStarted");
	over = column("reason", "{}", TOLD, JSON({ "applicationState" : { "errorMessage" : null } }), APP_SUBMITTED,
		      APP_SUBMITTED, &pod);
	assert_string_equal(over, "");
}

static void test_reason_suspended(void **state)
{
	auto_free char *got =
	    column("reason", "{}", "{}", JSON({ "conditions" : [ { "type" : "Submitted", "reason" : "Suspended" } ] }),
		   APP_NEW, APP_NEW, NULL);

	(void)state;
	assert_string_equal(got, "Suspended");
}

/* ---- no write of their own ---- */

#define COMPLETE                                                                                                       \
	"{\"applicationState\": {\"state\": \"RUNNING\", \"errorMessage\": \"trouble\"}, \"driverInfo\": {},"          \
	" \"executorState\": {\"a\": \"RUNNING\"}}"

static void test_nothing_written(void **state)
{
	auto_free char *executors = column("executors", "{}", COMPLETE, "{}", APP_RUNNING, APP_RUNNING, NULL);
	auto_free char *reason = column("reason", "{}", COMPLETE, "{}", APP_RUNNING, APP_RUNNING, NULL);
	auto_free char *ended =
	    column("reason", "{}", COMPLETE, JSON({ "submissionID" : "x" }), APP_FAILED, APP_FAILED, NULL);

	(void)state;
	assert_string_equal(executors, "");
	assert_string_equal(reason, "");
	assert_string_equal(ended, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_executors),	  cmocka_unit_test(test_duration),
		cmocka_unit_test(test_duration_removed),  cmocka_unit_test(test_reason_of_driver),
		cmocka_unit_test(test_reason_of_failure), cmocka_unit_test(test_reason_without_driver),
		cmocka_unit_test(test_reason_steady),	  cmocka_unit_test(test_reason_suspended),
		cmocka_unit_test(test_nothing_written),	  cmocka_unit_test(test_executors_of_edited_spec),
		cmocka_unit_test(test_reason_of_refusal),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
