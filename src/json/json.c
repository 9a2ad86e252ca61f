/*
 * Reading and building JSON trees. A struct json is a cJSON node; the casts are here and in the other files of this
 * folder only. Reading follows next and child pointers, since cJSON's access by index is linear, and compares names
 * exactly, since cJSON's default ignores case. Building cannot fail: memory comes from xmalloc, and what would be
 * refused by cJSON (no child, not an object) is a programming error.
 */
#include "json/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/text.h"
#include "literal.h"
#include "members.h"
#include "node.h"

static const double exact_max = 9007199254740992.0; /* 2^53 */

static cJSON *node_of(const struct json *v)
{
	return (cJSON *)v;
}

static struct json *json_of(const cJSON *v)
{
	return (struct json *)v;
}

void json_setup(void)
{
	cJSON_Hooks hooks = { xmalloc, free };

	cJSON_InitHooks(&hooks);
}

void json_free(struct json *v)
{
	cJSON_Delete(node_of(v));
}

struct json *json_dup(const struct json *v)
{
	return json_of(node_dup(node_of(v)));
}

static bool equal_members(const cJSON *a, const cJSON *b)
{
	auto_members members;
	size_t count = 0;

	members_init(&members, b);
	for (const cJSON *m = a->child; m; m = m->next, count++) {
		const cJSON *other = members_get(&members, m->string);

		if (!other || !json_equal(json_of(m), json_of(other)))
			return false;
	}
	return count == json_len(json_of(b));
}

static bool equal_elements(const cJSON *a, const cJSON *b)
{
	const cJSON *x = a->child, *y = b->child;

	while (x && y && json_equal(json_of(x), json_of(y))) {
		x = x->next;
		y = y->next;
	}
	return !x && !y;
}

static bool equal_numbers(const struct json *a, const struct json *b)
{
	if (literal_text(a) || literal_text(b))
		return text_eq(literal_text(a), literal_text(b));
	return node_of(a)->valuedouble == node_of(b)->valuedouble;
}

bool json_equal(const struct json *a, const struct json *b)
{
	enum json_type type = json_type(a);

	if (type != json_type(b))
		return false;
	switch (type) {
	case JSON_BOOL:
		return json_true(a) == json_true(b);
	case JSON_NUMBER:
		return equal_numbers(a, b);
	case JSON_STRING:
		return strcmp(node_of(a)->valuestring, node_of(b)->valuestring) == 0;
	case JSON_ARRAY:
		return equal_elements(node_of(a), node_of(b));
	case JSON_OBJECT:
		return equal_members(node_of(a), node_of(b));
	default:
		return true;
	}
}

enum json_type json_type(const struct json *v)
{
	if (!v)
		return 0;
	switch (node_of(v)->type & 0xff) {
	case cJSON_NULL:
		return JSON_NULL;
	case cJSON_False:
	case cJSON_True:
		return JSON_BOOL;
	case cJSON_Number:
	case cJSON_Raw:
		return JSON_NUMBER;
	case cJSON_String:
		return JSON_STRING;
	case cJSON_Array:
		return JSON_ARRAY;
	case cJSON_Object:
		return JSON_OBJECT;
	default:
		return 0;
	}
}

bool json_is(const struct json *v, enum json_type type)
{
	return json_type(v) == type;
}

/* The member whose name is the len bytes at name. */
static cJSON *find_member(const struct json *object, const char *name, size_t len)
{
	if (!json_is(object, JSON_OBJECT))
		return NULL;
	for (cJSON *m = node_of(object)->child; m; m = m->next)
		if (m->string[0] == name[0] && strncmp(m->string, name, len) == 0 && m->string[len] == '\0')
			return m;
	return NULL;
}

struct json *json_get(const struct json *object, const char *name)
{
	return json_of(find_member(object, name, strlen(name)));
}

struct json *json_at(const struct json *v, const char *path)
{
	const char *stop = strchrnul(path, '.');

	while (*stop) {
		v = json_of(find_member(v, path, (size_t)(stop - path)));
		path = stop + 1;
		stop = strchrnul(path, '.');
	}
	return json_of(find_member(v, path, (size_t)(stop - path)));
}

size_t json_len(const struct json *v)
{
	size_t count = 0;

	json_each (child, v)
		count++;
	return count;
}

struct json *json_first(const struct json *v)
{
	return v ? json_of(node_of(v)->child) : NULL;
}

struct json *json_next(const struct json *v)
{
	return v ? json_of(node_of(v)->next) : NULL;
}

const char *json_name(const struct json *v)
{
	return v ? node_of(v)->string : NULL;
}

const char *json_text(const struct json *v, const char *dflt)
{
	return json_is(v, JSON_STRING) ? node_of(v)->valuestring : dflt;
}

double json_number(const struct json *v, double dflt)
{
	return json_is(v, JSON_NUMBER) ? node_of(v)->valuedouble : dflt;
}

int64_t json_integer(const struct json *v, int64_t dflt)
{
	double number = json_number(v, NAN);
	int64_t exact = dflt;

	if (literal_text(v)) {
		text_i64(literal_text(v), &exact);
		return exact;
	}
	if (!(fabs(number) <= exact_max) || number != trunc(number))
		return dflt;
	return (int64_t)number;
}

bool json_true(const struct json *v)
{
	return v && (node_of(v)->type & 0xff) == cJSON_True;
}

const char *json_str(const struct json *v, const char *path, const char *dflt)
{
	return json_text(json_at(v, path), dflt);
}

int64_t json_i64(const struct json *v, const char *path, int64_t dflt)
{
	return json_integer(json_at(v, path), dflt);
}

bool json_has(const struct json *v, const char *path)
{
	const struct json *value = json_at(v, path);

	return value && !json_is(value, JSON_NULL);
}

bool json_bool(const struct json *v, const char *path, bool dflt)
{
	const struct json *at = json_at(v, path);

	return json_is(at, JSON_BOOL) ? json_true(at) : dflt;
}

struct json *json_find(const struct json *array, const char *name, const char *text)
{
	if (!json_is(array, JSON_ARRAY) || !text)
		return NULL;
	json_each (element, array) {
		const char *found = json_text(json_get(element, name), NULL);

		if (found && strcmp(found, text) == 0)
			return element;
	}
	return NULL;
}

static cJSON *new_text_node(const char *name, const char *text)
{
	size_t name_size = name ? strlen(name) + 1 : 0, text_size = strlen(text) + 1;
	cJSON *v = node_new(cJSON_String, name_size, text_size);

	if (name)
		memcpy(v->string, name, name_size);
	memcpy(v->valuestring, text, text_size);
	return v;
}

struct json *json_new_object(void)
{
	return json_of(cJSON_CreateObject());
}

struct json *json_new_array(void)
{
	return json_of(cJSON_CreateArray());
}

struct json *json_new_string(const char *text)
{
	return json_of(new_text_node(NULL, text));
}

struct json *json_new_i64(int64_t value)
{
	auto_free char *text = NULL;

	if (value >= -(int64_t)exact_max && value <= (int64_t)exact_max)
		return json_new_double((double)value);
	text = xasprintf("%" PRId64, value);
	return literal_new(text);
}

struct json *json_new_double(double value)
{
	return json_of(cJSON_CreateNumber(value));
}

struct json *json_new_bool(bool value)
{
	return json_of(cJSON_CreateBool(value));
}

struct json *json_new_null(void)
{
	return json_of(cJSON_CreateNull());
}

struct json *json_set(struct json *object, const char *name, struct json *child)
{
	cJSON *old = find_member(object, name, strlen(name));

	assert(json_is(object, JSON_OBJECT) && child && !node_of(child)->prev);
	if (old) {
		node_unname(node_of(child));
		node_of(child)->string = xstrdup(name);
		cJSON_ReplaceItemViaPointer(node_of(object), old, node_of(child));
	} else {
		cJSON_AddItemToObject(node_of(object), name, node_of(child));
	}
	return child;
}

void json_set_str(struct json *object, const char *name, const char *text)
{
	assert(json_is(object, JSON_OBJECT));
	if (!text)
		return;
	if (json_get(object, name))
		json_set(object, name, json_new_string(text));
	else
		node_append(node_of(object), new_text_node(name, text));
}

void json_setf(struct json *object, const char *name, const char *fmt, ...)
{
	auto_buf text = { .max = SIZE_MAX };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	json_set_str(object, name, buf_str(&text));
}

void json_set_i64(struct json *object, const char *name, int64_t value)
{
	json_set(object, name, json_new_i64(value));
}

void json_set_bool(struct json *object, const char *name, bool value)
{
	json_set(object, name, json_new_bool(value));
}

struct json *json_ensure_object(struct json *object, const char *name)
{
	struct json *child = json_get(object, name);

	return json_is(child, JSON_OBJECT) ? child : json_set(object, name, json_new_object());
}

struct json *json_ensure_array(struct json *object, const char *name)
{
	struct json *child = json_get(object, name);

	return json_is(child, JSON_ARRAY) ? child : json_set(object, name, json_new_array());
}

struct json *json_append(struct json *array, struct json *child)
{
	assert(json_is(array, JSON_ARRAY) && child && !node_of(child)->prev);
	node_unname(node_of(child));
	cJSON_AddItemToArray(node_of(array), node_of(child));
	return child;
}

void json_append_str(struct json *array, const char *text)
{
	json_append(array, json_new_string(text));
}

bool json_remove(struct json *object, const char *name)
{
	struct json *child = json_take(object, name);

	json_free(child);
	return child;
}

struct json *json_take(struct json *object, const char *name)
{
	cJSON *child = find_member(object, name, strlen(name));

	if (!child)
		return NULL;
	cJSON_DetachItemViaPointer(node_of(object), child);
	node_unname(child);
	return json_of(child);
}

struct json *json_take_first(struct json *v)
{
	cJSON *child = v ? node_of(v)->child : NULL;

	return child ? json_of(cJSON_DetachItemViaPointer(node_of(v), child)) : NULL;
}
