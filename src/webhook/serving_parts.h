/*
 * What runtime/serving is made of: the material (keys, certificates), the decision, the webhook configurations. All of it pure, for
 * serving.c and its parts.
 */
#ifndef WEBHOOK_SERVING_PARTS_H
#define WEBHOOK_SERVING_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "kube/object.h"
#include "net/certificate.h"

/* A person changes it to ask for a new CA; what was last done is remembered in the other one. */
#define SERVING_RENEW	"sparkoperator.k8s.io/renew"
#define SERVING_RENEWED "sparkoperator.k8s.io/renewed"

/* net/certificate, asked the same once and not at each pass. */
struct serving_memo;

struct serving_memo *serving_memo_new(void);
void serving_memo_free(struct serving_memo *memo);
int serving_memo_validity(struct serving_memo *memo, const char *cert, int64_t *ret_from_ms, int64_t *ret_until_ms,
			  struct err *err);
int serving_memo_check_pair(struct serving_memo *memo, const struct certificate_pair *p, struct err *err);
int serving_memo_verify(struct serving_memo *memo, const char *cert, const char *bundle, const char *name,
			int64_t wall_ms, struct err *err);

/* What a Secret or a directory holds; texts that are absent or empty are NULL. */
struct serving_material {
	struct certificate_pair ca; /* of a foreign source: no key, the certificate may be absent too */
	struct certificate_pair server;
	struct certificate_pair next_ca; /* during a renewal of the CA, before the switch */
	struct certificate_pair next_server;
	char *old_ca; /* … and after it; a certificate */
	char *renew;
	char *renewed;
};

extern const struct kind serving_secret_kind;	      /* the operator's own Secret; view: struct serving_material */
extern const struct kind serving_foreign_secret_kind; /* tls.crt, tls.key, ca.crt */
extern const struct kind serving_mutating_kind;
extern const struct kind serving_validating_kind;

void serving_material_free(void *material); /* NULL is fine */
/* One value of a Secret's data; NULL: null, which a merge patch takes for its removal. */
void serving_put(struct json *data, const char *key, const char *text);
void serving_put_material(struct json *data, const struct serving_material *m);
/* DIRECTORY/cert_name, DIRECTORY/key_name and, if it is there, DIRECTORY/ca.crt. NULL + ERR_INVALID unless it is a whole pair. */
struct serving_material *serving_read_files(const char *directory, const char *cert_name, const char *key_name,
					    struct err *err);
/* Changes when one of the files does. */
uint64_t serving_files_stamp(const char *directory, const char *cert_name, const char *key_name);
/* What has to be trusted: old, present and next CA, those that can be read, oldest first. Owned; "" if there is none. */
char *serving_bundle(const struct serving_material *m, struct serving_memo *memo);

/* ---- the decision ---- */

struct serving_rules {
	const char *const *names; /* of the certificate; the first is what the API server asks for */
	const char *secret_ns;
	const char *secret_name;
	int64_t ca_life_ms;
	int64_t cert_life_ms;
	int64_t overlap_ms;
	struct serving_memo *memo;
	int64_t jitter; /* per mille of two thirds of a life that renewal comes earlier */
};

enum serving_state {
	SERVING_MISSING,  /* no Secret */
	SERVING_UNUSABLE, /* nothing in it to serve or to sign with: empty, garbage, expired */
	SERVING_LEAFLESS, /* a CA that signs, but no certificate to serve: missing, expired, for another name */
	SERVING_CURRENT,
	SERVING_NEXT,	  /* next CA and certificate lie beside the present ones, both CAs are to be trusted */
	SERVING_SWITCHED, /* what was next is served, the old CA is still trusted */
};

enum serving_step {
	SERVING_STEP_NONE,
	SERVING_STEP_CREATE,  /* the Secret */
	SERVING_STEP_FILL,    /* a Secret that holds nothing usable */
	SERVING_STEP_RENEW,   /* another serving certificate of the same CA */
	SERVING_STEP_PUBLISH, /* next CA and certificate beside the present ones */
	SERVING_STEP_SWITCH,  /* next becomes present, the CA old */
	SERVING_STEP_DROP,    /* the old CA */
	SERVING_STEP_KEEP,    /* somebody put in another CA: trust the one that is still served as the old one */
};

struct serving_facts {
	const struct serving_material *found;  /* NULL: no Secret */
	const struct serving_material *served; /* what is served by now, NULL: nothing */
	bool published; /* every webhook configuration trusts what is served now and what would be next */
	int64_t wall_ms;
	int64_t stable_ms; /* for how long state, bundle and published have been as they are */
};

struct serving_decision {
	enum serving_step step;
	int64_t look_ms;	/* when to decide again though nothing changed */
	char why[ERR_MSG_SIZE]; /* of the step, for the log */
};

enum serving_state serving_state(const struct serving_material *m, const struct serving_rules *rules, int64_t wall_ms,
				 struct err *why);
void serving_decide(enum serving_state state, const struct serving_facts *facts, const struct serving_rules *rules,
		    struct serving_decision *ret);
/* The object or merge patch (without precondition) that carries the step out; makes keys. NULL + ERR_INVALID. Owned. */
struct json *serving_body(enum serving_step step, const struct serving_facts *facts, const struct serving_rules *rules,
			  struct err *err);

/* ---- webhook configurations ---- */

struct serving_service {
	const char *ns;
	const char *name;
};

/* How many webhooks of ours there are, if each of them trusts cert; else ERR_INVALID, the text says which one does not. */
int serving_trusts(const struct json *configuration, const struct serving_service *service, const char *cert,
		   const struct serving_rules *rules, int64_t wall_ms, struct err *err);
/* The merge patch that puts bundle into every webhook of ours; NULL if it is there. Owned. */
struct json *serving_inject(const struct json *configuration, const struct serving_service *service,
			    const char *bundle);

#endif
