/* Reconcile over time: the whole life of an application, replays, and inputs that are odd. Single steps:
 * golden/reconcile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "parse.h"
#include "status.h"
#include "spark_world.h"

#define APP_TEXT                                                                                                       \
	"{'apiVersion':'sparkoperator.k8s.io/v1beta2','kind':'SparkApplication','metadata':{'name':'pi',"              \
	"'namespace':'default','uid':'6f6f6f6f-1111-4222-8333-444444444444','resourceVersion':'1','generation':1,"     \
	"'creationTimestamp':'2026-01-02T03:04:00Z'},'spec':{'type':'Scala','mode':'cluster','sparkVersion':'3.5.6',"  \
	"'image':'i','mainClass':'M','mainApplicationFile':'local:///x.jar','driver':{'memory':'512m'},"               \
	"'executor':{'memory':'512m','instances':1}}}"

/* A cluster of one application: input of spark_world.h plus what the plans so far have written. */
struct cluster {
	struct json *input;
	struct json *app;
	size_t writes;
	struct strv states;
	struct strv events;
};

static void cluster_init(struct cluster *c)
{
	*c = (struct cluster){ .input = json_new_object(), .app = parse_quoted(APP_TEXT) };
	json_set(c->input, "pods", json_new_array());
	json_set_str(c->input, "now", "2026-01-02T03:04:05.678Z");
}

static void cluster_done(struct cluster *c)
{
	json_free(c->input);
	json_free(c->app);
	strv_done(&c->states);
	strv_done(&c->events);
}

static void plan_of(const struct cluster *c, struct plan *plan)
{
	struct spark_world s;
	struct err err = { 0 };

	plan_init(plan);
	spark_world_init(&s, c->input, c->app);
	assert_null(s.world.problem);
	assert_int_equal(reconcile(&s.world, &s.options, plan, &err), 0);
	spark_world_done(&s);
}

/* Keeps the outcome as the controller does. */
static void note(struct cluster *c, const struct action *a)
{
	struct json *outcome = json_append(json_ensure_array(c->input, "extras"), json_new_object());

	json_set_str(outcome, "kind", a->res->kind);
	json_set_str(outcome, "name", a->name);
	json_set_str(outcome, "noted", a->label_value);
}

static void carry_out(struct cluster *c, const struct action *a)
{
	switch (a->type) {
	case ACTION_CHECK:
		assert_string_equal(a->resource_version, json_str(c->app, "metadata.resourceVersion", ""));
		assert_string_equal(a->uid, json_str(c->app, "metadata.uid", ""));
		return;
	case ACTION_STATUS:
		json_merge_apply(json_ensure_object(c->app, "status"), json_get(a->body, "status"));
		json_setf(json_get(c->app, "metadata"), "resourceVersion", "%zu", c->writes + 2);
		strv_add(&c->states, json_str(c->app, "status.applicationState.state", "?"));
		break;
	case ACTION_CREATE:
		if (a->res == &resource_pod)
			json_append(json_get(c->input, "pods"), json_dup(a->body));
		if (a->noted)
			note(c, a);
		break;
	case ACTION_ABSENT:
		assert_true(a->if_found || json_len(json_get(c->input, "pods")) == 0);
		return;
	case ACTION_TRY:
	case ACTION_REHEARSE:
	case ACTION_EVENT:
		strv_add(&c->events, json_str(a->body, "reason", "?"));
		break;
	case ACTION_DELETE:
		strv_add(&c->states, "deleted");
		break;
	}
	c->writes++;
}

/* Until there is nothing more to do. */
static void settle(struct cluster *c)
{
	size_t before;

	do {
		auto_plan plan = { 0 };

		before = c->writes;
		plan_of(c, &plan);
		for (size_t i = 0; i < plan.len; i++)
			carry_out(c, &plan.actions[i]);
	} while (c->writes != before);
}

static struct json *driver_of(const struct cluster *c)
{
	return json_first(json_get(c->input, "pods"));
}

static void assert_joined(const struct strv *v, const char *want)
{
	auto_free char *got = strv_join(v, " ");

	assert_string_equal(got, want);
}

static void test_life(void **state)
{
	struct cluster c;

	(void)state;
	cluster_init(&c);
	settle(&c);
	assert_int_equal(json_len(json_get(c.input, "pods")), 1);
	json_set(driver_of(&c), "status", parse_quoted("{'phase':'Pending'}"));
	settle(&c);
	assert_int_equal(c.writes, 6); /* three objects, one status, two events */
	json_set(driver_of(&c), "status", parse_quoted("{'phase':'Running'}"));
	settle(&c);
	json_set(driver_of(&c), "status",
		 parse_quoted(
		     "{'phase':'Running','containerStatuses':[{'name':'spark-kubernetes-driver','state':{'terminated':"
		     "{'exitCode':0,'finishedAt':'2026-01-02T03:04:04Z'}}}]}"));
	settle(&c);
	assert_joined(&c.states, "SUBMITTED RUNNING SUCCEEDING COMPLETED");
	assert_joined(&c.events, "SparkApplicationAdded SparkApplicationSubmitted SparkDriverRunning "
				 "SparkDriverCompleted SparkApplicationCompleted");
	assert_string_equal(json_str(c.app, "status.terminationTime", ""), "2026-01-02T03:04:04Z");
	assert_int_equal(json_i64(c.app, "status.submissionAttempts", 0), 1);
	assert_int_equal(json_i64(c.app, "status.executionAttempts", 0), 1);
	json_set_i64(json_get(c.app, "spec"), "timeToLiveSeconds", 1);
	json_set_str(c.input, "now", "2026-01-02T03:04:05Z");
	{
		auto_plan plan = { 0 };

		plan_of(&c, &plan);
		assert_int_equal(plan.len, 1);
		assert_int_equal(plan.actions[0].type, ACTION_DELETE);
		assert_string_equal(plan.actions[0].uid, "6f6f6f6f-1111-4222-8333-444444444444");
	}
	cluster_done(&c);
}

static size_t assert_same_creations(const struct plan *first, const struct plan *again)
{
	size_t count = 0;

	assert_int_equal(first->len, again->len);
	for (size_t i = 0; i < first->len; i++) {
		auto_free char *a = NULL;
		auto_free char *b = NULL;

		if (first->actions[i].type != ACTION_CREATE)
			continue;
		a = json_print(first->actions[i].body);
		b = json_print(again->actions[i].body);
		assert_string_equal(a, b);
		count++;
	}
	return count;
}

/* After a crash between two creations the same objects are made, byte by byte. */
static void test_replay_builds_the_same(void **state)
{
	struct cluster c;
	auto_plan first = { 0 };
	auto_plan again = { 0 };
	const char *properties;

	(void)state;
	cluster_init(&c);
	plan_of(&c, &first);
	assert_int_equal(first.actions[0].type, ACTION_CHECK);
	assert_string_equal(first.actions[0].resource_version, "1");
	json_set_str(c.input, "now", "2026-01-02T04:00:00Z");
	plan_of(&c, &again);
	assert_int_equal(assert_same_creations(&first, &again), 3);
	properties = json_text(json_get(json_get(first.actions[2].body, "data"), "spark.properties"), "");
	assert_non_null(strstr(properties, "spark.app.submitTime=1767323040000")); /* 03:04:00, the creation's */
	cluster_done(&c);
}

/* An intent that another operator or version has left: its counter and time count, its id does not. */
static void test_intent_is_carried_on(void **state)
{
	struct cluster c;
	auto_plan first = { 0 };
	auto_plan second = { 0 };
	const char *properties;

	(void)state;
	cluster_init(&c);
	plan_of(&c, &first);
	json_set(c.app, "status",
		 parse_quoted("{'applicationState':{'state':''},'driverInfo':{},'submissionAttempts':2,"
			      "'submissionID':'another','lastSubmissionAttemptTime':'2026-01-02T03:04:02Z'}"));
	plan_of(&c, &second);
	assert_int_equal(second.len, 5); /* without SparkApplicationAdded */
	assert_int_equal(second.actions[0].type, ACTION_CHECK);
	assert_string_equal(second.actions[1].name, first.actions[2].name);
	properties = json_text(json_get(json_get(second.actions[1].body, "data"), "spark.properties"), "");
	assert_non_null(strstr(properties, "spark.app.submitTime=1767323042000"));
	settle(&c);
	assert_joined(&c.states, "SUBMITTED");
	assert_int_equal(json_i64(c.app, "status.submissionAttempts", 0), 2);
	assert_string_equal(json_str(c.app, "status.submissionID", ""), second.actions[1].label_value);
	cluster_done(&c);
}

static void test_every_state_has_a_row(void **state)
{
	(void)state;
	for (int s = 0; s < APP_STATE_COUNT; s++) {
		struct cluster c;

		cluster_init(&c);
		json_set(c.app, "status",
			 parse_quoted("{'applicationState':{'state':''},'submissionAttempts':1,'submissionID':'x'}"));
		json_set_str(json_at(c.app, "status.applicationState"), "state", app_state_text((enum app_state)s));
		settle(&c);
		assert_true(c.states.len > 0);
		cluster_done(&c);
	}
}

/* What changes all the time while the trouble stays is written once. */
static void test_trouble_is_told_once(void **state)
{
	static const char *const shapes[] = {
		"{'reason':'ErrImagePull','message':'rpc: gone'}",
		"{'reason':'ImagePullBackOff','message':'Back-off pulling image i'}",
		"{'reason':'ImagePullBackOff','message':'Back-off pulling image i: ErrImagePull: rpc: gone'}",
	};
	struct cluster c;
	size_t writes = 0;

	(void)state;
	cluster_init(&c);
	settle(&c);
	for (size_t i = 0; i < 3 * array_len(shapes); i++) {
		struct json *status =
		    parse_quoted("{'phase':'Pending','containerStatuses':[{'name':'spark-kubernetes-driver',"
				 "'image':'i','state':{}}]}");
		struct json *container = json_first(json_get(status, "containerStatuses"));

		json_set(json_get(container, "state"), "waiting", parse_quoted(shapes[i % array_len(shapes)]));
		json_set(driver_of(&c), "status", status);
		settle(&c);
		if (i == 0)
			writes = c.writes;
		assert_int_equal(c.writes, writes);
	}
	cluster_done(&c);
}

static void run_odd(const struct json *input, const struct json *app)
{
	struct spark_world s;
	auto_plan plan;
	struct err err = { 0 };

	plan_init(&plan);
	spark_world_init(&s, input, app);
	assert_int_equal(reconcile(&s.world, &s.options, &plan, &err), 0);
	spark_world_done(&s);
}

/* Each member below `at` in turn becomes something else. */
static void mutate(const struct json *input, struct json *app, struct json *at)
{
	static const char *const odd[] = { "null", "7", "'odd'", "[]", "{'a':1}" };

	json_each (child, at) {
		auto_free char *name = xstrdup_null(json_name(child));

		mutate(input, app, child);
		for (size_t i = 0; name && i < array_len(odd); i++) {
			struct json *kept = json_dup(json_get(at, name));

			json_set(at, name, parse_quoted(odd[i]));
			run_odd(input, app);
			child = json_set(at, name, kept);
		}
	}
}

static void test_odd_applications(void **state)
{
	auto_json input =
	    parse_quoted("{'now':'2026-01-02T03:04:05Z','pods':[{'metadata':{'name':'e1','labels':{'spark-role':"
			 "'executor','sparkoperator.k8s.io/submission-id':'x','spark-exec-id':'1'}}}]}");
	auto_json app = parse_quoted(APP_TEXT);

	(void)state;
	mutate(input, app, json_get(app, "spec"));
	json_set(app, "status",
		 parse_quoted(
		     "{'applicationState':{'state':'RUNNING','errorMessage':'e'},'driverInfo':{'podName':'p'},"
		     "'submissionAttempts':1,'executionAttempts':1,'submissionID':'x','executorState':{'e1':'RUNNING'},"
		     "'lastSubmissionAttemptTime':'2026-01-02T03:04:05Z','terminationTime':null,"
		     "'conditions':[{'type':'Running','status':'True'}]}"));
	mutate(input, app, json_get(app, "status"));
}

static void test_cut(void **state)
{
	char text[STATUS_MESSAGE_MAX + 8];
	auto_free char *whole = NULL;
	auto_free char *cut = NULL;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[STATUS_MESSAGE_MAX] = '\0';
	whole = status_cut(text);
	assert_int_equal(strlen(whole), STATUS_MESSAGE_MAX);
	memcpy(text + STATUS_MESSAGE_MAX - 2, "€uro", sizeof("€uro"));
	cut = status_cut(text);
	assert_int_equal(strlen(cut), STATUS_MESSAGE_MAX - 2);
	assert_true(text_is_utf8(cut, strlen(cut)));
}

static void test_condition_transition(void **state)
{
	auto_json tree = parse_quoted(APP_TEXT);
	struct app app;
	struct err err = { 0 };
	struct status s;
	const struct json *c;

	(void)state;
	assert_int_equal(app_decode(tree, &app, &err), 0);
	status_init(&s, &app, 1000);
	status_set_condition(&s, "Running", "True", "A", "m");
	s.now_ms = 2000;
	status_set_condition(&s, "Running", "True", "B", "n");
	c = json_find(json_get(s.tree, "conditions"), "type", "Running");
	assert_string_equal(json_str(c, "lastTransitionTime", ""), "1970-01-01T00:00:01Z");
	assert_string_equal(json_str(c, "reason", ""), "B");
	assert_string_equal(json_str(c, "message", ""), "n");
	status_set_condition(&s, "Running", "False", "B", "n");
	assert_string_equal(json_str(c, "lastTransitionTime", ""), "1970-01-01T00:00:02Z");
	assert_int_equal(json_len(json_get(s.tree, "conditions")), 1);
	status_done(&s);
}

/* What is told of a problem that goes on under the same reason, or under the same text, is what was said last. */
static void test_condition_keeps_up(void **state)
{
	static const char *const steps[][2] = { { "A", "m" }, { "A", "n" }, { "B", "n" } };
	auto_json tree = parse_quoted(APP_TEXT);
	const struct json *c;
	struct app app;
	struct err err = { 0 };
	struct status s;

	(void)state;
	assert_int_equal(app_decode(tree, &app, &err), 0);
	status_init(&s, &app, 1000);
	for (size_t i = 0; i < array_len(steps); i++) {
		status_set_condition(&s, "Submitted", "False", steps[i][0], steps[i][1]);
		c = json_find(json_get(s.tree, "conditions"), "type", "Submitted");
		assert_string_equal(json_str(c, "reason", ""), steps[i][0]);
		assert_string_equal(json_str(c, "message", ""), steps[i][1]);
	}
	status_done(&s);
}

static void test_condition_removed(void **state)
{
	auto_json tree = parse_quoted(APP_TEXT);
	struct app app;
	struct err err = { 0 };
	struct status s;

	(void)state;
	assert_int_equal(app_decode(tree, &app, &err), 0);
	status_init(&s, &app, 1000);
	status_remove_condition(&s, "A");
	assert_null(json_get(s.tree, "conditions"));
	status_set_condition(&s, "A", "True", "R", "m");
	status_set_condition(&s, "B", "True", "R", "m");
	status_remove_condition(&s, "A");
	assert_int_equal(json_len(json_get(s.tree, "conditions")), 1);
	assert_true(status_has_reason(s.tree, "B", "R"));
	assert_false(status_has_reason(s.tree, "A", "R"));
	status_done(&s);
}

/* What kstatus makes of a status: "Failed", "InProgress" or "Current" (cli-utils checkGenericProperties). */
static const char *kstatus_of(const struct json *app)
{
	const struct json *status = json_get(app, "status");

	if (json_i64(status, "observedGeneration", 1) != json_i64(app, "metadata.generation", 1))
		return "InProgress";
	json_each (c, json_get(status, "conditions")) {
		if (!text_eq(json_str(c, "status", ""), "True"))
			continue;
		if (text_eq(json_str(c, "type", ""), "Reconciling"))
			return "InProgress";
		if (text_eq(json_str(c, "type", ""), "Stalled"))
			return "Failed";
	}
	return "Current";
}

/* From one phase of the driver pod to the next. A status that is written in between says it too. */
static void test_kstatus(void **state)
{
	static const struct {
		const char *pod; /* its status */
		const char *want;
	} rows[] = {
		{ "{'phase':'Pending'}", "InProgress" }, { "{'phase':'Unknown'}", "InProgress" },
		{ "{'phase':'Running'}", "Current" },	 { "{'phase':'Unknown'}", "InProgress" },
		{ "{'phase':'Pending'}", "InProgress" }, { "{'phase':'Running'}", "Current" },
		{ "{'phase':'Failed'}", "Failed" },
	};
	struct cluster c;

	(void)state;
	cluster_init(&c);
	settle(&c);
	for (size_t i = 0; i < array_len(rows); i++) {
		json_set(driver_of(&c), "status", parse_quoted(rows[i].pod));
		settle(&c);
		assert_string_equal(kstatus_of(c.app), rows[i].want);
	}
	assert_joined(&c.states, "SUBMITTED UNKNOWN RUNNING UNKNOWN SUBMITTED RUNNING FAILING FAILED");
	cluster_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_replay_builds_the_same),
		cmocka_unit_test(test_intent_is_carried_on),
		cmocka_unit_test(test_every_state_has_a_row),
		cmocka_unit_test(test_trouble_is_told_once),
		cmocka_unit_test(test_odd_applications),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_condition_transition),
		cmocka_unit_test(test_condition_removed),
		cmocka_unit_test(test_kstatus),
		cmocka_unit_test(test_condition_keeps_up),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
