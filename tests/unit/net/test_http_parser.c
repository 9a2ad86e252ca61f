/*
 * The request parser: what it takes, what it refuses and with which status; each case whole, byte by byte and split
 * at every offset.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "http_parser.h"

enum { MAX_HEAD = 200, MAX_BODY = 20 };

#define HOST "Host: h\r\n"

struct accept_case {
	const char *text;
	const char *want; /* "METHOD path query body keep_alive expect_continue" of each request */
};

static const struct accept_case accepted[] = {
	{ "GET / HTTP/1.1\r\n" HOST "\r\n", "GET / () [] 10;" },
	{ "GET /healthz?verbose=1?&x HTTP/1.1\r\nhOST:h\r\n\r\n", "GET /healthz (verbose=1?&x) [] 10;" },
	{ "HEAD /metrics? HTTP/1.1\r\nHost:\r\n\r\n", "HEAD /metrics () [] 10;" },
	{ "GET /%2e%2E/a;b HTTP/1.1\r\n" HOST "\r\n", "GET /%2e%2E/a;b () [] 10;" },
	{ "POST /m HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", "POST /m () [hello] 10;" },
	{ "POST /m HTTP/1.1\r\n" HOST "Content-Length:\t005 \t\r\n\r\nhello", "POST /m () [hello] 10;" },
	{ "POST /m HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "POST /m () [] 10;" },
	{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "GET / () [] 10;" },
	{ "POST /m HTTP/1.1\r\n" HOST "Content-Length: 20\r\n\r\n01234567890123456789",
	  "POST /m () [01234567890123456789] 10;" },
	{ "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", "GET / () [] 00;" },
	{ "GET / HTTP/1.1\r\n" HOST "Connection: te, Close ,x\r\n\r\n", "GET / () [] 00;" },
	{ "GET / HTTP/1.1\r\n" HOST "Connection: closed, xclose\r\n\r\n", "GET / () [] 10;" },
	{ "GET / HTTP/1.1\r\n" HOST "Connection: keep-alive\r\nConnection: close\r\n\r\n", "GET / () [] 00;" },
	{ "GET / HTTP/1.0\r\n\r\n", "GET / () [] 00;" },
	{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET / () [] 10;" },
	{ "POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\nx", "POST / () [x] 11;" },
	{ "POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n", "POST / () [] 10;" },
	{ "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx", "POST / () [x] 00;" },
	{ "GET / HTTP/1.1\r\n" HOST "X: \xc3\xa4\tb : c\r\nY:\r\n\r\n", "GET / () [] 10;" },
	{ "GET /a HTTP/1.1\r\n" HOST "\r\nPOST /b HTTP/1.1\r\n" HOST
	  "Content-Length: 3\r\n\r\nGETGET /c HTTP/1.1\r\n" HOST "\r\n",
	  "GET /a () [] 10;POST /b () [GET] 10;GET /c () [] 10;" },
	{ "GET / HT", "" },
	{ "POST /m HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhell", "" },
};

struct refuse_case {
	const char *text;
	int status;
};

static const struct refuse_case refused[] = {
	/* request line */
	{ "\r\n", 400 },
	{ "\n", 400 },
	{ "GET / HTTP/1.1\n", 400 },
	{ "GET / HTTP/1.1\rX", 400 },
	{ "GET /\t HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "GET / HTTP/1.1 \r\n" HOST "\r\n", 505 },
	{ "GET  / HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ " GET / HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "GET /a b HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "GET /\r\n" HOST "\r\n", 400 },
	{ "GET\r\n" HOST "\r\n", 400 },
	{ "G@T / HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "GET /a#b HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "GET http://h/ HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "GET * HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 405 },
	{ "get / HTTP/1.1\r\n" HOST "\r\n", 405 },
	{ "PUT / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 405 },
	{ "CONNECT h:1 HTTP/1.1\r\n" HOST "\r\n", 405 },
	{ "GET / HTTP/2.0\r\n" HOST "\r\n", 505 },
	{ "GET / HTTP/1.11\r\n" HOST "\r\n", 505 },
	{ "GET / http/1.1\r\n" HOST "\r\n", 400 },
	{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
	{ "\x16\x03\x01\x02", 400 },
	/* header lines */
	{ "GET / HTTP/1.1\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400 },
	{ "GET / HTTP/1.0\r\n" HOST HOST "\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "X : y\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST ": y\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "X\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n X: a\r\n" HOST "\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "X: a\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "X: a\x7f\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "X: a\x01\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "X: a\r\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "\xc3\xa4: a\r\n\r\n", 400 },
	/* the body's length */
	{ "POST / HTTP/1.1\r\n" HOST "\r\n", 411 },
	{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", 400 },
	{ "HEAD / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 21\r\n\r\n", 413 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999\r\n\r\n", 413 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: \r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\ntransfer-encoding: identity\r\n\r\nx", 501 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\nx", 501 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\nContent-Length: 1\r\n\r\nx", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Expect: 200-ok\r\nContent-Length: 1\r\n\r\nx", 417 },
	/* the second request of two */
	{ "GET / HTTP/1.1\r\n" HOST "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 400 },
};

struct outcome {
	struct buf requests;
	int status;
	size_t used;
};

static void feed(struct http_parser *p, const char *data, size_t len, struct outcome *out)
{
	size_t at = 0;

	while (at < len && p->state != HTTP_PARSER_ERROR) {
		at += http_parser_feed(p, data + at, len - at);
		if (p->state != HTTP_PARSER_DONE)
			continue;
		buf_printf(&out->requests, "%s %s (%s) [%s] %d%d;", p->method, p->path, p->query, buf_str(&p->body),
			   p->keep_alive, p->expect_continue);
		http_parser_reset(p);
	}
	out->used += at;
	out->status = p->status;
}

/* The text in two pieces, or byte by byte if split is SIZE_MAX. */
static void parse(const char *text, size_t split, struct outcome *out)
{
	struct http_parser p;
	size_t len = strlen(text);

	*out = (struct outcome){ .requests = { .max = 1000 } };
	http_parser_init(&p, MAX_HEAD, MAX_BODY, NULL);
	if (split == SIZE_MAX) {
		for (size_t i = 0; i < len; i++)
			feed(&p, text + i, 1, out);
	} else {
		feed(&p, text, split, out);
		feed(&p, text + split, len - split, out);
	}
	http_parser_done(&p);
}

static void check(const char *text, const char *want, int status)
{
	struct outcome whole, out;

	parse(text, 0, &whole);
	if (whole.status != status || (want && strcmp(buf_str(&whole.requests), want) != 0))
		fail_msg("%s\n-> %d %s", text, whole.status, buf_str(&whole.requests));
	for (size_t split = 0; split <= strlen(text) + 1; split++) {
		parse(text, split > strlen(text) ? SIZE_MAX : split, &out);
		assert_int_equal(out.status, whole.status);
		assert_int_equal(out.used, whole.used);
		assert_string_equal(buf_str(&out.requests), buf_str(&whole.requests));
		buf_done(&out.requests);
	}
	buf_done(&whole.requests);
}

static void test_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(accepted); i++)
		check(accepted[i].text, accepted[i].want, 0);
}

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(refused); i++)
		check(refused[i].text, NULL, refused[i].status);
}

static void test_nul_bytes(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: h\0\r\nX: y\r\n\r\n";
	struct http_parser p;

	(void)state;
	http_parser_init(&p, MAX_HEAD, MAX_BODY, NULL);
	assert_int_equal(http_parser_feed(&p, text, sizeof(text) - 1), 24);
	assert_int_equal(p.state, HTTP_PARSER_ERROR);
	assert_int_equal(p.status, 400);
	assert_int_equal(http_parser_feed(&p, text, sizeof(text) - 1), 0);
	http_parser_done(&p);
}

/* The largest head that fits and one byte more. */
static void test_head_limit(void **state)
{
	(void)state;
	for (size_t size = MAX_HEAD - 1; size <= MAX_HEAD + 1; size++) {
		auto_buf text = { .max = 1000 };

		buf_puts(&text, "GET / HTTP/1.1\r\n" HOST "X: ");
		while (text.len < size - 4)
			buf_putc(&text, 'x');
		buf_puts(&text, "\r\n\r\n");
		check(text.data, size > MAX_HEAD ? "" : "GET / () [] 10;", size > MAX_HEAD ? 431 : 0);
	}
}

static void test_header(void **state)
{
	static const char text[] =
	    "POST /a?b HTTP/1.1\r\nHost:  h:1 \t\r\nEmpty:\r\nX-Y: 1 2\r\nx-y: 3\r\nContent-Length: 2\r\n\r\n";
	struct http_parser p;

	(void)state;
	http_parser_init(&p, MAX_HEAD, MAX_BODY, NULL);
	assert_int_equal(http_parser_feed(&p, text, sizeof(text) - 1), sizeof(text) - 1);
	assert_int_equal(p.state, HTTP_PARSER_BODY);
	assert_string_equal(p.path, "/a");
	assert_string_equal(http_parser_header(&p, "host"), "h:1");
	assert_string_equal(http_parser_header(&p, "EMPTY"), "");
	assert_string_equal(http_parser_header(&p, "X-Y"), "1 2");
	assert_string_equal(http_parser_header(&p, "Content-Length"), "2");
	assert_null(http_parser_header(&p, "X"));
	assert_null(http_parser_header(&p, "POST"));
	http_parser_done(&p);
}

/* Storage for a large body does not stay with an idle connection. */
static void test_reset_frees_body(void **state)
{
	static const char text[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab";
	struct http_parser p;

	(void)state;
	http_parser_init(&p, MAX_HEAD, MAX_BODY, NULL);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(http_parser_feed(&p, text, sizeof(text) - 1), sizeof(text) - 1);
		assert_int_equal(p.state, HTTP_PARSER_DONE);
		assert_int_equal(http_parser_feed(&p, text, 1), 0);
		http_parser_reset(&p);
		assert_int_equal(p.state, HTTP_PARSER_HEAD);
		assert_null(p.body.data);
	}
	http_parser_done(&p);
}

static void test_other_methods(void **state)
{
	static const char *const methods[] = { "GET", "PATCH", "DELETE", NULL };
	static const char *const good[] = {
		"GET / HTTP/1.1\r\n" HOST "\r\n",
		"PATCH / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx",
		"DELETE / HTTP/1.1\r\n" HOST "\r\n",
		"DELETE / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx",
	};
	static const struct refuse_case bad[] = {
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 405 },
		{ "HEAD / HTTP/1.1\r\n" HOST "\r\n", 405 },
		{ "PATCH / HTTP/1.1\r\n" HOST "\r\n", 411 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", 400 },
	};
	struct http_parser p;

	(void)state;
	http_parser_init(&p, MAX_HEAD, MAX_BODY, methods);
	for (size_t i = 0; i < array_len(good); i++) {
		assert_int_equal(http_parser_feed(&p, good[i], strlen(good[i])), strlen(good[i]));
		assert_int_equal(p.state, HTTP_PARSER_DONE);
		http_parser_reset(&p);
	}
	http_parser_done(&p);
	for (size_t i = 0; i < array_len(bad); i++) {
		http_parser_init(&p, MAX_HEAD, MAX_BODY, methods);
		http_parser_feed(&p, bad[i].text, strlen(bad[i].text));
		assert_int_equal(p.state, HTTP_PARSER_ERROR);
		assert_int_equal(p.status, bad[i].status);
		http_parser_done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),      cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nul_bytes),     cmocka_unit_test(test_head_limit),
		cmocka_unit_test(test_header),	      cmocka_unit_test(test_reset_frees_body),
		cmocka_unit_test(test_other_methods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
