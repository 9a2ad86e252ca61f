/*
 * `render`: the objects that would be created, offline.
 */
#ifndef OFFLINE_RENDER_H
#define OFFLINE_RENDER_H

#include <stdio.h>

#include "options/options.h"

/* Reads o->files, prints to out, problems to errors: one line each, beginning with the file. Returns the exit code: 0,
 * or 1 if anything could not be rendered. */
int render_run(const struct options *o, FILE *out, FILE *errors);

#endif
