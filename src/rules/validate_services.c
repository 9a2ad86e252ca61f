/*
 * Validation of spec.sparkUIOptions and spec.driverIngressOptions: Services and Ingresses beside the driver (kubeflow
 * sparkapplication_validator.go, validateSparkApplicationSpec; driveringress.go).
 */
#include <string.h>

#include "base/text.h"
#include "rules/validate.h"
#include "spark/ui_url.h"

enum { PORT_MAX = 65535, SERVICE_NAME_MAX = 63 };

static const char *check_service_type(const char *text)
{
	return text_eq(text, "ClusterIP") || text_eq(text, "NodePort") || text_eq(text, "LoadBalancer")
		   ? NULL
		   : "supported values: \"ClusterIP\", \"LoadBalancer\", \"NodePort\"";
}

/* Of both. */
static const struct rule rules[] = {
	{ "servicePortName", check_label_name },
	{ "serviceType", check_service_type },
	{ "ingressURLFormat", ui_url_check_format },
};

static const struct bound bounds[] = { { "servicePort", 1, PORT_MAX } };

static void check_tls(struct problems *p, const struct json *options, const char *prefix)
{
	size_t i = 0;

	json_each (tls, json_get(options, "ingressTLS")) {
		const char *secret = json_str(tls, "secretName", "");
		auto_free char *path = xasprintf("%singressTLS[%zu].secretName", prefix, i++);

		if (*secret && check_object_name(secret))
			problems_invalid_text(p, path, secret, check_object_name(secret));
	}
}

static void check_service_options(struct problems *p, const struct json *options, const char *prefix)
{
	static const char *const annotations[] = { "serviceAnnotations", "ingressAnnotations" };
	auto_free char *labels = xasprintf("%sserviceLabels", prefix);

	validate_rules(p, options, prefix, rules, array_len(rules));
	validate_bounds(p, options, prefix, bounds, array_len(bounds));
	validate_labels(p, labels, json_get(options, "serviceLabels"), check_label_value);
	for (size_t i = 0; i < array_len(annotations); i++)
		validate_keys(p, options, prefix, annotations[i], check_annotation_key);
	check_tls(p, options, prefix);
}

/* The first entry that has the same value in this field. */
static const struct json *find_same(const struct json *list, const char *member, const struct json *value)
{
	json_each (item, list)
		if (json_equal(json_get(item, member), value))
			return item;
	return NULL;
}

static void check_ingress(struct problems *p, const struct app *app, const struct json *list, const struct json *entry,
			  size_t i)
{
	static const char *const unique[] = { "servicePort", "ingressURLFormat" };
	auto_free char *service =
	    xasprintf("%s-driver-%lld", app->name ? app->name : "", (long long)json_i64(entry, "servicePort", 0));
	auto_free char *prefix = xasprintf("spec.driverIngressOptions[%zu].", i);

	check_service_options(p, entry, prefix);
	for (size_t k = 0; k < array_len(unique); k++) {
		const struct json *value = json_get(entry, unique[k]);
		auto_free char *path = xasprintf("%s%s", prefix, unique[k]), *text = json_print(value);

		if (!json_has(entry, unique[k]) || text_eq(json_text(value, NULL), ""))
			problems_add(p, path, "Required value");
		else if (find_same(list, unique[k], value) != entry)
			problems_add(p, path, "Duplicate value: %s", text);
	}
	if (strlen(service) > SERVICE_NAME_MAX)
		problems_add(
		    p, "metadata.name",
		    "Invalid value: \"%s\": the Service %s of spec.driverIngressOptions[%zu] would have a name "
		    "of more than %d characters",
		    app->name, service, i, SERVICE_NAME_MAX);
}

void validate_services(struct problems *p, const struct app *app)
{
	const struct json *list = json_at(app->tree, "spec.driverIngressOptions");
	const struct json *ui = json_at(app->tree, "spec.sparkUIOptions");
	size_t i = 0;

	check_service_options(p, ui, "spec.sparkUIOptions.");
	json_each (entry, json_is(list, JSON_ARRAY) ? list : NULL)
		check_ingress(p, app, list, entry, i++);
}
