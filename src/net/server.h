/*
 * Types and functions that the server, its census and its connections share.
 */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include "base/list.h"
#include "http_parser.h"
#include "net/http_server.h"
#include "tls.h"

enum {
	HTTP_READ_SIZE = 32 << 10,
	HTTP_RECORD_SIZE = 16 << 10, /* plaintext of one TLS record */
	HTTP_ADDRESS_SIZE = 16,
	HTTP_KNOWN_MAX = 64,
};

struct http_conn;
struct http_listener;

struct http_address { /* IPv6; IPv4 as ::ffff:a.b.c.d */
	unsigned char bytes[HTTP_ADDRESS_SIZE];
};

struct http_known {
	struct http_address address;
	int64_t at_ms; /* of its last answered review */
};

struct http_text {
	unsigned refs;
	struct buf text;
};

struct http_body { /* of a reply: a text of its own or a shared one; a part of it has been sent */
	struct buf own;
	struct http_text *shared; /* NULL: own */
	size_t sent;
};

struct http_rate { /* how often something may happen in a millisecond */
	unsigned most;
	unsigned used;
	int64_t at_ms;
};

struct http_turns { /* connections that wait for a share of time, first come first served */
	struct http_server *server;
	struct http_rate rate;
	struct list queue;
	struct sched_timer timer;
	void (*fn)(struct http_conn *c);
};

struct http_handlers {	   /* requests that wait since handlers have used up their share of this turn of the loop */
	struct list queue; /* of connections */
	struct sched_timer timer;
	uint64_t turn;
	int64_t used_us; /* in that turn */
};

struct http_server {
	struct loop *loop;
	struct http_route *routes;
	size_t route_count;
	struct http_server_options options; /* without zeros */
	struct http_server_stats stats;
	SSL_CTX *tls;			/* NULL: plain HTTP */
	struct http_listener *listener; /* NULL: none */
	bool draining;
	bool fading;	   /* no connection is kept after its answer */
	unsigned count;	   /* of connections not closed */
	struct list conns; /* those that were admitted, by when they entered their state */
	size_t bodies;	   /* memory of bodies not yet handled */
	struct http_known known[HTTP_KNOWN_MAX];
	size_t known_count;
	struct http_rate accepts;
	struct sched_timer admit;
	struct http_turns hellos; /* handshakes with something to work on */
	struct http_turns bulk;	  /* reads after one that filled the buffer, requests that came early */
	struct http_handlers handlers;
	struct sched_timer grace;
	unsigned refs; /* the owner, the listener's handle, each connection */
	/* buffers of one callback of libuv; nothing is left in them for the next one */
	char received[HTTP_READ_SIZE];
	char plain[HTTP_RECORD_SIZE];
};

enum http_conn_state {
	HTTP_CONN_HANDSHAKE,
	HTTP_CONN_IDLE,
	HTTP_CONN_HEAD,
	HTTP_CONN_BODY,
	HTTP_CONN_QUEUED, /* the request is whole and waits for its handler */
	HTTP_CONN_REPLY,
	HTTP_CONN_LINGER,
	HTTP_CONN_CLOSED,
};

struct http_conn {
	struct list link; /* of the server's conns */
	struct list turn; /* of its hellos, bulk or handlers */
	struct http_server *server;
	enum http_conn_state state;
	int64_t since_ms; /* in this state */
	uv_tcp_t tcp;
	uv_shutdown_t shutdown;
	bool secure;
	struct tls_session *tls; /* NULL: plain, or nothing has come yet */
	struct http_parser parser;
	struct buf rest;  /* plaintext after the request that is being answered */
	size_t reserved;  /* of the server's bodies */
	size_t body_mark; /* of the body, when its speed was last looked at */
	int64_t born_ms;
	int64_t request_ms; /* when the first byte of the request came */
	int64_t good_ms;    /* when the last answered review was noted */
	struct http_address address;
	bool from_loopback;
	bool known;	 /* its address had reviews answered when it was accepted */
	bool good;	 /* it has had a review answered itself */
	bool answered;	 /* it has had something answered, with a status below 400 */
	bool keep_alive; /* it stays open after the reply under way */
	bool sent;	 /* all of that reply was sent at once */
	struct sched_timer deadline;
	unsigned refs;
};

void http_server_unref(struct http_server *s);
/* Calls fn when it is c's turn. If no connection waits, this is at once. */
void http_turns_take(struct http_turns *t, struct http_conn *c);
/* Whether a handler may run now. If not, http_handlers_wait calls http_conn_answer when it is c's turn. */
bool http_handlers_may_run(struct http_server *s);
void http_handlers_wait(struct http_server *s, struct http_conn *c);
/* To be called after a handler has run for so long. */
void http_handlers_used(struct http_server *s, int64_t us);

/* http_census.c */

struct http_address http_census_address(const uv_tcp_t *tcp);
/* 127.0.0.1 and ::1. The rest of 127.0.0.0/8 is not: a sidecar may deliver from it what came from outside, as Istio
 * does from 127.0.0.6. */
bool http_census_is_loopback(const struct http_address *address);
/* Whether c may stay. Another connection may be closed for it. */
bool http_census_admit(struct http_server *s, struct http_conn *c);
/* To be called when a request of c was answered with a status below 400. review: it was a POST. */
void http_census_answered(struct http_server *s, struct http_conn *c, bool review);
/* Counts the memory of c's body. Returns the connection to refuse if all bodies together are over their limit, else
 * NULL. */
struct http_conn *http_census_body(struct http_server *s, struct http_conn *c);
void http_census_body_done(struct http_server *s, struct http_conn *c);

/* http_conn.c */

/* Takes a connection from the listener. */
void http_conn_accept(struct http_server *s, uv_stream_t *listener);
/* Goes on with the handshake and the input that was received for it. */
void http_conn_greet(struct http_conn *c);
void http_conn_read_on(struct http_conn *c);
/* Answers the request of a connection that was queued. */
void http_conn_answer(struct http_conn *c);
void http_conn_close(struct http_conn *c);
/* The reply has been sent. */
void http_conn_replied(struct http_conn *c);
void http_conn_unref(struct http_conn *c);

/* http_write.c */

/* What has not been sent. */
uv_buf_t http_body_rest(const struct http_body *body);
void http_body_done(struct http_body *body);
#define auto_body __attribute__((cleanup(http_body_done))) struct http_body

/* Sends head and body and takes their contents. reply: http_conn_replied is called afterwards. */
void http_write(struct http_conn *c, struct buf *head, struct http_body *body, bool reply);
/* Returns whether the socket took all of it. If it took a part, the rest is in head and body. */
bool http_write_now(struct http_conn *c, struct buf *head, struct http_body *body);
/* Puts the ciphertext of both into head. */
void http_write_encrypt(struct http_conn *c, struct buf *head, struct http_body *body);
/* Sends what TLS writes by itself: handshake, alerts. */
void http_write_flush(struct http_conn *c);

/* http_answer.c: fills head and body of a reply, which are empty before. */

/* 0 if the body of the request may be read, else the status to refuse the request with. */
int http_answer_check(const struct http_server *s, const struct http_parser *p, bool from_loopback);
/* Calls the handler. Returns the status. */
int http_answer_request(struct http_server *s, const struct http_parser *p, bool from_loopback, bool keep_alive,
			struct buf *head, struct http_body *body);
/* The connection closes afterwards. why: NULL for the status' own text. */
void http_answer_refuse(struct http_server *s, const struct http_parser *p, int status, const char *why,
			struct buf *head, struct http_body *body);

#endif
