/*
 * An application that wants a pod, informers and a controller for it, on the fake API server. cmocka.h comes before
 * this.
 */
#ifndef TESTS_TOY_WORLD_H
#define TESTS_TOY_WORLD_H

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "fake_kube.h"
#include "runtime/controller.h"
#include "runtime/informer.h"

#define RES_APP (&resource_sparkapplication)
#define RES_POD (&resource_pod)

static inline char *pod_index(const struct json *tree)
{
	return xasprintf("%s/%s", json_str(tree, "metadata.namespace", ""), json_str(tree, "metadata.labels.app", ""));
}

static const struct kind app_kind = { .res = &resource_sparkapplication, .keep_tree = true };
static const struct kind pod_kind = { .res = &resource_pod, .keep_tree = true, .index = pod_index };

struct fixture;
typedef int toy_plan_fn(struct fixture *f, const struct kobj *app, const struct failure *failed, struct plan *plan,
			struct err *err);

struct fixture {
	struct sched sched;
	struct fake_kube *fk;
	struct metrics *metrics;
	struct store *apps;
	struct store *pods;
	struct informer *app_informer;
	struct informer *pod_informer;
	struct recorder *recorder;
	struct controller *controller;
	toy_plan_fn *toy;
	bool locked; /* may_write says no */
	unsigned plans;
	unsigned told; /* plans that were told of a failure */
	struct failure last_told;
	struct outcome outcome; /* of the optional pod, as the last plan got it; its texts are owned */
	struct buf order;	/* names of the keys planned */
	struct buf log;
};

/* ---- toys ---- */

static inline struct json *status(const char *phase)
{
	struct json *body = json_new_object();

	json_set_str(json_set(body, "status", json_new_object()), "phase", phase);
	return body;
}

static inline struct json *pod_of(const struct kobj *app)
{
	struct json *pod = json_new_object(), *meta;

	json_set_str(pod, "apiVersion", "v1");
	json_set_str(pod, "kind", "Pod");
	meta = json_set(pod, "metadata", json_new_object());
	json_setf(meta, "name", "%s-driver", app->name);
	json_set_str(meta, "namespace", app->ns);
	json_set_str(json_set(meta, "labels", json_new_object()), "app", app->name);
	json_append(json_set(meta, "ownerReferences", json_new_array()),
		    resource_owner_reference(app->kind->res, app->name, app->uid, true));
	return pod;
}

static inline void plan_phase(struct plan *plan, const struct kobj *app, const char *phase)
{
	plan_status(plan, app->kind->res, app->ns, app->name, app->uid, app->resource_version, status(phase));
}

static inline void plan_pod(struct plan *plan, const struct kobj *app)
{
	plan_create(plan, RES_POD, pod_of(app), app->uid, "app", app->name);
}

static inline const char *phase_of(const struct kobj *app)
{
	return json_str(app->tree, "status.phase", "");
}

/* New → Submitted → pod → Running, as level-triggered as the real one. */
static inline int toy_app(struct fixture *f, const struct kobj *app, const struct failure *failed, struct plan *plan,
			  struct err *err)
{
	size_t pos = 0;
	bool has_pod = store_index_next(f->pods, app->key, &pos);

	(void)failed;
	(void)err;
	if (!phase_of(app)[0])
		plan_phase(plan, app, "Submitted");
	if (!has_pod) {
		plan_pod(plan, app);
		plan_event(plan, RES_APP, app->ns, app->name, app->uid, "Normal", "DriverCreated", "made %s",
			   app->name);
	} else if (!text_eq(phase_of(app), "Running")) {
		plan_phase(plan, app, "Running");
	}
	return 0;
}

static inline int toy_pod_only(struct fixture *f, const struct kobj *app, const struct failure *failed,
			       struct plan *plan, struct err *err)
{
	size_t pos = 0;

	(void)failed;
	(void)err;
	if (!store_index_next(f->pods, app->key, &pos))
		plan_pod(plan, app);
	return 0;
}

/* The pod is optional; the phase follows when something is known of it. */
static inline int toy_optional(struct fixture *f, const struct kobj *app, const struct failure *failed,
			       struct plan *plan, struct err *err)
{
	const char *phase = f->outcome.value ? "Running" : "Submitted";

	(void)failed;
	(void)err;
	if (!f->outcome.value) {
		plan_create_optional(plan, RES_POD, pod_of(app), app->uid, "app", app->name, "metadata.name");
		plan_requeue(plan, 1000);
	}
	if (!text_eq(phase_of(app), phase))
		plan_phase(plan, app, phase);
	return 0;
}

static inline int toy_checked(struct fixture *f, const struct kobj *app, const struct failure *failed,
			      struct plan *plan, struct err *err)
{
	size_t pos = 0;

	(void)failed;
	(void)err;
	if (store_index_next(f->pods, app->key, &pos))
		return 0;
	plan_check(plan, RES_APP, app->ns, app->name, app->uid, app->resource_version);
	plan_pod(plan, app);
	return 0;
}

/* One status write; what is wanted stands in spec.want. */
static inline int toy_status(struct fixture *f, const struct kobj *app, const struct failure *failed, struct plan *plan,
			     struct err *err)
{
	const char *want = json_str(app->tree, "spec.want", "Done");

	(void)f;
	(void)failed;
	(void)err;
	if (!text_eq(phase_of(app), want))
		plan_phase(plan, app, want);
	return 0;
}

static inline int toy_delete(struct fixture *f, const struct kobj *app, const struct failure *failed, struct plan *plan,
			     struct err *err)
{
	(void)f;
	(void)failed;
	(void)err;
	if (text_eq(phase_of(app), "Done"))
		return 0;
	plan_delete(plan, RES_POD, app->ns, "victim", json_str(app->tree, "spec.victim", ""));
	plan_phase(plan, app, "Done");
	return 0;
}

static inline int toy_requeue(struct fixture *f, const struct kobj *app, const struct failure *failed,
			      struct plan *plan, struct err *err)
{
	(void)f;
	(void)app;
	(void)failed;
	(void)err;
	plan_requeue(plan, 1000);
	return 0;
}

static inline int toy_broken(struct fixture *f, const struct kobj *app, const struct failure *failed, struct plan *plan,
			     struct err *err)
{
	(void)f;
	(void)failed;
	plan_pod(plan, app);
	return err_set(err, ERR_INVALID, "no plan for %s", app->key);
}

/* ---- the fixture ---- */

static inline void keep_outcome(struct fixture *f, const struct outcome *outcome)
{
	free(f->outcome.value);
	free(f->outcome.problem);
	f->outcome = outcome ? *outcome : (struct outcome){ 0 };
	f->outcome.value = xstrdup_null(f->outcome.value);
	f->outcome.problem = xstrdup_null(f->outcome.problem);
}

static inline int make_plan(void *arg, const char *key, const struct past *past, int64_t wall_ms, struct plan *plan,
			    struct err *err)
{
	struct fixture *f = arg;
	const struct kobj *app = store_get(f->apps, key);

	assert_int_equal(wall_ms, sched_wall(&f->sched));
	f->plans++;
	buf_printf(&f->order, "%s ", key);
	keep_outcome(f, outcomes_find(&past->outcomes, RES_POD, "a-driver"));
	if (past->failure) {
		f->told++;
		f->last_told = *past->failure;
	}
	return app ? f->toy(f, app, past->failure, plan, err) : 0;
}

static inline const char *uid_of(void *arg, const char *key)
{
	const struct kobj *app = store_get(((struct fixture *)arg)->apps, key);

	return app ? app->uid : NULL;
}

static inline bool has_seen(void *arg, const struct resource *res, const char *ns, const char *version)
{
	const struct fixture *f = arg;

	assert_non_null(ns);
	if (res == RES_APP)
		return informer_has_seen(f->app_informer, version);
	return res != RES_POD || informer_has_seen(f->pod_informer, version);
}

static inline bool may_write(void *arg)
{
	return !((struct fixture *)arg)->locked;
}

static const struct controller_ops ops = {
	.plan = make_plan, .uid = uid_of, .has_seen = has_seen, .may_write = may_write
};

static inline void on_app(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct fixture *f = arg;

	controller_enqueue(f->controller, now ? now->key : before->key);
}

static inline void on_pod(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct fixture *f = arg;

	controller_enqueue(f->controller, now ? now->index : before->index);
}

static inline void on_log(void *arg, const char *line, size_t len)
{
	struct fixture *f = arg;

	buf_add(&f->log, line, len);
}

static inline struct informer *informer(struct fixture *f, struct store *store)
{
	const struct informer_options options = { .api = fake_kube_api(f->fk), .sched = &f->sched, .store = store };

	return informer_new(&options);
}

static inline int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct controller_options options = { .sched = &f->sched, .ops = &ops, .arg = f, .name = "toy" };

	sched_init(&f->sched, 1000, 1767323045000, 1);
	f->fk = fake_kube_new(&f->sched, NULL);
	f->order.max = f->log.max = 1 << 24;
	log_set_sink(on_log, f);
	f->metrics = metrics_new();
	f->apps = store_new(&app_kind);
	f->pods = store_new(&pod_kind);
	f->recorder = recorder_new(fake_kube_api(f->fk), &f->sched, "toy", "host", NULL);
	options.api = fake_kube_api(f->fk);
	options.recorder = f->recorder;
	options.metrics = f->metrics;
	f->controller = controller_new(&options);
	store_on_change(f->apps, on_app, f);
	store_on_change(f->pods, on_pod, f);
	f->app_informer = informer(f, f->apps);
	f->pod_informer = informer(f, f->pods);
	f->toy = toy_app;
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	log_set_sink(NULL, NULL);
	informer_free(f->app_informer);
	informer_free(f->pod_informer);
	controller_free(f->controller);
	recorder_free(f->recorder);
	store_free(f->apps);
	store_free(f->pods);
	metrics_free(f->metrics);
	fake_kube_free(f->fk);
	keep_outcome(f, NULL);
	buf_done(&f->order);
	buf_done(&f->log);
	sched_done(&f->sched);
	free(f);
	return 0;
}

static inline void start(struct fixture *f, toy_plan_fn *toy)
{
	f->toy = toy;
	informer_start(f->app_informer);
	informer_start(f->pod_informer);
	controller_start(f->controller);
	fake_kube_run(f->fk, 100);
}

static inline void put_app(struct fixture *f, const char *ns, const char *name, const char *spec)
{
	auto_free char *text =
	    xasprintf("{\"metadata\": {\"namespace\": \"%s\", \"name\": \"%s\"}, \"spec\": %s}", ns, name, spec);
	struct err err;

	fake_kube_put(f->fk, RES_APP, json_parse(text, strlen(text), &err));
}

static inline const char *app_phase(struct fixture *f, const char *name)
{
	return json_str(fake_kube_get(f->fk, RES_APP, "ns", name), "status.phase", "");
}

/* The whole state of the controller is gone: nothing waits, nothing is remembered. */
static inline void assert_forgotten(struct fixture *f)
{
	auto_json debug = NULL;

	controller_enqueue(f->controller, "ns/nobody"); /* old status writes are forgotten when something happens */
	fake_kube_run(f->fk, 10);
	debug = controller_debug(f->controller);
	assert_int_equal(json_i64(debug, "queued", -1), 0);
	assert_int_equal(json_i64(debug, "busy", -1), 0);
	assert_int_equal(json_i64(debug, "remembered", -1), 0);
}

static inline void assert_census(struct fixture *f, const char *want)
{
	auto_free char *census = fake_kube_census(f->fk);

	assert_string_equal(census, want);
}

static inline double result(const struct fixture *f, const char *name)
{
	const char *const values[] = { "toy", name };

	return metric_get(metrics_find(f->metrics, "controller_runtime_reconcile_total"), values);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
