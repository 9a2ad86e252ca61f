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

enum { SPARK_WORLD_OUTCOMES = 8 };

struct spark_world {
	struct world world;
	struct reconcile_options options;
	struct app app;
	struct err problem;
	struct failure refused;
	const struct pod_view **pods;
	struct outcome items[SPARK_WORLD_OUTCOMES]; /* their texts are borrowed */
	struct outcomes outcomes;
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
			err_set(&s->refused.err, codes[i], "%s", json_str(refused, "message", ""));
	assert(s->refused.err.code != ERR_NONE);
	s->refused.tries = 1;
	time_parse(json_str(refused, "since", NULL), &s->refused.since_ms);
	s->world.refused = &s->refused;
}

static inline void spark_world_outcome(struct spark_world *s, const struct resource *res, const char *name,
				       const struct json *outcome)
{
	struct outcome *ret = &s->items[s->outcomes.len++];

	assert(s->outcomes.len <= SPARK_WORLD_OUTCOMES);
	*ret = (struct outcome){
		.res = res,
		.name = (char *)name,
		.value = (char *)json_str(outcome, "address", NULL),
		.problem = (char *)json_str(outcome, "problem", NULL),
		.failures = (unsigned)json_i64(outcome, "failures", 0),
	};
	time_parse(json_str(outcome, "failed", NULL), &ret->failed_ms);
}

/* "ui": of the UI Service; "extras": of others. */
static inline void spark_world_outcomes(struct spark_world *s, const struct json *input)
{
	const struct json *ui = json_get(input, "ui");

	s->ui_name = ui_service_name(s->app.name);
	s->outcomes.items = s->items;
	s->world.outcomes = &s->outcomes;
	if (ui)
		spark_world_outcome(s, &resource_service, s->ui_name, ui);
	json_each (extra, json_get(input, "extras"))
		spark_world_outcome(s, resource_of_kind(json_str(extra, "kind", "")), json_str(extra, "name", ""),
				    extra);
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
		app_metadata(app, &s->app);
	}
	s->pods = xcalloc(json_len(pods) + 1, sizeof(*s->pods));
	json_each (pod, pods)
		s->pods[s->world.pod_count++] = pod_kind.view_new(pod, &err);
	s->world.pods = s->pods;
	time_parse(json_str(input, "now", NULL), &s->world.now_ms);
	spark_world_outcomes(s, input);
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
