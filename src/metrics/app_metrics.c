/*
 * Metrics of applications and executors, see app_metrics.h: this file has those with kubeflow's names.
 *
 * Happy path: a counter counts transitions between two versions of an object that were both seen. A gauge follows each
 * change of a store: what the object was counted as before is taken back, and what it is now is added. So the cost of a
 * scrape depends on the number of series alone, however large the cluster is. When a combination of label values is
 * seen for the first time, all its series appear at once.
 *
 * The labels of an executor may come from its application. So a change of an application's labels moves its executors,
 * and at any time the gauges are what a count of both stores would be.
 *
 * Failure modes: nothing fails here.
 */
#include "metrics/app_metrics.h"

#include "app_metrics_internal.h"
#include "base/mem.h"
#include "base/text.h"
#include "combinations.h"
#include "metric_labels.h"

enum family {
	APP_CREATED,
	APP_SUBMIT,
	APP_SUBMISSION_FAIL,
	APP_RUNNING_NOW,
	APP_SUCCESS,
	APP_FAIL,
	SUCCESS_TIME,
	FAILURE_TIME,
	SUBMIT_LATENCY,
	START_LATENCY,
	EXECUTORS_RUNNING,
	EXECUTOR_SUCCESS,
	EXECUTOR_FAIL,
	FAMILIES,
};

static const struct {
	enum metric_type type;
	const char *name;
	const char *help;
} rows[FAMILIES] = {
	[APP_CREATED] = { METRIC_COUNTER, "spark_application_count", "Applications created" },
	[APP_SUBMIT] = { METRIC_COUNTER, "spark_application_submit_count", "Successful submissions" },
	[APP_SUBMISSION_FAIL] = { METRIC_COUNTER, "spark_application_failed_submission_count", "Failed submissions" },
	[APP_RUNNING_NOW] = { METRIC_GAUGE, "spark_application_running_count", "Applications that are running" },
	[APP_SUCCESS] = { METRIC_COUNTER, "spark_application_success_count", "Applications that completed" },
	[APP_FAIL] = { METRIC_COUNTER, "spark_application_failure_count", "Applications that failed" },
	[SUCCESS_TIME] = { METRIC_SUMMARY, "spark_application_success_execution_time_seconds",
			   "From submission to success" },
	[FAILURE_TIME] = { METRIC_SUMMARY, "spark_application_failure_execution_time_seconds",
			   "From submission to failure" },
	[SUBMIT_LATENCY] = { METRIC_HISTOGRAM, "spark_application_submit_latency_seconds_histogram",
			     "From creation of an application to its first submission" },
	[START_LATENCY] = { METRIC_HISTOGRAM, "spark_application_start_latency_seconds_histogram",
			    "From creation of an application to its first running driver" },
	[EXECUTORS_RUNNING] = { METRIC_GAUGE, "spark_executor_running_count", "Executors that are running" },
	[EXECUTOR_SUCCESS] = { METRIC_COUNTER, "spark_executor_success_count", "Executors that completed" },
	[EXECUTOR_FAIL] = { METRIC_COUNTER, "spark_executor_failure_count", "Executors that failed" },
};

/* Summaries of the same observations, without buckets. */
static const struct {
	enum family of;
	const char *name;
} summaries[] = {
	{ SUBMIT_LATENCY, "spark_application_submit_latency_seconds" },
	{ START_LATENCY, "spark_application_start_latency_seconds" },
};

struct app_metrics {
	struct app_metrics_world world;
	struct strv namespaces;
	struct app_metrics_options options; /* defaults are filled in */
	struct metric *families[FAMILIES];  /* NULL before the start */
	struct combinations *combinations;
	struct app_metrics_native *native;
	struct app_metrics_v1 *v1; /* NULL: not wanted */
};

/* ---- series ---- */

static const char *const *values_of(const struct combination *c)
{
	return (const char *const *)c->values.items;
}

static void on_combination(void *arg, const struct combination *c)
{
	const struct app_metrics *a = arg;

	for (size_t f = 0; f < FAMILIES; f++)
		metric_init(a->families[f], values_of(c));
	if (a->v1)
		app_metrics_v1_touch(a->v1, values_of(c));
}

static void on_combination_dropped(void *arg, const struct combination *c)
{
	const struct app_metrics *a = arg;

	for (size_t f = 0; f < FAMILIES; f++)
		metric_remove(a->families[f], values_of(c));
	if (a->v1)
		app_metrics_v1_remove(a->v1, values_of(c));
}

/* With the default labels the only label is the namespace. */
static bool only_namespace(const struct app_metrics *a)
{
	return a->options.labels->len == 1 && text_eq(a->options.labels->items[0], "namespace");
}

static void touch_namespaces(struct app_metrics *a)
{
	for (size_t i = 0; i < a->namespaces.len; i++) {
		const char *const values[] = { a->namespaces.items[i], NULL };

		app_metrics_native_touch(a->native, a->namespaces.items[i]);
		if (only_namespace(a))
			combinations_get(a->combinations, values, sched_now(a->world.sched));
	}
}

static struct combination *combination_of_pod(struct app_metrics *a, const struct kobj *pod, const struct kobj *app)
{
	const char *values[METRIC_LABELS_MAX + 1];

	metric_labels_of_pod(a->options.labels, pod->view, app, values);
	return combinations_get(a->combinations, values, sched_now(a->world.sched));
}

static struct combination *combination_of_app(struct app_metrics *a, const struct kobj *app)
{
	const char *values[METRIC_LABELS_MAX + 1];

	metric_labels_of_app(a->options.labels, app, values);
	return combinations_get(a->combinations, values, sched_now(a->world.sched));
}

/* ---- gauges ---- */

enum { LEAVES = -1, COMES = 1 };

static void add_to_count(size_t *count, int sign)
{
	*count = sign == COMES ? *count + 1 : *count - 1;
}

static bool is_executor(const struct kobj *pod)
{
	const struct pod_view *view = pod ? pod->view : NULL;

	return view && view->role == POD_ROLE_EXECUTOR;
}

/* app: the one that the pod belongs to, as it is or was in the store; NULL if it is not there. */
static void count_executor(struct app_metrics *a, const struct kobj *pod, const struct kobj *app, int sign)
{
	struct combination *c;

	if (!is_executor(pod))
		return;
	c = combination_of_pod(a, pod, app);
	add_to_count(&c->objects, sign);
	if (((const struct pod_view *)pod->view)->phase == POD_RUNNING)
		add_to_count(&c->executors, sign);
}

static void count_app(struct app_metrics *a, const struct kobj *app, int sign)
{
	const struct app *view = app ? app->view : NULL;
	struct combination *c;

	if (!view)
		return;
	c = combination_of_app(a, app);
	add_to_count(&c->objects, sign);
	if (view->state == APP_RUNNING)
		add_to_count(&c->running, sign);
}

static const struct kobj *app_of(const struct app_metrics *a, const struct kobj *pod)
{
	return pod->index ? store_get(a->world.apps, pod->index) : NULL;
}

/* The application's labels have changed from those of before to those of now, each of which may be NULL. */
static void move_executors(struct app_metrics *a, const struct kobj *before, const struct kobj *now)
{
	const struct kobj *pod;
	size_t pos = 0;

	while ((pod = store_index_next(a->world.pods, now ? now->key : before->key, &pos))) {
		count_executor(a, pod, before, LEAVES);
		count_executor(a, pod, now, COMES);
	}
}

static void on_app_change(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct app_metrics *a = arg;

	count_app(a, before, LEAVES);
	count_app(a, now, COMES);
	if (!metric_labels_are_alike(a->options.labels, before, now))
		move_executors(a, before, now);
	app_metrics_native_count_app(a->native, before, now);
}

static void on_pod_change(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct app_metrics *a = arg;

	if (before)
		count_executor(a, before, app_of(a, before), LEAVES);
	if (now)
		count_executor(a, now, app_of(a, now), COMES);
	app_metrics_native_count_executor(a->native, is_executor(before) ? before->view : NULL,
					  is_executor(now) ? now->view : NULL);
}

static void count_all_combinations(struct app_metrics *a)
{
	const struct kobj *o;
	size_t pos = 0;

	while ((o = store_next(a->world.apps, &pos)))
		count_app(a, o, COMES);
	pos = 0;
	while ((o = store_next(a->world.pods, &pos)))
		count_executor(a, o, app_of(a, o), COMES);
}

/* To be called once: afterwards the changes of the stores are followed. */
static void count_what_is_there(struct app_metrics *a)
{
	const struct kobj *o;
	size_t pos = 0;

	count_all_combinations(a);
	while ((o = store_next(a->world.apps, &pos)))
		app_metrics_native_count_app(a->native, NULL, o);
	pos = 0;
	while ((o = store_next(a->world.pods, &pos)))
		if (is_executor(o))
			app_metrics_native_count_executor(a->native, NULL, o->view);
}

/* Costs as much as there are series; only when some that counted as "other" get series of their own, all is counted
 * again. */
static void on_collect(void *arg)
{
	struct app_metrics *a = arg;
	const struct combination *c;
	size_t pos = 0;

	if (combinations_drop_unused(a->combinations, sched_now(a->world.sched)))
		count_all_combinations(a);
	while ((c = combinations_next(a->combinations, &pos))) {
		metric_set(a->families[APP_RUNNING_NOW], values_of(c), (double)c->running);
		metric_set(a->families[EXECUTORS_RUNNING], values_of(c), (double)c->executors);
	}
	app_metrics_native_collect(a->native);
}

/* ---- life ---- */

/* kubeflow cmd/operator/controller/start.go */
static const double default_submit_bounds[] = { 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256 };
static const double default_start_bounds[] = { 30, 60, 90, 120, 150, 180, 210, 240, 270, 300 };
static const struct strv default_labels = { .items = (char *[]){ (char[]){ "namespace" } }, .len = 1 };

/* Returns the given options, with defaults for those that are not set. */
static struct app_metrics_options fill_in_defaults(const struct app_metrics_options *given)
{
	struct app_metrics_options o = *given;

	if (!o.prefix)
		o.prefix = "";
	if (!o.labels || o.labels->len == 0)
		o.labels = &default_labels;
	if (o.submit_buckets.count == 0)
		o.submit_buckets =
		    (struct app_metrics_buckets){ default_submit_bounds, array_len(default_submit_bounds) };
	if (o.start_buckets.count == 0)
		o.start_buckets = (struct app_metrics_buckets){ default_start_bounds, array_len(default_start_bounds) };
	return o;
}

struct app_metrics *app_metrics_new(const struct app_metrics_world *world, const struct app_metrics_options *options)
{
	struct app_metrics *a = xcalloc(1, sizeof(*a));

	a->world = *world;
	a->world.namespaces = NULL;
	for (size_t i = 0; i < world->namespace_count; i++)
		strv_add(&a->namespaces, world->namespaces[i]);
	a->options = fill_in_defaults(options);
	a->combinations =
	    combinations_new(a->options.labels->len, !only_namespace(a), on_combination, on_combination_dropped, a);
	return a;
}

static void add_families(struct app_metrics *a, const char *const *labels)
{
	struct metrics *m = a->world.registry;

	for (size_t f = 0; f < FAMILIES; f++) {
		auto_free char *name = metric_name(a->options.prefix, rows[f].name);
		const struct app_metrics_buckets *b =
		    f == SUBMIT_LATENCY ? &a->options.submit_buckets : &a->options.start_buckets;

		a->families[f] = metrics_family(m, rows[f].type, name, rows[f].help, labels, b->bounds,
						rows[f].type == METRIC_HISTOGRAM ? b->count : 0);
	}
	for (size_t i = 0; i < array_len(summaries); i++) {
		auto_free char *name = metric_name(a->options.prefix, summaries[i].name);

		metrics_alias(m, a->families[summaries[i].of], METRIC_SUMMARY, name, rows[summaries[i].of].help, NULL);
	}
}

static void add_v1_families(struct app_metrics *a, const char *const *labels)
{
	const struct app_metrics_twins twins = {
		.submit = a->families[APP_SUBMIT],
		.failed_submission = a->families[APP_SUBMISSION_FAIL],
		.running = a->families[APP_RUNNING_NOW],
		.executor_running = a->families[EXECUTORS_RUNNING],
		.executor_success = a->families[EXECUTOR_SUCCESS],
		.executor_failure = a->families[EXECUTOR_FAIL],
	};

	a->v1 = app_metrics_v1_new(a->world.registry, a->options.prefix, labels, &a->options.start_buckets, &twins);
}

void app_metrics_start(struct app_metrics *a)
{
	const char *labels[METRIC_LABELS_MAX + 1] = { NULL };

	for (size_t i = 0; i < a->options.labels->len; i++)
		labels[i] = a->options.labels->items[i];
	add_families(a, labels);
	if (a->options.old_names)
		add_v1_families(a, labels);
	a->native = app_metrics_native_new(&a->world);
	touch_namespaces(a);
	count_what_is_there(a);
	store_on_change(a->world.apps, on_app_change, a);
	store_on_change(a->world.pods, on_pod_change, a);
	metrics_on_collect(a->world.registry, on_collect, a);
}

void app_metrics_free(struct app_metrics *a)
{
	if (!a)
		return;
	metrics_off_collect(a->world.registry, on_collect, a);
	store_off_change(a->world.apps, on_app_change, a);
	store_off_change(a->world.pods, on_pod_change, a);
	app_metrics_native_free(a->native);
	free(a->v1);
	combinations_free(a->combinations);
	strv_done(&a->namespaces);
	free(a);
}

/* ---- changes ---- */

static void count_transition(const struct app_metrics *a, enum family f, const char *const *values)
{
	metric_add(a->families[f], values, 1);
}

static void count_submission(const struct app_metrics *a, const struct app_change *c, const char *const *values)
{
	if (!c->was || c->is->execution_attempts <= c->was->execution_attempts)
		return;
	count_transition(a, APP_SUBMIT, values);
	if (c->is->submission_attempts == 1)
		metric_observe(a->families[SUBMIT_LATENCY], values, app_metrics_seconds(c->is->created_ms, c->wall_ms));
}

static void count_state(const struct app_metrics *a, const struct app_change *c, const char *const *values)
{
	double ran_s = app_metrics_seconds(c->is->last_submission_ms, c->is->terminated_ms);

	if (app_metrics_enters(c, APP_RUNNING) && c->is->execution_attempts == 1)
		metric_observe(a->families[START_LATENCY], values, app_metrics_seconds(c->is->created_ms, c->wall_ms));
	if (app_metrics_enters(c, APP_SUBMISSION_FAILED))
		count_transition(a, APP_SUBMISSION_FAIL, values);
	if (app_metrics_enters(c, APP_COMPLETED)) {
		count_transition(a, APP_SUCCESS, values);
		metric_observe(a->families[SUCCESS_TIME], values, ran_s);
	}
	if (app_metrics_enters(c, APP_FAILED)) {
		count_transition(a, APP_FAIL, values);
		metric_observe(a->families[FAILURE_TIME], values, ran_s);
	}
}

/* An object that was deleted and made again may appear as one change. */
static const void *view_before(const struct kobj *before, const struct kobj *now)
{
	return before && text_eq(before->uid, now->uid) ? before->view : NULL;
}

void app_metrics_app_changed(struct app_metrics *a, const struct kobj *before, const struct kobj *now)
{
	const char *const *values;
	struct app_change c = { .object = now, .wall_ms = sched_wall(a->world.sched) };
	bool is_new;

	if (!now || !now->view)
		return;
	c.is = now->view;
	c.was = view_before(before, now);
	is_new = !before || !text_eq(before->uid, now->uid);
	values = values_of(combination_of_app(a, now));
	app_metrics_native_touch(a->native, now->ns);
	if (is_new && c.is->state == APP_NEW && c.is->submission_attempts == 0)
		count_transition(a, APP_CREATED, values);
	count_submission(a, &c, values);
	count_state(a, &c, values);
	app_metrics_native_app(a->native, &c);
	if (a->v1)
		app_metrics_v1_app(a->v1, &c, values);
}

void app_metrics_pod_changed(struct app_metrics *a, const struct kobj *before, const struct kobj *now)
{
	const struct pod_view *pod = now ? now->view : NULL;
	const struct pod_view *was;
	const char *const *values;

	if (!is_executor(now))
		return;
	was = view_before(before, now);
	values = values_of(combination_of_pod(a, now, app_of(a, now)));
	app_metrics_native_touch(a->native, now->ns);
	if (!was || was->phase == pod->phase)
		return;
	if (pod->phase == POD_SUCCEEDED)
		count_transition(a, EXECUTOR_SUCCESS, values);
	if (pod->phase == POD_FAILED)
		count_transition(a, EXECUTOR_FAIL, values);
	app_metrics_native_executor(a->native, was, pod);
}
