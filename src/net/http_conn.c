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
#include <string.h>

#include "base/mem.h"
#include "internal.h"
#include "server.h"

enum {
	LINGER_MS = 1000,
	BODY_WINDOW_MS = 1000, /* in which a body's speed is measured */
};

void http_conn_unref(struct http_conn *c)
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
	http_conn_unref(container_of(handle, struct http_conn, tcp));
}

void http_conn_close(struct http_conn *c)
{
	if (c->state == HTTP_CONN_CLOSED)
		return;
	c->state = HTTP_CONN_CLOSED;
	c->server->count--;
	http_census_body_done(c->server, c);
	list_remove(&c->link);
	list_remove(&c->turn);
	sched_disarm(&c->server->loop->sched, &c->deadline);
	uv_close((uv_handle_t *)&c->tcp, on_closed);
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

static int64_t time_for(const struct http_conn *c, enum http_conn_state state)
{
	const struct http_server_options *o = &c->server->options;

	switch (state) {
	case HTTP_CONN_HANDSHAKE:
		return o->handshake_ms;
	case HTTP_CONN_IDLE:
		return c->good || c->known ? o->idle_ms : min(o->idle_ms, o->head_ms);
	case HTTP_CONN_HEAD:
		return min(o->head_ms, o->request_ms);
	case HTTP_CONN_BODY:
		return min(c->request_ms + o->request_ms - now(c), BODY_WINDOW_MS);
	case HTTP_CONN_LINGER:
		return LINGER_MS;
	default:
		return o->request_ms;
	}
}

/* Puts the connection at the end of the list and arms the deadline of the state. */
static void enter(struct http_conn *c, enum http_conn_state state)
{
	struct http_server *s = c->server;

	assert(c->state != HTTP_CONN_CLOSED && state != HTTP_CONN_CLOSED);
	c->state = state;
	c->since_ms = now(c);
	list_remove(&c->link);
	list_append(&s->conns, &c->link);
	sched_arm(&s->loop->sched, &c->deadline, time_for(c, state));
}

static bool reading(const struct http_conn *c)
{
	return c->state == HTTP_CONN_IDLE || c->state == HTTP_CONN_HEAD || c->state == HTTP_CONN_BODY;
}

static bool takes_input(const struct http_conn *c)
{
	return reading(c) || c->state == HTTP_CONN_LINGER;
}

/* --- sending --- */

static void resume(struct http_conn *c);
static void linger(struct http_conn *c);

void http_conn_replied(struct http_conn *c)
{
	if (c->state != HTTP_CONN_REPLY)
		return;
	c->sent = false;
	if (c->keep_alive)
		resume(c);
	else
		linger(c);
}

/* To be called when nobody up the stack holds input of c any more. */
static void settle(struct http_conn *c)
{
	if (c->sent)
		http_conn_replied(c);
}

/* Without a wait if the socket has room, which it mostly has; then the caller's settle goes on. */
static void send_reply(struct http_conn *c, struct buf *head, struct buf *body)
{
	enter(c, HTTP_CONN_REPLY);
	if (c->secure)
		http_write_encrypt(c, head, body);
	if (c->state != HTTP_CONN_REPLY)
		return;
	c->sent = http_write_now(c, head, body);
	if (c->sent)
		return;
	uv_read_stop((uv_stream_t *)&c->tcp);
	http_write(c, head, body, true);
}

static void send_continue(struct http_conn *c)
{
	auto_buf head = { .max = HTTP_READ_SIZE }, none = { 0 };

	buf_puts(&head, "HTTP/1.1 100 Continue\r\n\r\n");
	if (!c->secure)
		http_write(c, &head, &none, false);
	else
		tls_session_write(c->tls, head.data, head.len); /* pump() flushes */
}

/* --- requests --- */

static void refuse(struct http_conn *c, int status, const char *why)
{
	auto_buf head = { 0 }, body = { 0 };

	c->keep_alive = false;
	http_census_body_done(c->server, c);
	http_answer_refuse(c->server, &c->parser, status, why, &head, &body);
	buf_done(&c->parser.body); /* megabytes, and it lingers */
	send_reply(c, &head, &body);
}

static void answer(struct http_conn *c)
{
	auto_buf head = { 0 }, body = { 0 };
	int status;

	c->keep_alive = c->parser.keep_alive && !c->server->draining && !c->server->fading && !too_old(c);
	status = http_answer_request(c->server, &c->parser, c->from_loopback, c->keep_alive, &head, &body);
	http_census_body_done(c->server, c);
	if (status < 400)
		http_census_good(c->server, c);
	http_parser_reset(&c->parser);
	send_reply(c, &head, &body);
}

static void count_body(struct http_conn *c)
{
	struct http_conn *victim = http_census_body(c->server, c);

	if (!victim)
		return;
	refuse(victim, 503, "too many requests at once");
	if (victim != c)
		settle(victim);
}

/* The head is there and more of the body has to come. */
static void begin_body(struct http_conn *c)
{
	int status = http_answer_check(c->server, &c->parser, c->from_loopback);

	if (status != 0) {
		refuse(c, status, NULL);
		return;
	}
	c->body_mark = c->parser.body.len;
	enter(c, HTTP_CONN_BODY);
	if (c->parser.expect_continue && c->parser.body.len == 0)
		send_continue(c);
}

static void take_input(struct http_conn *c, const char *data, size_t len)
{
	while (len > 0 && reading(c)) {
		size_t used;

		if (c->state == HTTP_CONN_IDLE) {
			c->request_ms = now(c);
			enter(c, HTTP_CONN_HEAD);
		}
		used = http_parser_feed(&c->parser, data, len);
		data += used;
		len -= used;
		if (c->parser.state == HTTP_PARSER_ERROR)
			refuse(c, c->parser.status, c->parser.why);
		else if (c->parser.state == HTTP_PARSER_DONE)
			answer(c);
		else if (c->parser.state == HTTP_PARSER_BODY && c->state == HTTP_CONN_HEAD)
			begin_body(c);
		if (c->state == HTTP_CONN_BODY)
			count_body(c);
	}
	if (c->state == HTTP_CONN_REPLY && c->keep_alive)
		buf_add(&c->rest, data, len);
}

/* Moves what TLS has decrypted on, until it wants more or a reply is to be written. */
static void pump(struct http_conn *c)
{
	struct http_server *s = c->server;
	bool greeting = c->state == HTTP_CONN_HANDSHAKE;
	int n = 1;

	while (n > 0 && (reading(c) || c->state == HTTP_CONN_HANDSHAKE)) {
		n = tls_session_read(c->tls, s->plain, sizeof(s->plain));
		if (c->state == HTTP_CONN_HANDSHAKE && tls_session_ready(c->tls))
			enter(c, HTTP_CONN_IDLE);
		if (n > 0)
			take_input(c, s->plain, (size_t)n);
	}
	http_write_flush(c);
	if (n >= 0 || c->state == HTTP_CONN_CLOSED)
		return;
	c->server->stats.broken_handshakes += greeting;
	linger(c);
}

/* --- receiving --- */

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct http_conn *c = container_of(handle, struct http_conn, tcp);

	(void)size;
	*buf = uv_buf_init(c->server->received, sizeof(c->server->received));
}

static void on_ciphertext(struct http_conn *c, const char *data, size_t len)
{
	if (!c->tls)
		c->tls = tls_session_new(c->server->tls);
	tls_session_feed(c->tls, data, len);
	if (c->state != HTTP_CONN_HANDSHAKE) {
		pump(c);
		return;
	}
	uv_read_stop((uv_stream_t *)&c->tcp);
	http_turns_take(&c->server->hellos, c);
	if (!list_empty(&c->turn)) /* it waits */
		http_write_flush(c);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct http_conn *c = container_of(stream, struct http_conn, tcp);

	loop_touch(c->server->loop);
	if (n < 0) {
		http_conn_close(c);
		return;
	}
	if (n > 0 && c->state != HTTP_CONN_LINGER) {
		if (c->secure)
			on_ciphertext(c, buf->base, (size_t)n);
		else
			take_input(c, buf->base, (size_t)n);
		settle(c);
	}
	if ((size_t)n < sizeof(c->server->received) || !takes_input(c))
		return;
	uv_read_stop(stream);
	http_turns_take(&c->server->bulk, c);
}

void http_conn_greet(struct http_conn *c)
{
	uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
	pump(c);
	settle(c);
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
	(void)status;
	http_conn_unref(container_of(req, struct http_conn, shutdown));
}

static void linger(struct http_conn *c)
{
	enter(c, HTTP_CONN_LINGER);
	c->refs++;
	if (uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, on_shutdown) < 0) {
		c->refs--;
		http_conn_close(c);
		return;
	}
	uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

/* What came before, then on with reading. */
static void go_on(struct http_conn *c)
{
	auto_buf rest = c->rest;

	buf_init(&c->rest, HTTP_READ_SIZE);
	take_input(c, rest.data, rest.len);
	if (c->secure)
		pump(c);
	settle(c);
	if (reading(c) && list_empty(&c->turn))
		uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

void http_conn_read_on(struct http_conn *c)
{
	if (reading(c))
		go_on(c);
	else if (c->state == HTTP_CONN_LINGER)
		uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

/* After a reply. Who sends requests without waiting for replies gets in line with them. */
static void resume(struct http_conn *c)
{
	bool more = c->rest.len > 0 || (c->secure && tls_session_has_input(c->tls));

	enter(c, HTTP_CONN_IDLE);
	if (more) {
		uv_read_stop((uv_stream_t *)&c->tcp);
		http_turns_take(&c->server->bulk, c);
	} else if (c->server->draining) {
		http_conn_close(c);
	} else {
		uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
	}
}

/* Looks at the body after each window; the first one is free. */
static bool body_too_slow(struct http_conn *c)
{
	const struct http_server_options *o = &c->server->options;
	size_t got = c->parser.body.len - c->body_mark;

	if (now(c) - c->request_ms >= o->request_ms)
		return true;
	if (now(c) - c->since_ms >= 2 * BODY_WINDOW_MS && got < o->body_rate * BODY_WINDOW_MS / 1000)
		return true;
	c->body_mark = c->parser.body.len;
	sched_arm(&c->server->loop->sched, &c->deadline, time_for(c, HTTP_CONN_BODY));
	return false;
}

static void on_deadline(void *arg)
{
	static const enum http_phase phases[] = {
		[HTTP_CONN_HANDSHAKE] = HTTP_PHASE_HANDSHAKE, [HTTP_CONN_IDLE] = HTTP_PHASE_IDLE,
		[HTTP_CONN_HEAD] = HTTP_PHASE_HEAD,	      [HTTP_CONN_BODY] = HTTP_PHASE_BODY,
		[HTTP_CONN_REPLY] = HTTP_PHASE_REPLY,	      [HTTP_CONN_LINGER] = HTTP_PHASE_COUNT,
	};
	struct http_conn *c = arg;
	enum http_phase phase = phases[c->state];

	if (phase == HTTP_PHASE_BODY && !body_too_slow(c))
		return;
	if (phase != HTTP_PHASE_COUNT)
		c->server->stats.timed_out[phase]++;
	if (phase == HTTP_PHASE_HEAD || phase == HTTP_PHASE_BODY)
		refuse(c, 408, "the request took too long");
	else
		http_conn_close(c);
	settle(c);
}

static struct http_conn *conn_new(struct http_server *s)
{
	struct http_conn *c = xcalloc(1, sizeof(*c));

	c->server = s;
	c->secure = s->tls != NULL;
	c->refs = 1;
	c->born_ms = sched_now(&s->loop->sched);
	list_init(&c->link);
	list_init(&c->turn);
	buf_init(&c->rest, HTTP_READ_SIZE);
	http_parser_init(&c->parser, s->options.max_head, s->options.max_body);
	sched_timer_init(&c->deadline, on_deadline, c);
	s->refs++;
	s->count++;
	uv_tcp_init(&s->loop->uv, &c->tcp);
	return c;
}

void http_conn_accept(struct http_server *s, uv_stream_t *listener)
{
	struct http_conn *c = conn_new(s);

	if (uv_accept(listener, (uv_stream_t *)&c->tcp) < 0) {
		http_conn_close(c);
		return;
	}
	c->address = http_census_address(&c->tcp);
	c->from_loopback = http_census_is_loopback(&c->address);
	if (!http_census_admit(s, c)) {
		s->stats.turned_away++;
		http_conn_close(c);
		return;
	}
	s->stats.accepted++;
	enter(c, c->secure ? HTTP_CONN_HANDSHAKE : HTTP_CONN_IDLE);
	uv_tcp_nodelay(&c->tcp, 1);
	if (uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0)
		http_conn_close(c);
}
