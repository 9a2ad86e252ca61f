/*
 * The share of a turn of the loop that handlers have: a flood of requests whose handlers take long leaves timers their
 * turns. The handler here takes more than a whole share, so the counts do not depend on the speed of the machine.
 */
#include "net_lib.h"

#include "base/time.h"
#include "net/http_client.h"
#include "net/http_server.h"

#define GET "GET /dear HTTP/1.1\r\nHost: h\r\n\r\n"

enum { COUNT = 12, SHARE_US = 20 * 1000 };

struct fixture {
	struct loop loop;
	struct http_server *server;
	struct sched_timer beat;
	unsigned beats;	     /* of a timer that is always due */
	unsigned calls;	     /* of the handler */
	unsigned last_beats; /* at the last call */
	unsigned in_a_row;   /* calls since then without a beat */
	unsigned most;	     /* of these */
	int64_t takes_us;
	unsigned answers; /* that our client got */
	struct raw *raws[COUNT];
	bool closed;
};

static void on_beat(void *arg)
{
	struct fixture *f = arg;

	f->beats++;
	sched_arm(&f->loop.sched, &f->beat, 0);
}

static void on_dear(void *arg, struct http_exchange *x)
{
	struct fixture *f = arg;
	int64_t end_us = time_now_us() + f->takes_us;

	while (time_now_us() < end_us)
		continue;
	f->calls++;
	f->in_a_row = f->beats == f->last_beats ? f->in_a_row + 1 : 1;
	f->most = f->in_a_row > f->most ? f->in_a_row : f->most;
	f->last_beats = f->beats;
	buf_printf(&x->reply, "call %u.", f->calls);
}

static void start(struct fixture *f, int64_t takes_us)
{
	const struct http_route routes[] = {
		{ .method = "GET", .path = "/dear", .fn = on_dear, .arg = f },
		{ .method = "POST", .path = "/dear", .fn = on_dear, .arg = f },
	};
	struct err err;

	*f = (struct fixture){ .takes_us = takes_us };
	assert_int_equal(loop_init(&f->loop, &err), 0);
	f->server = http_server_new(&f->loop, routes, array_len(routes), &(struct http_server_options){ 0 });
	assert_int_equal(http_server_listen(f->server, "127.0.0.1:0", &err), 0);
	for (size_t i = 0; i < COUNT; i++) {
		f->raws[i] = raw_connect(&f->loop, http_server_port(f->server));
		run_until(&f->loop, &f->raws[i]->connected);
	}
	run_for(&f->loop, 10);
	sched_timer_init(&f->beat, on_beat, f);
	sched_arm(&f->loop.sched, &f->beat, 0);
}

static void finish(struct fixture *f)
{
	sched_disarm(&f->loop.sched, &f->beat);
	for (size_t i = 0; i < COUNT; i++)
		raw_close(f->raws[i]);
	if (!f->closed)
		http_server_close(f->server, 0);
	assert_int_equal(loop_close(&f->loop), 0);
}

static void ask_all(struct fixture *f, const char *request)
{
	for (size_t i = 0; i < COUNT; i++)
		raw_puts(f->raws[i], request);
	for (size_t i = 0; i < COUNT; i++)
		raw_expect(f->raws[i], "call ");
}

static uint64_t queued(const struct fixture *f)
{
	return http_server_stats(f->server)->queued;
}

/* Two, as timers have their turn between those that wait and those that arrive. */
static void timers_run_between_dear_handlers(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, SHARE_US + 1000);
	ask_all(&f, GET);
	assert_int_equal(f.calls, COUNT);
	assert_in_range(f.most, 1, 2);
	assert_in_range(queued(&f), COUNT / 2, COUNT);
	finish(&f);
}

static void cheap_requests_do_not_wait(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 0);
	ask_all(&f, GET);
	assert_int_equal(f.calls, COUNT);
	assert_in_range(queued(&f), 0, 1); /* the machine may be slow */
	finish(&f);
}

/* Requests that came with the one that waits are answered after it, in order. */
static void pipelined_requests_stay_in_order(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, SHARE_US + 1000);
	raw_puts(f.raws[0], GET GET GET);
	raw_puts(f.raws[1], "POST /dear HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" GET);
	for (int i = 0; i < 3; i++)
		raw_expect(f.raws[0], "\r\n\r\ncall ");
	for (int i = 0; i < 2; i++)
		raw_expect(f.raws[1], "\r\n\r\ncall ");
	assert_int_equal(f.calls, 5);
	assert_in_range(f.most, 1, 2);
	finish(&f);
}

static bool one_waits(void *arg)
{
	return queued(arg) > 0;
}

/* Connections close, or the server does, while their requests wait. */
static void the_end_may_come_while_requests_wait(void **state)
{
	for (int drains = 0; drains < 2; drains++) {
		struct fixture f;

		(void)state;
		start(&f, SHARE_US + 1000);
		for (size_t i = 0; i < COUNT; i++)
			raw_puts(f.raws[i], GET);
		run_while_not(&f.loop, one_waits, &f);
		http_server_close(f.server, drains ? 5000 : 0);
		f.closed = true;
		if (drains)
			for (size_t i = 0; i < COUNT; i++)
				run_until(&f.loop, &f.raws[i]->eof);
		assert_true(f.calls < COUNT || drains);
		finish(&f);
	}
}

static void on_answer(void *arg, struct http_reply *reply)
{
	struct fixture *f = arg;

	assert_int_equal(reply->status, 200);
	f->answers++;
}

static bool all_are_answered(void *arg)
{
	return ((const struct fixture *)arg)->answers == COUNT;
}

static void the_same_with_tls(void **state)
{
	struct pki leaf = pki_new(NULL, "leaf", "DNS:localhost");
	const struct http_tls tls = { .insecure = true };
	struct http_client *client;
	auto_free char *url = NULL;
	struct fixture f;
	struct err err;

	(void)state;
	start(&f, SHARE_US + 1000);
	assert_int_equal(http_server_set_certificate(f.server, leaf.cert_pem, leaf.key_pem, &err), 0);
	url = xasprintf("https://localhost:%d/dear", http_server_port(f.server));
	client = http_client_new(&f.loop, &(struct http_client_options){ .max_connections = COUNT });
	assert_int_equal(http_client_set_tls(client, &tls, &err), 0);
	for (size_t i = 0; i < COUNT; i++)
		http_client_send(client, &(struct http_request){ .method = "GET", .url = url, .timeout_ms = GUARD_MS },
				 NULL, on_answer, &f);
	run_while_not(&f.loop, all_are_answered, &f);
	assert_in_range(f.most, 1, 2);
	http_client_close(client);
	finish(&f);
	pki_done(&leaf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_run_between_dear_handlers),
		cmocka_unit_test(cheap_requests_do_not_wait),
		cmocka_unit_test(pipelined_requests_stay_in_order),
		cmocka_unit_test(the_end_may_come_while_requests_wait),
		cmocka_unit_test(the_same_with_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
