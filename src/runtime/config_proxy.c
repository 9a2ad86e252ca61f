/*
 * The proxy that the environment names: HTTPS_PROXY or HTTP_PROXY, by the scheme of the server, and NO_PROXY, each in
 * lower case too, where the first that is not empty counts. Rules: golang.org/x/net/http/httpproxy, which client-go
 * uses, with CIDRs in NO_PROXY. ALL_PROXY does not count there, nor here.
 *
 * Happy path: the variable is not set, or an entry of NO_PROXY names the server, and there is no proxy. An entry is
 * "*", an address, a CIDR, a domain with its subdomains, or ".domain" or "*.domain" for subdomains only; address and
 * domain may have a port. localhost and loopback addresses have no proxy at all. Entries of NO_PROXY that mean nothing
 * are passed over, as in Go; a proxy that means nothing is refused.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config_parts.h"

static const char *const schemes[] = { "http://", "https://", "socks5://", "socks5h://" };

/* The server of a URL, or what an entry of NO_PROXY names. */
struct place {
	char *host;
	char *port; /* or NULL */
	bool is_address;
	struct in6_addr address; /* of IPv4, too: ::ffff:a.b.c.d */
};

static void place_done(struct place *p)
{
	free(p->host);
	free(p->port);
}

#define auto_place __attribute__((cleanup(place_done))) struct place

char *config_hide_user(const char *url)
{
	const char *scheme = strstr(url, "://"), *host = scheme ? scheme + strlen("://") : url;
	const char *at = strrchr(host, '@');

	return at ? xasprintf("%.*s…%s", (int)(host - url), url, at) : xstrdup(url);
}

int config_check_proxy(const char *proxy, struct err *err)
{
	auto_free char *shown = NULL;

	for (size_t i = 0; i < array_len(schemes); i++) {
		if (text_starts(proxy, schemes[i]) && proxy[strlen(schemes[i])] != '\0')
			return 0;
	}
	shown = config_hide_user(proxy);
	return err_set(err, ERR_INVALID, "Invalid value: \"%s\": expected http://, https:// or socks5:// HOST:PORT",
		       shown);
}

static bool parse_address(const char *text, struct in6_addr *ret)
{
	auto_free char *mapped = xasprintf("::ffff:%s", text);

	return inet_pton(AF_INET6, text, ret) == 1 || (!strchr(text, ':') && inet_pton(AF_INET6, mapped, ret) == 1);
}

static bool is_loopback(const struct in6_addr *a)
{
	return IN6_IS_ADDR_LOOPBACK(a) || (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
}

/* "HOST", "HOST:PORT", "[ADDRESS]:PORT" or an address of IPv6 (Go's net.SplitHostPort). */
static struct place parse_place(const char *text)
{
	const char *colon = strrchr(text, ':');
	bool bracket = text[0] == '[' && colon && colon > text && colon[-1] == ']';
	struct place p = { 0 };

	if (bracket)
		p.host = xstrndup(text + 1, (size_t)(colon - text) - 2);
	else if (colon && strchr(text, ':') == colon)
		p.host = xstrndup(text, (size_t)(colon - text));
	else
		p.host = xstrdup(text);
	if (bracket || (colon && strchr(text, ':') == colon))
		p.port = xstrdup(colon + 1);
	p.is_address = parse_address(p.host, &p.address);
	return p;
}

/* The place of the server's URL, with the port of the scheme if it names none. */
static struct place parse_server(const char *server)
{
	const char *host = strstr(server, "://") + strlen("://");
	auto_free char *authority = xstrndup(host, strcspn(host, "/"));
	size_t len = strlen(authority);
	struct place p;

	if (authority[0] == '[' && authority[len - 1] == ']') {
		p = (struct place){ .host = xstrndup(authority + 1, len - 2) };
		p.is_address = parse_address(p.host, &p.address);
	} else {
		p = parse_place(authority);
	}
	for (char *c = p.host; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (text_empty(p.port)) {
		free(p.port);
		p.port = xstrdup(text_starts(server, "https://") ? "443" : "80");
	}
	return p;
}

static bool has_prefix(const struct in6_addr *a, const struct in6_addr *prefix, int64_t bits)
{
	size_t bytes = (size_t)bits / 8;
	unsigned rest = (unsigned)bits % 8;

	if (memcmp(a, prefix, bytes) != 0)
		return false;
	return rest == 0 || ((a->s6_addr[bytes] ^ prefix->s6_addr[bytes]) >> (8 - rest)) == 0;
}

/* Whether entry is a CIDR. *ret_in: the place is in it. */
static bool is_cidr(const char *entry, const struct place *place, bool *ret_in)
{
	const char *slash = strchr(entry, '/');
	auto_free char *network = slash ? xstrndup(entry, (size_t)(slash - entry)) : NULL;
	struct in6_addr prefix;
	bool of_ipv4;
	int64_t bits;

	if (!slash || !parse_address(network, &prefix) || !text_i64(slash + 1, &bits) || !isdigit(slash[1]))
		return false;
	of_ipv4 = !strchr(network, ':');
	if (bits > (of_ipv4 ? 32 : 128))
		return false;
	*ret_in = place->is_address && IN6_IS_ADDR_V4MAPPED(&place->address) == of_ipv4 &&
		  has_prefix(&place->address, &prefix, of_ipv4 ? bits + 96 : bits);
	return true;
}

static bool is_in_domain(const char *host, const char *domain)
{
	auto_free char *suffix = NULL;

	if (text_starts(domain, "*."))
		domain++;
	suffix = xasprintf("%s%s", domain[0] == '.' ? "" : ".", domain);
	return text_ends(host, suffix) || (domain[0] != '.' && text_eq(host, domain));
}

/* Whether an entry of NO_PROXY names the place. */
static bool is_named(const char *entry, const struct place *place)
{
	auto_place named = { 0 };
	bool in = false;

	if (text_eq(entry, "*"))
		return true;
	if (is_cidr(entry, place, &in))
		return in;
	named = parse_place(entry);
	if (text_empty(named.host) || (!text_empty(named.port) && !text_eq(named.port, place->port)))
		return false;
	if (named.is_address)
		return place->is_address && memcmp(&named.address, &place->address, sizeof(named.address)) == 0;
	return is_in_domain(place->host, named.host);
}

static bool is_excluded(const char *no_proxy, const struct place *place)
{
	auto_strv entries = { 0 };

	if (text_eq(place->host, "localhost") || (place->is_address && is_loopback(&place->address)))
		return true;
	strv_split(&entries, no_proxy ? no_proxy : "", ',');
	for (size_t i = 0; i < entries.len; i++) {
		auto_free char *entry = text_trimmed(entries.items[i]);

		for (char *c = entry; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		if (entry[0] && is_named(entry, place))
			return true;
	}
	return false;
}

/* The value of the first variable that is not empty; *ret_name its name. NULL if there is none. */
static const char *first_env(const char *const names[2], const char **ret_name)
{
	for (int i = 0; i < 2; i++) {
		*ret_name = names[i];
		if (!text_empty(getenv(names[i])))
			return getenv(names[i]);
	}
	return NULL;
}

int config_env_proxy(const char *server, char **ret, struct err *err)
{
	static const char *const https[] = { "HTTPS_PROXY", "https_proxy" }, *const http[] = { "HTTP_PROXY",
											       "http_proxy" };
	static const char *const none[] = { "NO_PROXY", "no_proxy" };
	auto_place place = parse_server(server);
	const char *name, *ignored;
	const char *value = first_env(text_starts(server, "https://") ? https : http, &name);
	auto_free char *proxy = NULL;

	if (!value || is_excluded(first_env(none, &ignored), &place)) {
		*ret = NULL;
		return 0;
	}
	proxy = strstr(value, "://") ? xstrdup(value) : xasprintf("http://%s", value);
	if (config_check_proxy(proxy, err) < 0)
		return err_wrap(err, "environment variable %s", name);
	*ret = take_ptr(proxy);
	return 0;
}

const char *config_proxy_host(const struct config *c)
{
	const char *at = c->proxy ? strrchr(c->proxy, '@') : NULL;

	if (!c->proxy)
		return NULL;
	return at ? at + 1 : strstr(c->proxy, "://") + strlen("://");
}
