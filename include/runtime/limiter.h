/*
 * Who may call the API server next: a token bucket, a bound on calls under way, and three lanes that wait for both.
 * Pure: told the time, does nothing itself.
 *
 * A higher lane goes first, however long a lower one has waited; whoever waits has a deadline of its own (client.c).
 * The high lane has LIMITER_RESERVE places more than the others, so that slow ordinary calls cannot keep the
 * leader's lease from being renewed.
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
	int64_t filled_ms; /* when tokens was right */
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
/* Out of its lane, without having had its turn. */
void limiter_leave(struct limiter *l, struct limiter_turn *turn);
/* Whose turn it is now, out of its lane and counted as active; NULL if nobody's. */
struct limiter_turn *limiter_next(struct limiter *l, int64_t now_ms);
/* A call that had its turn is over. */
void limiter_release(struct limiter *l);
/* Milliseconds until the bucket lets somebody through; -1 if nobody waits for it. */
int64_t limiter_delay_ms(struct limiter *l, int64_t now_ms);

#endif
