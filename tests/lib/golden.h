/*
 * Golden files: JSON in, JSON out. A golden is one file {"input": …, "want": …}; the test computes the output of
 * the input and compares. UPDATE_GOLDEN=1 rewrites `want`; `git diff` is the review.
 */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include "json/json.h"

/* Owned output for an input; errors are part of the output. */
typedef struct json *golden_fn(const struct json *input);

/* Runs every *.json of directory (relative to tests/) as a cmocka test of its own. Returns the number of failures;
 * a directory without files is a failure. */
int golden_run(const char *directory, golden_fn *fn);

/* The content of a file as owned text; fails the test if it cannot be read. */
char *golden_read(const char *path, size_t *ret_len);
/* The same as JSON. Owned. */
struct json *golden_json(const char *path);

#endif
