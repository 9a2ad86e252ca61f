/*
 * The operator's own metrics: what becomes of applications and executors. Under kubeflow's names
 * (kubeflow internal/metrics), with labels as the user wants them, and under our own, by namespace.
 *
 * Counters count what happens while the operator watches: objects that are there when it starts are not counted
 * again. Series are shown, at 0, as soon as there is an application with their labels.
 */
#ifndef METRICS_APP_METRICS_H
#define METRICS_APP_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/metrics.h"
#include "base/sched.h"
#include "kube/store.h"

/* Upper bounds of a histogram, ascending. */
struct app_metrics_buckets {
	const double *bounds;
	size_t count; /* 0: those of kubeflow's operator */
};

/* See docs/metrics.md. */
struct app_metrics_options {
	const char *prefix; /* of the names that kubeflow's operator has; NULL: none */
	/* Labels of those metrics: names for which metric_name_is_label holds, each once, at most METRIC_LABELS_MAX.
	 * NULL or empty: namespace. */
	const struct strv *labels;
	struct app_metrics_buckets submit_buckets; /* seconds */
	struct app_metrics_buckets start_buckets;
	bool old_names; /* the metrics of the operator before 2.0 too */
};

struct app_metrics;

struct app_metrics_world {
	struct metrics *registry;
	const struct sched *sched;
	struct store *apps; /* gauges follow their changes from app_metrics_start on */
	struct store *pods;
	const char *const *namespaces; /* that are watched; none: all. Read by app_metrics_new only */
	size_t namespace_count;
};

/* What the options point to is borrowed for a's life. Registers nothing yet. */
struct app_metrics *app_metrics_new(const struct app_metrics_world *world, const struct app_metrics_options *options);
/* Registers everything. Once. */
void app_metrics_start(struct app_metrics *a);
void app_metrics_free(struct app_metrics *a);
void app_metrics_app_changed(struct app_metrics *a, const struct kobj *before, const struct kobj *now);
void app_metrics_pod_changed(struct app_metrics *a, const struct kobj *before, const struct kobj *now);

#endif
