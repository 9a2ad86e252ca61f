/*
 * The controller when things go wrong: what follows from each class of error, conflicts, lost replies and adoption, and
 * deletions that find something else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "toy_world.h"
#include "json_text.h"

/* ---- failures ---- */

static const struct {
	int http;
	enum err_code code;
	bool is_refusal;
} classes[] = {
	{ 400, ERR_INVALID, true },   { 401, ERR_UNAUTHORIZED, false }, { 403, ERR_DENIED, true },
	{ 404, ERR_NOT_FOUND, true }, { 410, ERR_GONE, false },		{ 413, ERR_TOO_LARGE, true },
	{ 422, ERR_INVALID, true },   { 429, ERR_BUSY, false },		{ 500, ERR_INTERNAL, false },
	{ 503, ERR_BUSY, false },     { 504, ERR_TIMEOUT, false },
};

static void every_class_is_tried_again(void **state)
{
	struct fixture *f = *state;

	start(f, toy_pod_only);
	for (size_t i = 0; i < array_len(classes); i++) {
		const struct fake_refusal refusal = { .status = classes[i].http };
		auto_free char *name = xasprintf("app-%zu", i);
		auto_free char *pod = xasprintf("app-%zu-driver", i);

		f->told = 0;
		fake_kube_refuse(f->fk, VERB_CREATE, RES_POD, 3, &refusal);
		put_app(f, "ns", name, "{}");
		fake_kube_run(f->fk, 5000);
		assert_non_null(fake_kube_get(f->fk, RES_POD, "ns", pod));
		assert_int_equal(f->told, 3);
		assert_int_equal(f->last_told.err.code, classes[i].code);
		assert_int_equal(f->last_told.type, ACTION_CREATE);
		assert_ptr_equal(f->last_told.res, RES_POD);
		assert_string_equal(f->last_told.name, pod);
		assert_int_equal(failure_is_refusal(&f->last_told), classes[i].is_refusal);
		assert_int_equal(f->last_told.tries, 3);
		assert_non_null(strstr(f->last_told.err.msg, pod));
		assert_in_range(sched_wall(&f->sched) - f->last_told.since_ms, 4900, 5000);
	}
	assert_forgotten(f);
}

static void back_off_spares_the_server(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal quota = { .status = 403, .message = "exceeded quota" };
	auto_json debug = NULL;

	fake_kube_refuse(f->fk, VERB_CREATE, RES_POD, -1, &quota);
	start(f, toy_pod_only);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 3600 * 1000);
	assert_in_range(fake_kube_calls(f->fk, VERB_CREATE, RES_POD), 20, 40);
	debug = controller_debug(f->controller);
	assert_int_equal(json_len(json_get(debug, "failures")), 1);
	assert_string_equal(json_str(json_first(json_get(debug, "failures")), "key", ""), "ns/a");
	assert_non_null(strstr(json_str(json_first(json_get(debug, "failures")), "error", ""), "exceeded quota"));
	fake_kube_accept(f->fk);
	fake_kube_patch(f->fk, RES_APP, "ns", "a", JSON({ "spec" : { "x" : 1 } }));
	fake_kube_run(f->fk, 1000);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
}

/* After an outage work goes on within half a minute, however long it was. */
static void outage_is_over_soon(void **state)
{
	struct fixture *f = *state;

	start(f, toy_pod_only);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 3);
	fake_kube_down(f->fk, 3600 * 1000);
	fake_kube_run(f->fk, 3600 * 1000);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 0);
	fake_kube_run(f->fk, 31000);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
	assert_true(f->told > 0);
	assert_false(failure_is_refusal(&f->last_told));
	assert_in_range(sched_wall(&f->sched) - f->last_told.since_ms, 3599 * 1000, 3632 * 1000);
}

/* What has nothing to do with the object does not make it wait for minutes once it is over. */
static void trouble_of_each_class_is_over_soon(void **state)
{
	static const int statuses[] = { 401, 429, 500, 503, 504 };
	struct fixture *f = *state;

	start(f, toy_pod_only);
	for (size_t i = 0; i < array_len(statuses); i++) {
		const struct fake_refusal refusal = { .status = statuses[i] };
		auto_free char *name = xasprintf("app-%d", statuses[i]);

		fake_kube_refuse(f->fk, VERB_CREATE, RES_POD, -1, &refusal);
		put_app(f, "ns", name, "{}");
		fake_kube_run(f->fk, 3600 * 1000);
		assert_int_equal(fake_kube_count(f->fk, RES_POD), i);
		fake_kube_accept(f->fk);
		fake_kube_run(f->fk, 31000);
		assert_int_equal(fake_kube_count(f->fk, RES_POD), i + 1);
	}
}

static void changes_do_not_defeat_retry_after(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal busy = { .status = 429, .retry_after_s = 10 };

	fake_kube_refuse(f->fk, VERB_CREATE, RES_POD, 1, &busy);
	start(f, toy_pod_only);
	put_app(f, "ns", "a", "{}");
	for (int i = 0; i < 9; i++) {
		fake_kube_run(f->fk, 1000);
		controller_enqueue(f->controller, "ns/a");
	}
	assert_int_equal(fake_kube_calls(f->fk, VERB_CREATE, RES_POD), 1);
	fake_kube_run(f->fk, 1100);
	assert_int_equal(fake_kube_calls(f->fk, VERB_CREATE, RES_POD), 2);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
}

static void an_outage_begins_a_new_row(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal denied = { .status = 403 }, internal = { .status = 500 };

	fake_kube_refuse(f->fk, VERB_CREATE, RES_POD, 2, &denied);
	fake_kube_refuse(f->fk, VERB_CREATE, RES_POD, 1, &internal);
	fake_kube_refuse(f->fk, VERB_CREATE, RES_POD, 1, &denied);
	start(f, toy_pod_only);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 10000);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
	assert_int_equal(f->told, 4);
	assert_int_equal(f->last_told.tries, 1);
}

static void events_only_after_success(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal denied = { .status = 403 };

	fake_kube_refuse(f->fk, VERB_CREATE, RES_POD, 2, &denied);
	start(f, toy_app);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 150);
	assert_int_equal(fake_kube_count(f->fk, &resource_event), 0);
	fake_kube_run(f->fk, 5000);
	assert_int_equal(fake_kube_count(f->fk, &resource_event), 1);
}

static void no_plan_at_all(void **state)
{
	struct fixture *f = *state;

	start(f, toy_broken);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 60000);
	assert_in_range(f->plans, 8, 14);
	assert_int_equal(f->told, f->plans - 1);
	assert_int_equal(fake_kube_write_count(f->fk), 0);
	assert_non_null(strstr(buf_str(&f->log), "no plan for ns/a"));
	fake_kube_delete(f->fk, RES_APP, "ns", "a");
	fake_kube_run(f->fk, 60000);
	assert_forgotten(f);
}

static void gone_root_is_forgotten(void **state)
{
	struct fixture *f = *state;

	start(f, toy_status);
	fake_kube_delay(f->fk, RES_APP, 3000);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 2000);
	fake_kube_delete(f->fk, RES_APP, "ns", "a");
	fake_kube_run(f->fk, 2000);
	assert_int_equal(f->plans, 1);
	assert_int_equal(fake_kube_calls(f->fk, VERB_PATCH, RES_APP), 1);
	assert_int_equal(result(f, "error"), 0);
	fake_kube_run(f->fk, 10000);
	assert_int_equal(f->plans, 2); /* its removal */
	assert_forgotten(f);
}

/* ---- conflicts ---- */

/* Somebody else writes while our cache is behind: one conflict, then silence until the cache knows. */
static void conflict_waits_for_the_cache(void **state)
{
	struct fixture *f = *state;

	start(f, toy_status);
	put_app(f, "ns", "a", JSON({ "want" : "Done" }));
	fake_kube_delay(f->fk, RES_APP, 2000);
	fake_kube_run(f->fk, 1000);
	fake_kube_patch(f->fk, RES_APP, "ns", "a", JSON({ "spec" : { "want" : "Other" } }));
	fake_kube_run(f->fk, 1900);
	assert_int_equal(fake_kube_calls(f->fk, VERB_PATCH, RES_APP), 1);
	assert_string_equal(app_phase(f, "a"), "");
	fake_kube_delay(f->fk, RES_APP, 0);
	fake_kube_run(f->fk, 200);
	assert_int_equal(fake_kube_calls(f->fk, VERB_PATCH, RES_APP), 2);
	assert_string_equal(app_phase(f, "a"), "Other");
	assert_int_equal(f->told, 0);
}

static void conflict_with_a_fresh_cache(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal conflict = { .status = 409 };

	fake_kube_refuse(f->fk, VERB_PATCH, RES_APP, 3, &conflict);
	start(f, toy_status);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 2000);
	assert_string_equal(app_phase(f, "a"), "Done");
	assert_int_equal(fake_kube_calls(f->fk, VERB_PATCH, RES_APP), 4);
	assert_null(strstr(buf_str(&f->log), "level=warn"));
}

static void conflict_and_gone(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal conflict = { .status = 409 }, missing = { .status = 404 };

	fake_kube_refuse(f->fk, VERB_PATCH, RES_APP, 1, &conflict);
	fake_kube_refuse(f->fk, VERB_GET, RES_APP, 1, &missing);
	start(f, toy_status);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 10000);
	assert_int_equal(f->plans, 1);
	assert_forgotten(f);
}

/* A quota that many write to answers creations with 409: they are spared as any server that cannot answer. */
static void conflicts_over_a_quota_back_off(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal conflict = { .status = 409, .reason = "Conflict" };

	fake_kube_refuse(f->fk, VERB_CREATE, RES_POD, -1, &conflict);
	start(f, toy_checked);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 600 * 1000);
	assert_in_range(fake_kube_calls(f->fk, VERB_CREATE, RES_POD), 20, 40);
	fake_kube_delete(f->fk, RES_APP, "ns", "a");
	put_app(f, "ns", "a", "{}");
	fake_kube_accept(f->fk);
	fake_kube_run(f->fk, 100);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
	assert_forgotten(f);
}

/* ---- look before act ---- */

static void check_finds_what_was_planned_for(void **state)
{
	struct fixture *f = *state;

	start(f, toy_checked);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 1000);
	assert_census(f, "create pods ns/a-driver\n");
	assert_int_equal(fake_kube_calls(f->fk, VERB_GET, RES_APP), 1);
	assert_null(strstr(buf_str(&f->log), "get sparkapplications")); /* for debugging only */
	assert_forgotten(f);
}

/* The cache is behind: nothing is created, and nobody asks again before the cache knows. */
static void check_waits_for_the_cache(void **state)
{
	struct fixture *f = *state;

	start(f, toy_checked);
	fake_kube_delay(f->fk, RES_APP, 2000);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 1000);
	fake_kube_patch(f->fk, RES_APP, "ns", "a", JSON({ "spec" : { "x" : 1 } }));
	fake_kube_run(f->fk, 1900);
	assert_int_equal(fake_kube_calls(f->fk, VERB_GET, RES_APP), 1);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 0);
	fake_kube_run(f->fk, 200);
	assert_int_equal(fake_kube_calls(f->fk, VERB_GET, RES_APP), 2);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
	assert_int_equal(f->told, 0);
	assert_null(strstr(buf_str(&f->log), "level=warn"));
}

static void checked_object_is_gone(void **state)
{
	struct fixture *f = *state;

	start(f, toy_checked);
	fake_kube_delay(f->fk, RES_APP, 3000);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 2000);
	fake_kube_delete(f->fk, RES_APP, "ns", "a");
	fake_kube_run(f->fk, 2000);
	assert_int_equal(f->plans, 1);
	assert_int_equal(fake_kube_calls(f->fk, VERB_GET, RES_APP), 1);
	assert_int_equal(result(f, "error"), 0);
	fake_kube_run(f->fk, 10000);
	assert_int_equal(f->plans, 2); /* its removal */
	assert_int_equal(fake_kube_calls(f->fk, VERB_CREATE, RES_POD), 0);
	assert_forgotten(f);
}

static void checked_object_is_another(void **state)
{
	struct fixture *f = *state;
	const struct json *pod;

	start(f, toy_checked);
	fake_kube_delay(f->fk, RES_APP, 3000);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 1000);
	fake_kube_delete(f->fk, RES_APP, "ns", "a");
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 2500);
	assert_int_equal(fake_kube_calls(f->fk, VERB_GET, RES_APP), 1);
	assert_int_equal(fake_kube_calls(f->fk, VERB_CREATE, RES_POD), 0);
	fake_kube_run(f->fk, 10000);
	assert_int_equal(fake_kube_calls(f->fk, VERB_CREATE, RES_POD), 1);
	pod = fake_kube_get(f->fk, RES_POD, "ns", "a-driver");
	assert_string_equal(json_str(json_first(json_at(pod, "metadata.ownerReferences")), "uid", ""),
			    json_str(fake_kube_get(f->fk, RES_APP, "ns", "a"), "metadata.uid", "?"));
	assert_forgotten(f);
}

static void check_that_fails_ends_the_plan(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal denied = { .status = 403 }, busy = { .status = 429, .retry_after_s = 3 };

	fake_kube_refuse(f->fk, VERB_GET, RES_APP, 1, &denied);
	fake_kube_refuse(f->fk, VERB_GET, RES_APP, 1, &busy);
	start(f, toy_checked);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 2900);
	assert_int_equal(fake_kube_calls(f->fk, VERB_CREATE, RES_POD), 0);
	assert_int_equal(f->told, 1);
	assert_non_null(strstr(f->last_told.err.msg, "get sparkapplications ns/a: 403"));
	assert_int_equal(f->last_told.type, ACTION_CHECK);
	assert_false(failure_is_refusal(&f->last_told)); /* an API server that has just started denies everything */
	fake_kube_run(f->fk, 1000);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
}

/* ---- adoption ---- */

static void lost_reply_is_adopted(void **state)
{
	struct fixture *f = *state;

	fake_kube_fail(f->fk, 2, FAKE_LOSE_REPLY, NULL);
	start(f, toy_app);
	fake_kube_delay(f->fk, RES_POD, 1000);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 5000);
	assert_string_equal(app_phase(f, "a"), "Running");
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
	assert_int_equal(fake_kube_calls(f->fk, VERB_CREATE, RES_POD), 2);
	assert_int_equal(fake_kube_calls(f->fk, VERB_GET, RES_POD), 1);
	assert_non_null(strstr(buf_str(&f->log), "found our own work of before"));
	assert_int_equal(fake_kube_count(f->fk, &resource_event), 1);
}

static void lost_call_is_repeated(void **state)
{
	struct fixture *f = *state;

	fake_kube_fail(f->fk, 1, FAKE_LOSE_CALL, NULL);
	fake_kube_fail(f->fk, 2, FAKE_LOSE_REPLY, NULL);
	fake_kube_fail(f->fk, 4, FAKE_LOSE_CALL, NULL);
	start(f, toy_app);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 5000);
	assert_string_equal(app_phase(f, "a"), "Running");
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
}

static void stranger_is_not_adopted(void **state)
{
	static const char *const strangers[] = {
		JSON({ "metadata" : { "namespace" : "ns", "name" : "a-driver" } }),
		JSON({
			"metadata" : {
				"namespace" : "ns",
				"name" : "a-driver",
				"labels" : { "app" : "z" },
				"ownerReferences" : [ { "kind" : "Job", "name" : "j", "uid" : "x" } ]
			}
		}),
	};
	static const char *const texts[] = { "without owner", "owned by Job j, uid x" };
	struct fixture *f = *state;
	struct err err;

	start(f, toy_pod_only);
	for (size_t i = 0; i < array_len(strangers); i++) {
		fake_kube_put(f->fk, RES_POD, json_parse(strangers[i], strlen(strangers[i]), &err));
		put_app(f, "ns", "a", "{}");
		f->told = 0;
		fake_kube_run(f->fk, i == 0 ? 2000 : 15); /* the second is collected, its owner being no object */
		controller_enqueue(f->controller, "ns/a");
		fake_kube_run(f->fk, 300);
		assert_true(f->told > 0);
		assert_int_equal(f->last_told.err.code, ERR_EXISTS);
		assert_non_null(strstr(f->last_told.err.msg, "create pods ns/a-driver: the name is taken"));
		assert_non_null(strstr(f->last_told.err.msg, texts[i]));
		fake_kube_delete(f->fk, RES_APP, "ns", "a");
		fake_kube_delete(f->fk, RES_POD, "ns", "a-driver");
		fake_kube_run(f->fk, 600000);
	}
	assert_forgotten(f);
}

/* A stranger's object may never come into the cache, so nobody waits for it there. */
static void a_stranger_is_not_waited_for(void **state)
{
	static const char stranger[] = JSON({ "metadata" : { "namespace" : "ns", "name" : "a-driver" } });
	struct fixture *f = *state;
	struct err err;

	start(f, toy_pod_only);
	fake_kube_delay(f->fk, RES_POD, 3600 * 1000);
	fake_kube_put(f->fk, RES_POD, json_parse(stranger, strlen(stranger), &err));
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 3000);
	assert_true(f->told >= 3);
}

static void owner_alone_is_not_enough(void **state)
{
	struct fixture *f = *state;
	auto_free char *text = NULL;
	struct err err;

	start(f, toy_pod_only);
	put_app(f, "ns", "a", "{}");
	text =
	    xasprintf("{\"metadata\": {\"namespace\": \"ns\", \"name\": \"a-driver\", \"labels\": {\"app\": \"a0\"}, "
		      "\"ownerReferences\": [{\"uid\": \"%s\"}]}}",
		      json_str(fake_kube_get(f->fk, RES_APP, "ns", "a"), "metadata.uid", ""));
	fake_kube_put(f->fk, RES_POD, json_parse(text, strlen(text), &err));
	fake_kube_run(f->fk, 1000);
	assert_true(f->told > 0);
	assert_non_null(strstr(f->last_told.err.msg, "label app=a0"));
}

/* The name was taken and is free again when we look: no failure, the next plan creates. */
static void taken_and_free_again(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal taken = { .status = 409, .reason = "AlreadyExists" };

	fake_kube_refuse(f->fk, VERB_CREATE, RES_POD, 1, &taken);
	start(f, toy_pod_only);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 1000);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
	assert_int_equal(f->told, 0);
}

/* ---- deletion ---- */

static void put_victim(struct fixture *f, const char *uid)
{
	auto_free char *text =
	    xasprintf("{\"metadata\": {\"namespace\": \"ns\", \"name\": \"victim\", \"uid\": \"%s\"}}", uid);
	struct err err;

	fake_kube_put(f->fk, RES_POD, json_parse(text, strlen(text), &err));
}

static void deletion_has_preconditions(void **state)
{
	struct fixture *f = *state;
	const struct fake_write *writes;
	size_t len;

	put_victim(f, "u1");
	start(f, toy_delete);
	put_app(f, "ns", "a", JSON({ "victim" : "u1" }));
	fake_kube_run(f->fk, 1000);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 0);
	assert_string_equal(app_phase(f, "a"), "Done");
	writes = fake_kube_writes(f->fk, &len);
	assert_string_equal(json_str(writes[0].body, "preconditions.uid", ""), "u1");
	assert_string_equal(json_str(writes[0].body, "propagationPolicy", ""), "Background");
	assert_non_null(json_at(writes[1].body, "metadata.resourceVersion"));
	assert_non_null(json_at(writes[1].body, "metadata.uid"));
}

static void already_gone_is_done(void **state)
{
	struct fixture *f = *state;

	start(f, toy_delete);
	put_app(f, "ns", "a", JSON({ "victim" : "u1" }));
	fake_kube_run(f->fk, 1000);
	assert_string_equal(app_phase(f, "a"), "Done");
	put_victim(f, "u2");
	put_app(f, "ns", "b", JSON({ "victim" : "u1" }));
	fake_kube_run(f->fk, 1000);
	assert_string_equal(app_phase(f, "b"), "Done");
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
	assert_int_equal(result(f, "error"), 0);
}

static void conflict_over_the_same_object(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal conflict = { .status = 409 };

	fake_kube_refuse(f->fk, VERB_DELETE, RES_POD, 2, &conflict);
	put_victim(f, "u1");
	start(f, toy_delete);
	put_app(f, "ns", "a", JSON({ "victim" : "u1" }));
	fake_kube_run(f->fk, 2000);
	assert_string_equal(app_phase(f, "a"), "Done");
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 0);
	assert_int_equal(fake_kube_calls(f->fk, VERB_DELETE, RES_POD), 3);
}

static void an_optional_creation_is_known_to_the_next_plan(void **state)
{
	struct fixture *f = *state;

	start(f, toy_optional);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 5000);
	assert_int_equal(fake_kube_calls(f->fk, VERB_CREATE, RES_POD), 1);
	assert_string_equal(f->outcome.value, "a-driver");
	assert_null(f->outcome.problem);
	assert_string_equal(app_phase(f, "a"), "Running");
}

/* The plan goes on, does not fail, and the next one knows. */
static void an_optional_creation_fails_alone(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal denied = { .status = 403, .message = "no pods today" };

	fake_kube_refuse(f->fk, VERB_CREATE, RES_POD, 3, &denied);
	start(f, toy_optional);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 500);
	assert_string_equal(app_phase(f, "a"), "Submitted");
	assert_int_equal(fake_kube_calls(f->fk, VERB_CREATE, RES_POD), 2); /* at once, and after the write */
	assert_int_equal(f->outcome.failures, 1);			   /* what the second plan knew of */
	assert_non_null(strstr(f->outcome.problem, "no pods today"));
	assert_non_null(strstr(buf_str(&f->log), "no pods today"));
	fake_kube_run(f->fk, 5000);
	assert_int_equal(fake_kube_calls(f->fk, VERB_CREATE, RES_POD), 4);
	assert_string_equal(app_phase(f, "a"), "Running");
	assert_int_equal(f->told, 0);
	assert_int_equal(result(f, "error"), 0);
}

static void an_optional_object_of_before_is_adopted(void **state)
{
	struct fixture *f = *state;

	fake_kube_fail(f->fk, 1, FAKE_LOSE_REPLY, NULL);
	start(f, toy_optional);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 5000);
	assert_int_equal(fake_kube_calls(f->fk, VERB_CREATE, RES_POD), 2);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1);
	assert_string_equal(f->outcome.value, "a-driver");
}

static void an_optional_object_of_a_stranger_is_a_failure(void **state)
{
	static const char text[] = JSON({ "metadata" : { "namespace" : "ns", "name" : "a-driver" } });
	struct fixture *f = *state;
	struct err err;

	fake_kube_put(f->fk, RES_POD, json_parse(text, strlen(text), &err));
	start(f, toy_optional);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 500);
	assert_non_null(strstr(f->outcome.problem, "not ours"));
	assert_null(f->outcome.value);
	assert_int_equal(result(f, "error"), 0);
}

static int64_t remembered(const struct fixture *f)
{
	auto_json debug = controller_debug(f->controller);

	return json_i64(debug, "remembered", -1);
}

/* Failures and outcomes are about one object: who gets its name next begins anew. */
static void what_is_kept_is_forgotten_with_the_object(void **state)
{
	struct fixture *f = *state;

	start(f, toy_optional);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 5000);
	assert_string_equal(f->outcome.value, "a-driver");
	assert_int_equal(remembered(f), 1);
	fake_kube_delete(f->fk, RES_APP, "ns", "a");
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 500);
	assert_true(fake_kube_calls(f->fk, VERB_CREATE, RES_POD) >= 2);
	fake_kube_delete(f->fk, RES_APP, "ns", "a");
	fake_kube_run(f->fk, 5000);
	assert_int_equal(remembered(f), 0);
}

static void a_refusal_ends_with_its_object(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal denied = { .status = 403 };

	fake_kube_refuse(f->fk, VERB_CREATE, RES_POD, -1, &denied);
	start(f, toy_pod_only);
	put_app(f, "ns", "a", "{}");
	fake_kube_run(f->fk, 60000);
	assert_true(f->last_told.tries > 3);
	fake_kube_accept(f->fk);
	fake_kube_delete(f->fk, RES_APP, "ns", "a"); /* both changes come before the next plan */
	put_app(f, "ns", "a", "{}");
	f->told = 0;
	fake_kube_run(f->fk, 50);
	assert_int_equal(f->told, 0);
	assert_int_equal(fake_kube_count(f->fk, RES_POD), 1); /* without the wait of its predecessor */
}

/* ---- a CRD that is older ---- */

static int toy_with_conditions(struct fixture *f, const struct kobj *app, const struct failure *failed,
			       struct plan *plan, struct err *err)
{
	struct json *body = status("Done");

	(void)f;
	(void)failed;
	(void)err;
	json_set(json_get(body, "status"), "conditions", json_new_array());
	json_set(json_get(body, "status"), "reason", json_new_null());
	if (!text_eq(phase_of(app), "Done"))
		plan_status(plan, app->kind->res, app->ns, app->name, app->uid, app->resource_version, take_ptr(body));
	json_free(body);
	return 0;
}

static void put_two(struct fixture *f)
{
	start(f, toy_with_conditions);
	put_app(f, "ns", "a", "{}");
	put_app(f, "ns", "b", "{}");
	fake_kube_run(f->fk, 2000);
	assert_string_equal(app_phase(f, "a"), "Done");
	assert_string_equal(app_phase(f, "b"), "Done");
}

static void what_a_status_loses_is_told_once(void **state)
{
	struct fixture *f = *state;
	const char *at;

	fake_kube_prune_status(f->fk, "conditions");
	put_two(f);
	at = strstr(buf_str(&f->log), "the CRD is older than this operator");
	assert_non_null(at);
	assert_non_null(strstr(at, "crd=sparkapplications.sparkoperator.k8s.io"));
	assert_non_null(strstr(at, "dropped=conditions "));
	assert_non_null(strstr(at, "kubectl apply --server-side --force-conflicts -f crds"));
	assert_null(strstr(at + 1, "the CRD is older than this operator"));
	assert_int_equal(fake_kube_write_count(f->fk), 2);
}

static void a_whole_status_is_no_trouble(void **state)
{
	struct fixture *f = *state;

	put_two(f);
	assert_null(strstr(buf_str(&f->log), "level=warn"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_a_status_loses_is_told_once),
		TEST(a_whole_status_is_no_trouble),
		TEST(every_class_is_tried_again),
		TEST(back_off_spares_the_server),
		TEST(outage_is_over_soon),
		TEST(trouble_of_each_class_is_over_soon),
		TEST(changes_do_not_defeat_retry_after),
		TEST(an_outage_begins_a_new_row),
		TEST(events_only_after_success),
		TEST(no_plan_at_all),
		TEST(gone_root_is_forgotten),
		TEST(conflict_waits_for_the_cache),
		TEST(conflict_with_a_fresh_cache),
		TEST(conflict_and_gone),
		TEST(conflicts_over_a_quota_back_off),
		TEST(check_finds_what_was_planned_for),
		TEST(check_waits_for_the_cache),
		TEST(checked_object_is_gone),
		TEST(checked_object_is_another),
		TEST(check_that_fails_ends_the_plan),
		TEST(lost_reply_is_adopted),
		TEST(lost_call_is_repeated),
		TEST(stranger_is_not_adopted),
		TEST(a_stranger_is_not_waited_for),
		TEST(owner_alone_is_not_enough),
		TEST(taken_and_free_again),
		TEST(deletion_has_preconditions),
		TEST(already_gone_is_done),
		TEST(conflict_over_the_same_object),
		TEST(an_optional_creation_is_known_to_the_next_plan),
		TEST(an_optional_creation_fails_alone),
		TEST(an_optional_object_of_before_is_adopted),
		TEST(an_optional_object_of_a_stranger_is_a_failure),
		TEST(what_is_kept_is_forgotten_with_the_object),
		TEST(a_refusal_ends_with_its_object),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
