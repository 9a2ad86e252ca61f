/*
 * Validation of a ScheduledSparkApplication: its schedule, as robfig/cron's ParseStandard reads it, and its template,
 * by all rules of a SparkApplication, with the metadata that its runs will have.
 *
 * Kubeflow's operator finds a wrong schedule or template only when a run is due, and never looks again.
 */
#include <string.h>

#include "base/text.h"
#include "kinds.h"
#include "rules/cron.h"
#include "rules/policy.h"

/* Runs are called NAME-TIME, as kubeflow's operator calls them (scheduledsparkapplication/controller.go). */
static const char *const run_suffixes[] = {
	[RUN_NANOS] = "-1700000000000000000", [RUN_MICROS] = "-1700000000000000", [RUN_MILLIS] = "-1700000000000",
	[RUN_SECONDS] = "-1700000000",	      [RUN_MINUTES] = "-28333333",
};

enum { RUN_NAME_MAX = 63 };

static const char *check_policy(const char *text)
{
	return text_eq(text, "Allow") || text_eq(text, "Forbid") || text_eq(text, "Replace")
		   ? NULL
		   : "supported values: \"Allow\", \"Forbid\", \"Replace\"";
}

static const struct rule rules[] = {
	{ "timeZone", cron_check_zone },
	{ "concurrencyPolicy", check_policy },
};

/* Types of the template come with its rules. */
static const struct schema_part part = { "ScheduledSparkApplication", "spec",
					 (const char *const[]){ "template", NULL } };

static const struct bound bounds[] = {
	{ "successfulRunHistoryLimit", 0, INT64_MAX },
	{ "failedRunHistoryLimit", 0, INT64_MAX },
};

static void check_spec(struct problems *p, const struct json *spec)
{
	const struct json *schedule = json_get(spec, "schedule");
	struct cron cron;
	struct err err = { 0 };

	schema_check(p, &part, spec, SCHEMA_TYPES);
	validate_rules(p, spec, "spec.", rules, array_len(rules));
	validate_bounds(p, spec, "spec.", bounds, array_len(bounds));
	if (!json_has(spec, "schedule") || text_eq(json_text(schedule, NULL), ""))
		problems_add(p, "spec.schedule", "Required value");
	else if (json_is(schedule, JSON_STRING) && cron_parse(json_text(schedule, ""), &cron, &err) < 0)
		problems_invalid(p, "spec.schedule", schedule, err.msg);
	if (!json_has(spec, "template"))
		problems_add(p, "spec.template", "Required value");
}

/* Returns an application as a run of the schedule, with a name that is valid whatever the schedule's name is. Owned. */
static struct json *make_run(const struct json *object, const char *suffix)
{
	struct json *run = json_new_object(), *metadata = json_ensure_object(run, "metadata");
	const struct json *labels = json_at(object, "metadata.labels");
	const char *name = json_str(object, "metadata.name", "");

	if (check_app_name(name) || strlen(name) + strlen(suffix) > RUN_NAME_MAX)
		name = "run";
	json_setf(metadata, "name", "%s%s", name, suffix);
	json_set_str(metadata, "namespace", json_str(object, "metadata.namespace", NULL));
	if (labels)
		json_set(metadata, "labels", json_dup(labels));
	json_set(run, "spec", json_dup(json_at(object, "spec.template")));
	return run;
}

void validate_scheduled(struct problems *p, const struct json *object, const struct rule_options *options)
{
	static const char cure[] = ", unless --scheduled-spark-application-timestamp-precision is coarser";
	const char *suffix = run_suffixes[options->run_precision];
	auto_free char *why =
	    xasprintf("runs are called NAME%s%s", suffix, options->run_precision == RUN_MINUTES ? "" : cure);
	auto_json run = NULL;

	validate_name(p, object, RUN_NAME_MAX - strlen(suffix), why);
	check_spec(p, json_get(object, "spec"));
	if (!json_is(json_at(object, "spec.template"), JSON_OBJECT))
		return;
	run = make_run(object, suffix);
	p->spec = "spec.template";
	validate_application(p, run, options);
	p->spec = NULL;
}
