/* Every option of the command line that means something to the operator reaches it: none is at its default here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "kube/selector.h"
#include "options/options.h"
#include "start.h"

static const char *const args[] = {
	"--namespaces=jobs,more",
	"--namespace-selector=team=a",
	"--label-selector-filter=stage=live",
	"--controller-threads=7",
	"--workqueue-ratelimiter-bucket-qps=3",
	"--workqueue-ratelimiter-bucket-size=11",
	"--workqueue-ratelimiter-max-delay=13s",
	"--driver-pod-creation-grace-period=17s",
	"--submission-refusal-deadline=19s",
	"--max-tracked-executor-per-app=23",
	"--enable-driver-pdb",
	"--enable-ui-service=false",
	"--ingress-url-format=ui.example.com/{{$appName}}",
	"--ingress-class-name=nginx",
	"--ingress-tls=[{\"secretName\":\"s\"}]",
	"--ingress-annotations={\"a\":\"b\"}",
	"--default-image=mine/spark:{sparkVersion}",
	"--pod-policy=baseline",
	"--scheduled-spark-application-timestamp-precision=minutes",
	"--master=k8s://https://api.example.com",
	"--default-time-to-live-seconds=29",
	"--metrics-prefix=mine",
	"--metrics-labels=team,stage",
	"--metrics-job-submit-latency-buckets=1,2",
	"--metrics-job-start-latency-buckets=3,4,5",
	"--metrics-old-names",
	"--field-validation=Ignore",
};

static struct operator_options parsed(struct options *o)
{
	struct err err = { 0 };

	if (options_parse(o, OPTIONS_START, (int)array_len(args), (char **)(uintptr_t)args, &err) < 0)
		fail_msg("%s", err.msg);
	return start_operator_options(o);
}

static void what_is_watched_and_how_it_is_tried_again(void **state)
{
	struct options o;
	const struct manager_options m = parsed(&o).manager;

	(void)state;
	assert_int_equal(m.namespace_count, 2);
	assert_string_equal(m.namespaces[1], "more");
	assert_string_equal(selector_text(m.namespace_selector), "team=a");
	assert_string_equal(m.label_selector, "stage=live");
	assert_int_equal(m.max_plans, 7);
	assert_true(m.drops_unknown_fields);
	assert_true(m.queue.retry_qps == 3);
	assert_true(m.queue.retry_burst == 11);
	assert_int_equal(m.queue.retry_max_ms, 13000);
	options_done(&o);
}

static void what_becomes_of_applications(void **state)
{
	struct options o;
	const struct reconcile_options r = parsed(&o).reconcile;

	(void)state;
	assert_string_equal(r.master, "k8s://https://api.example.com");
	assert_int_equal(r.driver_pod_creation_grace_ms, 17000);
	assert_int_equal(r.refusal_deadline_ms, 19000);
	assert_int_equal(r.max_tracked_executors, 23);
	assert_int_equal(r.default_ttl_s, 29);
	assert_true(r.driver_pdb);
	assert_false(r.ui_service);
	assert_string_equal(r.ingress.url_format, "ui.example.com/{{$appName}}");
	assert_string_equal(r.ingress.class_name, "nginx");
	assert_string_equal(json_str(json_first(r.ingress.tls), "secretName", ""), "s");
	assert_string_equal(json_str(r.ingress.annotations, "a", ""), "b");
	assert_string_equal(r.rules.default_image, "mine/spark:{sparkVersion}");
	assert_int_equal(r.rules.pod_policy, POD_POLICY_BASELINE);
	assert_int_equal(r.rules.run_precision, RUN_MINUTES);
	options_done(&o);
}

static void what_is_counted(void **state)
{
	struct options o;
	const struct app_metrics_options m = parsed(&o).metrics;

	(void)state;
	assert_string_equal(m.prefix, "mine");
	assert_int_equal(m.labels->len, 2);
	assert_string_equal(m.labels->items[1], "stage");
	assert_int_equal(m.submit_buckets.count, 2);
	assert_true(m.submit_buckets.bounds[1] == 2);
	assert_int_equal(m.start_buckets.count, 3);
	assert_true(m.start_buckets.bounds[2] == 5);
	assert_true(m.old_names);
	options_done(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_watched_and_how_it_is_tried_again),
		cmocka_unit_test(what_becomes_of_applications),
		cmocka_unit_test(what_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
