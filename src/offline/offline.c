/*
 * Reads SparkApplications from files and builds what submission would create of them.
 *
 * Failure modes: an object that is no valid SparkApplication is reported, and the next one follows.
 */
#include "offline.h"

#include <string.h>

#include "base/text.h"
#include "json/files.h"
#include "lifecycle/companions.h"
#include "rules/check.h"
#include "spark/ui_url.h"

#define OFFLINE_UID "00000000-0000-0000-0000-000000000000"

static void set_default(struct json *object, const char *name, const char *value)
{
	if (!json_get(object, name))
		json_set_str(object, name, value);
}

/* The API server makes a name of generateName; which one, nobody knows beforehand. A wrong prefix is for the rules to
 * find. */
static void generate_name(struct json *metadata)
{
	auto_free char *name = xasprintf("%sxxxxx", json_str(metadata, "generateName", ""));

	if (!text_empty(json_str(metadata, "generateName", NULL)) && !check_app_name(name))
		set_default(metadata, "name", name);
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
	generate_name(metadata);
	return app_decode(object, ret, err);
}

static void append_companions(const struct options *o, const struct app *app, const struct app_names *names,
			      enum offline_parts parts, struct json *objects)
{
	const struct ingress_options ingress = {
		.url_format = o->ingress_url_format,
		.class_name = o->ingress_class_name,
		.tls = o->ingress_tls,
		.annotations = o->ingress_annotations,
	};
	const struct companions_site site = {
		.app = app,
		.submission_id = names->submission_id,
		.app_id = names->app_id,
		.driver_pod = names->driver_pod,
		.options = { o->ui_service, o->driver_pdb, &ingress },
	};
	auto_companions companions = { 0 };

	companions_list(&companions, &site);
	for (size_t i = 0; i < companions.len; i++)
		if (parts == OFFLINE_ALL || companions.items[i].type == COMPANION_UI_SERVICE)
			json_append(objects, companions_build(&site, &companions.items[i]));
}

int offline_build(const struct options *o, const struct app *app, enum offline_parts parts, struct submission *ret,
		  struct err *err)
{
	const struct submission_options options = {
		.master = o->master,
		.with_executor = true,
		.rules = options_rules(o),
		.ui_url_format = o->ui_service ? o->ingress_url_format : NULL,
	};
	struct app_names names;
	int rc = submission_build(app, o->run, &options, ret, err);

	if (rc)
		return rc;
	app_names_init(&names, app, o->run);
	append_companions(o, app, &names, parts, ret->objects);
	app_names_done(&names);
	return 0;
}

/* Prints one line for each line of text, since a text may name several fields. */
static void print_problem_lines(FILE *errors, const char *path, const struct json *object, const char *text)
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
	print_problem_lines(each->errors, path, object, err.msg);
	return false;
}

int offline_each(const struct options *o, const char *command, offline_fn *fn, void *context, FILE *errors)
{
	struct each each = { .fn = fn, .context = context, .errors = errors };

	return offline_objects(o, command, call_each, &each, errors);
}
