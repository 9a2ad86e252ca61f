/*
 * The JSON Patch that makes one tree of another. Changes are collected with borrowed values, each tree is walked
 * once, and operations are made of them at the end: what an outer decision takes back costs nothing.
 *
 * An array is changed in place as long as its elements can be told apart: those with a "name" by that, as
 * Kubernetes merges them, others by their whole value. Where elements were inserted, removed or renamed, or too
 * many changed, the whole array is replaced. Below an element whose whole value has been tested nothing is tested
 * again (`sure`).
 */
#include "json/patch.h"

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/text.h"
#include "members.h"

enum { CHANGED_ELEMENTS_MAX = 100 };

enum patch_op { OP_TEST, OP_ADD, OP_REMOVE, OP_REPLACE };

static const char *const op_names[] = {
	[OP_TEST] = "test",
	[OP_ADD] = "add",
	[OP_REMOVE] = "remove",
	[OP_REPLACE] = "replace",
};

struct change {
	enum patch_op op;
	char *path;
	const struct json *value; /* NULL for OP_REMOVE */
};

struct diff {
	struct change *changes;
	size_t len;
	size_t cap;
	struct buf path; /* where we are */
};

static void add_change(struct diff *d, enum patch_op op, const struct json *value)
{
	if (d->len == d->cap) {
		d->cap = d->cap ? 2 * d->cap : 16;
		d->changes = xreallocarray(d->changes, d->cap, sizeof(*d->changes));
	}
	d->changes[d->len++] = (struct change){ op, xstrdup(buf_str(&d->path)), value };
}

/* Takes back the changes from the one with this index on. */
static void cut_changes(struct diff *d, size_t len)
{
	while (d->len > len)
		free(d->changes[--d->len].path);
}

static void diff_done(struct diff *d)
{
	cut_changes(d, 0);
	free(d->changes);
	buf_done(&d->path);
}

/* Returns what leave() needs. */
static size_t enter(struct diff *d, const char *name)
{
	size_t len = d->path.len;

	buf_putc(&d->path, '/');
	for (; *name; name++) {
		if (*name == '~')
			buf_puts(&d->path, "~0");
		else if (*name == '/')
			buf_puts(&d->path, "~1");
		else
			buf_putc(&d->path, *name);
	}
	return len;
}

static size_t enter_index(struct diff *d, size_t index)
{
	size_t len = d->path.len;

	buf_printf(&d->path, "/%zu", index);
	return len;
}

static void leave(struct diff *d, size_t len)
{
	d->path.len = len;
	d->path.data[len] = '\0';
}

static void diff_value(struct diff *d, const struct json *from, const struct json *to, bool sure);

static void replace(struct diff *d, const struct json *from, const struct json *to, bool sure)
{
	if (!sure)
		add_change(d, OP_TEST, from);
	add_change(d, OP_REPLACE, to);
}

static void diff_member(struct diff *d, const struct json *from, const struct json *to, bool sure)
{
	size_t up = enter(d, json_name(from));

	if (to) {
		diff_value(d, from, to, sure);
	} else {
		if (!sure)
			add_change(d, OP_TEST, from);
		add_change(d, OP_REMOVE, NULL);
	}
	leave(d, up);
}

static void diff_objects(struct diff *d, const struct json *from, const struct json *to, bool sure)
{
	auto_members old, new;

	members_init(&old, (const cJSON *)from);
	members_init(&new, (const cJSON *)to);
	json_each (member, from)
		diff_member(d, member, (const struct json *)members_get(&new, json_name(member)), sure);
	json_each (member, to) {
		size_t up;

		if (members_get(&old, json_name(member)))
			continue;
		up = enter(d, json_name(member));
		add_change(d, OP_ADD, member);
		leave(d, up);
	}
}

static void diff_named(struct diff *d, const struct json *from, const struct json *to, bool sure)
{
	size_t mark = d->len, before, up;

	if (!sure) {
		up = enter(d, "name");
		add_change(d, OP_TEST, json_get(from, "name"));
		leave(d, up);
	}
	before = d->len;
	diff_objects(d, from, to, sure);
	if (d->len == before)
		cut_changes(d, mark);
}

static void diff_nameless(struct diff *d, const struct json *from, const struct json *to, bool sure)
{
	size_t mark = d->len, before;

	if (!sure)
		add_change(d, OP_TEST, from);
	before = d->len;
	diff_value(d, from, to, true);
	if (d->len == before)
		cut_changes(d, mark);
}

/* False if `to` is not the element that `from` was. */
static bool diff_element(struct diff *d, const struct json *from, const struct json *to, bool appended, bool sure)
{
	const char *name = json_text(json_get(from, "name"), NULL);
	size_t before = d->len;

	if (name && text_eq(name, json_text(json_get(to, "name"), NULL))) {
		diff_named(d, from, to, sure);
		return true;
	}
	diff_nameless(d, from, to, sure);
	return d->len == before || (!name && !appended);
}

/* False if the changes are not in place; some may have been collected. */
static bool diff_elements(struct diff *d, const struct json *from, const struct json *to, bool sure)
{
	const struct json *was = json_first(from), *is = json_first(to);
	size_t from_len = json_len(from), to_len = json_len(to), changed = 0, up;

	if (from_len > to_len)
		return false;
	for (size_t i = 0; was; i++, was = json_next(was), is = json_next(is)) {
		size_t before = d->len;
		bool in_place;

		up = enter_index(d, i);
		in_place = diff_element(d, was, is, to_len > from_len, sure);
		leave(d, up);
		changed += d->len > before;
		if (!in_place || changed > CHANGED_ELEMENTS_MAX)
			return false;
	}
	up = enter(d, "-");
	for (; is; is = json_next(is))
		add_change(d, OP_ADD, is);
	leave(d, up);
	return true;
}

static void diff_value(struct diff *d, const struct json *from, const struct json *to, bool sure)
{
	size_t before = d->len;

	if (json_is(from, JSON_OBJECT) && json_is(to, JSON_OBJECT)) {
		diff_objects(d, from, to, sure);
	} else if (json_is(from, JSON_ARRAY) && json_is(to, JSON_ARRAY)) {
		if (diff_elements(d, from, to, sure))
			return;
		cut_changes(d, before);
		replace(d, from, to, sure);
	} else if (!json_equal(from, to)) {
		replace(d, from, to, sure);
	}
}

static bool has_null_inside(const struct json *v)
{
	json_each (child, v)
		if (json_is(child, JSON_NULL) || has_null_inside(child))
			return true;
	return false;
}

/* The API server's library crashes when it compares null in a collection (evanphx/json-patch v4.13, lazyNode.equal). */
static bool is_untestable(const struct change *c)
{
	return c->op == OP_TEST && has_null_inside(c->value);
}

struct json *json_patch_diff(const struct json *from, const struct json *to)
{
	struct diff d = { .path.max = SIZE_MAX };
	struct json *patch = json_new_array();

	diff_value(&d, from, to, false);
	for (size_t i = 0; i < d.len; i++) {
		const struct change *c = &d.changes[i];
		struct json *op;

		if (is_untestable(c))
			continue;
		op = json_append(patch, json_new_object());
		json_set_str(op, "op", op_names[c->op]);
		json_set_str(op, "path", c->path);
		if (c->value)
			json_set(op, "value", json_dup(c->value));
	}
	diff_done(&d);
	return patch;
}
