/*
 * Templates of pods: which container Spark takes for its own, what it overwrites, what it keeps, and in which order the
 * operator's fields come on top (KubernetesUtils.selectSparkContainer, BasicDriverFeatureStep).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "json/yaml.h"
#include "submission/submission.h"

static const char app_head[] = "metadata: {name: pi, namespace: jobs, uid: 2f1a7b0c-9d3e-4c55-8a61-0123456789ab}\n"
			       "spec:\n"
			       "  type: Scala\n  sparkVersion: 3.5.6\n  image: spark\n  mainClass: Pi\n"
			       "  mainApplicationFile: local:///pi.jar\n";

static struct json *parse(const char *head, const char *rest)
{
	auto_free char *text = xasprintf("%s%s", head, rest);
	struct err err = { 0 };
	auto_json documents = yaml_parse(text, strlen(text), &err);

	if (!documents)
		fail_msg("%s", err.msg);
	return json_take_first(documents);
}

static void build(const struct json *tree, struct submission *s)
{
	const struct submission_options options = { .master = "k8s://https://m", .with_executor = true };
	struct err err = { 0 };
	struct app app;

	memset(s, 0, sizeof(*s));
	if (app_decode(tree, &app, &err) < 0 || submission_build(&app, 1, &options, s, &err) < 0)
		fail_msg("%s", err.msg);
}

/* The names of the pod's containers, in their order. */
static char *names_of(const struct json *pod, const char *list)
{
	auto_strv names = { 0 };

	json_each (container, json_at(pod, list))
		strv_add(&names, json_str(container, "name", ""));
	return strv_join(&names, " ");
}

static void check_driver(const char *roles, const char *containers, const char *spark)
{
	auto_json tree = parse(app_head, roles);
	auto_free char *names = NULL;
	const struct json *pod, *container;
	struct submission s;

	build(tree, &s);
	pod = submission_find(&s, "Pod");
	names = names_of(pod, "spec.containers");
	assert_string_equal(names, containers);
	container = json_find(json_at(pod, "spec.containers"), "name", spark);
	assert_string_equal(json_text(json_first(json_get(container, "args")), ""), "driver");
	assert_string_equal(json_str(container, "image", ""), "spark");
	submission_done(&s);
}

static void which_container(void **state)
{
	(void)state;
	check_driver("  driver: {}\n  executor: {}\n", "spark-kubernetes-driver", "spark-kubernetes-driver");
	check_driver("  driver: {template: {spec: {}}}\n  executor: {}\n", "spark-kubernetes-driver",
		     "spark-kubernetes-driver");
	check_driver("  driver: {template: {spec: {containers: [{image: x}]}}}\n  executor: {}\n",
		     "spark-kubernetes-driver", "spark-kubernetes-driver");
	check_driver("  driver: {template: {spec: {containers: [{name: spark-kubernetes-driver}, {name: b}]}}}\n"
		     "  executor: {}\n",
		     "b spark-kubernetes-driver", "spark-kubernetes-driver");
	check_driver("  driver: {template: {spec: {containers: [{name: a}, {name: b}]}}}\n  executor: {}\n", "b a",
		     "a");
	check_driver("  driver: {template: {spec: {containers: [{name: a}, {name: b}]}}}\n  executor: {}\n"
		     "  sparkConf: {spark.kubernetes.driver.podTemplateContainerName: b}\n",
		     "a b", "b");
}

/* Sidecars of the spec come after the Spark container, as a webhook would append them. */
static void fields_on_top(void **state)
{
	(void)state;
	check_driver("  driver:\n"
		     "    template: {spec: {containers: [{name: a}, {name: main}, {name: c}]}}\n"
		     "    sidecars: [{name: last, image: x}]\n"
		     "    env: [{name: MINE, value: x}]\n"
		     "  executor: {}\n"
		     "  sparkConf: {spark.kubernetes.driver.podTemplateContainerName: main}\n",
		     "a c main last", "main");
}

static void kept_and_overwritten(void **state)
{
	auto_json tree =
	    parse(app_head, "  driver:\n"
			    "    labels: {team: b}\n"
			    "    template:\n"
			    "      metadata:\n"
			    "        name: x\n        namespace: ns\n"
			    "        labels: {team: a, own: '1', spark-role: fake}\n"
			    "        annotations: {own: '2'}\n"
			    "      spec:\n"
			    "        restartPolicy: Always\n        nodeName: node\n        futureField: {a: 1}\n"
			    "        containers: [{name: c, image: x, args: [first], imagePullPolicy: Always,\n"
			    "                      resources: {requests: {cpu: '9', ephemeral-storage: 1Gi}}}]\n"
			    "  executor: {}\n");
	const struct json *pod, *container, *metadata, *selector;
	struct submission s;

	(void)state;
	build(tree, &s);
	pod = submission_find(&s, "Pod");
	metadata = json_get(pod, "metadata");
	container = json_first(json_at(pod, "spec.containers"));
	selector = json_at(submission_find(&s, "Service"), "spec.selector");
	assert_string_equal(json_str(metadata, "name", ""), "pi-driver");
	assert_string_equal(json_str(metadata, "namespace", ""), "jobs");
	assert_string_equal(json_str(metadata, "labels.team", ""), "b");
	assert_string_equal(json_str(metadata, "labels.own", ""), "1");
	assert_string_equal(json_str(metadata, "labels.spark-role", ""), "driver");
	assert_string_equal(json_str(metadata, "annotations.own", ""), "2");
	assert_null(json_get(selector, "own"));
	assert_string_equal(json_str(selector, "team", ""), "b");
	assert_string_equal(json_str(pod, "spec.restartPolicy", ""), "Never");
	assert_string_equal(json_str(pod, "spec.nodeName", ""), "node");
	assert_int_equal(json_i64(pod, "spec.futureField.a", 0), 1);
	assert_string_equal(json_str(container, "imagePullPolicy", ""), "IfNotPresent");
	assert_string_equal(json_text(json_first(json_get(container, "args")), ""), "first");
	assert_string_equal(json_str(container, "resources.requests.cpu", ""), "1");
	assert_string_equal(json_str(container, "resources.requests.ephemeral-storage", ""), "1Gi");
	submission_done(&s);
}

/* What one application holds is not in the next: alone, before and after another it is the same, to the byte. */
static void nothing_leaks(void **state)
{
	auto_json loud =
	    parse(app_head, "  hadoopConf: {a: leak}\n  sparkConf: {spark.leak: leak}\n"
			    "  proxyUser: leak\n  arguments: [leak]\n  deps: {jars: [local:///leak.jar]}\n"
			    "  driver: {labels: {leak: leak}, envVars: {LEAK: leak}, template: {metadata: "
			    "{labels: {leak2: leak}}}}\n"
			    "  executor: {labels: {leak: leak}, env: [{name: LEAK, value: leak}], template: "
			    "{spec: {nodeName: leak}}}\n");
	auto_json quiet = parse(app_head, "  driver: {}\n  executor: {}\n");
	auto_json quiet_before = json_dup(quiet);
	auto_json loud_before = json_dup(loud);
	auto_free char *text = NULL;
	struct submission alone, other, after;

	(void)state;
	build(quiet, &alone);
	build(loud, &other);
	build(quiet, &after);
	text = json_print(after.objects);
	assert_null(strstr(text, "leak"));
	assert_true(json_equal(alone.objects, after.objects) && json_equal(alone.executor, after.executor));
	assert_true(json_equal(quiet, quiet_before) && json_equal(loud, loud_before));
	submission_done(&alone);
	submission_done(&other);
	submission_done(&after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_container),
		cmocka_unit_test(fields_on_top),
		cmocka_unit_test(kept_and_overwritten),
		cmocka_unit_test(nothing_leaks),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
