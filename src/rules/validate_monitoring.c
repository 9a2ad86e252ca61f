/*
 * Rules of spec.monitoring. The agent's part is checked only where there is one; a wrong port or name would let the
 * driver start and then fail at its first executor, so it is found before.
 */
#include <string.h>

#include "base/text.h"
#include "rules/validate.h"
#include "spark/exporter.h"

/* What a ConfigMap holds (apimachinery core/v1 MaxSecretSize). */
enum { CONFIGMAP_MAX = 1 << 20 };

/* It becomes one of several Java options, and they are divided by blanks. */
static const char *check_jar(const char *text)
{
	return strpbrk(text, " \t\r\n") ? "expected a path without blanks" : NULL;
}

static const struct rule rules[] = {
	{ "monitoring.prometheus.jmxExporterJar", check_jar },
	{ "monitoring.prometheus.portName", check_port_name },
	{ "monitoring.prometheus.configFile", check_jar },
};

void validate_monitoring(struct problems *p, const struct json *spec)
{
	const struct json *prometheus = json_at(spec, "monitoring.prometheus");
	size_t size = strlen(json_str(spec, "monitoring.metricsProperties", "")) +
		      strlen(json_str(prometheus, "configuration", ""));

	validate_rules(p, spec, "spec.", rules, array_len(rules));
	if (!exporter_is_on(spec))
		return;
	if (text_empty(json_str(prometheus, "jmxExporterJar", NULL)) &&
	    !json_is(json_get(prometheus, "jmxExporterJar"), JSON_NUMBER))
		problems_add(p, "spec.monitoring.prometheus.jmxExporterJar", "Required value");
	if (size > CONFIGMAP_MAX)
		problems_add(p, "spec.monitoring", "Too long: its texts take %zu bytes, a ConfigMap holds %d", size,
			     CONFIGMAP_MAX);
}
