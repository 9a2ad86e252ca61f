/*
 * The strict request parser. Happy path: bytes are added to head until an empty line, and each is checked on its way.
 * Then head is cut into strings in place and checked as a whole. Then body_len bytes go to body.
 *
 * After head is cut, every CR and the colon after each name is NUL. LF still ends each line, so that http_parser_header
 * can walk through the lines.
 *
 * Failure modes: if a rule in the header file is broken, the state is HTTP_PARSER_ERROR from then on, with status and
 * why, and the connection cannot be used any more. The result does not depend on how the bytes were split
 * (tests/fuzz/fuzz_http_parser.c).
 */
#include "http_parser.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

/* What the header lines that were read say about the message. */
struct facts {
	bool http_1_1;
	bool has_length;
	bool close;
	bool keep_alive;
	int hosts;
};

typedef bool header_fn(struct http_parser *p, struct facts *facts, char *value);

static const char *const default_methods[] = { "GET", "HEAD", "POST", NULL };

void http_parser_init(struct http_parser *p, size_t max_head, size_t max_body, const char *const *methods)
{
	*p = (struct http_parser){ .state = HTTP_PARSER_HEAD, .methods = methods ? methods : default_methods };
	buf_init(&p->head, max_head);
	buf_init(&p->body, max_body);
}

void http_parser_done(struct http_parser *p)
{
	buf_done(&p->head);
	buf_done(&p->body);
}

void http_parser_reset(struct http_parser *p)
{
	struct buf head = p->head;
	size_t max_body = p->body.max;

	buf_done(&p->body); /* it may hold megabytes, and the connection may idle now */
	buf_clear(&head);
	*p = (struct http_parser){ .state = HTTP_PARSER_HEAD, .methods = p->methods, .head = head };
	buf_init(&p->body, max_body);
}

static bool reject(struct http_parser *p, int status, const char *why)
{
	p->state = HTTP_PARSER_ERROR;
	p->status = status;
	p->why = why;
	return false;
}

/* RFC 9110 5.6.2 */
static bool is_token(const char *text)
{
	static const char chars[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return text[0] && text[strspn(text, chars)] == '\0';
}

static bool on_host(struct http_parser *p, struct facts *facts, char *value)
{
	(void)value;
	return ++facts->hosts == 1 || reject(p, 400, "more than one Host");
}

static bool on_length(struct http_parser *p, struct facts *facts, char *value)
{
	int64_t len;

	if (facts->has_length)
		return reject(p, 400, "more than one Content-Length");
	facts->has_length = true;
	if (!value[0] || value[strspn(value, "0123456789")] != '\0')
		return reject(p, 400, "Content-Length is not a number");
	if (!text_i64(value, &len) || (uint64_t)len > p->body.max)
		return reject(p, 413, "body too large");
	p->body_len = (size_t)len;
	return true;
}

static bool on_transfer_encoding(struct http_parser *p, struct facts *facts, char *value)
{
	(void)facts;
	(void)value;
	return reject(p, 501, "Transfer-Encoding is not supported");
}

/* Whether option is in the comma-separated list, in upper or lower case. */
static bool lists_option(const char *value, const char *option)
{
	size_t len;

	for (value += strspn(value, " \t,"); *value; value += len + strspn(value + len, " \t,")) {
		len = strcspn(value, " \t,");
		if (len == strlen(option) && strncasecmp(value, option, len) == 0)
			return true;
	}
	return false;
}

static bool on_connection(struct http_parser *p, struct facts *facts, char *value)
{
	(void)p;
	facts->close |= lists_option(value, "close");
	facts->keep_alive |= lists_option(value, "keep-alive");
	return true;
}

static bool on_expect(struct http_parser *p, struct facts *facts, char *value)
{
	(void)facts;
	if (strcasecmp(value, "100-continue") != 0)
		return reject(p, 417, "unknown expectation");
	p->expect_continue = true;
	return true;
}

static const struct {
	const char *name;
	header_fn *fn;
} headers[] = {
	{ "Host", on_host },
	{ "Content-Length", on_length },
	{ "Transfer-Encoding", on_transfer_encoding },
	{ "Connection", on_connection },
	{ "Expect", on_expect },
};

/* Cuts *line at c, which becomes NUL, and moves *line behind it. Returns the part before c; NULL if there is no c. */
static char *cut_at(char **line, char c)
{
	char *start = *line;
	char *end = strchr(start, c);

	if (!end)
		return NULL;
	*end = '\0';
	*line = end + 1;
	return start;
}

static bool takes_method(const struct http_parser *p, const char *method)
{
	for (size_t i = 0; p->methods[i]; i++)
		if (text_eq(p->methods[i], method))
			return true;
	return false;
}

static bool parse_request_line(struct http_parser *p, struct facts *facts, char *line)
{
	char *method = cut_at(&line, ' ');
	char *target = cut_at(&line, ' ');
	char *query;

	if (!method || !target || !is_token(method))
		return reject(p, 400, "malformed request line");
	for (const char *c = target; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == '#')
			return reject(p, 400, "malformed request target");
	if (strncmp(line, "HTTP/", 5) != 0)
		return reject(p, 400, "malformed request line");
	facts->http_1_1 = text_eq(line, "HTTP/1.1");
	if (!facts->http_1_1 && !text_eq(line, "HTTP/1.0"))
		return reject(p, 505, "expected HTTP/1.1 or 1.0");
	if (!takes_method(p, method))
		return reject(p, 405,
			      p->methods == default_methods ? "expected GET, HEAD or POST" : "unexpected method");
	if (target[0] != '/')
		return reject(p, 400, "the request target must begin with /");
	p->method = method;
	p->path = target;
	query = strchr(target, '?');
	p->query = query ? query + 1 : "";
	if (query)
		*query = '\0';
	return true;
}

static bool parse_header(struct http_parser *p, struct facts *facts, char *line)
{
	char *name = cut_at(&line, ':');
	char *value = line;
	size_t len;

	if (!name || !is_token(name)) /* nor does a name begin with a blank, as a line of obs-fold does */
		return reject(p, 400, "malformed header line");
	value += strspn(value, " \t");
	len = strlen(value);
	while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
		value[--len] = '\0';
	for (size_t i = 0; i < array_len(headers); i++)
		if (strcasecmp(name, headers[i].name) == 0)
			return headers[i].fn(p, facts, value);
	return true;
}

static bool check_message(struct http_parser *p, const struct facts *facts)
{
	bool no_body = text_eq(p->method, "GET") || text_eq(p->method, "HEAD");

	if (facts->http_1_1 && facts->hosts == 0)
		return reject(p, 400, "Host is missing");
	if (!no_body && !text_eq(p->method, "DELETE") && !facts->has_length)
		return reject(p, 411, "Content-Length is missing");
	if (no_body && p->body_len > 0)
		return reject(p, 400, "this method takes no body");
	p->expect_continue = p->expect_continue && facts->http_1_1 && p->body_len > 0;
	p->keep_alive = !facts->close && (facts->http_1_1 || facts->keep_alive);
	return true;
}

/* Reads head, which is complete. Every CR in it is followed by LF. */
static bool parse_head(struct http_parser *p)
{
	char *line = p->head.data, *end;
	struct facts facts = { 0 };

	end = strchr(line, '\r');
	*end = '\0';
	if (!parse_request_line(p, &facts, line))
		return false;
	for (line = end + 2; *line != '\r'; line = end + 2) {
		end = strchr(line, '\r');
		*end = '\0';
		if (!parse_header(p, &facts, line))
			return false;
	}
	*line = '\0';
	return check_message(p, &facts);
}

/* Checks one byte of the head. Returns true if it ends the head. */
static bool scan_byte(struct http_parser *p, size_t at)
{
	const char *head = p->head.data;
	unsigned char c = (unsigned char)head[at];
	bool after_cr = at > 0 && head[at - 1] == '\r';

	if (after_cr != (c == '\n'))
		return reject(p, 400, "CR and LF must come together");
	if ((c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f)
		return reject(p, 400, "control character");
	if (c == '\n' && at == 1)
		return reject(p, 400, "empty request line");
	return c == '\n' && head[at - 2] == '\n';
}

static size_t feed_head(struct http_parser *p, const char *data, size_t len)
{
	size_t before = p->head.len, room = p->head.max - before;
	bool end = false;

	buf_add(&p->head, data, len < room ? len : room);
	while (p->scanned < p->head.len && !end && p->state == HTTP_PARSER_HEAD)
		end = scan_byte(p, p->scanned++);
	p->head.len = p->scanned;
	p->head.data[p->scanned] = '\0';
	if (end && parse_head(p))
		p->state = p->body_len > 0 ? HTTP_PARSER_BODY : HTTP_PARSER_DONE;
	else if (p->state == HTTP_PARSER_HEAD && p->head.len == p->head.max)
		reject(p, 431, "request line and headers too large");
	return p->scanned - before;
}

static size_t feed_body(struct http_parser *p, const char *data, size_t len)
{
	size_t missing = p->body_len - p->body.len;

	if (len > missing)
		len = missing;
	buf_add(&p->body, data, len);
	if (p->body.len == p->body_len)
		p->state = HTTP_PARSER_DONE;
	return len;
}

size_t http_parser_feed(struct http_parser *p, const char *data, size_t len)
{
	size_t used = 0;

	if (p->state == HTTP_PARSER_HEAD)
		used = feed_head(p, data, len);
	if (p->state == HTTP_PARSER_BODY)
		used += feed_body(p, data + used, len - used);
	return used;
}

const char *http_parser_header(const struct http_parser *p, const char *name)
{
	const char *line = p->head.data, *end = line + p->head.len, *value;

	assert(p->state == HTTP_PARSER_BODY || p->state == HTTP_PARSER_DONE);
	while ((line = memchr(line, '\n', (size_t)(end - line))) && *++line) {
		value = line + strlen(line) + 1;
		if (strcasecmp(line, name) == 0)
			return value + strspn(value, " \t");
		line = value;
	}
	return NULL;
}
