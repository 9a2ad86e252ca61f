/*
 * Writes with a fence: none is sent after the fence has closed, whatever it waited for by then, and the fence knows
 * which were sent and not answered.
 */
#include "client_lib.h"

#include "kube/fence.h"

static struct fence fence;
static int64_t clock_ms;

static int64_t read_clock(const struct fence *f)
{
	(void)f;
	return clock_ms;
}

static struct request fenced_write(void)
{
	return (struct request){ .verb = VERB_DELETE, .res = &resource_pod, .ns = "a", .name = "p", .fence = &fence };
}

static struct raw *held[CALLS];
static int held_count;

static void hold(struct raw *c, const char *head, const char *body)
{
	(void)head;
	(void)body;
	held[held_count++] = c;
}

static bool enough_held(void *arg)
{
	return held_count >= *(int *)arg;
}

static void run_until_held(int n)
{
	run_while_not(&w.loop, enough_held, &n);
}

static void begin_fenced(script_fn *script, double qps, unsigned max_connections)
{
	held_count = 0;
	clock_ms = 1000;
	fence_init(&fence, read_clock);
	fence.until_ms = 2000;
	begin_with(script, qps, max_connections);
}

static void expect_unsent(int i, size_t requests)
{
	check_error(&w.outcomes[i], ERR_CANCELED, "delete pods a/p: not sent, since another replica may lead by now");
	assert_int_equal(w.server.requests.len, requests);
	assert_int_equal(fence.under_way, 0);
	assert_int_equal(fence.unanswered_ms, INT64_MIN);
}

/* ---- what is not sent ---- */

static void an_open_fence_is_not_noticed(void **state)
{
	struct request req = fenced_write();

	(void)state;
	begin_fenced(say_ok, 0, 0);
	for (int i = 0; i < 3; i++) {
		send_as(&req, i);
		run(i + 1);
		assert_int_equal(w.outcomes[i].reply.err.code, ERR_NONE);
	}
	assert_int_equal(fence.under_way, 0);
	assert_int_equal(fence.unanswered_ms, INT64_MIN);
	end();
}

static void a_write_that_waits_for_a_place(void **state)
{
	struct request req = fenced_write();

	(void)state;
	begin_fenced(hold, 0, 1);
	send_as(&get_pod, 0);
	send_as(&req, 1);
	run_until_held(1);
	clock_ms = 2000;
	answer(held[0], 200, "", "{}");
	run(2);
	expect_unsent(1, 1);
	end();
}

static void a_write_that_waits_for_the_rate(void **state)
{
	struct request req = fenced_write();

	(void)state;
	begin_fenced(say_ok, 20, 0);
	send_as(&req, 0);
	send_as(&req, 1);
	run(1);
	clock_ms = 2000; /* the process was stopped, and this timer is the first that runs */
	run(2);
	expect_unsent(1, 1);
	end();
}

/* On a connection that is there, between send and the next turn of the loop. */
static void a_write_that_was_just_asked_for(void **state)
{
	struct request req = fenced_write();

	(void)state;
	begin_fenced(say_ok, 0, 0);
	send_as(&get_pod, 0);
	run(1);
	send_as(&req, 1);
	clock_ms = 5000;
	run(2);
	expect_unsent(1, 1);
	send_as(&get_pod, 2); /* reads go on */
	run(3);
	assert_int_equal(w.outcomes[2].reply.err.code, ERR_NONE);
	end();
}

/* A proxy that takes its time: the connection is made, but not the way behind it. */
static void answer_socks(struct raw *c)
{
	static const char chosen[] = { 5, 0 }, granted[] = { 5, 0, 0, 1, 0, 0, 0, 0, 0, 0 };

	if (c->eof) {
		raw_close(c);
	} else if (c->in.len > 0 && c->in.data[0] == 5 && c->in.len < 5) {
		raw_send(c, chosen, sizeof(chosen));
		buf_clear(&c->in);
	} else if (c->in.len > 0 && c->in.data[0] == 5) {
		clock_ms = 2000;
		raw_send(c, granted, sizeof(granted));
		buf_clear(&c->in);
	} else {
		server_data(c);
	}
}

static void greet_as_socks(uv_stream_t *listener, int status)
{
	server_connection(listener, status);
	container_of(w.server.conns.prev, struct raw, link)->on_data = answer_socks;
}

static void a_write_that_waits_inside_libcurl(void **state)
{
	static char server[] = "http://10.0.0.1:6443";
	struct request req = fenced_write();
	auto_free char *proxy = NULL;
	struct config config = { .server = server };

	(void)state;
	begin_fenced(say_ok, 0, 0);
	client_close(w.client);
	metrics_free(take_ptr(w.metrics));
	proxy = xasprintf("socks5://%s", w.host);
	config.proxy = proxy;
	new_client(&config, 0, 0);
	w.server.listener.connection_cb = greet_as_socks;
	send_as(&req, 0);
	run(1);
	assert_int_equal(clock_ms, 2000);
	expect_unsent(0, 0);
	end();
}

/* The server closes a connection instead of answering, and libcurl would repeat the write on another one. */
static void close_on_second(struct raw *c, const char *head, const char *body)
{
	if (w.server.requests.len == 2) {
		clock_ms = 2000;
		raw_reset(c);
	} else {
		say_ok(c, head, body);
	}
}

static void a_write_that_libcurl_repeats(void **state)
{
	struct request req = fenced_write();

	(void)state;
	begin_fenced(close_on_second, 0, 0);
	send_as(&req, 0);
	run(1);
	send_as(&req, 1);
	run(2);
	check_error(&w.outcomes[1], ERR_CANCELED, "delete pods a/p: not sent");
	assert_int_equal(w.server.requests.len, 2);
	assert_int_equal(fence.under_way, 0);
	assert_int_equal(fence.unanswered_ms, 2000); /* the first time it was sent */
	end();
}

/* ---- what was sent ---- */

static void what_is_under_way_is_counted(void **state)
{
	struct request req = fenced_write();

	(void)state;
	begin_fenced(hold, 0, 2);
	for (int i = 0; i < 4; i++)
		send_as(&req, i);
	assert_int_equal(fence.under_way, 0);
	run_until_held(2);
	assert_int_equal(fence.under_way, 2);
	answer(held[0], 200, "", "{}");
	run_until_held(3);
	assert_int_equal(fence.under_way, 2);
	answer(held[1], 409, "", "{}");
	answer(held[2], 200, "", "{}");
	run_until_held(4);
	answer(held[3], 200, "", "{}");
	run(4);
	assert_int_equal(fence.under_way, 0);
	assert_int_equal(fence.unanswered_ms, INT64_MIN);
	end();
}

static void a_cancelled_write_counts_if_it_was_sent(void **state)
{
	struct request req = fenced_write();
	struct api_call *waiting, *sent;

	(void)state;
	begin_fenced(hold, 0, 1);
	sent = send_as(&req, 0);
	waiting = send_as(&req, 1);
	run_until_held(1);
	api_cancel(api(), waiting);
	assert_int_equal(fence.under_way, 1);
	assert_int_equal(fence.unanswered_ms, INT64_MIN);
	api_cancel(api(), sent);
	assert_int_equal(fence.under_way, 0);
	assert_int_equal(fence.unanswered_ms, 1000);
	end();
}

static void a_write_without_answer_counts(void **state)
{
	struct request req = fenced_write();

	(void)state;
	req.timeout_ms = 30;
	begin_fenced(stay_silent, 0, 0);
	send_as(&req, 0);
	run(1);
	check_error(&w.outcomes[0], ERR_TIMEOUT, "delete pods a/p: ");
	assert_int_equal(fence.under_way, 0);
	assert_int_equal(fence.unanswered_ms, 1000);
	end();
}

/* As a write whose client is closed. */
static void so_does_one_of_a_client_that_is_closed(void **state)
{
	struct request req = fenced_write();

	(void)state;
	begin_fenced(hold, 0, 0);
	send_as(&req, 0);
	run_until_held(1);
	client_close(take_ptr(w.client));
	assert_int_equal(fence.under_way, 0);
	assert_int_equal(fence.unanswered_ms, 1000);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_open_fence_is_not_noticed),
		cmocka_unit_test(a_write_that_waits_for_a_place),
		cmocka_unit_test(a_write_that_waits_for_the_rate),
		cmocka_unit_test(a_write_that_was_just_asked_for),
		cmocka_unit_test(a_write_that_waits_inside_libcurl),
		cmocka_unit_test(a_write_that_libcurl_repeats),
		cmocka_unit_test(what_is_under_way_is_counted),
		cmocka_unit_test(a_cancelled_write_counts_if_it_was_sent),
		cmocka_unit_test(a_write_without_answer_counts),
		cmocka_unit_test(so_does_one_of_a_client_that_is_closed),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
