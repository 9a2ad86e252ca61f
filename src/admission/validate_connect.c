/*
 * Validation of a SparkConnect (kubeflow internal/webhook/sparkconnect_validator.go, whose rules these are).
 *
 * Its server runs spark-submit in client mode in its own pod, so files and properties of the image are its own affair: of
 * sparkConf only what the operator sets is refused. Templates become pods as they are; the API server checks them.
 */
#include <string.h>

#include "base/text.h"
#include "kinds.h"
#include "spark/conf.h"
#include "rules/policy.h"

/* NAME-server is a Service. */
enum { NAME_MAX_LEN = 63 - (sizeof("-server") - 1) };

static const struct rule rules[] = {
	{ "sparkVersion", RULE_STRING, check_label_value, 0 },
	{ "image", RULE_STRING, NULL, 0 },
	{ "sparkConf", RULE_MAP, NULL, 0 },
	{ "hadoopConf", RULE_MAP, NULL, 0 },
	{ "server", RULE_OBJECT, NULL, 0 },
	{ "server.cores", RULE_INTEGER, NULL, 1 },
	{ "server.memory", RULE_STRING, check_memory, 0 },
	{ "server.template", RULE_OBJECT, NULL, 0 },
	{ "server.service", RULE_OBJECT, NULL, 0 },
	{ "server.service.metadata.name", RULE_STRING, check_app_name, 0 },
	{ "executor", RULE_OBJECT, NULL, 0 },
	{ "executor.cores", RULE_INTEGER, NULL, 1 },
	{ "executor.memory", RULE_STRING, check_memory, 0 },
	{ "executor.instances", RULE_INTEGER, NULL, 0 },
	{ "executor.template", RULE_OBJECT, NULL, 0 },
};

static const char *const required[] = { "sparkVersion", "server", "executor" };

static const struct {
	const char *template; /* of the pod */
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
	const struct json *containers = json_at(json_at(spec, roles[i].template), "spec.containers");
	const struct json *container = json_find(containers, "name", roles[i].container);

	return json_str(container ? container : json_first(containers), "image", "");
}

static void check_images(struct problems *p, const struct json *spec)
{
	if (text_empty(json_str(spec, "image", NULL)) && (!*image_of(spec, 0) || !*image_of(spec, 1)))
		problems_add(p, "spec.image",
			     "Required value: the templates of server and executor do not both have an image");
}

static void check_templates(struct problems *p, const struct json *spec, enum pod_policy policy)
{
	int version = conf_version(json_str(spec, "sparkVersion", ""));

	for (size_t i = 0; i < array_len(roles); i++) {
		const struct json *template = json_at(spec, roles[i].template);
		auto_free char *path = xasprintf("spec.%s", roles[i].template);

		if (template && version < 300)
			problems_add(p, path, "Forbidden: pod template feature requires Spark version 3.0.0 or higher");
		if (policy == POD_POLICY_BASELINE)
			validate_policy_template(p, template, path);
	}
}

void validate_connect(struct problems *p, const struct json *object, enum pod_policy policy)
{
	const struct json *spec = json_get(object, "spec");
	struct app app = { .tree = object, .ns = json_str(object, "metadata.namespace", NULL) };

	validate_name(p, object, NAME_MAX_LEN, "the server is called NAME-server");
	if (!validate_size(p, spec, "spec"))
		return;
	validate_rules(p, spec, "spec.", rules, array_len(rules));
	check_presence(p, spec);
	check_images(p, spec);
	check_templates(p, spec, policy);
	validate_allocation(p, spec, true);
	validate_conf_managed(p, &app);
	if (policy == POD_POLICY_BASELINE)
		validate_policy_conf(p, json_get(spec, "sparkConf"));
}
