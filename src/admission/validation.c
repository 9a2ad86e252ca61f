/*
 * All problems of one object, by its kind: what the webhook answers, and what the offline command prints.
 *
 * A SparkApplication is checked by its rules and, if it keeps them, by building all that a submission would create.
 * Fields that the view needs and cannot read (app_decode) are problems too; those of the status are not the author's.
 */
#include "admission/validation.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "kinds.h"
#include "submission/submission.h"
#include "rules/policy.h"

enum { LINES_MAX = 100, TEXT_MAX = 16 << 10, TAIL_SIZE = 40 };

void validate_application(struct problems *p, const struct json *object, const struct rule_options *options)
{
	struct err err = { 0 };
	struct app app = { .tree = object };
	auto_free char *generated = xasprintf("%sxxxxx", json_str(object, "metadata.generateName", ""));
	int rc = app_decode(object, &app, &err);

	if (!app.name)
		app.name = generated;
	submission_problems(p, &app, options);
	if (rc && !text_starts(err.msg, "status")) {
		auto_free char *path = xstrndup(err.msg, strcspn(err.msg, ":"));

		if (!problems_has(p, path))
			problems_add_err(p, &err);
	}
}

static const struct {
	const char *kind;
	void (*check)(struct problems *p, const struct json *object, const struct rule_options *options);
} kinds[] = {
	{ "SparkApplication", validate_application },
	{ "ScheduledSparkApplication", validate_scheduled },
	{ "SparkConnect", validate_connect },
};

bool validation_knows(const char *kind)
{
	for (size_t i = 0; i < array_len(kinds); i++)
		if (text_eq(kind, kinds[i].kind))
			return true;
	return false;
}

/* The rules of the kind; then what of the schema an API server has compared already, and files have not. An object that
 * is too large, or has more problems than there is room for, is not looked at twice. */
static void check_kind(struct problems *p, const struct json *object, size_t i, const struct rule_options *options)
{
	static const char *const paths[] = { "metadata", "spec" };

	kinds[i].check(p, object, options);
	if (problems_is_full(p) || json_find(p->list, "reason", "FieldValueTooMany"))
		return;
	for (size_t k = 0; k < array_len(paths); k++) {
		const struct schema_part part = { kinds[i].kind, paths[k], NULL };

		schema_check(p, &part, json_get(object, paths[k]), SCHEMA_ALL);
	}
}

struct json *validation_problems(const struct json *object, const struct rule_options *options)
{
	const char *kind = json_str(object, "kind", "");
	auto_problems p;

	problems_init(&p);
	if (!validation_knows(kind))
		problems_invalid_text(&p, "kind", kind,
				      "supported values: \"SparkApplication\", \"ScheduledSparkApplication\", "
				      "\"SparkConnect\"");
	for (size_t i = 0; i < array_len(kinds); i++)
		if (text_eq(kind, kinds[i].kind))
			check_kind(&p, object, i, options);
	return problems_take(&p);
}

struct json *validation_doubts(const struct json *object, const struct rule_options *options)
{
	const char *kind = json_str(object, "kind", "");
	auto_problems p;

	problems_init(&p);
	if (text_eq(kind, "SparkApplication"))
		validate_doubts(&p, json_get(object, "spec"), options);
	if (text_eq(kind, "ScheduledSparkApplication")) {
		p.spec = "spec.template";
		validate_doubts(&p, json_at(object, "spec.template"), options);
		p.spec = NULL;
	}
	return problems_take(&p);
}

struct json *validation_unknown_fields(const struct json *object)
{
	auto_problems dropped, unknown;
	auto_json kept = NULL;
	struct json *list;

	problems_init(&dropped);
	problems_init(&unknown);
	schema_unknown(&dropped, &unknown, object, json_str(object, "kind", ""));
	list = problems_take(&dropped);
	kept = problems_take(&unknown);
	for (struct json *one = json_take_first(kept); one; one = json_take_first(kept))
		json_append(list, one);
	return list;
}

char *validation_line(const struct json *problem)
{
	const char *field = json_str(problem, "field", ""), *message = json_str(problem, "message", "");

	return xasprintf("%s%s%s", field, *field ? ": " : "", message);
}

/* utilerrors.Aggregate's form. */
char *validation_text(const struct json *problems)
{
	size_t shown = 0, count = json_len(problems);
	int64_t left = 0;
	auto_buf text = { 0 };

	if (!count)
		return NULL;
	buf_init(&text, TEXT_MAX - TAIL_SIZE);
	buf_puts(&text, count > 1 ? "[" : "");
	json_each (problem, problems) {
		auto_free char *line = validation_line(problem);
		auto_free char *next = xasprintf("%s%s", shown ? ", " : "", line);

		if (left || !*json_str(problem, "field", "") || shown == LINES_MAX || !buf_puts(&text, next))
			left += json_i64(problem, "count", 1);
		else
			shown++;
	}
	if (!left)
		return xasprintf("%s%s", buf_str(&text), count > 1 ? "]" : "");
	return xasprintf("%s, … and %lld more]", buf_str(&text), (long long)left);
}
