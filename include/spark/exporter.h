/*
 * Facts about Prometheus' JMX exporter in driver and executors, as spec.monitoring asks for it. The rules and the
 * building of pods both need them.
 */
#ifndef SPARK_EXPORTER_H
#define SPARK_EXPORTER_H

#include <stdbool.h>
#include <stdint.h>

#include "json/json.h"

/* Where the ConfigMap is mounted. */
#define EXPORTER_DIR "/etc/metrics/conf"

/* spec.monitoring.prometheus is there; without it the rest of spec.monitoring has no effect. */
bool exporter_is_on(const struct json *spec);
/* The role ("driver" or "executor") is to be scraped. */
bool exporter_exposes(const struct json *spec, const char *role);
/* Files of the image that take the place of the ConfigMap's; "" if the spec names none. Borrowed. */
const char *exporter_metrics_file(const struct json *spec);
const char *exporter_config_file(const struct json *spec);
/* The exporter needs a ConfigMap: at least one of its two files is not in the image. */
bool exporter_has_configmap(const struct json *spec);
/* APP-prom-conf. Owned. */
char *exporter_configmap(const char *app_name);
int64_t exporter_port(const struct json *spec);
const char *exporter_port_name(const struct json *spec);

#endif
