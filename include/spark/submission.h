/*
 * Native submission: from a SparkApplication to the objects that start it, without a JVM.
 * What spark-submit --deploy-mode cluster would create (docs/submission.md), with the operator's labels and owner.
 *
 *   validate ─▶ conf (rows: spec field → Spark property, Spark's precedence) ─▶ steps (each adds to driver pod, properties) ─▶
 *   ConfigMap (spark.properties, executor pod template), headless Service, driver Pod
 */
#ifndef SPARK_SUBMISSION_H
#define SPARK_SUBMISSION_H

#include "spark/app.h"

struct submission_options {
	const char *master; /* spark.master: "k8s://https://HOST:PORT" */
	int64_t
	    submitted_ms; /* spark.app.submitTime; not the clock's but one that a repetition finds again, so that it builds the same bytes */
};

/* In the order in which they are to be created. Owned; NULL before. */
struct submission {
	struct json *configmap;
	struct json *service;
	struct json *driver;
};

/*
 * ERR_INVALID with all that is wrong with the spec, each line in Kubernetes' style: `spec.driver.memory: Invalid value: "1gg": expected …`.
 * What this version cannot carry out is refused, never ignored.
 */
int submission_validate(const struct app *app, struct err *err);
/* attempt: 1, 2, … Validates first. */
int submission_build(const struct app *app, int64_t attempt, const struct submission_options *options,
		     struct submission *ret, struct err *err);
void submission_done(struct submission *s);

#endif
