/*
 * Variables of executors. They reach executors through the pod template, and there Spark's own, which it appends, win
 * (BasicExecutorFeatureStep, HadoopConfExecutorFeatureStep, LocalDirsFeatureStep). Some of those can be had through
 * spark.executorEnv (conf_sets_executor_env); the others are refused, since the value would be lost.
 */
#include <string.h>

#include "base/text.h"
#include "rules/validate.h"
#include "spark/conf.h"

/* A name that ends in '*' stands for all that begin so. */
static const struct {
	const char *name;
	const char *property; /* if this is there, and not "false"; NULL: always */
	const char *instead;
} final[] = {
	{ "SPARK_EXECUTOR_POD_IP", NULL, "it is the pod's address" },
	{ "SPARK_EXECUTOR_POD_NAME", NULL, "it is the pod's name" },
	{ "SPARK_LOCAL_DIRS", NULL, "use volumes spark-local-dir-* or spark.local.dir" },
	{ "SPARK_JAVA_OPT_*", NULL, "use spec.executor.javaOptions" },
	{ "_SPARK_AUTH_SECRET", "spark.authenticate",
	  "mount the secret (spec.driver.secrets, spec.executor.secrets) and name its file in "
	  "spark.authenticate.secret.file of sparkConf" },
	{ "SPARK_CLASSPATH", "spark.executor.extraClassPath", "add to spark.executor.extraClassPath" },
	{ "SPARK_EXECUTOR_LIBRARY_PATH", "spark.executor.extraLibraryPath", "add to spark.executor.extraLibraryPath" },
	{ "HADOOP_CONF_DIR", "spark.kubernetes.hadoop.configMapName", "leave out that property" },
};

static bool name_matches(const char *name, const char *pattern)
{
	size_t len = strlen(pattern);

	return pattern[len - 1] == '*' ? strncmp(name, pattern, len - 1) == 0 : text_eq(name, pattern);
}

static void check_final(struct problems *p, const struct json *conf, const char *path, const char *name)
{
	for (size_t i = 0; i < array_len(final); i++) {
		const char *property = final[i].property;

		if (!name_matches(name, final[i].name) ||
		    (property && text_eq(conf_get(conf, property, "false"), "false")))
			continue;
		problems_add(p, path, "Forbidden: Spark sets %s of executors itself%s%s: %s", name,
			     property ? " by " : "", property ? property : "", final[i].instead);
	}
}

void validate_env(struct problems *p, const struct json *spec)
{
	const struct json *conf = validate_map(json_get(spec, "sparkConf")), *executor = json_get(spec, "executor");
	size_t i = 0;

	json_each (env, json_get(executor, "env")) {
		auto_free char *path = xasprintf("spec.executor.env[%zu]", i++);
		const char *name = json_str(env, "name", "");

		check_final(p, conf, path, name);
		if (conf_sets_executor_env(name) && json_is(json_get(env, "valueFrom"), JSON_OBJECT))
			problems_add(p, path,
				     "Forbidden: Spark sets %s of executors itself: give it a plain value, or use "
				     "envSecretKeyRefs",
				     name);
	}
	json_each (env, validate_map(json_get(executor, "envVars"))) {
		auto_free char *path = xasprintf("spec.executor.envVars[%s]", json_name(env));

		check_final(p, conf, path, json_name(env));
	}
}
