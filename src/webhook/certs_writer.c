/*
 * How writes are paced. Every write carries the resourceVersion that it was decided for, so of several replicas one
 * wins and the others decide anew.
 *
 * Happy path: ready → the caller sends → settle → the cache sees the version that was written → ready.
 *
 * Failure modes: a write that fails is decided anew after a back-off, whether it took place or not. A conflict is
 * expected, so its back-off is short and the log is silent. A cache that does not see the write for SEEN_MS is
 * behind for other reasons: the writer goes on.
 */
#include "certs_writers.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

enum {
	SEEN_MS = 30 * 1000,
	CONFLICT_MS = 100,
	CONFLICT_MAX_MS = 5 * 1000,
	RETRY_MS = 500,
	RETRY_MAX_MS = 30 * 1000,
};

void certs_shell_pass_in(struct certs_shell *shell, int64_t delay_ms)
{
	if (!sched_armed(&shell->pass) || shell->pass.due_ms > sched_now(shell->sched) + delay_ms)
		sched_arm(shell->sched, &shell->pass, delay_ms);
}

void certs_writer_init(struct certs_writer *w, struct certs_shell *shell, const struct cache *cache, const char *ns)
{
	*w = (struct certs_writer){ .shell = shell, .cache = cache, .ns = ns };
}

void certs_writer_done(struct certs_writer *w)
{
	if (w->call)
		api_cancel(w->shell->api, w->call);
	free(w->await);
}

bool certs_writer_ready(struct certs_writer *w)
{
	int64_t now_ms = sched_now(w->shell->sched), until_ms = w->not_before_ms;

	if (w->call)
		return false;
	if (w->await && (now_ms >= w->await_until_ms || cache_has_seen(w->cache, w->ns, w->await)))
		free(take_ptr(w->await));
	if (w->await)
		until_ms = w->await_until_ms;
	if (until_ms <= now_ms)
		return true;
	certs_shell_pass_in(w->shell, until_ms - now_ms);
	return false;
}

void certs_writer_wait(struct certs_writer *w, int64_t delay_ms)
{
	w->not_before_ms = sched_now(w->shell->sched) + delay_ms;
	certs_shell_pass_in(w->shell, delay_ms);
}

static void await_write(struct certs_writer *w, const struct reply *reply)
{
	w->failures = 0;
	w->await = xstrdup_null(json_str(reply->body, "metadata.resourceVersion", NULL));
	w->await_until_ms = sched_now(w->shell->sched) + SEEN_MS;
	certs_shell_pass_in(w->shell, 0);
}

static void back_off(struct certs_writer *w, const struct err *err)
{
	struct rng *rng = &w->shell->sched->rng;
	int64_t retry_ms;

	if (err->code == ERR_CONFLICT || err->code == ERR_EXISTS) {
		log_debug("-", "webhook: somebody else was first", "error", err->msg, NULL);
		certs_writer_wait(w, time_backoff_ms(CONFLICT_MS, CONFLICT_MAX_MS, w->failures++, rng));
		return;
	}
	retry_ms = time_backoff_ms(RETRY_MS, RETRY_MAX_MS, w->failures, rng);
	if (w->failures++ == 0)
		log_warn("-", "webhook: a write failed, it is tried again", "error", err->msg, NULL);
	certs_writer_wait(w, err->retry_after_ms > retry_ms ? err->retry_after_ms : retry_ms);
}

bool certs_writer_settle(struct certs_writer *w, const struct reply *reply)
{
	w->call = NULL;
	if (reply->err.code != ERR_NONE) {
		back_off(w, &reply->err);
		return false;
	}
	await_write(w, reply);
	return true;
}
