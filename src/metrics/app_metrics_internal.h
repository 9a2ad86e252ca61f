/*
 * The parts of app_metrics: metrics by namespace, and those of the operator before 2.0.
 */
#ifndef METRICS_APP_METRICS_INTERNAL_H
#define METRICS_APP_METRICS_INTERNAL_H

#include "metrics/app_metrics.h"
#include "spark/app.h"
#include "spark/pod.h"

struct app_change {
	const struct kobj *object;
	const struct app *was; /* NULL: it is new */
	const struct app *is;
	int64_t wall_ms;
};

static inline double app_metrics_seconds(int64_t from_ms, int64_t to_ms)
{
	return to_ms > from_ms ? (double)(to_ms - from_ms) / 1000 : 0;
}

/* Whether the change leads into that state. */
static inline bool app_metrics_enters(const struct app_change *c, enum app_state state)
{
	return c->was && c->was->state != c->is->state && c->is->state == (int)state;
}

/* ---- by namespace ---- */
struct app_metrics_native;
struct app_metrics_native *app_metrics_native_new(const struct app_metrics_world *world);
void app_metrics_native_free(struct app_metrics_native *native);
/* Makes the series of a namespace appear. */
void app_metrics_native_touch(struct app_metrics_native *native, const char *ns);
void app_metrics_native_app(struct app_metrics_native *native, const struct app_change *c);
void app_metrics_native_executor(struct app_metrics_native *native, const struct pod_view *was,
				 const struct pod_view *is);
/* The gauges follow a change; before or now is NULL for an addition or a removal. */
void app_metrics_native_count_app(struct app_metrics_native *native, const struct kobj *before, const struct kobj *now);
void app_metrics_native_count_executor(struct app_metrics_native *native, const struct pod_view *before,
				       const struct pod_view *now);
void app_metrics_native_collect(struct app_metrics_native *native);

/* ---- before 2.0 ---- */
struct app_metrics_v1;

/* The old name of a family that is otherwise the same. */
struct app_metrics_twins {
	const struct metric *submit, *failed_submission, *running;
	const struct metric *executor_running, *executor_success, *executor_failure;
};

struct app_metrics_v1 *app_metrics_v1_new(struct metrics *m, const char *prefix, const char *const *labels,
					  const struct app_metrics_buckets *start,
					  const struct app_metrics_twins *twins);
void app_metrics_v1_touch(struct app_metrics_v1 *v1, const char *const *values);
void app_metrics_v1_remove(struct app_metrics_v1 *v1, const char *const *values);
void app_metrics_v1_app(struct app_metrics_v1 *v1, const struct app_change *c, const char *const *values);

#endif
