/*
 * HTTP/1.1 client: libcurl's multi interface on the libuv loop.
 *
 * Async contract: done runs exactly once per http_client_send, from the loop, never inside it; http_op_cancel is
 * synchronous and silent. libcurl callbacks only append and mark; data and done are called after
 * curl_multi_socket_action has returned, so they may call any function of the client.
 *
 * HTTP/1.1 only: HTTP/2 in libcurl 7.88 can report a cut-off body as complete. Redirects are not followed. The
 * environment's proxies are not used. URLs are https, or http in tests.
 * After a TIMEOUT or IO on a connection that was used before, no connection of that time is used for a new transfer.
 * Dead peers: TCP keep-alive (15 s, 3 probes of 5 s) and TCP_USER_TIMEOUT 30 s.
 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/loop.h"

struct http_client;
struct http_op;

/* All PEM texts; any may be NULL. Copied. */
struct http_tls {
	const char *ca;	  /* trusted instead of the system's authorities; NULL: those */
	const char *cert; /* client certificate with chain */
	const char *key;
	const char *server_name; /* verified and sent as SNI instead of the URL's host */
	bool insecure;		 /* no verification */
};

struct http_client_options {
	unsigned max_connections; /* for ordinary transfers; streams have connections of their own. 0: 8 */
	const char *proxy;	  /* URL or NULL; a SOCKS5 proxy resolves names itself */
	const char *user_agent;
};

struct http_client *http_client_new(struct loop *loop, const struct http_client_options *options);
/* Applies to transfers that start afterwards. Connections with other credentials are not reused. */
int http_client_set_tls(struct http_client *c, const struct http_tls *tls, struct err *err);
/* Cancels all transfers silently and closes the client, which frees itself when the loop has run the close
 * callbacks. */
void http_client_close(struct http_client *c);

/* Whether a request may be sent. */
typedef bool http_begin_fn(void *arg);

struct http_request {
	const char *method;
	const char *url;
	const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
	const char *body;	    /* copied */
	size_t body_len;
	int64_t timeout_ms;	    /* whole transfer; 0: none (streams) */
	int64_t connect_timeout_ms; /* 0: 10 s */
	size_t max_reply_bytes;	    /* of a body that is collected; over it: ERR_TOO_LARGE. 0: 1 MiB */
	bool stream;		    /* body goes to data as it arrives, is not collected */
	bool compressed;	    /* ask for gzip; never for streams */
	/* Asked with the arg of the request when there is a connection and the request is sent next, and again if
	 * libcurl repeats it on another connection. It runs inside libcurl: it must not call the client. On false the
	 * transfer ends with CANCELED. NULL: it may always be sent. */
	http_begin_fn *begin;
};

struct http_reply {
	int status;	       /* 0 if there was none */
	struct buf body;       /* empty for streams with status 2xx; the callback may buf_take() it */
	int64_t retry_after_s; /* header Retry-After in seconds, -1 if absent or a date */
	int64_t date_ms;       /* header Date as wall time, -1 if absent */
	/* ERR_NONE if an HTTP answer arrived completely, whatever its status. Else TIMEOUT, IO, TOO_LARGE, CANCELED
	 * (by begin) or INVALID (the URL), with libcurl's words and the host, never with headers. */
	struct err err;
};

typedef void http_data_fn(void *arg, const char *data, size_t len);
typedef void http_done_fn(void *arg, struct http_reply *reply);

/* data may be NULL unless stream. A streamed answer that is not 2xx is collected like an ordinary one. */
struct http_op *http_client_send(struct http_client *c, const struct http_request *r, http_data_fn *data,
				 http_done_fn *done, void *arg);
void http_op_cancel(struct http_op *op);

#endif
