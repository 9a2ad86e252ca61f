/*
 * Offline rendering: for each SparkApplication of the files, and one run of each ScheduledSparkApplication, what
 * submission would create and the first executor that its driver would, as YAML documents or one JSON List. An object
 * that can't be rendered is reported and the others go on.
 */
#include "offline/render.h"

#include <errno.h>
#include <string.h>

#include "admission/validation.h"
#include "base/text.h"
#include "json/yaml.h"
#include "offline.h"

struct rendering {
	const struct options *o;
	struct json *items;
	FILE *errors;
};

/* Prints all problems that validate would find, with the paths that the object has: a run of a schedule has others.
 * Returns whether there are any. */
static bool print_problems_of(const struct rendering *r, const struct offline_object *object)
{
	const struct rule_options options = options_rules(r->o);
	auto_json problems = validation_problems(object->object, &options);

	json_each (problem, problems) {
		auto_free char *line = validation_line(problem);

		offline_print_lines(r->errors, object->title, line);
	}
	return json_len(problems) > 0;
}

static int render_app(const struct rendering *r, const struct app *app, struct err *err)
{
	struct submission submission = { 0 };

	if (offline_build(r->o, app, OFFLINE_ALL, &submission, err) < 0)
		return err_code(err);
	for (struct json *item = json_take_first(submission.objects); item; item = json_take_first(submission.objects))
		json_append(r->items, item);
	json_append(r->items, take_ptr(submission.executor));
	submission_done(&submission);
	return 0;
}

static bool render_object(void *context, const struct offline_object *object)
{
	const struct rendering *r = context;
	const char *skipped;
	struct err err = { 0 };
	struct app app;

	if (object->res == &resource_scheduledsparkapplication && print_problems_of(r, object))
		return false;
	if (offline_app(object, &app, &skipped, &err) == 0 && render_app(r, &app, &err) == 0)
		return true;
	if (skipped)
		fprintf(r->errors, "%s: skipped: %s\n", object->title, skipped);
	else if (!print_problems_of(r, object))
		offline_print_lines(r->errors, object->title, err.msg);
	return skipped != NULL;
}

static void print_yaml(const struct json *items, FILE *out)
{
	json_each (item, items) {
		auto_free char *text = yaml_print(item);

		fprintf(out, "---\n%s", text);
	}
}

static void print_json(struct json *items, FILE *out)
{
	auto_json list = json_new_object();
	auto_free char *text = NULL;

	json_set_str(list, "apiVersion", "v1");
	json_set_str(list, "kind", "List");
	json_set(list, "items", items);
	text = json_print_pretty(list);
	fputs(text, out);
}

int render_run(const struct options *o, FILE *out, FILE *errors)
{
	auto_json items = json_new_array();
	struct rendering rendering = { .o = o, .items = items, .errors = errors };
	const struct offline_walk walk = {
		.command = "render",
		.fn = render_object,
		.context = &rendering,
		.notes = errors, /* the output holds objects only */
		.errors = errors,
	};
	int code = offline_objects(o, &walk);

	if (o->files.len == 0)
		return code;
	if (text_eq(o->output, "json"))
		print_json(take_ptr(items), out);
	else
		print_yaml(items, out);
	if (fflush(out) != 0 || ferror(out)) {
		fprintf(errors, "render: cannot write: %s\n", strerror(errno));
		code = 1;
	}
	return code;
}
