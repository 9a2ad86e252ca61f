/*
 * The world of a reconcile test from JSON:
 *   {"app": SparkApplication, "pods": [Pod, …], "now": RFC 3339, "failure": {"type", "kind", "name", "code", "message",
 *    "since", "holder", "holderUid", "holderGone"} of the last plan; type is "create" and kind "Pod" unless given,
 *    "maxTracked": N, "uiService": whether there are UI Services,
 *    "ui": {"address"} or {"problem", "failures", "failed"} of the application's,
 *    "extras": [{"kind", "name"} and as "ui", or "noted": the submission id],
 *    "driverPdb": whether drivers get a budget, "pdb": PodDisruptionBudget,
 *    "ingress": {"url", "class", "tls", "annotations"} as the flags have them, "defaultTtl": seconds,
 *    "allowedHosts": of Ingresses, "A,B"}
 * An application that cannot be decoded becomes a problem, as the operator's wiring makes it.
 */
#ifndef TESTS_SPARK_WORLD_H
#define TESTS_SPARK_WORLD_H

#include <assert.h>
#include <stdio.h>
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
	struct failure failure;
	const struct pod_view **pods;
	struct outcome items[SPARK_WORLD_OUTCOMES]; /* their texts are borrowed */
	struct outcomes outcomes;
	char *ui_name;
	struct json *tls; /* of the ingress options, as are the annotations */
	struct json *annotations;
	struct strv hosts;
	struct driver_pdb *pdb;
};

static inline enum err_code spark_world_code(const char *name)
{
	static const enum err_code codes[] = {
#define X(id, text) ERR_##id,
		ERR_CODES(X)
#undef X
	};

	for (size_t i = 0; i < array_len(codes); i++)
		if (text_eq(err_name(codes[i]), name))
			return codes[i];
	return ERR_NONE;
}

static inline enum action_type spark_world_action(const char *text)
{
	if (text_eq(text, "create"))
		return ACTION_CREATE;
	if (text_eq(text, "absent"))
		return ACTION_ABSENT;
	if (text_eq(text, "delete"))
		return ACTION_DELETE;
	return text_eq(text, "status") ? ACTION_STATUS : ACTION_CHECK;
}

static inline void spark_world_failure(struct spark_world *s, const struct json *input)
{
	static const char *const holders[] = { "", "stranger", "ours", "different" };
	struct failure *f = &s->failure;

	err_set(&f->err, spark_world_code(json_str(input, "code", "")), "%s", json_str(input, "message", ""));
	assert(f->err.code != ERR_NONE);
	f->type = spark_world_action(json_str(input, "type", "create"));
	f->res = resource_of_kind(json_str(input, "kind", "Pod"));
	f->tries = 1;
	snprintf(f->name, sizeof(f->name), "%s", json_str(input, "name", ""));
	snprintf(f->holder_uid, sizeof(f->holder_uid), "%s", json_str(input, "holderUid", ""));
	for (size_t i = 0; i < array_len(holders); i++)
		if (text_eq(holders[i], json_str(input, "holder", f->err.code == ERR_EXISTS ? "stranger" : "")))
			f->holder = (enum holder)i;
	time_parse(json_str(input, "holderGone", NULL), &f->holder_gone_ms);
	time_parse(json_str(input, "since", NULL), &f->since_ms);
	s->world.failure = f;
}

static inline void spark_world_outcome(struct spark_world *s, const struct resource *res, const char *name,
				       const struct json *outcome)
{
	struct outcome *ret = &s->items[s->outcomes.len++];

	assert(s->outcomes.len <= SPARK_WORLD_OUTCOMES);
	*ret = (struct outcome){
		.res = res,
		.name = (char *)name,
		.value = (char *)json_str(outcome, "noted", json_str(outcome, "address", NULL)),
		.noted = json_get(outcome, "noted") != NULL,
		.problem = (char *)json_str(outcome, "problem", NULL),
		.failures = (unsigned)json_i64(outcome, "failures", 0),
		.tries = (unsigned)json_i64(outcome, "tries", 0),
	};
	time_parse(json_str(outcome, "failed", NULL), &ret->failed_ms);
	time_parse(json_str(outcome, "tried", NULL), &ret->tried_ms);
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
	strv_split(&s->hosts, json_str(input, "allowedHosts", ""), ',');
	s->options.rules.limits.allowed[LIMIT_INGRESS_HOST] = &s->hosts;
	s->options.rules.ui_url_format = s->options.ui_service ? s->options.ingress.url_format : NULL;
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
	if (json_get(input, "failure"))
		spark_world_failure(s, json_get(input, "failure"));
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
	strv_done(&s->hosts);
}

#endif
