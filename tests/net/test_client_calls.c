/*
 * The API client's calls over time: watches, lanes, deadlines and rate, cancelling and closing at every moment.
 */
#include "client_lib.h"

#include "base/log.h"

/* ---- watches ---- */

static void finish_stream(void *arg)
{
	raw_puts(arg, "6\r\n{\"b\":2\r\n2\r\n}\n\r\n0\r\n\r\n");
}

static void stream_two(struct raw *c, const char *head, const char *body)
{
	static struct sched_timer timer;

	(void)body;
	assert_true(text_starts(head, "GET /api/v1/pods?watch=1&timeoutSeconds=300 HTTP/1.1\r\n"));
	assert_null(strstr(head, "Accept-Encoding"));
	raw_puts(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"a\":1}\n\r\n");
	sched_timer_init(&timer, finish_stream, c);
	sched_arm(&w.loop.sched, &timer, 10);
}

static void test_watch(void **state)
{
	struct outcome *o;

	(void)state;
	o = exchange(stream_two, &watch_pods);
	assert_int_equal(o->reply.err.code, ERR_NONE);
	assert_int_equal(o->reply.status, 200);
	assert_null(o->reply.body);
	assert_true(o->chunks >= 2);
	assert_string_equal(buf_str(&o->data), "{\"a\":1}\n{\"b\":2}\n");
	assert_true(counted("200", "GET", 1));
	end();
}

static void stream_cut(struct raw *c, const char *head, const char *body)
{
	(void)head;
	(void)body;
	raw_puts(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"a\":1}\n\r\n");
	raw_close(c);
}

static void stream_open(struct raw *c, const char *head, const char *body)
{
	(void)head;
	(void)body;
	raw_puts(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"a\":1}\n\r\n");
}

static void test_watch_ends_badly(void **state)
{
	struct request impatient = watch_pods;
	struct outcome *o;

	(void)state;
	o = exchange(stream_cut, &watch_pods);
	check_error(o, ERR_IO, "watch pods: ");
	assert_string_equal(buf_str(&o->data), "{\"a\":1}\n");
	end();
	impatient.timeout_ms = 50;
	check_error(exchange(stream_open, &impatient), ERR_TIMEOUT, "watch pods: ");
	end();
	impatient.timeout_ms = 0;
	impatient.query = "watch=1&timeoutSeconds=-30"; /* and 30 s more: now */
	check_error(exchange(stream_open, &impatient), ERR_TIMEOUT, "watch pods: ");
	end();
}

static struct api_call *open_watch;

static void cancel_on_bytes(void *arg, const char *data, size_t len)
{
	on_bytes(arg, data, len);
	api_cancel(api(), take_ptr(open_watch));
}

static bool watch_gone(void *arg)
{
	(void)arg;
	return !open_watch;
}

static void test_watch_cancelled_from_its_callback(void **state)
{
	(void)state;
	begin(stream_open);
	open_watch = api_stream(api(), &watch_pods, cancel_on_bytes, on_done, &w.outcomes[0]);
	run_while_not(&w.loop, watch_gone, NULL);
	run_for(&w.loop, 10);
	assert_int_equal(w.outcomes[0].chunks, 1);
	assert_int_equal(w.ended, 0);
	end();
}

/* ---- waiting ---- */

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

static void test_lanes_and_places(void **state)
{
	struct request low = get_pod, normal = get_pod, high = get_pod;

	(void)state;
	low.lane = LANE_LOW;
	low.name = "low";
	normal.name = "normal";
	high.lane = LANE_HIGH;
	high.name = "high";
	begin_with(hold, 0, 1);
	held_count = 0;
	send_as(&get_pod, 0);
	send_as(&low, 1);
	send_as(&normal, 2);
	send_as(&high, 3);
	assert_non_null(api_stream(api(), &watch_pods, on_bytes, on_done, &w.outcomes[4]));
	assert_int_equal(client_pending(w.client), 4);
	run_until_held(3); /* the first, the high one on the reserve, the watch */
	run_for(&w.loop, 10);
	assert_int_equal(held_count, 3);
	for (int i = 0; i < 3; i++)
		answer(held[i], 200, "", "{}");
	run_until_held(4);
	assert_non_null(strstr(w.server.requests.items[3], "/pods/normal "));
	answer(held[3], 200, "", "{}");
	run_until_held(5);
	assert_non_null(strstr(w.server.requests.items[4], "/pods/low "));
	answer(held[4], 200, "", "{}");
	run(5);
	assert_int_equal(client_pending(w.client), 0);
	end();
}

/* Lists in a crowd: four are under way, a write does not wait for them, and neither does a watch. */
static void lists_leave_places_to_writes(void **state)
{
	(void)state;
	begin(hold);
	held_count = 0;
	for (int i = 0; i < 6; i++)
		send_as(&list_pods, i);
	send_as(&get_pod, 6);
	assert_non_null(api_stream(api(), &watch_pods, on_bytes, on_done, &w.outcomes[7]));
	run_until_held(6);
	run_for(&w.loop, 10);
	assert_int_equal(held_count, 6);
	assert_int_equal(client_pending(w.client), 7);
	for (int i = 0; i < 6; i++)
		answer(held[i], 200, "", "{}");
	run_until_held(8);
	answer(held[6], 200, "", "{}");
	answer(held[7], 200, "", "{}");
	run(8);
	end();
}

/* A list has its whole time after it was sent, however long it has waited for its turn. */
static void waiting_costs_a_list_no_time(void **state)
{
	struct request brief = list_pods;

	(void)state;
	brief.timeout_ms = 200;
	begin(hold);
	held_count = 0;
	for (int i = 0; i < 5; i++)
		send_as(&brief, i);
	run_until_held(4);
	run_for(&w.loop, 120);
	assert_int_equal(held_count, 4);
	for (int i = 0; i < 4; i++)
		answer(held[i], 200, "", "{}");
	run_until_held(5);
	run_for(&w.loop, 120);
	answer(held[4], 200, "", "{}");
	run(5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(w.outcomes[i].reply.err.code, ERR_NONE);
	end();
}

static void test_deadline_covers_the_waiting(void **state)
{
	struct request impatient = get_pod;

	(void)state;
	impatient.timeout_ms = 30;
	begin_with(hold, 0, 1);
	held_count = 0;
	send_as(&get_pod, 0);
	send_as(&impatient, 1);
	run_until_held(1);
	run(1);
	check_error(&w.outcomes[1], ERR_TIMEOUT, "get pods a/p: not sent in time: ");
	assert_int_equal(w.outcomes[1].reply.status, 0);
	assert_int_equal(client_pending(w.client), 1);
	assert_int_equal(w.server.requests.len, 1);
	end();
}

static void test_rate_limit(void **state)
{
	int64_t start;

	(void)state;
	begin_with(say_ok, 50, 0);
	start = time_now_ms();
	for (int i = 0; i < 4; i++)
		send_as(&get_pod, i);
	run(4);
	assert_true(time_now_ms() - start >= 58);
	end();
}

/* ---- giving up ---- */

static void test_cancel_is_silent_and_makes_room(void **state)
{
	struct api_call *active, *waiting;

	(void)state;
	begin_with(hold, 0, 1);
	held_count = 0;
	active = send_as(&get_pod, 0);
	waiting = send_as(&get_pod, 1);
	send_as(&get_pod, 2);
	run_until_held(1);
	api_cancel(api(), waiting);
	assert_int_equal(client_pending(w.client), 2);
	api_cancel(api(), active);
	assert_int_equal(client_pending(w.client), 1);
	run_until_held(2);
	answer(held[1], 200, "", "{}");
	run(1);
	assert_int_equal(w.outcomes[2].order, 1);
	end();
}

static struct api_call *pair[2];

static void cancel_the_other(void *arg, struct reply *reply)
{
	struct api_call **self = arg;

	(void)reply;
	w.ended++;
	api_cancel(api(), pair[self == pair]);
}

/* Usually both answers are there when the first callback runs. */
static void test_cancel_from_another_callback(void **state)
{
	(void)state;
	begin(say_ok);
	for (int i = 0; i < 2; i++)
		pair[i] = api_send(api(), &get_pod, cancel_the_other, &pair[i]);
	run(1);
	run_for(&w.loop, 20);
	assert_int_equal(w.ended, 1);
	assert_int_equal(client_pending(w.client), 0);
	end();
}

static void close_client(void *arg, struct reply *reply)
{
	struct outcome *o = arg;

	(void)reply;
	o->order = ++w.ended;
	client_close(take_ptr(w.client));
}

static void close_client_on_bytes(void *arg, const char *data, size_t len)
{
	on_bytes(arg, data, len);
	client_close(take_ptr(w.client));
}

static bool client_gone(void *arg)
{
	(void)arg;
	return !w.client;
}

static void test_close_from_callbacks(void **state)
{
	struct request impatient = get_pod;

	(void)state;
	begin_with(say_ok, 0, 1);
	api_send(api(), &get_pod, close_client, &w.outcomes[0]);
	send_as(&get_pod, 1);
	send_as(&get_pod, 2);
	run_while_not(&w.loop, client_gone, NULL);
	run_for(&w.loop, 10);
	assert_int_equal(w.ended, 1);
	end();
	begin(stream_open);
	send_as(&get_pod, 1);
	assert_non_null(api_stream(api(), &watch_pods, close_client_on_bytes, on_done, &w.outcomes[0]));
	run_while_not(&w.loop, client_gone, NULL);
	run_for(&w.loop, 10);
	assert_int_equal(w.ended, 0);
	end();
	begin_with(stay_silent, 0, 1);
	impatient.timeout_ms = 20;
	send_as(&get_pod, 1);
	api_send(api(), &impatient, close_client, &w.outcomes[0]);
	run_while_not(&w.loop, client_gone, NULL);
	assert_int_equal(w.ended, 1);
	end();
}

static void test_close_while_the_bucket_is_empty(void **state)
{
	(void)state;
	begin_with(say_ok, 50, 0);
	for (int i = 0; i < 3; i++)
		send_as(&get_pod, i);
	client_close(take_ptr(w.client));
	run_for(&w.loop, 30);
	assert_int_equal(w.ended, 0);
	end();
}

static void test_unusable_certificates(void **state)
{
	static char ca[] = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n";
	struct config config = { .ca = ca };
	struct client_options options = { 0 };
	struct err err = { 0 };

	(void)state;
	begin(stay_silent);
	config.server = w.url;
	assert_null(client_new(&w.loop, &config, &options, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_true(text_starts(err.msg, "credentials for http://127.0.0.1:"));
	end();
}

/* ---- the CA file ---- */

static int warnings;

static void count_line(void *arg, const char *line, size_t len)
{
	(void)arg;
	assert_non_null(memmem(line, len, "last certificates stay", strlen("last certificates stay")));
	warnings++;
}

static void test_bad_new_ca_changes_nothing(void **state)
{
	static char path[] = "/tmp/test_client_calls.XXXXXX";
	static const char junk[] = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n";
	static const int64_t five_minutes = 5L * 60 * 1000;
	struct config config = { .ca_file = path };
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, junk, strlen(junk)), strlen(junk));
	close(fd);
	begin(say_ok);
	client_close(w.client);
	metrics_free(w.metrics);
	w.metrics = NULL;
	config.server = w.url;
	w.loop.sched.now_ms -= five_minutes;
	new_client(&config, 0, 0);
	w.loop.sched.now_ms += five_minutes;
	log_set_sink(count_line, NULL);
	send_as(&get_pod, 0);
	run(1);
	assert_int_equal(warnings, 1);
	assert_int_equal(w.outcomes[0].reply.err.code, ERR_NONE);
	send_as(&get_pod, 1);
	run(2);
	assert_int_equal(warnings, 1);
	log_set_sink(NULL, NULL);
	unlink(path);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_watch_ends_badly),
		cmocka_unit_test(test_watch_cancelled_from_its_callback),
		cmocka_unit_test(test_lanes_and_places),
		cmocka_unit_test(lists_leave_places_to_writes),
		cmocka_unit_test(waiting_costs_a_list_no_time),
		cmocka_unit_test(test_deadline_covers_the_waiting),
		cmocka_unit_test(test_rate_limit),
		cmocka_unit_test(test_cancel_is_silent_and_makes_room),
		cmocka_unit_test(test_cancel_from_another_callback),
		cmocka_unit_test(test_close_from_callbacks),
		cmocka_unit_test(test_close_while_the_bucket_is_empty),
		cmocka_unit_test(test_unusable_certificates),
		cmocka_unit_test(test_bad_new_ca_changes_nothing),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
