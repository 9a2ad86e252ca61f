/*
 * Reports the result of a pass to users: the conditions of the new status, and the events that follow from the
 * difference between old and new status.
 */
#ifndef LIFECYCLE_REPORT_H
#define LIFECYCLE_REPORT_H

#include "lifecycle/companions.h"
#include "rules/policy.h"
#include "status.h"

struct report {
	const struct app *app; /* with the old status */
	enum app_state state;  /* the new one */
	bool is_edited;	       /* the spec is not the one that was submitted */
	struct status *status; /* the new one */
	const struct pod_view *driver;
	const char *driver_name;
};

/* Sets observedGeneration, the conditions and the columns of the status. To be called after all other fields of the
 * status are set. */
void report_conditions(const struct report *r);
/* Plans the event SparkApplicationAdded, or SparkApplicationResumed if the application was held back before, and
 * warnings about fields of the spec that have no effect. */
void report_added(const struct app *app, const struct rule_options *rules, struct plan *plan);
/* Plans the events that follow from a change of the status. pods: all pods of the application. */
void report_events(const struct report *r, const struct pod_view *const *pods, size_t count, struct plan *plan);
/* Plans the warning that a companion could not be created (SparkUIServiceFailed and the like). */
void report_companion_failed(const struct app *app, const struct companion *extra, const char *why, struct plan *plan);
/* Plans the event SparkApplicationFailed. */
void report_failed(const struct app *app, const char *message, struct plan *plan);

/* Stands before the reason why a submission failed, in the status but not in the event. The words are kubeflow's. */
#define SUBMIT_FAILED_PREFIX "failed to submit spark application: "

#endif
