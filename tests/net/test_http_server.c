/*
 * The server against raw sockets: what it answers, when it gives up on a peer, what it refuses. Every test ends with
 * a loop that closes.
 */
#include "net_lib.h"

#include <sys/resource.h>

#include "net/http_server.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define BIG_SIZE  (8 << 20)

struct fixture {
	struct loop loop;
	struct http_server *server;
	int port;
	unsigned calls; /* of handlers */
};

static void on_hello(void *arg, struct http_exchange *x)
{
	struct fixture *f = arg;

	f->calls++;
	assert_true(x->from_loopback);
	buf_printf(&x->reply, "hello %s", x->query);
}

static void on_echo(void *arg, struct http_exchange *x)
{
	struct fixture *f = arg;

	f->calls++;
	x->content_type = "application/json";
	buf_add(&x->reply, x->body, x->body_len);
}

static void on_big(void *arg, struct http_exchange *x)
{
	auto_free char *block = xmalloc(BIG_SIZE);

	((struct fixture *)arg)->calls++;
	for (size_t i = 0; i < BIG_SIZE; i++)
		block[i] = (char)('a' + i % 23);
	buf_add(&x->reply, block, BIG_SIZE);
}

static void on_overflow(void *arg, struct http_exchange *x)
{
	(void)arg;
	x->reply.max = 3;
	buf_puts(&x->reply, "too long");
}

static void on_unready(void *arg, struct http_exchange *x)
{
	(void)arg;
	x->status = 503;
	buf_puts(&x->reply, "not ready");
}

static void on_admin(void *arg, struct http_exchange *x)
{
	(void)arg;
	buf_printf(&x->reply, "loopback %d", x->from_loopback);
}

static void start_at(struct fixture *f, const struct http_server_options *options, const char *address)
{
	const struct http_route routes[] = {
		{ .method = "GET", .path = "/hello", .fn = on_hello, .arg = f },
		{ .method = "POST", .path = "/echo", .fn = on_echo, .arg = f },
		{ .method = "GET", .path = "/both", .fn = on_hello, .arg = f },
		{ .method = "POST", .path = "/both", .fn = on_echo, .arg = f },
		{ .method = "GET", .path = "/big", .fn = on_big, .arg = f },
		{ .method = "GET", .path = "/overflow", .fn = on_overflow },
		{ .method = "GET", .path = "/readyz", .fn = on_unready },
		{ .method = "GET", .path = "/admin", .loopback_only = true, .fn = on_admin },
	};
	struct err err = { 0 };

	f->calls = 0;
	assert_int_equal(loop_init(&f->loop, &err), 0);
	f->server = http_server_new(&f->loop, routes, array_len(routes), options);
	if (http_server_listen(f->server, address, &err) < 0)
		fail_msg("%s", err.msg);
	f->port = http_server_port(f->server);
}

static void start(struct fixture *f, struct http_server_options options)
{
	start_at(f, &options, "127.0.0.1:0");
}

static void finish(struct fixture *f)
{
	if (f->server)
		http_server_close(f->server, 0);
	assert_int_equal(loop_close(&f->loop), 0);
}

static bool none_left(void *arg)
{
	return http_server_connections(((struct fixture *)arg)->server) == 0;
}

/* Sends the text on a connection of its own; what came back, after the server closed. */
static char *talk(struct fixture *f, const char *text)
{
	struct raw *r = raw_connect(&f->loop, f->port);
	char *answer;

	raw_puts(r, text);
	answer = xstrdup(raw_read_all(r));
	raw_close(r);
	run_while_not(&f->loop, none_left, f);
	return answer;
}

static void expect_in(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

struct talk_case {
	const char *request;
	const char *status;
	const char *part; /* of the reply */
};

static void test_answers(void **state)
{
#define CLOSE "Host: h\r\nConnection: close\r\n"
	static const struct talk_case cases[] = {
		{ "GET /hello?you HTTP/1.1\r\n" CLOSE "\r\n", "200 OK", "\r\n\r\nhello you" },
		{ "GET /hello HTTP/1.0\r\n\r\n", "200 OK", "Connection: close\r\n" },
		{ "GET /hello HTTP/1.1\r\n" CLOSE "\r\n", "200 OK", "Content-Type: text/plain; charset=utf-8\r\n" },
		{ "POST /echo HTTP/1.1\r\n" CLOSE "Content-Length: 4\r\n\r\nbody", "200 OK", "\r\n\r\nbody" },
		{ "POST /echo HTTP/1.1\r\n" CLOSE "Content-Length: 0\r\n\r\n", "200 OK", "Content-Length: 0\r\n" },
		{ "POST /echo HTTP/1.1\r\n" CLOSE "Content-Length: 2\r\n\r\n{}", "200 OK", "application/json\r\n" },
		{ "HEAD /hello HTTP/1.1\r\n" CLOSE "\r\n", "200 OK", "Content-Length: 6\r\n" },
		{ "GET /nothing HTTP/1.1\r\n" CLOSE "\r\n", "404 Not Found", "\r\n\r\nNot Found\n" },
		{ "GET /hello/ HTTP/1.1\r\n" CLOSE "\r\n", "404 Not Found", "" },
		{ "GET /echo HTTP/1.1\r\n" CLOSE "\r\n", "405 Method Not Allowed", "Allow: POST\r\n" },
		{ "POST /hello HTTP/1.1\r\n" CLOSE "Content-Length: 1\r\n\r\nx", "405 Method", "Allow: GET, HEAD\r\n" },
		{ "PUT /hello HTTP/1.1\r\n" CLOSE "\r\n", "405 Method", "Allow: GET, HEAD, POST\r\n" },
		{ "GET /overflow HTTP/1.1\r\n" CLOSE "\r\n", "500 Internal Server Error", "over its size limit" },
		{ "GET /readyz HTTP/1.1\r\n" CLOSE "\r\n", "503 Service Unavailable", "\r\n\r\nnot ready" },
		{ "GET /admin HTTP/1.1\r\n" CLOSE "\r\n", "200 OK", "loopback 1" },
		/* refused: the connection closes by itself */
		{ "GET / HTTP/1.1\nHost: h\n\n", "400 Bad Request", "Connection: close\r\n" },
		{ "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n", "413 Content Too Large", "" },
		{ "POST /nothing HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n", "404 Not Found", "" },
		{ "POST /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n", "405 Method",
		  "Allow: GET, HEAD\r\n" },
	};
	struct fixture f;

	(void)state;
	start(&f, (struct http_server_options){ .max_body = 100 });
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_free char *answer = talk(&f, cases[i].request);
		auto_free char *line = xasprintf("HTTP/1.1 %s", cases[i].status);

		if (strncmp(answer, line, strlen(line)) != 0)
			fail_msg("%s: %s", cases[i].request, answer);
		expect_in(answer, cases[i].part);
		if (strncmp(cases[i].request, "HEAD", 4) == 0)
			assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
	}
	finish(&f);
}

/* One request hidden in another: whatever stands behind the refused head must not be served. */
static void test_smuggling(void **state)
{
	static const char *const heads[] = {
		"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
		"Transfer-Encoding: xchunked\r\n",
		"Transfer-Encoding : chunked\r\nContent-Length: 4\r\n",
		"Transfer-Encoding:\vchunked\r\nContent-Length: 4\r\n",
		"X: y\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n",
		"Content-Length: 4\r\nContent-Length: 40\r\n",
		"Content-Length: 4,4\r\n",
		"Content-Length: 0x4\r\n",
		"X: y\r\n Content-Length: 4\r\n",
	};
	struct fixture f;

	(void)state;
	start(&f, (struct http_server_options){ 0 });
	for (size_t i = 0; i < array_len(heads); i++) {
		auto_free char *text =
		    xasprintf("POST /echo HTTP/1.1\r\nHost: h\r\n%s\r\n0\r\n\r\n" GET("/hello"), heads[i]);
		auto_free char *answer = talk(&f, text);

		if (strncmp(answer, "HTTP/1.1 400", 12) != 0 && strncmp(answer, "HTTP/1.1 501", 12) != 0)
			fail_msg("%s: %s", heads[i], answer);
		assert_null(strstr(answer + 1, "HTTP/1.1"));
	}
	assert_int_equal(f.calls, 0);
	finish(&f);
}

static void test_keep_alive_and_pipelining(void **state)
{
	struct fixture f;
	struct raw *r;

	(void)state;
	start(&f, (struct http_server_options){ 0 });
	r = raw_connect(&f.loop, f.port);
	raw_puts(r, GET("/hello?1") "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nGET / HTT" GET(
			"/nothing") GET("/hello?3") "GET /hel");
	raw_expect(r, "Connection: keep-alive\r\n");
	raw_expect(r, "\r\nhello 1HTTP/1.1 200 OK\r\n");
	raw_expect(r, "\r\n\r\nGET / HTTHTTP/1.1 404 Not Found\r\n");
	raw_expect(r, "\r\n\r\nNot Found\nHTTP/1.1 200 OK\r\n");
	raw_expect(r, "hello 3");
	raw_puts(r, "lo?4 HTTP/1.1\r\nHost: h\r\n\r\n");
	raw_expect(r, "hello 4");
	assert_int_equal(r->in.len, 0);
	assert_int_equal(http_server_connections(f.server), 1);
	raw_close(r);
	run_while_not(&f.loop, none_left, &f);
	finish(&f);
}

static void test_byte_by_byte(void **state)
{
	struct fixture f;
	struct raw *r;

	(void)state;
	start(&f, (struct http_server_options){ 0 });
	r = raw_connect(&f.loop, f.port);
	run_until(&f.loop, &r->connected);
	buf_puts(&r->out, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabcde" GET("/hello"));
	sched_arm(&f.loop.sched, &r->drip, 0);
	raw_expect(r, "\r\n\r\nabcdeHTTP");
	raw_expect(r, "hello ");
	raw_close(r);
	finish(&f);
}

struct slow_case {
	const char *text;
	const char *status; /* NULL: closed without a word */
	bool more;	    /* a byte every now and then does not help */
};

static void test_slow_peers(void **state)
{
	static const struct slow_case cases[] = {
		{ "", NULL, false },
		{ "G", "HTTP/1.1 408 ", false },
		{ "GET /hello HTTP/1.1\r\nHost: h\r\nX: ", "HTTP/1.1 408 ", true },
		{ "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 999\r\n\r\nabc", "HTTP/1.1 408 ", true },
	};
	struct fixture f;

	(void)state;
	start(&f, (struct http_server_options){ .head_ms = 30, .request_ms = 50, .idle_ms = 40 });
	for (size_t i = 0; i < array_len(cases); i++) {
		struct raw *r = raw_connect(&f.loop, f.port);

		if (cases[i].text[0])
			raw_puts(r, cases[i].text);
		while (cases[i].more && !r->eof) {
			run_for(&f.loop, 3);
			if (!r->eof)
				raw_puts(r, "x");
		}
		raw_read_all(r);
		if (cases[i].status)
			expect_in(buf_str(&r->in), cases[i].status);
		else
			assert_int_equal(r->in.len, 0);
		raw_close(r);
		run_while_not(&f.loop, none_left, &f);
	}
	assert_int_equal(f.calls, 0);
	finish(&f);
}

/* The peer pushes all of a body that is refused and still gets to read why. */
static void test_body_over_limit(void **state)
{
	enum { SIZE = 4 << 20 };
	auto_buf body = { .max = SIZE };
	struct fixture f;
	struct raw *r;

	(void)state;
	while (body.len < SIZE)
		buf_puts(&body, "xxxxxxxx");
	start(&f, (struct http_server_options){ .max_body = 1 << 20 });
	r = raw_connect(&f.loop, f.port);
	raw_puts(r, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4194304\r\n\r\n");
	raw_send(r, body.data, body.len);
	raw_read_all(r);
	run_while_not(&f.loop, raw_all_sent, r);
	assert_false(r->reset || r->broken);
	expect_in(buf_str(&r->in), "HTTP/1.1 413 ");
	assert_int_equal(f.calls, 0);
	raw_close(r);
	finish(&f);
}

static void test_large_body(void **state)
{
	enum { SIZE = 5 << 20 };
	auto_buf body = { .max = SIZE };
	struct fixture f;
	struct raw *r;

	(void)state;
	while (body.len < SIZE)
		buf_putc(&body, (char)('a' + body.len % 23));
	start(&f, (struct http_server_options){ 0 });
	r = raw_connect(&f.loop, f.port);
	raw_puts(r, "POST /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5242880\r\n\r\n");
	raw_send(r, body.data, body.len);
	raw_read_all(r);
	assert_memory_equal(strstr(r->in.data, "\r\n\r\n") + 4, body.data, SIZE);
	raw_close(r);
	finish(&f);
}

/* Too much together: who holds most has to go, whoever came first. */
static void test_body_budget(void **state)
{
	static const char head[] = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1500\r\n\r\n";
	char part[1500];
	struct fixture f;
	struct raw *a, *b, *c;

	(void)state;
	memset(part, 'x', sizeof(part));
	start(&f, (struct http_server_options){ .max_bodies = 3000 });
	a = raw_connect(&f.loop, f.port);
	raw_puts(a, head);
	raw_send(a, part, 1400);
	run_for(&f.loop, 10);
	b = raw_connect(&f.loop, f.port);
	raw_puts(b, head);
	raw_send(b, part, 600);
	raw_read_all(a);
	expect_in(a->in.data, "HTTP/1.1 503 ");
	expect_in(a->in.data, "Retry-After: 1\r\n");
	raw_close(a);
	raw_send(b, part, 900);
	raw_expect(b, "HTTP/1.1 200 ");
	/* given back after an answer, and when a peer goes away */
	a = raw_connect(&f.loop, f.port);
	raw_puts(a, head);
	raw_send(a, part, 1400);
	run_for(&f.loop, 10);
	raw_reset(a);
	run_for(&f.loop, 10);
	c = raw_connect(&f.loop, f.port);
	raw_puts(c, head);
	raw_send(c, part, 1400);
	run_for(&f.loop, 10);
	raw_send(c, part, 100);
	raw_expect(c, "HTTP/1.1 200 ");
	assert_int_equal(http_server_stats(f.server)->refused[0].status, 503);
	assert_int_equal(http_server_stats(f.server)->refused[0].count, 1);
	raw_close(b);
	raw_close(c);
	finish(&f);
}

static void test_expect_continue(void **state)
{
	struct fixture f;
	struct raw *r;

	(void)state;
	start(&f, (struct http_server_options){ 0 });
	r = raw_connect(&f.loop, f.port);
	raw_puts(r, "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	raw_expect(r, "HTTP/1.1 100 Continue\r\n\r\n");
	assert_int_equal(r->in.len, 0);
	raw_puts(r, "abc");
	raw_expect(r, "\r\n\r\nabc");
	raw_puts(r, "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
	raw_expect(r, "\r\n\r\nabc");
	raw_close(r);
	finish(&f);
}

static void test_large_reply(void **state)
{
	struct fixture f;
	struct raw *r;
	const char *body;

	(void)state;
	start(&f, (struct http_server_options){ 0 });
	r = raw_connect(&f.loop, f.port);
	raw_puts(r, GET("/big") "GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	raw_read_all(r);
	body = strstr(r->in.data, "\r\n\r\n") + 4;
	for (size_t i = 0; i < BIG_SIZE; i++)
		if (body[i] != (char)('a' + i % 23))
			fail_msg("byte %zu is wrong", i);
	expect_in(body + BIG_SIZE, "\r\n\r\nhello ");
	raw_close(r);
	finish(&f);
}

/* A peer that asks and asks and never reads: one reply waits, the requests behind it do not run, and then it is cut
 * off. */
static void test_peer_does_not_read(void **state)
{
	struct fixture f;
	struct raw *r;

	(void)state;
	start(&f, (struct http_server_options){ .request_ms = 100 });
	r = raw_connect(&f.loop, f.port);
	run_until(&f.loop, &r->connected);
	uv_read_stop((uv_stream_t *)&r->tcp);
	for (int i = 0; i < 20; i++)
		raw_puts(r, GET("/big"));
	run_while_not(&f.loop, none_left, &f);
	assert_int_equal(f.calls, 1);
	raw_close(r);
	finish(&f);
}

/* Much more behind a waiting reply than a connection buffers: it stays in the kernel, none of it is lost. */
static void test_requests_behind_a_reply(void **state)
{
	enum { COUNT = 60, SIZE = 5000 };
	auto_buf post = { .max = SIZE + 200 };
	struct fixture f;
	struct raw *r;

	(void)state;
	buf_printf(&post, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", SIZE);
	for (size_t i = 0; i < SIZE; i++)
		buf_putc(&post, 'x');
	start(&f, (struct http_server_options){ 0 });
	r = raw_connect(&f.loop, f.port);
	run_until(&f.loop, &r->connected);
	uv_read_stop((uv_stream_t *)&r->tcp);
	raw_puts(r, GET("/big"));
	for (size_t i = 0; i < COUNT; i++)
		raw_send(r, post.data, post.len);
	raw_puts(r, "GET /hello?end HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	run_for(&f.loop, 20);
	assert_int_equal(f.calls, 1);
	uv_read_start((uv_stream_t *)&r->tcp, raw_alloc, raw_read);
	raw_read_all(r);
	assert_int_equal(f.calls, 1 + COUNT + 1);
	expect_in(r->in.data + r->in.len - 20, "hello end");
	raw_close(r);
	finish(&f);
}

static void test_half_closed_peer(void **state)
{
	struct fixture f;
	struct raw *r;

	(void)state;
	start(&f, (struct http_server_options){ 0 });
	r = raw_connect(&f.loop, f.port);
	raw_puts(r, GET("/hello?1") GET("/hello?2"));
	raw_fin(r);
	raw_read_all(r);
	expect_in(r->in.data, "hello 1");
	expect_in(r->in.data, "hello 2");
	raw_close(r);
	run_while_not(&f.loop, none_left, &f);
	/* half a request and then nothing more */
	r = raw_connect(&f.loop, f.port);
	raw_puts(r, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab");
	raw_fin(r);
	raw_read_all(r);
	assert_int_equal(r->in.len, 0);
	raw_close(r);
	run_while_not(&f.loop, none_left, &f);
	finish(&f);
}

static void test_reset_by_peer(void **state)
{
	static const char *const texts[] = { "", "GET /he", GET("/big"),
					     "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n" };
	struct fixture f;

	(void)state;
	start(&f, (struct http_server_options){ 0 });
	for (size_t i = 0; i < array_len(texts); i++) {
		struct raw *r = raw_connect(&f.loop, f.port);

		run_until(&f.loop, &r->connected);
		if (texts[i][0])
			raw_puts(r, texts[i]);
		run_for(&f.loop, 5);
		assert_int_equal(http_server_connections(f.server), 1);
		raw_reset(r);
		run_while_not(&f.loop, none_left, &f);
	}
	finish(&f);
}

static bool all_tried(void *arg)
{
	struct raw **r = arg;

	for (; *r; r++)
		if (!(*r)->connected && !(*r)->eof)
			return false;
	return true;
}

static void test_connection_cap(void **state)
{
	enum { CAP = 512, COUNT = 600, BUSY = 3 };
	struct rlimit limit;
	struct raw *r[COUNT + 1] = { 0 };
	struct fixture f;
	int closed = 0;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
	setrlimit(RLIMIT_NOFILE, &limit);
	start(&f, (struct http_server_options){ .max_connections = CAP, .max_per_address = CAP, .max_strangers = CAP });
	for (size_t i = 0; i < BUSY; i++) { /* the oldest, but not idle */
		r[i] = raw_connect(&f.loop, f.port);
		raw_puts(r[i], "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na");
	}
	run_while_not(&f.loop, all_tried, r);
	run_for(&f.loop, 5);
	for (size_t i = BUSY; i < COUNT; i++)
		r[i] = raw_connect(&f.loop, f.port);
	run_while_not(&f.loop, all_tried, r);
	raw_puts(r[COUNT - 1], GET("/hello"));
	raw_expect(r[COUNT - 1], "hello ");
	run_for(&f.loop, 5);
	assert_int_equal(http_server_connections(f.server), CAP);
	for (size_t i = 0; i < COUNT; i++)
		closed += r[i]->eof;
	assert_int_equal(closed, COUNT - CAP);
	assert_true(r[BUSY]->eof); /* the one that had been idle longest */
	for (size_t i = 0; i < BUSY; i++) {
		raw_puts(r[i], "bc");
		raw_expect(r[i], "\r\n\r\nabc");
	}
	for (size_t i = 0; i < COUNT; i++)
		raw_close(r[i]);
	finish(&f);
}

/* All places taken: by half heads, which give way, and by requests, which do not. */
static void test_cap_without_idle(void **state)
{
	struct raw *half, *busy[2], *late;
	struct fixture f;

	(void)state;
	start(&f, (struct http_server_options){ .max_connections = 2, .max_strangers = 2 });
	half = raw_connect(&f.loop, f.port);
	raw_puts(half, "GET /hel");
	for (size_t i = 0; i < array_len(busy); i++) {
		busy[i] = raw_connect(&f.loop, f.port);
		raw_puts(busy[i], "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na");
		run_for(&f.loop, 5);
	}
	assert_true(half->eof);
	late = raw_connect(&f.loop, f.port);
	raw_read_all(late);
	assert_int_equal(http_server_connections(f.server), 2);
	assert_false(busy[0]->eof || busy[1]->eof);
	raw_close(half);
	raw_close(late);
	raw_close(busy[0]);
	raw_close(busy[1]);
	finish(&f);
}

static void test_age(void **state)
{
	struct fixture f;
	struct raw *r;

	(void)state;
	start(&f, (struct http_server_options){ .age_ms = 30 });
	r = raw_connect(&f.loop, f.port);
	raw_puts(r, GET("/hello"));
	raw_expect(r, "Connection: keep-alive");
	raw_puts(r, "GET /hello HTTP/1.1\r\n");
	run_for(&f.loop, 40);
	raw_puts(r, "Host: h\r\n\r\n");
	raw_expect(r, "Connection: close");
	raw_read_all(r);
	raw_close(r);
	/* …and an idle one is left alone: a request may be on its way */
	r = raw_connect(&f.loop, f.port);
	raw_puts(r, GET("/hello"));
	raw_expect(r, "hello ");
	run_for(&f.loop, 60);
	assert_false(r->eof);
	raw_puts(r, GET("/hello"));
	raw_expect(r, "Connection: close");
	raw_read_all(r);
	raw_close(r);
	finish(&f);
}

static void test_fade(void **state)
{
	struct fixture f;
	struct raw *idle, *late;

	(void)state;
	start(&f, (struct http_server_options){ 0 });
	idle = raw_connect(&f.loop, f.port);
	raw_puts(idle, GET("/hello"));
	raw_expect(idle, "hello ");
	http_server_fade(f.server);
	run_for(&f.loop, 20);
	assert_false(idle->eof); /* its next request may be on its way */
	raw_puts(idle, GET("/hello"));
	raw_expect(idle, "Connection: close");
	raw_read_all(idle);
	late = raw_connect(&f.loop, f.port);
	raw_puts(late, GET("/hello"));
	raw_expect(late, "Connection: close");
	raw_read_all(late);
	raw_close(idle);
	raw_close(late);
	finish(&f);
}

static void test_drain(void **state)
{
	struct raw *idle, *busy, *stuck, *refused;
	struct fixture f;

	(void)state;
	start(&f, (struct http_server_options){ 0 });
	idle = raw_connect(&f.loop, f.port);
	busy = raw_connect(&f.loop, f.port);
	stuck = raw_connect(&f.loop, f.port);
	raw_puts(idle, GET("/hello"));
	raw_expect(idle, "hello ");
	raw_puts(busy, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na");
	raw_puts(stuck, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na");
	run_for(&f.loop, 5);
	http_server_close(take_ptr(f.server), 60);
	refused = raw_connect(&f.loop, f.port);
	raw_read_all(idle);
	assert_int_equal(idle->in.len, 0);
	run_until(&f.loop, &refused->eof);
	assert_false(refused->connected);
	assert_false(busy->eof);
	raw_puts(busy, "bc" GET("/hello"));
	raw_expect(busy, "Connection: close\r\n\r\nabc");
	raw_read_all(busy);
	assert_int_equal(busy->in.len, 0); /* the request behind was not served */
	assert_false(stuck->eof);
	raw_read_all(stuck); /* cut after the grace time */
	assert_int_equal(stuck->in.len, 0);
	raw_close(idle);
	raw_close(busy);
	raw_close(stuck);
	raw_close(refused);
	finish(&f);
}

static void test_close_at_once(void **state)
{
	struct fixture f;
	struct raw *r[3];

	(void)state;
	start(&f, (struct http_server_options){ 0 });
	for (size_t i = 0; i < array_len(r); i++)
		r[i] = raw_connect(&f.loop, f.port);
	raw_puts(r[1], "GET /he");
	raw_puts(r[2], GET("/big"));
	run_for(&f.loop, 2);
	http_server_close(take_ptr(f.server), 0);
	for (size_t i = 0; i < array_len(r); i++) {
		raw_read_all(r[i]);
		raw_close(r[i]);
	}
	finish(&f);
}

static void test_bind_addresses(void **state)
{
	static const char *const bad[] = { "",
					   "8080",
					   "127.0.0.1",
					   "127.0.0.1:x",
					   "127.0.0.1:65536",
					   "127.0.0.1:-1",
					   "localhost:80",
					   "[::1:80",
					   "::1]:80",
					   "[127.0.0.1]:80",
					   "[]:80" };
	auto_free char *taken = NULL;
	struct http_server *second;
	struct fixture f;
	struct raw *r;
	struct err err;

	(void)state;
	start_at(&f, &(struct http_server_options){ 0 }, ":0");
	r = raw_connect(&f.loop, f.port); /* IPv4 on the IPv6 socket is loopback too */
	raw_puts(r, GET("/admin"));
	raw_expect(r, "loopback 1");
	raw_close(r);
	second = http_server_new(&f.loop, NULL, 0, &(struct http_server_options){ 0 });
	for (size_t i = 0; i < array_len(bad); i++)
		assert_int_equal(http_server_listen(second, bad[i], &err), -ERR_INVALID);
	taken = xasprintf("127.0.0.1:%d", f.port);
	assert_int_equal(http_server_listen(second, taken, &err), -ERR_IO);
	assert_non_null(strstr(err.msg, taken));
	assert_int_equal(http_server_listen(second, "127.0.0.1:0", &err), 0);
	http_server_close(second, 0);
	finish(&f);
}

/* From another address of this machine, if it has one. */
static void test_loopback_only(void **state)
{
	uv_interface_address_t *list;
	struct fixture f;
	struct raw *r = NULL;
	int count;

	(void)state;
	start_at(&f, &(struct http_server_options){ 0 }, ":0");
	assert_int_equal(uv_interface_addresses(&list, &count), 0);
	for (int i = 0; i < count && !r; i++) {
		struct sockaddr_in addr = list[i].address.address4;

		if (list[i].is_internal || addr.sin_family != AF_INET)
			continue;
		addr.sin_port = htons((uint16_t)f.port);
		r = raw_new(&f.loop);
		assert_int_equal(uv_tcp_connect(&r->connect, &r->tcp, (struct sockaddr *)&addr, raw_on_connect), 0);
	}
	uv_free_interface_addresses(list, count);
	if (!r) {
		finish(&f);
		skip();
	}
	raw_puts(r, GET("/admin"));
	raw_expect(r, "HTTP/1.1 403 Forbidden");
	raw_close(r);
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_smuggling),
		cmocka_unit_test(test_keep_alive_and_pipelining),
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_slow_peers),
		cmocka_unit_test(test_body_over_limit),
		cmocka_unit_test(test_large_body),
		cmocka_unit_test(test_body_budget),
		cmocka_unit_test(test_expect_continue),
		cmocka_unit_test(test_large_reply),
		cmocka_unit_test(test_peer_does_not_read),
		cmocka_unit_test(test_requests_behind_a_reply),
		cmocka_unit_test(test_half_closed_peer),
		cmocka_unit_test(test_reset_by_peer),
		cmocka_unit_test(test_connection_cap),
		cmocka_unit_test(test_cap_without_idle),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_fade),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_close_at_once),
		cmocka_unit_test(test_bind_addresses),
		cmocka_unit_test(test_loopback_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
