/* Decoding of applications: defaults, every field, errors, the kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "json/json.h"
#include "parse.h"
#include "spark/app.h"

static void minimal(void **state)
{
	auto_json tree = parse(JSON({ "metadata" : { "name" : "pi" }, "spec" : {} }));
	struct err err = { 0 };
	struct app app;

	(void)state;
	assert_int_equal(app_decode(tree, &app, &err), 0);
	assert_string_equal(app.name, "pi");
	assert_null(app.ns);
	assert_ptr_equal(app.tree, tree);
	assert_int_equal(app.state, APP_NEW);
	assert_false(app.deleting || app.suspend || app.has_ttl);
	assert_int_equal(app.submission_attempts, 0);
	assert_int_equal(app.last_submission_ms, 0);
	assert_null(app.submission_id);
	assert_null(app.status);
}

static void everything(void **state)
{
	auto_json tree = parse(JSON({
		"metadata" : {
			"namespace" : "n",
			"name" : "pi",
			"uid" : "u",
			"resourceVersion" : "7",
			"generation" : 3,
			"creationTimestamp" : "1970-01-01T00:00:01Z",
			"deletionTimestamp" : "1970-01-01T00:00:02Z"
		},
		"spec" : { "type" : "Python", "suspend" : true, "timeToLiveSeconds" : 0 },
		"status" : {
			"applicationState" : { "state" : "PENDING_RERUN", "errorMessage" : "why" },
			"submissionAttempts" : 2,
			"executionAttempts" : 1,
			"submissionID" : "id",
			"lastSubmissionAttemptTime" : "1970-01-01T00:00:03Z",
			"terminationTime" : null,
			"driverInfo" : { "podName" : "pi-driver" }
		}
	}));
	struct err err = { 0 };
	struct app app;

	(void)state;
	assert_int_equal(app_decode(tree, &app, &err), 0);
	assert_string_equal(app.ns, "n");
	assert_string_equal(app.uid, "u");
	assert_string_equal(app.resource_version, "7");
	assert_int_equal(app.generation, 3);
	assert_int_equal(app.created_ms, 1000);
	assert_true(app.deleting && app.suspend && app.has_ttl);
	assert_int_equal(app.ttl_s, 0);
	assert_int_equal(app.type, APP_TYPE_PYTHON);
	assert_int_equal(app.state, APP_PENDING_RERUN);
	assert_string_equal(app.error_message, "why");
	assert_int_equal(app.submission_attempts, 2);
	assert_int_equal(app.execution_attempts, 1);
	assert_int_equal(app.last_submission_ms, 3000);
	assert_int_equal(app.terminated_ms, 0);
	assert_string_equal(app.submission_id, "id");
	assert_string_equal(app.driver_pod_name, "pi-driver");
	assert_ptr_equal(app.status, json_get(tree, "status"));
}

/* So that something can be said about the object all the same. */
static void metadata_survive_a_bad_spec(void **state)
{
	auto_json tree = parse(JSON({
		"metadata" : { "namespace" : "n", "name" : "pi" },
		"spec" : { "suspend" : "yes" },
		"status" : { "submissionAttempts" : 2 }
	}));
	struct err err = { 0 };
	struct app app;

	(void)state;
	assert_int_equal(app_decode(tree, &app, &err), -ERR_INVALID);
	assert_non_null(strstr(err.msg, "spec.suspend"));
	assert_string_equal(app.name, "pi");
	assert_int_equal(app.submission_attempts, 0);
}

static void errors_name_the_field(void **state)
{
	static const struct {
		const char *text;
		const char *field;
	} rows[] = {
		{ JSON({ "metadata" : { "name" : 1 }, "spec" : {} }), "metadata.name" },
		{ JSON({ "metadata" : { "name" : "a" }, "spec" : { "type" : "Cobol" } }), "spec.type" },
		{ JSON({ "metadata" : { "name" : "a" }, "spec" : { "timeToLiveSeconds" : "1" } }),
		  "spec.timeToLiveSeconds" },
		{ JSON({ "metadata" : { "name" : "a" }, "status" : { "applicationState" : { "state" : "LOST" } } }),
		  "status.applicationState.state" },
		{ JSON({ "metadata" : { "name" : "a" }, "status" : [] }), "status" },
		{ JSON({ "metadata" : { "name" : "a" }, "status" : { "terminationTime" : "soon" } }),
		  "status.terminationTime" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_json tree = parse(rows[i].text);
		struct err err = { 0 };
		struct app app;

		assert_int_equal(app_decode(tree, &app, &err), -ERR_INVALID);
		if (!strstr(err.msg, rows[i].field))
			fail_msg("no %s in: %s", rows[i].field, err.msg);
	}
}

static void states_have_names(void **state)
{
	(void)state;
	assert_string_equal(app_state_text(APP_NEW), "");
	assert_string_equal(app_state_text(APP_SUBMISSION_FAILED), "SUBMISSION_FAILED");
	assert_string_equal(app_state_text(APP_UNKNOWN), "UNKNOWN");
}

static void the_kind_makes_views(void **state)
{
	struct err err = { 0 };
	struct json *good =
	    parse(JSON({ "metadata" : { "name" : "pi", "namespace" : "n", "resourceVersion" : "1" }, "spec" : {} }));
	struct json *bad =
	    parse(JSON({ "metadata" : { "name" : "pi", "resourceVersion" : "1" }, "spec" : { "type" : 7 } }));
	auto_kobj a = kobj_new(&app_kind, good, &err);
	auto_kobj b = kobj_new(&app_kind, bad, &err);
	const struct app *app;

	(void)state;
	assert_non_null(a);
	app = a->view;
	assert_string_equal(app->name, "pi");
	assert_ptr_equal(app->tree, a->tree);
	assert_non_null(b);
	assert_null(b->view);
	assert_non_null(strstr(b->problem, "spec.type"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(minimal),
		cmocka_unit_test(everything),
		cmocka_unit_test(metadata_survive_a_bad_spec),
		cmocka_unit_test(errors_name_the_field),
		cmocka_unit_test(states_have_names),
		cmocka_unit_test(the_kind_makes_views),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
