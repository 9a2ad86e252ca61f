/*
 * The rows that say which kinds the operator runs, which change enqueues which application, and from which caches
 * reconcile gets what it observes.
 *
 * Happy path: a SparkApplication that changes is enqueued itself. A pod or a PodDisruptionBudget that changes enqueues
 * the application that it belongs to. The plan function gathers what the caches hold and calls the pure reconcile.
 * Changes that were expected are enqueued as patient, so in a burst every application gets its driver before the first
 * one gets its status. Changes of executors are looked at together, at most ten times a second for each application.
 *
 * Failure modes: nothing fails here but the plan, whose error the controller handles (runtime/controller.h).
 */
#include "operator.h"

#include "base/log.h"
#include "base/text.h"
#include "lifecycle/driver_pdb.h"
#include "lifecycle/unserved.h"
#include "spark/pod.h"

struct spark_operator {
	struct manager *manager;
	struct store *apps;
	struct store *pods;
	const struct store *pdbs;    /* of drivers; NULL: not watched */
	struct app_metrics *metrics; /* registered once this replica leads */
	struct reconcile_options reconcile;
};

/* ---- SparkApplication: changes ---- */

/* The echo of our own status write, that an application is submitted, can wait: in a burst, applications that are not
 * yet submitted come first. */
static enum haste haste_of_app(const struct kobj *before, const struct kobj *now)
{
	const struct app *was = before ? before->view : NULL, *is = now ? now->view : NULL;
	bool is_echo = was && is && is->state == APP_SUBMITTED && is->generation == was->generation && !is->deleting;

	return is_echo ? HASTE_PATIENT : HASTE_NOW;
}

/* Whether the executor's state, which the status of the application shows, may be another one. */
static bool has_new_state(const struct pod_view *was, const struct pod_view *is)
{
	return !was || !is || was->phase != is->phase || was->deleting != is->deleting ||
	       was->terminated != is->terminated || was->exit_code != is->exit_code;
}

/* A new driver pod that waits for a node was expected. Executors come in crowds, and each of them changes several
 * times. Nothing follows from that but what the status says. */
static enum haste haste_of_pod(const struct kobj *before, const struct kobj *now)
{
	const struct pod_view *was = before ? before->view : NULL, *is = now ? now->view : NULL;
	const struct pod_view *pod = is ? is : was;

	if (pod && pod->role == POD_ROLE_EXECUTOR)
		return has_new_state(was, is) ? HASTE_SOON : HASTE_SOMETIME;
	if (!before && is && is->role == POD_ROLE_DRIVER && is->phase == POD_PENDING && !is->deleting)
		return HASTE_PATIENT;
	return HASTE_NOW;
}

static enum haste haste_of_pdb(const struct kobj *before, const struct kobj *now)
{
	(void)before;
	return now ? HASTE_PATIENT : HASTE_NOW;
}

/* Logs each change of an application's state, with the reason. */
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

static void observe_app(void *arg, const struct kobj *before, const struct kobj *now)
{
	const struct spark_operator *o = arg;

	app_metrics_app_changed(o->metrics, before, now);
	log_transition(before, now);
}

static void observe_pod(void *arg, const struct kobj *before, const struct kobj *now)
{
	const struct spark_operator *o = arg;

	app_metrics_pod_changed(o->metrics, before, now);
}

static bool wants_pdbs(const void *arg)
{
	return ((const struct spark_operator *)arg)->reconcile.driver_pdb;
}

static void lead_apps(void *arg)
{
	const struct spark_operator *o = arg;

	app_metrics_start(o->metrics);
}

/* ---- SparkApplication: the world ---- */

/* The budget that the application owns; NULL if there is none. */
static const struct driver_pdb *find_pdb(const struct spark_operator *o, const struct kobj *app)
{
	const struct kobj *obj;
	size_t pos = 0;

	while (o->pdbs && (obj = store_index_next(o->pdbs, app->key, &pos))) {
		const struct driver_pdb *pdb = obj->view;

		if (text_eq(pdb->owner_uid, app->uid))
			return pdb;
	}
	return NULL;
}

/* The pods that have the application's label. Owned; the views are borrowed. */
static const struct pod_view **list_pods(const struct spark_operator *o, const char *key, size_t *ret_count)
{
	const struct pod_view **pods = NULL;
	const struct kobj *pod;
	size_t count = 0, pos = 0;

	while ((pod = store_index_next(o->pods, key, &pos))) {
		if (!pod->view)
			continue;
		pods = xreallocarray(pods, count + 1, sizeof(*pods));
		pods[count++] = pod->view;
	}
	*ret_count = count;
	return pods;
}

static int plan_app(void *arg, const struct kobj *obj, const struct past *past, int64_t wall_ms, struct plan *plan,
		    struct err *err)
{
	const struct spark_operator *o = arg;
	struct world world = {
		.app = obj->view,
		.problem = obj->problem,
		.failure = past->failure,
		.outcomes = &past->outcomes,
		.pdb = find_pdb(o, obj),
		.now_ms = wall_ms,
	};
	auto_free const struct pod_view **pods = list_pods(o, obj->key, &world.pod_count);
	struct app bare;

	world.pods = pods;
	if (!world.app) {
		app_metadata(obj->tree, &bare);
		world.app = &bare;
	}
	return reconcile(&world, &o->reconcile, plan, err);
}

/* ---- the rows ---- */

enum { WATCH_PODS, WATCH_PDBS, WATCH_APPS };

static const struct watch_row app_watches[] = {
	[WATCH_PODS] = { .kind = &pod_kind,
			 .label_selector = LABEL_LAUNCHED_BY "=true",
			 .wakes = wake_index,
			 .haste = haste_of_pod,
			 .observe = observe_pod },
	[WATCH_PDBS] = { .kind = &driver_pdb_kind,
			 .label_selector = DRIVER_PDB_SELECTOR,
			 .wakes = wake_index,
			 .haste = haste_of_pdb,
			 .when = wants_pdbs },
	[WATCH_APPS] = { .kind = &app_kind, .wakes = wake_self, .haste = haste_of_app, .observe = observe_app },
};

static const struct kind_row app_row = {
	.name = "spark-application-controller",
	.watches = app_watches,
	.watch_count = array_len(app_watches),
	.lead = lead_apps,
	.plan = plan_app,
};

/* ---- kinds that this version does not run ---- */

static enum haste haste_of_unserved(const struct kobj *before, const struct kobj *now)
{
	(void)before;
	(void)now;
	return HASTE_PATIENT;
}

static int plan_unserved(void *arg, const struct kobj *obj, const struct past *past, int64_t wall_ms, struct plan *plan,
			 struct err *err)
{
	(void)arg;
	(void)past;
	(void)err;
	unserved_plan(obj, wall_ms, plan);
	return 0;
}

/* kubeflow's CRDs, which may be the ones that are installed, have SparkConnect in their newest versions only, and roles
 * that others wrote may not speak of these kinds. Nothing waits for them. */
static const struct watch_row schedule_watches[] = {
	{ .kind = &unserved_schedule_kind, .wakes = wake_self, .haste = haste_of_unserved, .optional = true },
};

static const struct watch_row connect_watches[] = {
	{ .kind = &unserved_connect_kind, .wakes = wake_self, .haste = haste_of_unserved, .optional = true },
};

static const struct kind_row schedule_row = {
	.name = "scheduled-spark-application-controller",
	.watches = schedule_watches,
	.watch_count = array_len(schedule_watches),
	.plan = plan_unserved,
};

static const struct kind_row connect_row = {
	.name = "spark-connect-controller",
	.watches = connect_watches,
	.watch_count = array_len(connect_watches),
	.plan = plan_unserved,
};

/* ---- life ---- */

static struct app_metrics *make_metrics(const struct spark_operator *o, struct sched *sched, struct metrics *registry,
					const struct operator_options *options)
{
	const struct app_metrics_world world = {
		.registry = registry,
		.sched = sched,
		.apps = o->apps,
		.pods = o->pods,
		.namespaces = options->manager.namespaces,
		.namespace_count = options->manager.namespace_count,
	};

	return app_metrics_new(&world, &options->metrics);
}

struct spark_operator *operator_new(struct api *api, struct sched *sched, struct metrics *metrics,
				    const struct operator_options *options)
{
	struct spark_operator *o = xcalloc(1, sizeof(*o));
	const struct kind_setup kinds[] = { { &app_row, o }, { &schedule_row, o }, { &connect_row, o } };

	o->reconcile = options->reconcile;
	o->manager = manager_new(api, sched, metrics, &options->manager, kinds, array_len(kinds));
	o->apps = manager_store(o->manager, &app_watches[WATCH_APPS]);
	o->pods = manager_store(o->manager, &app_watches[WATCH_PODS]);
	o->pdbs = manager_store(o->manager, &app_watches[WATCH_PDBS]);
	o->metrics = make_metrics(o, sched, metrics, options);
	return o;
}

struct manager *operator_manager(const struct spark_operator *o)
{
	return o->manager;
}

const struct store *operator_apps(const struct spark_operator *o)
{
	return o->apps;
}

void operator_free(struct spark_operator *o)
{
	if (!o)
		return;
	app_metrics_free(o->metrics);
	manager_free(o->manager);
	free(o);
}

struct json *operator_debug(const struct spark_operator *o)
{
	struct json *debug = manager_debug(o->manager);

	json_set_i64(debug, "applications", (int64_t)store_len(o->apps));
	json_set_i64(debug, "pods", (int64_t)store_len(o->pods));
	return debug;
}
