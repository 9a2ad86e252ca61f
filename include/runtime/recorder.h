/*
 * Records events on objects: fire and forget, in the low lane, repetitions aggregated (kube/event.h).
 * At most 25 events per object in a burst, then one per 5 minutes and object (client-go EventSourceObjectSpamFilter); at most
 * 32768 waiting, as small records, the oldest is dropped and counted. A refused event is logged once per class and minute.
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
size_t recorder_pending(const struct recorder *r);
void recorder_free(struct recorder *r);

#endif
