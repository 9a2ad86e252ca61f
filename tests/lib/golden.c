/* Golden runner: see golden.h. One cmocka test per file, built at run time. */
#include "golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

struct golden_case {
	char *path;
	golden_fn *fn;
};

char *golden_read(const char *path, size_t *ret_len)
{
	auto_buf text;
	FILE *file = fopen(path, "re");
	char block[8192];
	size_t n;

	if (!file)
		fail_msg("%s: cannot be read", path);
	buf_init(&text, 64u << 20);
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		buf_add(&text, block, n);
	fclose(file);
	if (ret_len)
		*ret_len = text.len;
	return buf_take(&text);
}

static void rewrite(const char *path, const struct json *input, struct json *got)
{
	auto_json all = json_new_object();
	auto_free char *text = NULL;
	FILE *file = fopen(path, "we");

	json_set(all, "input", json_dup(input));
	json_set(all, "want", got);
	text = json_print_pretty(all);
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

struct json *golden_json(const char *path)
{
	size_t len = 0;
	auto_free char *text = golden_read(path, &len);
	struct err err = { 0 };
	struct json *tree = json_parse(text, len, &err);

	if (!tree)
		fail_msg("%s: %s", path, err.msg);
	return tree;
}

static void run_case(void **state)
{
	const struct golden_case *c = *state;
	auto_json golden = golden_json(c->path);
	auto_json got = c->fn(json_get(golden, "input"));

	if (getenv("UPDATE_GOLDEN")) {
		rewrite(c->path, json_get(golden, "input"), take_ptr(got));
		return;
	}
	if (!json_equal(got, json_get(golden, "want"))) {
		auto_json diff = json_merge_diff(json_get(golden, "want"), got);
		auto_free char *diff_text = diff ? json_print_pretty(diff) : xstrdup("(order)");

		print_error("%s: what changed against `want`:\n%s", c->path, diff_text);
		fail();
	}
}

int golden_run(const char *directory, golden_fn *fn)
{
	auto_free char *pattern = xasprintf("%s/%s/*.json", TESTS_DIR, directory);
	struct golden_case *cases;
	struct CMUnitTest *tests;
	glob_t found = { 0 };
	int failed;

	json_setup();
	if (glob(pattern, 0, NULL, &found) != 0) {
		print_error("%s: no golden files\n", pattern);
		return 1;
	}
	cases = xcalloc(found.gl_pathc, sizeof(*cases));
	tests = xcalloc(found.gl_pathc, sizeof(*tests));
	for (size_t i = 0; i < found.gl_pathc; i++) {
		cases[i] = (struct golden_case){ found.gl_pathv[i], fn };
		tests[i] = (struct CMUnitTest){ found.gl_pathv[i], run_case, NULL, NULL, &cases[i] };
	}
	failed = _cmocka_run_group_tests(directory, tests, found.gl_pathc, NULL, NULL);
	free(cases);
	free(tests);
	globfree(&found);
	return failed;
}
