/* Offline validation: good and bad applications of one file, each told on its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "json/files.h"
#include "json/json.h"
#include "offline/validate_files.h"

#define VERSION "apiVersion: sparkoperator.k8s.io/v1beta2\n"
#define APP(name, rest)                                                                                                \
	"---\n" VERSION "kind: SparkApplication\nmetadata: {name: " name                                               \
	"}\nspec: {type: Scala, sparkVersion: 3.5.6, image: i, "                                                       \
	"mainClass: C, mainApplicationFile: 'local:///a.jar', " rest "}\n"

static char path[] = "/tmp/test_validate.XXXXXX";

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

enum { FLAGS_MAX = 12 };

/* With flags, such as "--pod-policy=baseline --strict". */
static struct result validate_file(const char *file, const char *more)
{
	auto_free char *name = xstrdup(file);
	auto_strv flags = { 0 };
	char file_flag[] = "-f", *argv[2 + FLAGS_MAX] = { file_flag, name };
	struct result r = { 0 };
	struct options o;
	struct err err = { 0 };
	size_t out_size, errors_size;
	FILE *out = open_memstream(&r.out, &out_size), *errors = open_memstream(&r.errors, &errors_size);

	strv_split(&flags, more, ' ');
	assert_true(flags.len <= FLAGS_MAX);
	for (size_t i = 0; i < flags.len; i++)
		argv[2 + i] = flags.items[i];
	assert_int_equal(options_parse(&o, OPTIONS_VALIDATE, 2 + (int)flags.len, argv, &err), 0);
	r.code = validate_files_run(&o, out, errors);
	options_done(&o);
	fclose(out);
	fclose(errors);
	return r;
}

static struct result validate(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_true(file && fputs(text, file) >= 0 && fclose(file) == 0);
	return validate_file(path, "--strict=false");
}

static void good(void **state)
{
	auto_result r = validate(APP("one", "driver: {}, executor: {}") APP("two", "driver: {}, executor: {}"));
	auto_free char *want = xasprintf("%s, document 1: SparkApplication default/one: valid\n"
					 "%s, document 2: SparkApplication default/two: valid\n",
					 path, path);

	(void)state;
	assert_int_equal(r.code, 0);
	assert_string_equal(r.out, want);
	assert_string_equal(r.errors, "");
}

/* What only a pod of the driver, or of an executor, shows is found too. */
static void bad(void **state)
{
	auto_result r = validate(APP("one", "driver: {memory: 1gg, cores: 0}, executor: {}") APP(
	    "two", "driver: {}, executor: {memory: 1g, memoryLimit: 512m}") APP("three", "driver: {}, executor: {}"));
	auto_free char *prefix = xasprintf("%s, document 1: SparkApplication default/one: spec.driver.", path);

	(void)state;
	assert_int_equal(r.code, 1);
	assert_true(text_ends(r.out, "SparkApplication default/three: valid\n"));
	assert_null(strchr(strchr(r.out, '\n') + 1, '\n'));
	assert_true(text_starts(r.errors, prefix));
	assert_non_null(strstr(r.errors, "default/one: spec.driver.memory: Invalid value: \"1gg\""));
	assert_non_null(strstr(r.errors, "default/one: spec.driver.cores: Invalid value: 0"));
	assert_non_null(strstr(r.errors, "default/two: spec.executor.memoryLimit: Invalid value: \"512m\""));
}

/* The API server takes the application, and drops or ignores what it does not know. With --strict that is wrong. */
static void what_has_no_effect_is_a_warning(void **state)
{
	static const char probe[] =
	    "warning: spec.readinessProbe: unknown field: it belongs to "
	    "spec.driver.template.spec.containers[] or spec.executor.template.spec.containers[]\n";
	static const char *const want[] = {
		probe,
		"warning: spec.volumes[0].floppy: unknown field\n",
		"warning: spec.sparkConf[minPartitions]: Spark drops properties that do not begin with \"spark.\": ",
	};
	auto_result r =
	    validate(APP("one", "driver: {}, executor: {}, volumes: [{name: a, floppy: {}}], readinessProbe: "
				"{}, sparkConf: {minPartitions: '4', spark.a: b}"));
	auto_result strict = validate_file(path, "--strict");
	const char *at = r.errors;

	(void)state;
	assert_int_equal(r.code, 0);
	assert_true(text_ends(r.out, ": SparkApplication default/one: valid\n"));
	for (size_t i = 0; i < array_len(want); i++, at = strchr(at, '\n') + 1)
		assert_true(text_starts(strstr(at, "warning: "), want[i]));
	assert_string_equal(at, "");
	assert_int_equal(strict.code, 1);
	assert_string_equal(strict.out, "");
	assert_string_equal(strict.errors, r.errors);
}

/* More than a status would have room for. */
static void all_of_them(void **state)
{
	auto_buf text;
	auto_result r = { 0 };
	size_t lines = 0;

	(void)state;
	buf_init(&text, 1 << 16);
	buf_puts(&text, "driver: {labels: {");
	for (int i = 0; i < 90; i++)
		buf_printf(&text, "'bad key %02d': x, ", i);
	buf_puts(&text, "}}, executor: {}");
	{
		auto_free char *document =
		    xasprintf(VERSION "kind: SparkApplication\nmetadata: {name: many}\nspec: {type: Scala, "
				      "sparkVersion: 3.5.6, image: i, mainClass: C, "
				      "mainApplicationFile: 'local:///a.jar', %s}\n",
			      buf_str(&text));

		r = validate(document);
	}
	for (const char *c = r.errors; *c; c++)
		lines += *c == '\n';
	assert_int_equal(r.code, 1);
	assert_int_equal(lines, 90);
	assert_non_null(strstr(r.errors, "[bad key 89]: Invalid value"));
}

static void other_kinds(void **state)
{
	auto_result r =
	    validate("kind: ConfigMap\nmetadata: {name: p, namespace: ns}\n---\n"
		     "apiVersion: sparkoperator.k8s.io/v1alpha1\nkind: SparkConnect\nmetadata: {generateName: "
		     "c-}\nspec: {sparkVersion: 4.0.1, image: i, server: {}, executor: {}}\n");
	auto_result empty = validate("");
	auto_result none = validate("metadata: {}\n");

	(void)state;
	assert_int_equal(r.code, 0);
	assert_string_equal(r.errors, "");
	assert_non_null(strstr(r.out, ", document 1: ConfigMap ns/p: skipped: not of a kind of this operator\n"));
	assert_non_null(strstr(r.out, ", document 2: SparkConnect default/c-: valid\n"));
	assert_int_equal(empty.code, 1);
	assert_non_null(strstr(empty.errors, "holds no object"));
	assert_int_equal(none.code, 1);
	assert_non_null(strstr(none.errors, ": (no kind) default/(no name): kind: Required value\n"));
}

/* In a file, and in a List within a file. */
static void places(void **state)
{
	auto_result r = validate("apiVersion: v1\nkind: List\nitems:\n- {kind: Pod}\n"
				 "- {kind: SparkApplication, apiVersion: sparkoperator.k8s.io/v1alpha1}\n---\n---\n"
				 "kind: SparkApplication\napiVersion: sparkoperator.k8s.io/v1alpha1\n");
	auto_free char *want =
	    xasprintf("%s, document 1, item 2: SparkApplication default/(no name): apiVersion: version "
		      "v1alpha1 is not served, v1beta2 is\n"
		      "%s, document 3: SparkApplication default/(no name): apiVersion: version "
		      "v1alpha1 is not served, v1beta2 is\n",
		      path, path);

	(void)state;
	assert_int_equal(r.code, 1);
	assert_string_equal(r.errors, want);
	assert_non_null(strstr(r.out, ", document 1, item 1: Pod default/(no name): skipped: "));
}

/* What a file holds reaches a terminal without control characters, and is cut between two characters. */
static void texts_of_a_file_are_shown_as_texts(void **state)
{
	enum { WIDE = 130, SHOWN = 126 }; /* of two bytes each; 253 bytes are shown at most */
	char name[2 * WIDE + 1] = "";
	auto_free char *text = NULL;
	auto_free char *want = NULL;
	auto_result controls = validate("kind: SparkApplication\nmetadata: {name: \"a\\e[31m\"}\n"
					"apiVersion: \"sparkoperator.k8s.io/\\e[31m\"\n");
	auto_result cut = { 0 };

	(void)state;
	assert_non_null(strstr(controls.errors, ": SparkApplication default/a?[31m: apiVersion: version ?[31m is not "
						"served, v1beta2 is\n"));
	for (size_t i = 0; i < WIDE; i++)
		memcpy(name + 2 * i, "ü", 2);
	text = xasprintf("kind: Pod\nmetadata: {name: %s}\n", name);
	want = xasprintf("Pod default/%.*s: skipped", 2 * SHOWN, name);
	cut = validate(text);
	assert_non_null(strstr(cut.out, want));
}

static void a_folder(void **state)
{
	char folder[] = "/tmp/test_validate_folder.XXXXXX";
	static const char *const names[] = { "b.yaml", "a.json", "c.txt", "d.yml" };
	auto_result empty = { 0 }, r = { 0 };

	(void)state;
	assert_non_null(mkdtemp(folder));
	empty = validate_file(folder, "--strict");
	for (size_t i = 0; i < array_len(names); i++) {
		auto_free char *name = xasprintf("%s/%s", folder, names[i]);
		FILE *file = fopen(name, "we");

		assert_true(file && fprintf(file, "kind: Pod\nmetadata: {name: p%zu}\n", i) > 0 && fclose(file) == 0);
	}
	r = validate_file(folder, "--strict");
	for (size_t i = 0; i < array_len(names); i++) {
		auto_free char *name = xasprintf("%s/%s", folder, names[i]);

		assert_int_equal(unlink(name), 0);
	}
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(empty.code, 1);
	assert_non_null(strstr(empty.errors, ": the folder holds no .json, .yaml or .yml file\n"));
	assert_int_equal(r.code, 0);
	assert_string_equal(r.errors, "");
	assert_non_null(strstr(strstr(strstr(r.out, "/a.json: Pod default/p1"), "/b.yaml: Pod default/p0"),
			       "/d.yml: Pod default/p3"));
	assert_null(strstr(r.out, "c.txt"));
}

/* Once for each document, and not for those of others. */
static void what_kubectl_reads_otherwise(void **state)
{
	auto_result r =
	    validate("kind: ConfigMap\ndata: {a: on}\n" APP("one", "driver: {hostNetwork: yes}, executor: {}"));
	auto_result strict = validate_file(path, "--strict");
	auto_free char *want =
	    xasprintf("%s, document 2: warning: line 7, column 127: kubectl reads yes as true: quote it "
		      "if it is meant as text\n",
		      path);

	(void)state;
	assert_int_equal(r.code, 0);
	assert_string_equal(r.errors, want);
	assert_true(text_ends(r.out, ", document 2: SparkApplication default/one: valid\n"));
	assert_int_equal(strict.code, 1);
	assert_string_equal(strict.errors, want);
	assert_null(strstr(strict.out, ": valid\n"));
}

/* The lines without file, kind and name. Owned. */
static char *messages_of(const char *file, const char *errors)
{
	auto_buf out;

	buf_init(&out, 1 << 20);
	for (const char *line = errors; *line; line += strcspn(line, "\n") + 1) {
		const char *rest = line + strlen(file) + 2; /* KIND NAMESPACE/NAME: … */

		rest = strstr(strchr(rest, ' '), ": ") + 2;
		buf_add(&out, rest, strcspn(rest, "\n") + 1);
	}
	return buf_take(&out);
}

/* tests/bad/NAME.yaml is refused with the lines of NAME.txt. */
static size_t check_folder(const char *folder, const char *flag)
{
	auto_free char *pattern = xasprintf("%s/bad/%s*.yaml", TESTS_DIR, folder);
	glob_t files;
	size_t count;

	assert_int_equal(glob(pattern, 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *file = files.gl_pathv[i];
		auto_free char *expected = xasprintf("%.*s.txt", (int)(strlen(file) - strlen(".yaml")), file);
		auto_result r = validate_file(file, flag);
		struct err err = { 0 };
		auto_free char *want = files_read_text(expected, &err), *got = messages_of(file, r.errors);

		if (!want || !text_eq(got, want) || r.code != 1)
			fail_msg("%s: exit code %d: got:\n%swant:\n%s", file, r.code, got, want ? want : err.msg);
		assert_string_equal(r.out, "");
	}
	count = files.gl_pathc;
	globfree(&files);
	return count;
}

static void refused_objects(void **state)
{
	(void)state;
	assert_true(check_folder("", "--strict=false") >= 45);
	assert_true(check_folder("kinds/", "--strict=false") > 0);
	assert_true(check_folder("fields/", "--strict") > 0);
}

/* The folder's files are valid without the flags that refuse them. */
static void check_valid(const char *folder)
{
	auto_free char *pattern = xasprintf("%s/bad/%s/*.yaml", TESTS_DIR, folder);
	glob_t files;

	assert_int_equal(glob(pattern, 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		auto_result r = validate_file(files.gl_pathv[i], "--pod-policy=privileged");

		if (r.code != 0)
			fail_msg("%s: %s", files.gl_pathv[i], r.errors);
	}
	globfree(&files);
}

static void refused_by_the_policy(void **state)
{
	(void)state;
	assert_true(check_folder("baseline/", "--pod-policy=baseline") > 0);
	check_valid("baseline");
}

static void refused_by_limits(void **state)
{
	static const char flags[] =
	    "--allowed-ingress-hosts=*.apps.example.com,spark.example.com "
	    "--allowed-ingress-annotations=cert-manager.io/,nginx.ingress.kubernetes.io/proxy-* "
	    "--allowed-service-types=NodePort --allowed-service-annotations=example.com/team "
	    "--allowed-service-labels=none --allowed-storage-classes=fast,slow --max-claim-size=100Gi "
	    "--ingress-url-format={{$appName}}.example.com";

	(void)state;
	assert_true(check_folder("limits/", flags) > 0);
	check_valid("limits");
}

/* tests/good/NAME.yaml is valid, with the warnings of NAME.txt if there are any. */
static void accepted_objects(void **state)
{
	auto_free char *pattern = xasprintf("%s/good/*.yaml", TESTS_DIR);
	glob_t files;

	(void)state;
	assert_int_equal(glob(pattern, 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *file = files.gl_pathv[i];
		auto_free char *expected = xasprintf("%.*s.txt", (int)(strlen(file) - strlen(".yaml")), file);
		auto_result r = validate_file(file, "--strict=false");
		struct err err = { 0 };
		auto_free char *want = files_read_text(expected, &err), *got = messages_of(file, r.errors);

		if (!text_eq(got, want ? want : "") || r.code != 0)
			fail_msg("%s: exit code %d: got:\n%swant:\n%s", file, r.code, got, want ? want : "");
	}
	assert_true(files.gl_pathc >= 3);
	globfree(&files);
}

static void no_file(void **state)
{
	struct options o = { 0 };
	char *text = NULL;
	size_t size;
	FILE *errors = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(validate_files_run(&o, stdout, errors), 2);
	fclose(errors);
	assert_string_equal(text, "validate: -f FILE is missing\n");
	free(text);
}

static void a_full_disk(void **state)
{
	static char file[] = TESTS_DIR "/good/conf-without-prefix.yaml";
	struct options o = { .files = { .items = (char *[]){ file }, .len = 1 } };
	FILE *out = fopen("/dev/full", "we");
	char *text = NULL;
	size_t size;
	FILE *errors = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	assert_int_equal(validate_files_run(&o, out, errors), 1);
	fclose(errors);
	fclose(out);
	assert_non_null(strstr(text, "validate: cannot write: No space left on device\n"));
	free(text);
}

static void no_input(void **state)
{
	auto_result r = { 0 };

	(void)state;
	assert_non_null(freopen("/dev/null", "re", stdin));
	r = validate_file("-", "--strict");
	assert_int_equal(r.code, 1);
	assert_string_equal(r.errors, "standard input: holds no object\n");
}

static int setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || close(fd) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(bad),
		cmocka_unit_test(what_has_no_effect_is_a_warning),
		cmocka_unit_test(all_of_them),
		cmocka_unit_test(other_kinds),
		cmocka_unit_test(places),
		cmocka_unit_test(texts_of_a_file_are_shown_as_texts),
		cmocka_unit_test(a_folder),
		cmocka_unit_test(what_kubectl_reads_otherwise),
		cmocka_unit_test(refused_objects),
		cmocka_unit_test(accepted_objects),
		cmocka_unit_test(refused_by_the_policy),
		cmocka_unit_test(refused_by_limits),
		cmocka_unit_test(no_file),
		cmocka_unit_test(a_full_disk),
		cmocka_unit_test(no_input),
	};

	json_setup();
	return cmocka_run_group_tests(tests, setup, teardown);
}
