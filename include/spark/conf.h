/*
 * Facts about Spark's configuration: its versions, its properties, its two roles, and what Spark derives from texts in
 * them. Nothing here knows how a submission is built.
 */
#ifndef SPARK_CONF_H
#define SPARK_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json/json.h"

/* Where Spark finds its configuration in driver and executors, and the pod template of executors in the driver. */
#define CONF_DIR       "/opt/spark/conf"
#define PROPERTIES_KEY "spark.properties"
#define TEMPLATE_KEY   "podspec-configmap-key"
#define TEMPLATE_DIR   "/opt/spark/pod-template"
#define TEMPLATE_FILE  "pod-spec-template.yml"

/* Volumes with such names are scratch space of Spark, which mounts them itself. */
#define LOCAL_DIR_PREFIX "spark-local-dir-"

/* Spark decides this by the ending of the main file, not by spec.type. */
enum program { PROGRAM_JAVA = 0, PROGRAM_PYTHON, PROGRAM_R };

struct role {
	const char *name;      /* member of spec, value of the label spark-role */
	const char *conf;      /* prefix of the role's properties */
	const char *container; /* name of the Spark container if the template names none */
};

extern const struct role role_driver, role_executor;

enum program conf_program(const char *main_file);
/* The length of the user's short name at the start of a Kerberos principal (Hadoop's KerberosName). 0 if the principal
 * is malformed. */
size_t conf_user_len(const char *principal);
/* Dynamic allocation is on, by the spec's own field or by sparkConf. */
bool conf_dynamic(const struct json *spec);
/* The application has a web UI: spark.ui.enabled is not false in its sparkConf. */
bool conf_has_ui(const struct json *spec);

/* The key by which Spark reads a property today: spark.driver.memoryOverhead for spark.yarn.driver.memoryOverhead, and
 * key itself unless it is such an old one. Borrowed. */
const char *conf_key(const char *key);
/* conf: an object of strings. As Spark does it, an old key counts where the property is not set by its own
 * (SparkConf.getDeprecatedConfig). */
const char *conf_get(const struct json *conf, const char *key, const char *dflt);
int64_t conf_i64(const struct json *conf, const char *key, int64_t dflt);
bool conf_true(const struct json *conf, const char *key);
/* As Spark reads numbers and booleans, blanks around them do not count (ConfigHelpers.toNumber, toBoolean). */
bool conf_is_true(const char *text);
/* The rest of the entry's key after prefix; NULL if it does not begin with it. */
const char *conf_suffix(const struct json *entry, const char *prefix);
/* {{APP_ID}} replaced by app_id, {{EXECUTOR_ID}} by executor_id (Utils.substituteAppNExecIds). Owned. */
char *conf_substitute(const char *text, const char *app_id, const char *executor_id);

/* Spark sets this variable of executors itself. Its value overrides a pod template's, spark.executorEnv overrides
 * it. */
bool conf_sets_executor_env(const char *name);

#endif
