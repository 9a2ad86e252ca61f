/*
 * Validation of a SparkApplication before anything is created: all that is wrong at once, each line naming its field.
 *
 * Tables say what the fields have to look like, and which are refused because this version would have to ignore them.
 * Types are the schema's (schema.c), which an API server has compared already: the offline commands have none.
 */
#include "rules/validate.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "rules/check.h"
#include "spark/memory.h"
#include "spark/conf.h"
#include "spark/version.h"
#include "rules/policy.h"

/* What the API server adds to a generateName (apiserver names.SimpleNameGenerator). */
#define GENERATED "xxxxx"

enum { DNS_LABEL_MAX = 63 };

static const struct rule spec_rules[] = {
	{ "mode", check_mode },
	{ "proxyUser", check_user },
	{ "image", check_image },
	{ "imagePullPolicy", check_pull_policy },
	{ "imagePullSecrets", check_object_name },
	{ "mainApplicationFile", check_main_file },
	{ "sparkConfigMap", check_object_name },
	{ "hadoopConfigMap", check_object_name },
	{ "memoryOverheadFactor", check_factor },
	{ "pythonVersion", check_python },
	{ "deps.jars", check_files },
	{ "deps.files", check_files },
	{ "deps.pyFiles", check_files },
	{ "deps.archives", check_files },
	{ "deps.packages", check_packages },
	{ "batchSchedulerOptions.priorityClassName", check_object_name },
};

static const struct schema_part metadata_part = { "SparkApplication", "metadata", NULL };
/* Types of driver and executor come with their rules. */
static const struct schema_part spec_part = { "SparkApplication", "spec",
					      (const char *const[]){ "driver", "executor", NULL } };

static const struct bound allocation_bounds[] = {
	{ "dynamicAllocation.initialExecutors", 0, INT64_MAX },
	{ "dynamicAllocation.minExecutors", 0, INT64_MAX },
	{ "dynamicAllocation.maxExecutors", 1, INT64_MAX },
	{ "dynamicAllocation.shuffleTrackingTimeout", 0, INT64_MAX },
};

static const char *const required[] = { "type", "mainApplicationFile", "driver", "executor" };

static const struct {
	const char *path;
	const char *why;
} refused[] = {
	{ "batchScheduler", "batch schedulers are not supported by this version" },
};

static bool is_empty(const struct json *value)
{
	if (json_is(value, JSON_STRING))
		return text_empty(json_text(value, ""));
	return !value || json_is(value, JSON_NULL) || (json_is(value, JSON_OBJECT) && json_len(value) == 0);
}

bool validate_lacks_image(const struct json *spec)
{
	return is_empty(json_get(spec, "image")) &&
	       (is_empty(json_at(spec, "driver.image")) || is_empty(json_at(spec, "executor.image")));
}

void validate_name(struct problems *p, const struct json *object, size_t max, const char *why)
{
	const struct json *name = json_has(object, "metadata.name") ? json_at(object, "metadata.name") : NULL;
	const char *generate = json_str(object, "metadata.generateName", "");
	auto_free char *generated = xasprintf("%.*s" GENERATED, DNS_LABEL_MAX - (int)strlen(GENERATED), generate);
	const char *text = json_text(name, *generate ? generated : "");
	const char *field = !name && *generate ? "metadata.generateName" : "metadata.name";

	if (!name && !*generate)
		problems_add(p, field, "Required value");
	else if (check_app_name(text))
		problems_invalid_text(p, field, name ? text : generate, check_app_name(text));
	else if (strlen(text) > max)
		problems_add(p, field, "Invalid value: \"%s\": must be no more than %zu bytes: %s", text, max, why);
}

static void check_metadata(struct problems *p, const struct app *app)
{
	validate_name(p, app->tree, DNS_LABEL_MAX, "");
	schema_check(p, &metadata_part, json_get(app->tree, "metadata"), SCHEMA_TYPES);
	validate_labels(p, "metadata.labels", json_at(app->tree, "metadata.labels"), check_label_value);
	validate_reserved(p, "metadata.labels", json_at(app->tree, "metadata.labels"));
}

static void check_presence(struct problems *p, const struct json *spec)
{
	validate_required(p, spec, "spec.", required, array_len(required));
	for (size_t i = 0; i < array_len(refused); i++) {
		auto_free char *path = xasprintf("spec.%s", refused[i].path);

		if (!is_empty(json_at(spec, refused[i].path)))
			problems_add(p, path, "Forbidden: %s", refused[i].why);
	}
}

/* An image named by the version needs one that is known: no image has the name of an assumed one. */
static void check_spark_version(struct problems *p, const struct json *spec, const struct rule_options *options)
{
	static const char why[] = "so the version has to be MAJOR.MINOR.PATCH, such as 3.5.6";
	static const char *const images[] = { "image", "driver.image", "executor.image" };
	const char *dflt = options->default_image;

	if (version_of_spec(spec, dflt).source != VERSION_ASSUMED)
		return;
	for (size_t i = 0; i < array_len(images); i++)
		if (strstr(json_str(spec, images[i], ""), "{{SPARK_VERSION}}")) {
			problems_add(p, "spec.sparkVersion", "Required value: spec.%s has {{SPARK_VERSION}} in it, %s",
				     images[i], why);
			return;
		}
	if (validate_lacks_image(spec) && dflt && strstr(dflt, IMAGE_VERSION))
		problems_add(p, "spec.sparkVersion", "Required value: the operator's default image is %s, %s", dflt,
			     why);
}

/* RPackageUtils.checkAndBuildRPackage opens each of them as a file of the submitter, and of the driver in its pod. */
static void check_r_jars(struct problems *p, const struct json *spec)
{
	static const char why[] = "Forbidden: Spark takes no jars with an R program, except by deps.packages";
	const char *conf = json_text(json_get(json_get(spec, "sparkConf"), "spark.jars"), NULL);

	if (conf_program(json_str(spec, "mainApplicationFile", "")) != PROGRAM_R)
		return;
	if (json_len(json_at(spec, "deps.jars")))
		problems_add(p, "spec.deps.jars", "%s", why);
	else if (!text_empty(conf))
		problems_add(p, "spec.sparkConf[spark.jars]", "%s", why);
}

/* Spark reads a main class from no jar but one on its own disk; Python and R files it knows by their ending. */
static void check_program(struct problems *p, const struct json *spec)
{
	const char *file = json_str(spec, "mainApplicationFile", ""), *type = json_str(spec, "type", "");

	if (!*file || conf_program(file) != PROGRAM_JAVA || !text_empty(json_str(spec, "mainClass", NULL)))
		return;
	if (text_eq(type, "Python") || text_eq(type, "R"))
		problems_add(p, "spec.mainApplicationFile",
			     "Invalid value: \"%s\": Spark knows %s by the ending of the file, which has to be %s",
			     file, type, text_eq(type, "R") ? ".R" : ".py");
	else
		problems_add(p, "spec.mainClass", "Required value: the jar's manifest cannot be read from here");
}

static void check_images(struct problems *p, const struct json *spec, const struct rule_options *options)
{
	const struct json *driver = json_at(spec, "driver.image"), *executor = json_at(spec, "executor.image");

	if (!validate_lacks_image(spec) || options->is_admission || options->default_image)
		return;
	if (is_empty(driver) && is_empty(executor))
		problems_add(p, "spec.image", "Required value");
	else
		problems_add(p, is_empty(driver) ? "spec.driver.image" : "spec.executor.image",
			     "Required value: there is no spec.image either");
}

static void check_volumes(struct problems *p, const struct json *spec)
{
	const struct json *volumes = json_get(spec, "volumes");
	size_t i = 0;

	json_each (volume, volumes) {
		auto_free char *path = xasprintf("spec.volumes[%zu].name", i++);
		const char *name = json_str(volume, "name", "");
		const char *why = check_label_name(name);

		if (why)
			problems_invalid_text(p, path, name, why);
		else if (json_find(volumes, "name", name) != volume)
			problems_add(p, path, "Duplicate value: \"%s\"", name);
	}
}

static void check_selectors(struct problems *p, const struct json *spec)
{
	const struct json *selector = json_get(spec, "nodeSelector");

	if (json_len(selector) == 0)
		return;
	if (json_len(json_at(spec, "driver.nodeSelector")) || json_len(json_at(spec, "executor.nodeSelector")))
		problems_add(p, "spec.nodeSelector",
			     "Forbidden: node selector cannot be defined at both SparkApplication and Driver/Executor");
	validate_labels(p, "spec.nodeSelector", selector, check_label_value);
}

void validate_allocation(struct problems *p, const struct json *spec, bool strict)
{
	static const char *const path = "spec.dynamicAllocation.";
	const struct json *dynamic = json_get(spec, "dynamicAllocation");
	int64_t min = json_i64(dynamic, "minExecutors", 0), max = json_i64(dynamic, "maxExecutors", INT64_MAX);
	int64_t initial = json_i64(dynamic, "initialExecutors", min);
	auto_free char *min_path = xasprintf("%sminExecutors", path);
	auto_free char *initial_path = xasprintf("%sinitialExecutors", path);

	if (!json_bool(dynamic, "enabled", false))
		return;
	validate_bounds(p, spec, "spec.", allocation_bounds, array_len(allocation_bounds));
	if (min > max)
		problems_add(p, min_path, "Invalid value: %lld: is above maxExecutors, %lld", (long long)min,
			     (long long)max);
	else if (strict && initial < min)
		problems_add(p, initial_path, "Invalid value: %lld: is below minExecutors, %lld", (long long)initial,
			     (long long)min);
	else if (strict && initial > max)
		problems_add(p, initial_path, "Invalid value: %lld: is above maxExecutors, %lld", (long long)initial,
			     (long long)max);
}

/* The number of executors by the field if it counts, else by the property; dflt if neither says one. Sets *path to the
 * one that does. */
static int64_t executors_of(const struct json *spec, const char *field, const char *key, int64_t dflt,
			    const char **path)
{
	const struct json *dynamic = json_get(spec, "dynamicAllocation");

	*path = key;
	if (!json_bool(dynamic, "enabled", false) || !json_has(dynamic, field))
		return conf_i64(json_get(spec, "sparkConf"), key, dflt);
	*path = field;
	return json_i64(dynamic, field, dflt);
}

/* ExecutorAllocationManager.validateSettings: the driver would end at once. Two fields are compared elsewhere. */
static void check_allocation_conf(struct problems *p, const struct json *spec)
{
	static const char min_key[] = "spark.dynamicAllocation.minExecutors";
	static const char max_key[] = "spark.dynamicAllocation.maxExecutors";
	const char *min_path, *max_path;
	int64_t min = executors_of(spec, "minExecutors", min_key, 0, &min_path);
	int64_t max = executors_of(spec, "maxExecutors", max_key, INT64_MAX, &max_path);
	bool is_field = !text_eq(min_path, min_key);
	auto_free char *path = xasprintf(is_field ? "spec.dynamicAllocation.%s" : "spec.sparkConf[%s]", min_path);

	if (!conf_dynamic(spec) || (is_field && !text_eq(max_path, max_key)))
		return;
	if (min > max)
		problems_add(p, path, "Invalid value: %lld: is above %s, %lld", (long long)min, max_path,
			     (long long)max);
}

static void check_instances(struct problems *p, const struct json *spec)
{
	const char *path = "spec.executor.instances";
	int64_t instances = json_i64(spec, "executor.instances", 1);

	if (!json_has(spec, "executor.instances")) {
		instances = conf_i64(json_get(spec, "sparkConf"), "spark.executor.instances", 1);
		path = "spec.sparkConf[spark.executor.instances]";
	}
	if (!conf_dynamic(spec) && instances == 0)
		problems_add(p, path, "Invalid value: 0: must be at least 1 without dynamic allocation");
}

static void check_scheduler_options(struct problems *p, const struct json *spec)
{
	json_each (item, validate_map(json_at(spec, "batchSchedulerOptions.resources"))) {
		auto_free char *path = xasprintf("spec.batchSchedulerOptions.resources[%s]", json_name(item));
		auto_free char *text = json_print(item);
		const char *why = check_quantity(json_text(item, text));

		if (why)
			problems_invalid(p, path, item, why);
	}
}

/* Ki, Mi and the like are Kubernetes' units; Spark knows them since 4.2. */
static void check_sizes(struct problems *p, const struct json *spec, const struct rule_options *options)
{
	static const struct {
		const char *name;
		bool is_conf;
	} fields[] = {
		{ "driver.memory", false },
		{ "driver.memoryOverhead", false },
		{ "executor.memory", false },
		{ "executor.memoryOverhead", false },
		{ "spark.driver.memory", true },
		{ "spark.driver.memoryOverhead", true },
		{ "spark.executor.memory", true },
		{ "spark.executor.memoryOverhead", true },
		{ "spark.driver.minMemoryOverhead", true },
	};
	const struct version version = version_of_spec(spec, options->default_image);
	int64_t mib;

	for (size_t i = 0; i < array_len(fields); i++) {
		const struct json *value = fields[i].is_conf ? json_get(json_get(spec, "sparkConf"), fields[i].name)
							     : json_at(spec, fields[i].name);
		auto_free char *path = xasprintf(fields[i].is_conf ? "spec.sparkConf[%s]" : "spec.%s", fields[i].name);
		const char *text = json_text(value, "");

		if (memory_mib(text, VERSION_NEWEST, &mib) && !memory_mib(text, version.number, &mib))
			problems_invalid(p, path, value,
					 "expected a size in Spark's notation, such as 512m or 2g; Spark knows Ki, Mi, "
					 "Gi since 4.2");
	}
}

static void validate_spec(struct problems *p, const struct app *app, const struct rule_options *options)
{
	const struct json *spec = json_get(app->tree, "spec");

	schema_check(p, &spec_part, spec, SCHEMA_TYPES);
	validate_rules(p, spec, "spec.", spec_rules, array_len(spec_rules));
	check_presence(p, spec);
	check_spark_version(p, spec, options);
	check_program(p, spec);
	check_r_jars(p, spec);
	check_images(p, spec, options);
	check_volumes(p, spec);
	check_selectors(p, spec);
	validate_allocation(p, spec, false);
	check_allocation_conf(p, spec);
	check_instances(p, spec);
	check_scheduler_options(p, spec);
	check_sizes(p, spec, options);
	validate_role(p, spec, "driver", options);
	validate_role(p, spec, "executor", options);
	validate_references(p, spec);
	validate_env(p, spec);
	validate_services(p, app);
	validate_monitoring(p, spec);
	validate_conf(p, app, options);
	if (options->pod_policy == POD_POLICY_BASELINE)
		validate_policy(p, spec);
	validate_limits(p, app, options);
}

void validate_app(struct problems *p, const struct app *app, const struct rule_options *options)
{
	const struct json *spec = json_get(app->tree, "spec");

	check_metadata(p, app);
	if (!validate_size(p, spec, "spec"))
		return;
	validate_spec(p, app, options);
	schema_check(p, &spec_part, spec, SCHEMA_VALUES);
}
