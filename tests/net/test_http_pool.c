/*
 * The connections of the HTTP client: how many it opens, which it uses again, and which it no longer trusts.
 */
#include "net_lib.h"

#include <sys/resource.h>

#include "net/http_client.h"

#define OK_HELLO  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define OK_STREAM "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"

enum { STREAMS = 60, CALLS = 20, WARM = 4 };

struct result {
	bool done;
	bool heard;
	struct err err;
	int status;
};

struct fixture {
	struct loop loop;
	struct http_client *client;
	struct raw_server server;
	char url[64];
	struct result streams[STREAMS];
};

static void start(struct fixture *f, const struct script *scripts, size_t count)
{
	struct http_client_options options = { .max_connections = WARM };
	struct err err;

	memset(f, 0, sizeof(*f));
	assert_int_equal(loop_init(&f->loop, &err), 0);
	f->client = http_client_new(&f->loop, &options);
	raw_server_start(&f->server, &f->loop, scripts, count);
	snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d/path", f->server.port);
}

static void finish(struct fixture *f)
{
	http_client_close(f->client);
	raw_server_stop(&f->server);
	assert_int_equal(loop_close(&f->loop), 0);
}

static void on_data(void *arg, const char *data, size_t len)
{
	(void)data;
	(void)len;
	((struct result *)arg)->heard = true;
}

static void on_done(void *arg, struct http_reply *reply)
{
	struct result *r = arg;

	r->done = true;
	r->err = reply->err;
	r->status = reply->status;
}

static void send_get(struct fixture *f, struct result *r, bool stream, int64_t timeout_ms)
{
	struct http_request request = { .method = "GET", .url = f->url, .timeout_ms = timeout_ms, .stream = stream };

	*r = (struct result){ 0 };
	http_client_send(f->client, &request, on_data, on_done, r);
}

static bool is_known(void *arg)
{
	const struct result *r = arg;

	return r->heard || r->done;
}

static enum err_code call(struct fixture *f, int64_t timeout_ms)
{
	struct result r;

	send_get(f, &r, false, timeout_ms);
	run_until(&f->loop, &r.done);
	return r.err.code;
}

/* So many calls at the same time, each of which succeeds. */
static void call_together(struct fixture *f, size_t count)
{
	struct result r[WARM];

	for (size_t i = 0; i < count; i++)
		send_get(f, &r[i], false, 2000);
	for (size_t i = 0; i < count; i++) {
		run_until(&f->loop, &r[i].done);
		assert_int_equal(r[i].err.code, ERR_NONE);
	}
}

static void swallow(struct raw *r)
{
	if (r->eof)
		raw_close(r);
}

/* The connections that are open now are dead from here on, and nobody is told. New ones work. */
static void go_mute(struct fixture *f)
{
	for (struct list *link = f->server.conns.next; link != &f->server.conns; link = link->next)
		container_of(link, struct raw, link)->on_data = swallow;
}

static size_t open_connections(const struct fixture *f)
{
	size_t count = 0;

	for (const struct list *link = f->server.conns.next; link != &f->server.conns; link = link->next)
		count++;
	return count;
}

/* Opens streams one after the other: each has said something, or has failed, before the next is opened. */
static void open_streams(struct fixture *f)
{
	for (size_t i = 0; i < STREAMS; i++) {
		send_get(f, &f->streams[i], true, 0);
		run_while_not(&f->loop, is_known, &f->streams[i]);
	}
}

/* Streams take connections until no file descriptor is left for them. Whoever asks this process is answered still. */
static void some_files_are_left_for_who_asks_us(void **state)
{
	static const struct script script[] = { { .bytes = OK_STREAM } };
	struct rlimit before, files;
	struct fixture f;
	struct raw *probe;
	size_t refused = 0;

	(void)state;
	start(&f, script, 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	files = before;
	files.rlim_cur = 100; /* both ends of a stream are in this process */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	open_streams(&f);
	for (size_t i = 0; i < STREAMS; i++) {
		if (f.streams[i].heard)
			continue;
		refused++;
		assert_int_equal(f.streams[i].err.code, ERR_IO);
		if (!strstr(f.streams[i].err.msg, "raise the limit of open files"))
			fail_msg("%s", f.streams[i].err.msg);
	}
	assert_in_range(refused, 20, 40);
	probe = raw_connect(&f.loop, f.server.port);
	raw_puts(probe, "GET /readyz HTTP/1.1\r\n\r\n");
	raw_expect(probe, "200 OK");
	raw_close(probe);
	finish(&f);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void streams_leave_the_connections_of_calls_alone(void **state)
{
	static const struct script script[] = { { .bytes = OK_STREAM }, { .bytes = OK_HELLO } };
	struct fixture f;

	(void)state;
	start(&f, script, 1);
	open_streams(&f);
	assert_int_equal(f.server.accepted, STREAMS);
	f.server.scripts = &script[1];
	for (size_t i = 0; i < CALLS; i++)
		assert_int_equal(call(&f, 2000), ERR_NONE);
	assert_int_equal(f.server.accepted, STREAMS + 1);
	call_together(&f, WARM);
	call_together(&f, WARM);
	assert_int_equal(f.server.accepted, STREAMS + WARM);
	finish(&f);
}

/* A load balancer fails over and tells nobody: one call is lost, and not one for each connection. */
static void one_timeout_ends_the_trust_in_all_connections(void **state)
{
	static const struct script script[] = { { .bytes = OK_HELLO } };
	struct fixture f;

	(void)state;
	start(&f, script, 1);
	call_together(&f, WARM);
	assert_int_equal(f.server.accepted, WARM);
	go_mute(&f);
	assert_int_equal(call(&f, 50), ERR_TIMEOUT);
	assert_int_equal(call(&f, 2000), ERR_NONE);
	assert_int_equal(f.server.accepted, WARM + 1);
	call_together(&f, WARM);
	call_together(&f, WARM);
	assert_int_equal(f.server.accepted, 2 * WARM);
	assert_int_equal(open_connections(&f), WARM); /* the dead ones are closed */
	finish(&f);
}

/* What was sent on connections of before fails later, and says nothing about those that were made since. */
static void later_failures_of_before_spare_the_new_ones(void **state)
{
	static const struct script script[] = { { .bytes = OK_HELLO } };
	struct result slow;
	struct fixture f;

	(void)state;
	start(&f, script, 1);
	call_together(&f, WARM);
	go_mute(&f);
	send_get(&f, &slow, false, 300);
	assert_int_equal(call(&f, 50), ERR_TIMEOUT);
	assert_int_equal(call(&f, 2000), ERR_NONE);
	assert_int_equal(f.server.accepted, WARM + 1);
	run_until(&f.loop, &slow.done);
	assert_int_equal(slow.err.code, ERR_TIMEOUT);
	assert_int_equal(call(&f, 2000), ERR_NONE);
	assert_int_equal(f.server.accepted, WARM + 1);
	finish(&f);
}

static void so_does_a_reset(void **state)
{
	static const struct script script[] = {
		{ .bytes = OK_HELLO }, { .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", .then = RAW_RESET }
	};
	struct fixture f;

	(void)state;
	start(&f, script, 1);
	call_together(&f, WARM);
	f.server.scripts = &script[1];
	assert_int_equal(call(&f, 2000), ERR_IO);
	f.server.scripts = &script[0];
	assert_int_equal(call(&f, 2000), ERR_NONE);
	assert_int_equal(f.server.accepted, WARM + 1);
	finish(&f);
}

/* A new connection that fails says nothing about those that have worked. */
static void a_failure_of_a_new_connection_spares_the_others(void **state)
{
	static const struct script script[] = {
		{ .bytes = OK_HELLO }, { .bytes = OK_HELLO }, { .bytes = "" }, { .bytes = OK_HELLO }
	};
	struct result first, second;
	struct fixture f;

	(void)state;
	start(&f, script, 4);
	assert_int_equal(call(&f, 2000), ERR_NONE);
	send_get(&f, &first, false, 2000); /* on the connection that is there */
	send_get(&f, &second, false, 50);  /* on a new one */
	run_until(&f.loop, &first.done);
	run_until(&f.loop, &second.done);
	assert_int_equal(first.err.code, ERR_NONE);
	assert_int_equal(second.err.code, ERR_TIMEOUT);
	assert_int_equal(f.server.accepted, 2);
	assert_int_equal(call(&f, 2000), ERR_NONE);
	assert_int_equal(f.server.accepted, 2);
	finish(&f);
}

static bool all_heard_twice(void *arg)
{
	const struct fixture *f = arg;

	return f->streams[0].done && f->streams[1].done;
}

/* What is under way when the trust ends goes on and ends as it would have. Streams count, too: one that fails on a used
 * connection makes the next calls open new ones. */
static void transfers_under_way_go_on(void **state)
{
	static const struct script script[] = { { .bytes = OK_STREAM }, { .bytes = OK_HELLO }, { .bytes = "" } };
	struct fixture f;

	(void)state;
	start(&f, script, 1);
	for (size_t i = 0; i < 2; i++) {
		send_get(&f, &f.streams[i], true, 0);
		run_while_not(&f.loop, is_known, &f.streams[i]);
	}
	f.server.scripts = &script[1];
	assert_int_equal(call(&f, 2000), ERR_NONE);
	f.server.scripts = &script[2];
	assert_int_equal(call(&f, 50), ERR_TIMEOUT);
	f.server.scripts = &script[1];
	assert_int_equal(call(&f, 2000), ERR_NONE);
	assert_int_equal(f.server.accepted, 4);
	for (struct list *link = f.server.conns.next; link != &f.server.conns; link = link->next)
		raw_puts(container_of(link, struct raw, link), "0\r\n\r\n");
	run_while_not(&f.loop, all_heard_twice, &f);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(f.streams[i].err.code, ERR_NONE);
	send_get(&f, &f.streams[0], true, 2000); /* OK_HELLO, and its connection stays */
	run_until(&f.loop, &f.streams[0].done);
	f.server.scripts = &script[2];
	send_get(&f, &f.streams[0], true, 50);
	run_until(&f.loop, &f.streams[0].done);
	assert_int_equal(f.streams[0].err.code, ERR_TIMEOUT);
	f.server.scripts = &script[1];
	f.server.accepted = 0;
	assert_int_equal(call(&f, 2000), ERR_NONE);
	assert_int_equal(f.server.accepted, 1);
	finish(&f);
}

/* The client may be closed while transfers of before are under way. */
static void may_be_closed_with_transfers_of_before(void **state)
{
	static const struct script script[] = { { .bytes = OK_STREAM }, { .bytes = OK_HELLO }, { .bytes = "" } };
	struct fixture f;

	(void)state;
	start(&f, script, 1);
	for (size_t i = 0; i < 3; i++) {
		f.server.scripts = &script[0];
		send_get(&f, &f.streams[i], true, 0);
		run_while_not(&f.loop, is_known, &f.streams[i]);
		f.server.scripts = &script[1];
		assert_int_equal(call(&f, 2000), ERR_NONE);
		f.server.scripts = &script[2];
		assert_int_equal(call(&f, 30), ERR_TIMEOUT);
	}
	finish(&f);
	for (size_t i = 0; i < 3; i++)
		assert_false(f.streams[i].done);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_leave_the_connections_of_calls_alone),
		cmocka_unit_test(one_timeout_ends_the_trust_in_all_connections),
		cmocka_unit_test(later_failures_of_before_spare_the_new_ones),
		cmocka_unit_test(so_does_a_reset),
		cmocka_unit_test(a_failure_of_a_new_connection_spares_the_others),
		cmocka_unit_test(transfers_under_way_go_on),
		cmocka_unit_test(may_be_closed_with_transfers_of_before),
		cmocka_unit_test(some_files_are_left_for_who_asks_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
