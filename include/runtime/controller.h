/*
 * The controller takes keys from the queue, has a callback make a plan for each key, carries the plan out and decides
 * what follows. It knows nothing of Spark.
 *
 * Each key has one plan at a time. The plan's actions run in order, and the first failure ends the plan. What follows
 * depends on the error class: - CONFLICT: a new plan as soon as the cache has caught up. - BUSY: a new plan after the
 * server's Retry-After. - all others: back off, and hand the failure to the next plan (struct failure). - NOT_FOUND
 * of the root object (in STATUS or CHECK): forget the key.
 *
 * A CREATE that is answered AlreadyExists reads the object. If owner uid and label match and the object is as wanted,
 * it is ours (an earlier reply was lost) and counts as created. Otherwise the failure is EXISTS, with whose the
 * object is. A CREATE with outcome unknown (TIMEOUT, IO) is simply planned again: names are deterministic.
 *
 * Look before act: a CHECK that finds another version than the plan was made for is a CONFLICT, before anything was
 * created.
 *
 * Read your writes: after a write to a cached resource, or a CONFLICT, the key rests until the cache has seen that
 * version, at most 5 s. Status: at most one write per key and 100 ms; for so long after it no plan is made for the
 * key.
 */
#ifndef RUNTIME_CONTROLLER_H
#define RUNTIME_CONTROLLER_H

#include <stdbool.h>

#include "base/metrics.h"
#include "base/sched.h"
#include "kube/api.h"
#include "kube/outcome.h"
#include "runtime/queue.h"
#include "runtime/recorder.h"

struct controller;

struct controller_ops {
	/* Fills plan with the actions that the key needs now. past: what became of earlier plans for the same object.
	 * An empty plan is fine. After an error nothing is done and the key backs off. Must not block. */
	int (*plan)(void *arg, const char *key, const struct past *past, int64_t wall_ms, struct plan *plan,
		    struct err *err);
	/* Returns the uid of the object that has the key now, borrowed; NULL if there is none. When the uid changes,
	 * the controller forgets what became of earlier plans. The callback may be NULL: then all objects with the
	 * same key count as one. */
	const char *(*uid)(void *arg, const char *key);
	/* Whether the cache of this resource has seen that version in this namespace; true for resources that are not
	 * cached. */
	bool (*has_seen)(void *arg, const struct resource *res, const char *ns, const char *resource_version);
	/* Asked before each action. False drops the rest of the plan (lost leadership, shutdown). May be NULL. */
	bool (*may_write)(void *arg);
};

struct controller_options {
	struct api *api;
	struct sched *sched;
	struct recorder *recorder;
	const struct controller_ops *ops;
	void *arg;
	struct queue_options queue;
	unsigned max_plans;	   /* plans that are carried out at the same time; 0: 32 */
	bool drops_unknown_fields; /* of objects that are created; else the API server refuses such an object */
	/* Gets the families workqueue_* and controller_runtime_reconcile_*, which are named as in controller-runtime.
	 * NULL: there are none. Must outlive the controller. */
	struct metrics *metrics;
	const char *name; /* label `name` / `controller` of the metrics */
};

struct controller *controller_new(const struct controller_options *options);
/* Something about the key's object has changed. The call is cheap and may come from anywhere in the loop's thread. No
 * plan is made before controller_start. */
void controller_enqueue(struct controller *c, const char *key);
/* The same for a change that can wait, first for delay_ms and then while others of its namespace are worked on, see
 * runtime/queue.h. Changes that come in the meantime are planned for together. */
void controller_enqueue_patient(struct controller *c, const char *key, int64_t delay_ms);
void controller_start(struct controller *c);
/* No new plans. Plans under way finish. controller_busy is 0 when all have. */
void controller_stop(struct controller *c);
unsigned controller_busy(const struct controller *c);
size_t controller_queued(const struct controller *c);
/* Cancels what is left. */
void controller_free(struct controller *c);

/* {"queued", "busy", "remembered", "plans": [{"key", "action", "since_ms"}], "failures": [{"key", "error",
 * "tries"}]}: for /debug/state; remembered: keys with a state of their own. Owned. */
struct json *controller_debug(const struct controller *c);

#endif
