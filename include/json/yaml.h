/*
 * YAML to and from JSON trees, read as kubectl, Helm and the API server's other clients in Go read it: goyaml.v2 and
 * sigs.k8s.io/yaml. That is YAML 1.1: yes, no, on, off, y and n are booleans, also as keys; keys that are numbers or
 * booleans become texts; << merges; !!binary is decoded, and a tag that is not known makes a text.
 */
#ifndef JSON_YAML_H
#define JSON_YAML_H

#include "json/json.h"

/* An array of all documents of the text, without empty ones. JSON is YAML, so JSON is accepted, also several values one
 * after the other. Duplicate keys, keys that are null or collections, strings with NUL, depth over JSON_MAX_DEPTH and
 * aliases that expand to more than 100 000 nodes are ERR_INVALID; the message has line and column. */
struct json *yaml_parse(const char *text, size_t len, struct err *err);
/*
 * The same, but of a key that is there twice the last value counts, as for kubectl. *ret_places, owned: an array with
 * an element for each document that is returned, {"document": its number in the text, from 1 on, "notes": [texts]}. A
 * note says what kubectl reads otherwise than people may expect: "line 7, column 9: kubectl reads yes as true: …". At
 * most 100 for each document.
 */
struct json *yaml_parse_like_kubectl(const char *text, size_t len, struct json **ret_places, struct err *err);
/* One document in block style, keys in tree order, strings quoted where a YAML reader could take them for something
 * else. Owned. */
char *yaml_print(const struct json *v);

#endif
