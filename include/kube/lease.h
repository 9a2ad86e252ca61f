/*
 * Leader election over a Lease (coordination.k8s.io/v1) as a stepper: events in, at most one command out; no sockets,
 * no clock. Semantics: client-go tools/leaderelection. Times of other machines are never compared with ours. A record
 * expires when we have seen it unchanged for as long as its duration says.
 *
 *   WAITING ──free or expired, written──▶ LEADING ──not renewed in time, or taken by another──▶ LOST
 *      │                                     │
 *      └───────────────release──────────────▶└──▶ RELEASING ──given back, or not ours──▶ RELEASED
 *
 * - A try: GET; absent → CREATE; free, expired or ours → PATCH with the resourceVersion that was read. While leading,
 *   the PATCH comes first, with the version of the last reply.
 * - WAITING tries again after retry * (1 + 1.2 * chance), at the latest when the record that it sees expires, and at
 *   once when it sees that the Lease was given back. LEADING renews retry_ms after a renewal has succeeded. It
 *   tries again retry_ms, but at most a fifth of the renew deadline, after one that fails was begun.
 * - LEADING ends when the last successful renewal was *sent* renew_deadline_ms ago, or as soon as another holder is
 *   read. If the answer of a renewal was lost, and a GET finds what was written, that renewal has succeeded.
 * - A try has a fifth of the renew deadline, and one after a failure two fifths, at most 5 s. So three tries fit into
 *   the deadline. The first is short since its connection may be dead; those after it are longer since the API server
 *   may be slow.
 * - If the Lease is deleted, its holder creates it at once, and others at their next try.
 * - Before it starts, it only looks: how long a record has stood unchanged counts from when it was first seen.
 * - LOST and RELEASED are final.
 */
#ifndef KUBE_LEASE_H
#define KUBE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "json/json.h"

enum { LEASE_RELEASE_MS = 2000 }; /* a release is given up if it has not succeeded by then */

struct lease_options {
	const char *ns;
	const char *name;
	const char *identity;	   /* unique to this start of this process */
	int64_t duration_ms;	   /* 15 s */
	int64_t renew_deadline_ms; /* 10 s */
	int64_t retry_ms;	   /* 2 s */
};

/* ERR_INVALID if a name or the identity cannot be used, if the duration is less than 1 s, or if it does not hold that
 * duration > renew deadline > 1.2 * retry > 0. */
int lease_check(const struct lease_options *options, struct err *err);

enum lease_state { LEASE_IDLE = 0, LEASE_WAITING, LEASE_LEADING, LEASE_LOST, LEASE_RELEASING, LEASE_RELEASED };

enum lease_event_type {
	LEASE_EV_START = 1,
	LEASE_EV_TIMER,	  /* the time of lease_due has come */
	LEASE_EV_REPLY,	  /* the reply of the last command: err, and object if err is ERR_NONE */
	LEASE_EV_SEEN,	  /* the watch shows the Lease: object, or NULL when it was deleted */
	LEASE_EV_RELEASE, /* give the Lease back; the caller makes no more writes */
};

struct lease_event {
	enum lease_event_type type;
	int64_t now_ms;		   /* monotonic */
	int64_t wall_ms;	   /* for the texts of the record only */
	const struct json *object; /* borrowed */
	const struct err *err;	   /* borrowed */
};

enum lease_cmd_type { LEASE_CMD_NONE = 0, LEASE_CMD_GET, LEASE_CMD_CREATE, LEASE_CMD_PATCH };

/* A command replaces the one under way: the reply of that one must not become an event any more. The same holds when
 * the state becomes LOST or RELEASED. */
struct lease_cmd {
	enum lease_cmd_type type;
	struct json *body;  /* owned by the caller; NULL for GET */
	int64_t timeout_ms; /* of the request */
};

struct lease; /* opaque */

/* rng is borrowed; the options and their strings are copied. */
struct lease *lease_new(const struct lease_options *options, struct rng *rng);
void lease_free(struct lease *l);
void lease_step(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret);

enum lease_state lease_state(const struct lease *l);
/* When LEASE_EV_TIMER has to come; -1: never. It may also come earlier or later. */
int64_t lease_due(const struct lease *l);
/* While leading: when renew_deadline_ms have passed since the last successful renewal was sent. Until then no other
 * replica leads. Else INT64_MIN. */
int64_t lease_writes_until(const struct lease *l);
bool lease_may_write(const struct lease *l, int64_t now_ms);
/* The holder as last seen, "" if there is none; borrowed. */
const char *lease_holder(const struct lease *l);
/* How often the Lease has changed hands, as last seen. */
int64_t lease_transitions(const struct lease *l);
/* Why the last try failed, or why the state is LOST; "" if nothing failed; borrowed. */
const char *lease_problem(const struct lease *l);

#endif
