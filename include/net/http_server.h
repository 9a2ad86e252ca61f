/*
 * HTTP/1.1 server on libuv, with TLS by OpenSSL when a certificate is given. Serves health, metrics and the
 * admission webhook. Only what kube-apiserver, kubelet, Prometheus and curl need: GET, HEAD, POST with Content-Length, keep-alive.
 *
 * Limits (all configurable in http_server_options): header 16 KiB, body 7 MiB, all bodies together 64 MiB, connections 512 (the
 * oldest idle one makes room), handshake 3 s, header 5 s, whole request 10 s, idle 90 s, connection age 10 min.
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

struct http_exchange { /* one request being answered; all borrowed, valid until the handler returns */
	const char *method;
	const char *path;
	const char *query;
	const char *body;
	size_t body_len;
	bool from_loopback; /* the peer's address is 127.0.0.0/8 or ::1 */
	/* filled by the handler */
	int status;		  /* 200 */
	const char *content_type; /* static text; "text/plain; charset=utf-8" */
	struct buf reply;	  /* at most 64 MiB; over it: 500 */
};

/* Fills status, content_type and reply. Synchronous: what a handler needs is in memory. */
typedef void http_handler_fn(void *arg, struct http_exchange *x);

struct http_route {
	const char *method; /* "GET" answers HEAD too */
	const char *path;   /* exact */
	bool loopback_only; /* others get 403 */
	http_handler_fn *fn;
	void *arg;
};

struct http_server_options {
	size_t max_head; /* bytes; 0 = default, so are the others */
	size_t max_body;
	size_t max_bodies;
	unsigned max_connections;
	int64_t handshake_ms;
	int64_t head_ms;
	int64_t request_ms;
	int64_t idle_ms;
	int64_t age_ms;
};

/* routes: copied (the strings borrowed for the server's life); an unknown path gets 404, a known path with another
 * method 405 with Allow. */
struct http_server *http_server_new(struct loop *loop, const struct http_route *routes, size_t count,
				    const struct http_server_options *options);
/* PEM texts of certificate chain and key for connections that are accepted from now on; without a call the server
 * speaks plain HTTP. TLS 1.2 and later, ALPN http/1.1. */
int http_server_set_certificate(struct http_server *s, const char *cert, const char *key, struct err *err);
/* "ADDRESS:PORT", ":PORT" (all addresses, IPv6 and IPv4), "[::1]:PORT"; port 0 lets the system choose. */
int http_server_listen(struct http_server *s, const char *bind_address, struct err *err);
int http_server_port(const struct http_server *s);
unsigned http_server_connections(const struct http_server *s);
/* No new connections; idle ones close, busy ones after their answer ("Connection: close"); after grace_ms the rest
 * is cut. Frees itself when all close callbacks have run. */
void http_server_close(struct http_server *s, int64_t grace_ms);

#endif
