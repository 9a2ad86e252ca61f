/*
 * The census' memory of addresses, in virtual time: how long a review makes an address known, and who is forgotten
 * when too many are. Evictions are tested with sockets, in tests/net.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "server.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

struct fixture {
	struct loop loop;
	struct http_server server;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	sched_init(&f->loop.sched, 1000, 1767323045000, 1);
	f->server.loop = &f->loop;
	f->server.options = (struct http_server_options){
		.max_connections = 512, .max_per_address = 64, .max_handshakes = 64, .max_strangers = 256
	};
	list_init(&f->server.conns);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sched_done(&f->loop.sched);
	free(f);
	return 0;
}

static void pass(struct fixture *f, int64_t ms)
{
	f->loop.sched.now_ms += ms;
}

/* 10.0.0.host */
static struct http_conn conn_from(struct fixture *f, unsigned host)
{
	return (struct http_conn){
		.server = &f->server,
		.address = { { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = (unsigned char)host } },
	};
}

static void review_from(struct fixture *f, unsigned host)
{
	struct http_conn c = conn_from(f, host);

	http_census_answered(&f->server, &c, true);
}

static bool is_known(struct fixture *f, unsigned host)
{
	struct http_conn c = conn_from(f, host);

	assert_true(http_census_admit(&f->server, &c));
	return c.known;
}

static void a_review_makes_an_address_known_for_an_hour(void **state)
{
	struct fixture *f = *state;

	assert_false(is_known(f, 1));
	review_from(f, 1);
	assert_true(is_known(f, 1));
	assert_false(is_known(f, 2));
	pass(f, HOUR - 1);
	assert_true(is_known(f, 1));
	pass(f, 1);
	assert_false(is_known(f, 1));
	review_from(f, 1);
	assert_true(is_known(f, 1));
}

static void other_requests_do_not(void **state)
{
	struct fixture *f = *state;
	struct http_conn c = conn_from(f, 1);

	http_census_answered(&f->server, &c, false);
	assert_true(c.answered);
	assert_false(c.good);
	assert_false(is_known(f, 1));
	assert_int_equal(f->server.known_count, 0);
}

/* A connection that lives long is as good as many short ones. */
static void each_review_counts_not_only_the_first_of_a_connection(void **state)
{
	struct fixture *f = *state;
	struct http_conn c = conn_from(f, 1);

	for (int i = 0; i < 12; i++) {
		http_census_answered(&f->server, &c, true);
		pass(f, 10 * MINUTE);
	}
	assert_true(is_known(f, 1));
	pass(f, 50 * MINUTE);
	assert_false(is_known(f, 1));
}

/* The table has 64 places. */
static void the_one_that_was_silent_longest_is_replaced(void **state)
{
	struct fixture *f = *state;

	for (unsigned host = 1; host <= HTTP_KNOWN_MAX; host++) {
		review_from(f, host);
		pass(f, SECOND);
	}
	review_from(f, 1); /* so 2 is the oldest now */
	pass(f, SECOND);
	review_from(f, 100);
	assert_int_equal(f->server.known_count, HTTP_KNOWN_MAX);
	assert_true(is_known(f, 100));
	assert_true(is_known(f, 1));
	assert_false(is_known(f, 2));
	for (unsigned host = 3; host <= HTTP_KNOWN_MAX; host++)
		assert_true(is_known(f, host));
}

static void a_known_address_is_not_noted_twice(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 200; i++) {
		review_from(f, 1);
		pass(f, SECOND);
	}
	assert_int_equal(f->server.known_count, 1);
}

static void loopback_is_two_addresses(void **state)
{
	static const struct {
		struct http_address address;
		bool is_loopback;
	} cases[] = {
		{ { { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 } }, true },
		{ { { [15] = 1 } }, true },
		{ { { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 6 } }, false }, /* Istio's sidecar */
		{ { { [10] = 0xff, [11] = 0xff, [12] = 127, [14] = 1, [15] = 1 } }, false },
		{ { { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 } }, false },
		{ { { [12] = 127, [15] = 1 } }, false },
		{ { { 0 } }, false },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++)
		assert_int_equal(http_census_is_loopback(&cases[i].address), cases[i].is_loopback);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_review_makes_an_address_known_for_an_hour),
		TEST(other_requests_do_not),
		TEST(each_review_counts_not_only_the_first_of_a_connection),
		TEST(the_one_that_was_silent_longest_is_replaced),
		TEST(a_known_address_is_not_noted_twice),
		TEST(loopback_is_two_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
