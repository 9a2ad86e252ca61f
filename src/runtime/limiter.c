/*
 * The token bucket with queues. Tokens are counted when they are needed: elapsed time times qps, at most burst. A call
 * needs one token and one place among the active calls. It gets both, or waits in its queue. Nothing here fails.
 */
#include "limiter.h"

#include <assert.h>
#include <math.h>

/* Tokens are doubles. This much less than a whole token counts as one. */
static const double slack = 1e-6;

void limiter_init(struct limiter *l, double qps, double burst, unsigned max_active, int64_t now_ms)
{
	assert(max_active > 0);
	*l = (struct limiter){
		.qps = qps, .burst = burst < 1 ? 1 : burst, .filled_ms = now_ms, .max_active = max_active
	};
	l->tokens = l->burst;
	for (size_t i = 0; i < LIMITER_QUEUES; i++)
		list_init(&l->queues[i]);
}

enum limiter_queue limiter_queue_of(const struct request *req)
{
	static const enum limiter_queue queues[] = {
		[LANE_NORMAL] = LIMITER_NORMAL, [LANE_HIGH] = LIMITER_HIGH, [LANE_LOW] = LIMITER_LOW
	};

	return req->verb == VERB_LIST ? LIMITER_LIST : queues[req->lane];
}

void limiter_wait(struct limiter *l, struct limiter_turn *turn, enum limiter_queue queue)
{
	turn->queue = queue;
	list_append(&l->queues[queue], &turn->link);
	l->waiting++;
}

void limiter_leave(struct limiter *l, struct limiter_turn *turn)
{
	assert(l->waiting > 0);
	list_remove(&turn->link);
	l->waiting--;
}

static void fill_bucket(struct limiter *l, int64_t now_ms)
{
	if (now_ms <= l->filled_ms)
		return;
	l->tokens = fmin(l->burst, l->tokens + (double)(now_ms - l->filled_ms) * l->qps / 1000);
	l->filled_ms = now_ms;
}

/* Whether a call waits in the queue, and there is a place for it. */
static bool has_place(const struct limiter *l, enum limiter_queue queue)
{
	unsigned places = l->max_active + (queue == LIMITER_HIGH ? LIMITER_RESERVE : 0);

	return !list_empty(&l->queues[queue]) && l->active < places &&
	       (queue != LIMITER_LIST || l->active_lists < LIMITER_LISTS);
}

/* The queue whose first call goes next; NULL if there is none. */
static struct list *next_queue(struct limiter *l)
{
	enum limiter_queue next = LIMITER_HIGH;

	while (next < LIMITER_QUEUES && !has_place(l, next))
		next++;
	if (next == LIMITER_NORMAL && l->since_list >= LIMITER_LIST_TURN && has_place(l, LIMITER_LIST))
		next = LIMITER_LIST;
	return next < LIMITER_QUEUES ? &l->queues[next] : NULL;
}

struct limiter_turn *limiter_next(struct limiter *l, int64_t now_ms)
{
	struct list *queue = next_queue(l);
	struct limiter_turn *turn;

	fill_bucket(l, now_ms);
	if (!queue || (l->qps > 0 && l->tokens < 1 - slack))
		return NULL;
	if (l->qps > 0)
		l->tokens -= 1;
	turn = container_of(list_pop(queue), struct limiter_turn, link);
	l->active++;
	l->waiting--;
	l->active_lists += turn->queue == LIMITER_LIST;
	l->since_list = turn->queue == LIMITER_LIST ? 0 : l->since_list + 1;
	return turn;
}

void limiter_release(struct limiter *l, const struct limiter_turn *turn)
{
	assert(l->active > 0 && (turn->queue != LIMITER_LIST || l->active_lists > 0));
	l->active--;
	l->active_lists -= turn->queue == LIMITER_LIST;
}

int64_t limiter_delay_ms(struct limiter *l, int64_t now_ms)
{
	fill_bucket(l, now_ms);
	if (l->qps <= 0 || !next_queue(l))
		return -1;
	return (int64_t)ceil(fmax(0, 1 - slack - l->tokens) * 1000 / l->qps);
}
