/*
 * Contexts and sessions. A session has a BIO of its own over two pieces of memory. Input is read in place, and what
 * OpenSSL wants to send is collected. So OpenSSL never sees a socket and never waits, and an idle session holds no
 * buffers.
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
#include "base/text.h"
#include "pem.h"

enum {
	KEPT_MAX = 256 << 10,
	OUT_MAX = 128 << 20,
	CIPHER_LIST_MAX = 4 << 10,
};

struct tls_session {
	SSL *ssl;
	const char *in; /* borrowed input that OpenSSL has not read; it follows on what is in kept */
	size_t in_len;
	struct buf kept; /* earlier input that OpenSSL had not read */
	size_t kept_used;
	struct buf out; /* to be sent */
};

static void ctx_cleanup(SSL_CTX **ctx)
{
	SSL_CTX_free(*ctx);
}

#define auto_ctx __attribute__((cleanup(ctx_cleanup))) SSL_CTX

/* Names as in Go's crypto/tls (and Kubernetes' --tls-cipher-suites). NULL: TLS 1.3, whose suites are not a matter of
 * choice. */
static const struct {
	const char *name;
	const char *openssl;
} suites[] = {
	{ "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256" },
	{ "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384" },
	{ "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305" },
	{ "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305" },
	{ "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA" },
	{ "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA" },
	{ "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256" },
	{ "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384" },
	{ "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305" },
	{ "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "ECDHE-RSA-CHACHA20-POLY1305" },
	{ "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA" },
	{ "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA" },
	{ "TLS_AES_128_GCM_SHA256", NULL },
	{ "TLS_AES_256_GCM_SHA384", NULL },
	{ "TLS_CHACHA20_POLY1305_SHA256", NULL },
};

static X509 *read_certificate(BIO *bio)
{
	return PEM_read_bio_X509(bio, NULL, pem_no_password, NULL);
}

/* Whether reading stopped at the end of the text, and not at something that cannot be read. */
static bool is_pem_end(void)
{
	return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

int tls_check_ca(const char *ca, struct err *err)
{
	auto_bio *bio = pem_bio(ca);
	X509 *x;
	int count = 0;

	while ((x = read_certificate(bio))) {
		X509_free(x);
		count++;
	}
	if (!is_pem_end())
		return err_set(err, ERR_INVALID, "CA certificate %d: %s", count + 1, pem_reason());
	if (count == 0)
		return err_set(err, ERR_INVALID, "CA: expected a PEM certificate, found none");
	return 0;
}

static int use_chain(SSL_CTX *ctx, const char *cert, struct err *err)
{
	auto_bio *bio = pem_bio(cert);
	auto_x509 *leaf = read_certificate(bio);
	X509 *x;

	if (!leaf && is_pem_end())
		return err_set(err, ERR_INVALID, "certificate: expected a PEM certificate, found none");
	if (!leaf || SSL_CTX_use_certificate(ctx, leaf) != 1)
		return err_set(err, ERR_INVALID, "certificate: %s", pem_reason());
	while ((x = read_certificate(bio))) {
		if (SSL_CTX_add0_chain_cert(ctx, x) != 1) {
			X509_free(x);
			return err_set(err, ERR_INVALID, "certificate chain: %s", pem_reason());
		}
	}
	if (!is_pem_end())
		return err_set(err, ERR_INVALID, "certificate chain: %s", pem_reason());
	return 0;
}

static int use_pair(SSL_CTX *ctx, const char *cert, const char *key, struct err *err)
{
	auto_bio *bio = pem_bio(key);
	auto_key *pkey = NULL;

	if (use_chain(ctx, cert, err) < 0)
		return err_code(err);
	ERR_clear_error();
	pkey = PEM_read_bio_PrivateKey(bio, NULL, pem_no_password, NULL);
	if (!pkey && is_pem_end())
		return err_set(err, ERR_INVALID, "key: expected a PEM private key, found none");
	if (!pkey)
		return err_set(err, ERR_INVALID, "key: %s", pem_reason());
	if (SSL_CTX_use_PrivateKey(ctx, pkey) != 1 || SSL_CTX_check_private_key(ctx) != 1)
		return err_set(err, ERR_INVALID, "key does not belong to the certificate: %s", pem_reason());
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

static int min_version(const struct tls_policy *policy, int *ret, struct err *err)
{
	const char *name = policy->min_version;

	*ret = TLS1_2_VERSION;
	if (!name || !name[0] || text_eq(name, "VersionTLS12"))
		return 0;
	*ret = TLS1_3_VERSION;
	if (text_eq(name, "VersionTLS13"))
		return 0;
	return err_set(err, ERR_INVALID, "TLS version \"%s\": expected VersionTLS12 or VersionTLS13", name);
}

/* OpenSSL's name of a suite, NULL for one of TLS 1.3. False if the suite is not known. */
static bool find_suite(const char *name, const char **ret)
{
	for (size_t i = 0; i < array_len(suites); i++)
		if (text_eq(suites[i].name, name)) {
			*ret = suites[i].openssl;
			return true;
		}
	return false;
}

/* OpenSSL's list of the TLS 1.2 suites that are wanted; empty if only suites of TLS 1.3 are. */
static int cipher_list(const struct strv *names, struct buf *ret, struct err *err)
{
	const char *openssl;

	if (!names || names->len == 0)
		buf_puts(ret, "ECDHE+AESGCM:ECDHE+CHACHA20");
	for (size_t i = 0; names && i < names->len; i++) {
		if (!find_suite(names->items[i], &openssl))
			return err_set(err, ERR_INVALID, "TLS cipher suite \"%s\" is not known", names->items[i]);
		if (openssl)
			buf_printf(ret, "%s%s", ret->len > 0 ? ":" : "", openssl);
	}
	return 0;
}

static int use_policy(SSL_CTX *ctx, const struct tls_policy *policy, struct err *err)
{
	auto_buf ciphers = { .max = CIPHER_LIST_MAX };
	int version;

	if (min_version(policy, &version, err) < 0 || cipher_list(policy->cipher_suites, &ciphers, err) < 0)
		return err_code(err);
	if (ciphers.overflow)
		return err_set(err, ERR_INVALID, "too many TLS cipher suites");
	if (ciphers.len == 0)
		version = TLS1_3_VERSION;
	else if (SSL_CTX_set_cipher_list(ctx, ciphers.data) != 1)
		return err_set(err, ERR_INVALID, "TLS cipher suites: %s", pem_reason());
	SSL_CTX_set_min_proto_version(ctx, version);
	return 0;
}

int tls_check_policy(const struct tls_policy *policy, struct err *err)
{
	auto_ctx *ctx = context_new(TLS_server_method());

	return use_policy(ctx, policy, err);
}

SSL_CTX *tls_server_context(const char *cert, const char *key, const struct tls_policy *policy, struct err *err)
{
	auto_ctx *ctx = context_new(TLS_server_method());

	if (use_pair(ctx, cert, key, err) < 0 || use_policy(ctx, policy, err) < 0)
		return NULL;
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
				     SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
	return take_ptr(ctx);
}

/* --- sessions --- */

/* The input that OpenSSL reads next. */
static const char *next_input(const struct tls_session *t, size_t *ret_len)
{
	bool kept = t->kept_used < t->kept.len;

	*ret_len = kept ? t->kept.len - t->kept_used : t->in_len;
	return kept ? t->kept.data + t->kept_used : t->in;
}

static int on_bio_read(BIO *bio, char *data, int size)
{
	struct tls_session *t = BIO_get_data(bio);
	size_t len, n = (size_t)size;
	const char *from = next_input(t, &len);

	BIO_clear_retry_flags(bio);
	if (len == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	n = n < len ? n : len;
	memcpy(data, from, n);
	if (from == t->in) {
		t->in += n;
		t->in_len -= n;
	} else {
		t->kept_used += n;
	}
	return (int)n;
}

static int on_bio_write(BIO *bio, const char *data, int len)
{
	struct tls_session *t = BIO_get_data(bio);

	return buf_add(&t->out, data, (size_t)len) ? len : -1;
}

static long on_bio_ctrl(BIO *bio, int what, long number, void *arg)
{
	(void)bio;
	(void)number;
	(void)arg;
	return what == BIO_CTRL_FLUSH;
}

static BIO *session_bio(struct tls_session *t)
{
	static BIO_METHOD *method;
	BIO *bio;

	if (!method) {
		method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "session");
		if (!method)
			abort(); /* out of memory */
		BIO_meth_set_read(method, on_bio_read);
		BIO_meth_set_write(method, on_bio_write);
		BIO_meth_set_ctrl(method, on_bio_ctrl);
	}
	bio = BIO_new(method);
	if (!bio)
		abort(); /* out of memory */
	BIO_set_data(bio, t);
	BIO_set_init(bio, 1);
	return bio;
}

struct tls_session *tls_session_new(SSL_CTX *ctx)
{
	struct tls_session *t = xcalloc(1, sizeof(*t));
	BIO *bio = session_bio(t);

	t->ssl = SSL_new(ctx);
	if (!t->ssl)
		abort(); /* out of memory */
	buf_init(&t->kept, KEPT_MAX);
	buf_init(&t->out, OUT_MAX);
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_accept_state(t->ssl);
	return t;
}

void tls_session_free(struct tls_session *t)
{
	if (!t)
		return;
	SSL_free(t->ssl);
	buf_done(&t->kept);
	buf_done(&t->out);
	free(t);
}

void tls_session_feed(struct tls_session *t, const void *data, size_t len)
{
	assert(t->in_len == 0);
	t->in = data;
	t->in_len = len;
}

bool tls_session_has_input(const struct tls_session *t)
{
	return t->kept.len > t->kept_used || SSL_has_pending(t->ssl);
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

/* Copies the borrowed input that OpenSSL has not read, so that it is borrowed no longer. */
static void keep_input(struct tls_session *t)
{
	buf_drop(&t->kept, t->kept_used);
	t->kept_used = 0;
	if (t->in_len > 0)
		buf_add(&t->kept, t->in, t->in_len); /* over the limit: the session breaks at the gap */
	if (t->kept.len == 0)
		buf_done(&t->kept);
	t->in_len = 0;
}

void tls_session_output(struct tls_session *t, struct buf *ret)
{
	keep_input(t);
	*ret = t->out;
	buf_init(&t->out, OUT_MAX);
}
