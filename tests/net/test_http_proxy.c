/*
 * Proxies: who resolves names, and that no environment variable counts here.
 */
#include "net_lib.h"

#include <stdlib.h>

#include "net/http_client.h"

#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

/* A SOCKS5 proxy (RFC 1928) that is the server behind it, too. */
struct proxy {
	struct loop *loop;
	uv_tcp_t listener;
	struct list conns;
	char address[300]; /* the type of the address that was asked for, and the address */
	unsigned requests;
};

static void take_address(struct proxy *p, const struct raw *c)
{
	const unsigned char *bytes = (const unsigned char *)c->in.data;

	if (bytes[3] == 3)
		snprintf(p->address, sizeof(p->address), "name %.*s", bytes[4], c->in.data + 5);
	else
		snprintf(p->address, sizeof(p->address), "address of type %d", bytes[3]);
}

static void on_bytes(struct raw *c)
{
	static const char chosen[] = { 5, 0 }, granted[] = { 5, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
	struct proxy *p = c->owner;

	if (c->eof) {
		raw_close(c);
		return;
	}
	if (c->in.data[0] == 5 && c->in.len < 5) {
		raw_send(c, chosen, sizeof(chosen));
	} else if (c->in.data[0] == 5) {
		take_address(p, c);
		raw_send(c, granted, sizeof(granted));
	} else {
		p->requests++;
		raw_puts(c, OK_HELLO);
	}
	buf_clear(&c->in);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct proxy *p = container_of((uv_tcp_t *)listener, struct proxy, listener);
	struct raw *c = raw_new(p->loop);

	assert_int_equal(status, 0);
	c->owner = p;
	c->on_data = on_bytes;
	assert_int_equal(uv_accept(listener, (uv_stream_t *)&c->tcp), 0);
	list_append(&p->conns, &c->link);
	uv_read_start((uv_stream_t *)&c->tcp, raw_alloc, raw_read);
}

static void proxy_start(struct proxy *p, struct loop *loop)
{
	struct sockaddr_in addr;

	*p = (struct proxy){ .loop = loop };
	list_init(&p->conns);
	uv_ip4_addr("127.0.0.1", 0, &addr);
	uv_tcp_init(&loop->uv, &p->listener);
	assert_int_equal(uv_tcp_bind(&p->listener, (struct sockaddr *)&addr, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&p->listener, 16, on_connection), 0);
}

static void proxy_stop(struct proxy *p)
{
	while (!list_empty(&p->conns))
		raw_close(container_of(p->conns.next, struct raw, link));
	uv_close((uv_handle_t *)&p->listener, NULL);
}

struct result {
	bool done;
	int status;
	struct err err;
};

static void on_done(void *arg, struct http_reply *reply)
{
	struct result *r = arg;

	r->done = true;
	r->status = reply->status;
	r->err = reply->err;
}

static struct result get(struct loop *loop, const char *proxy, const char *url)
{
	struct http_client *client = http_client_new(loop, &(struct http_client_options){ .proxy = proxy });
	struct http_request request = { .method = "GET", .url = url, .timeout_ms = 2000 };
	struct result r = { 0 };

	http_client_send(client, &request, NULL, on_done, &r);
	run_until(loop, &r.done);
	http_client_close(client);
	return r;
}

static void socks_proxies_resolve_names(void **state)
{
	static const char *const schemes[] = { "socks5", "socks5h" };
	struct loop loop;
	struct proxy p;
	struct err err;

	(void)state;
	assert_int_equal(loop_init(&loop, &err), 0);
	proxy_start(&p, &loop);
	for (size_t i = 0; i < array_len(schemes); i++) {
		auto_free char *url = xasprintf("%s://127.0.0.1:%d", schemes[i], bound_port(&p.listener));
		struct result r;

		p.address[0] = '\0';
		r = get(&loop, url, "http://api.cluster.internal.invalid:6443/hello");
		if (r.err.code != ERR_NONE)
			fail_msg("%s: %s", schemes[i], r.err.msg);
		assert_int_equal(r.status, 200);
		assert_string_equal(p.address, "name api.cluster.internal.invalid");
	}
	assert_int_equal(p.requests, 2);
	proxy_stop(&p);
	assert_int_equal(loop_close(&loop), 0);
}

static void messages_show_no_password(void **state)
{
	struct loop loop;
	struct err err;
	struct result r;

	(void)state;
	assert_int_equal(loop_init(&loop, &err), 0);
	r = get(&loop, "http://user:pa ss@127.0.0.1:1", "http://127.0.0.1:1/");
	assert_int_equal(r.err.code, ERR_IO);
	assert_non_null(strstr(r.err.msg, "the URL of the proxy cannot be read"));
	assert_null(strstr(r.err.msg, "pa ss"));
	assert_int_equal(loop_close(&loop), 0);
}

/* Which proxy counts is decided where the configuration is read. */
static void the_environment_does_not_count(void **state)
{
	static const char *const names[] = { "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY" };
	static const struct script script[] = { { .bytes = OK_HELLO } };
	auto_free char *url = NULL, *proxy = NULL;
	struct raw_server server;
	struct loop loop;
	struct err err;

	(void)state;
	assert_int_equal(loop_init(&loop, &err), 0);
	raw_server_start(&server, &loop, script, 1);
	url = xasprintf("http://127.0.0.1:%d/", server.port);
	for (size_t i = 0; i < array_len(names); i++)
		setenv(names[i], "http://127.0.0.1:1", 1);
	setenv("NO_PROXY", "example.com", 1);
	assert_int_equal(get(&loop, NULL, url).status, 200);
	proxy = xasprintf("http://127.0.0.1:%d", server.port);
	setenv("NO_PROXY", "*", 1);
	assert_int_equal(get(&loop, proxy, "http://nowhere.invalid/").status, 200); /* by the proxy all the same */
	for (size_t i = 0; i < array_len(names); i++)
		unsetenv(names[i]);
	unsetenv("NO_PROXY");
	raw_server_stop(&server);
	assert_int_equal(loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(socks_proxies_resolve_names),
		cmocka_unit_test(the_environment_does_not_count),
		cmocka_unit_test(messages_show_no_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
