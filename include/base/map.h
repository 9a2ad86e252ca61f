/*
 * A hash map from strings to pointers. Keys are copied; values are the caller's unless free_value is given.
 * Iteration is in order of insertion, so that what is built from a map is the same in every run.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

struct map;

/* free_value (may be NULL) is called for values that are replaced, removed or left at the end. */
struct map *map_new(void (*free_value)(void *value));
void map_free(struct map *m);
size_t map_len(const struct map *m);
/* NULL if absent. */
void *map_get(const struct map *m, const char *key);
/* Takes value (not NULL). Returns true if the key is new. */
bool map_set(struct map *m, const char *key, void *value);
/* Removes and frees the value; false if absent. */
bool map_remove(struct map *m, const char *key);
/* Removes and returns the value without freeing it; NULL if absent. */
void *map_take(struct map *m, const char *key);

/* `struct map_iter it = {0}; while (map_next(m, &it)) ... it.key, it.value`. The current entry may be removed
 * while iterating; other changes are not allowed. */
struct map_iter {
	const char *key;
	void *value;
	size_t pos;
};
bool map_next(const struct map *m, struct map_iter *it);

static inline void map_cleanup(struct map **m)
{
	map_free(*m);
}
#define auto_map __attribute__((cleanup(map_cleanup))) struct map *

#endif
