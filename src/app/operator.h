/*
 * The operator: the kinds that the program runs, as rows for runtime/manager. Here spark meets runtime, and nowhere
 * else.
 *
 * The program (libcurl, libuv) and the simulation (in memory, virtual time) run the same assembly.
 */
#ifndef APP_OPERATOR_H
#define APP_OPERATOR_H

#include "lifecycle/reconcile.h"
#include "metrics/app_metrics.h"
#include "runtime/manager.h"

struct operator_options {
	struct manager_options manager;
	struct reconcile_options reconcile;
	struct app_metrics_options metrics;
};

struct spark_operator;

/* api, sched, metrics and what the options point to are borrowed and must outlive the operator; the rest is copied. */
struct spark_operator *operator_new(struct api *api, struct sched *sched, struct metrics *metrics,
				    const struct operator_options *options);
/* What is started, leads, is asked and is stopped; borrowed. Metrics of applications are registered and counted from
 * manager_lead on, so that sums over replicas are not doubled. */
struct manager *operator_manager(const struct spark_operator *o);
/* The SparkApplications as last seen; borrowed. */
const struct store *operator_apps(const struct spark_operator *o);
/* Cancels what is left. NULL is fine. */
void operator_free(struct spark_operator *o);

/* Queues, plans under way, failures, informers, sizes of the caches: for /debug/state. Owned. */
struct json *operator_debug(const struct spark_operator *o);

#endif
