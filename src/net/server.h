/*
 * What the server and its connections know of each other.
 */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include "base/list.h"
#include "net/http_parser.h"
#include "net/http_server.h"
#include "tls.h"

enum {
	HTTP_READ_SIZE = 64 << 10,
	HTTP_RECORD_SIZE = 16 << 10, /* plaintext of one TLS record */
};

struct http_conn;
struct http_listener;

struct http_server {
	struct loop *loop;
	struct http_route *routes;
	size_t route_count;
	struct http_server_options options; /* without zeros */
	SSL_CTX *tls;			    /* NULL: plain HTTP */
	struct http_listener *listener;	    /* NULL: none */
	bool draining;
	unsigned count;	     /* of connections not closed */
	struct list idle;    /* …by what they do, longest first: nothing */
	struct list opening; /* handshake or head */
	struct list busy;    /* with a request */
	size_t bodies;	     /* bytes of bodies announced and not yet handled */
	struct sched_timer grace;
	unsigned refs; /* the owner, the listener's handle, each connection */
	/* between two callbacks of libuv nothing is left in these */
	char received[HTTP_READ_SIZE];
	char plain[HTTP_RECORD_SIZE];
};

void http_server_unref(struct http_server *s);

/* http_conn.c */

/* Takes a connection from the listener; closes it at once if admit is false. */
void http_conn_accept(struct http_server *s, uv_stream_t *listener, bool admit);
void http_conn_close(struct http_conn *c);
struct http_conn *http_conn_of(struct list *link);
bool http_conn_is_idle(const struct http_conn *c);

/* http_answer.c: both make head and body of a reply, which are empty before. */

/* Whether the request may go on to its body: 0 or the status to refuse it with. */
int http_answer_check(const struct http_server *s, const struct http_parser *p, bool from_loopback);
/* Calls the handler. */
void http_answer_request(const struct http_server *s, const struct http_parser *p, bool from_loopback, bool keep_alive,
			 struct buf *head, struct buf *body);
/* The connection closes afterwards. why: NULL for the status' own text. */
void http_answer_refuse(const struct http_server *s, const struct http_parser *p, int status, const char *why,
			struct buf *head, struct buf *body);

#endif
