/*
 * Nodes in one block: the name and the text of a node lie behind it, so that a member costs one allocation instead of
 * three. Two flags of cJSON tell it not to free them: cJSON_StringIsConst for the name and
 * cJSON_IsReference for the text. node_dup copies the name too, which cJSON_Duplicate would share with the copy.
 */
#ifndef JSON_NODE_H
#define JSON_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

/* A node with room for a name and a text. The sizes include the NUL; 0: there is none. The caller fills both in. */
cJSON *node_new(int type, size_t name_size, size_t text_size);
/* Appends child behind the other children. It keeps its name. */
void node_append(cJSON *parent, cJSON *child);
/* Removes the name of a node that has left its object. v may be NULL. */
void node_unname(cJSON *v);
/* A copy with all children, without a name. */
cJSON *node_dup(const cJSON *v);

#endif
