/* Label selectors: what the API server takes and means (cases of apimachinery pkg/labels), and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "kube/selector.h"
#include "json_text.h"

static struct json *labels_of(const char *text)
{
	struct err err = { 0 };
	struct json *labels = json_parse(text, strlen(text), &err);

	assert_non_null(labels);
	return labels;
}

static void matches(void **state)
{
	static const struct {
		const char *selector, *labels;
		bool want;
	} rows[] = {
		{ "", "{}", true },
		{ " \t", JSON({ "a" : "b" }), true },
		{ "a=b", JSON({ "a" : "b" }), true },
		{ "a==b", JSON({ "a" : "b" }), true },
		{ " a = b ", JSON({ "a" : "b" }), true },
		{ "a=b", JSON({ "a" : "c" }), false },
		{ "a=b", "{}", false },
		{ "a=", JSON({ "a" : "" }), true },
		{ "a=", "{}", false },
		{ "a!=b", JSON({ "a" : "c" }), true },
		{ "a!=b", "{}", true },
		{ "a!=b", JSON({ "a" : "b" }), false },
		{ "a=b,c=d", JSON({ "a" : "b", "c" : "d" }), true },
		{ "a=b,c=d", JSON({ "a" : "b" }), false },
		{ "a", JSON({ "a" : "" }), true },
		{ "a", JSON({ "b" : "a" }), false },
		{ "!a", JSON({ "b" : "a" }), true },
		{ "! a", JSON({ "a" : "b" }), false },
		{ "env in (prod, staging)", JSON({ "env" : "staging" }), true },
		{ "env in (prod,staging)", JSON({ "env" : "dev" }), false },
		{ "env in (prod)", "{}", false },
		{ "env notin (prod,staging)", JSON({ "env" : "dev" }), true },
		{ "env notin (prod,staging)", "{}", true },
		{ "env notin (prod)", JSON({ "env" : "prod" }), false },
		{ "env in ()", JSON({ "env" : "" }), true },
		{ "spark-operator=enabled,env in (prod,staging)",
		  JSON({ "spark-operator" : "enabled", "env" : "prod" }), true },
		{ "spark-operator=enabled,env in (prod,staging)", JSON({ "env" : "prod" }), false },
		{ "in in (in)", JSON({ "in" : "in" }), true },
		{ "kubernetes.io/metadata.name=jobs", JSON({ "kubernetes.io/metadata.name" : "jobs" }), true },
		{ "n>1", JSON({ "n" : "2" }), true },
		{ "n>1", JSON({ "n" : "1" }), false },
		{ "n<1", JSON({ "n" : "0" }), true },
		{ "n<1", JSON({ "n" : "many" }), false },
		{ "n<1", "{}", false },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct err err = { 0 };
		auto_json labels = labels_of(rows[i].labels);
		struct selector *s = selector_parse(rows[i].selector, &err);

		if (!s)
			fail_msg("%s: %s", rows[i].selector, err.msg);
		if (selector_matches(s, labels) != rows[i].want)
			fail_msg("%s on %s", rows[i].selector, rows[i].labels);
		selector_free(s);
	}
}

static void no_labels(void **state)
{
	struct err err = { 0 };
	struct selector *any = selector_parse("a!=b,!c", &err), *some = selector_parse("a", &err);

	(void)state;
	assert_true(selector_matches(any, NULL));
	assert_false(selector_matches(some, NULL));
	selector_free(any);
	selector_free(some);
	selector_free(NULL);
}

static void refuses(void **state)
{
	static const struct {
		const char *selector, *want;
	} rows[] = {
		{ ",a", "the key of a label at character 1" },
		{ "a,", "the key of a label at character 3" },
		{ "a,,b", "the key of a label at character 3" },
		{ "=b", "the key of a label at character 1" },
		{ "a b", "a comma or the end at character 3" },
		{ "a=b c", "a comma or the end at character 5" },
		{ "a==b==c", "a comma or the end at character 5" },
		{ "a=b/c", "the value of a label at character 3" },
		{ "-a=b", "the key of a label at character 1" },
		{ "a in b", "( at character 6" },
		{ "a in (b", ", or ) at character 8" },
		{ "a notin (b c)", ", or ) at character 12" },
		{ "a>b", "a number at character 3" },
		{ "!", "the key of a label at character 2" },
		{ "!a=b", "a comma or the end at character 3" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct err err = { 0 };

		assert_null(selector_parse(rows[i].selector, &err));
		assert_int_equal(err.code, ERR_INVALID);
		if (!strstr(err.msg, rows[i].want))
			fail_msg("%s: %s", rows[i].selector, err.msg);
	}
}

static void the_text_is_kept(void **state)
{
	static const char *const rows[] = { "a=b,c in (d)", " ", "" };
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct selector *selector = selector_parse(rows[i], &err);

		assert_string_equal(selector_text(selector), rows[i]);
		selector_free(selector);
	}
	assert_null(selector_text(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches),
		cmocka_unit_test(no_labels),
		cmocka_unit_test(refuses),
		cmocka_unit_test(the_text_is_kept),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
