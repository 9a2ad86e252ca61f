/*
 * Reads what spec.monitoring says about the JMX exporter, with the defaults of kubeflow's monitoring_config.go. Nothing
 * can fail.
 */
#include "spark/exporter.h"

#include "base/text.h"
#include "spark/conf.h"

enum { DEFAULT_PORT = 8090 };

static const struct {
	const struct role *role;
	const char *field;
} exposures[] = {
	{ &role_driver, "monitoring.exposeDriverMetrics" },
	{ &role_executor, "monitoring.exposeExecutorMetrics" },
};

bool exporter_is_on(const struct json *spec)
{
	return json_is(json_at(spec, "monitoring.prometheus"), JSON_OBJECT);
}

bool exporter_exposes(const struct json *spec, const char *role)
{
	for (size_t i = 0; i < array_len(exposures); i++)
		if (text_eq(exposures[i].role->name, role))
			return json_bool(spec, exposures[i].field, false);
	return false;
}

const char *exporter_metrics_file(const struct json *spec)
{
	return json_str(spec, "monitoring.metricsPropertiesFile", "");
}

const char *exporter_config_file(const struct json *spec)
{
	return json_str(spec, "monitoring.prometheus.configFile", "");
}

bool exporter_has_configmap(const struct json *spec)
{
	return exporter_is_on(spec) && !(*exporter_metrics_file(spec) && *exporter_config_file(spec));
}

char *exporter_configmap(const char *app_name)
{
	return xasprintf("%s-prom-conf", app_name);
}

int64_t exporter_port(const struct json *spec)
{
	return json_i64(spec, "monitoring.prometheus.port", DEFAULT_PORT);
}

const char *exporter_port_name(const struct json *spec)
{
	return json_str(spec, "monitoring.prometheus.portName", "jmx-exporter");
}
