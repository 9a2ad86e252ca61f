/*
 * Monitoring by Prometheus' JMX exporter: a Java agent in driver and executors, its configuration and that of Spark's
 * metrics in a ConfigMap which all attempts share (kubeflow monitoring_config.go, configPrometheusMonitoring).
 *
 * Happy path: properties and annotations join the configuration, the ConfigMap the objects; volume and port are a row
 * of pod_rows.c. What files of the image say instead is left out of the ConfigMap; if that is all, there is none. The
 * spec has been validated: nothing can fail.
 */
#include "monitoring.h"

#include "base/text.h"
#include "build.h"

#define METRICS_KEY    "metrics.properties"
#define PROMETHEUS_KEY "prometheus.yaml"

enum { DEFAULT_PORT = 8090 };

static const struct {
	const struct role *role;
	const char *field;
	const char *java_options;
} exposures[] = {
	{ &role_driver, "monitoring.exposeDriverMetrics", "spark.driver.extraJavaOptions" },
	{ &role_executor, "monitoring.exposeExecutorMetrics", "spark.executor.extraJavaOptions" },
};

bool monitoring_is_on(const struct json *spec)
{
	return json_is(json_at(spec, "monitoring.prometheus"), JSON_OBJECT);
}

bool monitoring_exposes(const struct json *spec, const char *role)
{
	for (size_t i = 0; i < array_len(exposures); i++)
		if (text_eq(exposures[i].role->name, role))
			return json_bool(spec, exposures[i].field, false);
	return false;
}

static const char *metrics_file(const struct json *spec)
{
	return json_str(spec, "monitoring.metricsPropertiesFile", "");
}

static const char *config_file(const struct json *spec)
{
	return json_str(spec, "monitoring.prometheus.configFile", "");
}

bool monitoring_has_configmap(const struct json *spec)
{
	return monitoring_is_on(spec) && !(*metrics_file(spec) && *config_file(spec));
}

char *monitoring_configmap(const char *app_name)
{
	return xasprintf("%s-prom-conf", app_name);
}

int64_t monitoring_port(const struct json *spec)
{
	return json_i64(spec, "monitoring.prometheus.port", DEFAULT_PORT);
}

const char *monitoring_port_name(const struct json *spec)
{
	return json_str(spec, "monitoring.prometheus.portName", "jmx-exporter");
}

/* Of an agent only the field javaOptions knows: like that field, it stands instead of what sparkConf says. */
static void put_agent(struct build *b, const struct role *role, const char *key)
{
	const char *own = json_str(json_get(b->spec, role->name), "javaOptions", "");
	const char *file = config_file(b->spec);

	json_setf(b->conf, key, "%s%s-javaagent:%s=%lld:%s", own, *own ? " " : "",
		  json_str(b->spec, "monitoring.prometheus.jmxExporterJar", ""), (long long)monitoring_port(b->spec),
		  *file ? file : MONITORING_DIR "/" PROMETHEUS_KEY);
}

static void put_annotations(struct build *b, const struct role *role)
{
	auto_free char *scrape = xasprintf("%sannotation.prometheus.io/scrape", role->conf);
	auto_free char *port = xasprintf("%sannotation.prometheus.io/port", role->conf);
	auto_free char *path = xasprintf("%sannotation.prometheus.io/path", role->conf);

	json_set_str(b->conf, scrape, "true");
	json_setf(b->conf, port, "%lld", (long long)monitoring_port(b->spec));
	json_set_str(b->conf, path, "/metrics");
}

void monitoring_conf(struct build *b)
{
	const char *file = metrics_file(b->spec);

	if (!monitoring_is_on(b->spec))
		return;
	json_setf(b->conf, "spark.metrics.namespace", "%s.%s", b->ns, b->app->name);
	json_set_str(b->conf, "spark.metrics.conf", *file ? file : MONITORING_DIR "/" METRICS_KEY);
	for (size_t i = 0; i < array_len(exposures); i++) {
		if (!monitoring_exposes(b->spec, exposures[i].role->name))
			continue;
		put_annotations(b, exposures[i].role);
		put_agent(b, exposures[i].role, exposures[i].java_options);
	}
}

int monitoring_step(struct build *b, struct err *err)
{
	auto_free char *name = monitoring_configmap(b->app->name);
	struct json *map, *data;

	(void)err;
	if (!monitoring_has_configmap(b->spec))
		return 0;
	map = build_object(b, &resource_configmap, name);
	json_remove(json_at(map, "metadata.labels"), LABEL_SUBMISSION_ID);
	data = json_ensure_object(map, "data");
	if (!*metrics_file(b->spec))
		json_set_str(data, METRICS_KEY,
			     json_str(b->spec, "monitoring.metricsProperties", monitoring_metrics_properties));
	if (!*config_file(b->spec))
		json_set_str(data, PROMETHEUS_KEY,
			     json_str(b->spec, "monitoring.prometheus.configuration", monitoring_prometheus_yaml));
	return 0;
}
