/*
 * One transfer as libcurl sees it: the easy handle with all its options, what its callbacks collect, and the reply
 * made of it.
 */
#ifndef NET_HTTP_TRANSFER_H
#define NET_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "net/http_client.h"

enum { HTTP_CHUNK_MAX = 1 << 20 }; /* bytes of a stream collected before libcurl is told to pause */

/* Credentials and defaults of a client; its own copies. */
struct http_profile {
	char *ca;
	char *cert;
	char *key;
	char *server_name;
	bool insecure;
	char *proxy;
	char *user_agent;
};

struct http_transfer {
	CURL *easy;
	char *peer; /* "host:port", for messages */
	char *body;
	struct curl_slist *headers;
	struct curl_slist *connect_to;
	bool stream;
	http_begin_fn *begin; /* or NULL */
	void *begin_arg;
	bool refused; /* by begin */
	bool begun;   /* there was a connection, and libcurl has sent the request or is about to */
	bool paused;
	bool too_large;
	bool no_file;	  /* there was no file descriptor for a connection */
	struct buf chunk; /* of a stream: arrived, not yet delivered */
	struct http_reply reply;
	void (*arrived)(struct http_transfer *t); /* chunk has grown; called from inside libcurl */
	char error[CURL_ERROR_SIZE];
};

/* CURLOPT_PRIVATE is t. ERR_INVALID: the URL or a header cannot be used; t must be done all the same. */
int http_transfer_init(struct http_transfer *t, const struct http_request *r, const struct http_profile *profile,
		       struct err *err);
/* The easy handle must not be in a multi handle any more. */
void http_transfer_done(struct http_transfer *t);
/* Makes the reply final. */
void http_transfer_finish(struct http_transfer *t, CURLcode code);
void http_transfer_fail(struct http_transfer *t, enum err_code code, const char *why);

/* Whether it was sent on a connection that a transfer before it had used. */
bool http_transfer_reused(const struct http_transfer *t);

#endif
