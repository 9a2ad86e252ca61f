/*
 * The operator put together: stores, informers, controller and recorder over one API server.
 *
 * Needs only a struct api and a struct sched, so that the program (libcurl, libuv) and the simulation (in memory, virtual time)
 * run the same assembly. Here spark meets runtime, and nowhere else.
 */
#ifndef APP_OPERATOR_H
#define APP_OPERATOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/metrics.h"
#include "base/sched.h"
#include "kube/api.h"
#include "runtime/queue.h"
#include "spark/reconcile.h"

struct operator;

struct operator_options {
	const char *const *namespaces; /* to watch; none: all */
	size_t namespace_count;
	unsigned max_plans;            /* applications worked on at the same time; 0: the controller's default */
	struct queue_options queue;
	struct reconcile_options reconcile;
	const char *instance;          /* reportingInstance of events: pod or host name */
};

/* api, sched and metrics are borrowed and must outlive the operator; the rest is copied. */
struct operator *operator_new(struct api *api, struct sched *sched, struct metrics *metrics,
			      const struct operator_options *options);
void operator_start(struct operator *o);
/* Every informer has a complete list: plans are being made. False again after operator_stop. */
bool operator_ready(const struct operator *o);
/* No new plans; those under way finish. */
void operator_stop(struct operator *o);
/* Plans under way and events not yet sent. */
size_t operator_busy(const struct operator *o);
/* Cancels what is left. */
void operator_free(struct operator *o);

/* Queue, plans under way, failures, informers, sizes of the caches: for /debug/state. Owned. */
struct json *operator_debug(const struct operator *o);

#endif
