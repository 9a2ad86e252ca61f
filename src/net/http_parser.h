/*
 * HTTP/1.1 request parser: a pure stepper. It takes bytes and gives at most one request at a time. It allocates only
 * two buffers, which have limits.
 *
 * It is strict on purpose (RFC 9112 without its tolerances), since it is safer to reject a byte than to tolerate it.
 * Rejected are bare LF, obs-fold, NUL and control bytes, white space before the colon, Transfer-Encoding of any kind
 * (501), more than one Content-Length, a Content-Length that is not all digits, bodies of GET and HEAD, requests
 * without Host (1.1) or with two, methods that are not in the parser's set (405), versions other than 1.0 and 1.1
 * (505), targets that do not begin with '/'.
 */
#ifndef NET_HTTP_PARSER_H
#define NET_HTTP_PARSER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum http_parser_state { HTTP_PARSER_HEAD = 0, HTTP_PARSER_BODY, HTTP_PARSER_DONE, HTTP_PARSER_ERROR };

struct http_parser {
	enum http_parser_state state;
	const char *const *methods;
	struct buf head; /* request line and header lines as received */
	struct buf body;
	size_t body_len; /* announced */
	size_t scanned;	 /* bytes of head known not to end it */
	int status;	 /* HTTP_PARSER_ERROR: the status to answer with */
	const char *why; /* …and a static text */
	/* valid in BODY and DONE; pointers into head, which is cut into strings */
	const char *method;
	const char *path;  /* without the query; not decoded */
	const char *query; /* "" if none */
	bool keep_alive;
	bool expect_continue;
};

/* methods: a NULL-terminated list, borrowed; NULL: GET, HEAD and POST. GET and HEAD have no body, DELETE may have one,
 * and all others need a Content-Length. */
void http_parser_init(struct http_parser *p, size_t max_head, size_t max_body, const char *const *methods);
void http_parser_done(struct http_parser *p);
/* Consumes up to the end of one request; returns the number of bytes consumed (all unless DONE or ERROR). */
size_t http_parser_feed(struct http_parser *p, const char *data, size_t len);
/* After DONE: ready for the next request on the connection. */
void http_parser_reset(struct http_parser *p);
/* Header value by name (any case); NULL if absent. */
const char *http_parser_header(const struct http_parser *p, const char *name);

#endif
