/*
 * Reconcile: decides from the observed state of an application what is done next. It is a pure function: no I/O, no
 * clock, no memory of its own.
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
	/* How long a submission that the API server refuses (403, 404, 422, the name is taken) is tried again; 30 s. */
	int64_t refusal_deadline_ms;
	int64_t max_tracked_executors; /* executorState holds at most so many; 1000 */
	bool ui_service;	       /* applications get a Service for their web UI */
	bool driver_pdb;	       /* applications that ask for one get a PodDisruptionBudget */
	int64_t default_ttl_s;	       /* for applications without timeToLiveSeconds; 0: they stay */
	struct ingress_options ingress;
	struct rule_options rules; /* what applications may have */
};

extern const struct reconcile_options reconcile_defaults;

/* What is known of an application and its surroundings. All borrowed. */
struct world {
	const struct app *app;
	const char *problem; /* why the app could not be decoded, else NULL; if set, only app's metadata fields are */
	const struct pod_view *const *pods; /* all pods labelled with this app's name in its namespace */
	size_t pod_count;
	const struct failure *failure;	 /* why the last plan did not go through; NULL if it did */
	const struct outcomes *outcomes; /* of creating companions; NULL: nothing is known */
	const struct driver_pdb *pdb;	 /* the application's own; NULL: none, or budgets are not watched */
	int64_t now_ms;			 /* wall clock */
};

/* Appends to plan what is done next. Returns 0, or a negative code with *err if the submission cannot be built for a
 * reason that is not the spec's. After an error the plan must not be carried out. */
int reconcile(const struct world *w, const struct reconcile_options *options, struct plan *plan, struct err *err);

#endif
