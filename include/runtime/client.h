/*
 * The API client: struct api on net/http_client. It adds base URL, credentials, deadlines, limits, a rate limit and
 * metrics to requests, and parses and classifies the answers.
 *
 * Deadlines: 30 s for calls, 120 s for lists, timeoutSeconds + 30 s for watches. Replies have at most 64 MiB (lists) or
 * 8 MiB (others). The rate limit is a token bucket of qps and burst for all calls but watches. At most max_connections
 * of these are under way at a time, and two more in LANE_HIGH. LANE_HIGH goes before LANE_NORMAL, then come lists, at
 * most four at a time, then LANE_LOW; one call in five is a list if lists wait. The deadline includes the waiting,
 * except for lists. After a 401 the files of token, client certificate and key are read again. If one of them has
 * changed, the call is sent once more, even if it is a write.
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
	/* Borrowed; NULL: none. Gets rest_client_requests_total{code,method,host},
	 * rest_client_request_duration_seconds{verb,host} and rest_client_rate_limiter_duration_seconds{verb,host},
	 * which are named as in client-go. */
	struct metrics *metrics;
	const char *user_agent;
};

struct client *client_new(struct loop *loop, const struct config *config, const struct client_options *options,
			  struct err *err);
struct api *client_api(struct client *c);
/* Cancels all calls silently. The client frees itself when the loop has run the close callbacks. */
void client_close(struct client *c);
/* The number of calls that wait or are under way, without watches. */
unsigned client_pending(const struct client *c);

#endif
