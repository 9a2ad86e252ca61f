/*
 * A fence in front of writes that only one process may make: it says until when they may be sent, and knows which of
 * them were sent and have not been answered.
 *
 * It is not enough to ask before a write is decided on: the write may wait for its turn, or the process may be stopped
 * and go on after somebody else has taken over. So a request carries its fence (struct request), and the client passes
 * the fence at the moment at which it sends the request. Whoever owns the fence moves its time, and looks at what is
 * under way before it lets somebody else write.
 */
#ifndef KUBE_FENCE_H
#define KUBE_FENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/request.h"

struct fence {
	int64_t (*now_ms)(const struct fence *f); /* on a clock that goes on while the process or machine is stopped */
	int64_t until_ms;			  /* nothing is sent at this time or later */
	unsigned under_way;			  /* sent, and not answered yet */
	int64_t unanswered_ms; /* when the last write ended that may take place still; INT64_MIN: none did */
	struct fence *next;    /* borrowed: what passes here has to pass that one too; or NULL */
};

/* A fence that lets nothing pass. */
void fence_init(struct fence *f, int64_t (*now_ms)(const struct fence *f));
bool fence_is_open(const struct fence *f);
/* To be called right before a request is sent. Returns false if it must not be sent; true counts it as under way. */
bool fence_enter(struct fence *f);
/* To be called for a request that has entered, when it is over. reply NULL: it was cancelled. */
void fence_leave(struct fence *f, const struct reply *reply);

#endif
