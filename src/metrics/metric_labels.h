/*
 * The labels of the existing operator's metrics: names that the user gives, values from the labels of an application or a pod
 * (kubeflow internal/metrics getMetricLabels).
 */
#ifndef METRICS_METRIC_LABELS_H
#define METRICS_METRIC_LABELS_H

#include "base/buf.h"
#include "base/err.h"
#include "kube/object.h"
#include "spark/pod.h"

enum { METRIC_LABELS_MAX = 16 };

/* Whatever follows prefix with characters that Prometheus does not know replaced by '_'. Owned. */
char *metric_labels_name(const char *prefix, const char *name);
/* The names that given (may be NULL) asks for, without repetitions; "namespace" if it asks for none. ERR_INVALID: too many, or
 * one that Prometheus or a histogram has for itself; then ret has what was right. */
int metric_labels_names(const struct strv *given, struct strv *ret, struct err *err);

/* Values beside names, borrowed from the objects: a label with that name, else for "namespace" the namespace, else
 * "Unknown". ret is terminated by NULL. */
void metric_labels_of_app(const struct strv *names, const struct kobj *app, const char *ret[METRIC_LABELS_MAX + 1]);
/* The pod's own labels come before those of its application, which may be NULL. */
void metric_labels_of_pod(const struct strv *names, const struct pod_view *pod, const struct kobj *app,
			  const char *ret[METRIC_LABELS_MAX + 1]);

#endif
