/*
 * Rules of spec.monitoring. The agent's part is checked only where there is one; a wrong port or name would let the
 * driver start and then fail at its first executor, so it is found before.
 */
#include <string.h>

#include "base/text.h"
#include "rules/validate.h"
#include "spark/exporter.h"

/* kubeflow's CRD. */
enum { PORT_MIN = 1024, PORT_MAX = 49151 };

/* What a ConfigMap holds (apimachinery core/v1 MaxSecretSize). */
enum { CONFIGMAP_MAX = 1 << 20 };

/* It becomes one of several Java options, and they are divided by blanks. */
static const char *check_jar(const char *text)
{
	return strpbrk(text, " \t\r\n") ? "expected a path without blanks" : NULL;
}

static const struct rule rules[] = {
	{ "monitoring", RULE_OBJECT, NULL, 0 },
	{ "monitoring.exposeDriverMetrics", RULE_BOOL, NULL, 0 },
	{ "monitoring.exposeExecutorMetrics", RULE_BOOL, NULL, 0 },
	{ "monitoring.metricsProperties", RULE_STRING, NULL, 0 },
	{ "monitoring.metricsPropertiesFile", RULE_STRING, NULL, 0 },
	{ "monitoring.prometheus", RULE_OBJECT, NULL, 0 },
	{ "monitoring.prometheus.jmxExporterJar", RULE_STRING, check_jar, 0 },
	{ "monitoring.prometheus.port", RULE_INTEGER, NULL, PORT_MIN },
	{ "monitoring.prometheus.portName", RULE_STRING, check_port_name, 0 },
	{ "monitoring.prometheus.configFile", RULE_STRING, check_jar, 0 },
	{ "monitoring.prometheus.configuration", RULE_STRING, NULL, 0 },
};

void validate_monitoring(struct problems *p, const struct json *spec)
{
	const struct json *prometheus = json_at(spec, "monitoring.prometheus");
	int64_t port = json_i64(prometheus, "port", PORT_MIN);
	size_t size = strlen(json_str(spec, "monitoring.metricsProperties", "")) +
		      strlen(json_str(prometheus, "configuration", ""));

	validate_rules(p, spec, "spec.", rules, array_len(rules));
	if (!exporter_is_on(spec))
		return;
	if (text_empty(json_str(prometheus, "jmxExporterJar", NULL)) &&
	    !json_is(json_get(prometheus, "jmxExporterJar"), JSON_NUMBER))
		problems_add(p, "spec.monitoring.prometheus.jmxExporterJar", "Required value");
	if (port > PORT_MAX)
		problems_add(p, "spec.monitoring.prometheus.port", "Invalid value: %lld: must be at most %d",
			     (long long)port, PORT_MAX);
	if (size > CONFIGMAP_MAX)
		problems_add(p, "spec.monitoring", "Too long: its texts take %zu bytes, a ConfigMap holds %d", size,
			     CONFIGMAP_MAX);
}
