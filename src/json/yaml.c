/*
 * YAML text to JSON trees, as kubectl makes them with goyaml.v2 (decode.go) and sigs.k8s.io/yaml (yaml.go). libyaml
 * scans and parses, and its events become nodes here; what a scalar stands for, yaml_scalar.c knows. Keys become texts.
 * A merge (<<) sets members where it stands, so that it replaces what stands above it: that is what goyaml.v2 does,
 * against the specification.
 *
 * An alias becomes a copy. The nodes of copies are counted, so that a small text cannot become a huge tree. What leaves
 * the tree (a member that a later one replaces) is kept until the end of the document, since an anchor may name it.
 * Every refusal is ERR_INVALID with line and column.
 */
#include "json/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <yaml.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/text.h"
#include "node.h"
#include "yaml_scalar.h"

enum { MAX_ALIASED = 100000, NOTES_MAX = 100 };

struct reader {
	yaml_parser_t parser;
	const char *text;
	size_t len;
	struct map *anchors; /* name → node, borrowed from the tree of the document or from kept */
	struct json *kept;   /* array: nodes that are not, or no longer, in the tree */
	size_t aliased;	     /* nodes made by aliases and merges so far */
	struct json *notes;  /* array of texts about the document; NULL: a key that is there twice is refused */
	struct err *err;
};

/* A mapping that is being read. */
struct mapping {
	struct json *object;
	struct map *members; /* name → member */
	struct map *written; /* names that stand there themselves, and do not come from a merge */
	int depth;
};

static int yaml_fail(struct reader *r, yaml_mark_t at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static struct json *read_node(struct reader *r, const yaml_event_t *e, int depth);

static int yaml_fail(struct reader *r, yaml_mark_t at, const char *fmt, ...)
{
	char text[ERR_MSG_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(r->err, ERR_INVALID, "YAML, line %zu, column %zu: %s", at.line + 1, at.column + 1, text);
}

/* Where libyaml could not read a character: by then its marks say nothing, but how many bytes came before. */
static yaml_mark_t mark_of_byte(const struct reader *r, size_t offset)
{
	yaml_mark_t at = { 0 };

	for (size_t i = 0; i < offset && i < r->len; i++) {
		unsigned char byte = (unsigned char)r->text[i];

		at.line += byte == '\n';
		if (byte == '\n')
			at.column = 0;
		else if ((byte & 0xc0) != 0x80) /* no further byte of a character */
			at.column++;
	}
	return at;
}

/* The caller deletes *e, also after a failure. */
static int next_event(struct reader *r, yaml_event_t *e)
{
	const yaml_parser_t *p = &r->parser;

	if (yaml_parser_parse(&r->parser, e))
		return 0;
	*e = (yaml_event_t){ 0 };
	return yaml_fail(r, p->error == YAML_READER_ERROR ? mark_of_byte(r, p->problem_offset) : p->problem_mark, "%s",
			 p->problem ? p->problem : "out of memory");
}

/* Notes what kubectl may read otherwise than the author meant it. */
static void add_note(struct reader *r, yaml_mark_t at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void add_note(struct reader *r, yaml_mark_t at, const char *fmt, ...)
{
	char text[ERR_MSG_SIZE];
	auto_free char *note = NULL;
	va_list ap;

	if (!r->notes || json_len(r->notes) == NOTES_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	note = xasprintf("line %zu, column %zu: %s", at.line + 1, at.column + 1, text);
	json_append_str(r->notes, note);
}

static int read_scalar_event(struct reader *r, const yaml_event_t *e, struct yaml_scalar *ret)
{
	const char *text = (const char *)e->data.scalar.value, *tag = (const char *)e->data.scalar.tag;
	bool is_plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	auto_free char *surprise = NULL;
	struct err err = { 0 };

	if (strlen(text) != e->data.scalar.length)
		return yaml_fail(r, e->start_mark, "strings with NUL are not supported");
	if (yaml_scalar_read(ret, tag, text, is_plain, &err) < 0)
		return yaml_fail(r, e->start_mark, "%s", err.msg);
	surprise = tag || !is_plain ? NULL : yaml_scalar_surprise(ret, text);
	if (surprise)
		add_note(r, e->start_mark, "kubectl reads %s as %s: quote it if it is meant as text", text, surprise);
	return 0;
}

static struct json *read_scalar(struct reader *r, const yaml_event_t *e)
{
	auto_yaml_scalar scalar = { 0 };
	struct err err = { 0 };
	struct json *value;

	if (read_scalar_event(r, e, &scalar) < 0)
		return NULL;
	value = yaml_scalar_value(&scalar, &err);
	if (!value)
		yaml_fail(r, e->start_mark, "%s", err.msg);
	return value;
}

/* Returns the number of nodes of a tree; stops counting above MAX_ALIASED. *ret_deepest: the level of its deepest
 * collection, if it is deeper than that. */
static size_t measure_tree(const struct json *v, int depth, int *ret_deepest)
{
	bool collection = json_is(v, JSON_OBJECT) || json_is(v, JSON_ARRAY);
	size_t count = 1;

	if (collection && depth > *ret_deepest)
		*ret_deepest = depth;
	for (const struct json *child = json_first(v); child && count <= MAX_ALIASED; child = json_next(child))
		count += measure_tree(child, depth + 1, ret_deepest);
	return count;
}

/* Counts the nodes of a tree that will be copied to a place of that depth. */
static int count_copy(struct reader *r, const yaml_event_t *e, const struct json *tree, int depth)
{
	int deepest = 0;

	r->aliased += measure_tree(tree, depth, &deepest);
	if (r->aliased > MAX_ALIASED)
		return yaml_fail(r, e->start_mark, "aliases expand to more than %d nodes", MAX_ALIASED);
	if (deepest > JSON_MAX_DEPTH)
		return yaml_fail(r, e->start_mark, "nested too deeply");
	return 0;
}

/* The node that an alias stands for, borrowed; NULL if there is none. */
static const struct json *find_anchored(struct reader *r, const yaml_event_t *e)
{
	const char *name = (const char *)e->data.alias.anchor;
	const struct json *target = map_get(r->anchors, name);

	if (!target)
		yaml_fail(r, e->start_mark, "unknown alias %s", name);
	return target;
}

static struct json *read_alias(struct reader *r, const yaml_event_t *e, int depth)
{
	const struct json *target = find_anchored(r, e);

	return target && count_copy(r, e, target, depth) == 0 ? json_dup(target) : NULL;
}

static int check_level(struct reader *r, const yaml_event_t *e, int depth)
{
	return depth > JSON_MAX_DEPTH ? yaml_fail(r, e->start_mark, "nested too deeply") : 0;
}

static int read_elements(struct reader *r, struct json *array, int depth)
{
	for (;;) {
		yaml_event_t e;
		struct json *value = NULL;
		int rc = next_event(r, &e);
		bool end = e.type == YAML_SEQUENCE_END_EVENT;

		if (rc == 0 && !end)
			value = read_node(r, &e, depth + 1);
		yaml_event_delete(&e);
		if (end)
			return 0;
		if (!value)
			return -ERR_INVALID;
		json_append(array, value);
	}
}

/* ---- mappings ---- */

static void keep_node(struct reader *r, struct json *node)
{
	node_unname((cJSON *)node);
	json_append(r->kept, node);
}

/* Takes value. */
static void put_member(struct reader *r, struct mapping *m, const char *name, struct json *value)
{
	struct json *old = map_get(m->members, name);

	if (old)
		keep_node(r, (struct json *)cJSON_DetachItemViaPointer((cJSON *)m->object, (cJSON *)old));
	cJSON_AddItemToObject((cJSON *)m->object, name, (cJSON *)value); /* json_set would search again */
	map_set(m->members, name, value);
}

/* A plain << without a tag, or one with the tag of merges. */
static bool is_merge_key(const yaml_event_t *e)
{
	return e->type == YAML_SCALAR_EVENT && text_eq((const char *)e->data.scalar.value, "<<") &&
	       (e->data.scalar.plain_implicit || text_eq((const char *)e->data.scalar.tag, YAML_TAG "merge"));
}

/* Copies the members of from, but for those that this merge has set already. */
static void merge_members(struct reader *r, const yaml_event_t *e, struct mapping *m, const struct json *from,
			  struct map *merged)
{
	json_each (member, from) {
		const char *name = json_name(member);

		if (!map_set(merged, name, member))
			continue;
		if (map_get(m->written, name))
			add_note(r, e->start_mark,
				 "kubectl lets << replace \"%s\", which stands above it: put << first", name);
		put_member(r, m, name, json_dup(member));
	}
}

/* The value of <<: a mapping, or a list of mappings of which the first one wins, each of them written there or an
 * alias. */
static int merge_value(struct reader *r, const yaml_event_t *e, struct mapping *m)
{
	struct json *value = read_node(r, e, m->depth + 1);
	bool is_list = e->type == YAML_SEQUENCE_START_EVENT;
	auto_map merged = map_new(NULL);

	if (!value)
		return -ERR_INVALID;
	keep_node(r, value);
	if (count_copy(r, e, value, m->depth + 1) < 0)
		return -ERR_INVALID;
	for (const struct json *from = is_list ? json_first(value) : value; from; from = json_next(from)) {
		if (!json_is(from, JSON_OBJECT))
			return yaml_fail(r, e->start_mark, "<< needs a mapping or a list of mappings");
		merge_members(r, e, m, from, merged);
		if (!is_list)
			break;
	}
	return 0;
}

/* An anchor may be used below, and lead to the key. */
static void anchor_key(struct reader *r, const yaml_event_t *e)
{
	struct json *value = e->data.scalar.anchor ? read_scalar(r, e) : NULL;

	if (!value)
		return;
	json_append(r->kept, value);
	map_set(r->anchors, (const char *)e->data.scalar.anchor, value);
}

/* Owned; NULL on failure. */
static char *read_alias_key(struct reader *r, const yaml_event_t *e)
{
	const struct json *target = find_anchored(r, e);
	auto_free char *text = target ? json_print(target) : NULL;
	auto_yaml_scalar scalar = { 0 };
	struct err err = { 0 };
	char *key = NULL;

	if (!target)
		return NULL;
	if (json_is(target, JSON_OBJECT) || json_is(target, JSON_ARRAY))
		err_set(&err, ERR_INVALID, "keys must be texts, numbers or booleans");
	else if (json_is(target, JSON_STRING))
		return xstrdup(json_text(target, ""));
	else if (yaml_scalar_read(&scalar, NULL, text, true, &err) == 0)
		key = yaml_scalar_key(&scalar, &err);
	if (!key)
		yaml_fail(r, e->start_mark, "%s", err.msg);
	return key;
}

/* The name that a key event stands for; owned, NULL on failure. */
static char *read_key(struct reader *r, const yaml_event_t *e)
{
	auto_yaml_scalar scalar = { 0 };
	struct err err = { 0 };
	char *key;

	if (e->type == YAML_ALIAS_EVENT)
		return read_alias_key(r, e);
	if (e->type != YAML_SCALAR_EVENT) {
		yaml_fail(r, e->start_mark, "keys must be texts, numbers or booleans");
		return NULL;
	}
	if (read_scalar_event(r, e, &scalar) < 0)
		return NULL;
	key = yaml_scalar_key(&scalar, &err);
	if (!key)
		yaml_fail(r, e->start_mark, "%s", err.msg);
	else
		anchor_key(r, e);
	return key;
}

/* Reads the value of the key at e. */
static int read_member(struct reader *r, const yaml_event_t *e, struct mapping *m)
{
	auto_free char *name = read_key(r, e);
	struct json *value;
	yaml_event_t next;

	if (!name)
		return -ERR_INVALID;
	if (!map_set(m->written, name, m)) {
		if (!r->notes)
			return yaml_fail(r, e->start_mark, "key \"%s\" is already there", name);
		add_note(r, e->start_mark, "key \"%s\" is there twice: kubectl takes the last", name);
	}
	if (next_event(r, &next) < 0)
		return -ERR_INVALID;
	value = read_node(r, &next, m->depth + 1);
	yaml_event_delete(&next);
	if (!value)
		return -ERR_INVALID;
	put_member(r, m, name, value);
	return 0;
}

static int read_merge(struct reader *r, struct mapping *m)
{
	yaml_event_t e;
	int rc = next_event(r, &e);

	if (rc == 0)
		rc = merge_value(r, &e, m);
	yaml_event_delete(&e);
	return rc;
}

static int read_members(struct reader *r, struct json *object, int depth)
{
	auto_map members = map_new(NULL);
	auto_map written = map_new(NULL);
	struct mapping m = { .object = object, .members = members, .written = written, .depth = depth };

	for (;;) {
		yaml_event_t e;
		int rc = next_event(r, &e);
		bool end = e.type == YAML_MAPPING_END_EVENT;

		if (rc == 0 && !end)
			rc = is_merge_key(&e) ? read_merge(r, &m) : read_member(r, &e, &m);
		yaml_event_delete(&e);
		if (end || rc < 0)
			return rc;
	}
}

static const char *anchor_of(const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return (const char *)e->data.scalar.anchor;
	case YAML_SEQUENCE_START_EVENT:
		return (const char *)e->data.sequence_start.anchor;
	case YAML_MAPPING_START_EVENT:
		return (const char *)e->data.mapping_start.anchor;
	default:
		return NULL;
	}
}

/* The node that begins with e, read to its end; owned, NULL on failure. */
static struct json *read_node(struct reader *r, const yaml_event_t *e, int depth)
{
	auto_json value = NULL;

	switch (e->type) {
	case YAML_ALIAS_EVENT:
		return read_alias(r, e, depth);
	case YAML_SCALAR_EVENT:
		value = read_scalar(r, e);
		break;
	case YAML_SEQUENCE_START_EVENT:
		value = json_new_array();
		if (check_level(r, e, depth) < 0 || read_elements(r, value, depth) < 0)
			return NULL;
		break;
	default:
		value = json_new_object();
		if (check_level(r, e, depth) < 0 || read_members(r, value, depth) < 0)
			return NULL;
	}
	if (value && anchor_of(e))
		map_set(r->anchors, anchor_of(e), value);
	return take_ptr(value);
}

static void forget_document(struct reader *r)
{
	map_free(r->anchors);
	json_free(r->kept);
	r->anchors = NULL;
	r->kept = NULL;
}

/* Reads the root of a document, with the events that end it. line: of its ---, or -1. *ret: NULL if it is null, which
 * an empty one is. */
static int read_document(struct reader *r, ssize_t line, struct json **ret)
{
	auto_json value = NULL;
	yaml_event_t e;

	r->anchors = map_new(NULL);
	r->kept = json_new_array();
	if (next_event(r, &e) == 0)
		value = read_node(r, &e, 1);
	if (value && (ssize_t)e.start_mark.line == line && !json_is(value, JSON_NULL))
		add_note(r, e.start_mark, "kubectl refuses what stands behind ---: write it on a line of its own");
	yaml_event_delete(&e);
	forget_document(r);
	if (!value)
		return -ERR_INVALID;
	*ret = json_is(value, JSON_NULL) ? NULL : take_ptr(value);
	return 0;
}

/* ---- streams ---- */

struct stream {
	struct json *documents;
	struct json *places; /* NULL: not asked for */
	size_t count;	     /* documents so far, with empty ones */
};

/* Takes document and notes. */
static void add_document(struct stream *s, struct json *document, struct json *notes)
{
	auto_json place = json_new_object();

	s->count++;
	json_set_i64(place, "document", (int64_t)s->count);
	json_set(place, "notes", notes ? notes : json_new_array());
	if (!document)
		return;
	json_append(s->documents, document);
	if (s->places)
		json_append(s->places, take_ptr(place));
}

static int read_stream(struct reader *r, struct stream *s)
{
	for (;;) {
		struct json *document = NULL;
		yaml_event_type_t type;
		yaml_event_t e;
		int rc = next_event(r, &e);
		ssize_t line;

		type = e.type;
		line = type == YAML_DOCUMENT_START_EVENT && !e.data.document_start.implicit ? (ssize_t)e.end_mark.line
											    : -1;
		yaml_event_delete(&e);
		if (rc < 0 || type == YAML_STREAM_END_EVENT)
			return rc;
		if (type != YAML_DOCUMENT_START_EVENT)
			continue;
		r->notes = s->places ? json_new_array() : NULL;
		rc = read_document(r, line, &document);
		if (rc < 0) {
			json_free(r->notes);
			return rc;
		}
		add_document(s, document, take_ptr(r->notes));
	}
}

/* ---- JSON ---- */

static const char *skip_json_blanks(const char *p, const char *end)
{
	while (p < end && *p && strchr(" \t\r\n", *p))
		p++;
	return p;
}

/* Where the object or array that begins at p ends, if it is well-formed. */
static const char *find_json_end(const char *p, const char *end)
{
	int depth = 0;

	for (bool quoted = false; p < end; p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (quoted)
			p += *p == '\\' && p + 1 < end;
		else if (*p == '{' || *p == '[')
			depth++;
		else if ((*p == '}' || *p == ']') && --depth <= 0)
			return p + 1;
	}
	return end;
}

/* JSON is YAML except for details (surrogate pairs, tabs, long keys), so what may be JSON is tried as JSON first. As
 * kubectl does it, one object may follow the other without anything between them. */
static bool try_json(struct stream *s, const char *text, size_t len)
{
	const char *end = text + len, *p = skip_json_blanks(text, end), *next;
	auto_json values = json_new_array();
	struct err ignored = { 0 };
	struct json *value;

	if (p == end)
		return false;
	for (; p < end; p = skip_json_blanks(next, end)) {
		next = find_json_end(p, end);
		value = *p == '{' || *p == '[' ? json_parse(p, (size_t)(next - p), &ignored) : NULL;
		if (!value)
			return false;
		json_append(values, value);
	}
	while ((value = json_take_first(values)))
		add_document(s, value, NULL);
	return true;
}

/* ---- entries ---- */

static int parse_yaml(struct stream *s, const char *text, size_t len, struct err *err)
{
	struct reader r = { .text = text, .len = len, .err = err };
	int rc;

	if (!yaml_parser_initialize(&r.parser))
		return err_set(err, ERR_INTERNAL, "YAML: out of memory");
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	rc = read_stream(&r, s);
	yaml_parser_delete(&r.parser);
	return rc;
}

struct json *yaml_parse(const char *text, size_t len, struct err *err)
{
	auto_json documents = json_new_array();
	struct stream s = { .documents = documents };

	if (!try_json(&s, text, len) && parse_yaml(&s, text, len, err) < 0)
		return NULL;
	return take_ptr(documents);
}

struct json *yaml_parse_like_kubectl(const char *text, size_t len, struct json **ret_places, struct err *err)
{
	auto_json documents = json_new_array();
	auto_json places = json_new_array();
	struct stream s = { .documents = documents, .places = places };

	if (!try_json(&s, text, len) && parse_yaml(&s, text, len, err) < 0)
		return NULL;
	*ret_places = take_ptr(places);
	return take_ptr(documents);
}
