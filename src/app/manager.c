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

#include "metrics/app_metrics.h"
#include "lifecycle/extra_notes.h"
#include "base/log.h"
#include "base/text.h"
#include "runtime/controller.h"
#include "runtime/informer.h"
#include "kube/scope.h"
#include "lifecycle/driver_pdb.h"
#include "spark/pod.h"

/* One watch: of a resource, in a namespace. */
struct watched {
	struct informer *informer;
	const struct resource *res;
	char *ns; /* NULL: all namespaces, or the resource has none */
};

struct manager {
	struct sched *sched;
	struct store *apps;
	struct store *pods;
	struct store *pdbs;  /* of drivers; NULL: nobody looks */
	struct scope *scope; /* NULL: namespaces are watched one by one, or all */
	struct watched *watched;
	size_t watched_count;
	struct recorder *recorder;
	struct controller *controller;
	struct app_metrics *metrics; /* shown from when it leads */
	struct extra_notes *extras;  /* of applications that have not ended */
	struct reconcile_options reconcile;
	bool (*may_write)(void *arg); /* or NULL */
	void *may_write_arg;
	bool leads;
	bool started; /* the controller runs */
	bool stopped;
};

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

/* Whether nobody will create anything beside the application as it was before. */
static bool is_settled(const struct kobj *before, const struct kobj *now)
{
	const struct app *app = now ? now->view : NULL;

	if (!app || (before && !text_eq(before->uid, now->uid)))
		return true;
	return app->state == APP_COMPLETED || app->state == APP_FAILED;
}

static void on_app_change(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct manager *m = arg;

	if (!m->leads)
		return;
	app_metrics_app_changed(m->metrics, before, now);
	log_transition(before, now);
	if (is_settled(before, now))
		extra_notes_drop(m->extras, now ? now->key : before->key);
	else
		extra_notes_told(m->extras, now->key, now->view);
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

static void on_pdb_change(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct manager *m = arg;
	const struct kobj *pdb = now ? now : before;

	if (m->leads && pdb->index)
		enqueue(m, pdb->index, now != NULL);
}

static bool is_synced(const struct manager *m)
{
	for (size_t i = 0; i < m->watched_count; i++)
		if (!informer_synced(m->watched[i].informer))
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

/* The budget that the application owns; NULL if there is none. */
static const struct driver_pdb *find_pdb(const struct manager *m, const char *key, const char *uid)
{
	const struct kobj *o;
	size_t pos = 0;

	while (m->pdbs && (o = store_index_next(m->pdbs, key, &pos))) {
		const struct driver_pdb *pdb = o->view;

		if (text_eq(pdb->owner_uid, uid))
			return pdb;
	}
	return NULL;
}

static int make_plan(void *arg, const char *key, const struct failure *failed, int64_t wall_ms, struct plan *plan,
		     struct err *err)
{
	struct manager *m = arg;
	const struct kobj *obj = store_get(m->apps, key);
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
	world.extras = extra_notes_get(m->extras, key, &world.extra_count);
	world.pdb = find_pdb(m, key, obj->uid);
	return reconcile(&world, &m->reconcile, plan, err);
}

static void on_extra(void *arg, const char *key, const struct action *action, const struct json *object,
		     const struct err *err)
{
	struct manager *m = arg;
	const struct kobj *obj = store_get(m->apps, key);

	if (!obj || is_settled(NULL, obj))
		return;
	extra_notes_add(m->extras, key, action, object, err, sched_wall(m->sched));
	extra_notes_told(m->extras, key, obj->view);
}

static bool has_seen(void *arg, const struct resource *res, const char *ns, const char *resource_version)
{
	struct manager *m = arg;

	for (size_t i = 0; i < m->watched_count; i++) {
		const struct watched *w = &m->watched[i];

		if (w->res == res && (!w->ns || text_eq(w->ns, ns)))
			return informer_has_seen(w->informer, resource_version);
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

	m->watched = xreallocarray(m->watched, m->watched_count + 1, sizeof(*m->watched));
	m->watched[m->watched_count++] =
	    (struct watched){ informer_new(&options), store_kind(store)->res, xstrdup_null(ns) };
}

static void watch_namespace(struct manager *m, struct api *api, struct metrics *metrics,
			    const struct manager_options *options, const char *ns)
{
	add_informer(m, api, metrics, m->apps, ns, options->label_selector);
	add_informer(m, api, metrics, m->pods, ns, LABEL_LAUNCHED_BY "=true");
	if (m->pdbs)
		add_informer(m, api, metrics, m->pdbs, ns, DRIVER_PDB_SELECTOR);
}

static void watch_namespaces(struct manager *m, struct api *api, struct metrics *metrics,
			     const struct manager_options *options)
{
	for (size_t i = 0; i < options->namespace_count; i++)
		watch_namespace(m, api, metrics, options, options->namespaces[i]);
	if (options->namespace_count == 0)
		watch_namespace(m, api, metrics, options, NULL);
}

/* Pods come before the applications that they belong to; budgets are looked up by application, wherever they are. */
static void watch_selected(struct manager *m, struct api *api, struct metrics *metrics,
			   const struct manager_options *options)
{
	struct store *pods, *apps;

	m->scope = scope_new(options->namespaces, options->namespace_count, options->namespace_selector);
	pods = scope_add(m->scope, m->pods);
	apps = scope_add(m->scope, m->apps);
	add_informer(m, api, metrics, scope_namespaces(m->scope), NULL, NULL);
	add_informer(m, api, metrics, apps, NULL, options->label_selector);
	add_informer(m, api, metrics, pods, NULL, LABEL_LAUNCHED_BY "=true");
	if (m->pdbs)
		add_informer(m, api, metrics, m->pdbs, NULL, DRIVER_PDB_SELECTOR);
}

static struct app_metrics *make_metrics(const struct manager *m, struct metrics *registry,
					const struct manager_options *options)
{
	const struct app_metrics_world world = {
		.registry = registry,
		.sched = m->sched,
		.apps = m->apps,
		.pods = m->pods,
		.namespaces = options->namespaces,
		.namespace_count = options->namespace_count,
	};

	return app_metrics_new(&world, &options->metrics);
}

struct manager *manager_new(struct api *api, struct sched *sched, struct metrics *metrics,
			    const struct manager_options *options)
{
	struct manager *m = xcalloc(1, sizeof(*m));
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
	m->apps = store_new(&app_kind);
	m->pods = store_new(&pod_kind);
	m->extras = extra_notes_new();
	m->metrics = make_metrics(m, metrics, options);
	m->may_write = options->may_write;
	m->may_write_arg = options->may_write_arg;
	m->recorder = recorder_new(api, sched, "spark-application-controller", options->instance, metrics);
	controller.recorder = m->recorder;
	m->controller = controller_new(&controller);
	store_on_change(m->apps, on_app_change, m);
	store_on_change(m->pods, on_pod_change, m);
	if (options->reconcile.driver_pdb) {
		m->pdbs = store_new(&driver_pdb_kind);
		store_on_change(m->pdbs, on_pdb_change, m);
	}
	if (options->namespace_selector)
		watch_selected(m, api, metrics, options);
	else
		watch_namespaces(m, api, metrics, options);
	return m;
}

void manager_start(struct manager *m)
{
	for (size_t i = 0; i < m->watched_count; i++)
		informer_start(m->watched[i].informer);
}

void manager_lead(struct manager *m)
{
	const struct kobj *app;
	size_t pos = 0;

	assert(!m->leads);
	m->leads = true;
	app_metrics_start(m->metrics);
	while ((app = store_next(m->apps, &pos))) {
		app_metrics_app_changed(m->metrics, NULL, app);
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
	for (size_t i = 0; i < m->watched_count; i++) {
		informer_free(m->watched[i].informer);
		free(m->watched[i].ns);
	}
	free(m->watched);
	scope_free(m->scope);
	controller_free(m->controller);
	recorder_free(m->recorder);
	app_metrics_free(m->metrics);
	store_free(m->apps);
	store_free(m->pods);
	store_free(m->pdbs);
	extra_notes_free(m->extras);
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
	for (size_t i = 0; i < m->watched_count; i++) {
		const struct watched *w = &m->watched[i];
		struct json *item = json_append(informers, json_new_object());

		json_set_str(item, "resource", w->res->plural);
		json_set_str(item, "namespace", w->ns ? w->ns : "*");
		json_set_bool(item, "synced", informer_synced(w->informer));
		json_set_str(item, "state", watch_state_text(informer_state(w->informer)));
		json_set_str(item, "problem", informer_problem(w->informer));
	}
	return debug;
}
