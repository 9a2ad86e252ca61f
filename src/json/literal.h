/*
 * What is kept as its text, since a tree cannot hold it: integers beyond 2^53, numbers beyond the range of a double,
 * collections below JSON_MAX_DEPTH. Literals are nodes of the type cJSON_Raw, which cJSON copies and frees like strings
 * and never makes by itself.
 */
#ifndef JSON_LITERAL_H
#define JSON_LITERAL_H

#include <cjson/cJSON.h>

#include "json/json.h"

enum { JSON_NUMBER_MAX = 60 }; /* characters; cJSON's own limit is 63 */

/* Makes a literal of v, which has no children, in its place; len bytes of text are copied. */
void literal_set(cJSON *v, const char *text, size_t len);
struct json *literal_new(const char *text);
/* The text; NULL if v is no literal. */
const char *literal_text(const struct json *v);

#endif
