/*
 * The metrics of the controller, under the names that controller-runtime and client-go give them
 * (controller-runtime pkg/internal/controller/metrics, pkg/internal/metrics/workqueue.go), so that dashboards work.
 */
#ifndef RUNTIME_CONTROLLER_METRICS_H
#define RUNTIME_CONTROLLER_METRICS_H

#include <stdint.h>

#include "base/metrics.h"

struct controller_metrics;

/* m: NULL for none; then all of these do nothing and NULL is returned. */
struct controller_metrics *controller_metrics_new(struct metrics *m, const char *name, unsigned max_plans);
void controller_metrics_free(struct controller_metrics *cm);
void controller_metrics_added(struct controller_metrics *cm);
void controller_metrics_retried(struct controller_metrics *cm);
void controller_metrics_taken(struct controller_metrics *cm, int64_t waited_ms);
/* result: "success", "requeue_after" or "error". */
void controller_metrics_finished(struct controller_metrics *cm, const char *result, int64_t worked_ms);
/* longest_ms: of the plans under way; all_ms: their sum. */
void controller_metrics_load(struct controller_metrics *cm, size_t queued, size_t busy, int64_t longest_ms,
			     int64_t all_ms);

#endif
