/*
 * The status to be, made from the one that is: every setter changes the tree, status_plan writes what differs.
 * What each field means and when it changes: docs/status.md.
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
	struct json *tree;	/* the status to be */
	struct json *executors; /* pod name → state, those that changed */
};

/* A copy of app's status with applicationState, driverInfo and observedGeneration in place. app is borrowed. */
void status_init(struct status *s, const struct app *app, int64_t now_ms);
void status_done(struct status *s);

/* message: NULL or "" for none. */
void status_set_state(struct status *s, enum app_state state, const char *message);
void status_set_message(struct status *s, const char *message);
void status_set_time(struct status *s, const char *name, int64_t wall_ms);
/* A metav1.Condition; lastTransitionTime moves only when value ("True", "False", "Unknown") does. */
void status_set_condition(struct status *s, const char *type, const char *value, const char *reason,
			  const char *message);
bool status_has_condition(const struct status *s, const char *type);
/* executorState of an application in `state`, from those of the pods that are executors of this submission; at most max
 * entries. What has changed is in s->executors afterwards. */
void status_set_executors(struct status *s, enum app_state state, const struct pod_view *const *pods, size_t count,
			  const char *submission_id, int64_t max);

/* executors, duration and reason, which columns of `kubectl get` show: from the rest of the status, so to be set
 * last. driver: NULL if there is none. */
void status_set_columns(struct status *s, enum app_state state, const struct pod_view *driver);

/* Appends a STATUS action with the difference; false if there is none. */
bool status_plan(const struct status *s, struct plan *plan);

/* text, cut at STATUS_MESSAGE_MAX bytes between two characters. Owned. */
char *status_cut(const char *text);

#endif
