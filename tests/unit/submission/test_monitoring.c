/* Monitoring: what of the spec comes into configuration, ConfigMap and pods, what is left out, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "monitoring.h"
#include "base/mem.h"
#include "base/text.h"
#include "submission/submission.h"
#include "json_text.h"

static const char agent[] = "-javaagent\\:/jmx.jar\\=8090\\:/etc/metrics/conf/prometheus.yaml\n";

struct outcome {
	struct json *tree;
	struct submission s;
	struct err err;
};

static void outcome_done(struct outcome *o)
{
	json_free(o->tree);
	submission_done(&o->s);
}

#define auto_outcome __attribute__((cleanup(outcome_done))) struct outcome

/* role: what driver and executor hold beside nothing. */
static struct outcome submit_named(const char *name, const char *monitoring, const char *role)
{
	static const char form[] =
	    "{\"metadata\": {\"name\": \"%s\", \"namespace\": \"jobs\", \"uid\": \"u-1\"}, \"spec\": {"
	    "\"type\": \"Scala\", \"sparkVersion\": \"3.5.6\", \"image\": \"i\", \"mainClass\": \"C\","
	    "\"mainApplicationFile\": \"local:///a.jar\", \"monitoring\": %s, \"driver\": %s, \"executor\": %s}}";
	const struct submission_options options = { .master = "k8s://https://h", .with_executor = true };
	auto_free char *text = xasprintf(form, name, monitoring, role, role);
	struct outcome o = { 0 };
	struct app app;

	o.tree = json_parse(text, strlen(text), &o.err);
	if (!o.tree || app_decode(o.tree, &app, &o.err))
		fail_msg("%s", o.err.msg);
	submission_build(&app, 1, &options, &o.s, &o.err);
	return o;
}

static struct outcome submit(const char *monitoring, const char *role)
{
	return submit_named("pi", monitoring, role);
}

#define ON(more)	 "{\"exposeDriverMetrics\": true, \"exposeExecutorMetrics\": true" more "}"
#define PROMETHEUS(more) ", \"prometheus\": {\"jmxExporterJar\": \"/jmx.jar\"" more "}"

static const struct json *object(const struct outcome *o, const char *name)
{
	if (o->err.code)
		fail_msg("%s", o->err.msg);
	json_each (item, o->s.objects)
		if (text_eq(json_str(item, "metadata.name", NULL), name))
			return item;
	return NULL;
}

static const char *properties(const struct outcome *o)
{
	object(o, "");
	return json_text(json_get(json_get(submission_find(&o->s, "ConfigMap"), "data"), "spark.properties"), "");
}

static void expect_line(const struct outcome *o, const char *key, const char *value)
{
	auto_free char *line = xasprintf("\n%s=%s", key, value);

	if (!strstr(properties(o), line))
		fail_msg("no %s in %s", line, properties(o));
}

static const struct json *container(const struct json *pod)
{
	return json_first(json_at(pod, "spec.containers"));
}

static void both_roles(void **state)
{
	auto_outcome o = submit(ON(PROMETHEUS("")), "{}");
	const struct json *map = object(&o, "pi-prom-conf"), *labels = json_at(map, "metadata.labels");
	const struct json *pods[] = { submission_find(&o.s, "Pod"), o.s.executor };

	(void)state;
	expect_line(&o, "spark.metrics.namespace", "jobs.pi\n");
	expect_line(&o, "spark.metrics.conf", "/etc/metrics/conf/metrics.properties\n");
	expect_line(&o, "spark.driver.extraJavaOptions", agent);
	expect_line(&o, "spark.executor.extraJavaOptions", agent);
	expect_line(&o, "spark.kubernetes.driver.annotation.prometheus.io/scrape", "true\n");
	expect_line(&o, "spark.kubernetes.executor.annotation.prometheus.io/port", "8090\n");
	expect_line(&o, "spark.kubernetes.executor.annotation.prometheus.io/path", "/metrics\n");
	assert_string_equal(json_text(json_get(labels, LABEL_CREATED_BY), ""), "true");
	assert_null(json_get(labels, LABEL_SUBMISSION_ID));
	assert_string_equal(json_str(json_first(json_at(map, "metadata.ownerReferences")), "uid", ""), "u-1");
	assert_string_equal(json_text(json_get(json_get(map, "data"), "metrics.properties"), ""),
			    monitoring_metrics_properties);
	assert_string_equal(json_text(json_get(json_get(map, "data"), "prometheus.yaml"), ""),
			    monitoring_prometheus_yaml);
	for (size_t i = 0; i < array_len(pods); i++) {
		const struct json *volume = json_find(json_at(pods[i], "spec.volumes"), "name", "pi-prom-conf-vol");
		const struct json *mount =
		    json_find(json_get(container(pods[i]), "volumeMounts"), "name", "pi-prom-conf-vol");
		const struct json *port = json_find(json_get(container(pods[i]), "ports"), "name", "jmx-exporter");

		assert_string_equal(json_str(volume, "configMap.name", ""), "pi-prom-conf");
		assert_string_equal(json_str(mount, "mountPath", ""), "/etc/metrics/conf");
		assert_true(json_bool(mount, "readOnly", false));
		assert_int_equal(json_i64(port, "containerPort", 0), 8090);
		assert_string_equal(json_str(port, "protocol", ""), "TCP");
		assert_string_equal(
		    json_text(json_get(json_at(pods[i], "metadata.annotations"), "prometheus.io/port"), ""), "8090");
	}
}

static void driver_only(void **state)
{
	auto_outcome o = submit("{\"exposeDriverMetrics\": true, \"exposeExecutorMetrics\": false" PROMETHEUS(
				    ", \"port\": 9404, \"portName\": \"own\", \"configuration\": \"rules\"") "}",
				JSON({ "javaOptions" : "-Da=b", "annotations" : { "prometheus.io/scrape" : "no" } }));
	const struct json *driver = submission_find(&o.s, "Pod");

	(void)state;
	expect_line(&o, "spark.driver.extraJavaOptions",
		    "-Da\\=b -javaagent\\:/jmx.jar\\=9404\\:/etc/metrics/conf/prometheus.yaml\n");
	expect_line(&o, "spark.executor.extraJavaOptions", "-Da\\=b\n");
	expect_line(&o, "spark.kubernetes.driver.annotation.prometheus.io/scrape", "true\n");
	expect_line(&o, "spark.kubernetes.executor.annotation.prometheus.io/scrape", "no\n");
	assert_string_equal(json_text(json_get(json_get(object(&o, "pi-prom-conf"), "data"), "prometheus.yaml"), ""),
			    "rules");
	assert_int_equal(json_i64(json_find(json_get(container(driver), "ports"), "name", "own"), "containerPort", 0),
			 9404);
	assert_null(json_find(json_get(container(o.s.executor), "ports"), "name", "own"));
	assert_null(json_find(json_at(o.s.executor, "spec.volumes"), "name", "pi-prom-conf-vol"));
}

static void files_of_the_image(void **state)
{
	auto_outcome metrics =
	    submit(ON(", \"metricsPropertiesFile\": \"/m\", \"metricsProperties\": \"x\"" PROMETHEUS("")), "{}");
	auto_outcome rules = submit(ON(", \"metricsProperties\": \"x\"" PROMETHEUS(", \"configFile\": \"/c\"")), "{}");
	auto_outcome both =
	    submit(ON(", \"metricsPropertiesFile\": \"/m\"" PROMETHEUS(", \"configFile\": \"/c\"")), "{}");
	const struct json *data = json_get(object(&metrics, "pi-prom-conf"), "data");

	(void)state;
	assert_null(json_get(data, "metrics.properties"));
	assert_non_null(json_get(data, "prometheus.yaml"));
	expect_line(&metrics, "spark.metrics.conf", "/m\n");
	data = json_get(object(&rules, "pi-prom-conf"), "data");
	assert_string_equal(json_text(json_get(data, "metrics.properties"), ""), "x");
	assert_null(json_get(data, "prometheus.yaml"));
	expect_line(&rules, "spark.driver.extraJavaOptions", "-javaagent\\:/jmx.jar\\=8090\\:/c\n");
	assert_null(object(&both, "pi-prom-conf"));
	assert_null(json_find(json_at(submission_find(&both.s, "Pod"), "spec.volumes"), "name", "pi-prom-conf-vol"));
	assert_null(json_find(json_get(container(both.s.executor), "ports"), "name", "jmx-exporter"));
	expect_line(&both, "spark.metrics.conf", "/m\n");
	expect_line(&both, "spark.executor.extraJavaOptions", "-javaagent\\:/jmx.jar\\=8090\\:/c\n");
}

static void nothing_without_prometheus(void **state)
{
	static const char *const rows[] = { "null", "{}", ON(", \"metricsProperties\": \"x\""),
					    ON(", \"prometheus\": null") };

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_outcome o = submit(rows[i], "{}");

		assert_null(object(&o, "pi-prom-conf"));
		assert_null(strstr(properties(&o), "spark.metrics"));
		assert_null(strstr(properties(&o), "prometheus"));
	}
}

/* kubeflow's volume name is too long then, and the API server refuses the pod. */
static void long_name(void **state)
{
	static const char name[] = "an-application-whose-name-has-sixty-three-characters-in-all-123";
	auto_outcome o = submit_named(name, ON(PROMETHEUS("")), "{}");
	const struct json *driver = submission_find(&o.s, "Pod");
	const char *volume = NULL;

	(void)state;
	assert_int_equal(strlen(name), 63);
	assert_non_null(object(&o, "an-application-whose-name-has-sixty-three-characters-in-all-123-prom-conf"));
	json_each (mount, json_get(container(driver), "volumeMounts"))
		if (text_eq(json_str(mount, "mountPath", NULL), "/etc/metrics/conf"))
			volume = json_str(mount, "name", NULL);
	assert_non_null(volume);
	assert_true(text_is_dns_label(volume));
	assert_non_null(json_find(json_at(driver, "spec.volumes"), "name", volume));
}

static void refused(void **state)
{
	static const char *const rows[][2] = {
		{ ON(", \"prometheus\": {}"), "spec.monitoring.prometheus.jmxExporterJar: Required value" },
		{ ON(", \"prometheus\": {\"jmxExporterJar\": \"\"}"),
		  "spec.monitoring.prometheus.jmxExporterJar: Required value" },
		{ ON(", \"prometheus\": {\"jmxExporterJar\": 7}"),
		  "spec.monitoring.prometheus.jmxExporterJar: Invalid value: 7: expected a string" },
		{ ON(", \"prometheus\": {\"jmxExporterJar\": \"/a b\"}"),
		  "spec.monitoring.prometheus.jmxExporterJar: Invalid value: \"/a b\": expected a path without "
		  "blanks" },
		{ ON(PROMETHEUS(", \"port\": 1023")),
		  "spec.monitoring.prometheus.port: Invalid value: 1023: must be at least 1024" },
		{ ON(PROMETHEUS(", \"port\": 49152")),
		  "spec.monitoring.prometheus.port: Invalid value: 49152: must be at most 49151" },
		{ ON(PROMETHEUS(", \"port\": \"80\"")),
		  "spec.monitoring.prometheus.port: Invalid value: \"80\": expected an integer" },
		{ ON(PROMETHEUS(", \"portName\": \"Jmx\"")),
		  "spec.monitoring.prometheus.portName: Invalid value: \"Jmx\": expected lower case letters" },
		{ ON(PROMETHEUS(", \"portName\": \"sixteen-letters-\"")),
		  "spec.monitoring.prometheus.portName: Invalid" },
		{ ON(PROMETHEUS(", \"portName\": \"123\"")), "spec.monitoring.prometheus.portName: Invalid" },
		{ ON(PROMETHEUS(", \"portName\": \"a--b\"")), "spec.monitoring.prometheus.portName: Invalid" },
		{ ON(PROMETHEUS(", \"configuration\": {}")),
		  "spec.monitoring.prometheus.configuration: Invalid value: {}: expected a string" },
		{ ON(", \"prometheus\": true"), "spec.monitoring.prometheus: Invalid value: true: expected an object" },
		{ JSON({ "exposeDriverMetrics" : "yes" }),
		  "spec.monitoring.exposeDriverMetrics: Invalid value: \"yes\": expected true or false" },
		{ "[]", "spec.monitoring: Invalid value: []: expected an object" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_outcome o = submit(rows[i][0], "{}");

		assert_int_equal(o.err.code, ERR_INVALID);
		assert_null(o.s.objects);
		if (!text_starts(o.err.msg, rows[i][1]))
			fail_msg("%s: %s", rows[i][0], o.err.msg);
	}
}

static void too_long(void **state)
{
	size_t len = (1 << 20) + 1;
	auto_free char *text = xmalloc(len + 1);
	auto_free char *monitoring = NULL;
	auto_outcome o = { 0 };

	(void)state;
	memset(text, 'x', len);
	text[len] = '\0';
	monitoring = xasprintf(ON(PROMETHEUS(", \"configuration\": \"%s\"")), text);
	o = submit(monitoring, "{}");
	assert_int_equal(o.err.code, ERR_INVALID);
	assert_string_equal(o.err.msg,
			    "spec.monitoring: Too long: its texts take 1048577 bytes, a ConfigMap holds 1048576");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_roles),	      cmocka_unit_test(driver_only),
		cmocka_unit_test(files_of_the_image), cmocka_unit_test(nothing_without_prometheus),
		cmocka_unit_test(long_name),	      cmocka_unit_test(refused),
		cmocka_unit_test(too_long),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
