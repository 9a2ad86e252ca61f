/*
 * Pods in trouble while an application runs: what its status and its events say, how often, and what it costs to find
 * out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/map.h"
#include "base/text.h"
#include "base/time.h"
#include "json_text.h"
#include "sim_cluster.h"
#include "spark/app.h"

#define NS   "default"
#define PODS (&resource_pod)

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, SOON_MS = 2 * SECOND_MS };

static const char *app_str(const struct sim *s, const char *path)
{
	return json_str(fake_kube_get(s->kube, &resource_sparkapplication, NS, "pi"), path, "");
}

static void expect(const struct sim *s, const char *state, const char *reason, const char *part)
{
	const char *message = app_str(s, "status.applicationState.errorMessage");

	assert_string_equal(app_str(s, "status.applicationState.state"), state);
	assert_string_equal(app_str(s, "status.reason"), reason);
	if (!strstr(message, part))
		fail_msg("\"%s\" has no \"%s\"", message, part);
}

/* How often an event with this reason was told. */
static int64_t told(const struct sim *s, const char *reason)
{
	const struct json *event;
	size_t pos = 0;
	int64_t count = 0;

	while ((event = fake_kube_next(s->kube, &resource_event, &pos)))
		if (text_eq(json_str(event, "reason", ""), reason))
			count += json_i64(event, "count", 1);
	return count;
}

/* An executor of the driver that runs, as Spark makes it. */
static void put_executor(struct sim *s, int number, const char *status)
{
	const struct json *driver = fake_kube_get(s->kube, PODS, NS, "pi-driver");
	struct json *pod = json_new_object(), *metadata = json_ensure_object(pod, "metadata");
	struct json *labels = json_set(metadata, "labels", json_dup(json_at(driver, "metadata.labels")));
	struct err err = { 0 };

	json_setf(metadata, "name", "pi-exec-%d", number);
	json_set_str(metadata, "namespace", NS);
	json_set_str(labels, LABEL_SPARK_ROLE, "executor");
	json_setf(labels, LABEL_EXEC_ID, "%d", number);
	json_set(pod, "status", json_parse(status, strlen(status), &err));
	fake_kube_put(s->kube, PODS, pod);
}

#define UNSCHEDULABLE                                                                                                  \
	JSON({                                                                                                         \
		"phase" : "Pending",                                                                                   \
		"conditions" : [ {                                                                                     \
			"type" : "PodScheduled",                                                                       \
			"status" : "False",                                                                            \
			"reason" : "Unschedulable",                                                                    \
			"message" : "0/3 nodes are available: 3 Insufficient cpu."                                     \
		} ]                                                                                                    \
	})

static void begin(struct sim *s)
{
	sim_init(s, SIM_HOLD);
	fake_kube_run(s->kube, SOON_MS);
	expect(s, "RUNNING", "", "");
}

static void executors_that_are_refused_are_named(void **state)
{
	static const struct fake_refusal quota = { .status = 403,
						   .message = "exceeded quota: small, requested: pods=1" };
	struct sim s;
	unsigned before;

	(void)state;
	begin(&s);
	before = fake_kube_calls(s.kube, VERB_CREATE, PODS);
	fake_kube_refuse(s.kube, VERB_CREATE, PODS, -1, &quota);
	fake_kube_run(s.kube, MINUTE_MS + 20 * SECOND_MS);
	assert_int_equal(fake_kube_calls(s.kube, VERB_CREATE, PODS) - before, 0);
	fake_kube_run(s.kube, 20 * SECOND_MS);
	assert_int_equal(fake_kube_calls(s.kube, VERB_CREATE, PODS) - before, 1);
	expect(&s, "RUNNING", "ExecutorsRefused", "executors: 0 of 2 are there, and the API server refuses more: ");
	expect(&s, "RUNNING", "ExecutorsRefused", "exceeded quota: small, requested: pods=1");

	/* Ever fewer tries, and nothing is told twice. */
	put_executor(&s, 1, JSON({ "phase" : "Running" }));
	fake_kube_run(s.kube, 16 * MINUTE_MS);
	assert_in_range(fake_kube_calls(s.kube, VERB_CREATE, PODS) - before, 4, 6);
	expect(&s, "RUNNING", "ExecutorsRefused", "executors: 0 of 2 are there, and the API server refuses more: ");
	assert_int_equal(told(&s, "SparkExecutorsRefused"), 1);

	/* All are there. */
	before = fake_kube_calls(s.kube, VERB_CREATE, PODS);
	put_executor(&s, 2, JSON({ "phase" : "Running" }));
	fake_kube_run(s.kube, 5 * MINUTE_MS);
	expect(&s, "RUNNING", "", "");
	assert_int_equal(fake_kube_calls(s.kube, VERB_CREATE, PODS) - before, 0);
	assert_int_equal(told(&s, "SparkExecutorsRefused"), 1);
	assert_int_equal(fake_kube_count(s.kube, PODS), 3);
	sim_check_writes(&s);
	sim_done(&s);
}

/* The driver has not asked for executors yet, or the server cannot tell. */
static void what_is_not_refused_is_not_told(void **state)
{
	static const struct fake_refusal webhook = { .status = 400,
						     .message = "admission webhook \"x\" does not support dry run" };
	static const struct fake_refusal busy = { .status = 429 };
	static const struct fake_refusal *const rows[] = { NULL, &webhook, &busy };

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct sim s;

		begin(&s);
		if (rows[i])
			fake_kube_refuse(s.kube, VERB_CREATE, PODS, -1, rows[i]);
		fake_kube_run(s.kube, 5 * MINUTE_MS);
		assert_in_range(fake_kube_calls(s.kube, VERB_CREATE, PODS), 1 + 2, 1 + 3);
		expect(&s, "RUNNING", "", "");
		assert_int_equal(fake_kube_count(s.kube, PODS), 1);
		sim_check_writes(&s);
		sim_done(&s);
	}
}

static void executors_that_are_pending_are_named(void **state)
{
	struct sim s;

	(void)state;
	begin(&s);
	put_executor(&s, 1, UNSCHEDULABLE);
	put_executor(&s, 2, UNSCHEDULABLE);
	fake_kube_run(s.kube, 29 * SECOND_MS);
	expect(&s, "RUNNING", "", "");
	fake_kube_run(s.kube, SOON_MS);
	expect(&s, "RUNNING", "ExecutorsPending",
	       "executors: 2 pending, 0 running: executor pod pi-exec-1 cannot be scheduled: 0/3 nodes are available: "
	       "3 Insufficient cpu.");

	/* Other numbers are no news, and neither are their successors. */
	fake_kube_patch(s.kube, PODS, NS, "pi-exec-2", JSON({ "status" : { "phase" : "Running" } }));
	fake_kube_run(s.kube, SOON_MS);
	fake_kube_delete(s.kube, PODS, NS, "pi-exec-1");
	fake_kube_run(s.kube, SOON_MS);
	expect(&s, "RUNNING", "ExecutorsPending", "executors: 2 pending, 0 running: ");
	put_executor(&s, 3, UNSCHEDULABLE);
	fake_kube_run(s.kube, 3 * MINUTE_MS);
	expect(&s, "RUNNING", "ExecutorsPending", "executors: 2 pending, 0 running: ");
	assert_int_equal(told(&s, "SparkExecutorsPending"), 1);
	assert_int_equal(fake_kube_calls(s.kube, VERB_CREATE, PODS), 1);

	fake_kube_patch(s.kube, PODS, NS, "pi-exec-3",
			JSON({ "status" : { "phase" : "Running", "conditions" : null } }));
	fake_kube_run(s.kube, SOON_MS);
	expect(&s, "RUNNING", "", "");
	assert_int_equal(told(&s, "SparkExecutorsPending"), 1);
	sim_check_writes(&s);
	sim_done(&s);
}

/* No kubelet says anything any more: only time tells. */
static void a_driver_on_a_lost_node_is_not_well(void **state)
{
	struct sim s;
	char now[TIME_TEXT_SIZE];
	auto_free char *patch = NULL;
	size_t drivers;

	(void)state;
	begin(&s);
	drivers = map_len(s.driver_uids);
	patch = xasprintf("{\"metadata\":{\"deletionTimestamp\":\"%s\"},\"spec\":{\"nodeName\":\"node-7\"}}",
			  time_rfc3339(sched_wall(&s.sched), now));
	fake_kube_patch(s.kube, PODS, NS, "pi-driver", patch);
	fake_kube_run(s.kube, 58 * SECOND_MS);
	expect(&s, "RUNNING", "DriverDeleted", "driver pod pi-driver is being deleted");
	fake_kube_run(s.kube, 4 * SECOND_MS);
	expect(&s, "UNKNOWN", "DriverNotEnding", "driver pod pi-driver should have ended by ");
	expect(&s, "UNKNOWN", "DriverNotEnding", "its node node-7 does not confirm that: ");
	assert_int_equal(told(&s, "SparkDriverUnknown"), 1);
	fake_kube_run(s.kube, 10 * MINUTE_MS);
	expect(&s, "UNKNOWN", "DriverNotEnding", "driver pod pi-driver should have ended by ");
	assert_int_equal(told(&s, "SparkDriverUnknown"), 1);
	fake_kube_delete(s.kube, PODS, NS, "pi-driver");
	fake_kube_run(s.kube, SOON_MS);
	assert_string_equal(app_str(&s, "status.applicationState.state"), "FAILED");
	assert_int_equal(map_len(s.driver_uids), drivers);
	sim_check_writes(&s);
	sim_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(executors_that_are_refused_are_named),
		cmocka_unit_test(what_is_not_refused_is_not_told),
		cmocka_unit_test(executors_that_are_pending_are_named),
		cmocka_unit_test(a_driver_on_a_lost_node_is_not_well),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
