/*
 * The server among peers that mean harm, as it is used: TLS, in a process of its own. Beside each attack another
 * process makes good requests and times them, without and with it in turn. The attackers come from forty addresses, or
 * all from the address of the good ones.
 *
 * What the machine does at the same time must not decide: the bound is twice the p99 without attackers and some
 * milliseconds, and an attack gets several tries to fail to harm.
 */
#include "net_lib.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/http_server.h"

#ifdef __SANITIZE_ADDRESS__
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

enum {
	GOOD_CONNS = 4,
	MEASURE_MS = 700,
	FRESH_EVERY = 60, /* requests: then one on a new connection */
	BODY_SIZE = 4000,
	TRIES = 6,
#ifdef __SANITIZE_ADDRESS__
	FLOOR_US = 40000,
#else
	FLOOR_US = 10000,
#endif
	ADDRESSES = 40,
	GONE_MS = 10000,
	AGAIN_MS = 100,
	STARTS_PER_MS = 20,
	ALL_WIDTH = 100, /* of each attack when all come at once */
	ATTACKERS_NICE = 5,
	MEMORY_MAX = 64 << 20,
	FLOOD_SIZE = 64 << 10,
	MAX_BODY = 7 << 20,
};

/* ---- the server's process ---- */

struct service {
	struct loop loop;
	struct http_server *server;
	struct sched_timer sample;
	size_t peak;
};

static size_t memory_used(void)
{
#ifdef __SANITIZE_ADDRESS__
	return __sanitizer_get_current_allocated_bytes();
#else
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%*u %lu", &pages) != 1)
		abort();
	fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
#endif
}

static void take_sample(void *arg)
{
	struct service *s = arg;
	size_t used = memory_used();

	s->peak = used > s->peak ? used : s->peak;
	sched_arm(&s->loop.sched, &s->sample, 5);
}

static void on_echo(void *arg, struct http_exchange *x)
{
	(void)arg;
	buf_add(&x->reply, x->body, x->body_len < 1024 ? x->body_len : 1024);
}

static void on_state(void *arg, struct http_exchange *x)
{
	struct service *s = arg;
	const struct http_server_stats *stats = http_server_stats(s->server);

	buf_printf(&x->reply, "connections=%u\nmemory=%zu\npeak=%zu\n", http_server_connections(s->server),
		   memory_used(), s->peak);
	buf_printf(&x->reply, "accepted=%ju\nevicted=%ju\nturned_away=%ju\nbroken=%ju\n", (uintmax_t)stats->accepted,
		   (uintmax_t)stats->evicted, (uintmax_t)stats->turned_away, (uintmax_t)stats->broken_handshakes);
	for (int i = 0; i < HTTP_PHASE_COUNT; i++)
		buf_printf(&x->reply, "timeout_%s=%ju\n", http_phase_name((enum http_phase)i),
			   (uintmax_t)stats->timed_out[i]);
	for (size_t i = 0; i < array_len(stats->refused) && stats->refused[i].status != 0; i++)
		buf_printf(&x->reply, "refused_%d=%ju\n", stats->refused[i].status, (uintmax_t)stats->refused[i].count);
}

/* Serves until it is killed. */
static _Noreturn void serve(const struct pki *leaf, int tell)
{
	struct service s = { 0 };
	const struct http_route routes[] = {
		{ .method = "POST", .path = "/echo", .fn = on_echo, .arg = &s },
		{ .method = "GET", .path = "/state", .fn = on_state, .arg = &s },
	};
	const struct http_server_options options = { 0 };
	struct err err;
	int port;

	if (loop_init(&s.loop, &err) < 0)
		_exit(1);
	s.server = http_server_new(&s.loop, routes, array_len(routes), &options);
	if (http_server_set_certificate(s.server, leaf->cert_pem, leaf->key_pem, &err) < 0 ||
	    http_server_listen(s.server, ":0", &err) < 0)
		_exit(1);
	port = http_server_port(s.server);
	if (write(tell, &port, sizeof(port)) != sizeof(port))
		_exit(1);
	sched_timer_init(&s.sample, take_sample, &s);
	take_sample(&s);
	loop_run(&s.loop);
	_exit(0);
}

/* ---- the process of the good requests ---- */

struct verdict {
	int64_t p50_us;
	int64_t p99_us;
	unsigned requests;
	unsigned failures;
	unsigned fresh;
	unsigned fresh_failures;
};

static int64_t now_us(void)
{
	return (int64_t)(uv_hrtime() / 1000);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

struct good {
	SSL_CTX *ctx;
	int port;
	struct caller conns[GOOD_CONNS];
	char request[BODY_SIZE + 200];
	size_t request_len;
	char reply[4096];
};

static bool good_ask(struct good *g, struct caller *c)
{
	return caller_ask(c, g->request, g->request_len, g->reply, sizeof(g->reply));
}

static void good_fresh(struct good *g, struct verdict *v)
{
	struct caller c = { .fd = -1 };

	v->fresh++;
	if (!caller_open(&c, g->ctx, g->port) || !good_ask(g, &c))
		v->fresh_failures++;
	caller_close(&c);
}

static struct verdict measure(struct good *g)
{
	static int64_t took[MEASURE_MS * 2];
	struct verdict v = { 0 };
	int64_t end = now_us() + MEASURE_MS * 1000;

	while (now_us() < end && v.requests < array_len(took)) {
		struct caller *c = &g->conns[v.requests % GOOD_CONNS];
		int64_t begin = now_us();

		if (!good_ask(g, c)) {
			v.failures++;
			caller_close(c);
			caller_open(c, g->ctx, g->port);
		}
		took[v.requests++] = now_us() - begin;
		if (v.requests % FRESH_EVERY == 0)
			good_fresh(g, &v);
		usleep(1000);
	}
	qsort(took, v.requests, sizeof(took[0]), by_value);
	v.p50_us = took[v.requests / 2];
	v.p99_us = took[v.requests * 99 / 100];
	return v;
}

/* A verdict for every byte, until there are no more. */
static _Noreturn void be_good(int port, int ask, int tell)
{
	static struct good g;
	char c;

	g = (struct good){ .ctx = SSL_CTX_new(TLS_client_method()), .port = port };
	g.request_len = (size_t)snprintf(g.request, sizeof(g.request),
					 "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", BODY_SIZE);
	memset(g.request + g.request_len, 'x', BODY_SIZE);
	g.request_len += BODY_SIZE;
	for (size_t i = 0; i < GOOD_CONNS; i++)
		if (!caller_open(&g.conns[i], g.ctx, port) || !good_ask(&g, &g.conns[i]))
			_exit(1);
	while (read(ask, &c, 1) == 1) {
		struct verdict v = measure(&g);

		if (write(tell, &v, sizeof(v)) != sizeof(v))
			_exit(1);
	}
	_exit(0);
}

/* ---- attackers ---- */

struct attack {
	const char *name;
	unsigned width;	   /* at once */
	bool tls;	   /* after a handshake */
	bool same_address; /* as the good ones */
	bool once;	   /* does not come again when it was thrown out */
	const char *text;  /* what is sent first */
	size_t len;	   /* of text; 0: it is a string */
	int drip_ms;	   /* then a byte every so often */
	size_t flood;	   /* then so many more bytes, as fast as they are taken */
};

struct fixture {
	struct pki leaf;
	pid_t server;
	pid_t good;
	int port;
	int ask; /* the good ones */
	int told;
	struct loop loop;
	SSL_CTX *ctx;
	struct caller state;
	struct list attackers;
	unsigned made; /* attackers, altogether */
	bool stop;     /* no new ones */
};

struct attacker {
	struct list link;
	struct fixture *fixture;
	const struct attack *attack;
	uv_tcp_t tcp;
	uv_connect_t connect;
	SSL *ssl;
	BIO *in;
	BIO *out;
	bool begun;
	bool writing;
	size_t flooded;
	struct sched_timer drip;
	struct sched_timer again; /* after it was thrown out */
};

static void attacker_free(struct attacker *a)
{
	list_remove(&a->link);
	sched_disarm(&a->fixture->loop.sched, &a->again);
	free(a);
}

static void attacker_freed(uv_handle_t *h)
{
	struct attacker *a = container_of(h, struct attacker, tcp);
	struct fixture *f = a->fixture;

	SSL_free(a->ssl);
	a->ssl = NULL;
	if (f->stop || a->attack->once)
		attacker_free(a);
	else
		sched_arm(&f->loop.sched, &a->again, AGAIN_MS);
}

static void attacker_end(struct attacker *a)
{
	if (uv_is_closing((uv_handle_t *)&a->tcp))
		return;
	sched_disarm(&a->fixture->loop.sched, &a->drip);
	if (uv_tcp_close_reset(&a->tcp, attacker_freed) < 0)
		uv_close((uv_handle_t *)&a->tcp, attacker_freed);
}

struct attacker_write {
	uv_write_t req;
	struct attacker *attacker;
	char data[];
};

static void attacker_flood(struct attacker *a);

static void attacker_written(uv_write_t *req, int status)
{
	struct attacker_write *w = container_of(req, struct attacker_write, req);
	struct attacker *a = w->attacker;

	free(w);
	a->writing = false;
	if (status == 0 && !uv_is_closing((uv_handle_t *)&a->tcp))
		attacker_flood(a);
}

static void attacker_put(struct attacker *a, const char *data, size_t len)
{
	struct attacker_write *w = xmalloc(sizeof(*w) + len);
	uv_buf_t buf = uv_buf_init(w->data, (unsigned)len);

	w->attacker = a;
	memcpy(w->data, data, len);
	a->writing = true;
	if (uv_write(&w->req, (uv_stream_t *)&a->tcp, &buf, 1, attacker_written) < 0)
		free(w);
}

static void attacker_flush(struct attacker *a)
{
	char *data;
	long len = BIO_get_mem_data(a->out, &data);

	if (len > 0)
		attacker_put(a, data, (size_t)len);
	(void)BIO_reset(a->out);
}

static void attacker_say(struct attacker *a, const char *data, size_t len)
{
	if (len == 0)
		return;
	if (!a->ssl) {
		attacker_put(a, data, len);
		return;
	}
	SSL_write(a->ssl, data, (int)len);
	attacker_flush(a);
}

static void attacker_flood(struct attacker *a)
{
	static char junk[FLOOD_SIZE];

	if (!a->begun || a->writing || a->flooded >= a->attack->flood)
		return;
	for (size_t i = 0; !junk[0] && i < sizeof(junk); i++)
		junk[i] = "5\r\nhello\r\n"[i % 10];
	a->flooded += sizeof(junk);
	attacker_say(a, junk, sizeof(junk));
}

static void attacker_drip(void *arg)
{
	struct attacker *a = arg;

	attacker_say(a, "x", 1);
	sched_arm(&a->fixture->loop.sched, &a->drip, a->attack->drip_ms);
}

static void attacker_begin(struct attacker *a)
{
	const struct attack *attack = a->attack;

	a->begun = true;
	attacker_say(a, attack->text, attack->len ? attack->len : strlen(attack->text));
	if (attack->drip_ms > 0)
		sched_arm(&a->fixture->loop.sched, &a->drip, attack->drip_ms);
	attacker_flood(a);
}

static void attacker_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct attacker *a = container_of(s, struct attacker, tcp);
	char data[4096];

	if (n < 0) {
		attacker_end(a);
		return;
	}
	if (!a->ssl || n == 0)
		return;
	BIO_write(a->in, buf->base, (int)n);
	ERR_clear_error();
	while (SSL_read(a->ssl, data, sizeof(data)) > 0)
		continue;
	attacker_flush(a);
	if (!a->begun && SSL_is_init_finished(a->ssl))
		attacker_begin(a);
}

static void attacker_connected(uv_connect_t *req, int status)
{
	struct attacker *a = container_of(req, struct attacker, connect);

	if (status < 0) {
		attacker_end(a);
		return;
	}
	uv_read_start((uv_stream_t *)&a->tcp, raw_alloc, attacker_read);
	if (!a->attack->tls) {
		attacker_begin(a);
		return;
	}
	a->ssl = SSL_new(a->fixture->ctx);
	a->in = BIO_new(BIO_s_mem());
	a->out = BIO_new(BIO_s_mem());
	BIO_set_mem_eof_return(a->in, -1);
	SSL_set_bio(a->ssl, a->in, a->out);
	SSL_set_connect_state(a->ssl);
	SSL_do_handshake(a->ssl);
	attacker_flush(a);
}

static void attacker_connect(void *arg)
{
	struct attacker *a = arg;
	struct fixture *f = a->fixture;
	struct sockaddr_in addr;

	a->begun = a->writing = false;
	a->flooded = 0;
	uv_tcp_init(&f->loop.uv, &a->tcp);
	uv_ip4_addr("127.0.0.1", 0, &addr);
	addr.sin_addr.s_addr = htonl(ntohl(addr.sin_addr.s_addr) + 1 + f->made++ % ADDRESSES);
	if (!a->attack->same_address)
		uv_tcp_bind(&a->tcp, (struct sockaddr *)&addr, 0);
	uv_ip4_addr("127.0.0.1", f->port, &addr);
	if (uv_tcp_connect(&a->connect, &a->tcp, (struct sockaddr *)&addr, attacker_connected) < 0)
		attacker_end(a);
}

static void attacker_start(struct fixture *f, const struct attack *attack, int64_t delay_ms)
{
	struct attacker *a = xcalloc(1, sizeof(*a));

	a->fixture = f;
	a->attack = attack;
	sched_timer_init(&a->drip, attacker_drip, a);
	sched_timer_init(&a->again, attacker_connect, a);
	list_append(&f->attackers, &a->link);
	sched_arm(&f->loop.sched, &a->again, delay_ms);
}

/* ---- the tests ---- */

static pid_t fork_server(struct fixture *f)
{
	int tell[2];
	pid_t pid;

	assert_int_equal(pipe2(tell, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		serve(&f->leaf, tell[1]);
	assert_true(pid > 0);
	close(tell[1]);
	assert_int_equal(read(tell[0], &f->port, sizeof(f->port)), sizeof(f->port));
	close(tell[0]);
	return pid;
}

static pid_t fork_good(struct fixture *f)
{
	int ask[2], tell[2];
	pid_t pid;

	assert_int_equal(pipe2(ask, O_CLOEXEC), 0);
	assert_int_equal(pipe2(tell, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		close(ask[1]);
		be_good(f->port, ask[0], tell[1]);
	}
	assert_true(pid > 0);
	close(ask[0]);
	close(tell[1]);
	f->ask = ask[1];
	f->told = tell[0];
	assert_int_equal(fcntl(f->told, F_SETFL, O_NONBLOCK), 0);
	return pid;
}

/* A figure of the server's; 0 if it has none of that name. */
static int64_t figure(struct fixture *f, const char *name)
{
	static const char request[] = "GET /state HTTP/1.1\r\nHost: h\r\n\r\n";
	auto_free char *key = xasprintf("\n%s=", name);
	char reply[4096];
	int64_t value = 0;
	const char *at;

	assert_true(caller_ask(&f->state, request, strlen(request), reply, sizeof(reply)));
	at = strstr(reply, key);
	if (at) {
		auto_free char *digits = xstrndup(at + strlen(key), strcspn(at + strlen(key), "\n"));

		assert_true(text_i64(digits, &value));
	}
	return value;
}

/* Ten thousand handshakes may take longer than run_for has patience. */
static void attack_for(struct fixture *f, int64_t ms)
{
	struct sched_timer timer;
	bool over = false;

	sched_timer_init(&timer, guard_fired, &over);
	sched_arm(&f->loop.sched, &timer, ms);
	while (!over)
		uv_run(&f->loop.uv, UV_RUN_ONCE);
}

static void end_attacks(struct fixture *f)
{
	struct list *link, *next;

	f->stop = true;
	for (link = f->attackers.next; link != &f->attackers; link = next) {
		struct attacker *a = container_of(link, struct attacker, link);

		next = link->next;
		if (sched_armed(&a->again))
			attacker_free(a);
		else
			attacker_end(a);
	}
	while (!list_empty(&f->attackers))
		attack_for(f, 5);
}

static int set_up(void **state)
{
	static struct fixture f;
	struct rlimit limit;
	struct err err;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	f.leaf = pki_new(NULL, "localhost", "DNS:localhost");
	list_init(&f.attackers);
	f.server = fork_server(&f);
	f.good = fork_good(&f);
	assert_int_equal(setpriority(PRIO_PROCESS, 0, ATTACKERS_NICE), 0); /* they would have machines of their own */
	f.ctx = SSL_CTX_new(TLS_client_method());
	assert_true(caller_open(&f.state, f.ctx, f.port));
	assert_true(figure(&f, "accepted") > 0);
	assert_int_equal(loop_init(&f.loop, &err), 0);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	end_attacks(f);
	close(f->ask);
	close(f->told);
	waitpid(f->good, NULL, 0);
	caller_close(&f->state);
	kill(f->server, SIGKILL);
	waitpid(f->server, NULL, 0);
	SSL_CTX_free(f->ctx);
	pki_done(&f->leaf);
	return loop_close(&f->loop);
}

struct waiting {
	struct fixture *fixture;
	struct verdict verdict;
};

static bool has_verdict(void *arg)
{
	struct waiting *w = arg;

	return read(w->fixture->told, &w->verdict, sizeof(w->verdict)) == sizeof(w->verdict);
}

static struct verdict good_requests(struct fixture *f)
{
	struct waiting w = { .fixture = f };

	assert_int_equal(write(f->ask, "m", 1), 1);
	while (!has_verdict(&w))
		attack_for(f, 5);
	return w.verdict;
}

static void begin_attack(struct fixture *f, const struct attack *attack, unsigned most)
{
	f->stop = false;
	for (unsigned i = 0; i < attack->width && i < most; i++)
		attacker_start(f, attack, i / STARTS_PER_MS);
}

#define POST	  "POST /echo HTTP/1.1\r\nHost: h\r\n"
#define PIPELINED "GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n"
#define TEN(x)	  x x x x x x x x x x

static const struct attack attacks[] = {
	{ .name = "10 000 idle before the handshake", .width = 10000, .once = true, .text = "" },
	{ .name = "10 000 idle after it", .width = 10000, .once = true, .tls = true, .text = "" },
	{ .name = "half a hello, drop by drop",
	  .width = 500,
	  .text = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	  .len = 11,
	  .drip_ms = 200 },
	{ .name = "garbage", .width = 200, .text = "GET / HTTP/1.1\r\nHost: h\r\n\r\n", .flood = FLOOD_SIZE },
	{ .name = "slow head", .width = 500, .tls = true, .text = POST "X: ", .drip_ms = 1000 },
	{ .name = "a byte a second",
	  .width = 500,
	  .tls = true,
	  .text = POST "Content-Length: 7340032\r\n\r\n",
	  .drip_ms = 1000 },
	{ .name = "bodies that stop before their end",
	  .width = 60,
	  .tls = true,
	  .text = POST "Content-Length: 7340032\r\n\r\n",
	  .flood = MAX_BODY - FLOOD_SIZE },
	{ .name = "7 MiB and a byte",
	  .width = 60,
	  .tls = true,
	  .text = POST "Content-Length: 7340033\r\n\r\n",
	  .flood = MAX_BODY },
	{ .name = "chunks without end",
	  .width = 60,
	  .tls = true,
	  .text = POST "Transfer-Encoding: chunked\r\n\r\n",
	  .flood = SIZE_MAX },
	{ .name = "chunked and a length",
	  .width = 100,
	  .tls = true,
	  .text = POST "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /state HTTP/1.1\r\n\r\n" },
	{ .name = "pipelines, replies unread", .width = 100, .tls = true, .text = TEN(TEN(PIPELINED)) },
	{ .name = "idle, from where the good ones come",
	  .width = 2000,
	  .once = true,
	  .tls = true,
	  .text = "",
	  .same_address = true },
};

static void say_verdict(const char *name, const struct verdict *calm, const struct verdict *v)
{
	print_message("%-36s p99 %6jd us, without %6jd us; %u requests, %u on new connections\n", name,
		      (intmax_t)v->p99_us, (intmax_t)calm->p99_us, v->requests, v->fresh);
}

static void test_good_requests_go_on(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < array_len(attacks); i++) {
		bool well = false;
		int64_t calm_us = 0;

		for (int n = 0; n < TRIES && !well; n++) {
			struct verdict calm = good_requests(f), v;

			begin_attack(f, &attacks[i], UINT_MAX);
			v = good_requests(f);
			end_attacks(f);
			say_verdict(attacks[i].name, &calm, &v);
			assert_int_equal(calm.failures + calm.fresh_failures + v.failures, 0);
			if (!attacks[i].same_address)
				assert_int_equal(v.fresh_failures, 0);
			calm_us = calm.p99_us > calm_us ? calm.p99_us : calm_us;
			well = v.p99_us <= 2 * calm_us + FLOOR_US;
		}
		if (!well)
			fail_msg("%s: the good requests' p99 is over its bound", attacks[i].name);
	}
}

static void test_attackers_are_gone(void **state)
{
	struct fixture *f = *state;
	int64_t begin;

	for (size_t i = 0; i < array_len(attacks); i++)
		if (!attacks[i].same_address)
			begin_attack(f, &attacks[i], ALL_WIDTH);
	attack_for(f, 2000);
	f->stop = true;
	assert_true(figure(f, "connections") > GOOD_CONNS + 1);
	begin = now_us();
	while (figure(f, "connections") > GOOD_CONNS + 1 && now_us() - begin < GONE_MS * 1000)
		attack_for(f, 50);
	print_message("gone after %jd ms\n", (intmax_t)(now_us() - begin) / 1000);
	assert_true(figure(f, "connections") <= GOOD_CONNS + 1);
	end_attacks(f);
}

/* After all that. */
static void test_memory_and_counters(void **state)
{
	static const char *const counted[] = { "evicted",     "broken",	     "refused_404",
					       "refused_413", "refused_501", "refused_503" };
	struct fixture *f = *state;

	print_message("memory %jd, at most %jd\n", (intmax_t)figure(f, "memory"), (intmax_t)figure(f, "peak"));
	for (size_t i = 0; i < array_len(counted); i++)
		print_message("%s %jd\n", counted[i], (intmax_t)figure(f, counted[i]));
	assert_true(figure(f, "peak") < MEMORY_MAX);
	for (size_t i = 0; i < array_len(counted); i++)
		assert_true(figure(f, counted[i]) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_requests_go_on),
		cmocka_unit_test(test_attackers_are_gone),
		cmocka_unit_test(test_memory_and_counters),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
