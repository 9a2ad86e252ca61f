/*
 * From a request to the bytes of its reply: route, handler, head. Happy path: the route's handler fills a struct
 * http_exchange; the head is written from it.
 *
 * Failure modes: no such path (404), another method (405 with Allow), a loopback-only path from elsewhere (403), a
 * reply over its limit (500). The body of these replies is one line of text, for people who use curl.
 */
#include <assert.h>

#include "base/mem.h"
#include "base/text.h"
#include "server.h"

enum {
	HEAD_MAX = 4 << 10,
	REPLY_MAX = 64 << 20,
	RETRY_AFTER_S = 1,
};

static const struct {
	int status;
	const char *text;
} reasons[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 411, "Length Required" },
	{ 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
};

static const char *reason_text(int status)
{
	for (size_t i = 0; i < array_len(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "";
}

static bool serves_method(const struct http_route *route, const char *method)
{
	return text_eq(route->method, method) || (text_eq(route->method, "GET") && text_eq(method, "HEAD"));
}

/* Returns NULL and sets *ret_status if no route may answer. */
static const struct http_route *find_route(const struct http_server *s, const struct http_parser *p, bool from_loopback,
					   int *ret_status)
{
	*ret_status = 404;
	for (size_t i = 0; i < s->route_count; i++) {
		const struct http_route *route = &s->routes[i];

		if (route->path && !text_eq(route->path, p->path))
			continue;
		*ret_status = 405;
		if (route->method && !serves_method(route, p->method))
			continue;
		*ret_status = 403;
		return route->loopback_only && !from_loopback ? NULL : route;
	}
	return NULL;
}

int http_answer_check(const struct http_server *s, const struct http_parser *p, bool from_loopback)
{
	int status;

	return find_route(s, p, from_loopback, &status) ? 0 : status;
}

/* path NULL: the method is one that no path has. */
static void add_allow(const struct http_server *s, const char *path, struct buf *head)
{
	bool get = !path, post = !path;

	for (size_t i = 0; i < s->route_count && path; i++) {
		if (!text_eq(s->routes[i].path, path))
			continue;
		get |= text_eq(s->routes[i].method, "GET");
		post |= text_eq(s->routes[i].method, "POST");
	}
	buf_printf(head, "Allow: %s%s%s\r\n", get ? "GET, HEAD" : "", get && post ? ", " : "", post ? "POST" : "");
}

static void write_head(const struct http_server *s, const struct http_parser *p, const struct http_exchange *x,
		       bool keep_alive, struct buf *head)
{
	buf_init(head, HEAD_MAX);
	buf_printf(head, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: %s\r\n", x->status,
		   reason_text(x->status), x->content_type, x->shared ? x->shared->text.len : x->reply.len,
		   keep_alive ? "keep-alive" : "close");
	if (x->status == 405)
		add_allow(s, p->path, head);
	if (x->status == 503)
		buf_printf(head, "Retry-After: %d\r\n", RETRY_AFTER_S);
	buf_puts(head, "\r\n");
	assert(!head->overflow);
}

static struct http_exchange exchange_new(int status)
{
	struct http_exchange x = { .status = status, .content_type = "text/plain; charset=utf-8" };

	buf_init(&x.reply, REPLY_MAX);
	return x;
}

static void count_refusal(struct http_server *s, int status)
{
	for (size_t i = 0; i < array_len(s->stats.refused); i++) {
		if (s->stats.refused[i].status != 0 && s->stats.refused[i].status != status)
			continue;
		s->stats.refused[i].status = status;
		s->stats.refused[i].count++;
		return;
	}
}

/* Replaces the reply by a line of text. */
static void put_text_reply(struct http_server *s, struct http_exchange *x, int status, const char *why)
{
	count_refusal(s, status);
	buf_done(&x->reply);
	*x = exchange_new(status);
	buf_printf(&x->reply, "%s\n", why ? why : reason_text(status));
}

int http_answer_request(struct http_server *s, const struct http_parser *p, bool from_loopback, bool keep_alive,
			struct buf *head, struct http_body *body)
{
	struct http_exchange x = exchange_new(200);
	const struct http_route *route;
	int status;

	x.method = p->method;
	x.path = p->path;
	x.query = p->query;
	x.body = buf_str(&p->body);
	x.body_len = p->body.len;
	x.from_loopback = from_loopback;
	route = find_route(s, p, from_loopback, &status);
	if (route)
		route->fn(route->arg, &x);
	else
		put_text_reply(s, &x, status, NULL);
	assert(x.status >= 200 && x.status <= 599);
	if (x.reply.overflow)
		put_text_reply(s, &x, 500, "the reply is over its size limit");
	write_head(s, p, &x, keep_alive, head);
	if (text_eq(p->method, "HEAD") || x.shared)
		buf_done(&x.reply);
	body->own = x.reply;
	if (x.shared && !text_eq(p->method, "HEAD")) {
		body->shared = x.shared;
		body->shared->refs++;
	}
	return x.status;
}

void http_answer_refuse(struct http_server *s, const struct http_parser *p, int status, const char *why,
			struct buf *head, struct http_body *body)
{
	struct http_exchange x = exchange_new(status);

	put_text_reply(s, &x, status, why);
	write_head(s, p, &x, false, head);
	body->own = x.reply;
}

struct http_text *http_text_take(struct buf *text)
{
	struct http_text *t = xcalloc(1, sizeof(*t));

	t->refs = 1;
	t->text = *text;
	*text = (struct buf){ 0 };
	return t;
}

const struct buf *http_text_buf(const struct http_text *t)
{
	return &t->text;
}

void http_text_unref(struct http_text *t)
{
	if (!t || --t->refs > 0)
		return;
	buf_done(&t->text);
	free(t);
}

const char *http_phase_name(enum http_phase phase)
{
	static const char *const names[] = {
		[HTTP_PHASE_HANDSHAKE] = "handshake", [HTTP_PHASE_IDLE] = "idle",   [HTTP_PHASE_HEAD] = "head",
		[HTTP_PHASE_BODY] = "body",	      [HTTP_PHASE_REPLY] = "reply",
	};

	return names[phase];
}
