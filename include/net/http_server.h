/*
 * HTTP/1.1 server on libuv, with TLS by OpenSSL if it has a certificate. Serves health, metrics and the admission
 * webhook. It does what kube-apiserver, kubelet, Prometheus and curl need: GET, HEAD, POST with Content-Length,
 * keep-alive.
 *
 * Limits, which http_server_options can change:
 * - sizes: header 16 KiB, body 7 MiB, all bodies together 20 MiB;
 * - connections: 512, of them 64 in handshake; three quarters of all from an address that had a review (a POST)
 *   answered in the last hour; from others 64 each, and half of all together;
 * - times: handshake 3 s; header 5 s, which for strangers includes the wait for the first byte; body 4 KiB/s after a
 *   second; whole request 10 s; age of a connection 10 min; idle 100 s. Go's clients close idle connections after 90 s,
 *   and the side that closes first cannot lose a request.
 *
 * - time of handlers: 20 ms in each turn of the loop; further requests wait, and timers run in between.
 *
 * src/net/http_census.c decides which connection is closed at a limit.
 */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/loop.h"

struct http_server;

/* A text that replies share while they are sent, so that however many ask for it, it is there once. */
struct http_text;
struct http_text *http_text_take(struct buf *text); /* empties text */
const struct buf *http_text_buf(const struct http_text *t);
void http_text_unref(struct http_text *t); /* NULL is fine */

struct http_exchange { /* one request being answered; all borrowed, valid until the handler returns */
	const char *method;
	const char *path;
	const char *query;
	const char *body;
	size_t body_len;
	bool from_loopback; /* the peer's address is 127.0.0.1 or ::1 */
	/* filled by the handler */
	int status;		  /* 200 */
	const char *content_type; /* static text; "text/plain; charset=utf-8" */
	struct buf reply;	  /* at most 64 MiB; over it: 500 */
	struct http_text *shared; /* instead of reply; borrowed from the handler, the server takes a reference */
};

/* Fills status, content_type and reply before it returns: all data that a handler needs is in memory. */
typedef void http_handler_fn(void *arg, struct http_exchange *x);

struct http_route {
	const char *method; /* "GET" answers HEAD too; NULL: every method */
	const char *path;   /* exact; NULL: every path */
	bool loopback_only; /* others get 403 */
	http_handler_fn *fn;
	void *arg;
};

struct http_server_options {
	size_t max_head; /* bytes; 0 = default, so are the others */
	size_t max_body;
	size_t max_bodies;
	unsigned max_connections;
	unsigned max_per_address; /* of strangers */
	unsigned max_strangers;	  /* of all addresses together; 0: half of max_connections */
	unsigned max_handshakes;
	size_t body_rate; /* bytes a second */
	int64_t handshake_ms;
	int64_t head_ms;
	int64_t request_ms;
	int64_t idle_ms;
	int64_t age_ms; /* the next reply says Connection: close */
	/* The methods that requests may have, NULL-terminated; others get 405. NULL: GET, HEAD and POST. Borrowed for
	 * the server's life. */
	const char *const *methods;
	/* Both are borrowed for the server's life. NULL and an empty value stand for the default. */
	const char *tls_min_version; /* "VersionTLS12" (default), "VersionTLS13" */
	/* Suites of TLS 1.2 by Go's names; those of TLS 1.3 change nothing. Default: all that are safe. */
	const struct strv *tls_cipher_suites;
};

enum http_phase {
	HTTP_PHASE_HANDSHAKE,
	HTTP_PHASE_IDLE,
	HTTP_PHASE_HEAD,
	HTTP_PHASE_BODY,
	HTTP_PHASE_REPLY,
	HTTP_PHASE_COUNT
};

enum { HTTP_REFUSED_MAX = 24 };

struct http_server_stats {    /* since the start */
	uint64_t accepted;    /* connections that were let in */
	uint64_t turned_away; /* connections that were closed since there was no room */
	uint64_t evicted;     /* connections that were closed to make room for another one */
	uint64_t queued;      /* requests that waited for a turn of the loop in which handlers had time left */
	uint64_t timed_out[HTTP_PHASE_COUNT];
	uint64_t broken_handshakes;
	struct {
		int status; /* 0: this entry and those after it are not used */
		uint64_t count;
	} refused[HTTP_REFUSED_MAX]; /* requests that the server refused itself, by status */
};

/* routes: copied (the strings borrowed for the server's life). The first one that fits answers. An unknown path gets
 * 404, a known path with another method 405 with Allow. */
struct http_server *http_server_new(struct loop *loop, const struct http_route *routes, size_t count,
				    const struct http_server_options *options);
/* ERR_INVALID: a TLS version or cipher suite that is not known, which http_server_set_certificate would say later. */
int http_server_check_tls(const struct http_server_options *options, struct err *err);
/* PEM texts of certificate chain and key for connections that are accepted from now on; without a call the server
 * speaks plain HTTP. ALPN http/1.1. */
int http_server_set_certificate(struct http_server *s, const char *cert, const char *key, struct err *err);
/* "ADDRESS:PORT", ":PORT" (all addresses, IPv6 and IPv4), "[::1]:PORT"; port 0 lets the system choose. */
int http_server_listen(struct http_server *s, const char *bind_address, struct err *err);
int http_server_port(const struct http_server *s);
unsigned http_server_connections(const struct http_server *s);
const struct http_server_stats *http_server_stats(const struct http_server *s);
/* "handshake", … for labels of metrics. */
const char *http_phase_name(enum http_phase phase);
/* To be called some time before http_server_close. New connections are still accepted, but each connection closes after
 * its next answer. Idle ones stay open: a client that is writing its next request at this moment would lose it (RFC
 * 9112, 9.5). */
void http_server_fade(struct http_server *s);
/* Accepts no more connections. Idle connections are closed at once, busy ones after their answer ("Connection: close"),
 * and the rest after grace_ms. The server frees itself when all close callbacks have run. */
void http_server_close(struct http_server *s, int64_t grace_ms);

#endif
