/*
 * Our credentials: the configuration's token, client certificate and CA certificates, which are read again from their
 * files as they rotate. The module is told the time, and reads small files.
 *
 * Rules: client-go transport.cachingTokenSource (60 s; the last good token stays if the file cannot be read or is
 * empty), transport.dynamicClientCert (client-go reads them again every 5 minutes, this module every minute) and the
 * reloading of CA files since client-go 1.36 (5 minutes; unusable content is ignored). A problem with a file is logged
 * once, until the file is good again.
 */
#ifndef RUNTIME_CREDENTIALS_H
#define RUNTIME_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/config.h"

enum { CREDENTIALS_TOKEN_MS = 60 * 1000, CREDENTIALS_PAIR_MS = 60 * 1000, CREDENTIALS_CA_MS = 5 * 60 * 1000 };

struct credentials_file {
	int64_t read_ms;
	bool bad; /* the last reading failed, and was logged */
};

struct credentials {
	struct config config; /* own copy */
	uint64_t generation;  /* changes when the token or the client certificate does */
	bool tls_changed;     /* CA, certificate or key have changed; for the owner, who takes them and clears it */
	struct credentials_file token;
	struct credentials_file cert;
	struct credentials_file key;
	struct credentials_file ca;
};

/* config is copied. Its files count as read at now_ms. */
void credentials_init(struct credentials *c, const struct config *config, int64_t now_ms);
void credentials_done(struct credentials *c);
/* Reads the files again that were read long enough ago. */
void credentials_refresh(struct credentials *c, int64_t now_ms);
/* To be called when the server has refused the credentials of this generation. Reads token, certificate and key again.
 * Returns true if there are others now. */
bool credentials_refused(struct credentials *c, uint64_t generation, int64_t now_ms);

#endif
