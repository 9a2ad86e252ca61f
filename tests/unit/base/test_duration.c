/* Durations as text: units, fractions, sums, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/duration.h"
#include "base/mem.h"

static void durations_are_read_as_go_reads_them(void **state)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: refused */
	} cases[] = {
		{ "0", 0 },
		{ "0s", 0 },
		{ "1ms", 1 },
		{ "30s", 30000 },
		{ "5m", 300000 },
		{ "2h", 7200000 },
		{ "1h30m", 5400000 },
		{ "1m1s1ms", 61001 },
		{ "30m1h", 5400000 },
		{ "999999999h", INT64_C(3599999996400000) },
		{ "", -1 },
		{ "5", -1 },
		{ "s", -1 },
		{ "-1s", -1 },
		{ "1s ", -1 },
		{ " 1s", -1 },
		{ "1.5h", 5400000 },
		{ "1d", -1 },
		{ ".5s", 500 },
		{ "1.s", 1000 },
		{ "1.0005s", 1001 },
		{ "100us", 1 },
		{ "1500µs", 2 },
		{ "3000000ns", 3 },
		{ "1.s.s", -1 },
		{ ".s", -1 },
		{ "1.5.5s", -1 },
		{ "-1.5s", -1 },
		{ "2562047h47m16.854775807s", INT64_C(9223372036855) },
		{ "1h30", -1 },
		{ "0.1s", 100 },
		{ "1μs", 1 },
		{ "0.0000000001h", 0 },
		{ "+1s", -1 },
		{ "1000000000s", -1 },
	};
	int64_t ms = 7;

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		ms = 7;
		assert_int_equal(duration_parse(cases[i].text, &ms), cases[i].want >= 0);
		assert_int_equal(ms, cases[i].want >= 0 ? cases[i].want : 7);
	}
	assert_false(duration_parse(NULL, &ms));
}

/* Every part fits. */
static void a_sum_that_does_not_fit_is_refused(void **state)
{
	auto_buf text;
	int64_t ms = 7;

	(void)state;
	buf_init(&text, 1 << 20);
	for (int i = 0; i < 3000; i++)
		buf_puts(&text, "999999999h");
	assert_false(duration_parse(buf_str(&text), &ms));
	assert_int_equal(ms, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_read_as_go_reads_them),
		cmocka_unit_test(a_sum_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
