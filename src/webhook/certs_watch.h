/*
 * The watch of one object by its name, which is all that RBAC has to allow.
 */
#ifndef WEBHOOK_CERTS_WATCH_H
#define WEBHOOK_CERTS_WATCH_H

#include <stdbool.h>

#include "base/metrics.h"
#include "base/sched.h"
#include "kube/api.h"
#include "kube/object.h"

struct certs_watch;

/* All borrowed. */
struct certs_watch_options {
	struct api *api;
	struct sched *sched;
	struct metrics *metrics; /* NULL for none */
	const struct kind *kind;
	const char *ns; /* NULL: not namespaced */
	const char *name;
	void (*on_change)(void *arg); /* the object has been listed for the first time, or has changed; from the loop */
	void *arg;
};

struct certs_watch *certs_watch_new(const struct certs_watch_options *options);
void certs_watch_start(struct certs_watch *w);
void certs_watch_free(struct certs_watch *w); /* NULL is fine */

/* The object as it was seen last; borrowed until the next change. NULL: it does not exist or is not known yet. */
const struct kobj *certs_watch_object(const struct certs_watch *w);
/* Whether it is known if the object exists. */
bool certs_watch_listed(const struct certs_watch *w);
/* Why the API server cannot be listened to, "" while it can; borrowed. */
const char *certs_watch_problem(const struct certs_watch *w);
/* Whether the object has been seen as it was at that version, or later. */
bool certs_watch_has_seen(const struct certs_watch *w, const char *resource_version);

#endif
