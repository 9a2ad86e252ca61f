/*
 * The metrics of the controller, see controller_metrics.h. The table has one row per metric family. A family of the
 * work queue has the label `name`, a family of the controller has the label `controller`. Only the counter of results
 * has a second label, `result`.
 *
 * Happy path: the controller reports each event as it happens, and the gauges at each collection. Nothing here fails.
 */
#include "controller_metrics.h"

#include "base/mem.h"
#include "base/text.h"

enum family {
	DEPTH,
	DELAYED,
	OLDEST,
	ADDS,
	RETRIES,
	QUEUE_TIME,
	WORK_TIME,
	UNFINISHED,
	LONGEST,
	RESULTS,
	ERRORS,
	RECONCILE_TIME,
	WORKERS,
	MAX_WORKERS,
	FAMILY_COUNT,
};

struct controller_metrics {
	struct metric *families[FAMILY_COUNT];
	char *name;
};

static const double queue_buckets[] = { 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000 };
static const double reconcile_buckets[] = { 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3,  0.35,
					    0.4,   0.45, 0.5,	0.6,  0.7, 0.8,	 0.9, 1,    1.25, 1.5,
					    1.75,  2,	 2.5,	3,    3.5, 4,	 4.5, 5,    6,	  7,
					    8,	   9,	 10,	15,   20,  25,	 30,  40,   50,	  60 };

/* The results that controller_metrics_finished accepts. */
static const char *const results[] = { "success", "requeue_after", "error" };

static const struct {
	enum metric_type type;
	const char *name;
	const char *help;
	const char *labels[3];
	const double *buckets;
	size_t bucket_count;
} rows[FAMILY_COUNT] = {
	[DEPTH] = { METRIC_GAUGE, "workqueue_depth", "Keys that are due and wait", { "name" }, NULL, 0 },
	[DELAYED] = { METRIC_GAUGE,
		      "spark_operator_workqueue_delayed",
		      "Keys that are to be looked at later",
		      { "name" },
		      NULL,
		      0 },
	[OLDEST] = { METRIC_GAUGE,
		     "spark_operator_workqueue_oldest_age_seconds",
		     "How long the oldest key that waits has been due",
		     { "name" },
		     NULL,
		     0 },
	[ADDS] = { METRIC_COUNTER, "workqueue_adds_total", "Additions to the queue", { "name" }, NULL, 0 },
	[RETRIES] = { METRIC_COUNTER, "workqueue_retries_total", "Retries after a failure", { "name" }, NULL, 0 },
	[QUEUE_TIME] = { METRIC_HISTOGRAM,
			 "workqueue_queue_duration_seconds",
			 "How long keys wait from when they are due",
			 { "name" },
			 queue_buckets,
			 array_len(queue_buckets) },
	[WORK_TIME] = { METRIC_HISTOGRAM,
			"workqueue_work_duration_seconds",
			"How long keys are worked on",
			{ "name" },
			queue_buckets,
			array_len(queue_buckets) },
	[UNFINISHED] = { METRIC_GAUGE,
			 "workqueue_unfinished_work_seconds",
			 "Age of all work under way, added up",
			 { "name" },
			 NULL,
			 0 },
	[LONGEST] = { METRIC_GAUGE,
		      "workqueue_longest_running_processor_seconds",
		      "Age of the oldest work under way",
		      { "name" },
		      NULL,
		      0 },
	[RESULTS] = { METRIC_COUNTER,
		      "controller_runtime_reconcile_total",
		      "Plans by result",
		      { "controller", "result" },
		      NULL,
		      0 },
	[ERRORS] = { METRIC_COUNTER,
		     "controller_runtime_reconcile_errors_total",
		     "Plans that failed",
		     { "controller" },
		     NULL,
		     0 },
	[RECONCILE_TIME] = { METRIC_HISTOGRAM,
			     "controller_runtime_reconcile_time_seconds",
			     "From making a plan to its end",
			     { "controller" },
			     reconcile_buckets,
			     array_len(reconcile_buckets) },
	[WORKERS] = { METRIC_GAUGE, "controller_runtime_active_workers", "Plans under way", { "controller" }, NULL, 0 },
	[MAX_WORKERS] = { METRIC_GAUGE,
			  "controller_runtime_max_concurrent_reconciles",
			  "Plans that may be under way at the same time",
			  { "controller" },
			  NULL,
			  0 },
};

static void set_gauge(struct controller_metrics *cm, enum family f, double value)
{
	const char *const values[] = { cm->name };

	metric_set(cm->families[f], values, value);
}

static void count_one(struct controller_metrics *cm, enum family f)
{
	const char *const values[] = { cm->name };

	metric_add(cm->families[f], values, 1);
}

static void observe_ms(struct controller_metrics *cm, enum family f, int64_t ms)
{
	const char *const values[] = { cm->name };

	metric_observe(cm->families[f], values, (double)ms / 1000);
}

struct controller_metrics *controller_metrics_new(struct metrics *m, const char *name, unsigned max_plans)
{
	struct controller_metrics *cm;

	if (!m)
		return NULL;
	cm = xcalloc(1, sizeof(*cm));
	cm->name = xstrdup(name);
	for (size_t f = 0; f < FAMILY_COUNT; f++) {
		cm->families[f] = metrics_family(m, rows[f].type, rows[f].name, rows[f].help, rows[f].labels,
						 rows[f].buckets, rows[f].bucket_count);
		if (f != RESULTS)
			metric_init(cm->families[f], (const char *const[]){ name });
	}
	for (size_t i = 0; i < array_len(results); i++)
		metric_init(cm->families[RESULTS], (const char *const[]){ name, results[i] });
	set_gauge(cm, MAX_WORKERS, max_plans);
	return cm;
}

void controller_metrics_free(struct controller_metrics *cm)
{
	if (!cm)
		return;
	free(cm->name);
	free(cm);
}

void controller_metrics_added(struct controller_metrics *cm)
{
	if (cm)
		count_one(cm, ADDS);
}

void controller_metrics_retried(struct controller_metrics *cm)
{
	if (cm)
		count_one(cm, RETRIES);
}

void controller_metrics_taken(struct controller_metrics *cm, int64_t waited_ms)
{
	if (cm)
		observe_ms(cm, QUEUE_TIME, waited_ms);
}

void controller_metrics_finished(struct controller_metrics *cm, const char *result, int64_t worked_ms)
{
	const char *values[2] = { NULL, result };

	if (!cm)
		return;
	values[0] = cm->name;
	metric_add(cm->families[RESULTS], values, 1);
	if (text_eq(result, "error"))
		count_one(cm, ERRORS);
	observe_ms(cm, WORK_TIME, worked_ms);
	observe_ms(cm, RECONCILE_TIME, worked_ms);
}

void controller_metrics_load(struct controller_metrics *cm, const struct controller_load *load)
{
	set_gauge(cm, DEPTH, (double)load->waiting);
	set_gauge(cm, DELAYED, (double)load->delayed);
	set_gauge(cm, OLDEST, (double)load->oldest_ms / 1000);
	set_gauge(cm, WORKERS, (double)load->busy);
	set_gauge(cm, LONGEST, (double)load->longest_ms / 1000);
	set_gauge(cm, UNFINISHED, (double)load->all_ms / 1000);
}
