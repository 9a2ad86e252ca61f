/*
 * The operator's own metrics: what becomes of applications and executors. Names as the existing operator's
 * (kubeflow internal/metrics), labelled by namespace. Counters count what happens while the operator watches: objects that
 * are there when it starts are not counted again.
 */
#ifndef APP_APP_METRICS_H
#define APP_APP_METRICS_H

#include "base/metrics.h"
#include "kube/store.h"

struct app_metrics;

/* The stores are read when metrics are collected. All borrowed. */
struct app_metrics *app_metrics_new(struct metrics *m, const struct store *apps, const struct store *pods);
void app_metrics_free(struct app_metrics *a);
void app_metrics_app_changed(struct app_metrics *a, const struct kobj *before, const struct kobj *now, int64_t wall_ms);
void app_metrics_pod_changed(struct app_metrics *a, const struct kobj *before, const struct kobj *now);

#endif
