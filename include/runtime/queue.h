/*
 * The work queue: one entry per key, with delays, back-off per key and fairness among namespaces. The queue is a pure
 * data structure: it has no timers, and the caller passes the time. Its semantics are those of client-go's workqueue:
 * a key that is added while it is worked on runs once more afterwards, and no key is worked on twice at the same time.
 *
 * Fairness: among the namespaces that have a key that is due, the one that was served longest ago comes first. Within
 * a namespace the key that became due first comes first. A key that was only added as patient is taken when its
 * namespace has no other key that is due. Once a patient key has been due for patience_ms, it comes before all other
 * keys of its namespace. So in a burst, work that can wait does wait, but not for long.
 * Retries (queue_retry) wait base * 2^n up to a cap, with jitter, and share a global rate. Ordinary additions do not.
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
/* The key is due at now_ms + delay_ms. If the key waits already, the earlier time counts. */
void queue_add(struct queue *q, const char *key, int64_t now_ms, int64_t delay_ms);
/* Like queue_add, for a key that need not be looked at soon. If the key was added with queue_add too, the key is urgent
 * when that addition is due. */
void queue_add_patient(struct queue *q, const char *key, int64_t now_ms, int64_t delay_ms);
/* Like queue_add with the key's back-off as delay. The back-off grows with each call. at_least_ms: the wait that the
 * server asked for in Retry-After, else 0. at_most_ms: a lower cap of this back-off, 0 for retry_max_ms. */
void queue_retry(struct queue *q, const char *key, int64_t now_ms, int64_t at_least_ms, int64_t at_most_ms);
/* The key has succeeded: its back-off starts anew. */
void queue_forget(struct queue *q, const char *key);
unsigned queue_tries(const struct queue *q, const char *key);
/* Returns the next key that is due and marks it as being worked on. The key is borrowed until queue_finish. NULL if no
 * key is due. */
const char *queue_take(struct queue *q, int64_t now_ms);
void queue_finish(struct queue *q, const char *key, int64_t now_ms);
/* The time at which the key that is being worked on was due. */
int64_t queue_due(const struct queue *q, const char *key);
/* The time at which queue_take may next return a key (ms of the same clock), -1 if no key waits. */
int64_t queue_next(const struct queue *q);
size_t queue_len(const struct queue *q); /* keys that wait, due or not */
/* The number of keys that are due and wait. *ret_since_ms: the time at which the first of them was due, now_ms if there
 * is none. This walks over all keys. */
size_t queue_waiting(const struct queue *q, int64_t now_ms, int64_t *ret_since_ms);
size_t queue_busy(const struct queue *q); /* keys that are being worked on */

#endif
