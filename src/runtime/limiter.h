/*
 * Which call to the API server goes next: a token bucket, a bound on calls under way, and three lanes of calls that
 * wait for both. Pure: it is told the time and does nothing by itself.
 *
 * A higher lane goes first, however long a lower one has waited. Calls that wait have deadlines of their own
 * (client.c). The high lane has LIMITER_RESERVE places more than the others, so that slow ordinary calls cannot hold
 * back the renewal of the leader's Lease.
 */
#ifndef RUNTIME_LIMITER_H
#define RUNTIME_LIMITER_H

#include <stdint.h>

#include "base/list.h"
#include "kube/request.h"

enum { LIMITER_LANES = 3, LIMITER_RESERVE = 2 };

struct limiter {
	double qps; /* 0: no bucket */
	double burst;
	double tokens;
	int64_t filled_ms; /* the time that tokens is counted up to */
	unsigned max_active;
	unsigned active;
	unsigned waiting;
	struct list lanes[LIMITER_LANES];
};

/* A call in its lane; embedded. */
struct limiter_turn {
	struct list link;
};

/* The bucket starts full. burst below 1 counts as 1. */
void limiter_init(struct limiter *l, double qps, double burst, unsigned max_active, int64_t now_ms);
void limiter_wait(struct limiter *l, struct limiter_turn *turn, enum lane lane);
/* Removes a call from its lane before its turn has come. */
void limiter_leave(struct limiter *l, struct limiter_turn *turn);
/* Takes the next call out of its lane and counts it as active. NULL if none may go now. */
struct limiter_turn *limiter_next(struct limiter *l, int64_t now_ms);
/* To be called when a call that limiter_next has returned is over. */
void limiter_release(struct limiter *l);
/* Milliseconds until the bucket lets the next call through; -1 if none waits for it. */
int64_t limiter_delay_ms(struct limiter *l, int64_t now_ms);

#endif
