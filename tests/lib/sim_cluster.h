/*
 * A whole cluster in virtual time: the operator as it is, an API server in memory, and a player for kubelet, Spark
 * driver and user.
 *
 * The player is level-triggered: every 50 ms it looks at each pod and moves it on by its age, as the plot says. Oracles
 * that hold at every instant are checked at every change: at most one driver pod is ever created for an attempt, and
 * none for an application that is gone or has ended.
 */
#ifndef TESTS_SIM_CLUSTER_H
#define TESTS_SIM_CLUSTER_H

#include "operator.h"
#include "fake_kube.h"

enum sim_plot {
	SIM_SUCCEED = 0, /* driver and two executors run, one executor is removed before the end, exit code 0 */
	SIM_FAIL,	 /* the driver ends with exit code 1 */
	SIM_HOLD,	 /* the driver runs on, and asks for executors in vain; what happens to pods the test says */
	SIM_EXPIRE,	 /* as SIM_SUCCEED with timeToLiveSeconds: the application is deleted at the end */
};

struct sim {
	struct sched sched;
	struct fake_kube *kube;
	struct metrics *metrics;
	struct spark_operator *spark; /* NULL while it is down */
	struct manager *manager;      /* its manager */
	enum sim_plot plot;
	struct operator_options options; /* of each operator that starts */
	const char *spec; /* JSON, merged into the spec of applications that are applied; NULL: nothing */
	struct sched_timer player;
	struct sched_timer restart;
	struct map *driver_uids; /* "submission id" → number of driver pods ever created, as intptr_t */
	unsigned crashes;
};

#define SIM_UID "aaaaaaaa-0000-4000-8000-000000000001"

/* One application "default/pi" with SIM_UID is applied 10 ms after the start. */
void sim_init(struct sim *s, enum sim_plot plot);
/* The same under an operator with these options, and with more in the spec. */
void sim_init_with(struct sim *s, enum sim_plot plot, const struct operator_options *options, const char *spec);
/* What sim_init takes. */
struct operator_options sim_options(void);
/* The same without an operator and without an application: for tests that bring their own. */
void sim_init_bare(struct sim *s, enum sim_plot plot);
/* Applies "default/pi" once more, after it was deleted. */
void sim_apply(struct sim *s, const char *uid);
/* Applies "default/NAME". */
void sim_apply_named(struct sim *s, const char *name, const char *uid);
/* Whether every application has come to its end. */
bool sim_has_ended(const struct sim *s);
void sim_done(struct sim *s);
/* The operator dies now; another starts after delay_ms. For fake_kube_crash_after too (arg: the sim). */
void sim_crash(void *arg);

/* One thing that goes wrong at write k, counted from 1. */
typedef void sim_fault_fn(struct sim *s, unsigned k, const void *arg);
void sim_fault_crash(struct sim *s, unsigned k,
		     const void *arg);				 /* the operator dies right after it; arg is not used */
void sim_fault_call(struct sim *s, unsigned k, const void *arg); /* arg: enum fake_fault */
void sim_fault_refusal(struct sim *s, unsigned k, const void *arg); /* arg: struct fake_refusal */
/* Refusals that an operator has to stand, once each. */
enum { SIM_REFUSALS = 6 };
extern const struct fake_refusal sim_refusals[SIM_REFUSALS];

/* Lets virtual time pass until the application has ended and nothing was written for 60 s, at most an hour; fails the
 * test otherwise. */
void sim_run(struct sim *s);
/* Everything in the cluster but events, with what may differ between two runs masked: times, resourceVersions, uids of
 * other objects than the application. Pretty JSON, sorted. Owned. */
char *sim_end(struct sim *s);
/* Fails the test if a status write changed nothing. */
void sim_check_writes(const struct sim *s);

#endif
