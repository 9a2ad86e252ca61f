/*
 * Objects from files that users name on the command line.
 */
#ifndef JSON_FILES_H
#define JSON_FILES_H

#include "json/json.h"

/* Where an object of a file stands. Everything is borrowed. */
struct files_place {
	const char *path;
	size_t document;	  /* its number in the file, from 1 on; 0 if there is one document only */
	size_t item;		  /* its number in a List, from 1 on; 0 if it is the document, or the only item */
	const struct json *notes; /* array: what yaml_parse_like_kubectl notes about the document */
};

/* "app.yaml", "app.yaml, document 2" or "app.yaml, document 2, item 7"; owned. */
char *files_place_text(const struct files_place *place);

typedef void files_object_fn(void *context, const struct files_place *place, struct json *object);
/* Reads path ("-" is standard input, at most 64 MiB) as kubectl reads it, and calls fn for each object, in the place of
 * a List for each of its items. Returns the number of objects, or a negative class and *err, before any call. */
int files_each_object(const char *path, files_object_fn *fn, void *context, struct err *err);
/* The same as an array, owned. Returns NULL and fills *err on failure. */
struct json *files_read_objects(const char *path, struct err *err);
/* The text of path ("-": standard input) within the same limit, owned. Returns NULL and fills *err on failure. */
char *files_read_text(const char *path, struct err *err);

#endif
