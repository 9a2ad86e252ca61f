/*
 * The writer of the operator's own Secret: one step after another, each by one write.
 *
 * Happy path: a step → its body → create or patch → the log says what was done and why.
 *
 * Failure modes: the body cannot be made, since the CA does not sign: as if the write had failed. All others are
 * the writer's.
 */
#include "certs_writers.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"

void certs_secret_init(struct certs_secret *s, struct certs_shell *shell, const struct cache *cache,
		       const struct certs_rules *rules)
{
	certs_writer_init(&s->writer, shell, cache, rules->secret_ns);
	s->rules = rules;
}

void certs_secret_done(struct certs_secret *s)
{
	certs_writer_done(&s->writer);
}

static void on_written(void *arg, struct reply *reply)
{
	static const char *const messages[] = {
		[CERTS_STEP_CREATE] = "webhook: Secret created",
		[CERTS_STEP_FILL] = "webhook: Secret filled",
		[CERTS_STEP_RENEW] = "webhook: certificate renewed",
		[CERTS_STEP_PUBLISH] = "webhook: renewal of the CA begins",
		[CERTS_STEP_SWITCH] = "webhook: CA renewed",
		[CERTS_STEP_DROP] = "webhook: old CA dropped",
		[CERTS_STEP_KEEP] = "webhook: old CA stays trusted for a while",
	};
	struct certs_secret *s = arg;

	if (certs_writer_settle(&s->writer, reply))
		log_info(s->rules->source, messages[s->step], "because", s->because, NULL);
}

static void send_step(struct certs_secret *s, struct json *body)
{
	const struct kobj *secret = certs_object(s->writer.cache);
	const struct request req = {
		.verb = secret ? VERB_PATCH : VERB_CREATE,
		.lane = LANE_HIGH,
		.res = &resource_secret,
		.ns = s->rules->secret_ns,
		.name = secret ? s->rules->secret_name : NULL,
		.body = body,
	};

	if (secret)
		json_set_str(json_get(body, "metadata"), "resourceVersion", secret->resource_version);
	s->writer.call = api_send(s->writer.shell->api, &req, on_written, s);
}

void certs_secret_write(struct certs_secret *s, enum certs_step step, const char *because,
			const struct certs_step_facts *facts)
{
	struct reply failed = { 0 };
	auto_json body = NULL;

	if (!certs_writer_ready(&s->writer))
		return;
	s->step = step;
	snprintf(s->because, sizeof(s->because), "%s", because);
	body = certs_body(step, facts, s->rules, &failed.err);
	if (body)
		send_step(s, body);
	else
		certs_writer_settle(&s->writer, &failed);
}
