/*
 * One application with very many executors: the status follows them, and what that costs depends on how long it takes,
 * not on how many there are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "sim_cluster.h"
#include "spark/app.h"
#include "json_text.h"

enum {
	EXECUTORS = 800,
	BEGIN_MS = 1500, /* the driver runs by then, and ends at 5 s */
};

#define NS "default"

static char *name_of(int number)
{
	return xasprintf("crowd-exec-%d", number);
}

/* Executors of the driver that runs, one each millisecond, as the first one but for their names and numbers. */
static void put_executors(struct sim *s)
{
	auto_json first = json_dup(fake_kube_get(s->kube, &resource_pod, NS, "pi-exec-1"));

	assert_non_null(first);
	json_remove(json_get(first, "metadata"), "uid");
	json_set_str(json_ensure_object(first, "status"), "phase", "Pending");
	for (int i = 0; i < EXECUTORS; i++) {
		struct json *pod = json_dup(first);
		auto_free char *name = name_of(i);

		json_set_str(json_get(pod, "metadata"), "name", name);
		json_setf(json_at(pod, "metadata.labels"), LABEL_EXEC_ID, "%d", 10 + i);
		fake_kube_put(s->kube, &resource_pod, pod);
		fake_kube_run(s->kube, 1);
	}
}

static void patch_executors(struct sim *s, const char *patch)
{
	for (int i = 0; i < EXECUTORS; i++) {
		auto_free char *name = name_of(i);

		fake_kube_patch(s->kube, &resource_pod, NS, name, patch);
		fake_kube_run(s->kube, 1);
	}
}

/* Plans made until now. */
static int64_t plans(const struct sim *s)
{
	static const char line[] = "workqueue_queue_duration_seconds_count{name=\"spark-application-controller\"} ";
	auto_buf text;
	const char *at;
	auto_free char *number = NULL;
	int64_t count = -1;

	buf_init(&text, 1 << 20);
	metrics_write(s->metrics, &text);
	at = strstr(buf_str(&text), line);
	assert_non_null(at);
	number = xstrndup(at + strlen(line), strcspn(at + strlen(line), "\n"));
	assert_true(text_i64(number, &count));
	return count;
}

static size_t running(const struct sim *s)
{
	const struct json *app = fake_kube_get(s->kube, &resource_sparkapplication, NS, "pi");
	size_t count = 0;

	json_each (executor, json_at(app, "status.executorState"))
		count += text_eq(json_text(executor, ""), "RUNNING");
	return count;
}

/* The Spark container of the first one of the crowd ends, and another container of its pod goes on. */
static void end_spark_container(struct sim *s)
{
	auto_free char *name = name_of(0);
	const struct json *pod = fake_kube_get(s->kube, &resource_pod, NS, name);
	auto_free char *patch = xasprintf("{\"status\":{\"containerStatuses\":[{\"name\":\"%s\",\"state\":"
					  "{\"terminated\":{\"exitCode\":1}}}]}}",
					  json_str(json_first(json_at(pod, "spec.containers")), "name", ""));

	fake_kube_patch(s->kube, &resource_pod, NS, name, patch);
}

static void a_crowd_of_executors_costs_a_few_plans(void **state)
{
	struct sim s;
	int64_t before;

	(void)state;
	sim_init(&s, SIM_SUCCEED);
	fake_kube_run(s.kube, BEGIN_MS);
	assert_int_equal(running(&s), 2);
	before = plans(&s);
	put_executors(&s);
	patch_executors(&s, JSON({ "status" : { "phase" : "Running" } }));
	fake_kube_run(s.kube, 300);
	assert_int_equal(running(&s), EXECUTORS + 2);
	assert_in_range(plans(&s) - before, 10, 2 * EXECUTORS / 100 + 6);
	end_spark_container(&s);
	fake_kube_run(s.kube, 300);
	assert_int_equal(running(&s), EXECUTORS + 1);

	/* What the status does not show costs even less. */
	before = plans(&s);
	patch_executors(&s, JSON({ "status" : { "podIP" : "10.1.2.3" } }));
	assert_in_range(plans(&s) - before, 0, 2);
	sim_run(&s);
	sim_check_writes(&s);
	sim_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_crowd_of_executors_costs_a_few_plans) };

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
