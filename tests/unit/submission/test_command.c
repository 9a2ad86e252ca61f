/* The spark-submit command that says what an application says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "json/yaml.h"
#include "submission/submission.h"

#define HEAD                                                                                                           \
	"kind: SparkApplication\nmetadata: {name: pi, namespace: jobs, uid: u-1}\n"                                    \
	"spec:\n  type: Scala\n  sparkVersion: 3.5.6\n  image: i\n  mainClass: C\n"                                    \
	"  mainApplicationFile: 'local:///a.jar'\n"
#define MINIMAL HEAD "  driver: {}\n  executor: {}\n"

static struct json *yaml(const char *text)
{
	struct err err = { 0 };
	auto_json documents = yaml_parse(text, strlen(text), &err);

	if (!documents)
		fail_msg("%s\n%s", err.msg, text);
	return json_take_first(documents);
}

static int make(const char *text, struct json **ret, struct err *err)
{
	auto_json tree = yaml(text);
	struct app app;

	assert_int_equal(app_decode(tree, &app, err), 0);
	return submission_command(&app, 1, ret, err);
}

static struct json *command(const char *text)
{
	struct json *out = NULL;
	struct err err = { 0 };

	if (make(text, &out, &err) < 0)
		fail_msg("%s", err.msg);
	return out;
}

/* How often the arguments `first second` stand next to each other; second NULL: how often first stands. */
static int count(const struct json *command, const char *first, const char *second)
{
	int n = 0;

	json_each (arg, json_get(command, "args"))
		if (text_eq(json_text(arg, NULL), first) &&
		    (!second || text_eq(json_text(json_next(arg), NULL), second)))
			n++;
	return n;
}

static struct json *file(const struct json *command, const char *name)
{
	return yaml(json_text(json_get(json_get(command, "files"), name), ""));
}

static void test_minimal(void **state)
{
	auto_json c = command(MINIMAL);
	const struct json *last = json_first(json_get(c, "args"));

	(void)state;
	while (json_next(last))
		last = json_next(last);
	assert_string_equal(json_text(last, ""), "local:///a.jar");
	assert_int_equal(count(c, "--name", "pi"), 1);
	assert_int_equal(count(c, "--class", "C"), 1);
	assert_int_equal(count(c, "--conf", "spark.kubernetes.namespace=jobs"), 1);
	assert_int_equal(count(c, "--conf", "spark.kubernetes.driver.pod.name=pi-driver"), 1);
	assert_int_equal(count(c, "--conf", "spark.kubernetes.driver.podTemplateFile={dir}/driver.yaml"), 1);
	assert_int_equal(count(c, "--conf", "spark.kubernetes.executor.podTemplateFile={dir}/executor.yaml"), 1);
	assert_int_equal(count(c, "--jars", NULL) + count(c, "--files", NULL) + count(c, "--proxy-user", NULL), 0);
	assert_int_equal(count(c, "--master", NULL) + count(c, "--deploy-mode", NULL), 0);
}

static void test_options(void **state)
{
	auto_json c = command(HEAD "  proxyUser: alice\n  arguments: ['--conf', 'a b', '']\n"
				   "  deps: {jars: ['local:///x.jar', 'local:///y.jar'], files: ['local:///f'],"
				   " packages: ['g:a:1'], excludePackages: ['g:b'], repositories: ['https://r'],"
				   " pyFiles: ['local:///p.py'], archives: ['local:///a.zip']}\n"
				   "  driver: {}\n  executor: {}\n");
	static const char *const want[][2] = {
		{ "--proxy-user", "alice" },
		{ "--jars", "local:///x.jar,local:///y.jar" },
		{ "--files", "local:///f" },
		{ "--packages", "g:a:1" },
		{ "--exclude-packages", "g:b" },
		{ "--repositories", "https://r" },
		{ "--py-files", "local:///p.py" },
		{ "--archives", "local:///a.zip" },
		{ "local:///a.jar", "--conf" },
		{ "--conf", "a b" },
		{ "a b", "" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(want); i++)
		if (count(c, want[i][0], want[i][1]) != 1)
			fail_msg("%s %s", want[i][0], want[i][1]);
	assert_int_equal(count(c, "--conf", "spark.jars=local:///x.jar,local:///y.jar"), 0);
}

/* An argument each, whatever is in it; what the caller or the templates decide is not said twice. */
static void test_conf(void **state)
{
	auto_json c =
	    command(HEAD "  sparkConf: {spark.a: \"1\\n2 = $(X)\", spark.e: '', other.key: v, spark.jars: 'local:///j',"
			 " spark.kubernetes.submission.waitAppCompletion: 'true', spark.app.name: x}\n"
			 "  driver: {}\n  executor: {}\n");

	(void)state;
	assert_int_equal(count(c, "--conf", "spark.a=1\n2 = $(X)"), 1);
	assert_int_equal(count(c, "--conf", "spark.e="), 1);
	assert_int_equal(count(c, "--jars", "local:///j"), 1);
	json_each (arg, json_get(c, "args")) {
		assert_null(strstr(json_text(arg, ""), "waitAppCompletion"));
		assert_null(strstr(json_text(arg, ""), "other.key"));
		assert_null(strstr(json_text(arg, ""), "spark.app.name"));
	}
}

static void test_templates(void **state)
{
	auto_json c = command(HEAD "  driver: {}\n  executor: {tolerations: [{key: k, operator: Exists}]}\n");
	auto_json driver = file(c, "driver.yaml");
	auto_json executor = file(c, "executor.yaml");
	const struct json *owner = json_first(json_at(driver, "metadata.ownerReferences"));

	(void)state;
	assert_string_equal(json_str(owner, "uid", ""), "u-1");
	assert_string_equal(json_str(owner, "kind", ""), "SparkApplication");
	assert_int_equal(json_len(json_at(driver, "spec.containers")), 1);
	assert_non_null(json_find(json_at(driver, "spec.containers"), "name", DRIVER_CONTAINER));
	assert_non_null(json_find(json_at(executor, "spec.containers"), "name", EXECUTOR_CONTAINER));
	assert_non_null(json_find(json_at(executor, "spec.tolerations"), "key", "k"));
}

static void test_own_template(void **state)
{
	auto_json c = command(HEAD "  driver: {template: {metadata: {labels: {a: b}}, spec: {containers: [{name: x}, "
				   "{name: z}]}}}\n  executor: {}\n");
	auto_json driver = file(c, "driver.yaml");

	(void)state;
	assert_string_equal(json_str(driver, "kind", ""), "Pod");
	assert_string_equal(json_str(driver, "metadata.labels.a", ""), "b");
	assert_int_equal(json_len(json_at(driver, "spec.containers")), 2);
	assert_int_equal(json_len(json_at(driver, "metadata.ownerReferences")), 1);
}

static void test_refused(void **state)
{
	struct json *out = NULL;
	struct err err = { 0 };

	(void)state;
	assert_true(make(HEAD "  driver: {memory: 1gg}\n  executor: {}\n", &out, &err) < 0);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.msg, "spec.driver.memory"));
	assert_null(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_minimal),	  cmocka_unit_test(test_options),      cmocka_unit_test(test_conf),
		cmocka_unit_test(test_templates), cmocka_unit_test(test_own_template), cmocka_unit_test(test_refused),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
