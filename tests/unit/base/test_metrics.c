/* The registry and its exposition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/metrics.h"

static int setup(void **state)
{
	*state = metrics_new();
	return 0;
}

static int teardown(void **state)
{
	metrics_free(*state);
	return 0;
}

static void expect(struct metrics *m, const char *want)
{
	auto_buf out;

	buf_init(&out, 1 << 20);
	metrics_write(m, &out);
	assert_string_equal(buf_str(&out), want);
}

#define values(...) ((const char *const[]){ __VA_ARGS__ })

static void test_counter_and_gauge(void **state)
{
	struct metric *c = metrics_family(*state, METRIC_COUNTER, "a_total", "All.\nOf \\ \"it\".", NULL, NULL, 0);
	struct metric *g = metrics_family(*state, METRIC_GAUGE, "b", "B.", values("state", "kind", NULL), NULL, 0);

	expect(*state, "# HELP a_total All.\\nOf \\\\ \"it\".\n# TYPE a_total counter\na_total 0\n"
		       "# HELP b B.\n# TYPE b gauge\n");
	metric_add(c, NULL, 1);
	metric_add(c, NULL, 0.5);
	metric_set(g, values("x", "2"), 7);
	metric_set(g, values("a\"\\\n", ""), -1);
	metric_add(g, values("x", "2"), -2);
	metric_set(g, values("n", "\xff"), NAN);
	metric_set(g, values("i", "i"), INFINITY);
	assert_true(metric_get(c, NULL) == 1.5);
	assert_true(metric_get(g, values("x", "2")) == 5);
	assert_true(metric_get(g, values("x", "3")) == 0);
	expect(*state, "# HELP a_total All.\\nOf \\\\ \"it\".\n# TYPE a_total counter\na_total 1.5\n"
		       "# HELP b B.\n# TYPE b gauge\nb{state=\"x\",kind=\"2\"} 5\n"
		       "b{state=\"a\\\"\\\\\\n\",kind=\"\"} -1\nb{state=\"n\",kind=\"\xef\xbf\xbd\"} NaN\n"
		       "b{state=\"i\",kind=\"i\"} +Inf\n");
}

static void test_histogram(void **state)
{
	static const double bounds[] = { 0.1, 1, 10 };
	struct metric *h =
	    metrics_family(*state, METRIC_HISTOGRAM, "h", "H.", values("l", NULL), bounds, array_len(bounds));

	metric_observe(h, values("a"), 0.1);
	metric_observe(h, values("a"), 0.5);
	metric_observe(h, values("a"), 2);
	metric_observe(h, values("a"), 100);
	assert_true(metric_get(h, values("a")) == 102.6);
	expect(*state, "# HELP h H.\n# TYPE h histogram\n"
		       "h_bucket{l=\"a\",le=\"0.1\"} 1\nh_bucket{l=\"a\",le=\"1\"} 2\n"
		       "h_bucket{l=\"a\",le=\"10\"} 3\nh_bucket{l=\"a\",le=\"+Inf\"} 4\n"
		       "h_sum{l=\"a\"} 102.6\nh_count{l=\"a\"} 4\n");
}

static void test_without_labels(void **state)
{
	static const double bounds[] = { 5 };
	struct metric *s = metrics_family(*state, METRIC_SUMMARY, "s", "S.", NULL, NULL, 0);

	metrics_family(*state, METRIC_HISTOGRAM, "h", "H.", NULL, bounds, 1);
	metric_observe(s, NULL, 1.25);
	metric_observe(s, NULL, 2);
	expect(*state, "# HELP s S.\n# TYPE s summary\ns_sum 3.25\ns_count 2\n"
		       "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"5\"} 0\nh_bucket{le=\"+Inf\"} 0\n"
		       "h_sum 0\nh_count 0\n");
}

static void test_too_many_series(void **state)
{
	struct metric *c = metrics_family(*state, METRIC_COUNTER, "c", "C.", values("a", "b", NULL), NULL, 0);
	auto_buf out;

	for (int i = 0; i < 10050; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		metric_add(c, values(name, "x"), 1);
	}
	metric_add(c, values("9999", "x"), 1);
	assert_true(metric_get(c, values("9999", "x")) == 2);
	assert_true(metric_get(c, values("10000", "x")) == 0);
	assert_true(metric_get(c, values("other", "other")) == 50);
	buf_init(&out, 1 << 20);
	metrics_write(*state, &out);
	assert_non_null(strstr(buf_str(&out), "\nc{a=\"other\",b=\"other\"} 50\n"));
}

static void collect(void *arg)
{
	metric_add(arg, NULL, 10);
}

static void test_collectors(void **state)
{
	struct metric *g = metrics_family(*state, METRIC_GAUGE, "g", "G.", NULL, NULL, 0);

	metrics_on_collect(*state, collect, g);
	metrics_on_collect(*state, collect, g);
	expect(*state, "# HELP g G.\n# TYPE g gauge\ng 20\n");
	expect(*state, "# HELP g G.\n# TYPE g gauge\ng 40\n");
}

static void test_shown_before_counted(void **state)
{
	static const double bounds[] = { 1 };
	struct metric *c = metrics_family(*state, METRIC_COUNTER, "c", "C.", values("a", NULL), NULL, 0);
	struct metric *h = metrics_family(*state, METRIC_HISTOGRAM, "h", "H.", values("a", NULL), bounds, 1);

	metric_init(c, values("x"));
	metric_add(c, values("x"), 2);
	metric_init(c, values("x"));
	metric_init(h, values("y"));
	metric_init(h, values("z"));
	metric_remove(h, values("z"));
	metric_remove(h, values("never"));
	expect(*state, "# HELP c C.\n# TYPE c counter\nc{a=\"x\"} 2\n"
		       "# HELP h H.\n# TYPE h histogram\nh_bucket{a=\"y\",le=\"1\"} 0\n"
		       "h_bucket{a=\"y\",le=\"+Inf\"} 0\nh_sum{a=\"y\"} 0\nh_count{a=\"y\"} 0\n");
}

/* Two things that are described by one series: it stays until both are gone. */
static void test_series_of_two_users(void **state)
{
	struct metric *g = metrics_family(*state, METRIC_GAUGE, "g", "G.", values("a", NULL), NULL, 0);

	metric_init(g, values("x"));
	metric_init(g, values("x"));
	metric_set(g, values("x"), 3);
	metric_remove(g, values("x"));
	assert_true(metric_get(g, values("x")) == 3);
	metric_remove(g, values("x"));
	assert_true(metric_get(g, values("x")) == 0);
	expect(*state, "# HELP g G.\n# TYPE g gauge\n");
}

static void test_alias(void **state)
{
	static const double bounds[] = { 1 };
	struct metric *h = metrics_family(*state, METRIC_HISTOGRAM, "h", "H.", values("a", NULL), bounds, 1);
	struct metric *g = metrics_family(*state, METRIC_GAUGE, "g", "G.", values("a", NULL), NULL, 0);

	metrics_alias(*state, h, METRIC_SUMMARY, "s", "S.", NULL);
	metrics_alias(*state, h, METRIC_HISTOGRAM, "one", "O.", values("x"));
	metrics_alias(*state, g, METRIC_GAUGE, "none", "N.", values("absent"));
	metric_observe(h, values("x"), 0.5);
	metric_observe(h, values("y"), 3);
	metric_set(g, values("x"), 4);
	expect(*state, "# HELP h H.\n# TYPE h histogram\n"
		       "h_bucket{a=\"x\",le=\"1\"} 1\nh_bucket{a=\"x\",le=\"+Inf\"} 1\n"
		       "h_sum{a=\"x\"} 0.5\nh_count{a=\"x\"} 1\n"
		       "h_bucket{a=\"y\",le=\"1\"} 0\nh_bucket{a=\"y\",le=\"+Inf\"} 1\n"
		       "h_sum{a=\"y\"} 3\nh_count{a=\"y\"} 1\n"
		       "# HELP g G.\n# TYPE g gauge\ng{a=\"x\"} 4\n"
		       "# HELP s S.\n# TYPE s summary\n"
		       "s_sum{a=\"x\"} 0.5\ns_count{a=\"x\"} 1\ns_sum{a=\"y\"} 3\ns_count{a=\"y\"} 1\n"
		       "# HELP one O.\n# TYPE one histogram\n"
		       "one_bucket{le=\"1\"} 1\none_bucket{le=\"+Inf\"} 1\none_sum 0.5\none_count 1\n"
		       "# HELP none N.\n# TYPE none gauge\n");
}

#define metrics_test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		metrics_test(test_counter_and_gauge),	metrics_test(test_histogram),
		metrics_test(test_without_labels),	metrics_test(test_too_many_series),
		metrics_test(test_collectors),		metrics_test(test_shown_before_counted),
		metrics_test(test_series_of_two_users), metrics_test(test_alias),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
