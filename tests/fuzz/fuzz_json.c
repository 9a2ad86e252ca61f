/*
 * JSON comes from API servers and, inside objects, from everybody who may write one. Input: two texts, separated by the
 * first zero byte. Properties: what is read, printed and read again is the same; a merge patch made of two objects
 * turns the first into the second.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_text(const struct json *v, const char *text)
{
	struct err err;
	auto_json again = json_parse(text, strlen(text), &err);

	require(json_equal(v, again));
}

/* The value of a text, NULL if it is none. */
static struct json *read(const uint8_t *data, size_t size)
{
	struct err err = { 0 };
	struct json *v = json_parse((const char *)data, size, &err);
	auto_json dup = json_dup(v);
	auto_free char *text = NULL, *pretty = NULL, *second = NULL;

	if (!v) {
		require(err.code == ERR_INVALID && *err.msg);
		return NULL;
	}
	text = json_print(v);
	pretty = json_print_pretty(v);
	second = json_print(dup);
	check_text(v, text);
	check_text(v, pretty);
	require(strcmp(text, second) == 0);
	return v;
}

/* Null members count as absent, so "the same" is that there is no difference any more. */
static void check_merge(const struct json *from, const struct json *to)
{
	auto_json patch = json_merge_diff(from, to);
	auto_json target = json_dup(from);
	auto_json left = NULL;
	auto_json right = NULL;

	if (!json_is(from, JSON_OBJECT) || !json_is(to, JSON_OBJECT))
		return;
	if (json_equal(from, to))
		require(!patch);
	json_merge_apply(target, patch);
	left = json_merge_diff(target, to);
	right = json_merge_diff(to, target);
	require(!left && !right);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *zero = memchr(data, 0, size);
	size_t first = zero ? (size_t)(zero - data) : size;
	auto_json from = NULL;
	auto_json to = NULL;

	json_setup();
	from = read(data, first);
	to = zero ? read(zero + 1, size - first - 1) : json_new_object();
	check_merge(from, to);
	check_merge(to, from);
	return 0;
}
