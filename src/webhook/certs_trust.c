/*
 * The webhook configurations: which of their webhooks call this operator, whether these trust a certificate, and
 * the patch that makes them trust it. A configuration may hold webhooks of others, and these are left as they are.
 * But a merge patch replaces an array as a whole, so the patch holds them too. The caller has to add the
 * resourceVersion as a precondition.
 *
 * Failure modes: a webhook without caBundle, or one whose caBundle cannot be decoded or does not verify the
 * certificate: ERR_INVALID.
 */
#include "certs_trust.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

char *certs_trust_host(const char *url)
{
	const char *scheme = url ? strstr(url, "://") : NULL;
	const char *host = scheme ? scheme + strlen("://") : "";
	auto_free char *authority = xstrndup(host, strcspn(host, "/?#"));

	if (!*authority || strchr(authority, '@'))
		return NULL;
	if (*authority == '[')
		return xstrndup(authority + 1, strcspn(authority + 1, "]"));
	return xstrndup(authority, strcspn(authority, ":"));
}

/* A webhook is ours by its service, or by its URL, if the host is one of ours. A configuration may hold webhooks of
 * others, and these must not come to trust our CA. */
static bool calls_us(const struct json *webhook, const struct certs_rules *rules)
{
	const struct json *client = json_get(webhook, "clientConfig");
	auto_free char *host = certs_trust_host(json_str(client, "url", NULL));

	for (const char *const *name = rules->names; host && *name; name++)
		if (!strcasecmp(host, *name))
			return true;
	if (json_get(client, "url"))
		return false;
	return text_eq(json_str(client, "service.name", NULL), rules->service_name) &&
	       text_eq(json_str(client, "service.namespace", NULL), rules->service_ns);
}

/* The name for which the API server wants the certificate: the host of the URL if there is one, else `name`. Owned. */
static char *expected_name(const struct json *webhook, const char *name)
{
	char *host = certs_trust_host(json_str(webhook, "clientConfig.url", NULL));

	return host ? host : xstrdup(name);
}

static int check_webhook(const struct json *webhook, const char *cert, const struct certs_rules *rules, int64_t wall_ms,
			 struct err *err)
{
	const char *encoded = json_str(webhook, "clientConfig.caBundle", "");
	auto_free char *name = expected_name(webhook, rules->names[0]);
	size_t len;
	auto_free char *bundle = text_base64_decode(encoded, &len);

	if (!encoded[0])
		err_set(err, ERR_INVALID, "caBundle is empty");
	else if (certs_memo_verify(rules->memo, cert, bundle, name, wall_ms, err) == 0)
		return 0;
	return err_wrap(err, "webhook %s", json_str(webhook, "name", "?"));
}

/* Whether both webhooks have the same URL and caBundle, so that one answer is enough: to verify costs more than all
 * else here. */
static bool are_alike(const struct json *a, const struct json *b)
{
	const struct json *x = json_get(a, "clientConfig"), *y = json_get(b, "clientConfig");

	return a && text_eq(json_str(x, "url", NULL), json_str(y, "url", NULL)) &&
	       text_eq(json_str(x, "caBundle", NULL), json_str(y, "caBundle", NULL));
}

int certs_trust_check(const struct json *configuration, const char *cert, const struct certs_rules *rules,
		      int64_t wall_ms, struct err *err)
{
	const struct json *last = NULL;
	int count = 0;

	json_each (webhook, json_get(configuration, "webhooks")) {
		if (!calls_us(webhook, rules))
			continue;
		if (!are_alike(last, webhook) && check_webhook(webhook, cert, rules, wall_ms, err) < 0)
			return err_code(err);
		last = webhook;
		count++;
	}
	return count;
}

struct json *certs_trust_patch(const struct json *configuration, const struct certs_rules *rules, const char *bundle)
{
	auto_free char *encoded = text_base64_encode(bundle, strlen(bundle));
	auto_json webhooks = json_dup(json_get(configuration, "webhooks"));
	struct json *patch;
	bool differs = false;

	json_each (webhook, webhooks) {
		struct json *client = json_get(webhook, "clientConfig");

		if (!calls_us(webhook, rules) || text_eq(json_str(client, "caBundle", ""), encoded))
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
