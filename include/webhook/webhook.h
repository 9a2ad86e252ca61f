/*
 * The admission webhook as a role of the program: HTTPS server, certificate, the handlers of spark/admission, metrics.
 */
#ifndef WEBHOOK_WEBHOOK_H
#define WEBHOOK_WEBHOOK_H

#include <stdbool.h>

#include "base/metrics.h"
#include "kube/api.h"
#include "kube/store.h"
#include "net/loop.h"
#include "options/options.h"

struct webhook;

struct webhook_env { /* all borrowed for the webhook's life */
	struct loop *loop;
	struct api *api;
	struct metrics *metrics;
	const char *ns; /* the operator's own namespace */
	/* A cache of SparkApplications that somebody else keeps. NULL: the webhook keeps its own. */
	const struct store *apps;
};

/* o is borrowed too. NULL and *err: an option that cannot be. */
struct webhook *webhook_new(const struct webhook_env *env, const struct options *o, struct err *err);
/* Caches, certificate; the server listens as soon as there is one. */
void webhook_start(struct webhook *w);
/* Its caches are complete and the API server trusts its certificate. Else *ret_why (borrowed) says what is missing. */
bool webhook_ready(const struct webhook *w, const char **ret_why);
/* To be called when the process is going to end: everything is answered still, but on connections that then close, so that the API
 * server goes to another replica. */
void webhook_fade(struct webhook *w);
/* Cuts what is left. NULL is fine. */
void webhook_close(struct webhook *w);

#endif
