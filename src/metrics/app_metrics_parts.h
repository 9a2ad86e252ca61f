/*
 * The parts of app_metrics: metrics by namespace, and those of the operator before 2.0.
 */
#ifndef METRICS_APP_METRICS_PARTS_H
#define METRICS_APP_METRICS_PARTS_H

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
struct app_metrics_own;
struct app_metrics_own *app_metrics_own_new(const struct app_metrics_world *world);
void app_metrics_own_free(struct app_metrics_own *own);
/* Shows the series of a namespace. */
void app_metrics_own_touch(struct app_metrics_own *own, const char *ns);
void app_metrics_own_app(struct app_metrics_own *own, const struct app_change *c);
void app_metrics_own_executor(struct app_metrics_own *own, const struct pod_view *was, const struct pod_view *is);
void app_metrics_own_collect(struct app_metrics_own *own);

/* ---- before 2.0 ---- */
struct app_metrics_old;

/* What has only another name there. */
struct app_metrics_twins {
	const struct metric *submit, *failed_submission, *running;
	const struct metric *executor_running, *executor_success, *executor_failure;
};

struct app_metrics_old *app_metrics_old_new(struct metrics *m, const char *prefix, const char *const *labels,
					    const struct app_metrics_buckets *start,
					    const struct app_metrics_twins *twins);
void app_metrics_old_touch(struct app_metrics_old *old, const char *const *values);
void app_metrics_old_app(struct app_metrics_old *old, const struct app_change *c, const char *const *values);

#endif
