/*
 * /metrics: written out at most once a second, whoever asks and however often, and the same text is sent to all, also
 * to those who still read it when the next one has been made.
 */
#include "../../net/net_lib.h"

#include "diagnostics.h"
#include "net/http_client.h"
#include "options_args.h"

#define GET "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n"

enum { COUNT = 20, REPEAT = 3, BIG = 8 << 20 };

struct fixture {
	struct loop loop;
	struct metrics *metrics;
	struct metric *gauge;
	struct options options;
	struct diagnostics *diagnostics;
	int port;
	int collections;
};

static void on_collect(void *arg)
{
	struct fixture *f = arg;

	metric_set(f->gauge, NULL, ++f->collections);
}

static bool is_ready(void *arg, const char **ret_why)
{
	(void)arg;
	(void)ret_why;
	return true;
}

static struct json *no_debug(void *arg)
{
	(void)arg;
	return json_new_object();
}

/* One that is free now. */
static int find_port(struct loop *loop)
{
	static const struct script none = { .bytes = "" };
	struct raw_server s;

	raw_server_start(&s, loop, &none, 1);
	raw_server_stop(&s);
	return s.port;
}

static void start(struct fixture *f, const char *help, const char *flag)
{
	auto_free char *address = NULL;
	struct diagnostics_source source;
	struct err err = { 0 };

	*f = (struct fixture){ .metrics = metrics_new() };
	assert_int_equal(loop_init(&f->loop, &err), 0);
	f->port = find_port(&f->loop);
	address = xasprintf("--metrics-bind-address=127.0.0.1:%d", f->port);
	must_parse(&f->options, OPTIONS_START, ARGS(address, flag));
	f->gauge = metrics_family(f->metrics, METRIC_GAUGE, "collections", help, NULL, NULL, 0);
	metrics_on_collect(f->metrics, on_collect, f);
	source = (struct diagnostics_source){ .loop = &f->loop,
					      .metrics = f->metrics,
					      .host = "localhost",
					      .ready = is_ready,
					      .debug = no_debug,
					      .arg = f };
	f->diagnostics = diagnostics_new(&source, &f->options, &err);
	if (!f->diagnostics)
		fail_msg("%s", err.msg);
}

static void finish(struct fixture *f)
{
	diagnostics_close(f->diagnostics);
	assert_int_equal(loop_close(&f->loop), 0);
	metrics_free(f->metrics);
	options_done(&f->options);
}

static struct raw *join(struct fixture *f)
{
	struct raw *r = raw_connect(&f->loop, f->port);

	run_until(&f->loop, &r->connected);
	return r;
}

static void many_scrapes_in_a_second_are_one_collection(void **state)
{
	struct raw *raws[COUNT];
	struct fixture f;
	int64_t begin_ms;

	(void)state;
	start(&f, "Collections", "--enable-metrics");
	for (size_t i = 0; i < COUNT; i++)
		raws[i] = join(&f);
	begin_ms = sched_now(&f.loop.sched);
	for (size_t i = 0; i < COUNT * REPEAT; i++) {
		raw_puts(raws[i % COUNT], GET);
		raw_expect(raws[i % COUNT], "\ncollections ");
	}
	assert_in_range(f.collections, 1, 1 + (sched_now(&f.loop.sched) - begin_ms) / 1000);
	run_for(&f.loop, 1001);
	f.collections = 41;
	raw_puts(raws[0], GET);
	raw_expect(raws[0], "\ncollections 42\n");
	for (size_t i = 0; i < COUNT; i++)
		raw_close(raws[i]);
	finish(&f);
}

static void whoever_reads_slowly_gets_the_text_that_was_meant(void **state)
{
	auto_free char *help = xmalloc(BIG + 1);
	struct raw *slow, *other;
	struct fixture f;

	(void)state;
	memset(help, 'x', BIG);
	help[BIG] = '\0';
	start(&f, help, "--enable-metrics");
	slow = join(&f);
	other = join(&f);
	uv_read_stop((uv_stream_t *)&slow->tcp);
	raw_puts(slow, GET);
	run_for(&f.loop, 1001);
	f.collections = 41;
	raw_puts(other, GET);
	raw_expect(other, "\ncollections 42\n");
	uv_read_start((uv_stream_t *)&slow->tcp, raw_alloc, raw_read);
	raw_expect(slow, "\ncollections 1\n");
	raw_puts(slow, "HEAD /metrics HTTP/1.1\r\nHost: h\r\n\r\n");
	raw_expect(slow, "Content-Length: 838");
	raw_close(slow);
	raw_close(other);
	finish(&f);
}

struct result {
	bool done;
	char *body;
};

static void on_done(void *arg, struct http_reply *reply)
{
	struct result *r = arg;

	assert_int_equal(reply->status, 200);
	r->body = buf_take(&reply->body);
	r->done = true;
}

static void the_same_with_tls(void **state)
{
	const struct http_tls tls = { .insecure = true };
	struct http_client *client;
	auto_free char *url = NULL;
	struct fixture f;
	struct err err;

	(void)state;
	start(&f, "Collections", "--secure-metrics");
	url = xasprintf("https://localhost:%d/metrics", f.port);
	client = http_client_new(&f.loop, &(struct http_client_options){ 0 });
	assert_int_equal(http_client_set_tls(client, &tls, &err), 0);
	for (int i = 0; i < REPEAT; i++) {
		const struct http_request request = { .method = "GET", .url = url, .timeout_ms = GUARD_MS };
		struct result r = { 0 };

		http_client_send(client, &request, NULL, on_done, &r);
		run_until(&f.loop, &r.done);
		assert_non_null(strstr(r.body, "\ncollections "));
		free(r.body);
	}
	assert_in_range(f.collections, 1, 2);
	http_client_close(client);
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_scrapes_in_a_second_are_one_collection),
		cmocka_unit_test(whoever_reads_slowly_gets_the_text_that_was_meant),
		cmocka_unit_test(the_same_with_tls),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
