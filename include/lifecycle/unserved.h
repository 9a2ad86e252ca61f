/*
 * Kinds whose CRDs are installed but which this version does not run: ScheduledSparkApplication and SparkConnect. Their
 * objects are stored and checked, and nothing else happens to them. So that nobody waits for a run in vain, each of
 * them says so once, in its status and by a Warning event.
 */
#ifndef LIFECYCLE_UNSERVED_H
#define LIFECYCLE_UNSERVED_H

#include "base/time.h"
#include "kube/object.h"
#include "kube/plan.h"

/* For store and informer. They drop the tree; the view is private. */
extern const struct kind unserved_schedule_kind;
extern const struct kind unserved_connect_kind;

/* Plans the status write and the event, for an object of one of the kinds above that does not say it yet. */
void unserved_plan(const struct kobj *obj, int64_t now_ms, struct plan *plan);

#endif
