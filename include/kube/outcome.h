/*
 * What became of earlier plans for an object: data that the next plan for it gets beside the world. The controller
 * keeps it, for each object by its uid, and forgets it when the object is gone or another one has its name.
 */
#ifndef KUBE_OUTCOME_H
#define KUBE_OUTCOME_H

#include "kube/plan.h"

/* Why the last plan did not go through. */
struct failure {
	struct err err;	  /* of the action, wrapped with its description */
	int64_t since_ms; /* wall time of the first failure in a row */
	unsigned tries;	  /* failures in a row */
};

/* How an optional creation ended. Either value or problem is NULL. */
struct outcome {
	const struct resource *res;
	char *name;	   /* of the object */
	char *value;	   /* it is there: the text at the action's report path, "" if there is none */
	char *problem;	   /* the last try failed: why */
	int64_t failed_ms; /* … at this wall time */
	unsigned failures; /* … for the so-manieth time in a row */
};

struct outcomes {
	struct outcome *items;
	size_t len;
};

/* What is kept of earlier plans. */
struct past {
	const struct failure *failure; /* NULL unless the last plan was refused */
	struct outcomes outcomes;
};

/* Notes how the optional creation went. err NULL: it is there, and object is what the API server has; NULL if its
 * answer had no body. Else err says why it failed. A later outcome of the same object takes the place of the earlier
 * one. */
void outcomes_note(struct outcomes *o, const struct action *action, const struct json *object, const struct err *err,
		   int64_t wall_ms);
/* NULL if nothing is known of that object. Borrowed until the next change. */
const struct outcome *outcomes_find(const struct outcomes *o, const struct resource *res, const char *name);
void outcomes_done(struct outcomes *o);

#endif
