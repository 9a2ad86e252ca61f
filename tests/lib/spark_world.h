/*
 * The world of a reconcile test from JSON:
 *   {"app": SparkApplication, "pods": [Pod, …], "now": RFC 3339, "refused": {"code", "message", "since"},
 *    "maxTracked": N, "uiService": whether there are UI Services,
 *    "ui": {"address"} or {"problem", "failures", "failed"} of the application's,
 *    "extras": [{"kind", "name"} and as "ui"], "driverPdb": whether drivers get a budget, "pdb": PodDisruptionBudget,
 *    "ingress": {"url", "class", "tls", "annotations"} as the flags have them, "defaultTtl": seconds}
 * An application that cannot be decoded becomes a problem, as the operator's wiring makes it.
 */
#ifndef TESTS_SPARK_WORLD_H
#define TESTS_SPARK_WORLD_H

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"
#include "lifecycle/reconcile.h"
#include "ui_service.h"

enum { SPARK_WORLD_EXTRAS = 8 };

struct spark_world {
	struct world world;
	struct reconcile_options options;
	struct app app;
	struct err problem;
	struct err refused_err;
	struct refusal refused;
	const struct pod_view **pods;
	struct extra_sighting extras[SPARK_WORLD_EXTRAS];
	char *ui_name;
	struct json *tls; /* of the ingress options, as are the annotations */
	struct json *annotations;
	struct driver_pdb *pdb;
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

static inline void spark_world_extra(struct spark_world *s, const struct resource *res, const char *name,
				     const struct json *extra)
{
	struct extra_sighting *seen = &s->extras[s->world.extra_count++];

	assert(s->world.extra_count <= SPARK_WORLD_EXTRAS);
	*seen = (struct extra_sighting){
		.res = res,
		.name = name,
		.address = json_str(extra, "address", NULL),
		.problem = json_str(extra, "problem", NULL),
		.failures = (unsigned)json_i64(extra, "failures", 0),
	};
	time_parse(json_str(extra, "failed", NULL), &seen->failed_ms);
}

static inline void spark_world_extras(struct spark_world *s, const struct json *input)
{
	const struct json *ui = json_get(input, "ui");

	s->ui_name = ui_service_name(s->app.name);
	s->world.extras = s->extras;
	if (ui)
		spark_world_extra(s, &resource_service, s->ui_name, ui);
	json_each (extra, json_get(input, "extras"))
		spark_world_extra(s, resource_of_kind(json_str(extra, "kind", "")), json_str(extra, "name", ""), extra);
}

/* As --ingress-tls and --ingress-annotations are parsed; NULL: none. */
static inline struct json *spark_world_json(const char *text)
{
	struct err err = { 0 };
	struct json *tree = text ? json_parse(text, strlen(text), &err) : NULL;

	assert(!text || tree);
	return tree;
}

static inline void spark_world_options(struct spark_world *s, const struct json *input)
{
	const struct json *ingress = json_get(input, "ingress"), *pdb = json_get(input, "pdb");
	struct err err = { 0 };

	s->tls = spark_world_json(json_str(ingress, "tls", NULL));
	s->annotations = spark_world_json(json_str(ingress, "annotations", NULL));
	s->options.ingress = (struct ingress_options){
		.url_format = json_str(ingress, "url", NULL),
		.class_name = json_str(ingress, "class", NULL),
		.tls = s->tls,
		.annotations = s->annotations,
	};
	s->options.max_tracked_executors = json_i64(input, "maxTracked", s->options.max_tracked_executors);
	s->options.ui_service = json_bool(input, "uiService", false);
	s->options.driver_pdb = json_bool(input, "driverPdb", false);
	s->options.default_ttl_s = json_i64(input, "defaultTtl", 0);
	s->pdb = pdb ? driver_pdb_kind.view_new(pdb, &err) : NULL;
	s->world.pdb = s->pdb;
}

/* Borrows input, which must outlive s; app: the application instead of input's. */
static inline void spark_world_init(struct spark_world *s, const struct json *input, const struct json *app)
{
	const struct json *pods = json_get(input, "pods");
	struct err err = { 0 };

	*s = (struct spark_world){ .options = reconcile_defaults };
	s->options.master = "k8s://https://kubernetes.default.svc:443";
	spark_world_options(s, input);
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
	spark_world_extras(s, input);
	if (json_get(input, "refused"))
		spark_world_refuse(s, json_get(input, "refused"));
}

static inline void spark_world_done(struct spark_world *s)
{
	for (size_t i = 0; i < s->world.pod_count; i++)
		pod_kind.view_free((void *)(uintptr_t)s->pods[i]);
	free(s->pods);
	free(s->ui_name);
	if (s->pdb)
		driver_pdb_kind.view_free(s->pdb);
	json_free(s->tls);
	json_free(s->annotations);
}

#endif
