/*
 * The request parser takes bytes from anybody who can reach the webhook. Property: the sequence of requests and the
 * verdict do not depend on how the bytes are split. The first two input bytes choose the split; small limits make
 * them reachable.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http_parser.h"

enum { MAX_HEAD = 300, MAX_BODY = 100, MAX_TRACE = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void trace_request(struct buf *trace, const struct http_parser *p)
{
	const char *host = http_parser_header(p, "host");

	require(p->body.len == p->body_len && p->body_len <= MAX_BODY && p->path[0] == '/');
	buf_printf(trace, "%s|%s|%s|%s|%d%d|", p->method, p->path, p->query, host ? host : "-", p->keep_alive,
		   p->expect_continue);
	buf_add(trace, p->body.data, p->body.len);
	buf_putc(trace, '\n');
}

/* Feeds pieces of first, second, first, second… bytes and writes down what comes out. */
static void run(const char *data, size_t size, size_t first, size_t second, struct buf *trace)
{
	struct http_parser p;
	size_t at = 0, piece = first;

	http_parser_init(&p, MAX_HEAD, MAX_BODY, NULL);
	while (at < size && p.state != HTTP_PARSER_ERROR) {
		size_t left = piece < size - at ? piece : size - at;

		while (left > 0 && p.state != HTTP_PARSER_ERROR) {
			size_t used = http_parser_feed(&p, data + at, left);

			require(used <= left &&
				(used == left || p.state == HTTP_PARSER_DONE || p.state == HTTP_PARSER_ERROR));
			at += used;
			left -= used;
			if (p.state == HTTP_PARSER_DONE) {
				trace_request(trace, &p);
				http_parser_reset(&p);
			}
		}
		piece = piece == first ? second : first;
	}
	if (p.state == HTTP_PARSER_ERROR)
		require(p.status >= 400 && p.why && http_parser_feed(&p, "x", 1) == 0);
	buf_printf(trace, "%d %d at %zu, body %zu\n", p.state, p.status, at, p.body.len);
	http_parser_done(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf whole = { .max = MAX_TRACE }, bytes = { .max = MAX_TRACE }, split = { .max = MAX_TRACE };
	const char *text = (const char *)data + 2;

	if (size < 2 || size > 4096)
		return 0;
	size -= 2;
	run(text, size, size + 1, size + 1, &whole);
	run(text, size, 1, 1, &bytes);
	run(text, size, data[0] + 1u, data[1] + 1u, &split);
	require(strcmp(buf_str(&whole), buf_str(&bytes)) == 0);
	require(strcmp(buf_str(&whole), buf_str(&split)) == 0);
	return 0;
}
