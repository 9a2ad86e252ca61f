/*
 * One row per webhook; everything else is the same in all of them. Pods are matched by the operator's label, so that
 * no other pod of the cluster ever waits for this webhook, and never in the namespaces of Kubernetes itself.
 *
 * Mirrors kubeflow charts/spark-operator-chart/templates/webhook/{mutating,validating}webhookconfiguration.yaml.
 */
#include "admission/registration.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "kube/resource.h"
#include "spark/app.h"

static const struct hook {
	const char *path;
	const struct resource *res;
	bool validates;
	bool updates; /* called for UPDATE too */
} hooks[] = {
	{ "mutate--v1-pod", &resource_pod, false, false },
	{ "mutate-sparkoperator-k8s-io-v1beta2-sparkapplication", &resource_sparkapplication, false, true },
	{ "mutate-sparkoperator-k8s-io-v1beta2-scheduledsparkapplication", &resource_scheduledsparkapplication, false,
	  true },
	{ "mutate-sparkoperator-k8s-io-v1alpha1-sparkconnect", &resource_sparkconnect, false, true },
	{ "validate-sparkoperator-k8s-io-v1beta2-sparkapplication", &resource_sparkapplication, true, true },
	{ "validate-sparkoperator-k8s-io-v1beta2-scheduledsparkapplication", &resource_scheduledsparkapplication, true,
	  true },
	{ "validate-sparkoperator-k8s-io-v1alpha1-sparkconnect", &resource_sparkconnect, true, true },
};

const char *const registration_system[] = { "kube-system", "kube-public", "kube-node-lease", NULL };

static void add_strings(struct json *object, const char *name, const char *const *items, size_t count)
{
	struct json *array = json_set(object, name, json_new_array());

	for (size_t i = 0; i < count; i++)
		json_append_str(array, items[i]);
}

static void add_expression(struct json *expressions, const char *key, const char *op, const char *const *values,
			   size_t count)
{
	struct json *expression = json_append(expressions, json_new_object());

	json_set_str(expression, "key", key);
	json_set_str(expression, "operator", op);
	add_strings(expression, "values", values, count);
}

static struct json *client_config(const struct hook *hook, const struct registration_options *o)
{
	struct json *config = json_new_object(), *service;

	if (o->url) {
		json_setf(config, "url", "%s/%s", o->url, hook->path);
		return config;
	}
	service = json_set(config, "service", json_new_object());
	json_set_str(service, "namespace", o->service_ns);
	json_set_str(service, "name", o->service_name);
	json_setf(service, "path", "/%s", hook->path);
	json_set_i64(service, "port", 443);
	return config;
}

static struct json *namespace_selector(const struct registration_options *o)
{
	struct json *selector = json_new_object();
	struct json *expressions = json_set(selector, "matchExpressions", json_new_array());

	add_expression(expressions, "kubernetes.io/metadata.name", "NotIn", registration_system,
		       array_len(registration_system) - 1);
	if (o->namespace_count)
		add_expression(expressions, "kubernetes.io/metadata.name", "In", o->namespaces, o->namespace_count);
	for (size_t i = 0; i < o->selector_count; i++) {
		const char *equals = strchr(o->selector[i], '=');
		auto_free char *key = equals ? xstrndup(o->selector[i], (size_t)(equals - o->selector[i])) : NULL;

		if (equals)
			json_set_str(json_ensure_object(selector, "matchLabels"), key, equals + 1);
	}
	return selector;
}

static struct json *build_hook_rule(const struct hook *hook)
{
	static const char *const operations[] = { "CREATE", "UPDATE" };
	struct json *out = json_new_object();

	add_strings(out, "apiGroups", &hook->res->group, 1);
	add_strings(out, "apiVersions", &hook->res->version, 1);
	add_strings(out, "operations", operations, hook->updates ? 2 : 1);
	add_strings(out, "resources", &hook->res->plural, 1);
	json_set_str(out, "scope", "Namespaced");
	return out;
}

static struct json *build_hook(const struct hook *hook, const struct registration_options *o)
{
	static const char *const versions[] = { "v1", "v1beta1" };
	struct json *out = json_new_object();
	bool pods = hook->res == &resource_pod;

	json_setf(out, "name", "%s.sparkoperator.k8s.io", hook->path);
	json_set(out, "clientConfig", client_config(hook, o));
	json_append(json_ensure_array(out, "rules"), build_hook_rule(hook));
	json_set(out, "namespaceSelector", namespace_selector(o));
	if (pods)
		json_set_str(json_ensure_object(json_ensure_object(out, "objectSelector"), "matchLabels"),
			     LABEL_LAUNCHED_BY, "true");
	json_set_str(out, "failurePolicy", pods ? o->pod_failure_policy : o->failure_policy);
	json_set_str(out, "matchPolicy", "Equivalent");
	if (!hook->validates)
		json_set_str(out, "reinvocationPolicy", "Never"); /* what others do to our changes is theirs */
	json_set_str(out, "sideEffects", "None");
	json_set_i64(out, "timeoutSeconds", o->timeout_s);
	add_strings(out, "admissionReviewVersions", versions, array_len(versions));
	return out;
}

static struct json *build_configuration(const struct resource *res, const char *name, bool validates,
					const struct registration_options *o)
{
	struct json *out = json_new_object(), *webhooks;
	char version[API_VERSION_SIZE];

	json_set_str(out, "apiVersion", resource_api_version(res, version));
	json_set_str(out, "kind", res->kind);
	json_set_str(json_ensure_object(out, "metadata"), "name", name);
	webhooks = json_set(out, "webhooks", json_new_array());
	for (size_t i = 0; i < array_len(hooks); i++)
		if (hooks[i].validates == validates)
			json_append(webhooks, build_hook(&hooks[i], o));
	return out;
}

struct json *registration_mutating(const char *name, const struct registration_options *options)
{
	return build_configuration(&resource_mutatingwebhook, name, false, options);
}

struct json *registration_validating(const char *name, const struct registration_options *options)
{
	return build_configuration(&resource_validatingwebhook, name, true, options);
}
