/*
 * Kinds that this version does not run, beside an application that runs: the whole operator in virtual time.
 *
 * Each of their objects says once that it is not run, whatever goes wrong, and applications never wait for these kinds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "parse.h"
#include "sim_cluster.h"

static const struct {
	const struct resource *res;
	const char *event;
	const char *told; /* what is there once it has been told */
} kinds[] = {
	{ &resource_scheduledsparkapplication, "ScheduleNotRun", "status.reason" },
	{ &resource_sparkconnect, "SparkConnectNotRun", "status.state" },
};

static void put_objects(struct sim *s)
{
	for (size_t i = 0; i < array_len(kinds); i++)
		fake_kube_put(s->kube, kinds[i].res, parse(JSON({
				      "metadata" : { "name" : "x", "namespace" : "default", "generation" : 1 },
				      "spec" : { "schedule" : "@daily" }
			      })));
}

static bool is_told(const struct sim *s, size_t kind)
{
	return json_at(fake_kube_get(s->kube, kinds[kind].res, "default", "x"), kinds[kind].told);
}

static unsigned count_told(const struct sim *s, size_t kind)
{
	const struct json *event;
	unsigned count = 0;
	size_t pos = 0;

	while ((event = fake_kube_next(s->kube, &resource_event, &pos)))
		if (text_eq(json_str(event, "reason", ""), kinds[kind].event)) {
			assert_string_equal(json_str(event, "involvedObject.kind", ""), kinds[kind].res->kind);
			assert_string_equal(json_str(event, "type", ""), "Warning");
			count += (unsigned)json_i64(event, "count", 1);
		}
	return count;
}

static void expect_told_once(const struct sim *s)
{
	for (size_t i = 0; i < array_len(kinds); i++) {
		assert_true(is_told(s, i));
		assert_int_equal(count_told(s, i), 1);
	}
}

static const char *app_state(const struct sim *s)
{
	return json_str(fake_kube_get(s->kube, &resource_sparkapplication, "default", "pi"),
			"status.applicationState.state", "");
}

static unsigned count_patches(const struct sim *s)
{
	unsigned count = 0;

	for (size_t i = 0; i < array_len(kinds); i++)
		count += fake_kube_calls(s->kube, VERB_PATCH, kinds[i].res);
	return count;
}

static void each_object_says_it_once(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, SIM_SUCCEED);
	put_objects(&s);
	sim_run(&s);
	expect_told_once(&s);
	for (size_t i = 0; i < array_len(kinds); i++)
		fake_kube_patch(s.kube, kinds[i].res, "default", "x", JSON({ "metadata" : { "generation" : 2 } }));
	sim_crash(&s);
	fake_kube_run(s.kube, 60000);
	expect_told_once(&s);
	assert_int_equal(count_patches(&s), array_len(kinds));
	sim_check_writes(&s);
	sim_done(&s);
}

static void whatever_goes_wrong(void **state)
{
	static const struct fake_refusal refusals[] = { { 409, "Conflict", NULL, 0 }, { 503, NULL, NULL, 0 } };

	(void)state;
	for (size_t i = 0; i < array_len(refusals); i++) {
		struct sim s;

		sim_init(&s, SIM_SUCCEED);
		fake_kube_refuse(s.kube, VERB_PATCH, kinds[i].res, 3, &refusals[i]);
		put_objects(&s);
		sim_run(&s);
		expect_told_once(&s);
		sim_done(&s);
	}
}

/* The CRDs are not there, or a role does not speak of them. */
static void applications_do_not_wait_for_these_kinds(void **state)
{
	static const struct fake_refusal refusals[] = { { 404, NULL, NULL, 0 }, { 403, NULL, NULL, 0 } };

	(void)state;
	for (size_t i = 0; i < array_len(refusals); i++) {
		struct sim s;

		sim_init_bare(&s, SIM_SUCCEED);
		for (size_t k = 0; k < array_len(kinds); k++)
			fake_kube_refuse(s.kube, VERB_LIST, kinds[k].res, -1, &refusals[i]);
		put_objects(&s);
		sim_crash(&s); /* the operator starts */
		fake_kube_run(s.kube, 1500);
		assert_true(manager_ready(s.manager));
		sim_apply(&s, SIM_UID);
		sim_run(&s);
		assert_string_equal(app_state(&s), "COMPLETED");
		assert_int_equal(count_patches(&s), 0);

		/* Somebody installs the CRDs. */
		fake_kube_accept(s.kube);
		fake_kube_run(s.kube, 60000);
		expect_told_once(&s);
		sim_done(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_object_says_it_once),
		cmocka_unit_test(whatever_goes_wrong),
		cmocka_unit_test(applications_do_not_wait_for_these_kinds),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
