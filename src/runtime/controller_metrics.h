/*
 * The metrics of the controller, under the names that controller-runtime and client-go give them
 * (controller-runtime pkg/internal/controller/metrics, pkg/internal/metrics/workqueue.go), so that existing dashboards
 * work. Metrics with names of our own add what those do not say, such as how long the oldest key has been waiting.
 */
#ifndef RUNTIME_CONTROLLER_METRICS_H
#define RUNTIME_CONTROLLER_METRICS_H

#include <stdint.h>

#include "base/metrics.h"

struct controller_metrics;

/* m: NULL for no metrics. Then NULL is returned, and the functions below do nothing when they get it. */
struct controller_metrics *controller_metrics_new(struct metrics *m, const char *name, unsigned max_plans);
void controller_metrics_free(struct controller_metrics *cm);
void controller_metrics_added(struct controller_metrics *cm);
void controller_metrics_retried(struct controller_metrics *cm);
void controller_metrics_taken(struct controller_metrics *cm, int64_t waited_ms);
/* result: "success", "requeue_after" or "error". */
void controller_metrics_finished(struct controller_metrics *cm, const char *result, int64_t worked_ms);

struct controller_load {
	size_t waiting;	    /* keys that are due and wait */
	size_t delayed;	    /* keys that wait and are not yet due */
	int64_t oldest_ms;  /* how long the oldest key that is due has been due */
	size_t busy;	    /* plans under way */
	int64_t longest_ms; /* age of the oldest plan under way */
	int64_t all_ms;	    /* ages of all plans under way, added up */
};

void controller_metrics_load(struct controller_metrics *cm, const struct controller_load *load);

#endif
