/*
 * Literals: values that are kept as text, since a tree cannot hold them. They are integers beyond 2^53, numbers beyond
 * the range of a double, and collections below JSON_MAX_DEPTH. A literal is a node of the type cJSON_Raw, which cJSON
 * copies and frees like a string and never makes by itself.
 */
#ifndef JSON_LITERAL_H
#define JSON_LITERAL_H

#include <cjson/cJSON.h>

#include "json/json.h"

enum { JSON_NUMBER_MAX = 60 }; /* characters; cJSON's own limit is 63 */

/* Turns v, which has no children, into a literal with a copy of len bytes of text. */
void literal_set(cJSON *v, const char *text, size_t len);
struct json *literal_new(const char *text);
/* The text; NULL if v is no literal. */
const char *literal_text(const struct json *v);

#endif
