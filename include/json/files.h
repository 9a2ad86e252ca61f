/*
 * Objects from files that users name on the command line.
 */
#ifndef JSON_FILES_H
#define JSON_FILES_H

#include "json/json.h"

/* All YAML or JSON documents of path ("-": standard input, at most 64 MiB), the items of Lists taken out, as an
 * array. Owned; NULL + *err. */
struct json *files_read_objects(const char *path, struct err *err);
/* The whole of path ("-": standard input) within the same limit. Owned; NULL + *err. */
char *files_read_text(const char *path, struct err *err);

#endif
