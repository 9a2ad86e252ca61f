/*
 * JSON trees: cJSON behind one face. Only json/ includes <cjson/cJSON.h>; its traps stay there (names compared
 * without case, trailing bytes accepted, numbers printed as 1e+15).
 *
 * An object of Kubernetes stays a tree, unknown fields and all. Ownership: a tree has one owner. _new, _parse, _dup and
 * _take return owned trees; _at, _get, _first, _next borrow and return NULL when there is nothing; _set and _append
 * take ownership of the child. Every borrowing accessor accepts NULL and wrong types: json_str(NULL, "a", "x") is "x".
 *
 * Numbers are doubles, exact as integers up to 2^53. Others are kept as their text and printed unchanged: integers
 * beyond that, and numbers beyond the range of doubles (1e400). They are equal only if their texts are.
 */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct json; /* a node; its subtree goes with it */

enum json_type { JSON_NULL = 1, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

enum { JSON_MAX_DEPTH = 500 };

/* Once per process, before anything else: cJSON allocates through xmalloc. */
void json_setup(void);

/*
 * Parses a text that is one JSON value, with white space around it or not. ERR_INVALID with the position if it is not.
 * Duplicate names, bytes that are not UTF-8 and numbers of more than 60 characters are refused too, since no API server
 * sends them. Values that an API server may send but a tree cannot hold are accepted: NUL in a string (\u0000) becomes
 * U+FFFD, and of names that become equal by that the first stays. Collections below JSON_MAX_DEPTH are checked and kept
 * as text down to level 10 000; they are printed unchanged and look like numbers.
 */
struct json *json_parse(const char *text, size_t len, struct err *err);
/* The same, but the member `skip` of objects that are called `under` is left out if it is an object or array. Its
 * contents are not checked. */
struct json *json_parse_without(const char *text, size_t len, const char *under, const char *skip, struct err *err);
/* Owned text. Members in tree order; integers up to 2^53 without exponent. */
char *json_print(const struct json *v);
char *json_print_pretty(const struct json *v); /* two blanks per level, final newline */
void json_free(struct json *v);
struct json *json_dup(const struct json *v); /* NULL stays NULL */
/* Deep equality; order of members means nothing, order of elements does. NULL equals only NULL. */
bool json_equal(const struct json *a, const struct json *b);
/* Equal trees have equal hashes. Names of objects depend on hashes, so a tree has the same hash in every version of the
 * program. */
uint64_t json_hash(const struct json *v);

/* ---- reading ---- */
enum json_type json_type(const struct json *v); /* 0 for NULL */
bool json_is(const struct json *v, enum json_type type);
/* The member of that name. Dots in the name mean nothing. */
struct json *json_get(const struct json *object, const char *name);
/* Path of names separated by dots: "spec.driver.cores". For names with dots in them use json_get. */
struct json *json_at(const struct json *v, const char *path);
size_t json_len(const struct json *v); /* members or elements; 0 otherwise */
struct json *json_first(const struct json *v);
struct json *json_next(const struct json *v);
const char *json_name(const struct json *v); /* of a member; NULL for elements and roots */
/* The value itself, if it has the type; else the default. */
const char *json_text(const struct json *v, const char *dflt);
double json_number(const struct json *v, double dflt); /* the nearest finite one */
/* The default also if the number is not integral or does not fit. A number beyond 2^53 fits only if it is written as an
 * integer, unlike 1e16. */
int64_t json_integer(const struct json *v, int64_t dflt);
bool json_true(const struct json *v);
/* The same along a path. */
const char *json_str(const struct json *v, const char *path, const char *dflt);
int64_t json_i64(const struct json *v, const char *path, int64_t dflt);
/* There is a value at the path, and it is not null. */
bool json_has(const struct json *v, const char *path);
bool json_bool(const struct json *v, const char *path, bool dflt);

/* for (each element or member child of v) */
#define json_each(child, v) for (struct json *child = json_first(v); child; child = json_next(child))

/* The element of an array whose member `name` is the string `text`. For containers and env, which have a name. */
struct json *json_find(const struct json *array, const char *name, const char *text);

/* ---- building ---- */
struct json *json_new_object(void);
struct json *json_new_array(void);
struct json *json_new_string(const char *text);
struct json *json_new_i64(int64_t value);
struct json *json_new_double(double value);
struct json *json_new_bool(bool value);
struct json *json_new_null(void);
/* Adds a member, or replaces it in its place. Takes child and returns it, borrowed. */
struct json *json_set(struct json *object, const char *name, struct json *child);
void json_set_str(struct json *object, const char *name, const char *text); /* NULL text: nothing is set */
void json_setf(struct json *object, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void json_set_i64(struct json *object, const char *name, int64_t value);
void json_set_bool(struct json *object, const char *name, bool value);
/* The member. It is added if it is absent, and replaced if it is null or has another type. */
struct json *json_ensure_object(struct json *object, const char *name);
struct json *json_ensure_array(struct json *object, const char *name);
struct json *json_append(struct json *array, struct json *child); /* takes child; returns it, borrowed */
void json_append_str(struct json *array, const char *text);
bool json_remove(struct json *object, const char *name); /* frees the member; false if absent */
/* Detaches the member and hands it over; NULL if absent. */
struct json *json_take(struct json *object, const char *name);
/* Detaches the first element of an array or member of an object (which keeps its name); NULL when empty. */
struct json *json_take_first(struct json *v);

/* ---- RFC 7396 merge patch ---- */
/* The patch that makes `to` of `from`; NULL if they are equal. Owned. */
struct json *json_merge_diff(const struct json *from, const struct json *to);
/* Applies patch to *target in place (target must be an object). */
void json_merge_apply(struct json *target, const struct json *patch);

static inline void json_cleanup(struct json **v)
{
	json_free(*v);
}
#define auto_json __attribute__((cleanup(json_cleanup))) struct json *

#endif
