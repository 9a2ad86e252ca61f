/*
 * What the commands that need no cluster have in common. What only a cluster gives is made up and the same every time:
 * a uid of zeros, namespace "default" if none is written, the Unix epoch as time of submission, five x as the end of a
 * generated name.
 */
#ifndef OFFLINE_OFFLINE_H
#define OFFLINE_OFFLINE_H

#include <stdio.h>

#include "options/options.h"
#include "submission/submission.h"

/* Decodes object as an application, which borrows from object. ERR_INVALID if object is no SparkApplication. */
int offline_app(struct json *object, struct app *ret, struct err *err);
/* OFFLINE_SUBMISSION: without what stands beside a submission, but for the UI Service if that is switched on. */
enum offline_parts { OFFLINE_ALL = 1, OFFLINE_SUBMISSION };

/* Builds all that `start` would create, with the companions last, and the executor pod. */
int offline_build(const struct options *o, const struct app *app, enum offline_parts parts, struct submission *ret,
		  struct err *err);

/* Handles one object of the file path. Returns false if something is wrong with the object; the function then has
 * reported that itself. */
typedef bool offline_object_fn(void *context, const char *path, struct json *object);
/* Calls fn for each object of o->files, whatever is wrong with others. Returns the exit code: 0, 1 if anything was
 * wrong, 2 without files. */
int offline_objects(const struct options *o, const char *command, offline_object_fn *fn, void *context, FILE *errors);

typedef int offline_fn(void *context, struct json *object, struct err *err);
/* The same, and prints what fn finds wrong, a line for each field that begins with file and object. */
int offline_each(const struct options *o, const char *command, offline_fn *fn, void *context, FILE *errors);

#endif
