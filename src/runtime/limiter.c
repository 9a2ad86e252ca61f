/*
 * The token bucket with lanes. Tokens are counted when they are needed: elapsed time times qps, at most burst. A call
 * needs one token and one place among the active calls. It gets both, or waits in its lane. Nothing here fails.
 */
#include "limiter.h"

#include <assert.h>
#include <math.h>

/* Tokens are doubles. This much less than a whole token counts as one. */
static const double slack = 1e-6;

/* The order of the lanes. */
static const enum lane order[LIMITER_LANES] = { LANE_HIGH, LANE_NORMAL, LANE_LOW };

void limiter_init(struct limiter *l, double qps, double burst, unsigned max_active, int64_t now_ms)
{
	assert(max_active > 0);
	*l = (struct limiter){
		.qps = qps, .burst = burst < 1 ? 1 : burst, .filled_ms = now_ms, .max_active = max_active
	};
	l->tokens = l->burst;
	for (size_t i = 0; i < LIMITER_LANES; i++)
		list_init(&l->lanes[i]);
}

void limiter_wait(struct limiter *l, struct limiter_turn *turn, enum lane lane)
{
	list_append(&l->lanes[lane], &turn->link);
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

/* The first lane in which a call waits for which there is a place; NULL if there is none. */
static struct list *next_lane(struct limiter *l)
{
	for (size_t i = 0; i < LIMITER_LANES; i++) {
		unsigned places = l->max_active + (order[i] == LANE_HIGH ? LIMITER_RESERVE : 0);

		if (!list_empty(&l->lanes[order[i]]) && l->active < places)
			return &l->lanes[order[i]];
	}
	return NULL;
}

struct limiter_turn *limiter_next(struct limiter *l, int64_t now_ms)
{
	struct list *lane = next_lane(l);

	fill_bucket(l, now_ms);
	if (!lane || (l->qps > 0 && l->tokens < 1 - slack))
		return NULL;
	if (l->qps > 0)
		l->tokens -= 1;
	l->active++;
	l->waiting--;
	return container_of(list_pop(lane), struct limiter_turn, link);
}

void limiter_release(struct limiter *l)
{
	assert(l->active > 0);
	l->active--;
}

int64_t limiter_delay_ms(struct limiter *l, int64_t now_ms)
{
	fill_bucket(l, now_ms);
	if (l->qps <= 0 || !next_lane(l))
		return -1;
	return (int64_t)ceil(fmax(0, 1 - slack - l->tokens) * 1000 / l->qps);
}
