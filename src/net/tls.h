/*
 * TLS by OpenSSL: contexts made from PEM texts, and a server session as a pure stepper between ciphertext and
 * plaintext. There are no sockets inside.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* ERR_INVALID: no certificate in the text; certificate and key missing, unreadable or not of each other. */
int tls_check_ca(const char *ca, struct err *err);
int tls_check_pair(const char *cert, const char *key, struct err *err);

struct tls_policy {			  /* what a server accepts */
	const char *min_version;	  /* "VersionTLS12" (or NULL, ""), "VersionTLS13" */
	const struct strv *cipher_suites; /* of TLS 1.2, by Go's names; NULL, none: all that are any good */
};

/* ERR_INVALID: no such version or suite. */
int tls_check_policy(const struct tls_policy *policy, struct err *err);

/* For servers: ALPN http/1.1, no tickets, no renegotiation. Owned by the caller (SSL_CTX_free); sessions keep it alive.
 * NULL: ERR_INVALID as with tls_check_pair and tls_check_policy. */
SSL_CTX *tls_server_context(const char *cert, const char *key, const struct tls_policy *policy, struct err *err);

struct tls_session;

struct tls_session *tls_session_new(SSL_CTX *ctx);
void tls_session_free(struct tls_session *t);
/* Gives the session ciphertext that has arrived. It is borrowed until tls_session_output. */
void tls_session_feed(struct tls_session *t, const void *data, size_t len);
/* Whether there is input that tls_session_read has not taken yet. */
bool tls_session_has_input(const struct tls_session *t);
/* Reads plaintext, and makes the handshake. Returns the number of bytes; 0 if there is none yet; -1 if the peer closed
 * or broke the session. */
int tls_session_read(struct tls_session *t, void *data, size_t size);
bool tls_session_ready(const struct tls_session *t); /* the handshake is over */
/* Returns false if the session is broken. */
bool tls_session_write(struct tls_session *t, const void *data, size_t len);
void tls_session_shutdown(struct tls_session *t); /* sends close_notify */
/* Moves the ciphertext that has to be sent to ret, which is empty before. To be called after each of the functions
 * above. */
void tls_session_output(struct tls_session *t, struct buf *ret);

#endif
