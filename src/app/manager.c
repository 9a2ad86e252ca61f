/*
 * Wiring: which change wakes which application, and where reconcile gets its world from.
 *
 * SparkApplication changed → its key. Pod changed → the key of the application that its label names. Changes that were
 * to be expected are patient: in a burst every application gets its driver before the first gets its status. When every informer
 * has its first complete list and this replica leads, the controller starts; it asks make_plan for each key, which gathers the world
 * from the stores and calls the pure reconcile.
 *
 * A standby keeps its caches and does nothing else: no keys, no log of states, no metrics of applications, which would count double.
 * When it comes to lead it begins like a process that has just started, with a list that is already there.
 */
#include "app/manager.h"

#include <assert.h>
#include <string.h>

#include "app_metrics.h"
#include "base/log.h"
#include "base/map.h"
#include "base/text.h"
#include "runtime/controller.h"
#include "runtime/informer.h"
#include "spark/pod.h"

struct manager {
	struct sched *sched;
	struct store *apps;
	struct store *pods;
	struct informer **informers; /* per namespace: one of apps, one of pods */
	char **informer_ns;	     /* beside informers; NULL: all namespaces */
	size_t informer_count;
	struct recorder *recorder;
	struct controller *controller;
	struct metrics *registry;
	struct app_metrics *metrics; /* NULL until it leads */
	struct map *ui; /* key → struct ui_note, until the status tells of the Service or nobody needs it */
	struct reconcile_options reconcile;
	char *master;
	bool (*may_write)(void *arg); /* or NULL */
	void *may_write_arg;
	bool leads;
	bool started; /* the controller runs */
	bool stopped;
};

struct ui_note {
	struct ui_sighting sighting;
	char *address;
	struct err problem;
};

static void free_ui_note(void *value)
{
	struct ui_note *note = value;

	free(note->address);
	free(note);
}

static void enqueue(const struct manager *m, const char *key, bool patient)
{
	if (patient)
		controller_enqueue_patient(m->controller, key);
	else
		controller_enqueue(m->controller, key);
}

/* That it is submitted is what we wrote ourselves: in a burst the applications that are not yet come first. */
static bool is_echo(const struct kobj *before, const struct kobj *now)
{
	const struct app *was = before ? before->view : NULL, *is = now ? now->view : NULL;

	return was && is && is->state == APP_SUBMITTED && is->generation == was->generation && !is->deleting;
}

/* A driver that waits for a node: it is as it was expected. */
static bool is_waiting_driver(const struct kobj *before, const struct kobj *now)
{
	const struct pod_view *pod = now ? now->view : NULL;

	return !before && pod && pod->role == POD_ROLE_DRIVER && pod->phase == POD_PENDING && !pod->deleting;
}

/* What an application's log is about: from which state to which, and why. */
static void log_transition(const struct kobj *before, const struct kobj *now)
{
	const struct app *was = before ? before->view : NULL;
	const struct app *is = now ? now->view : NULL;
	enum log_level level = is && is->state == APP_FAILED ? LOG_WARN : LOG_INFO;

	if (!was || !is || was->state == is->state)
		return;
	log_write(level, now->key, "state changed", "from",
		  was->state == APP_NEW ? "NEW" : app_state_text((enum app_state)was->state), "to",
		  app_state_text((enum app_state)is->state), text_empty(is->error_message) ? NULL : "error",
		  is->error_message, NULL);
}

/* Whether what was noted of its UI Service is of no more use. */
static bool is_ui_settled(const struct kobj *before, const struct kobj *now)
{
	const struct app *app = now ? now->view : NULL;

	if (!app || (before && !text_eq(before->uid, now->uid)))
		return true;
	return app->state == APP_COMPLETED || app->state == APP_FAILED ||
	       !text_empty(json_str(app->status, "driverInfo.webUIServiceName", NULL));
}

static void on_app_change(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct manager *m = arg;

	if (!m->leads)
		return;
	app_metrics_app_changed(m->metrics, before, now, sched_wall(m->sched));
	log_transition(before, now);
	if (is_ui_settled(before, now))
		map_remove(m->ui, now ? now->key : before->key);
	enqueue(m, now ? now->key : before->key, is_echo(before, now));
}

static void on_pod_change(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct manager *m = arg;

	if (!m->leads)
		return;
	app_metrics_pod_changed(m->metrics, before, now);
	if (now && now->index)
		enqueue(m, now->index, is_waiting_driver(before, now));
	if (before && before->index && !(now && text_eq(now->index, before->index)))
		controller_enqueue(m->controller, before->index);
}

static bool is_synced(const struct manager *m)
{
	for (size_t i = 0; i < m->informer_count; i++)
		if (!informer_synced(m->informers[i]))
			return false;
	return true;
}

static void start_if_due(struct manager *m)
{
	if (!m->leads || m->started || m->stopped || !is_synced(m))
		return;
	m->started = true;
	log_info(NULL, "caches are complete, working", NULL);
	controller_start(m->controller);
}

static void on_synced(void *arg)
{
	struct manager *m = arg;

	if (!m->leads && is_synced(m))
		log_info(NULL, "caches are complete, standing by", NULL);
	start_if_due(m);
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
	struct manager *m = arg;
	const struct kobj *obj = store_get(m->apps, key);
	auto_free const struct pod_view **pods = NULL;
	struct refusal refused;
	const struct ui_note *ui = map_get(m->ui, key);
	struct world world = { .now_ms = wall_ms };
	struct app bare;
	struct kobj *pod;
	size_t pos = 0;

	if (!obj)
		return 0;
	bare = app_metadata(obj);
	world.app = obj->view ? obj->view : &bare;
	world.problem = obj->problem;
	while ((pod = store_index_next(m->pods, key, &pos))) {
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
	if (ui)
		world.ui = ui->sighting;
	return reconcile(&world, &m->reconcile, plan, err);
}

/* The only extra there is: an application's UI Service. */
static void on_extra(void *arg, const char *key, const struct json *object, const struct err *err)
{
	struct manager *m = arg;
	const struct kobj *app = store_get(m->apps, key);
	struct ui_note *note = map_get(m->ui, key);

	if (!app || is_ui_settled(NULL, app))
		return;
	if (!note) {
		note = xcalloc(1, sizeof(*note));
		map_set(m->ui, key, note);
	}
	if (object) {
		const char *address = json_str(object, "spec.clusterIP", "");

		free(note->address);
		note->address = xstrdup(text_eq(address, "None") ? "" : address);
		note->sighting = (struct ui_sighting){ .address = note->address };
		return;
	}
	note->problem = *err;
	note->sighting = (struct ui_sighting){
		.problem = note->problem.msg,
		.failed_ms = sched_wall(m->sched),
		.failures = note->sighting.failures + 1,
	};
}

static bool has_seen(void *arg, const struct resource *res, const char *ns, const char *resource_version)
{
	struct manager *m = arg;

	if (res != app_kind.res && res != pod_kind.res)
		return true;
	for (size_t i = 0; i < m->informer_count; i++) {
		const struct resource *watched = i % 2 == 0 ? app_kind.res : pod_kind.res;

		if (watched == res && (!m->informer_ns[i] || text_eq(m->informer_ns[i], ns)))
			return informer_has_seen(m->informers[i], resource_version);
	}
	return true;
}

static bool may_write(void *arg)
{
	const struct manager *m = arg;

	return m->started && (!m->may_write || m->may_write(m->may_write_arg));
}

static const struct controller_ops controller_ops = {
	.plan = make_plan,
	.has_seen = has_seen,
	.extra = on_extra,
	.may_write = may_write,
};

static void add_informer(struct manager *m, struct api *api, struct metrics *metrics, struct store *store,
			 const char *ns, const char *selector)
{
	struct informer_options options = {
		.api = api,
		.sched = m->sched,
		.store = store,
		.ns = ns,
		.label_selector = selector,
		.on_synced = on_synced,
		.arg = m,
		.metrics = metrics,
	};

	m->informers[m->informer_count] = informer_new(&options);
	m->informer_ns[m->informer_count] = xstrdup_null(ns);
	m->informer_count++;
}

struct manager *manager_new(struct api *api, struct sched *sched, struct metrics *metrics,
			    const struct manager_options *options)
{
	struct manager *m = xcalloc(1, sizeof(*m));
	size_t scopes = options->namespace_count ? options->namespace_count : 1;
	struct controller_options controller = {
		.api = api,
		.sched = sched,
		.ops = &controller_ops,
		.arg = m,
		.queue = options->queue,
		.max_plans = options->max_plans,
		.metrics = metrics,
		.name = "spark-application-controller",
	};

	m->sched = sched;
	m->reconcile = options->reconcile;
	m->master = xstrdup(options->reconcile.master);
	m->reconcile.master = m->master;
	m->apps = store_new(&app_kind);
	m->pods = store_new(&pod_kind);
	m->ui = map_new(free_ui_note);
	m->registry = metrics;
	m->may_write = options->may_write;
	m->may_write_arg = options->may_write_arg;
	m->recorder = recorder_new(api, sched, "spark-application-controller", options->instance, metrics);
	controller.recorder = m->recorder;
	m->controller = controller_new(&controller);
	store_on_change(m->apps, on_app_change, m);
	store_on_change(m->pods, on_pod_change, m);
	m->informers = xcalloc(2 * scopes, sizeof(struct informer *));
	m->informer_ns = xcalloc(2 * scopes, sizeof(char *));
	for (size_t i = 0; i < scopes; i++) {
		const char *ns = options->namespace_count ? options->namespaces[i] : NULL;

		add_informer(m, api, metrics, m->apps, ns, NULL);
		add_informer(m, api, metrics, m->pods, ns, LABEL_LAUNCHED_BY "=true");
	}
	return m;
}

void manager_start(struct manager *m)
{
	for (size_t i = 0; i < m->informer_count; i++)
		informer_start(m->informers[i]);
}

void manager_lead(struct manager *m)
{
	int64_t wall_ms = sched_wall(m->sched);
	const struct kobj *app;
	size_t pos = 0;

	assert(!m->leads);
	m->leads = true;
	m->metrics = app_metrics_new(m->registry, m->apps, m->pods);
	while ((app = store_next(m->apps, &pos))) {
		app_metrics_app_changed(m->metrics, NULL, app, wall_ms);
		controller_enqueue(m->controller, app->key);
	}
	start_if_due(m);
}

bool manager_ready(const struct manager *m)
{
	return is_synced(m) && !m->stopped;
}

const struct store *manager_apps(const struct manager *m)
{
	return m->apps;
}

void manager_stop(struct manager *m)
{
	m->stopped = true;
	controller_stop(m->controller);
}

size_t manager_busy(const struct manager *m)
{
	return controller_busy(m->controller) + recorder_pending(m->recorder);
}

void manager_free(struct manager *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->informer_count; i++) {
		informer_free(m->informers[i]);
		free(m->informer_ns[i]);
	}
	free(m->informers);
	free(m->informer_ns);
	controller_free(m->controller);
	recorder_free(m->recorder);
	if (m->metrics)
		app_metrics_free(m->metrics);
	store_free(m->apps);
	store_free(m->pods);
	map_free(m->ui);
	free(m->master);
	free(m);
}

static const char *watch_state_text(enum watch_state state)
{
	static const char *const texts[] = { "empty", "listing", "streaming", "backoff", "stopped" };

	return texts[state];
}

struct json *manager_debug(const struct manager *m)
{
	struct json *debug = json_new_object();
	struct json *informers = json_set(debug, "informers", json_new_array());

	json_set_bool(debug, "ready", manager_ready(m));
	json_set_bool(debug, "leads", m->leads);
	json_set_i64(debug, "applications", (int64_t)store_len(m->apps));
	json_set_i64(debug, "pods", (int64_t)store_len(m->pods));
	json_set_i64(debug, "events_waiting", (int64_t)recorder_pending(m->recorder));
	json_set(debug, "controller", controller_debug(m->controller));
	for (size_t i = 0; i < m->informer_count; i++) {
		struct json *item = json_append(informers, json_new_object());

		json_set_str(item, "resource", (i % 2 == 0 ? app_kind.res : pod_kind.res)->plural);
		json_set_str(item, "namespace", m->informer_ns[i] ? m->informer_ns[i] : "*");
		json_set_bool(item, "synced", informer_synced(m->informers[i]));
		json_set_str(item, "state", watch_state_text(informer_state(m->informers[i])));
		json_set_str(item, "problem", informer_problem(m->informers[i]));
	}
	return debug;
}
