/*
 * X.509 by OpenSSL: makes a CA and serving certificates that it signs, and verifies and reads certificates. New keys
 * are ECDSA P-256. A CA with a key of another type (RSA, as kubeflow's operator makes it) can sign and verify too.
 * All texts are PEM; keys are PKCS#8.
 */
#ifndef NET_CERTIFICATE_H
#define NET_CERTIFICATE_H

#include <stdint.h>

#include "base/err.h"

struct certificate_pair { /* owned texts; the key is wiped when freed */
	char *cert;
	char *key;
};

/* New certificates are valid from this time before now on, since clocks differ. */
enum { CERTIFICATE_SKEW_MS = 5 * 60 * 1000 };

void certificate_pair_done(struct certificate_pair *p);
/* Overwrites a text that held a key, and frees it; NULL is fine. */
void certificate_wipe(char *text);

/* Self-signed CA (CA:TRUE, path length 0, keyCertSign). Valid from now - 5 min. */
int certificate_make_ca(const char *common_name, int64_t now_ms, int64_t life_ms, struct certificate_pair *ret,
			struct err *err);
/* names: DNS names and IP addresses, NULL-terminated. The first one is also the common name, cut to 64 characters. The
 * extended key usage is serverAuth. The certificate does not outlive its CA. ERR_INVALID: the CA cannot be used. */
int certificate_make_server(const struct certificate_pair *ca, const char *const *names, int64_t now_ms,
			    int64_t life_ms, struct certificate_pair *ret, struct err *err);
/* 0 if cert (the first of a chain) is valid at now_ms for name (a DNS name or IP address) and a certificate of bundle
 * has signed it. bundle is one or more PEM certificates, which are all trusted. ERR_INVALID says why not. */
int certificate_verify(const char *cert, const char *bundle, const char *name, int64_t now_ms, struct err *err);
/* 0 if both can be read and the key belongs to the first certificate. */
int certificate_check_pair(const struct certificate_pair *p, struct err *err);
/* The same, and TLS takes the pair to serve with: it refuses keys and signatures that are too weak. */
int certificate_check_serving(const struct certificate_pair *p, struct err *err);
/* Validity of the first certificate, wall ms. ERR_INVALID if there is none. */
int certificate_validity(const char *cert, int64_t *ret_from_ms, int64_t *ret_until_ms, struct err *err);

#endif
