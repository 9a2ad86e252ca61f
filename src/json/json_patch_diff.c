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

#include <string.h>

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

/* Where the walk is: a path is written only where something differs. */
struct place {
	const struct place *up; /* NULL: the root */
	const char *name;	/* NULL: an element */
	size_t index;
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
	struct buf path; /* being written */
};

static void put_name(struct buf *path, const char *name)
{
	for (; *name; name++) {
		if (*name == '~')
			buf_puts(path, "~0");
		else if (*name == '/')
			buf_puts(path, "~1");
		else
			buf_putc(path, *name);
	}
}

static void put_path(struct buf *path, const struct place *at)
{
	if (!at)
		return;
	put_path(path, at->up);
	buf_putc(path, '/');
	if (at->name)
		put_name(path, at->name);
	else
		buf_printf(path, "%zu", at->index);
}

/* Owned. */
static char *path_text(struct diff *d, const struct place *at)
{
	buf_drop(&d->path, d->path.len);
	put_path(&d->path, at);
	return xstrdup(buf_str(&d->path));
}

/* Before the change with that index; d->len puts it at the end. */
static void insert_change(struct diff *d, size_t index, const struct place *at, enum patch_op op,
			  const struct json *value)
{
	if (d->len == d->cap) {
		d->cap = d->cap ? 2 * d->cap : 16;
		d->changes = xreallocarray(d->changes, d->cap, sizeof(*d->changes));
	}
	memmove(d->changes + index + 1, d->changes + index, (d->len - index) * sizeof(*d->changes));
	d->changes[index] = (struct change){ op, path_text(d, at), value };
	d->len++;
}

static void add_change(struct diff *d, const struct place *at, enum patch_op op, const struct json *value)
{
	insert_change(d, d->len, at, op, value);
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

static void diff_value(struct diff *d, const struct place *at, const struct json *from, const struct json *to,
		       bool sure);

static void replace(struct diff *d, const struct place *at, const struct json *from, const struct json *to, bool sure)
{
	if (!sure)
		add_change(d, at, OP_TEST, from);
	add_change(d, at, OP_REPLACE, to);
}

static void diff_member(struct diff *d, const struct place *at, const struct json *from, const struct json *to,
			bool sure)
{
	if (to) {
		diff_value(d, at, from, to, sure);
		return;
	}
	if (!sure)
		add_change(d, at, OP_TEST, from);
	add_change(d, at, OP_REMOVE, NULL);
}

static void diff_objects(struct diff *d, const struct place *at, const struct json *from, const struct json *to,
			 bool sure)
{
	auto_members old, new;

	members_init(&old, (const cJSON *)from);
	members_init(&new, (const cJSON *)to);
	json_each (member, from) {
		const struct place below = { at, json_name(member), 0 };

		diff_member(d, &below, member, (const struct json *)members_get(&new, below.name), sure);
	}
	json_each (member, to) {
		const struct place below = { at, json_name(member), 0 };

		if (!members_get(&old, below.name))
			add_change(d, &below, OP_ADD, member);
	}
}

static void diff_named(struct diff *d, const struct place *at, const struct json *from, const struct json *to,
		       bool sure)
{
	const struct place name = { at, "name", 0 };
	size_t before = d->len;

	diff_objects(d, at, from, to, sure);
	if (!sure && d->len > before)
		insert_change(d, before, &name, OP_TEST, json_get(from, "name"));
}

static void diff_nameless(struct diff *d, const struct place *at, const struct json *from, const struct json *to,
			  bool sure)
{
	size_t before = d->len;

	diff_value(d, at, from, to, true);
	if (!sure && d->len > before)
		insert_change(d, before, at, OP_TEST, from);
}

/* False if `to` is not the element that `from` was. */
static bool diff_element(struct diff *d, const struct place *at, const struct json *from, const struct json *to,
			 bool appended, bool sure)
{
	const char *name = json_text(json_get(from, "name"), NULL);
	size_t before = d->len;

	if (name && text_eq(name, json_text(json_get(to, "name"), NULL))) {
		diff_named(d, at, from, to, sure);
		return true;
	}
	diff_nameless(d, at, from, to, sure);
	return d->len == before || (!name && !appended);
}

/* False if the changes are not in place; some may have been collected. */
static bool diff_elements(struct diff *d, const struct place *at, const struct json *from, const struct json *to,
			  bool sure)
{
	const struct json *was = json_first(from), *is = json_first(to);
	const struct place end = { at, "-", 0 };
	size_t from_len = json_len(from), to_len = json_len(to), changed = 0;

	if (from_len > to_len)
		return false;
	for (size_t i = 0; was; i++, was = json_next(was), is = json_next(is)) {
		const struct place below = { at, NULL, i };
		size_t before = d->len;
		bool in_place = diff_element(d, &below, was, is, to_len > from_len, sure);

		changed += d->len > before;
		if (!in_place || changed > CHANGED_ELEMENTS_MAX)
			return false;
	}
	for (; is; is = json_next(is))
		add_change(d, &end, OP_ADD, is);
	return true;
}

static void diff_value(struct diff *d, const struct place *at, const struct json *from, const struct json *to,
		       bool sure)
{
	size_t before = d->len;

	if (json_is(from, JSON_OBJECT) && json_is(to, JSON_OBJECT)) {
		diff_objects(d, at, from, to, sure);
	} else if (json_is(from, JSON_ARRAY) && json_is(to, JSON_ARRAY)) {
		if (diff_elements(d, at, from, to, sure))
			return;
		cut_changes(d, before);
		replace(d, at, from, to, sure);
	} else if (!json_equal(from, to)) {
		replace(d, at, from, to, sure);
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

	diff_value(&d, NULL, from, to, false);
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
