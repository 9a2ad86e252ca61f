/*
 * For tests of the API client: the client and a scripted API server in one loop.
 */
#ifndef TESTS_NET_CLIENT_LIB_H
#define TESTS_NET_CLIENT_LIB_H

#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "json/json.h"
#include "net_lib.h"
#include "runtime/client.h"

enum { CALLS = 8 };

/* ---- a server that answers as the test says ---- */

/* head and body of one whole request. The script answers now, later or never. */
typedef void script_fn(struct raw *conn, const char *head, const char *body);

struct server {
	struct loop *loop;
	uv_tcp_t listener;
	struct list conns;
	struct strv requests; /* heads followed by bodies */
	script_fn *script;
};

/* headers: whole lines or "". */
static inline void answer(struct raw *conn, int status, const char *headers, const char *body)
{
	auto_free char *text =
	    xasprintf("HTTP/1.1 %d Whatever\r\nContent-Length: %zu\r\n%s\r\n%s", status, strlen(body), headers, body);

	raw_puts(conn, text);
}

/* Takes the first whole request out of what was received and has it answered. */
static inline bool server_take(struct raw *conn)
{
	static const char length_name[] = "Content-Length: ";
	struct server *s = conn->owner;
	auto_free char *head = NULL, *body = NULL;
	const char *end = strstr(buf_str(&conn->in), "\r\n\r\n"), *length;
	size_t head_len, body_len;

	if (conn->closed || !end)
		return false;
	head_len = (size_t)(end + 4 - conn->in.data);
	head = xstrndup(conn->in.data, head_len);
	length = strstr(head, length_name);
	body_len = length ? strtoul(length + strlen(length_name), NULL, 10) : 0;
	if (conn->in.len < head_len + body_len)
		return false;
	body = xstrndup(conn->in.data + head_len, body_len);
	buf_drop(&conn->in, head_len + body_len);
	strv_addf(&s->requests, "%s%s", head, body);
	s->script(conn, head, body);
	return true;
}

static inline void server_data(struct raw *conn)
{
	if (conn->eof) {
		raw_close(conn);
		return;
	}
	while (server_take(conn))
		;
}

static inline void server_connection(uv_stream_t *listener, int status)
{
	struct server *s = container_of((uv_tcp_t *)listener, struct server, listener);
	struct raw *conn = raw_new(s->loop);

	assert_int_equal(status, 0);
	conn->owner = s;
	conn->on_data = server_data;
	assert_int_equal(uv_accept(listener, (uv_stream_t *)&conn->tcp), 0);
	list_append(&s->conns, &conn->link);
	uv_read_start((uv_stream_t *)&conn->tcp, raw_alloc, raw_read);
}

static inline void server_start(struct server *s, struct loop *loop, script_fn *script)
{
	struct sockaddr_in addr;

	*s = (struct server){ .loop = loop, .script = script };
	list_init(&s->conns);
	uv_ip4_addr("127.0.0.1", 0, &addr);
	uv_tcp_init(&loop->uv, &s->listener);
	assert_int_equal(uv_tcp_bind(&s->listener, (struct sockaddr *)&addr, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&s->listener, 16, server_connection), 0);
}

static inline void server_stop(struct server *s)
{
	while (!list_empty(&s->conns))
		raw_close(container_of(s->conns.next, struct raw, link));
	uv_close((uv_handle_t *)&s->listener, NULL);
	strv_done(&s->requests);
}

/* ---- two scripts ---- */

static inline void say_ok(struct raw *c, const char *head, const char *body)
{
	(void)head;
	(void)body;
	answer(c, 200, "", "{\"a\":1}");
}

static inline void stay_silent(struct raw *c, const char *head, const char *body)
{
	(void)c;
	(void)head;
	(void)body;
}

/* ---- one test's world ---- */

struct outcome {
	int order; /* 1 for the first that ended, 0 while under way */
	struct reply reply;
	struct buf data;
	int chunks;
};

static struct {
	struct loop loop;
	struct server server;
	struct client *client;
	struct metrics *metrics;
	char *url;
	char *host;
	struct outcome outcomes[CALLS];
	int ended;
} w;

static const struct request get_pod = { .verb = VERB_GET, .res = &resource_pod, .ns = "a", .name = "p" };
static const struct request list_pods = { .verb = VERB_LIST, .res = &resource_pod, .ns = "a", .query = "limit=500" };
static const struct request watch_pods = { .verb = VERB_WATCH,
					   .res = &resource_pod,
					   .query = "watch=1&timeoutSeconds=300" };

static inline struct api *api(void)
{
	return client_api(w.client);
}

static inline void new_client(const struct config *config, double qps, unsigned max_connections)
{
	struct client_options options = { .qps = qps,
					  .burst = 1,
					  .max_connections = max_connections,
					  .metrics = w.metrics,
					  .user_agent = "tester/1" };
	struct err err = { 0 };

	w.client = client_new(&w.loop, config, &options, &err);
	if (!w.client)
		fail_msg("%s", err.msg);
}

static inline void begin_with(script_fn *script, double qps, unsigned max_connections)
{
	static char token[] = "t0k";
	struct config config = { .token = token };
	struct err err;

	memset(&w, 0, sizeof(w));
	assert_int_equal(loop_init(&w.loop, &err), 0);
	server_start(&w.server, &w.loop, script);
	w.host = xasprintf("127.0.0.1:%d", bound_port(&w.server.listener));
	w.url = xasprintf("http://%s", w.host);
	w.metrics = metrics_new();
	for (int i = 0; i < CALLS; i++)
		buf_init(&w.outcomes[i].data, SEEN_MAX);
	config.server = w.url;
	new_client(&config, qps, max_connections);
}

static inline void begin(script_fn *script)
{
	begin_with(script, 0, 0);
}

static inline void end(void)
{
	if (w.client)
		client_close(w.client);
	server_stop(&w.server);
	assert_int_equal(loop_close(&w.loop), 0);
	metrics_free(w.metrics);
	for (int i = 0; i < CALLS; i++) {
		reply_done(&w.outcomes[i].reply);
		buf_done(&w.outcomes[i].data);
	}
	free(w.url);
	free(w.host);
}

static inline void on_done(void *arg, struct reply *reply)
{
	struct outcome *o = arg;

	assert_int_equal(o->order, 0);
	o->order = ++w.ended;
	o->reply = *reply;
	reply->body = NULL;
}

static inline void on_bytes(void *arg, const char *data, size_t len)
{
	struct outcome *o = arg;

	o->chunks++;
	buf_add(&o->data, data, len);
}

static inline struct api_call *send_as(const struct request *req, int i)
{
	struct api_call *call = api_send(api(), req, on_done, &w.outcomes[i]);

	assert_non_null(call);
	assert_int_equal(w.outcomes[i].order, 0);
	return call;
}

static inline bool enough(void *arg)
{
	return w.ended >= *(int *)arg;
}

/* Until so many calls in all have ended. */
static inline void run(int expected)
{
	run_while_not(&w.loop, enough, &expected);
	assert_int_equal(w.ended, expected);
}

/* Sends one request and returns how it ended. */
static inline struct outcome *exchange(script_fn *script, const struct request *req)
{
	begin(script);
	if (req->verb == VERB_WATCH)
		assert_non_null(api_stream(api(), req, on_bytes, on_done, &w.outcomes[0]));
	else
		send_as(req, 0);
	run(1);
	assert_int_equal(client_pending(w.client), 0);
	return &w.outcomes[0];
}

static inline void check_error(const struct outcome *o, enum err_code code, const char *msg)
{
	assert_int_equal(o->reply.err.code, code);
	if (!text_starts(o->reply.err.msg, msg))
		fail_msg("%s", o->reply.err.msg);
}

/* How often the request counter has these labels, as the exposition shows it. */
static inline bool counted(const char *code, const char *method, int times)
{
	auto_free char *line = xasprintf("rest_client_requests_total{code=\"%s\",method=\"%s\",host=\"%s\"} %d\n", code,
					 method, w.host, times);
	auto_buf text;

	buf_init(&text, SEEN_MAX);
	metrics_write(w.metrics, &text);
	return strstr(buf_str(&text), line);
}

#endif
