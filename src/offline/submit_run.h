/*
 * Runs the spark-submit of a Spark home against an API server of our own.
 */
#ifndef OFFLINE_SUBMIT_RUN_H
#define OFFLINE_SUBMIT_RUN_H

#include "json/json.h"

/*
 * command: {"args", "files"} of submission_command(). Returns {"requests": […]}, and "error" if spark-submit refused;
 * owned. NULL + *err if it could not be run, was stopped, or failed for another reason: the end of what it printed is
 * in the message.
 */
struct json *submit_run(const char *spark_home, const struct json *command, struct err *err);
/* By the name of its spark-core jar; "unknown version" without. Owned. */
char *submit_run_version(const char *spark_home);

#endif
