/*
 * The client against scripted and hostile peers on loopback. Every test ends with a loop that closes: nothing is left
 * open.
 */
#include "net_lib.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http_client.h"
#include "net/http_server.h"

#define OK_HELLO  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define OK_STREAM "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

struct fixture {
	struct loop loop;
	struct http_client *client;
	struct raw_server server;
	char url[64];
};

static void start(struct fixture *f, const struct script *scripts, size_t count)
{
	struct http_client_options options = { .max_connections = 2, .user_agent = "test/1" };
	struct err err;

	assert_int_equal(loop_init(&f->loop, &err), 0);
	f->client = http_client_new(&f->loop, &options);
	raw_server_start(&f->server, &f->loop, scripts, count);
	snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d/path", f->server.port);
}

static void finish(struct fixture *f)
{
	if (f->client)
		http_client_close(f->client);
	raw_server_stop(&f->server);
	assert_int_equal(loop_close(&f->loop), 0);
}

/* What came of one request. */
struct result {
	struct fixture *f;
	struct http_op *op;
	bool done;
	int count; /* of completions */
	int chunks;
	struct http_reply reply; /* body: taken */
	char *body;
	struct buf streamed;
	bool in_send;
	struct result *victim; /* to be cancelled from the callback */
	bool close_client;
	bool cancel_self;
	struct result *next; /* to be sent from the callback */
	int stop_at;	     /* cancel_self after so many chunks */
};

static void send_get(struct fixture *f, struct result *r, bool stream, int64_t timeout_ms);

static void on_data(void *arg, const char *data, size_t len)
{
	struct result *r = arg;

	assert_false(r->in_send);
	assert_false(r->done);
	assert_true(len > 0);
	r->chunks++;
	if (!r->streamed.max)
		buf_init(&r->streamed, SEEN_MAX);
	if (r->cancel_self && r->chunks >= r->stop_at)
		http_op_cancel(r->op);
	if (r->close_client)
		http_client_close(take_ptr(r->f->client));
	buf_add(&r->streamed, data, len); /* still readable after a cancel */
}

static void on_done(void *arg, struct http_reply *reply)
{
	struct result *r = arg;

	assert_false(r->in_send);
	r->done = true;
	r->count++;
	r->reply = *reply;
	r->body = buf_take(&reply->body);
	if (r->cancel_self)
		http_op_cancel(r->op); /* over: harmless */
	if (r->victim)
		http_op_cancel(r->victim->op);
	if (r->close_client)
		http_client_close(take_ptr(r->f->client));
	if (r->next)
		send_get(r->f, r->next, false, 2000);
}

static void send_request(struct fixture *f, struct result *r, const struct http_request *request)
{
	r->f = f;
	r->in_send = true;
	r->op = http_client_send(f->client, request, on_data, on_done, r);
	r->in_send = false;
	assert_int_equal(r->count, 0);
}

static void send_get(struct fixture *f, struct result *r, bool stream, int64_t timeout_ms)
{
	struct http_request request = {
		.method = "GET", .url = f->url, .timeout_ms = timeout_ms, .max_reply_bytes = 1000, .stream = stream
	};

	send_request(f, r, &request);
}

static void get(struct fixture *f, struct result *r)
{
	send_get(f, r, false, 2000);
	run_until(&f->loop, &r->done);
}

static void result_done(struct result *r)
{
	free(r->body);
	buf_done(&r->streamed);
}

/* --- ordinary transfers --- */

static void test_get(void **state)
{
	static const struct script script[] = {
		{ .bytes = "HTTP/1.1 429 Too Many\r\nRetry-After:  7 \r\nDate: Thu, 01 Jan 1970 00:00:10 GMT\r\n"
			   "Content-Length: 5\r\n\r\nhello" },
		{ .bytes =
		      "HTTP/1.1 200 OK\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n" },
	};
	struct fixture f;
	struct result a = { 0 }, b = { 0 };

	(void)state;
	start(&f, script, 2);
	get(&f, &a);
	assert_int_equal(a.reply.err.code, ERR_NONE);
	assert_int_equal(a.reply.status, 429);
	assert_string_equal(a.body, "hello");
	assert_int_equal(a.reply.retry_after_s, 7);
	assert_int_equal(a.reply.date_ms, 10000);
	get(&f, &b);
	assert_int_equal(b.reply.retry_after_s, -1);
	assert_int_equal(b.reply.date_ms, -1);
	assert_string_equal(b.body, "");
	assert_int_equal(f.server.accepted, 1); /* kept alive */
	assert_non_null(strstr(f.server.seen.data, "GET /path HTTP/1.1\r\n"));
	assert_non_null(strstr(f.server.seen.data, "User-Agent: test/1\r\n"));
	assert_null(strstr(f.server.seen.data, "Accept-Encoding"));
	finish(&f);
	result_done(&a);
	result_done(&b);
}

static void test_body_and_headers(void **state)
{
	static const struct script script[] = { { .bytes = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n" } };
	static const char *const headers[] = { "Content-Type: application/json", "Authorization: Bearer x", NULL };
	struct http_request request = { .url = NULL, .headers = headers, .timeout_ms = 2000, .compressed = true };
	static const char *const methods[] = { "POST", "PUT", "PATCH", "DELETE" };
	struct fixture f;

	(void)state;
	start(&f, script, 1);
	request.url = f.url;
	for (size_t i = 0; i < array_len(methods); i++) {
		auto_free char *line = xasprintf("%s /path HTTP/1.1\r\n", methods[i]);
		char body[] = "{\"a\":1}";
		struct result r = { 0 };

		request.method = methods[i];
		request.body = body;
		request.body_len = strlen(body);
		send_request(&f, &r, &request);
		memset(body, '!', strlen(body)); /* it was copied */
		run_until(&f.loop, &r.done);
		assert_int_equal(r.reply.status, 201);
		assert_non_null(strstr(f.server.seen.data, line));
		assert_non_null(strstr(f.server.seen.data, "Content-Length: 7\r\n"));
		assert_non_null(strstr(f.server.seen.data, "Authorization: Bearer x\r\n"));
		assert_non_null(strstr(f.server.seen.data, "Accept-Encoding: gzip\r\n"));
		assert_non_null(strstr(f.server.seen.data, "\r\n\r\n{\"a\":1}"));
		assert_null(strstr(f.server.seen.data, "Expect"));
		buf_clear(&f.server.seen);
		result_done(&r);
	}
	finish(&f);
}

struct fail_case {
	const char *bytes;
	enum raw_then then;
	enum err_code code;
	int status;
};

static void test_bad_replies(void **state)
{
	static const struct fail_case cases[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", RAW_FIN, ERR_IO, 200 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", RAW_RESET, ERR_IO, 200 },
		{ OK_STREAM "5\r\nhello\r\n", RAW_FIN, ERR_IO, 200 },
		{ OK_STREAM "x\r\nhello\r\n", RAW_HOLD, ERR_IO, 200 },
		{ "HTTP/1.1 20", RAW_FIN, ERR_IO, 0 },
		{ "SSH-2.0-OpenSSH_9.2\r\n", RAW_HOLD, ERR_IO, 0 },
		{ "", RAW_FIN, ERR_IO, 0 },
		{ "", RAW_RESET, ERR_IO, 0 },
		{ "", RAW_HOLD, ERR_TIMEOUT, 0 },
		{ "HTTP/1.1 200 OK\r\nContent-Le", RAW_HOLD, ERR_TIMEOUT, 200 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", RAW_HOLD, ERR_TIMEOUT, 200 },
		{ "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", RAW_HOLD, ERR_NONE, 302 },
		{ "HTTP/1.1 100 Continue\r\n\r\n" OK_HELLO, RAW_FIN, ERR_NONE, 200 },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		struct script script = { .bytes = cases[i].bytes, .then = cases[i].then };
		struct result r = { 0 };
		struct fixture f;

		start(&f, &script, 1);
		send_get(&f, &r, false, cases[i].code == ERR_TIMEOUT ? 30 : 2000);
		run_until(&f.loop, &r.done);
		if (r.reply.err.code != cases[i].code || r.reply.status != cases[i].status)
			print_message("case %zu: %d %s\n", i, r.reply.status, r.reply.err.msg);
		assert_int_equal(r.reply.err.code, cases[i].code);
		if (cases[i].code == ERR_NONE || cases[i].status == 0)
			assert_int_equal(r.reply.status, cases[i].status);
		if (cases[i].code != ERR_NONE) {
			assert_non_null(strstr(r.reply.err.msg, "127.0.0.1:"));
			assert_string_equal(r.body, "");
		}
		finish(&f);
		assert_int_equal(r.count, 1);
		result_done(&r);
	}
}

static void test_reply_too_large(void **state)
{
	auto_buf bytes = { .max = 10000 };
	struct script script;
	struct fixture f;

	(void)state;
	for (size_t size = 1000; size <= 1001; size++) {
		struct result r = { 0 };

		buf_clear(&bytes);
		buf_printf(&bytes, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", size);
		for (size_t i = 0; i < size; i++)
			buf_putc(&bytes, 'x');
		script = (struct script){ .bytes = bytes.data };
		start(&f, &script, 1);
		get(&f, &r);
		assert_int_equal(r.reply.err.code, size > 1000 ? ERR_TOO_LARGE : ERR_NONE);
		assert_int_equal(strlen(r.body), size > 1000 ? 0 : 1000);
		finish(&f);
		result_done(&r);
	}
}

static void test_connection_refused(void **state)
{
	static const struct script script[] = { { .bytes = OK_HELLO } };
	struct result r = { 0 }, again = { 0 };
	struct fixture f;

	(void)state;
	start(&f, script, 1);
	raw_server_stop(&f.server);
	get(&f, &r);
	assert_int_equal(r.reply.err.code, ERR_IO);
	assert_int_equal(r.reply.status, 0);
	raw_server_start(&f.server, &f.loop, script, 1);
	snprintf(f.url, sizeof(f.url), "http://127.0.0.1:%d/path", f.server.port);
	get(&f, &again);
	assert_string_equal(again.body, "hello");
	finish(&f);
	result_done(&r);
	result_done(&again);
}

static void test_bad_url(void **state)
{
	static const char *const urls[] = { "", "http://", "ftp://127.0.0.1/x", "file:///etc/passwd", "http://a b/" };
	static const struct script script[] = { { .bytes = OK_HELLO } };
	struct fixture f;

	(void)state;
	start(&f, script, 1);
	for (size_t i = 0; i < array_len(urls); i++) {
		struct http_request request = { .method = "GET", .url = urls[i], .timeout_ms = 1000 };
		struct result r = { 0 };

		send_request(&f, &r, &request);
		run_until(&f.loop, &r.done);
		assert_int_equal(r.reply.err.code, ERR_INVALID);
		result_done(&r);
	}
	finish(&f);
}

/* docs/examples/multi-uv.c of curl never reports this one: the only transfer, ended by its timeout. */
static void test_timeout_completes_once(void **state)
{
	static const struct script script[] = { { .bytes = "" } };
	struct result r = { 0 };
	struct fixture f;

	(void)state;
	start(&f, script, 1);
	send_get(&f, &r, false, 20);
	run_until(&f.loop, &r.done);
	assert_int_equal(r.reply.err.code, ERR_TIMEOUT);
	run_for(&f.loop, 40);
	assert_int_equal(r.count, 1);
	finish(&f);
	result_done(&r);
}

/* A listener that never accepts, its backlog full: libcurl's own timer ends the transfer. */
static void test_connect_timeout(void **state)
{
	static const struct script script[] = { { .bytes = OK_HELLO } };
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), fill[4];
	socklen_t len = sizeof(addr);
	struct result r = { 0 };
	struct fixture f;
	struct http_request request = { .method = "GET", .url = f.url, .connect_timeout_ms = 30 };

	(void)state;
	start(&f, script, 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	for (size_t i = 0; i < array_len(fill); i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fill[i], (struct sockaddr *)&addr, len);
	}
	snprintf(f.url, sizeof(f.url), "http://127.0.0.1:%d/", ntohs(addr.sin_port));
	send_request(&f, &r, &request);
	run_until(&f.loop, &r.done);
	assert_int_equal(r.reply.err.code, ERR_TIMEOUT);
	finish(&f);
	assert_int_equal(r.count, 1);
	for (size_t i = 0; i < array_len(fill); i++)
		close(fill[i]);
	close(fd);
	result_done(&r);
}

/* The server closes an idle connection at the moment it is used again: libcurl must try a fresh one by itself. */
static void test_dead_pooled_connection(void **state)
{
	static const struct script script[] = { { .bytes = OK_HELLO },
						{ .bytes = "", .then = RAW_RESET },
						{ .bytes = OK_HELLO } };
	struct result a = { 0 }, b = { 0 };
	struct fixture f;

	(void)state;
	start(&f, script, 3);
	get(&f, &a);
	get(&f, &b);
	assert_int_equal(b.reply.err.code, ERR_NONE);
	assert_string_equal(b.body, "hello");
	assert_int_equal(f.server.accepted, 2);
	finish(&f);
	result_done(&a);
	result_done(&b);
}

static void test_queue_is_bounded_fifo(void **state)
{
	static const struct script script[] = { { .bytes = "" }, { .bytes = "" }, { .bytes = OK_HELLO } };
	struct result stuck[2] = { 0 }, late = { 0 }, queued[2] = { 0 }, stream = { 0 };
	struct fixture f;

	(void)state;
	start(&f, script, 3);
	send_get(&f, &stuck[0], false, 60);
	send_get(&f, &stuck[1], false, 60);
	send_get(&f, &late, false, 20); /* its time passes while it waits */
	send_get(&f, &queued[0], false, 2000);
	send_get(&f, &queued[1], false, 2000);
	run_until(&f.loop, &late.done);
	assert_int_equal(late.reply.err.code, ERR_TIMEOUT);
	assert_non_null(strstr(late.reply.err.msg, "free connection"));
	assert_int_equal(f.server.requests, 2);
	send_get(&f, &stream, true, 2000); /* not counted: runs at once */
	run_until(&f.loop, &stream.done);
	assert_false(queued[0].done);
	run_until(&f.loop, &queued[1].done);
	assert_true(queued[0].done);
	assert_int_equal(stuck[0].count, 1);
	assert_int_equal(stuck[0].reply.err.code, ERR_TIMEOUT);
	finish(&f);
	for (size_t i = 0; i < 2; i++) {
		result_done(&stuck[i]);
		result_done(&queued[i]);
	}
	result_done(&late);
	result_done(&stream);
}

static void test_cancel_makes_room(void **state)
{
	static const struct script script[] = { { .bytes = "" }, { .bytes = "" }, { .bytes = OK_HELLO } };
	struct result stuck[2] = { 0 }, queued = { 0 };
	struct fixture f;

	(void)state;
	start(&f, script, 3);
	send_get(&f, &stuck[0], false, 0);
	send_get(&f, &stuck[1], false, 0);
	send_get(&f, &queued, false, 0);
	run_for(&f.loop, 10);
	assert_int_equal(f.server.requests, 2);
	http_op_cancel(stuck[0].op);
	run_for(&f.loop, 50); /* not only when something else happens */
	assert_true(queued.done);
	assert_string_equal(queued.body, "hello");
	finish(&f);
	result_done(&queued);
}

/* --- cancelling, closing, sending from callbacks --- */

static void test_cancel_is_silent(void **state)
{
	static const struct script script[] = { { .bytes = OK_STREAM "5\r\nhello\r\n" } };
	struct result r[4] = { 0 };
	struct fixture f;

	(void)state;
	start(&f, script, 1);
	send_get(&f, &r[0], false, 1000);
	http_op_cancel(r[0].op); /* before anything happened */
	send_get(&f, &r[1], true, 0);
	send_get(&f, &r[2], false, 1000);
	send_get(&f, &r[3], false, 1000);
	http_op_cancel(r[3].op);
	run_for(&f.loop, 20);
	assert_int_equal(r[1].chunks, 1);
	http_op_cancel(r[1].op);
	http_op_cancel(r[2].op);
	run_for(&f.loop, 20);
	for (size_t i = 0; i < array_len(r); i++) {
		assert_int_equal(r[i].count, 0);
		result_done(&r[i]);
	}
	finish(&f);
}

static void test_cancel_others_in_callback(void **state)
{
	static const struct script script[] = { { .bytes = OK_HELLO } };
	struct result a = { 0 }, b = { 0 }, c = { 0 };
	struct fixture f;

	(void)state;
	start(&f, script, 1);
	/* a and b end in the same round; c waits. Whoever comes first cancels the other. */
	send_get(&f, &a, false, 1000);
	send_get(&f, &b, false, 1000);
	send_get(&f, &c, false, 1000);
	a.victim = &b;
	b.victim = &a;
	run_until(&f.loop, &c.done);
	run_for(&f.loop, 20);
	assert_int_equal(a.count + b.count, 1);
	assert_int_equal(c.count, 1);
	finish(&f);
	result_done(&a);
	result_done(&b);
	result_done(&c);
}

static void test_cancel_self_in_data(void **state)
{
	static const struct script script[] = { { .bytes = OK_STREAM "5\r\nhello\r\n0\r\n\r\n", .one_by_one = true } };
	struct result r = { .cancel_self = true, .stop_at = 3 };
	struct fixture f;

	(void)state;
	start(&f, script, 1);
	send_get(&f, &r, true, 0);
	run_for(&f.loop, 40);
	assert_int_equal(r.chunks, 3);
	assert_int_equal(r.count, 0);
	assert_string_equal(buf_str(&r.streamed), "hel");
	finish(&f);
	result_done(&r);
}

static void test_cancel_self_in_done(void **state)
{
	static const struct script script[] = { { .bytes = OK_HELLO } };
	struct result r = { .cancel_self = true };
	struct fixture f;

	(void)state;
	start(&f, script, 1);
	get(&f, &r);
	assert_string_equal(r.body, "hello");
	finish(&f);
	assert_int_equal(r.count, 1);
	result_done(&r);
}

static void test_send_in_done(void **state)
{
	static const struct script script[] = { { .bytes = OK_HELLO } };
	struct result r[3] = { 0 };
	struct fixture f;

	(void)state;
	start(&f, script, 1);
	r[0].next = &r[1];
	r[1].next = &r[2];
	send_get(&f, &r[0], false, 1000);
	run_until(&f.loop, &r[2].done);
	assert_int_equal(f.server.accepted, 1);
	finish(&f);
	for (size_t i = 0; i < array_len(r); i++) {
		assert_int_equal(r[i].count, 1);
		result_done(&r[i]);
	}
}

static void test_close_in_callbacks(void **state)
{
	static const struct script script[] = { { .bytes = OK_HELLO } };

	(void)state;
	for (int stream = 0; stream <= 1; stream++) {
		struct result r = { .close_client = true }, other = { 0 }, waiting = { 0 };
		struct fixture f;

		start(&f, script, 1);
		send_get(&f, &r, stream, 1000);
		send_get(&f, &other, true, 0);
		send_get(&f, &waiting, false, 1000);
		while (f.client)
			uv_run(&f.loop.uv, UV_RUN_ONCE);
		run_for(&f.loop, 20);
		assert_int_equal(r.count, stream ? 0 : 1);
		finish(&f);
		result_done(&r);
		result_done(&other);
		result_done(&waiting);
	}
}

static void test_close_with_all_under_way(void **state)
{
	static const struct script script[] = { { .bytes = OK_STREAM "5\r\nhello\r\n" } };
	struct result r[6] = { 0 };
	struct fixture f;

	(void)state;
	start(&f, script, 1);
	for (size_t i = 0; i < array_len(r); i++)
		send_get(&f, &r[i], i % 2 == 0, 1000);
	run_until(&f.loop, &(bool){ true });
	run_for(&f.loop, 10);
	finish(&f);
	for (size_t i = 0; i < array_len(r); i++) {
		assert_int_equal(r[i].count, 0);
		result_done(&r[i]);
	}
}

/* --- streams --- */

static void test_stream_byte_by_byte(void **state)
{
	static const struct script script[] = { { .bytes = OK_STREAM "6\r\nhello\n\r\n6\r\nworld\n\r\n0\r\n\r\n",
						  .one_by_one = true } };
	struct result r = { 0 };
	struct fixture f;

	(void)state;
	start(&f, script, 1);
	send_get(&f, &r, true, 0);
	run_until(&f.loop, &r.done);
	assert_string_equal(buf_str(&r.streamed), "hello\nworld\n");
	assert_int_equal(r.chunks, 12);
	assert_string_equal(r.body, "");
	assert_int_equal(r.reply.err.code, ERR_NONE);
	finish(&f);
	result_done(&r);
}

static void test_stream_refused(void **state)
{
	static const struct script script[] = { { .bytes = "HTTP/1.1 410 Gone\r\nContent-Length: 4\r\n\r\ngone" } };
	struct result r = { 0 };
	struct fixture f;

	(void)state;
	start(&f, script, 1);
	send_get(&f, &r, true, 0);
	run_until(&f.loop, &r.done);
	assert_int_equal(r.chunks, 0);
	assert_int_equal(r.reply.status, 410);
	assert_string_equal(r.body, "gone");
	finish(&f);
	result_done(&r);
}

static void test_stream_cut_off(void **state)
{
	static const struct script script[] = { { .bytes = OK_STREAM "6\r\nhello\n\r\n4\r\nwo", .then = RAW_FIN } };
	struct result r = { 0 };
	struct fixture f;

	(void)state;
	start(&f, script, 1);
	send_get(&f, &r, true, 0);
	run_until(&f.loop, &r.done);
	assert_string_equal(buf_str(&r.streamed), "hello\nwo"); /* what came is delivered first */
	assert_int_equal(r.reply.err.code, ERR_IO);
	finish(&f);
	result_done(&r);
}

/* More than the chunk buffer holds, at once: libcurl pauses, nothing is lost. */
static void test_stream_large(void **state)
{
	enum { SIZE = 6 << 20 };
	auto_buf bytes = { .max = SIZE + 100 };
	struct script script;
	struct result r = { 0 };
	struct fixture f;

	(void)state;
	buf_printf(&bytes, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", SIZE);
	for (size_t i = 0; i < SIZE; i++)
		buf_putc(&bytes, (char)('a' + i % 23));
	script = (struct script){ .bytes = bytes.data };
	start(&f, &script, 1);
	send_get(&f, &r, true, 0);
	run_until(&f.loop, &r.done);
	assert_int_equal(r.reply.err.code, ERR_NONE);
	assert_int_equal(r.streamed.len, SIZE);
	assert_memory_equal(r.streamed.data, bytes.data + bytes.len - SIZE, SIZE);
	finish(&f);
	result_done(&r);
}

static void never(uv_poll_t *handle, int status, int events)
{
	(void)handle;
	fail_msg("poll: %d %d", status, events);
}

/* A handle left on a descriptor that was closed behind libuv's back: the next socket gets its number and cannot be
 * watched. */
static void test_socket_cannot_be_watched(void **state)
{
	static const struct script script[] = { { .bytes = OK_HELLO } };
	struct result broken = { 0 }, after = { 0 };
	uv_poll_t stale;
	struct fixture f;
	int fds[2];

	(void)state;
	start(&f, script, 1);
	get(&f, &after); /* what libcurl opens once is open */
	assert_string_equal(after.body, "hello");
	result_done(&after);
	after = (struct result){ 0 };
	http_client_close(f.client);
	f.client = http_client_new(&f.loop, &(struct http_client_options){ 0 });
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(uv_poll_init(&f.loop.uv, &stale, fds[0]), 0);
	assert_int_equal(uv_poll_start(&stale, UV_READABLE, never), 0);
	uv_run(&f.loop.uv, UV_RUN_NOWAIT);
	close(fds[0]);
	send_get(&f, &broken, false, 2000);
	run_until(&f.loop, &broken.done);
	assert_int_equal(broken.reply.err.code, ERR_IO);
	uv_poll_stop(&stale);
	uv_close((uv_handle_t *)&stale, NULL);
	close(fds[1]);
	get(&f, &after);
	assert_string_equal(after.body, "hello");
	finish(&f);
	result_done(&broken);
	result_done(&after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_body_and_headers),
		cmocka_unit_test(test_bad_replies),
		cmocka_unit_test(test_reply_too_large),
		cmocka_unit_test(test_connection_refused),
		cmocka_unit_test(test_bad_url),
		cmocka_unit_test(test_timeout_completes_once),
		cmocka_unit_test(test_connect_timeout),
		cmocka_unit_test(test_dead_pooled_connection),
		cmocka_unit_test(test_queue_is_bounded_fifo),
		cmocka_unit_test(test_cancel_makes_room),
		cmocka_unit_test(test_cancel_is_silent),
		cmocka_unit_test(test_cancel_others_in_callback),
		cmocka_unit_test(test_cancel_self_in_data),
		cmocka_unit_test(test_cancel_self_in_done),
		cmocka_unit_test(test_send_in_done),
		cmocka_unit_test(test_close_in_callbacks),
		cmocka_unit_test(test_close_with_all_under_way),
		cmocka_unit_test(test_stream_byte_by_byte),
		cmocka_unit_test(test_stream_refused),
		cmocka_unit_test(test_stream_cut_off),
		cmocka_unit_test(test_stream_large),
		cmocka_unit_test(test_socket_cannot_be_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
