/*
 * The CRD against the program: the API server prunes what the schema does not name, so every field that is
 * decoded, and every status that reconcile writes, must be in it with its type.
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

#define CRD TESTS_DIR "/../crds/sparkoperator.k8s.io_sparkapplications.yaml"

enum {
	/* kubectl apply keeps the object in an annotation; all annotations together hold 256 KiB (apimachinery). */
	APPLY_MAX = 250 * 1000,
};

static struct json *crd;
static const struct json *schema;

static int setup(void **state)
{
	struct err err = { 0 };
	size_t len = 0;
	auto_free char *text = golden_read(CRD, &len);
	auto_json documents = yaml_parse(text, len, &err);

	(void)state;
	if (!documents)
		fail_msg("%s", err.msg);
	assert_int_equal(json_len(documents), 1);
	crd = json_take_first(documents);
	schema = json_at(json_first(json_at(crd, "spec.versions")), "schema.openAPIV3Schema");
	assert_non_null(schema);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	json_free(crd);
	return 0;
}

/* The schema of a path, NULL if it is not there. */
static const struct json *schema_at(const char *path)
{
	const struct json *s = schema;
	auto_strv names = { 0 };

	strv_split(&names, path, '.');
	for (size_t i = 0; i < names.len; i++)
		s = json_get(json_get(s, "properties"), names.items[i]);
	return s;
}

static void test_identity(void **state)
{
	const struct json *version = json_first(json_at(crd, "spec.versions"));
	auto_free char *text = json_print(crd);

	(void)state;
	assert_string_equal(json_str(crd, "metadata.name", ""), "sparkapplications.sparkoperator.k8s.io");
	assert_string_equal(json_str(crd, "spec.group", ""), "sparkoperator.k8s.io");
	assert_string_equal(json_str(crd, "spec.scope", ""), "Namespaced");
	assert_string_equal(json_str(crd, "spec.names.plural", ""), "sparkapplications");
	assert_string_equal(json_str(version, "name", ""), "v1beta2");
	assert_true(json_bool(version, "served", false));
	assert_true(json_bool(version, "storage", false));
	assert_true(json_is(json_at(version, "subresources.status"), JSON_OBJECT));
	assert_in_range(strlen(text), 1, APPLY_MAX);
}

/* The rows of src/spark/app.c and what reconcile reads besides. */
static void test_decoded_fields(void **state)
{
	static const char *const rows[][2] = {
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
	for (size_t i = 0; i < array_len(rows); i++) {
		const struct json *s = schema_at(rows[i][0]);

		if (!s)
			fail_msg("%s: not in the CRD", rows[i][0]);
		assert_string_equal(json_str(s, "type", ""), rows[i][1]);
	}
}

static void test_printer_columns(void **state)
{
	auto_free char *want = xstrdup("Suspend Status Attempts Start Finish Age");
	auto_strv names = { 0 };
	auto_free char *got = NULL;

	(void)state;
	json_each (column, json_get(json_first(json_at(crd, "spec.versions")), "additionalPrinterColumns")) {
		const char *path = json_str(column, "jsonPath", ".");

		strv_add(&names, json_str(column, "name", "?"));
		if (!text_starts(path, ".metadata."))
			assert_non_null(schema_at(path + 1));
	}
	got = strv_join(&names, " ");
	assert_string_equal(got, want);
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
	check_structure(schema, "", true);
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
	struct err err = { 0 };
	size_t len = 0;
	auto_free char *text = golden_read(path, &len);
	auto_json golden = json_parse(text, len, &err);

	if (!golden)
		fail_msg("%s: %s", path, err.msg);
	json_each (action, json_at(golden, "want.actions"))
		if (text_eq(json_str(action, "type", ""), "status"))
			check_value(json_at(action, "body.status"), schema_at("status"), path);
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
		cmocka_unit_test(test_identity),	 cmocka_unit_test(test_decoded_fields),
		cmocka_unit_test(test_printer_columns),	 cmocka_unit_test(test_structural),
		cmocka_unit_test(test_written_statuses),
	};

	json_setup();
	return cmocka_run_group_tests(tests, setup, teardown);
}
