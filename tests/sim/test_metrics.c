/*
 * What Prometheus gets of an operator after one application has run: the whole text, in golden/metrics/exposition.txt.
 * UPDATE_GOLDEN=1 rewrites it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "golden.h"
#include "sim_cluster.h"

#define GOLDEN "golden/metrics/exposition.txt"

static void start(struct sim *s)
{
	static const char *const namespaces[] = { "default", "empty" };
	const struct operator_options options = {
		.manager = { .namespaces = namespaces, .namespace_count = array_len(namespaces), .instance = "sim" },
		.reconcile = reconcile_defaults,
		.metrics = { .old_names = true },
	};

	s->metrics = metrics_new();
	s->spark = operator_new(fake_kube_api(s->kube), &s->sched, s->metrics, &options);
	s->manager = operator_manager(s->spark);
	manager_lead(s->manager);
	manager_start(s->manager);
}

static void write_golden(const char *text)
{
	FILE *file = fopen(GOLDEN, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void whole_text(void **state)
{
	auto_free char *want = NULL;
	auto_buf text;
	struct sim s;

	(void)state;
	buf_init(&text, 1 << 20);
	sim_init_bare(&s, SIM_SUCCEED);
	start(&s);
	sched_run(&s.sched, 10);
	sim_apply(&s, SIM_UID);
	sim_run(&s);
	metrics_write(s.metrics, &text);
	sim_done(&s);
	if (getenv("UPDATE_GOLDEN"))
		write_golden(buf_str(&text));
	want = golden_read(GOLDEN, NULL);
	assert_string_equal(buf_str(&text), want);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(whole_text) };

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
