/*
 * The cache of one kind: a map of entries by key, and groups of entries by index value and by namespace.
 *
 * Happy path: store_upsert finds or makes the entry, moves it to the groups that it belongs to and calls the listeners.
 * A relist needs no second copy. Every upsert stamps its entry with a running number. store_relist_begin returns that
 * number, and store_relist_end removes entries with an older one. So each relist is known by its number, and several
 * relists, of whatever namespaces, do not disturb each other. A relist looks at the objects of its namespace only.
 *
 * Nothing here fails. An object that is not newer than the cached one is dropped, see is_news.
 */
#include "kube/store.h"

#include <assert.h>

#include "base/map.h"
#include "base/text.h"
#include "store_cost.h"

enum grouping { BY_INDEX, BY_NAMESPACE, GROUPINGS };

struct entry {
	struct kobj *obj;
	uint64_t stamp; /* of the last upsert, even if that changed nothing */
	struct {
		struct group *group; /* NULL if the object has no index value */
		size_t slot;	     /* in the group */
	} places[GROUPINGS];
};

struct group {
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
	struct map *entries;	       /* key → struct entry */
	struct map *groups[GROUPINGS]; /* index value or namespace → struct group, never an empty one */
	uint64_t stamps;
	uint64_t looks;
	struct listener *listeners;
	size_t listener_count;
};

static void entry_free(void *value)
{
	struct entry *e = value;

	kobj_unref(e->obj);
	free(e);
}

static void group_free(void *value)
{
	struct group *g = value;

	free(g->items);
	free(g);
}

struct store *store_new(const struct kind *kind)
{
	struct store *s = xcalloc(1, sizeof(*s));

	s->kind = kind;
	s->entries = map_new(entry_free);
	for (enum grouping by = 0; by < GROUPINGS; by++)
		s->groups[by] = map_new(group_free);
	return s;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	map_free(s->entries);
	for (enum grouping by = 0; by < GROUPINGS; by++)
		map_free(s->groups[by]);
	free(s->listeners);
	free(s);
}

void store_on_change(struct store *s, store_change_fn *fn, void *arg)
{
	s->listeners = xreallocarray(s->listeners, s->listener_count + 1, sizeof(*s->listeners));
	s->listeners[s->listener_count++] = (struct listener){ fn, arg };
}

void store_off_change(struct store *s, store_change_fn *fn, const void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->listener_count; i++)
		if (s->listeners[i].fn != fn || s->listeners[i].arg != arg)
			s->listeners[kept++] = s->listeners[i];
	s->listener_count = kept;
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

/* ---- groups ---- */

/* The name of the group that the object belongs to; NULL: none. */
static const char *group_name(const struct kobj *o, enum grouping by)
{
	return by == BY_INDEX ? o->index : o->ns;
}

static struct group *ensure_group(struct map *groups, const char *name)
{
	struct group *g = map_get(groups, name);

	if (g)
		return g;
	g = xcalloc(1, sizeof(*g));
	map_set(groups, name, g);
	return g;
}

static void group_add(struct store *s, struct entry *e, enum grouping by)
{
	const char *name = group_name(e->obj, by);
	struct group *g;

	if (!name)
		return;
	g = ensure_group(s->groups[by], name);
	if (g->len == g->cap) {
		g->cap = g->cap ? g->cap * 2 : 4;
		g->items = xreallocarray(g->items, g->cap, sizeof(struct entry *));
	}
	e->places[by].group = g;
	e->places[by].slot = g->len;
	g->items[g->len++] = e;
}

/* Removes the entry from its group. The last entry moves into the gap. */
static void group_remove(struct store *s, struct entry *e, enum grouping by)
{
	struct group *g = take_ptr(e->places[by].group);
	size_t slot = e->places[by].slot;

	if (!g)
		return;
	g->len--;
	g->items[slot] = g->items[g->len];
	g->items[slot]->places[by].slot = slot;
	if (g->len == 0)
		map_remove(s->groups[by], group_name(e->obj, by));
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
	for (enum grouping by = 0; by < GROUPINGS; by++)
		group_add(s, e, by);
	notify_listeners(s, NULL, o);
}

/* The namespace stays the same, as it is a part of the key. */
static void entry_replace(struct store *s, struct entry *e, struct kobj *o)
{
	auto_kobj before = e->obj;

	if (text_eq(before->index, o->index)) {
		e->obj = o;
	} else {
		group_remove(s, e, BY_INDEX);
		e->obj = o;
		group_add(s, e, BY_INDEX);
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

	for (enum grouping by = 0; by < GROUPINGS; by++)
		group_remove(s, e, by);
	map_remove(s->entries, before->key);
	notify_listeners(s, before, NULL);
}

void store_remove(struct store *s, const char *key)
{
	struct entry *e = map_get(s->entries, key);

	if (e)
		entry_drop(s, e);
}

uint64_t store_relist_begin(struct store *s)
{
	return ++s->stamps;
}

static void drop_if_older(struct store *s, struct entry *e, uint64_t relist)
{
	s->looks++;
	if (e->stamp < relist)
		entry_drop(s, e);
}

/* From the end, since an entry that is removed is replaced by the last one. The group goes with its last entry. */
static void end_relist_of_namespace(struct store *s, const char *ns, uint64_t relist)
{
	struct group *g = map_get(s->groups[BY_NAMESPACE], ns);

	for (size_t left = g ? g->len : 0; left > 0; left--)
		drop_if_older(s, g->items[left - 1], relist);
}

void store_relist_end(struct store *s, const char *ns, uint64_t relist)
{
	struct map_iter it = { 0 };

	if (ns) {
		end_relist_of_namespace(s, ns, relist);
		return;
	}
	while (map_next(s->entries, &it))
		drop_if_older(s, it.value, relist);
}

uint64_t store_looks(const struct store *s)
{
	return s->looks;
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

static struct kobj *next_in_group(const struct map *groups, const char *name, size_t *pos)
{
	const struct group *g = map_get(groups, name);

	return g && *pos < g->len ? g->items[(*pos)++]->obj : NULL;
}

struct kobj *store_index_next(const struct store *s, const char *value, size_t *pos)
{
	return next_in_group(s->groups[BY_INDEX], value, pos);
}

struct kobj *store_ns_next(const struct store *s, const char *ns, size_t *pos)
{
	return next_in_group(s->groups[BY_NAMESPACE], ns, pos);
}
