/*
 * Metrics of applications and executors, see app_metrics.h: this file has those with kubeflow's names.
 *
 * Happy path: a counter counts transitions between two versions of an object that were both seen. A gauge is counted
 * from the stores at each collection, so it cannot drift. When a combination of label values is seen for the first
 * time, all its series appear at once.
 *
 * Failure modes: nothing fails here.
 */
#include "metrics/app_metrics.h"

#include "app_metrics_internal.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
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

/* A combination of label values that has been seen. */
struct combination {
	struct strv values;
	double running, executors; /* while collecting */
};

struct app_metrics {
	struct app_metrics_world world;
	struct strv namespaces;
	struct app_metrics_options options; /* defaults are filled in */
	struct metric *families[FAMILIES];  /* NULL before the start */
	struct map *seen;		    /* joined label values → struct combination */
	struct buf key;			    /* buffer for the key of a lookup in seen */
	struct app_metrics_native *native;
	struct app_metrics_v1 *v1; /* NULL: not wanted */
};

/* ---- series ---- */

static struct combination *add_combination(struct app_metrics *a, const char *const *values)
{
	struct combination *c = xcalloc(1, sizeof(*c));

	for (size_t i = 0; i < a->options.labels->len; i++)
		strv_add(&c->values, values[i]);
	map_set(a->seen, buf_str(&a->key), c);
	for (size_t f = 0; f < FAMILIES; f++)
		metric_init(a->families[f], values);
	if (a->v1)
		app_metrics_v1_touch(a->v1, values);
	return c;
}

/* Makes all series with these label values appear. */
static struct combination *show_combination(struct app_metrics *a, const char *const *values)
{
	struct combination *c;

	buf_clear(&a->key);
	for (size_t i = 0; i < a->options.labels->len; i++) {
		buf_puts(&a->key, values[i]);
		buf_putc(&a->key, '\n');
	}
	c = map_get(a->seen, buf_str(&a->key));
	return c ? c : add_combination(a, values);
}

static void free_combination(void *value)
{
	struct combination *c = value;

	strv_done(&c->values);
	free(c);
}

/* With the default labels the only label is the namespace. */
static void touch_namespaces(struct app_metrics *a)
{
	bool only_namespace = a->options.labels->len == 1 && text_eq(a->options.labels->items[0], "namespace");

	for (size_t i = 0; i < a->namespaces.len; i++) {
		const char *const values[] = { a->namespaces.items[i], NULL };

		app_metrics_native_touch(a->native, a->namespaces.items[i]);
		if (only_namespace)
			show_combination(a, values);
	}
}

static struct combination *pod_values(struct app_metrics *a, const struct kobj *pod,
				      const char *ret[METRIC_LABELS_MAX + 1])
{
	const struct kobj *app = pod->index ? store_get(a->world.apps, pod->index) : NULL;

	metric_labels_of_pod(a->options.labels, pod->view, app, ret);
	return show_combination(a, ret);
}

static struct combination *app_values(struct app_metrics *a, const struct kobj *app,
				      const char *ret[METRIC_LABELS_MAX + 1])
{
	metric_labels_of_app(a->options.labels, app, ret);
	return show_combination(a, ret);
}

/* ---- collection ---- */

static void count_running(struct app_metrics *a)
{
	const char *values[METRIC_LABELS_MAX + 1];
	struct kobj *o;
	size_t pos = 0;

	while ((o = store_next(a->world.apps, &pos))) {
		const struct app *app = o->view;

		if (app && app->state == APP_RUNNING)
			app_values(a, o, values)->running++;
	}
	pos = 0;
	while ((o = store_next(a->world.pods, &pos))) {
		const struct pod_view *pod = o->view;

		if (pod && pod->role == POD_ROLE_EXECUTOR && pod->phase == POD_RUNNING)
			pod_values(a, o, values)->executors++;
	}
}

/* Series are looked up once for each combination, and not once for each object, of which there are many. */
static void on_collect(void *arg)
{
	struct app_metrics *a = arg;
	struct map_iter it = { 0 };

	count_running(a);
	while (map_next(a->seen, &it)) {
		struct combination *c = it.value;
		const char *const *values = (const char *const *)c->values.items;

		metric_set(a->families[APP_RUNNING_NOW], values, c->running);
		metric_set(a->families[EXECUTORS_RUNNING], values, c->executors);
		c->running = 0;
		c->executors = 0;
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
	a->seen = map_new(free_combination);
	buf_init(&a->key, SIZE_MAX);
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
	metrics_on_collect(a->world.registry, on_collect, a);
}

void app_metrics_free(struct app_metrics *a)
{
	if (!a)
		return;
	metrics_off_collect(a->world.registry, on_collect, a);
	app_metrics_native_free(a->native);
	free(a->v1);
	map_free(a->seen);
	buf_done(&a->key);
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
	const char *values[METRIC_LABELS_MAX + 1];
	struct app_change c = { .object = now, .wall_ms = sched_wall(a->world.sched) };
	bool is_new;

	if (!now || !now->view)
		return;
	c.is = now->view;
	c.was = view_before(before, now);
	is_new = !before || !text_eq(before->uid, now->uid);
	app_values(a, now, values);
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
	const char *values[METRIC_LABELS_MAX + 1];
	const struct pod_view *pod = now ? now->view : NULL;
	const struct pod_view *was;

	if (!pod || pod->role != POD_ROLE_EXECUTOR)
		return;
	was = view_before(before, now);
	pod_values(a, now, values);
	app_metrics_native_touch(a->native, now->ns);
	if (!was || was->phase == pod->phase)
		return;
	if (pod->phase == POD_SUCCEEDED)
		count_transition(a, EXECUTOR_SUCCESS, values);
	if (pod->phase == POD_FAILED)
		count_transition(a, EXECUTOR_FAIL, values);
	app_metrics_native_executor(a->native, was, pod);
}
