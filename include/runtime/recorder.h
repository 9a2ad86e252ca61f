/*
 * Records events on objects, in the low lane. The caller learns nothing of their fate. Repetitions become one Event
 * with a count (kube/event.h). An object may have 25 events in a burst, then one in 5 minutes (client-go
 * EventSourceObjectSpamFilter). At most 32768 events wait, as small records; beyond that the oldest is dropped and
 * counted. A refused event is logged once per class and minute.
 */
#ifndef RUNTIME_RECORDER_H
#define RUNTIME_RECORDER_H

#include "base/metrics.h"
#include "base/sched.h"
#include "kube/api.h"
#include "kube/event.h"

struct recorder;

struct recorder *recorder_new(struct api *api, struct sched *sched, const char *component, const char *instance,
			      struct metrics *metrics);
void recorder_event(struct recorder *r, const struct event_about *about, const char *type, const char *reason,
		    const char *message);
/* How many events wait or are on their way. */
size_t recorder_pending(const struct recorder *r);
/* How many are remembered: those, and at most 1024 that were sent and may be repeated. */
size_t recorder_len(const struct recorder *r);
void recorder_free(struct recorder *r);

#endif
