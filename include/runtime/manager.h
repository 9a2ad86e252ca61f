/*
 * The manager: runs any number of kinds over one API server, and knows none of them. A kind is a row: what is
 * watched, which key a change wakes, how soon that key is looked at, and how a plan is made.
 *
 * It needs only a struct api and a struct sched, so that the program (libcurl, libuv) and a simulation (in memory, in
 * virtual time) run the same assembly. Any number of managers may live in one process, on one metrics registry too.
 */
#ifndef RUNTIME_MANAGER_H
#define RUNTIME_MANAGER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/metrics.h"
#include "base/sched.h"
#include "kube/api.h"
#include "kube/outcome.h"
#include "kube/selector.h"
#include "kube/store.h"
#include "runtime/queue.h"

struct manager;

/* How soon a key is looked at that a change has woken. All but the first let others of its namespace go first, see
 * runtime/queue.h. Changes that come in crowds are looked at together. */
enum haste {
	HASTE_NOW = 0,
	HASTE_PATIENT,
	HASTE_SOON,	/* after 100 ms */
	HASTE_SOMETIME, /* after 1 s */
};

/* A resource that plans of a kind depend on. Rows with the same struct kind and the same label selector, of whichever
 * kinds, share one cache. */
struct watch_row {
	const struct kind *kind;
	/* NULL: none. The kind that is worked on has that of the manager's options instead. */
	const char *label_selector;
	/* Returns the key that a change of the object wakes, borrowed from the object, or NULL if it wakes nobody.
	 * wake_self and wake_index are made for this. If a change moves the object to another key, both wake. */
	const char *(*wakes)(const struct kobj *obj);
	/* How soon the key is to be looked at. before or now is NULL where the object is new or gone. NULL: at once. */
	enum haste (*haste)(const struct kobj *before, const struct kobj *now);
	/* Sees each change first, while this manager works: for metrics and logs. before or now is NULL where the
	 * object is new or gone. May be NULL. */
	void (*observe)(void *arg, const struct kobj *before, const struct kobj *now);
	/* Whether the resource is watched at all. NULL: it always is, as the kind itself has to be. */
	bool (*when)(const void *arg);
	/* Nothing waits for this cache, unless another row with the same cache does: the API server may not have the
	 * resource, or may refuse to list it. Its objects are worked on as they come. */
	bool optional;
};

const char *wake_self(const struct kobj *obj);	/* the object's own key */
const char *wake_index(const struct kobj *obj); /* what the kind's index function says */

struct kind_row {
	const char *name; /* of the controller in logs and metrics, and of the component in events */
	/* The last one is the kind itself: when a namespace begins to be watched, what plans depend on is there
	 * first. */
	const struct watch_row *watches;
	size_t watch_count;
	/* This manager begins to work; then observe is told of each object of the kind. May be NULL. */
	void (*lead)(void *arg);
	/* Fills plan with what is to be done for obj now, of the objects in the caches and of what became of earlier
	 * plans for it. On error nothing is done and the object is looked at again later. Must not wait. */
	int (*plan)(void *arg, const struct kobj *obj, const struct past *past, int64_t wall_ms, struct plan *plan,
		    struct err *err);
};

/* A kind that is run, with the arg of its row's functions. */
struct kind_setup {
	const struct kind_row *row;
	void *arg;
};

struct manager_options {
	const char *const *namespaces; /* to watch; none: all */
	size_t namespace_count;
	/* Of namespaces to watch, beside those that are listed; NULL: none. With it all is watched in the whole
	 * cluster, and what is in other namespaces is left alone. */
	const struct selector *namespace_selector;
	const char *label_selector; /* of objects of the kinds that are run; NULL or "": all */
	unsigned max_plans;	    /* of each kind, carried out at the same time; 0: the controller's default */
	bool drops_unknown_fields;  /* of objects that are created; else the API server refuses such an object */
	struct queue_options queue;
	const char *instance; /* reportingInstance of events: pod or host name */
	/* Asked before each write, while there are several that may lead: false drops the rest of the plan, which is
	 * made anew later. NULL: always. */
	bool (*may_write)(void *arg);
	void *may_write_arg;
};

/* api, sched, metrics, the rows and what the options point to are borrowed and must outlive the manager; the rest is
 * copied. */
struct manager *manager_new(struct api *api, struct sched *sched, struct metrics *metrics,
			    const struct manager_options *options, const struct kind_setup *kinds, size_t kind_count);
/* Fills the caches and keeps them. Nothing is planned nor written. */
void manager_start(struct manager *m);
/* From now on this one reconciles, as soon as the caches that are not optional are complete and as fresh as this
 * moment. To be called once. Without leader election it is called before manager_start: then the first lists are fresh
 * enough. */
void manager_lead(struct manager *m);
/* Every cache that is not optional is complete, of a standby too. False again after manager_stop. */
bool manager_ready(const struct manager *m);
/* No new plans; those under way finish. */
void manager_stop(struct manager *m);
/* Plans under way and events not yet sent. */
size_t manager_busy(const struct manager *m);
/* The objects that the row watches, as last seen; borrowed. row: of one of the kinds that are run. NULL if it is not
 * watched (when). */
struct store *manager_store(const struct manager *m, const struct watch_row *row);
/* Cancels what is left. */
void manager_free(struct manager *m);

/* {"ready", "leads", "events_waiting", "controllers": {NAME: …}, "informers": […]}, for /debug/state. Owned. */
struct json *manager_debug(const struct manager *m);

#endif
