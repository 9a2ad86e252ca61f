/*
 * Combinations of label values, and what is counted for each. Their number is bounded, since labels of applications may
 * be different for each run: beyond COMBINATIONS_MAX, objects are counted in one combination whose values are "other",
 * and a combination that has had no object for an hour is dropped.
 *
 * Nobody keeps a combination over a call of combinations_drop_unused.
 */
#ifndef METRICS_COMBINATIONS_H
#define METRICS_COMBINATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { COMBINATIONS_MAX = 9999, COMBINATION_UNUSED_MS = 60 * 60 * 1000 };

struct combination {
	struct strv values;
	size_t objects;	  /* applications and executors that have these values */
	size_t running;	  /* of the applications */
	size_t executors; /* that run */
	int64_t used_ms;  /* when one of these last changed, or was counted in a counter */
};

struct combinations;

/* What is to be done when a combination appears, and before it is dropped. */
typedef void combination_fn(void *arg, const struct combination *c);

/* count: of values. dropping: whether any may be dropped. */
struct combinations *combinations_new(size_t count, bool dropping, combination_fn *appear, combination_fn *drop,
				      void *arg);
void combinations_free(struct combinations *cs);
/* The combination of these values, which appears if it is not there and there is room, or else that of "other".
 * Borrowed. */
struct combination *combinations_get(struct combinations *cs, const char *const *values, int64_t now_ms);
/* Drops those that have no object for an hour. Returns true if objects that were counted as "other" may have values for
 * which there is room now, so that everything has to be counted again: then all counts are 0. */
bool combinations_drop_unused(struct combinations *cs, int64_t now_ms);
/* All of them: start with *pos = 0; NULL at the end. */
struct combination *combinations_next(const struct combinations *cs, size_t *pos);

#endif
