/*
 * What runtime/certs is made of: the material (keys, certificates), the decision, the webhook configurations. All of it pure, for
 * certs.c and its parts.
 */
#ifndef WEBHOOK_CERTS_PARTS_H
#define WEBHOOK_CERTS_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "kube/object.h"
#include "net/certificate.h"

/* A person changes it to ask for a new CA; what was last done is remembered in the other one. */
#define CERTS_RENEW   "sparkoperator.k8s.io/renew"
#define CERTS_RENEWED "sparkoperator.k8s.io/renewed"

/* net/certificate, asked the same once and not at each pass. */
struct certs_memo;

struct certs_memo *certs_memo_new(void);
void certs_memo_free(struct certs_memo *memo);
int certs_memo_validity(struct certs_memo *memo, const char *cert, int64_t *ret_from_ms, int64_t *ret_until_ms,
			struct err *err);
int certs_memo_check_pair(struct certs_memo *memo, const struct certificate_pair *p, struct err *err);
int certs_memo_verify(struct certs_memo *memo, const char *cert, const char *bundle, const char *name, int64_t wall_ms,
		      struct err *err);

/* What a Secret or a directory holds; texts that are absent or empty are NULL. */
struct certs_material {
	struct certificate_pair ca; /* of a foreign source: no key, the certificate may be absent too */
	struct certificate_pair server;
	struct certificate_pair next_ca; /* during a renewal of the CA, before the switch */
	struct certificate_pair next_server;
	char *old_ca; /* … and after it; a certificate */
	char *renew;
	char *renewed;
};

extern const struct kind certs_secret_kind;	    /* the operator's own Secret; view: struct certs_material */
extern const struct kind certs_foreign_secret_kind; /* tls.crt, tls.key, ca.crt */
extern const struct kind certs_mutating_kind;
extern const struct kind certs_validating_kind;

void certs_material_free(void *material); /* NULL is fine */
/* One value of a Secret's data; NULL: null, which a merge patch takes for its removal. */
void certs_put(struct json *data, const char *key, const char *text);
void certs_put_material(struct json *data, const struct certs_material *m);
/* DIRECTORY/cert_name, DIRECTORY/key_name and, if it is there, DIRECTORY/ca.crt. NULL + ERR_INVALID unless it is a whole pair. */
struct certs_material *certs_read_files(const char *directory, const char *cert_name, const char *key_name,
					struct err *err);
/* Changes when one of the files does. */
uint64_t certs_files_stamp(const char *directory, const char *cert_name, const char *key_name);
/* What has to be trusted: old, present and next CA, those that can be read, oldest first. Owned; "" if there is none. */
char *certs_bundle(const struct certs_material *m, struct certs_memo *memo);

/* ---- the decision ---- */

struct certs_rules {
	const char *const *names; /* of the certificate; the first is what the API server asks for */
	const char *secret_ns;
	const char *secret_name;
	int64_t ca_life_ms;
	int64_t cert_life_ms;
	int64_t overlap_ms;
	struct certs_memo *memo;
	int64_t jitter; /* per mille of two thirds of a life that renewal comes earlier */
};

enum certs_state {
	CERTS_MISSING,	/* no Secret */
	CERTS_UNUSABLE, /* nothing in it to serve or to sign with: empty, garbage, expired */
	CERTS_LEAFLESS, /* a CA that signs, but no certificate to serve: missing, expired, for another name */
	CERTS_CURRENT,
	CERTS_NEXT,	/* next CA and certificate lie beside the present ones, both CAs are to be trusted */
	CERTS_SWITCHED, /* what was next is served, the old CA is still trusted */
};

enum certs_step {
	CERTS_STEP_NONE,
	CERTS_STEP_CREATE,  /* the Secret */
	CERTS_STEP_FILL,    /* a Secret that holds nothing usable */
	CERTS_STEP_RENEW,   /* another serving certificate of the same CA */
	CERTS_STEP_PUBLISH, /* next CA and certificate beside the present ones */
	CERTS_STEP_SWITCH,  /* next becomes present, the CA old */
	CERTS_STEP_DROP,    /* the old CA */
	CERTS_STEP_KEEP,    /* somebody put in another CA: trust the one that is still served as the old one */
};

struct certs_facts {
	const struct certs_material *found;  /* NULL: no Secret */
	const struct certs_material *served; /* what is served by now, NULL: nothing */
	bool published; /* every webhook configuration trusts what is served now and what would be next */
	int64_t wall_ms;
	int64_t stable_ms; /* for how long state, bundle and published have been as they are */
};

struct certs_decision {
	enum certs_step step;
	int64_t look_ms;	/* when to decide again though nothing changed */
	char why[ERR_MSG_SIZE]; /* of the step, for the log */
};

enum certs_state certs_state(const struct certs_material *m, const struct certs_rules *rules, int64_t wall_ms,
			     struct err *why);
void certs_decide(enum certs_state state, const struct certs_facts *facts, const struct certs_rules *rules,
		  struct certs_decision *ret);
/* The object or merge patch (without precondition) that carries the step out; makes keys. NULL + ERR_INVALID. Owned. */
struct json *certs_body(enum certs_step step, const struct certs_facts *facts, const struct certs_rules *rules,
			struct err *err);

/* ---- webhook configurations ---- */

struct certs_service {
	const char *ns;
	const char *name;
};

/* How many webhooks of ours there are, if each of them trusts cert; else ERR_INVALID, the text says which one does not. */
int certs_trusts(const struct json *configuration, const struct certs_service *service, const char *cert,
		 const struct certs_rules *rules, int64_t wall_ms, struct err *err);
/* The merge patch that puts bundle into every webhook of ours; NULL if it is there. Owned. */
struct json *certs_inject(const struct json *configuration, const struct certs_service *service, const char *bundle);

#endif
