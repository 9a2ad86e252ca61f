/*
 * `validate`: what is wrong with applications, offline.
 */
#ifndef APP_VALIDATE_FILES_H
#define APP_VALIDATE_FILES_H

#include <stdio.h>

#include "options.h"

/* Reads o->files; prints the applications that can be submitted to out, what is wrong with the others to errors, one line for
 * each field. Returns the exit code: 0, 1 if anything is wrong, 2 without files. */
int validate_files_run(const struct options *o, FILE *out, FILE *errors);

#endif
