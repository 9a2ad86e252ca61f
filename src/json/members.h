/*
 * Access to the members of an object by name that stays fast in large objects: a linear search for few members, a hash
 * map for many. For operations that look up every member; the object must not change meanwhile.
 */
#ifndef JSON_MEMBERS_H
#define JSON_MEMBERS_H

#include <cjson/cJSON.h>

#include "base/map.h"

struct members {
	const cJSON *object;
	struct map *map; /* NULL for few members */
};

void members_init(struct members *m, const cJSON *object);
void members_done(struct members *m);
/* NULL if there is none. */
cJSON *members_get(const struct members *m, const char *name);
/* A name that occurs twice in object, or NULL. Of equal names that contain `dropped` (may be NULL) all but the first
 * are freed instead. */
const char *members_duplicate(cJSON *object, const char *dropped);

#define auto_members __attribute__((cleanup(members_done))) struct members

#endif
