/*
 * The operator put together: stores, informers, controller and recorder over one API server.
 *
 * Needs only a struct api and a struct sched, so that the program (libcurl, libuv) and the simulation (in memory, virtual time)
 * run the same assembly. Here spark meets runtime, and nowhere else.
 */
#ifndef APP_MANAGER_H
#define APP_MANAGER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/metrics.h"
#include "base/sched.h"
#include "kube/api.h"
#include "kube/selector.h"
#include "kube/store.h"
#include "runtime/queue.h"
#include "lifecycle/reconcile.h"
#include "metrics/app_metrics.h"

struct manager;

struct manager_options {
	const char *const *namespaces; /* to watch; none: all */
	size_t namespace_count;
	/* Of namespaces to watch, beside those that are listed; NULL: none. With it all is watched in the whole cluster, and what is
	 * in other namespaces is left alone. */
	const struct selector *namespace_selector;
	const char *label_selector; /* of applications, as kube/selector.h reads it; NULL: none */
	unsigned max_plans;	    /* applications worked on at the same time; 0: the controller's default */
	struct queue_options queue;
	struct reconcile_options reconcile;
	struct app_metrics_options metrics;
	const char *instance; /* reportingInstance of events: pod or host name */
	/* Asked before each write, while there are several that may lead: false drops the rest of the plan, which is made anew
	 * later. NULL: always. */
	bool (*may_write)(void *arg);
	void *may_write_arg;
};

/* api, sched, metrics and what the options point to are borrowed and must outlive the manager; the rest is copied. */
struct manager *manager_new(struct api *api, struct sched *sched, struct metrics *metrics,
			    const struct manager_options *options);
/* Fills the caches and keeps them. Nothing is planned nor written. */
void manager_start(struct manager *m);
/* From now on this one reconciles, as soon as the caches are complete. Once, after manager_start; without leader election right after
 * it. Metrics of applications are registered and counted from here on: sums over replicas are not doubled. */
void manager_lead(struct manager *m);
/* Every informer has a complete list, of a standby too. False again after manager_stop. */
bool manager_ready(const struct manager *m);
/* No new plans; those under way finish. */
void manager_stop(struct manager *m);
/* Plans under way and events not yet sent. */
size_t manager_busy(const struct manager *m);
/* The SparkApplications as last seen; borrowed. */
const struct store *manager_apps(const struct manager *m);
/* Cancels what is left. */
void manager_free(struct manager *m);

/* Queue, plans under way, failures, informers, sizes of the caches: for /debug/state. Owned. */
struct json *manager_debug(const struct manager *m);

#endif
