/*
 * Who makes room for whom at the server's limits, and how slow a body may be. 127.0.0.1 is the API server here, the
 * other addresses of the loopback are strangers.
 */
#include "net_lib.h"

#include "net/http_server.h"

#define GET	 "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST	 "POST /hello HTTP/1.1\r\nHost: h\r\nContent-Length: "
#define REVIEW	 POST "0\r\n\r\n"
#define SLOW	 POST "9\r\n\r\n1"
#define STRANGER "127.0.0.2"
#define OTHER	 "127.0.0.3"
#define API	 "127.0.0.1"

enum { CONNS_MAX = 64 };

struct fixture {
	struct loop loop;
	struct http_server *server;
	int port;
	struct raw *raws[CONNS_MAX];
	size_t count;
};

static void on_hello(void *arg, struct http_exchange *x)
{
	(void)arg;
	buf_puts(&x->reply, "hello");
}

static void start(struct fixture *f, struct http_server_options options)
{
	const struct http_route routes[] = {
		{ .method = "GET", .path = "/hello", .fn = on_hello },
		{ .method = "POST", .path = "/hello", .fn = on_hello },
	};
	struct err err;

	*f = (struct fixture){ 0 };
	assert_int_equal(loop_init(&f->loop, &err), 0);
	f->server = http_server_new(&f->loop, routes, array_len(routes), &options);
	assert_int_equal(http_server_listen(f->server, "0.0.0.0:0", &err), 0);
	f->port = http_server_port(f->server);
}

static void finish(struct fixture *f)
{
	for (size_t i = 0; i < f->count; i++)
		raw_close(f->raws[i]);
	http_server_close(f->server, 0);
	assert_int_equal(loop_close(&f->loop), 0);
}

/* A connection that the server has seen, with text sent on it. */
static struct raw *join(struct fixture *f, const char *from, const char *text)
{
	struct raw *r = raw_connect_from(&f->loop, f->port, from);

	assert_true(f->count < CONNS_MAX);
	f->raws[f->count++] = r;
	run_until(&f->loop, &r->connected);
	if (text[0])
		raw_puts(r, text);
	run_for(&f->loop, 10);
	return r;
}

static struct raw *join_well(struct fixture *f, const char *from)
{
	struct raw *r = join(f, from, GET);

	raw_expect(r, "hello");
	return r;
}

/* As the API server: a review, which is answered. */
static struct raw *review(struct fixture *f, const char *from)
{
	struct raw *r = join(f, from, REVIEW);

	raw_expect(r, "hello");
	return r;
}

static bool crowd_is_there(void *arg)
{
	const struct fixture *f = arg;

	for (size_t i = 0; i < f->count; i++)
		if (!f->raws[i]->connected && !f->raws[i]->eof)
			return false;
	return true;
}

/* Many connections at once, each with text sent on it. */
static void join_crowd(struct fixture *f, const char *from, size_t count, const char *text)
{
	size_t first = f->count;

	assert_true(f->count + count <= CONNS_MAX);
	for (size_t i = 0; i < count; i++)
		f->raws[f->count++] = raw_connect_from(&f->loop, f->port, from);
	run_while_not(&f->loop, crowd_is_there, f);
	for (size_t i = first; i < f->count; i++)
		raw_puts(f->raws[i], text);
	run_for(&f->loop, 20);
}

static const struct http_server_stats *stats(const struct fixture *f)
{
	return http_server_stats(f->server);
}

static void test_strangers_have_a_limit_each(void **state)
{
	struct raw *oldest, *second, *busy, *other;
	struct fixture f;

	(void)state;
	start(&f, (struct http_server_options){ .max_per_address = 3 });
	busy = join(&f, STRANGER, SLOW);
	oldest = join(&f, STRANGER, "");
	second = join(&f, STRANGER, "GET /");
	other = join(&f, OTHER, "");
	assert_int_equal(stats(&f)->evicted, 0);
	join(&f, STRANGER, "");
	assert_true(oldest->eof);
	assert_false(second->eof || busy->eof || other->eof);
	join(&f, STRANGER, "");
	assert_true(second->eof);
	assert_false(busy->eof || other->eof);
	assert_int_equal(stats(&f)->evicted, 2);
	finish(&f);
}

static void test_all_busy(void **state)
{
	struct raw *late;
	struct fixture f;

	(void)state;
	start(&f, (struct http_server_options){ .max_per_address = 2 });
	join(&f, STRANGER, SLOW);
	join(&f, STRANGER, SLOW);
	late = join(&f, STRANGER, "");
	assert_true(late->eof);
	assert_int_equal(stats(&f)->turned_away, 1);
	assert_int_equal(stats(&f)->accepted, 2);
	/* a stranger's request that takes its time gives way */
	run_for(&f.loop, 1000);
	late = join_well(&f, STRANGER);
	assert_false(late->eof);
	assert_true(f.raws[0]->eof);
	assert_false(f.raws[1]->eof);
	finish(&f);
}

/* Full of strangers: the API server finds a place, keeps it, and its idle connections are the last to go. */
static void test_the_known_rank_first(void **state)
{
	struct raw *good, *fresh, *strangers[2], *late;
	struct fixture f;

	(void)state;
	start(&f, (struct http_server_options){ .max_connections = 4 });
	good = review(&f, API);
	for (size_t i = 0; i < array_len(strangers); i++)
		strangers[i] = join(&f, STRANGER, "");
	fresh = join(&f, API, "");
	assert_int_equal(stats(&f)->evicted, 0);
	late = join(&f, OTHER, "GET ");
	assert_true(strangers[0]->eof);
	join(&f, OTHER, "");
	assert_true(strangers[1]->eof);
	join(&f, OTHER, "");
	assert_true(late->eof); /* older than the other stranger, younger than the known ones */
	assert_false(good->eof || fresh->eof);
	finish(&f);
}

/* Two addresses with as many slow bodies as they are given places; first they do what earns them a rank, if anything.
 * The API server's idle connection stays, and its new ones are answered once the bodies count as slow. */
static void expect_reviews_beside_slow_bodies(const char *first)
{
	static const char *const addresses[] = { STRANGER, OTHER };
	struct raw *idle;
	struct fixture f;

	start(&f, (struct http_server_options){ .max_connections = 24, .max_per_address = 16 });
	idle = review(&f, API);
	for (size_t i = 0; i < array_len(addresses) && first; i++)
		raw_expect(join(&f, addresses[i], first), "hello");
	for (size_t i = 0; i < array_len(addresses); i++)
		join_crowd(&f, addresses[i], 18, SLOW);
	run_for(&f.loop, 1000);
	for (int i = 0; i < 6; i++)
		review(&f, API);
	assert_false(idle->eof);
	raw_puts(idle, REVIEW);
	raw_expect(idle, "hello");
	finish(&f);
}

static void slow_bodies_of_strangers_make_room(void **state)
{
	(void)state;
	expect_reviews_beside_slow_bodies(NULL);
}

static void a_get_earns_no_rank(void **state)
{
	(void)state;
	expect_reviews_beside_slow_bodies(GET);
}

/* Whoever it is, a body that takes a second may go. */
static void a_review_does_not_protect_slow_bodies(void **state)
{
	(void)state;
	expect_reviews_beside_slow_bodies(REVIEW);
}

static void strangers_have_half_of_the_places(void **state)
{
	struct raw *oldest, *asked, *known;
	struct fixture f;

	(void)state;
	start(&f, (struct http_server_options){ .max_connections = 8 });
	known = review(&f, API);
	asked = join_well(&f, "127.0.1.1");
	oldest = join(&f, "127.0.1.2", "");
	join(&f, "127.0.1.3", "");
	join(&f, "127.0.1.4", "");
	assert_int_equal(stats(&f)->evicted, 0);
	join(&f, "127.0.1.5", ""); /* five of eight places are taken */
	assert_true(oldest->eof);
	assert_int_equal(stats(&f)->evicted, 1);
	join(&f, "127.0.1.6", "");
	join(&f, "127.0.1.7", "");
	assert_int_equal(http_server_connections(f.server), 5);
	assert_false(asked->eof); /* of strangers, those that had something answered are the last to go */
	for (int i = 0; i < 3; i++)
		review(&f, API);
	assert_int_equal(http_server_connections(f.server), 8);
	assert_int_equal(stats(&f)->evicted, 3);
	assert_false(known->eof || asked->eof);
	finish(&f);
}

/* The half is full of requests that have just begun: another stranger is turned away, the API server is not. */
static void a_full_half_is_no_matter_for_the_known(void **state)
{
	struct raw *late;
	struct fixture f;

	(void)state;
	start(&f, (struct http_server_options){ .max_connections = 8 });
	review(&f, API);
	join_crowd(&f, STRANGER, 4, SLOW);
	late = join(&f, OTHER, "");
	assert_true(late->eof);
	assert_int_equal(stats(&f)->turned_away, 1);
	review(&f, API);
	assert_int_equal(stats(&f)->evicted, 0);
	finish(&f);
}

static void test_one_known_address_leaves_room(void **state)
{
	struct raw *first;
	struct fixture f;

	(void)state;
	start(&f, (struct http_server_options){ .max_connections = 8 });
	first = review(&f, API);
	for (int i = 0; i < 5; i++)
		review(&f, API);
	assert_int_equal(http_server_connections(f.server), 6);
	review(&f, API);
	assert_int_equal(http_server_connections(f.server), 6);
	assert_true(first->eof);
	join(&f, STRANGER, "");
	join(&f, STRANGER, "");
	assert_int_equal(stats(&f)->evicted, 1);
	finish(&f);
}

static void test_handshakes_have_a_limit(void **state)
{
	struct pki leaf = pki_new(NULL, "leaf", "DNS:localhost");
	struct raw *first, *second;
	struct fixture f;
	struct err err;

	(void)state;
	start(&f, (struct http_server_options){ .max_handshakes = 2, .handshake_ms = 200 });
	assert_int_equal(http_server_set_certificate(f.server, leaf.cert_pem, leaf.key_pem, &err), 0);
	first = join(&f, STRANGER, "");
	second = join(&f, OTHER, "\x16\x03\x01");
	join(&f, STRANGER, "");
	assert_true(first->eof);
	assert_false(second->eof);
	assert_int_equal(stats(&f)->evicted, 1);
	raw_read_all(f.raws[2]);
	assert_int_equal(stats(&f)->timed_out[HTTP_PHASE_HANDSHAKE], 2);
	assert_string_equal(http_phase_name(HTTP_PHASE_HANDSHAKE), "handshake");
	finish(&f);
	pki_done(&leaf);
}

/* A connection without a request: a stranger's is not kept for long, another's is. */
static void test_idle_strangers(void **state)
{
	struct raw *stranger, *known, *good;
	struct fixture f;

	(void)state;
	start(&f, (struct http_server_options){ .head_ms = 50 });
	good = review(&f, API);
	known = join(&f, API, "");
	stranger = join(&f, STRANGER, "");
	raw_read_all(stranger);
	run_for(&f.loop, 60);
	assert_false(known->eof || good->eof);
	assert_int_equal(stats(&f)->timed_out[HTTP_PHASE_IDLE], 1);
	finish(&f);
}

/* After a free second, each second has to bring its bytes. */
static void test_slow_bodies(void **state)
{
	char part[600];
	struct raw *slow, *fast;
	struct fixture f;

	(void)state;
	memset(part, 'x', sizeof(part));
	start(&f, (struct http_server_options){ .body_rate = 1000 });
	slow = join(&f, API, POST "10000\r\n\r\n");
	fast = join(&f, API, POST "3000\r\n\r\n");
	raw_send(slow, part, sizeof(part)); /* in the first second; that does not count for the next */
	for (int i = 0; i < 4; i++) {
		raw_send(fast, part, sizeof(part));
		run_for(&f.loop, 550);
		assert_false(fast->eof);
	}
	raw_expect(slow, "HTTP/1.1 408 ");
	raw_send(fast, part, sizeof(part));
	raw_expect(fast, "hello");
	assert_int_equal(stats(&f)->timed_out[HTTP_PHASE_BODY], 1);
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strangers_have_a_limit_each),
		cmocka_unit_test(test_all_busy),
		cmocka_unit_test(test_the_known_rank_first),
		cmocka_unit_test(slow_bodies_of_strangers_make_room),
		cmocka_unit_test(a_get_earns_no_rank),
		cmocka_unit_test(a_review_does_not_protect_slow_bodies),
		cmocka_unit_test(strangers_have_half_of_the_places),
		cmocka_unit_test(a_full_half_is_no_matter_for_the_known),
		cmocka_unit_test(test_one_known_address_leaves_room),
		cmocka_unit_test(test_handshakes_have_a_limit),
		cmocka_unit_test(test_idle_strangers),
		cmocka_unit_test(test_slow_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
