/*
 * `validate`: what is wrong with objects of the operator's kinds, offline.
 */
#ifndef OFFLINE_VALIDATE_FILES_H
#define OFFLINE_VALIDATE_FILES_H

#include <stdio.h>

#include "options/options.h"

/* Reads o->files; prints "FILE: KIND NAMESPACE/NAME: valid" to out, of others what is wrong to errors, a line for each
 * problem that begins so too; with ", document N" behind FILE where the file has several. Returns the exit code: 0, 1
 * if anything is wrong, 2 without files. */
int validate_files_run(const struct options *o, FILE *out, FILE *errors);

#endif
