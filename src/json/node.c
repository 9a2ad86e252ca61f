/*
 * Nodes in one block: see node.h. Nothing here fails.
 */
#include "node.h"

#include <string.h>

#include "base/mem.h"

cJSON *node_new(int type, size_t name_size, size_t text_size)
{
	cJSON *v = xmalloc(sizeof(*v) + name_size + text_size);
	char *room = (char *)(v + 1);

	*v = (cJSON){ .type = type };
	if (name_size > 0) {
		v->type |= cJSON_StringIsConst;
		v->string = room;
	}
	if (text_size > 0) {
		v->type |= cJSON_IsReference;
		v->valuestring = room + name_size;
	}
	return v;
}

/* The first child's prev is the last one, as everywhere in cJSON. */
void node_append(cJSON *parent, cJSON *child)
{
	cJSON *first = parent->child;

	if (first) {
		first->prev->next = child;
		child->prev = first->prev;
	} else {
		parent->child = child;
	}
	parent->child->prev = child;
}

void node_unname(cJSON *v)
{
	if (!v)
		return;
	if (!(v->type & cJSON_StringIsConst))
		free(v->string);
	v->string = NULL;
	v->type &= ~cJSON_StringIsConst;
}

static cJSON *dup_named(const cJSON *v, const char *name)
{
	size_t name_size = name ? strlen(name) + 1 : 0, text_size = v->valuestring ? strlen(v->valuestring) + 1 : 0;
	cJSON *copy = node_new(v->type & 0xff, name_size, text_size);

	copy->valuedouble = v->valuedouble;
	if (name)
		memcpy(copy->string, name, name_size);
	if (v->valuestring)
		memcpy(copy->valuestring, v->valuestring, text_size);
	for (const cJSON *child = v->child; child; child = child->next)
		node_append(copy, dup_named(child, child->string));
	return copy;
}

cJSON *node_dup(const cJSON *v)
{
	return v ? dup_named(v, NULL) : NULL;
}
