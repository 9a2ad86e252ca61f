/*
 * Admission beside submission and the recordings of the differential tier: pods that have everything get nothing, plain
 * ones are mutated once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "golden.h"
#include "json/patch.h"
#include "json/yaml.h"
#include "parse.h"
#include "admission/admission.h"
#include "submission/submission.h"

typedef void case_fn(const char *name, struct json *object);

/* Each SparkApplication of the folder. */
static size_t each_case(const char *folder, case_fn *fn)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		auto_free char *path = xasprintf("%s/%s", folder, entry->d_name);
		auto_free char *name = xstrndup(entry->d_name, strcspn(entry->d_name, "."));
		auto_free char *text = NULL;
		auto_json documents = NULL;
		struct err err = { 0 };

		if (!text_ends(entry->d_name, ".yaml"))
			continue;
		text = golden_read(path, NULL);
		documents = yaml_parse(text, strlen(text), &err);
		json_each (object, documents) {
			json_set_str(json_ensure_object(object, "metadata"), "uid",
				     "00000000-0000-0000-0000-000000000000");
			fn(name, object);
			count++;
		}
	}
	closedir(dir);
	return count;
}

static void expect_fixed(const char *name, const struct app *app, const struct json *pod)
{
	auto_json mutated = json_dup(pod);
	auto_json patch = NULL;
	auto_free char *text = NULL;
	struct err err = { 0 };

	if (admission_mutate_pod(app, mutated, &err))
		fail_msg("%s: %s", name, err.msg);
	patch = json_patch_diff(pod, mutated);
	text = json_print(patch);
	if (!json_equal(pod, mutated))
		fail_msg("%s: %s", name, text);
}

/* Without the mark the webhook compares: there is nothing to add. */
static void expect_fixed_without_mark(const char *name, const struct app *app, const struct json *pod)
{
	auto_json plain = json_dup(pod);

	if (!json_remove(json_at(plain, "metadata.annotations"), ANNOTATION_SUBMITTED_SPEC))
		fail_msg("%s: a pod of a submission without its mark", name);
	expect_fixed(name, app, plain);
}

static size_t built;

static void check_submission(const char *name, struct json *object)
{
	static const char *const versions[] = { "3.4.4", "3.5.6", "4.0.1", "4.1.0", "4.2.1", "4.3.0" };
	const struct submission_options options = { .master = "k8s://https://h:6443", .with_executor = true };

	for (size_t i = 0; i < array_len(versions); i++) {
		struct submission s = { 0 };
		struct err err = { 0 };
		struct app app;

		json_set_str(json_ensure_object(object, "spec"), "sparkVersion", versions[i]);
		if (app_decode(object, &app, &err) || submission_build(&app, 1, &options, &s, &err))
			continue;
		expect_fixed(name, &app, submission_find(&s, "Pod"));
		expect_fixed(name, &app, s.executor);
		expect_fixed_without_mark(name, &app, submission_find(&s, "Pod"));
		expect_fixed_without_mark(name, &app, s.executor);
		submission_done(&s);
		built++;
	}
}

static void pods_of_a_submission_are_left_as_they_are(void **state)
{
	(void)state;
	built = 0;
	assert_true(each_case("differential/cases", check_submission) > 150);
	assert_true(each_case("differential/oracle", check_submission) > 30);
	assert_true(built > 900);
}

/* NULL if there is no such file. */
static struct json *read_json(const char *path)
{
	FILE *file = fopen(path, "re");
	auto_free char *text = NULL;

	if (!file)
		return NULL;
	fclose(file);
	text = golden_read(path, NULL);
	return parse(text);
}

static struct json *recording(const char *folder, const char *name)
{
	auto_free char *path = xasprintf("differential/%s/expected/3.5.6/%s.json", folder, name);

	return read_json(path);
}

static const struct json *recorded_driver(const struct json *recorded)
{
	json_each (request, json_get(recorded, "requests"))
		if (text_eq(json_str(request, "body.kind", ""), "Pod"))
			return json_get(request, "body");
	return NULL;
}

static void check_recorded(const char *name, struct json *object)
{
	auto_json recorded = recording("cases", name);
	const struct json *driver = recorded_driver(recorded), *executor = json_get(recorded, "executor");
	struct err err = { 0 };
	struct app app;

	if (app_decode(object, &app, &err))
		return;
	if (driver)
		expect_fixed(name, &app, driver);
	if (json_is(executor, JSON_OBJECT))
		expect_fixed(name, &app, executor);
	built += driver != NULL;
}

static void pods_of_the_existing_webhook_are_left_as_they_are(void **state)
{
	(void)state;
	built = 0;
	each_case("differential/cases", check_recorded);
	assert_true(built > 100);
}

static void check_plain(const char *name, struct json *object)
{
	auto_json recorded = recording("oracle", name);
	auto_json pod = json_dup(recorded_driver(recorded));
	struct err err = { 0 };
	struct app app;

	if (!pod || app_decode(object, &app, &err))
		return;
	if (admission_mutate_pod(&app, pod, &err))
		fail_msg("%s: %s", name, err.msg);
	expect_fixed(name, &app, pod);
	built++;
}

static void plain_pods_are_mutated_once(void **state)
{
	(void)state;
	built = 0;
	each_case("differential/oracle", check_plain);
	assert_true(built > 25);
}

/* Those of the API server that the recordings leave out and applications say too. */
static void put_defaults(struct json *pod)
{
	struct json *spec = json_get(pod, "spec");

	if (!json_get(spec, "schedulerName"))
		json_set_str(spec, "schedulerName", "default-scheduler");
}

/* Recorded on a cluster, so in the API server's words; uids are not in the recordings. */
static void check_corpus(const char *name, struct json *object)
{
	auto_free char *path = xasprintf("corpus/expected/%s.json", name);
	auto_json recorded = read_json(path);
	struct err err = { 0 };
	struct app app;

	if (!recorded || !text_eq(json_str(object, "kind", ""), "SparkApplication"))
		return;
	json_remove(json_get(object, "metadata"), "uid");
	assert_int_equal(app_decode(object, &app, &err), 0);
	if (json_is(json_get(recorded, "driver-pod"), JSON_OBJECT)) {
		put_defaults(json_get(recorded, "driver-pod"));
		expect_fixed(name, &app, json_get(recorded, "driver-pod"));
	}
	json_each (executor, json_get(recorded, "executor-pods")) {
		put_defaults(executor);
		expect_fixed(name, &app, executor);
		built++;
	}
}

static void pods_of_the_corpus_are_left_as_they_are(void **state)
{
	(void)state;
	built = 0;
	each_case("corpus", check_corpus);
	assert_true(built > 25);
}

/* ---- other webhooks, and edits while an application runs ---- */

static const char with_companions[] = JSON({
	"apiVersion" : "sparkoperator.k8s.io/v1beta2",
	"kind" : "SparkApplication",
	"metadata" : { "name" : "pi", "namespace" : "ns", "uid" : "00000000-0000-0000-0000-000000000000" },
	"spec" : {
		"type" : "Scala",
		"mode" : "cluster",
		"sparkVersion" : "3.5.6",
		"image" : "spark:3.5.6",
		"mainClass" : "M",
		"mainApplicationFile" : "local:///a.jar",
		"driver" : {
			"sidecars" : [ { "name" : "log", "image" : "busybox:1" } ],
			"initContainers" : [ { "name" : "init", "image" : "busybox:1" } ],
			"env" : [ { "name" : "JAVA_TOOL_OPTIONS", "value" : "-Dx=1" } ],
			"podSecurityContext" : { "fsGroup" : 1 },
			"dnsConfig" : { "nameservers" : ["192.0.2.1"] }
		},
		"executor" : {
			"sidecars" : [ { "name" : "log", "image" : "busybox:1" } ],
			"initContainers" : [ { "name" : "init", "image" : "busybox:1" } ],
			"env" : [ { "name" : "JAVA_TOOL_OPTIONS", "value" : "-Dx=1" } ],
			"podSecurityContext" : { "fsGroup" : 1 },
			"dnsConfig" : { "nameservers" : ["192.0.2.1"] }
		}
	}
});

/* What a mirror of images, an agent for traces and a policy make of a pod. */
static void change_as_others_do(struct json *pod)
{
	static const char *const lists[] = { "containers", "initContainers" };
	struct json *spec = json_get(pod, "spec");

	for (size_t i = 0; i < array_len(lists); i++) {
		json_each (container, json_get(spec, lists[i])) {
			struct json *options = json_find(json_get(container, "env"), "name", "JAVA_TOOL_OPTIONS");

			json_setf(container, "image", "mirror.example/%s", json_str(container, "image", ""));
			if (options)
				json_set_str(options, "value", "-Dx=1 -javaagent:/otel.jar");
		}
	}
	json_set_str(json_ensure_object(json_get(spec, "securityContext"), "seccompProfile"), "type", "RuntimeDefault");
	json_append_str(json_ensure_array(json_get(spec, "dnsConfig"), "searches"), "example.com");
}

static void other_webhooks_may_change_pods_of_a_submission(void **state)
{
	const struct submission_options options = { .master = "k8s://https://h:6443", .with_executor = true };
	auto_json object = parse(with_companions);
	auto_json edited = parse(with_companions);
	struct submission s = { 0 };
	struct err err = { 0 };
	struct app app, after;
	auto_json driver = NULL;

	(void)state;
	assert_int_equal(app_decode(object, &app, &err), 0);
	if (submission_build(&app, 1, &options, &s, &err))
		fail_msg("%s", err.msg);
	driver = json_dup(submission_find(&s, "Pod"));
	change_as_others_do(driver);
	change_as_others_do(s.executor);
	expect_fixed("driver", &app, driver);
	expect_fixed("executor", &app, s.executor);
	json_set_str(json_first(json_at(edited, "spec.executor.sidecars")), "image", "busybox:2");
	assert_int_equal(app_decode(edited, &after, &err), 0);
	expect_fixed("executor of an edited application", &after, s.executor);
	submission_done(&s);
}

/* Spark writes the limit and, with decommissioning, the hook over what the template says. */
static void executors_get_what_their_template_cannot_carry(void **state)
{
	static const struct {
		const char *role;
		const char *decommission;
		const char *memory; /* what is wanted */
		const char *hook;
	} rows[] = {
		{ "executor", "true", "4Gi", "mine" },
		{ "executor", "false", "4Gi", "theirs" },
		{ "driver", "true", "1Gi", "theirs" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_json object = parse(with_companions);
		auto_json pod = parse(JSON({
			"metadata" : { "annotations" : { "sparkoperator.k8s.io/submitted-spec" : "0" } },
			"spec" : {
				"containers" : [ {
					"name" : "spark",
					"resources" :
					    { "limits" : { "memory" : "1Gi" }, "requests" : { "memory" : "1Gi" } },
					"lifecycle" : { "preStop" : { "exec" : { "command" : ["theirs"] } } }
				} ]
			}
		}));
		struct json *fields = json_get(json_get(object, "spec"), rows[i].role), *hook;
		const struct json *container;
		struct err err = { 0 };
		struct app app;

		json_set_str(json_ensure_object(json_ensure_object(pod, "metadata"), "labels"), LABEL_SPARK_ROLE,
			     rows[i].role);
		json_set_str(json_ensure_object(json_get(object, "spec"), "sparkConf"), "spark.decommission.enabled",
			     rows[i].decommission);
		json_set_str(fields, "memoryLimit", "4g");
		hook = json_ensure_object(json_ensure_object(fields, "lifecycle"), "preStop");
		json_append_str(json_ensure_array(json_ensure_object(hook, "exec"), "command"), "mine");
		assert_int_equal(app_decode(object, &app, &err), 0);
		assert_int_equal(admission_mutate_pod(&app, pod, &err), 0);
		container = json_first(json_at(pod, "spec.containers"));
		assert_string_equal(json_str(container, "resources.limits.memory", ""), rows[i].memory);
		assert_string_equal(json_text(json_first(json_at(container, "lifecycle.preStop.exec.command")), ""),
				    rows[i].hook);
		assert_int_equal(json_len(json_at(pod, "spec.containers")), 1);
		assert_null(json_at(pod, "metadata.ownerReferences"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pods_of_a_submission_are_left_as_they_are),
		cmocka_unit_test(pods_of_the_existing_webhook_are_left_as_they_are),
		cmocka_unit_test(pods_of_the_corpus_are_left_as_they_are),
		cmocka_unit_test(plain_pods_are_mutated_once),
		cmocka_unit_test(other_webhooks_may_change_pods_of_a_submission),
		cmocka_unit_test(executors_get_what_their_template_cannot_carry),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
