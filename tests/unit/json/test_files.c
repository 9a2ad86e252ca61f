/* Files of objects: documents, Lists, and what is said of files that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json/files.h"

static char path[] = "/tmp/test_files.XXXXXX";

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

static void write_file(const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void test_objects(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "[]" },
		{ "# nothing\n---\n---\n", "[]" },
		{ "kind: A\n", "[{\"kind\":\"A\"}]" },
		{ "kind: A\n---\nkind: B\n", "[{\"kind\":\"A\"},{\"kind\":\"B\"}]" },
		{ "{\"kind\":\"A\"}", "[{\"kind\":\"A\"}]" },
		{ "\n{\"kind\":\"\\ud83d\\ude80\"}",
		  "[{\"kind\":\"\xf0\x9f\x9a\x80\"}]" }, /* libyaml knows no surrogates */
		{ "{kind: A}\n", "[{\"kind\":\"A\"}]" },
		{ "kind: List\nitems: [{kind: A}, {kind: B}]\n---\nkind: C\n",
		  "[{\"kind\":\"A\"},{\"kind\":\"B\"},{\"kind\":\"C\"}]" },
		{ "kind: SparkApplicationList\nitems: []\n", "[]" },
		{ "kind: List\nitems: x\n", "[{\"kind\":\"List\",\"items\":\"x\"}]" },
		{ "kind: List\n", "[{\"kind\":\"List\"}]" },
		{ "kind: A\nitems: [1]\n", "[{\"kind\":\"A\",\"items\":[1]}]" },
		{ "kind: [List]\nitems: [1]\n", "[{\"kind\":[\"List\"],\"items\":[1]}]" },
		{ "just text\n--- [1]\n", "[\"just text\",[1]]" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		struct err err = { 0 };
		auto_json objects = NULL;
		auto_free char *text = NULL;

		write_file(cases[i].text, strlen(cases[i].text));
		objects = files_read_objects(path, &err);
		if (!objects)
			fail_msg("%s: %s", cases[i].text, err.msg);
		text = json_print(objects);
		assert_string_equal(text, cases[i].want);
	}
}

/* More than is read at once. */
static void test_large(void **state)
{
	auto_free char *text = xmalloc(100000);
	auto_json objects = NULL;
	struct err err = { 0 };

	(void)state;
	memset(text, 'x', 100000);
	write_file(text, 100000);
	objects = files_read_objects(path, &err);
	assert_int_equal(json_len(objects), 1);
	assert_int_equal(strlen(json_text(json_first(objects), "")), 100000);
}

static void test_not_yaml(void **state)
{
	struct err err = { 0 };

	(void)state;
	write_file("a: b: c\n", 8);
	assert_null(files_read_objects(path, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(strncmp(err.msg, path, strlen(path)), 0);
	assert_non_null(strstr(err.msg, ": YAML, line 1, column 5"));
	write_file("a: \"\0\"\n", 7);
	assert_null(files_read_objects(path, &err));
	assert_int_equal(err.code, ERR_INVALID);
}

static void test_unreadable(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_null(files_read_objects("/nonexistent/app.yaml", &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_string_equal(err.msg, "/nonexistent/app.yaml: No such file or directory");
	assert_null(files_read_objects("/", &err));
	assert_int_equal(err.code, ERR_IO);
	assert_string_equal(err.msg, "/: Is a directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_not_yaml),
		cmocka_unit_test(test_unreadable),
	};

	json_setup();
	return cmocka_run_group_tests(tests, setup, teardown);
}
