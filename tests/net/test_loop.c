/*
 * The loop: its scheduler, its end, signals.
 */
#include "net_lib.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/time.h"

struct ticker {
	struct loop *loop;
	struct sched_timer timer;
	int left;
	int count;
	int64_t delay_ms;
};

static void on_tick(void *arg)
{
	struct ticker *t = arg;

	t->count++;
	if (--t->left > 0)
		sched_arm(&t->loop->sched, &t->timer, t->delay_ms);
}

static void start(struct ticker *t, struct loop *loop, int times, int64_t delay_ms)
{
	*t = (struct ticker){ .loop = loop, .left = times, .delay_ms = delay_ms };
	sched_timer_init(&t->timer, on_tick, t);
	sched_arm(&loop->sched, &t->timer, delay_ms);
}

static void open_loop(struct loop *loop)
{
	struct err err;

	assert_int_equal(loop_init(loop, &err), 0);
}

static void test_timers(void **state)
{
	struct ticker a, b;
	struct loop loop;
	int64_t before = time_now_ms();

	(void)state;
	open_loop(&loop);
	start(&a, &loop, 3, 5);
	start(&b, &loop, 100, 0);
	loop_run(&loop); /* ends by itself */
	assert_int_equal(a.count, 3);
	assert_int_equal(b.count, 100);
	assert_true(time_now_ms() - before >= 15);
	assert_true(sched_wall(&loop.sched) - time_wall_ms() < 1000);
	assert_int_equal(loop_close(&loop), 0);
}

static void test_sooner_timer_wins(void **state)
{
	struct ticker late, soon;
	struct loop loop;

	(void)state;
	open_loop(&loop);
	start(&late, &loop, 1, 60000);
	start(&soon, &loop, 1, 2);
	while (soon.count == 0)
		uv_run(&loop.uv, UV_RUN_ONCE);
	assert_int_equal(late.count, 0);
	assert_int_equal(loop_close(&loop), 0);
}

/* The loop must not wait for a timer that nobody waits for any more. */
static void test_disarmed_timer_does_not_hold(void **state)
{
	struct ticker t;
	struct loop loop;
	int64_t before = time_now_ms();

	(void)state;
	open_loop(&loop);
	start(&t, &loop, 1, 60000);
	sched_disarm(&loop.sched, &t.timer);
	loop_run(&loop);
	assert_true(time_now_ms() - before < 1000);
	assert_int_equal(loop_close(&loop), 0);
}

struct delayed {
	struct ticker ticker;
	int64_t asked_ms;
};

static void on_late_signal(void *arg, int signum)
{
	struct delayed *d = arg;

	(void)signum;
	d->asked_ms = time_now_ms();
	start(&d->ticker, d->ticker.loop, 1, 20);
}

/* A delay counts from the callback that asks for it, not from the last timer that fired. */
static void test_delay_counts_from_now(void **state)
{
	struct loop_signal *s;
	struct loop loop;
	struct delayed d = { .ticker = { .loop = &loop } };
	int64_t until = time_now_ms() + 30;

	(void)state;
	open_loop(&loop);
	s = loop_on_signal(&loop, SIGUSR1, on_late_signal, &d);
	while (time_now_ms() < until) /* the scheduler is not told */
		;
	raise(SIGUSR1);
	while (d.ticker.count == 0)
		uv_run(&loop.uv, UV_RUN_ONCE);
	assert_true(time_now_ms() - d.asked_ms >= 20);
	loop_signal_close(s);
	assert_int_equal(loop_close(&loop), 0);
}

struct spinner {
	struct sched_timer timer;
	struct loop *loop;
	struct raw *raw;
};

static void on_spin(void *arg)
{
	struct spinner *s = arg;

	if (s->raw->in.len == 0)
		sched_arm(&s->loop->sched, &s->timer, 0);
}

/* Work that re-arms itself without delay until bytes arrive: they do. */
static void test_no_delay_does_not_starve_io(void **state)
{
	static const struct script script[] = { { .bytes = "x" } };
	struct raw_server server;
	struct spinner s;
	struct loop loop;

	(void)state;
	open_loop(&loop);
	raw_server_start(&server, &loop, script, 1);
	s = (struct spinner){ .loop = &loop, .raw = raw_connect(&loop, server.port) };
	raw_puts(s.raw, "\r\n\r\n");
	sched_timer_init(&s.timer, on_spin, &s);
	sched_arm(&loop.sched, &s.timer, 0);
	raw_expect(s.raw, "x");
	raw_close(s.raw);
	raw_server_stop(&server);
	assert_int_equal(loop_close(&loop), 0);
}

static void on_stop(void *arg)
{
	loop_stop(arg);
}

static void test_stop(void **state)
{
	struct sched_timer timer;
	struct ticker forever;
	struct loop loop;

	(void)state;
	open_loop(&loop);
	start(&forever, &loop, 1000000, 1);
	sched_timer_init(&timer, on_stop, &loop);
	sched_arm(&loop.sched, &timer, 10);
	loop_run(&loop);
	assert_in_range(forever.count, 1, 50);
	assert_int_equal(loop_close(&loop), 0);
}

static void on_usr1(void *arg, int signum)
{
	assert_int_equal(signum, SIGUSR1);
	*(bool *)arg = true;
}

static void test_signal(void **state)
{
	struct loop_signal *s;
	struct loop loop;
	bool seen = false;

	(void)state;
	open_loop(&loop);
	s = loop_on_signal(&loop, SIGUSR1, on_usr1, &seen);
	raise(SIGPIPE); /* ignored */
	raise(SIGUSR1);
	run_until(&loop, &seen);
	loop_signal_close(s);
	loop_signal_close(NULL);
	assert_int_equal(loop_close(&loop), 0);
}

static void test_close_reports_open_handles(void **state)
{
	struct loop loop;
	uv_tcp_t left;
	int saved = dup(STDERR_FILENO), fds[2];
	char text[200] = "";

	(void)state;
	open_loop(&loop);
	uv_tcp_init(&loop.uv, &left);
	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	assert_int_equal(loop_close(&loop), UV_EBUSY);
	dup2(saved, STDERR_FILENO);
	assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "loop: open handle: tcp\n");
	close(saved);
	close(fds[0]);
	close(fds[1]);
	uv_close((uv_handle_t *)&left, NULL);
	uv_run(&loop.uv, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop.uv), 0);
}

static void the_limit_of_open_files_is_raised(void **state)
{
	struct rlimit files;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max / 2;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	loop_raise_file_limit();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	assert_int_equal(files.rlim_cur, files.rlim_max);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timers),
		cmocka_unit_test(test_sooner_timer_wins),
		cmocka_unit_test(test_disarmed_timer_does_not_hold),
		cmocka_unit_test(test_delay_counts_from_now),
		cmocka_unit_test(test_no_delay_does_not_starve_io),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_signal),
		cmocka_unit_test(the_limit_of_open_files_is_raised),
		cmocka_unit_test(test_close_reports_open_handles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
