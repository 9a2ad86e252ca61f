/*
 * Native submission: makes the objects that start a SparkApplication, without a JVM. They are those that spark-submit
 * --deploy-mode cluster would create (docs/submission.md), with the operator's labels and owner.
 *
 *   validate ─▶ conf (rows: spec field → Spark property, Spark's precedence)
 *            ─▶ steps (each adds to driver pod and properties)
 *            ─▶ ConfigMap (spark.properties, executor template), headless Service, what else was asked for, driver Pod
 */
#ifndef SUBMISSION_SUBMISSION_H
#define SUBMISSION_SUBMISSION_H

#include "spark/app.h"
#include "rules/policy.h"
#include "rules/problems.h"

struct submission_options {
	const char *master; /* spark.master: "k8s://https://HOST:PORT" */
	/* spark.app.submitTime. It is not read from the clock: a repetition has to find the same time again, so that it
	 * builds the same bytes. */
	int64_t submitted_ms;
	bool with_executor; /* also make the pod that the driver will create for its first executor */
	struct rule_options rules;
	/* The URL format of the web UI's Ingress. NULL: there is no Ingress. Spark has to know of a path in it. */
	const char *ui_url_format;
};

struct submission {
	/* An array, in the order in which the objects are to be created; the driver pod is the last. Owned. */
	struct json *objects;
	/* With with_executor: the pod that the driver would create for its first executor. Owned, NULL without. It is
	 * for reading; names that the driver takes from chance are made up. */
	struct json *executor;
};

/*
 * ERR_INVALID with all that is wrong with the spec, each line in Kubernetes' style: `spec.driver.memory: Invalid value:
 * "1gg": expected …`. What cannot be carried out is refused, never ignored.
 */
int submission_validate(const struct app *app, struct err *err);
/* run: its number, 1, 2, … (struct app_names). Validates first. */
int submission_build(const struct app *app, int64_t run, const struct submission_options *options,
		     struct submission *ret, struct err *err);
void submission_done(struct submission *s);
/* Adds the problems that validation finds. If it finds none, adds those that building finds. */
void submission_problems(struct problems *p, const struct app *app, const struct rule_options *rules);

/* The number of executors with which Spark starts (Utils.getDynamicAllocationInitialExecutors). */
int64_t submission_executors(const struct app *app);

/* The first object of that kind, borrowed; NULL if there is none (or no submission). */
const struct json *submission_find(const struct submission *s, const char *kind);

/*
 * The spark-submit that says the same: {"args": […], "files": {NAME: TEXT}}, owned. The arguments are those after
 * --master, --deploy-mode and spark.kubernetes.submission.waitAppCompletion=false; {dir} in them is to be replaced by
 * the folder that holds the files. Some fields Spark's configuration cannot express; submission_fields() adds them to
 * the driver pod that the command creates.
 */
int submission_command(const struct app *app, int64_t run, struct json **ret, struct err *err);
/* Adds to the driver or executor pod (as its label spark-role says) what the application's fields ask for beyond
 * Spark's configuration. Twice is once. ERR_INVALID names the field. */
int submission_fields(const struct app *app, struct json *pod, struct err *err);

#endif
