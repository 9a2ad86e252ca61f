/* The text of spark.properties: comments, order, escapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "properties.h"

static void whole_file(void **state)
{
	auto_json conf = json_new_object();
	auto_free char *text = NULL;

	(void)state;
	json_set_str(conf, "spark.b", "2");
	json_set_str(conf, "spark.a", "1");
	json_set_str(conf, "spark.a.c", "");
	text = properties_print(conf, "the-map", 1767323045000);
	assert_string_equal(text, "#Java properties built from Kubernetes config map with name: the-map\n"
				  "#Fri Jan 02 03:04:05 UTC 2026\n"
				  "spark.a=1\nspark.a.c=\nspark.b=2\n");
}

static void only_comments(void **state)
{
	auto_json conf = json_new_object();
	auto_free char *text = properties_print(conf, "m", 0);

	(void)state;
	assert_non_null(strstr(text, "\n#Thu Jan 01 00:00:00 UTC 1970\n"));
	assert_int_equal(text[strlen(text) - 1], '\n');
}

/* Left: value or key; right: what java.util.Properties.store writes. */
static void escapes(void **state)
{
	static const struct {
		const char *key;
		const char *value;
		const char *line;
	} rows[] = {
		{ "k", "a=b:c#d!e", "\nk=a\\=b\\:c\\#d\\!e\n" },
		{ "k", "  two", "\nk=\\  two\n" },
		{ "k", "in side ", "\nk=in side \n" },
		{ "a b", "v", "\na\\ b=v\n" },
		{ " a", "v", "\n\\ a=v\n" },
		{ "k:e", "1", "\nk\\:e=1\n" },
		{ "k", "a\nb\tc\rd\fe", "\nk=a\\nb\\tc\\rd\\fe\n" },
		{ "k", "C:\\x\\n", "\nk=C\\:\\\\x\\\\n\n" },
		{ "k", "é漢🚀\x01", "\nk=é漢🚀\x01\n" },
		{ "k", "\"q\"'", "\nk=\"q\"'\n" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_json conf = json_new_object();
		auto_free char *text = NULL;

		json_set_str(conf, rows[i].key, rows[i].value);
		text = properties_print(conf, "m", 0);
		if (!strstr(text, rows[i].line))
			fail_msg("%s: not as expected in %s", rows[i].line, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_file),
		cmocka_unit_test(only_comments),
		cmocka_unit_test(escapes),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
