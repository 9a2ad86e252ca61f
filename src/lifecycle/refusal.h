/*
 * What a failed submission means for the application: whether it is told, and whether it is the end.
 */
#ifndef LIFECYCLE_REFUSAL_H
#define LIFECYCLE_REFUSAL_H

#include "kube/outcome.h"
#include "spark/app.h"

struct refusal {
	bool is_told;	    /* the status says it */
	bool is_final;	    /* the submission is given up */
	char *message;	    /* for the status; owned, NULL if it is neither told nor final */
	const char *reason; /* for the condition Submitted: Refused, NameInUse or Retrying */
	int64_t next_ms;    /* from now: when the judgement changes though nothing else does; -1: never */
};

/*
 * app: the message names its fields where the API server does not know those of a pod. limit_ms: how long a refusal is
 * stood, from the first one in a row. now_ms: wall clock.
 *
 *   refused by the API server    told at once, final after limit_ms (INVALID and TOO_LARGE: after 5 s at most)
 *   the name's holder is ending  told at once, final a minute after the holder's grace period at the earliest
 *   any other trouble            told after 30 s, never final
 */
void refusal_judge(struct refusal *ret, const struct failure *f, const struct app *app, int64_t limit_ms,
		   int64_t now_ms);
void refusal_done(struct refusal *r);
#define auto_refusal __attribute__((cleanup(refusal_done))) struct refusal

#endif
