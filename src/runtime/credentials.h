/*
 * Our credentials: the configuration's token and CA certificates, which are read again from their files as they rotate.
 * The module is told the time, and reads small files.
 *
 * Rules: client-go transport.cachingTokenSource (60 s; the last good token stays if the file cannot be read or is
 * empty) and the reloading of CA files since client-go 1.36 (5 minutes; unusable content is ignored). A problem with a
 * file is logged once, until the file is good again.
 */
#ifndef RUNTIME_CREDENTIALS_H
#define RUNTIME_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/config.h"

enum { CREDENTIALS_TOKEN_MS = 60 * 1000, CREDENTIALS_CA_MS = 5 * 60 * 1000 };

struct credentials_file {
	int64_t read_ms;
	bool bad; /* the last reading failed, and was logged */
};

struct credentials {
	struct config config; /* own copy */
	uint64_t generation;  /* changes when the token does */
	struct credentials_file token;
	struct credentials_file ca;
};

/* config is copied. Its token and CA count as read at now_ms. */
void credentials_init(struct credentials *c, const struct config *config, int64_t now_ms);
void credentials_done(struct credentials *c);
/* Reads the files again that are old enough. Returns true if config.ca has changed. */
bool credentials_refresh(struct credentials *c, int64_t now_ms);
/* To be called when the server has refused the token of this generation. Returns true if there is another token now. */
bool credentials_refused(struct credentials *c, uint64_t generation, int64_t now_ms);

#endif
