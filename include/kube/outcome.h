/*
 * What became of earlier plans for an object: data that the next plan for it gets beside the world. The controller
 * keeps it, for each object by its uid, and forgets it when the object is gone or another one has its name.
 */
#ifndef KUBE_OUTCOME_H
#define KUBE_OUTCOME_H

#include "kube/plan.h"

/* Who has the name of an object that was to be created or to be absent. */
enum holder {
	HOLDER_NONE = 0,  /* nobody, as far as is known */
	HOLDER_STRANGER,  /* an object that is not ours */
	HOLDER_OURS,	  /* an object of the same owner, but without the label: of another submission */
	HOLDER_DIFFERENT, /* an object with owner and label that is not as wanted */
};

enum { HOLDER_UID_SIZE = 64, FAILURE_NAME_SIZE = 254 };

/* Why the last plan did not go through. */
struct failure {
	struct err err;		      /* of the action, wrapped with its description */
	int64_t since_ms;	      /* wall time of the first failure in a row */
	unsigned tries;		      /* failures in a row */
	enum action_type type;	      /* of the action; 0: no plan could be made */
	const struct resource *res;   /* of the action */
	char name[FAILURE_NAME_SIZE]; /* of the object that the action is about */
	/* Set if err is ERR_EXISTS: */
	enum holder holder;
	char holder_uid[HOLDER_UID_SIZE]; /* "" if it has none or a longer one */
	int64_t holder_gone_ms; /* wall: the holder is being deleted, and its grace period ends now; 0: it is not */
};

/*
 * Whether the API server has refused to create the object, for a reason that lies in the object, in its namespace or in
 * a stranger who has the name: INVALID, DENIED, NOT_FOUND, TOO_LARGE, EXISTS. Every other failure is a trouble on the
 * way, which says nothing about the object.
 */
bool failure_is_refusal(const struct failure *f);
/* Whether an object of that resource is there that was to be absent. */
bool failure_is_presence(const struct failure *f, const struct resource *res);

/* How an optional creation ended. Either value or problem is NULL. */
struct outcome {
	const struct resource *res;
	char *name;    /* of the object */
	char *value;   /* it is there: the text at the report path, "" if there is none; the label's if it is noted */
	char *problem; /* the last try failed: why */
	int64_t failed_ms; /* … at this wall time */
	unsigned failures; /* … for the so-manieth time in a row */
	int64_t tried_ms;  /* the last try, wall time */
	unsigned tries;
	bool noted; /* the creation was not optional, or is one that is only tried */
};

struct outcomes {
	struct outcome *items;
	size_t len;
};

/* What is kept of earlier plans. */
struct past {
	const struct failure *failure; /* NULL if the last plan went through, or was out of date */
	struct outcomes outcomes;
};

/* Notes how the optional creation went. err NULL: it is there, and object is what the API server has; NULL if its
 * answer had no body. Else err says why it failed. A later outcome of the same object takes the place of the earlier
 * one. */
void outcomes_note(struct outcomes *o, const struct action *action, const struct json *object, const struct err *err,
		   int64_t wall_ms);
/* Whether an object of that resource is known to be there with that value. */
bool outcomes_have(const struct outcomes *o, const struct resource *res, const char *value);
/* NULL if nothing is known of that object. Borrowed until the next change. */
const struct outcome *outcomes_find(const struct outcomes *o, const struct resource *res, const char *name);
void outcomes_done(struct outcomes *o);

#endif
