/*
 * Reconcile: from what is observed to what is to be done next. A pure function: no I/O, no clock, no memory of its own.
 */
#ifndef LIFECYCLE_RECONCILE_H
#define LIFECYCLE_RECONCILE_H

#include "kube/outcome.h"
#include "spark/app.h"
#include "rules/policy.h"
#include "lifecycle/companions.h"
#include "spark/pod.h"
#include "submission/submission.h"

struct reconcile_options {
	const char *master;		      /* for submission */
	int64_t driver_pod_creation_grace_ms; /* a submitted driver must be seen within this; 30 s */
	/* How long a submission is tried again that the API server refuses (403, 422, the name is taken); 30 s. */
	int64_t refusal_deadline_ms;
	int64_t max_tracked_executors; /* executorState holds at most so many; 1000 */
	bool ui_service;	       /* applications get a Service for their web UI */
	bool driver_pdb;	       /* those that ask for it get a PodDisruptionBudget for their driver */
	int64_t default_ttl_s;	       /* of those without timeToLiveSeconds; 0: they stay */
	struct ingress_options ingress;
	enum pod_policy pod_policy; /* what their pods may have of the node */
};

extern const struct reconcile_options reconcile_defaults;

struct world {
	const struct app *app;
	const char *problem; /* the app could not be decoded: why; then only the metadata fields of app are set */
	const struct pod_view *const *pods; /* all pods labelled with this app's name in its namespace */
	size_t pod_count;
	const struct failure *refused;	 /* why the last plan was refused; NULL if it went through */
	const struct outcomes *outcomes; /* of creations of companions; NULL: nothing is known */
	const struct driver_pdb *pdb;	 /* the application's own; NULL: there is none, or nobody looks */
	int64_t now_ms;			 /* wall */
};

int reconcile(const struct world *w, const struct reconcile_options *options, struct plan *plan, struct err *err);

#endif
