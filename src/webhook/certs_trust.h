/*
 * Webhook configurations: whether the API server trusts a certificate, and the patch that makes it do so. Pure.
 */
#ifndef WEBHOOK_CERTS_TRUST_H
#define WEBHOOK_CERTS_TRUST_H

#include "certs_pass.h"

/* The number of webhooks in the configuration that call this operator, if each of them trusts cert at wall_ms.
 * Otherwise ERR_INVALID, and the text names a webhook that does not. configuration may be NULL: 0. */
int certs_trust_check(const struct json *configuration, const char *cert, const struct certs_rules *rules,
		      int64_t wall_ms, struct err *err);
/* The host of a URL, an IPv6 address without its brackets. Owned; NULL if there is none, or a user beside it. */
char *certs_trust_host(const char *url);
/* The merge patch that makes bundle the caBundle of every webhook that calls this operator; NULL if it is already.
 * Owned. */
struct json *certs_trust_patch(const struct json *configuration, const struct certs_rules *rules, const char *bundle);

#endif
