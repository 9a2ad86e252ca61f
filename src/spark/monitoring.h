/*
 * Metrics of driver and executors for Prometheus (spec.monitoring): which configuration they get and where it lies.
 */
#ifndef SPARK_MONITORING_H
#define SPARK_MONITORING_H

#include <stdbool.h>
#include <stdint.h>

#include "json/json.h"

#define MONITORING_DIR "/etc/metrics/conf"

/* The contents of the ConfigMap where the application gives none. */
extern const char monitoring_metrics_properties[];
extern const char monitoring_prometheus_yaml[];

/* spec.monitoring.prometheus is there; without it the rest of spec.monitoring has no effect. */
bool monitoring_is_on(const struct json *spec);
/* The role ("driver" or "executor") is to be scraped. */
bool monitoring_exposes(const struct json *spec, const char *role);
/* Not everything comes from files of the image. */
bool monitoring_has_configmap(const struct json *spec);
/* APP-prom-conf. Owned. */
char *monitoring_configmap(const char *app_name);
int64_t monitoring_port(const struct json *spec);
const char *monitoring_port_name(const struct json *spec);

#endif
