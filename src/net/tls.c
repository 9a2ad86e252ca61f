/*
 * Contexts and sessions. A session sits between two memory BIOs: what arrives goes into the one, what OpenSSL wants
 * to send is taken from the other, so OpenSSL never sees a socket and never waits.
 *
 * Failure modes: PEM text that cannot be used (ERR_INVALID, with what OpenSSL said; never the text itself); a peer
 * that speaks no TLS, offers only HTTP/2 in ALPN, or wants to renegotiate: read returns -1 and the alert is in the
 * output.
 */
#include "tls.h"

#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/mem.h"

struct tls_session {
	SSL *ssl;
	BIO *in; /* both owned by ssl */
	BIO *out;
};

static void bio_cleanup(BIO **bio)
{
	BIO_free(*bio);
}

static void x509_cleanup(X509 **x)
{
	X509_free(*x);
}

static void key_cleanup(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void ctx_cleanup(SSL_CTX **ctx)
{
	SSL_CTX_free(*ctx);
}

#define auto_bio  __attribute__((cleanup(bio_cleanup))) BIO
#define auto_x509 __attribute__((cleanup(x509_cleanup))) X509
#define auto_key  __attribute__((cleanup(key_cleanup))) EVP_PKEY
#define auto_ctx  __attribute__((cleanup(ctx_cleanup))) SSL_CTX

/* For an encrypted key: OpenSSL's own would ask on the terminal. */
static int no_password(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static BIO *text_bio(const char *text)
{
	size_t len = text ? strlen(text) : 0;
	BIO *bio = BIO_new_mem_buf(len > 0 ? text : "", len < INT_MAX ? (int)len : INT_MAX);

	if (!bio)
		abort(); /* out of memory */
	ERR_clear_error();
	return bio;
}

static X509 *read_certificate(BIO *bio)
{
	return PEM_read_bio_X509(bio, NULL, no_password, NULL);
}

/* Whether reading stopped because nothing more follows and not because something cannot be read. */
static bool at_end(void)
{
	return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static const char *reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text ? text : "not usable";
}

int tls_check_ca(const char *ca, struct err *err)
{
	auto_bio *bio = text_bio(ca);
	X509 *x;
	int count = 0;

	while ((x = read_certificate(bio))) {
		X509_free(x);
		count++;
	}
	if (!at_end())
		return err_set(err, ERR_INVALID, "CA certificate %d: %s", count + 1, reason());
	if (count == 0)
		return err_set(err, ERR_INVALID, "CA: expected a PEM certificate, found none");
	return 0;
}

static int use_chain(SSL_CTX *ctx, const char *cert, struct err *err)
{
	auto_bio *bio = text_bio(cert);
	auto_x509 *leaf = read_certificate(bio);
	X509 *x;

	if (!leaf && at_end())
		return err_set(err, ERR_INVALID, "certificate: expected a PEM certificate, found none");
	if (!leaf || SSL_CTX_use_certificate(ctx, leaf) != 1)
		return err_set(err, ERR_INVALID, "certificate: %s", reason());
	while ((x = read_certificate(bio))) {
		if (SSL_CTX_add0_chain_cert(ctx, x) != 1) {
			X509_free(x);
			return err_set(err, ERR_INVALID, "certificate chain: %s", reason());
		}
	}
	if (!at_end())
		return err_set(err, ERR_INVALID, "certificate chain: %s", reason());
	return 0;
}

static int use_pair(SSL_CTX *ctx, const char *cert, const char *key, struct err *err)
{
	auto_bio *bio = text_bio(key);
	auto_key *pkey = NULL;

	if (use_chain(ctx, cert, err) < 0)
		return -(int)err->code;
	ERR_clear_error();
	pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	if (!pkey && at_end())
		return err_set(err, ERR_INVALID, "key: expected a PEM private key, found none");
	if (!pkey)
		return err_set(err, ERR_INVALID, "key: %s", reason());
	if (SSL_CTX_use_PrivateKey(ctx, pkey) != 1 || SSL_CTX_check_private_key(ctx) != 1)
		return err_set(err, ERR_INVALID, "key does not belong to the certificate: %s", reason());
	return 0;
}

static SSL_CTX *context_new(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (!ctx)
		abort(); /* out of memory */
	return ctx;
}

int tls_check_pair(const char *cert, const char *key, struct err *err)
{
	auto_ctx *ctx = context_new(TLS_client_method());

	return use_pair(ctx, cert, key, err);
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
		   unsigned in_len, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

SSL_CTX *tls_server_context(const char *cert, const char *key, struct err *err)
{
	auto_ctx *ctx = context_new(TLS_server_method());

	if (use_pair(ctx, cert, key, err) < 0)
		return NULL;
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
				     SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20");
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
	return take_ptr(ctx);
}

struct tls_session *tls_session_new(SSL_CTX *ctx)
{
	struct tls_session *t = xcalloc(1, sizeof(*t));

	t->ssl = SSL_new(ctx);
	t->in = BIO_new(BIO_s_mem());
	t->out = BIO_new(BIO_s_mem());
	if (!t->ssl || !t->in || !t->out)
		abort(); /* out of memory */
	BIO_set_mem_eof_return(t->in, -1);
	SSL_set_bio(t->ssl, t->in, t->out);
	SSL_set_accept_state(t->ssl);
	return t;
}

void tls_session_free(struct tls_session *t)
{
	if (!t)
		return;
	SSL_free(t->ssl);
	free(t);
}

void tls_session_feed(struct tls_session *t, const void *data, size_t len)
{
	assert(len <= INT_MAX);
	if (BIO_write(t->in, data, (int)len) != (int)len)
		abort(); /* out of memory */
}

int tls_session_read(struct tls_session *t, void *data, size_t size)
{
	int n;

	assert(size <= INT_MAX);
	ERR_clear_error();
	n = SSL_read(t->ssl, data, (int)size);
	if (n > 0)
		return n;
	return SSL_get_error(t->ssl, n) == SSL_ERROR_WANT_READ ? 0 : -1;
}

bool tls_session_ready(const struct tls_session *t)
{
	return SSL_is_init_finished(t->ssl);
}

bool tls_session_write(struct tls_session *t, const void *data, size_t len)
{
	size_t written;

	if (len == 0)
		return true;
	ERR_clear_error();
	return SSL_write_ex(t->ssl, data, len, &written) == 1 && written == len;
}

void tls_session_shutdown(struct tls_session *t)
{
	ERR_clear_error();
	if (SSL_is_init_finished(t->ssl))
		SSL_shutdown(t->ssl);
}

void tls_session_output(struct tls_session *t, struct buf *out)
{
	char *data;
	long len = BIO_get_mem_data(t->out, &data);

	if (len > 0)
		buf_add(out, data, (size_t)len);
	(void)BIO_reset(t->out);
}
