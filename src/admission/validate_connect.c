/*
 * Validation of a SparkConnect (kubeflow internal/webhook/sparkconnect_validator.go, whose rules these are).
 *
 * Its server runs spark-submit in client mode in its own pod, so files and properties of the image are its own
 * affair: of sparkConf only what the operator sets is refused. Templates become pods as they are; of them only types
 * are checked.
 */
#include <string.h>

#include "base/text.h"
#include "kinds.h"
#include "spark/conf.h"
#include "spark/version.h"
#include "rules/policy.h"

/* NAME-server is a Service. */
enum { NAME_MAX_LEN = 63 - (sizeof("-server") - 1) };

static const struct rule rules[] = {
	{ "sparkVersion", check_label_value },
	{ "server.memory", check_memory },
	{ "server.service.metadata.name", check_app_name },
	{ "executor.memory", check_memory },
};

static const struct schema_part spec_part = { "SparkConnect", "spec", (const char *const[]){ "executor", NULL } };
static const struct schema_part executor_part = { "SparkConnect", "spec.executor", NULL };

static const char *const required[] = { "sparkVersion", "server", "executor" };

static const struct {
	const char *path; /* of its pod template */
	const char *container;
} roles[] = {
	{ "server.template", DRIVER_CONTAINER },
	{ "executor.template", EXECUTOR_CONTAINER },
};

static void check_presence(struct problems *p, const struct json *spec)
{
	validate_required(p, spec, "spec.", required, array_len(required));
	if (json_is(json_at(spec, "server.service"), JSON_OBJECT) &&
	    text_empty(json_str(spec, "server.service.metadata.name", NULL)))
		problems_add(p, "spec.server.service.metadata.name", "Required value");
}

static const char *image_of(const struct json *spec, size_t i)
{
	const struct json *containers = json_at(json_at(spec, roles[i].path), "spec.containers");
	const struct json *container = json_find(containers, "name", roles[i].container);

	return json_str(container ? container : json_first(containers), "image", "");
}

static void check_images(struct problems *p, const struct json *spec)
{
	if (text_empty(json_str(spec, "image", NULL)) && (!*image_of(spec, 0) || !*image_of(spec, 1)))
		problems_add(p, "spec.image",
			     "Required value: the templates of server and executor do not both have an image");
}

static void check_templates(struct problems *p, const struct json *spec, const struct rule_options *options)
{
	int version = version_number(json_str(spec, "sparkVersion", ""));

	for (size_t i = 0; i < array_len(roles); i++) {
		const struct json *pod_template = json_at(spec, roles[i].path);
		auto_free char *path = xasprintf("spec.%s", roles[i].path);

		if (pod_template && version < 300)
			problems_add(p, path, "Forbidden: pod template feature requires Spark version 3.0.0 or higher");
		if (options->pod_policy == POD_POLICY_BASELINE)
			validate_policy_template(p, pod_template, path);
		validate_limits_template(p, pod_template, path, &options->limits);
	}
}

void validate_connect(struct problems *p, const struct json *object, const struct rule_options *options)
{
	const struct json *spec = json_get(object, "spec");
	struct app app = { .tree = object, .ns = json_str(object, "metadata.namespace", NULL) };

	validate_name(p, object, NAME_MAX_LEN, "the server is called NAME-server");
	if (!validate_size(p, spec, "spec"))
		return;
	schema_check(p, &spec_part, spec, SCHEMA_TYPES);
	validate_rules(p, spec, "spec.", rules, array_len(rules));
	schema_check(p, &executor_part, json_get(spec, "executor"), SCHEMA_TYPES);
	check_presence(p, spec);
	check_images(p, spec);
	check_templates(p, spec, options);
	validate_allocation(p, spec, true);
	validate_conf_managed(p, &app);
	if (options->pod_policy == POD_POLICY_BASELINE)
		validate_policy_conf(p, json_get(spec, "sparkConf"));
	validate_limits_conf(p, json_get(spec, "sparkConf"), &options->limits);
	validate_limits_service(p, json_at(spec, "server.service"), "spec.server.service", &options->limits);
}
