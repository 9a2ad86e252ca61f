/*
 * Lookup of members by name without quadratic cost: see members.h. A map is made only for objects with more than FEW
 * members. These are rare in Kubernetes (the data of a ConfigMap), but anybody may send one.
 */
#include "members.h"

#include <string.h>

enum { FEW = 16 };

static cJSON *search_members(const cJSON *first, const cJSON *end, const char *name)
{
	for (cJSON *m = (cJSON *)first; m != end; m = m->next)
		if (strcmp(m->string, name) == 0)
			return m;
	return NULL;
}

static bool is_large(const cJSON *object)
{
	size_t count = 0;

	for (const cJSON *m = object->child; m; m = m->next)
		if (++count > FEW)
			return true;
	return false;
}

void members_init(struct members *m, const cJSON *object)
{
	*m = (struct members){ .object = object };
	if (!is_large(object))
		return;
	m->map = map_new(NULL);
	for (cJSON *member = object->child; member; member = member->next)
		map_set(m->map, member->string, member);
}

void members_done(struct members *m)
{
	map_free(m->map);
	m->map = NULL;
}

cJSON *members_get(const struct members *m, const char *name)
{
	return m->map ? map_get(m->map, name) : search_members(m->object->child, NULL, name);
}

const char *members_duplicate(cJSON *object, const char *dropped)
{
	auto_map names = is_large(object) ? map_new(NULL) : NULL;
	cJSON *next;

	for (cJSON *m = object->child; m; m = next) {
		next = m->next;
		if (names ? map_set(names, m->string, m) : !search_members(object->child, m, m->string))
			continue;
		if (!dropped || !strstr(m->string, dropped))
			return m->string;
		cJSON_Delete(cJSON_DetachItemViaPointer(object, m));
	}
	return NULL;
}
