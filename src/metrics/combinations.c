/*
 * Combinations of label values, see combinations.h. They are found by their values, joined by line ends, which no value
 * of a label has.
 *
 * Failure modes: there is no room. Then objects count as "other".
 */
#include "combinations.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

struct combinations {
	size_t count; /* of values */
	bool dropping;
	combination_fn *appear;
	combination_fn *drop;
	void *arg;
	struct map *all;	   /* joined values → struct combination */
	struct combination *other; /* one of them; NULL: there was room for all */
	struct buf key;		   /* of the lookup under way */
	int64_t looked_ms;	   /* when it was last looked for those to drop */
};

static void free_combination(void *value)
{
	struct combination *c = value;

	strv_done(&c->values);
	free(c);
}

struct combinations *combinations_new(size_t count, bool dropping, combination_fn *appear, combination_fn *drop,
				      void *arg)
{
	struct combinations *cs = xcalloc(1, sizeof(*cs));

	cs->count = count;
	cs->dropping = dropping;
	cs->appear = appear;
	cs->drop = drop;
	cs->arg = arg;
	cs->all = map_new(free_combination);
	buf_init(&cs->key, SIZE_MAX);
	return cs;
}

void combinations_free(struct combinations *cs)
{
	if (!cs)
		return;
	map_free(cs->all);
	buf_done(&cs->key);
	free(cs);
}

/* Puts the key of these values into cs->key; NULL: those of "other". */
static const char *make_key(struct combinations *cs, const char *const *values)
{
	buf_clear(&cs->key);
	for (size_t i = 0; i < cs->count; i++) {
		buf_puts(&cs->key, values ? values[i] : "other");
		buf_putc(&cs->key, '\n');
	}
	return buf_str(&cs->key);
}

/* values NULL: those of "other". */
static struct combination *add_combination(struct combinations *cs, const char *const *values)
{
	struct combination *c = xcalloc(1, sizeof(*c));

	for (size_t i = 0; i < cs->count; i++)
		strv_add(&c->values, values ? values[i] : "other");
	map_set(cs->all, make_key(cs, values), c);
	cs->appear(cs->arg, c);
	return c;
}

/* An object may have those very values, and then has one combination with those for which there is no room. */
static struct combination *find_or_add_other(struct combinations *cs)
{
	struct combination *c = map_get(cs->all, make_key(cs, NULL));

	return c ? c : add_combination(cs, NULL);
}

struct combination *combinations_get(struct combinations *cs, const char *const *values, int64_t now_ms)
{
	struct combination *c = map_get(cs->all, make_key(cs, values));

	if (!c && map_len(cs->all) - (cs->other ? 1 : 0) < COMBINATIONS_MAX)
		c = add_combination(cs, values);
	if (!c && !cs->other)
		cs->other = find_or_add_other(cs);
	c = c ? c : cs->other;
	c->used_ms = now_ms;
	return c;
}

static bool is_unused(const struct combinations *cs, const struct combination *c, int64_t now_ms)
{
	return c != cs->other && c->objects == 0 && now_ms - c->used_ms >= COMBINATION_UNUSED_MS;
}

static void reset_counts(const struct combinations *cs)
{
	struct map_iter it = { 0 };

	while (map_next(cs->all, &it)) {
		struct combination *c = it.value;

		c->objects = 0;
		c->running = 0;
		c->executors = 0;
	}
}

bool combinations_drop_unused(struct combinations *cs, int64_t now_ms)
{
	struct map_iter it = { 0 };
	bool dropped = false;

	if (!cs->dropping || now_ms - cs->looked_ms < COMBINATION_UNUSED_MS / 4)
		return false;
	cs->looked_ms = now_ms;
	while (map_next(cs->all, &it)) {
		if (!is_unused(cs, it.value, now_ms))
			continue;
		cs->drop(cs->arg, it.value);
		map_remove(cs->all, it.key);
		dropped = true;
	}
	if (!dropped || !cs->other || cs->other->objects == 0)
		return false;
	reset_counts(cs);
	return true;
}

struct combination *combinations_next(const struct combinations *cs, size_t *pos)
{
	struct map_iter it = { .pos = *pos };

	if (!map_next(cs->all, &it))
		return NULL;
	*pos = it.pos;
	return it.value;
}
