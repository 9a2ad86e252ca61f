/*
 * The work queue: one entry per key, delays, back-off per key, fair among namespaces. A pure data structure: no
 * timers, it is told the time. Semantics as client-go's workqueue: a key added while it is being worked on runs once
 * more afterwards; never is one key worked on twice at the same time.
 *
 * Fair: among namespaces with a key that is due, the one served longest ago comes first; within a namespace, first
 * come first served. A key that was only added as patient is taken when its namespace has nothing else that is due,
 * or before everything else when it has been due for patience_ms: what can wait in a burst does, but not for long.
 * Retries (queue_retry) wait base * 2^n up to cap with jitter, and share a global rate; ordinary additions do not.
 */
#ifndef RUNTIME_QUEUE_H
#define RUNTIME_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

struct queue;

struct queue_options {
	int64_t patience_ms;   /* 0: 10 s */
	int64_t retry_base_ms; /* 0: 100 ms */
	int64_t retry_max_ms;  /* 0: 5 min */
	double retry_qps;      /* 0: 50 retries a second over all keys */
	double retry_burst;    /* 0: 500 */
};

struct queue *queue_new(const struct queue_options *options, struct rng *rng);
void queue_free(struct queue *q);
/* Due at now_ms + delay_ms. If the key waits already, the earlier time counts. */
void queue_add(struct queue *q, const char *key, int64_t now_ms, int64_t delay_ms);
/* The same for what need not be looked at soon. If the key was added both ways, it is urgent when the urgent one is
 * due. */
void queue_add_patient(struct queue *q, const char *key, int64_t now_ms, int64_t delay_ms);
/* Like queue_add after the key's back-off, which grows; at_least_ms: from Retry-After, else 0; at_most_ms: a lower cap
 * for this one, 0 for retry_max_ms. */
void queue_retry(struct queue *q, const char *key, int64_t now_ms, int64_t at_least_ms, int64_t at_most_ms);
/* Success: back-off starts anew. */
void queue_forget(struct queue *q, const char *key);
unsigned queue_tries(const struct queue *q, const char *key);
/* The next key that is due, marked as being worked on; borrowed until queue_finish. NULL if there is none. */
const char *queue_take(struct queue *q, int64_t now_ms);
void queue_finish(struct queue *q, const char *key, int64_t now_ms);
/* Since when the key that is being worked on was due. */
int64_t queue_due(const struct queue *q, const char *key);
/* When queue_take may next return something (ms of the same clock), -1 if nothing waits. */
int64_t queue_next(const struct queue *q);
size_t queue_len(const struct queue *q); /* waiting, due or not */
/* Keys that are due and wait; *ret_since_ms: since when the first of them is due, now_ms if there is none. Looks at
 * all keys. */
size_t queue_waiting(const struct queue *q, int64_t now_ms, int64_t *ret_since_ms);
size_t queue_busy(const struct queue *q); /* being worked on */

#endif
