/* What a process says of itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "runtime/process_metrics.h"

static void test_process(void **state)
{
	struct metrics *m = metrics_new();
	struct process_metrics *p = process_metrics_new(m, 1500);
	auto_buf text;

	(void)state;
	buf_init(&text, 1 << 20);
	metrics_write(m, &text);
	assert_true(metric_get(metrics_find(m, "process_start_time_seconds"), NULL) == 1.5);
	assert_true(metric_get(metrics_find(m, "process_resident_memory_bytes"), NULL) > 1 << 20);
	assert_true(metric_get(metrics_find(m, "process_virtual_memory_bytes"), NULL) >=
		    metric_get(metrics_find(m, "process_resident_memory_bytes"), NULL));
	assert_true(metric_get(metrics_find(m, "process_open_fds"), NULL) >= 3);
	assert_true(metric_get(metrics_find(m, "process_max_fds"), NULL) >= 3);
	assert_true(metric_get(metrics_find(m, "process_cpu_seconds_total"), NULL) >= 0);
	process_metrics_build_info(m, "1.2.3", "0123abc-dirty-456def");
	buf_clear(&text);
	metrics_write(m, &text);
	assert_non_null(strstr(buf_str(&text), "\nspark_operator_build_info{version=\"1.2.3\","
					       "revision=\"0123abc-dirty-456def\",compiler=\""));
	process_metrics_free(p);
	metrics_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
