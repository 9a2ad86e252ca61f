/*
 * Says what keeps executors from coming. Pods that are there and do not start tell it themselves. Pods that the API
 * server refuses, because of a quota or by an admission webhook, are nowhere: then the server is asked.
 *
 * Happy path: all executors are there, and nothing is said. Executors may be pending for half a minute, and the driver
 * has a minute to ask for them.
 *
 * Failure modes: if there are fewer executors than there must be, the time of that is noted first, since executors are
 * replaced, and go shortly before the driver ends. If they are still missing half a minute later, the creation of one
 * is tried as a dry run. That some webhook cannot answer a dry run says nothing about executors. The pod is built from
 * the spec, so nothing is tried if the spec was edited. With dynamic allocation only the minimum must be there. What
 * Spark's own account may not do is not seen: the dry run is made with the operator's permissions.
 */
#include "executors.h"

#include <string.h>

#include "base/text.h"
#include "monitor.h"
#include "spark/conf.h"
#include "spark/names.h"

enum {
	PENDING_MS = 30 * 1000,
	DRIVER_START_MS = 60 * 1000,
	MISSING_MS = 30 * 1000, /* before the first try; each further rest is twice as long */
	MISSING_MAX_MS = 16 * 60 * 1000,
};

#define PENDING_REASON "ExecutorsPending"
#define REFUSED_REASON "ExecutorsRefused"

struct census {
	size_t pending;
	size_t running;
	const struct pod_view *late; /* of those that do not start, the one with the lowest id; NULL: there is none */
	int64_t next_ms;	     /* from now: when another one counts as late; -1: never */
};

/* Whether the stored status says already that executors are missing. */
static bool is_told(const struct executors_site *site)
{
	const char *reason = json_str(site->app->status, "reason", "");

	return !text_empty(site->app->error_message) &&
	       (text_eq(reason, PENDING_REASON) || text_eq(reason, REFUSED_REASON));
}

static void look_again_in(int64_t *next_ms, int64_t delay_ms)
{
	if (delay_ms > 0 && (*next_ms < 0 || delay_ms < *next_ms))
		*next_ms = delay_ms;
}

/* Once a pending executor is told, its successor is told too, however young it is: Spark replaces pods that stay
 * pending for long. */
static void count_pending(struct census *c, const struct executors_site *site, const struct pod_view *pod)
{
	int64_t age_ms = site->now_ms - pod->created_ms;
	int64_t slow_ms = monitor_pending_rest_ms(pod, site->now_ms);

	c->pending++;
	if (slow_ms >= 0) { /* nothing is known to be wrong with it */
		look_again_in(&c->next_ms, slow_ms);
		return;
	}
	if (age_ms < PENDING_MS && !is_told(site)) {
		look_again_in(&c->next_ms, PENDING_MS - age_ms);
		return;
	}
	if (!c->late || pod->exec_id < c->late->exec_id)
		c->late = pod;
}

static struct census count_executors_of(const struct executors_site *site)
{
	struct census c = { .next_ms = -1 };

	for (size_t i = 0; i < site->pod_count; i++) {
		const struct pod_view *pod = site->pods[i];

		if (pod->role != POD_ROLE_EXECUTOR || pod->terminated || pod->deleting ||
		    !text_eq(pod->submission_id, site->submission_id))
			continue;
		if (pod->phase == POD_RUNNING)
			c.running++;
		else if (pod->phase == POD_PENDING)
			count_pending(&c, site, pod);
	}
	return c;
}

/* How many executors Spark always wants. */
static int64_t least_executors(const struct app *app)
{
	const struct json *spec = json_get(app->tree, "spec"), *conf = json_get(spec, "sparkConf");

	if (conf_dynamic(spec))
		return json_i64(spec, "dynamicAllocation.minExecutors",
				conf_i64(conf, "spark.dynamicAllocation.minExecutors", 0));
	return json_i64(spec, "executor.instances", conf_i64(conf, "spark.executor.instances", 1));
}

static int64_t rest_after(unsigned tries)
{
	int64_t rest_ms = MISSING_MS;

	for (unsigned i = 1; i < tries && rest_ms < MISSING_MAX_MS; i++)
		rest_ms *= 2;
	return rest_ms;
}

/* The answer of the API server to the last try, if it is a refusal of the executor. */
static const char *refusal_of(const struct outcome *outcome)
{
	return outcome && outcome->problem && !strstr(outcome->problem, "does not support dry run") ? outcome->problem
												    : NULL;
}

static void look_for_missing(struct executors_look *ret, const struct executors_site *site, const struct census *c)
{
	const struct outcome *outcome =
	    site->outcomes ? outcomes_find(site->outcomes, &resource_pod, site->app_id) : NULL;
	int64_t settled_ms = site->driver->started_ms + DRIVER_START_MS - site->now_ms;
	int64_t wanted = site->is_as_submitted ? least_executors(site->app) : 0;
	int64_t present = (int64_t)(c->running + c->pending), rest_ms;

	if (site->driver->started_ms == 0 || present >= wanted)
		return;
	ret->is_missing = true;
	if (settled_ms > 0) {
		look_again_in(&ret->next_ms, settled_ms);
		return;
	}
	rest_ms = outcome ? outcome->tried_ms + rest_after(outcome->tries) - site->now_ms : 0;
	look_again_in(&ret->next_ms, outcome ? rest_ms : MISSING_MS);
	if (rest_ms <= 0)
		ret->step = outcome ? EXECUTORS_TRY : EXECUTORS_NOTE;
	if (ret->message || !refusal_of(outcome))
		return;
	ret->reason = REFUSED_REASON;
	ret->message = xasprintf("executors: %lld of %lld are there, and the API server refuses more: %s",
				 (long long)present, (long long)wanted, refusal_of(outcome));
}

void executors_look(struct executors_look *ret, const struct executors_site *site)
{
	const struct census c = count_executors_of(site);
	auto_free char *why = c.late ? monitor_pending_message(c.late, site->now_ms) : NULL;

	*ret = (struct executors_look){ .next_ms = c.next_ms };
	if (why) {
		ret->reason = PENDING_REASON;
		ret->message = xasprintf("executors: %zu pending, %zu running: %s", c.pending, c.running, why);
	}
	look_for_missing(ret, site, &c);
	if (ret->message || !ret->is_missing || !is_told(site))
		return;
	/* Nothing new is known: between two pods, or between two operators. */
	ret->reason = json_str(site->app->status, "reason", NULL);
	ret->message = xstrdup(site->app->error_message);
}

void executors_look_done(struct executors_look *look)
{
	free(take_ptr(look->message));
}

/* The executor pod as the driver would create it; NULL if it cannot be built. Owned. */
static struct json *build_executor(const struct executors_site *site, const struct submission_options *options)
{
	struct submission_options with_executor = *options;
	struct submission submission = { 0 };
	struct json *pod = NULL;
	struct err err = { 0 };

	with_executor.with_executor = true;
	if (submission_build(site->app, names_run(site->submission_id), &with_executor, &submission, &err) == 0)
		pod = take_ptr(submission.executor);
	submission_done(&submission);
	json_set_str(json_first(json_at(pod, "metadata.ownerReferences")), "uid", site->driver->uid);
	return pod;
}

void executors_plan(const struct executors_look *look, const struct executors_site *site,
		    const struct submission_options *options, struct plan *plan)
{
	struct json *pod = look->step == EXECUTORS_TRY ? build_executor(site, options) : NULL;

	if (look->step != EXECUTORS_REST)
		plan_try(plan, &resource_pod, site->app->ns, site->app_id, pod);
	if (look->step == EXECUTORS_TRY)
		plan_requeue(plan, 0);
}
