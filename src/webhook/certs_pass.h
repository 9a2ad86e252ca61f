/*
 * One pass over the webhook's certificate: from what is observed to what is to be done. Pure, apart from
 * certs_body, which makes keys.
 */
#ifndef WEBHOOK_CERTS_PASS_H
#define WEBHOOK_CERTS_PASS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "certs_material.h"
#include "json/json.h"

/* ---- what stays the same from pass to pass ---- */

/* All borrowed. */
struct certs_rules {
	const char *const *names; /* of the certificate, NULL at the end; the API server asks for the first one */
	const char *url_host;	  /* of --webhook-url, one of names; NULL: the webhook is called by its Service */
	const char *service_ns;
	const char *service_name; /* webhooks that call this Service are ours, and those whose URL has one of names */
	const char *secret_ns;
	const char *secret_name;
	const char *source; /* where the certificate comes from, for messages: NAMESPACE/NAME or a directory */
	bool is_own;	    /* this operator makes and renews the certificate; false: it only follows somebody else's */
	bool inject_ca;	    /* this operator keeps caBundle */
	int64_t ca_life_ms;
	int64_t cert_life_ms;
	int64_t overlap_ms;
	int64_t jitter; /* by so many per mille of two thirds of a life a renewal comes earlier */
	struct certs_memo *memo;
};

/* ---- facts ---- */

enum certs_state {
	CERTS_MISSING,	/* no Secret */
	CERTS_UNUSABLE, /* nothing in it to serve or to sign with: empty, garbage, expired */
	CERTS_LEAFLESS, /* a CA that signs, but no certificate to serve: missing, expired, for another name */
	CERTS_CURRENT,
	CERTS_NEXT,	/* next CA and certificate lie beside the present ones; both CAs are to be trusted */
	CERTS_SWITCHED, /* what was next is served; the old CA is to be trusted still */
};

/* What a pass leaves for the next one: how long has it been so? */
struct certs_phase {
	enum certs_state state;
	bool published; /* every configuration trusts the certificate in the Secret, and the next one if there is one */
	char *bundle;	/* what caBundle has to be; "" while that is unknown. Owned */
	int64_t since_ms; /* when the other three last changed */
};

enum { CERTS_MUTATING, CERTS_VALIDATING, CERTS_CONFIGURATIONS };

struct certs_configuration {
	const char *kind;
	const char *name;	 /* NULL: there is none to look after */
	bool listed;		 /* whether it exists is known */
	const char *problem;	 /* why it is not listed */
	const struct json *tree; /* NULL: it does not exist */
};

/* All borrowed. */
struct certs_facts {
	bool listed;			     /* the Secret has been listed; always true for files */
	const char *problem;		     /* why nothing is found, if nothing is */
	const struct certs_material *found;  /* in the source; NULL: no Secret, or no usable files */
	const struct certs_material *served; /* by the last pass; NULL: nothing yet */
	struct certs_configuration configurations[CERTS_CONFIGURATIONS];
	const struct certs_phase *phase; /* as the last pass left it; before the first one all 0 and bundle "" */
	int64_t now_ms;
	int64_t wall_ms;
};

/* ---- actions ---- */

/* Steps of the Secret. */
enum certs_step {
	CERTS_STEP_NONE,
	CERTS_STEP_CREATE,  /* create it */
	CERTS_STEP_FILL,    /* it holds nothing usable: make CA and certificate */
	CERTS_STEP_RENEW,   /* make another certificate of the same CA */
	CERTS_STEP_PUBLISH, /* store next CA and certificate beside the present ones */
	CERTS_STEP_SWITCH,  /* the next ones become the present ones, and the CA becomes the old one */
	CERTS_STEP_DROP,    /* remove the old CA */
	CERTS_STEP_KEEP,    /* somebody put in another CA: keep the one of what is served as the old one */
};

/* In the order in which they are carried out. */
struct certs_actions {
	struct certs_phase phase;	    /* to be remembered; bundle owned */
	const struct certs_material *serve; /* facts' found or served; NULL: nothing yet */
	enum certs_step step;
	char because[ERR_MSG_SIZE]; /* of the step, for the log */
	bool inject;		    /* phase.bundle becomes the caBundle of the configurations */
	int64_t again_ms;	    /* when to pass again although nothing has changed */
	bool trusted; /* the certificate that is served verifies against the caBundle of every configuration */
	char why[ERR_MSG_SIZE]; /* it is not trusted */
};

void certs_pass(const struct certs_facts *facts, const struct certs_rules *rules, struct certs_actions *ret);
void certs_actions_done(struct certs_actions *actions);

/* ---- parts of a pass ---- */

/* What a step of the Secret is chosen and built from. */
struct certs_step_facts {
	const struct certs_material *found;
	const struct certs_material *served;
	bool published;	   /* see certs_phase */
	int64_t stable_ms; /* for how long the phase has been as it is */
	int64_t wall_ms;
};

struct certs_decision {
	enum certs_step step;
	int64_t again_ms; /* without step: when there may be one though nothing has changed; INT64_MAX: never */
	char because[ERR_MSG_SIZE];
};

/* *why: for CERTS_UNUSABLE and CERTS_LEAFLESS, what is wrong with the certificate. */
enum certs_state certs_state(const struct certs_material *m, const struct certs_rules *rules, int64_t wall_ms,
			     struct err *why);
void certs_decide(enum certs_state state, const struct certs_step_facts *facts, const struct certs_rules *rules,
		  struct certs_decision *ret);
/* What is written into the Secret: the whole object for CERTS_STEP_CREATE, else a merge patch (without
 * precondition). Reads found, served and wall_ms. Owned; NULL + ERR_INVALID if the CA does not sign. */
struct json *certs_body(enum certs_step step, const struct certs_step_facts *facts, const struct certs_rules *rules,
			struct err *err);

#endif
