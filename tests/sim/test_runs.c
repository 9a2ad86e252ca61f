/*
 * Exactly one run of one spec, whatever coincides with a submission: edits, clean-ups, forged objects, a predecessor
 * that has not ended. What is not carried out is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/map.h"
#include "base/text.h"
#include "json_text.h"
#include "sim_cluster.h"

#define APPS (&resource_sparkapplication)
#define PODS (&resource_pod)
#define MAPS (&resource_configmap)

static const struct fake_refusal quota = { .status = 403, .message = "exceeded quota" };

static const char *app_str(const struct sim *s, const char *path)
{
	return json_str(fake_kube_get(s->kube, APPS, "default", "pi"), path, "");
}

static const char *state_of(const struct sim *s)
{
	return app_str(s, "status.applicationState.state");
}

static const char *message_of(const struct sim *s)
{
	return app_str(s, "status.applicationState.errorMessage");
}

static void expect_message(const struct sim *s, const char *part)
{
	if (!strstr(message_of(s), part))
		fail_msg("state %s, message \"%s\" has no \"%s\"", state_of(s), message_of(s), part);
}

/* Lets time pass in small steps until the condition holds, at most a minute. */
static void pass_while(struct sim *s, bool (*condition)(const struct sim *s))
{
	for (int i = 0; i < 6000 && condition(s); i++)
		fake_kube_run(s->kube, 10);
	assert_false(condition(s));
}

static bool has_not_crashed(const struct sim *s)
{
	return s->crashes == 0;
}

static bool has_no_driver(const struct sim *s)
{
	return !fake_kube_get(s->kube, PODS, "default", "pi-driver");
}

static bool is_not_running(const struct sim *s)
{
	return !text_eq(state_of(s), "RUNNING");
}

/* The value of a property in the ConfigMap that the driver pod mounts. Owned; NULL if there is none. */
static char *property_of_driver(const struct sim *s, const char *key)
{
	const struct json *pod = fake_kube_get(s->kube, PODS, "default", "pi-driver");
	const struct json *volume = json_find(json_at(pod, "spec.volumes"), "name", "spark-conf-volume-driver");
	const struct json *map = fake_kube_get(s->kube, MAPS, "default", json_str(volume, "configMap.name", ""));
	const char *text = json_text(json_get(json_get(map, "data"), "spark.properties"), "");
	auto_free char *line = xasprintf("\n%s=", key);
	const char *at = strstr(text, line);

	return at ? xstrndup(at + strlen(line), strcspn(at + strlen(line), "\n")) : NULL;
}

static void expect_driver_memory(const struct sim *s, const char *want)
{
	auto_free char *got = property_of_driver(s, "spark.driver.memory");

	assert_non_null(got);
	assert_string_equal(got, want);
}

/* The operator dies when the Service is there and nothing is recorded. Before it is back, the driver has completed, and
 * somebody has cleaned up. */
static void a_driver_that_was_cleaned_up_unseen_does_not_run_again(void **state)
{
	(void)state;
	for (unsigned k = 3; k <= 4; k++) {
		struct sim s;

		sim_init(&s, SIM_SUCCEED);
		fake_kube_crash_after(s.kube, k, sim_crash, &s);
		pass_while(&s, has_not_crashed);
		assert_true(fake_kube_delete(s.kube, PODS, "default", "pi-driver"));
		sim_run(&s);
		assert_int_equal(map_len(s.driver_uids), 1);
		assert_string_equal(state_of(&s), "FAILED");
		expect_message(&s, "pi-driver was deleted before it was seen");
		sim_done(&s);
	}
}

/* The same, and the next operator would write another ConfigMap, since it is of another version. */
static void a_config_map_of_another_version_does_not_hide_that_the_driver_has_run(void **state)
{
	size_t pos = 0;
	struct sim s;

	(void)state;
	sim_init(&s, SIM_SUCCEED);
	fake_kube_crash_after(s.kube, 3, sim_crash, &s);
	pass_while(&s, has_not_crashed);
	assert_true(fake_kube_delete(s.kube, PODS, "default", "pi-driver"));
	fake_kube_patch(s.kube, MAPS, "default", json_str(fake_kube_next(s.kube, MAPS, &pos), "metadata.name", ""),
			JSON({ "data" : { "spark.properties" : "of another version" } }));
	sim_run(&s);
	assert_int_equal(map_len(s.driver_uids), 1);
	assert_string_equal(state_of(&s), "FAILED");
	expect_message(&s, "pi-driver was deleted before it was seen");
	sim_done(&s);
}

static void an_edit_during_a_refusal_is_one_submission_of_the_new_spec(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, SIM_SUCCEED);
	fake_kube_refuse(s.kube, VERB_CREATE, PODS, -1, &quota);
	fake_kube_run(s.kube, 5000);
	expect_message(&s, "exceeded quota");
	fake_kube_patch(s.kube, APPS, "default", "pi", JSON({ "spec" : { "driver" : { "memory" : "1g" } } }));
	fake_kube_run(s.kube, 5000);
	fake_kube_accept(s.kube);
	pass_while(&s, has_no_driver);
	expect_driver_memory(&s, "1g");
	sim_run(&s);
	assert_string_equal(state_of(&s), "COMPLETED");
	assert_int_equal(map_len(s.driver_uids), 1);
	sim_done(&s);
}

/* The operator dies between the pod and its Service, and the spec is edited before it is back. */
static void a_submission_that_was_not_completed_gives_way_to_an_edit(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, SIM_SUCCEED);
	fake_kube_crash_after(s.kube, 2, sim_crash, &s);
	pass_while(&s, has_not_crashed);
	expect_driver_memory(&s, "512m");
	fake_kube_patch(s.kube, APPS, "default", "pi", JSON({ "spec" : { "driver" : { "memory" : "1g" } } }));
	sim_run(&s);
	assert_string_equal(state_of(&s), "COMPLETED");
	assert_int_equal(map_len(s.driver_uids), 2);
	expect_driver_memory(&s, "1g");
	sim_done(&s);
}

/* The same, but the Service was created, too: the driver may be far by now. */
static void a_complete_submission_does_not_give_way_to_an_edit(void **state)
{
	(void)state;
	for (unsigned k = 3; k <= 4; k++) {
		struct sim s;

		sim_init(&s, SIM_SUCCEED);
		fake_kube_crash_after(s.kube, k, sim_crash, &s);
		pass_while(&s, has_not_crashed);
		fake_kube_patch(s.kube, APPS, "default", "pi", JSON({ "spec" : { "driver" : { "memory" : "1g" } } }));
		pass_while(&s, is_not_running);
		assert_int_equal(fake_kube_calls(s.kube, VERB_DELETE, NULL), 0);
		sim_run(&s);
		assert_string_equal(state_of(&s), "COMPLETED");
		assert_int_equal(map_len(s.driver_uids), 1);
		expect_driver_memory(&s, "512m");
		sim_done(&s);
	}
}

/* An edit was the reason why the operator has deleted it, and the spec has been edited back since. */
static void the_submission_of_a_driver_that_is_ending_is_not_completed(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, SIM_SUCCEED);
	fake_kube_crash_after(s.kube, 2, sim_crash, &s);
	pass_while(&s, has_not_crashed);
	fake_kube_patch(s.kube, PODS, "default", "pi-driver",
			JSON({ "metadata" : { "deletionTimestamp" : "2026-01-01T00:00:30Z" } }));
	fake_kube_run(s.kube, 2000);
	expect_message(&s, "waiting for the end of driver pod pi-driver");
	assert_int_equal(fake_kube_count(s.kube, &resource_service), 0);
	fake_kube_delete(s.kube, PODS, "default", "pi-driver");
	fake_kube_patch(s.kube, APPS, "default", "pi", JSON({ "spec" : { "driver" : { "memory" : "1g" } } }));
	sim_run(&s);
	assert_string_equal(state_of(&s), "COMPLETED");
	assert_int_equal(map_len(s.driver_uids), 2);
	sim_done(&s);
}

static void a_driver_that_may_not_be_deleted_is_told(void **state)
{
	static const struct fake_refusal denied = { .status = 403, .message = "cannot delete pods" };
	struct sim s;

	(void)state;
	sim_init(&s, SIM_SUCCEED);
	fake_kube_crash_after(s.kube, 2, sim_crash, &s);
	pass_while(&s, has_not_crashed);
	sched_disarm(&s.sched, &s.player); /* the driver does not end */
	fake_kube_refuse(s.kube, VERB_DELETE, PODS, -1, &denied);
	fake_kube_patch(s.kube, APPS, "default", "pi", JSON({ "spec" : { "driver" : { "memory" : "1g" } } }));
	fake_kube_run(s.kube, 20 * 1000);
	expect_message(&s, "waiting for the end of driver pod pi-driver");
	fake_kube_run(s.kube, 60 * 1000);
	expect_message(&s, "cannot delete pods");
	fake_kube_accept(s.kube);
	sim_run(&s);
	assert_string_equal(state_of(&s), "COMPLETED");
	sim_done(&s);
}

static bool has_no_state(const struct sim *s)
{
	return !state_of(s)[0];
}

/* No event of the driver pod need come that would wake the application. */
static void a_driver_is_followed_as_soon_as_its_submission_is_complete(void **state)
{
	(void)state;
	for (unsigned k = 2; k <= 3; k++) {
		int64_t crashed_ms;
		struct sim s;

		sim_init(&s, SIM_SUCCEED);
		fake_kube_crash_after(s.kube, k, sim_crash, &s);
		pass_while(&s, has_not_crashed);
		crashed_ms = s.sched.now_ms;
		sched_disarm(&s.sched, &s.player);
		pass_while(&s, has_no_state);
		assert_in_range(s.sched.now_ms - crashed_ms, 0, 2000);
		sim_done(&s);
	}
}

static void a_submission_that_was_not_completed_is_completed(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, SIM_SUCCEED);
	fake_kube_crash_after(s.kube, 2, sim_crash, &s);
	pass_while(&s, has_not_crashed);
	assert_int_equal(fake_kube_count(s.kube, &resource_service), 0);
	sim_run(&s);
	assert_string_equal(state_of(&s), "COMPLETED");
	assert_int_equal(map_len(s.driver_uids), 1);
	assert_int_equal(fake_kube_count(s.kube, &resource_service), 2); /* the driver's, and the web UI's */
	sim_done(&s);
}

/* Its driver would run, and no executor would find it. */
static void a_refused_service_ends_the_submission_with_its_driver(void **state)
{
	struct operator_options options = sim_options();
	struct sim s;

	(void)state;
	options.reconcile.refusal_deadline_ms = 2000;
	sim_init_with(&s, SIM_SUCCEED, &options, NULL);
	fake_kube_refuse(s.kube, VERB_CREATE, &resource_service, -1, &quota);
	fake_kube_run(s.kube, 1000);
	expect_message(&s, "submission refused, trying again: create services");
	assert_false(has_no_driver(&s));
	sim_run(&s);
	assert_string_equal(state_of(&s), "FAILED");
	assert_true(has_no_driver(&s));
	sim_done(&s);
}

/* The Services that are there have used up the quota, so that nobody can create them once more. */
static void a_service_that_is_there_is_not_missed_though_a_quota_refuses_it(void **state)
{
	(void)state;
	for (unsigned k = 3; k <= 6; k++) {
		struct sim s;

		sim_init(&s, SIM_SUCCEED);
		fake_kube_crash_after(s.kube, k, sim_crash, &s);
		pass_while(&s, has_not_crashed);
		if (fake_kube_count(s.kube, &resource_service) == 2)
			fake_kube_refuse(s.kube, VERB_CREATE, &resource_service, -1, &quota);
		else
			fake_kube_refuse(s.kube, VERB_CREATE, &resource_service, 1, &quota);
		sim_run(&s);
		assert_string_equal(state_of(&s), "COMPLETED");
		assert_int_equal(map_len(s.driver_uids), 1);
		assert_string_equal(app_str(&s, "status.driverInfo.webUIServiceName"), "pi-ui-svc");
		sim_done(&s);
	}
}

/* Nobody would end it any more. */
static void a_driver_of_a_failed_submission_is_deleted_however_often_that_fails(void **state)
{
	static const struct fake_refusal internal = { .status = 500, .message = "etcd is not there" };

	(void)state;
	for (int times = 1; times <= 4; times++) {
		struct sim s;

		sim_init(&s, SIM_SUCCEED);
		fake_kube_refuse(s.kube, VERB_CREATE, &resource_service, -1, &quota);
		fake_kube_refuse(s.kube, VERB_DELETE, PODS, times, &internal);
		pass_while(&s, has_no_driver);
		sched_disarm(&s.sched, &s.player); /* the driver does not end */
		sim_run(&s);
		assert_string_equal(state_of(&s), "FAILED");
		expect_message(&s, "exceeded quota");
		assert_true(has_no_driver(&s));
		sim_done(&s);
	}
}

static void a_driver_that_may_never_be_deleted_does_not_keep_its_application_from_failing(void **state)
{
	static const struct fake_refusal denied = { .status = 403, .message = "cannot delete pods" };
	struct sim s;

	(void)state;
	sim_init(&s, SIM_SUCCEED);
	fake_kube_refuse(s.kube, VERB_CREATE, &resource_service, -1, &quota);
	fake_kube_refuse(s.kube, VERB_DELETE, PODS, -1, &denied);
	pass_while(&s, has_no_driver);
	sched_disarm(&s.sched, &s.player); /* the driver does not end */
	sim_run(&s);
	assert_string_equal(state_of(&s), "FAILED");
	expect_message(&s, "exceeded quota");
	assert_in_range(fake_kube_calls(s.kube, VERB_DELETE, PODS), 2, 15);
	sim_done(&s);
}

static struct json *forged_map(const struct json *real)
{
	struct json *map = json_dup(real);

	json_remove(json_get(map, "metadata"), "resourceVersion");
	json_remove(json_get(map, "metadata"), "uid");
	json_set_str(json_get(map, "data"), "log4j2.properties", "appender.x.type = Evil");
	return map;
}

/* Names, owner and labels of what a submission creates can be foretold. */
static void a_forged_config_map_is_replaced(void **state)
{
	const struct json *map;
	struct json *forged;
	size_t pos = 0;
	struct sim s;

	(void)state;
	sim_init(&s, SIM_SUCCEED);
	pass_while(&s, has_no_driver);
	forged = forged_map(fake_kube_next(s.kube, MAPS, &pos));
	sim_done(&s);

	sim_init(&s, SIM_SUCCEED);
	fake_kube_put(s.kube, MAPS, forged);
	sim_run(&s);
	assert_string_equal(state_of(&s), "COMPLETED");
	assert_int_equal(map_len(s.driver_uids), 1);
	pos = 0;
	map = fake_kube_next(s.kube, MAPS, &pos);
	assert_null(json_get(json_get(map, "data"), "log4j2.properties"));
	assert_null(fake_kube_next(s.kube, MAPS, &pos));
	sim_done(&s);
}

/* It has the name, the owner and the label, and leads executors elsewhere. */
static void a_forged_service_is_replaced(void **state)
{
	auto_json forged = NULL;
	size_t pos = 0;
	struct sim s;

	(void)state;
	sim_init(&s, SIM_SUCCEED);
	pass_while(&s, is_not_running);
	do
		forged = json_dup(fake_kube_next(s.kube, &resource_service, &pos));
	while (!strstr(json_str(forged, "metadata.name", ""), "-driver-svc"));
	sim_done(&s);
	json_remove(json_get(forged, "metadata"), "resourceVersion");
	json_remove(json_get(forged, "metadata"), "uid");
	json_set_str(json_at(forged, "spec.selector"), LABEL_SPARK_ROLE, "evil");

	sim_init(&s, SIM_SUCCEED);
	fake_kube_put(s.kube, &resource_service, json_dup(forged));
	sim_run(&s);
	assert_string_equal(state_of(&s), "COMPLETED");
	assert_int_equal(map_len(s.driver_uids), 1);
	assert_string_equal(
	    json_str(fake_kube_get(s.kube, &resource_service, "default", json_str(forged, "metadata.name", "")),
		     "spec.selector.spark-role", ""),
	    "driver");
	sim_done(&s);
}

static void a_driver_that_lost_its_label_is_not_lost(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, SIM_SUCCEED);
	pass_while(&s, is_not_running);
	fake_kube_patch(
	    s.kube, PODS, "default", "pi-driver",
	    JSON({ "metadata" : { "labels" : { "sparkoperator.k8s.io/launched-by-spark-operator" : null } } }));
	fake_kube_run(s.kube, 90 * 1000);
	assert_string_equal(state_of(&s), "RUNNING");
	expect_message(&s, "pi-driver is there, but cannot be followed");
	fake_kube_patch(
	    s.kube, PODS, "default", "pi-driver",
	    JSON({ "metadata" : { "labels" : { "sparkoperator.k8s.io/launched-by-spark-operator" : "true" } } }));
	sim_run(&s);
	assert_string_equal(state_of(&s), "COMPLETED");
	assert_string_equal(message_of(&s), "");
	sim_done(&s);
}

/* The status does not know it yet. */
static void a_new_driver_that_lost_its_label_is_told(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, SIM_SUCCEED);
	fake_kube_crash_after(s.kube, 3, sim_crash, &s);
	pass_while(&s, has_not_crashed);
	sched_disarm(&s.sched, &s.player); /* the driver does not end */
	fake_kube_patch(
	    s.kube, PODS, "default", "pi-driver",
	    JSON({ "metadata" : { "labels" : { "sparkoperator.k8s.io/launched-by-spark-operator" : null } } }));
	fake_kube_run(s.kube, 90 * 1000);
	assert_string_equal(state_of(&s), "");
	expect_message(&s, "the driver pod is there, but cannot be followed");
	assert_int_equal(map_len(s.driver_uids), 1);
	sim_done(&s);
}

static void a_predecessor_that_ends_slowly_is_waited_for(void **state)
{
	static const char text[] = JSON({
		"metadata" : {
			"namespace" : "default",
			"name" : "pi-driver",
			"uid" : "before",
			"deletionTimestamp" : "2026-01-01T00:02:00Z",
			"finalizers" : ["x"]
		}
	});
	struct err err;
	struct sim s;

	(void)state;
	sim_init(&s, SIM_SUCCEED);
	fake_kube_put(s.kube, PODS, json_parse(text, strlen(text), &err));
	fake_kube_run(s.kube, 1000);
	expect_message(&s, "submission waits for the end of what has its name");
	fake_kube_run(s.kube, 100 * 1000);
	assert_string_equal(state_of(&s), "");
	fake_kube_delete(s.kube, PODS, "default", "pi-driver");
	sim_run(&s);
	assert_string_equal(state_of(&s), "COMPLETED");
	sim_done(&s);
}

static void executors_go_with_their_driver(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, SIM_SUCCEED);
	fake_kube_run(s.kube, 2500);
	assert_int_equal(fake_kube_count(s.kube, PODS), 3);
	assert_true(fake_kube_delete(s.kube, PODS, "default", "pi-driver"));
	sim_run(&s);
	assert_string_equal(state_of(&s), "FAILED");
	assert_int_equal(fake_kube_count(s.kube, PODS), 0);
	sim_done(&s);
}

static void a_webhook_that_is_down_is_told_and_stood(void **state)
{
	static const struct fake_refusal internal = { .status = 500, .message = "failed calling webhook" };
	struct sim s;

	(void)state;
	sim_init(&s, SIM_SUCCEED);
	fake_kube_refuse(s.kube, VERB_CREATE, PODS, -1, &internal);
	fake_kube_run(s.kube, 20 * 1000);
	assert_string_equal(message_of(&s), "");
	fake_kube_run(s.kube, 20 * 1000);
	expect_message(&s, "submission fails, trying again");
	fake_kube_run(s.kube, 30 * 60 * 1000);
	assert_string_equal(state_of(&s), "");
	fake_kube_accept(s.kube);
	sim_run(&s);
	assert_string_equal(state_of(&s), "COMPLETED");
	sim_done(&s);
}

static unsigned count_status_writes(const struct sim *s)
{
	size_t len;
	const struct fake_write *writes = fake_kube_writes(s->kube, &len);
	unsigned count = 0;

	for (size_t i = 0; i < len; i++)
		count += writes[i].res == APPS && text_eq(writes[i].subresource, "status");
	return count;
}

static unsigned count_event_writes(const struct sim *s, const char *reason)
{
	size_t len;
	const struct fake_write *writes = fake_kube_writes(s->kube, &len);
	unsigned count = 0;

	for (size_t i = 0; i < len; i++)
		count += writes[i].res == &resource_event && text_eq(json_str(writes[i].body, "reason", ""), reason);
	return count;
}

/* patches: of the application, one after the other while it runs. restart: the operator does so after each of them. */
static void run_with_edits(struct sim *s, const char *const *patches, bool restart)
{
	sim_init(s, SIM_SUCCEED);
	pass_while(s, is_not_running);
	for (; *patches; patches++) {
		fake_kube_patch(s->kube, APPS, "default", "pi", *patches);
		fake_kube_run(s->kube, 200);
		if (restart)
			sim_crash(s);
	}
	sim_run(s);
	assert_string_equal(state_of(s), "COMPLETED");
	assert_int_equal(map_len(s->driver_uids), 1);
}

static void an_edit_of_what_runs_is_told_once_and_not_acknowledged(void **state)
{
	static const char *const none[] = { NULL };
	static const char *const edits[] = { JSON({ "spec" : { "arguments" : ["x"] } }),
					     JSON({ "spec" : { "executor" : { "instances" : 7 } } }), NULL };
	struct sim plain, edited;

	(void)state;
	run_with_edits(&plain, none, false);
	for (int restart = 0; restart < 2; restart++) {
		const struct json *app;

		run_with_edits(&edited, edits, restart);
		app = fake_kube_get(edited.kube, APPS, "default", "pi");
		assert_int_equal(json_i64(app, "metadata.generation", 0), 3);
		assert_int_equal(json_i64(app, "status.observedGeneration", 0), 1);
		assert_string_equal(
		    json_str(json_find(json_at(app, "status.conditions"), "type", "SpecChanged"), "status", ""),
		    "True");
		assert_int_equal(count_event_writes(&edited, "SparkApplicationSpecChangeIgnored"), 1);
		if (!restart)
			assert_int_equal(count_status_writes(&edited), count_status_writes(&plain) + 1);
		sim_done(&edited);
	}
	sim_done(&plain);
}

static void an_edit_that_is_taken_back_is_as_if_it_never_was(void **state)
{
	static const char *const edits[] = { JSON({ "spec" : { "arguments" : ["x"] } }),
					     JSON({ "spec" : { "arguments" : null } }), NULL };
	const struct json *app;
	struct sim s;

	(void)state;
	run_with_edits(&s, edits, false);
	app = fake_kube_get(s.kube, APPS, "default", "pi");
	assert_int_equal(json_i64(app, "metadata.generation", 0), 3);
	assert_int_equal(json_i64(app, "status.observedGeneration", 0), 3);
	assert_string_equal(json_str(json_find(json_at(app, "status.conditions"), "type", "SpecChanged"), "status", ""),
			    "False");
	sim_done(&s);
}

/* An API server with kubeflow's CRD refuses a status without applicationState.state. */
static void a_crd_that_requires_the_state_gets_one(void **state)
{
	static const struct fake_refusal required = {
		.status = 422,
		.message = "SparkApplication.sparkoperator.k8s.io \"pi\" is invalid: status.applicationState.state: "
			   "Required value",
	};
	struct sim s;

	(void)state;
	sim_init(&s, SIM_SUCCEED);
	fake_kube_refuse(s.kube, VERB_PATCH, APPS, 1, &required);
	fake_kube_refuse(s.kube, VERB_CREATE, PODS, -1, &quota);
	fake_kube_run(s.kube, 15 * 1000);
	expect_message(&s, "exceeded quota");
	assert_true(json_has(fake_kube_get(s.kube, APPS, "default", "pi"), "status.applicationState.state"));
	assert_string_equal(state_of(&s), "");
	fake_kube_accept(s.kube);
	sim_run(&s);
	assert_string_equal(state_of(&s), "COMPLETED");
	sim_done(&s);
}

/* An API server that has just started denies every read and write until it has loaded its roles. */
static void an_api_server_without_roles_fails_nobody(void **state)
{
	static const struct fake_refusal denied = { .status = 403, .message = "User cannot do anything" };
	struct sim s;

	(void)state;
	sim_init(&s, SIM_SUCCEED);
	fake_kube_refuse(s.kube, VERB_GET, NULL, -1, &denied);
	fake_kube_refuse(s.kube, VERB_CREATE, NULL, -1, &denied);
	fake_kube_refuse(s.kube, VERB_PATCH, NULL, -1, &denied);
	fake_kube_run(s.kube, 300 * 1000);
	fake_kube_accept(s.kube);
	sim_run(&s);
	assert_string_equal(state_of(&s), "COMPLETED");
	sim_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_driver_that_was_cleaned_up_unseen_does_not_run_again),
		cmocka_unit_test(a_config_map_of_another_version_does_not_hide_that_the_driver_has_run),
		cmocka_unit_test(an_edit_during_a_refusal_is_one_submission_of_the_new_spec),
		cmocka_unit_test(a_submission_that_was_not_completed_gives_way_to_an_edit),
		cmocka_unit_test(a_complete_submission_does_not_give_way_to_an_edit),
		cmocka_unit_test(the_submission_of_a_driver_that_is_ending_is_not_completed),
		cmocka_unit_test(a_driver_that_may_not_be_deleted_is_told),
		cmocka_unit_test(a_driver_is_followed_as_soon_as_its_submission_is_complete),
		cmocka_unit_test(a_submission_that_was_not_completed_is_completed),
		cmocka_unit_test(a_refused_service_ends_the_submission_with_its_driver),
		cmocka_unit_test(a_service_that_is_there_is_not_missed_though_a_quota_refuses_it),
		cmocka_unit_test(a_driver_of_a_failed_submission_is_deleted_however_often_that_fails),
		cmocka_unit_test(a_driver_that_may_never_be_deleted_does_not_keep_its_application_from_failing),
		cmocka_unit_test(a_forged_config_map_is_replaced),
		cmocka_unit_test(a_forged_service_is_replaced),
		cmocka_unit_test(a_driver_that_lost_its_label_is_not_lost),
		cmocka_unit_test(a_new_driver_that_lost_its_label_is_told),
		cmocka_unit_test(a_predecessor_that_ends_slowly_is_waited_for),
		cmocka_unit_test(executors_go_with_their_driver),
		cmocka_unit_test(a_webhook_that_is_down_is_told_and_stood),
		cmocka_unit_test(an_api_server_without_roles_fails_nobody),
		cmocka_unit_test(an_edit_of_what_runs_is_told_once_and_not_acknowledged),
		cmocka_unit_test(an_edit_that_is_taken_back_is_as_if_it_never_was),
		cmocka_unit_test(a_crd_that_requires_the_state_gets_one),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
