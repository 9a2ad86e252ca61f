/*
 * The hash map: an array of entries in order of insertion and an open-addressed table of indexes into it. Removal
 * leaves a hole in both; holes go when the table is rebuilt, which only map_set does, so that iteration with removal
 * of the current entry is safe. The hash is seeded with the map's address, so that nobody outside can choose
 * keys that collide. The order of iteration does not depend on hashes.
 */
#include "base/map.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { FREE_SLOT = 0, DEAD_SLOT = 1, FIRST_SLOT = 2, MIN_SLOTS = 8 };

struct entry {
	char *key; /* NULL: removed */
	void *value;
	uint64_t hash;
};

struct map {
	struct entry *entries;
	uint32_t *slots; /* FREE_SLOT, DEAD_SLOT or FIRST_SLOT + index into entries */
	size_t slot_count;
	size_t used; /* entries with holes; at most 2/3 of slot_count */
	size_t len;
	void (*free_value)(void *value);
};

struct map *map_new(void (*free_value)(void *value))
{
	struct map *m = xcalloc(1, sizeof(*m));

	m->free_value = free_value;
	return m;
}

static void drop_value(struct map *m, void *value)
{
	if (m->free_value)
		m->free_value(value);
}

void map_free(struct map *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->used; i++) {
		if (!m->entries[i].key)
			continue;
		free(m->entries[i].key);
		drop_value(m, m->entries[i].value);
	}
	free(m->entries);
	free(m->slots);
	free(m);
}

size_t map_len(const struct map *m)
{
	return m->len;
}

static uint64_t hash_of(const struct map *m, const char *key)
{
	return text_hash((uintptr_t)m, key);
}

/* The slot that holds key, or NULL. */
static uint32_t *find_slot(const struct map *m, const char *key, uint64_t hash)
{
	size_t mask = m->slot_count - 1;

	if (m->slot_count == 0)
		return NULL;
	for (size_t i = (size_t)hash & mask; m->slots[i] != FREE_SLOT; i = (i + 1) & mask) {
		const struct entry *e;

		if (m->slots[i] == DEAD_SLOT)
			continue;
		e = &m->entries[m->slots[i] - FIRST_SLOT];
		if (e->hash == hash && strcmp(e->key, key) == 0)
			return &m->slots[i];
	}
	return NULL;
}

static void fill_slot(struct map *m, size_t index)
{
	size_t mask = m->slot_count - 1;
	size_t i = (size_t)m->entries[index].hash & mask;

	while (m->slots[i] != FREE_SLOT)
		i = (i + 1) & mask;
	m->slots[i] = (uint32_t)(FIRST_SLOT + index);
}

static void rebuild_slots(struct map *m)
{
	size_t count = MIN_SLOTS, kept = 0;

	while (count / 2 < m->len + 1)
		count *= 2;
	assert(count < UINT32_MAX - FIRST_SLOT);
	for (size_t i = 0; i < m->used; i++)
		if (m->entries[i].key)
			m->entries[kept++] = m->entries[i];
	m->used = kept;
	m->entries = xreallocarray(m->entries, count, sizeof(*m->entries));
	free(m->slots);
	m->slots = xcalloc(count, sizeof(*m->slots));
	m->slot_count = count;
	for (size_t i = 0; i < m->used; i++)
		fill_slot(m, i);
}

void *map_get(const struct map *m, const char *key)
{
	const uint32_t *slot = find_slot(m, key, hash_of(m, key));

	return slot ? m->entries[*slot - FIRST_SLOT].value : NULL;
}

bool map_set(struct map *m, const char *key, void *value)
{
	uint64_t hash = hash_of(m, key);
	const uint32_t *slot = find_slot(m, key, hash);

	assert(value);
	if (slot) {
		struct entry *e = &m->entries[*slot - FIRST_SLOT];
		void *old = e->value;

		e->value = value;
		if (old != value)
			drop_value(m, old);
		return false;
	}
	if ((m->used + 1) * 3 > m->slot_count * 2)
		rebuild_slots(m);
	m->entries[m->used] = (struct entry){ xstrdup(key), value, hash };
	fill_slot(m, m->used++);
	m->len++;
	return true;
}

void *map_take(struct map *m, const char *key)
{
	uint32_t *slot = find_slot(m, key, hash_of(m, key));
	struct entry *e;
	void *value;

	if (!slot)
		return NULL;
	e = &m->entries[*slot - FIRST_SLOT];
	*slot = DEAD_SLOT;
	value = e->value;
	free(e->key);
	*e = (struct entry){ 0 };
	m->len--;
	return value;
}

bool map_remove(struct map *m, const char *key)
{
	void *value = map_take(m, key);

	if (!value)
		return false;
	drop_value(m, value);
	return true;
}

bool map_next(const struct map *m, struct map_iter *it)
{
	while (it->pos < m->used) {
		const struct entry *e = &m->entries[it->pos++];

		if (!e->key)
			continue;
		it->key = e->key;
		it->value = e->value;
		return true;
	}
	return false;
}
