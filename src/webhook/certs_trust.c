/*
 * The webhook configurations: which of their webhooks come to us, whether these trust a certificate, and the patch that makes them. A
 * configuration may hold webhooks of others, which are left as they are; but a merge patch replaces arrays whole, so it holds them too
 * and needs the resourceVersion as a precondition.
 */
#include <string.h>

#include "base/text.h"
#include "certs_parts.h"

/* By service; or by URL, as outside of a cluster, where the configuration's name says enough. */
static bool is_ours(const struct json *webhook, const struct certs_service *service)
{
	const struct json *client = json_get(webhook, "clientConfig");

	if (json_str(client, "url", NULL))
		return true;
	return text_eq(json_str(client, "service.name", NULL), service->name) &&
	       text_eq(json_str(client, "service.namespace", NULL), service->ns);
}

/* The name that the API server asks for: the host of the URL, if there is one. Owned. */
static char *asked_name(const struct json *webhook, const char *name)
{
	const char *url = json_str(webhook, "clientConfig.url", NULL);
	const char *host = url ? strstr(url, "://") : NULL;

	if (!host)
		return xstrdup(name);
	host += strlen("://");
	if (*host == '[')
		return xstrndup(host + 1, strcspn(host + 1, "]"));
	return xstrndup(host, strcspn(host, ":/"));
}

static int trusts(const struct json *webhook, const char *cert, const struct certs_rules *rules, int64_t wall_ms,
		  struct err *err)
{
	const char *encoded = json_str(webhook, "clientConfig.caBundle", "");
	auto_free char *asked = asked_name(webhook, rules->names[0]);
	size_t len;
	auto_free char *bundle = text_base64_decode(encoded, &len);

	if (!encoded[0])
		err_set(err, ERR_INVALID, "caBundle is empty");
	else if (certs_memo_verify(rules->memo, cert, bundle, asked, wall_ms, err) == 0)
		return 0;
	return err_wrap(err, "webhook %s", json_str(webhook, "name", "?"));
}

/* Whether the API server asks for the same name and trusts the same: judging costs more than everything else here. */
static bool is_alike(const struct json *a, const struct json *b)
{
	const struct json *x = json_get(a, "clientConfig"), *y = json_get(b, "clientConfig");

	return a && text_eq(json_str(x, "url", NULL), json_str(y, "url", NULL)) &&
	       text_eq(json_str(x, "caBundle", NULL), json_str(y, "caBundle", NULL));
}

int certs_trusts(const struct json *configuration, const struct certs_service *service, const char *cert,
		 const struct certs_rules *rules, int64_t wall_ms, struct err *err)
{
	const struct json *last = NULL;
	int count = 0;

	json_each (webhook, json_get(configuration, "webhooks")) {
		if (!is_ours(webhook, service))
			continue;
		if (!is_alike(last, webhook) && trusts(webhook, cert, rules, wall_ms, err) < 0)
			return err_code(err);
		last = webhook;
		count++;
	}
	return count;
}

struct json *certs_inject(const struct json *configuration, const struct certs_service *service, const char *bundle)
{
	auto_free char *encoded = text_base64_encode(bundle, strlen(bundle));
	auto_json webhooks = json_dup(json_get(configuration, "webhooks"));
	struct json *patch;
	bool differs = false;

	json_each (webhook, webhooks) {
		struct json *client = json_get(webhook, "clientConfig");

		if (!is_ours(webhook, service) || text_eq(json_str(client, "caBundle", ""), encoded))
			continue;
		json_set_str(client, "caBundle", encoded);
		differs = true;
	}
	if (!differs)
		return NULL;
	patch = json_new_object();
	json_set(patch, "webhooks", take_ptr(webhooks));
	return patch;
}
