/*
 * TLS on both ends: our client against our server with certificates made here, and hostile or odd peers through
 * OpenSSL by hand.
 */
#include "net_lib.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/http_client.h"
#include "net/http_server.h"

#define BIG_SIZE (3 << 20)

struct fixture {
	struct loop loop;
	struct http_server *server;
	struct http_client *client;
	int port;
	struct pki ca;
	struct pki leaf;
};

static void on_hello(void *arg, struct http_exchange *x)
{
	(void)arg;
	buf_puts(&x->reply, "hello");
}

static void on_echo(void *arg, struct http_exchange *x)
{
	(void)arg;
	buf_add(&x->reply, x->body, x->body_len);
}

static void start(struct fixture *f, struct http_server_options options)
{
	const struct http_route routes[] = {
		{ .method = "GET", .path = "/hello", .fn = on_hello },
		{ .method = "POST", .path = "/echo", .fn = on_echo },
	};
	struct http_client_options client_options = { 0 };
	struct err err;

	f->ca = pki_new(NULL, "ca", NULL);
	f->leaf = pki_new(&f->ca, "leaf", "DNS:webhook.ns.svc,DNS:localhost");
	assert_int_equal(loop_init(&f->loop, &err), 0);
	f->server = http_server_new(&f->loop, routes, array_len(routes), &options);
	assert_int_equal(http_server_set_certificate(f->server, f->leaf.cert_pem, f->leaf.key_pem, &err), 0);
	assert_int_equal(http_server_listen(f->server, "127.0.0.1:0", &err), 0);
	f->port = http_server_port(f->server);
	f->client = http_client_new(&f->loop, &client_options);
}

static void finish(struct fixture *f)
{
	http_client_close(f->client);
	http_server_close(f->server, 0);
	assert_int_equal(loop_close(&f->loop), 0);
	pki_done(&f->ca);
	pki_done(&f->leaf);
}

static void set_tls(struct fixture *f, struct http_tls tls)
{
	struct err err;

	if (http_client_set_tls(f->client, &tls, &err) < 0)
		fail_msg("%s", err.msg);
}

struct result {
	bool done;
	int status;
	enum err_code code;
	char *msg;
	char *body;
};

static void on_done(void *arg, struct http_reply *reply)
{
	struct result *r = arg;

	assert_false(r->done);
	r->done = true;
	r->status = reply->status;
	r->code = reply->err.code;
	r->msg = xstrdup(reply->err.code ? reply->err.msg : "");
	r->body = buf_take(&reply->body);
}

static void result_done(struct result *r)
{
	free(r->msg);
	free(r->body);
	*r = (struct result){ 0 };
}

static void fetch(struct fixture *f, int port, const char *host, struct result *r)
{
	auto_free char *url = xasprintf("https://%s:%d/hello", host, port);
	struct http_request request = { .method = "GET", .url = url, .timeout_ms = 2000 };

	http_client_send(f->client, &request, NULL, on_done, r);
	run_until(&f->loop, &r->done);
}

static enum err_code try_host(struct fixture *f, const char *host)
{
	struct result r = { 0 };
	enum err_code code;

	fetch(f, f->port, host, &r);
	code = r.code;
	if (code == ERR_NONE)
		assert_string_equal(r.body, "hello");
	result_done(&r);
	return code;
}

static void test_verification(void **state)
{
	struct pki other = pki_new(NULL, "other", NULL);
	auto_free char *both = NULL;
	struct fixture f;

	(void)state;
	start(&f, (struct http_server_options){ 0 });
	both = xasprintf("%s%s", other.cert_pem, f.ca.cert_pem);
	assert_int_equal(try_host(&f, "localhost"), ERR_IO); /* the system's CAs do not know ours */
	set_tls(&f, (struct http_tls){ .ca = other.cert_pem });
	assert_int_equal(try_host(&f, "localhost"), ERR_IO);
	set_tls(&f, (struct http_tls){ .ca = f.ca.cert_pem });
	assert_int_equal(try_host(&f, "localhost"), ERR_NONE);
	assert_int_equal(try_host(&f, "127.0.0.1"), ERR_IO); /* not in the certificate */
	set_tls(&f, (struct http_tls){ .ca = f.ca.cert_pem, .server_name = "webhook.ns.svc" });
	assert_int_equal(try_host(&f, "127.0.0.1"), ERR_NONE);
	set_tls(&f, (struct http_tls){ .ca = f.ca.cert_pem, .server_name = "other.ns.svc" });
	assert_int_equal(try_host(&f, "127.0.0.1"), ERR_IO);
	set_tls(&f, (struct http_tls){ .insecure = true });
	assert_int_equal(try_host(&f, "127.0.0.1"), ERR_NONE);
	set_tls(&f, (struct http_tls){ .ca = both });
	assert_int_equal(try_host(&f, "localhost"), ERR_NONE);
	/* the connections that were good with other credentials are not taken for these */
	set_tls(&f, (struct http_tls){ .ca = other.cert_pem });
	assert_int_equal(try_host(&f, "localhost"), ERR_IO);
	finish(&f);
	pki_done(&other);
}

static void test_bad_pem(void **state)
{
	struct pki other = pki_new(NULL, "other", NULL);
	auto_free char *encrypted = NULL, *broken = NULL, *chain = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	struct fixture f;
	struct err err;

	(void)state;
	PEM_write_bio_PKCS8PrivateKey(bio, other.key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL);
	encrypted = pki_text(bio);
	broken = xstrdup(other.cert_pem);
	memset(strchr(broken, '\n') + 1, 'A', 64);
	chain = xasprintf("%s%s", other.cert_pem, broken);
	start(&f, (struct http_server_options){ 0 });
	const struct {
		const char *cert;
		const char *key;
	} pairs[] = {
		{ NULL, other.key_pem },	  { other.cert_pem, NULL },	 { "", "" },
		{ "text", other.key_pem },	  { other.cert_pem, "text" },	 { other.key_pem, other.cert_pem },
		{ other.cert_pem, f.ca.key_pem }, { other.cert_pem, encrypted }, { broken, other.key_pem },
		{ chain, other.key_pem },
	};
	for (size_t i = 0; i < array_len(pairs); i++) {
		struct http_tls tls = { .cert = pairs[i].cert, .key = pairs[i].key };

		assert_int_equal(http_client_set_tls(f.client, &tls, &err), -ERR_INVALID);
		assert_null(strstr(err.msg, "BEGIN"));
		assert_int_equal(http_server_set_certificate(f.server, pairs[i].cert, pairs[i].key, &err),
				 -ERR_INVALID);
	}
	assert_int_equal(http_client_set_tls(f.client, &(struct http_tls){ .ca = "text" }, &err), -ERR_INVALID);
	assert_int_equal(http_client_set_tls(f.client, &(struct http_tls){ .ca = chain }, &err), -ERR_INVALID);
	/* what was in use stays in use */
	set_tls(&f, (struct http_tls){ .ca = f.ca.cert_pem });
	assert_int_equal(try_host(&f, "localhost"), ERR_NONE);
	finish(&f);
	pki_done(&other);
}

static void test_certificate_swap(void **state)
{
	struct pki ca = pki_new(NULL, "new ca", NULL), leaf = pki_new(&ca, "new", "DNS:localhost");
	struct fixture f;
	struct err err;

	(void)state;
	start(&f, (struct http_server_options){ 0 });
	set_tls(&f, (struct http_tls){ .ca = f.ca.cert_pem });
	assert_int_equal(try_host(&f, "localhost"), ERR_NONE);
	assert_int_equal(http_server_set_certificate(f.server, leaf.cert_pem, leaf.key_pem, &err), 0);
	assert_int_equal(try_host(&f, "localhost"), ERR_NONE); /* the connection made before goes on */
	assert_int_equal(http_server_connections(f.server), 1);
	set_tls(&f, (struct http_tls){ .ca = ca.cert_pem });
	assert_int_equal(try_host(&f, "localhost"), ERR_NONE); /* a new one */
	assert_int_equal(http_server_connections(f.server), 2);
	set_tls(&f, (struct http_tls){ .ca = f.ca.cert_pem });
	assert_int_equal(try_host(&f, "localhost"), ERR_NONE); /* back on the old one */
	assert_int_equal(http_server_connections(f.server), 2);
	finish(&f);
	pki_done(&leaf);
	pki_done(&ca);
}

static void test_large_bodies(void **state)
{
	struct fixture f;
	struct result r = { 0 };
	auto_buf body = { .max = BIG_SIZE };
	auto_free char *url = NULL;
	struct http_request request = { .method = "POST", .timeout_ms = 4000, .max_reply_bytes = BIG_SIZE };

	(void)state;
	while (body.len < BIG_SIZE)
		buf_putc(&body, (char)('a' + body.len % 23));
	start(&f, (struct http_server_options){ 0 });
	set_tls(&f, (struct http_tls){ .ca = f.ca.cert_pem });
	url = xasprintf("https://localhost:%d/echo", f.port);
	request.url = url;
	request.body = body.data;
	request.body_len = body.len;
	for (int i = 0; i < 2; i++) {
		http_client_send(f.client, &request, NULL, on_done, &r);
		run_until(&f.loop, &r.done);
		assert_int_equal(r.status, 200);
		assert_int_equal(strlen(r.body), BIG_SIZE);
		assert_string_equal(r.body, body.data);
		result_done(&r);
	}
	finish(&f);
}

static void test_connection_close_over_tls(void **state)
{
	struct fixture f;
	struct result r = { 0 };

	(void)state;
	start(&f, (struct http_server_options){ .age_ms = 1 });
	set_tls(&f, (struct http_tls){ .ca = f.ca.cert_pem });
	run_for(&f.loop, 3);
	for (int i = 0; i < 3; i++) { /* every reply may carry Connection: close and close_notify */
		fetch(&f, f.port, "localhost", &r);
		assert_int_equal(r.code, ERR_NONE);
		result_done(&r);
		run_for(&f.loop, 2);
	}
	finish(&f);
}

/* --- OpenSSL by hand on a raw connection --- */

struct peer {
	struct raw *raw;
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in;
	BIO *out;
	bool ready;
	bool failed;
	int alert; /* received */
	struct buf text;
};

static void peer_alert(const SSL *ssl, int where, int ret)
{
	struct peer *p = SSL_get_app_data(ssl);

	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT)
		p->alert = ret & 0xff;
}

static void peer_pump(struct peer *p)
{
	char data[4096], *out;
	long len;
	int n;

	if (p->raw->in.len > 0)
		BIO_write(p->in, p->raw->in.data, (int)p->raw->in.len);
	buf_clear(&p->raw->in);
	ERR_clear_error();
	while ((n = SSL_read(p->ssl, data, sizeof(data))) > 0)
		buf_add(&p->text, data, (size_t)n);
	p->failed |= SSL_get_error(p->ssl, n) != SSL_ERROR_WANT_READ;
	p->ready = SSL_is_init_finished(p->ssl);
	len = BIO_get_mem_data(p->out, &out);
	if (len > 0 && p->raw->tcp.type == UV_TCP && !p->raw->eof)
		raw_send(p->raw, out, (size_t)len);
	(void)BIO_reset(p->out);
}

static void peer_data(struct raw *r)
{
	peer_pump(r->owner);
}

static void peer_init(struct peer *p, struct raw *raw, SSL_CTX *ctx)
{
	*p = (struct peer){ .raw = raw, .ctx = ctx, .ssl = SSL_new(ctx), .alert = -1 };
	p->in = BIO_new(BIO_s_mem());
	p->out = BIO_new(BIO_s_mem());
	BIO_set_mem_eof_return(p->in, -1);
	SSL_set_bio(p->ssl, p->in, p->out);
	SSL_set_app_data(p->ssl, p);
	SSL_set_info_callback(p->ssl, peer_alert);
	buf_init(&p->text, SEEN_MAX);
	raw->owner = p;
	raw->on_data = peer_data;
}

static void peer_connect(struct fixture *f, struct peer *p, SSL_CTX *ctx)
{
	peer_init(p, raw_connect(&f->loop, f->port), ctx);
	SSL_set_connect_state(p->ssl);
	run_until(&f->loop, &p->raw->connected);
	peer_pump(p);
}

static void peer_send(struct peer *p, const char *text)
{
	assert_true(SSL_write(p->ssl, text, (int)strlen(text)) > 0);
	peer_pump(p);
}

static void peer_done(struct peer *p)
{
	raw_close(p->raw);
	SSL_free(p->ssl);
	SSL_CTX_free(p->ctx);
	buf_done(&p->text);
}

static bool peer_settled(void *arg)
{
	struct peer *p = arg;

	return p->ready || p->failed || p->raw->eof;
}

struct hello_case {
	const char *alpn; /* wire format */
	int max_version;
	bool good;
	int alert;
};

static void test_handshakes(void **state)
{
	static const struct hello_case cases[] = {
		{ "", 0, true, 0 },
		{ "\x08http/1.1", 0, true, 0 },
		{ "\x02h2\x08http/1.1", 0, true, 0 },
		{ "\x02h2", 0, false, 120 }, /* no_application_protocol */
		{ "", TLS1_2_VERSION, true, 0 },
		{ "", TLS1_1_VERSION, false, 70 }, /* protocol_version */
	};
	struct fixture f;

	(void)state;
	start(&f, (struct http_server_options){ 0 });
	for (size_t i = 0; i < array_len(cases); i++) {
		SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
		const unsigned char *protocol;
		unsigned len;
		struct peer p;

		SSL_CTX_set_security_level(ctx, 0);
		SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
		SSL_CTX_set_max_proto_version(ctx, cases[i].max_version);
		SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)cases[i].alpn, (unsigned)strlen(cases[i].alpn));
		peer_connect(&f, &p, ctx);
		run_while_not(&f.loop, peer_settled, &p);
		assert_int_equal(p.ready, cases[i].good);
		if (cases[i].good) {
			SSL_get0_alpn_selected(p.ssl, &protocol, &len);
			assert_int_equal(len, cases[i].alpn[0] ? 8 : 0);
			assert_int_equal(SSL_SESSION_has_ticket(SSL_get_session(p.ssl)), 0);
			peer_send(&p, "GET /hello HTTP/1.1\r\nHost: h\r\n\r\nGET /hello HTTP/1.1\r\nHost: h\r\n"
				      "Connection: close\r\n\r\n");
			run_until(&f.loop, &p.raw->eof);
			assert_non_null(strstr(p.text.data, "helloHTTP/1.1 200 OK"));
			assert_int_equal(p.alert, SSL_AD_CLOSE_NOTIFY);
		} else {
			run_until(&f.loop, &p.raw->eof);
			assert_false(p.raw->reset);
			assert_int_equal(p.alert, cases[i].alert);
		}
		peer_done(&p);
	}
	finish(&f);
}

struct policy_case {
	const char *min_version;
	const char *suites;
	int client_version;
	const char *cipher; /* NULL: refused */
};

/* From names separated by commas; NULL: none. */
static struct strv suites_of(const char *names)
{
	struct strv suites = { 0 };

	strv_split(&suites, names ? names : "", ',');
	return suites;
}

static void test_policies(void **state)
{
	static const struct policy_case cases[] = {
		{ NULL, NULL, TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384" },
		{ "", "", TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384" },
		{ "VersionTLS12", NULL, TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384" },
		{ "VersionTLS13", NULL, TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384" },
		{ "VersionTLS13", NULL, TLS1_2_VERSION, NULL },
		{ NULL, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256" },
		{ NULL, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", TLS1_2_VERSION,
		  "ECDHE-ECDSA-CHACHA20-POLY1305" },
		{ NULL, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", TLS1_2_VERSION, NULL }, /* the key is not RSA */
		{ NULL, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384" },
		{ NULL, "TLS_AES_128_GCM_SHA256", TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384" }, /* as in Go */
		{ NULL, "TLS_AES_128_GCM_SHA256", TLS1_2_VERSION, NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_strv suites = suites_of(cases[i].suites);
		struct http_server_options options = { .tls_min_version = cases[i].min_version,
						       .tls_cipher_suites = &suites };
		SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
		struct fixture f;
		struct peer p;

		SSL_CTX_set_max_proto_version(ctx, cases[i].client_version);
		start(&f, options);
		assert_int_equal(http_server_check_tls(&options, NULL), 0);
		peer_connect(&f, &p, ctx);
		run_while_not(&f.loop, peer_settled, &p);
		assert_int_equal(p.ready, cases[i].cipher != NULL);
		if (cases[i].cipher)
			assert_string_equal(SSL_get_cipher(p.ssl), cases[i].cipher);
		peer_done(&p);
		run_for(&f.loop, 5);
		assert_int_equal(http_server_stats(f.server)->broken_handshakes, cases[i].cipher ? 0 : 1);
		finish(&f);
	}
}

static void test_bad_policies(void **state)
{
	static const struct {
		const char *min_version;
		const char *suites;
		const char *message;
	} cases[] = {
		{ "1.2", NULL, "TLS version \"1.2\": expected VersionTLS12 or VersionTLS13" },
		{ "VersionTLS11", NULL, "TLS version \"VersionTLS11\": expected VersionTLS12 or VersionTLS13" },
		{ NULL, "TLS_AES_128_GCM_SHA256,ECDHE-RSA-AES128-SHA",
		  "TLS cipher suite \"ECDHE-RSA-AES128-SHA\" is not known" },
		{ NULL, "TLS_RSA_WITH_RC4_128_SHA", "TLS cipher suite \"TLS_RSA_WITH_RC4_128_SHA\" is not known" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_strv suites = suites_of(cases[i].suites);
		const struct http_server_options options = { .tls_min_version = cases[i].min_version,
							     .tls_cipher_suites = &suites };
		struct err err = { 0 };

		assert_int_equal(http_server_check_tls(&options, &err), -ERR_INVALID);
		assert_string_equal(err.msg, cases[i].message);
	}
}

/* Requests without a pause, most of them on a new connection. */
struct stream {
	struct fixture *fixture;
	struct http_request request;
	unsigned *answered;
	bool stop;
	bool stopped;
};

static void stream_done(void *arg, struct http_reply *reply)
{
	struct stream *s = arg;

	if (reply->err.code != ERR_NONE)
		fail_msg("%s", reply->err.msg);
	assert_int_equal(reply->status, 200);
	++*s->answered;
	s->stopped = s->stop;
	if (!s->stop)
		http_client_send(s->fixture->client, &s->request, NULL, stream_done, s);
}

struct goal {
	unsigned *answered;
	unsigned want;
};

static bool goal_reached(void *arg)
{
	struct goal *g = arg;

	return *g->answered >= g->want;
}

static void test_reloads_under_load(void **state)
{
	enum { RELOADS = 1000, STREAMS = 4 };
	struct pki ca = pki_new(NULL, "other ca", NULL), leaf = pki_new(&ca, "other", "DNS:localhost");
	struct stream streams[STREAMS];
	unsigned answered = 0;
	struct goal goal = { .answered = &answered };
	auto_free char *both = NULL, *url = NULL;
	struct fixture f;
	struct err err;

	(void)state;
	start(&f, (struct http_server_options){ .age_ms = 1 });
	both = xasprintf("%s%s", ca.cert_pem, f.ca.cert_pem);
	url = xasprintf("https://localhost:%d/hello", f.port);
	set_tls(&f, (struct http_tls){ .ca = both });
	for (size_t i = 0; i < STREAMS; i++) {
		streams[i] = (struct stream){ .fixture = &f, .answered = &answered };
		streams[i].request = (struct http_request){ .method = "GET", .url = url, .timeout_ms = 4000 };
		http_client_send(f.client, &streams[i].request, NULL, stream_done, &streams[i]);
	}
	for (size_t i = 0; i < RELOADS; i++) {
		const struct pki *next = i % 2 ? &f.leaf : &leaf;

		assert_int_equal(http_server_set_certificate(f.server, next->cert_pem, next->key_pem, &err), 0);
		goal.want = answered + 1;
		run_while_not(&f.loop, goal_reached, &goal);
	}
	for (size_t i = 0; i < STREAMS; i++)
		streams[i].stop = true;
	for (size_t i = 0; i < STREAMS; i++)
		run_until(&f.loop, &streams[i].stopped);
	assert_true(http_server_stats(f.server)->accepted > RELOADS / 10);
	assert_int_equal(http_server_stats(f.server)->broken_handshakes, 0);
	finish(&f);
	pki_done(&leaf);
	pki_done(&ca);
}

static void test_not_tls(void **state)
{
	static const char *const texts[] = { "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n", "\x16\x03\x01\xff\xff garbage",
					     "" };
	struct fixture f;

	(void)state;
	start(&f, (struct http_server_options){ .handshake_ms = 40 });
	for (size_t i = 0; i < array_len(texts); i++) {
		struct raw *r = raw_connect(&f.loop, f.port);

		if (texts[i][0])
			raw_puts(r, texts[i]);
		raw_read_all(r);
		assert_null(strstr(buf_str(&r->in), "hello"));
		raw_close(r);
	}
	finish(&f);
}

/* The alert reaches a peer that is still pushing. */
static void test_alert_survives(void **state)
{
	enum { SIZE = 4 << 20 };
	auto_free char *junk = xcalloc(1, SIZE);
	struct fixture f;
	struct raw *r;

	(void)state;
	start(&f, (struct http_server_options){ 0 });
	r = raw_connect(&f.loop, f.port);
	memset(junk, 'x', SIZE);
	memcpy(junk, "\x16\x03\x01\x00\x05", 5); /* a handshake record with no handshake message in it */
	raw_send(r, junk, SIZE);
	raw_read_all(r);
	run_while_not(&f.loop, raw_all_sent, r);
	assert_false(r->reset || r->broken);
	assert_int_equal(buf_str(&r->in)[0], 21); /* a record of type alert */
	raw_close(r);
	finish(&f);
}

static void test_renegotiation_refused(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct fixture f;
	struct peer p;

	(void)state;
	start(&f, (struct http_server_options){ 0 });
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	peer_connect(&f, &p, ctx);
	run_until(&f.loop, &p.ready);
	SSL_renegotiate(p.ssl);
	SSL_do_handshake(p.ssl);
	peer_pump(&p);
	run_while_not(&f.loop, flag_set, &p.failed);
	assert_int_equal(p.alert, SSL_AD_NO_RENEGOTIATION);
	peer_done(&p);
	finish(&f);
}

/* --- a TLS server that asks for a client certificate --- */

struct asking {
	struct fixture *f;
	uv_tcp_t listener;
	SSL_CTX *ctx;
	struct peer peers[4];
	size_t count;
};

static void asking_data(struct raw *r)
{
	struct peer *p = r->owner;

	peer_pump(p);
	if (strstr(buf_str(&p->text), "\r\n\r\n")) {
		buf_clear(&p->text);
		peer_send(p, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
	}
}

static void asking_connection(uv_stream_t *stream, int status)
{
	struct asking *a = container_of(stream, struct asking, listener);
	struct raw *r = raw_new(&a->f->loop);

	assert_int_equal(status, 0);
	assert_int_equal(uv_accept(stream, (uv_stream_t *)&r->tcp), 0);
	SSL_CTX_up_ref(a->ctx);
	peer_init(&a->peers[a->count++], r, a->ctx);
	r->on_data = asking_data;
	SSL_set_accept_state(((struct peer *)r->owner)->ssl);
	uv_read_start((uv_stream_t *)&r->tcp, raw_alloc, raw_read);
}

static void test_client_certificate(void **state)
{
	struct fixture f;
	struct asking a = { .f = &f };
	struct pki client, stranger_ca, stranger;
	struct sockaddr_in addr;
	struct result r = { 0 };
	int port;

	(void)state;
	start(&f, (struct http_server_options){ 0 });
	client = pki_new(&f.ca, "client", NULL);
	stranger_ca = pki_new(NULL, "stranger ca", NULL);
	stranger = pki_new(&stranger_ca, "stranger", NULL);
	a.ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(a.ctx, f.leaf.cert);
	SSL_CTX_use_PrivateKey(a.ctx, f.leaf.key);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(a.ctx), f.ca.cert);
	SSL_CTX_set_verify(a.ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	uv_ip4_addr("127.0.0.1", 0, &addr);
	uv_tcp_init(&f.loop.uv, &a.listener);
	assert_int_equal(uv_tcp_bind(&a.listener, (struct sockaddr *)&addr, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&a.listener, 16, asking_connection), 0);
	port = bound_port(&a.listener);

	set_tls(&f, (struct http_tls){ .ca = f.ca.cert_pem });
	fetch(&f, port, "localhost", &r);
	assert_int_equal(r.code, ERR_IO);
	result_done(&r);
	set_tls(&f, (struct http_tls){ .ca = f.ca.cert_pem, .cert = stranger.cert_pem, .key = stranger.key_pem });
	fetch(&f, port, "localhost", &r);
	assert_int_equal(r.code, ERR_IO);
	result_done(&r);
	set_tls(&f, (struct http_tls){ .ca = f.ca.cert_pem, .cert = client.cert_pem, .key = client.key_pem });
	fetch(&f, port, "localhost", &r);
	assert_int_equal(r.code, ERR_NONE);
	assert_string_equal(r.body, "hello");
	result_done(&r);
	/* the connection that was good is not taken for another certificate */
	set_tls(&f, (struct http_tls){ .ca = f.ca.cert_pem, .cert = stranger.cert_pem, .key = stranger.key_pem });
	fetch(&f, port, "localhost", &r);
	assert_int_equal(r.code, ERR_IO);
	result_done(&r);

	for (size_t i = 0; i < a.count; i++)
		peer_done(&a.peers[i]);
	uv_close((uv_handle_t *)&a.listener, NULL);
	SSL_CTX_free(a.ctx);
	finish(&f);
	pki_done(&client);
	pki_done(&stranger);
	pki_done(&stranger_ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verification),
		cmocka_unit_test(test_bad_pem),
		cmocka_unit_test(test_certificate_swap),
		cmocka_unit_test(test_large_bodies),
		cmocka_unit_test(test_connection_close_over_tls),
		cmocka_unit_test(test_handshakes),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_bad_policies),
		cmocka_unit_test(test_reloads_under_load),
		cmocka_unit_test(test_not_tls),
		cmocka_unit_test(test_alert_survives),
		cmocka_unit_test(test_renegotiation_refused),
		cmocka_unit_test(test_client_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
