/*
 * The world of a reconcile test from JSON:
 *   {"app": SparkApplication, "pods": [Pod, …], "now": RFC 3339, "refused": {"code", "message", "since"}, "maxTracked": N,
 *    "uiService": whether there are UI Services, "ui": {"address"} or {"problem", "failures", "failed"}}
 * An application that cannot be decoded becomes a problem, as the operator's wiring makes it.
 */
#ifndef TESTS_SPARK_WORLD_H
#define TESTS_SPARK_WORLD_H

#include <assert.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"
#include "spark/reconcile.h"

struct spark_world {
	struct world world;
	struct reconcile_options options;
	struct app app;
	struct err problem;
	struct err refused_err;
	struct refusal refused;
	const struct pod_view **pods;
};

static inline void spark_world_refuse(struct spark_world *s, const struct json *refused)
{
	static const enum err_code codes[] = { ERR_INVALID, ERR_DENIED, ERR_EXISTS, ERR_TOO_LARGE };

	for (size_t i = 0; i < array_len(codes); i++)
		if (text_eq(err_name(codes[i]), json_str(refused, "code", "")))
			err_set(&s->refused_err, codes[i], "%s", json_str(refused, "message", ""));
	assert(s->refused_err.code != ERR_NONE);
	s->refused = (struct refusal){ .err = &s->refused_err, .tries = 1 };
	time_parse(json_str(refused, "since", NULL), &s->refused.since_ms);
	s->world.refused = &s->refused;
}

static inline void spark_world_ui(struct spark_world *s, const struct json *ui)
{
	s->world.ui = (struct ui_sighting){
		.address = json_str(ui, "address", NULL),
		.problem = json_str(ui, "problem", NULL),
		.failures = (unsigned)json_i64(ui, "failures", 0),
	};
	time_parse(json_str(ui, "failed", NULL), &s->world.ui.failed_ms);
}

/* Borrows input, which must outlive s; app: the application instead of input's. */
static inline void spark_world_init(struct spark_world *s, const struct json *input, const struct json *app)
{
	const struct json *pods = json_get(input, "pods");
	struct err err = { 0 };

	*s = (struct spark_world){ .options = reconcile_defaults };
	s->options.master = "k8s://https://kubernetes.default.svc:443";
	s->options.max_tracked_executors = json_i64(input, "maxTracked", s->options.max_tracked_executors);
	s->options.ui_service = json_bool(input, "uiService", false);
	s->world.app = &s->app;
	if (app_decode(app, &s->app, &s->problem)) {
		s->world.problem = s->problem.msg;
		s->app = (struct app){
			.tree = app,
			.ns = json_str(app, "metadata.namespace", ""),
			.name = json_str(app, "metadata.name", ""),
			.uid = json_str(app, "metadata.uid", ""),
			.resource_version = json_str(app, "metadata.resourceVersion", ""),
			.generation = json_i64(app, "metadata.generation", 0),
			.deleting = json_at(app, "metadata.deletionTimestamp") != NULL,
			.status = json_get(app, "status"),
		};
	}
	s->pods = xcalloc(json_len(pods) + 1, sizeof(*s->pods));
	json_each (pod, pods)
		s->pods[s->world.pod_count++] = pod_kind.view_new(pod, &err);
	s->world.pods = s->pods;
	time_parse(json_str(input, "now", NULL), &s->world.now_ms);
	spark_world_ui(s, json_get(input, "ui"));
	if (json_get(input, "refused"))
		spark_world_refuse(s, json_get(input, "refused"));
}

static inline void spark_world_done(struct spark_world *s)
{
	for (size_t i = 0; i < s->world.pod_count; i++)
		pod_kind.view_free((void *)(uintptr_t)s->pods[i]);
	free(s->pods);
}

#endif
