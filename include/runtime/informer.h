/*
 * Keeps a store in step with the objects at the API server: drives one kube/watch stepper over struct api.
 */
#ifndef RUNTIME_INFORMER_H
#define RUNTIME_INFORMER_H

#include <stdbool.h>

#include "base/metrics.h"
#include "base/sched.h"
#include "kube/api.h"
#include "kube/store.h"
#include "kube/watch.h"

struct informer;

struct informer_options {
	struct api *api;
	struct sched *sched;
	struct store *store;	      /* its kind says which resource; several informers (namespaces) may share it */
	const char *ns;		      /* NULL: all namespaces */
	const char *label_selector;   /* NULL: none */
	const char *field_selector;   /* NULL: none; "metadata.name=x": one object, as RBAC's resourceNames allow it */
	void (*on_synced)(void *arg); /* after the first complete list; may be NULL */
	void *arg;
	/* NULL: none. Gets informer_lists_total, informer_watches_total, informer_events_total and
	 * spark_operator_watch_restarts_total{reason} by resource, and
	 * spark_operator_watch_last_contact_timestamp_seconds by resource and namespace. */
	struct metrics *metrics;
};

struct informer *informer_new(const struct informer_options *options);
void informer_start(struct informer *i);
/* Cancels its calls. No callback runs afterwards. */
void informer_free(struct informer *i);

bool informer_synced(const struct informer *i);
enum watch_state informer_state(const struct informer *i);
/* The present problem, "" if there is none; borrowed. While the API server is unreachable or refuses, the informer logs
 * a warning when it begins and then once a minute, with verb, resource and namespace. A problem of the list ends with
 * the next page, a problem of the watch when the watch brings something. */
const char *informer_problem(const struct informer *i);
/* Whether the informer has seen everything up to this resourceVersion of the resource. Then the store has what was
 * written at that version, or a later state of it. */
bool informer_has_seen(const struct informer *i, const char *resource_version);

#endif
