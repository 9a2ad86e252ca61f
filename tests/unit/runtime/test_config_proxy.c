/*
 * Which proxy the environment names for a server. golang.org/x/net/http/httpproxy answers the same to each row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config_parts.h"

static const char *const names[] = { "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy",
				     "NO_PROXY",    "no_proxy",	   "ALL_PROXY",	 "all_proxy" };

static int clear_env(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(names); i++)
		unsetenv(names[i]);
	return 0;
}

/* The proxy for the server, "" for none; owned. */
static char *proxy_for(const char *server)
{
	char *proxy = NULL;
	struct err err;

	if (config_env_proxy(server, &proxy, &err) < 0)
		return xstrdup(err.msg);
	return proxy ? proxy : xstrdup("");
}

static void expect(const char *server, const char *want)
{
	auto_free char *got = proxy_for(server);

	if (!text_eq(got, want))
		fail_msg("%s: got \"%s\", want \"%s\"", server, got, want);
}

static void the_variable_of_the_scheme_counts(void **state)
{
	(void)state;
	expect("https://api:6443", "");
	setenv("ALL_PROXY", "http://all:1", 1); /* curl's, not Go's */
	expect("https://api:6443", "");
	setenv("https_proxy", "http://lower:1", 1);
	expect("https://api:6443", "http://lower:1");
	expect("http://api:6443", "");
	setenv("HTTPS_PROXY", "", 1); /* as if it was not set */
	expect("https://api:6443", "http://lower:1");
	setenv("HTTPS_PROXY", "http://upper:1", 1);
	expect("https://api:6443", "http://upper:1");
	setenv("http_proxy", "http://plain:1", 1);
	expect("http://api:6443", "http://plain:1");
	setenv("no_proxy", "api", 1);
	expect("https://api:6443", "");
	setenv("NO_PROXY", "other", 1);
	expect("https://api:6443", "http://upper:1");
}

static void the_proxy_may_have_no_scheme(void **state)
{
	static const struct {
		const char *value;
		const char *want;
	} rows[] = {
		{ "127.0.0.1:8080", "http://127.0.0.1:8080" },
		{ "cache.corp.example.com:1234", "http://cache.corp.example.com:1234" },
		{ "cache.corp.example.com", "http://cache.corp.example.com" },
		{ "https://cache.corp.example.com", "https://cache.corp.example.com" },
		{ "socks5://127.0.0.1", "socks5://127.0.0.1" },
		{ "http://user:secret@proxy:3128/", "http://user:secret@proxy:3128/" },
		{ "ftp://proxy",
		  "environment variable HTTPS_PROXY: Invalid value: \"ftp://proxy\": expected http://, https:// or "
		  "socks5:// HOST:PORT" },
		{ "http://",
		  "environment variable HTTPS_PROXY: Invalid value: \"http://\": expected http://, https:// or "
		  "socks5:// HOST:PORT" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		setenv("HTTPS_PROXY", rows[i].value, 1);
		expect("https://api:6443", rows[i].want);
	}
}

static void no_proxy_names_servers(void **state)
{
	static const struct {
		const char *no_proxy;
		const char *server;
		bool proxied;
	} rows[] = {
		/* never proxied */
		{ "", "localhost", false },
		{ "", "127.0.0.1", false },
		{ "", "127.0.0.2", false },
		{ "", "[::1]", false },
		{ "", "[::2]", true },
		{ "", "localhost:6443", false },
		{ "", "[::1]:6443", false },
		{ "", "192.168.1.1", true },
		{ "", "localhost.net", true },
		{ "", "local.localhost", true },
		{ "", "api", true },
		/* domains */
		{ "foobar.com, .barbaz.net", "barbaz.net", true },
		{ "foobar.com, .barbaz.net", "www.barbaz.net", false },
		{ "foobar.com, .barbaz.net", "foobar.com", false },
		{ "foobar.com, .barbaz.net", "www.foobar.com", false },
		{ "foobar.com, .barbaz.net", "foofoobar.com", true },
		{ "foobar.com, .barbaz.net", "baz.com", true },
		{ "*.foo.com", "foo.com", true },
		{ "*.foo.com", "x.foo.com", false },
		{ "FooBar.com", "API.foobar.COM", false },
		{ "foobar.com:6443", "foobar.com:6443", false },
		{ "foobar.com:443", "foobar.com", false },
		{ "foobar.com:444", "foobar.com", true },
		{ "foobar.com:", "foobar.com", false },
		{ ".svc,.cluster.local", "kubernetes.default.svc", false },
		{ ".svc,.cluster.local", "kubernetes.default", true },
		/* addresses */
		{ "192.168.1.1, 192.168.1.2:81, 192.168.1.3:80, 10.0.0.0/30, 2001:db8::52:0:1, [2001:db8::52:0:2]:443, "
		  "[2001:db8::52:0:3]:80, 2002:db8:a::45/64",
		  "192.168.1.1", false },
		{ "192.168.1.2:81", "192.168.1.2", true },
		{ "192.168.1.2:443", "192.168.1.2", false },
		{ "10.0.0.0/30", "10.0.0.2", false },
		{ "10.0.0.0/30", "10.0.0.4", true },
		{ "10.0.0.0/8", "10.99.1.2:6443", false },
		{ "10.0.0.0/8", "11.0.0.1", true },
		{ "10.0.0.0/9", "10.127.0.1", false },
		{ "10.0.0.0/9", "10.128.0.1", true },
		{ "10.0.0.0/0", "192.168.1.1", false },
		{ "10.0.0.1/32", "10.0.0.1", false },
		{ "10.0.0.1/32", "10.0.0.2", true },
		{ "0.0.0.0/0", "[2001:db8::1]", true },
		{ "::/0", "10.0.0.1", true },
		{ "::/0", "[2001:db8::1]", false },
		{ "2001:db8::52:0:1", "[2001:db8::52:0:1]:6443", false },
		{ "[2001:db8::52:0:2]:443", "[2001:db8::52:0:2]", false },
		{ "[2001:db8::52:0:3]:80", "[2001:db8::52:0:3]", true },
		{ "2002:db8:a::45/64", "[2002:db8:a::123]", false },
		{ "2002:db8:a::45/64", "[fe80::424b:c8be:1643:a1b6]", true },
		{ "::ffff:10.0.0.1", "10.0.0.1", false },
		/* all, and nothing */
		{ "*", "api", false },
		{ "*", "10.0.0.1", false },
		{ "x, *", "api", false },
		{ ",,  ,", "api", true },
		{ ":1", "api", true },
		{ "10.0.0.0/33, 10.0.0.0/-1, 10.0.0.0/x, /8", "10.0.0.1", true },
		{ "010.0.0.1", "10.0.0.1", true },
	};

	(void)state;
	setenv("HTTPS_PROXY", "http://proxy:3128", 1);
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *server = xasprintf("https://%s", rows[i].server);
		auto_free char *path = xasprintf("%s/k8s/c1", server);

		setenv("NO_PROXY", rows[i].no_proxy, 1);
		expect(server, rows[i].proxied ? "http://proxy:3128" : "");
		expect(path, rows[i].proxied ? "http://proxy:3128" : "");
	}
}

static void messages_show_no_password(void **state)
{
	static char plain[] = "http://proxy:3128", secret[] = "socks5://user:p@ss@proxy:1080";
	static const char *const refused[][2] = {
		{ "ftp://user:p@ss@proxy:21", "\"ftp://…@proxy:21\"" },
		{ "user:pass@proxy:3128", "\"…@proxy:3128\"" },
		{ "proxy:3128", "\"proxy:3128\"" },
	};
	struct config c = { .proxy = plain };
	struct err err;

	(void)state;
	for (size_t i = 0; i < array_len(refused); i++) {
		assert_int_equal(config_check_proxy(refused[i][0], &err), -ERR_INVALID);
		assert_non_null(strstr(err.msg, refused[i][1]));
		assert_null(strstr(err.msg, "user"));
	}
	assert_string_equal(config_proxy_host(&c), "proxy:3128");
	c.proxy = secret;
	assert_string_equal(config_proxy_host(&c), "proxy:1080");
	c.proxy = NULL;
	assert_null(config_proxy_host(&c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_variable_of_the_scheme_counts, clear_env),
		cmocka_unit_test_setup(the_proxy_may_have_no_scheme, clear_env),
		cmocka_unit_test_setup(no_proxy_names_servers, clear_env),
		cmocka_unit_test(messages_show_no_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
