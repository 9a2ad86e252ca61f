/*
 * The writer of caBundle in one webhook configuration.
 *
 * Happy path: the configuration does not have the bundle → the Secret is read from the API server, and the cache
 * has the same version → the configuration is patched. The Secret is read since a replica whose watch has fallen
 * behind must not take a new CA out again.
 *
 * Failure modes: the Secret in the cache is older than that in the API server: the next try comes soon. Somebody
 * overwrites caBundle again and again: the first repair comes at once, the next ones at growing intervals. A
 * configuration that does not exist: nothing to do.
 */
#include "certs_writers.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "certs_trust.h"

enum {
	STALE_MS = 200,
	FIRST_PAUSE_MS = 500,
	PAUSE_MAX_MS = 30 * 1000,
	PAUSE_DOUBLINGS = 6,
	QUIET_MS = 60 * 1000, /* after so long without repair, the next one comes at once again */
};

void certs_bundle_init(struct certs_bundle *b, const struct certs_bundle_options *options)
{
	*b = (struct certs_bundle){ .o = *options };
	certs_writer_init(&b->writer, options->shell, options->configuration, NULL);
}

void certs_bundle_done(struct certs_bundle *b)
{
	certs_writer_done(&b->writer);
	free(b->wanted);
	free(b->injected);
}

static void on_injected(void *arg, struct reply *reply)
{
	struct certs_bundle *b = arg;

	if (!certs_writer_settle(&b->writer, reply))
		return;
	log_info(b->o.name, b->again ? "webhook: caBundle repaired" : "webhook: caBundle set", "kind", b->o.res->kind,
		 NULL);
	if (b->o.writes)
		metric_add(b->o.writes, &b->o.name, 1);
}

static int64_t since_injected_ms(const struct certs_bundle *b)
{
	return sched_now(b->o.shell->sched) - b->injected_ms;
}

static void remember_injected(struct certs_bundle *b)
{
	b->again = text_eq(b->injected, b->wanted);
	if (!b->again || since_injected_ms(b) > QUIET_MS)
		b->repairs = 0;
	b->repairs++;
	free(b->injected);
	b->injected = xstrdup(b->wanted);
	b->injected_ms = sched_now(b->o.shell->sched);
}

static struct json *patch_of(const struct certs_bundle *b)
{
	const struct kobj *configuration = certs_object(b->o.configuration);
	struct json *patch = configuration ? certs_trust_patch(configuration->tree, b->o.rules, b->wanted) : NULL;

	if (patch)
		json_set_str(json_ensure_object(patch, "metadata"), "resourceVersion", configuration->resource_version);
	return patch;
}

static void inject_bundle(struct certs_bundle *b)
{
	auto_json patch = patch_of(b);
	const struct request req = {
		.verb = VERB_PATCH, .lane = LANE_HIGH, .res = b->o.res, .name = b->o.name, .body = patch
	};

	if (!patch)
		return;
	remember_injected(b);
	b->writer.call = api_send(b->o.shell->api, &req, on_injected, b);
}

/* The Secret as it is in the API server; it may be absent there and in the cache alike. */
static void on_secret_read(void *arg, struct reply *reply)
{
	struct certs_bundle *b = arg;
	const struct kobj *cached = certs_object(b->o.secret);
	const char *version = json_str(reply->body, "metadata.resourceVersion", NULL);

	if (reply->err.code != ERR_NONE && reply->err.code != ERR_NOT_FOUND) {
		certs_writer_settle(&b->writer, reply);
		return;
	}
	b->writer.call = NULL;
	if (text_eq(version, cached ? cached->resource_version : NULL))
		inject_bundle(b);
	else
		certs_writer_wait(&b->writer, STALE_MS);
}

static void read_secret_first(struct certs_bundle *b)
{
	const struct request req = {
		.verb = VERB_GET,
		.lane = LANE_HIGH,
		.res = &resource_secret,
		.ns = b->o.rules->secret_ns,
		.name = b->o.rules->secret_name,
	};

	b->writer.call = api_send(b->o.shell->api, &req, on_secret_read, b);
}

/* For how long it is left as somebody else put it, counted from the last write; 0: not at all. */
static int64_t repair_pause_ms(const struct certs_bundle *b)
{
	if (b->repairs < 2 || !text_eq(b->injected, b->wanted))
		return 0;

	unsigned doublings = b->repairs - 2;
	int64_t pause_ms = FIRST_PAUSE_MS << (doublings < PAUSE_DOUBLINGS ? doublings : PAUSE_DOUBLINGS);

	return pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS;
}

static bool differs(const struct certs_bundle *b)
{
	auto_json patch = patch_of(b);

	return patch;
}

void certs_bundle_keep(struct certs_bundle *b, const char *bundle)
{
	int64_t left_ms;

	if (!text_eq(b->wanted, bundle)) {
		free(b->wanted);
		b->wanted = xstrdup(bundle);
	}
	if (!cache_synced(b->o.configuration) || !certs_object(b->o.configuration) || !certs_writer_ready(&b->writer) ||
	    !differs(b))
		return;
	left_ms = repair_pause_ms(b) - since_injected_ms(b);
	if (left_ms > 0)
		certs_shell_pass_in(b->o.shell, left_ms);
	else if (b->o.secret)
		read_secret_first(b);
	else
		inject_bundle(b);
}
