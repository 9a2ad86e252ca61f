/*
 * What a scalar of YAML stands for: null, a boolean, a number or a text, as kubectl, Helm and the API server read it.
 * Their parser is goyaml.v2 (resolve.go), which sigs.k8s.io/yaml calls.
 */
#ifndef JSON_YAML_SCALAR_H
#define JSON_YAML_SCALAR_H

#include "json/json.h"

#define YAML_TAG "tag:yaml.org,2002:"

enum yaml_scalar_type { YAML_SCALAR_NULL, YAML_SCALAR_BOOL, YAML_SCALAR_INTEGER, YAML_SCALAR_FLOAT, YAML_SCALAR_TEXT };

struct yaml_scalar {
	enum yaml_scalar_type type;
	bool is_true;
	double number; /* of a float; infinite or NaN too */
	char *text;    /* the text; the digits of an integer in decimal; of a float what was written. Owned. */
};

/* Reads the text of a scalar. tag: NULL if it has none; is_plain: it is written without quotes. Returns 0, or
 * ERR_INVALID if the text does not fit the tag. */
int yaml_scalar_read(struct yaml_scalar *ret, const char *tag, const char *text, bool is_plain, struct err *err);
void yaml_scalar_done(struct yaml_scalar *s);
#define auto_yaml_scalar __attribute__((cleanup(yaml_scalar_done))) struct yaml_scalar

/* The value in JSON. Owned; NULL and ERR_INVALID if JSON has no such number. */
struct json *yaml_scalar_value(const struct yaml_scalar *s, struct err *err);
/* The name of a member for which the scalar is the key. Owned; NULL and ERR_INVALID if it can't be one. */
char *yaml_scalar_key(const struct yaml_scalar *s, struct err *err);
/* What the untagged plain text is read as, if that is likely not what its author meant: a boolean that is not written
 * true or false, or a number such as 3.10 that loses digits. Owned; NULL otherwise. */
char *yaml_scalar_surprise(const struct yaml_scalar *s, const char *text);

#endif
