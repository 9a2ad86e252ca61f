/*
 * Wiring: which change wakes which application, and where reconcile gets its world from.
 *
 * SparkApplication changed → its key. Pod changed → the key of the application that its label names. When every informer
 * has its first complete list the controller starts; it asks make_plan for each key, which gathers the world from the
 * stores and calls the pure reconcile.
 */
#include "app/operator.h"

#include <string.h>

#include "app_metrics.h"
#include "base/log.h"
#include "base/text.h"
#include "runtime/controller.h"
#include "runtime/informer.h"

struct operator
{
	struct sched *sched;
	struct store *apps;
	struct store *pods;
	struct informer **informers; /* per namespace: one of apps, one of pods */
	char **informer_ns;	     /* beside informers; NULL: all namespaces */
	size_t informer_count;
	struct recorder *recorder;
	struct controller *controller;
	struct app_metrics *metrics;
	struct reconcile_options reconcile;
	char *master;
	bool started; /* the controller runs */
	bool stopped;
};

static void on_app_change(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct operator* o = arg;

	app_metrics_app_changed(o->metrics, before, now, sched_wall(o->sched));
	controller_enqueue(o->controller, now ? now->key : before->key);
}

static void on_pod_change(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct operator* o = arg;

	app_metrics_pod_changed(o->metrics, before, now);
	if (now && now->index)
		controller_enqueue(o->controller, now->index);
	if (before && before->index && !(now && text_eq(now->index, before->index)))
		controller_enqueue(o->controller, before->index);
}

static void on_synced(void *arg)
{
	struct operator* o = arg;

	for (size_t i = 0; i < o->informer_count; i++)
		if (!informer_synced(o->informers[i]))
			return;
	if (o->started || o->stopped)
		return;
	o->started = true;
	log_info(NULL, "caches are complete, working", NULL);
	controller_start(o->controller);
}

/* What reconcile may know of an application whose spec cannot be decoded. */
static struct app app_metadata(const struct kobj *obj)
{
	return (struct app){
		.tree = obj->tree,
		.ns = obj->ns,
		.name = obj->name,
		.uid = obj->uid,
		.resource_version = obj->resource_version,
		.generation = json_i64(obj->tree, "metadata.generation", 0),
		.deleting = json_at(obj->tree, "metadata.deletionTimestamp") != NULL,
		.status = json_get(obj->tree, "status"),
	};
}

static int make_plan(void *arg, const char *key, const struct failure *failed, int64_t wall_ms, struct plan *plan,
		     struct err *err)
{
	struct operator* o = arg;
	const struct kobj *obj = store_get(o->apps, key);
	auto_free const struct pod_view **pods = NULL;
	struct refusal refused;
	struct world world = { .now_ms = wall_ms };
	struct app bare;
	struct kobj *pod;
	size_t pos = 0;

	if (!obj)
		return 0;
	bare = app_metadata(obj);
	world.app = obj->view ? obj->view : &bare;
	world.problem = obj->problem;
	while ((pod = store_index_next(o->pods, key, &pos))) {
		if (!pod->view)
			continue;
		pods = xreallocarray(pods, world.pod_count + 1, sizeof(*pods));
		pods[world.pod_count++] = pod->view;
	}
	world.pods = pods;
	if (failed) {
		refused = (struct refusal){ &failed->err, failed->since_ms, failed->tries };
		world.refused = &refused;
	}
	return reconcile(&world, &o->reconcile, plan, err);
}

static bool has_seen(void *arg, const struct resource *res, const char *ns, const char *resource_version)
{
	struct operator* o = arg;

	if (res != app_kind.res && res != pod_kind.res)
		return true;
	for (size_t i = 0; i < o->informer_count; i++) {
		const struct resource *watched = i % 2 == 0 ? app_kind.res : pod_kind.res;

		if (watched == res && (!o->informer_ns[i] || text_eq(o->informer_ns[i], ns)))
			return informer_has_seen(o->informers[i], resource_version);
	}
	return true;
}

static bool may_write(void *arg)
{
	const struct operator* o = arg;

	return o->started;
}

static const struct controller_ops controller_ops = {
	.plan = make_plan,
	.has_seen = has_seen,
	.may_write = may_write,
};

static void add_informer(struct operator* o, struct api *api, struct metrics *metrics, struct store *store,
			 const char *ns, const char *selector)
{
	struct informer_options options = {
		.api = api,
		.sched = o->sched,
		.store = store,
		.ns = ns,
		.label_selector = selector,
		.on_synced = on_synced,
		.arg = o,
		.metrics = metrics,
	};

	o->informers[o->informer_count] = informer_new(&options);
	o->informer_ns[o->informer_count] = xstrdup_null(ns);
	o->informer_count++;
}

struct operator*
    operator_new(struct api *api, struct sched *sched, struct metrics *metrics, const struct operator_options *options)
{
	struct operator* o = xcalloc(1, sizeof(*o));
	size_t scopes = options->namespace_count ? options->namespace_count : 1;
	struct controller_options controller = {
		.api = api,
		.sched = sched,
		.ops = &controller_ops,
		.arg = o,
		.queue = options->queue,
		.max_plans = options->max_plans,
		.metrics = metrics,
		.name = "spark-application-controller",
	};

	o->sched = sched;
	o->reconcile = options->reconcile;
	o->master = xstrdup(options->reconcile.master);
	o->reconcile.master = o->master;
	o->apps = store_new(&app_kind);
	o->pods = store_new(&pod_kind);
	o->metrics = app_metrics_new(metrics, o->apps, o->pods);
	o->recorder = recorder_new(api, sched, "spark-application-controller", options->instance, metrics);
	controller.recorder = o->recorder;
	o->controller = controller_new(&controller);
	store_on_change(o->apps, on_app_change, o);
	store_on_change(o->pods, on_pod_change, o);
	o->informers = xcalloc(2 * scopes, sizeof(struct informer *));
	o->informer_ns = xcalloc(2 * scopes, sizeof(char *));
	for (size_t i = 0; i < scopes; i++) {
		const char *ns = options->namespace_count ? options->namespaces[i] : NULL;

		add_informer(o, api, metrics, o->apps, ns, NULL);
		add_informer(o, api, metrics, o->pods, ns, LABEL_LAUNCHED_BY "=true");
	}
	return o;
}

void operator_start(struct operator* o)
{
	for (size_t i = 0; i < o->informer_count; i++)
		informer_start(o->informers[i]);
}

bool operator_ready(const struct operator* o)
{
	return o->started && !o->stopped;
}

void operator_stop(struct operator* o)
{
	o->stopped = true;
	controller_stop(o->controller);
}

size_t operator_busy(const struct operator* o)
{
	return controller_busy(o->controller) + recorder_pending(o->recorder);
}

void operator_free(struct operator* o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->informer_count; i++) {
		informer_free(o->informers[i]);
		free(o->informer_ns[i]);
	}
	free(o->informers);
	free(o->informer_ns);
	controller_free(o->controller);
	recorder_free(o->recorder);
	app_metrics_free(o->metrics);
	store_free(o->apps);
	store_free(o->pods);
	free(o->master);
	free(o);
}

static const char *watch_state_text(enum watch_state state)
{
	static const char *const texts[] = { "empty", "listing", "streaming", "backoff", "stopped" };

	return texts[state];
}

struct json *operator_debug(const struct operator* o)
{
	struct json *debug = json_new_object();
	struct json *informers = json_set(debug, "informers", json_new_array());

	json_set_bool(debug, "ready", operator_ready(o));
	json_set_i64(debug, "applications", (int64_t)store_len(o->apps));
	json_set_i64(debug, "pods", (int64_t)store_len(o->pods));
	json_set_i64(debug, "events_waiting", (int64_t)recorder_pending(o->recorder));
	json_set(debug, "controller", controller_debug(o->controller));
	for (size_t i = 0; i < o->informer_count; i++) {
		struct json *item = json_append(informers, json_new_object());

		json_set_str(item, "resource", (i % 2 == 0 ? app_kind.res : pod_kind.res)->plural);
		json_set_str(item, "namespace", o->informer_ns[i] ? o->informer_ns[i] : "*");
		json_set_bool(item, "synced", informer_synced(o->informers[i]));
		json_set_str(item, "state", watch_state_text(informer_state(o->informers[i])));
		json_set_str(item, "problem", informer_problem(o->informers[i]));
	}
	return debug;
}
