/*
 * Offline rendering: for each SparkApplication of the files, what submission would create and the first executor that its
 * driver would, as YAML documents or one JSON List.
 * An object that can't be rendered is reported and the others go on.
 */
#include "render.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "files.h"
#include "json/yaml.h"
#include "offline.h"

static int render_object(const struct options *o, struct json *object, struct json *items, struct err *err)
{
	struct submission submission = { 0 };
	struct app app;

	if (offline_app(object, &app, err) < 0 || offline_build(o, &app, &submission, err) < 0)
		return -(int)err->code;
	for (struct json *item = json_take_first(submission.objects); item; item = json_take_first(submission.objects))
		json_append(items, item);
	json_append(items, take_ptr(submission.executor));
	submission_done(&submission);
	return 0;
}

/* One line for each line of text, which may name several fields. */
static void report(FILE *errors, const char *path, const struct json *object, const char *text)
{
	const char *ns = json_str(object, "metadata.namespace", "default");
	const char *name = json_str(object, "metadata.name", "(no name)");

	while (*text) {
		size_t len = strcspn(text, "\n");

		fprintf(errors, "%s: %s/%s: %.*s\n", path, ns, name, (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static bool render_file(const struct options *o, const char *path, struct json *items, FILE *errors)
{
	struct err err = { 0 };
	auto_json objects = files_read_objects(path, &err);
	bool good = true;

	if (!objects) {
		fprintf(errors, "%s\n", err.msg);
		return false;
	}
	if (json_len(objects) == 0) {
		fprintf(errors, "%s: holds no object\n", path);
		return false;
	}
	json_each (object, objects) {
		if (render_object(o, object, items, &err) == 0)
			continue;
		report(errors, path, object, err.msg);
		good = false;
	}
	return good;
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
	bool good = true;

	if (o->files.len == 0) {
		fputs("render: -f FILE is missing\n", errors);
		return 2;
	}
	for (size_t i = 0; i < o->files.len; i++)
		good = render_file(o, o->files.items[i], items, errors) && good;
	if (text_eq(o->output, "json"))
		print_json(take_ptr(items), out);
	else
		print_yaml(items, out);
	if (fflush(out) != 0 || ferror(out)) {
		fprintf(errors, "render: cannot write: %s\n", strerror(errno));
		good = false;
	}
	return good ? 0 : 1;
}
