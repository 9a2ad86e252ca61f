/*
 * The runner. Happy path: action → request → 2xx → next action; done after the last one.
 *
 * Failure modes. Two tables say what an answer means: the first for the answer to the action itself, the second for
 * what a look at the object in the way has found.
 *   CREATE, AlreadyExists   The object is ours (owner uid and label) and as wanted: an earlier reply was lost, and the
 *                           plan goes on. Else: EXISTS, with whose it is.
 *   CREATE, denied          The same if the object is there: quotas and webhooks refuse what exists already, too.
 *   ABSENT, not found       Done, and so is an object of somebody else. An object that is ours: EXISTS.
 *   DELETE, not found       Done. 409: done if by now another object has the name.
 *   STATUS, 409             CONFLICT, and the version that the cache has to reach before the next plan is any better.
 *   CHECK, another version  The same. Another uid is as good as not found: the object that the plan was for is gone.
 *   STATUS, done            What the object lacks of the status, the API server has dropped: its CRD is older than this
 *                           program. Said once, since it looks as if all were well.
 *   REHEARSE                Fields that the API server does not know: INVALID. Any other answer: done.
 * Everything else ends the plan with the error of the reply. So does a write whose outcome is unknown, since every
 * action can be repeated. An optional creation ends nothing: its outcome is noted, and the plan goes on. So does a TRY.
 * Preconditions: kubernetes apimachinery meta/v1 Preconditions, and resourceVersion in a patch as optimistic lock
 * (apiserver registry/generic/registry/store.go, Update).
 */
#include "runner.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "kube/likeness.h"

void sightings_done(struct sightings *s)
{
	for (size_t i = 0; i < s->len; i++) {
		free(s->items[i].ns);
		free(s->items[i].version);
	}
	free(s->items);
	*s = (struct sightings){ 0 };
}

static const struct action *current_action(const struct runner *r)
{
	return &r->plan.actions[r->pos];
}

static void advance_plan(struct runner *r);

static void on_timer(void *arg)
{
	advance_plan(arg);
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

static struct json *delete_options(const struct action *a)
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
static struct request request_of(const struct runner *r, const struct action *a, struct json **ret_body)
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
		req.body = *ret_body = delete_options(a);
		break;
	case ACTION_CHECK: /* no resourceVersion in the query: the latest, not what the API server has in a cache */
	case ACTION_ABSENT:
		req.verb = VERB_GET;
		req.name = a->name;
		break;
	case ACTION_CREATE:
		req.verb = VERB_CREATE;
		req.query = r->options.drops_unknown_fields ? NULL : "fieldValidation=Strict";
		req.body = a->body;
		break;
	case ACTION_TRY:
		req.verb = VERB_CREATE;
		req.query = "dryRun=All";
		req.body = a->body;
		break;
	case ACTION_REHEARSE:
		req.verb = VERB_CREATE;
		req.query = "dryRun=All&fieldValidation=Strict";
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

	if (r->pos == r->plan.len || current_action(r)->type == ACTION_EVENT)
		return xstrdup("");
	req = request_of(r, current_action(r), &body);
	return request_describe(&req);
}

/* ---- what follows from an answer ---- */

enum verdict {
	FAIL = 0, /* the action has failed */
	DONE,	  /* what was wanted is so */
	LOOK,	  /* only the object itself can tell */
	GONE,	  /* the object that the plan is for is not there */
};

static const struct {
	enum action_type type;
	enum err_code answer;
	enum verdict verdict;
} verdicts[] = {
	{ ACTION_STATUS, ERR_CONFLICT, LOOK },
	{ ACTION_STATUS, ERR_NOT_FOUND, GONE },
	{ ACTION_CHECK, ERR_NOT_FOUND, GONE },
	{ ACTION_CREATE, ERR_EXISTS, LOOK },
	{ ACTION_CREATE, ERR_DENIED, LOOK },
	{ ACTION_DELETE, ERR_CONFLICT, LOOK },
	{ ACTION_DELETE, ERR_NOT_FOUND, DONE },
	{ ACTION_ABSENT, ERR_NOT_FOUND, DONE },
	/* The name is taken, or nothing was learned. */
	{ ACTION_TRY, ERR_EXISTS, DONE },
	{ ACTION_TRY, ERR_CONFLICT, DONE },
	{ ACTION_TRY, ERR_UNAUTHORIZED, DONE },
	{ ACTION_TRY, ERR_BUSY, DONE },
	{ ACTION_TRY, ERR_TIMEOUT, DONE },
	{ ACTION_TRY, ERR_IO, DONE },
	{ ACTION_TRY, ERR_CANCELED, DONE },
};

static bool is_write(enum action_type type)
{
	return type != ACTION_CHECK && type != ACTION_ABSENT && type != ACTION_TRY && type != ACTION_REHEARSE;
}

static enum verdict verdict_of(enum action_type type, enum err_code answer)
{
	for (size_t i = 0; i < array_len(verdicts); i++)
		if (verdicts[i].type == type && verdicts[i].answer == answer)
			return verdicts[i].verdict;
	return answer == ERR_NONE ? DONE : FAIL;
}

static bool has_owner(const struct json *object, const char *uid)
{
	return text_empty(uid) || json_find(json_at(object, "metadata.ownerReferences"), "uid", uid);
}

static bool has_label(const struct json *object, const char *label, const char *value)
{
	return text_empty(label) ||
	       text_eq(json_text(json_get(json_at(object, "metadata.labels"), label), NULL), value);
}

/* Whether what was to be created is there but being deleted. A pod counts as created all the same: it has run. */
static bool is_going(const struct action *a, const struct json *object)
{
	return a->type == ACTION_CREATE && a->res != &resource_pod && json_at(object, "metadata.deletionTimestamp");
}

static enum holder holder_of(const struct action *a, const struct json *object)
{
	if (!has_owner(object, a->uid))
		return HOLDER_STRANGER;
	if (!has_label(object, a->label, a->label_value) || is_going(a, object))
		return HOLDER_OURS;
	if (a->type == ACTION_CREATE && !a->optional && !object_is_like(a->res, object, a->body))
		return HOLDER_DIFFERENT;
	return HOLDER_NONE;
}

/* Keeps who has the name, for the next plan. */
static void note_holder(struct failure *f, enum holder holder, const struct json *object)
{
	const char *uid = json_str(object, "metadata.uid", "");

	f->holder = holder;
	f->holder_gone_ms = 0;
	time_parse(json_str(object, "metadata.deletionTimestamp", ""), &f->holder_gone_ms);
	snprintf(f->holder_uid, sizeof(f->holder_uid), "%s", strlen(uid) < sizeof(f->holder_uid) ? uid : "");
}

static int refuse_holder(const struct action *a, enum holder holder, const struct json *object, struct err *err)
{
	static const char *const what[] = {
		[HOLDER_NONE] = "the object is there",
		[HOLDER_STRANGER] = "the name is taken by an object that is not ours",
		[HOLDER_OURS] = "the name is taken by an object of another submission, or by one that is going",
		[HOLDER_DIFFERENT] = "the object is there, but it is not what would be created",
	};
	const struct json *owner = json_first(json_at(object, "metadata.ownerReferences"));
	auto_buf text = { .max = ERR_MSG_SIZE };

	buf_printf(&text, "%s %s %s%s%s: %s (uid %s", a->type == ACTION_CREATE ? "create" : "get", a->res->plural,
		   a->ns ? a->ns : "", text_empty(a->ns) ? "" : "/", a->name, what[holder],
		   json_str(object, "metadata.uid", "unknown"));
	if (owner)
		buf_printf(&text, ", owned by %s %s, uid %s", json_str(owner, "kind", "?"),
			   json_str(owner, "name", "?"), json_str(owner, "uid", "?"));
	else
		buf_puts(&text, ", without owner");
	if (!text_empty(a->label))
		buf_printf(&text, ", label %s=%s", a->label,
			   json_text(json_get(json_at(object, "metadata.labels"), a->label), ""));
	buf_puts(&text, json_at(object, "metadata.deletionTimestamp") ? ", it is being deleted)" : ")");
	return err_set(err, ERR_EXISTS, "%s", buf_str(&text));
}

/* A creation has met an object with its name. */
static enum verdict verdict_of_met(struct runner *r, const struct action *a, const struct json *object, struct err *err)
{
	enum holder holder = holder_of(a, object);

	if (holder == HOLDER_NONE) {
		r->has_found = true;
		return DONE;
	}
	note_holder(&r->failure, holder, object);
	refuse_holder(a, holder, object, err);
	return FAIL;
}

/* The object in the way is there. *err is the answer that made us look; it stays what the action failed with. */
static enum verdict verdict_of_found(struct runner *r, const struct action *a, const struct json *object,
				     struct err *err)
{
	if (a->type == ACTION_DELETE)
		return text_eq(json_str(object, "metadata.uid", NULL), a->uid) ? FAIL : DONE;
	return a->type == ACTION_CREATE ? verdict_of_met(r, a, object, err) : FAIL;
}

/* The object that was to be absent is there. */
static enum verdict verdict_of_present(struct runner *r, const struct action *a, const struct json *object,
				       struct err *err)
{
	if (!has_owner(object, a->uid) && (text_empty(a->label) || !has_label(object, a->label, a->label_value)))
		return DONE;
	note_holder(&r->failure, HOLDER_OURS, object);
	refuse_holder(a, HOLDER_NONE, object, err);
	return FAIL;
}

/* The object that was in the way is not there. */
static enum verdict verdict_of_absent(const struct action *a, const struct err *answer, struct err *err)
{
	if (a->type == ACTION_DELETE)
		return DONE;
	if (a->type == ACTION_CREATE) {
		if (err->code == ERR_EXISTS)
			err->code = ERR_CONFLICT; /* it has gone meanwhile: the next plan creates it */
		return FAIL;
	}
	*err = *answer;
	return GONE;
}

/* Whether what a CHECK has found is what the plan was made for. */
static enum verdict verdict_of_checked(const struct action *a, const struct json *object, struct err *err)
{
	const char *version = json_str(object, "metadata.resourceVersion", "");

	if (!text_eq(json_str(object, "metadata.uid", a->uid), a->uid)) {
		err_set(err, ERR_NOT_FOUND, "get %s %s: another object has the name now", a->res->plural, a->name);
		return GONE;
	}
	if (text_eq(version, a->resource_version))
		return DONE;
	err_set(err, ERR_CONFLICT, "get %s %s: is at version %s, the plan was made for %s", a->res->plural, a->name,
		version, a->resource_version);
	return FAIL;
}

/* ---- carrying it out ---- */

static void end_plan(struct runner *r)
{
	r->options.done(r->options.arg);
}

static void note_outcome(struct runner *r, const struct json *object, const struct err *err)
{
	if (current_action(r)->optional || (current_action(r)->noted && !err))
		outcomes_note(r->options.outcomes, current_action(r), object, err, sched_wall(r->options.sched));
}

/* The key rests until the cache has this version. An object that is not ours may never come into the cache. */
static void note_version(struct runner *r, const struct json *object)
{
	const struct action *a = current_action(r);
	const char *version = json_str(object, "metadata.resourceVersion", "");

	if (!version[0] || r->failure.holder == HOLDER_STRANGER)
		return;
	r->seen.items = xreallocarray(r->seen.items, r->seen.len + 1, sizeof(*r->seen.items));
	r->seen.items[r->seen.len++] = (struct sighting){ a->res, xstrdup_null(a->ns), xstrdup(version) };
}

static void complete_action(struct runner *r, const struct json *object)
{
	auto_free char *what = runner_describe(r);
	enum action_type type = current_action(r)->type;

	note_outcome(r, object, NULL);
	log_write(type == ACTION_CREATE || type == ACTION_DELETE ? LOG_INFO : LOG_DEBUG, r->options.key, what, NULL);
	r->pos++;
	advance_plan(r);
}

static void fail_action(struct runner *r, const struct err *err)
{
	if (current_action(r)->type == ACTION_TRY) {
		log_info(r->options.key, "the API server would refuse an object", "error", err->msg, NULL);
		outcomes_note(r->options.outcomes, current_action(r), NULL, err, sched_wall(r->options.sched));
		r->pos++;
		advance_plan(r);
		return;
	}
	if (!current_action(r)->optional) {
		r->failure.err = *err;
		r->failure.type = current_action(r)->type;
		r->failure.res = current_action(r)->res;
		snprintf(r->failure.name, sizeof(r->failure.name), "%s", current_action(r)->name);
		end_plan(r);
		return;
	}
	r->failure = (struct failure){ 0 };
	log_warn(r->options.key, "an optional object could not be created, going on without it", "error", err->msg,
		 "class", err_name(err->code), NULL);
	note_outcome(r, NULL, err);
	r->pos++;
	advance_plan(r);
}

static void on_look(void *arg, struct reply *reply);

/* Whether the API server itself says that the object is not there. A proxy in front of it may answer 404 as well, and
 * that proves nothing. */
static bool is_proved_absent(const struct reply *reply)
{
	return reply->err.code == ERR_NOT_FOUND && text_eq(json_str(reply->body, "reason", NULL), "NotFound");
}

static void follow_verdict(struct runner *r, enum verdict verdict, const struct json *object, const struct err *err)
{
	const struct action *a = current_action(r);
	const struct request get = {
		.verb = VERB_GET, .res = a->res, .ns = text_empty(a->ns) ? NULL : a->ns, .name = a->name
	};

	switch (verdict) {
	case DONE:
		complete_action(r, object);
		break;
	case LOOK:
		r->why = *err;
		r->call = api_send(r->options.api, &get, on_look, r);
		break;
	case GONE:
		r->root_gone = true;
		fail_action(r, err);
		break;
	case FAIL:
		fail_action(r, err);
		break;
	}
}

static void on_look(void *arg, struct reply *reply)
{
	struct runner *r = arg;
	const struct action *a = current_action(r);
	struct err err = r->why;
	enum verdict verdict = FAIL;

	r->call = NULL;
	if (reply->err.code == ERR_NONE) {
		verdict = verdict_of_found(r, a, reply->body, &err);
		note_version(r, reply->body);
	} else if (is_proved_absent(reply)) {
		verdict = verdict_of_absent(a, &reply->err, &err);
	} else if (err.code != ERR_DENIED) {
		err = reply->err;
	}
	if (verdict == DONE && a->type == ACTION_CREATE)
		log_info(r->options.key, "found our own work of before", "resource", a->res->plural, "name", a->name,
			 NULL);
	follow_verdict(r, verdict, reply->body, &err);
}

/* The members of the status that was sent which the stored object does not have: "conditions, executors". */
static void list_dropped(struct buf *names, const struct json *sent, const struct json *stored)
{
	json_each (member, sent) {
		if (json_is(member, JSON_NULL) || json_get(stored, json_name(member)))
			continue;
		buf_printf(names, "%s%s", names->len > 0 ? ", " : "", json_name(member));
	}
}

/* Kubernetes prunes fields that the schema of a CRD does not have, and answers 200. */
static void tell_dropped(const struct runner *r, const struct action *a, const struct json *object)
{
	auto_free char *crd = NULL;
	auto_buf names = { .max = ERR_MSG_SIZE };

	if (!r->options.has_told_dropped || *r->options.has_told_dropped)
		return;
	list_dropped(&names, json_get(a->body, "status"), json_get(object, "status"));
	if (names.len == 0)
		return;
	*r->options.has_told_dropped = true;
	crd = xasprintf("%s.%s", a->res->plural, a->res->group);
	log_warn(r->options.key,
		 "the CRD is older than this operator, and the API server drops what the CRD does not have", "crd", crd,
		 "dropped", buf_str(&names), "cure", "kubectl apply --server-side --force-conflicts -f crds", NULL);
}

static void on_reply(void *arg, struct reply *reply)
{
	struct runner *r = arg;
	const struct action *a = current_action(r);
	enum verdict verdict = verdict_of(a->type, reply->err.code);
	struct err err = reply->err;

	r->call = NULL;
	if (reply->err.code == ERR_NOT_FOUND && !is_proved_absent(reply))
		verdict = FAIL;
	if (a->type == ACTION_REHEARSE)
		verdict = reply_names_unknown_fields(&err) ? FAIL : DONE;
	if (a->type == ACTION_STATUS && reply->err.code != ERR_CONFLICT)
		r->options.status_ms = r->sent_ms;
	if (a->type == ACTION_STATUS && reply->err.code == ERR_NONE)
		tell_dropped(r, a, reply->body);
	if (a->type == ACTION_CHECK && verdict == DONE)
		verdict = verdict_of_checked(a, reply->body, &err);
	if (a->type == ACTION_ABSENT && reply->err.code == ERR_NONE)
		verdict = verdict_of_present(r, a, reply->body, &err);
	if (reply->err.code == ERR_NONE && (is_write(a->type) || verdict == FAIL))
		note_version(r, reply->body);
	follow_verdict(r, verdict, reply->body, &err);
}

static void send_action(struct runner *r)
{
	auto_json body = NULL;
	struct request req = request_of(r, current_action(r), &body);

	r->sent_ms = sched_now(r->options.sched);
	r->call = api_send(r->options.api, &req, on_reply, r);
}

static void note_time(struct runner *r, const struct action *a)
{
	outcomes_note(r->options.outcomes, a, NULL, NULL, sched_wall(r->options.sched));
}

static void record_event(struct runner *r, const struct action *a)
{
	const struct event_about about = { a->res, a->ns, a->name, a->uid };

	recorder_event(r->options.recorder, &about, json_str(a->body, "type", ""), json_str(a->body, "reason", ""),
		       json_str(a->body, "message", ""));
}

/* How long a status write has to wait for its turn. */
static int64_t status_wait_ms(const struct runner *r)
{
	if (current_action(r)->type != ACTION_STATUS || r->options.status_ms == INT64_MIN)
		return 0;
	return r->options.status_ms + STATUS_INTERVAL_MS - sched_now(r->options.sched);
}

/* Whether the action is a proof that is needed only after a creation has found its object, and none has, or a question
 * of which the answer does not matter. */
static bool is_needless(const struct runner *r, const struct action *a)
{
	if (a->type == ACTION_REHEARSE)
		return r->options.drops_unknown_fields;
	return a->type == ACTION_ABSENT && a->if_found && !r->has_found;
}

/* Goes on with the action at pos: events at once, until one has to be waited for. */
static void advance_plan(struct runner *r)
{
	const struct runner_options *o = &r->options;

	for (; r->pos < r->plan.len; r->pos++) {
		if (o->may_write && !o->may_write(o->may_write_arg)) {
			err_set(&r->failure.err, ERR_CANCELED,
				"no longer allowed to write, the rest of the plan is dropped");
			break;
		}
		if (is_needless(r, current_action(r)))
			continue;
		if (current_action(r)->type == ACTION_EVENT) {
			record_event(r, current_action(r));
			continue;
		}
		if (current_action(r)->type == ACTION_TRY && !current_action(r)->body) {
			note_time(r, current_action(r));
			continue;
		}
		if (status_wait_ms(r) > 0) {
			sched_arm(o->sched, &r->timer, status_wait_ms(r));
			return;
		}
		send_action(r);
		return;
	}
	end_plan(r);
}
