/*
 * A registry with metrics of applications over two stores, and objects to put into them. Applications are created at
 * 1000 s, their attempts submitted at 1002 and ended at 1009; it is 1012 s.
 */
#ifndef TESTS_METRICS_WORLD_H
#define TESTS_METRICS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "metrics/app_metrics.h"
#include "base/mem.h"
#include "spark/app.h"
#include "spark/pod.h"

enum { CREATED_S = 1000, NOW_S = 1012 };

struct fixture {
	struct metrics *metrics;
	struct sched sched;
	struct store *apps;
	struct store *pods;
	struct app_metrics *app_metrics; /* NULL before start */
	struct json *labels;		 /* of what is put next; NULL for none */
	int version;
};

static inline void on_app(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct fixture *f = arg;

	if (f->app_metrics)
		app_metrics_app_changed(f->app_metrics, before, now);
}

static inline void on_pod(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct fixture *f = arg;

	if (f->app_metrics)
		app_metrics_pod_changed(f->app_metrics, before, now);
}

static inline int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->metrics = metrics_new();
	sched_init(&f->sched, 0, NOW_S * 1000, 1);
	f->apps = store_new(&app_kind);
	f->pods = store_new(&pod_kind);
	store_on_change(f->apps, on_app, f);
	store_on_change(f->pods, on_pod, f);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	app_metrics_free(f->app_metrics);
	metrics_free(f->metrics);
	store_free(f->apps);
	store_free(f->pods);
	sched_done(&f->sched);
	json_free(f->labels);
	free(f);
	return 0;
}

static inline void start(struct fixture *f, const struct app_metrics_options *options, const char *ns)
{
	const struct app_metrics_world world = {
		.registry = f->metrics,
		.sched = &f->sched,
		.apps = f->apps,
		.pods = f->pods,
		.namespaces = &ns,
		.namespace_count = ns ? 1 : 0,
	};

	f->app_metrics = app_metrics_new(&world, options);
	app_metrics_start(f->app_metrics);
}

static inline void start_plain(struct fixture *f)
{
	const struct app_metrics_options none = { 0 };

	start(f, &none, NULL);
}

static inline struct json *object(struct fixture *f, const char *ns, const char *name, const char *uid)
{
	struct json *tree = json_new_object(), *metadata = json_ensure_object(tree, "metadata");

	json_set_str(metadata, "namespace", ns);
	json_set_str(metadata, "name", name);
	json_set_str(metadata, "uid", uid);
	json_setf(metadata, "resourceVersion", "%d", ++f->version);
	json_set_str(metadata, "creationTimestamp", "1970-01-01T00:16:40Z");
	json_set(metadata, "labels", f->labels ? json_dup(f->labels) : json_new_object());
	return tree;
}

static inline void put(struct store *s, struct json *tree)
{
	struct err err = { 0 };
	struct kobj *o = kobj_new(store_kind(s), tree, &err);

	assert_non_null(o);
	store_upsert(s, o);
}

/* NULL for a state without an end. */
static inline const char *end_of(const char *state)
{
	static const char *const with_end[] = { "SUCCEEDING", "FAILING", "COMPLETED", "FAILED" };

	for (size_t i = 0; i < array_len(with_end); i++)
		if (strcmp(state, with_end[i]) == 0)
			return "1970-01-01T00:16:49Z";
	return NULL;
}

static inline void put_app(struct fixture *f, const char *ns, const char *uid, const char *app_state, int submissions,
			   int runs)
{
	struct json *tree = object(f, ns, "pi", uid), *status = json_ensure_object(tree, "status");

	json_set_str(json_ensure_object(status, "applicationState"), "state", app_state);
	json_set_i64(status, "submissionAttempts", submissions);
	json_set_i64(status, "executionAttempts", runs);
	json_setf(status, "submissionID", "attempt-%d", runs);
	json_set_str(status, "lastSubmissionAttemptTime", "1970-01-01T00:16:42Z");
	json_set_str(status, "terminationTime", end_of(app_state));
	put(f->apps, tree);
}

static inline void put_pod(struct fixture *f, const char *name, const char *role, const char *phase)
{
	struct json *tree = object(f, "jobs", name, name), *labels = json_at(tree, "metadata.labels");

	json_set_str(labels, LABEL_SPARK_ROLE, role);
	json_set_str(labels, LABEL_APP_NAME, "pi");
	json_set_str(json_ensure_object(tree, "status"), "phase", phase);
	put(f->pods, tree);
}

static inline bool shows(struct fixture *f, const char *line)
{
	auto_free char *want = xasprintf("\n%s\n", line);
	auto_buf text;

	buf_init(&text, 1 << 20);
	metrics_write(f->metrics, &text);
	return strstr(buf_str(&text), want) != NULL;
}

#define assert_shows(f, line)                                                                                          \
	do {                                                                                                           \
		if (!shows(f, line))                                                                                   \
			fail_msg("not shown: %s", line);                                                               \
	} while (0)

#endif
