/*
 * From flags to webhook configurations, and their creation in the cluster.
 *
 * Happy path: one request for each configuration → created.
 *
 * Failure modes: a configuration exists already. Then it belongs to somebody (a chart, an administrator) and stays
 * as it is; certs keeps its caBundle in any case. The API server cannot be reached or refuses: the request is
 * repeated every RETRY_MS, and the log says so once.
 */
#include "webhook/webhook_registration.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "json/yaml.h"
#include "admission/registration.h"

enum { RETRY_MS = 5000, SECOND_MS = 1000, CONFIGURATIONS = 2 };

struct creation {
	struct webhook_registration *registration;
	const struct resource *res;
	struct json *object; /* NULL: no such configuration is wanted */
	struct api_call *call;
	struct sched_timer retry;
	bool warned;
};

struct webhook_registration {
	struct api *api;
	struct sched *sched;
	struct creation creations[CONFIGURATIONS];
};

/* An element KEY=VALUE of --webhook-namespace-selector: a label that a namespace must have. Each key has one value. */
static int check_label(const char *element, struct strv *keys, struct err *err)
{
	size_t len = strcspn(element, "=");
	auto_free char *key = xstrndup(element, len);

	if (element[len] != '=' || !text_is_label_key(key) || !text_is_label_value(element + len + 1))
		return err_set(err, ERR_INVALID,
			       "--webhook-namespace-selector: \"%s\": expected KEY=VALUE, as labels have them",
			       element);
	if (strv_has(keys, key))
		return err_set(err, ERR_INVALID,
			       "--webhook-namespace-selector: \"%s\": no namespace can have two values of %s", element,
			       key);
	strv_add(keys, key);
	return 0;
}

static int check_webhook_selector(const struct options *o, struct err *err)
{
	auto_strv keys = { 0 };

	for (size_t i = 0; i < o->webhook_selector.len; i++)
		if (check_label(o->webhook_selector.items[i], &keys, err) < 0)
			return err_code(err);
	return 0;
}

int webhook_registration_check(const struct options *o, struct err *err)
{
	if (o->webhook_timeout_ms < SECOND_MS || o->webhook_timeout_ms > 30 * SECOND_MS)
		return err_set(err, ERR_INVALID, "--webhook-timeout: expected a time from 1s to 30s");
	if (o->webhook_url && !text_starts(o->webhook_url, "https://"))
		return err_set(err, ERR_INVALID, "--webhook-url: \"%s\": expected https://HOST:PORT", o->webhook_url);
	return check_webhook_selector(o, err);
}

static void build_configurations(const struct options *o, const char *ns, struct json *ret[CONFIGURATIONS])
{
	const struct registration_options options = {
		.service_ns = o->webhook_service_ns ? o->webhook_service_ns : ns,
		.service_name = o->webhook_service,
		.url = o->webhook_url,
		.failure_policy = o->webhook_policy,
		.pod_failure_policy = o->webhook_pod_policy,
		.timeout_s = o->webhook_timeout_ms / SECOND_MS,
		.namespaces = (const char *const *)options_reviewed(o)->items,
		.namespace_count = options_reviewed(o)->len,
		.selector = (const char *const *)o->webhook_selector.items,
		.selector_count = o->webhook_selector.len,
	};

	ret[0] = text_empty(o->mutating_name) ? NULL : registration_mutating(o->mutating_name, &options);
	ret[1] = text_empty(o->validating_name) ? NULL : registration_validating(o->validating_name, &options);
}

int webhook_registration_print(const struct options *o, FILE *out, FILE *errors)
{
	struct json *objects[CONFIGURATIONS];
	struct err err = { 0 };

	if (webhook_registration_check(o, &err) < 0) {
		fprintf(errors, "webhook config: %s\n", err.msg);
		return 2;
	}
	build_configurations(o, "spark-operator", objects);
	for (size_t i = 0; i < CONFIGURATIONS; i++) {
		auto_free char *text = objects[i] ? yaml_print(objects[i]) : NULL;

		if (text)
			fprintf(out, "---\n%s", text);
		json_free(objects[i]);
	}
	return fflush(out) == 0 ? 0 : 1;
}

static void create_configuration(struct creation *c);

static void on_retry(void *arg)
{
	create_configuration(arg);
}

static void on_created(void *arg, struct reply *reply)
{
	struct creation *c = arg;
	const char *name = json_str(c->object, "metadata.name", "");

	c->call = NULL;
	if (reply->err.code == ERR_NONE) {
		log_info(NULL, "webhook configuration created", "kind", c->res->kind, "name", name, NULL);
		return;
	}
	if (reply->err.code == ERR_EXISTS) {
		log_info(NULL, "webhook configuration is there already; it is used as it is", "kind", c->res->kind,
			 "name", name, NULL);
		return;
	}
	if (!c->warned)
		log_warn(NULL, "webhook configuration cannot be created; trying again", "error", reply->err.msg, NULL);
	c->warned = true;
	sched_arm(c->registration->sched, &c->retry, RETRY_MS);
}

static void create_configuration(struct creation *c)
{
	const struct request request = { .verb = VERB_CREATE, .res = c->res, .body = c->object };

	c->call = api_send(c->registration->api, &request, on_created, c);
}

struct webhook_registration *webhook_registration_new(struct api *api, struct sched *sched, const char *ns,
						      const struct options *o)
{
	struct webhook_registration *r = xcalloc(1, sizeof(*r));
	struct json *objects[CONFIGURATIONS];

	r->api = api;
	r->sched = sched;
	build_configurations(o, ns, objects);
	for (size_t i = 0; i < CONFIGURATIONS; i++) {
		struct creation *c = &r->creations[i];

		c->registration = r;
		c->res = i == 0 ? &resource_mutatingwebhook : &resource_validatingwebhook;
		c->object = objects[i];
		sched_timer_init(&c->retry, on_retry, c);
	}
	return r;
}

void webhook_registration_start(struct webhook_registration *r)
{
	for (size_t i = 0; i < CONFIGURATIONS; i++)
		if (r->creations[i].object)
			create_configuration(&r->creations[i]);
}

void webhook_registration_free(struct webhook_registration *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < CONFIGURATIONS; i++) {
		struct creation *c = &r->creations[i];

		if (c->call)
			api_cancel(r->api, c->call);
		sched_disarm(r->sched, &c->retry);
		json_free(c->object);
	}
	free(r);
}
