/*
 * The state of the fake API server: objects, versions, the history of changes, and what each verb does to them.
 * No latency and no faults; those are fake_kube's.
 */
#ifndef TESTS_FAKE_WORLD_H
#define TESTS_FAKE_WORLD_H

#include "base/list.h"
#include "base/map.h"
#include "base/sched.h"
#include "fake_kube.h"

enum change_type { CHANGE_ADDED = 1, CHANGE_MODIFIED, CHANGE_DELETED, CHANGE_BOOKMARK };

struct change {
	enum change_type type;
	uint64_t version;
	int64_t at_ms;
	const struct resource *res; /* NULL: bookmark for all */
	struct json *now;	    /* or the last state */
	struct json *old_labels;    /* CHANGE_MODIFIED; may be NULL */
};

struct world {
	struct sched *sched;
	struct map *objects; /* "plural/namespace/name" → struct object */
	uint64_t version;
	uint64_t uids;
	uint64_t compacted;
	struct change *changes;
	size_t len;
	size_t cap;
	int64_t grace_ms;
	struct list dying; /* pods in their grace period */
	struct sched_timer gc;
	void (*on_change)(void *arg, const struct resource *res, const struct json *before, const struct json *now);
	void *arg;
	/* Fields of the object that the API server does not know: "unknown field \"spec.x\", …"; owned, NULL if it
	 * knows all. NULL: it knows every field. */
	char *(*unknown)(const struct resource *res, const struct json *object);
	/* A member of status that no CRD has, so that it is dropped; NULL: all are kept. Borrowed. */
	const char *pruned;
};

void world_init(struct world *w, struct sched *sched, int64_t grace_ms);
void world_done(struct world *w);

/* Everything but WATCH. Fills status and body; not the error. */
void world_handle(struct world *w, const struct request *req, struct reply *reply);
/* Fills status and body with a Status. reason NULL: the usual one. */
void world_refuse(struct reply *reply, int status, const char *reason, int64_t retry_after_s, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

const struct json *world_get(const struct world *w, const struct resource *res, const char *ns, const char *name);
const struct json *world_put(struct world *w, const struct resource *res, struct json *object);
bool world_remove(struct world *w, const struct resource *res, const char *ns, const char *name);
const struct json *world_next(const struct world *w, const struct resource *res, size_t *pos);
void world_bookmark(struct world *w);

/* The value of a parameter of a query, decoded; NULL if absent. Owned. */
char *world_query(const char *query, const char *name);
/* Whether labels fit a selector "a=b,c=d"; NULL fits all. */
bool world_selects(const char *selector, const struct json *labels);
/* Whether an object fits a field selector "metadata.name=x", the only one modelled; NULL fits all. */
bool world_selects_field(const char *selector, const struct json *object);

#endif
