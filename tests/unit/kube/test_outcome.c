/* Outcomes of optional creations: what was created, and what failed how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "kube/outcome.h"
#include "parse.h"

static const struct action ui = {
	.type = ACTION_CREATE, .res = &resource_service, .name = (char *)"pi-ui-svc", .report = "spec.clusterIP"
};
static const struct action port = { .type = ACTION_CREATE, .res = &resource_service, .name = (char *)"pi-driver-80" };
static const struct action way = { .type = ACTION_CREATE, .res = &resource_ingress, .name = (char *)"pi-driver-80" };

static void created(struct outcomes *o, const struct action *action, const char *text)
{
	auto_json object = parse(text);

	outcomes_note(o, action, object, NULL, 5);
}

static void failed(struct outcomes *o, const struct action *action, const char *why, int64_t wall_ms)
{
	struct err err = { 0 };

	err_set(&err, ERR_DENIED, "%s", why);
	outcomes_note(o, action, NULL, &err, wall_ms);
}

static const struct outcome *find(const struct outcomes *o, const struct action *action)
{
	return outcomes_find(o, action->res, action->name);
}

static void what_the_action_asked_to_report_is_kept(void **state)
{
	struct outcomes o = { 0 };

	(void)state;
	assert_null(find(&o, &ui));
	created(&o, &ui, JSON({ "spec" : { "clusterIP" : "10.0.0.1" } }));
	created(&o, &port, JSON({ "spec" : { "clusterIP" : "10.0.0.2" } }));
	created(&o, &way, "{}");
	assert_string_equal(find(&o, &ui)->value, "10.0.0.1");
	assert_string_equal(find(&o, &port)->value, "");
	assert_string_equal(find(&o, &way)->value, "");
	assert_int_equal(o.len, 3);
	created(&o, &ui, "{}");
	assert_string_equal(find(&o, &ui)->value, "");
	assert_int_equal(o.len, 3);
	outcomes_done(&o);
	assert_null(find(&o, &ui));
}

/* What was only tried is not there, but when and how often it was tried is known. */
static void tries_are_counted(void **state)
{
	static const struct action trial = {
		.type = ACTION_TRY, .res = &resource_pod, .name = (char *)"spark-1", .noted = true
	};
	struct outcomes o = { 0 };

	(void)state;
	outcomes_note(&o, &trial, NULL, NULL, 7);
	assert_int_equal(find(&o, &trial)->tries, 1);
	assert_int_equal(find(&o, &trial)->tried_ms, 7);
	assert_null(find(&o, &trial)->problem);
	failed(&o, &trial, "quota", 9);
	assert_int_equal(find(&o, &trial)->tries, 2);
	assert_int_equal(find(&o, &trial)->tried_ms, 9);
	assert_string_equal(find(&o, &trial)->problem, "quota");
	outcomes_note(&o, &trial, NULL, NULL, 11);
	assert_int_equal(find(&o, &trial)->tries, 3);
	assert_null(find(&o, &trial)->problem);
	assert_true(find(&o, &trial)->noted);
	outcomes_done(&o);
}

/* 204 No Content is a success too. */
static void an_answer_without_a_body_is_no_failure(void **state)
{
	struct outcomes o = { 0 };

	(void)state;
	outcomes_note(&o, &ui, NULL, NULL, 5);
	assert_string_equal(find(&o, &ui)->value, "");
	assert_null(find(&o, &ui)->problem);
	outcomes_done(&o);
}

static void failures_in_a_row_are_counted(void **state)
{
	struct outcomes o = { 0 };

	(void)state;
	failed(&o, &ui, "first", 10);
	failed(&o, &ui, "second", 20);
	failed(&o, &way, "other", 30);
	assert_string_equal(find(&o, &ui)->problem, "second");
	assert_int_equal(find(&o, &ui)->failures, 2);
	assert_int_equal(find(&o, &ui)->failed_ms, 20);
	assert_null(find(&o, &ui)->value);
	assert_int_equal(find(&o, &way)->failures, 1);
	created(&o, &ui, "{}");
	assert_int_equal(find(&o, &ui)->failures, 0);
	assert_null(find(&o, &ui)->problem);
	failed(&o, &ui, "gone again", 40);
	assert_null(find(&o, &ui)->value);
	assert_int_equal(find(&o, &ui)->failures, 1);
	outcomes_done(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_action_asked_to_report_is_kept),
		cmocka_unit_test(an_answer_without_a_body_is_no_failure),
		cmocka_unit_test(tries_are_counted),
		cmocka_unit_test(failures_in_a_row_are_counted),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
