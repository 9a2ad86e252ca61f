/*
 * The runner. Happy path: action → request → 2xx → next action; done after the last one.
 *
 * Failure modes that are none, or that need a look at the object before one can say what they mean:
 *   CREATE, AlreadyExists   ours (owner uid and label): an earlier reply was lost, goes on. Somebody else's: EXISTS.
 *   DELETE, not found       done. 409: done if by now another object has the name.
 *   STATUS, 409             CONFLICT, and the version that the cache has to reach before the next plan is any better.
 *   CHECK, another version  the same. Another uid is as good as not found: the object that the plan was for is gone.
 * Everything else ends the plan with the error of the reply; a write whose outcome is unknown too, since every action
 * can be repeated. A creation that is an extra ends nothing: how it went is told, and the plan goes on. Preconditions: kubernetes apimachinery meta/v1 Preconditions, and resourceVersion in a patch as
 * optimistic lock (apiserver registry/generic/registry/store.go, Update).
 */
#include "runner.h"

#include <assert.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"

void sightings_done(struct sightings *s)
{
	for (size_t i = 0; i < s->len; i++) {
		free(s->items[i].ns);
		free(s->items[i].version);
	}
	free(s->items);
	*s = (struct sightings){ 0 };
}

static const struct action *current(const struct runner *r)
{
	return &r->plan.actions[r->pos];
}

static void advance(struct runner *r);

static void on_timer(void *arg)
{
	advance(arg);
}

struct runner *runner_new(const struct runner_options *options, struct plan *plan)
{
	struct runner *r = xcalloc(1, sizeof(*r));

	r->options = *options;
	r->plan = *plan;
	plan_init(plan);
	sched_timer_init(&r->timer, on_timer, r);
	return r;
}

void runner_start(struct runner *r)
{
	sched_arm(r->options.sched, &r->timer, 0);
}

void runner_free(struct runner *r)
{
	if (!r)
		return;
	if (r->call)
		api_cancel(r->options.api, r->call);
	sched_disarm(r->options.sched, &r->timer);
	plan_done(&r->plan);
	sightings_done(&r->seen);
	free(r);
}

/* ---- requests ---- */

static struct json *preconditions(const struct action *a)
{
	struct json *body = json_new_object();

	json_set_str(json_set(body, "preconditions", json_new_object()), "uid", a->uid);
	json_set_str(body, "propagationPolicy", "Background");
	return body;
}

static struct json *status_patch(const struct action *a)
{
	struct json *patch = json_new_object();
	struct json *meta = json_set(patch, "metadata", json_new_object());

	json_set_str(meta, "resourceVersion", a->resource_version);
	json_set_str(meta, "uid", a->uid);
	json_set(patch, "status", json_dup(json_get(a->body, "status")));
	return patch;
}

/* *ret_body: owned by the caller, who frees it after the call. */
static struct request request_of(const struct action *a, struct json **ret_body)
{
	struct request req = { .res = a->res, .ns = text_empty(a->ns) ? NULL : a->ns };

	assert(a->type != ACTION_EVENT);
	switch (a->type) {
	case ACTION_STATUS:
		req.verb = VERB_PATCH;
		req.name = a->name;
		req.subresource = "status";
		req.body = *ret_body = status_patch(a);
		break;
	case ACTION_DELETE:
		req.verb = VERB_DELETE;
		req.name = a->name;
		req.body = *ret_body = preconditions(a);
		break;
	case ACTION_CHECK: /* without resourceVersion in the query: the latest, not what a cache of the API server has */
		req.verb = VERB_GET;
		req.name = a->name;
		break;
	case ACTION_CREATE:
		req.verb = VERB_CREATE;
		req.body = a->body;
		break;
	case ACTION_EVENT: /* no request */
		break;
	}
	return req;
}

char *runner_describe(const struct runner *r)
{
	auto_json body = NULL;
	struct request req;

	if (r->pos == r->plan.len || current(r)->type == ACTION_EVENT)
		return xstrdup("");
	req = request_of(current(r), &body);
	return request_describe(&req);
}

/* ---- outcomes ---- */

static void finish(struct runner *r)
{
	r->options.done(r->options.arg);
}

static void tell_extra(struct runner *r, const struct json *object, const struct err *err)
{
	if (current(r)->extra && r->options.extra)
		r->options.extra(r->options.arg, current(r), object, err);
}

static void skip(struct runner *r, const struct err *err)
{
	log_warn(r->options.key, "could not create an extra, going on without it", "error", err->msg, "class",
		 err_name(err->code), NULL);
	tell_extra(r, NULL, err);
	r->pos++;
	advance(r);
}

static void fail(struct runner *r, const struct err *err)
{
	if (current(r)->extra) {
		skip(r, err);
		return;
	}
	r->err = *err;
	finish(r);
}

static void note(struct runner *r, const struct json *object)
{
	const struct action *a = current(r);
	const char *version = json_str(object, "metadata.resourceVersion", "");

	if (!version[0])
		return;
	r->seen.items = xreallocarray(r->seen.items, r->seen.len + 1, sizeof(*r->seen.items));
	r->seen.items[r->seen.len++] = (struct sighting){ a->res, xstrdup_null(a->ns), xstrdup(version) };
}

static void succeed(struct runner *r)
{
	auto_free char *what = runner_describe(r);
	enum action_type type = current(r)->type;

	log_write(type == ACTION_STATUS || type == ACTION_CHECK ? LOG_DEBUG : LOG_INFO, r->options.key, what, NULL);
	r->pos++;
	advance(r);
}

/* ---- a look at the object that is in the way ---- */

static bool has_owner(const struct json *object, const char *uid)
{
	return text_empty(uid) || json_find(json_at(object, "metadata.ownerReferences"), "uid", uid);
}

static bool has_label(const struct json *object, const char *label, const char *value)
{
	return text_empty(label) ||
	       text_eq(json_text(json_get(json_at(object, "metadata.labels"), label), NULL), value);
}

static int refuse(const struct action *a, const struct json *object, struct err *err)
{
	const struct json *owner = json_first(json_at(object, "metadata.ownerReferences"));
	auto_buf text = { .max = ERR_MSG_SIZE };

	buf_printf(&text, "create %s %s%s%s: the name is taken by an object that is not ours (uid %s", a->res->plural,
		   a->ns ? a->ns : "", text_empty(a->ns) ? "" : "/", a->name,
		   json_str(object, "metadata.uid", "unknown"));
	if (owner)
		buf_printf(&text, ", owned by %s %s, uid %s", json_str(owner, "kind", "?"),
			   json_str(owner, "name", "?"), json_str(owner, "uid", "?"));
	else
		buf_puts(&text, ", without owner");
	if (!text_empty(a->label))
		buf_printf(&text, ", label %s=%s", a->label,
			   json_text(json_get(json_at(object, "metadata.labels"), a->label), ""));
	return err_set(err, ERR_EXISTS, "%s)", buf_str(&text));
}

/* ERR_NONE: what was wanted is so. */
static void judge(const struct action *a, const struct json *object, struct err *err)
{
	bool same = text_eq(json_str(object, "metadata.uid", NULL), a->uid);

	if (a->type == ACTION_CREATE && !(has_owner(object, a->uid) && has_label(object, a->label, a->label_value)))
		refuse(a, object, err);
	else if (a->type == ACTION_CREATE || (a->type == ACTION_DELETE && !same))
		*err = (struct err){ 0 };
}

static void on_look(void *arg, struct reply *reply)
{
	struct runner *r = arg;
	const struct action *a = current(r);
	struct err err = r->err; /* what made us look */

	r->call = NULL;
	r->err = (struct err){ 0 };
	if (reply->err.code == ERR_NONE) {
		note(r, reply->body);
		judge(a, reply->body, &err);
	} else if (reply->err.code != ERR_NOT_FOUND) {
		err = reply->err;
	} else if (a->type == ACTION_DELETE) {
		err = (struct err){ 0 };
	} else if (a->type == ACTION_STATUS) {
		r->root_gone = true;
		err = reply->err;
	} else {
		err.code = ERR_CONFLICT; /* it was there and is gone: the next plan creates it */
	}
	if (err.code != ERR_NONE) {
		fail(r, &err);
		return;
	}
	tell_extra(r, reply->body, NULL);
	if (a->type == ACTION_CREATE)
		log_info(r->options.key, "found our own work of before", "resource", a->res->plural, "name", a->name,
			 NULL);
	succeed(r);
}

static void look(struct runner *r, const struct err *why)
{
	const struct action *a = current(r);
	struct request req = {
		.verb = VERB_GET, .res = a->res, .ns = text_empty(a->ns) ? NULL : a->ns, .name = a->name
	};

	r->err = *why;
	r->call = api_send(r->options.api, &req, on_look, r);
}

/* ---- actions ---- */

static void on_reply(void *arg, struct reply *reply)
{
	static const enum err_code look_at[] = {
		[ACTION_STATUS] = ERR_CONFLICT,
		[ACTION_CREATE] = ERR_EXISTS,
		[ACTION_DELETE] = ERR_CONFLICT,
	};
	struct runner *r = arg;
	enum action_type type = current(r)->type;
	enum err_code code = reply->err.code;

	r->call = NULL;
	if (type == ACTION_STATUS && code != ERR_CONFLICT)
		r->options.status_ms = r->sent_ms;
	if (code == ERR_NONE) {
		note(r, reply->body);
		tell_extra(r, reply->body, NULL);
	}
	if (code == ERR_NONE || (type == ACTION_DELETE && code == ERR_NOT_FOUND)) {
		succeed(r);
		return;
	}
	if (code == look_at[type]) {
		look(r, &reply->err);
		return;
	}
	r->root_gone = type == ACTION_STATUS && code == ERR_NOT_FOUND;
	fail(r, &reply->err);
}

static void on_checked(void *arg, struct reply *reply)
{
	struct runner *r = arg;
	const struct action *a = current(r);
	const char *version = json_str(reply->body, "metadata.resourceVersion", "");
	struct err err = reply->err;

	r->call = NULL;
	if (err.code == ERR_NONE && !text_eq(json_str(reply->body, "metadata.uid", a->uid), a->uid)) {
		err_set(&err, ERR_NOT_FOUND, "get %s %s: another object has the name now", a->res->plural, a->name);
	} else if (err.code == ERR_NONE && !text_eq(version, a->resource_version)) {
		note(r, reply->body);
		err_set(&err, ERR_CONFLICT, "get %s %s: is at version %s, the plan was made for %s", a->res->plural,
			a->name, version, a->resource_version);
	}
	r->root_gone = err.code == ERR_NOT_FOUND;
	if (err.code == ERR_NONE)
		succeed(r);
	else
		fail(r, &err);
}

static void send(struct runner *r)
{
	auto_json body = NULL;
	struct request req = request_of(current(r), &body);

	r->sent_ms = sched_now(r->options.sched);
	r->call = api_send(r->options.api, &req, current(r)->type == ACTION_CHECK ? on_checked : on_reply, r);
}

static void record(struct runner *r, const struct action *a)
{
	const struct event_about about = { a->res, a->ns, a->name, a->uid };

	recorder_event(r->options.recorder, &about, json_str(a->body, "type", ""), json_str(a->body, "reason", ""),
		       json_str(a->body, "message", ""));
}

/* How long a status write has to wait for its turn. */
static int64_t status_wait(const struct runner *r)
{
	if (current(r)->type != ACTION_STATUS || r->options.status_ms == INT64_MIN)
		return 0;
	return r->options.status_ms + STATUS_INTERVAL_MS - sched_now(r->options.sched);
}

/* Goes on with the action at pos: events at once, until one has to be waited for. */
static void advance(struct runner *r)
{
	const struct runner_options *o = &r->options;

	for (; r->pos < r->plan.len; r->pos++) {
		if (o->may_write && !o->may_write(o->may_write_arg)) {
			err_set(&r->err, ERR_CANCELED, "no longer allowed to write, the rest of the plan is dropped");
			break;
		}
		if (current(r)->type == ACTION_EVENT) {
			record(r, current(r));
			continue;
		}
		if (status_wait(r) > 0) {
			sched_arm(o->sched, &r->timer, status_wait(r));
			return;
		}
		send(r);
		return;
	}
	finish(r);
}
