/* Offline validation: good and bad applications of one file, each told on its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "json/json.h"
#include "validate_files.h"

#define APP(name, rest)                                                                                                \
	"---\nkind: SparkApplication\nmetadata: {name: " name "}\nspec: {type: Scala, sparkVersion: 3.5.6, image: i, " \
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

static struct result validate(const char *text)
{
	char flag[] = "-f", *argv[] = { flag, path };
	struct result r = { 0 };
	struct options o;
	struct err err = { 0 };
	size_t out_size, errors_size;
	FILE *out = open_memstream(&r.out, &out_size), *errors = open_memstream(&r.errors, &errors_size);
	FILE *file = fopen(path, "w");

	assert_true(file && fputs(text, file) >= 0 && fclose(file) == 0);
	assert_int_equal(options_parse(&o, OPTIONS_VALIDATE, 2, argv, &err), 0);
	r.code = validate_files_run(&o, out, errors);
	options_done(&o);
	fclose(out);
	fclose(errors);
	return r;
}

static void good(void **state)
{
	auto_result r = validate(APP("one", "driver: {}, executor: {}") APP("two", "driver: {}, executor: {}"));

	(void)state;
	assert_int_equal(r.code, 0);
	assert_string_equal(r.out, "default/one: valid\ndefault/two: valid\n");
	assert_string_equal(r.errors, "");
}

/* What only a pod of the driver, or of an executor, shows is found too. */
static void bad(void **state)
{
	auto_result r = validate(APP("one", "driver: {memory: 1gg, cores: 0}, executor: {}") APP(
	    "two", "driver: {}, executor: {memory: 1g, memoryLimit: 9g}") APP("three", "driver: {}, executor: {}"));
	auto_free char *prefix = xasprintf("%s: default/one: spec.driver.", path);

	(void)state;
	assert_int_equal(r.code, 1);
	assert_string_equal(r.out, "default/three: valid\n");
	assert_true(text_starts(r.errors, prefix));
	assert_non_null(strstr(r.errors, "default/one: spec.driver.memory: Invalid value: \"1gg\""));
	assert_non_null(strstr(r.errors, "default/one: spec.driver.cores: Invalid value: 0"));
	assert_non_null(strstr(r.errors, "default/two: spec.executor.memoryLimit: Invalid value: \"9g\""));
}

static void no_application(void **state)
{
	auto_result r = validate("kind: Pod\nmetadata: {name: p}\n");
	auto_result empty = validate("");

	(void)state;
	assert_int_equal(r.code, 1);
	assert_non_null(strstr(r.errors, "default/p: kind: \"Pod\": expected SparkApplication"));
	assert_int_equal(empty.code, 1);
	assert_non_null(strstr(empty.errors, "holds no object"));
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
		cmocka_unit_test(no_application),
		cmocka_unit_test(no_file),
	};

	json_setup();
	return cmocka_run_group_tests(tests, setup, teardown);
}
