/*
 * Monitoring by Prometheus' JMX exporter, a Java agent in driver and executors. The exporter's configuration and that
 * of Spark's metrics are in a ConfigMap that all attempts share (kubeflow monitoring_config.go,
 * configPrometheusMonitoring).
 *
 * Happy path: properties and annotations are added to Spark's configuration, and the ConfigMap to the objects. A row of
 * pod_rows.c adds volume and port. Where the spec names a file of the image, the ConfigMap leaves that part out; if it
 * names files for both parts, there is no ConfigMap. Nothing can fail, since the spec has been validated.
 */
#include "monitoring.h"

#include "base/text.h"
#include "build.h"
#include "spark/conf.h"
#include "spark/exporter.h"

#define METRICS_KEY    "metrics.properties"
#define PROMETHEUS_KEY "prometheus.yaml"

static const struct role *const roles[] = { &role_driver, &role_executor };

/* The agent is added to the options of the field javaOptions. The result overrides sparkConf, as that field does. */
static void put_agent(struct build *b, const struct role *role)
{
	auto_free char *key = xasprintf("spark.%s.extraJavaOptions", role->name);
	const char *own = json_str(json_get(b->spec, role->name), "javaOptions", "");
	const char *file = exporter_config_file(b->spec);

	json_setf(b->conf, key, "%s%s-javaagent:%s=%lld:%s", own, *own ? " " : "",
		  json_str(b->spec, "monitoring.prometheus.jmxExporterJar", ""), (long long)exporter_port(b->spec),
		  *file ? file : EXPORTER_DIR "/" PROMETHEUS_KEY);
}

static void put_annotations(struct build *b, const struct role *role)
{
	auto_free char *scrape = xasprintf("%sannotation.prometheus.io/scrape", role->conf);
	auto_free char *port = xasprintf("%sannotation.prometheus.io/port", role->conf);
	auto_free char *path = xasprintf("%sannotation.prometheus.io/path", role->conf);

	json_set_str(b->conf, scrape, "true");
	json_setf(b->conf, port, "%lld", (long long)exporter_port(b->spec));
	json_set_str(b->conf, path, "/metrics");
}

void monitoring_conf(struct build *b)
{
	const char *file = exporter_metrics_file(b->spec);

	if (!exporter_is_on(b->spec))
		return;
	json_setf(b->conf, "spark.metrics.namespace", "%s.%s", b->ns, b->app->name);
	json_set_str(b->conf, "spark.metrics.conf", *file ? file : EXPORTER_DIR "/" METRICS_KEY);
	for (size_t i = 0; i < array_len(roles); i++) {
		if (!exporter_exposes(b->spec, roles[i]->name))
			continue;
		put_annotations(b, roles[i]);
		put_agent(b, roles[i]);
	}
}

int monitoring_step(struct build *b, struct err *err)
{
	auto_free char *name = exporter_configmap(b->app->name);
	struct json *map, *data;

	(void)err;
	if (!exporter_has_configmap(b->spec))
		return 0;
	map = build_object(b, &resource_configmap, name);
	json_remove(json_at(map, "metadata.labels"), LABEL_SUBMISSION_ID);
	data = json_ensure_object(map, "data");
	if (!*exporter_metrics_file(b->spec))
		json_set_str(data, METRICS_KEY,
			     json_str(b->spec, "monitoring.metricsProperties", monitoring_metrics_properties));
	if (!*exporter_config_file(b->spec))
		json_set_str(data, PROMETHEUS_KEY,
			     json_str(b->spec, "monitoring.prometheus.configuration", monitoring_prometheus_yaml));
	return 0;
}
