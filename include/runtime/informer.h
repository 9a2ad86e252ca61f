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
	struct store *store;	    /* its kind says which resource; several informers (namespaces) may share it */
	const char *ns;		    /* NULL: all namespaces */
	const char *label_selector; /* NULL: none */
	const char *field_selector; /* NULL: none; "metadata.name=x": one object, as RBAC's resourceNames allow it */
	/* Nobody needs the resource: a CRD may be missing, or a permission. Then that is an answer like others, for the
	 * metric of the last contact too, and the log has one line, which is no warning. */
	bool optional;
	void (*on_synced)(void *arg); /* after the first complete list; may be NULL */
	void (*on_fresh)(void *arg);  /* see informer_freshen; may be NULL */
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

/* The store is to become at least as fresh as this moment, however late the watch is. on_fresh says when it is. That
 * takes one small request, if the watch is up to date or all objects fit into a page; else up to 6 s, and then as long
 * as a list. While the API server cannot be reached it lasts. May be called before informer_start. */
void informer_freshen(struct informer *i);
bool informer_fresh(const struct informer *i); /* nothing that informer_freshen asked for is missing */

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
