/*
 * Sets the status fields that exist only for the columns of `kubectl get sparkapp`: executors, duration and reason.
 *
 * Happy path: the fields follow from the rest of the status or from the driver pod, and change together with them, so
 * they cost no write of their own. executors is set while the application has a driver, duration from the end on, and
 * reason as long as something is wrong. A reason stays as long as its message stays, since kubelet alternates between
 * words for the same problem. How many executors are wanted is what was submitted, so an edit of the spec does not
 * count.
 *
 * Failure modes: nothing fails here. A status that would not be written otherwise is left as it is, and so is the
 * status of an application that has ended. So a status that another operator wrote gets the fields with its next
 * change.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "spark/conf.h"
#include "monitor.h"
#include "status.h"

enum { SECOND_MS = 1000, MINUTE_S = 60, HOUR_S = 60 * MINUTE_S, DAY_S = 24 * HOUR_S, DURATION_SIZE = 48 };

/* ---- executors ---- */

static size_t count_executors(const struct json *executors, const char *state)
{
	size_t count = 0;

	json_each (executor, executors)
		if (text_eq(json_text(executor, NULL), state))
			count++;
	return count;
}

/* The number that was recorded before: the 3 of "2/3". -1 if there is none. */
static int64_t recorded_executors(const struct status *s)
{
	const char *slash = strchr(json_str(s->tree, "executors", ""), '/');
	int64_t wanted;

	return slash && text_i64(slash + 1, &wanted) ? wanted : -1;
}

/* With dynamic allocation, the executors that run and those whose pods are pending. If the spec was edited, the
 * recorded number counts, but it may be from a moment at which not all pods were there. */
static int64_t wanted_executors(const struct status *s, const struct json *executors, size_t running)
{
	const struct json *spec = json_get(s->app->tree, "spec");
	int64_t asked = conf_i64(json_get(spec, "sparkConf"), "spark.executor.instances", 1);
	int64_t present = (int64_t)(running + count_executors(executors, "PENDING"));
	int64_t recorded = recorded_executors(s);

	if (conf_dynamic(spec))
		return present;
	if (s->is_edited)
		return recorded > present ? recorded : present;
	return json_i64(spec, "executor.instances", asked);
}

static void set_executors(struct status *s, enum app_state state)
{
	const struct json *executors = json_get(s->tree, "executorState");
	size_t running = count_executors(executors, "RUNNING");

	if (app_state_is(state, STATE_HAS_DRIVER))
		json_setf(s->tree, "executors", "%zu/%" PRId64, running, wanted_executors(s, executors, running));
	else
		json_remove(s->tree, "executors");
}

/* ---- duration ---- */

/* Writes the duration with at most two units: 45s, 3m12s, 2h5m, 4d3h. */
static void duration_text(int64_t duration_ms, char out[DURATION_SIZE])
{
	int64_t s = duration_ms > 0 ? duration_ms / SECOND_MS : 0;

	if (s < MINUTE_S)
		snprintf(out, DURATION_SIZE, "%" PRId64 "s", s);
	else if (s < HOUR_S)
		snprintf(out, DURATION_SIZE, "%" PRId64 "m%" PRId64 "s", s / MINUTE_S, s % MINUTE_S);
	else if (s < DAY_S)
		snprintf(out, DURATION_SIZE, "%" PRId64 "h%" PRId64 "m", s / HOUR_S, s % HOUR_S / MINUTE_S);
	else
		snprintf(out, DURATION_SIZE, "%" PRId64 "d%" PRId64 "h", s / DAY_S, s % DAY_S / HOUR_S);
}

static void set_duration(struct status *s)
{
	char text[DURATION_SIZE];
	int64_t begin_ms, end_ms;

	if (!time_parse(json_str(s->tree, "terminationTime", NULL), &end_ms)) {
		json_remove(s->tree, "duration");
		return;
	}
	if (s->app->terminated_ms > 0 || !time_parse(json_str(s->tree, "lastSubmissionAttemptTime", NULL), &begin_ms))
		return;
	duration_text(end_ms - begin_ms, text);
	json_set_str(s->tree, "duration", text);
}

/* ---- reason ---- */

static const char *reason_or(const char *reason, const char *dflt)
{
	return text_empty(reason) ? dflt : reason;
}

static const char *reason_of_failed(const struct pod_view *driver, char exit_text[DURATION_SIZE])
{
	if (!text_empty(driver->reason))
		return driver->reason;
	if (driver->deleting)
		return "DriverDeleted";
	if (!driver->terminated)
		return text_empty(driver->failed_container) ? "DriverFailed" : "InitContainerFailed";
	if (!text_empty(driver->term_reason) && !text_eq(driver->term_reason, "Error"))
		return driver->term_reason;
	snprintf(exit_text, DURATION_SIZE, "ExitCode:%" PRId64, driver->exit_code);
	return exit_text;
}

static const char *reason_of_pending(const struct pod_view *driver)
{
	if (text_eq(driver->waiting_reason, "ErrImagePull"))
		return "ImagePullBackOff";
	if (!text_empty(driver->waiting_reason))
		return driver->waiting_reason;
	return text_empty(driver->unschedulable) ? "NotStarted" : "Unschedulable";
}

static const char *reason_of_running(const struct pod_view *driver)
{
	if (!text_empty(driver->reason))
		return driver->reason;
	if (driver->deleting)
		return "DriverDeleted";
	return text_empty(driver->failed_container) && !text_empty(driver->ended_container) ? "SidecarEnded"
											    : "SidecarFailed";
}

static const char *reason_of_driver(const struct pod_view *driver, int64_t now_ms, char exit_text[DURATION_SIZE])
{
	if (monitor_driver_is_stuck(driver, now_ms))
		return "DriverNotEnding";
	switch (monitor_driver_state(driver)) {
	case DRIVER_PENDING:
		return reason_of_pending(driver);
	case DRIVER_RUNNING:
		return reason_of_running(driver);
	case DRIVER_FAILED:
		return reason_of_failed(driver, exit_text);
	case DRIVER_COMPLETED:
		break;
	case DRIVER_UNKNOWN:
		return reason_or(driver->reason, "DriverUnknown");
	}
	return NULL;
}

/* The reason if there is no driver pod. */
static const char *reason_of_state(const struct status *s, enum app_state state)
{
	if (app_state_is(state, STATE_HAS_DRIVER))
		return "DriverUnseen";
	switch (state) {
	case APP_NEW:
		return json_str(status_condition(s->tree, "Submitted"), "reason", "Refused");
	case APP_SUBMISSION_FAILED:
		return "SubmissionFailed";
	case APP_FAILING:
		return "DriverNotFound";
	case APP_FAILED:
		return s->app->execution_attempts == 0 ? "SubmissionFailed" : "DriverFailed";
	default:
		return "Unsupported";
	}
}

static bool is_suspended(const struct status *s, enum app_state state)
{
	return state == APP_NEW && status_has_reason(s->tree, "Submitted", "Suspended");
}

static void set_reason(struct status *s, enum app_state state, const struct pod_view *driver)
{
	const char *message = json_str(s->tree, "applicationState.errorMessage", "");
	bool known = json_is(json_get(s->tree, "reason"), JSON_STRING);
	char exit_text[DURATION_SIZE];
	const char *reason;

	if (text_empty(message)) {
		if (is_suspended(s, state))
			json_set_str(s->tree, "reason", "Suspended");
		else
			json_remove(s->tree, "reason");
		return;
	}
	if (known && text_eq(message, s->app->error_message))
		return;
	if (s->reason) {
		json_set_str(s->tree, "reason", s->reason);
		return;
	}
	reason = driver && (app_state_is(state, STATE_HAS_DRIVER) || state == APP_FAILING)
		     ? reason_of_driver(driver, s->now_ms, exit_text)
		     : reason_of_state(s, state);
	json_set_str(s->tree, "reason", reason);
}

void status_set_columns(struct status *s, enum app_state state, const struct pod_view *driver)
{
	bool ended = app_state_is(state, STATE_ENDED);

	if ((ended && (enum app_state)s->app->state == state) || !status_differs(s))
		return;
	set_executors(s, state);
	set_duration(s);
	set_reason(s, state, driver);
}
