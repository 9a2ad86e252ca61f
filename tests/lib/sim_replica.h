/*
 * One of several processes of the operator in a simulated cluster: manager and leader election behind an API client and
 * a clock of its own, so that it can be stopped as by SIGSTOP: no time passes for it, and what arrives meanwhile waits.
 */
#ifndef TESTS_SIM_REPLICA_H
#define TESTS_SIM_REPLICA_H

#include "base/list.h"
#include "runtime/leader.h"
#include "sim_cluster.h"

#define SIM_LEASE_NS "spark-operator"
#define SIM_LEASE    "spark-operator-lock"

struct sim_replica_options {
	const char *identity;
	const char *lease;  /* NULL: SIM_LEASE */
	const char *former; /* the Lease of another operator, held besides; or NULL */
	int64_t skew_ms;    /* of its wall clock */
	bool reckless;	    /* writes whoever leads, and goes on when it has lost the Lease: worse than any real one */
};

struct sim_replica {
	struct sim *sim;
	struct sim_replica_options options;
	struct sched sched;
	struct api api;
	struct list calls;
	const struct resource *late; /* what its watches of this resource bring comes late_ms later; NULL: none */
	int64_t late_ms;
	struct metrics *metrics;
	struct spark_operator *spark; /* NULL: not running */
	struct manager *manager;      /* its manager, or NULL */
	struct leader *leader;
	struct sched_timer drain;
	bool paused;
	bool ended;	    /* wants to be gone: after a release, or having lost the Lease */
	bool lost;	    /* has lost the Lease while leading */
	int64_t led_ms;	    /* when it began to lead, -1: never */
	unsigned writes;    /* sent, of Leases and Events not */
	int64_t counted_ms; /* when the last of them was sent */
};

void sim_replica_start(struct sim_replica *r, struct sim *s, const struct sim_replica_options *options);
/* As kill -9: what it has sent and has not arrived never does. Nothing happens if it is not running. */
void sim_replica_kill(struct sim_replica *r);
/* As SIGTERM: plans under way finish, the Lease is given back, the process ends. */
void sim_replica_terminate(struct sim_replica *r);
/* Lets time pass for the cluster and for those that are not paused; those that want to be gone go. No two of them may
 * write at any time, or the test fails; reckless ones do not count. */
void sim_replicas_run(struct sim *s, struct sim_replica *replicas, size_t count, int64_t duration_ms);

#endif
