/*
 * Reports the result of a pass to users: conditions for programs (kubectl wait), events for `kubectl describe`.
 *
 * Happy path: a table by state says which condition holds. The difference between the states before and after says
 * which events are reported, so each is reported once, whatever happens in between. Reasons and texts are those that
 * kubeflow's operator intends (recordSparkApplicationEvent, recordDriverEvent, recordExecutorEvent). The whole list is
 * in docs/status.md.
 *
 * Failure modes: nothing fails here. An event that the API server refuses is dropped by the recorder.
 */
#include "report.h"

#include "base/text.h"
#include "spark/conf.h"
#include "spark/version.h"
#include "monitor.h"

struct condition_row {
	enum app_state state;
	const char *type;
	const char *value;
	const char *reason;
	const char *text; /* NULL: the error message */
	bool update_only; /* the condition is changed if it exists, and not added */
};

static const struct condition_row condition_rows[] = {
	{ APP_SUBMISSION_FAILED, "Submitted", "False", "SubmissionFailed", NULL, false },
	{ APP_RUNNING, "Running", "True", "DriverRunning", "the driver is running", false },
	{ APP_SUBMITTED, "Running", "False", "DriverPending", "the driver is pending", true },
	{ APP_UNKNOWN, "Running", "Unknown", "DriverUnknown", "the driver is in an unknown state", true },
	{ APP_SUCCEEDING, "Running", "False", "DriverCompleted", "the driver has completed", true },
	{ APP_FAILING, "Running", "False", "DriverFailed", NULL, true },
	{ APP_COMPLETED, "Completed", "True", "DriverCompleted", "the driver has completed", false },
};

/*
 * The conditions by which kstatus, and so Flux, judges every kind of object: Reconciling=True is in progress,
 * Stalled=True has failed, neither is current (cli-utils pkg/kstatus/status/generic.go). Each state has at most one of
 * them.
 */
static const struct progress_row {
	const char *type;   /* NULL: neither */
	const char *like;   /* reason and message are those of this condition if it is there */
	const char *reason; /* else this, */
	const char *text;   /* with the error message, or this if there is none */
} progress_rows[APP_STATE_COUNT] = {
	[APP_NEW] = { "Reconciling", "Submitted", "NotSubmitted", "the application is not submitted yet" },
	[APP_SUBMITTED] = { "Reconciling", NULL, "DriverPending", "the driver is pending" },
	[APP_RUNNING] = { NULL, NULL, NULL, NULL },
	[APP_COMPLETED] = { NULL, NULL, NULL, NULL },
	[APP_FAILED] = { "Stalled", "Failed", "Failed", "the application has failed" },
	[APP_SUBMISSION_FAILED] = { "Stalled", "Submitted", "SubmissionFailed", "the submission has failed" },
	[APP_PENDING_RERUN] = { "Stalled", NULL, "Unsupported", "" },
	[APP_INVALIDATING] = { "Stalled", NULL, "Unsupported", "" },
	[APP_SUCCEEDING] = { NULL, NULL, NULL, NULL },
	[APP_FAILING] = { "Stalled", NULL, "DriverFailed", "the driver has failed" },
	[APP_SUSPENDING] = { "Stalled", NULL, "Unsupported", "" },
	[APP_SUSPENDED] = { "Stalled", NULL, "Unsupported", "" },
	[APP_RESUMING] = { "Stalled", NULL, "Unsupported", "" },
	[APP_UNKNOWN] = { "Reconciling", NULL, "DriverUnknown", "the driver is in an unknown state" },
};

static const char spec_changed[] = "SpecChanged";
static const char edit_text[] = "the spec is not the one that was submitted, and this version submits an application "
				"only once: to run the new spec, delete the application and create it again (kubectl "
				"replace --force), or set the spec back";
static const char suspend_text[] = "spec.suspend is true, but the driver pod was created before that, and this version "
				   "does not suspend such an application: to stop it, delete it, or set spec.suspend "
				   "to false";

static const char *error_message(const struct report *r)
{
	return json_str(r->status->tree, "applicationState.errorMessage", "");
}

/* Whether the old state is one in which no driver pod was seen yet. */
static bool was_unsubmitted(const struct report *r)
{
	return r->app->state == APP_NEW || r->app->state == APP_SUBMISSION_FAILED;
}

/* Whether the new state is one that follows from a driver pod. */
static bool is_followed(const struct report *r)
{
	return app_state_is(r->state, STATE_HAS_DRIVER | STATE_STARTED) && !app_state_is(r->state, STATE_ENDED);
}

/* Says whether the spec as it is now is acted on. TTL and suspend are not part of what is submitted. */
static void set_spec_changed(const struct report *r)
{
	bool is_late = r->app->suspend && app_state_is(r->state, STATE_HAS_DRIVER);
	auto_free char *text = xasprintf("%s%s%s", r->is_edited ? edit_text : "", r->is_edited && is_late ? "; " : "",
					 is_late ? suspend_text : "");

	if (app_state_is(r->state, STATE_LEFT))
		return;
	r->status->is_edited = r->is_edited;
	if (text[0]) {
		status_set_condition(r->status, spec_changed, "True", "NotCarriedOut", text);
		status_keep_observed(r->status);
		return;
	}
	status_set_observed(r->status);
	if (status_has_condition(r->status, spec_changed))
		status_set_condition(r->status, spec_changed, "False", "AsSubmitted", "the spec is as submitted");
}

/* Costs no write of its own: a status that is not written otherwise is left as it is. */
static void set_progress(const struct report *r)
{
	static const char *const types[] = { "Reconciling", "Stalled" };
	const struct progress_row *row = &progress_rows[r->state];
	const char *text = text_empty(error_message(r)) ? row->text : error_message(r);
	const struct json *like;

	if (!status_differs(r->status))
		return;
	for (size_t i = 0; i < array_len(types); i++)
		if (!text_eq(types[i], row->type))
			status_remove_condition(r->status, types[i]);
	if (!row->type)
		return;
	like = row->like ? status_condition(r->status->tree, row->like) : NULL;
	status_set_condition(r->status, row->type, "True", json_str(like, "reason", row->reason),
			     json_str(like, "message", text));
}

void report_conditions(const struct report *r)
{
	bool unsubmitted = r->app->state == APP_SUBMISSION_FAILED || r->app->execution_attempts == 0;

	set_spec_changed(r);
	if (r->driver && (is_followed(r) || !was_unsubmitted(r)))
		status_set_condition(r->status, "Submitted", "True", "DriverCreated", "the driver pod was created");
	for (size_t i = 0; i < array_len(condition_rows); i++) {
		const struct condition_row *row = &condition_rows[i];

		if (row->state != r->state || (row->update_only && !status_has_condition(r->status, row->type)))
			continue;
		status_set_condition(r->status, row->type, row->value, row->reason,
				     row->text ? row->text : error_message(r));
	}
	if (r->state == APP_FAILED && !status_has_condition(r->status, "Failed"))
		status_set_condition(r->status, "Failed", "True", unsubmitted ? "SubmissionFailed" : "DriverFailed",
				     error_message(r));
	set_progress(r);
	status_set_columns(r->status, r->state, r->driver);
}

/* The text of an event is `before` NAME `after`, followed by the error message if with_message is set. If `before` is
 * NULL, the text is the message alone. */
struct event_row {
	const char *reason; /* NULL: no event */
	bool warning;
	const char *before;
	const char *after;
	bool with_message;
};

static const struct event_row app_events[APP_STATE_COUNT] = {
	[APP_SUBMISSION_FAILED] = { "SparkApplicationSubmissionFailed", true, "failed to submit SparkApplication", "",
				    true },
	[APP_COMPLETED] = { "SparkApplicationCompleted", false, "SparkApplication", " completed", false },
	[APP_FAILED] = { "SparkApplicationFailed", true, "SparkApplication", " failed", true },
};

static const struct event_row driver_events[APP_STATE_COUNT] = {
	[APP_SUBMITTED] = { "SparkDriverPending", false, "Driver", " is pending", false },
	[APP_RUNNING] = { "SparkDriverRunning", false, "Driver", " is running", false },
	[APP_SUCCEEDING] = { "SparkDriverCompleted", false, "Driver", " completed", false },
	[APP_FAILING] = { "SparkDriverFailed", true, "Driver", " failed", true },
	[APP_UNKNOWN] = { "SparkDriverUnknown", true, NULL, NULL, true },
};

static const struct event_row added_event = { "SparkApplicationAdded", false, "SparkApplication",
					      " was added, enqueuing it for submission", false };
static const struct event_row suspended_event = { "SparkApplicationSuspended", false, "SparkApplication",
						  " is suspended: it is submitted once spec.suspend is false", false };
static const struct event_row resumed_event = { "SparkApplicationResumed", false, "SparkApplication",
						" was resumed, enqueuing it for submission", false };
static const struct event_row spec_change_event = { "SparkApplicationSpecChangeIgnored", true, "SparkApplication",
						    " was changed, which has no effect", true };
static const struct event_row submitted_event = { "SparkApplicationSubmitted", false, "SparkApplication",
						  " was submitted successfully", false };
static const struct event_row policy_event = { "SparkApplicationRestartPolicyIgnored", true, "SparkApplication",
					       " will not be restarted: this version runs every restartPolicy as Never",
					       false };
static const struct event_row retries_event = { "SparkApplicationFailureRetriesIgnored", true, "SparkApplication",
						" has failureRetries or retryInterval, which have no effect: use "
						"restartPolicy.onFailureRetries and onFailureRetryInterval",
						false };
static const struct event_row missing_event = { "SparkDriverNotFound", true, NULL, NULL, true };

/* What is wrong with an application that goes on all the same, by the word for it in status.reason. In a row without
 * reason any other word counts. The first row that fits counts. The change to UNKNOWN has an event with the message. */
static const struct {
	enum app_state state;
	const char *reason;
	struct event_row event;
} trouble_events[] = {
	{ APP_SUBMITTED, "Unschedulable", { "SparkDriverUnschedulable", true, NULL, NULL, true } },
	{ APP_SUBMITTED, "DriverUnseen", { "SparkDriverInTrouble", true, NULL, NULL, true } },
	{ APP_SUBMITTED, NULL, { "SparkDriverCannotStart", true, NULL, NULL, true } },
	{ APP_RUNNING, "SidecarFailed", { "SparkSidecarEnded", true, NULL, NULL, true } },
	{ APP_RUNNING, "SidecarEnded", { "SparkSidecarEnded", true, NULL, NULL, true } },
	{ APP_RUNNING, "ExecutorsPending", { "SparkExecutorsPending", true, NULL, NULL, true } },
	{ APP_RUNNING, "ExecutorsRefused", { "SparkExecutorsRefused", true, NULL, NULL, true } },
	{ APP_RUNNING, NULL, { "SparkDriverInTrouble", true, NULL, NULL, true } },
	{ APP_UNKNOWN, NULL, { "SparkDriverUnknown", true, NULL, NULL, true } },
};

static const struct {
	const char *state;
	struct event_row event;
} executor_events[] = {
	{ "PENDING", { "SparkExecutorPending", false, "Executor", " is pending", false } },
	{ "RUNNING", { "SparkExecutorRunning", false, "Executor", " is running", false } },
	{ "COMPLETED", { "SparkExecutorCompleted", false, "Executor", " completed", false } },
	{ "UNKNOWN", { "SparkExecutorUnknown", true, "Executor", " is in an unknown state", false } },
};

static void plan_text_event(const struct app *app, struct plan *plan, const struct event_row *row, const char *text)
{
	plan_event(plan, app_kind.res, app->ns, app->name, app->uid, row->warning ? "Warning" : "Normal", row->reason,
		   "%s", text);
}

static void plan_row_event(const struct app *app, struct plan *plan, const struct event_row *row, const char *name,
			   const char *message)
{
	auto_free char *text = NULL;

	if (!row->reason)
		return;
	if (!row->with_message)
		message = "";
	if (text_starts(message, SUBMIT_FAILED_PREFIX))
		message += sizeof(SUBMIT_FAILED_PREFIX) - 1;
	if (!row->before) {
		plan_text_event(app, plan, row, message);
		return;
	}
	text = xasprintf("%s %s%s%s%s", row->before, name, row->after, message[0] ? ": " : "", message);
	plan_text_event(app, plan, row, text);
}

/* Whether the spec has one of two fields that only the first versions of kubeflow's operator read. */
static bool has_failure_retries(const struct app *app)
{
	return json_has(app->tree, "spec.failureRetries") || json_has(app->tree, "spec.retryInterval");
}

static void plan_version_event(const struct app *app, const struct rule_options *rules, struct plan *plan)
{
	static const struct event_row row = { "SparkApplicationVersionUnknown", true, NULL, NULL, false };
	const struct version version = version_of_spec(json_get(app->tree, "spec"), rules->default_image);
	auto_free char *doubt = version_doubt(&version);
	auto_free char *text = doubt ? xasprintf("SparkApplication %s: spec.sparkVersion: %s", app->name, doubt) : NULL;

	if (text)
		plan_text_event(app, plan, &row, text);
}

void report_added(const struct app *app, const struct rule_options *rules, struct plan *plan)
{
	bool was_suspended = status_has_reason(app->status, "Submitted", "Suspended");

	plan_row_event(app, plan, was_suspended ? &resumed_event : &added_event, app->name, "");
	if (!text_eq(json_str(app->tree, "spec.restartPolicy.type", "Never"), "Never"))
		plan_row_event(app, plan, &policy_event, app->name, "");
	if (has_failure_retries(app))
		plan_row_event(app, plan, &retries_event, app->name, "");
	plan_version_event(app, rules, plan);
}

static void plan_state_events(const struct report *r, struct plan *plan)
{
	const struct app *app = r->app;
	bool arrived = r->driver && was_unsubmitted(r) && is_followed(r);
	const char *message = error_message(r);

	if ((enum app_state)app->state == r->state)
		return;
	if (arrived)
		plan_row_event(app, plan, &submitted_event, app->name, "");
	if (r->state == APP_FAILING && !r->driver)
		plan_row_event(app, plan, &missing_event, r->driver_name, message);
	else if (r->state != APP_SUBMITTED || !arrived)
		plan_row_event(app, plan, &driver_events[r->state], r->driver_name, message);
	plan_row_event(app, plan, &app_events[r->state], app->name, message);
}

/* A trouble is told when its word is new. Its text may say other things from time to time, as the scheduler's does. */
static bool is_new_trouble(const struct report *r)
{
	const char *message = error_message(r);
	const char *before = text_empty(r->app->error_message) ? "" : json_str(r->app->status, "reason", "");

	if (text_empty(message) || text_eq(message, r->app->error_message))
		return false;
	if (r->state == APP_UNKNOWN && r->app->state != APP_UNKNOWN)
		return false;
	return !text_eq(json_str(r->status->tree, "reason", ""), before);
}

static void plan_trouble_event(const struct report *r, struct plan *plan)
{
	const char *reason = json_str(r->status->tree, "reason", "");

	if (!is_new_trouble(r))
		return;
	for (size_t i = 0; i < array_len(trouble_events); i++) {
		if (trouble_events[i].state != r->state ||
		    (trouble_events[i].reason && !text_eq(trouble_events[i].reason, reason)))
			continue;
		plan_row_event(r->app, plan, &trouble_events[i].event, "", error_message(r));
		return;
	}
}

/* Plans the event if the condition has come to that reason just now. */
static void plan_condition_event(const struct report *r, struct plan *plan, const char *type, const char *reason,
				 const struct event_row *row)
{
	const struct json *tree = r->status->tree;

	if (status_has_reason(tree, type, reason) && !status_has_reason(r->app->status, type, reason))
		plan_row_event(r->app, plan, row, r->app->name, json_str(status_condition(tree, type), "message", ""));
}

static void plan_executor_event(const struct app *app, const struct pod_view *pod, const char *state, struct plan *plan)
{
	static const struct event_row failed = { "SparkExecutorFailed", true, NULL, NULL, true };
	auto_free char *text = NULL;

	for (size_t i = 0; i < array_len(executor_events); i++)
		if (text_eq(executor_events[i].state, state))
			plan_row_event(app, plan, &executor_events[i].event, pod->name, "");
	if (!text_eq(state, "FAILED"))
		return;
	text = monitor_executor_failure(pod);
	plan_row_event(app, plan, &failed, pod->name, text);
}

void report_events(const struct report *r, const struct pod_view *const *pods, size_t count, struct plan *plan)
{
	plan_state_events(r, plan);
	plan_trouble_event(r, plan);
	plan_condition_event(r, plan, "Submitted", "Suspended", &suspended_event);
	plan_condition_event(r, plan, spec_changed, "NotCarriedOut", &spec_change_event);
	for (size_t i = 0; i < count; i++) {
		const char *state = json_text(json_get(r->status->executors, pods[i]->name), NULL);

		if (state)
			plan_executor_event(r->app, pods[i], state, plan);
	}
}

void report_companion_failed(const struct app *app, const struct companion *extra, const char *why, struct plan *plan)
{
	static const struct {
		const char *reason;
		const char *what;
	} rows[] = {
		[COMPANION_UI_SERVICE] = { "SparkUIServiceFailed", "Service for the web UI of" },
		[COMPANION_UI_INGRESS] = { "SparkUIIngressFailed", "Ingress for the web UI of" },
		[COMPANION_DRIVER_SERVICE] = { "SparkDriverIngressFailed", "Service for a port of the driver of" },
		[COMPANION_DRIVER_INGRESS] = { "SparkDriverIngressFailed", "Ingress for a port of the driver of" },
		[COMPANION_DRIVER_PDB] = { "SparkDriverPodDisruptionBudgetFailed",
					   "PodDisruptionBudget for the driver of" },
	};
	const struct event_row row = { rows[extra->type].reason, true, rows[extra->type].what,
				       " could not be created, will be tried again", true };

	plan_row_event(app, plan, &row, app->name, why);
}

void report_failed(const struct app *app, const char *message, struct plan *plan)
{
	plan_row_event(app, plan, &app_events[APP_FAILED], app->name, message);
}
