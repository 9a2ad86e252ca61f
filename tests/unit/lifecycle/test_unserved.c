/*
 * What is planned for an object of a kind that this version does not run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "json/json.h"
#include "lifecycle/unserved.h"
#include "parse.h"

enum { NOW_MS = 1000 };

#define METADATA "'metadata': {'name': 'x', 'namespace': 'ns', 'uid': 'u', 'resourceVersion': '7'}"

static struct kobj *object(const struct kind *kind, const char *text)
{
	struct err err = { 0 };
	struct kobj *o = kobj_new(kind, parse_quoted(text), &err);

	if (!o || o->problem)
		fail_msg("%s", o ? o->problem : err.msg);
	return o;
}

static void plan_for(const struct kind *kind, const char *text, struct plan *plan)
{
	auto_kobj o = object(kind, text);

	assert_null(o->tree);
	plan_init(plan);
	unserved_plan(o, NOW_MS, plan);
}

/* What the API server has after the status write. Owned. */
static struct json *after(const char *text, const struct plan *plan)
{
	struct json *tree = parse_quoted(text);

	assert_int_equal(plan->actions[0].type, ACTION_STATUS);
	json_merge_apply(tree, plan->actions[0].body);
	return tree;
}

static void expect_told(const struct kind *kind, struct json *tree)
{
	struct err err = { 0 };
	auto_kobj o = kobj_new(kind, tree, &err);
	auto_plan plan = { 0 };

	plan_init(&plan);
	unserved_plan(o, NOW_MS, &plan);
	assert_int_equal(plan.len, 0);
}

static void a_schedule_says_that_it_is_not_run(void **state)
{
	static const char text[] = "{" METADATA ", 'spec': {'schedule': '@daily'}}";
	auto_plan plan = { 0 };
	auto_json tree = NULL;

	(void)state;
	plan_for(&unserved_schedule_kind, text, &plan);
	assert_int_equal(plan.len, 2);
	assert_string_equal(plan.actions[0].resource_version, "7");
	assert_string_equal(plan.actions[0].uid, "u");
	assert_int_equal(plan.actions[1].type, ACTION_EVENT);
	assert_string_equal(json_str(plan.actions[1].body, "type", ""), "Warning");
	assert_string_equal(json_str(plan.actions[1].body, "reason", ""), "ScheduleNotRun");
	tree = after(text, &plan);
	assert_true(text_starts(json_str(tree, "status.reason", ""), "this version of the operator "));
	assert_string_equal(json_str(tree, "status.reason", ""), json_str(plan.actions[1].body, "message", ""));
	assert_null(json_at(tree, "status.scheduleState"));
	expect_told(&unserved_schedule_kind, take_ptr(tree));
}

/* Of one that kubeflow's operator ran, what has been stays, and the next run is taken back. */
static void a_schedule_announces_no_run(void **state)
{
	static const char text[] = "{" METADATA ", 'status': {'scheduleState': 'Scheduled', 'lastRunName': 'x-1', "
				   "'nextRun': '2026-01-01T00:00:00Z'}}";
	auto_plan plan = { 0 };
	auto_json tree = NULL;

	(void)state;
	plan_for(&unserved_schedule_kind, text, &plan);
	tree = after(text, &plan);
	assert_null(json_at(tree, "status.scheduleState"));
	assert_null(json_at(tree, "status.nextRun"));
	assert_string_equal(json_str(tree, "status.lastRunName", ""), "x-1");
	/* Another operator runs it after all: nobody fights. */
	json_set_str(json_get(tree, "status"), "scheduleState", "Scheduled");
	expect_told(&unserved_schedule_kind, take_ptr(tree));
}

static const struct json *condition(const struct json *tree, const char *type)
{
	return json_find(json_at(tree, "status.conditions"), "type", type);
}

static void a_connect_says_that_it_is_not_run(void **state)
{
	static const char text[] =
	    "{" METADATA ", 'status': {'startTime': '2026-01-01T00:00:00Z', 'conditions': ["
	    "{'type': 'ServerPodReady', 'status': 'True', 'reason': 'ServerPodReady', 'message': 'ready', "
	    "'lastTransitionTime': '2026-01-01T00:00:00Z'}, {'type': 'Mine', 'status': 'True'}]}}";
	auto_plan plan = { 0 };
	auto_json tree = NULL;

	(void)state;
	plan_for(&unserved_connect_kind, text, &plan);
	assert_int_equal(plan.len, 2);
	assert_string_equal(json_str(plan.actions[1].body, "reason", ""), "SparkConnectNotRun");
	tree = after(text, &plan);
	assert_string_equal(json_str(tree, "status.state", ""), "NotReady");
	assert_string_equal(json_str(tree, "status.startTime", ""), "2026-01-01T00:00:00Z");
	assert_int_equal(json_len(json_at(tree, "status.conditions")), 3);
	assert_string_equal(json_str(condition(tree, "ServerPodReady"), "status", ""), "False");
	assert_string_equal(json_str(condition(tree, "Stalled"), "status", ""), "True");
	assert_string_equal(json_str(condition(tree, "Stalled"), "reason", ""), "NotRun");
	assert_string_equal(json_str(condition(tree, "Stalled"), "lastTransitionTime", ""), "1970-01-01T00:00:01Z");
	assert_string_equal(json_str(condition(tree, "Mine"), "status", ""), "True");
	expect_told(&unserved_connect_kind, take_ptr(tree));
}

static void one_that_is_being_deleted_is_left_alone(void **state)
{
	static const char text[] = "{'metadata': {'name': 'x', 'namespace': 'ns', 'uid': 'u', 'resourceVersion': '7', "
				   "'deletionTimestamp': '2026-01-01T00:00:00Z'}}";
	const struct kind *const kinds[] = { &unserved_schedule_kind, &unserved_connect_kind };

	(void)state;
	for (size_t i = 0; i < array_len(kinds); i++)
		expect_told(kinds[i], parse_quoted(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_schedule_says_that_it_is_not_run),
		cmocka_unit_test(a_schedule_announces_no_run),
		cmocka_unit_test(a_connect_says_that_it_is_not_run),
		cmocka_unit_test(one_that_is_being_deleted_is_left_alone),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
