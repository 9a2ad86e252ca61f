/*
 * Objects that patches are made of come from everybody who may write one. Input: two texts, separated by the first
 * zero byte. Properties: a patch made of two trees turns the first into the second and is empty only if they are
 * equal; the second as a patch of the first is applied or refused as a whole, within the limits of depth and size.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json/patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static struct json *read(const uint8_t *data, size_t size)
{
	struct err err;

	return json_parse((const char *)data, size, &err);
}

static void check_diff(const struct json *from, const struct json *to)
{
	auto_json patch = json_patch_diff(from, to);
	auto_json doc = json_dup(from);
	struct err err;

	require(json_is(patch, JSON_ARRAY));
	require((json_len(patch) == 0) == json_equal(from, to));
	require(json_patch_apply(&doc, patch, &err) == 0);
	require(json_equal(doc, to));
}

static size_t levels(const struct json *v)
{
	size_t deepest = 0;

	if (!json_is(v, JSON_ARRAY) && !json_is(v, JSON_OBJECT))
		return 0;
	json_each (child, v) {
		size_t below = levels(child);

		deepest = below > deepest ? below : deepest;
	}
	return deepest + 1;
}

static void check_apply(const struct json *from, const struct json *patch)
{
	auto_json doc = json_dup(from);
	struct err err = { 0 };

	if (json_patch_apply(&doc, patch, &err) == 0) {
		require(json_is(patch, JSON_ARRAY));
		require(levels(doc) <= JSON_MAX_DEPTH);
		check_diff(from, doc);
		return;
	}
	require(err.code == ERR_INVALID && *err.msg);
	require(json_equal(doc, from));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *zero = memchr(data, 0, size);
	size_t first = zero ? (size_t)(zero - data) : size;
	auto_json from = NULL;
	auto_json to = NULL;

	if (!zero)
		return 0;
	json_setup();
	from = read(data, first);
	to = read(zero + 1, size - first - 1);
	if (!from || !to)
		return 0;
	check_diff(from, to);
	check_diff(to, from);
	check_apply(from, to);
	return 0;
}
