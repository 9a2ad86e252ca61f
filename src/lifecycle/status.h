/*
 * The new status of an application, built from the old one. Every setter changes the tree, and status_plan() plans the
 * write of what differs. docs/status.md says what each field means and when it changes.
 */
#ifndef LIFECYCLE_STATUS_H
#define LIFECYCLE_STATUS_H

#include "kube/plan.h"
#include "spark/app.h"
#include "spark/pod.h"

enum { STATUS_MESSAGE_MAX = 1024 };

struct status {
	const struct app *app;
	int64_t now_ms;
	struct json *tree;	/* the new status */
	const char *reason;	/* the word for errorMessage, if that is not about the driver; else NULL */
	struct json *executors; /* pod name → state, for the executors whose state changed */
};

/* Starts from a copy of app's status, with applicationState, driverInfo and observedGeneration set. app is borrowed. */
void status_init(struct status *s, const struct app *app, int64_t now_ms);
void status_done(struct status *s);

/* message: NULL or "" for none. */
void status_set_state(struct status *s, enum app_state state, const char *message);
void status_set_message(struct status *s, const char *message);
void status_set_time(struct status *s, const char *name, int64_t wall_ms);
/* Sets a metav1.Condition. lastTransitionTime changes only when value ("True", "False", "Unknown") does. */
void status_set_condition(struct status *s, const char *type, const char *value, const char *reason,
			  const char *message);
bool status_has_condition(const struct status *s, const char *type);
/* Sets executorState of an application in `state`, from those of the pods that are executors of this submission. It
 * gets at most max entries. The entries that have changed are in s->executors afterwards. */
void status_set_executors(struct status *s, enum app_state state, const struct pod_view *const *pods, size_t count,
			  const char *submission_id, int64_t max);

/* Sets the fields that columns of `kubectl get` show: executors, duration and reason. They follow from the rest of the
 * status, so this is called last. driver: NULL if there is none. */
void status_set_columns(struct status *s, enum app_state state, const struct pod_view *driver);

/* Appends a STATUS action with the difference. Returns false if there is no difference. */
bool status_plan(const struct status *s, struct plan *plan);

/* Returns text, cut between two characters to at most STATUS_MESSAGE_MAX bytes. Owned. */
char *status_cut(const char *text);

#endif
