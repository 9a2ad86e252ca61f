/*
 * `diff` as a user runs it: against a spark-submit that is a script, against recordings, and printing the command. The
 * script sends what files beside it hold and ends as a file tells it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "offline/diff.h"
#include "json/files.h"
#include "json/yaml.h"
#include "submission/submission.h"

enum { OPEN_DIRS = 8 };

#define SPEC                                                                                                           \
	"spec: {type: Scala, sparkVersion: 3.5.6, image: i, mainClass: C, mainApplicationFile: 'local:///a.jar', "     \
	"arguments: ['{dir}', 'ü'], driver: {}, executor: {}}\n"
#define APP(name)                                                                                                      \
	"---\napiVersion: sparkoperator.k8s.io/v1beta2\nkind: SparkApplication\nmetadata: {name: " name "}\n" SPEC
#define REFUSED                                                                                                        \
	"---\napiVersion: sparkoperator.k8s.io/v1beta2\nkind: SparkApplication\nmetadata: {name: bad}\nspec: {}\n"
#define OFFLINE_UID "00000000-0000-0000-0000-000000000000"

/* Posts each body, wherever: the server goes by what is in them. */
static const char script[] =
    "#!/bin/bash\n"
    "here=${BASH_SOURCE[0]%/*} last=\n"
    "printf '%s\\n' \"$@\" >\"$here/args\"\n"
    "env >\"$here/env\"\n"
    "for arg; do\n"
    "  [[ $last == --master ]] && port=${arg##*:}\n"
    "  [[ $arg == spark.kubernetes.driver.podTemplateFile=* ]] && cp \"${arg#*=}\" \"$here/driver.yaml\"\n"
    "  last=$arg\n"
    "done\n"
    "for body in \"$here\"/*.json; do\n"
    "  [[ -f $body ]] || continue\n"
    "  exec 3<>\"/dev/tcp/127.0.0.1/$port\"\n"
    "  printf 'POST /api/v1/namespaces/default/x HTTP/1.1\\r\\nhost: h\\r\\ncontent-length: %d\\r\\n\\r\\n' "
    "\"$(wc -c <\"$body\")\" >&3\n"
    "  cat \"$body\" >&3\n"
    "  read -r line <&3\n"
    "  printf '%s\\n' \"${line%$'\\r'}\" >>\"$here/answers\"\n"
    "done\n"
    ". \"$here/end\"\n";

static char home[] = "/tmp/test_diff.XXXXXX";

static char *at(const char *name)
{
	return xasprintf("%s/%s", home, name);
}

static void put(const char *name, const char *text)
{
	auto_free char *path = at(name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Owned. */
static char *get(const char *name)
{
	auto_free char *path = at(name);
	struct err err = { 0 };
	char *text = files_read_text(path, &err);

	if (!text)
		fail_msg("%s", err.msg);
	return text;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)type;
	(void)walk;
	return remove(path);
}

static int setup(void **state)
{
	auto_free char *bin = NULL, *program = NULL;

	(void)state;
	snprintf(home, sizeof(home), "/tmp/test_diff.XXXXXX");
	if (!mkdtemp(home))
		return -1;
	bin = at("bin");
	program = at("bin/spark-submit");
	if (mkdir(bin, 0700) < 0)
		return -1;
	put("bin/spark-submit", script);
	put("bin/end", "exit 0\n");
	return chmod(program, 0700);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(home, remove_entry, OPEN_DIRS, FTW_DEPTH | FTW_PHYS);
}

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

static struct result run(const char *const *args)
{
	struct result r = { 0 };
	struct options o;
	struct err err = { 0 };
	size_t out_size, errors_size;
	FILE *out = open_memstream(&r.out, &out_size), *errors = open_memstream(&r.errors, &errors_size);
	int argc = 0;

	while (args[argc])
		argc++;
	if (options_parse(&o, OPTIONS_DIFF, argc, (char **)args, &err) < 0)
		fail_msg("%s", err.msg);
	r.code = diff_run(&o, out, errors);
	options_done(&o);
	fclose(out);
	fclose(errors);
	return r;
}

/* The application's text against a way, with two more arguments, which may be NULL. */
static struct result diff(const char *text, const char *way, const char *more, const char *yet_more)
{
	auto_free char *path = at("app.yaml");

	put("app.yaml", text);
	return run((const char *const[]){ "-f", path, way, more, yet_more, NULL });
}

/* diff with --spark-home. */
static struct result diff_home(const char *text, const char *more)
{
	return diff(text, "--spark-home", home, more);
}

static struct submission build(const char *text)
{
	struct submission_options options = { .master = "k8s://https://h", .with_executor = true };
	struct submission s = { 0 };
	struct err err = { 0 };
	auto_json documents = yaml_parse(text, strlen(text), &err);
	auto_json tree = json_take_first(documents);
	struct json *metadata = json_get(tree, "metadata");
	struct app app;

	json_set_str(metadata, "namespace", "default");
	json_set_str(metadata, "uid", OFFLINE_UID);
	if (app_decode(tree, &app, &err) < 0 || submission_build(&app, 1, &options, &s, &err) < 0)
		fail_msg("%s", err.msg);
	return s;
}

/* What spark-submit would send, in files for the script. */
static void put_bodies(const struct json *objects)
{
	json_each (object, objects) {
		auto_free char *name = xasprintf("bin/%s.json", json_str(object, "kind", ""));
		auto_free char *text = json_print(object);

		put(name, text);
	}
}

static void test_equal(void **state)
{
	struct submission s = build(APP("pi"));
	auto_result r = { 0 };
	auto_free char *answers = NULL;

	(void)state;
	put_bodies(s.objects);
	submission_done(&s);
	r = diff_home(APP("pi"), NULL);
	answers = get("bin/answers");
	assert_int_equal(r.code, 0);
	assert_true(text_starts(r.out, "ok pi\n5 objects, "));
	assert_non_null(strstr(r.out, " fields equal, 0 differ, 1 ignored\n"));
	assert_non_null(strstr(r.errors, "pi: running spark-submit of "));
	assert_string_equal(answers, "HTTP/1.1 201 Created\nHTTP/1.1 201 Created\nHTTP/1.1 201 Created\n");
}

static void test_different(void **state)
{
	struct submission s = build(APP("pi"));
	struct json *pod = json_find(s.objects, "kind", "Pod");
	auto_result text = { 0 }, json = { 0 };
	auto_json parsed = NULL;
	struct err err = { 0 };

	(void)state;
	json_set_str(json_get(pod, "spec"), "restartPolicy", "Always");
	put_bodies(s.objects);
	submission_done(&s);
	text = diff_home(APP("pi"), NULL);
	assert_int_equal(text.code, 1);
	assert_true(text_starts(text.out, "differs pi: 1 field\n"
					  "  driver.spec.restartPolicy\n"
					  "      ours          \"Never\"\n"
					  "      spark-submit  \"Always\"\n"
					  "5 objects, "));
	json = diff_home(APP("pi"), "--output=json");
	assert_int_equal(json.code, 1);
	parsed = json_parse(json.out, strlen(json.out), &err);
	assert_int_equal(json_i64(json_first(parsed), "differ", 0), 1);
	assert_string_equal(json_str(json_first(parsed), "name", ""), "pi");
}

static void test_nothing_sent(void **state)
{
	auto_result r = diff_home(APP("pi"), NULL);

	(void)state;
	assert_int_equal(r.code, 1);
	assert_true(text_starts(r.out, "differs pi: 4 fields\n"));
}

/* Arguments, files and environment of the child; its folder is gone afterwards. */
static void test_child(void **state)
{
	auto_free char *args = NULL, *env = NULL, *driver_yaml = NULL, *folder = NULL;
	auto_result r = { 0 };
	const char *start;

	(void)state;
	setenv("SPARK_CONF_DIR", "/users/own", 1);
	setenv("KUBECONFIG", "/users/own", 1);
	setenv("https_proxy", "http://proxy", 1);
	r = diff_home(APP("pi"), NULL);
	unsetenv("SPARK_CONF_DIR");
	unsetenv("KUBECONFIG");
	unsetenv("https_proxy");
	args = get("bin/args");
	env = get("bin/env");
	driver_yaml = get("bin/driver.yaml");
	start = strstr(args, "driver.podTemplateFile=");
	assert_true(text_starts(args, "--deploy-mode\ncluster\n--master\nk8s://http://127.0.0.1:"));
	assert_true(text_ends(args, "\nlocal:///a.jar\n{dir}\nü\n"));
	assert_non_null(strstr(env, "HADOOP_USER_NAME=spark\n"));
	assert_null(strstr(env, "/users/own"));
	assert_null(strstr(env, "http://proxy"));
	assert_non_null(strstr(driver_yaml, "SparkApplication"));
	assert_non_null(start);
	start += strlen("driver.podTemplateFile=");
	folder = xstrndup(start, strcspn(start, "\n") - strlen("/driver.yaml"));
	assert_true(text_starts(strrchr(folder, '/'), "/spark-operator-diff."));
	assert_int_equal(access(folder, F_OK), -1);
}

static void test_refused_by_spark(void **state)
{
	auto_result r = { 0 };

	(void)state;
	put("bin/end",
	    "echo 'Exception in thread \"main\" java.lang.Odd: no'; echo '\tat Exception.x'; echo 'bye'; exit 1\n");
	r = diff_home(APP("pi"), NULL);
	assert_int_equal(r.code, 1);
	assert_true(text_starts(r.out, "differs pi: only spark-submit refuses: Exception in thread \"main\" "
				       "java.lang.Odd: no\n"));
}

static void test_refused_by_us(void **state)
{
	auto_result r = diff_home(REFUSED APP("pi"), NULL);

	(void)state;
	assert_int_equal(r.code, 2);
	assert_non_null(strstr(r.errors, "/app.yaml, document 1: SparkApplication default/bad: refused here, so that "
					 "there is nothing to run: spec."));
	assert_true(text_starts(r.out, "differs pi: "));
}

static void test_failed(void **state)
{
	static const struct {
		const char *end, *want;
	} cases[] = {
		{ "echo 'JAVA_HOME is not set' >&2; exit 1\n", "ended with status 1, signal 0: JAVA_HOME is not set" },
		{ "kill -9 $$\n", "signal 9" },
		{ "echo 'java.lang.Exception'; kill -9 $$\n", "signal 9" },
	};
	auto_result missing = diff(APP("pi"), "--spark-home", "/nonexistent", NULL);
	auto_result no_program = diff(APP("pi"), "--spark-home", "/tmp", NULL);

	(void)state;
	assert_int_equal(missing.code, 2);
	assert_int_equal(no_program.code, 2);
	assert_non_null(strstr(no_program.errors, "/tmp/bin/spark-submit: no such file"));
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_result r = { 0 };

		put("bin/end", cases[i].end);
		r = diff_home(APP("pi"), NULL);
		assert_int_equal(r.code, 2);
		assert_non_null(strstr(r.errors, cases[i].want));
	}
}

/* Not HTTP, no length, no JSON, the same twice, what is not there: the server lives on. */
static void test_odd_requests(void **state)
{
	static const char odd[] =
	    "send() { exec 3<>/dev/tcp/127.0.0.1/$port; printf \"$1\" >&3; read -r _ line <&3; echo \"${line%$'\\r'}\" "
	    ">>\"$here/odd\"; }\n"
	    "ask() { send \"$1 HTTP/1.1\\r\\nHost: h\\r\\n$2\\r\\n$3\"; }\n"
	    "length() { echo \"Content-Length: $1\\r\\n\"; }\n"
	    "send 'nonsense\\r\\n\\r\\n'\n"
	    "ask 'GET /' 'Transfer-Encoding: chunked\\r\\n'\n"
	    "ask 'POST /a' \"$(length x)\"\n"
	    "ask 'POST /a' \"$(length 3)\" '{x}'\n"
	    "ask 'POST /a' \"$(length 29)\" '{\"metadata\":{\"name\":\"twice1\"}}'\n"
	    "ask 'POST /a' \"$(length 30)\" '{\"metadata\":{\"name\":\"twice1\"}}'\n"
	    "ask 'POST /a' \"$(length 30)\" '{\"metadata\":{\"name\":\"twice1\"}}'\n"
	    "ask 'GET /a/twice1'\n"
	    "ask 'PATCH /a/twice1?x=y' \"$(length 2)\" '{}'\n"
	    "ask 'DELETE /a/twice1'\n"
	    "ask 'GET /a/twice1'\n"
	    "ask 'GET /version'\n"
	    "exit 0\n";
	auto_free char *got = NULL;
	auto_result r = { 0 };

	(void)state;
	put("bin/end", odd);
	r = diff_home(APP("pi"), NULL);
	got = get("bin/odd");
	assert_int_equal(r.code, 1);
	assert_string_equal(got,
			    "400 Bad Request\n501 Not Implemented\n400 Bad Request\n400 Bad Request\n400 Bad Request\n"
			    "201 Created\n409 Conflict\n200 OK\n200 OK\n200 OK\n404 Not Found\n200 OK\n");
}

/* ---- recordings ---- */

/* A recording NAME.json of the application, with that restartPolicy of its driver. */
static void record(const char *text, const char *name, const char *error, bool mutated, const char *policy)
{
	struct submission s = build(text);
	auto_json recording = json_new_object();
	struct json *requests = json_set(recording, "requests", json_new_array());
	auto_free char *printed = NULL, *file = xasprintf("%s.json", name);

	json_set_str(json_at(json_find(s.objects, "kind", "Pod"), "spec"), "restartPolicy", policy);
	json_each (object, s.objects) {
		struct json *request = json_append(requests, json_new_object());

		json_set_str(request, "method", "POST");
		json_set(request, "body", json_dup(object));
	}
	json_set(recording, "executor", take_ptr(s.executor));
	json_set_str(recording, "error", error);
	json_set_bool(recording, "mutated", mutated);
	printed = json_print(recording);
	put(file, printed);
	submission_done(&s);
}

static void test_recorded(void **state)
{
	auto_result r = { 0 };

	(void)state;
	record(APP("pi"), "pi", NULL, false, "Never");
	record(APP("other"), "other", NULL, true, "Always");
	record(APP("bad"), "bad", "refused", false, "Never");
	r = diff(APP("pi") APP("other") REFUSED APP("bad"), "--recorded", home, NULL);
	assert_int_equal(r.code, 1);
	assert_true(text_starts(r.out, "ok pi\ndiffers other: 1 field\n  driver.spec.restartPolicy\n"));
	assert_non_null(strstr(r.out, "\nok bad: both refuse: spec."));
	assert_non_null(strstr(r.out, "\ndiffers bad: only spark-submit refuses: refused\n"));
	assert_non_null(strstr(r.out, "\n12 objects, "));
}

/* The recording of the file, where names are no use. */
static void test_recorded_by_file(void **state)
{
	auto_result r = { 0 };

	(void)state;
	record(APP("pi"), "app", NULL, false, "Never");
	r = diff(APP("pi"), "--recorded", home, NULL);
	assert_int_equal(r.code, 0);
	assert_true(text_starts(r.out, "ok app\n"));
}

static void test_recorded_only_we_refuse(void **state)
{
	auto_result r = { 0 };

	(void)state;
	record(APP("bad"), "bad", NULL, false, "Never");
	r = diff(REFUSED, "--recorded", home, NULL);
	assert_int_equal(r.code, 1);
	assert_true(text_starts(r.out, "differs bad: only we refuse: spec."));
}

static void test_recorded_missing(void **state)
{
	auto_result none = diff(APP("pi"), "--recorded", home, NULL);
	auto_result broken = { 0 };

	(void)state;
	assert_int_equal(none.code, 2);
	assert_non_null(strstr(none.errors, "/pi.json: No such file or directory"));
	put("pi.json", "a: b: c");
	broken = diff(APP("pi"), "--recorded", home, NULL);
	assert_int_equal(broken.code, 2);
	assert_non_null(strstr(broken.errors, "/pi.json: YAML"));
}

static void test_ignore(void **state)
{
	auto_free char *file = NULL, *option = NULL;
	auto_result r = { 0 }, shown = { 0 };

	(void)state;
	record(APP("pi"), "pi", NULL, false, "Always");
	put("rules", "pi: driver.spec.restartPolicy  # a reason\n");
	file = at("rules");
	option = xasprintf("--ignore=%s", file);
	r = diff(APP("pi"), "--recorded", home, option);
	assert_int_equal(r.code, 0);
	assert_true(text_starts(r.out, "ok pi\n6 objects, "));
	assert_non_null(strstr(r.out, " 0 differ, 2 ignored\n"));
	shown = run((const char *const[]){ "-v", "-f", "/dev/null", "--recorded", home, option, NULL });
	assert_int_equal(shown.code, 2);
	put("rules", "driver\n");
	done(&r);
	r = diff(APP("pi"), "--recorded", home, option);
	assert_int_equal(r.code, 2);
	assert_non_null(strstr(r.errors, "/rules:1: \"driver\": expected PATTERN  # reason"));
}

static void test_verbose(void **state)
{
	auto_free char *app = at("app.yaml"), *rules = at("rules");
	auto_result r = { 0 };

	(void)state;
	record(APP("pi"), "pi", NULL, false, "Always");
	put("app.yaml", APP("pi"));
	put("rules", "driver.spec.restartPolicy  # a reason\n");
	r = run((const char *const[]){ "-v", "-f", app, "--recorded", home, "--ignore", rules, NULL });
	assert_int_equal(r.code, 0);
	assert_non_null(strstr(r.out, "  driver.spec.restartPolicy\n      ours          \"Never\"\n"
				      "      spark-submit  \"Always\"\n      ignored       a reason\n"));
}

/* ---- the rest ---- */

static void test_print_command(void **state)
{
	auto_result r = diff(APP("pi") REFUSED, "--print-command", NULL, NULL);
	size_t len = strcspn(r.out, "\n");
	struct err err = { 0 };
	auto_json first = json_parse(r.out, len, &err);
	auto_json second = json_parse(r.out + len + 1, strlen(r.out) - len - 1, &err);

	(void)state;
	assert_int_equal(r.code, 0);
	assert_string_equal(json_str(first, "id", ""), "pi");
	assert_true(json_len(json_get(first, "args")) > 10);
	assert_int_equal(json_len(json_get(first, "files")), 2);
	assert_string_equal(json_str(second, "id", ""), "bad");
	assert_non_null(strstr(json_str(second, "error", ""), "spec."));
	assert_null(json_get(second, "args"));
}

static void test_explain(void **state)
{
	auto_result r = run((const char *const[]){ "--explain", NULL });

	(void)state;
	assert_int_equal(r.code, 0);
	assert_non_null(strstr(r.out, "service.metadata.ownerReferences  # "));
}

static void test_usage(void **state)
{
	static const struct {
		const char *args[6];
		const char *want;
	} cases[] = {
		{ { "--spark-home", "/x" }, "diff: -f FILE is missing\n" },
		{ { "-f", "/dev/null" },
		  "diff: one of --spark-home DIR, --recorded DIR and --print-command is needed\n" },
		{ { "-f", "/dev/null", "--print-command", "--recorded", "/x" },
		  "diff: one of --spark-home DIR, --recorded DIR and --print-command is needed\n" },
		{ { "-f", "/dev/null", "--print-command" }, "/dev/null: holds no object\n" },
		{ { "-f", "/nonexistent", "--print-command" }, "/nonexistent: No such file or directory\n" },
		{ { "--explain", "--ignore", "/nonexistent" }, "diff: /nonexistent: No such file or directory\n" },
	};
	auto_result pod = diff("kind: Pod\n", "--print-command", NULL, NULL);

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_result r = run(cases[i].args);

		assert_int_equal(r.code, 2);
		assert_string_equal(r.errors, cases[i].want);
	}
	assert_int_equal(pod.code, 0);
	assert_string_equal(pod.out, "");
	assert_non_null(
	    strstr(pod.errors, "/app.yaml: Pod default/(no name): skipped: not of a kind of this operator\n"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_equal),
		CASE(test_different),
		CASE(test_nothing_sent),
		CASE(test_child),
		CASE(test_refused_by_spark),
		CASE(test_refused_by_us),
		CASE(test_failed),
		CASE(test_odd_requests),
		CASE(test_recorded),
		CASE(test_recorded_by_file),
		CASE(test_recorded_missing),
		CASE(test_recorded_only_we_refuse),
		CASE(test_ignore),
		CASE(test_verbose),
		CASE(test_print_command),
		CASE(test_explain),
		CASE(test_usage),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
