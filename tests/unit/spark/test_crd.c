/*
 * The CRDs against the program: the API server prunes what the schema does not name, so every field that is decoded,
 * and every status that reconcile writes, must be in it with its type. Besides, what users see: names and columns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "golden.h"
#include "json/yaml.h"

enum {
	/* kubectl apply keeps the object in an annotation; all annotations together hold 256 KiB (apimachinery). */
	APPLY_MAX = 250 * 1000,
	FILE_MAX = 60 * 1000,
};

struct kind_row {
	const char *plural;
	const char *kind;
	const char *version;
	const char *short_name;
	const char *columns; /* of plain `kubectl get` */
	const char *wide;    /* more of them, with -o wide */
};

static const struct kind_row rows[] = {
	{ "sparkapplications", "SparkApplication", "v1beta2", "sparkapp",
	  "State Attempts Executors Started Duration Reason Age", "Suspend Finish UI Message" },
	{ "scheduledsparkapplications", "ScheduledSparkApplication", "v1beta2", "scheduledsparkapp",
	  "Schedule TimeZone Suspend Last Run Last Run Name Next Run Age", "State Reason" },
	{ "sparkconnects", "SparkConnect", "v1alpha1", "sparkconn", "State Pod Age", "Service Executors" },
};

static struct json *crds[array_len(rows)];

static int setup(void **state)
{
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *path = xasprintf("%s/../crds/sparkoperator.k8s.io_%s.yaml", TESTS_DIR, rows[i].plural);
		size_t len = 0;
		auto_free char *text = golden_read(path, &len);
		auto_json documents = yaml_parse(text, len, &err);

		if (!documents)
			fail_msg("%s", err.msg);
		assert_int_equal(json_len(documents), 1);
		assert_in_range(len, 1, FILE_MAX);
		crds[i] = json_take_first(documents);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		json_free(crds[i]);
	return 0;
}

static const struct json *schema_of(const struct json *crd)
{
	const struct json *schema = json_at(json_first(json_at(crd, "spec.versions")), "schema.openAPIV3Schema");

	assert_non_null(schema);
	return schema;
}

/* The schema of a path, NULL if it is not there. */
static const struct json *schema_at(const struct json *crd, const char *path)
{
	const struct json *s = schema_of(crd);
	auto_strv names = { 0 };

	strv_split(&names, path, '.');
	for (size_t i = 0; i < names.len; i++)
		s = json_get(json_get(s, "properties"), names.items[i]);
	return s;
}

static void check_identity(const struct kind_row *row, const struct json *crd)
{
	const struct json *version = json_first(json_at(crd, "spec.versions"));
	auto_free char *name = xasprintf("%s.sparkoperator.k8s.io", row->plural);
	auto_free char *list = xasprintf("%sList", row->kind);
	auto_free char *text = json_print(crd);
	int64_t number = 0;

	assert_string_equal(json_str(crd, "metadata.name", ""), name);
	assert_string_equal(json_str(crd, "spec.group", ""), "sparkoperator.k8s.io");
	assert_string_equal(json_str(crd, "spec.scope", ""), "Namespaced");
	assert_string_equal(json_str(crd, "spec.names.plural", ""), row->plural);
	assert_string_equal(json_str(crd, "spec.names.kind", ""), row->kind);
	assert_string_equal(json_str(crd, "spec.names.listKind", ""), list);
	assert_string_equal(json_text(json_first(json_at(crd, "spec.names.shortNames")), ""), row->short_name);
	assert_string_equal(json_text(json_first(json_at(crd, "spec.names.categories")), ""), "spark");
	assert_int_equal(json_len(json_at(crd, "spec.versions")), 1);
	assert_string_equal(json_str(version, "name", ""), row->version);
	assert_true(json_bool(version, "served", false));
	assert_true(json_bool(version, "storage", false));
	assert_true(json_is(json_at(version, "subresources.status"), JSON_OBJECT));
	assert_in_range(strlen(text), 1, APPLY_MAX);
	assert_true(
	    text_i64(json_text(json_get(json_at(crd, "metadata.annotations"), "sparkoperator.k8s.io/crds-version"), ""),
		     &number));
	assert_true(number > 0);
}

static void test_identity(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		check_identity(&rows[i], crds[i]);
}

/* The rows of src/spark/app.c and what reconcile reads besides. */
static void test_decoded_fields(void **state)
{
	static const char *const fields[][2] = {
		{ "spec.type", "string" },
		{ "spec.suspend", "boolean" },
		{ "spec.timeToLiveSeconds", "integer" },
		{ "spec.restartPolicy.type", "string" },
		{ "status", "object" },
		{ "status.applicationState.state", "string" },
		{ "status.applicationState.errorMessage", "string" },
		{ "status.submissionAttempts", "integer" },
		{ "status.executionAttempts", "integer" },
		{ "status.lastSubmissionAttemptTime", "string" },
		{ "status.terminationTime", "string" },
		{ "status.submissionID", "string" },
		{ "status.driverInfo.podName", "string" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(fields); i++) {
		const struct json *s = schema_at(crds[0], fields[i][0]);

		if (!s)
			fail_msg("%s: not in the CRD", fields[i][0]);
		assert_string_equal(json_str(s, "type", ""), fields[i][1]);
	}
}

static bool is_field(const struct json *crd, const char *path)
{
	return text_starts(path, ".metadata.") || text_eq(path, ".status.executors.running") ||
	       schema_at(crd, path + 1);
}

static void check_columns(const struct kind_row *row, const struct json *crd)
{
	auto_strv names = { 0 }, wide = { 0 };
	auto_free char *got = NULL, *got_wide = NULL;

	json_each (column, json_get(json_first(json_at(crd, "spec.versions")), "additionalPrinterColumns")) {
		const char *path = json_str(column, "jsonPath", ".");

		strv_add(json_i64(column, "priority", 0) ? &wide : &names, json_str(column, "name", "?"));
		if (!is_field(crd, path))
			fail_msg("%s: column of %s, which is no field", row->plural, path);
	}
	got = strv_join(&names, " ");
	got_wide = strv_join(&wide, " ");
	assert_string_equal(got, row->columns);
	assert_string_equal(got_wide, row->wide);
}

static void test_printer_columns(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		check_columns(&rows[i], crds[i]);
}

/* A scheduled application is an application: one schema. */
static void test_template(void **state)
{
	auto_json app_schema = json_dup(schema_at(crds[1], "spec.template"));

	(void)state;
	assert_true(json_equal(app_schema, schema_at(crds[0], "spec")));
}

/* Structural schema: each node has a type, objects say what they hold, every field of ours is described. */
static void check_structure(const struct json *s, const char *path, bool described)
{
	const char *type = json_str(s, "type", NULL);
	const struct json *more = json_get(s, "additionalProperties");
	bool open = json_bool(s, "x-kubernetes-preserve-unknown-fields", false);

	if (json_bool(s, "x-kubernetes-int-or-string", false))
		return;
	if (!type)
		fail_msg("%s: no type", path);
	if (described && text_empty(json_str(s, "description", NULL)))
		fail_msg("%s: no description", path);
	json_each (required, json_get(s, "required"))
		if (!open && !json_get(json_get(s, "properties"), json_text(required, "?")))
			fail_msg("%s: requires %s, which it does not have", path, json_text(required, "?"));
	json_each (child, json_get(s, "properties")) {
		auto_free char *at = xasprintf("%s.%s", path, json_name(child));

		check_structure(child, at, text_eq(at, ".metadata") ? false : described && !open);
	}
	if (text_eq(type, "array"))
		check_structure(json_get(s, "items"), path, false);
	if (json_is(more, JSON_OBJECT))
		check_structure(more, path, false);
}

static void test_structural(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		check_structure(schema_of(crds[i]), "", true);
}

static bool has_type(const struct json *v, const char *type)
{
	static const struct {
		const char *name;
		enum json_type type;
	} types[] = {
		{ "object", JSON_OBJECT },  { "array", JSON_ARRAY },  { "string", JSON_STRING },
		{ "integer", JSON_NUMBER }, { "boolean", JSON_BOOL },
	};

	for (size_t i = 0; i < array_len(types); i++)
		if (text_eq(types[i].name, type))
			return json_is(v, types[i].type);
	return false;
}

/* Null deletes in a merge patch. */
static void check_value(const struct json *v, const struct json *s, const char *path)
{
	const struct json *more = json_get(s, "additionalProperties");

	if (json_is(v, JSON_NULL))
		return;
	if (!has_type(v, json_str(s, "type", "")))
		fail_msg("%s: not of type %s", path, json_str(s, "type", "?"));
	json_each (child, v) {
		const char *name = json_name(child);
		auto_free char *at = xasprintf("%s.%s", path, name ? name : "[]");
		const struct json *rule = name ? json_get(json_get(s, "properties"), name) : json_get(s, "items");

		if (!rule && json_is(more, JSON_OBJECT))
			rule = more;
		if (!rule)
			fail_msg("%s: not in the CRD", at);
		check_value(child, rule, at);
	}
}

static void check_golden(const char *path)
{
	auto_json golden = golden_json(path);

	json_each (action, json_at(golden, "want.actions"))
		if (text_eq(json_str(action, "type", ""), "status"))
			check_value(json_at(action, "body.status"), schema_at(crds[0], "status"), path);
}

static void test_written_statuses(void **state)
{
	glob_t found = { 0 };

	(void)state;
	assert_int_equal(glob(TESTS_DIR "/golden/reconcile/*.json", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		check_golden(found.gl_pathv[i]);
	globfree(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),	cmocka_unit_test(test_decoded_fields),
		cmocka_unit_test(test_printer_columns), cmocka_unit_test(test_structural),
		cmocka_unit_test(test_template),	cmocka_unit_test(test_written_statuses),
	};

	json_setup();
	return cmocka_run_group_tests(tests, setup, teardown);
}
