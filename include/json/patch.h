/*
 * RFC 6902 JSON Patch: what makes one tree of another, as the admission webhook answers, and its application.
 *
 * The patch is meant for an object that somebody else may have changed meanwhile (another webhook, a reinvocation):
 * an operation that addresses an element by its index, or that replaces or removes a value, comes after a "test" of
 * what it was made for, so that it fails rather than hits something else. Appending to an array ("/-") and adding
 * an absent member need none; a collection with null inside, which no pod has, is not tested.
 */
#ifndef JSON_PATCH_H
#define JSON_PATCH_H

#include "json/json.h"

/*
 * Array of operations, empty if the trees are equal; owned. Elements of arrays that are only appended to are
 * appended one by one, elements that changed in place are changed there, arrays with insertions, removals or many
 * changes are replaced; an array that is absent is added whole. Neither tree is NULL.
 */
struct json *json_patch_diff(const struct json *from, const struct json *to);
/* Applies patch to *doc, all of it or nothing. ERR_INVALID: no patch, a path that is not there, or a test that fails;
 * the text says which operation. Supports add, remove, replace, move, copy, test. */
int json_patch_apply(struct json **doc, const struct json *patch, struct err *err);

#endif
