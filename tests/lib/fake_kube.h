/*
 * An API server in memory and in virtual time, at the seam struct api. It answers GET, LIST (pages, selectors by label
 * and by metadata.name), WATCH (resume, bookmarks, the same selectors, 410), CREATE, PATCH (merge), DELETE as a real
 * one does, as far as an operator can tell; nothing is answered inside send. A request arrives after half the latency
 * and is answered after all of it.
 *
 * Not modelled: namespaces, RBAC, validation by schema, pods that run (a test plays the kubelet through on_change).
 */
#ifndef TESTS_FAKE_KUBE_H
#define TESTS_FAKE_KUBE_H

#include "base/sched.h"
#include "kube/api.h"

struct fake_kube;

struct fake_options {
	int64_t call_ms;   /* 0: 5 */
	int64_t event_ms;  /* 0: 2; from a change to the watch event */
	int64_t grace_ms;  /* pods deleted through the API stay so long with a deletionTimestamp; 0: gone at once */
	bool count_events; /* writes of Events count too, for the faults and the census */
};

struct fake_kube *fake_kube_new(struct sched *sched, const struct fake_options *options); /* NULL: all defaults */
void fake_kube_free(struct fake_kube *fk);
struct api *fake_kube_api(struct fake_kube *fk);
/* The client has died: its calls are forgotten without a callback. Requests that had not arrived never do. */
void fake_kube_drop_client(struct fake_kube *fk);

/* Lets virtual time pass: fires every timer of the scheduler that falls due. */
void fake_kube_run(struct fake_kube *fk, int64_t duration_ms);

/* ---- somebody else at work: at once, not counted, seen by watches ---- */

/* Creates or replaces, status and all; object is taken; uid and creationTimestamp are given if missing. Borrowed. */
const struct json *fake_kube_put(struct fake_kube *fk, const struct resource *res, struct json *object);
/* NULL if absent; borrowed until the next change. */
const struct json *fake_kube_get(const struct fake_kube *fk, const struct resource *res, const char *ns,
				 const char *name);
/* Merge patch of the whole object, as JSON text; the object must be there. */
void fake_kube_patch(struct fake_kube *fk, const struct resource *res, const char *ns, const char *name,
		     const char *patch);
/* Replaces the status; taken. */
void fake_kube_patch_status(struct fake_kube *fk, const struct resource *res, const char *ns, const char *name,
			    struct json *status);
/* Gone at once, whatever the grace; its dependents follow. False if absent. */
bool fake_kube_delete(struct fake_kube *fk, const struct resource *res, const char *ns, const char *name);
size_t fake_kube_count(const struct fake_kube *fk, const struct resource *res);
/* All objects of the resource: start with *pos = 0, NULL at the end. Borrowed until the next change. */
const struct json *fake_kube_next(const struct fake_kube *fk, const struct resource *res, size_t *pos);

/* After every change, whoever made it; before or now is NULL for an addition or a removal. May change further objects,
 * but not drop the client. */
typedef void fake_change_fn(void *arg, const struct resource *res, const struct json *before, const struct json *now);
void fake_kube_on_change(struct fake_kube *fk, fake_change_fn *fn, void *arg);

/* Which fields of an object the API server does not know: "unknown field \"spec.x\", …"; owned, NULL if it knows all.
 * With fieldValidation=Strict it refuses to create such an object; else it keeps them, unlike a real one. */
typedef char *fake_unknown_fn(const struct resource *res, const struct json *object);
void fake_kube_on_unknown(struct fake_kube *fk, fake_unknown_fn *fn);

/* From now on the CRDs lack this member of status: patches with it are accepted, and it is dropped. Borrowed. */
void fake_kube_prune_status(struct fake_kube *fk, const char *name);

/* ---- faults ---- */

enum fake_fault {
	FAKE_REFUSE = 1, /* answered with the HTTP status, not applied */
	FAKE_LOSE_REPLY, /* applied, the client sees ERR_IO */
	FAKE_LOSE_CALL,	 /* not applied, the client sees ERR_IO */
};

/* What a refusal says. reason NULL: the usual one of the status; message NULL: "refused by a test". */
struct fake_refusal {
	int status;
	const char *reason;
	const char *message;
	int64_t retry_after_s; /* 0: none */
};

/* The k-th write from the beginning (1-based, CREATE, PATCH and DELETE). refusal: for FAKE_REFUSE only. */
void fake_kube_fail(struct fake_kube *fk, unsigned k, enum fake_fault fault, const struct fake_refusal *refusal);
/* The next `times` calls (-1: all) of this verb (0: any) and resource (NULL: any) are refused. Strings are borrowed. */
void fake_kube_refuse(struct fake_kube *fk, enum verb verb, const struct resource *res, int times,
		      const struct fake_refusal *refusal);
/* No call is refused by fake_kube_refuse any more. */
void fake_kube_accept(struct fake_kube *fk);
/* When the k-th write was applied, on_crash runs instead of the reply, which never comes. It may drop the client. */
void fake_kube_crash_after(struct fake_kube *fk, unsigned k, void (*on_crash)(void *arg), void *arg);
/* Ends all streams: properly, or as a broken connection. */
void fake_kube_cut_watches(struct fake_kube *fk, bool broken);
/* The n-th event from now on is cut in half and its stream broken off. */
void fake_kube_cut_at_event(struct fake_kube *fk, unsigned n);
/* History is forgotten: watches from before now get 410, as continued lists do. */
void fake_kube_compact(struct fake_kube *fk);
/* The next watch opened gets 410 as its HTTP status. as_event: a stream that is open, or the next one, gets it as an
 * ERROR event. */
void fake_kube_expire(struct fake_kube *fk, bool as_event);
/* For so long all calls fail with ERR_IO and all streams are broken off. */
void fake_kube_down(struct fake_kube *fk, int64_t duration_ms);
/* Watch events of the resource come so much later, those under way too. 0 ends it. */
void fake_kube_delay(struct fake_kube *fk, const struct resource *res, int64_t delay_ms);
/* A bookmark on every stream. */
void fake_kube_bookmark(struct fake_kube *fk);

/* ---- the record ---- */

/* A write that was applied. */
struct fake_write {
	unsigned number; /* among the counted ones; 0: not counted */
	enum verb verb;
	const struct resource *res;
	char *subresource; /* or NULL */
	char *key;
	char *version;	   /* the object's afterwards; at a removal its last */
	struct json *body; /* or NULL */
	bool changed;	   /* false for a patch that changed nothing */
	int64_t at_ms;
};

const struct fake_write *fake_kube_writes(const struct fake_kube *fk, size_t *ret_len);
/* Counted writes that arrived, applied or not. */
unsigned fake_kube_write_count(const struct fake_kube *fk);
/* Calls of this verb and resource (NULL: any) that arrived. */
unsigned fake_kube_calls(const struct fake_kube *fk, enum verb verb, const struct resource *res);
/* The counted writes, "create pods default/a\n" each. Owned. */
char *fake_kube_census(const struct fake_kube *fk);

#endif
