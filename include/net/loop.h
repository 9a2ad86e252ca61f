/*
 * The one libuv loop of the process, and the scheduler driven by it.
 *
 * Code that waits uses loop->sched (base/sched.h); only net/ touches libuv. One uv_timer drives the whole heap; a
 * uv_idle takes over when something is due now, so that work which re-arms itself without delay alternates with I/O.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "base/sched.h"

struct loop {
	uv_loop_t uv;
	struct sched sched;
	uv_timer_t timer;
	uv_idle_t soon;
	uv_prepare_t trim; /* stops the timer when the last scheduled timer was disarmed */
	uint64_t turn;	   /* grows whenever timers have had their turn and I/O begins */
	bool closing;
};

/* Raises the soft limit of open files to the hard one, as Go's runtime does (os/rlimit.go): each watch needs a
 * connection, and the usual soft limit of 1024 dates from select(2). Programs that are started later inherit it. */
void loop_raise_file_limit(void);
/* Blocks SIGPIPE for the process. */
int loop_init(struct loop *loop, struct err *err);
/* Runs until loop_stop or until nothing is left to wait for. */
void loop_run(struct loop *loop);
/* Makes loop_run return soon; from any callback. */
void loop_stop(struct loop *loop);
/* Closes the timer, lets every pending close callback run and closes the loop. 0, or UV_EBUSY if somebody left a
 * handle open: then the handles are printed to stderr by type. */
int loop_close(struct loop *loop);

/* A signal watcher. fn runs in the loop. */
struct loop_signal;
struct loop_signal *loop_on_signal(struct loop *loop, int signum, void (*fn)(void *arg, int signum), void *arg);
void loop_signal_close(struct loop_signal *s); /* asynchronous close, frees itself; NULL is fine */

#endif
