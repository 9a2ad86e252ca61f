/*
 * Objects beside an application, and which applications are watched: the whole operator in virtual time.
 *
 * Every fault at every write must lead to the end of the undisturbed run, so that there is exactly one of each object;
 * and whatever happens to them, the application comes to its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/map.h"
#include "base/text.h"
#include "parse.h"
#include "sim_cluster.h"

static const char spec[] = JSON({
	"driverPodDisruptionBudget" : true,
	"driverIngressOptions" : [
		{ "servicePort" : 8888, "ingressURLFormat" : "{{$appName}}.example.com/notebook" },
		{ "servicePort" : 9090, "ingressURLFormat" : "{{$appName}}.example.com/numbers" }
	]
});

static const char *const extras[][2] = {
	{ "services", "pi-ui-svc" },
	{ "ingresses", "pi-ui-ingress" },
	{ "services", "pi-driver-8888" },
	{ "ingresses", "pi-ing-8888" },
	{ "services", "pi-driver-9090" },
	{ "ingresses", "pi-ing-9090" },
	{ "poddisruptionbudgets", "pi-driver" },
};

static struct operator_options options(void)
{
	struct operator_options o = sim_options();

	o.reconcile.ingress.url_format = "https://{{$appName}}.example.com/{{$appId}}";
	o.reconcile.driver_pdb = true;
	return o;
}

static void init(struct sim *s, enum sim_plot plot)
{
	const struct operator_options o = options();

	sim_init_with(s, plot, &o, spec);
}

static unsigned count_writes(const struct sim *s, enum verb verb, const char *plural, const char *name)
{
	size_t len = 0;
	const struct fake_write *writes = fake_kube_writes(s->kube, &len);
	auto_free char *key = xasprintf("default/%s", name);
	unsigned count = 0;

	for (size_t i = 0; i < len; i++)
		count +=
		    writes[i].verb == verb && text_eq(writes[i].res->plural, plural) && text_eq(writes[i].key, key);
	return count;
}

static unsigned count_events(const struct sim *s, const char *reason)
{
	const struct json *event;
	unsigned count = 0;
	size_t pos = 0;

	while ((event = fake_kube_next(s->kube, &resource_event, &pos)))
		count += text_eq(json_str(event, "reason", ""), reason);
	return count;
}

static const struct json *app_of(const struct sim *s)
{
	return fake_kube_get(s->kube, &resource_sparkapplication, "default", "pi");
}

static const char *state_of(const struct sim *s)
{
	return json_str(app_of(s), "status.applicationState.state", "");
}

static void undisturbed(void **state)
{
	struct sim s;
	const struct json *info;

	(void)state;
	init(&s, SIM_SUCCEED);
	sim_run(&s);
	sim_check_writes(&s);
	assert_string_equal(state_of(&s), "COMPLETED");
	info = json_at(app_of(&s), "status.driverInfo");
	assert_string_equal(json_str(info, "webUIServiceName", ""), "pi-ui-svc");
	assert_string_equal(json_str(info, "webUIIngressName", ""), "pi-ui-ingress");
	assert_true(text_starts(json_str(info, "webUIIngressAddress", ""), "https://pi.example.com/spark-"));
	assert_true(text_ends(json_str(info, "webUIIngressAddress", ""),
			      json_str(app_of(&s), "status.sparkApplicationId", "?")));
	for (size_t i = 0; i < array_len(extras); i++)
		assert_int_equal(count_writes(&s, VERB_CREATE, extras[i][0], extras[i][1]), 1);
	assert_int_equal(count_writes(&s, VERB_DELETE, "poddisruptionbudgets", "pi-driver"), 1);
	assert_int_equal(fake_kube_count(s.kube, &resource_poddisruptionbudget), 0);
	assert_int_equal(fake_kube_count(s.kube, &resource_ingress), 3);
	sim_done(&s);
}

/* The application is told of by as many status writes as without them. */
static void no_more_status_writes(void **state)
{
	unsigned count[2];

	(void)state;
	for (int with = 0; with < 2; with++) {
		struct sim s;

		if (with)
			init(&s, SIM_SUCCEED);
		else
			sim_init(&s, SIM_SUCCEED);
		sim_run(&s);
		count[with] = count_writes(&s, VERB_PATCH, "sparkapplications", "pi");
		sim_done(&s);
	}
	assert_int_equal(count[0], count[1]);
}

static void expect_end(struct sim *s, const char *reference, const char *what, unsigned k)
{
	auto_free char *end = sim_end(s);
	auto_json want = parse(reference);
	auto_json got = parse(end);
	auto_json diff = json_merge_diff(want, got);
	auto_free char *text = diff ? json_print_pretty(diff) : NULL;

	if (diff)
		fail_msg("plot %d, %s at %u: another end: %s", s->plot, what, k, text);
}

static void each_write(const char *what, sim_fault_fn *set_fault, const void *arg)
{
	static const enum sim_plot plots[] = { SIM_SUCCEED, SIM_FAIL, SIM_EXPIRE };

	for (size_t i = 0; i < array_len(plots); i++) {
		auto_free char *want = NULL;
		unsigned writes;
		struct sim s;

		init(&s, plots[i]);
		sim_run(&s);
		want = sim_end(&s);
		writes = fake_kube_write_count(s.kube);
		sim_done(&s);
		for (unsigned k = 1; k <= writes + 1; k++) {
			init(&s, plots[i]);
			set_fault(&s, k, arg);
			sim_run(&s);
			sim_check_writes(&s);
			expect_end(&s, want, what, k);
			assert_int_equal(map_len(s.driver_uids), 1);
			sim_done(&s);
		}
	}
}

static void crash_after_every_write(void **state)
{
	(void)state;
	each_write("crash", sim_fault_crash, NULL);
}

static void reply_or_call_lost_at_every_write(void **state)
{
	static const enum fake_fault faults[] = { FAKE_LOSE_REPLY, FAKE_LOSE_CALL };

	(void)state;
	for (size_t i = 0; i < array_len(faults); i++)
		each_write("loss", sim_fault_call, &faults[i]);
}

static void every_write_refused_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIM_REFUSALS; i++) {
		auto_free char *what = xasprintf("refusal with %d", sim_refusals[i].status);

		each_write(what, sim_fault_refusal, &sim_refusals[i]);
	}
}

/* Without the permission: told once for each, and the application runs as ever. */
static void forbidden(void **state)
{
	static const struct fake_refusal refusal = { 403, NULL, NULL, 0 };
	struct sim s;

	(void)state;
	init(&s, SIM_SUCCEED);
	fake_kube_refuse(s.kube, VERB_CREATE, &resource_ingress, -1, &refusal);
	fake_kube_refuse(s.kube, VERB_CREATE, &resource_poddisruptionbudget, -1, &refusal);
	sim_run(&s);
	assert_string_equal(state_of(&s), "COMPLETED");
	assert_int_equal(count_events(&s, "SparkUIIngressFailed"), 1);
	assert_int_equal(count_events(&s, "SparkDriverIngressFailed"), 2);
	assert_int_equal(count_events(&s, "SparkDriverPodDisruptionBudgetFailed"), 1);
	assert_int_equal(count_events(&s, "SparkUIServiceFailed"), 0);
	assert_null(json_at(app_of(&s), "status.driverInfo.webUIIngressName"));
	assert_string_equal(json_str(app_of(&s), "status.driverInfo.webUIServiceName", ""), "pi-ui-svc");
	sim_done(&s);
}

static void pass_until_running(struct sim *s)
{
	while (!text_eq(state_of(s), "RUNNING"))
		sched_run(&s->sched, sched_next(&s->sched));
	fake_kube_run(s->kube, 500);
}

static void budget_is_kept(void **state)
{
	struct sim s;

	(void)state;
	init(&s, SIM_SUCCEED);
	pass_until_running(&s);
	assert_true(fake_kube_delete(s.kube, &resource_poddisruptionbudget, "default", "pi-driver"));
	fake_kube_run(s.kube, 1000);
	assert_int_equal(fake_kube_count(s.kube, &resource_poddisruptionbudget), 1);
	fake_kube_patch(s.kube, &resource_sparkapplication, "default", "pi",
			JSON({ "spec" : { "driverPodDisruptionBudget" : false } }));
	fake_kube_run(s.kube, 1000);
	assert_string_equal(state_of(&s), "RUNNING");
	assert_int_equal(fake_kube_count(s.kube, &resource_poddisruptionbudget), 0);
	sim_run(&s);
	assert_string_equal(state_of(&s), "COMPLETED");
	sim_done(&s);
}

/* Somebody else's budget of that name is neither taken for ours nor deleted. */
static void budget_of_a_stranger(void **state)
{
	static const char stranger[] = JSON({
		"metadata" : {
			"namespace" : "default",
			"name" : "pi-driver",
			"labels" : {
				"sparkoperator.k8s.io/app-name" : "pi",
				"sparkoperator.k8s.io/launched-by-spark-operator" : "true"
			}
		}
	});
	struct err err = { 0 };
	struct sim s;

	(void)state;
	init(&s, SIM_SUCCEED);
	fake_kube_put(s.kube, &resource_poddisruptionbudget, json_parse(stranger, strlen(stranger), &err));
	sim_run(&s);
	assert_string_equal(state_of(&s), "COMPLETED");
	assert_int_equal(fake_kube_count(s.kube, &resource_poddisruptionbudget), 1);
	assert_int_equal(count_events(&s, "SparkDriverPodDisruptionBudgetFailed"), 1);
	sim_done(&s);
}

static void default_ttl(void **state)
{
	struct operator_options o = sim_options();
	struct sim s;

	(void)state;
	o.reconcile.default_ttl_s = 30;
	sim_init_with(&s, SIM_SUCCEED, &o, NULL);
	fake_kube_run(s.kube, 20000);
	assert_string_equal(state_of(&s), "COMPLETED");
	fake_kube_run(s.kube, 40000);
	assert_null(app_of(&s));
	sim_done(&s);
}

/* ---- which applications ---- */

static void put_namespace(struct sim *s, const char *spark)
{
	auto_free char *text =
	    xasprintf("{\"metadata\": {\"name\": \"default\", \"labels\": {\"spark\": \"%s\"}}}", spark);
	struct err err = { 0 };

	fake_kube_put(s->kube, &resource_namespace, json_parse(text, strlen(text), &err));
}

static void namespace_begins_to_match(void **state)
{
	struct operator_options o = sim_options();
	struct err err = { 0 };
	struct selector *selector = selector_parse("spark in (on)", &err);
	struct sim s;

	(void)state;
	o.manager.namespace_selector = selector;
	sim_init_with(&s, SIM_SUCCEED, &o, NULL);
	fake_kube_run(s.kube, 60000);
	assert_int_equal(fake_kube_write_count(s.kube), 0);
	put_namespace(&s, "off");
	fake_kube_run(s.kube, 60000);
	assert_int_equal(fake_kube_write_count(s.kube), 0);
	put_namespace(&s, "on");
	sim_run(&s);
	assert_string_equal(state_of(&s), "COMPLETED");
	sim_done(&s);
	selector_free(selector);
}

/* What runs is left alone while the namespace does not match, and carried on when it does again. */
static void namespace_ceases_to_match(void **state)
{
	struct operator_options o = options();
	unsigned writes;
	struct err err = { 0 };
	struct selector *selector = selector_parse("spark=on", &err);
	struct sim s;

	(void)state;
	o.manager.namespace_selector = selector;
	sim_init_with(&s, SIM_SUCCEED, &o, spec);
	put_namespace(&s, "on");
	pass_until_running(&s);
	put_namespace(&s, "off");
	fake_kube_run(s.kube, 100);
	writes = fake_kube_write_count(s.kube);
	fake_kube_run(s.kube, 120000);
	assert_int_equal(fake_kube_write_count(s.kube), writes);
	assert_string_equal(state_of(&s), "RUNNING");
	assert_int_equal(fake_kube_count(s.kube, &resource_pod), 2);
	put_namespace(&s, "on");
	sim_run(&s);
	assert_string_equal(state_of(&s), "COMPLETED");
	assert_int_equal(map_len(s.driver_uids), 1);
	assert_int_equal(fake_kube_count(s.kube, &resource_poddisruptionbudget), 0);
	sim_done(&s);
	selector_free(selector);
}

static void listed_beside_selector(void **state)
{
	static const char *const namespaces[] = { "default" };
	struct operator_options o = sim_options();
	struct err err = { 0 };
	struct selector *selector = selector_parse("spark=on", &err);
	struct sim s;

	(void)state;
	o.manager.namespace_selector = selector;
	o.manager.namespaces = namespaces;
	o.manager.namespace_count = 1;
	sim_init_with(&s, SIM_FAIL, &o, NULL);
	sim_run(&s);
	assert_string_equal(state_of(&s), "FAILED");
	sim_done(&s);
	selector_free(selector);
}

static void label_selector(void **state)
{
	struct operator_options o = sim_options();
	struct sim s;

	(void)state;
	o.manager.label_selector = "team=a";
	sim_init_with(&s, SIM_SUCCEED, &o, NULL);
	fake_kube_run(s.kube, 60000);
	assert_int_equal(fake_kube_write_count(s.kube), 0);
	fake_kube_patch(s.kube, &resource_sparkapplication, "default", "pi",
			JSON({ "metadata" : { "labels" : { "team" : "a" } } }));
	sim_run(&s);
	assert_string_equal(state_of(&s), "COMPLETED");
	sim_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(undisturbed),
		cmocka_unit_test(no_more_status_writes),
		cmocka_unit_test(crash_after_every_write),
		cmocka_unit_test(reply_or_call_lost_at_every_write),
		cmocka_unit_test(every_write_refused_once),
		cmocka_unit_test(forbidden),
		cmocka_unit_test(budget_is_kept),
		cmocka_unit_test(budget_of_a_stranger),
		cmocka_unit_test(default_ttl),
		cmocka_unit_test(namespace_begins_to_match),
		cmocka_unit_test(namespace_ceases_to_match),
		cmocka_unit_test(listed_beside_selector),
		cmocka_unit_test(label_selector),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
