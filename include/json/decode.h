/*
 * Field tables: from a JSON tree to a struct of the fields that logic branches on.
 *
 * One row per field: path, type, where it goes, default, names of an enumeration. Strings in the struct are
 * borrowed from the tree. A field of the wrong type is ERR_INVALID with its path, what was found and what was
 * expected: `spec.driver.cores: Invalid value: "two": expected an integer`.
 */
#ifndef JSON_DECODE_H
#define JSON_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "json/json.h"

enum field_type {
	FIELD_STR = 1, /* const char *: NULL if absent or null, whatever dflt */
	FIELD_I64,     /* int64_t */
	FIELD_BOOL,    /* bool */
	FIELD_ENUM,    /* int: index into names; dflt if absent */
	FIELD_TREE,    /* const struct json *: any value, NULL if absent or null */
	FIELD_OBJECT,  /* const struct json *: an object */
	FIELD_ARRAY,   /* const struct json *: an array */
	FIELD_STRMAP,  /* const struct json *: an object whose members are all strings */
	FIELD_STRLIST, /* const struct json *: an array of strings */
	FIELD_TIME,    /* int64_t wall ms of an RFC 3339 string; dflt if absent or null */
};

struct field {
	const char *path;
	enum field_type type;
	size_t offset;
	int64_t dflt;
	const char *const *names; /* FIELD_ENUM: NULL-terminated; an unknown name is an error that lists them */
	int64_t min;		  /* FIELD_I64: smallest value; use INT64_MIN for none */
	int64_t max;		  /* FIELD_I64: largest value; 0 for none */
};

/* prefix: put before the paths in messages ("" or "spec.driver."). All rows are tried; the first error counts. */
int decode(const struct json *tree, const struct field *rows, size_t count, const char *prefix, void *out,
	   struct err *err);

#endif
