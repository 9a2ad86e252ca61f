/*
 * The comparison's parts.
 */
#ifndef OFFLINE_COMPARE_PARTS_H
#define OFFLINE_COMPARE_PARTS_H

#include "compare.h"

/* ---- compare_form.c ---- */
/* An object of trees: the name that each object has in paths → the object, ready to be compared. Owned. */
struct json *compare_form(const struct json *objects, const struct json *executor, bool terse);
/* Length of the id of chance that text starts with, 0 if none: 16 or 32 hexadecimal digits, or a UUID. before: the
 * character before it or 0. */
size_t compare_id(char before, const char *text);
/* Text with <hex16>, <hex32>, <uuid> in place of ids. Owned. */
char *compare_mask(const char *text);

/* ---- compare_rules.c ---- */
/* The reason why the application may differ at path; NULL if it may not. */
const char *compare_reason(const struct compare_rules *r, const char *name, const char *path);

#endif
