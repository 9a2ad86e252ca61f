/*
 * Keys and certificates as a source holds them: the operator's own Secret, a Secret of cert-manager, or a directory.
 */
#ifndef WEBHOOK_CERTS_MATERIAL_H
#define WEBHOOK_CERTS_MATERIAL_H

#include <stdbool.h>

#include "certs_memo.h"
#include "kube/object.h"

/* Annotations of the Secret. A person changes the first one to ask for a new CA. The operator copies its value to
 * the second one when it begins that renewal, so that one change asks once. */
#define CERTS_RENEW   "sparkoperator.k8s.io/renew"
#define CERTS_RENEWED "sparkoperator.k8s.io/renewed"

/* All texts are owned PEM texts, or NULL where the source has none or an empty one. */
struct certs_material {
	struct certificate_pair ca; /* without key, and perhaps without certificate, if somebody else made it */
	struct certificate_pair server;
	struct certificate_pair next_ca; /* stored when the CA's renewal begins, until it is switched to */
	struct certificate_pair next_server;
	char *old_ca;  /* certificate of the CA before the switch, as long as it stays trusted */
	char *renew;   /* value of CERTS_RENEW */
	char *renewed; /* value of CERTS_RENEWED */
};

/* The view of both is a struct certs_material. */
extern const struct kind certs_secret_kind;	    /* the operator's own Secret */
extern const struct kind certs_foreign_secret_kind; /* cert-manager's: tls.crt, tls.key, ca.crt */

void certs_material_free(void *material); /* NULL is fine */
struct certs_material *certs_material_dup(const struct certs_material *m);
/* Whether both hold the same texts. */
bool certs_material_eq(const struct certs_material *a, const struct certs_material *b);
/* Puts one value into a Secret's data; NULL becomes null, with which a merge patch removes the key. */
void certs_material_put_text(struct json *data, const char *key, const char *text);
/* Puts all keys of the operator's own Secret. */
void certs_material_put(struct json *data, const struct certs_material *m);
/* What caBundle has to be: old, present and next CA, oldest first, without those that cannot be read. Owned; "" if
 * there is none. */
char *certs_material_bundle(const struct certs_material *m, struct certs_memo *memo);

#endif
