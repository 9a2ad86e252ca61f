/*
 * The webhook's certificate: where it comes from, that it is renewed, and that the API server trusts it.
 *
 * From a Secret (the default): the first replica makes a CA and a serving certificate and creates the Secret; others that
 * start at the same time adopt it. Keys of the Secret as the existing operator's: ca-key.pem, ca-cert.pem, server-key.pem,
 * server-cert.pem. The CA's certificate is put as caBundle into every webhook of both configurations and put back when somebody else
 * overwrites it.
 * From a directory (cert-manager's or another's): tls.crt, tls.key and, if present, ca.crt, read again when they change. From
 * cert-manager's Secret: the same keys, only read.
 *
 * Renewal, without a request refused: a certificate alone is renewed with the same CA, at once. A new CA, when its time has come or the
 * annotation sparkoperator.k8s.io/renew of the Secret changes: next CA and certificate are stored beside the present ones → both CAs are in
 * the configurations → after an overlap the new certificate is served → after another the old CA is taken out. Each step is a
 * write with the resourceVersion it was decided for, so that any replica may take it.
 *
 * A Secret that is lost while its certificate is served is put back: spoilt at once, deleted after 30 s, then with a new CA to
 * follow. What the existing operator left is served as long as it verifies, and renewed as if it had been made for our lives.
 */
#ifndef WEBHOOK_CERTS_H
#define WEBHOOK_CERTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/metrics.h"
#include "base/sched.h"
#include "kube/api.h"

struct certs;

struct certs_options {
	struct api *api;
	struct sched *sched;
	struct metrics *metrics; /* NULL for none */
	const char *secret_ns;
	const char *secret_name;
	/* The certificate is for SERVICE.NAMESPACE.svc, SERVICE.NAMESPACE.svc.cluster.local, SERVICE.NAMESPACE and localhost. */
	const char *service_ns;
	const char *service_name;
	const char *mutating_name; /* of the configurations to keep trusting; "" for none */
	const char *validating_name;
	const char *directory; /* NULL: from the Secret */
	const char *cert_name; /* in directory */
	const char *key_name;
	bool foreign_secret; /* the Secret is cert-manager's: tls.crt, tls.key, ca.crt; only read */
	bool inject_ca; /* keep caBundle in the configurations; false: somebody else does (cert-manager's cainjector) */
	int64_t ca_life_ms;   /* 1 year */
	int64_t cert_life_ms; /* 90 days; renewed before two thirds of it */
	int64_t overlap_ms;   /* 60 s */
	/* The pair to serve from now on, PEM; from the loop, first as soon as there is one. */
	void (*on_certificate)(void *arg, const char *cert, const char *key);
	void *arg;
};

/* options are copied. */
struct certs *certs_new(const struct certs_options *options);
void certs_start(struct certs *s);
void certs_free(struct certs *s);
/* A certificate is served that verifies against the caBundle as both configurations have it in the API server. Otherwise
 * *ret_why (borrowed) says what is missing. */
bool certs_trusted(const struct certs *s, const char **ret_why);

#endif
