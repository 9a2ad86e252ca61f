/*
 * The API server of `diff`. Happy path: accept, read head and body of a request, record it, answer with the object
 * as stored, read on.
 *
 * net/http_server takes GET and POST only, because nothing else has any business with the operator; here PATCH, PUT and
 * DELETE come, all from a child of our own over the loopback. So the reading is plain: one request after another,
 * Content-Length, no TLS, no deadlines (the child has one), a limit on size.
 *
 * Failure modes: a request that is no HTTP, too large, or of no stated length ends the connection; what is no JSON
 * is recorded without a body and refused.
 */
#include "submit_server.h"

#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/text.h"

enum { REQUEST_MAX = 16 << 20, BLOCK_SIZE = 64 << 10, BACKLOG = 64, FIRST_UID = 1000 };

struct submit_server {
	uv_tcp_t tcp;
	struct list conns;
	struct json *recording;
	struct json *objects; /* by path */
	int64_t version;      /* the last resourceVersion */
	unsigned refs;	      /* the listener and each connection */
	char block[BLOCK_SIZE];
};

struct conn {
	struct list link;
	uv_tcp_t tcp;
	struct submit_server *server;
	struct buf input;
};

struct reply {
	uv_write_t req;
	char *text;
};

struct request {
	const char *method;
	const char *path;  /* with the query */
	struct json *body; /* NULL if none */
	bool broken;	   /* the body is no JSON */
};

static void unref(struct submit_server *s)
{
	if (--s->refs > 0)
		return;
	json_free(s->recording);
	json_free(s->objects);
	free(s);
}

/* ---- the store ---- */

static struct json *status(int code)
{
	struct json *out = json_new_object();

	json_set_str(out, "apiVersion", "v1");
	json_set_str(out, "kind", "Status");
	json_set_i64(out, "code", code);
	json_set_str(out, "reason",
		     code == 404   ? "NotFound"
		     : code == 409 ? "AlreadyExists"
		     : code == 400 ? "BadRequest"
				   : "Success");
	return out;
}

/* Members that body has replace those of the object; then it is stamped as an API server does it. Borrowed. */
static const struct json *put(struct submit_server *s, const char *path, const char *ns, const struct json *body)
{
	struct json *object = json_ensure_object(s->objects, path);
	struct json *metadata = json_get(object, "metadata");
	auto_free char *uid = xstrdup_null(json_str(metadata, "uid", NULL));

	s->version++;
	json_each (member, body)
		json_set(object, json_name(member), json_dup(member));
	metadata = json_ensure_object(object, "metadata");
	json_set_str(metadata, "name", strrchr(path, '/') + 1);
	json_set_str(metadata, "namespace", ns);
	json_setf(metadata, "resourceVersion", "%lld", (long long)s->version);
	json_setf(metadata, "uid", "00000000-0000-0000-0000-%012llx", (unsigned long long)s->version);
	json_set_str(metadata, "uid", uid);
	json_set_str(metadata, "creationTimestamp", "2020-01-01T00:00:00Z");
	if (text_eq(json_str(object, "kind", NULL), "Pod"))
		json_set_str(json_ensure_object(object, "status"), "phase", "Pending");
	return object;
}

/* The namespace in /api/v1/namespaces/NS/…; "default" if there is none. Owned. */
static char *namespace_of(const char *path)
{
	static const char mark[] = "/namespaces/";
	const char *at = strstr(path, mark);

	at = at ? at + strlen(mark) : "default";
	return xstrndup(at, strcspn(at, "/"));
}

static struct json *version(void)
{
	struct json *out = json_new_object();

	json_set_str(out, "major", "1");
	json_set_str(out, "minor", "30");
	return out;
}

static bool is_write(const struct request *r)
{
	return text_eq(r->method, "POST") || text_eq(r->method, "PATCH") || text_eq(r->method, "PUT");
}

static int check(const struct request *r, bool known)
{
	bool post = text_eq(r->method, "POST");

	if (r->broken || (is_write(r) && !json_is(r->body, JSON_OBJECT)))
		return 400;
	if (post)
		return known ? 409 : 201;
	return known || is_write(r) ? 200 : 404;
}

/* path without the query. Returns the status; *ret owned. */
static int answer(struct submit_server *s, const struct request *r, const char *path, struct json **ret)
{
	auto_free char *ns = namespace_of(path);
	auto_free char *child = xasprintf("%s/%s", path, json_str(r->body, "metadata.name", ""));
	const char *key = text_eq(r->method, "POST") ? child : path;
	int code;

	if (text_eq(path, "/version")) {
		*ret = version();
		return 200;
	}
	code = check(r, json_get(s->objects, key) != NULL);
	if (code < 300 && is_write(r))
		*ret = json_dup(put(s, key, ns, r->body));
	else if (code < 300 && text_eq(r->method, "GET"))
		*ret = json_dup(json_get(s->objects, key));
	else
		*ret = status(code);
	if (code < 300 && text_eq(r->method, "DELETE"))
		json_remove(s->objects, key);
	return code;
}

static void record(struct submit_server *s, const struct request *r)
{
	struct json *item = json_append(json_ensure_array(s->recording, "requests"), json_new_object());

	json_set_str(item, "method", r->method);
	json_set_str(item, "path", r->path);
	json_set(item, "body", r->body ? json_dup(r->body) : json_new_null());
}

/* ---- connections ---- */

static void on_closed(uv_handle_t *handle)
{
	struct conn *c = container_of(handle, struct conn, tcp);

	list_remove(&c->link);
	buf_done(&c->input);
	unref(c->server);
	free(c);
}

static void hang_up(struct conn *c)
{
	if (!uv_is_closing((uv_handle_t *)&c->tcp))
		uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void on_written(uv_write_t *req, int rc)
{
	struct reply *reply = container_of(req, struct reply, req);

	(void)rc;
	free(reply->text);
	free(reply);
}

static void send_reply(struct conn *c, int code, const struct json *document)
{
	struct reply *reply = xcalloc(1, sizeof(*reply));
	auto_free char *body = json_print(document);
	uv_buf_t buf;

	reply->text = xasprintf("HTTP/1.1 %d \r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", code,
				strlen(body), body);
	buf = uv_buf_init(reply->text, (unsigned)strlen(reply->text));
	if (uv_write(&reply->req, (uv_stream_t *)&c->tcp, &buf, 1, on_written) < 0)
		on_written(&reply->req, 0);
}

static void handle(struct conn *c, const struct request *r)
{
	auto_free char *path = xstrndup(r->path, strcspn(r->path, "?"));
	auto_json document = NULL;
	int code;

	record(c->server, r);
	code = answer(c->server, r, path, &document);
	send_reply(c, code, document);
}

/* The value of Content-Length in the lines of head, 0 without; -1 if it is none or too large. */
static int64_t body_length(const char *head)
{
	static const char name[] = "\r\nContent-Length:";
	const char *at = strcasestr(head, name);
	auto_free char *text = NULL;
	int64_t len;

	if (strcasestr(head, "\r\nTransfer-Encoding:"))
		return -1;
	if (!at)
		return 0;
	at += strlen(name);
	at += strspn(at, " ");
	text = xstrndup(at, strcspn(at, " \r\n"));
	return text_i64(text, &len) && len >= 0 && len <= REQUEST_MAX ? len : -1;
}

/* The first request of the input; false if it is not complete or the connection has ended. */
static bool take_request(struct conn *c)
{
	const char *text = buf_str(&c->input), *end = strstr(text, "\r\n\r\n");
	size_t head_len = end ? (size_t)(end - text) : 0;
	auto_free char *head = xstrndup(text, head_len);
	int64_t len = body_length(head);
	auto_strv words = { 0 };
	struct err err = { 0 };
	struct request r = { 0 };
	auto_json body = NULL;

	if (!end)
		return false;
	if (len >= 0 && c->input.len < head_len + 4 + (size_t)len)
		return false;
	head[strcspn(head, "\r\n")] = '\0';
	strv_split(&words, head, ' ');
	if (len < 0 || words.len != 3 || words.items[1][0] != '/') {
		hang_up(c);
		return false;
	}
	body = len ? json_parse(text + head_len + 4, (size_t)len, &err) : NULL;
	r = (struct request){ .method = words.items[0], .path = words.items[1], .body = body, .broken = len && !body };
	handle(c, &r);
	buf_drop(&c->input, head_len + 4 + (size_t)len);
	return true;
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct conn *c = container_of(handle, struct conn, tcp);

	(void)size;
	*buf = uv_buf_init(c->server->block, sizeof(c->server->block));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = container_of(stream, struct conn, tcp);

	if (n < 0 || !buf_add(&c->input, buf->base, (size_t)n)) {
		hang_up(c);
		return;
	}
	while (take_request(c))
		;
}

static void on_connection(uv_stream_t *stream, int rc)
{
	struct submit_server *s = container_of(stream, struct submit_server, tcp);
	struct conn *c;

	if (rc < 0)
		return;
	c = xcalloc(1, sizeof(*c));
	c->server = s;
	s->refs++;
	buf_init(&c->input, REQUEST_MAX);
	list_init(&c->link);
	list_append(&s->conns, &c->link);
	uv_tcp_init(stream->loop, &c->tcp);
	if (uv_accept(stream, (uv_stream_t *)&c->tcp) < 0 ||
	    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0)
		hang_up(c);
}

/* ---- the server ---- */

static void on_listener_closed(uv_handle_t *handle)
{
	unref(container_of(handle, struct submit_server, tcp));
}

struct submit_server *submit_server_new(struct loop *loop, struct err *err)
{
	struct submit_server *s = xcalloc(1, sizeof(*s));
	struct sockaddr_in address;
	int rc;

	s->refs = 1;
	s->version = FIRST_UID;
	s->recording = json_new_object();
	s->objects = json_new_object();
	json_ensure_array(s->recording, "requests");
	list_init(&s->conns);
	uv_tcp_init(&loop->uv, &s->tcp);
	uv_ip4_addr("127.0.0.1", 0, &address);
	rc = uv_tcp_bind(&s->tcp, (const struct sockaddr *)&address, 0);
	if (!rc)
		rc = uv_listen((uv_stream_t *)&s->tcp, BACKLOG, on_connection);
	if (!rc)
		return s;
	submit_server_close(s);
	err_set(err, ERR_IO, "listen on 127.0.0.1: %s", uv_strerror(rc));
	return NULL;
}

int submit_server_port(const struct submit_server *s)
{
	struct sockaddr_in address = { 0 };
	int len = sizeof(address);

	uv_tcp_getsockname(&s->tcp, (struct sockaddr *)&address, &len);
	return ntohs(address.sin_port);
}

const struct json *submit_server_recording(const struct submit_server *s)
{
	return s->recording;
}

void submit_server_close(struct submit_server *s)
{
	for (struct list *link = s->conns.next; link != &s->conns; link = link->next)
		hang_up(container_of(link, struct conn, link));
	uv_close((uv_handle_t *)&s->tcp, on_listener_closed);
}
