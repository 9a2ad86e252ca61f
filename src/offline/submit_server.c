/*
 * The API server of `diff`, on net/http_server. Happy path: record a request and answer with the object as stored.
 *
 * Its client is a child of our own over the loopback, so it may take as long as it likes: the child has a deadline. A
 * body that is not JSON is recorded without it and refused. Failure modes: a request that is not HTTP, too large, or of
 * no stated length is refused by the server and not recorded.
 */
#include "submit_server.h"

#include <string.h>

#include "base/text.h"
#include "net/http_server.h"

enum { REQUEST_MAX = 16 << 20, ANY_TIME_MS = 24 * 60 * 60 * 1000, FIRST_UID = 1000 };

struct submit_server {
	struct http_server *http;
	struct json *recording;
	struct json *objects; /* by path */
	int64_t version;      /* the last resourceVersion */
};

struct request {
	const char *method;
	const char *path;	 /* without the query */
	const char *target;	 /* with the query */
	const struct json *body; /* NULL if there is none */
	bool broken;		 /* the body is not JSON */
};

/* ---- the store ---- */

static struct json *build_status(int code)
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
static const struct json *store_object(struct submit_server *s, const char *path, const char *ns,
				       const struct json *body)
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

static struct json *build_version(void)
{
	struct json *out = json_new_object();

	json_set_str(out, "major", "1");
	json_set_str(out, "minor", "30");
	return out;
}

static bool stores_object(const struct request *r)
{
	return text_eq(r->method, "POST") || text_eq(r->method, "PATCH") || text_eq(r->method, "PUT");
}

static int check_request(const struct request *r, bool known)
{
	bool post = text_eq(r->method, "POST");

	if (r->broken || (stores_object(r) && !json_is(r->body, JSON_OBJECT)))
		return 400;
	if (post)
		return known ? 409 : 201;
	return known || stores_object(r) ? 200 : 404;
}

/* Answers one request. Returns the HTTP status. *ret is the body, owned. */
static int answer_submitter(struct submit_server *s, const struct request *r, struct json **ret)
{
	auto_free char *ns = namespace_of(r->path);
	auto_free char *child = xasprintf("%s/%s", r->path, json_str(r->body, "metadata.name", ""));
	const char *key = text_eq(r->method, "POST") ? child : r->path;
	int code;

	if (text_eq(r->path, "/version")) {
		*ret = build_version();
		return 200;
	}
	code = check_request(r, json_get(s->objects, key) != NULL);
	if (code < 300 && stores_object(r))
		*ret = json_dup(store_object(s, key, ns, r->body));
	else if (code < 300 && text_eq(r->method, "GET"))
		*ret = json_dup(json_get(s->objects, key));
	else
		*ret = build_status(code);
	if (code < 300 && text_eq(r->method, "DELETE"))
		json_remove(s->objects, key);
	return code;
}

static void record_request(struct submit_server *s, const struct request *r)
{
	struct json *item = json_append(json_ensure_array(s->recording, "requests"), json_new_object());

	json_set_str(item, "method", r->method);
	json_set_str(item, "path", r->target);
	json_set(item, "body", r->body ? json_dup(r->body) : json_new_null());
}

static void on_request(void *arg, struct http_exchange *x)
{
	struct submit_server *s = arg;
	struct err err;
	auto_json body = x->body_len > 0 ? json_parse(x->body, x->body_len, &err) : NULL;
	auto_free char *target = xasprintf("%s%s%s", x->path, *x->query ? "?" : "", x->query);
	const struct request r = {
		.method = x->method, .path = x->path, .target = target, .body = body, .broken = x->body_len > 0 && !body
	};
	auto_json document = NULL;
	auto_free char *text = NULL;

	record_request(s, &r);
	x->status = answer_submitter(s, &r, &document);
	x->content_type = "application/json";
	text = json_print(document);
	buf_puts(&x->reply, text);
}

/* ---- the server ---- */

struct submit_server *submit_server_new(struct loop *loop, struct err *err)
{
	static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE", NULL };
	static const struct http_server_options options = {
		.methods = methods,
		.max_body = REQUEST_MAX,
		.max_bodies = 2 * REQUEST_MAX,
		.body_rate = 1,
		.head_ms = ANY_TIME_MS,
		.request_ms = ANY_TIME_MS,
		.idle_ms = ANY_TIME_MS,
		.age_ms = ANY_TIME_MS,
	};
	struct submit_server *s = xcalloc(1, sizeof(*s));
	const struct http_route route = { .fn = on_request, .arg = s };

	s->version = FIRST_UID;
	s->recording = json_new_object();
	s->objects = json_new_object();
	json_ensure_array(s->recording, "requests");
	s->http = http_server_new(loop, &route, 1, &options);
	if (http_server_listen(s->http, "127.0.0.1:0", err) == 0)
		return s;
	submit_server_close(s);
	return NULL;
}

int submit_server_port(const struct submit_server *s)
{
	return http_server_port(s->http);
}

const struct json *submit_server_recording(const struct submit_server *s)
{
	return s->recording;
}

void submit_server_close(struct submit_server *s)
{
	http_server_close(s->http, 0);
	json_free(s->recording);
	json_free(s->objects);
	free(s);
}
