/*
 * One connection of the server. Happy path: (handshake) → idle → head → body → reply → idle. Bytes arrive in on_read,
 * TLS turns them into plaintext, and take_input feeds it to the parser. A request that is whole is answered at once,
 * unless handlers have no time left in this turn of the loop; then it is queued first. Nothing is read while it waits
 * or while a reply is being written: input that came before waits in `rest`, and later input waits in the kernel. So
 * requests are handled one after another, and a client that does not read its replies gets no further ones.
 *
 * A connection that ends gets its reply, then FIN, and for a moment its further input is thrown away (linger). To close
 * it with unread input would send a reset, which destroys the reply.
 *
 * Failure modes: every state has a deadline. A bad request is answered, and the connection ends. A broken TLS session
 * or socket ends it without an answer. refs counts the handle and every libuv request under way; the last one frees the
 * connection.
 */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "internal.h"
#include "server.h"

enum {
	LINGER_MS = 1000,
	BODY_WINDOW_MS = 1000, /* the speed of a body is measured over this time */
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

static int64_t conn_now_ms(const struct http_conn *c)
{
	return sched_now(&c->server->loop->sched);
}

static bool is_too_old(const struct http_conn *c)
{
	return conn_now_ms(c) - c->born_ms >= c->server->options.age_ms;
}

static int64_t lesser(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t state_time_ms(const struct http_conn *c, enum http_conn_state state)
{
	const struct http_server_options *o = &c->server->options;

	switch (state) {
	case HTTP_CONN_HANDSHAKE:
		return o->handshake_ms;
	case HTTP_CONN_IDLE:
		return c->answered || c->known ? o->idle_ms : lesser(o->idle_ms, o->head_ms);
	case HTTP_CONN_HEAD:
		return lesser(o->head_ms, o->request_ms);
	case HTTP_CONN_BODY:
		return lesser(c->request_ms + o->request_ms - conn_now_ms(c), BODY_WINDOW_MS);
	case HTTP_CONN_QUEUED:
		return c->request_ms + o->request_ms - conn_now_ms(c);
	case HTTP_CONN_LINGER:
		return LINGER_MS;
	default:
		return o->request_ms;
	}
}

/* Puts the connection at the end of the list and arms the deadline of the state. */
static void enter_state(struct http_conn *c, enum http_conn_state state)
{
	struct http_server *s = c->server;

	assert(c->state != HTTP_CONN_CLOSED && state != HTTP_CONN_CLOSED);
	c->state = state;
	c->since_ms = conn_now_ms(c);
	list_remove(&c->link);
	list_append(&s->conns, &c->link);
	sched_arm(&s->loop->sched, &c->deadline, state_time_ms(c, state));
}

static bool is_reading(const struct http_conn *c)
{
	return c->state == HTTP_CONN_IDLE || c->state == HTTP_CONN_HEAD || c->state == HTTP_CONN_BODY;
}

static bool takes_input(const struct http_conn *c)
{
	return is_reading(c) || c->state == HTTP_CONN_LINGER;
}

/* --- sending --- */

static void await_request(struct http_conn *c);
static void start_linger(struct http_conn *c);

void http_conn_replied(struct http_conn *c)
{
	if (c->state != HTTP_CONN_REPLY)
		return;
	c->sent = false;
	if (c->keep_alive)
		await_request(c);
	else
		start_linger(c);
}

/* Goes on after a reply that was sent at once. To be called when no function on the stack holds input of c. */
static void settle_reply(struct http_conn *c)
{
	if (c->sent)
		http_conn_replied(c);
}

/* Sends at once if the socket has room, as it mostly has. settle_reply goes on then. */
static void send_reply(struct http_conn *c, struct buf *head, struct http_body *body)
{
	enter_state(c, HTTP_CONN_REPLY);
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
	auto_buf head = { .max = HTTP_READ_SIZE };
	auto_body none = { 0 };

	buf_puts(&head, "HTTP/1.1 100 Continue\r\n\r\n");
	if (!c->secure)
		http_write(c, &head, &none, false);
	else
		tls_session_write(c->tls, head.data, head.len); /* pump_plaintext() flushes */
}

/* --- requests --- */

static void refuse_request(struct http_conn *c, int status, const char *why)
{
	auto_buf head = { 0 };
	auto_body body = { 0 };

	c->keep_alive = false;
	list_remove(&c->turn);
	http_census_body_done(c->server, c);
	http_answer_refuse(c->server, &c->parser, status, why, &head, &body);
	buf_done(&c->parser.body); /* it may hold megabytes, and the connection lingers */
	send_reply(c, &head, &body);
}

static void answer_request(struct http_conn *c)
{
	auto_buf head = { 0 };
	auto_body body = { 0 };
	int64_t begin_us = time_now_us();
	int status;

	c->keep_alive = c->parser.keep_alive && !c->server->draining && !c->server->fading && !is_too_old(c);
	status = http_answer_request(c->server, &c->parser, c->from_loopback, c->keep_alive, &head, &body);
	http_handlers_used(c->server, time_now_us() - begin_us);
	http_census_body_done(c->server, c);
	if (status < 400)
		http_census_answered(c->server, c, text_eq(c->parser.method, "POST"));
	http_parser_reset(&c->parser);
	send_reply(c, &head, &body);
}

static void answer_in_turn(struct http_conn *c)
{
	if (http_handlers_may_run(c->server)) {
		answer_request(c);
		return;
	}
	enter_state(c, HTTP_CONN_QUEUED);
	uv_read_stop((uv_stream_t *)&c->tcp);
	http_handlers_wait(c->server, c);
}

void http_conn_answer(struct http_conn *c)
{
	answer_request(c);
	settle_reply(c);
}

static void count_body(struct http_conn *c)
{
	struct http_conn *victim = http_census_body(c->server, c);

	if (!victim)
		return;
	refuse_request(victim, 503, "too many requests at once");
	if (victim != c)
		settle_reply(victim);
}

/* The head has arrived, and more of the body has to come. */
static void begin_body(struct http_conn *c)
{
	int status = http_answer_check(c->server, &c->parser, c->from_loopback);

	if (status != 0) {
		refuse_request(c, status, NULL);
		return;
	}
	c->body_mark = c->parser.body.len;
	enter_state(c, HTTP_CONN_BODY);
	if (c->parser.expect_continue && c->parser.body.len == 0)
		send_continue(c);
}

static void take_body(struct http_conn *c)
{
	if (c->state == HTTP_CONN_HEAD)
		begin_body(c);
	if (c->state == HTTP_CONN_BODY)
		count_body(c);
}

/* Each case may end with c closed. take_body may also refuse another connection. */
static void take_input(struct http_conn *c, const char *data, size_t len)
{
	while (len > 0 && is_reading(c)) {
		size_t used;

		if (c->state == HTTP_CONN_IDLE) {
			c->request_ms = conn_now_ms(c);
			enter_state(c, HTTP_CONN_HEAD);
		}
		used = http_parser_feed(&c->parser, data, len);
		data += used;
		len -= used;
		switch (c->parser.state) {
		case HTTP_PARSER_HEAD:
			break;
		case HTTP_PARSER_BODY:
			take_body(c);
			break;
		case HTTP_PARSER_DONE:
			answer_in_turn(c);
			break;
		case HTTP_PARSER_ERROR:
			refuse_request(c, c->parser.status, c->parser.why);
			break;
		}
	}
	if (c->state == HTTP_CONN_QUEUED || (c->state == HTTP_CONN_REPLY && c->keep_alive))
		buf_add(&c->rest, data, len);
}

/* Feeds decrypted input to the parser until TLS needs more input or a reply has to be written. */
static void pump_plaintext(struct http_conn *c)
{
	struct http_server *s = c->server;
	bool greeting = c->state == HTTP_CONN_HANDSHAKE;
	int n = 1;

	while (n > 0 && (is_reading(c) || c->state == HTTP_CONN_HANDSHAKE)) {
		n = tls_session_read(c->tls, s->plain, sizeof(s->plain));
		if (c->state == HTTP_CONN_HANDSHAKE && tls_session_ready(c->tls))
			enter_state(c, HTTP_CONN_IDLE);
		if (n > 0)
			take_input(c, s->plain, (size_t)n);
	}
	http_write_flush(c);
	if (n >= 0 || c->state == HTTP_CONN_CLOSED)
		return;
	c->server->stats.broken_handshakes += greeting;
	start_linger(c);
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
		pump_plaintext(c);
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
		settle_reply(c);
	}
	if ((size_t)n < sizeof(c->server->received) || !takes_input(c))
		return;
	uv_read_stop(stream);
	http_turns_take(&c->server->bulk, c);
}

void http_conn_greet(struct http_conn *c)
{
	uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
	pump_plaintext(c);
	settle_reply(c);
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
	(void)status;
	http_conn_unref(container_of(req, struct http_conn, shutdown));
}

static void start_linger(struct http_conn *c)
{
	enter_state(c, HTTP_CONN_LINGER);
	c->refs++;
	if (uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, on_shutdown) < 0) {
		c->refs--;
		http_conn_close(c);
		return;
	}
	uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

/* Handles the input that has already arrived, and then reads on. */
static void read_rest(struct http_conn *c)
{
	auto_buf rest = c->rest;

	buf_init(&c->rest, HTTP_READ_SIZE);
	take_input(c, rest.data, rest.len);
	if (c->secure)
		pump_plaintext(c);
	settle_reply(c);
	if (is_reading(c) && list_empty(&c->turn))
		uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

void http_conn_read_on(struct http_conn *c)
{
	if (is_reading(c))
		read_rest(c);
	else if (c->state == HTTP_CONN_LINGER)
		uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

/* Waits for the next request after a reply. If it has already arrived, it waits for its turn among other
 * connections. */
static void await_request(struct http_conn *c)
{
	bool more = c->rest.len > 0 || (c->secure && tls_session_has_input(c->tls));

	enter_state(c, HTTP_CONN_IDLE);
	if (more) {
		uv_read_stop((uv_stream_t *)&c->tcp);
		http_turns_take(&c->server->bulk, c);
	} else if (c->server->draining) {
		http_conn_close(c);
	} else {
		uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
	}
}

/* Checks the speed of the body after each window but the first one. */
static bool is_body_too_slow(struct http_conn *c)
{
	const struct http_server_options *o = &c->server->options;
	size_t got = c->parser.body.len - c->body_mark;

	if (conn_now_ms(c) - c->request_ms >= o->request_ms)
		return true;
	if (conn_now_ms(c) - c->since_ms >= 2 * BODY_WINDOW_MS && got < o->body_rate * BODY_WINDOW_MS / 1000)
		return true;
	c->body_mark = c->parser.body.len;
	sched_arm(&c->server->loop->sched, &c->deadline, state_time_ms(c, HTTP_CONN_BODY));
	return false;
}

static void on_deadline(void *arg)
{
	static const enum http_phase phases[] = {
		[HTTP_CONN_HANDSHAKE] = HTTP_PHASE_HANDSHAKE, [HTTP_CONN_IDLE] = HTTP_PHASE_IDLE,
		[HTTP_CONN_HEAD] = HTTP_PHASE_HEAD,	      [HTTP_CONN_BODY] = HTTP_PHASE_BODY,
		[HTTP_CONN_QUEUED] = HTTP_PHASE_REPLY,	      [HTTP_CONN_REPLY] = HTTP_PHASE_REPLY,
		[HTTP_CONN_LINGER] = HTTP_PHASE_COUNT,
	};
	struct http_conn *c = arg;
	enum http_phase phase = phases[c->state];

	if (phase == HTTP_PHASE_BODY && !is_body_too_slow(c))
		return;
	if (phase != HTTP_PHASE_COUNT)
		c->server->stats.timed_out[phase]++;
	if (phase == HTTP_PHASE_HEAD || phase == HTTP_PHASE_BODY)
		refuse_request(c, 408, "the request took too long");
	else
		http_conn_close(c);
	settle_reply(c);
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
	http_parser_init(&c->parser, s->options.max_head, s->options.max_body, s->options.methods);
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
	enter_state(c, c->secure ? HTTP_CONN_HANDSHAKE : HTTP_CONN_IDLE);
	uv_tcp_nodelay(&c->tcp, 1);
	if (uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0)
		http_conn_close(c);
}
