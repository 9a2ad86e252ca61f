/*
 * The cache of one kind: the objects as the informers have seen them last, by key, by namespace and with one index.
 *
 * The contract is that of client-go (tools/cache/shared_informer.go). Of each object, some or all of its states are
 * seen, in their order. Between objects there is no order. The identity is namespace and name, so an object that is
 * deleted and created again may appear as one change with another uid. The change callback runs after the store has
 * changed.
 */
#ifndef KUBE_STORE_H
#define KUBE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "kube/object.h"

struct store;

/* before or now is NULL for an addition or a removal; both are borrowed. Must not change the store. */
typedef void store_change_fn(void *arg, const struct kobj *before, const struct kobj *now);

struct store *store_new(const struct kind *kind);
void store_free(struct store *s);
/* Several listeners, called in order of registration. */
void store_on_change(struct store *s, store_change_fn *fn, void *arg);
/* No longer: before arg is freed, if the store outlives it. */
void store_off_change(struct store *s, store_change_fn *fn, const void *arg);

const struct kind *store_kind(const struct store *s);
size_t store_len(const struct store *s);
/* Borrowed until the next change; NULL if absent. */
struct kobj *store_get(const struct store *s, const char *key);

/* Takes o. It is ignored (and unreferenced) if the stored object has the same resourceVersion or, with the same uid, a
 * newer one: late and repeated events never move the cache backwards. */
void store_upsert(struct store *s, struct kobj *o);
void store_remove(struct store *s, const char *key);

/*
 * Relist: begin, then store_upsert for each item, then end, which removes every object in `ns` (NULL: everywhere) that
 * was not upserted since begin. begin returns the number by which end knows the relist, so any number of relists may be
 * under way, of the same namespace too. A relist that is broken off needs no end. Objects with the same version cause
 * no change callback. The end costs as much as there are objects in the namespace.
 */
uint64_t store_relist_begin(struct store *s);
void store_relist_end(struct store *s, const char *ns, uint64_t relist);

/* All objects, those whose kobj->index equals value, or those of a namespace ("": of none), in no particular order. The
 * store must not change in between. Start with *pos = 0; NULL at the end. */
struct kobj *store_next(const struct store *s, size_t *pos);
struct kobj *store_index_next(const struct store *s, const char *value, size_t *pos);
struct kobj *store_ns_next(const struct store *s, const char *ns, size_t *pos);

#endif
