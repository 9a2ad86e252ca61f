/*
 * The fence. A write counts as answered if the API server, and not something in front of it, has said how it went. Only
 * then it is certain that nothing more comes of the write.
 */
#include "kube/fence.h"

#include <assert.h>

enum { BAD_GATEWAY = 502 };

void fence_init(struct fence *f, int64_t (*now_ms)(const struct fence *f))
{
	*f = (struct fence){ .now_ms = now_ms, .until_ms = INT64_MIN, .unanswered_ms = INT64_MIN };
}

bool fence_is_open(const struct fence *f)
{
	return f->now_ms(f) < f->until_ms && (!f->next || fence_is_open(f->next));
}

bool fence_enter(struct fence *f)
{
	if (!fence_is_open(f))
		return false;
	for (; f; f = f->next)
		f->under_way++;
	return true;
}

static bool is_answered(const struct reply *reply)
{
	return reply && reply->err.code != ERR_TIMEOUT && reply->err.code != ERR_IO &&
	       reply->err.code != ERR_CANCELED && reply->status != BAD_GATEWAY;
}

void fence_leave(struct fence *f, const struct reply *reply)
{
	for (; f; f = f->next) {
		assert(f->under_way > 0);
		f->under_way--;
		if (!is_answered(reply))
			f->unanswered_ms = f->now_ms(f);
	}
}
