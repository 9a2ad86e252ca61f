/*
 * The connections of the HTTP client: how many it opens, which it uses again, and which it no longer trusts.
 */
#include "net_lib.h"

#include <sys/resource.h>

#include "net/http_client.h"

#define OK_HELLO  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define OK_STREAM "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"

enum { STREAMS = 60 };

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
	struct http_client_options options = { .max_connections = 4 };
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(some_files_are_left_for_who_asks_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
