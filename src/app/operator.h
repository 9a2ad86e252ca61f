/*
 * The operator: the kinds that the program runs, as rows for runtime/manager. This is the only place where code that
 * knows Spark and the runtime, which does not, are put together.
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
/* The manager, with which the caller starts, leads and stops the operator; borrowed. Metrics of applications are
 * registered and counted from manager_lead on, so that sums over replicas do not count anything twice. */
struct manager *operator_manager(const struct spark_operator *o);
/* The cache of SparkApplications; borrowed. */
const struct store *operator_apps(const struct spark_operator *o);
/* Cancels what is left. NULL is fine. */
void operator_free(struct spark_operator *o);

/* For /debug/state: queues, plans under way, failures, informers and sizes of the caches. Owned. */
struct json *operator_debug(const struct spark_operator *o);

#endif
