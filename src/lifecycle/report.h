/*
 * What a pass tells people: the conditions of the new status, and the events between old and new status.
 */
#ifndef LIFECYCLE_REPORT_H
#define LIFECYCLE_REPORT_H

#include "lifecycle/companions.h"
#include "status.h"

struct report {
	const struct app *app; /* as it was */
	enum app_state state;  /* to be */
	struct status *status; /* to be */
	const struct pod_view *driver;
	const char *driver_name;
};

/* And the columns: to be called when the rest of the status is set. */
void report_conditions(const struct report *r);
/* SparkApplicationAdded, and which wishes of the spec will not be granted. */
void report_added(const struct app *app, struct plan *plan);
/* The events of a plan whose status has changed. pods: among them the executors that have changed. */
void report_events(const struct report *r, const struct pod_view *const *pods, size_t count, struct plan *plan);
/* An object beside the application could not be created, it goes on without: SparkUIServiceFailed and the like. */
void report_companion_failed(const struct app *app, const struct companion *extra, const char *why, struct plan *plan);
/* SparkApplicationFailed. */
void report_failed(const struct app *app, const char *message, struct plan *plan);

/* Before the reason why a submission failed; kubeflow's words, in the status but not in the event. */
#define SUBMIT_FAILED_PREFIX "failed to submit spark application: "

#endif
