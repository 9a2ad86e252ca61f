/*
 * The admission webhook without its server: which handler answers which path, and what it answers.
 *
 * Happy path of a pod: its label names an application of the cache, the pod is copied, mutated as submission would
 * have built it, and the difference is the patch. Of an application: defaults the same way; all problems of a
 * validation in one denial, then the quotas. Of an update only those problems count that it brings (ratchet.c). Paths
 * are those of kubeflow's operator (kubeflow internal/webhook; controller-runtime generateMutatePath,
 * generateValidatePath).
 *
 * In doubt a request is allowed: deletions, subresources, objects of another kind, updates that leave spec and labels
 * as they are, and pods whose application is not known, these with a warning. Denied is only what cannot work, with the
 * field that is wrong.
 */
#include "admission/admission.h"

#include <string.h>

#include "base/text.h"
#include "json/patch.h"
#include "quota.h"
#include "ratchet.h"
#include "spark/pod.h"
#include "admission/registration.h"

enum {
	DENIED_INVALID = 422,
	DENIED_FORBIDDEN = 403,
	WARNINGS_MAX = 10, /* of each kind; the API server passes on at most 4 KiB of warnings */
};

/* Adds a warning to the reply. Takes text. */
static void append_warning(struct review_reply *reply, char *text)
{
	if (!reply->warnings)
		reply->warnings = json_new_array();
	json_append_str(reply->warnings, text);
	free(text);
}

static void deny_review(struct review_reply *reply, int code, const char *reason, const char *message)
{
	reply->denied = true;
	reply->code = code;
	reply->reason = reason;
	reply->message = xstrdup(message);
}

/* Whether the request creates or updates an object of the kind that the path is for. */
static bool is_review_of_kind(const struct review *r, const struct resource *res, struct review_reply *reply)
{
	if (!r->object || !text_empty(r->subresource) ||
	    (r->operation != REVIEW_CREATE && r->operation != REVIEW_UPDATE))
		return false;
	if (text_eq(r->group, res->group) && text_eq(r->plural, res->plural))
		return true;
	append_warning(reply, xasprintf("spark-operator: %s%s%s are not what this webhook is for: check its rules",
					r->plural, text_empty(r->group) ? "" : ".", r->group));
	return false;
}

/* Whether the request is an update that leaves what is at both paths as it is, or comes too late to matter. */
static bool is_settled(const struct review *r, const char *path, const char *other)
{
	if (r->operation != REVIEW_UPDATE)
		return false;
	return json_is(json_at(r->object, "metadata.deletionTimestamp"), JSON_STRING) ||
	       (json_equal(json_at(r->object, path), json_at(r->old_object, path)) &&
		json_equal(json_at(r->object, other), json_at(r->old_object, other)));
}

/* ---- pods ---- */

static bool is_watched(const struct admission *a, const char *ns)
{
	for (size_t i = 0; registration_system[i]; i++)
		if (text_eq(ns, registration_system[i]))
			return false;
	for (size_t i = 0; i < a->namespace_count; i++)
		if (text_eq(ns, a->namespaces[i]))
			return true;
	return a->namespace_count == 0;
}

/* Finds the pod's application in the cache. NULL if it is not known; then the reply has a warning that says why. */
static const struct app *application_of(const struct admission *a, const char *ns, const char *name,
					struct review_reply *reply)
{
	auto_free char *key = xasprintf("%s/%s", ns, name);
	const struct kobj *o = store_get(a->apps, key);

	if (!o)
		append_warning(reply, xasprintf("SparkApplication %s is not known: its pod is left as it is", key));
	else if (!o->view)
		append_warning(reply, xasprintf("SparkApplication %s cannot be read, its pod is left as it is: %s", key,
						o->problem ? o->problem : ""));
	return o ? o->view : NULL;
}

/* The denial has no causes, since the field at fault is the application's and not the pod's. */
static void deny_pod(const struct app *app, const char *text, struct review_reply *reply)
{
	auto_free char *message = xasprintf("SparkApplication %s/%s: %s", app->ns, app->name, text);

	deny_review(reply, DENIED_INVALID, "Invalid", message);
}

static void mutate_pod(const struct admission *a, const struct review *r, struct review_reply *reply)
{
	const struct json *labels = json_at(r->object, "metadata.labels");
	const char *name = json_text(json_get(labels, LABEL_APP_NAME), "");
	const char *ns = text_empty(r->ns) ? json_str(r->object, "metadata.namespace", "") : r->ns;
	const struct app *app;
	struct err err = { 0 };
	auto_json pod = NULL;

	if (!is_review_of_kind(r, &resource_pod, reply) || r->operation != REVIEW_CREATE || !*name ||
	    !is_watched(a, ns))
		return;
	if (pod_role_of(r->object) == POD_ROLE_OTHER) {
		append_warning(reply, xasprintf("label " LABEL_SPARK_ROLE " is neither driver nor executor: the pod of "
						"SparkApplication %s/%s is left as it is",
						ns, name));
		return;
	}
	app = application_of(a, ns, name, reply);
	if (!app)
		return;
	pod = json_dup(r->object);
	if (admission_mutate_pod(app, pod, &err) < 0)
		deny_pod(app, err.msg, reply);
	else
		reply->patch = json_patch_diff(r->object, pod);
}

/* ---- applications ---- */

static void mutate_application(const struct admission *a, const struct review *r, struct review_reply *reply)
{
	auto_json defaulted = NULL;

	(void)a;
	if (!is_review_of_kind(r, &resource_sparkapplication, reply) || is_settled(r, "spec", "spec"))
		return;
	defaulted = json_dup(r->object);
	admission_default(defaulted);
	reply->patch = json_patch_diff(r->object, defaulted);
}

/* Kubeflow's operator has no defaults for them either. */
static void mutate_scheduled(const struct admission *a, const struct review *r, struct review_reply *reply)
{
	(void)a;
	is_review_of_kind(r, &resource_scheduledsparkapplication, reply);
}

static void mutate_connect(const struct admission *a, const struct review *r, struct review_reply *reply)
{
	(void)a;
	is_review_of_kind(r, &resource_sparkconnect, reply);
}

static void set_absent(struct json *metadata, const char *name, const char *value)
{
	if (text_empty(json_str(metadata, name, NULL)) && !text_empty(value))
		json_set_str(metadata, name, value);
}

/* Copies the object and sets namespace and name, which the object of a creation may lack. A generated name gets its
 * five random characters only later. Owned. */
static struct json *copy_with_name(const struct review *r, const struct json *object)
{
	struct json *copy = json_dup(object), *metadata = json_ensure_object(copy, "metadata");
	const char *prefix = json_str(metadata, "generateName", NULL);
	auto_free char *generated = text_empty(prefix) ? NULL : xasprintf("%sxxxxx", prefix);

	set_absent(metadata, "namespace", r->ns);
	set_absent(metadata, "name", r->name);
	set_absent(metadata, "name", generated);
	return copy;
}

static void deny_problems(const struct json *problems, struct review_reply *reply)
{
	static const char *const members[] = { "reason", "message", "field" };
	auto_free char *text = validation_text(problems);

	deny_review(reply, DENIED_INVALID, "Invalid", text);
	reply->causes = json_new_array();
	json_each (problem, problems) {
		struct json *cause = json_append(reply->causes, json_new_object());

		for (size_t i = 0; i < array_len(members); i++)
			json_set_str(cause, members[i], json_str(problem, members[i], NULL));
	}
}

/* Warns of the first of them. what: "unknown fields", for the number of the others. */
static void warn_of_problems(const struct json *problems, const char *what, struct review_reply *reply)
{
	int64_t shown = 0, left = 0;

	json_each (problem, problems) {
		if (shown == WARNINGS_MAX || !json_get(problem, "field")) {
			left += json_i64(problem, "count", 1);
			continue;
		}
		append_warning(reply, validation_line(problem));
		shown++;
	}
	if (left)
		append_warning(reply, xasprintf("… and %lld more %s", (long long)left, what));
}

/* An object with unknown fields is accepted, since the cluster's CRD or its Kubernetes may know more fields than this
 * operator does. */
static void warn_of_fields(const struct json *object, struct review_reply *reply)
{
	auto_json unknown = validation_unknown_fields(object);

	warn_of_problems(unknown, "unknown fields", reply);
}

/* The problems that the update brings. The reply warns of those that the stored object has already. Owned. */
static struct json *new_problems(const struct admission *a, const struct review *r, const struct ratchet_side *now,
				 struct review_reply *reply)
{
	auto_json stored = copy_with_name(r, r->old_object);
	auto_json problems = validation_problems(stored, &a->rules);
	struct json *brought;
	auto_json known = NULL;

	ratchet_split(now, &(struct ratchet_side){ stored, problems }, &brought, &known);
	warn_of_problems(known, "problems that were there before", reply);
	return brought;
}

/* All problems of a new object; of an update, those that it brings. Owned. */
static struct json *problems_to_deny(const struct admission *a, const struct review *r, const struct json *object,
				     struct review_reply *reply)
{
	struct json *problems = validation_problems(object, &a->rules);
	struct json *brought;

	if (r->operation != REVIEW_UPDATE || !r->old_object || !json_len(problems))
		return problems;
	brought = new_problems(a, r, &(struct ratchet_side){ object, problems }, reply);
	json_free(problems);
	return brought;
}

/* What an application with problems of before asks for cannot be counted. Validation has warned of them. */
static void check_quotas(const struct admission *a, const struct review *r, const struct json *object,
			 struct review_reply *reply)
{
	struct app app, before;
	struct err err = { 0 }, ignored = { 0 };
	bool replaces = r->old_object && app_decode(r->old_object, &before, &ignored) == 0;
	int rc = app_decode(object, &app, &err);

	if (!rc)
		rc = quota_check(a->quotas, &app, replaces ? &before : NULL, &a->rules, &err);
	if (rc && (err.code == ERR_DENIED || r->operation == REVIEW_CREATE))
		deny_review(reply, err.code == ERR_DENIED ? DENIED_FORBIDDEN : DENIED_INVALID,
			    err.code == ERR_DENIED ? "Forbidden" : "Invalid", err.msg);
}

static void validate_review(const struct admission *a, const struct review *r, const struct resource *res,
			    struct review_reply *reply)
{
	auto_json object = NULL;
	auto_json problems = NULL;
	auto_json doubts = NULL;

	/* pods get the labels of their application */
	if (!is_review_of_kind(r, res, reply) || is_settled(r, "spec", "metadata.labels"))
		return;
	object = copy_with_name(r, r->object);
	problems = problems_to_deny(a, r, object, reply);
	warn_of_fields(object, reply);
	if (json_len(problems)) {
		deny_problems(problems, reply);
		return;
	}
	doubts = validation_doubts(object, &a->rules);
	warn_of_problems(doubts, "doubts", reply);
	if (a->quotas && res == &resource_sparkapplication)
		check_quotas(a, r, object, reply);
}

static void validate_application(const struct admission *a, const struct review *r, struct review_reply *reply)
{
	validate_review(a, r, &resource_sparkapplication, reply);
}

static void validate_scheduled(const struct admission *a, const struct review *r, struct review_reply *reply)
{
	validate_review(a, r, &resource_scheduledsparkapplication, reply);
}

static void validate_connect(const struct admission *a, const struct review *r, struct review_reply *reply)
{
	validate_review(a, r, &resource_sparkconnect, reply);
}

const struct admission_path admission_paths[] = {
	{ "/mutate--v1-pod", "pod", mutate_pod },
	{ "/mutate-sparkoperator-k8s-io-v1beta2-sparkapplication", "sparkapplication", mutate_application },
	{ "/mutate-sparkoperator-k8s-io-v1beta2-scheduledsparkapplication", "scheduledsparkapplication",
	  mutate_scheduled },
	{ "/mutate-sparkoperator-k8s-io-v1alpha1-sparkconnect", "sparkconnect", mutate_connect },
	{ "/validate-sparkoperator-k8s-io-v1beta2-sparkapplication", "sparkapplication", validate_application },
	{ "/validate-sparkoperator-k8s-io-v1beta2-scheduledsparkapplication", "scheduledsparkapplication",
	  validate_scheduled },
	{ "/validate-sparkoperator-k8s-io-v1alpha1-sparkconnect", "sparkconnect", validate_connect },
	{ NULL, NULL, NULL },
};
