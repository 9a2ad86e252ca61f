/*
 * Routes and methods of the server: a route may be for one method and path, or for all of them; the set of methods is
 * an option.
 */
#include "net_lib.h"

#include "net/http_server.h"

struct fixture {
	struct loop loop;
	struct http_server *server;
};

static void on_hello(void *arg, struct http_exchange *x)
{
	(void)arg;
	buf_puts(&x->reply, "hello");
}

static void on_any(void *arg, struct http_exchange *x)
{
	(void)arg;
	x->status = 201;
	buf_printf(&x->reply, "any %s %s", x->method, x->path);
}

static bool none_left(void *arg)
{
	return http_server_connections(((struct fixture *)arg)->server) == 0;
}

/* Sends the text on a connection of its own. Returns what came back until the server closed, owned. */
static char *talk(struct fixture *f, const char *text)
{
	struct raw *r = raw_connect(&f->loop, http_server_port(f->server));
	char *answer;

	raw_puts(r, text);
	answer = xstrdup(raw_read_all(r));
	raw_close(r);
	run_while_not(&f->loop, none_left, f);
	return answer;
}

#define REQUEST(line) line " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
#define BODY	      "Content-Length: 1\r\n\r\nx"

/* A route without method and path answers what no route before it does. */
static void test_any_method_and_path(void **state)
{
	static const struct {
		const char *request;
		const char *status;
		const char *reply;
	} cases[] = {
		{ REQUEST("GET /hello") "\r\n", "200 OK", "\r\n\r\nhello" },
		{ REQUEST("HEAD /hello") "\r\n", "405 Method Not Allowed", "" },
		{ REQUEST("GET /a") "\r\n", "201 Created", "\r\n\r\nany GET /a" },
		{ REQUEST("PUT /hello") BODY, "201 Created", "\r\n\r\nany PUT /hello" },
		{ REQUEST("DELETE /a") "\r\n", "201 Created", "\r\n\r\nany DELETE /a" },
		{ REQUEST("DELETE /a") BODY, "201 Created", "\r\n\r\nany DELETE /a" },
		{ REQUEST("POST /a") BODY, "405 Method Not Allowed", "unexpected method" },
	};
	static const char *const methods[] = { "GET", "PUT", "DELETE", NULL };
	static const struct http_server_options options = { .methods = methods };
	static const struct http_route routes[] = { { .method = "GET", .path = "/hello", .fn = on_hello },
						    { .fn = on_any } };
	struct fixture f = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(loop_init(&f.loop, &err), 0);
	f.server = http_server_new(&f.loop, routes, array_len(routes), &options);
	assert_int_equal(http_server_listen(f.server, "127.0.0.1:0", &err), 0);
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_free char *answer = talk(&f, cases[i].request);

		assert_non_null(strstr(answer, cases[i].status));
		assert_non_null(strstr(answer, cases[i].reply));
	}
	http_server_close(f.server, 0);
	assert_int_equal(loop_close(&f.loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_method_and_path),
	};

	return cmocka_run_group_tests_name("http_routes", tests, NULL, NULL);
}
