/*
 * Reconcile decides what happens next to an application. A table has one row, a function, per state of the application.
 *
 * Happy path: in state "" the ConfigMap, the Service and the driver pod are created. When the driver pod is seen, the
 * application goes through SUBMITTED, RUNNING and SUCCEEDING to COMPLETED. A row only decides: it sets the new status
 * and builds what is to be submitted. finish_pass() turns that into actions, always in this order: the status write,
 * then events, then creations. If something is created and no status is written, a check comes first. Status write and
 * check both carry the resourceVersion, so a stale cache stops the plan before anything else happens. So an application
 * that is gone or has already run is not submitted again. Events follow from the difference between old and new status,
 * so each is reported once. The companions (companions.c) come last, and are tried again on their own.
 *
 * Failure modes: an application whose spec cannot be submitted, or is refused by the API server for too long, goes
 * through SUBMISSION_FAILED to FAILED. An application whose driver fails, vanishes or never appears goes through
 * FAILING to FAILED. The reason is in errorMessage. The sequence of states is that of kubeflow
 * internal/controller/sparkapplication/controller.go.
 */
#include "lifecycle/reconcile.h"

#include <ctype.h>

#include "base/text.h"
#include "report.h"
#include "lifecycle/companions.h"
#include "monitor.h"
#include "spark/names.h"
#include "spark/ui_url.h"

enum {
	RECREATE_MS = 10 * 1000, /* a driver pod that was created and is not seen is created again after this */
	SLOW_START_MS = 60 * 1000,
	INVALID_DEADLINE_MS = 5 * 1000,
	SECOND_MS = 1000,
	LONGEST_REST_MS = 24 * 3600 * 1000,
};

const struct reconcile_options reconcile_defaults = {
	.master = "k8s://https://kubernetes.default.svc",
	.driver_pod_creation_grace_ms = 30 * 1000,
	.refusal_deadline_ms = 30 * 1000,
	.max_tracked_executors = 1000,
	.ui_service = true,
};

struct pass {
	const struct world *w;
	const struct reconcile_options *options;
	const struct app *app;
	struct plan *plan;
	struct err *err;
	int64_t run;		       /* the number of the run, see struct app_names */
	struct app_names names;	       /* of the objects of the run, if the spec were submitted now */
	const char *submission_id;     /* from the driver pod, else from the status, else from the names */
	const struct pod_view *driver; /* of the attempt, NULL if there is none */
	struct status status;	       /* the new status */
	enum app_state state;	       /* the new state */
	struct submission submission;  /* objects to be created, if any */
	bool added;		       /* the application is new */
	bool deleted;		       /* the application is to be deleted, and nothing else happens */
};

/* ---- what the rows have in common ---- */

static const char *driver_name(const struct pass *p)
{
	if (p->driver)
		return p->driver->name;
	return text_empty(p->app->driver_pod_name) ? p->names.driver_pod : p->app->driver_pod_name;
}

/* The run that is under way: the one that the stored submission id names, else the first. */
static int64_t run_of(const struct app *app)
{
	int64_t run = names_run(app->submission_id);

	return run > 0 ? run : 1;
}

/* submissionAttempts counts, for people, the attempts whose driver pod was seen and those that were given up. */
static int64_t attempt_of(const struct app *app)
{
	return app->submission_attempts > 0 ? app->submission_attempts : 1;
}

/* The time that stands for the submission. A repetition must build the same bytes, so this is a recorded time. */
static int64_t attempt_time_ms(const struct app *app)
{
	return app->last_submission_ms > 0 ? app->last_submission_ms : app->created_ms;
}

/* Whether the driver is seen for the first time, which means that the submission has succeeded. */
static bool is_arrival(const struct pass *p)
{
	return p->driver && (p->app->state == APP_NEW || p->app->state == APP_SUBMISSION_FAILED);
}

static void set_state(struct pass *p, enum app_state state, const char *message)
{
	p->state = state;
	status_set_state(&p->status, state, message);
}

/*
 * Returns the stored message if the new one differs from it only in numbers, or is a beginning of it. The scheduler,
 * for one, counts nodes anew all the time. A problem that stays the same must not cost a status write at each look.
 */
static const char *steady_message(const char *stored, const char *message)
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

/* Records the attempt in the status. Its driver pod has been seen, or the attempt is given up. */
static void set_attempt(struct pass *p)
{
	const struct pod_view *driver = p->driver;
	struct json *tree = p->status.tree;

	json_set_i64(tree, "submissionAttempts", attempt_of(p->app));
	json_set_str(tree, "submissionID", driver ? driver->submission_id : p->names.submission_id);
	json_set_str(tree, "sparkApplicationId", p->names.app_id);
	json_set_str(json_ensure_object(tree, "driverInfo"), "podName", driver ? driver->name : p->names.driver_pod);
	status_set_time(&p->status, "lastSubmissionAttemptTime",
			driver && driver->created_ms > 0 ? driver->created_ms : p->w->now_ms);
}

static void fail_submission(struct pass *p, const char *why)
{
	auto_free char *message = xasprintf("%s%s", SUBMIT_FAILED_PREFIX, why);

	set_attempt(p);
	set_state(p, APP_SUBMISSION_FAILED, message);
	json_remove(p->status.tree, "sparkApplicationId");
}

static int build_submission(struct pass *p)
{
	const struct submission_options options = {
		.master = p->options->master,
		.submitted_ms = attempt_time_ms(p->app),
		.ui_url_format = p->options->ui_service ? p->options->ingress.url_format : NULL,
		.rules = p->options->rules,
	};
	struct err err = { 0 };
	int rc = submission_build(p->app, p->run, &options, &p->submission, &err);

	if (rc == 0)
		return 0;
	if (err.code == ERR_INVALID) {
		fail_submission(p, err.msg);
		return 0;
	}
	*p->err = err;
	return rc;
}

static void end_in(struct pass *p, enum app_state state, const char *message)
{
	set_state(p, state, message);
	if (p->app->terminated_ms == 0)
		status_set_time(&p->status, "terminationTime", p->w->now_ms);
}

/* No status of a pod shows that a volume or ConfigMap is missing, so after a while the message says where to look.
 * Owned; NULL if the driver is not slow. */
static char *slow_start_message(struct pass *p)
{
	const struct pod_view *driver = p->driver;
	int64_t waited_ms = p->w->now_ms - driver->created_ms;

	if (driver->created_ms == 0 || driver->deleting)
		return NULL;
	if (waited_ms < SLOW_START_MS) {
		plan_requeue(p->plan, waited_ms < 0 ? SLOW_START_MS : SLOW_START_MS - waited_ms);
		return NULL;
	}
	return xasprintf(
	    "driver pod %s has not started within %d s: its image may be large, or a ConfigMap, Secret or volume "
	    "that it mounts may be missing; see the events of the pod",
	    driver->name, SLOW_START_MS / SECOND_MS);
}

static char *driver_problem_message(struct pass *p, enum app_state state)
{
	auto_free char *message = monitor_driver_message(p->driver);
	auto_free char *slow = NULL;

	if (state == APP_SUBMITTED && text_empty(message))
		slow = slow_start_message(p);
	return take_ptr(*(slow ? &slow : &message));
}

static struct companions_view companions_view_of(const struct pass *p)
{
	const struct reconcile_options *o = p->options;

	return (struct companions_view){
		.site = {
			.app = p->app,
			.submission_id = p->submission_id,
			.app_id = p->driver && !text_empty(p->driver->app_id) ? p->driver->app_id : p->names.app_id,
			.driver_pod = driver_name(p),
			.options = { o->ui_service, o->driver_pdb, &o->ingress },
		},
		.outcomes = p->w->outcomes,
		.pdb = p->w->pdb,
		.driver_info = json_get(p->status.tree, "driverInfo"),
		.now_ms = p->w->now_ms,
	};
}

/* The driver pod exists. The application takes its state from the pod. */
static int follow_driver(struct pass *p)
{
	static const enum app_state by_driver[] = {
		[DRIVER_PENDING] = APP_SUBMITTED, [DRIVER_RUNNING] = APP_RUNNING, [DRIVER_COMPLETED] = APP_SUCCEEDING,
		[DRIVER_FAILED] = APP_FAILING,	  [DRIVER_UNKNOWN] = APP_UNKNOWN,
	};
	const struct pod_view *driver = p->driver;
	enum app_state state = by_driver[monitor_driver_state(driver)];
	auto_free char *message = driver_problem_message(p, state);
	struct json *tree = p->status.tree;
	struct companions_view view;

	if (is_arrival(p) || p->app->submission_attempts == 0)
		set_attempt(p);
	if (is_arrival(p))
		json_set_i64(tree, "executionAttempts", p->app->execution_attempts + 1);
	if (!text_empty(driver->app_id))
		json_set_str(tree, "sparkApplicationId", driver->app_id);
	json_set_str(json_ensure_object(tree, "driverInfo"), "podName", driver->name);
	view = companions_view_of(p);
	companions_report(&view, json_get(tree, "driverInfo"));
	if (state == APP_SUCCEEDING || state == APP_FAILING) {
		set_state(p, state, message);
		status_set_time(&p->status, "terminationTime",
				driver->finished_ms > 0 ? driver->finished_ms : p->w->now_ms);
		return 0;
	}
	set_state(p, state, steady_message(p->app->error_message, message));
	return 0;
}

/* The driver pod is not in the cache. In SUBMITTED the cache may be late, so the pod has
 * driver_pod_creation_grace_ms to appear. */
static int miss_driver(struct pass *p)
{
	const struct app *app = p->app;
	int64_t limit_ms = p->options->driver_pod_creation_grace_ms;
	int64_t waited_ms = p->w->now_ms - app->last_submission_ms;
	const char *before = text_empty(app->error_message) ? "" : app->error_message;
	const char *how = app->state == APP_SUBMITTED ? "never appeared or was deleted" : "was deleted";
	auto_free char *message = NULL;

	if (app->state == APP_SUBMITTED && app->last_submission_ms > 0 && waited_ms < limit_ms) {
		plan_requeue(p->plan, waited_ms < 0 ? limit_ms : limit_ms - waited_ms);
		return 0;
	}
	message =
	    xasprintf("driver pod not found: %s %s%s%s", driver_name(p), how, before[0] ? "; before: " : "", before);
	end_in(p, APP_FAILING, message);
	return 0;
}

/* The API server refused a creation. The creation is tried again for a while, since quotas may free up, and accounts
 * and roles may appear. */
static void handle_refusal(struct pass *p)
{
	const struct failure *r = p->w->refused;
	int64_t limit_ms = p->options->refusal_deadline_ms;
	int64_t waited_ms = p->w->now_ms - r->since_ms;
	auto_free char *message = NULL;
	const char *reported;

	if ((r->err.code == ERR_INVALID || r->err.code == ERR_TOO_LARGE) && limit_ms > INVALID_DEADLINE_MS)
		limit_ms = INVALID_DEADLINE_MS;
	if (waited_ms >= limit_ms) {
		fail_submission(p, r->err.msg);
		return;
	}
	message = xasprintf("submission refused, trying again: %s", r->err.msg);
	reported = steady_message(p->app->error_message, message);
	set_state(p, APP_NEW, reported);
	status_set_condition(&p->status, "Submitted", "False", "Refused", reported);
	plan_requeue(p->plan, waited_ms < 0 ? limit_ms : limit_ms - waited_ms);
}

/* ---- rows ---- */

/*
 * Until the driver pod is seen, nothing is recorded and the submission is repeated. Objects that exist already are
 * adopted, so a lost reply or a late watch does no harm. If a driver pod is deleted before it was ever seen, it is
 * created again, however often that happens, since nothing is known to have run. Each time, the check proves that the
 * application's stored state has not changed.
 */
static int on_new(struct pass *p)
{
	const struct app *app = p->app;
	int rc;

	if (p->driver)
		return follow_driver(p);
	if (app->suspend && app->submission_attempts == 0) {
		set_state(p, APP_NEW, NULL);
		status_set_condition(&p->status, "Submitted", "False", "Suspended",
				     "spec.suspend is true: not submitted");
		return 0;
	}
	if (p->w->refused)
		handle_refusal(p);
	else
		p->added = app->submission_attempts == 0;
	if (p->state == APP_SUBMISSION_FAILED)
		return 0;
	rc = build_submission(p);
	if (p->submission.objects)
		plan_requeue(p->plan, RECREATE_MS);
	return rc;
}

static int on_submission_failed(struct pass *p)
{
	if (p->driver)
		return follow_driver(p);
	end_in(p, APP_FAILED, p->app->error_message);
	return 0;
}

static int on_driver(struct pass *p)
{
	return p->driver ? follow_driver(p) : miss_driver(p);
}

static int on_succeeding(struct pass *p)
{
	end_in(p, APP_COMPLETED, NULL);
	return 0;
}

static int on_failing(struct pass *p)
{
	end_in(p, APP_FAILED, p->app->error_message);
	return 0;
}

static int on_ended(struct pass *p)
{
	const struct app *app = p->app;
	int64_t ttl_s = app->has_ttl ? app->ttl_s : p->options->default_ttl_s;
	int64_t ttl_ms;
	int64_t due_ms;
	int64_t rest_ms;

	if (!(app->has_ttl || ttl_s > 0) || app->terminated_ms == 0)
		return 0;
	if (__builtin_mul_overflow(ttl_s, SECOND_MS, &ttl_ms) ||
	    __builtin_add_overflow(app->terminated_ms, ttl_ms, &due_ms))
		due_ms = ttl_s > 0 ? INT64_MAX : 0;
	if (p->w->now_ms < due_ms) {
		rest_ms = due_ms - p->w->now_ms;
		plan_requeue(p->plan, rest_ms < LONGEST_REST_MS ? rest_ms : LONGEST_REST_MS);
		return 0;
	}
	p->deleted = true;
	plan_delete(p->plan, app_kind.res, app->ns, app->name, app->uid);
	return 0;
}

/* States that only operators with restarts and suspension use. The application's objects stay as they are, so such an
 * operator can still take over. */
static int on_foreign(struct pass *p)
{
	auto_free char *message = xasprintf(
	    "this version does not carry applications on from state %s: create it again", app_state_text(p->state));

	status_set_message(&p->status, message);
	return 0;
}

typedef int row_fn(struct pass *p);

static row_fn *const rows[APP_STATE_COUNT] = {
	[APP_NEW] = on_new,
	[APP_SUBMITTED] = on_driver,
	[APP_RUNNING] = on_driver,
	[APP_COMPLETED] = on_ended,
	[APP_FAILED] = on_ended,
	[APP_SUBMISSION_FAILED] = on_submission_failed,
	[APP_PENDING_RERUN] = on_foreign,
	[APP_INVALIDATING] = on_foreign,
	[APP_SUCCEEDING] = on_succeeding,
	[APP_FAILING] = on_failing,
	[APP_SUSPENDING] = on_foreign,
	[APP_SUSPENDED] = on_foreign,
	[APP_RESUMING] = on_foreign,
	[APP_UNKNOWN] = on_driver,
};

/* ---- one pass ---- */

/* Whether the pod is the driver of the run. Until the status records the submission, the spec may have been edited
 * after the pod was created, so there any driver pod that the application owns is the run's. A pod without a number is
 * of another operator, or of an earlier version. */
static bool is_driver_of_run(const struct pass *p, const struct pod_view *pod)
{
	bool is_owned = text_eq(pod->owner_uid, p->app->uid);
	int64_t run = names_run(pod->submission_id);

	if (pod->role != POD_ROLE_DRIVER || (!is_owned && !text_empty(pod->owner_uid)))
		return false;
	if (text_eq(pod->submission_id, p->submission_id) || text_eq(pod->submission_id, p->names.submission_id))
		return true;
	return is_owned && p->app->state == APP_NEW && (run == p->run || run == 0);
}

static const struct pod_view *find_driver(const struct pass *p)
{
	for (size_t i = 0; i < p->w->pod_count; i++)
		if (is_driver_of_run(p, p->w->pods[i]))
			return p->w->pods[i];
	return NULL;
}

/* Plans the creations. An object that exists already is ours if it has the same submission id. Objects that all
 * attempts share have no such label, so another label is compared. */
static void create_submission(struct pass *p)
{
	struct json *objects = p->submission.objects; /* NULL: nothing is submitted */

	for (struct json *o = json_take_first(objects); o; o = json_take_first(objects)) {
		const struct json *labels = json_at(o, "metadata.labels");
		const char *key = json_get(labels, LABEL_SUBMISSION_ID) ? LABEL_SUBMISSION_ID : LABEL_CREATED_BY;
		auto_free char *value = xstrdup(json_text(json_get(labels, key), ""));

		plan_create(p->plan, resource_of_kind(json_str(o, "kind", "")), o, p->app->uid, key, value);
	}
}

/* Companions are created along with the driver pod, and while the driver is pending or running. */
static bool wants_companions(const struct pass *p)
{
	return p->submission.objects || (p->driver && (p->state == APP_SUBMITTED || p->state == APP_RUNNING));
}

/* Plans the creations, and one more pass to report them. After a submission the driver's arrival brings that pass. */
static void create_companions(struct pass *p, const struct companions_view *view, const struct companions *due)
{
	companions_create(due, view, p->plan);
	if (due->len > 0 && !p->submission.objects)
		plan_requeue(p->plan, 0);
}

/* Deletes the driver's PodDisruptionBudget when the application has ended or no longer asks for one. */
static void drop_pdb(struct pass *p)
{
	const struct driver_pdb *pdb = p->w->pdb;
	bool ended = app_state_is(p->state, STATE_ENDED);

	if (pdb && p->options->driver_pdb && (ended || !driver_pdb_wanted(p->app)))
		plan_delete(p->plan, &resource_poddisruptionbudget, pdb->ns, pdb->name, pdb->uid);
}

/* Whether the outcomes of creating companions are no longer needed: the status reports them, or the application has
 * ended. */
static bool forgets_outcomes(const struct pass *p)
{
	const struct app *app = p->app;

	return app_state_is((enum app_state)app->state, STATE_ENDED) ||
	       (p->w->outcomes && companions_are_reported(app, p->w->outcomes));
}

static struct report report_of(struct pass *p)
{
	return (struct report){
		.app = p->app,
		.state = p->state,
		.status = &p->status,
		.driver = p->driver,
		.driver_name = driver_name(p),
	};
}

/* Plans the status write, and returns whether there is one. A status patch is the most expensive of all writes, so a
 * submission that was not refused does without. */
static bool write_status(struct pass *p, const struct report *report)
{
	bool is_needed = !p->submission.objects || p->w->refused;

	status_set_executors(&p->status, p->state, p->w->pods, p->w->pod_count, p->submission_id,
			     p->options->max_tracked_executors);
	report_conditions(report);
	return is_needed && status_plan(&p->status, p->plan);
}

/* Turns the row's decisions into actions. The first action is a status write or a check. Both carry the
 * resourceVersion, so both prove that the application is still as the row saw it. Actions that cannot be undone come
 * after that. */
static void finish_pass(struct pass *p)
{
	const struct app *app = p->app;
	const struct companions_view view = companions_view_of(p);
	const struct report report = report_of(p);
	auto_companions due = { 0 };
	bool is_written;

	if (p->deleted)
		return;
	is_written = write_status(p, &report);
	if (wants_companions(p))
		companions_due(&due, &view, p->plan);
	if (!is_written && (p->submission.objects || due.len > 0))
		plan_check(p->plan, app_kind.res, app->ns, app->name, app->uid, app->resource_version);
	if (p->added)
		report_added(app, &p->options->rules, p->plan);
	if (is_written)
		report_events(&report, p->w->pods, p->w->pod_count, p->plan);
	create_submission(p);
	create_companions(p, &view, &due);
	drop_pdb(p);
	if (forgets_outcomes(p))
		plan_forget_outcomes(p->plan);
}

/* The application could not be decoded. It fails only if it has not begun. One that runs or has ended is left alone. */
static int reconcile_unreadable(const struct world *w, struct plan *plan)
{
	struct status s;
	const char *state;
	bool fresh;

	status_init(&s, w->app, w->now_ms);
	state = json_str(s.tree, "applicationState.state", "");
	fresh = text_eq(state, app_state_text(APP_NEW));
	if (fresh) {
		status_set_state(&s, APP_FAILED, w->problem);
		status_set_time(&s, "terminationTime", w->now_ms);
		status_set_condition(&s, "Submitted", "False", "InvalidSpec", w->problem);
		status_set_condition(&s, "Failed", "True", "InvalidSpec", w->problem);
		json_set_str(s.tree, "reason", "InvalidSpec");
	} else if (!text_eq(state, app_state_text(APP_COMPLETED)) && !text_eq(state, app_state_text(APP_FAILED))) {
		status_set_message(&s, w->problem);
	}
	if (status_plan(&s, plan) && fresh)
		report_failed(w->app, w->problem, plan);
	status_done(&s);
	return 0;
}

int reconcile(const struct world *w, const struct reconcile_options *options, struct plan *plan, struct err *err)
{
	const struct app *app = w->app;
	struct pass p = { .w = w, .options = options, .app = app, .plan = plan, .err = err };
	int rc;

	if (app->deleting)
		return 0;
	if (w->problem)
		return reconcile_unreadable(w, plan);
	p.state = (enum app_state)app->state;
	p.run = run_of(app);
	app_names_init(&p.names, app, p.run);
	p.submission_id = text_empty(app->submission_id) ? p.names.submission_id : app->submission_id;
	p.driver = find_driver(&p);
	if (p.driver)
		p.submission_id = p.driver->submission_id;
	status_init(&p.status, app, w->now_ms);
	rc = rows[p.state](&p);
	if (rc == 0)
		finish_pass(&p);
	submission_done(&p.submission);
	status_done(&p.status);
	app_names_done(&p.names);
	return rc;
}
