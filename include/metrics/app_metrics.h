/*
 * The operator's own metrics: what becomes of applications and executors. Under the existing operator's names
 * (kubeflow internal/metrics), with labels as the user wants them, and under our own, by namespace.
 *
 * Counters count what happens while the operator watches: objects that are there when it starts are not counted again. Series are
 * shown, at 0, as soon as there is an application with their labels.
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

/* See docs/metrics.md; app_metrics_check says what is wrong with them. */
struct app_metrics_options {
	const char *prefix;		   /* of the existing operator's names; NULL: none */
	const struct strv *labels;	   /* of those metrics; NULL or empty: namespace */
	const struct strv *submit_buckets; /* seconds as text; NULL or empty: the existing operator's */
	const struct strv *start_buckets;
	bool old_names; /* the metrics of the operator before 2.0 too */
};

struct app_metrics;

struct app_metrics_world {
	struct metrics *registry;
	const struct sched *sched;
	const struct store *apps; /* are read when metrics are collected */
	const struct store *pods;
	const char *const *namespaces; /* that are watched; none: all. Read by app_metrics_new only */
	size_t namespace_count;
};

/* ERR_INVALID: what is wrong with the options. */
int app_metrics_check(const struct app_metrics_options *options, struct err *err);
/* Options are copied; of wrong ones the defaults are taken. Registers nothing yet. */
struct app_metrics *app_metrics_new(const struct app_metrics_world *world, const struct app_metrics_options *options);
/* Registers everything. Once; nothing may be collected after app_metrics_free. */
void app_metrics_start(struct app_metrics *a);
void app_metrics_free(struct app_metrics *a);
void app_metrics_app_changed(struct app_metrics *a, const struct kobj *before, const struct kobj *now);
void app_metrics_pod_changed(struct app_metrics *a, const struct kobj *before, const struct kobj *now);

#endif
