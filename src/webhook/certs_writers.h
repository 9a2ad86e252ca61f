/*
 * Those who carry out what a pass decides: the writer of the Secret and the writers of caBundle. Both pace their
 * writes alike.
 */
#ifndef WEBHOOK_CERTS_WRITERS_H
#define WEBHOOK_CERTS_WRITERS_H

#include "base/metrics.h"
#include "base/sched.h"
#include "certs_pass.h"
#include "kube/api.h"
#include "runtime/cache.h"

/* The object of a cache of one object, as it was seen last; borrowed until the next change. NULL: it does not exist,
 * or is not known yet. */
static inline const struct kobj *certs_object(const struct cache *cache)
{
	size_t pos = 0;

	return store_next(cache_store(cache), &pos);
}

/* What writers need of the certificate they belong to: they ask for another pass when they can go on. */
struct certs_shell {
	struct api *api;
	struct sched *sched;
	struct sched_timer pass; /* of the next pass */
};

/* The next pass comes after delay_ms, or earlier if it is already to come earlier. */
void certs_shell_pass_in(struct certs_shell *shell, int64_t delay_ms);

/* ---- pace: one write of one object after another ---- */

struct certs_writer {
	struct certs_shell *shell;
	const struct cache *cache; /* of the object that is written */
	const char *ns;		   /* of that object; NULL: it has none */
	struct api_call *call;	   /* under way, or NULL */
	char *await;		   /* version of the last write, until the cache has seen it; or NULL */
	int64_t await_until_ms;
	int64_t not_before_ms;
	unsigned failures; /* in a row */
};

void certs_writer_init(struct certs_writer *w, struct certs_shell *shell, const struct cache *cache, const char *ns);
void certs_writer_done(struct certs_writer *w);
/* Whether it may write now. If it only has to wait for a time, a pass comes when that is over. */
bool certs_writer_ready(struct certs_writer *w);
/* Writes nothing for delay_ms; a pass comes then. */
void certs_writer_wait(struct certs_writer *w, int64_t delay_ms);
/* The reply to its call: true if the write took place. Otherwise it backs off; a pass comes in either case. */
bool certs_writer_settle(struct certs_writer *w, const struct reply *reply);

/* ---- the Secret ---- */

struct certs_secret {
	struct certs_writer writer;
	const struct certs_rules *rules;
	enum certs_step step; /* under way */
	char because[ERR_MSG_SIZE];
};

void certs_secret_init(struct certs_secret *s, struct certs_shell *shell, const struct cache *cache,
		       const struct certs_rules *rules);
void certs_secret_done(struct certs_secret *s);
/* Writes the step for which these facts were the reason, unless it is not ready to write. */
void certs_secret_write(struct certs_secret *s, enum certs_step step, const char *because,
			const struct certs_step_facts *facts);

/* ---- caBundle ---- */

/* All borrowed. */
struct certs_bundle_options {
	struct certs_shell *shell;
	const struct certs_rules *rules;
	const struct cache *configuration;
	const struct cache *secret; /* where the bundle comes from; NULL: from files */
	const struct resource *res; /* of the configuration */
	const char *name;
	struct metric *writes; /* counter by configuration; NULL for none */
};

struct certs_bundle {
	struct certs_bundle_options o;
	struct certs_writer writer;
	char *wanted;	/* by the last pass, or NULL */
	char *injected; /* by the last write, or NULL */
	int64_t injected_ms;
	unsigned repairs; /* writes of the same bundle, one soon after another */
	bool again;	  /* the write under way puts back what somebody took away */
};

void certs_bundle_init(struct certs_bundle *b, const struct certs_bundle_options *options);
void certs_bundle_done(struct certs_bundle *b);
/* Makes bundle the caBundle of the configuration, unless the configuration does not exist, has it already, or it is
 * not time yet. */
void certs_bundle_keep(struct certs_bundle *b, const char *bundle);

#endif
