/*
 * Metrics of driver and executors for Prometheus (spec.monitoring): which configuration they get and where it lies.
 */
#ifndef SUBMISSION_MONITORING_H
#define SUBMISSION_MONITORING_H

/* The contents of the ConfigMap where the application gives none. */
extern const char monitoring_metrics_properties[];
extern const char monitoring_prometheus_yaml[];

#endif
