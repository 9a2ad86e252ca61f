/*
 * Reconcile decides what happens next to an application. A table has one row, a function, per state of the application.
 *
 * Happy path: in state NEW the ConfigMap, the driver pod and the Service are created. When the driver pod is seen, the
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

#include <string.h>

#include "base/text.h"
#include "report.h"
#include "lifecycle/companions.h"
#include "executors.h"
#include "monitor.h"
#include "refusal.h"
#include "submit.h"
#include "spark/conf.h"
#include "spark/names.h"
#include "spark/ui_url.h"
#include "spark/version.h"
#include "unknown_fields.h"
#include "unreadable.h"

enum {
	RECREATE_MS = 10 * 1000, /* a driver pod that was created and is not seen is created again after this */
	UNSEEN_MS = 30 * 1000,	 /* a driver pod that exists and is not seen is told after this */
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
	bool told;		       /* a failure is to be told in the status */
	bool needs_absence;	       /* what follows is right only if the driver pod is not there */
	struct executors_look executors;
	const struct pod_view *doomed; /* a driver pod that is to be deleted, or NULL */
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

/* The last plan failed because an object of this resource is there that was to be absent. */
static bool is_in_the_way(const struct pass *p, const struct resource *res)
{
	return p->w->failure && failure_is_presence(p->w->failure, res);
}

/* Whether the driver is seen for the first time, which means that the submission has succeeded. */
static bool is_arrival(const struct pass *p)
{
	return p->driver && (p->app->state == APP_NEW || p->app->state == APP_SUBMISSION_FAILED);
}

/* The last status was refused since it had no applicationState.state. kubeflow's CRD, which may be the one installed,
 * requires it; ours does not. */
static bool crd_requires_state(const struct pass *p)
{
	const struct failure *f = p->w->failure;

	return f && f->type == ACTION_STATUS && f->err.code == ERR_INVALID &&
	       strstr(f->err.msg, "applicationState.state");
}

static void set_state(struct pass *p, enum app_state state, const char *message)
{
	p->state = state;
	status_set_state(&p->status, state, message);
	if (state == APP_NEW && crd_requires_state(p))
		json_set_str(json_get(p->status.tree, "applicationState"), "state", app_state_text(state));
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

static struct submission_options submission_options_of(const struct pass *p, bool with_executor)
{
	return (struct submission_options){
		.master = p->options->master,
		.with_executor = with_executor,
		.submitted_ms = attempt_time_ms(p->app),
		.ui_url_format = p->options->ui_service ? p->options->ingress.url_format : NULL,
		.rules = p->options->rules,
	};
}

static int build_submission(struct pass *p)
{
	const struct submission_options options = submission_options_of(p, unknown_fields_in_executors(p->app));
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

/* Spark may be told that its Service also resolves to a driver pod that is not ready. */
static bool finds_unready(const struct pass *p)
{
	const struct json *spec = json_get(p->app->tree, "spec");

	return conf_true(json_get(spec, "sparkConf"), "spark.kubernetes.driver.service.publishNotReadyAddresses") &&
	       version_of_spec(spec, p->options->rules.default_image).number >= SPARK_4_3;
}

static struct driver_look look_of(const struct pass *p)
{
	return (struct driver_look){ p->driver, finds_unready(p), p->w->now_ms };
}

static const char *app_id_of(const struct pass *p)
{
	return p->driver && !text_empty(p->driver->app_id) ? p->driver->app_id : p->names.app_id;
}

static struct companions_view companions_view_of(const struct pass *p)
{
	const struct reconcile_options *o = p->options;

	return (struct companions_view){
		.site = {
			.app = p->app,
			.submission_id = p->submission_id,
			.app_id = app_id_of(p),
			.driver_pod = driver_name(p),
			.options = { o->ui_service, o->driver_pdb, &o->ingress },
		},
		.outcomes = p->w->outcomes,
		.pdb = p->w->pdb,
		.driver_info = json_get(p->status.tree, "driverInfo"),
		.now_ms = p->w->now_ms,
		.rules = p->submission.objects ? NULL : &o->rules,
	};
}

static struct executors_site executors_site_of(const struct pass *p)
{
	return (struct executors_site){
		.app = p->app,
		.driver = p->driver,
		.pods = p->w->pods,
		.pod_count = p->w->pod_count,
		.submission_id = p->submission_id,
		.app_id = app_id_of(p),
		.is_as_submitted = text_eq(p->submission_id, p->names.submission_id),
		.outcomes = p->w->outcomes,
		.now_ms = p->w->now_ms,
	};
}

/* The driver runs. If nothing is wrong with it, something may be wrong with its executors. Returns the message, owned
 * by the pass. */
static const char *look_at_executors(struct pass *p, const char *driver_message)
{
	const struct executors_site site = executors_site_of(p);

	executors_look(&p->executors, &site);
	if (p->executors.next_ms >= 0)
		plan_requeue(p->plan, p->executors.next_ms);
	if (!text_empty(driver_message) || !p->executors.message)
		return driver_message;
	p->status.reason = p->executors.reason;
	return p->executors.message;
}

/* The driver pod exists. The application takes its state from the pod. */
static int follow_driver(struct pass *p)
{
	static const enum app_state by_driver[] = {
		[DRIVER_PENDING] = APP_SUBMITTED, [DRIVER_RUNNING] = APP_RUNNING, [DRIVER_COMPLETED] = APP_SUCCEEDING,
		[DRIVER_FAILED] = APP_FAILING,	  [DRIVER_UNKNOWN] = APP_UNKNOWN,
	};
	const struct pod_view *driver = p->driver;
	const struct driver_look look = look_of(p);
	enum app_state state = by_driver[monitor_driver_state(driver)];
	auto_free char *message = monitor_driver_message(&look);
	int64_t next_ms = monitor_driver_next_ms(&look);
	struct json *tree = p->status.tree;
	struct companions_view view;
	const char *told;

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
	if (next_ms >= 0)
		plan_requeue(p->plan, next_ms);
	if (monitor_driver_is_stuck(driver, p->w->now_ms))
		state = APP_UNKNOWN;
	told = state == APP_RUNNING ? look_at_executors(p, message) : message;
	set_state(p, state, status_steady_message(p->app->error_message, told));
	return 0;
}

/* The driver pod exists, but the cache has not seen it for a while. Only one that lacks a label stays unseen. */
static bool tell_unseen_driver(struct pass *p)
{
	const struct failure *f = p->w->failure;
	auto_free char *message = NULL;

	if (!is_in_the_way(p, &resource_pod) || p->w->now_ms - f->since_ms < UNSEEN_MS)
		return false;
	message = xasprintf(
	    "driver pod %s is there, but cannot be followed: does it still have the label " LABEL_LAUNCHED_BY "=true?",
	    driver_name(p));
	if (text_eq(p->app->error_message, message))
		return false;
	status_set_message(&p->status, message);
	plan_requeue(p->plan, UNSEEN_MS);
	return true;
}

/* What errorMessage says, for a driver pod that is gone. That the pod is being deleted is then no longer true, but why
 * it was deleted is. */
static const char *last_trouble(const struct pass *p)
{
	auto_free char *deleting = xasprintf("driver pod %s is being deleted", driver_name(p));
	const char *message = text_empty(p->app->error_message) ? "" : p->app->error_message;

	if (!text_starts(message, deleting))
		return message;
	message += strlen(deleting);
	return text_starts(message, ": ") ? message + 2 : message;
}

/* Ends the run of a driver pod that is gone. The cache does not prove that, so the API server is asked first. */
static void lose_driver(struct pass *p, const char *how)
{
	const char *before = last_trouble(p);
	auto_free char *message = NULL;

	if (tell_unseen_driver(p))
		return;
	message =
	    xasprintf("driver pod not found: %s %s%s%s", driver_name(p), how, before[0] ? "; before: " : "", before);
	p->needs_absence = true;
	end_in(p, APP_FAILING, message);
}

/* The driver pod is not in the cache. In SUBMITTED the cache may be late, so the pod has
 * driver_pod_creation_grace_ms to appear. */
static int miss_driver(struct pass *p)
{
	const struct app *app = p->app;
	int64_t limit_ms = p->options->driver_pod_creation_grace_ms;
	int64_t waited_ms = p->w->now_ms - app->last_submission_ms;

	if (app->state == APP_SUBMITTED && app->last_submission_ms > 0 && waited_ms < limit_ms) {
		plan_requeue(p->plan, waited_ms < 0 ? limit_ms : limit_ms - waited_ms);
		return 0;
	}
	lose_driver(p, app->state == APP_SUBMITTED ? "never appeared or was deleted" : "was deleted");
	return 0;
}

/* The last plan failed. Its failure is told, or ends the submission, when its time has come. */
static void handle_failure(struct pass *p)
{
	auto_refusal refusal = { 0 };
	const char *reported;

	if (crd_requires_state(p)) {
		p->told = true;
		set_state(p, APP_NEW, p->app->error_message);
		return;
	}
	refusal_judge(&refusal, p->w->failure, p->app, p->options->refusal_deadline_ms, p->w->now_ms);
	if (refusal.next_ms >= 0)
		plan_deadline(p->plan, refusal.next_ms);
	if (refusal.is_final) {
		p->doomed = p->driver; /* its Service was refused: no executor would find it */
		fail_submission(p, refusal.message);
	} else if (refusal.is_told) {
		p->told = true;
		reported = status_steady_message(p->app->error_message, refusal.message);
		set_state(p, APP_NEW, reported);
		status_set_condition(&p->status, "Submitted", "False", refusal.reason, reported);
	}
}

/* ---- rows ---- */

/* The name of the Service of the submission that the driver pod is of; the spec may have been edited since. Owned; NULL
 * if the pod does not tell. */
static char *service_of_driver(const struct pass *p)
{
	return app_names_service(p->app, names_run(p->driver->submission_id), p->driver->submitted_spec);
}

/* The driver pod was to be deleted, and the proof has failed that its Service is not there. */
static bool has_found_service(const struct pass *p)
{
	auto_free char *name = service_of_driver(p);

	return name && is_in_the_way(p, &resource_service) && text_eq(p->w->failure->name, name);
}

/*
 * The Service is created after the driver pod, so a submission is complete when its Service is there. A submission of
 * an earlier version or of another operator has no number, and counts as complete. So does one whose driver has ended.
 */
static bool is_complete(const struct pass *p)
{
	enum driver_state state = monitor_driver_state(p->driver);

	return names_run(p->driver->submission_id) == 0 || state == DRIVER_COMPLETED || state == DRIVER_FAILED ||
	       (p->w->outcomes && outcomes_have(p->w->outcomes, &resource_service, p->driver->submission_id)) ||
	       has_found_service(p);
}

static bool is_of_this_spec(const struct pass *p)
{
	return text_eq(p->driver->submission_id, p->names.submission_id);
}

/* Waiting may have no end, and then the message says why. Owned. */
static char *waiting_message(struct pass *p)
{
	const struct driver_look look = look_of(p);
	int64_t next_ms = monitor_driver_next_ms(&look);

	if (next_ms >= 0)
		plan_requeue(p->plan, next_ms);
	if (monitor_driver_is_stuck(p->driver, p->w->now_ms))
		return monitor_driver_message(&look);
	return xasprintf("waiting for the end of driver pod %s, which %s", driver_name(p),
			 is_of_this_spec(p) ? "was deleted before its submission was complete"
					    : "was made of an earlier spec");
}

/* The submission of a driver pod was not completed. The Service is still to be created, but for a pod of another spec,
 * which is deleted, so that the spec as it is now can be submitted. Nor for a pod that is being deleted: it may be the
 * operator that did it, and the spec has been edited back since. That it cannot be deleted is told by its failure. */
static int resume_submission(struct pass *p)
{
	auto_free char *message = NULL;

	if (is_of_this_spec(p) && !p->driver->deleting)
		return build_submission(p);
	if (!p->driver->deleting)
		p->doomed = p->driver;
	message = waiting_message(p);
	if (p->told)
		return 0;
	p->told = true;
	set_state(p, APP_NEW, message);
	status_set_condition(&p->status, "Submitted", "False", "NameInUse", message);
	return 0;
}

/* Whether no plan for the application has gone through yet, as far as this process knows. */
static bool is_first_plan(const struct pass *p)
{
	return !p->driver && p->app->submission_attempts == 0 && !(p->w->outcomes && p->w->outcomes->len > 0);
}

static int hold_back(struct pass *p)
{
	set_state(p, APP_NEW, NULL);
	status_set_condition(&p->status, "Submitted", "False", "Suspended", "spec.suspend is true: not submitted");
	return 0;
}

/*
 * Until the driver pod is seen, nothing is recorded and the submission is repeated. Objects that exist already are
 * adopted, so a lost reply or a late watch does no harm. Once the Service is there, the driver pod has been there: if
 * it is missing then, it has run and is gone. Each time, the check proves that the application's stored state has not
 * changed.
 */
static int on_new(struct pass *p)
{
	const struct app *app = p->app;
	int rc;

	if (p->driver && is_complete(p))
		return follow_driver(p);
	if (!p->driver && is_in_the_way(p, &resource_service)) {
		set_attempt(p);
		json_set_i64(p->status.tree, "executionAttempts", app->execution_attempts + 1);
		lose_driver(p, "was deleted before it was seen");
		return 0;
	}
	if (!p->driver && app->suspend && app->submission_attempts == 0)
		return hold_back(p);
	if (p->w->failure)
		handle_failure(p);
	else
		p->added = is_first_plan(p);
	if (p->state == APP_SUBMISSION_FAILED)
		return 0;
	rc = p->driver ? resume_submission(p) : build_submission(p);
	if (p->submission.objects)
		plan_requeue(p->plan, p->driver ? 0 : RECREATE_MS); /* what has its Service is followed at once */
	return rc;
}

/* Whether the deletion of the driver pod has been denied for as long as a refusal is stood. */
static bool is_deletion_given_up(const struct pass *p)
{
	const struct failure *f = p->w->failure;

	return f && f->type == ACTION_DELETE && f->err.code == ERR_DENIED &&
	       p->w->now_ms - f->since_ms >= p->options->refusal_deadline_ms;
}

/* A driver that appears now after all is followed if its submission is complete, else it is deleted. Nobody looks after
 * it once the application has ended, so first its deletion has to succeed. */
static int on_submission_failed(struct pass *p)
{
	if (p->driver && is_complete(p))
		return follow_driver(p);
	if (p->driver && !p->driver->deleting) {
		p->doomed = p->driver;
		plan_requeue(p->plan, RECREATE_MS);
		if (!is_deletion_given_up(p))
			return 0;
	}
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

/* An application that has ended must not take a driver with it that runs all the same. */
static bool driver_is_alive(const struct pass *p)
{
	enum driver_state state = p->driver ? monitor_driver_state(p->driver) : DRIVER_COMPLETED;

	return state != DRIVER_COMPLETED && state != DRIVER_FAILED;
}

static int on_ended(struct pass *p)
{
	const struct app *app = p->app;
	int64_t ttl_s = app->has_ttl ? app->ttl_s : p->options->default_ttl_s;
	int64_t ttl_ms;
	int64_t due_ms;
	int64_t rest_ms;

	if (!(app->has_ttl || ttl_s > 0) || app->terminated_ms == 0 || driver_is_alive(p))
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
	if (!p->driver)
		submit_prove_absence(app, driver_name(p), p->submission_id, p->plan);
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

static void create_submission(struct pass *p)
{
	const struct submit submit = {
		.app = p->app,
		.names = &p->names,
		.has_driver = p->driver != NULL,
		.executor = p->submission.executor,
		.failure = p->w->failure,
	};

	submit_plan(&submit, p->submission.objects, p->plan);
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

static void ask_for_executors(struct pass *p)
{
	const struct executors_site site = executors_site_of(p);
	const struct submission_options options = submission_options_of(p, false);

	executors_plan(&p->executors, &site, &options, p->plan);
}

/* Deletes the driver's PodDisruptionBudget when the application has ended or no longer asks for one. */
static void drop_pdb(struct pass *p)
{
	const struct driver_pdb *pdb = p->w->pdb;
	bool ended = app_state_is(p->state, STATE_ENDED);

	if (pdb && p->options->driver_pdb && (ended || !driver_pdb_wanted(p->app)))
		plan_delete(p->plan, &resource_poddisruptionbudget, pdb->ns, pdb->name, pdb->uid);
}

/* Whether the outcomes of creations are no longer needed. That the Service is there is needed until the status records
 * the submission, and what became of companions until the status reports them or the application has ended, and what is
 * known of missing executors until they are there. */
static bool forgets_outcomes(const struct pass *p)
{
	const struct app *app = p->app;

	if (app->state == APP_NEW || app->state == APP_SUBMISSION_FAILED || p->executors.is_missing)
		return false;
	return app_state_is((enum app_state)app->state, STATE_ENDED) ||
	       (p->w->outcomes && companions_are_reported(app, p->w->outcomes));
}

/*
 * Whether the spec is not the one that was submitted. The submission id tells, unless an earlier version or another
 * operator made it. A spec that could not be read was not submitted, so there the generation tells. A spec of the first
 * generation was never edited.
 */
static bool is_edited(const struct pass *p)
{
	const struct app *app = p->app;

	if (p->state == APP_NEW || app->generation <= 1)
		return false;
	if (status_has_reason(app->status, "Submitted", UNREADABLE_REASON))
		return json_i64(app->status, "observedGeneration", app->generation) != app->generation;
	return names_run(p->submission_id) > 0 && !text_eq(p->submission_id, p->names.submission_id);
}

static struct report report_of(struct pass *p)
{
	return (struct report){
		.app = p->app,
		.state = p->state,
		.is_edited = is_edited(p),
		.status = &p->status,
		.driver = p->driver,
		.driver_name = driver_name(p),
	};
}

/* Plans the status write, and returns whether there is one. A status patch is the most expensive of all writes, so a
 * submission that was not refused does without. */
static bool write_status(struct pass *p, const struct report *report)
{
	bool is_needed = !p->submission.objects || p->told;

	status_set_executors(&p->status, p->state, p->w->pods, p->w->pod_count, p->submission_id,
			     p->options->max_tracked_executors);
	report_conditions(report);
	return is_needed && status_plan(&p->status, p->plan);
}

/* A driver pod is deleted only if its submission was not completed. What became of its Service, the process that has
 * created it may have taken with it, so the API server is asked. */
static void prove_incomplete(struct pass *p)
{
	auto_free char *service = service_of_driver(p);

	if (service)
		plan_absent(p->plan, &resource_service, p->app->ns, service, p->app->uid);
}

/* Turns the row's decisions into actions. The first action is a status write or a check, with proofs that a pod or a
 * Service is absent before it. Both carry the resourceVersion, so both prove that the application is still as the row
 * saw it. Actions that cannot be undone come after that. */
static void finish_pass(struct pass *p)
{
	const struct app *app = p->app;
	const struct report report = report_of(p);
	const struct companions_view view = companions_view_of(p);
	auto_companions due = { 0 };
	bool is_written;

	if (p->deleted)
		return;
	if (p->needs_absence)
		submit_prove_absence(app, driver_name(p), p->submission_id, p->plan);
	if (p->doomed)
		prove_incomplete(p);
	is_written = write_status(p, &report);
	if (wants_companions(p))
		companions_due(&due, &view, p->plan);
	if (!is_written && (p->submission.objects || p->doomed || due.len > 0))
		plan_check(p->plan, app_kind.res, app->ns, app->name, app->uid, app->resource_version);
	if (p->added)
		report_added(app, &p->options->rules, p->plan);
	if (is_written)
		report_events(&report, p->w->pods, p->w->pod_count, p->plan);
	if (p->doomed)
		plan_delete(p->plan, &resource_pod, p->doomed->ns, p->doomed->name, p->doomed->uid);
	create_submission(p);
	create_companions(p, &view, &due);
	ask_for_executors(p);
	drop_pdb(p);
	if (forgets_outcomes(p))
		plan_forget_outcomes(p->plan);
}

int reconcile(const struct world *w, const struct reconcile_options *options, struct plan *plan, struct err *err)
{
	const struct app *app = w->app;
	struct pass p = { .w = w, .options = options, .app = app, .plan = plan, .err = err };
	int rc;

	if (app->deleting)
		return 0;
	if (w->problem) {
		unreadable_reconcile(w, plan);
		return 0;
	}
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
	executors_look_done(&p.executors);
	status_done(&p.status);
	app_names_done(&p.names);
	return rc;
}
