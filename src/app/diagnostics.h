/*
 * What the process reports about itself, over HTTP: /healthz, /readyz, /metrics and, to loopback only, /debug/state.
 *
 * On --metrics-bind-address and on --health-probe-bind-address, each of which may be off. With --secure-metrics the
 * first speaks TLS, with a certificate of its own that nobody can verify (as controller-runtime's), and the second
 * has no /metrics. /metrics is as it was at most a second ago.
 */
#ifndef APP_DIAGNOSTICS_H
#define APP_DIAGNOSTICS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/metrics.h"
#include "json/json.h"
#include "net/loop.h"
#include "options/options.h"

struct diagnostics;

struct diagnostics_source {
	struct loop *loop;
	struct metrics *metrics;
	const char *host; /* name in the certificate */
	/* Whether the process is ready; if not, *ret_why says why: a text that lives until the next call. */
	bool (*ready)(void *arg, const char **ret_why);
	struct json *(*debug)(void *arg); /* owned by the caller */
	void *arg;
};

/* Listens. Source and options are copied, what they point to is borrowed for the server's life. NULL with *err: an
 * address or a TLS option that cannot be used. */
struct diagnostics *diagnostics_new(const struct diagnostics_source *source, const struct options *o, struct err *err);
/* Cuts what is open. NULL is fine. */
void diagnostics_close(struct diagnostics *d);

#endif
