/*
 * Nodes in one block: the name and the text of a node lie behind it, so that a member costs one allocation instead of
 * three. cJSON is told by flags of its own that it must not free them: cJSON_StringIsConst for the name,
 * cJSON_IsReference for the text. cJSON_Duplicate would share the name with the copy: node_dup does not.
 */
#ifndef JSON_NODE_H
#define JSON_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

/* Room for a name and a text of so many bytes with their NUL, to be filled in; 0: none. */
cJSON *node_new(int type, size_t name_size, size_t text_size);
/* Behind the other children; child keeps its name. */
void node_append(cJSON *parent, cJSON *child);
/* A node that has left its object: the name goes. NULL is fine. */
void node_unname(cJSON *v);
/* With all children, without a name of its own. */
cJSON *node_dup(const cJSON *v);

#endif
