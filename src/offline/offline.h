/*
 * What the commands that need no cluster have in common. What only a cluster gives is made up and the same every time:
 * a uid of zeros, namespace "default" if none is written, the Unix epoch as time of submission, five x as the end of a
 * generated name, and x for the time in the name of a scheduled run.
 */
#ifndef OFFLINE_OFFLINE_H
#define OFFLINE_OFFLINE_H

#include <stdio.h>

#include "options/options.h"
#include "submission/submission.h"

/* An object of a file that the operator knows by kind and version. Everything is borrowed. */
struct offline_object {
	const char *path;
	const char *title; /* "app.yaml: SparkApplication team-a/pi": what each message about it begins with */
	const struct resource *res;
	struct json *object;
	bool has_notes; /* its document has something that kubectl reads otherwise than people may expect */
};

/* Handles one object. Returns false if something is wrong with the object; the function then has reported that. */
typedef bool offline_object_fn(void *context, const struct offline_object *object);

/* How the files of a command are gone through. */
struct offline_walk {
	const char *command;
	offline_object_fn *fn;
	void *context;
	FILE *notes;  /* gets a line for each object that is passed over */
	FILE *errors; /* gets the problems and warnings */
};

/*
 * Calls fn for each object of o->files that is of a kind of this operator, whatever is wrong with others. Objects of
 * other kinds are passed over, with a note. What kubectl reads otherwise than people may expect is a warning. An object
 * without kind or apiVersion, of a version that is not served, or of an unknown kind in the operator's group is wrong,
 * and so is a file that cannot be read or holds no object. Returns the exit code: 0, 1 if anything was wrong, 2 without
 * files.
 */
int offline_objects(const struct options *o, const struct offline_walk *walk);
/* Prints one line for each line of text, since a text may name several fields. */
void offline_print_lines(FILE *errors, const char *title, const char *text);

/*
 * Decodes the object as an application, which borrows from it. A ScheduledSparkApplication becomes one of its runs: its
 * template with its name and labels, which replaces what the object was. ERR_INVALID if that cannot be; *ret_skipped is
 * then NULL, or why nothing is wrong with the object: it is not to be submitted.
 */
int offline_app(const struct offline_object *object, struct app *ret, const char **ret_skipped, struct err *err);

/* OFFLINE_SUBMISSION: without what stands beside a submission, but for the UI Service if that is switched on. */
enum offline_parts { OFFLINE_ALL = 1, OFFLINE_SUBMISSION };

/* Builds all that `start` would create, with the companions last, and the executor pod. */
int offline_build(const struct options *o, const struct app *app, enum offline_parts parts, struct submission *ret,
		  struct err *err);

#endif
