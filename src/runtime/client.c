/*
 * The API client: struct api over net/http_client.
 *
 * Happy path: send copies what it needs of the request. The call waits in its queue of the limiter, usually not at all.
 * It goes to the HTTP client with URL, token and deadline, and its answer is parsed and given to done. A watch skips
 * the limiter and passes its bytes on as they come.
 *
 * A request with a fence passes it inside libcurl, when there is a connection and the request is sent next. Whatever
 * it has waited for by then, its turn, a name to be resolved or a handshake, it is not sent any more if the fence has
 * closed. What is cancelled afterwards counts as unanswered at the fence.
 *
 * Failures: kube/request classifies an answer that is not 2xx. If the answer is no Status but plain text (from API
 * priority and fairness, proxies or load balancers), the text is quoted, as client-go's transformResponse does. Without
 * an answer, the class is that of the HTTP client. After a 401, a call is sent once more if the file of the token, the
 * client certificate or its key has changed. This is safe for writes too, since a call with refused credentials does
 * nothing. No other call is repeated here. A deadline includes the waiting, except for lists: many of them may wait for
 * a long time, and each is told how long it may take.
 */
#include "runtime/client.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "kube/fence.h"
#include "kube/object.h"
#include "net/http_client.h"
#include "credentials.h"
#include "limiter.h"

enum {
	UNARY_MS = 30 * 1000,
	LIST_MS = 120 * 1000,
	LIST_WAIT_MS = 10 * 60 * 1000, /* of its turn, behind the lists of a thousand namespaces */
	WATCH_GRACE_MS = 30 * 1000,
	WATCH_SERVER_MAX_S =
	    3600, /* without timeoutSeconds, the server ends a watch after up to twice MinRequestTimeout */
	CONNECTIONS = 16,
	QUOTE_MAX = 300,
	MAX_HEADERS = 5,
};
static const size_t list_max_bytes = 64UL * 1024 * 1024, unary_max_bytes = 8UL * 1024 * 1024;
static const char field_manager[] = "fieldManager=spark-operator";
static const char default_user_agent[] = "spark-operator";

static const char *const total_labels[] = { "code", "method", "host", NULL };
static const char *const duration_labels[] = { "verb", "host", NULL };
/* k8s.io/component-base/metrics/prometheus/restclient */
static const double duration_buckets[] = { 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60 };
/* Series that are shown from the start, since rates are computed of them. */
static const char *const methods[] = { "GET", "POST", "PATCH", "DELETE" };
static const char *const codes[] = { "200", "201", "403", "404", "409", "422", "429", "500", "503", "<error>" };

struct client {
	struct api api;
	struct loop *loop;
	struct http_client *http;
	struct credentials credentials;
	struct limiter limiter;
	struct sched_timer refill; /* when the bucket lets the next call through */
	struct list calls;
	struct metric *total; /* NULL without metrics */
	struct metric *duration;
	struct metric *limited;
	char *host; /* label of the metrics */
};

struct api_call {
	struct list link; /* client->calls */
	struct client *client;
	struct limiter_turn turn;
	struct sched_timer deadline; /* armed while it waits for its turn */
	struct http_op *op;	     /* NULL while it waits */
	enum verb verb;
	const char *method;
	const char *content_type;
	char *what; /* "create pods default/pi-driver" */
	char *url;
	char *body;
	int64_t timeout_ms;
	int64_t end_ms; /* deadline; of a list it is known when the list is sent */
	int64_t called_ms;
	int64_t sent_ms;
	uint64_t generation; /* of the credentials it was sent with */
	bool repeated;
	struct fence *fence; /* or NULL */
	bool entered;	     /* it has passed the fence */
	api_data_fn *data;
	api_done_fn *done;
	void *arg;
};

static void transmit_call(struct api_call *call);

static int64_t client_now_ms(const struct client *c)
{
	return sched_now(&c->loop->sched);
}

static int64_t watch_timeout_ms(const char *query)
{
	static const char name[] = "timeoutSeconds=";
	int64_t seconds = WATCH_SERVER_MAX_S;
	auto_strv parts = { 0 };

	strv_split(&parts, query ? query : "", '&');
	for (size_t i = 0; i < parts.len; i++) {
		if (text_starts(parts.items[i], name) && text_i64(parts.items[i] + strlen(name), &seconds))
			break;
	}
	return seconds * 1000 + WATCH_GRACE_MS;
}

static int64_t call_timeout_ms(const struct request *req)
{
	if (req->timeout_ms > 0)
		return req->timeout_ms;
	if (req->verb == VERB_WATCH)
		return watch_timeout_ms(req->query);
	return req->verb == VERB_LIST ? LIST_MS : UNARY_MS;
}

static char *make_url(const struct client *c, const struct request *req)
{
	auto_free char *path = request_path(req);

	if (req->verb != VERB_CREATE && req->verb != VERB_PATCH && req->verb != VERB_APPLY)
		return xasprintf("%s%s", c->credentials.config.server, path);
	return xasprintf("%s%s%c%s", c->credentials.config.server, path, strchr(path, '?') ? '&' : '?', field_manager);
}

static void call_free(struct api_call *call)
{
	list_remove(&call->link);
	sched_disarm(&call->client->loop->sched, &call->deadline);
	if (call->entered)
		fence_leave(call->fence, NULL);
	free(call->what);
	free(call->url);
	free(call->body);
	free(call);
}

/* Sends the calls whose turn it is, and arms the timer for the next one. Runs no callbacks. */
static void send_waiting(struct client *c)
{
	struct limiter_turn *turn;
	int64_t delay;

	while ((turn = limiter_next(&c->limiter, client_now_ms(c)))) {
		struct api_call *call = container_of(turn, struct api_call, turn);

		sched_disarm(&c->loop->sched, &call->deadline);
		if (call->verb == VERB_LIST)
			call->end_ms = client_now_ms(c) + call->timeout_ms;
		transmit_call(call);
	}
	delay = limiter_delay_ms(&c->limiter, client_now_ms(c));
	if (delay < 0)
		sched_disarm(&c->loop->sched, &c->refill);
	else
		sched_arm(&c->loop->sched, &c->refill, delay);
}

static void on_refill(void *arg)
{
	send_waiting(arg);
}

/* Gives up the call's place among the active calls if it was sent, else its place in the queue. */
static void leave_limiter(struct api_call *call)
{
	struct client *c = call->client;

	if (call->verb == VERB_WATCH)
		return;
	if (call->op)
		limiter_release(&c->limiter, &call->turn);
	else
		limiter_leave(&c->limiter, &call->turn);
}

/* Ends a call. The callback may close the client, so the client is not used afterwards. */
static void finish_call(struct api_call *call, struct reply *reply)
{
	struct client *c = call->client;
	api_done_fn *done = call->done;
	void *arg = call->arg;

	leave_limiter(call);
	if (call->entered)
		fence_leave(call->fence, reply);
	call->entered = false;
	call_free(call);
	send_waiting(c);
	done(arg, reply);
	reply_done(reply);
}

static void on_deadline(void *arg)
{
	struct api_call *call = arg;
	struct reply reply = { 0 };

	err_set(&reply.err, ERR_TIMEOUT, "%s: not sent in time: too many calls under way or over the rate limit",
		call->what);
	finish_call(call, &reply);
}

static void count_answer(const struct api_call *call, const struct http_reply *answer)
{
	const struct client *c = call->client;
	auto_free char *status = xasprintf("%d", answer->status);
	const char *total[] = { answer->err.code == ERR_NONE ? status : "<error>", call->method, c->host };
	const char *duration[] = { call->method, c->host };

	if (!c->total)
		return;
	metric_add(c->total, total, 1);
	if (call->verb != VERB_WATCH)
		metric_observe(c->duration, duration, (double)(client_now_ms(c) - call->sent_ms) / 1000);
}

/* Makes a Status of an answer that is none: its message is the beginning of the text, in one line. NULL if it is no
 * text. */
static struct json *quote_answer(const struct buf *body)
{
	auto_buf line;
	struct json *status;

	buf_init(&line, QUOTE_MAX);
	if (body->len == 0 || !text_is_utf8(body->data, body->len))
		return NULL;
	for (size_t i = 0; i < body->len && line.len < QUOTE_MAX; i++) {
		unsigned char byte = (unsigned char)body->data[i];

		if (byte >= 0xc0 && line.len + 4 > QUOTE_MAX)
			break;
		buf_putc(&line, byte < ' ' || byte == 0x7f ? ' ' : (char)byte);
	}
	status = json_new_object();
	json_set_str(status, "message", buf_str(&line));
	return status;
}

/* Fills reply from a complete answer. */
static void read_answer(const struct api_call *call, struct http_reply *answer, struct reply *reply)
{
	bool success = answer->status >= 200 && answer->status < 300;
	struct err err = { 0 };

	reply->status = answer->status;
	if (success && (call->verb == VERB_WATCH || answer->status == 204))
		return;
	reply->body = object_parse(buf_str(&answer->body), answer->body.len, &err);
	if (success) {
		if (!reply->body)
			err_set(&reply->err, ERR_IO, "%s: reply is not JSON: %s", call->what, err.msg);
		return;
	}
	if (!reply->body)
		reply->body = quote_answer(&answer->body);
	reply_classify(reply, NULL, answer->retry_after_s);
	err_wrap(&reply->err, "%s", call->what);
}

/* An answer that was cut off counts as no answer. */
static void on_answer(void *arg, struct http_reply *answer)
{
	struct api_call *call = arg;
	struct client *c = call->client;
	struct reply reply = { 0 };

	count_answer(call, answer);
	if (answer->err.code == ERR_NONE && answer->status == 401 && !call->repeated &&
	    credentials_refused(&c->credentials, call->generation, client_now_ms(c))) {
		call->repeated = true;
		transmit_call(call);
		return;
	}
	if (answer->err.code == ERR_NONE) {
		read_answer(call, answer, &reply);
	} else if (answer->err.code == ERR_CANCELED) {
		err_set(&reply.err, ERR_CANCELED, "%s: not sent, since another replica may lead by now", call->what);
	} else {
		reply.err = answer->err;
		err_wrap(&reply.err, "%s", call->what);
	}
	finish_call(call, &reply);
}

static void on_data(void *arg, const char *data, size_t len)
{
	struct api_call *call = arg;

	call->data(call->arg, data, len);
}

static int set_client_tls(struct client *c, struct err *err)
{
	const struct config *config = &c->credentials.config;
	struct http_tls tls = {
		.ca = config->ca,
		.cert = config->cert,
		.key = config->key,
		.server_name = config->server_name,
		.insecure = config->insecure,
	};

	return http_client_set_tls(c->http, &tls, err);
}

static void refresh_credentials(struct client *c)
{
	struct err err = { 0 };

	credentials_refresh(&c->credentials, client_now_ms(c));
	if (!c->credentials.tls_changed)
		return;
	c->credentials.tls_changed = false;
	if (set_client_tls(c, &err) < 0)
		log_warn("-", "new certificate files unusable, the last certificates stay", "error", err.msg, NULL);
}

/* Inside libcurl, right before the request is sent. */
static bool on_begin(void *arg)
{
	struct api_call *call = arg;

	if (call->entered)
		return fence_is_open(call->fence);
	call->entered = fence_enter(call->fence);
	return call->entered;
}

static void transmit_call(struct api_call *call)
{
	struct client *c = call->client;
	auto_free char *authorization = NULL, *content_type = NULL;
	const char *headers[MAX_HEADERS] = { "Accept: application/json" };
	size_t count = 1;
	struct http_request request = {
		.method = call->method,
		.url = call->url,
		.headers = headers,
		.body = call->body,
		.body_len = call->body ? strlen(call->body) : 0,
		.max_reply_bytes = call->verb == VERB_LIST ? list_max_bytes : unary_max_bytes,
		.stream = call->verb == VERB_WATCH,
		.compressed = call->verb == VERB_LIST,
		.begin = call->fence ? on_begin : NULL,
	};

	refresh_credentials(c);
	if (c->credentials.config.token) {
		authorization = xasprintf("Authorization: Bearer %s", c->credentials.config.token);
		headers[count++] = authorization;
	}
	if (call->content_type) {
		content_type = xasprintf("Content-Type: %s", call->content_type);
		headers[count++] = content_type;
	}
	call->generation = c->credentials.generation;
	call->sent_ms = client_now_ms(c);
	if (c->limited && call->verb != VERB_WATCH && !call->repeated)
		metric_observe(c->limited, (const char *const[]){ call->method, c->host },
			       (double)(call->sent_ms - call->called_ms) / 1000);
	request.timeout_ms = call->end_ms > call->sent_ms ? call->end_ms - call->sent_ms : 1;
	call->op = http_client_send(c->http, &request, request.stream ? on_data : NULL, on_answer, call);
}

static struct api_call *call_new(struct client *c, const struct request *req, api_data_fn *data, api_done_fn *done,
				 void *arg)
{
	struct api_call *call = xcalloc(1, sizeof(*call));

	*call = (struct api_call){
		.client = c,
		.verb = req->verb,
		.method = request_method(req),
		.content_type = request_content_type(req),
		.what = request_describe(req),
		.url = make_url(c, req),
		.body = req->body ? json_print(req->body) : NULL,
		.called_ms = client_now_ms(c),
		.timeout_ms = call_timeout_ms(req),
		.end_ms = client_now_ms(c) + call_timeout_ms(req),
		.fence = req->fence,
		.data = data,
		.done = done,
		.arg = arg,
	};
	sched_timer_init(&call->deadline, on_deadline, call);
	list_append(&c->calls, &call->link);
	return call;
}

static struct api_call *send_call(struct api *api, const struct request *req, api_done_fn *done, void *arg)
{
	struct client *c = container_of(api, struct client, api);
	struct api_call *call = call_new(c, req, NULL, done, arg);

	limiter_wait(&c->limiter, &call->turn, limiter_queue_of(req));
	sched_arm(&c->loop->sched, &call->deadline, req->verb == VERB_LIST ? LIST_WAIT_MS : call->timeout_ms);
	send_waiting(c);
	return call;
}

static struct api_call *stream_call(struct api *api, const struct request *req, api_data_fn *data, api_done_fn *done,
				    void *arg)
{
	struct api_call *call = call_new(container_of(api, struct client, api), req, data, done, arg);

	transmit_call(call);
	return call;
}

static void cancel_call(struct api *api, struct api_call *call)
{
	leave_limiter(call);
	if (call->op)
		http_op_cancel(call->op);
	call_free(call);
	send_waiting(container_of(api, struct client, api));
}

static const struct api_ops ops = {
	.send = send_call,
	.stream = stream_call,
	.cancel = cancel_call,
};

static void add_client_metrics(struct client *c, struct metrics *metrics)
{
	if (!metrics)
		return;
	c->total =
	    metrics_family(metrics, METRIC_COUNTER, "rest_client_requests_total",
			   "HTTP requests to the API server by status code, method and host", total_labels, NULL, 0);
	c->duration = metrics_family(metrics, METRIC_HISTOGRAM, "rest_client_request_duration_seconds",
				     "Latency of requests to the API server, watches left out", duration_labels,
				     duration_buckets, array_len(duration_buckets));
	c->limited = metrics_family(metrics, METRIC_HISTOGRAM, "rest_client_rate_limiter_duration_seconds",
				    "Wait of requests for our own limits of rate and connections", duration_labels,
				    duration_buckets, array_len(duration_buckets));
	for (size_t i = 0; i < array_len(methods); i++) {
		metric_init(c->duration, (const char *const[]){ methods[i], c->host });
		metric_init(c->limited, (const char *const[]){ methods[i], c->host });
		for (size_t n = 0; n < array_len(codes); n++)
			metric_init(c->total, (const char *const[]){ codes[n], methods[i], c->host });
	}
}

static char *host_of(const char *server)
{
	const char *host = strstr(server, "://");

	host = host ? host + strlen("://") : server;
	return xstrndup(host, strcspn(host, "/"));
}

struct client *client_new(struct loop *loop, const struct config *config, const struct client_options *options,
			  struct err *err)
{
	unsigned connections = options->max_connections ? options->max_connections : CONNECTIONS;
	struct http_client_options http_options = {
		.max_connections = connections + LIMITER_RESERVE,
		.proxy = config->proxy,
		.user_agent = options->user_agent ? options->user_agent : default_user_agent,
	};
	struct client *c = xcalloc(1, sizeof(*c));

	c->api.ops = &ops;
	c->loop = loop;
	c->http = http_client_new(loop, &http_options);
	c->host = host_of(config->server);
	credentials_init(&c->credentials, config, client_now_ms(c));
	limiter_init(&c->limiter, options->qps, options->burst, connections, client_now_ms(c));
	sched_timer_init(&c->refill, on_refill, c);
	list_init(&c->calls);
	if (set_client_tls(c, err) < 0) {
		err_wrap(err, "credentials for %s", config->server);
		client_close(c);
		return NULL;
	}
	add_client_metrics(c, options->metrics);
	return c;
}

struct api *client_api(struct client *c)
{
	return &c->api;
}

void client_close(struct client *c)
{
	struct list *link;

	while ((link = list_pop(&c->calls))) {
		struct api_call *call = container_of(link, struct api_call, link);

		if (call->op)
			http_op_cancel(call->op);
		call_free(call);
	}
	sched_disarm(&c->loop->sched, &c->refill);
	http_client_close(c->http);
	credentials_done(&c->credentials);
	free(c->host);
	free(c);
}

unsigned client_pending(const struct client *c)
{
	return c->limiter.active + c->limiter.waiting;
}
