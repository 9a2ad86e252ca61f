/*
 * YAML text to JSON trees. libyaml scans and parses, and its events become nodes here. Plain scalars are resolved as
 * goyaml.v2 (resolve.go), the parser behind sigs.k8s.io/yaml, does it: 0644 is octal, 1_000 a thousand, a time stays a
 * string. There is one difference on purpose: yes, no, on and off stay strings. An alias becomes a copy. The nodes of
 * copies are counted, so that a small text cannot become a huge tree. Every refusal is ERR_INVALID with line and
 * column.
 */
#include "json/yaml.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <yaml.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/text.h"
#include "literal.h"

enum { MAX_ALIASED = 100000 };

#define TAG "tag:yaml.org,2002:"

struct reader {
	yaml_parser_t parser;
	struct map *anchors; /* name → node, borrowed from the tree of the document */
	size_t aliased;	     /* nodes made by aliases so far */
	struct err *err;
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

/* The caller deletes *e, also after a failure. */
static int next_event(struct reader *r, yaml_event_t *e)
{
	const yaml_parser_t *p = &r->parser;

	if (yaml_parser_parse(&r->parser, e))
		return 0;
	*e = (yaml_event_t){ 0 };
	return yaml_fail(r, p->error == YAML_READER_ERROR ? p->mark : p->problem_mark, "%s",
			 p->problem ? p->problem : "out of memory");
}

/* The whole text has to be digits of the base. *ret: the number in decimal, owned; NULL if it is too large. */
static bool parse_digits(const char *text, unsigned base, const char *sign, char **ret)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t value = 0;
	bool fits = true;

	if (!*text)
		return false;
	for (const char *p = text; *p; p++) {
		const char *at = strchr(digits, *p >= 'A' && *p <= 'F' ? *p | 0x20 : *p);

		if (!at || at - digits >= (ptrdiff_t)base)
			return false;
		fits = fits && !__builtin_mul_overflow(value, base, &value) &&
		       !__builtin_add_overflow(value, (uint64_t)(at - digits), &value);
	}
	if (base == 10)
		*ret = xasprintf("%s%s", sign, text);
	else
		*ret = fits ? xasprintf("%s%" PRIu64, sign, value) : NULL;
	return true;
}

/* As strconv.ParseInt with base 0: decimal, 0x, 0o, 0b and octal with a leading 0. */
static bool parse_int(const char *text, char **ret)
{
	static const struct {
		char letter;
		unsigned base;
	} prefixes[] = { { 'x', 16 }, { 'o', 8 }, { 'b', 2 } };
	const char *sign = *text == '-' ? "-" : "";

	if (*text == '-' || *text == '+')
		text++;
	for (size_t i = 0; text[0] == '0' && i < array_len(prefixes); i++)
		if ((text[1] | 0x20) == prefixes[i].letter)
			return parse_digits(text + 2, prefixes[i].base, sign, ret);
	return parse_digits(text, text[0] == '0' ? 8 : 10, sign, ret);
}

static bool is_one_of_words(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (text_eq(text, *words))
			return true;
	return false;
}

/* Sets *ret to the number that a plain scalar is, or to NULL if it is a string. */
static int resolve_number(struct reader *r, yaml_mark_t at, const char *text, struct json **ret)
{
	auto_free char *plain = xstrdup(text);
	char *to = plain;
	auto_free char *decimal = NULL;
	double number;
	int64_t integer;

	*ret = NULL;
	if (!strchr("+-.0123456789", *text))
		return 0;
	for (const char *from = text; *from; from++)
		if (*from != '_' || *text == '.')
			*to++ = *from;
	*to = '\0';
	if (parse_int(plain, &decimal)) {
		if (!decimal || strlen(decimal) > JSON_NUMBER_MAX)
			return yaml_fail(r, at, "integer too large");
		*ret = text_i64(decimal, &integer) ? json_new_i64(integer) : literal_new(decimal);
	} else if (text_double(plain, &number)) {
		*ret = json_new_double(number);
	}
	return 0;
}

static int resolve_plain(struct reader *r, yaml_mark_t at, const char *text, struct json **ret)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
	static const char *const trues[] = { "true", "True", "TRUE", NULL };
	static const char *const falses[] = { "false", "False", "FALSE", NULL };
	static const char *const infinite[] = { ".inf",	 ".Inf",  ".INF", "+.inf", "+.Inf", "+.INF", "-.inf",
						"-.Inf", "-.INF", ".nan", ".NaN",  ".NAN",  NULL };
	int rc;

	if (is_one_of_words(text, nulls)) {
		*ret = json_new_null();
		return 0;
	}
	if (is_one_of_words(text, trues) || is_one_of_words(text, falses)) {
		*ret = json_new_bool(is_one_of_words(text, trues));
		return 0;
	}
	if (is_one_of_words(text, infinite))
		return yaml_fail(r, at, "JSON has no number %s", text);
	rc = resolve_number(r, at, text, ret);
	if (rc == 0 && !*ret)
		*ret = json_new_string(text);
	return rc;
}

/* A tag demands a type; the text has to be one of that type. */
static int resolve_tagged(struct reader *r, const yaml_event_t *e, const char *tag, struct json **ret)
{
	static const struct {
		const char *tag;
		enum json_type type;
	} types[] = { { TAG "int", JSON_NUMBER },
		      { TAG "float", JSON_NUMBER },
		      { TAG "bool", JSON_BOOL },
		      { TAG "null", JSON_NULL } };
	const char *text = (const char *)e->data.scalar.value;
	auto_json value = NULL;
	struct err ignored;
	int rc = 0;

	if (text_eq(tag, TAG "str") || text_eq(tag, "!")) {
		*ret = json_new_string(text);
		return 0;
	}
	for (size_t i = 0; i < array_len(types); i++) {
		if (!text_eq(tag, types[i].tag))
			continue;
		if (text_eq(tag, TAG "float")) /* 1e400 is a string without the tag; with it, JSON's parser reads it */
			value = json_parse(text, strlen(text), &ignored);
		if (!value)
			rc = resolve_plain(r, e->start_mark, text, &value);
		if (rc < 0)
			return rc;
		if (!json_is(value, types[i].type))
			return yaml_fail(r, e->start_mark, "\"%s\" does not fit its tag %s", text, tag);
		*ret = take_ptr(value);
		return 0;
	}
	return yaml_fail(r, e->start_mark, "unknown tag %s", tag);
}

static struct json *read_scalar(struct reader *r, const yaml_event_t *e)
{
	const char *text = (const char *)e->data.scalar.value, *tag = (const char *)e->data.scalar.tag;
	struct json *value = NULL;

	if (strlen(text) != e->data.scalar.length)
		yaml_fail(r, e->start_mark, "strings with NUL are not supported");
	else if (tag)
		resolve_tagged(r, e, tag, &value);
	else if (e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		resolve_plain(r, e->start_mark, text, &value);
	else
		value = json_new_string(text);
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

static struct json *read_alias(struct reader *r, const yaml_event_t *e, int depth)
{
	const char *name = (const char *)e->data.alias.anchor;
	const struct json *target = map_get(r->anchors, name);
	int deepest = 0;

	if (!target) {
		yaml_fail(r, e->start_mark, "unknown alias %s", name);
		return NULL;
	}
	r->aliased += measure_tree(target, depth, &deepest);
	if (r->aliased > MAX_ALIASED) {
		yaml_fail(r, e->start_mark, "aliases expand to more than %d nodes", MAX_ALIASED);
		return NULL;
	}
	if (deepest > JSON_MAX_DEPTH) {
		yaml_fail(r, e->start_mark, "nested too deeply");
		return NULL;
	}
	return json_dup(target);
}

static int check_collection(struct reader *r, const yaml_event_t *e, int depth)
{
	bool mapping = e->type == YAML_MAPPING_START_EVENT;
	const char *tag = (const char *)(mapping ? e->data.mapping_start.tag : e->data.sequence_start.tag);

	if (depth > JSON_MAX_DEPTH)
		return yaml_fail(r, e->start_mark, "nested too deeply");
	if (tag && !text_eq(tag, "!") && !text_eq(tag, mapping ? TAG "map" : TAG "seq"))
		return yaml_fail(r, e->start_mark, "tag %s does not fit", tag);
	return 0;
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

/* The name that a key event stands for; owned, NULL on failure. */
static char *read_key(struct reader *r, const yaml_event_t *e)
{
	auto_json key = NULL;

	if (e->type != YAML_SCALAR_EVENT || e->data.scalar.anchor) {
		yaml_fail(r, e->start_mark, "keys must be strings without anchor");
		return NULL;
	}
	if (e->data.scalar.plain_implicit && text_eq((const char *)e->data.scalar.value, "<<")) {
		yaml_fail(r, e->start_mark, "merge keys are not supported");
		return NULL;
	}
	key = read_scalar(r, e);
	if (!key)
		return NULL;
	if (!json_is(key, JSON_STRING)) {
		yaml_fail(r, e->start_mark, "key %s is not a string: quote it", (const char *)e->data.scalar.value);
		return NULL;
	}
	return xstrdup(json_text(key, ""));
}

static int read_members(struct reader *r, struct json *object, int depth)
{
	auto_map names = map_new(NULL);

	for (;;) {
		auto_free char *name = NULL;
		struct json *value = NULL;
		yaml_event_t e;
		int rc = next_event(r, &e);
		bool end = e.type == YAML_MAPPING_END_EVENT;

		if (rc == 0 && !end)
			name = read_key(r, &e);
		if (name && !map_set(names, name, object))
			rc = yaml_fail(r, e.start_mark, "key \"%s\" is already there", name);
		yaml_event_delete(&e);
		if (end)
			return 0;
		if (rc < 0 || !name || next_event(r, &e) < 0)
			return -ERR_INVALID;
		value = read_node(r, &e, depth + 1);
		yaml_event_delete(&e);
		if (!value)
			return -ERR_INVALID;
		cJSON_AddItemToObject((cJSON *)object, name, (cJSON *)value); /* json_set would search again */
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
		if (check_collection(r, e, depth) < 0 || read_elements(r, value, depth) < 0)
			return NULL;
		break;
	default:
		value = json_new_object();
		if (check_collection(r, e, depth) < 0 || read_members(r, value, depth) < 0)
			return NULL;
	}
	if (value && anchor_of(e))
		map_set(r->anchors, anchor_of(e), value);
	return take_ptr(value);
}

/* The root of a document, read with the events that end it. */
static int read_document(struct reader *r, struct json *documents)
{
	struct json *value = NULL;
	yaml_event_t e;

	map_free(r->anchors);
	r->anchors = map_new(NULL);
	if (next_event(r, &e) == 0)
		value = read_node(r, &e, 1);
	yaml_event_delete(&e);
	if (!value)
		return -ERR_INVALID;
	if (json_is(value, JSON_NULL))
		json_free(value);
	else
		json_append(documents, value);
	return 0;
}

static int read_stream(struct reader *r, struct json *documents)
{
	for (;;) {
		yaml_event_t e;
		yaml_event_type_t type;
		int rc = next_event(r, &e);

		type = e.type;
		yaml_event_delete(&e);
		if (rc == 0 && type == YAML_DOCUMENT_START_EVENT)
			rc = read_document(r, documents);
		if (rc < 0 || type == YAML_STREAM_END_EVENT)
			return rc;
	}
}

/* JSON is YAML except for details (surrogate pairs, tabs, long keys), so what may be JSON is tried as JSON first. */
static struct json *try_json(const char *text, size_t len)
{
	size_t start = 0;
	struct err ignored;
	struct json *value;
	struct json *documents;

	while (start < len && strchr(" \t\r\n", text[start]) && text[start])
		start++;
	if (start == len || (text[start] != '{' && text[start] != '['))
		return NULL;
	value = json_parse(text, len, &ignored);
	if (!value)
		return NULL;
	documents = json_new_array();
	json_append(documents, value);
	return documents;
}

struct json *yaml_parse(const char *text, size_t len, struct err *err)
{
	struct reader r = { .err = err };
	struct json *documents = try_json(text, len);

	if (documents)
		return documents;
	if (!yaml_parser_initialize(&r.parser)) {
		err_set(err, ERR_INTERNAL, "YAML: out of memory");
		return NULL;
	}
	documents = json_new_array();
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	if (read_stream(&r, documents) < 0) {
		json_free(documents);
		documents = NULL;
	}
	yaml_parser_delete(&r.parser);
	map_free(r.anchors);
	return documents;
}
