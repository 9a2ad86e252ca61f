/*
 * Which call to the API server goes next: a token bucket, a bound on calls under way, and four queues of calls that
 * wait for both: high, ordinary, lists, low. Pure: it is told the time and does nothing by itself.
 *
 * A higher queue goes first, however long a lower one has waited. Calls that wait have deadlines of their own
 * (client.c). The high queue has LIMITER_RESERVE places more than the others, so that slow ordinary calls cannot hold
 * it back.
 *
 * Lists and ordinary calls, which are mostly writes, must not starve each other. Lists are long, and come in crowds
 * when the API server has been restarted: at most LIMITER_LISTS are under way, and writes go first. Writes come in long
 * rows, and caches that are not filled are useless: a list goes first when LIMITER_LIST_TURN other calls have gone
 * since the last one.
 */
#ifndef RUNTIME_LIMITER_H
#define RUNTIME_LIMITER_H

#include <stdint.h>

#include "base/list.h"
#include "kube/request.h"

enum { LIMITER_RESERVE = 2, LIMITER_LISTS = 4, LIMITER_LIST_TURN = 4 };

enum limiter_queue { LIMITER_HIGH = 0, LIMITER_NORMAL, LIMITER_LIST, LIMITER_LOW, LIMITER_QUEUES };

struct limiter {
	double qps; /* 0: no bucket */
	double burst;
	double tokens;
	int64_t filled_ms; /* the time that tokens is counted up to */
	unsigned max_active;
	unsigned active;
	unsigned active_lists;
	unsigned since_list; /* calls that have gone since the last list */
	unsigned waiting;
	struct list queues[LIMITER_QUEUES];
};

/* A call in its queue; embedded. */
struct limiter_turn {
	struct list link;
	enum limiter_queue queue;
};

/* The bucket starts full. burst below 1 counts as 1. */
void limiter_init(struct limiter *l, double qps, double burst, unsigned max_active, int64_t now_ms);
/* The queue of a request: lists have their own, other calls that of their lane. */
enum limiter_queue limiter_queue_of(const struct request *req);
void limiter_wait(struct limiter *l, struct limiter_turn *turn, enum limiter_queue queue);
/* Removes a call from its queue before its turn has come. */
void limiter_leave(struct limiter *l, struct limiter_turn *turn);
/* Takes the next call out of its queue and counts it as active. NULL if none may go now. */
struct limiter_turn *limiter_next(struct limiter *l, int64_t now_ms);
/* To be called when a call that limiter_next has returned is over. */
void limiter_release(struct limiter *l, const struct limiter_turn *turn);
/* Milliseconds until the bucket lets the next call through; -1 if none waits for it. */
int64_t limiter_delay_ms(struct limiter *l, int64_t now_ms);

#endif
