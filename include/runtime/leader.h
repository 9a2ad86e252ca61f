/*
 * Which of several replicas reconciles: drives kube/lease over struct api. It also watches the Lease, so that a standby
 * takes over a released Lease at once and not at its next try.
 *
 * A Lease alone does not keep an earlier leader from writing (client-go says so too). Names and preconditions make such
 * writes harmless. Besides, leader_may_write() is false as soon as the last successful renewal was sent longer ago than
 * the renew deadline, and what goes through leader_api() is not sent after that moment, however long it has waited.
 */
#ifndef RUNTIME_LEADER_H
#define RUNTIME_LEADER_H

#include <stdbool.h>

#include "base/metrics.h"
#include "base/sched.h"
#include "kube/api.h"
#include "kube/lease.h"

struct leader;

enum {
	LEADER_WRITES_MS = 1000, /* for the last answers, before the Lease is given back */
	/* What a client for the Lease needs: a list that hangs and a write, for each of two Leases. */
	LEADER_CONNECTIONS = 4,
};

struct leader_options {
	struct api *api;  /* for the Lease */
	struct api *work; /* for everything else, see leader_api; NULL: api */
	struct sched *sched;
	struct metrics *metrics;    /* leader_election_master_status{name} as client-go's; NULL for none */
	struct lease_options lease; /* strings are copied; leader_check accepts them */
	/* A second Lease, of the same namespace: that of an operator whose place this one takes and which does not know
	 * the first. It is taken before the first, held besides, and given back after it. So the two operators do not
	 * work at the same time, whichever is started or stopped. Copied. NULL, or the name of the first: none. */
	const char *former_name;
	/* A monotonic clock, best one that goes on while the machine sleeps. NULL: the clock of sched, which stands
	 * still while the process is stopped inside a callback. */
	int64_t (*clock_ms)(void);
	void (*on_started)(void *arg); /* from the loop: this process leads now */
	void (*on_lost)(void *arg);    /* from the loop: this process leads no longer, and has to end */
	void *arg;
};

/* As lease_check, for both Leases. */
int leader_check(const struct leader_options *options, struct err *err);
struct leader *leader_new(const struct leader_options *options);
void leader_start(struct leader *l);
/* The API for those that may write only while this process leads: `work` of the options, with a fence in every write
 * (kube/fence.h). It must not be used after leader_free, and no write that went through it may be under way then. */
struct api *leader_api(struct leader *l);
bool leader_leads(const struct leader *l);
bool leader_may_write(const struct leader *l);
/* The holder of the Lease that this process waits for or holds, as last seen; "" if there is none; borrowed. */
const char *leader_holder(const struct leader *l);
/* Gives the Lease back (holderIdentity "", leaseDurationSeconds 1), so that another replica leads at once. Nothing that
 * is written through leader_api() is sent from now on. What was sent has LEADER_WRITES_MS to be answered. If an answer
 * is missing, or was missing in the last lease duration, then the write may take place still: the Lease is kept until
 * it expires. done runs once from the loop, LEADER_WRITES_MS + LEASE_RELEASE_MS later at the latest, or twice that with
 * a second Lease, even if giving back has failed. on_started and on_lost do not run any more. */
void leader_release(struct leader *l, void (*done)(void *arg), void *arg);
/* Runs no callback. A Lease that is held stays held until it expires. Allowed in the callbacks. NULL is accepted. */
void leader_free(struct leader *l);

#endif
