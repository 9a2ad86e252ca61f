/*
 * Adds to a pod what a SparkApplication's driver and executor fields ask for and Spark's configuration cannot express.
 */
#ifndef SUBMISSION_POD_ROWS_H
#define SUBMISSION_POD_ROWS_H

#include <stdbool.h>

#include "spark/app.h"

struct pod_ctx {
	const char *app_name;
	const struct json *spec; /* of the application */
	const char *role;	 /* "driver" or "executor": the member of spec */
	struct json *container;	 /* the Spark container, in the pod */
	bool is_template;	 /* Spark makes a pod of it, and appends its own env */
	bool is_admitted;	 /* it went through Spark and the API server, which add to what fields say */
	/* It was built by a submission. Only that is missing of an executor which Spark overwrites in its template. */
	bool is_built;
};

/* The context for a whole pod of the application, which nobody built or admitted so far. It is an executor if its label
 * says so, else a driver. Everything in the context is borrowed. */
struct pod_ctx pod_rows_context(const struct app *app, const struct json *pod);

/* pod: a Pod with metadata and spec. Applying twice changes nothing more. ERR_INVALID names the field. */
int pod_rows_apply(const struct pod_ctx *ctx, struct json *pod, struct err *err);

#endif
