/*
 * The fake API server's front: calls with their latency, streams, faults, and the record of writes. What a call does to
 * the objects is in fake_world.c.
 *
 * A call is one timer: half the latency later it arrives and takes effect, another half later it is answered. A stream
 * reads the history of changes from its version on, one event per firing, so that a callback may cancel it at any time:
 * calling back is always the last thing that a timer does.
 */
#include "fake_kube.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "kube/fence.h"
#include "fake_world.h"

enum { MAX_FAULTS = 32 };

enum phase { UNDER_WAY, ANSWERED, STREAMING, ENDING };

struct api_call {
	struct list link;
	struct fake_kube *fk;
	struct request req; /* its strings and body are owned */
	api_done_fn *done;
	api_data_fn *data; /* NULL: not a stream */
	void *arg;
	struct sched_timer timer;
	enum phase phase;
	struct reply reply;
	size_t next; /* STREAMING: index of the next change */
	int64_t end_ms;
	char *selector;
	char *field_selector;
	bool entered; /* has passed the fence of the request */
};

struct planned_fault {
	unsigned k;
	enum fake_fault fault;
	struct fake_refusal refusal;
};

struct refuse_rule {
	enum verb verb;
	const struct resource *res;
	int times;
	struct fake_refusal refusal;
};

struct call_count {
	enum verb verb;
	const struct resource *res;
	unsigned count;
};

struct fake_kube {
	struct api api;
	struct sched *sched;
	struct fake_options options;
	struct world world;
	struct list calls;
	fake_change_fn *on_change;
	void *on_change_arg;
	struct planned_fault faults[MAX_FAULTS];
	size_t fault_count;
	struct refuse_rule rules[MAX_FAULTS];
	size_t rule_count;
	unsigned crash_after; /* 0: never */
	void (*on_crash)(void *arg);
	void *crash_arg;
	unsigned cut_countdown; /* events until one is cut; 0: none */
	bool expire;
	bool expire_as_event;
	int64_t down_until_ms;
	struct map *delays; /* plural → int64_t */
	unsigned write_count;
	struct fake_write *writes;
	size_t write_len;
	struct call_count counts[64];
	size_t count_len;
};

static const struct api_ops api_ops;
static void on_world_change(void *arg, const struct resource *res, const struct json *before, const struct json *now);
static void on_timer(void *arg);

struct fake_kube *fake_kube_new(struct sched *sched, const struct fake_options *options)
{
	struct fake_kube *fk = xcalloc(1, sizeof(*fk));

	fk->api.ops = &api_ops;
	fk->sched = sched;
	if (options)
		fk->options = *options;
	if (fk->options.call_ms == 0)
		fk->options.call_ms = 5;
	if (fk->options.event_ms == 0)
		fk->options.event_ms = 2;
	list_init(&fk->calls);
	fk->delays = map_new(free);
	world_init(&fk->world, sched, fk->options.grace_ms);
	fk->world.on_change = on_world_change;
	fk->world.arg = fk;
	return fk;
}

void fake_kube_free(struct fake_kube *fk)
{
	if (!fk)
		return;
	fake_kube_drop_client(fk);
	for (size_t i = 0; i < fk->write_len; i++) {
		free(fk->writes[i].subresource);
		free(fk->writes[i].key);
		free(fk->writes[i].version);
		json_free(fk->writes[i].body);
	}
	free(fk->writes);
	map_free(fk->delays);
	world_done(&fk->world);
	free(fk);
}

struct api *fake_kube_api(struct fake_kube *fk)
{
	return &fk->api;
}

void fake_kube_run(struct fake_kube *fk, int64_t duration_ms)
{
	int64_t end_ms = sched_now(fk->sched) + duration_ms;

	while (sched_next(fk->sched) >= 0 && sched_next(fk->sched) <= end_ms)
		sched_run(fk->sched, sched_next(fk->sched));
	sched_run(fk->sched, end_ms);
}

/* ---- calls ---- */

static void free_call(struct api_call *call)
{
	list_remove(&call->link);
	sched_disarm(call->fk->sched, &call->timer);
	if (call->entered)
		fence_leave(call->req.fence, NULL);
	free((char *)call->req.ns);
	free((char *)call->req.name);
	free((char *)call->req.subresource);
	free((char *)call->req.query);
	json_free((struct json *)call->req.body);
	free(call->selector);
	free(call->field_selector);
	reply_done(&call->reply);
	free(call);
}

void fake_kube_drop_client(struct fake_kube *fk)
{
	while (!list_empty(&fk->calls))
		free_call(container_of(fk->calls.next, struct api_call, link));
}

static struct api_call *stream(struct api *api, const struct request *req, api_data_fn *data, api_done_fn *done,
			       void *arg)
{
	struct fake_kube *fk = container_of(api, struct fake_kube, api);
	struct api_call *call = xcalloc(1, sizeof(*call));

	call->fk = fk;
	call->req = *req;
	call->req.ns = text_empty(req->ns) ? NULL : xstrdup(req->ns);
	call->req.name = xstrdup_null(req->name);
	call->req.subresource = xstrdup_null(req->subresource);
	call->req.query = xstrdup_null(req->query);
	call->req.body = json_dup(req->body);
	call->done = done;
	call->data = data;
	call->arg = arg;
	list_append(&fk->calls, &call->link);
	sched_timer_init(&call->timer, on_timer, call);
	sched_arm(fk->sched, &call->timer, fk->options.call_ms / 2);
	if (req->fence) {
		call->entered = fence_enter(req->fence);
		if (!call->entered)
			err_set(&call->reply.err, ERR_CANCELED, "not sent");
	}
	return call;
}

static struct api_call *send(struct api *api, const struct request *req, api_done_fn *done, void *arg)
{
	assert(req->verb != VERB_WATCH);
	return stream(api, req, NULL, done, arg);
}

static void cancel(struct api *api, struct api_call *call)
{
	assert(api == &call->fk->api);
	free_call(call);
}

static const struct api_ops api_ops = { .send = send, .stream = stream, .cancel = cancel };

static void broken(struct reply *reply, const char *what)
{
	reply_done(reply);
	err_set(&reply->err, ERR_IO, "%s", what);
}

static void refused(struct reply *reply, const struct fake_refusal *refusal)
{
	reply_done(reply);
	world_refuse(reply, refusal->status, refusal->reason, refusal->retry_after_s, "%s",
		     refusal->message ? refusal->message : "refused by a test");
}

static void answer(struct api_call *call)
{
	struct fake_kube *fk = call->fk;

	if (call->reply.status >= 300)
		reply_classify(&call->reply, &call->req, -1);
	call->phase = ANSWERED;
	sched_arm(fk->sched, &call->timer, fk->options.call_ms - fk->options.call_ms / 2);
}

/* The last act of a call. */
static void finish(struct api_call *call)
{
	struct reply reply = call->reply;
	api_done_fn *done = call->done;
	void *arg = call->arg;

	call->reply = (struct reply){ 0 };
	if (call->entered)
		fence_leave(call->req.fence, &reply);
	call->entered = false;
	free_call(call);
	done(arg, &reply);
	reply_done(&reply);
}

/* ---- the record ---- */

static bool counts(const struct fake_kube *fk, const struct request *req)
{
	return request_is_write(req) && (fk->options.count_events || !text_eq(req->res->kind, "Event"));
}

static void record(struct fake_kube *fk, const struct request *req, const struct reply *reply, bool changed)
{
	const char *name = req->name ? req->name : json_str(req->body, "metadata.name", "");
	struct fake_write *w;

	fk->writes = xreallocarray(fk->writes, fk->write_len + 1, sizeof(*fk->writes));
	w = &fk->writes[fk->write_len++];
	*w = (struct fake_write){
		.number = counts(fk, req) ? fk->write_count : 0,
		.verb = req->verb,
		.res = req->res,
		.subresource = xstrdup_null(req->subresource),
		.key = xasprintf("%s%s%s", req->ns ? req->ns : "", req->ns ? "/" : "", name),
		.version = xstrdup(json_str(reply->body, "metadata.resourceVersion", "")),
		.body = json_dup(req->body),
		.changed = changed,
		.at_ms = sched_now(fk->sched),
	};
}

const struct fake_write *fake_kube_writes(const struct fake_kube *fk, size_t *ret_len)
{
	*ret_len = fk->write_len;
	return fk->writes;
}

unsigned fake_kube_write_count(const struct fake_kube *fk)
{
	return fk->write_count;
}

char *fake_kube_census(const struct fake_kube *fk)
{
	auto_buf out = { .max = 64 << 20 };

	for (size_t i = 0; i < fk->write_len; i++) {
		const struct fake_write *w = &fk->writes[i];
		const struct request req = { .verb = w->verb };

		if (w->number > 0)
			buf_printf(&out, "%s %s%s%s %s\n", request_verb(&req), w->res->plural,
				   w->subresource ? "/" : "", w->subresource ? w->subresource : "", w->key);
	}
	return buf_take(&out);
}

static void count_call(struct fake_kube *fk, const struct request *req)
{
	size_t i = 0;

	while (i < fk->count_len && (fk->counts[i].verb != req->verb || fk->counts[i].res != req->res))
		i++;
	if (i == fk->count_len) {
		assert(i < array_len(fk->counts));
		fk->counts[fk->count_len++] = (struct call_count){ req->verb, req->res, 0 };
	}
	fk->counts[i].count++;
}

unsigned fake_kube_calls(const struct fake_kube *fk, enum verb verb, const struct resource *res)
{
	unsigned sum = 0;

	for (size_t i = 0; i < fk->count_len; i++)
		if (fk->counts[i].verb == verb && (!res || fk->counts[i].res == res))
			sum += fk->counts[i].count;
	return sum;
}

/* ---- a call arrives ---- */

static struct refuse_rule *rule_for(struct fake_kube *fk, const struct request *req)
{
	for (size_t i = 0; i < fk->rule_count; i++) {
		struct refuse_rule *r = &fk->rules[i];

		if (r->times != 0 && (r->verb == 0 || r->verb == req->verb) && (!r->res || r->res == req->res))
			return r;
	}
	return NULL;
}

static const struct planned_fault *fault_of(const struct fake_kube *fk, const struct request *req)
{
	for (size_t i = 0; counts(fk, req) && i < fk->fault_count; i++)
		if (fk->faults[i].k == fk->write_count)
			return &fk->faults[i];
	return NULL;
}

static void apply(struct api_call *call)
{
	struct fake_kube *fk = call->fk;
	size_t before = fk->world.len;

	world_handle(&fk->world, &call->req, &call->reply);
	if (request_is_write(&call->req) && call->reply.status < 300)
		record(fk, &call->req, &call->reply, fk->world.len > before);
}

static void open_stream(struct api_call *call)
{
	struct fake_kube *fk = call->fk;
	auto_free char *version = world_query(call->req.query, "resourceVersion");
	auto_free char *timeout = world_query(call->req.query, "timeoutSeconds");
	int64_t from = -1, timeout_s = 1800;

	text_i64(version, &from);
	text_i64(timeout, &timeout_s);
	assert(from > 0); /* nobody here watches from "" or "0" */
	if ((fk->expire && !fk->expire_as_event) || (uint64_t)from < fk->world.compacted) {
		fk->expire = false;
		world_refuse(&call->reply, 410, NULL, 0, "too old resource version: %s", version);
		answer(call);
		return;
	}
	call->selector = world_query(call->req.query, "labelSelector");
	call->field_selector = world_query(call->req.query, "fieldSelector");
	call->end_ms = sched_now(fk->sched) + timeout_s * 1000;
	call->phase = STREAMING;
	call->reply.status = 200;
	while (call->next < fk->world.len && fk->world.changes[call->next].version <= (uint64_t)from)
		call->next++;
	sched_arm(fk->sched, &call->timer, fk->options.call_ms - fk->options.call_ms / 2);
}

static void arrive(struct api_call *call)
{
	struct fake_kube *fk = call->fk;
	struct refuse_rule *rule = rule_for(fk, &call->req);
	const struct planned_fault *fault;

	if (call->reply.err.code == ERR_CANCELED) {
		answer(call);
		return;
	}
	if (sched_now(fk->sched) < fk->down_until_ms) {
		broken(&call->reply, "connection refused");
		answer(call);
		return;
	}
	count_call(fk, &call->req);
	fk->write_count += counts(fk, &call->req);
	fault = fault_of(fk, &call->req);
	if (rule) {
		rule->times -= rule->times > 0;
		refused(&call->reply, &rule->refusal);
	} else if (call->req.verb == VERB_WATCH) {
		open_stream(call);
		return;
	} else if (fault && fault->fault == FAKE_REFUSE) {
		refused(&call->reply, &fault->refusal);
	} else if (!fault || fault->fault != FAKE_LOSE_CALL) {
		apply(call);
	}
	if (fault && fault->fault != FAKE_REFUSE)
		broken(&call->reply, "connection reset by peer");
	if (fk->crash_after && counts(fk, &call->req) && fk->write_count == fk->crash_after) {
		fk->crash_after = 0;
		fk->on_crash(fk->crash_arg);
		return;
	}
	answer(call);
}

/* ---- streams ---- */

static int64_t delay_of(const struct fake_kube *fk, const struct resource *res)
{
	const int64_t *delay = map_get(fk->delays, res->plural);

	return fk->options.event_ms + (delay ? *delay : 0);
}

/* What the change is to this stream, NULL: nothing. Leaving the selector is a removal, entering it an addition. */
static const char *type_of(const struct api_call *call, const struct change *c)
{
	const char *ns = call->req.ns;
	bool is, was;

	if (c->type == CHANGE_BOOKMARK)
		return "BOOKMARK";
	if (c->res != call->req.res || (ns && !text_eq(ns, json_str(c->now, "metadata.namespace", ""))) ||
	    !world_selects_field(call->field_selector, c->now))
		return NULL;
	is = world_selects(call->selector, json_at(c->now, "metadata.labels"));
	was = c->type == CHANGE_MODIFIED ? world_selects(call->selector, c->old_labels) : c->type == CHANGE_DELETED;
	if (c->type == CHANGE_DELETED)
		return is ? "DELETED" : NULL;
	if (is)
		return was ? "MODIFIED" : "ADDED";
	return was ? "DELETED" : NULL;
}

/* When the stream has to do something next. */
static int64_t stream_due(struct api_call *call)
{
	const struct world *w = &call->fk->world;
	int64_t due_ms;

	if (call->fk->expire && call->fk->expire_as_event)
		return 0;
	while (call->next < w->len && !type_of(call, &w->changes[call->next]))
		call->next++;
	if (call->next == w->len)
		return call->end_ms;
	due_ms = w->changes[call->next].at_ms + delay_of(call->fk, call->req.res);
	return due_ms < call->end_ms ? due_ms : call->end_ms;
}

static void arm_stream(struct api_call *call)
{
	sched_arm(call->fk->sched, &call->timer, stream_due(call) - sched_now(call->fk->sched));
}

static void wake_streams(struct fake_kube *fk)
{
	for (struct list *at = fk->calls.next; at != &fk->calls; at = at->next) {
		struct api_call *call = container_of(at, struct api_call, link);

		if (call->phase == STREAMING)
			arm_stream(call);
	}
}

static void cut(struct api_call *call, bool is_broken)
{
	call->phase = ENDING;
	if (is_broken) {
		broken(&call->reply, "connection reset by peer");
		call->reply.status = 200;
	}
	sched_arm(call->fk->sched, &call->timer, 0);
}

static char *event_text(const struct api_call *call, const struct change *c)
{
	auto_json event = json_new_object();
	auto_free char *text = NULL;

	json_set_str(event, "type", type_of(call, c));
	if (c->type == CHANGE_BOOKMARK) {
		struct json *object = json_set(event, "object", json_new_object());

		json_set_str(object, "kind", call->req.res->kind);
		json_setf(json_set(object, "metadata", json_new_object()), "resourceVersion", "%llu",
			  (unsigned long long)c->version);
	} else {
		json_set(event, "object", json_dup(c->now));
	}
	text = json_print(event);
	return xasprintf("%s\n", text);
}

static void expire_stream(struct api_call *call)
{
	static const char event[] =
	    "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},"
	    "\"status\":\"Failure\",\"message\":\"too old resource version\",\"reason\":\"Expired\","
	    "\"code\":410}}\n";

	call->fk->expire = false;
	cut(call, false);
	call->data(call->arg, event, strlen(event));
}

/* One event or the end. */
static void run_stream(struct api_call *call)
{
	struct fake_kube *fk = call->fk;
	int64_t now_ms = sched_now(fk->sched);
	auto_free char *text = NULL;
	size_t len;

	if (stream_due(call) > now_ms) {
		arm_stream(call);
		return;
	}
	if (fk->expire && fk->expire_as_event) {
		expire_stream(call);
		return;
	}
	if (now_ms >= call->end_ms) {
		cut(call, false);
		return;
	}
	text = event_text(call, &fk->world.changes[call->next++]);
	len = strlen(text);
	if (fk->cut_countdown > 0 && --fk->cut_countdown == 0) {
		len /= 2;
		cut(call, true);
	} else {
		arm_stream(call);
	}
	call->data(call->arg, text, len);
}

static void on_timer(void *arg)
{
	struct api_call *call = arg;

	switch (call->phase) {
	case UNDER_WAY:
		arrive(call);
		return;
	case STREAMING:
		run_stream(call);
		return;
	case ANSWERED:
	case ENDING:
		finish(call);
		return;
	}
}

static void on_world_change(void *arg, const struct resource *res, const struct json *before, const struct json *now)
{
	struct fake_kube *fk = arg;

	wake_streams(fk);
	if (fk->on_change && res)
		fk->on_change(fk->on_change_arg, res, before, now);
}

/* ---- somebody else at work ---- */

const struct json *fake_kube_put(struct fake_kube *fk, const struct resource *res, struct json *object)
{
	return world_put(&fk->world, res, object);
}

const struct json *fake_kube_get(const struct fake_kube *fk, const struct resource *res, const char *ns,
				 const char *name)
{
	return world_get(&fk->world, res, ns, name);
}

void fake_kube_patch(struct fake_kube *fk, const struct resource *res, const char *ns, const char *name,
		     const char *patch)
{
	struct json *next = json_dup(world_get(&fk->world, res, ns, name));
	struct err err;
	auto_json tree = json_parse(patch, strlen(patch), &err);

	assert(next && tree);
	json_merge_apply(next, tree);
	world_put(&fk->world, res, next);
}

void fake_kube_patch_status(struct fake_kube *fk, const struct resource *res, const char *ns, const char *name,
			    struct json *status)
{
	struct json *next = json_dup(world_get(&fk->world, res, ns, name));

	assert(next);
	json_set(next, "status", status);
	world_put(&fk->world, res, next);
}

bool fake_kube_delete(struct fake_kube *fk, const struct resource *res, const char *ns, const char *name)
{
	return world_remove(&fk->world, res, ns, name);
}

size_t fake_kube_count(const struct fake_kube *fk, const struct resource *res)
{
	size_t pos = 0, count = 0;

	while (world_next(&fk->world, res, &pos))
		count++;
	return count;
}

const struct json *fake_kube_next(const struct fake_kube *fk, const struct resource *res, size_t *pos)
{
	return world_next(&fk->world, res, pos);
}

void fake_kube_on_unknown(struct fake_kube *fk, fake_unknown_fn *fn)
{
	fk->world.unknown = fn;
}

void fake_kube_prune_status(struct fake_kube *fk, const char *name)
{
	fk->world.pruned = name;
}

void fake_kube_on_change(struct fake_kube *fk, fake_change_fn *fn, void *arg)
{
	fk->on_change = fn;
	fk->on_change_arg = arg;
}

/* ---- faults ---- */

void fake_kube_fail(struct fake_kube *fk, unsigned k, enum fake_fault fault, const struct fake_refusal *refusal)
{
	assert(fk->fault_count < MAX_FAULTS && (fault != FAKE_REFUSE || refusal));
	fk->faults[fk->fault_count] = (struct planned_fault){ .k = k, .fault = fault };
	if (refusal)
		fk->faults[fk->fault_count].refusal = *refusal;
	fk->fault_count++;
}

void fake_kube_refuse(struct fake_kube *fk, enum verb verb, const struct resource *res, int times,
		      const struct fake_refusal *refusal)
{
	assert(fk->rule_count < MAX_FAULTS);
	fk->rules[fk->rule_count++] = (struct refuse_rule){ verb, res, times, *refusal };
}

void fake_kube_accept(struct fake_kube *fk)
{
	fk->rule_count = 0;
}

void fake_kube_crash_after(struct fake_kube *fk, unsigned k, void (*on_crash)(void *arg), void *arg)
{
	fk->crash_after = k;
	fk->on_crash = on_crash;
	fk->crash_arg = arg;
}

void fake_kube_cut_watches(struct fake_kube *fk, bool is_broken)
{
	for (struct list *at = fk->calls.next; at != &fk->calls; at = at->next) {
		struct api_call *call = container_of(at, struct api_call, link);

		if (call->phase == STREAMING)
			cut(call, is_broken);
	}
}

void fake_kube_cut_at_event(struct fake_kube *fk, unsigned n)
{
	fk->cut_countdown = n;
}

void fake_kube_compact(struct fake_kube *fk)
{
	fk->world.compacted = fk->world.version;
}

void fake_kube_expire(struct fake_kube *fk, bool as_event)
{
	fk->expire = true;
	fk->expire_as_event = as_event;
	if (as_event)
		wake_streams(fk);
}

void fake_kube_down(struct fake_kube *fk, int64_t duration_ms)
{
	fk->down_until_ms = sched_now(fk->sched) + duration_ms;
	fake_kube_cut_watches(fk, true);
}

void fake_kube_delay(struct fake_kube *fk, const struct resource *res, int64_t delay_ms)
{
	int64_t *delay = xmalloc(sizeof(*delay));

	*delay = delay_ms;
	map_set(fk->delays, res->plural, delay);
	wake_streams(fk);
}

void fake_kube_bookmark(struct fake_kube *fk)
{
	world_bookmark(&fk->world);
}
