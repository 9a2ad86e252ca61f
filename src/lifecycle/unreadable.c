/*
 * The status of an application that could not be decoded, which a CRD that lets everything pass makes possible.
 *
 * Only its metadata and its status are known. So one that has not begun fails, and one that has a driver pod gets a
 * message. observedGeneration names what was acted on, so it stays unless the application fails. Nothing can fail here.
 */
#include "unreadable.h"

#include "base/text.h"
#include "report.h"

static void fail_unreadable(const struct world *w, struct status *s)
{
	static const char *const types[][2] = { { "Submitted", "False" }, { "Failed", "True" }, { "Stalled", "True" } };

	status_set_observed(s);
	status_set_state(s, APP_FAILED, w->problem);
	status_set_time(s, "terminationTime", w->now_ms);
	for (size_t i = 0; i < array_len(types); i++)
		status_set_condition(s, types[i][0], types[i][1], UNREADABLE_REASON, w->problem);
	json_set_str(s->tree, "reason", UNREADABLE_REASON);
}

/* Its driver was created before the spec became unreadable. */
static bool has_driver_pod(const struct world *w)
{
	for (size_t i = 0; i < w->pod_count; i++)
		if (w->pods[i]->role == POD_ROLE_DRIVER && text_eq(w->pods[i]->owner_uid, w->app->uid))
			return true;
	return false;
}

void unreadable_reconcile(const struct world *w, struct plan *plan)
{
	struct status s;
	const char *state;
	bool fresh;

	status_init(&s, w->app, w->now_ms);
	state = json_str(s.tree, "applicationState.state", "");
	fresh = text_eq(state, app_state_text(APP_NEW)) && !has_driver_pod(w);
	if (fresh)
		fail_unreadable(w, &s);
	else if (!text_eq(state, app_state_text(APP_COMPLETED)) && !text_eq(state, app_state_text(APP_FAILED)))
		status_set_message(&s, w->problem);
	if (status_plan(&s, plan) && fresh)
		report_failed(w->app, w->problem, plan);
	status_done(&s);
}
