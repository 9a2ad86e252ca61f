/* Webhook configurations: every path of the admission handlers is registered, and nothing but Spark's pods ever
 * waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "admission/admission.h"
#include "admission/registration.h"

static struct registration_options options(void)
{
	return (struct registration_options){
		.service_ns = "ops",
		.service_name = "hook",
		.failure_policy = "Fail",
		.pod_failure_policy = "Ignore",
		.timeout_s = 10,
	};
}

static bool registered(const struct json *configuration, const char *path)
{
	json_each (webhook, json_get(configuration, "webhooks"))
		if (text_eq(json_str(webhook, "clientConfig.service.path", ""), path))
			return true;
	return false;
}

static void test_every_path(void **state)
{
	const struct registration_options o = options();
	auto_json mutating = registration_mutating("m", &o);
	auto_json validating = registration_validating("v", &o);
	size_t count = 0;

	(void)state;
	for (const struct admission_path *p = admission_paths; p->path; p++, count++)
		if (registered(mutating, p->path) == registered(validating, p->path))
			fail_msg("%s is registered in both configurations or in none", p->path);
	assert_int_equal(json_len(json_get(mutating, "webhooks")) + json_len(json_get(validating, "webhooks")), count);
	assert_string_equal(json_str(mutating, "kind", ""), "MutatingWebhookConfiguration");
	assert_string_equal(json_str(validating, "metadata.name", ""), "v");
}

/* A label on the pods, and three namespaces in which no pod may ever wait. */
static void test_pods(void **state)
{
	const struct registration_options o = options();
	auto_json mutating = registration_mutating("m", &o);
	const struct json *pods = json_first(json_get(mutating, "webhooks"));
	const struct json *labels = json_at(pods, "objectSelector.matchLabels");
	const struct json *expression = json_first(json_at(pods, "namespaceSelector.matchExpressions"));
	auto_free char *rules = json_print(json_get(pods, "rules"));

	(void)state;
	assert_string_equal(json_str(pods, "name", ""), "mutate--v1-pod.sparkoperator.k8s.io");
	assert_string_equal(json_text(json_get(labels, LABEL_LAUNCHED_BY), ""), "true");
	assert_string_equal(json_str(expression, "operator", ""), "NotIn");
	assert_int_equal(json_len(json_get(expression, "values")), 3);
	assert_string_equal(json_str(pods, "failurePolicy", ""), "Ignore");
	assert_string_equal(json_str(json_next(pods), "failurePolicy", ""), "Fail");
	assert_string_equal(json_str(pods, "sideEffects", ""), "None");
	json_each (webhook, json_get(mutating, "webhooks"))
		assert_string_equal(json_str(webhook, "reinvocationPolicy", ""), "Never");
	assert_string_equal(rules, "[{\"apiGroups\":[\"\"],\"apiVersions\":[\"v1\"],\"operations\":[\"CREATE\"],"
				   "\"resources\":[\"pods\"],\"scope\":\"Namespaced\"}]");
}

static void test_namespaces(void **state)
{
	static const char *const namespaces[] = { "a", "b" };
	static const char *const selector[] = { "team=x", "spark=" };
	struct registration_options o = options();
	auto_json validating = NULL;
	auto_free char *text = NULL;

	(void)state;
	o.namespaces = namespaces;
	o.namespace_count = 2;
	o.selector = selector;
	o.selector_count = 2;
	validating = registration_validating("v", &o);
	text = json_print(json_get(json_first(json_get(validating, "webhooks")), "namespaceSelector"));
	assert_string_equal(text,
			    "{\"matchExpressions\":[{\"key\":\"kubernetes.io/metadata.name\",\"operator\":"
			    "\"NotIn\",\"values\":[\"kube-system\",\"kube-public\",\"kube-node-lease\"]},{\"key\":"
			    "\"kubernetes.io/metadata.name\",\"operator\":\"In\",\"values\":[\"a\",\"b\"]}],"
			    "\"matchLabels\":{\"team\":\"x\",\"spark\":\"\"}}");
}

static void test_url(void **state)
{
	struct registration_options o = options();
	auto_json mutating = NULL;
	auto_free char *text = NULL;

	(void)state;
	o.url = "https://localhost:9443";
	mutating = registration_mutating("m", &o);
	text = json_print(json_get(json_first(json_get(mutating, "webhooks")), "clientConfig"));
	assert_string_equal(text, "{\"url\":\"https://localhost:9443/mutate--v1-pod\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_path),
		cmocka_unit_test(test_pods),
		cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_url),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
