/*
 * What types the fields of an object have: the schemas of the CRDs and of Kubernetes' own types, compiled into
 * tables, and a walker that compares an object with them.
 *
 * Sources are the CRDs of the folder crds and, where they leave the fields to Kubernetes, the types that the API
 * server's OpenAPI has for them (crds/source/kubernetes.json.in). src/tools/embed_schema.c makes the tables while the
 * program is built. Everything here is constant and lives as long as the program.
 */
#ifndef RULES_SCHEMA_H
#define RULES_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/problems.h"

enum schema_type {
	SCHEMA_ANY,
	SCHEMA_STRING,
	SCHEMA_INTEGER,
	SCHEMA_NUMBER,
	SCHEMA_BOOL,
	SCHEMA_INT_OR_STRING, /* quantities and ports: a number or a string */
	SCHEMA_OBJECT,	      /* with the fields that it lists; without any, every field will do */
	SCHEMA_MAP,	      /* names of the user's, values of one type */
	SCHEMA_LIST,
};

struct schema_field {
	const char *name;
	const struct schema *schema;
};

struct schema {
	enum schema_type type;
	bool is_kubernetes; /* an object whose fields Kubernetes defines, and the API server keeps whatever they are */
	int64_t min, max;   /* of an integer; INT64_MIN and INT64_MAX if there is no bound */
	const struct schema_field *fields; /* of an object, sorted by name */
	size_t field_count;
	const char *const *required; /* of an object: fields that have to be there; ended by NULL. NULL: none */
	const char *const *values;   /* of a string: those that it may have, sorted, ended by NULL. NULL: all */
	const struct schema *each;   /* of a list its elements, of a map its values */
};

/* By kind of this operator, the schema of its objects; ended by NULL. */
extern const struct schema_field schema_kinds[];

/* NULL for other kinds. */
const struct schema *schema_of_kind(const char *kind);
/* The field of that name; NULL if s is NULL, no object, or has no such field. */
const struct schema *schema_field(const struct schema *s, const char *name);

/* ---- values that are wrong ---- */

enum schema_aspect {
	SCHEMA_TYPES = 1,  /* a value of another type than its field, an integer out of bounds */
	SCHEMA_VALUES = 2, /* a text that is none of those that the field may have; an empty one is as good as absent */
	SCHEMA_REQUIRED = 4, /* a field that has to be there */
	SCHEMA_ALL = 7,
};

/* A part of the objects of a kind. */
struct schema_part {
	const char *kind;
	const char *path;	   /* "spec.driver": where it is, and what messages begin with */
	const char *const *except; /* fields of the part that are left out; ended by NULL. NULL: none */
};

/*
 * Compares a value with the schema of its part: adds what is wrong in these aspects to p. A field that is null is as
 * good as absent. An element of a list or map that is null is wrong, except for the texts and numbers that Kubernetes'
 * own types and the metadata hold. A field that has a problem already gets no second one.
 */
void schema_check(struct problems *p, const struct schema_part *part, const struct json *value, unsigned aspects);

/* ---- fields that nobody knows ---- */

/*
 * The fields of the object, its metadata and its spec that no schema knows, each with what was probably meant: an
 * object above or beside it that has a field of that name, or a field whose name is nearly the same. dropped: unknown
 * to the CRD, so that the API server drops them, or refuses them for kubectl. kept: unknown to the types of
 * Kubernetes as recorded, so that they stay in the object, and the API server drops them from the pods, unless it is
 * newer than the record.
 */
void schema_unknown(struct problems *dropped, struct problems *kept, const struct json *object, const char *kind);

#endif
