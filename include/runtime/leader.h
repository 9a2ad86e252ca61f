/*
 * Who of several replicas reconciles: drives kube/lease over struct api, and watches the Lease, so that a standby follows a released
 * one at once and not at its next try.
 *
 * Nobody is fenced off by a Lease alone (client-go says so too): writes are made harmless by names and preconditions. Besides,
 * leader_may_write() is false as soon as the last successful renewal was sent longer ago than the renew deadline.
 */
#ifndef RUNTIME_LEADER_H
#define RUNTIME_LEADER_H

#include <stdbool.h>

#include "base/metrics.h"
#include "base/sched.h"
#include "kube/api.h"
#include "kube/lease.h"

struct leader;

struct leader_options {
	struct api *api;
	struct sched *sched;
	struct metrics *metrics;    /* leader_election_master_status{name} as client-go's; NULL for none */
	struct lease_options lease; /* strings are copied; lease_check has found them right */
	/* Best one that goes on while the machine sleeps; NULL: sched's, which stands still while the process is stopped inside a
	 * callback. */
	int64_t (*clock_ms)(void);
	void (*on_started)(void *arg); /* from the loop: this one leads */
	void (*on_lost)(void *arg);    /* from the loop: it led and does so no more: the process has to end */
	void *arg;
};

struct leader *leader_new(const struct leader_options *options);
void leader_start(struct leader *l);
bool leader_leads(const struct leader *l);
bool leader_may_write(const struct leader *l);
/* Who holds the Lease as last seen, "" if nobody; borrowed. */
const char *leader_holder(const struct leader *l);
/* Gives the Lease back (holderIdentity "", leaseDurationSeconds 1), to be called when no write is under way any more; done runs once
 * from the loop, whatever came of it, at the latest after 2 s. on_started and on_lost do not run any more. */
void leader_release(struct leader *l, void (*done)(void *arg), void *arg);
/* Silent; a Lease that is held stays so until it expires. Allowed in the callbacks. NULL is fine. */
void leader_free(struct leader *l);

#endif
