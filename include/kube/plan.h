/*
 * A plan: what reconcile wants done next. Data only; the runner of runtime/controller carries it out in order.
 */
#ifndef KUBE_PLAN_H
#define KUBE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kube/resource.h"

enum action_type {
	ACTION_STATUS = 1, /* merge patch on /status, with the resourceVersion the plan was made for */
	ACTION_CHECK,	   /* a read: the plan ends if the object is gone, or not in the version it was made for */
	ACTION_ABSENT,	   /* a read: the plan ends with ERR_EXISTS if the object is there and is ours */
	ACTION_CREATE,	   /* AlreadyExists: adopted if it is ours and as wanted, else ERR_EXISTS; see plan_create */
	ACTION_TRY,	   /* a creation that changes nothing (dryRun=All); how it went is noted, the plan goes on */
	ACTION_REHEARSE,   /* the same; the plan ends if the object has fields that the API server does not know */
	ACTION_DELETE,	   /* with uid precondition, background propagation; NotFound is success */
	ACTION_EVENT,	   /* to the recorder, never fails and never waits */
};

struct action {
	enum action_type type;
	const struct resource *res;
	char *ns;
	char *name;
	/* STATUS, CHECK, DELETE: a precondition. CREATE, ABSENT: the uid of the owner that an object must have to be
	 * ours. */
	char *uid;
	char *resource_version; /* STATUS, CHECK: precondition */
	char *label;		/* CREATE: the key of a label that an existing object must have to be ours */
	char *label_value;	/* CREATE: the value of that label */
	bool if_found;		/* ABSENT: only if a creation before it has found its object */
	/* CREATE: the plan goes on if it fails. How it went is kept for the plans that follow (kube/outcome.h). */
	bool optional;
	bool noted;	    /* CREATE: that it is there is kept for the plans that follow */
	const char *report; /* CREATE, optional: the path in the object of the text that the outcome keeps, or NULL */
	/* STATUS: {"status": …}; CREATE, REHEARSE: the object; TRY: the object, or NULL; EVENT: {type, reason,
	 * message}; else NULL */
	struct json *body;
};

struct plan {
	struct action *actions;
	size_t len;
	size_t cap;
	bool forgets;	     /* the outcomes of earlier plans are not needed any more */
	int64_t requeue_ms;  /* look again after this long though nothing changed; -1: only when something changes */
	int64_t deadline_ms; /* look again after this long even if the plan fails; -1: when the back-off says so */
};

void plan_init(struct plan *p);
void plan_done(struct plan *p);

/* body: taken. The strings are copied. */
void plan_status(struct plan *p, const struct resource *res, const char *ns, const char *name, const char *uid,
		 const char *resource_version, struct json *body);
/* Reads the object and compares versions. It comes before creations that need an up-to-date view of this object, if no
 * status write comes before them. It proves as much as a write and is much cheaper. */
void plan_check(struct plan *p, const struct resource *res, const char *ns, const char *name, const char *uid,
		const char *resource_version);
/*
 * Proves that no object of ours has the name; that it is not in a cache proves nothing. An object is ours if it has the
 * owner. One of somebody else does not count.
 */
void plan_absent(struct plan *p, const struct resource *res, const char *ns, const char *name, const char *owner_uid);
/* The same where an object is ours, too, if it has no such owner but this label. */
void plan_absent_labelled(struct plan *p, const struct resource *res, const char *ns, const char *name,
			  const char *owner_uid, const char *label, const char *label_value);
/* The same proof, needed only if a creation before it in the plan finds that its object is there already. */
void plan_absent_if_found(struct plan *p, const struct resource *res, const char *ns, const char *name,
			  const char *owner_uid);
/*
 * Creates the object. If one with its name is there, that one is read. It counts as created if it has the owner and
 * the label, and is as wanted (kube/likeness.h). Else the plan ends with ERR_EXISTS, and the failure tells whose the
 * object is.
 */
void plan_create(struct plan *p, const struct resource *res, struct json *object, const char *owner_uid,
		 const char *label, const char *label_value);
/* The same, and an outcome tells the plans that follow that it is there; its value is label_value. */
void plan_create_noted(struct plan *p, const struct resource *res, struct json *object, const char *owner_uid,
		       const char *label, const char *label_value);
/* The same for an object without which everything goes on as well. report: see struct action; a constant. */
void plan_create_optional(struct plan *p, const struct resource *res, struct json *object, const char *owner_uid,
			  const char *label, const char *label_value, const char *report);
/*
 * Asks the API server whether it would create the object, which must be namespaced. The answer is kept under name, as
 * that of a noted creation: a problem if the server would refuse, for whatever reason. That it could not be asked is
 * none. object NULL: nothing is asked, and only the time is noted. object: taken.
 */
void plan_try(struct plan *p, const struct resource *res, const char *ns, const char *name, struct json *object);
/* Asks the API server whether it knows all fields of the object, which must be namespaced and is created by somebody
 * else. Whatever else the server says about it does not count. object: taken. */
void plan_rehearse(struct plan *p, const struct resource *res, struct json *object);
/* What became of earlier optional creations is not needed any more. */
void plan_forget_outcomes(struct plan *p);
void plan_delete(struct plan *p, const struct resource *res, const char *ns, const char *name, const char *uid);
/* type "Normal" or "Warning"; the object that the event is about is res ns/name uid. */
void plan_event(struct plan *p, const struct resource *res, const char *ns, const char *name, const char *uid,
		const char *type, const char *reason, const char *fmt, ...) __attribute__((format(printf, 8, 9)));
/* The earliest of several calls counts; a time that has passed (delay_ms < 0) is now. */
void plan_requeue(struct plan *p, int64_t delay_ms);

/* As plan_requeue, and the look comes then even if the plan fails and the back-off is longer. */
void plan_deadline(struct plan *p, int64_t delay_ms);

/* {"actions": [{"type", "resource", "key", "body", …}], "requeue_ms"}: for goldens and `render`. Owned. */
struct json *plan_json(const struct plan *p);

#define auto_plan __attribute__((cleanup(plan_done))) struct plan

#endif
