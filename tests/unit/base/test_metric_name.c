/* Names of metrics and labels: which characters are replaced, which names are taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/metric_name.h"

static void other_characters_become_underscores(void **state)
{
	static const char *const rows[][3] = {
		{ NULL, "app_type", "app_type" },
		{ NULL, "app.kubernetes.io/name", "app_kubernetes_io_name" },
		{ "my-", "spark_application_count", "my_spark_application_count" },
		{ "a:", "b", "a_b" },
		{ "", "", "" },
		{ NULL, "µ", "__" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *name = metric_name(rows[i][0], rows[i][1]);

		assert_string_equal(name, rows[i][2]);
		if (!rows[i][0])
			assert_true(metric_name_equals(name, rows[i][1]));
	}
	assert_false(metric_name_equals("a_b", "a_b_c"));
	assert_false(metric_name_equals("a_b_c", "a.b"));
	assert_false(metric_name_equals("a_b", "a.c"));
	assert_true(metric_name_equals("", ""));
}

static void some_names_are_no_labels(void **state)
{
	static const char *const good[] = { "namespace", "_a", "A1", "less", "quantiles" };
	static const char *const bad[] = { "", "le", "quantile", "__name__", "1st" };

	(void)state;
	for (size_t i = 0; i < array_len(good); i++)
		assert_true(metric_name_is_label(good[i]));
	for (size_t i = 0; i < array_len(bad); i++)
		assert_false(metric_name_is_label(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_characters_become_underscores),
		cmocka_unit_test(some_names_are_no_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
