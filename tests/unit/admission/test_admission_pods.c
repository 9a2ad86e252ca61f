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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pods_of_a_submission_are_left_as_they_are),
		cmocka_unit_test(pods_of_the_existing_webhook_are_left_as_they_are),
		cmocka_unit_test(pods_of_the_corpus_are_left_as_they_are),
		cmocka_unit_test(plain_pods_are_mutated_once),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
