/*
 * One submission while it is being built: the parts that conf rows, steps and printers share.
 *
 * conf_fill makes Spark's configuration of the spec; the steps then read the configuration only, as the feature steps
 * of spark-submit do (org.apache.spark.deploy.k8s.features), and add to driver pod and configuration.
 */
#ifndef SPARK_BUILD_H
#define SPARK_BUILD_H

#include "spark/submission.h"

#define CONF_DIR       "/opt/spark/conf"
#define PROPERTIES_KEY "spark.properties"
#define TEMPLATE_KEY   "podspec-configmap-key"
#define TEMPLATE_DIR   "/opt/spark/pod-template"
#define TEMPLATE_FILE  "pod-spec-template.yml"

/* Spark goes by the ending of the main file, not by spec.type. */
enum program { PROGRAM_JAVA = 0, PROGRAM_PYTHON, PROGRAM_R };

struct build {
	const struct app *app;
	const struct json *spec;
	const char *ns;
	const struct submission_options *options;
	struct app_names names;
	int version; /* sparkVersion as major * 100 + minor */
	enum program program;
	struct json *conf;	/* Spark's configuration: an object of strings */
	struct json *labels;	/* of the driver pod; what the service selects */
	struct json *pod;	/* the driver pod */
	struct json *container; /* its Spark container, borrowed from pod */
	struct json *service;
	char *executor_template; /* YAML */
};

/* ---- conf.c ---- */
/* 3.5.6 and v3.5.6 → 305; 0 if text does not begin with MAJOR.MINOR. */
int conf_version(const char *text);
enum program conf_program(const char *main_file);
/* Fills b->conf from a spec that is valid, in the precedence of docs/submission.md. */
void conf_fill(struct build *b);
/* Dynamic allocation is on, by the spec's own field or by sparkConf. */
bool conf_dynamic(const struct json *spec);

const char *conf_get(const struct json *conf, const char *key, const char *dflt);
int64_t conf_i64(const struct json *conf, const char *key, int64_t dflt);
bool conf_true(const struct json *conf, const char *key);
/* The rest of the entry's key after prefix; NULL if it does not begin with it. */
const char *conf_suffix(const struct json *entry, const char *prefix);
/* {{APP_ID}} replaced by app_id, {{EXECUTOR_ID}} by nothing (Utils.substituteAppNExecIds). Owned. */
char *conf_substitute(const char *text, const char *app_id);

/* ---- steps, in the order in which submission.c runs them ---- */
int driver_metadata(struct build *b, struct err *err);
int driver_pod(struct build *b, struct err *err);
int driver_container(struct build *b, struct err *err);
int driver_resources(struct build *b, struct err *err);
int driver_env(struct build *b, struct err *err);
int driver_account(struct build *b, struct err *err);
int service_step(struct build *b, struct err *err);
int volumes_secrets(struct build *b, struct err *err);
int volumes_secret_env(struct build *b, struct err *err);
int volumes_conf(struct build *b, struct err *err);
int driver_command(struct build *b, struct err *err);
int volumes_hadoop(struct build *b, struct err *err);
int executor_template_step(struct build *b, struct err *err);
int volumes_local_dirs(struct build *b, struct err *err);
int volumes_spark_conf(struct build *b, struct err *err);
int driver_fields(struct build *b, struct err *err);

/* ---- helpers of the steps ---- */
/* Appends a volume {name} to the pod and returns it, so that the caller adds the source. */
struct json *build_volume(struct build *b, const char *name);
struct json *build_mount(struct build *b, const char *name, const char *path);
void build_env(struct build *b, const char *name, const char *value);
/* env NAME from a source: returns the object valueFrom.SOURCE. */
struct json *build_env_from(struct build *b, const char *name, const char *source);
/* Of an object beside the driver: name, namespace, the operator's labels, the application as its owner. Owned. */
struct json *build_metadata(const struct build *b, const char *name);

#endif
