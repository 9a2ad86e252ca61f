/*
 * Objects of kinds that this version does not run say so in their status.
 *
 * Happy path: an object comes into the cache → its status does not have our text → a status write, and then an event.
 * From then on the status has the text, so nothing is planned any more, whoever changes the object.
 *
 * Another operator may run the kind, and changes other fields of the status then. The text stays, and its fields are
 * not fought for. A run that was announced (nextRun, scheduleState) is taken back, since none will come. What has been
 * (lastRun and others) stays. kubeflow's operator takes a schedule without scheduleState for a new one and schedules
 * it, but leaves one with FailedValidation alone for ever (controller/scheduledsparkapplication, Reconcile): so that is
 * not written, and going back works.
 *
 * Failure modes: a status write that fails is tried again by the controller, and the event comes after it.
 */
#include "lifecycle/unserved.h"

#include "base/text.h"

struct unserved {
	bool is_told; /* or need not be: the object is being deleted */
	struct json *conditions;
};

static const char schedule_text[] =
    "this version of the operator keeps and checks schedules, but does not run them: until a version does, let a "
    "CronJob or Airflow create the SparkApplication, or stay with kubeflow's operator for them";
static const char connect_text[] =
    "this version of the operator keeps and checks SparkConnects, but does not run them: until a version does, stay "
    "with kubeflow's operator for them";

/* ---- conditions of a SparkConnect ---- */

/* ServerPodReady is the one that kubeflow's operator sets. By Stalled=True kstatus knows what has failed (cli-utils
 * pkg/kstatus/status/generic.go). */
static const struct unserved_condition {
	const char *type;
	const char *status;
} connect_conditions[] = {
	{ "ServerPodReady", "False" },
	{ "Stalled", "True" },
};

static void set_unserved_condition(struct json *conditions, const struct unserved_condition *row, int64_t now_ms)
{
	struct json *condition = json_find(conditions, "type", row->type);
	char now[TIME_TEXT_SIZE];

	if (!condition)
		condition = json_append(conditions, json_new_object());
	json_set_str(condition, "type", row->type);
	json_set_str(condition, "status", row->status);
	json_set_str(condition, "reason", "NotRun");
	json_set_str(condition, "message", connect_text);
	json_set_str(condition, "lastTransitionTime", time_rfc3339(now_ms, now));
}

/* ---- statuses ---- */

static void fill_schedule(struct json *status, const struct unserved *view, int64_t now_ms)
{
	(void)view;
	(void)now_ms;
	json_set_str(status, "reason", schedule_text);
	json_set(status, "scheduleState", json_new_null());
	json_set(status, "nextRun", json_new_null());
}

static void fill_connect(struct json *status, const struct unserved *view, int64_t now_ms)
{
	struct json *conditions =
	    json_set(status, "conditions", view->conditions ? json_dup(view->conditions) : json_new_array());

	for (size_t i = 0; i < array_len(connect_conditions); i++)
		set_unserved_condition(conditions, &connect_conditions[i], now_ms);
	json_set_str(status, "state", "NotReady");
}

/* ---- the kinds ---- */

static struct unserved *view_of(const struct json *tree)
{
	struct unserved *view = xcalloc(1, sizeof(*view));

	view->is_told = json_at(tree, "metadata.deletionTimestamp");
	return view;
}

static void *schedule_view_new(const struct json *tree, struct err *err)
{
	struct unserved *view = view_of(tree);

	(void)err;
	view->is_told = view->is_told || text_eq(json_str(tree, "status.reason", ""), schedule_text);
	return view;
}

static void *connect_view_new(const struct json *tree, struct err *err)
{
	struct unserved *view = view_of(tree);
	const struct json *conditions = json_at(tree, "status.conditions");

	(void)err;
	view->is_told =
	    view->is_told || text_eq(json_str(json_find(conditions, "type", "Stalled"), "message", ""), connect_text);
	if (!view->is_told && json_is(conditions, JSON_ARRAY))
		view->conditions = json_dup(conditions);
	return view;
}

static void unserved_view_free(void *arg)
{
	struct unserved *view = arg;

	json_free(view->conditions);
	free(view);
}

const struct kind unserved_schedule_kind = {
	.res = &resource_scheduledsparkapplication,
	.view_new = schedule_view_new,
	.view_free = unserved_view_free,
};

const struct kind unserved_connect_kind = {
	.res = &resource_sparkconnect,
	.view_new = connect_view_new,
	.view_free = unserved_view_free,
};

/* ---- the plan ---- */

static const struct unserved_row {
	const struct kind *kind;
	const char *event;
	const char *text;
	void (*fill)(struct json *status, const struct unserved *view, int64_t now_ms);
} unserved_rows[] = {
	{ &unserved_schedule_kind, "ScheduleNotRun", schedule_text, fill_schedule },
	{ &unserved_connect_kind, "SparkConnectNotRun", connect_text, fill_connect },
};

static void tell_unserved(const struct unserved_row *row, const struct kobj *obj, int64_t now_ms, struct plan *plan)
{
	const struct resource *res = obj->kind->res;
	struct json *body = json_new_object();

	row->fill(json_set(body, "status", json_new_object()), obj->view, now_ms);
	plan_status(plan, res, obj->ns, obj->name, obj->uid, obj->resource_version, body);
	plan_event(plan, res, obj->ns, obj->name, obj->uid, "Warning", row->event, "%s", row->text);
}

void unserved_plan(const struct kobj *obj, int64_t now_ms, struct plan *plan)
{
	const struct unserved *view = obj->view;

	if (view->is_told)
		return;
	for (size_t i = 0; i < array_len(unserved_rows); i++)
		if (unserved_rows[i].kind == obj->kind)
			tell_unserved(&unserved_rows[i], obj, now_ms, plan);
}
