/*
 * Outcomes of optional creations: a short list, looked through from its start.
 *
 * What is lost with the process is found again: the next one creates the objects once more and is told that they are
 * there.
 */
#include "kube/outcome.h"

#include "base/mem.h"
#include "base/text.h"

bool failure_is_refusal(const struct failure *f)
{
	static const bool refusals[] = {
		[ERR_NOT_FOUND] = true, [ERR_EXISTS] = true,	[ERR_INVALID] = true,
		[ERR_DENIED] = true,	[ERR_TOO_LARGE] = true, [ERR_INTERNAL] = false,
	};

	if (f->err.code == ERR_EXISTS && f->holder != HOLDER_STRANGER)
		return false;
	return (f->type == ACTION_CREATE || f->type == ACTION_REHEARSE) && refusals[f->err.code];
}

static void clear_outcome(struct outcome *o)
{
	free(take_ptr(o->value));
	free(take_ptr(o->problem));
}

static struct outcome *ensure_outcome(struct outcomes *o, const struct resource *res, const char *name)
{
	for (size_t i = 0; i < o->len; i++)
		if (o->items[i].res == res && text_eq(o->items[i].name, name))
			return &o->items[i];
	o->items = xreallocarray(o->items, o->len + 1, sizeof(*o->items));
	o->items[o->len] = (struct outcome){ .res = res, .name = xstrdup(name) };
	return &o->items[o->len++];
}

bool failure_is_presence(const struct failure *f, const struct resource *res)
{
	return f->type == ACTION_ABSENT && f->res == res && f->err.code == ERR_EXISTS;
}

static const char *value_of(const struct action *action, const struct json *object)
{
	if (action->noted && !text_empty(action->label_value))
		return action->label_value;
	return action->report ? json_str(object, action->report, "") : "";
}

void outcomes_note(struct outcomes *o, const struct action *action, const struct json *object, const struct err *err,
		   int64_t wall_ms)
{
	struct outcome *outcome = ensure_outcome(o, action->res, action->name);

	clear_outcome(outcome);
	outcome->noted = action->noted;
	outcome->tried_ms = wall_ms;
	outcome->tries++;
	if (!err) { /* object is NULL if the answer had no body */
		outcome->value = xstrdup(value_of(action, object));
		outcome->failures = 0;
		return;
	}
	outcome->problem = xstrdup(err->msg);
	outcome->failed_ms = wall_ms;
	outcome->failures++;
}

bool outcomes_have(const struct outcomes *o, const struct resource *res, const char *value)
{
	for (size_t i = 0; i < o->len; i++)
		if (o->items[i].res == res && o->items[i].value && text_eq(o->items[i].value, value))
			return true;
	return false;
}

const struct outcome *outcomes_find(const struct outcomes *o, const struct resource *res, const char *name)
{
	for (size_t i = 0; i < o->len; i++)
		if (o->items[i].res == res && text_eq(o->items[i].name, name))
			return &o->items[i];
	return NULL;
}

void outcomes_done(struct outcomes *o)
{
	for (size_t i = 0; i < o->len; i++) {
		clear_outcome(&o->items[i]);
		free(o->items[i].name);
	}
	free(o->items);
	*o = (struct outcomes){ 0 };
}
