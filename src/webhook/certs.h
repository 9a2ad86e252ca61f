/*
 * The webhook's certificate: where it comes from, how it is renewed, and how the API server comes to trust it.
 *
 * From a Secret (the default): the first replica makes a CA and a serving certificate and creates the Secret;
 * others that start at the same time adopt it. The Secret has the keys of kubeflow's operator: ca-key.pem,
 * ca-cert.pem, server-key.pem, server-cert.pem. The CA's certificate is put as caBundle into every webhook of both
 * configurations that calls this operator, and put back when somebody else overwrites it.
 *
 * From a directory (cert-manager's or another's): tls.crt, tls.key and, if present, ca.crt; read again when they
 * change. From cert-manager's Secret: the same keys, only read.
 *
 * Renewal refuses no request. A serving certificate alone is renewed with the same CA, at once. A CA is renewed
 * when two thirds of its life are over, or when the annotation sparkoperator.k8s.io/renew of the Secret changes:
 * next CA and certificate are stored beside the present ones → both CAs are in the configurations → after an
 * overlap the next certificate is served → after another overlap the old CA is taken out. Each step is a write with
 * the resourceVersion that it was decided for, so any replica may take it.
 *
 * A Secret that is lost while its certificate is served is put back: at once if its content was destroyed, after 30
 * s if it was deleted, and then a new CA follows. A certificate that kubeflow's operator left is served as long
 * as it verifies, and renewed as if it had been made for the lives given here.
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
	/* The certificate is for SERVICE.NAMESPACE.svc (and .svc.cluster.local, SERVICE.NAMESPACE, localhost). Name
	 * "": for localhost only, as outside of a cluster. */
	const char *service_ns;
	const char *service_name;
	/* --webhook-url, whose host the certificate is for too; NULL: none. Webhooks with a URL are ours if their host
	 * is in the certificate. */
	const char *url;
	const char *mutating_name; /* of the configurations to keep trusting; NULL or "" for none */
	const char *validating_name;
	const char *directory; /* NULL: from the Secret */
	const char *cert_name; /* in directory */
	const char *key_name;
	bool foreign_secret; /* the Secret is cert-manager's: tls.crt, tls.key, ca.crt; only read */
	bool inject_ca; /* keep caBundle in the configurations; false: somebody else does (cert-manager's cainjector) */
	int64_t ca_life_ms;
	int64_t cert_life_ms; /* renewed before two thirds of it */
	int64_t overlap_ms;   /* for how long both CAs are trusted before and after the switch from one to the other */
	/* The pair to serve from now on, PEM, borrowed for the call. From the loop; first as soon as there is one.
	 * Returns an error if the pair cannot be served: then it does not count as served, and comes again a minute
	 * later. */
	int (*on_certificate)(void *arg, const char *cert, const char *key, struct err *err);
	void *arg;
};

/* api, sched and metrics are borrowed; all texts are copied. */
struct certs *certs_new(const struct certs_options *options);
void certs_start(struct certs *c);
/* Cancels what is under way; no callback afterwards. NULL is fine. */
void certs_free(struct certs *c);
/* Whether a certificate is served that verifies against the caBundle of both configurations as the API server has
 * them. If not, *ret_why (borrowed) says what is missing. */
bool certs_trusted(const struct certs *c, const char **ret_why);

#endif
