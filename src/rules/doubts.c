/*
 * What will run, but perhaps not as its author expects. Nothing is refused here: files that run with spark-submit or
 * with kubeflow's operator have such things in them.
 */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "rules/validate.h"
#include "spark/conf.h"
#include "spark/version.h"

/* Properties that the submission writes itself, whatever they say (SparkSubmit, KubernetesClientApplication). */
static const struct {
	const char *key;
	const char *why;
} overwritten[] = {
	{ "spark.app.id", "the submission gives each run an id of its own" },
	{ "spark.kubernetes.context", "it would choose a context of the submitter's kubeconfig" },
	{ "spark.driver.host", "the submission sets it to the name of the driver's Service" },
};

static void doubt_version(struct problems *p, const struct json *spec, const struct rule_options *options)
{
	const struct version version = version_of_spec(spec, options->default_image);
	auto_free char *doubt = version_doubt(&version);

	if (doubt)
		problems_add(p, "spec.sparkVersion", "%s", doubt);
}

/* Validation refuses it only when nobody can add it any more. */
static void doubt_image(struct problems *p, const struct json *spec, const struct rule_options *options)
{
	if (options->is_admission && !options->default_image && validate_lacks_image(spec))
		problems_add(p, "spec.image",
			     "there is no image: the submission will fail, unless another webhook adds one or the "
			     "operator gets --default-image");
}

static void doubt_property(struct problems *p, const struct json *entry)
{
	static const char spark[] = "spark.";
	auto_free char *path = xasprintf("spec.sparkConf[%s]", json_name(entry));
	auto_free char *trimmed = text_trimmed(json_name(entry));
	bool is_spark = strncasecmp(trimmed, spark, strlen(spark)) == 0;

	if (is_spark && (!text_starts(trimmed, spark) || !text_eq(trimmed, json_name(entry))))
		problems_add(p, path, "Spark knows no such property: call it %s%s", spark, trimmed + strlen(spark));
	else if (!is_spark)
		problems_add(p, path,
			     "Spark drops properties that do not begin with \"spark.\": call it spark.%s, or put it "
			     "into hadoopConf if it is Hadoop's",
			     json_name(entry));
	for (size_t i = 0; i < array_len(overwritten); i++)
		if (text_eq(json_name(entry), overwritten[i].key))
			problems_add(p, path, "it has no effect: %s", overwritten[i].why);
}

/* Spark's class loader takes each entry as the name of a file. */
static void doubt_jars(struct problems *p, const struct json *spec)
{
	size_t i = 0;

	json_each (jar, json_at(spec, "deps.jars")) {
		const char *text = json_text(jar, "");
		auto_free char *path = xasprintf("spec.deps.jars[%zu]", i++);

		if (text_starts(text, "local:") && (text_ends(text, "/") || text_ends(text, "*")))
			problems_add(p, path,
				     "Spark finds no jars in a folder: name it in spark.driver.extraClassPath and "
				     "spark.executor.extraClassPath of sparkConf, such as /opt/jars/*");
	}
}

/* A finalizer keeps a pod that is deleted until somebody takes the finalizer away. */
static void doubt_finalizers(struct problems *p, const struct json *spec)
{
	static const char *const paths[] = { "driver.template.metadata.finalizers",
					     "executor.template.metadata.finalizers" };

	for (size_t i = 0; i < array_len(paths); i++) {
		auto_free char *path = xasprintf("spec.%s", paths[i]);

		if (json_len(json_at(spec, paths[i])))
			problems_add(p, path,
				     "the pods cannot be deleted until somebody else removes these finalizers: "
				     "neither Spark nor the operator does");
	}
}

static void doubt_lifecycle(struct problems *p, const struct json *spec, const struct rule_options *options)
{
	if (options->has_webhook && json_is(json_at(spec, "executor.lifecycle"), JSON_OBJECT) &&
	    conf_true(json_get(spec, "sparkConf"), "spark.decommission.enabled"))
		problems_add(
		    p, "spec.executor.lifecycle",
		    "the operator's webhook puts it in the place of the hook by which Spark decommissions "
		    "executors, so call %s from yours",
		    conf_get(json_get(spec, "sparkConf"), "spark.kubernetes.decommission.script", "/opt/decom.sh"));
}

void validate_doubts(struct problems *p, const struct json *spec, const struct rule_options *options)
{
	if (!json_is(spec, JSON_OBJECT))
		return;
	doubt_version(p, spec, options);
	doubt_image(p, spec, options);
	json_each (entry, validate_map(json_get(spec, "sparkConf")))
		doubt_property(p, entry);
	doubt_jars(p, spec);
	doubt_finalizers(p, spec);
	doubt_lifecycle(p, spec, options);
}
