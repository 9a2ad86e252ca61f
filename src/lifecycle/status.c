/*
 * Builds the new status of a SparkApplication from the old one, as a JSON tree, and writes the difference.
 *
 * Happy path: the old status is copied, setters change the copy, and status_plan() plans a merge patch with the
 * difference. Without a difference there is no write. A removed member becomes null in the patch. Lists, such as the
 * conditions, are replaced as a whole. driverInfo is always set, since all CRDs require it. applicationState is always
 * an object, since Argo CD's health script looks into it.
 *
 * Failure modes: a member of the wrong type in the old status is dropped. The patch carries uid and resourceVersion, so
 * the API server refuses a patch that was made from a stale cache.
 */
#include "status.h"

#include <ctype.h>
#include <string.h>

#include "base/map.h"
#include "base/text.h"
#include "base/time.h"
#include "monitor.h"

static void drop_unless(struct json *tree, const char *name, enum json_type type)
{
	const struct json *member = json_get(tree, name);

	if (member && !json_is(member, type))
		json_remove(tree, name);
}

void status_init(struct status *s, const struct app *app, int64_t now_ms)
{
	*s = (struct status){
		.app = app,
		.now_ms = now_ms,
		.generation = app->generation,
		.executors = json_new_object(),
	};
	s->tree = json_is(app->status, JSON_OBJECT) ? json_dup(app->status) : json_new_object();
	drop_unless(s->tree, "applicationState", JSON_OBJECT);
	drop_unless(s->tree, "driverInfo", JSON_OBJECT);
	drop_unless(s->tree, "executorState", JSON_OBJECT);
	drop_unless(s->tree, "conditions", JSON_ARRAY);
	drop_unless(json_ensure_object(s->tree, "applicationState"), "state", JSON_STRING);
	json_ensure_object(s->tree, "driverInfo");
}

void status_done(struct status *s)
{
	json_free(take_ptr(s->tree));
	json_free(take_ptr(s->executors));
}

void status_set_observed(struct status *s)
{
	if (s->app->generation > 0)
		json_set_i64(s->tree, "observedGeneration", s->app->generation);
}

/* If the submitted generation was not recorded, 1 stands for it. It is the first, so it is not beyond the submitted
 * one. */
void status_keep_observed(struct status *s)
{
	int64_t observed = json_i64(s->tree, "observedGeneration", 0);

	s->generation = observed >= 1 && observed < s->app->generation ? observed : 1;
	json_set_i64(s->tree, "observedGeneration", s->generation);
}

char *status_cut(const char *text)
{
	size_t len = strnlen(text, STATUS_MESSAGE_MAX + 1);

	if (len <= STATUS_MESSAGE_MAX)
		return xstrdup(text);
	len = STATUS_MESSAGE_MAX;
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return xstrndup(text, len);
}

const char *status_steady_message(const char *stored, const char *message)
{
	const char *a = stored ? stored : "";
	const char *b = message;

	for (; *b; a++, b++) {
		while (isdigit((unsigned char)*a))
			a++;
		while (isdigit((unsigned char)*b))
			b++;
		if (*a != *b)
			return message;
		if (!*b)
			break;
	}
	return text_empty(message) ? message : stored;
}

void status_set_message(struct status *s, const char *message)
{
	struct json *state = json_ensure_object(s->tree, "applicationState");
	auto_free char *text = text_empty(message) ? NULL : status_cut(message);

	if (text)
		json_set_str(state, "errorMessage", text);
	else
		json_remove(state, "errorMessage");
}

/* Airflow takes an application for started as soon as it has a state other than SUBMITTED, even an empty one. Only a
 * state that is stored as "" stays, since then the CRD may require one. */
void status_set_state(struct status *s, enum app_state state, const char *message)
{
	struct json *tree = json_ensure_object(s->tree, "applicationState");

	if (state != APP_NEW)
		json_set_str(tree, "state", app_state_text(state));
	else if (!text_eq(json_str(tree, "state", NULL), ""))
		json_remove(tree, "state");
	status_set_message(s, message);
}

void status_set_time(struct status *s, const char *name, int64_t wall_ms)
{
	char text[TIME_TEXT_SIZE];

	json_set_str(s->tree, name, time_rfc3339(wall_ms, text));
}

const struct json *status_condition(const struct json *tree, const char *type)
{
	return json_find(json_get(tree, "conditions"), "type", type);
}

bool status_has_reason(const struct json *tree, const char *type, const char *reason)
{
	return text_eq(json_str(status_condition(tree, type), "reason", NULL), reason);
}

bool status_has_condition(const struct status *s, const char *type)
{
	return status_condition(s->tree, type) != NULL;
}

void status_remove_condition(struct status *s, const char *type)
{
	struct json *kept;

	if (!status_has_condition(s, type))
		return;
	kept = json_new_array();
	json_each (c, json_get(s->tree, "conditions"))
		if (!text_eq(json_str(c, "type", NULL), type))
			json_append(kept, json_dup(c));
	json_set(s->tree, "conditions", kept);
}

void status_set_condition(struct status *s, const char *type, const char *value, const char *reason,
			  const char *message)
{
	struct json *all = json_ensure_array(s->tree, "conditions");
	struct json *c = json_find(all, "type", type);
	auto_free char *text = status_cut(message ? message : "");
	char now[TIME_TEXT_SIZE];

	if (!c) {
		c = json_append(all, json_new_object());
		json_set_str(c, "type", type);
	}
	if (!text_eq(json_str(c, "status", NULL), value)) {
		json_set_str(c, "status", value);
		json_set_str(c, "lastTransitionTime", time_rfc3339(s->now_ms, now));
	} else if (text_eq(json_str(c, "reason", NULL), reason) && text_eq(json_str(c, "message", NULL), text)) {
		return;
	}
	json_set_str(c, "reason", reason);
	json_set_str(c, "message", text);
	if (s->generation > 0)
		json_set_i64(c, "observedGeneration", s->generation);
}

static bool is_final(const char *executor_state)
{
	return text_eq(executor_state, "COMPLETED") || text_eq(executor_state, "FAILED");
}

/*
 * The state of an executor whose pod is gone (kubeflow updateExecutorState). Unlike in kubeflow's operator, after a
 * success the executor is COMPLETED already in SUCCEEDING, and it is FAILED for good only once the application is.
 */
static const char *state_of_vanished_executor(const char *stored, enum app_state state)
{
	if (is_final(stored))
		return stored;
	if (app_state_is(state, STATE_SUCCEEDED))
		return "COMPLETED";
	if (app_state_is(state, STATE_FAILED))
		return "FAILED";
	return "UNKNOWN";
}

/* Maps the pod names of the executors that are tracked to their views. The map is owned, the views are borrowed. */
static struct map *tracked_executors(const struct pod_view *const *pods, size_t count, const char *submission_id,
				     int64_t max)
{
	struct map *found = map_new(NULL);

	for (size_t i = 0; i < count; i++) {
		const struct pod_view *pod = pods[i];

		if (pod->role != POD_ROLE_EXECUTOR || pod->exec_id > max)
			continue;
		if (text_eq(pod->submission_id, submission_id))
			map_set(found, pod->name, (void *)(uintptr_t)pod);
	}
	return found;
}

void status_set_executors(struct status *s, enum app_state state, const struct pod_view *const *pods, size_t count,
			  const char *submission_id, int64_t max)
{
	auto_map present = tracked_executors(pods, count, submission_id, max);
	const struct json *stored = json_get(s->tree, "executorState");
	int64_t tracked = (int64_t)json_len(stored);
	struct map_iter it = { 0 };

	json_each (entry, stored) {
		const struct pod_view *pod = map_take(present, json_name(entry));
		const char *before = json_text(entry, "");
		const char *now = pod ? monitor_executor_state(pod, app_state_is(state, STATE_SUCCEEDED))
				      : state_of_vanished_executor(before, state);

		if (!text_eq(before, now) && (is_final(now) || !is_final(before)))
			json_set_str(s->executors, json_name(entry), now);
	}
	while (map_next(present, &it) && tracked < max) {
		json_set_str(s->executors, it.key,
			     monitor_executor_state(it.value, app_state_is(state, STATE_SUCCEEDED)));
		tracked++;
	}
	if (json_len(s->executors) > 0)
		json_merge_apply(json_ensure_object(s->tree, "executorState"), s->executors);
}

bool status_differs(const struct status *s)
{
	return !json_equal(s->app->status, s->tree);
}

bool status_plan(const struct status *s, struct plan *plan)
{
	const struct app *app = s->app;
	auto_json none = json_new_object();
	struct json *diff = json_merge_diff(json_is(app->status, JSON_OBJECT) ? app->status : none, s->tree);
	struct json *body;

	if (!diff)
		return false;
	body = json_new_object();
	json_set(body, "status", diff);
	plan_status(plan, app_kind.res, app->ns, app->name, app->uid, app->resource_version, body);
	return true;
}
