/*
 * Plans: a growing list of actions and a time to look again.
 *
 * Happy path: reconcile adds actions in the order in which they must happen; the runner carries them out, goldens and
 * `render` print them with plan_json. Nothing here fails: a plan is data that the program itself makes.
 */
#include "kube/plan.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

enum { EVENT_MESSAGE_SIZE = 2048 }; /* event_build cuts at 1024 bytes, at the end of a character */

static const char *const type_names[] = {
	[ACTION_STATUS] = "status", [ACTION_CHECK] = "check", [ACTION_ABSENT] = "absent",
	[ACTION_CREATE] = "create", [ACTION_TRY] = "try",     [ACTION_REHEARSE] = "rehearse",
	[ACTION_DELETE] = "delete", [ACTION_EVENT] = "event",
};

void plan_init(struct plan *p)
{
	*p = (struct plan){ .requeue_ms = -1, .deadline_ms = -1 };
}

void plan_done(struct plan *p)
{
	for (size_t i = 0; i < p->len; i++) {
		struct action *a = &p->actions[i];

		free(a->ns);
		free(a->name);
		free(a->uid);
		free(a->resource_version);
		free(a->label);
		free(a->label_value);
		json_free(a->body);
	}
	free(p->actions);
	plan_init(p);
}

/* Takes body. */
static struct action *add_action(struct plan *p, enum action_type type, const struct resource *res, const char *ns,
				 const char *name, const char *uid, struct json *body)
{
	struct action *a;

	if (p->len == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 8;
		p->actions = xreallocarray(p->actions, p->cap, sizeof(*p->actions));
	}
	a = &p->actions[p->len++];
	*a = (struct action){
		.type = type,
		.res = res,
		.ns = xstrdup_null(ns),
		.name = xstrdup_null(name),
		.uid = xstrdup_null(uid),
		.body = body,
	};
	return a;
}

void plan_status(struct plan *p, const struct resource *res, const char *ns, const char *name, const char *uid,
		 const char *resource_version, struct json *body)
{
	struct action *a = add_action(p, ACTION_STATUS, res, ns, name, uid, body);

	a->resource_version = xstrdup_null(resource_version);
}

void plan_check(struct plan *p, const struct resource *res, const char *ns, const char *name, const char *uid,
		const char *resource_version)
{
	struct action *a = add_action(p, ACTION_CHECK, res, ns, name, uid, NULL);

	a->resource_version = xstrdup_null(resource_version);
}

void plan_absent(struct plan *p, const struct resource *res, const char *ns, const char *name, const char *owner_uid)
{
	add_action(p, ACTION_ABSENT, res, ns, name, owner_uid, NULL);
}

void plan_absent_labelled(struct plan *p, const struct resource *res, const char *ns, const char *name,
			  const char *owner_uid, const char *label, const char *label_value)
{
	struct action *a = add_action(p, ACTION_ABSENT, res, ns, name, owner_uid, NULL);

	a->label = xstrdup_null(label);
	a->label_value = xstrdup_null(label_value);
}

void plan_absent_if_found(struct plan *p, const struct resource *res, const char *ns, const char *name,
			  const char *owner_uid)
{
	add_action(p, ACTION_ABSENT, res, ns, name, owner_uid, NULL)->if_found = true;
}

void plan_create(struct plan *p, const struct resource *res, struct json *object, const char *owner_uid,
		 const char *label, const char *label_value)
{
	const char *ns = json_str(object, "metadata.namespace", NULL);
	const char *name = json_str(object, "metadata.name", NULL);
	struct action *a = add_action(p, ACTION_CREATE, res, ns, name, owner_uid, object);

	a->label = xstrdup_null(label);
	a->label_value = xstrdup_null(label_value);
}

void plan_create_noted(struct plan *p, const struct resource *res, struct json *object, const char *owner_uid,
		       const char *label, const char *label_value)
{
	plan_create(p, res, object, owner_uid, label, label_value);
	p->actions[p->len - 1].noted = true;
}

void plan_create_optional(struct plan *p, const struct resource *res, struct json *object, const char *owner_uid,
			  const char *label, const char *label_value, const char *report)
{
	struct action *a;

	plan_create(p, res, object, owner_uid, label, label_value);
	a = &p->actions[p->len - 1];
	a->optional = true;
	a->report = report;
}

void plan_try(struct plan *p, const struct resource *res, const char *ns, const char *name, struct json *object)
{
	add_action(p, ACTION_TRY, res, ns, name, NULL, object)->noted = true;
}

void plan_rehearse(struct plan *p, const struct resource *res, struct json *object)
{
	add_action(p, ACTION_REHEARSE, res, json_str(object, "metadata.namespace", NULL),
		   json_str(object, "metadata.name", ""), NULL, object);
}

void plan_forget_outcomes(struct plan *p)
{
	p->forgets = true;
}

void plan_delete(struct plan *p, const struct resource *res, const char *ns, const char *name, const char *uid)
{
	add_action(p, ACTION_DELETE, res, ns, name, uid, NULL);
}

void plan_event(struct plan *p, const struct resource *res, const char *ns, const char *name, const char *uid,
		const char *type, const char *reason, const char *fmt, ...)
{
	struct json *body = json_new_object();
	char message[EVENT_MESSAGE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	json_set_str(body, "type", type);
	json_set_str(body, "reason", reason);
	json_set_str(body, "message", message);
	add_action(p, ACTION_EVENT, res, ns, name, uid, body);
}

/* The earlier of a time, -1 for never, and a delay, which may have passed. */
static int64_t sooner_of(int64_t ms, int64_t delay_ms)
{
	if (delay_ms < 0)
		delay_ms = 0;
	return ms < 0 || delay_ms < ms ? delay_ms : ms;
}

void plan_requeue(struct plan *p, int64_t delay_ms)
{
	p->requeue_ms = sooner_of(p->requeue_ms, delay_ms);
}

void plan_deadline(struct plan *p, int64_t delay_ms)
{
	plan_requeue(p, delay_ms);
	p->deadline_ms = sooner_of(p->deadline_ms, delay_ms);
}

static struct json *action_json(const struct action *a)
{
	struct json *out = json_new_object();

	json_set_str(out, "type", type_names[a->type]);
	json_set_str(out, "resource", a->res->plural);
	json_setf(out, "key", "%s%s%s", a->ns ? a->ns : "", text_empty(a->ns) ? "" : "/", a->name ? a->name : "");
	json_set_str(out, "uid", a->uid);
	json_set_str(out, "resourceVersion", a->resource_version);
	json_set_str(out, "label", a->label);
	json_set_str(out, "labelValue", a->label_value);
	if (a->if_found)
		json_set_bool(out, "ifFound", true);
	if (a->optional)
		json_set_bool(out, "extra", true);
	if (a->noted)
		json_set_bool(out, "noted", true);
	if (a->body)
		json_set(out, "body", json_dup(a->body));
	return out;
}

struct json *plan_json(const struct plan *p)
{
	struct json *out = json_new_object();
	struct json *actions = json_set(out, "actions", json_new_array());

	for (size_t i = 0; i < p->len; i++)
		json_append(actions, action_json(&p->actions[i]));
	json_set_i64(out, "requeue_ms", p->requeue_ms);
	if (p->deadline_ms >= 0)
		json_set_i64(out, "deadline_ms", p->deadline_ms);
	return out;
}
