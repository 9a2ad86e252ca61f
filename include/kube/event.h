/*
 * Events (core/v1) as objects. Repetitions within a window are one object with a count, as client-go's
 * EventCorrelator does it (tools/record/events_cache.go): the key is object uid, type, reason and message.
 */
#ifndef KUBE_EVENT_H
#define KUBE_EVENT_H

#include "kube/resource.h"

struct event_about {
	const struct resource *res;
	const char *ns;
	const char *name;
	const char *uid;
};

/* The Event to create: metadata.name "NAME.<16 hex>" unique for (about, reason, message, wall_ms), count 1,
 * first/lastTimestamp, source.component and reportingComponent = component. message is cut at 1024 bytes. Owned. */
struct json *event_build(const struct event_about *about, const char *type, const char *reason, const char *message,
			 const char *component, const char *instance, int64_t wall_ms);
/* The merge patch of a repetition: count, lastTimestamp. Owned. */
struct json *event_repeat(int64_t count, int64_t wall_ms);

#endif
