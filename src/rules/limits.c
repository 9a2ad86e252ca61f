/*
 * Compares what an author chose with the lists of the operator's options. A list that was not given allows everything,
 * and the entry "none" nothing.
 *
 * A host "*.DOMAIN" stands for all hosts below the domain, however deep, as in a hostname of the Gateway API. A prefix
 * of keys ends in '/' or '*'. ClusterIP is always allowed, since a Service without a type has that one.
 */
#include "rules/limits.h"

#include <string.h>

#include "base/text.h"
#include "rules/check.h"

static bool is_host_allowed(const char *entry, const char *host)
{
	return text_starts(entry, "*.") ? text_ends(host, entry + 1) && strlen(host) > strlen(entry + 1)
					: text_eq(entry, host);
}

static bool is_key_allowed(const char *entry, const char *key)
{
	size_t len = strlen(entry);

	if (text_ends(entry, "*"))
		return strncmp(key, entry, len - 1) == 0;
	return text_ends(entry, "/") ? text_starts(key, entry) : text_eq(entry, key);
}

static bool is_type_allowed(const char *entry, const char *type)
{
	return text_eq(type, "ClusterIP") || text_eq(entry, type);
}

static const struct {
	const char *flag;
	const char *what; /* is chosen */
	bool (*allows)(const char *entry, const char *text);
} limit_rows[LIMIT_COUNT] = {
	[LIMIT_INGRESS_HOST] = { "--allowed-ingress-hosts", "host", is_host_allowed },
	[LIMIT_INGRESS_ANNOTATION] = { "--allowed-ingress-annotations", "annotation", is_key_allowed },
	[LIMIT_SERVICE_TYPE] = { "--allowed-service-types", "type", is_type_allowed },
	[LIMIT_SERVICE_ANNOTATION] = { "--allowed-service-annotations", "annotation", is_key_allowed },
	[LIMIT_SERVICE_LABEL] = { "--allowed-service-labels", "label", is_key_allowed },
	[LIMIT_STORAGE_CLASS] = { "--allowed-storage-classes", "storage class", text_eq },
};

/* ---- entries ---- */

const char *limits_check_host(const char *entry)
{
	return text_is_dns_subdomain(text_starts(entry, "*.") ? entry + 2 : entry)
		   ? NULL
		   : "a host such as spark.example.com, or *.DOMAIN for all hosts below a domain";
}

const char *limits_check_key(const char *entry)
{
	size_t len = strlen(entry);
	bool is_prefix = text_ends(entry, "/") || text_ends(entry, "*");
	auto_free char *prefix = xstrndup(entry, is_prefix ? len - 1 : len);
	auto_free char *key = text_ends(prefix, "/") ? xasprintf("%sx", prefix) : xstrdup(prefix);
	/* A prefix may end where no key can, as in "example.com/a-". */
	auto_free char *padded = is_prefix ? xasprintf("%sx", key) : xstrdup(key);

	return check_annotation_key(padded) ? "a key, or a prefix of keys that ends in / or *" : NULL;
}

const char *limits_check_class(const char *entry)
{
	return text_is_dns_subdomain(entry) ? NULL : "the name of a storage class";
}

const char *limits_check_type(const char *entry)
{
	static const char *const types[] = { "ClusterIP", "NodePort", "LoadBalancer", "ExternalName" };

	for (size_t i = 0; i < array_len(types); i++)
		if (text_eq(entry, types[i]))
			return NULL;
	return "types of Services: ClusterIP, NodePort, LoadBalancer, ExternalName";
}

/* ---- what was chosen ---- */

bool limits_has(const struct limits *l, enum limit_kind kind)
{
	return l->allowed[kind] && l->allowed[kind]->len > 0;
}

bool limits_any(const struct limits *l)
{
	for (enum limit_kind i = 0; i < LIMIT_COUNT; i++)
		if (limits_has(l, i))
			return true;
	return l->claim_size != NULL;
}

bool limits_allow_none(const struct limits *l, enum limit_kind kind)
{
	return limits_has(l, kind) && text_eq(l->allowed[kind]->items[0], LIMIT_NONE);
}

static bool is_allowed(const struct limits *l, enum limit_kind kind, const char *text)
{
	const struct strv *list = l->allowed[kind];

	if (!limits_has(l, kind))
		return true;
	for (size_t i = 0; i < list->len && !limits_allow_none(l, kind); i++)
		if (limit_rows[kind].allows(list->items[i], text))
			return true;
	return false;
}

void limits_check(struct problems *p, const struct limits *l, enum limit_kind kind, const char *text, const char *path)
{
	const char *what = limit_rows[kind].what, *flag = limit_rows[kind].flag;
	auto_free char *wrong = NULL, *list = NULL;

	if (is_allowed(l, kind, text))
		return;
	list = strv_join(l->allowed[kind], ", ");
	wrong = *text ? xasprintf("the %s \"%s\" is not allowed", what, text) : xasprintf("there is no %s", what);
	if (limits_allow_none(l, kind))
		problems_add(p, path, "Forbidden: %s: the operator's %s is none: leave it out", wrong, flag);
	else
		problems_add(p, path, "Forbidden: %s: choose one that the operator's %s allows: %s", wrong, flag, list);
}
