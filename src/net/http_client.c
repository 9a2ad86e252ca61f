/*
 * The client: starts transfers and delivers what they receive.
 *
 * Happy path: send makes an op and starts it, or puts it at the end of the waiting list while max_connections ordinary
 * transfers run. libcurl's callbacks put an op that has received something on the ready list. on_settled and the wake
 * timer run when libcurl is off the stack, and deliver chunks and replies. The callbacks that they call may send,
 * cancel and close, even the op that is being delivered: afterwards it is used only if `current` still points to it.
 *
 * Connections are kept in two pools, one for calls and one for streams: libcurl counts connections in use against the
 * limit of those that it keeps, so a few dozen streams would make each call open a connection. A transfer that fails
 * on a connection that was used before is a sign that all connections are dead, for instance behind a load balancer
 * that has failed over. Then both pools are retired: transfers under way stay in them, and new ones get new pools.
 *
 * Failure modes: a transfer that has not ended at its deadline is removed and reported as ERR_TIMEOUT. The deadline is
 * a timer of the scheduler and not of libcurl, so that it also covers waiting for a connection, and a libcurl that
 * forgets a transfer. If the multi handle breaks, all transfers end with ERR_IO.
 */
#include "net/http_client.h"

#include <assert.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "base/text.h"
#include "http_multi.h"
#include "http_transfer.h"
#include "internal.h"
#include "tls.h"

enum { CONNECTIONS = 8 };

enum pool_kind { POOL_CALLS = 0, POOL_STREAMS, POOL_KINDS };

/* A multi handle of libcurl, and the connections in it. */
struct pool {
	struct list link; /* in client->retired, or in no list */
	struct http_client *client;
	struct http_multi *multi;
	unsigned running; /* transfers */
};

struct http_client {
	struct loop *loop;
	struct pool *pools[POOL_KINDS];
	struct list retired; /* pools that get no new transfers */
	struct http_profile profile;
	unsigned max_connections;
	unsigned connections; /* ordinary transfers that run */
	struct list ops;      /* started, until their done has run */
	struct list waiting;
	struct list ready; /* ops that have something to deliver, by ready_link */
	struct sched_timer wake;
	struct http_op *current; /* being delivered; NULL once it was cancelled */
	bool delivering;
	bool closed;
};

enum op_state { OP_WAITING, OP_RUNNING, OP_ENDED, OP_DELIVERED };

struct http_op {
	struct http_client *client;
	struct list link; /* in ops or waiting */
	struct list ready_link;
	enum op_state state;
	struct pool *pool; /* while it runs */
	struct http_transfer transfer;
	struct sched_timer deadline;
	http_data_fn *data;
	http_done_fn *done;
	void *arg;
};

/* ---- pools ---- */

static const struct http_multi_events events;

static struct pool *pool_new(struct http_client *c, enum pool_kind kind)
{
	struct pool *pool = xcalloc(1, sizeof(*pool));

	list_init(&pool->link);
	pool->client = c;
	pool->multi =
	    http_multi_new(c->loop, kind == POOL_CALLS ? (long)c->max_connections : HTTP_MULTI_ALL, &events, pool);
	return pool;
}

static void pool_close(struct pool *pool)
{
	list_remove(&pool->link);
	http_multi_close(pool->multi);
	free(pool);
}

/* Closes the retired pools in which nothing runs any more. */
static void close_drained_pools(struct http_client *c)
{
	struct list *next;

	for (struct list *link = c->retired.next; link != &c->retired; link = next) {
		struct pool *pool = container_of(link, struct pool, link);

		next = link->next;
		if (pool->running == 0)
			pool_close(pool);
	}
}

static void retire_pools(struct http_client *c)
{
	for (enum pool_kind kind = POOL_CALLS; kind < POOL_KINDS; kind++) {
		list_append(&c->retired, &c->pools[kind]->link);
		c->pools[kind] = pool_new(c, kind);
	}
}

/* ---- ops ---- */

static void client_free(struct http_client *c)
{
	free(c->profile.ca);
	free(c->profile.cert);
	free(c->profile.key);
	free(c->profile.server_name);
	free(c->profile.proxy);
	free(c->profile.user_agent);
	free(c);
	curl_global_cleanup();
}

static void op_free(struct http_op *op)
{
	sched_disarm(&op->client->loop->sched, &op->deadline);
	list_remove(&op->link);
	list_remove(&op->ready_link);
	http_transfer_done(&op->transfer);
	free(op);
}

static void mark_ready(struct http_op *op)
{
	list_remove(&op->ready_link);
	list_append(&op->client->ready, &op->ready_link);
}

static void wake_later(struct http_client *c)
{
	if (!sched_armed(&c->wake))
		sched_arm(&c->loop->sched, &c->wake, 0);
}

static void on_arrived(struct http_transfer *t)
{
	mark_ready(container_of(t, struct http_op, transfer));
}

/* Marks op as ended. libcurl has no part in it any more. */
static void release_op(struct http_op *op)
{
	struct http_client *c = op->client;

	assert(op->state == OP_RUNNING);
	if (!op->transfer.stream)
		c->connections--;
	op->state = OP_ENDED;
	op->pool->running--;
	if (op->pool->running == 0 && !list_empty(&op->pool->link))
		wake_later(c);
	sched_disarm(&c->loop->sched, &op->deadline);
}

/* Ends the trust in all connections if op has failed on one that was used before. A pool that is retired already says
 * nothing about the connections made since. */
static void judge_connections(const struct http_op *op, enum err_code code)
{
	if ((code == ERR_TIMEOUT || code == ERR_IO) && list_empty(&op->pool->link) &&
	    http_transfer_reused(&op->transfer))
		retire_pools(op->client);
}

static void end_op(struct http_op *op, enum err_code code, const char *why)
{
	if (op->state == OP_RUNNING) {
		http_multi_remove(op->pool->multi, op->transfer.easy);
		release_op(op);
	}
	op->state = OP_ENDED;
	http_transfer_fail(&op->transfer, code, why);
	mark_ready(op);
}

static void start_op(struct http_op *op)
{
	struct http_client *c = op->client;
	CURLMcode code;

	list_remove(&op->link);
	list_append(&c->ops, &op->link);
	op->pool = c->pools[op->transfer.stream ? POOL_STREAMS : POOL_CALLS];
	code = http_multi_add(op->pool->multi, op->transfer.easy);
	if (code != CURLM_OK) {
		end_op(op, ERR_IO, curl_multi_strerror(code));
		wake_later(c);
		return;
	}
	op->state = OP_RUNNING;
	op->pool->running++;
	if (!op->transfer.stream)
		c->connections++;
}

static void start_waiting(struct http_client *c)
{
	while (c->connections < c->max_connections && !list_empty(&c->waiting))
		start_op(container_of(c->waiting.next, struct http_op, link));
}

/* Delivers the chunk of op, and its reply if it has ended. op may be freed afterwards. */
static void deliver_op(struct http_op *op)
{
	struct http_client *c = op->client;
	auto_buf chunk = op->transfer.chunk;

	buf_init(&op->transfer.chunk, HTTP_CHUNK_MAX);
	if (chunk.len > 0) {
		c->current = op;
		op->data(op->arg, chunk.data, chunk.len);
		if (!c->current)
			return;
		c->current = NULL;
	}
	if (op->state == OP_ENDED) {
		op->state = OP_DELIVERED;
		list_remove(&op->link);
		op->done(op->arg, &op->transfer.reply);
		op_free(op);
	} else if (op->transfer.paused) {
		op->transfer.paused = false;
		curl_easy_pause(op->transfer.easy, CURLPAUSE_CONT);
	}
}

static void deliver_all(struct http_client *c)
{
	struct list batch, *link;

	c->delivering = true;
	list_init(&batch);
	while ((link = list_pop(&c->ready)))
		list_append(&batch, link);
	while ((link = list_pop(&batch)))
		deliver_op(container_of(link, struct http_op, ready_link));
	c->delivering = false;
	if (c->closed)
		client_free(c);
	else if (!list_empty(&c->ready))
		wake_later(c);
}

static void on_wake(void *arg)
{
	struct http_client *c = arg;

	close_drained_pools(c);
	start_waiting(c);
	deliver_all(c);
}

static void on_deadline(void *arg)
{
	struct http_op *op = arg;
	bool waiting = op->state == OP_WAITING;

	list_remove(&op->link);
	list_append(&op->client->ops, &op->link);
	if (!waiting)
		judge_connections(op, ERR_TIMEOUT);
	end_op(op, ERR_TIMEOUT, waiting ? "timed out waiting for a free connection" : "timed out");
	on_wake(op->client);
}

static void on_finished(void *arg, CURL *easy, CURLcode code)
{
	struct http_transfer *t = NULL;
	struct http_op *op;

	(void)arg;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
	op = container_of(t, struct http_op, transfer);
	release_op(op);
	http_transfer_finish(t, code);
	judge_connections(op, t->reply.err.code);
	mark_ready(op);
}

static void on_broken(void *arg, const char *why)
{
	const struct pool *pool = arg;
	const struct list *ops = &pool->client->ops;

	for (struct list *link = ops->next; link != ops; link = link->next) {
		struct http_op *op = container_of(link, struct http_op, link);

		if (op->state == OP_RUNNING && op->pool == pool)
			end_op(op, ERR_IO, why);
	}
}

/* May close the pool. */
static void on_settled(void *arg)
{
	on_wake(((struct pool *)arg)->client);
}

static const struct http_multi_events events = {
	.finished = on_finished,
	.broken = on_broken,
	.settled = on_settled,
};

/* A SOCKS5 proxy resolves names itself, as with Go's net/http: with libcurl it does so for socks5h only. */
static char *dup_proxy(const char *proxy)
{
	static const char local[] = "socks5://";

	return text_starts(proxy, local) ? xasprintf("socks5h://%s", proxy + strlen(local)) : xstrdup_null(proxy);
}

struct http_client *http_client_new(struct loop *loop, const struct http_client_options *options)
{
	struct http_client *c = xcalloc(1, sizeof(*c));

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort(); /* out of memory */
	c->loop = loop;
	c->max_connections = options->max_connections > 0 ? options->max_connections : CONNECTIONS;
	c->profile.proxy = dup_proxy(options->proxy);
	c->profile.user_agent = xstrdup_null(options->user_agent);
	list_init(&c->ops);
	list_init(&c->waiting);
	list_init(&c->ready);
	list_init(&c->retired);
	sched_timer_init(&c->wake, on_wake, c);
	for (enum pool_kind kind = POOL_CALLS; kind < POOL_KINDS; kind++)
		c->pools[kind] = pool_new(c, kind);
	return c;
}

static void replace_text(char **text, const char *by)
{
	free(*text);
	*text = xstrdup_null(by);
}

int http_client_set_tls(struct http_client *c, const struct http_tls *tls, struct err *err)
{
	if (tls->ca && tls_check_ca(tls->ca, err) < 0)
		return err_code(err);
	if ((tls->cert || tls->key) && tls_check_pair(tls->cert, tls->key, err) < 0)
		return err_code(err);
	replace_text(&c->profile.ca, tls->ca);
	replace_text(&c->profile.cert, tls->cert);
	replace_text(&c->profile.key, tls->key);
	replace_text(&c->profile.server_name, tls->server_name);
	c->profile.insecure = tls->insecure;
	return 0;
}

static void cancel_all(struct list *ops)
{
	while (!list_empty(ops))
		http_op_cancel(container_of(ops->next, struct http_op, link));
}

void http_client_close(struct http_client *c)
{
	assert(!c->closed);
	c->closed = true;
	cancel_all(&c->waiting);
	cancel_all(&c->ops);
	sched_disarm(&c->loop->sched, &c->wake);
	close_drained_pools(c);
	for (enum pool_kind kind = POOL_CALLS; kind < POOL_KINDS; kind++)
		pool_close(c->pools[kind]);
	if (!c->delivering)
		client_free(c);
}

struct http_op *http_client_send(struct http_client *c, const struct http_request *r, http_data_fn *data,
				 http_done_fn *done, void *arg)
{
	struct http_op *op = xcalloc(1, sizeof(*op));
	struct err err;

	assert(!c->closed && (data || !r->stream) && !(r->stream && r->compressed));
	op->client = c;
	op->data = data;
	op->done = done;
	op->arg = arg;
	list_init(&op->ready_link);
	list_init(&op->link);
	list_append(&c->waiting, &op->link);
	sched_timer_init(&op->deadline, on_deadline, op);
	if (http_transfer_init(&op->transfer, r, &c->profile, &err) < 0) {
		list_remove(&op->link);
		list_append(&c->ops, &op->link);
		end_op(op, err.code, err.msg);
		wake_later(c);
		return op;
	}
	op->transfer.arrived = on_arrived;
	op->transfer.begin = r->begin;
	op->transfer.begin_arg = arg;
	if (r->timeout_ms > 0)
		sched_arm(&c->loop->sched, &op->deadline, r->timeout_ms);
	if (r->stream || (c->connections < c->max_connections && c->waiting.next == &op->link))
		start_op(op);
	return op;
}

void http_op_cancel(struct http_op *op)
{
	struct http_client *c =
	    op->client; /* NOLINT(clang-analyzer-unix.Malloc): what is freed is in no list any more */

	if (op->state == OP_DELIVERED)
		return;
	if (c->current == op)
		c->current = NULL;
	if (op->state == OP_RUNNING) {
		http_multi_remove(op->pool->multi, op->transfer.easy);
		release_op(op);
		if (!list_empty(&c->waiting))
			wake_later(c);
	}
	op_free(op);
}
