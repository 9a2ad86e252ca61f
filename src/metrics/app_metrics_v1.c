/*
 * The names of the operator before 2.0 (kubeflow pkg/controller/sparkapplication/sparkapp_metrics.go and
 * pkg/util/metrics.go of v1beta2-1.3 to 1.6), for dashboards that have them.
 *
 * What only has another name is shown a second time; what is counted at another moment has a family of its own:
 * success and failure at the end of the driver and not of the application, the start also of a driver that was never
 * seen running. The queue's times are seconds whatever the name says, as they were there.
 * spark_app_failed_submission_count, which was counted there but never shown, is shown here.
 */
#include "app_metrics_internal.h"
#include "base/text.h"
#include "metric_labels.h"

enum family {
	HANDLED,
	SUCCESS,
	FAILURE,
	SUCCESS_TIME,
	FAILURE_TIME,
	START_LATENCY,
	START_HISTOGRAM,
	FAMILIES,
};

static const struct {
	enum metric_type type;
	const char *name;
	const char *help;
} rows[FAMILIES] = {
	[HANDLED] = { METRIC_COUNTER, "spark_app_count", "Applications that were taken up" },
	[SUCCESS] = { METRIC_COUNTER, "spark_app_success_count", "Drivers that succeeded" },
	[FAILURE] = { METRIC_COUNTER, "spark_app_failure_count", "Drivers that failed" },
	[SUCCESS_TIME] = { METRIC_SUMMARY, "spark_app_success_execution_time_microseconds",
			   "From submission to success" },
	[FAILURE_TIME] = { METRIC_SUMMARY, "spark_app_failure_execution_time_microseconds",
			   "From submission to failure" },
	[START_LATENCY] = { METRIC_SUMMARY, "spark_app_start_latency_microseconds",
			    "From creation of an application to its first running driver" },
	[START_HISTOGRAM] = { METRIC_HISTOGRAM, "spark_app_start_latency_seconds",
			      "From creation of an application to its first running driver" },
};

static const struct twin {
	const char *name;
	enum metric_type type;
	size_t offset;
	const char *help;
} twins_rows[] = {
	{ "spark_app_submit_count", METRIC_COUNTER, offsetof(struct app_metrics_twins, submit),
	  "Successful submissions" },
	{ "spark_app_failed_submission_count", METRIC_COUNTER, offsetof(struct app_metrics_twins, failed_submission),
	  "Failed submissions" },
	{ "spark_app_running_count", METRIC_GAUGE, offsetof(struct app_metrics_twins, running),
	  "Applications that are running" },
	{ "spark_app_executor_running_count", METRIC_GAUGE, offsetof(struct app_metrics_twins, executor_running),
	  "Executors that are running" },
	{ "spark_app_executor_success_count", METRIC_COUNTER, offsetof(struct app_metrics_twins, executor_success),
	  "Executors that completed" },
	{ "spark_app_executor_failure_count", METRIC_COUNTER, offsetof(struct app_metrics_twins, executor_failure),
	  "Executors that failed" },
};

static const char queue_name[] = "spark-application-controller";

static const struct {
	const char *suffix;
	enum metric_type type;
	const char *of;
	const char *help;
} queue_rows[] = {
	{ "_depth", METRIC_GAUGE, "workqueue_depth", "Keys that are due and wait" },
	{ "_adds", METRIC_COUNTER, "workqueue_adds_total", "Additions to the queue" },
	{ "_latency", METRIC_SUMMARY, "workqueue_queue_duration_seconds",
	  "How long keys wait from when they are due, in seconds" },
	{ "_work_duration", METRIC_SUMMARY, "workqueue_work_duration_seconds",
	  "How long keys are worked on, in seconds" },
	{ "_retries", METRIC_COUNTER, "workqueue_retries_total", "Retries after a failure" },
	{ "_unfinished_work_seconds", METRIC_GAUGE, "workqueue_unfinished_work_seconds",
	  "Age of all work under way, added up" },
	{ "_longest_running_processor_microseconds", METRIC_GAUGE, "workqueue_longest_running_processor_seconds",
	  "Age of the oldest work under way, in seconds" },
};

struct app_metrics_v1 {
	struct metric *families[FAMILIES];
};

static void add_queue(struct metrics *m, const char *prefix)
{
	const char *const values[] = { queue_name };

	for (size_t i = 0; i < array_len(queue_rows); i++) {
		auto_free char *plain = xasprintf("%s%s", queue_name, queue_rows[i].suffix);
		auto_free char *name = metric_name(prefix, plain);
		const struct metric *of = metrics_find(m, queue_rows[i].of);

		if (of)
			metrics_alias(m, of, queue_rows[i].type, name, queue_rows[i].help, values);
	}
}

static void add_twins(struct metrics *m, const char *prefix, const struct app_metrics_twins *twins)
{
	for (size_t i = 0; i < array_len(twins_rows); i++) {
		const struct twin *row = &twins_rows[i];
		auto_free char *name = metric_name(prefix, row->name);
		const void *at = (const char *)twins + row->offset;

		metrics_alias(m, *(const struct metric *const *)at, row->type, name, row->help, NULL);
	}
}

struct app_metrics_v1 *app_metrics_v1_new(struct metrics *m, const char *prefix, const char *const *labels,
					  const struct app_metrics_buckets *start,
					  const struct app_metrics_twins *twins)
{
	struct app_metrics_v1 *v1 = xcalloc(1, sizeof(*v1));

	for (size_t f = 0; f < FAMILIES; f++) {
		auto_free char *name = metric_name(prefix, rows[f].name);

		v1->families[f] = metrics_family(m, rows[f].type, name, rows[f].help, labels, start->bounds,
						 f == START_HISTOGRAM ? start->count : 0);
	}
	add_twins(m, prefix, twins);
	add_queue(m, prefix);
	return v1;
}

void app_metrics_v1_touch(struct app_metrics_v1 *v1, const char *const *values)
{
	for (size_t f = 0; f < FAMILIES; f++)
		metric_init(v1->families[f], values);
}

void app_metrics_v1_remove(struct app_metrics_v1 *v1, const char *const *values)
{
	for (size_t f = 0; f < FAMILIES; f++)
		metric_remove(v1->families[f], values);
}

/* A driver may be too quick to be seen running. */
static bool has_started(const struct app_change *c)
{
	if (app_metrics_enters(c, APP_RUNNING))
		return true;
	return c->was->state == APP_SUBMITTED &&
	       (app_metrics_enters(c, APP_SUCCEEDING) || app_metrics_enters(c, APP_FAILING));
}

void app_metrics_v1_app(struct app_metrics_v1 *v1, const struct app_change *c, const char *const *values)
{
	double ran_us = app_metrics_seconds(c->is->last_submission_ms, c->is->terminated_ms) * 1e6;
	double start_s = app_metrics_seconds(c->is->created_ms, c->wall_ms);

	if (!c->was)
		return;
	if (c->was->state == APP_NEW && c->is->state != APP_NEW)
		metric_add(v1->families[HANDLED], values, 1);
	if (app_metrics_enters(c, APP_SUCCEEDING)) {
		metric_add(v1->families[SUCCESS], values, 1);
		metric_observe(v1->families[SUCCESS_TIME], values, ran_us);
	}
	if (app_metrics_enters(c, APP_FAILING)) {
		metric_add(v1->families[FAILURE], values, 1);
		metric_observe(v1->families[FAILURE_TIME], values, ran_us);
	}
	if (has_started(c) && c->is->execution_attempts == 1) {
		metric_observe(v1->families[START_LATENCY], values, start_s * 1e6);
		metric_observe(v1->families[START_HISTOGRAM], values, start_s);
	}
}
