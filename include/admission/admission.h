/*
 * What the webhook answers: validation, defaults and mutation of Spark pods. Pure: review in, reply out; the handlers
 * read only the caches, write nothing, and so are safe for dry runs.
 */
#ifndef ADMISSION_ADMISSION_H
#define ADMISSION_ADMISSION_H

#include "kube/review.h"
#include "kube/store.h"
#include "admission/validation.h"

struct admission {
	const struct store *apps;      /* SparkApplications */
	const struct store *quotas;    /* ResourceQuotas; NULL: not enforced */
	const char *const *namespaces; /* watched; none: all but the system's. Pods of others are left as they are */
	size_t namespace_count;
	struct rule_options rules;
};

/* Answers a review that came to path. reply is zeroed; it stays so if there is nothing to say. */
typedef void admission_fn(const struct admission *a, const struct review *r, struct review_reply *reply);

struct admission_path {
	const char *path; /* "/mutate--v1-pod" */
	const char *kind; /* "pod", "sparkapplication" … for metrics */
	admission_fn *fn;
};

/* NULL-path-terminated: those of kubeflow's operator (kubeflow internal/webhook). */
extern const struct admission_path admission_paths[];

/* Fills in what the spec leaves open, as kubeflow's defaulter does. */
void admission_default(struct json *application);
/*
 * Adds to a driver or executor pod (as its label spark-role says) what its application's spec says: owner, the fields
 * that Spark's configuration has no word for, secrets. Twice is once. A pod that a submission built is left as it is,
 * but for what Spark overwrites in the template of executors. ERR_INVALID names the field.
 */
int admission_mutate_pod(const struct app *app, struct json *pod, struct err *err);

/* ResourceQuotas as cached: trees are kept. */
extern const struct kind quota_kind;

#endif
