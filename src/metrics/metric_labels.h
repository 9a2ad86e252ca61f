/*
 * The labels of kubeflow's metrics: names that the user gives, values from the labels of an application
 * or a pod (kubeflow internal/metrics getMetricLabels).
 */
#ifndef METRICS_METRIC_LABELS_H
#define METRICS_METRIC_LABELS_H

#include "base/buf.h"
#include "base/metric_name.h"
#include "kube/object.h"
#include "spark/pod.h"

/* Values beside names, borrowed from the objects: a label with that name, else for "namespace" the namespace, else
 * "Unknown". ret is terminated by NULL. */
void metric_labels_of_app(const struct strv *names, const struct kobj *app, const char *ret[METRIC_LABELS_MAX + 1]);
/* The pod's own labels come before those of its application, which may be NULL. */
void metric_labels_of_pod(const struct strv *names, const struct pod_view *pod, const struct kobj *app,
			  const char *ret[METRIC_LABELS_MAX + 1]);

/* Whether both applications, each of which may be NULL, give their pods the same values. */
bool metric_labels_are_alike(const struct strv *names, const struct kobj *a, const struct kobj *b);

#endif
