/*
 * The server: listener, routes, certificate. Happy path: listen; then each connection lives by itself (http_conn.c)
 * until it is closed. http_census.c decides which connection is closed when there are too many.
 *
 * Accepting, handshakes and large reads each have a share of every millisecond, so that a flood of one of them leaves
 * time for established connections. The rest waits for the next millisecond. Handlers have a share of each turn of the
 * loop: when those of a turn have run for HANDLERS_US, further requests wait for the next turn, and timers run in
 * between. So a flood of dear requests cannot delay the renewal of the Lease.
 *
 * Failure modes: an address that cannot be parsed (ERR_INVALID) or bound (ERR_IO); a certificate that cannot be used
 * (ERR_INVALID; the server keeps the one before).
 */
#include "net/http_server.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "internal.h"
#include "server.h"

enum {
	BACKLOG = 4096,
	ACCEPTS_PER_MS = 8, /* about 30 us each */
	HELLOS_PER_MS = 2,  /* about 200 us each */
	BULK_PER_MS = 8,    /* of 32 KiB, 20 to 50 us each */
	SHARE_MS = 1,
	HANDLERS_US = 20 * 1000,
};

static const struct http_server_options defaults = {
	.max_head = 16 << 10,
	.max_body = 7 << 20,
	.max_bodies = 20 << 20,
	.max_connections = 512,
	.max_per_address = 64,
	.max_handshakes = 64,
	.body_rate = 4 << 10,
	.handshake_ms = 3000,
	.head_ms = 5000,
	.request_ms = 10000,
	.idle_ms = 100000,
	.age_ms = 600000,
};

struct http_listener {
	uv_tcp_t tcp;
	struct http_server *server;
};

void http_server_unref(struct http_server *s)
{
	assert(s->refs > 0);
	if (--s->refs > 0)
		return;
	sched_disarm(&s->loop->sched, &s->grace);
	sched_disarm(&s->loop->sched, &s->admit);
	sched_disarm(&s->loop->sched, &s->hellos.timer);
	sched_disarm(&s->loop->sched, &s->bulk.timer);
	sched_disarm(&s->loop->sched, &s->handlers.timer);
	SSL_CTX_free(s->tls);
	free(s->routes);
	free(s);
}

static struct http_conn *conn_of(struct list *link)
{
	return container_of(link, struct http_conn, link);
}

static void close_all(void *arg)
{
	struct http_server *s = arg;

	while (!list_empty(&s->conns))
		http_conn_close(conn_of(s->conns.next));
}

/* --- shares of time --- */

static bool spend_share(struct http_server *s, struct http_rate *rate)
{
	int64_t now_ms = sched_now(&s->loop->sched);

	if (rate->at_ms != now_ms) {
		rate->at_ms = now_ms;
		rate->used = 0;
	}
	if (rate->used >= rate->most)
		return false;
	rate->used++;
	return true;
}

static void next_turns(void *arg)
{
	struct http_turns *t = arg;

	while (!list_empty(&t->queue) && spend_share(t->server, &t->rate))
		t->fn(container_of(list_pop(&t->queue), struct http_conn, turn));
	if (!list_empty(&t->queue))
		sched_arm(&t->server->loop->sched, &t->timer, SHARE_MS);
}

void http_turns_take(struct http_turns *t, struct http_conn *c)
{
	list_remove(&c->turn); /* a connection that lingers reads on without waiting */
	list_append(&t->queue, &c->turn);
	if (!sched_armed(&t->timer))
		next_turns(t);
}

static void turns_init(struct http_turns *t, struct http_server *s, unsigned most, void (*fn)(struct http_conn *c))
{
	*t = (struct http_turns){ .server = s, .rate = { .most = most }, .fn = fn };
	list_init(&t->queue);
	sched_timer_init(&t->timer, next_turns, t);
}

static bool has_time_for_handlers(struct http_server *s)
{
	struct http_handlers *h = &s->handlers;

	if (h->turn != s->loop->turn) {
		h->turn = s->loop->turn;
		h->used_us = 0;
	}
	return h->used_us < HANDLERS_US;
}

/* Without delay: the timer comes with those that are due, after the sockets have had their turn. */
static void await_next_turn(struct http_server *s)
{
	if (!list_empty(&s->handlers.queue))
		sched_arm(&s->loop->sched, &s->handlers.timer, 0);
}

static void run_waiting_handlers(void *arg)
{
	struct http_server *s = arg;

	while (!list_empty(&s->handlers.queue) && has_time_for_handlers(s))
		http_conn_answer(container_of(list_pop(&s->handlers.queue), struct http_conn, turn));
	await_next_turn(s);
}

bool http_handlers_may_run(struct http_server *s)
{
	return list_empty(&s->handlers.queue) && has_time_for_handlers(s);
}

void http_handlers_wait(struct http_server *s, struct http_conn *c)
{
	list_remove(&c->turn);
	list_append(&s->handlers.queue, &c->turn);
	s->stats.queued++;
	if (!sched_armed(&s->handlers.timer))
		await_next_turn(s);
}

void http_handlers_used(struct http_server *s, int64_t us)
{
	s->handlers.used_us += us;
}

static void accept_one(struct http_server *s)
{
	struct http_listener *l = s->listener;

	if (spend_share(s, &s->accepts)) {
		http_conn_accept(s, (uv_stream_t *)&l->tcp);
		return;
	}
	sched_arm(&s->loop->sched, &s->admit,
		  SHARE_MS); /* libuv keeps this connection, and accepts no other before it */
}

static void accept_more(void *arg)
{
	struct http_server *s = arg;

	if (!s->draining)
		accept_one(s);
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct http_server *s = container_of(stream, struct http_listener, tcp)->server;

	loop_touch(s->loop);
	if (status == 0)
		accept_one(s);
}

/* --- the server --- */

struct http_server *http_server_new(struct loop *loop, const struct http_route *routes, size_t count,
				    const struct http_server_options *options)
{
	struct http_server *s = xcalloc(1, sizeof(*s));
	struct http_server_options *o = &s->options;

	*o = *options;
#define DEFAULT(field) o->field = o->field ? o->field : defaults.field
	DEFAULT(max_head);
	DEFAULT(max_body);
	DEFAULT(max_bodies);
	DEFAULT(max_connections);
	DEFAULT(max_per_address);
	DEFAULT(max_handshakes);
	DEFAULT(body_rate);
	DEFAULT(handshake_ms);
	DEFAULT(head_ms);
	DEFAULT(request_ms);
	DEFAULT(idle_ms);
	DEFAULT(age_ms);
#undef DEFAULT
	o->max_strangers = o->max_strangers ? o->max_strangers : o->max_connections - o->max_connections / 2;
	s->loop = loop;
	s->routes = xreallocarray(NULL, count, sizeof(*routes));
	for (size_t i = 0; i < count; i++)
		s->routes[i] = routes[i];
	s->route_count = count;
	s->refs = 1;
	list_init(&s->conns);
	s->accepts.most = ACCEPTS_PER_MS;
	sched_timer_init(&s->admit, accept_more, s);
	turns_init(&s->hellos, s, HELLOS_PER_MS, http_conn_greet);
	turns_init(&s->bulk, s, BULK_PER_MS, http_conn_read_on);
	list_init(&s->handlers.queue);
	sched_timer_init(&s->handlers.timer, run_waiting_handlers, s);
	sched_timer_init(&s->grace, close_all, s);
	return s;
}

static struct tls_policy policy_of(const struct http_server_options *o)
{
	return (struct tls_policy){ .min_version = o->tls_min_version, .cipher_suites = o->tls_cipher_suites };
}

int http_server_check_tls(const struct http_server_options *options, struct err *err)
{
	const struct tls_policy policy = policy_of(options);

	return tls_check_policy(&policy, err);
}

int http_server_set_certificate(struct http_server *s, const char *cert, const char *key, struct err *err)
{
	const struct tls_policy policy = policy_of(&s->options);
	SSL_CTX *ctx = tls_server_context(cert, key, &policy, err);

	if (!ctx)
		return err_code(err);
	SSL_CTX_free(s->tls); /* sessions have references of their own */
	s->tls = ctx;
	return 0;
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct http_listener *l = container_of(handle, struct http_listener, tcp);

	http_server_unref(l->server);
	free(l);
}

/* "ADDRESS:PORT"; no address is every address. */
static bool parse_address(const char *text, struct sockaddr_storage *ret)
{
	const char *colon = strrchr(text, ':');
	auto_free char *host = NULL;
	size_t len;
	int64_t port;

	if (!colon || !text_i64(colon + 1, &port) || port < 0 || port > 65535)
		return false;
	host = xstrndup(text, (size_t)(colon - text));
	len = strlen(host);
	if (len == 0)
		return uv_ip6_addr("::", (int)port, (struct sockaddr_in6 *)ret) == 0;
	if (host[0] != '[')
		return uv_ip4_addr(host, (int)port, (struct sockaddr_in *)ret) == 0;
	if (host[len - 1] != ']')
		return false;
	host[len - 1] = '\0';
	return uv_ip6_addr(host + 1, (int)port, (struct sockaddr_in6 *)ret) == 0;
}

static int try_listen(struct http_server *s, const struct sockaddr_storage *addr)
{
	struct http_listener *l = xcalloc(1, sizeof(*l));
	int rc;

	l->server = s;
	s->refs++;
	uv_tcp_init(&s->loop->uv, &l->tcp);
	rc = uv_tcp_bind(&l->tcp, (const struct sockaddr *)addr, 0);
	if (rc == 0)
		rc = uv_listen((uv_stream_t *)&l->tcp, BACKLOG, on_connection);
	if (rc == 0)
		s->listener = l;
	else
		uv_close((uv_handle_t *)&l->tcp, on_listener_closed);
	return rc;
}

int http_server_listen(struct http_server *s, const char *bind_address, struct err *err)
{
	auto_free char *ipv4_only = xasprintf("0.0.0.0%s", bind_address);
	struct sockaddr_storage addr = { 0 };
	int rc;

	assert(!s->listener && !s->draining);
	if (!parse_address(bind_address, &addr))
		return err_set(err, ERR_INVALID, "\"%s\": expected ADDRESS:PORT, :PORT or [ADDRESS]:PORT",
			       bind_address);
	rc = try_listen(s, &addr);
	if (rc == UV_EAFNOSUPPORT && bind_address[0] == ':' && parse_address(ipv4_only, &addr))
		rc = try_listen(s, &addr); /* a kernel without IPv6 */
	if (rc < 0)
		return err_set(err, ERR_IO, "listen on %s: %s", bind_address, uv_strerror(rc));
	return 0;
}

int http_server_port(const struct http_server *s)
{
	struct sockaddr_storage addr = { 0 };
	int len = sizeof(addr);

	assert(s->listener);
	uv_tcp_getsockname(&s->listener->tcp, (struct sockaddr *)&addr, &len);
	return ntohs(((const struct sockaddr_in *)&addr)->sin_port); /* at the same place in sockaddr_in6 */
}

unsigned http_server_connections(const struct http_server *s)
{
	return s->count;
}

const struct http_server_stats *http_server_stats(const struct http_server *s)
{
	return &s->stats;
}

static void close_idle(struct http_server *s)
{
	struct list *link, *next;

	for (link = s->conns.next; link != &s->conns; link = next) {
		next = link->next;
		if (conn_of(link)->state == HTTP_CONN_IDLE)
			http_conn_close(conn_of(link));
	}
}

void http_server_fade(struct http_server *s)
{
	s->fading = true;
}

void http_server_close(struct http_server *s, int64_t grace_ms)
{
	assert(!s->draining);
	s->draining = true;
	if (s->listener)
		uv_close((uv_handle_t *)&s->listener->tcp, on_listener_closed);
	close_idle(s);
	if (grace_ms <= 0)
		close_all(s);
	else if (s->count > 0)
		sched_arm(&s->loop->sched, &s->grace, grace_ms);
	http_server_unref(s);
}
