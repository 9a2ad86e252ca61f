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
	int64_t generation;	/* of the spec that conditions are about */
	bool is_edited;		/* the spec is not the one that was submitted */
	struct json *tree;	/* the new status */
	const char *reason;	/* the word for errorMessage, if that is not about the driver; else NULL */
	struct json *executors; /* pod name → state, for the executors whose state changed */
};

/* Starts from a copy of app's status, in which applicationState and driverInfo are objects. app is borrowed. */
void status_init(struct status *s, const struct app *app, int64_t now_ms);
void status_done(struct status *s);

/* Sets observedGeneration to the generation of the spec. To be called if the spec as it is now is acted on. */
void status_set_observed(struct status *s);
/* Keeps observedGeneration below the generation of the spec, since that spec is not acted on. Conditions that are set
 * from now on are about the spec of that lower generation. */
void status_keep_observed(struct status *s);

/* While nothing is submitted, which is APP_NEW, the status has no applicationState.state. message: NULL or "" for
 * none. */
void status_set_state(struct status *s, enum app_state state, const char *message);
void status_set_message(struct status *s, const char *message);
void status_set_time(struct status *s, const char *name, int64_t wall_ms);
/* Sets a metav1.Condition. lastTransitionTime changes only when value ("True", "False", "Unknown") does. */
void status_set_condition(struct status *s, const char *type, const char *value, const char *reason,
			  const char *message);
bool status_has_condition(const struct status *s, const char *type);
void status_remove_condition(struct status *s, const char *type);
/* The condition of that type in a status, or NULL. */
const struct json *status_condition(const struct json *tree, const char *type);
/* Whether that condition is there with that reason. */
bool status_has_reason(const struct json *tree, const char *type, const char *reason);
/* Sets executorState of an application in `state`, from those of the pods that are executors of this submission. It
 * gets at most max entries. The entries that have changed are in s->executors afterwards. */
void status_set_executors(struct status *s, enum app_state state, const struct pod_view *const *pods, size_t count,
			  const char *submission_id, int64_t max);

/* Sets the fields that columns of `kubectl get` show: executors, duration and reason. They follow from the rest of the
 * status, so this is called last. driver: NULL if there is none. */
void status_set_columns(struct status *s, enum app_state state, const struct pod_view *driver);

/* Whether the new status differs from the stored one. */
bool status_differs(const struct status *s);
/* Appends a STATUS action with the difference. Returns false if there is no difference. */
bool status_plan(const struct status *s, struct plan *plan);

/*
 * Returns the stored message if the new one differs from it only in numbers, or is a beginning of it. The scheduler,
 * for one, counts nodes anew all the time. A problem that stays the same must not cost a status write at each look.
 */
const char *status_steady_message(const char *stored, const char *message);

/* Returns text, cut between two characters to at most STATUS_MESSAGE_MAX bytes. Owned. */
char *status_cut(const char *text);

#endif
