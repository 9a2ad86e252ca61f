/*
 * The command `diff` compares the objects that this operator builds for SparkApplications with those that spark-submit
 * creates. Either the spark-submit of a Spark home is run, or recorded runs are read.
 *
 * Happy path: each application of the files is built, the counterpart is fetched, and both are compared. The output has
 * one line for the application, and below it one line for each difference. An application that both sides refuse counts
 * as equal.
 *
 * Failure modes: files cannot be read, spark-submit cannot be run, or an application has no spark-submit command since
 * this operator refuses the application. Each leads to exit code 2, and the other applications are still compared.
 */
#include "offline/diff.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "json/files.h"
#include "offline.h"
#include "compare.h"
#include "submit_run.h"

enum { DIFF_EQUAL = 0, DIFF_DIFFERENT, DIFF_FAILED, SHOWN_MAX = 300 };

struct diff {
	const struct options *o;
	FILE *out;
	FILE *errors;
	struct compare_rules *rules;
	struct json *results; /* of all applications */
	int code;
};

/* What one side, this operator or spark-submit, makes of an application. */
struct side {
	struct json *objects;
	struct json *executor;
	bool terse;
	char *refusal; /* NULL: none */
};

static void side_done(struct side *s)
{
	json_free(s->objects);
	json_free(s->executor);
	free(s->refusal);
}
#define auto_side __attribute__((cleanup(side_done))) struct side

static void raise_exit_code(struct diff *d, int code)
{
	if (code > d->code)
		d->code = code;
}

/* what: the title of the object, or what else failed. */
static void report_failure(struct diff *d, const char *what, const char *why)
{
	offline_print_lines(d->errors, what, why);
	raise_exit_code(d, DIFF_FAILED);
}

/* ---- both sides ---- */

static void build_ours(const struct diff *d, const struct app *app, struct side *ret)
{
	struct submission s = { 0 };
	struct err err = { 0 };

	if (offline_build(d->o, app, OFFLINE_SUBMISSION, &s, &err) < 0)
		ret->refusal = xstrdup(err.msg);
	ret->objects = take_ptr(s.objects);
	ret->executor = take_ptr(s.executor);
	submission_done(&s);
}

/* What the application is called here: as its recording, which has its name or, where many have the same, the name of
 * its file. Owned. */
static char *case_name(const struct diff *d, const char *file, const struct app *app)
{
	const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file, *dot = strrchr(base, '.');
	auto_free char *stem = xstrndup(base, dot ? (size_t)(dot - base) : strlen(base));
	auto_free char *named = xasprintf("%s/%s.json", d->o->recorded ? d->o->recorded : "", app->name);
	auto_free char *stemmed = xasprintf("%s/%s.json", d->o->recorded ? d->o->recorded : "", stem);

	if (d->o->recorded && access(named, F_OK) < 0 && access(stemmed, F_OK) == 0)
		return take_ptr(stem);
	return xstrdup(app->name);
}

static struct json *read_recording(const char *folder, const char *name, struct err *err)
{
	auto_free char *path = xasprintf("%s/%s.json", folder, name);
	auto_json documents = files_read_objects(path, err);

	if (!documents)
		return NULL;
	if (json_len(documents) != 1) {
		err_set(err, ERR_INVALID, "%s: expected one recording", path);
		return NULL;
	}
	return json_take_first(documents);
}

static struct json *run_submit(const struct diff *d, const struct app *app, struct err *err)
{
	auto_free char *version = submit_run_version(d->o->spark_home);
	auto_json command = NULL;

	if (submission_command(app, d->o->run, &command, err) < 0) {
		err_wrap(err, "refused here, so that there is nothing to run");
		return NULL;
	}
	fprintf(d->errors, "%s: running spark-submit of %s (%s) ...\n", app->name, d->o->spark_home, version);
	fflush(d->errors);
	return submit_run(d->o->spark_home, command, err);
}

/* What a webhook adds to Spark's own driver pod is not spark-submit's to know. */
static int complete_recorded_driver(const struct app *app, const struct json *recording, struct side *theirs,
				    struct err *err)
{
	struct json *pod = json_find(theirs->objects, "kind", "Pod");

	if (json_true(json_get(recording, "mutated")) || !pod)
		return 0;
	return submission_fields(app, pod, err);
}

static int read_theirs(const struct diff *d, const struct app *app, const char *name, struct side *ret, struct err *err)
{
	auto_json recording = d->o->recorded ? read_recording(d->o->recorded, name, err) : run_submit(d, app, err);
	const char *error = json_str(recording, "error", NULL);

	if (!recording)
		return err_code(err);
	if (!text_empty(error)) {
		ret->refusal = xstrdup(error);
		return 0;
	}
	ret->objects = compare_recorded(recording);
	ret->executor = json_take(recording, "executor");
	ret->terse = json_true(json_get(recording, "mutated"));
	if (!json_is(ret->executor, JSON_OBJECT)) {
		json_free(ret->executor);
		ret->executor = NULL;
	}
	return complete_recorded_driver(app, recording, ret, err);
}

/* ---- printing ---- */

static void print_value(const struct diff *d, const char *label, const struct json *value)
{
	auto_free char *text = value ? json_print(value) : NULL;
	size_t len = text ? strlen(text) : 0;

	if (len > SHOWN_MAX)
		fprintf(d->out, "      %-13s %.*s... (%zu bytes)\n", label, SHOWN_MAX, text, len);
	else if (text)
		fprintf(d->out, "      %-13s %s\n", label, text);
}

static void print_differences(const struct diff *d, const struct json *result)
{
	json_each (item, json_get(result, "differences")) {
		const char *reason = json_str(item, "reason", NULL);

		if (reason && !d->o->verbose)
			continue;
		fprintf(d->out, "  %s\n", json_str(item, "path", ""));
		print_value(d, "ours", json_get(item, "ours"));
		print_value(d, "spark-submit", json_get(item, "theirs"));
		if (reason)
			fprintf(d->out, "      %-13s %s\n", "ignored", reason);
	}
}

static void print_result(const struct diff *d, const struct json *result)
{
	const char *name = json_str(result, "name", ""), *ours = json_str(result, "oursRefuse", NULL);
	const char *theirs = json_str(result, "theirsRefuse", NULL);
	long long differ = (long long)json_i64(result, "differ", 0);

	if (ours && theirs)
		fprintf(d->out, "ok %s: both refuse: %s / %s\n", name, ours, theirs);
	else if (ours || theirs)
		fprintf(d->out, "differs %s: only %s: %s\n", name, ours ? "we refuse" : "spark-submit refuses",
			ours ? ours : theirs);
	else if (differ)
		fprintf(d->out, "differs %s: %lld field%s\n", name, differ, differ == 1 ? "" : "s");
	else
		fprintf(d->out, "ok %s\n", name);
	print_differences(d, result);
}

static void print_total(const struct diff *d)
{
	static const char *const names[] = { "objects", "equal", "differ", "ignored" };
	long long sums[array_len(names)] = { 0 };

	json_each (result, d->results)
		for (size_t i = 0; i < array_len(names); i++)
			sums[i] += (long long)json_i64(result, names[i], 0);
	fprintf(d->out, "%lld objects, %lld fields equal, %lld differ, %lld ignored\n", sums[0], sums[1], sums[2],
		sums[3]);
}

static void print_all(const struct diff *d)
{
	auto_free char *text = NULL;

	if (d->o->print_command)
		return;
	if (text_eq(d->o->diff_output, "json")) {
		text = json_print_pretty(d->results);
		fputs(text, d->out);
		return;
	}
	json_each (result, d->results)
		print_result(d, result);
	print_total(d);
}

/* ---- one application ---- */

static void compare_app(struct diff *d, const struct offline_object *object, const struct app *app)
{
	auto_free char *name = case_name(d, object->path, app);
	auto_side ours = { 0 }, theirs = { 0 };
	struct err err = { 0 };
	struct json *result;

	build_ours(d, app, &ours);
	if (read_theirs(d, app, name, &theirs, &err) < 0) {
		report_failure(d, object->title, err.msg);
		return;
	}
	if (ours.refusal || theirs.refusal) {
		result = json_new_object();
		json_set_i64(result, "differ", !ours.refusal || !theirs.refusal);
	} else {
		const struct compare_side a = { .objects = ours.objects, .executor = ours.executor };
		const struct compare_side b = { .objects = theirs.objects,
						.executor = theirs.executor,
						.terse = theirs.terse };

		result = compare_run(d->rules, app, name, &a, &b);
	}
	json_append(d->results, result);
	json_set_str(result, "name", name);
	json_set_str(result, "oursRefuse", ours.refusal);
	json_set_str(result, "theirsRefuse", theirs.refusal);
	raise_exit_code(d, json_i64(result, "differ", 0) ? DIFF_DIFFERENT : DIFF_EQUAL);
}

/* A refusal is a line of its own kind, not a failure: there is no command for it. */
static void print_command(const struct diff *d, const struct app *app)
{
	auto_json command = NULL;
	auto_json line = json_new_object();
	auto_free char *text = NULL;
	struct err err = { 0 };

	json_set_str(line, "id", app->name);
	if (submission_command(app, d->o->run, &command, &err) < 0) {
		json_set_str(line, "error", err.msg);
	} else {
		json_set(line, "args", json_take(command, "args"));
		json_set(line, "files", json_take(command, "files"));
	}
	text = json_print(line);
	fprintf(d->out, "%s\n", text);
}

static bool diff_object(void *context, const struct offline_object *object)
{
	struct diff *d = context;
	const char *skipped;
	struct err err = { 0 };
	struct app app;

	if (offline_app(object, &app, &skipped, &err) == 0) {
		if (d->o->print_command)
			print_command(d, &app);
		else
			compare_app(d, object, &app);
		return true;
	}
	if (skipped)
		fprintf(d->errors, "%s: skipped: %s\n", object->title, skipped);
	else
		report_failure(d, object->title, err.msg);
	return true;
}

/* ---- the command ---- */

static int add_rules(struct compare_rules *rules, const struct strv *files, struct err *err)
{
	for (size_t i = 0; i < files->len; i++) {
		auto_free char *text = files_read_text(files->items[i], err);

		if (!text || compare_rules_add(rules, text, files->items[i], err) < 0)
			return err_code(err);
	}
	return 0;
}

/* NULL if the flags make sense together. */
static const char *usage_error(const struct options *o)
{
	int ways = (o->spark_home != NULL) + (o->recorded != NULL) + o->print_command;

	if (o->explain)
		return NULL;
	if (o->files.len == 0)
		return "-f FILE is missing";
	if (ways != 1)
		return "one of --spark-home DIR, --recorded DIR and --print-command is needed";
	return NULL;
}

static int run_diff(struct diff *d)
{
	auto_free char *explained = d->o->explain ? compare_rules_print(d->rules) : NULL;
	const struct offline_walk walk = {
		.command = "diff",
		.fn = diff_object,
		.context = d,
		.notes = d->errors,
		.errors = d->errors,
	};

	if (explained)
		fputs(explained, d->out);
	else if (offline_objects(d->o, &walk) != 0)
		raise_exit_code(d, DIFF_FAILED);
	if (!explained)
		print_all(d);
	if (fflush(d->out) != 0 || ferror(d->out))
		report_failure(d, "diff: cannot write", strerror(errno));
	return d->code;
}

int diff_run(const struct options *o, FILE *out, FILE *errors)
{
	struct diff d = { .o = o, .out = out, .errors = errors, .rules = compare_rules_new() };
	const char *usage = usage_error(o);
	struct err err = { 0 };

	d.results = json_new_array();
	if (usage)
		err_set(&err, ERR_INVALID, "%s", usage);
	if (usage || add_rules(d.rules, &o->ignore, &err) < 0) {
		fprintf(errors, "diff: %s\n", err.msg);
		d.code = DIFF_FAILED;
	} else {
		run_diff(&d);
	}
	compare_rules_free(d.rules);
	json_free(d.results);
	return d.code;
}
