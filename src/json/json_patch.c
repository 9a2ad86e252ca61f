/*
 * Applies a JSON Patch (RFC 6902) with its paths (RFC 6901) to a copy, which takes the place of the document only when
 * every operation has succeeded.
 *
 * Happy path: find_place() follows a path to a place, where a value may or may not be. The operations of the table
 * `ops` read, fill and empty places. Failure: one message that names the operation, ERR_INVALID. Since copies can be
 * copied, a patch could grow without limit: the nodes it copies are counted (as AccumulatedCopySizeLimit of
 * evanphx/json-patch does for bytes), and nothing gets deeper than JSON_MAX_DEPTH.
 */
#include "json/patch.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "base/text.h"

enum { COPIED_NODES_MAX = 1000000, SHOWN_PATH = 200 };

struct work {
	struct json *doc;
	size_t copied;
};

struct place {
	size_t depth;
	struct json *parent; /* NULL for the whole document */
	char *token;	     /* the last token of the path, decoded; owned */
	struct json *target; /* the value at the place; NULL: there is none */
	size_t index;	     /* the parent is an array: the index of the place */
	bool end;	     /* the parent is an array: the place is behind its last element */
};

struct op {
	const char *path;
	const char *from;
	const struct json *value;
};

static void place_done(struct place *p)
{
	free(p->token);
}

#define auto_place __attribute__((cleanup(place_done))) struct place

/* Decodes ~0 and ~1 in place. Returns false if another character follows a ~. */
static bool decode_token(char *token)
{
	char *out = token;

	for (; *token; token++) {
		if (*token != '~') {
			*out++ = *token;
			continue;
		}
		token++;
		if (*token != '0' && *token != '1')
			return false;
		*out++ = *token == '0' ? '~' : '/';
	}
	*out = '\0';
	return true;
}

static bool parse_index(const char *token, size_t *ret)
{
	size_t digits = strspn(token, "0123456789");
	int64_t number;

	if (digits == 0 || token[digits] || (digits > 1 && *token == '0') || !text_i64(token, &number))
		return false;
	*ret = (size_t)number;
	return true;
}

static int enter_array(struct place *p, struct err *err)
{
	size_t count = 0;

	p->end = text_eq(p->token, "-");
	if (p->end)
		return 0;
	if (!parse_index(p->token, &p->index))
		return err_set(err, ERR_INVALID, "\"%.*s\" is no index of an array", SHOWN_PATH, p->token);
	json_each (element, p->parent) {
		if (count++ == p->index) {
			p->target = element;
			return 0;
		}
	}
	p->end = p->index == count;
	return 0;
}

/* Moves from p->target to its child that the token of len bytes names. */
static int enter_token(struct place *p, const char *token, size_t len, struct err *err)
{
	free(p->token);
	p->token = xstrndup(token, len);
	p->parent = p->target;
	p->target = NULL;
	p->depth++;
	if (!decode_token(p->token))
		return err_set(err, ERR_INVALID, "~ in a path is written ~0");
	if (json_is(p->parent, JSON_ARRAY))
		return enter_array(p, err);
	if (!json_is(p->parent, JSON_OBJECT))
		return err_set(err, ERR_INVALID, "\"%.*s\" is not in an object or array", SHOWN_PATH, p->token);
	p->target = json_get(p->parent, p->token);
	return 0;
}

static int find_place(struct json *doc, const char *path, struct place *p, struct err *err)
{
	*p = (struct place){ .target = doc };
	if (*path && *path != '/')
		return err_set(err, ERR_INVALID, "a path starts with /");
	while (*path) {
		size_t len = strcspn(++path, "/");
		int rc;

		rc = enter_token(p, path, len, err);
		if (rc < 0)
			return rc;
		path += len;
	}
	return 0;
}

static int find_target(struct json *doc, const char *path, struct place *p, struct err *err)
{
	int rc = find_place(doc, path, p, err);

	if (rc < 0 || p->target)
		return rc;
	return err_set(err, ERR_INVALID, "nothing is at \"%.*s\"", SHOWN_PATH, path);
}

/* Returns the levels of v, and adds the number of its nodes to *nodes. */
static size_t count_levels(const struct json *v, size_t *nodes)
{
	size_t deepest = 0;

	++*nodes;
	if (!json_is(v, JSON_OBJECT) && !json_is(v, JSON_ARRAY))
		return 0;
	json_each (child, v) {
		size_t levels = count_levels(child, nodes);

		deepest = levels > deepest ? levels : deepest;
	}
	return deepest + 1;
}

static int check_depth(const struct place *p, const struct json *value, struct err *err)
{
	size_t nodes = 0;

	if (p->depth + count_levels(value, &nodes) <= JSON_MAX_DEPTH)
		return 0;
	return err_set(err, ERR_INVALID, "the result is nested too deeply");
}

static struct json *take_target(const struct place *p)
{
	if (json_is(p->parent, JSON_OBJECT))
		return json_take(p->parent, p->token);
	return (struct json *)cJSON_DetachItemViaPointer((cJSON *)p->parent, (cJSON *)p->target);
}

/* cJSON_InsertItemInArray is not used: some versions with the fix for CVE-2023-50471 refuse to insert. */
static void insert_before(cJSON *array, cJSON *next, cJSON *item)
{
	item->next = next;
	item->prev = next->prev;
	if (array->child == next)
		array->child = item;
	else
		next->prev->next = item;
	next->prev = item;
}

static void set_document(struct work *w, struct json *value)
{
	json_free(w->doc);
	w->doc = value;
}

/* Takes value. */
static int put_new(struct work *w, const char *path, struct json *value, struct err *err)
{
	auto_json owned = value;
	auto_place p;
	int rc;

	rc = find_place(w->doc, path, &p, err);
	if (rc == 0)
		rc = check_depth(&p, value, err);
	if (rc < 0)
		return rc;
	if (!p.parent)
		set_document(w, take_ptr(owned));
	else if (json_is(p.parent, JSON_OBJECT))
		json_set(p.parent, p.token, take_ptr(owned));
	else if (p.end)
		json_append(p.parent, take_ptr(owned));
	else if (p.target)
		insert_before((cJSON *)p.parent, (cJSON *)p.target, (cJSON *)take_ptr(owned));
	else
		return err_set(err, ERR_INVALID, "the array is shorter");
	return 0;
}

static int op_add(struct work *w, const struct op *op, struct err *err)
{
	return put_new(w, op->path, json_dup(op->value), err);
}

static int op_remove(struct work *w, const struct op *op, struct err *err)
{
	auto_place p;
	int rc;

	rc = find_target(w->doc, op->path, &p, err);
	if (rc < 0)
		return rc;
	if (!p.parent)
		return err_set(err, ERR_INVALID, "the whole document cannot be removed");
	json_free(take_target(&p));
	return 0;
}

static int op_replace(struct work *w, const struct op *op, struct err *err)
{
	auto_place p;
	int rc;

	rc = find_target(w->doc, op->path, &p, err);
	if (rc == 0)
		rc = check_depth(&p, op->value, err);
	if (rc < 0)
		return rc;
	if (!p.parent)
		set_document(w, json_dup(op->value));
	else if (json_is(p.parent, JSON_OBJECT))
		json_set(p.parent, p.token, json_dup(op->value));
	else
		cJSON_ReplaceItemViaPointer((cJSON *)p.parent, (cJSON *)p.target, (cJSON *)json_dup(op->value));
	return 0;
}

static int op_move(struct work *w, const struct op *op, struct err *err)
{
	size_t len = strlen(op->from);
	auto_place p;
	int rc;

	rc = find_target(w->doc, op->from, &p, err);
	if (rc < 0 || text_eq(op->from, op->path))
		return rc;
	if (strncmp(op->from, op->path, len) == 0 && op->path[len] == '/')
		return err_set(err, ERR_INVALID, "a value cannot be moved into itself");
	if (!p.parent)
		return err_set(err, ERR_INVALID, "a path starts with /");
	return put_new(w, op->path, take_target(&p), err);
}

static int op_copy(struct work *w, const struct op *op, struct err *err)
{
	auto_place p;
	int rc;

	rc = find_target(w->doc, op->from, &p, err);
	if (rc < 0)
		return rc;
	count_levels(p.target, &w->copied);
	if (w->copied > COPIED_NODES_MAX)
		return err_set(err, ERR_INVALID, "the patch copies more than %d values", COPIED_NODES_MAX);
	return put_new(w, op->path, json_dup(p.target), err);
}

static int op_test(struct work *w, const struct op *op, struct err *err)
{
	auto_place p;
	int rc;

	rc = find_target(w->doc, op->path, &p, err);
	if (rc < 0 || json_equal(p.target, op->value))
		return rc;
	return err_set(err, ERR_INVALID, "the value is another");
}

static const struct {
	const char *name;
	int (*apply)(struct work *w, const struct op *op, struct err *err);
	bool has_from;
	bool has_value;
} ops[] = {
	{ "add", op_add, false, true },	  { "remove", op_remove, false, false }, { "replace", op_replace, false, true },
	{ "move", op_move, true, false }, { "copy", op_copy, true, false },	 { "test", op_test, false, true },
};

static int apply_op(struct work *w, const struct json *tree, struct err *err)
{
	const char *name = json_text(json_get(tree, "op"), NULL);
	struct op op = {
		.path = json_text(json_get(tree, "path"), NULL),
		.from = json_text(json_get(tree, "from"), NULL),
		.value = json_get(tree, "value"),
	};
	int rc;

	if (!name || !op.path)
		return err_set(err, ERR_INVALID, "not an object with op and path");
	for (size_t i = 0; i < array_len(ops); i++) {
		if (!text_eq(name, ops[i].name))
			continue;
		if (ops[i].has_from && !op.from)
			return err_set(err, ERR_INVALID, "%s without from", name);
		if (ops[i].has_value && !op.value)
			return err_set(err, ERR_INVALID, "%s without value", name);
		rc = ops[i].apply(w, &op, err);
		return rc < 0 ? err_wrap(err, "%s %.*s", name, SHOWN_PATH, op.path) : 0;
	}
	return err_set(err, ERR_INVALID, "unknown op \"%.*s\"", SHOWN_PATH, name);
}

int json_patch_apply(struct json **doc, const struct json *patch, struct err *err)
{
	struct work w = { 0 };
	size_t index = 0;

	if (!json_is(patch, JSON_ARRAY))
		return err_set(err, ERR_INVALID, "a JSON Patch is an array");
	w.doc = json_dup(*doc);
	json_each (op, patch) {
		if (apply_op(&w, op, err) < 0) {
			json_free(w.doc);
			return err_wrap(err, "operation %zu", index);
		}
		index++;
	}
	json_free(*doc);
	*doc = w.doc;
	return 0;
}
