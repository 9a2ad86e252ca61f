/*
 * The cache of one kind: a map of entries by key, and buckets of entries by index value.
 *
 * Happy path: store_upsert finds or makes the entry, moves it to the bucket of its index value and calls the listeners.
 * A relist needs no second copy. Every upsert stamps its entry with a running number. store_relist_begin keeps that
 * number, and store_relist_end removes entries with an older one. The number is common to all namespaces, so that
 * relists of several of them do not disturb each other.
 *
 * Nothing here fails. An object that is not newer than the cached one is dropped, see is_news.
 */
#include "kube/store.h"

#include <assert.h>
#include <stdint.h>

#include "base/map.h"
#include "base/text.h"

struct bucket;

struct entry {
	struct kobj *obj;
	uint64_t stamp;	       /* of the last upsert, even if that changed nothing */
	struct bucket *bucket; /* NULL if the object has no index value */
	size_t slot;	       /* in the bucket */
};

struct bucket {
	struct entry **items; /* borrowed from the map of entries */
	size_t len;
	size_t cap;
};

struct listener {
	store_change_fn *fn;
	void *arg;
};

struct store {
	const struct kind *kind;
	struct map *entries; /* key → struct entry */
	struct map *buckets; /* index value → struct bucket, never an empty one */
	struct map *begun;   /* namespace, "" for all → uint64_t *: stamp of the last begin */
	uint64_t stamps;
	struct listener *listeners;
	size_t listener_count;
};

static void entry_free(void *value)
{
	struct entry *e = value;

	kobj_unref(e->obj);
	free(e);
}

static void bucket_free(void *value)
{
	struct bucket *b = value;

	free(b->items);
	free(b);
}

struct store *store_new(const struct kind *kind)
{
	struct store *s = xcalloc(1, sizeof(*s));

	s->kind = kind;
	s->entries = map_new(entry_free);
	s->buckets = map_new(bucket_free);
	s->begun = map_new(free);
	return s;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	map_free(s->entries);
	map_free(s->buckets);
	map_free(s->begun);
	free(s->listeners);
	free(s);
}

void store_on_change(struct store *s, store_change_fn *fn, void *arg)
{
	s->listeners = xreallocarray(s->listeners, s->listener_count + 1, sizeof(*s->listeners));
	s->listeners[s->listener_count++] = (struct listener){ fn, arg };
}

static void notify_listeners(const struct store *s, const struct kobj *before, const struct kobj *now)
{
	for (size_t i = 0; i < s->listener_count; i++)
		s->listeners[i].fn(s->listeners[i].arg, before, now);
}

const struct kind *store_kind(const struct store *s)
{
	return s->kind;
}

size_t store_len(const struct store *s)
{
	return map_len(s->entries);
}

struct kobj *store_get(const struct store *s, const char *key)
{
	const struct entry *e = map_get(s->entries, key);

	return e ? e->obj : NULL;
}

/* ---- index ---- */

static void bucket_add(struct store *s, struct entry *e)
{
	struct bucket *b;

	if (!e->obj->index)
		return;
	b = map_get(s->buckets, e->obj->index);
	if (!b) {
		b = xcalloc(1, sizeof(*b));
		map_set(s->buckets, e->obj->index, b);
	}
	if (b->len == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 4;
		b->items = xreallocarray(b->items, b->cap, sizeof(struct entry *));
	}
	e->bucket = b;
	e->slot = b->len;
	b->items[b->len++] = e;
}

/* Removes the entry from its bucket. The last entry moves into the gap. */
static void bucket_remove(struct store *s, struct entry *e)
{
	struct bucket *b = take_ptr(e->bucket);

	if (!b)
		return;
	b->len--;
	b->items[e->slot] = b->items[b->len];
	b->items[e->slot]->slot = e->slot;
	if (b->len == 0)
		map_remove(s->buckets, e->obj->index);
}

/* ---- changes ---- */

/* Whether got is newer than have. Another uid means another object: it was deleted and created again. */
static bool is_news(const struct kobj *have, const struct kobj *got)
{
	bool ordered;
	int order = resource_version_compare(got->resource_version, have->resource_version, &ordered);

	if (order == 0)
		return false;
	return order > 0 || !ordered || !text_eq(have->uid, got->uid);
}

static void entry_add(struct store *s, struct kobj *o)
{
	struct entry *e = xcalloc(1, sizeof(*e));

	e->obj = o;
	e->stamp = ++s->stamps;
	map_set(s->entries, o->key, e);
	bucket_add(s, e);
	notify_listeners(s, NULL, o);
}

static void entry_replace(struct store *s, struct entry *e, struct kobj *o)
{
	auto_kobj before = e->obj;

	if (text_eq(before->index, o->index)) {
		e->obj = o;
	} else {
		bucket_remove(s, e);
		e->obj = o;
		bucket_add(s, e);
	}
	notify_listeners(s, before, o);
}

void store_upsert(struct store *s, struct kobj *o)
{
	struct entry *e = map_get(s->entries, o->key);

	assert(o->kind == s->kind);
	if (!e) {
		entry_add(s, o);
		return;
	}
	e->stamp = ++s->stamps;
	if (is_news(e->obj, o))
		entry_replace(s, e, o);
	else
		kobj_unref(o);
}

static void entry_drop(struct store *s, struct entry *e)
{
	auto_kobj before = kobj_ref(e->obj);

	bucket_remove(s, e);
	map_remove(s->entries, before->key);
	notify_listeners(s, before, NULL);
}

void store_remove(struct store *s, const char *key)
{
	struct entry *e = map_get(s->entries, key);

	if (e)
		entry_drop(s, e);
}

void store_relist_begin(struct store *s, const char *ns)
{
	uint64_t *begun = xmalloc(sizeof(*begun));

	*begun = ++s->stamps;
	map_set(s->begun, ns ? ns : "", begun);
}

void store_relist_end(struct store *s, const char *ns)
{
	auto_free uint64_t *begun = map_take(s->begun, ns ? ns : "");
	struct map_iter it = { 0 };

	assert(begun);
	while (map_next(s->entries, &it)) {
		struct entry *e = it.value;

		if (e->stamp < *begun && (!ns || text_eq(e->obj->ns, ns)))
			entry_drop(s, e);
	}
}

/* ---- iteration ---- */

struct kobj *store_next(const struct store *s, size_t *pos)
{
	struct map_iter it = { .pos = *pos };

	if (!map_next(s->entries, &it))
		return NULL;
	*pos = it.pos;
	return ((const struct entry *)it.value)->obj;
}

struct kobj *store_index_next(const struct store *s, const char *value, size_t *pos)
{
	const struct bucket *b = map_get(s->buckets, value);

	if (!b || *pos >= b->len)
		return NULL;
	return b->items[(*pos)++]->obj;
}
