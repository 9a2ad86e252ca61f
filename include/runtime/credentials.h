/*
 * Who we are, kept fresh: the configuration's token and authority, read again from their files as they rotate. Told
 * the time; reads small files, nothing else.
 *
 * Rules: client-go transport.cachingTokenSource (60 s, the last good token stays when the file is unreadable or
 * empty) and the reloading of CA files since client-go 1.36 (5 minutes, unusable content is passed over). A problem
 * with a file is logged once, until the file is good again.
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
	uint64_t generation;  /* of the token: changes when it does */
	struct credentials_file token;
	struct credentials_file ca;
};

/* config is copied; what it holds counts as read at now_ms. */
void credentials_init(struct credentials *c, const struct config *config, int64_t now_ms);
void credentials_done(struct credentials *c);
/* Reads again what is old enough. True: config.ca is another one now. */
bool credentials_refresh(struct credentials *c, int64_t now_ms);
/* The server refused the token of this generation. True: another one is there now, try again. */
bool credentials_refused(struct credentials *c, uint64_t generation, int64_t now_ms);

#endif
