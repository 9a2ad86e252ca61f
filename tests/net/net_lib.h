/*
 * For tests with real sockets: a loop with a guard, scripted TCP peers in the same loop, certificates made on the spot.
 */
#ifndef TESTS_NET_LIB_H
#define TESTS_NET_LIB_H

#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/loop.h"

enum { GUARD_MS = 60 * 1000, SEEN_MAX = 16 << 20 };

static inline void guard_fired(void *arg)
{
	*(bool *)arg = true;
}

typedef bool cond_fn(void *arg);

/* Runs the loop until fn(arg); fails the test if that takes too long. */
static inline void run_while_not(struct loop *loop, cond_fn *fn, void *arg)
{
	struct sched_timer guard;
	bool late = false;

	sched_timer_init(&guard, guard_fired, &late);
	sched_arm(&loop->sched, &guard, GUARD_MS);
	while (!fn(arg) && !late)
		uv_run(&loop->uv, UV_RUN_ONCE);
	sched_disarm(&loop->sched, &guard);
	assert_false(late);
}

static inline bool flag_set(void *arg)
{
	return *(bool *)arg;
}

static inline void run_until(struct loop *loop, bool *flag)
{
	run_while_not(loop, flag_set, flag);
}

/* Runs the loop for some milliseconds, for what must not happen. */
static inline void run_for(struct loop *loop, int64_t ms)
{
	struct sched_timer timer;
	bool over = false;

	sched_timer_init(&timer, guard_fired, &over);
	sched_arm(&loop->sched, &timer, ms);
	run_until(loop, &over);
}

static inline int bound_port(const uv_tcp_t *tcp)
{
	struct sockaddr_storage addr;
	int len = sizeof(addr);

	assert_int_equal(uv_tcp_getsockname(tcp, (struct sockaddr *)&addr, &len), 0);
	return ntohs(((struct sockaddr_in *)&addr)->sin_port);
}

/* --- one end of a TCP connection --- */

enum raw_then { RAW_HOLD = 0, RAW_FIN, RAW_RESET };

struct raw {
	struct list link;
	struct loop *loop;
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_shutdown_t shutdown;
	struct sched_timer drip; /* one_by_one: the next byte */
	struct buf out;		 /* …of these */
	struct buf in;		 /* received and not consumed */
	bool connected;
	bool eof; /* the peer closed or reset */
	bool reset;
	bool broken;	 /* the peer did not take what was sent */
	unsigned writes; /* under way */
	bool closed;
	void (*on_data)(struct raw *r);
	void *owner;
	enum raw_then then; /* after the last byte of out */
};

static inline void raw_freed(uv_handle_t *h)
{
	struct raw *r = container_of(h, struct raw, tcp);

	buf_done(&r->in);
	buf_done(&r->out);
	free(r);
}

static inline void raw_close(struct raw *r)
{
	list_remove(&r->link);
	sched_disarm(&r->loop->sched, &r->drip);
	r->closed = true;
	if (!uv_is_closing((uv_handle_t *)&r->tcp))
		uv_close((uv_handle_t *)&r->tcp, raw_freed);
}

static inline void raw_alloc(uv_handle_t *h, size_t size, uv_buf_t *buf)
{
	static char data[65536];

	(void)h;
	(void)size;
	*buf = uv_buf_init(data, sizeof(data));
}

static inline void raw_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct raw *r = container_of(s, struct raw, tcp);

	if (n < 0) {
		r->eof = true;
		r->reset = n != UV_EOF;
		uv_read_stop(s);
	} else if (n > 0) {
		buf_add(&r->in, buf->base, (size_t)n);
	}
	if (r->on_data && n != 0)
		r->on_data(r);
}

struct raw_write {
	uv_write_t req;
	struct raw *raw;
	char *data;
};

static inline void raw_written(uv_write_t *req, int status)
{
	struct raw_write *w = container_of(req, struct raw_write, req);

	w->raw->writes--;
	w->raw->broken |= status < 0;
	free(w->data);
	free(w);
}

static inline void raw_send(struct raw *r, const void *data, size_t len)
{
	struct raw_write *w = xcalloc(1, sizeof(*w));
	uv_buf_t buf;

	w->raw = r;
	r->writes++;
	w->data = xmalloc(len);
	memcpy(w->data, data, len);
	buf = uv_buf_init(w->data, (unsigned)len);
	if (uv_write(&w->req, (uv_stream_t *)&r->tcp, &buf, 1, raw_written) < 0)
		raw_written(&w->req, UV_EPIPE);
}

static inline void raw_puts(struct raw *r, const char *text)
{
	raw_send(r, text, strlen(text));
}

static inline void raw_shut(uv_shutdown_t *req, int status)
{
	(void)req;
	(void)status;
}

static inline void raw_fin(struct raw *r)
{
	uv_shutdown(&r->shutdown, (uv_stream_t *)&r->tcp, raw_shut);
}

static inline void raw_reset(struct raw *r)
{
	list_remove(&r->link);
	sched_disarm(&r->loop->sched, &r->drip);
	if (!uv_is_closing((uv_handle_t *)&r->tcp))
		uv_tcp_close_reset(&r->tcp, raw_freed);
}

static inline void raw_end(struct raw *r)
{
	if (r->then == RAW_FIN)
		raw_fin(r);
	else if (r->then == RAW_RESET)
		raw_reset(r);
}

static inline void raw_drip(void *arg)
{
	struct raw *r = arg;

	raw_send(r, r->out.data, 1);
	buf_drop(&r->out, 1);
	if (r->out.len > 0)
		sched_arm(&r->loop->sched, &r->drip, 0);
	else
		raw_end(r);
}

static inline struct raw *raw_new(struct loop *loop)
{
	struct raw *r = xcalloc(1, sizeof(*r));

	r->loop = loop;
	list_init(&r->link);
	buf_init(&r->in, SEEN_MAX);
	buf_init(&r->out, SEEN_MAX);
	sched_timer_init(&r->drip, raw_drip, r);
	assert_int_equal(uv_tcp_init(&loop->uv, &r->tcp), 0);
	return r;
}

static inline void raw_on_connect(uv_connect_t *req, int status)
{
	struct raw *r = container_of(req, struct raw, connect);

	if (status < 0) {
		r->eof = true;
		return;
	}
	r->connected = true;
	uv_read_start((uv_stream_t *)&r->tcp, raw_alloc, raw_read);
}

/* from: "127.0.0.2" or another address of the loopback. */
static inline struct raw *raw_connect_from(struct loop *loop, int port, const char *from)
{
	struct raw *r = raw_new(loop);
	struct sockaddr_in addr;

	uv_ip4_addr(from, 0, &addr);
	assert_int_equal(uv_tcp_bind(&r->tcp, (struct sockaddr *)&addr, 0), 0);
	uv_ip4_addr("127.0.0.1", port, &addr);
	assert_int_equal(uv_tcp_connect(&r->connect, &r->tcp, (struct sockaddr *)&addr, raw_on_connect), 0);
	return r;
}

static inline struct raw *raw_connect(struct loop *loop, int port)
{
	return raw_connect_from(loop, port, "127.0.0.1");
}

/* Waits until the peer has closed; the text received in all. */
static inline const char *raw_read_all(struct raw *r)
{
	run_until(r->loop, &r->eof);
	return buf_str(&r->in);
}

static inline bool raw_all_sent(void *arg)
{
	return ((struct raw *)arg)->writes == 0;
}

struct raw_wait {
	struct raw *raw;
	const char *text;
};

static inline bool raw_has(void *arg)
{
	struct raw_wait *w = arg;

	return strstr(buf_str(&w->raw->in), w->text) != NULL;
}

/* Waits until the text was received; drops everything up to its end. */
static inline void raw_expect(struct raw *r, const char *text)
{
	struct raw_wait wait = { .raw = r, .text = text };

	run_while_not(r->loop, raw_has, &wait);
	buf_drop(&r->in, (size_t)(strstr(buf_str(&r->in), text) - buf_str(&r->in)) + strlen(text));
}

/* --- a server that answers every request head with the next script, the last one again and again --- */

struct script {
	const char *bytes;
	bool one_by_one;
	enum raw_then then;
};

struct raw_server {
	struct loop *loop;
	uv_tcp_t listener;
	int port;
	const struct script *scripts;
	size_t count;
	unsigned accepted;
	unsigned requests;
	struct buf seen; /* everything received */
	struct list conns;
	bool closed;
};

static inline void raw_server_play(struct raw_server *s, struct raw *r)
{
	const struct script *script = &s->scripts[s->requests < s->count ? s->requests : s->count - 1];

	s->requests++;
	r->then = script->then;
	if (script->one_by_one) {
		buf_puts(&r->out, script->bytes);
		sched_arm(&s->loop->sched, &r->drip, 0);
		return;
	}
	if (script->bytes[0])
		raw_puts(r, script->bytes);
	raw_end(r);
}

static inline void raw_server_data(struct raw *r)
{
	struct raw_server *s = r->owner;
	const char *end;

	if (r->eof) {
		raw_close(r);
		return;
	}
	buf_add(&s->seen, r->in.data, r->in.len);
	while ((end = strstr(buf_str(&r->in), "\r\n\r\n"))) {
		buf_drop(&r->in, (size_t)(end + 4 - r->in.data));
		raw_server_play(s, r);
		if (r->then == RAW_RESET)
			return;
	}
}

static inline void raw_server_connection(uv_stream_t *listener, int status)
{
	struct raw_server *s = container_of(listener, struct raw_server, listener);
	struct raw *r;

	assert_int_equal(status, 0);
	r = raw_new(s->loop);
	r->owner = s;
	r->on_data = raw_server_data;
	assert_int_equal(uv_accept(listener, (uv_stream_t *)&r->tcp), 0);
	uv_read_start((uv_stream_t *)&r->tcp, raw_alloc, raw_read);
	list_append(&s->conns, &r->link);
	s->accepted++;
}

static inline void raw_server_start(struct raw_server *s, struct loop *loop, const struct script *scripts, size_t count)
{
	struct sockaddr_in addr;

	*s = (struct raw_server){ .loop = loop, .scripts = scripts, .count = count };
	list_init(&s->conns);
	buf_init(&s->seen, SEEN_MAX);
	uv_ip4_addr("127.0.0.1", 0, &addr);
	assert_int_equal(uv_tcp_init(&loop->uv, &s->listener), 0);
	assert_int_equal(uv_tcp_bind(&s->listener, (struct sockaddr *)&addr, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&s->listener, 128, raw_server_connection), 0);
	s->port = bound_port(&s->listener);
}

static inline void raw_server_closed(uv_handle_t *h)
{
	container_of(h, struct raw_server, listener)->closed = true;
}

static inline void raw_server_stop(struct raw_server *s)
{
	while (!list_empty(&s->conns))
		raw_close(container_of(s->conns.next, struct raw, link));
	uv_close((uv_handle_t *)&s->listener, raw_server_closed);
	run_until(s->loop, &s->closed);
	buf_done(&s->seen);
}

/* --- certificates --- */

struct pki {
	EVP_PKEY *key;
	X509 *cert;
	char *cert_pem;
	char *key_pem;
};

static inline char *pki_text(BIO *bio)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);
	char *text = xstrndup(data, (size_t)len);

	BIO_free(bio);
	return text;
}

static inline void pki_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
}

/* A P-256 key and a certificate for it, signed by ca; a CA of its own if ca is NULL. san: "DNS:x,IP:y" or NULL. */
static inline struct pki pki_new(const struct pki *ca, const char *name, const char *san)
{
	static long serial = 1;
	struct pki p = { .key = EVP_EC_gen("P-256"), .cert = X509_new() };
	X509_NAME *subject = X509_get_subject_name(p.cert);
	BIO *bio = BIO_new(BIO_s_mem());

	X509_set_version(p.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(p.cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(p.cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(p.cert), 3600);
	X509_set_pubkey(p.cert, p.key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(p.cert, X509_get_subject_name(ca ? ca->cert : p.cert));
	pki_extension(p.cert, ca ? ca->cert : p.cert, NID_basic_constraints, ca ? "CA:FALSE" : "critical,CA:TRUE");
	if (san)
		pki_extension(p.cert, p.cert, NID_subject_alt_name, san);
	assert_true(X509_sign(p.cert, ca ? ca->key : p.key, EVP_sha256()) > 0);
	PEM_write_bio_X509(bio, p.cert);
	p.cert_pem = pki_text(bio);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(bio, p.key, NULL, NULL, 0, NULL, NULL);
	p.key_pem = pki_text(bio);
	return p;
}

static inline void pki_done(struct pki *p)
{
	EVP_PKEY_free(p->key);
	X509_free(p->cert);
	free(p->cert_pem);
	free(p->key_pem);
}

/* --- a TLS client that blocks, for a process of its own --- */

struct caller {
	int fd; /* -1: closed */
	SSL *ssl;
};

static inline void caller_close(struct caller *c)
{
	SSL_free(c->ssl);
	if (c->fd >= 0)
		close(c->fd);
	*c = (struct caller){ .fd = -1 };
}

static inline bool caller_open(struct caller *c, SSL_CTX *ctx, int port)
{
	const struct timeval patience = { .tv_sec = 5 };
	struct sockaddr_in addr;

	uv_ip4_addr("127.0.0.1", port, &addr);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	c->ssl = SSL_new(ctx);
	SSL_set_fd(c->ssl, c->fd);
	if (connect(c->fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 && SSL_connect(c->ssl) == 1)
		return true;
	caller_close(c);
	return false;
}

/* Sends and reads one reply to its end; its text is NUL-terminated. False if it is not a 200. */
static inline bool caller_ask(struct caller *c, const char *request, size_t len, char *reply, size_t size)
{
	size_t got = 0, want = 0;

	if (c->fd < 0 || SSL_write(c->ssl, request, (int)len) != (int)len)
		return false;
	while (want == 0 || got < want) {
		int n = SSL_read(c->ssl, reply + got, (int)(size - 1 - got));
		const char *end, *length;
		int64_t value;

		if (n <= 0)
			return false;
		got += (size_t)n;
		reply[got] = '\0';
		end = strstr(reply, "\r\n\r\n");
		length = strstr(reply, "Content-Length: ");
		if (!end || !length)
			continue;
		length += strlen("Content-Length: ");
		auto_free char *digits = xstrndup(length, strcspn(length, "\r"));

		if (!text_i64(digits, &value))
			return false;
		want = (size_t)(end + 4 - reply) + (size_t)value;
	}
	return strncmp(reply, "HTTP/1.1 200 ", 13) == 0;
}

#endif
