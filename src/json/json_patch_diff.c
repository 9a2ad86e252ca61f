/*
 * The JSON Patch that makes one tree of another. Both trees are walked once. Changes are collected with borrowed
 * values, and operations are made of them at the end, so that it costs little to take changes back.
 *
 * An array is changed in place as long as its elements can be told apart. Elements with a "name" are told apart by it,
 * as Kubernetes merges them, others by their whole value. If elements were inserted, removed or renamed, or if too many
 * changed, the whole array is replaced. Nothing is tested below an element whose whole value has been tested.
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

/* Where the walk is. A path is written only where something differs. */
struct place {
	const struct place *up; /* NULL: the root */
	const char *name;	/* NULL: an element */
	size_t index;
	bool tested; /* the patch tests the value here, or a value that contains it, before it changes anything here */
};

/* Whether the changes of an element, or of all elements, are enough. */
enum fit {
	FIT_IN_PLACE, /* they turn the old value into the new one */
	FIT_REPLACED, /* another element is in its place now: the whole array has to be replaced */
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

static struct place member_of(const struct place *at, const char *name)
{
	return (struct place){ .up = at, .name = name, .tested = at->tested };
}

static struct place element_of(const struct place *at, size_t index)
{
	return (struct place){ .up = at, .index = index, .tested = at->tested };
}

static void put_token(struct buf *path, const char *name)
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
	if (!at->up)
		return;
	put_path(path, at->up);
	buf_putc(path, '/');
	if (at->name)
		put_token(path, at->name);
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

/* Inserts a change before the one with this index. d->len: at the end. */
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

static void diff_value(struct diff *d, const struct place *at, const struct json *from, const struct json *to);

static void add_test(struct diff *d, const struct place *at, const struct json *from)
{
	if (!at->tested)
		add_change(d, at, OP_TEST, from);
}

static void replace_value(struct diff *d, const struct place *at, const struct json *from, const struct json *to)
{
	add_test(d, at, from);
	add_change(d, at, OP_REPLACE, to);
}

static void diff_objects(struct diff *d, const struct place *at, const struct json *from, const struct json *to)
{
	auto_members from_members, to_members;

	members_init(&from_members, (const cJSON *)from);
	members_init(&to_members, (const cJSON *)to);
	json_each (member, from) {
		const struct place below = member_of(at, json_name(member));
		const struct json *value = (const struct json *)members_get(&to_members, below.name);

		if (value) {
			diff_value(d, &below, member, value);
			continue;
		}
		add_test(d, &below, member);
		add_change(d, &below, OP_REMOVE, NULL);
	}
	json_each (member, to) {
		const struct place below = member_of(at, json_name(member));

		if (!members_get(&from_members, below.name))
			add_change(d, &below, OP_ADD, member);
	}
}

/* An element that both arrays know by its name: if it changed, its name is tested. */
static void diff_named(struct diff *d, const struct place *at, const struct json *from, const struct json *to)
{
	const struct place name = member_of(at, "name");
	size_t before = d->len;

	diff_objects(d, at, from, to);
	if (!at->tested && d->len > before)
		insert_change(d, before, &name, OP_TEST, json_get(from, "name"));
}

/* An element without a common name: if it changed, its whole value is tested. */
static void diff_nameless(struct diff *d, const struct place *at, const struct json *from, const struct json *to)
{
	struct place tested = *at;
	size_t before = d->len;

	tested.tested = true;
	diff_value(d, &tested, from, to);
	if (!at->tested && d->len > before)
		insert_change(d, before, at, OP_TEST, from);
}

/* longer: the new array has more elements than the old one. */
static enum fit diff_element(struct diff *d, const struct place *at, const struct json *from, const struct json *to,
			     bool longer)
{
	const char *name = json_text(json_get(from, "name"), NULL);
	size_t before = d->len;

	if (name && text_eq(name, json_text(json_get(to, "name"), NULL))) {
		diff_named(d, at, from, to);
		return FIT_IN_PLACE;
	}
	diff_nameless(d, at, from, to);
	if (d->len == before)
		return FIT_IN_PLACE;
	return name || longer ? FIT_REPLACED : FIT_IN_PLACE;
}

/* The caller has to take the collected changes back if the result is FIT_REPLACED. */
static enum fit diff_elements(struct diff *d, const struct place *at, const struct json *from, const struct json *to)
{
	const struct json *was = json_first(from), *is = json_first(to);
	const struct place end = member_of(at, "-");
	size_t from_len = json_len(from), to_len = json_len(to), changed = 0;

	if (from_len > to_len)
		return FIT_REPLACED;
	for (size_t i = 0; was; i++, was = json_next(was), is = json_next(is)) {
		const struct place below = element_of(at, i);
		size_t before = d->len;
		enum fit fit = diff_element(d, &below, was, is, to_len > from_len);

		changed += d->len > before;
		if (fit == FIT_REPLACED || changed > CHANGED_ELEMENTS_MAX)
			return FIT_REPLACED;
	}
	for (; is; is = json_next(is))
		add_change(d, &end, OP_ADD, is);
	return FIT_IN_PLACE;
}

static void diff_arrays(struct diff *d, const struct place *at, const struct json *from, const struct json *to)
{
	size_t before = d->len;

	if (diff_elements(d, at, from, to) == FIT_IN_PLACE)
		return;
	cut_changes(d, before);
	replace_value(d, at, from, to);
}

static void diff_value(struct diff *d, const struct place *at, const struct json *from, const struct json *to)
{
	if (json_is(from, JSON_OBJECT) && json_is(to, JSON_OBJECT))
		diff_objects(d, at, from, to);
	else if (json_is(from, JSON_ARRAY) && json_is(to, JSON_ARRAY))
		diff_arrays(d, at, from, to);
	else if (!json_equal(from, to))
		replace_value(d, at, from, to);
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
	const struct place root = { 0 };
	struct diff d = { .path.max = SIZE_MAX };
	struct json *patch = json_new_array();

	diff_value(&d, &root, from, to);
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
