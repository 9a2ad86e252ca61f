/*
 * One connection of the server. Happy path: (handshake) → idle → head → body → reply → idle. Bytes arrive in on_read,
 * TLS makes plaintext of them, take_input feeds it to the parser. While a reply is being written nothing is read:
 * what had come already waits in `rest`, what comes meanwhile in the kernel. So requests are handled one after
 * another and a client that does not read is not served.
 *
 * A connection that is to end gets its reply, then FIN, and what still comes is thrown away for a moment (linger):
 * closing with unread input would send a reset that destroys the reply.
 *
 * Failure modes: every state has a deadline; bad requests are answered and the connection ends; a broken TLS session
 * or socket ends it without a word. refs counts the handle and every libuv request under way; the last one frees.
 */
#include <assert.h>
#include <netinet/in.h>
#include <string.h>

#include "base/mem.h"
#include "internal.h"
#include "server.h"

enum {
	LINGER_MS = 1000,
	QUEUE_MAX = 256 << 10, /* of bytes to be sent while reading: handshake, alerts */
	CIPHER_MAX = 128 << 20,
};

enum conn_state { CONN_HANDSHAKE, CONN_IDLE, CONN_HEAD, CONN_BODY, CONN_REPLY, CONN_LINGER, CONN_CLOSED };

struct http_conn {
	struct list link; /* of the server: idle, opening or busy */
	struct http_server *server;
	enum conn_state state;
	uv_tcp_t tcp;
	uv_shutdown_t shutdown;
	struct tls_session *tls; /* NULL: plain */
	struct http_parser parser;
	struct buf rest; /* plaintext after the request that is being answered */
	size_t reserved; /* of the server's bodies */
	int64_t born_ms;
	int64_t request_ms; /* when the first byte of the request came */
	bool keep_alive;    /* after the reply under way */
	bool from_loopback;
	struct sched_timer deadline;
	unsigned refs;
};

struct conn_write {
	uv_write_t req;
	struct http_conn *conn;
	struct buf head;
	struct buf body;
	bool reply;
};

static void unref(struct http_conn *c)
{
	struct http_server *s = c->server;

	assert(c->refs > 0);
	if (--c->refs > 0)
		return;
	tls_session_free(c->tls);
	http_parser_done(&c->parser);
	buf_done(&c->rest);
	free(c);
	http_server_unref(s);
}

static void on_closed(uv_handle_t *handle)
{
	unref(container_of(handle, struct http_conn, tcp));
}

static void release_body(struct http_conn *c)
{
	c->server->bodies -= c->reserved;
	c->reserved = 0;
}

void http_conn_close(struct http_conn *c)
{
	if (c->state == CONN_CLOSED)
		return;
	c->state = CONN_CLOSED;
	c->server->count--;
	release_body(c);
	list_remove(&c->link);
	sched_disarm(&c->server->loop->sched, &c->deadline);
	uv_close((uv_handle_t *)&c->tcp, on_closed);
}

struct http_conn *http_conn_of(struct list *link)
{
	return container_of(link, struct http_conn, link);
}

bool http_conn_is_idle(const struct http_conn *c)
{
	return c->state == CONN_IDLE;
}

static int64_t now(const struct http_conn *c)
{
	return sched_now(&c->server->loop->sched);
}

static bool too_old(const struct http_conn *c)
{
	return now(c) - c->born_ms >= c->server->options.age_ms;
}

static int64_t min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Puts the connection at the end of its list and arms the deadline of the state. */
static void enter(struct http_conn *c, enum conn_state state)
{
	struct http_server *s = c->server;
	const struct http_server_options *o = &s->options;
	struct list *list = &s->busy;
	int64_t delay_ms = o->request_ms;

	assert(c->state != CONN_CLOSED && state != CONN_CLOSED);
	if (state == CONN_IDLE || state == CONN_LINGER)
		list = &s->idle;
	else if (state == CONN_HANDSHAKE || state == CONN_HEAD)
		list = &s->opening;
	if (state == CONN_HANDSHAKE)
		delay_ms = o->handshake_ms;
	else if (state == CONN_IDLE)
		delay_ms = min(o->idle_ms, c->born_ms + o->age_ms - now(c));
	else if (state == CONN_HEAD)
		delay_ms = min(o->head_ms, o->request_ms);
	else if (state == CONN_BODY)
		delay_ms = c->request_ms + o->request_ms - now(c);
	else if (state == CONN_LINGER)
		delay_ms = LINGER_MS;
	c->state = state;
	list_remove(&c->link);
	list_append(list, &c->link);
	sched_arm(&s->loop->sched, &c->deadline, delay_ms);
}

static bool reading(const struct http_conn *c)
{
	return c->state == CONN_IDLE || c->state == CONN_HEAD || c->state == CONN_BODY;
}

/* --- sending --- */

static void resume(struct http_conn *c);
static void linger(struct http_conn *c);

static void on_written(uv_write_t *req, int status)
{
	struct conn_write *w = container_of(req, struct conn_write, req);
	struct http_conn *c = w->conn;
	bool reply = w->reply;

	buf_done(&w->head);
	buf_done(&w->body);
	free(w);
	loop_touch(c->server->loop);
	if (status < 0)
		http_conn_close(c);
	else if (reply && c->state == CONN_REPLY && c->keep_alive)
		resume(c);
	else if (reply && c->state == CONN_REPLY)
		linger(c);
	unref(c);
}

/* Takes the content of head and body. */
static void write_out(struct http_conn *c, struct buf *head, struct buf *body, bool reply)
{
	struct conn_write *w = xcalloc(1, sizeof(*w));
	uv_buf_t bufs[2];
	int rc;

	w->conn = c;
	w->reply = reply;
	w->head = *head;
	w->body = *body;
	*head = (struct buf){ 0 };
	*body = (struct buf){ 0 };
	bufs[0] = uv_buf_init(w->head.data, (unsigned)w->head.len);
	bufs[1] = uv_buf_init(w->body.data, (unsigned)w->body.len);
	c->refs++;
	rc = uv_write(&w->req, (uv_stream_t *)&c->tcp, bufs, w->body.len > 0 ? 2 : 1, on_written);
	if (rc < 0)
		on_written(&w->req, rc);
}

/* Sends what TLS has to say by itself. */
static void flush(struct http_conn *c)
{
	auto_buf cipher = { .max = CIPHER_MAX };
	auto_buf none = { 0 };

	if (c->state == CONN_CLOSED)
		return;
	tls_session_output(c->tls, &cipher);
	if (cipher.len > 0)
		write_out(c, &cipher, &none, false);
	if (uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp) > QUEUE_MAX && c->state != CONN_REPLY)
		http_conn_close(c);
}

static void encrypt(struct http_conn *c, struct buf *head, struct buf *body)
{
	auto_buf cipher = { .max = CIPHER_MAX };
	bool ok = tls_session_write(c->tls, head->data, head->len) && tls_session_write(c->tls, body->data, body->len);

	if (!c->keep_alive)
		tls_session_shutdown(c->tls);
	tls_session_output(c->tls, &cipher);
	buf_done(head);
	buf_done(body);
	if (!ok || cipher.len == 0) {
		http_conn_close(c);
		return;
	}
	*head = cipher;
	cipher = (struct buf){ 0 };
}

static void send_reply(struct http_conn *c, struct buf *head, struct buf *body)
{
	uv_read_stop((uv_stream_t *)&c->tcp);
	enter(c, CONN_REPLY);
	if (c->tls)
		encrypt(c, head, body);
	if (c->state == CONN_REPLY)
		write_out(c, head, body, true);
}

static void send_continue(struct http_conn *c)
{
	auto_buf head = { .max = HTTP_READ_SIZE }, none = { 0 };

	buf_puts(&head, "HTTP/1.1 100 Continue\r\n\r\n");
	if (!c->tls)
		write_out(c, &head, &none, false);
	else
		tls_session_write(c->tls, head.data, head.len); /* pump() flushes */
}

/* --- requests --- */

static void refuse(struct http_conn *c, int status, const char *why)
{
	auto_buf head = { 0 }, body = { 0 };

	c->keep_alive = false;
	release_body(c);
	http_answer_refuse(c->server, &c->parser, status, why, &head, &body);
	send_reply(c, &head, &body);
}

static void answer(struct http_conn *c)
{
	auto_buf head = { 0 }, body = { 0 };

	c->keep_alive = c->parser.keep_alive && !c->server->draining && !too_old(c);
	http_answer_request(c->server, &c->parser, c->from_loopback, c->keep_alive, &head, &body);
	release_body(c);
	http_parser_reset(&c->parser);
	send_reply(c, &head, &body);
}

/* The head is there and more of the body has to come. */
static void begin_body(struct http_conn *c)
{
	struct http_server *s = c->server;
	int status = http_answer_check(s, &c->parser, c->from_loopback);

	if (status != 0) {
		refuse(c, status, NULL);
		return;
	}
	if (c->parser.body_len > s->options.max_bodies - s->bodies) {
		refuse(c, 503, "too many requests at once");
		return;
	}
	c->reserved = c->parser.body_len;
	s->bodies += c->reserved;
	enter(c, CONN_BODY);
	if (c->parser.expect_continue && c->parser.body.len == 0)
		send_continue(c);
}

static void take_input(struct http_conn *c, const char *data, size_t len)
{
	while (len > 0 && reading(c)) {
		size_t used;

		if (c->state == CONN_IDLE) {
			c->request_ms = now(c);
			enter(c, CONN_HEAD);
		}
		used = http_parser_feed(&c->parser, data, len);
		data += used;
		len -= used;
		if (c->parser.state == HTTP_PARSER_ERROR)
			refuse(c, c->parser.status, c->parser.why);
		else if (c->parser.state == HTTP_PARSER_DONE)
			answer(c);
		else if (c->parser.state == HTTP_PARSER_BODY && c->state == CONN_HEAD)
			begin_body(c);
	}
	if (c->state == CONN_REPLY && c->keep_alive)
		buf_add(&c->rest, data, len);
}

/* Moves what TLS has decrypted on, until it wants more or a reply is to be written. */
static void pump(struct http_conn *c)
{
	struct http_server *s = c->server;
	int n = 1;

	while (n > 0 && (reading(c) || c->state == CONN_HANDSHAKE)) {
		n = tls_session_read(c->tls, s->plain, sizeof(s->plain));
		if (c->state == CONN_HANDSHAKE && tls_session_ready(c->tls))
			enter(c, CONN_IDLE);
		if (n > 0)
			take_input(c, s->plain, (size_t)n);
	}
	flush(c);
	if (n < 0 && c->state != CONN_CLOSED)
		linger(c);
}

/* --- receiving --- */

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct http_conn *c = container_of(handle, struct http_conn, tcp);

	(void)size;
	*buf = uv_buf_init(c->server->received, sizeof(c->server->received));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct http_conn *c = container_of(stream, struct http_conn, tcp);

	loop_touch(c->server->loop);
	if (n < 0) {
		http_conn_close(c);
		return;
	}
	if (n == 0 || c->state == CONN_LINGER)
		return;
	if (!c->tls) {
		take_input(c, buf->base, (size_t)n);
		return;
	}
	tls_session_feed(c->tls, buf->base, (size_t)n);
	pump(c);
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
	(void)status;
	unref(container_of(req, struct http_conn, shutdown));
}

static void linger(struct http_conn *c)
{
	enter(c, CONN_LINGER);
	c->refs++;
	if (uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, on_shutdown) < 0) {
		c->refs--;
		http_conn_close(c);
		return;
	}
	uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

/* After a reply: what came meanwhile, then on with reading. */
static void resume(struct http_conn *c)
{
	auto_buf rest = c->rest;

	buf_init(&c->rest, HTTP_READ_SIZE);
	enter(c, CONN_IDLE);
	take_input(c, rest.data, rest.len);
	if (c->tls)
		pump(c);
	if (c->server->draining && c->state == CONN_IDLE)
		http_conn_close(c);
	if (reading(c))
		uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

static void on_deadline(void *arg)
{
	struct http_conn *c = arg;

	if (c->state == CONN_HEAD || c->state == CONN_BODY)
		refuse(c, 408, "the request took too long");
	else
		http_conn_close(c);
}

static bool is_loopback(const struct sockaddr_storage *addr)
{
	static const unsigned char mapped[] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127
	}; /* ::ffff:127.0.0.0/104 */
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (addr->ss_family == AF_INET) {
		memcpy(&in, addr, sizeof(in));
		return ntohl(in.sin_addr.s_addr) >> 24 == 127;
	}
	memcpy(&in6, addr, sizeof(in6));
	return addr->ss_family == AF_INET6 &&
	       (IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr) || memcmp(&in6.sin6_addr, mapped, sizeof(mapped)) == 0);
}

void http_conn_accept(struct http_server *s, uv_stream_t *listener, bool admit)
{
	struct http_conn *c = xcalloc(1, sizeof(*c));
	struct sockaddr_storage peer = { 0 };
	int len = sizeof(peer);

	c->server = s;
	c->refs = 1;
	c->born_ms = sched_now(&s->loop->sched);
	list_init(&c->link);
	buf_init(&c->rest, HTTP_READ_SIZE);
	http_parser_init(&c->parser, s->options.max_head, s->options.max_body);
	sched_timer_init(&c->deadline, on_deadline, c);
	s->refs++;
	s->count++;
	uv_tcp_init(&s->loop->uv, &c->tcp);
	enter(c, s->tls ? CONN_HANDSHAKE : CONN_IDLE);
	if (uv_accept(listener, (uv_stream_t *)&c->tcp) < 0 || !admit) {
		http_conn_close(c);
		return;
	}
	if (s->tls)
		c->tls = tls_session_new(s->tls);
	uv_tcp_nodelay(&c->tcp, 1);
	c->from_loopback = uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&peer, &len) == 0 && is_loopback(&peer);
	if (uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0)
		http_conn_close(c);
}
