/*
 * Files as people have them, and what is right to say of each: NAME.yaml is the file, NAME.want the verdicts, in YAML.
 * Each verdict runs a command on the file:
 *
 *   - command: validate                     # or render, diff
 *     flags: [--pod-policy=baseline]        # may be left out
 *     exit: 1
 *     says: [text, [text, text]]            # each in a line of the output; the texts of a list in the same line
 *     silent: [text]                        # in no line
 *     objects: [{kind: Pod, …}]             # render: each is a part of one of the objects that are printed
 *
 * In `objects`, a list of texts has to be the same, and of a list of objects each has to be a part of one of those
 * there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "json/files.h"
#include "json/yaml.h"
#include "offline/diff.h"
#include "offline/render.h"
#include "offline/validate_files.h"

enum { ARGS_MAX = 16 };

static const struct {
	const char *name;
	enum option_set set;
	int (*run)(const struct options *o, FILE *out, FILE *errors);
} commands[] = {
	{ "validate", OPTIONS_VALIDATE, validate_files_run },
	{ "render", OPTIONS_RENDER, render_run },
	{ "diff", OPTIONS_DIFF, diff_run },
};

struct result {
	int code;
	char *out;
	char *errors;
};

static void done(struct result *r)
{
	free(r->out);
	free(r->errors);
}
#define auto_result __attribute__((cleanup(done))) struct result

/* ---- running ---- */

static struct result run(size_t command, const char *file, const struct json *flags)
{
	const char *argv[ARGS_MAX] = { "-f", file };
	struct result r = { 0 };
	struct options o;
	struct err err = { 0 };
	size_t out_size, errors_size;
	FILE *out = open_memstream(&r.out, &out_size), *errors = open_memstream(&r.errors, &errors_size);
	int argc = 2;

	json_each (flag, flags) {
		assert_true(argc < ARGS_MAX);
		argv[argc++] = json_text(flag, "");
	}
	if (options_parse(&o, commands[command].set, argc, (char **)argv, &err) < 0)
		fail_msg("%s: %s", file, err.msg);
	r.code = commands[command].run(&o, out, errors);
	options_done(&o);
	fclose(out);
	fclose(errors);
	return r;
}

/* ---- looking ---- */

/* All texts, or the one that it is, are in the line. */
static bool line_says(const char *line, const struct json *texts)
{
	if (!json_is(texts, JSON_ARRAY))
		return strstr(line, json_text(texts, "\n")) != NULL;
	json_each (text, texts)
		if (!strstr(line, json_text(text, "\n")))
			return false;
	return true;
}

static bool output_says(const char *output, const struct json *texts)
{
	while (*output) {
		size_t len = strcspn(output, "\n");
		auto_free char *line = xstrndup(output, len);

		if (line_says(line, texts))
			return true;
		output += len + (output[len] == '\n');
	}
	return false;
}

static bool is_part(const struct json *want, const struct json *got);

static bool is_part_of_one(const struct json *want, const struct json *list)
{
	json_each (got, list)
		if (is_part(want, got))
			return true;
	return false;
}

static bool is_part(const struct json *want, const struct json *got)
{
	if (json_is(want, JSON_OBJECT)) {
		json_each (member, want)
			if (!is_part(member, json_get(got, json_name(member))))
				return false;
		return json_is(got, JSON_OBJECT);
	}
	if (!json_is(want, JSON_ARRAY) || !json_is(json_first(want), JSON_OBJECT))
		return json_equal(want, got);
	json_each (element, want)
		if (!is_part_of_one(element, got))
			return false;
	return true;
}

/* ---- verdicts ---- */

static void check_objects(const char *file, const struct json *verdict, const struct result *r)
{
	struct err err = { 0 };
	auto_json objects = json_get(verdict, "objects") ? yaml_parse(r->out, strlen(r->out), &err) : NULL;

	json_each (want, json_get(verdict, "objects")) {
		auto_free char *text = json_print(want);

		if (!is_part_of_one(want, objects))
			fail_msg("%s: there is no object with %s in:\n%s", file, text, r->out);
	}
}

static void check_verdict(const char *file, const struct json *verdict)
{
	const char *name = json_str(verdict, "command", "");
	auto_free char *whole = NULL;
	auto_result r = { 0 };
	size_t command = 0;

	while (command < array_len(commands) && !text_eq(commands[command].name, name))
		command++;
	if (command == array_len(commands) || !json_get(verdict, "exit"))
		fail_msg("%s: a verdict has a command and an exit code", file);
	r = run(command, file, json_get(verdict, "flags"));
	whole = xasprintf("%s%s", r.errors, r.out);
	if (r.code != json_i64(verdict, "exit", -1))
		fail_msg("%s: %s: exit code %d:\n%s", file, name, r.code, whole);
	json_each (texts, json_get(verdict, "says")) {
		auto_free char *text = json_print(texts);

		if (!output_says(whole, texts))
			fail_msg("%s: %s: no line says %s:\n%s", file, name, text, whole);
	}
	json_each (text, json_get(verdict, "silent"))
		if (strstr(whole, json_text(text, "")))
			fail_msg("%s: %s: says %s:\n%s", file, name, json_text(text, ""), whole);
	check_objects(file, verdict, &r);
}

static void check_report(void **state)
{
	const char *file = *state;
	auto_free char *path = xasprintf("%.*s.want", (int)(strlen(file) - strlen(".yaml")), file);
	struct err err = { 0 };
	auto_json documents = files_read_objects(path, &err);
	const struct json *verdicts = json_first(documents);

	if (!documents)
		fail_msg("%s", err.msg);
	if (!json_len(verdicts))
		fail_msg("%s: holds no verdict", path);
	json_each (verdict, verdicts)
		check_verdict(file, verdict);
}

int main(void)
{
	struct CMUnitTest *tests;
	glob_t files;
	int failed;

	json_setup();
	if (glob(TESTS_DIR "/reports/*.yaml", 0, NULL, &files) != 0)
		return 1;
	tests = xcalloc(files.gl_pathc, sizeof(*tests));
	for (size_t i = 0; i < files.gl_pathc; i++)
		tests[i] = (struct CMUnitTest){ .name = strrchr(files.gl_pathv[i], '/') + 1,
						.test_func = check_report,
						.initial_state = files.gl_pathv[i] };
	failed = _cmocka_run_group_tests("reports", tests, files.gl_pathc, NULL, NULL);
	free(tests);
	globfree(&files);
	return failed;
}
