/*
 * Validation of spec.driver and spec.executor. Lists of core types are the API server's to check; here only what the
 * operator builds on, and what would end in a pod that Spark or the kubelet makes something else of.
 */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "rules/check.h"
#include "rules/validate.h"
#include "spark/conf.h"
#include "spark/version.h"

/* SparkSubmitCommandBuilder.checkJavaOptions: the driver would end before it begins. */
static const char *check_driver_options(const char *text)
{
	return strstr(text, "Xmx") ? "Spark does not start with -Xmx in it: use memory" : NULL;
}

/* SparkConf.validateSettings: a driver also ends at once if the options of its executors have one of these. */
static const char *check_executor_options(const char *text)
{
	if (strstr(text, "-Dspark"))
		return "Spark does not start with properties of its own (-Dspark...) in it: use sparkConf";
	return strstr(text, "-Xmx") ? "Spark does not start with -Xmx in it: use memory" : NULL;
}

/* validateContainerResourceName: other names than Kubernetes' own need a domain. */
static const char *check_device(const char *text)
{
	return strchr(text, '/') ? check_label_key(text) : "expected VENDOR/NAME, such as nvidia.com/gpu";
}

static const struct rule rules[] = {
	{ "coreRequest", check_quantity },
	{ "coreLimit", check_quantity },
	{ "memory", check_memory },
	{ "memoryOverhead", check_overhead },
	{ "memoryLimit", check_limit },
	{ "image", check_image },
	{ "serviceAccount", check_object_name },
	{ "podName", check_object_name },
	{ "priorityClassName", check_object_name },
	{ "gpu.name", check_device },
};

/* The schema lets no executor.instances be 0; with dynamic allocation a submission can. */
static const struct schema_part parts[] = {
	{ "SparkApplication", "spec.driver", NULL },
	{ "SparkApplication", "spec.executor", (const char *const[]){ "instances", NULL } },
};

static const struct bound bounds[] = {
	{ "instances", 0, INT64_MAX },
	{ "terminationGracePeriodSeconds", 0, INT64_MAX },
	{ "gpu.quantity", 0, INT64_MAX },
};

static const char *check_container_image(const char *text)
{
	return *text && !isspace((unsigned char)*text) && !isspace((unsigned char)text[strlen(text) - 1])
		   ? NULL
		   : "must not be empty, nor have leading or trailing whitespace";
}

/* Strings that each element of a list must have. */
static const struct {
	const char *list;
	const char *member;
	check_fn *check;
} members[] = {
	{ "env", "name", check_env_name },
	{ "volumeMounts", "name", check_label_name },
	{ "volumeMounts", "mountPath", check_absolute },
	{ "configMaps", "name", check_object_name },
	{ "configMaps", "path", check_absolute },
	{ "secrets", "name", check_secret_name },
	{ "secrets", "path", check_absolute },
	{ "sidecars", "name", check_label_name },
	{ "sidecars", "image", check_container_image },
	{ "initContainers", "name", check_label_name },
	{ "initContainers", "image", check_container_image },
	{ "ports", "name", check_port_name },
	{ "ports", "protocol", check_not_empty },
};

static void check_members(struct problems *p, const struct json *role, const char *prefix)
{
	for (size_t k = 0; k < array_len(members); k++) {
		size_t i = 0;

		json_each (item, json_get(role, members[k].list)) {
			const struct json *value = json_get(item, members[k].member);
			auto_free char *path =
			    xasprintf("%s%s[%zu].%s", prefix, members[k].list, i++, members[k].member);
			const char *why = members[k].check(json_text(value, ""));

			if (!value || json_is(value, JSON_NULL))
				problems_add(p, path, "Required value");
			else if (why && json_is(value, JSON_STRING))
				problems_invalid(p, path, value, why);
		}
	}
}

static void check_labels(struct problems *p, const struct json *spec, const struct json *role, const char *prefix,
			 const struct rule_options *options)
{
	static const char *const maps[] = { "labels", "serviceLabels", "nodeSelector" };

	for (size_t i = 0; i < array_len(maps); i++) {
		auto_free char *path = xasprintf("%s%s", prefix, maps[i]);

		validate_labels(p, path, json_get(role, maps[i]),
				text_eq(maps[i], "labels") ? validate_label_check(spec, options) : check_label_value);
		if (!text_eq(maps[i], "nodeSelector"))
			validate_reserved(p, path, json_get(role, maps[i]));
	}
}

/* Spark's own volumes of the configuration know four types. */
static bool is_local_dir_type(const struct json *volume)
{
	static const char *const types[] = { "emptyDir", "hostPath", "nfs", "persistentVolumeClaim" };

	for (size_t i = 0; i < array_len(types); i++)
		if (json_is(json_get(volume, types[i]), JSON_OBJECT))
			return true;
	return false;
}

/* Spark mounts its local directories itself, by properties. There is none for the other members of a mount. */
static void check_local_dir(struct problems *p, const struct json *mount, const char *path, int version)
{
	static const struct {
		const char *name;
		int since;
	} known[] = {
		{ "name", 0 }, { "mountPath", 0 }, { "subPath", 0 }, { "readOnly", 0 }, { "subPathExpr", SPARK_4_0 }
	};

	json_each (member, mount) {
		auto_free char *at = xasprintf("%s.%s", path, json_name(member));
		bool is_known = json_is(member, JSON_NULL);

		for (size_t i = 0; i < array_len(known); i++)
			is_known = is_known || (text_eq(known[i].name, json_name(member)) && version >= known[i].since);
		if (!is_known)
			problems_add(p, at,
				     "Forbidden: Spark mounts volumes " LOCAL_DIR_PREFIX
				     "* itself, and has no property for it%s",
				     text_eq(json_name(member), "subPathExpr") ? " before 4.0" : "");
	}
}

/* A mount's volume is one of the spec, or one that the pod has from its template. */
static void check_mounts(struct problems *p, const struct json *spec, const struct json *role, const char *prefix,
			 const struct rule_options *options)
{
	const struct json *volumes = json_get(spec, "volumes"), *others = json_at(role, "template.spec.volumes");
	const int version = version_of_spec(spec, options->default_image).number;
	size_t i = 0;

	json_each (mount, json_get(role, "volumeMounts")) {
		const char *name = json_str(mount, "name", "");
		const struct json *volume = json_find(volumes, "name", name);
		auto_free char *path = xasprintf("%svolumeMounts[%zu]", prefix, i++);
		bool is_local = text_starts(name, LOCAL_DIR_PREFIX);

		if (!volume && (is_local || !json_find(others, "name", name)))
			problems_add(p, path, "Not found: \"%s\": spec.volumes has no volume of that name", name);
		else if (is_local && !is_local_dir_type(volume))
			problems_add(p, path,
				     "Invalid value: \"%s\": Spark's local directories can be an emptyDir, "
				     "hostPath, nfs or persistentVolumeClaim",
				     name);
		else if (is_local)
			check_local_dir(p, mount, path, version);
	}
}

/* With decommissioning, Spark sets the lifecycle of executors itself. */
static void check_lifecycle(struct problems *p, const struct json *spec, const char *role_name,
			    const struct rule_options *options)
{
	if (text_eq(role_name, "executor") && !options->has_webhook &&
	    json_is(json_at(spec, "executor.lifecycle"), JSON_OBJECT) &&
	    conf_true(json_get(spec, "sparkConf"), "spark.decommission.enabled"))
		problems_add(
		    p, "spec.executor.lifecycle",
		    "Forbidden: Spark replaces it when spark.decommission.enabled is true; only the operator's "
		    "webhook could bring it back, and that is off: leave it out, or call your hook from "
		    "spark.kubernetes.decommission.script");
}

/* The application, or of executors their driver, is the controller, and there can be one only. */
static void check_owners(struct problems *p, const struct json *role, const char *prefix)
{
	size_t i = 0;

	json_each (owner, json_at(role, "template.metadata.ownerReferences")) {
		auto_free char *path = xasprintf("%stemplate.metadata.ownerReferences[%zu].controller", prefix, i++);

		if (json_bool(owner, "controller", false))
			problems_add(p, path, "Forbidden: the pod has another controller");
	}
}

/* Labels that the operator and Spark set win over a template's; those of another kind would stay. */
static void check_template(struct problems *p, const struct json *role, const char *prefix)
{
	auto_free char *connect = xasprintf("%stemplate.metadata.labels[" LABEL_CONNECT_NAME "]", prefix);

	check_owners(p, role, prefix);
	if (json_get(json_at(role, "template.metadata.labels"), LABEL_CONNECT_NAME))
		problems_add(p, connect, "Forbidden: reserved for the bookkeeping of Spark and the operator");
}

/* The field and the properties that become the same options. */
static void check_options(struct problems *p, const struct json *spec, const char *role_name)
{
	static const char *const names[] = { "extraJavaOptions", "defaultJavaOptions" };
	check_fn *check = text_eq(role_name, "driver") ? check_driver_options : check_executor_options;
	const struct json *value = json_at(json_get(spec, role_name), "javaOptions");
	auto_free char *path = xasprintf("spec.%s.javaOptions", role_name);
	const char *why = check(json_text(value, ""));

	if (why)
		problems_invalid(p, path, value, why);
	for (size_t i = 0; i < array_len(names); i++) {
		auto_free char *key = xasprintf("spark.%s.%s", role_name, names[i]);
		auto_free char *at = xasprintf("spec.sparkConf[%s]", key);

		value = json_get(validate_map(json_get(spec, "sparkConf")), key);
		why = check(json_text(value, ""));
		if (why)
			problems_invalid(p, at, value, why);
	}
}

/* The schema would say the same without the cure. */
static void check_cores_type(struct problems *p, const struct json *role, const char *prefix)
{
	const struct json *cores = json_get(role, "cores");
	auto_free char *path = xasprintf("%scores", prefix), *text = json_print(cores);
	double value;

	if (check_quantity_value(json_text(cores, text ? text : ""), &value) && value != floor(value))
		problems_invalid(p, path, cores,
				 "expected an integer, as Spark's cores are whole: a part of a processor is a "
				 "coreRequest");
}

void validate_role(struct problems *p, const struct json *spec, const char *role_name,
		   const struct rule_options *options)
{
	const struct json *role = json_get(spec, role_name);
	auto_free char *prefix = xasprintf("spec.%s.", role_name);

	check_cores_type(p, role, prefix);
	schema_check(p, &parts[text_eq(role_name, "executor")], role, SCHEMA_TYPES);
	validate_rules(p, role, prefix, rules, array_len(rules));
	validate_bounds(p, role, prefix, bounds, array_len(bounds));
	check_options(p, spec, role_name);
	check_members(p, role, prefix);
	check_labels(p, spec, role, prefix, options);
	validate_keys(p, role, prefix, "annotations", check_annotation_key);
	validate_keys(p, role, prefix, "serviceAnnotations", check_annotation_key);
	validate_keys(p, role, prefix, "envVars", check_env_name);
	validate_keys(p, role, prefix, "envSecretKeyRefs", check_env_name);
	check_template(p, role, prefix);
	check_mounts(p, spec, role, prefix, options);
	validate_volumes(p, spec, role_name);
	check_lifecycle(p, spec, role_name, options);
}
