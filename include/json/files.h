/*
 * Objects from files that users name on the command line.
 */
#ifndef JSON_FILES_H
#define JSON_FILES_H

#include "json/json.h"

/* An array of all YAML or JSON documents of path, owned. "-" is standard input. In the place of a List are its items.
 * At most 64 MiB. Returns NULL and fills *err on failure. */
struct json *files_read_objects(const char *path, struct err *err);
/* The text of path ("-": standard input) within the same limit, owned. Returns NULL and fills *err on failure. */
char *files_read_text(const char *path, struct err *err);

#endif
