/*
 * Leader election over a Lease (coordination.k8s.io/v1) as a stepper: events in, at most one command out; no sockets, no clock.
 * Semantics: client-go tools/leaderelection. The times of other machines are never compared with ours: what counts is for how
 * long a record has been seen unchanged.
 *
 *   WAITING ──free or expired, written──▶ LEADING ──not renewed in time, or taken by another──▶ LOST
 *      │                                     │
 *      └───────────────release──────────────▶└──▶ RELEASING ──given back, or not ours──▶ RELEASED
 *
 * - Try: GET; absent → CREATE; free, expired or ours → PATCH with the resourceVersion that was read. While leading the PATCH comes
 *   first, with the version that the last reply had.
 * - WAITING tries again after retry * (1 + 1.2 * chance), at the latest when the record it sees expires, and at once when it sees that
 *   the Lease was given back. LEADING renews every retry_ms.
 * - LEADING ends when the last successful renewal was *sent* renew_deadline_ms ago, or as soon as another holder is read.
 * - A Lease that is deleted is made anew by its holder at once, by others at their next try.
 * - LOST and RELEASED are final.
 */
#ifndef KUBE_LEASE_H
#define KUBE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "json/json.h"

enum { LEASE_RELEASE_MS = 2000 }; /* a release that has not come through by then is given up */

struct lease_options {
	const char *ns;
	const char *name;
	const char *identity;	   /* unique to this start of this process */
	int64_t duration_ms;	   /* 15 s */
	int64_t renew_deadline_ms; /* 10 s */
	int64_t retry_ms;	   /* 2 s */
};

/* ERR_INVALID unless names and identity are usable, duration is at least 1 s, and duration > renew deadline > 1.2 * retry > 0. */
int lease_check(const struct lease_options *options, struct err *err);

enum lease_state { LEASE_IDLE = 0, LEASE_WAITING, LEASE_LEADING, LEASE_LOST, LEASE_RELEASING, LEASE_RELEASED };

enum lease_event_type {
	LEASE_EV_START = 1,
	LEASE_EV_TIMER,	  /* lease_due has come */
	LEASE_EV_REPLY,	  /* of the last command: err, object if that says NONE */
	LEASE_EV_SEEN,	  /* the watch has it: object, or NULL when it was deleted */
	LEASE_EV_RELEASE, /* no more writes of ours: give it back */
};

struct lease_event {
	enum lease_event_type type;
	int64_t now_ms;		   /* monotonic */
	int64_t wall_ms;	   /* for the texts of the record only */
	const struct json *object; /* borrowed */
	const struct err *err;	   /* borrowed */
};

enum lease_cmd_type { LEASE_CMD_NONE = 0, LEASE_CMD_GET, LEASE_CMD_CREATE, LEASE_CMD_PATCH };

/* A command replaces the one under way, whose reply must not be told any more. So do LOST and RELEASED. */
struct lease_cmd {
	enum lease_cmd_type type;
	struct json *body; /* owned by the caller; NULL for GET */
};

struct lease; /* opaque */

/* rng is borrowed, the options are copied. */
struct lease *lease_new(const struct lease_options *options, struct rng *rng);
void lease_free(struct lease *l);
void lease_step(struct lease *l, const struct lease_event *ev, struct lease_cmd *ret);

enum lease_state lease_state(const struct lease *l);
/* When LEASE_EV_TIMER is wanted, -1: never. It may come earlier or later. */
int64_t lease_due(const struct lease *l);
/* Leading, and the last successful renewal was sent less than renew_deadline_ms ago. */
bool lease_may_write(const struct lease *l, int64_t now_ms);
/* As last seen, "" if nobody; borrowed. */
const char *lease_holder(const struct lease *l);
/* How often the Lease has changed hands, as last seen. */
int64_t lease_transitions(const struct lease *l);
/* Why the last try failed, or why LOST; "" while all is well; borrowed. */
const char *lease_problem(const struct lease *l);

#endif
