/*
 * Timers in a binary heap ordered by due time, then by order of arming. Each timer knows its slot, so that disarming
 * needs no search. sched_run fires only what was armed before it began: a callback that arms itself with no delay
 * cannot keep the loop.
 */
#include "base/sched.h"

#include <assert.h>

#include "base/mem.h"

void sched_init(struct sched *s, int64_t now_ms, int64_t wall_ms, uint64_t seed)
{
	*s = (struct sched){
		.now_ms = now_ms,
		.wall_offset_ms = wall_ms - now_ms,
		.rng = { seed },
	};
}

void sched_done(struct sched *s)
{
	for (size_t i = 0; i < s->len; i++)
		s->heap[i]->slot = 0;
	free(s->heap);
	s->heap = NULL;
	s->len = 0;
	s->cap = 0;
}

int64_t sched_now(const struct sched *s)
{
	return s->now_ms;
}

int64_t sched_wall(const struct sched *s)
{
	return s->now_ms + s->wall_offset_ms;
}

static bool is_due_before(const struct sched_timer *a, const struct sched_timer *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void heap_put(struct sched *s, size_t at, struct sched_timer *t)
{
	s->heap[at] = t;
	t->slot = at + 1;
}

/* Puts t into the hole at `at`, or above it. */
static void heap_sift_up(struct sched *s, size_t at, struct sched_timer *t)
{
	while (at > 0 && is_due_before(t, s->heap[(at - 1) / 2])) {
		heap_put(s, at, s->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_put(s, at, t);
}

/* Puts t into the hole at `at`, or below it. */
static void heap_sift_down(struct sched *s, size_t at, struct sched_timer *t)
{
	for (;;) {
		size_t child = at * 2 + 1;

		if (child >= s->len)
			break;
		if (child + 1 < s->len && is_due_before(s->heap[child + 1], s->heap[child]))
			child++;
		if (!is_due_before(s->heap[child], t))
			break;
		heap_put(s, at, s->heap[child]);
		at = child;
	}
	heap_put(s, at, t);
}

void sched_timer_init(struct sched_timer *t, sched_fn *fn, void *arg)
{
	*t = (struct sched_timer){ .fn = fn, .arg = arg };
}

void sched_arm(struct sched *s, struct sched_timer *t, int64_t delay_ms)
{
	sched_disarm(s, t);
	if (delay_ms < 0)
		delay_ms = 0;
	if (__builtin_add_overflow(s->now_ms, delay_ms, &t->due_ms))
		t->due_ms = INT64_MAX;
	t->order = s->orders++;
	if (s->len == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 16;
		s->heap = xreallocarray(s->heap, s->cap, sizeof(struct sched_timer *));
	}
	heap_sift_up(s, s->len++, t);
	if (t->slot == 1 && s->on_earlier)
		s->on_earlier(s);
}

void sched_disarm(struct sched *s, struct sched_timer *t)
{
	struct sched_timer *last;
	size_t at = t->slot - 1;

	if (t->slot == 0)
		return;
	assert(at < s->len && s->heap[at] == t);
	t->slot = 0;
	last = s->heap[--s->len];
	if (last == t)
		return;
	if (at > 0 && is_due_before(last, s->heap[(at - 1) / 2]))
		heap_sift_up(s, at, last);
	else
		heap_sift_down(s, at, last);
}

bool sched_armed(const struct sched_timer *t)
{
	return t->slot != 0;
}

int64_t sched_next(const struct sched *s)
{
	return s->len > 0 ? s->heap[0]->due_ms : -1;
}

void sched_run(struct sched *s, int64_t now_ms)
{
	uint64_t end = s->orders;

	if (now_ms > s->now_ms)
		s->now_ms = now_ms;
	/* what callbacks arm is due no earlier and has a later order: it is never in front of what this run fires */
	while (s->len > 0 && s->heap[0]->due_ms <= s->now_ms && s->heap[0]->order < end) {
		struct sched_timer *t = s->heap[0];

		sched_disarm(s, t);
		t->fn(t->arg);
	}
}
