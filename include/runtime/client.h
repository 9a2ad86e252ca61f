/*
 * The API client: struct api on net/http_client. Adds base URL, credentials, deadlines, limits, client-side rate limit
 * and metrics to what a request says; parses and classifies what comes back.
 *
 * Deadlines: 30 s for unary calls, 120 s for lists, timeoutSeconds + 30 s for watches. Replies at most 64 MiB (lists), 8 MiB (others).
 * Rate limit: token bucket of qps and burst over all calls but watches, and at most max_connections of them at a time (two
 * more for LANE_HIGH); LANE_HIGH goes before LANE_NORMAL before LANE_LOW. The deadline covers the waiting.
 * A 401 makes it read the token file again; if there is another token the call, a write too, is sent once more.
 */
#ifndef RUNTIME_CLIENT_H
#define RUNTIME_CLIENT_H

#include "base/metrics.h"
#include "kube/api.h"
#include "net/loop.h"
#include "runtime/config.h"

struct client;

struct client_options {
	double qps; /* 0: no limit of our own (the server's priority and fairness decides) */
	double burst;
	unsigned max_connections; /* 0: 16 */
	struct metrics *metrics;  /* borrowed; NULL for none. rest_client_requests_total{code,method,host},
				   * rest_client_request_duration_seconds{verb,host} and
				   * rest_client_rate_limiter_duration_seconds{verb,host}, named as client-go's */
	const char *user_agent;
};

struct client *client_new(struct loop *loop, const struct config *config, const struct client_options *options,
			  struct err *err);
struct api *client_api(struct client *c);
/* Cancels everything silently; frees itself when the loop has run the close callbacks. */
void client_close(struct client *c);
/* Calls waiting for the rate limit or under way, watches left out. */
unsigned client_pending(const struct client *c);

#endif
