/* Plans: order, what belongs to whom, the printed form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kube/plan.h"

static struct json *object(const char *ns, const char *name)
{
	struct json *o = json_new_object();
	struct json *meta = json_set(o, "metadata", json_new_object());

	json_set_str(meta, "namespace", ns);
	json_set_str(meta, "name", name);
	return o;
}

static void expect(const struct plan *p, const char *want)
{
	auto_json tree = plan_json(p);
	auto_free char *text = json_print(tree);

	assert_string_equal(text, want);
}

static void test_empty(void **state)
{
	auto_plan p;

	(void)state;
	plan_init(&p);
	expect(&p, "{\"actions\":[],\"requeue_ms\":-1}");
}

static void test_each_action(void **state)
{
	struct json *status = json_new_object();
	auto_plan p;

	(void)state;
	plan_init(&p);
	json_set_i64(status, "status", 1);
	plan_status(&p, &resource_sparkapplication, "n", "a", "u", "7", status);
	plan_check(&p, &resource_sparkapplication, "n", "a", "u", "8");
	plan_create(&p, &resource_pod, object("n", "a-driver"), "u", "attempt", "1");
	plan_delete(&p, &resource_service, "n", "a-svc", "u2");
	plan_event(&p, &resource_sparkapplication, "n", "a", "u", "Warning", "Failed", "exit code %d", 3);
	expect(&p,
	       "{\"actions\":["
	       "{\"type\":\"status\",\"resource\":\"sparkapplications\",\"key\":\"n/a\",\"uid\":\"u\","
	       "\"resourceVersion\":\"7\",\"body\":{\"status\":1}},"
	       "{\"type\":\"check\",\"resource\":\"sparkapplications\",\"key\":\"n/a\",\"uid\":\"u\","
	       "\"resourceVersion\":\"8\"},"
	       "{\"type\":\"create\",\"resource\":\"pods\",\"key\":\"n/a-driver\",\"uid\":\"u\",\"label\":\"attempt\","
	       "\"labelValue\":\"1\",\"body\":{\"metadata\":{\"namespace\":\"n\",\"name\":\"a-driver\"}}},"
	       "{\"type\":\"delete\",\"resource\":\"services\",\"key\":\"n/a-svc\",\"uid\":\"u2\"},"
	       "{\"type\":\"event\",\"resource\":\"sparkapplications\",\"key\":\"n/a\",\"uid\":\"u\",\"body\":"
	       "{\"type\":\"Warning\",\"reason\":\"Failed\",\"message\":\"exit code 3\"}}"
	       "],\"requeue_ms\":-1}");
	assert_string_equal(p.actions[2].ns, "n");
	assert_string_equal(p.actions[2].name, "a-driver");
}

static void test_what_is_absent(void **state)
{
	auto_plan p;

	(void)state;
	plan_init(&p);
	plan_create(&p, &resource_pod, json_new_object(), NULL, NULL, NULL);
	plan_delete(&p, &resource_pod, NULL, "x", NULL);
	expect(&p, "{\"actions\":[{\"type\":\"create\",\"resource\":\"pods\",\"key\":\"\",\"body\":{}},"
		   "{\"type\":\"delete\",\"resource\":\"pods\",\"key\":\"x\"}],\"requeue_ms\":-1}");
}

static void test_many(void **state)
{
	auto_plan p;

	(void)state;
	plan_init(&p);
	for (int i = 0; i < 100; i++) {
		auto_free char *name = xasprintf("p%d", i);

		plan_delete(&p, &resource_pod, "n", name, "u");
	}
	assert_int_equal(p.len, 100);
	assert_string_equal(p.actions[99].name, "p99");
	plan_done(&p);
	assert_int_equal(p.len, 0);
	assert_int_equal(p.requeue_ms, -1);
}

static void test_requeue(void **state)
{
	static const struct {
		int64_t delays[3];
		int64_t want;
	} rows[] = {
		{ { 5, 5, 5 }, 5 },  { { 10, 5, 20 }, 5 },	  { { 5, 10, 0 }, 0 },
		{ { 7, -3, 9 }, 0 }, { { INT64_MAX, 9, 10 }, 9 },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_plan p;

		plan_init(&p);
		for (size_t j = 0; j < 3; j++)
			plan_requeue(&p, rows[i].delays[j]);
		assert_int_equal(p.requeue_ms, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty), cmocka_unit_test(test_each_action), cmocka_unit_test(test_what_is_absent),
		cmocka_unit_test(test_many),  cmocka_unit_test(test_requeue),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
