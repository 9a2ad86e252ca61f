/*
 * RFC 7396 merge patches, made and applied. A merge patch cannot set a member to null (null removes it), so a null
 * member counts as absent on both sides, as it does for the API server. Arrays are replaced as a whole.
 */
#include "json/json.h"

#include <cjson/cJSON.h>

#include "members.h"

/* The value of a member, with null taken as absent. */
static const struct json *unless_null(const cJSON *v)
{
	return v && !cJSON_IsNull(v) ? (const struct json *)v : NULL;
}

static struct json *merge_diff_objects(const struct json *from, const struct json *to)
{
	auto_members from_members, to_members;
	auto_json patch = json_new_object();

	members_init(&from_members, (const cJSON *)from);
	members_init(&to_members, (const cJSON *)to);
	json_each (was, from) {
		const struct json *is = unless_null(members_get(&to_members, json_name(was)));
		struct json *change;

		if (!unless_null((cJSON *)was))
			continue;
		change = is ? json_merge_diff(was, is) : json_new_null();
		if (change)
			cJSON_AddItemToObject((cJSON *)patch, json_name(was), (cJSON *)change);
	}
	json_each (is, to) {
		if (!unless_null((cJSON *)is) || unless_null(members_get(&from_members, json_name(is))))
			continue;
		cJSON_AddItemToObject((cJSON *)patch, json_name(is), (cJSON *)json_dup(is));
	}
	return json_first(patch) ? take_ptr(patch) : NULL;
}

struct json *json_merge_diff(const struct json *from, const struct json *to)
{
	if (json_is(from, JSON_OBJECT) && json_is(to, JSON_OBJECT))
		return merge_diff_objects(from, to);
	if (json_equal(from, to))
		return NULL;
	return to ? json_dup(to) : json_new_null();
}

void json_merge_apply(struct json *target, const struct json *patch)
{
	if (!json_is(patch, JSON_OBJECT))
		return;
	json_each (change, patch) {
		const char *name = json_name(change);

		if (json_is(change, JSON_NULL))
			json_remove(target, name);
		else if (json_is(change, JSON_OBJECT))
			json_merge_apply(json_ensure_object(target, name), change);
		else
			json_set(target, name, json_dup(change));
	}
}
