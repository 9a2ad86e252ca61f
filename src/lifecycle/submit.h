/*
 * How the objects of a submission come into being: in which order, and what is proved before.
 */
#ifndef LIFECYCLE_SUBMIT_H
#define LIFECYCLE_SUBMIT_H

#include "kube/outcome.h"
#include "spark/app.h"

/* What is known of a submission. All borrowed. */
struct submit {
	const struct app *app;
	const struct app_names *names;
	bool has_driver; /* the driver pod is there */
	/* The first executor, if the API server is to be asked whether it knows its fields; else NULL. */
	const struct json *executor;
	const struct failure *failure; /* of the last plan, NULL if it went through */
};

/* Plans the creations. objects: those of the submission; they are taken from the array, which stays the caller's. NULL:
 * nothing is planned. */
void submit_plan(const struct submit *s, struct json *objects, struct plan *plan);

/* Plans the proof that the driver pod of that name is not there. Other operators make driver pods without an owner,
 * so a pod is the application's, too, if it has the submission id. */
void submit_prove_absence(const struct app *app, const char *driver_pod, const char *submission_id, struct plan *plan);

#endif
