/*
 * Offline rendering: for each SparkApplication of the files, what submission would create and the first executor that
 * its driver would, as YAML documents or one JSON List. An object that can't be rendered is reported and the others go
 * on.
 */
#include "offline/render.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "json/yaml.h"
#include "offline.h"

struct rendering {
	const struct options *o;
	struct json *items;
};

static int render_object(void *context, struct json *object, struct err *err)
{
	const struct rendering *r = context;
	struct submission submission = { 0 };
	struct app app;

	if (offline_app(object, &app, err) < 0 || offline_build(r->o, &app, OFFLINE_ALL, &submission, err) < 0)
		return err_code(err);
	for (struct json *item = json_take_first(submission.objects); item; item = json_take_first(submission.objects))
		json_append(r->items, item);
	json_append(r->items, take_ptr(submission.executor));
	submission_done(&submission);
	return 0;
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
	struct rendering rendering = { .o = o, .items = items };
	int code = offline_each(o, "render", render_object, &rendering, errors);

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
