/*
 * Goes through the objects of files, and builds what submission would create of those that are, or contain, a
 * SparkApplication.
 *
 * Failure modes: an object that the API server would refuse is reported, and the next one follows.
 */
#include "offline.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "json/files.h"
#include "lifecycle/companions.h"
#include "rules/check.h"
#include "spark/ui_url.h"

#define OFFLINE_UID "00000000-0000-0000-0000-000000000000"

enum {
	LABEL_MAX = 63,
	RUN_TIME_MAX = 19, /* digits of nanoseconds */
	SHOWN_MAX = 253,   /* of kinds and names */
	UTF8_MAX = 4	   /* bytes of a character */
};

static const struct resource *const resources[] = {
	&resource_sparkapplication,
	&resource_scheduledsparkapplication,
	&resource_sparkconnect,
};

/* ---- an application of an object ---- */

/* Sets what the API server would set: an empty text and null are as good as absent there. */
static void set_default(struct json *metadata, const char *name, const char *value)
{
	const struct json *there = json_get(metadata, name);

	if (!there || json_is(there, JSON_NULL) || text_eq(json_text(there, NULL), ""))
		json_set_str(metadata, name, value);
}

/* The API server makes a name of generateName; which one, nobody knows beforehand. A wrong prefix is for the rules to
 * find. */
static void generate_name(struct json *metadata)
{
	auto_free char *name = xasprintf("%sxxxxx", json_str(metadata, "generateName", ""));

	if (!text_empty(json_str(metadata, "generateName", NULL)) && !check_app_name(name))
		set_default(metadata, "name", name);
}

/* Turns a schedule into the application that it would create, NAME-TIME. */
static void make_run(struct json *object)
{
	struct json *metadata = json_get(object, "metadata");
	const char *name = json_str(metadata, "name", "");
	size_t room = strlen(name) + 1 < LABEL_MAX ? LABEL_MAX - strlen(name) - 1 : 0;
	auto_free char *run =
	    xasprintf("%s-%.*s", name, room < RUN_TIME_MAX ? (int)room : RUN_TIME_MAX, "xxxxxxxxxxxxxxxxxxx");
	struct json *spec = json_take(json_get(object, "spec"), "template");

	if (!text_empty(name))
		json_set_str(metadata, "name", run);
	json_remove(metadata, "annotations"); /* runs get the labels only */
	json_remove(object, "status");
	json_set_str(object, "kind", resource_sparkapplication.kind);
	json_set(object, "spec", spec ? spec : json_new_object());
}

int offline_app(const struct offline_object *object, struct app *ret, const char **ret_skipped, struct err *err)
{
	struct json *metadata;

	*ret_skipped = NULL;
	if (object->res == &resource_sparkconnect) {
		*ret_skipped = "this version checks SparkConnects, but does not run them";
		return err_set(err, ERR_INVALID, "%s", *ret_skipped);
	}
	metadata = json_ensure_object(object->object, "metadata");
	set_default(metadata, "namespace", "default");
	set_default(metadata, "uid", OFFLINE_UID);
	generate_name(metadata);
	if (object->res == &resource_scheduledsparkapplication)
		make_run(object->object);
	return app_decode(object->object, ret, err);
}

/* ---- building ---- */

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

/* ---- the objects of files ---- */

static void hide_controls(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

void offline_print_lines(FILE *errors, const char *title, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		auto_free char *line = xstrndup(text, len);

		hide_controls(line);
		fprintf(errors, "%s: %s\n", title, line);
		text += len + (text[len] == '\n');
	}
}

/* The text as a part of one line, whatever a file holds there. Owned. */
static char *shown(const char *text)
{
	size_t len = 0, next = 1;

	while (text[len] && next > 0) {
		next = text_utf8_char(text + len, strnlen(text + len, UTF8_MAX));
		if (len + next > SHOWN_MAX)
			break;
		len += next;
	}

	char *copy = xstrndup(text, len);

	hide_controls(copy);
	return copy;
}

static const char *text_or(const struct json *object, const char *path, const char *other)
{
	const char *text = json_str(object, path, "");

	return *text ? text : other;
}

/* "PLACE: KIND NAMESPACE/NAME"; what is missing is said to be. Owned. */
static char *title_of(const char *place, const struct json *object)
{
	auto_free char *kind = shown(text_or(object, "kind", "(no kind)"));
	auto_free char *ns = shown(text_or(object, "metadata.namespace", "default"));
	auto_free char *name =
	    shown(text_or(object, "metadata.name", text_or(object, "metadata.generateName", "(no name)")));

	return xasprintf("%s: %s %s/%s", place, kind, ns, name);
}

static const struct resource *find_resource(const char *kind)
{
	for (size_t i = 0; i < array_len(resources); i++)
		if (text_eq(resources[i]->kind, kind))
			return resources[i];
	return NULL;
}

/* Sets *ret to the kind of an object. If it is none of ours, *ret is NULL and *ret_skipped says why nothing is wrong
 * with it. ERR_INVALID if the API server would refuse it. */
static int find_kind(const struct json *object, const struct resource **ret, const char **ret_skipped, struct err *err)
{
	const char *kind = json_str(object, "kind", ""), *version = json_str(object, "apiVersion", "");
	const char *slash = strchr(version, '/'), *group = resource_sparkapplication.group;
	const struct resource *res = find_resource(kind);
	bool is_ours = slash && (size_t)(slash - version) == strlen(group) && text_starts(version, group);

	*ret = NULL;
	if (!json_is(object, JSON_OBJECT))
		return err_set(err, ERR_INVALID, "expected an object with apiVersion and kind");
	if (!*kind)
		return err_set(err, ERR_INVALID, "kind: Required value");
	if (res && !*version)
		return err_set(err, ERR_INVALID, "apiVersion: Required value: it is %s/%s", group, res->version);
	if (is_ours && !res)
		return err_set(err, ERR_INVALID,
			       "kind: Unsupported value: \"%.*s\": supported values: \"SparkApplication\", "
			       "\"ScheduledSparkApplication\", \"SparkConnect\"",
			       SHOWN_MAX, kind);
	if (is_ours && !text_eq(slash + 1, res->version))
		return err_set(err, ERR_INVALID, "apiVersion: version %s is not served, %s is", slash + 1,
			       res->version);
	*ret = is_ours ? res : NULL;
	*ret_skipped = res ? "not of the group sparkoperator.k8s.io" : "not of a kind of this operator";
	return 0;
}

struct walking {
	const struct offline_walk *walk;
	const struct json *noted; /* notes that have been printed */
	bool good;
};

static void print_notes(struct walking *w, const char *place, const struct json *notes)
{
	if (w->noted == notes)
		return;
	json_each (note, notes)
		fprintf(w->walk->errors, "%s: warning: %s\n", place, json_text(note, ""));
	w->noted = notes;
}

static void visit_object(void *context, const struct files_place *at, struct json *object)
{
	struct walking *w = context;
	auto_free char *place = files_place_text(at), *title = title_of(place, object);
	struct offline_object found = {
		.path = at->path, .title = title, .object = object, .has_notes = json_len(at->notes) > 0
	};
	const char *skipped = NULL;
	struct err err = { 0 };

	if (find_kind(object, &found.res, &skipped, &err) < 0) {
		offline_print_lines(w->walk->errors, title, err.msg);
		w->good = false;
	} else if (!found.res) {
		fprintf(w->walk->notes, "%s: skipped: %s\n", title, skipped);
	} else {
		print_notes(w, place, at->notes);
		w->good = w->walk->fn(w->walk->context, &found) && w->good;
	}
}

static int is_manifest(const struct dirent *entry)
{
	static const char *const endings[] = { ".json", ".yaml", ".yml" };

	for (size_t i = 0; i < array_len(endings); i++)
		if (text_ends(entry->d_name, endings[i]))
			return 1;
	return 0;
}

static void visit_file(struct walking *w, const char *path)
{
	auto_free char *place = files_place_text(&(struct files_place){ .path = path });
	struct err err = { 0 };
	int count;

	w->noted = NULL;
	count = files_each_object(path, visit_object, w, &err);
	if (count > 0)
		return;
	if (count < 0)
		fprintf(w->walk->errors, "%s\n", err.msg);
	else
		fprintf(w->walk->errors, "%s: holds no object\n", place);
	w->good = false;
}

/* As kubectl: of a folder the files that end in .json, .yaml or .yml, in the order of their names. */
static void visit_path(struct walking *w, const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, is_manifest, alphasort);

	if (count < 0) {
		visit_file(w, path);
		return;
	}
	if (count == 0) {
		fprintf(w->walk->errors, "%s: the folder holds no .json, .yaml or .yml file\n", path);
		w->good = false;
	}
	for (int i = 0; i < count; i++) {
		auto_free char *file = xasprintf("%s%s%s", path, text_ends(path, "/") ? "" : "/", entries[i]->d_name);

		visit_file(w, file);
		free(entries[i]);
	}
	free(entries);
}

int offline_objects(const struct options *o, const struct offline_walk *walk)
{
	struct walking w = { .walk = walk, .good = true };

	if (o->files.len == 0) {
		fprintf(walk->errors, "%s: -f FILE is missing\n", walk->command);
		return 2;
	}
	for (size_t i = 0; i < o->files.len; i++)
		visit_path(&w, o->files.items[i]);
	return w.good ? 0 : 1;
}
