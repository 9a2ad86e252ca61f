/*
 * A cache: the objects of one kind in the namespaces that are watched, kept in step with the API server. It is one
 * owner for a store and the informers that fill it.
 */
#ifndef RUNTIME_CACHE_H
#define RUNTIME_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/metrics.h"
#include "base/sched.h"
#include "kube/api.h"
#include "kube/scope.h"
#include "kube/store.h"

struct cache;

struct cache_options {
	struct api *api;
	struct sched *sched;
	struct metrics *metrics; /* of the informers; may be NULL */
	const struct kind *kind;
	/* NULL, or the store to fill instead of one of the cache's own; borrowed, must outlive it. */
	struct store *store;
	/* To watch, copied. None: the whole cluster, or the resource has no namespaces. One that is there twice counts
	 * once. */
	const char *const *namespaces;
	size_t namespace_count;
	/* NULL, or which namespaces the objects may be in: then the whole cluster is watched, and namespaces is
	 * ignored. Borrowed; must outlive the cache. */
	struct scope *scope;
	const char *label_selector; /* NULL: none */
	const char *field_selector; /* NULL: none; see runtime/informer.h */
	bool optional;		    /* see runtime/informer.h */
	store_change_fn *on_change; /* may be NULL */
	/* An informer has its first complete list, or is as fresh as cache_freshen asked. May be NULL. */
	void (*on_synced)(void *arg);
	void *arg; /* of both */
};

/* Nothing is asked for before cache_start. */
struct cache *cache_new(const struct cache_options *options);
void cache_start(struct cache *c);
/* Cancels what is under way. No callback runs afterwards. NULL is fine. */
void cache_free(struct cache *c);

/* The objects as last seen; borrowed. */
struct store *cache_store(const struct cache *c);
/* Every informer has a complete list. */
bool cache_synced(const struct cache *c);
/* The store is to become at least as fresh as this moment, see informer_freshen(). May be called before cache_start. */
void cache_freshen(struct cache *c);
bool cache_fresh(const struct cache *c);
/* Whether what was written in namespace ns at this resourceVersion, or a later state of it, is in the store. A
 * namespace that is not watched will never be seen better: true. */
bool cache_has_seen(const struct cache *c, const char *ns, const char *resource_version);
/* The first problem of an informer, "" while all is well; borrowed. */
const char *cache_problem(const struct cache *c);
/* Appends {"resource", "namespace", "synced", "fresh", "state", "problem"} for each informer, for /debug/state. */
void cache_debug(const struct cache *c, struct json *informers);

#endif
