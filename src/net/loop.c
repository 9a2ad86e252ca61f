/*
 * The loop: libuv's, with base/sched on it. The earliest due time decides what is armed: the timer for a later time,
 * the idle handle for now. libuv would run a timer that is armed with 0 inside its callback again before it looks at
 * any socket. The idle handle runs once in each iteration and keeps the poll from waiting, so that I/O always gets its
 * turn.
 *
 * Failure modes: libuv has no file descriptors (loop_init reports it). Handles are left open at the end: loop_close
 * prints them and returns UV_EBUSY, and the memory of the loop must stay.
 */
#include "net/loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/time.h"
#include "internal.h"

/* Iterations in which loop_close waits for close callbacks, which may close further handles. */
enum { CLOSE_ROUNDS = 1000 };

void loop_touch(struct loop *loop)
{
	int64_t now = time_now_ms();

	if (now > loop->sched.now_ms)
		loop->sched.now_ms = now;
	loop->sched.wall_offset_ms = time_wall_ms() - loop->sched.now_ms;
}

static void run_timers(struct loop *loop);

static void on_timer(uv_timer_t *timer)
{
	run_timers(timer->data);
}

static void on_soon(uv_idle_t *soon)
{
	run_timers(soon->data);
}

static void arm_next(struct loop *loop)
{
	int64_t next = sched_next(&loop->sched);
	int64_t delay = next < 0 ? INT64_MAX : next - time_now_ms();

	if (delay <= 0)
		uv_idle_start(&loop->soon, on_soon);
	else
		uv_idle_stop(&loop->soon);
	if (next < 0 || delay <= 0) {
		uv_timer_stop(&loop->timer);
		return;
	}
	uv_update_time(&loop->uv);
	uv_timer_start(&loop->timer, on_timer, (uint64_t)delay, 0);
}

static void run_timers(struct loop *loop)
{
	loop_touch(loop);
	sched_run(&loop->sched, loop->sched.now_ms);
	if (!loop->closing)
		arm_next(loop);
}

/* The scheduler does not report that a timer was disarmed. Without this check the loop would outlive its last timer. */
static void on_trim(uv_prepare_t *trim)
{
	struct loop *loop = trim->data;

	loop->turn++;
	if (sched_next(&loop->sched) < 0)
		arm_next(loop);
}

static void on_earlier(struct sched *s)
{
	arm_next(container_of(s, struct loop, sched));
}

void loop_raise_file_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur == files.rlim_max)
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

int loop_init(struct loop *loop, struct err *err)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	uint64_t seed;
	int rc;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return err_set(err, ERR_IO, "getrandom: %s", strerror(errno));
	rc = uv_loop_init(&loop->uv);
	if (rc < 0)
		return err_set(err, ERR_IO, "event loop: %s", uv_strerror(rc));
	sigaction(SIGPIPE, &ignore, NULL);
	sched_init(&loop->sched, time_now_ms(), time_wall_ms(), seed);
	loop->sched.on_earlier = on_earlier;
	uv_timer_init(&loop->uv, &loop->timer);
	loop->timer.data = loop;
	uv_idle_init(&loop->uv, &loop->soon);
	loop->soon.data = loop;
	uv_prepare_init(&loop->uv, &loop->trim);
	loop->trim.data = loop;
	uv_prepare_start(&loop->trim, on_trim);
	uv_unref((uv_handle_t *)&loop->trim);
	loop->turn = 0;
	loop->closing = false;
	return 0;
}

void loop_run(struct loop *loop)
{
	loop_touch(loop);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

static void find_closing(uv_handle_t *handle, void *arg)
{
	bool *found = arg;

	*found |= uv_is_closing(handle) != 0;
}

static void print_open(uv_handle_t *handle, void *arg)
{
	(void)arg;
	fprintf(stderr, "loop: open handle: %s%s\n", uv_handle_type_name(handle->type),
		uv_is_active(handle) ? " (active)" : "");
}

int loop_close(struct loop *loop)
{
	bool closing = true;
	int rc;

	assert(!loop->closing);
	loop->closing = true;
	loop->sched.on_earlier = NULL;
	uv_close((uv_handle_t *)&loop->timer, NULL);
	uv_close((uv_handle_t *)&loop->soon, NULL);
	uv_close((uv_handle_t *)&loop->trim, NULL);
	for (int i = 0; i < CLOSE_ROUNDS && closing; i++) {
		uv_run(&loop->uv, UV_RUN_NOWAIT);
		closing = false;
		uv_walk(&loop->uv, find_closing, &closing);
	}
	sched_done(&loop->sched);
	rc = uv_loop_close(&loop->uv);
	if (rc < 0)
		uv_walk(&loop->uv, print_open, NULL);
	return rc;
}

struct loop_signal {
	uv_signal_t handle;
	struct loop *loop;
	void (*fn)(void *arg, int signum);
	void *arg;
};

static void on_signal(uv_signal_t *handle, int signum)
{
	struct loop_signal *s = container_of(handle, struct loop_signal, handle);

	loop_touch(s->loop);
	s->fn(s->arg, signum);
}

struct loop_signal *loop_on_signal(struct loop *loop, int signum, void (*fn)(void *arg, int signum), void *arg)
{
	struct loop_signal *s = xcalloc(1, sizeof(*s));
	int rc;

	s->loop = loop;
	s->fn = fn;
	s->arg = arg;
	rc = uv_signal_init(&loop->uv, &s->handle);
	if (rc == 0)
		rc = uv_signal_start(&s->handle, on_signal, signum);
	if (rc < 0) {
		fprintf(stderr, "loop: signal %d: %s\n", signum, uv_strerror(rc));
		abort();
	}
	return s;
}

static void free_signal(uv_handle_t *handle)
{
	free(container_of(handle, struct loop_signal, handle));
}

void loop_signal_close(struct loop_signal *s)
{
	if (s)
		uv_close((uv_handle_t *)&s->handle, free_signal);
}
