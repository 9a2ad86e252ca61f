/*
 * The admission webhook as a role of the program: HTTPS server, certificate, the handlers of admission, metrics.
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

/* All borrowed for the webhook's life. */
struct webhook_env {
	struct loop *loop;
	struct api *api;
	struct metrics *metrics;
	const char *ns; /* the operator's own namespace */
	/* A cache of SparkApplications that somebody else keeps. NULL: the webhook keeps its own. */
	const struct store *apps;
};

/* o is borrowed for the webhook's life too. NULL and *err (ERR_INVALID): an option that is not possible. */
struct webhook *webhook_new(const struct webhook_env *env, const struct options *o, struct err *err);
/* Starts caches and certificate; the server listens as soon as there is a certificate. */
void webhook_start(struct webhook *w);
/* Whether its caches are complete and the API server trusts its certificate. If not, *ret_why (borrowed) says what is
 * missing. */
bool webhook_ready(const struct webhook *w, const char **ret_why);
/* To be called when the process is going to end: requests are still answered, but on connections that close
 * afterwards, so that the API server goes to another replica. */
void webhook_fade(struct webhook *w);
/* Closes all connections at once and frees the webhook. NULL is fine. */
void webhook_close(struct webhook *w);

#endif
