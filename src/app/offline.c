/*
 * SparkApplications from files, and what would become of them. Fails with what is wrong with the object.
 */
#include "offline.h"

#include <string.h>

#include "base/text.h"
#include "files.h"
#include "spark/ui_service.h"

#define OFFLINE_UID "00000000-0000-0000-0000-000000000000"

static void set_default(struct json *object, const char *name, const char *value)
{
	if (!json_get(object, name))
		json_set_str(object, name, value);
}

int offline_app(struct json *object, struct app *ret, struct err *err)
{
	const char *kind = json_str(object, "kind", "");
	struct json *metadata;

	if (!text_eq(kind, resource_sparkapplication.kind))
		return err_set(err, ERR_INVALID, "kind: \"%s\": expected SparkApplication", kind);
	metadata = json_ensure_object(object, "metadata");
	set_default(metadata, "namespace", "default");
	set_default(metadata, "uid", OFFLINE_UID);
	return app_decode(object, ret, err);
}

int offline_build(const struct options *o, const struct app *app, struct submission *ret, struct err *err)
{
	const struct submission_options options = {
		.master = o->master,
		.with_executor = true,
		.pod_policy = options_pod_policy(o),
	};
	struct app_names names;
	struct json *service;
	int rc;

	rc = submission_build(app, o->attempt, &options, ret, err);
	if (rc || !o->ui_service)
		return rc;
	app_names_init(&names, app, o->attempt);
	service = ui_service_build(app, names.submission_id);
	if (service)
		json_append(ret->objects, service);
	app_names_done(&names);
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

static bool each_of_file(const char *path, offline_object_fn *fn, void *context, FILE *errors)
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
	json_each (object, objects)
		good = fn(context, path, object) && good;
	return good;
}

int offline_objects(const struct options *o, const char *command, offline_object_fn *fn, void *context, FILE *errors)
{
	bool good = true;

	if (o->files.len == 0) {
		fprintf(errors, "%s: -f FILE is missing\n", command);
		return 2;
	}
	for (size_t i = 0; i < o->files.len; i++)
		good = each_of_file(o->files.items[i], fn, context, errors) && good;
	return good ? 0 : 1;
}

struct each {
	offline_fn *fn;
	void *context;
	FILE *errors;
};

static bool call_each(void *context, const char *path, struct json *object)
{
	const struct each *each = context;
	struct err err = { 0 };

	if (each->fn(each->context, object, &err) == 0)
		return true;
	report(each->errors, path, object, err.msg);
	return false;
}

int offline_each(const struct options *o, const char *command, offline_fn *fn, void *context, FILE *errors)
{
	struct each each = { .fn = fn, .context = context, .errors = errors };

	return offline_objects(o, command, call_each, &each, errors);
}
