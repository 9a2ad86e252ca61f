/*
 * Validation of a ScheduledSparkApplication: its schedule, as robfig/cron's ParseStandard reads it, and its template, by all
 * rules of a SparkApplication, with the metadata that its runs will have.
 *
 * The existing operator finds a wrong schedule or template only when a run is due, and never looks again.
 */
#include <ctype.h>
#include <string.h>

#include "base/duration.h"
#include "base/text.h"
#include "kinds.h"
#include "rules/policy.h"

/* Runs are called NAME-NANOSECONDS. */
#define RUN_SUFFIX "-1700000000000000000"

enum { NAME_MAX_LEN = 63 - (sizeof(RUN_SUFFIX) - 1) };

static const char *check_policy(const char *text)
{
	return text_eq(text, "Allow") || text_eq(text, "Forbid") || text_eq(text, "Replace")
		   ? NULL
		   : "supported values: \"Allow\", \"Forbid\", \"Replace\"";
}

/* Names of files below zoneinfo; whether there is such a zone only the scheduler can tell. */
static const char *check_zone(const char *text)
{
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/");

	return !text[len] && *text != '/' ? NULL : "expected the name of a time zone, such as Europe/Prague";
}

static const struct rule rules[] = {
	{ "schedule", RULE_STRING, NULL, 0 },
	{ "timeZone", RULE_STRING, check_zone, 0 },
	{ "suspend", RULE_BOOL, NULL, 0 },
	{ "concurrencyPolicy", RULE_STRING, check_policy, 0 },
	{ "successfulRunHistoryLimit", RULE_INTEGER, NULL, 0 },
	{ "failedRunHistoryLimit", RULE_INTEGER, NULL, 0 },
	{ "template", RULE_OBJECT, NULL, 0 },
};

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may", "jun",
					   "jul", "aug", "sep", "oct", "nov", "dec" };
static const char *const day_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

struct cron_field {
	const char *name;
	int64_t min;
	int64_t max;
	const char *const *names; /* of min, min + 1 … */
	size_t name_count;
};

static const struct cron_field cron_fields[] = {
	{ "minute", 0, 59, NULL, 0 },
	{ "hour", 0, 23, NULL, 0 },
	{ "day of month", 1, 31, NULL, 0 },
	{ "month", 1, 12, month_names, array_len(month_names) },
	{ "day of week", 0, 6, day_names, array_len(day_names) },
};

static bool parse_number(const struct cron_field *f, const char *text, int64_t *ret)
{
	for (size_t i = 0; i < f->name_count; i++) {
		*ret = f->min + (int64_t)i;
		if (strcasecmp(text, f->names[i]) == 0)
			return true;
	}
	return isdigit((unsigned char)*text) && text_i64(text, ret);
}

/* N, N-M, * or ?, with or without /STEP. Owned; NULL if it is right. */
static char *check_range(const struct cron_field *f, const char *text)
{
	auto_free char *range = xstrndup(text, strcspn(text, "/"));
	auto_free char *low = xstrndup(range, strcspn(range, "-"));
	const char *step = strchr(text, '/'), *high = strchr(range, '-');
	bool any = text_eq(low, "*") || text_eq(low, "?");
	int64_t from = f->min, to = f->max, by = 1;

	if (!any && !parse_number(f, low, &from))
		return xasprintf("%s: \"%s\" is no number%s", f->name, low, f->names ? " or name" : "");
	if (!any && high && !parse_number(f, high + 1, &to))
		return xasprintf("%s: \"%s\" is no number%s", f->name, high + 1, f->names ? " or name" : "");
	if (!any && !high && !step)
		to = from;
	if (step && (!isdigit((unsigned char)step[1]) || !text_i64(step + 1, &by) || by < 1))
		return xasprintf("%s: \"%s\": the step must be a number above 0", f->name, text);
	if (from < f->min || to > f->max || from > to)
		return xasprintf("%s: \"%s\" is not within %lld-%lld", f->name, text, (long long)f->min,
				 (long long)f->max);
	return NULL;
}

static char *check_field(const struct cron_field *f, const char *text)
{
	auto_strv ranges = { 0 };

	strv_split(&ranges, text, ',');
	if (!ranges.len)
		return xasprintf("%s: \"%s\" has no value", f->name, text);
	for (size_t i = 0; i < ranges.len; i++) {
		char *why = check_range(f, ranges.items[i]);

		if (why)
			return why;
	}
	return NULL;
}

static void split_blanks(struct strv *v, const char *text)
{
	static const char blanks[] = " \t\n\v\f\r";

	for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
		auto_free char *word = xstrndup(text, strcspn(text, blanks));

		strv_add(v, word);
		text += strlen(word);
	}
}

static char *check_fields(const char *text)
{
	auto_strv words = { 0 };

	split_blanks(&words, text);
	if (words.len != array_len(cron_fields))
		return xasprintf("expected 5 fields, minute, hour, day of month, month and day of week, found %zu",
				 words.len);
	for (size_t i = 0; i < words.len; i++) {
		char *why = check_field(&cron_fields[i], words.items[i]);

		if (why)
			return why;
	}
	return NULL;
}

/* A duration above 0, as Go's time.ParseDuration reads it. */
static bool is_interval(const char *text)
{
	int64_t ms;

	return duration_parse(text + (*text == '+'), &ms) && ms > 0;
}

static char *check_descriptor(const char *text)
{
	static const char *const names[] = { "@yearly", "@annually", "@monthly", "@weekly",
					     "@daily",	"@midnight", "@hourly" };

	for (size_t i = 0; i < array_len(names); i++)
		if (text_eq(text, names[i]))
			return NULL;
	if (!text_starts(text, "@every "))
		return xstrdup("expected @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly or @every "
			       "DURATION");
	return is_interval(text + strlen("@every "))
		   ? NULL
		   : xstrdup("expected a duration after @every, such as 90s or 1h30m");
}

/* Owned; NULL if it is right. */
static char *check_schedule(const char *text)
{
	if (text_starts(text, "TZ=") || text_starts(text, "CRON_TZ=")) {
		const char *zone = strchr(text, '=') + 1;
		auto_free char *name = xstrndup(zone, strcspn(zone, " "));

		if (check_zone(name))
			return xstrdup(check_zone(name));
		text = zone + strlen(name);
		text += strspn(text, " \t");
	}
	return *text == '@' ? check_descriptor(text) : check_fields(text);
}

static void check_spec(struct problems *p, const struct json *spec)
{
	const struct json *schedule = json_get(spec, "schedule");
	auto_free char *why = check_schedule(json_text(schedule, ""));

	validate_rules(p, spec, "spec.", rules, array_len(rules));
	if (!schedule || text_eq(json_text(schedule, NULL), ""))
		problems_add(p, "spec.schedule", "Required value");
	else if (why && json_is(schedule, JSON_STRING))
		problems_invalid(p, "spec.schedule", schedule, why);
	if (!json_get(spec, "template"))
		problems_add(p, "spec.template", "Required value");
}

/* A run, whose name is right whatever the schedule's is. Owned. */
static struct json *make_run(const struct json *object)
{
	struct json *run = json_new_object(), *metadata = json_ensure_object(run, "metadata");
	const struct json *labels = json_at(object, "metadata.labels");
	const char *name = json_str(object, "metadata.name", "");

	if (check_app_name(name) || strlen(name) > NAME_MAX_LEN)
		name = "run";
	json_setf(metadata, "name", "%s" RUN_SUFFIX, name);
	json_set_str(metadata, "namespace", json_str(object, "metadata.namespace", NULL));
	if (labels)
		json_set(metadata, "labels", json_dup(labels));
	json_set(run, "spec", json_dup(json_at(object, "spec.template")));
	return run;
}

void validate_scheduled(struct problems *p, const struct json *object, enum pod_policy policy)
{
	auto_json run = NULL;

	validate_name(p, object, NAME_MAX_LEN, "runs are called NAME" RUN_SUFFIX);
	check_spec(p, json_get(object, "spec"));
	if (!json_is(json_at(object, "spec.template"), JSON_OBJECT))
		return;
	run = make_run(object);
	p->spec = "spec.template";
	validate_application(p, run, policy);
	p->spec = NULL;
}
