/*
 * YAML to and from JSON trees (libyaml events; YAML 1.1 as Kubernetes' sigs.k8s.io/yaml resolves plain scalars:
 * null ~ true false, integers, floats; yes/no/on/off stay strings as in YAML 1.2's core schema).
 */
#ifndef JSON_YAML_H
#define JSON_YAML_H

#include "json/json.h"

/* An array of all documents of the text, without empty ones. JSON is YAML, so JSON is accepted. Duplicate keys,
 * non-string keys, tags other than the core ones, depth over JSON_MAX_DEPTH and aliases that expand to more
 * than 100 000 nodes are ERR_INVALID; the message has line and column. */
struct json *yaml_parse(const char *text, size_t len, struct err *err);
/* One document in block style, keys in tree order, strings quoted where a YAML reader could take them for something
 * else. Owned. */
char *yaml_print(const struct json *v);

#endif
