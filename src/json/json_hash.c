/*
 * A hash of a tree. Equal trees have equal hashes, so the order of an object's members does not count: the hashes of
 * members are added. The order of elements counts. Nothing can fail.
 */
#include "json/json.h"

#include "base/text.h"
#include "literal.h"

static uint64_t hash_number(const struct json *v)
{
	char text[TEXT_NUMBER_SIZE];
	const char *literal = literal_text(v);

	return text_hash(JSON_NUMBER, literal ? literal : text_number(json_number(v, 0), text));
}

static uint64_t hash_members(const struct json *v)
{
	uint64_t sum = 0;

	json_each (member, v)
		sum += text_hash(json_hash(member), json_name(member));
	return text_hash(sum, "{}");
}

static uint64_t hash_elements(const struct json *v)
{
	uint64_t hash = 0;

	json_each (element, v)
		hash = text_hash(hash + json_hash(element), "[]");
	return text_hash(hash, "[");
}

uint64_t json_hash(const struct json *v)
{
	switch (json_type(v)) {
	case JSON_BOOL:
		return text_hash(JSON_BOOL, json_true(v) ? "true" : "false");
	case JSON_NUMBER:
		return hash_number(v);
	case JSON_STRING:
		return text_hash(JSON_STRING, json_text(v, ""));
	case JSON_ARRAY:
		return hash_elements(v);
	case JSON_OBJECT:
		return hash_members(v);
	default:
		return text_hash(JSON_NULL, "null");
	}
}
