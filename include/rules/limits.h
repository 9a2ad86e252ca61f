/*
 * What authors of applications may choose of the objects beside pods: Ingresses, Services and claims. Without limits
 * they may choose everything, as with kubeflow's operator.
 */
#ifndef RULES_LIMITS_H
#define RULES_LIMITS_H

#include <stdbool.h>

#include "base/buf.h"
#include "rules/problems.h"

enum limit_kind {
	LIMIT_INGRESS_HOST = 0,
	LIMIT_INGRESS_ANNOTATION,
	LIMIT_SERVICE_TYPE,
	LIMIT_SERVICE_ANNOTATION,
	LIMIT_SERVICE_LABEL,
	LIMIT_STORAGE_CLASS,
	LIMIT_COUNT
};

/* The only entry of a list that allows nothing. */
#define LIMIT_NONE "none"

/* Everything is borrowed. */
struct limits {
	const struct strv *allowed[LIMIT_COUNT]; /* NULL or empty: everything is allowed */
	const char *claim_size;			 /* the most that a claim may ask for, a quantity; NULL: no limit */
};

/* Whether an entry of a list is well-formed. Each returns NULL, or what was expected instead. */
const char *limits_check_host(const char *entry);  /* a host, or "*." and a domain */
const char *limits_check_key(const char *entry);   /* a key, or a prefix that ends in '/' or '*' */
const char *limits_check_class(const char *entry); /* a storage class */
const char *limits_check_type(const char *entry);  /* of a Service */

bool limits_any(const struct limits *l);
/* Whether there is a list. */
bool limits_has(const struct limits *l, enum limit_kind kind);
/* Whether it is "none". */
bool limits_allow_none(const struct limits *l, enum limit_kind kind);
/* Adds a problem unless the author may choose the text. */
void limits_check(struct problems *p, const struct limits *l, enum limit_kind kind, const char *text, const char *path);

#endif
