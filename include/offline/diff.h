/*
 * `diff`: what would be created here against what spark-submit would create.
 */
#ifndef OFFLINE_DIFF_H
#define OFFLINE_DIFF_H

#include <stdio.h>

#include "options/options.h"

/*
 * Prints to out, problems and progress to errors. Returns the exit code: 0 if everything is equal, 1 if anything
 * differs, 2 if something could not be compared.
 */
int diff_run(const struct options *o, FILE *out, FILE *errors);

#endif
