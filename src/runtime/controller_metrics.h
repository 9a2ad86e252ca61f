/*
 * The metrics of the controller, under the names that controller-runtime and client-go give them
 * (controller-runtime pkg/internal/controller/metrics, pkg/internal/metrics/workqueue.go), so that dashboards work;
 * beside them, under our own, what those do not say: how long the oldest key has been waiting.
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

struct controller_load {
	size_t waiting;	    /* keys that are due */
	size_t delayed;	    /* keys that are not yet */
	int64_t oldest_ms;  /* how long the first of those that wait has been due */
	size_t busy;	    /* plans under way */
	int64_t longest_ms; /* age of the oldest of them */
	int64_t all_ms;	    /* their ages added up */
};

void controller_metrics_load(struct controller_metrics *cm, const struct controller_load *load);

#endif
