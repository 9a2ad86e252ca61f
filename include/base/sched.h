/*
 * Timers in one heap, driven by whoever owns the clock: the libuv loop in the program (net/loop), the test in
 * virtual time. Code that waits uses this and nothing else, which is why all of it can be simulated.
 *
 * Contract: a timer fires at most once per arming, from sched_run, never from inside sched_arm. Timers due at
 * the same time fire in the order in which they were armed. A timer that is armed inside a callback fires in a later
 * sched_run, even with a delay of 0. Disarming and re-arming is allowed anywhere, in callbacks of other timers too.
 */
#ifndef BASE_SCHED_H
#define BASE_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

typedef void sched_fn(void *arg);

struct sched_timer {
	sched_fn *fn;
	void *arg;
	int64_t due_ms;
	uint64_t order; /* counts armings; the earlier one fires first at the same due time */
	size_t slot;	/* 1 + index in the heap; 0 = not armed */
};

struct sched {
	struct sched_timer **heap;
	size_t len;
	size_t cap;
	uint64_t orders;
	int64_t now_ms;		/* monotonic, as of sched_init or the last sched_run */
	int64_t wall_offset_ms; /* wall - now */
	struct rng rng;
	void (*on_earlier)(struct sched *s); /* the earliest due time moved; may be NULL */
};

void sched_init(struct sched *s, int64_t now_ms, int64_t wall_ms, uint64_t seed);
/* Armed timers are forgotten, not fired. */
void sched_done(struct sched *s);

int64_t sched_now(const struct sched *s);
int64_t sched_wall(const struct sched *s);

void sched_timer_init(struct sched_timer *t, sched_fn *fn, void *arg);
/* delay_ms < 0 counts as 0. */
void sched_arm(struct sched *s, struct sched_timer *t, int64_t delay_ms);
void sched_disarm(struct sched *s, struct sched_timer *t);
bool sched_armed(const struct sched_timer *t);

/* When the earliest timer is due (monotonic ms), or -1. */
int64_t sched_next(const struct sched *s);
/* Sets the clock to now_ms (never backwards) and fires what is due. */
void sched_run(struct sched *s, int64_t now_ms);

#endif
