/*
 * JSON Patch (RFC 6902): made from two trees, as the admission webhook answers with it, and applied to a tree.
 *
 * Somebody else may have changed the object before the patch is applied (another webhook, a reinvocation). So an
 * operation that addresses an element by its index, or that replaces or removes a value, comes after a "test" of the
 * value that it was made for: the patch fails rather than changes something else. Appending to an array ("/-") and
 * adding an absent member need no test. A collection with null inside, which no pod has, is not tested.
 */
#ifndef JSON_PATCH_H
#define JSON_PATCH_H

#include "json/json.h"

/*
 * The array of operations that turn `from` into `to`, empty if they are equal; owned. New elements at the end of an
 * array are appended one by one. Elements that changed in place are changed there. An array with insertions, removals
 * or many changes is replaced. An array that is absent is added as a whole. Neither tree is NULL.
 */
struct json *json_patch_diff(const struct json *from, const struct json *to);
/* Applies all of patch to *doc, or nothing. Supports add, remove, replace, move, copy and test. ERR_INVALID: it is not
 * a JSON Patch, a path leads to nothing, or a test fails; the text names the operation. */
int json_patch_apply(struct json **doc, const struct json *patch, struct err *err);

#endif
