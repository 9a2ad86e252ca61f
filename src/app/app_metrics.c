/*
 * Metrics of applications and executors, see app_metrics.h.
 *
 * Counters move on transitions between two versions of an object that were both seen; gauges are counted from the stores at
 * each collection, so that they cannot drift.
 */
#include "app_metrics.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "spark/app.h"
#include "spark/pod.h"

enum { APP_CREATED, APP_SUBMIT, APP_SUBMISSION_FAIL, APP_SUCCESS, APP_FAIL, EXECUTOR_SUCCESS, EXECUTOR_FAIL, COUNTERS };

static const struct {
	const char *name;
	const char *help;
} counter_rows[COUNTERS] = {
	[APP_CREATED] = { "spark_application_count", "Applications that were created" },
	[APP_SUBMIT] = { "spark_application_submit_count", "Applications that were submitted" },
	[APP_SUBMISSION_FAIL] = { "spark_application_failed_submission_count", "Submissions that failed" },
	[APP_SUCCESS] = { "spark_application_success_count", "Applications that completed" },
	[APP_FAIL] = { "spark_application_failure_count", "Applications that failed" },
	[EXECUTOR_SUCCESS] = { "spark_executor_success_count", "Executors that completed" },
	[EXECUTOR_FAIL] = { "spark_executor_failure_count", "Executors that failed" },
};

struct app_metrics {
	const struct store *apps;
	const struct store *pods;
	struct map *namespaces; /* every one that has been counted: its series stay and must fall back to 0 */
	struct metric *counters[COUNTERS];
	struct metric *states;
	struct metric *running;
	struct metric *executors_running;
	struct metric *submit_latency;
	struct metric *start_latency;
	struct metric *success_time;
	struct metric *failure_time;
};

static const double submit_buckets[] = { 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256 };
static const double start_buckets[] = { 5, 10, 30, 60, 90, 120, 150, 180, 210, 240, 270, 300 };

/* Adds one to the gauge's series of the object's namespace (and of state, if given). */
static void count_one(struct app_metrics *a, struct metric *gauge, const char *ns, const char *state)
{
	const char *values[] = { ns, state, NULL };

	map_set(a->namespaces, ns, a);
	metric_add(gauge, values, 1);
}

static const char *state_label(enum app_state state)
{
	return state == APP_NEW ? "NEW" : app_state_text(state);
}

static void zero_all(struct app_metrics *a)
{
	struct map_iter it = { 0 };

	while (map_next(a->namespaces, &it)) {
		const char *ns[] = { it.key, NULL };

		metric_set(a->running, ns, 0);
		metric_set(a->executors_running, ns, 0);
		for (int state = 0; state < APP_STATE_COUNT; state++) {
			const char *both[] = { it.key, state_label((enum app_state)state), NULL };

			metric_set(a->states, both, 0);
		}
	}
}

static void collect(void *arg)
{
	struct app_metrics *a = arg;
	struct kobj *o;
	size_t pos = 0;

	zero_all(a);
	while ((o = store_next(a->apps, &pos))) {
		const struct app *app = o->view;

		if (!app)
			continue;
		count_one(a, a->states, o->ns, state_label((enum app_state)app->state));
		if (app->state == APP_RUNNING)
			count_one(a, a->running, o->ns, NULL);
	}
	pos = 0;
	while ((o = store_next(a->pods, &pos))) {
		const struct pod_view *pod = o->view;

		if (pod && pod->role == POD_ROLE_EXECUTOR && pod->phase == POD_RUNNING)
			count_one(a, a->executors_running, o->ns, NULL);
	}
}

struct app_metrics *app_metrics_new(struct metrics *m, const struct store *apps, const struct store *pods)
{
	static const char *const by_namespace[] = { "namespace", NULL };
	static const char *const by_state[] = { "namespace", "state", NULL };
	struct app_metrics *a = xcalloc(1, sizeof(*a));

	a->apps = apps;
	a->pods = pods;
	a->namespaces = map_new(NULL);
	for (size_t i = 0; i < COUNTERS; i++)
		a->counters[i] =
		    metrics_add(m, METRIC_COUNTER, counter_rows[i].name, counter_rows[i].help, by_namespace, NULL, 0);
	a->states = metrics_add(m, METRIC_GAUGE, "spark_application_state", "Applications by state", by_state, NULL, 0);
	a->running = metrics_add(m, METRIC_GAUGE, "spark_application_running_count", "Applications that are running",
				 by_namespace, NULL, 0);
	a->executors_running = metrics_add(m, METRIC_GAUGE, "spark_executor_running_count",
					   "Executors that are running", by_namespace, NULL, 0);
	a->submit_latency = metrics_add(m, METRIC_HISTOGRAM, "spark_application_submit_latency_seconds_histogram",
					"From creation of an application to its first submission", by_namespace,
					submit_buckets, array_len(submit_buckets));
	a->start_latency = metrics_add(m, METRIC_HISTOGRAM, "spark_application_start_latency_seconds_histogram",
				       "From creation of an application to its first running driver", by_namespace,
				       start_buckets, array_len(start_buckets));
	a->success_time = metrics_add(m, METRIC_SUMMARY, "spark_application_success_execution_time_seconds",
				      "From submission to success", by_namespace, NULL, 0);
	a->failure_time = metrics_add(m, METRIC_SUMMARY, "spark_application_failure_execution_time_seconds",
				      "From submission to failure", by_namespace, NULL, 0);
	metrics_on_collect(m, collect, a);
	return a;
}

void app_metrics_free(struct app_metrics *a)
{
	map_free(a->namespaces);
	free(a);
}

static double seconds(int64_t from_ms, int64_t to_ms)
{
	return to_ms > from_ms ? (double)(to_ms - from_ms) / 1000 : 0;
}

static void on_submitted(struct app_metrics *a, const struct app *now, int64_t wall_ms)
{
	const char *ns[] = { now->ns, NULL };

	metric_add(a->counters[APP_SUBMIT], ns, 1);
	if (now->submission_attempts == 1)
		metric_observe(a->submit_latency, ns, seconds(now->created_ms, wall_ms));
}

static void on_state(struct app_metrics *a, const struct app *now, int64_t wall_ms)
{
	const char *ns[] = { now->ns, NULL };

	switch (now->state) {
	case APP_RUNNING:
		if (now->execution_attempts == 1)
			metric_observe(a->start_latency, ns, seconds(now->created_ms, wall_ms));
		break;
	case APP_SUBMISSION_FAILED:
		metric_add(a->counters[APP_SUBMISSION_FAIL], ns, 1);
		break;
	case APP_COMPLETED:
		metric_add(a->counters[APP_SUCCESS], ns, 1);
		metric_observe(a->success_time, ns, seconds(now->last_submission_ms, now->terminated_ms));
		break;
	case APP_FAILED:
		metric_add(a->counters[APP_FAIL], ns, 1);
		metric_observe(a->failure_time, ns, seconds(now->last_submission_ms, now->terminated_ms));
		break;
	default:
		break;
	}
}

/* An object that was deleted and made again may appear as one change. */
static const struct kobj *same_object(const struct kobj *before, const struct kobj *now)
{
	return before && text_eq(before->uid, now->uid) ? before : NULL;
}

void app_metrics_app_changed(struct app_metrics *a, const struct kobj *before, const struct kobj *now, int64_t wall_ms)
{
	const struct app *app = now ? now->view : NULL;
	const struct app *old;

	if (!app)
		return;
	before = same_object(before, now);
	old = before ? before->view : NULL;
	if (!before && app->state == APP_NEW && app->submission_attempts == 0) {
		const char *ns[] = { now->ns, NULL };

		metric_add(a->counters[APP_CREATED], ns, 1);
	}
	if (old && app->execution_attempts > old->execution_attempts)
		on_submitted(a, app, wall_ms);
	if (old && old->state != app->state)
		on_state(a, app, wall_ms);
}

void app_metrics_pod_changed(struct app_metrics *a, const struct kobj *before, const struct kobj *now)
{
	const struct pod_view *pod = now ? now->view : NULL;
	const struct pod_view *old;

	if (!pod)
		return;
	before = same_object(before, now);
	old = before ? before->view : NULL;
	if (!old || pod->role != POD_ROLE_EXECUTOR || pod->phase == old->phase)
		return;
	if (pod->phase == POD_SUCCEEDED || pod->phase == POD_FAILED) {
		const char *ns[] = { pod->ns, NULL };

		metric_add(a->counters[pod->phase == POD_SUCCEEDED ? EXECUTOR_SUCCESS : EXECUTOR_FAIL], ns, 1);
	}
}
