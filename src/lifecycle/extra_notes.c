/*
 * Notes on the objects beside applications, see extra_notes.h: per application a short list, looked through from its start.
 *
 * An object that a cache or the status knows of is not noted. What is lost with the process is found again: the next one
 * creates the objects once more and is told that they are there.
 */
#include "lifecycle/extra_notes.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

struct extra_notes {
	struct map *apps; /* key → struct note */
};

struct note {
	struct extra_sighting *items; /* their strings are owned */
	size_t len;
};

static void clear(struct extra_sighting *s)
{
	free((char *)s->address);
	free((char *)s->problem);
	s->address = s->problem = NULL;
}

static void remove_at(struct note *note, size_t i)
{
	clear(&note->items[i]);
	free((char *)note->items[i].name);
	note->items[i] = note->items[--note->len];
}

static void free_note(void *value)
{
	struct note *note = value;

	while (note->len > 0)
		remove_at(note, note->len - 1);
	free(note->items);
	free(note);
}

struct extra_notes *extra_notes_new(void)
{
	struct extra_notes *n = xcalloc(1, sizeof(*n));

	n->apps = map_new(free_note);
	return n;
}

void extra_notes_free(struct extra_notes *n)
{
	map_free(n->apps);
	free(n);
}

static struct extra_sighting *find(struct extra_notes *n, const char *key, const struct action *action)
{
	struct note *note = map_get(n->apps, key);

	if (!note) {
		note = xcalloc(1, sizeof(*note));
		map_set(n->apps, key, note);
	}
	for (size_t i = 0; i < note->len; i++)
		if (note->items[i].res == action->res && text_eq(note->items[i].name, action->name))
			return &note->items[i];
	note->items = xreallocarray(note->items, note->len + 1, sizeof(*note->items));
	note->items[note->len] = (struct extra_sighting){ .res = action->res, .name = xstrdup(action->name) };
	return &note->items[note->len++];
}

void extra_notes_add(struct extra_notes *n, const char *key, const struct action *action, const struct json *object,
		     const struct err *err, int64_t wall_ms)
{
	struct extra_sighting *s = find(n, key, action);
	const char *address = json_str(object, "spec.clusterIP", "");

	clear(s);
	if (object) {
		s->address = xstrdup(text_eq(address, "None") ? "" : address);
		s->failures = 0;
		return;
	}
	s->problem = xstrdup(err->msg);
	s->failed_ms = wall_ms;
	s->failures++;
}

const struct extra_sighting *extra_notes_get(const struct extra_notes *n, const char *key, size_t *ret_len)
{
	const struct note *note = map_get(n->apps, key);

	*ret_len = note ? note->len : 0;
	return note ? note->items : NULL;
}

void extra_notes_told(struct extra_notes *n, const char *key, const struct app *app)
{
	struct note *note = map_get(n->apps, key);

	if (!note)
		return;
	for (size_t i = note->len; i > 0; i--) {
		const struct extra_sighting *s = &note->items[i - 1];

		if (extras_is_told(app, json_get(app->status, "driverInfo"), s->res, s->name))
			remove_at(note, i - 1);
	}
	if (note->len == 0)
		map_remove(n->apps, key);
}

void extra_notes_drop(struct extra_notes *n, const char *key)
{
	map_remove(n->apps, key);
}
