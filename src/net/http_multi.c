/*
 * libcurl's multi interface on libuv. The examples that come with both have faults, which this code avoids. Completions
 * are collected after every curl_multi_socket_action, whatever it says about running transfers:
 * docs/examples/multi-uv.c loses a transfer that ends by its timeout. A timeout of -1 stops the timer, and a timeout of
 * 0 is asynchronous.
 *
 * Happy path: libcurl asks for a socket to be watched (on_socket), the poll fires (on_poll), and drive_multi lets
 * libcurl work and reports which transfers have ended. libcurl closes a socket right after CURL_POLL_REMOVE, and its
 * number is used again at once. So a poll is stopped at that moment and closed later, and each socket gets a new one.
 *
 * Failure modes: if a poll reports an error, libcurl gets CURL_CSELECT_ERR. If a socket cannot be watched, or the multi
 * handle fails in another way, the state of all its transfers is undefined: the handle is replaced by a new one.
 */
#include "http_multi.h"

#include <assert.h>

#include "base/list.h"
#include "base/mem.h"
#include "internal.h"

enum {
	IDLE_MAX_S = 60,  /* servers close at 90 s */
	LIFE_MAX_S = 600, /* lets API servers that are added behind a load balancer get their share */
};

struct http_multi {
	struct loop *loop;
	CURLM *curl;
	long cached;
	const struct http_multi_events *events;
	void *arg;
	struct sched_timer timer;
	struct list polls;
	unsigned refs; /* the owner, each poll handle, each drive_multi() under way */
};

struct poll {
	struct list link;
	uv_poll_t handle;
	struct http_multi *multi;
	curl_socket_t fd;
};

static void multi_unref(struct http_multi *m)
{
	assert(m->refs > 0);
	if (--m->refs == 0)
		free(m);
}

static void poll_closed(uv_handle_t *handle)
{
	struct poll *p = container_of(handle, struct poll, handle);

	multi_unref(p->multi);
	free(p);
}

static void poll_drop(struct poll *p)
{
	list_remove(&p->link);
	uv_poll_stop(&p->handle);
	uv_close((uv_handle_t *)&p->handle, poll_closed);
}

static struct poll *poll_new(struct http_multi *m, curl_socket_t fd)
{
	struct poll *p = xcalloc(1, sizeof(*p));

	if (uv_poll_init_socket(&m->loop->uv, &p->handle, fd) < 0) {
		free(p);
		return NULL;
	}
	p->multi = m;
	p->fd = fd;
	m->refs++;
	list_append(&m->polls, &p->link);
	return p;
}

static void start_multi(struct http_multi *m);
static void stop_multi(struct http_multi *m);

static void collect_finished(struct http_multi *m)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(m->curl, &left))) {
		CURL *easy = msg->easy_handle;
		CURLcode code = msg->data.result;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_multi_remove_handle(m->curl, easy);
		m->events->finished(m->arg, easy, code);
	}
}

static void drive_multi(struct http_multi *m, curl_socket_t fd, int flags)
{
	CURLMcode code;
	int running;

	m->refs++;
	loop_touch(m->loop);
	code = curl_multi_socket_action(m->curl, fd, flags, &running);
	collect_finished(m);
	if (code != CURLM_OK) {
		m->events->broken(m->arg, curl_multi_strerror(code));
		stop_multi(m);
		start_multi(m);
	}
	m->events->settled(m->arg);
	multi_unref(m);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
	struct poll *p = container_of(handle, struct poll, handle);
	int flags = 0;

	/* libuv reports POLLERR, a reset connection for instance, as EBADF. With CURL_CSELECT_ERR alone libcurl would
	 * neither read what came before the reset nor try again on a pooled connection that had died. */
	if (status < 0)
		flags |= CURL_CSELECT_ERR | CURL_CSELECT_IN | CURL_CSELECT_OUT;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	drive_multi(p->multi, p->fd, flags);
}

static void on_timer(void *arg)
{
	drive_multi(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct http_multi *m = arg;
	struct poll *p = socket_arg;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (p) {
			curl_multi_assign(m->curl, fd, NULL);
			poll_drop(p);
		}
		return 0;
	}
	if (what & CURL_POLL_IN)
		events |= UV_READABLE;
	if (what & CURL_POLL_OUT)
		events |= UV_WRITABLE;
	if (!p) {
		p = poll_new(m, fd);
		if (!p)
			return -1;
		curl_multi_assign(m->curl, fd, p);
	}
	return uv_poll_start(&p->handle, events, on_poll) < 0 ? -1 : 0;
}

static int on_timeout(CURLM *curl, long timeout_ms, void *arg)
{
	struct http_multi *m = arg;

	(void)curl;
	if (timeout_ms < 0)
		sched_disarm(&m->loop->sched, &m->timer);
	else
		sched_arm(&m->loop->sched, &m->timer, timeout_ms);
	return 0;
}

static void start_multi(struct http_multi *m)
{
	m->curl = curl_multi_init();
	if (!m->curl)
		abort(); /* out of memory */
	curl_multi_setopt(m->curl, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(m->curl, CURLMOPT_SOCKETDATA, m);
	curl_multi_setopt(m->curl, CURLMOPT_TIMERFUNCTION, on_timeout);
	curl_multi_setopt(m->curl, CURLMOPT_TIMERDATA, m);
	curl_multi_setopt(m->curl, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	if (m->cached != HTTP_MULTI_ALL)
		curl_multi_setopt(m->curl, CURLMOPT_MAXCONNECTS, m->cached);
}

static void stop_multi(struct http_multi *m)
{
	curl_multi_cleanup(m->curl);
	m->curl = NULL;
	sched_disarm(&m->loop->sched, &m->timer);
	while (!list_empty(&m->polls))
		poll_drop(container_of(m->polls.next, struct poll, link));
}

struct http_multi *http_multi_new(struct loop *loop, long cached, const struct http_multi_events *events, void *arg)
{
	struct http_multi *m = xcalloc(1, sizeof(*m));

	m->loop = loop;
	m->cached = cached;
	m->events = events;
	m->arg = arg;
	m->refs = 1;
	list_init(&m->polls);
	sched_timer_init(&m->timer, on_timer, m);
	start_multi(m);
	return m;
}

CURLMcode http_multi_add(struct http_multi *m, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_MAX_S);
	curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, (long)LIFE_MAX_S);
	return curl_multi_add_handle(m->curl, easy);
}

void http_multi_remove(struct http_multi *m, CURL *easy)
{
	curl_multi_remove_handle(m->curl, easy);
}

void http_multi_close(struct http_multi *m)
{
	stop_multi(m);
	multi_unref(m);
}
