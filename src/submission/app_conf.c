/*
 * Writes the spec into Spark's configuration. There is one row per field, in the order in which kubeflow's operator
 * writes its arguments (internal/controller/sparkapplication/submission.go). spark-submit takes the last of equal keys,
 * so a row overrides the rows above it.
 *
 * Happy path: a string, number or boolean becomes the property's value. A list is joined by commas. An object of
 * strings gives one property per member, whose name begins with the row's key. Other fields have functions of their
 * own. Nothing can fail here, since the spec has been validated.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "build.h"
#include "submission/pod_rows.h"
#include "spark/secrets.h"
#include "spark/conf.h"
#include "spark/version.h"
#include "spark/ui_url.h"

#define DRIVER_LABEL   "spark.kubernetes.driver.label."
#define EXECUTOR_LABEL "spark.kubernetes.executor.label."
#define KUEUE_PREFIX   "kueue.x-k8s.io/"

struct row {
	const char *field; /* below spec; NULL for the spec itself */
	const char *key;   /* a prefix where the field is an object */
	void (*put)(struct build *b, const struct json *value, const char *key);
	const char *dflt; /* where neither the field nor a row above gives a value */
};

static void set(struct build *b, const char *prefix, const char *name, const char *value)
{
	auto_free char *key = xasprintf("%s%s", prefix, name);

	json_set_str(b->conf, key, value);
}

/* The value as a property's text. Owned; NULL for an object and for null. */
static char *text_of(const struct json *value)
{
	auto_strv items = { 0 };

	switch (json_type(value)) {
	case JSON_STRING:
		return xstrdup(json_text(value, ""));
	case JSON_NUMBER:
		return json_print(value);
	case JSON_BOOL:
		return xstrdup(json_true(value) ? "true" : "false");
	case JSON_ARRAY:
		json_each (item, value)
			strv_add(&items, json_text(item, ""));
		return strv_join(&items, ",");
	default:
		return NULL;
	}
}

static void put_value(struct build *b, const struct json *value, const char *key)
{
	auto_free char *text = NULL;

	if (json_is(value, JSON_OBJECT)) {
		json_each (member, value)
			set(b, key, json_name(member), json_text(member, ""));
		return;
	}
	text = text_of(value);
	if (!text_empty(text))
		json_set_str(b->conf, key, text);
}

/* spark-submit drops keys that do not begin with "spark." */
static void put_spark_conf(struct build *b, const struct json *value, const char *key)
{
	json_each (member, value)
		if (text_starts(json_name(member), key))
			json_set_str(b->conf, json_name(member), json_text(member, ""));
}

static void put_hadoop_conf(struct build *b, const struct json *value, const char *key)
{
	json_each (member, value)
		set(b, text_starts(json_name(member), key) ? "" : key, json_name(member), json_text(member, ""));
}

/* The operator's image for applications that have none. The image of the spec, or of a role, overrides it. */
static void put_default_image(struct build *b, const struct json *value, const char *key)
{
	const char *image = b->options ? b->options->rules.default_image : NULL;
	auto_free char *text = image ? build_replaced(image, IMAGE_VERSION, b->version_text) : NULL;

	(void)value;
	if (text)
		json_set_str(b->conf, key, text);
}

static void put_unless_set(struct build *b, const char *key, const char *value)
{
	if (!conf_get(b->conf, key, NULL))
		json_set_str(b->conf, key, value);
}

/* An Ingress may remove a path from the URL. Spark then has to put that path in front of its links (kubeflow web_ui.go,
 * configWebUI). */
static void put_ui_proxy(struct build *b, const struct json *value, const char *key)
{
	const char *format = b->options ? b->options->ui_url_format : NULL;
	struct ui_url url;

	(void)value;
	if (text_empty(format) || !conf_has_ui(b->spec))
		return;
	ui_url_init(&url, format, b->app, b->names.app_id);
	if (*url.base) {
		put_unless_set(b, key, url.base);
		put_unless_set(b, "spark.ui.proxyRedirectUri", "/");
	}
	ui_url_done(&url);
}

static void put_operator_labels(struct build *b, const struct json *value, const char *key)
{
	(void)value;
	set(b, key, LABEL_APP_NAME, b->app->name);
	set(b, key, LABEL_LAUNCHED_BY, "true");
	set(b, key, LABEL_SUBMISSION_ID, b->names.submission_id);
}

/* The application's own labels, except those by which Kueue manages it. */
static void put_app_labels(struct build *b, const struct json *value, const char *key)
{
	(void)value;
	json_each (label, json_at(b->app->tree, "metadata.labels"))
		if (!text_starts(json_name(label), KUEUE_PREFIX))
			set(b, key, json_name(label), json_text(label, ""));
}

static void put_secret_refs(struct build *b, const struct json *value, const char *key)
{
	json_each (ref, value) {
		auto_free char *text = xasprintf("%s:%s", json_str(ref, "name", ""), json_str(ref, "key", ""));

		set(b, key, json_name(ref), text);
	}
}

/* For a secret of a known type, a variable tells the program where the secret's file is. */
static void put_secrets(struct build *b, const struct json *value, const char *key)
{
	bool driver = text_starts(key, "spark.kubernetes.driver.");

	json_each (secret, value) {
		const char *path = json_str(secret, "path", ""), *type = json_str(secret, "secretType", NULL);
		const char *variable = secrets_variable(type);
		auto_free char *file = secrets_file(type, path);

		set(b, key, json_str(secret, "name", ""), path);
		if (variable)
			set(b, driver ? "spark.kubernetes.driverEnv." : "spark.executorEnv.", variable, file);
	}
}

/* Spark appends its variables behind a template's env, and the last one counts. So the properties that name the same
 * variable are removed. A variable that Spark sets itself is set by its property, since the template cannot. */
static void put_executor_env(struct build *b, const struct json *value, const char *key)
{
	json_each (env, value) {
		const char *name = json_str(env, "name", "");
		auto_free char *property = xasprintf("%s%s", key, name);
		auto_free char *reference = xasprintf("spark.kubernetes.executor.secretKeyRef.%s", name);

		json_remove(b->conf, property);
		json_remove(b->conf, reference);
		if (conf_sets_executor_env(name))
			json_set_str(b->conf, property, json_str(env, "value", ""));
	}
}

/* The template has the HADOOP_CONF_DIR of hadoopConfigMap. No property may append another one behind it. */
static void drop_executor_env(struct build *b, const struct json *value, const char *name)
{
	auto_free char *property = xasprintf("spark.executorEnv.%s", name);
	auto_free char *reference = xasprintf("spark.kubernetes.executor.secretKeyRef.%s", name);

	if (text_empty(json_text(value, NULL)))
		return;
	json_remove(b->conf, property);
	json_remove(b->conf, reference);
}

/* A property overrides the template. So where there is a property, the field has to become that property. */
static void put_executor_selector(struct build *b, const struct json *value, const char *key)
{
	json_each (member, value) {
		auto_free char *own = xasprintf("%s%s", key, json_name(member));
		auto_free char *common = xasprintf("spark.kubernetes.node.selector.%s", json_name(member));

		if (conf_get(b->conf, own, conf_get(b->conf, common, NULL)))
			json_set_str(b->conf, own, json_text(member, ""));
	}
}

static void put_executor_scheduler(struct build *b, const struct json *value, const char *key)
{
	const char *common = conf_get(b->conf, "spark.kubernetes.scheduler.name", NULL);

	if (!text_empty(json_text(value, NULL)) && conf_get(b->conf, key, common))
		json_set_str(b->conf, key, json_text(value, ""));
}

/* Spark sets SPARK_CONF_DIR on executors itself. Only spark.executorEnv overrides that. */
static void put_executor_conf_dir(struct build *b, const struct json *value, const char *key)
{
	if (!text_empty(json_text(value, NULL)))
		json_set_str(b->conf, key, "/etc/spark/conf");
}

static const struct {
	const char *type;
	const char *options[3];
} local_dir_types[] = {
	{ "emptyDir", { "sizeLimit", "medium" } },
	{ "hostPath", { "path", "type" } },
	{ "nfs", { "path", "server", "readOnly" } },
	{ "persistentVolumeClaim", { "claimName", "readOnly" } },
};

static void put_mount_option(struct build *b, const char *prefix, const char *name, const struct json *value)
{
	auto_free char *text = text_of(value);

	if (!text_empty(text) && !text_eq(text, "false"))
		set(b, prefix, name, text);
}

static void put_local_dir(struct build *b, const struct json *mount, const struct json *volume, const char *key)
{
	for (size_t i = 0; i < array_len(local_dir_types); i++) {
		const struct json *source = json_get(volume, local_dir_types[i].type);

		if (!json_is(source, JSON_OBJECT))
			continue;

		auto_free char *prefix =
		    xasprintf("%s%s.%s.", key, local_dir_types[i].type, json_str(mount, "name", ""));
		auto_free char *mount_prefix = xasprintf("%smount.", prefix);
		auto_free char *options = xasprintf("%soptions.", prefix);

		put_mount_option(b, mount_prefix, "path", json_get(mount, "mountPath"));
		put_mount_option(b, mount_prefix, "subPath", json_get(mount, "subPath"));
		put_mount_option(b, mount_prefix, "subPathExpr", json_get(mount, "subPathExpr"));
		put_mount_option(b, mount_prefix, "readOnly", json_get(mount, "readOnly"));
		for (size_t k = 0; k < array_len(local_dir_types[i].options) && local_dir_types[i].options[k]; k++)
			put_mount_option(b, options, local_dir_types[i].options[k],
					 json_get(source, local_dir_types[i].options[k]));
	}
}

/* Spark itself mounts the volumes spark-local-dir-*, as its scratch space, so these become properties. */
static void put_local_dirs(struct build *b, const struct json *value, const char *key)
{
	const struct json *volumes = json_get(b->spec, "volumes");

	json_each (mount, value)
		if (text_starts(json_str(mount, "name", NULL), LOCAL_DIR_PREFIX))
			put_local_dir(b, mount, json_find(volumes, "name", json_str(mount, "name", "")), key);
}

/* The rule of the defaulting webhook: one executor, unless dynamic allocation is on. */
static void put_instances_default(struct build *b, const struct json *value, const char *key)
{
	(void)value;
	if (!conf_get(b->conf, key, NULL) && !conf_dynamic(b->spec))
		json_set_str(b->conf, key, "1");
}

static const struct {
	const char *field;
	const char *key;
} dynamic_rows[] = {
	{ "enabled", "spark.dynamicAllocation.enabled" },
	{ "initialExecutors", "spark.dynamicAllocation.initialExecutors" },
	{ "minExecutors", "spark.dynamicAllocation.minExecutors" },
	{ "maxExecutors", "spark.dynamicAllocation.maxExecutors" },
	{ "shuffleTrackingTimeout", "spark.dynamicAllocation.shuffleTracking.timeout" },
};

static void put_dynamic(struct build *b, const struct json *value, const char *key)
{
	if (!json_bool(value, "enabled", false))
		return;
	for (size_t i = 0; i < array_len(dynamic_rows); i++)
		put_value(b, json_get(value, dynamic_rows[i].field), dynamic_rows[i].key);
	json_set_str(b->conf, key, json_bool(value, "shuffleTrackingEnabled", true) ? "true" : "false");
}

/* Spark 4.1 overwrites a template's terminationGracePeriodSeconds with its own setting. */
static void put_grace(struct build *b, const struct json *value, const char *key)
{
	if (b->version >= SPARK_4_1 && json_is(value, JSON_NUMBER))
		json_setf(b->conf, key, "%llds", (long long)json_integer(value, 0));
}

static const struct row rows[] = {
	/* weaker than sparkConf */
	{ NULL, "spark.kubernetes.container.image", put_default_image, NULL },
	{ "image", "spark.kubernetes.container.image", put_value, NULL },
	{ "imagePullPolicy", "spark.kubernetes.container.image.pullPolicy", put_value, NULL },
	{ "imagePullSecrets", "spark.kubernetes.container.image.pullSecrets", put_value, NULL },
	{ "pythonVersion", "spark.kubernetes.pyspark.pythonVersion", put_value, NULL },
	{ "memoryOverheadFactor", "spark.kubernetes.memoryOverheadFactor", put_value, NULL },
	{ "sparkConf", "spark.", put_spark_conf, NULL },
	{ NULL, "spark.ui.proxyBase", put_ui_proxy, NULL },
	{ "hadoopConf", "spark.hadoop.", put_hadoop_conf, NULL },
	{ "deps.jars", "spark.jars", put_value, NULL },
	{ "deps.packages", "spark.jars.packages", put_value, NULL },
	{ "deps.excludePackages", "spark.jars.excludes", put_value, NULL },
	{ "deps.repositories", "spark.jars.repositories", put_value, NULL },
	{ "deps.pyFiles", "spark.submit.pyFiles", put_value, NULL },
	{ "deps.files", "spark.files", put_value, NULL },
	{ "deps.archives", "spark.archives", put_value, NULL },
	{ "nodeSelector", "spark.kubernetes.node.selector.", put_value, NULL },

	{ NULL, DRIVER_LABEL, put_operator_labels, NULL },
	{ "image", "spark.kubernetes.driver.container.image", put_value, NULL },
	{ "driver.image", "spark.kubernetes.driver.container.image", put_value, NULL },
	{ "driver.cores", "spark.driver.cores", put_value, "1" },
	{ "driver.coreRequest", "spark.kubernetes.driver.request.cores", put_value, NULL },
	{ "driver.coreLimit", "spark.kubernetes.driver.limit.cores", put_value, NULL },
	{ "driver.memory", "spark.driver.memory", put_value, "1g" },
	{ "driver.memoryOverhead", "spark.driver.memoryOverhead", put_value, NULL },
	{ "driver.serviceAccount", "spark.kubernetes.authenticate.driver.serviceAccountName", put_value, NULL },
	{ "driver.javaOptions", "spark.driver.extraJavaOptions", put_value, NULL },
	{ "driver.kubernetesMaster", "spark.kubernetes.driver.master", put_value, NULL },
	{ NULL, DRIVER_LABEL, put_app_labels, NULL },
	{ "driver.labels", DRIVER_LABEL, put_value, NULL },
	{ "driver.annotations", "spark.kubernetes.driver.annotation.", put_value, NULL },
	{ "driver.serviceLabels", "spark.kubernetes.driver.service.label.", put_value, NULL },
	{ "driver.serviceAnnotations", "spark.kubernetes.driver.service.annotation.", put_value, NULL },
	{ "driver.envSecretKeyRefs", "spark.kubernetes.driver.secretKeyRef.", put_secret_refs, NULL },
	{ "driver.envVars", "spark.kubernetes.driverEnv.", put_value, NULL },
	{ "driver.secrets", "spark.kubernetes.driver.secrets.", put_secrets, NULL },
	{ "driver.volumeMounts", "spark.kubernetes.driver.volumes.", put_local_dirs, NULL },

	{ NULL, EXECUTOR_LABEL, put_operator_labels, NULL },
	{ "executor.instances", "spark.executor.instances", put_value, NULL },
	{ NULL, "spark.executor.instances", put_instances_default, NULL },
	{ "image", "spark.kubernetes.executor.container.image", put_value, NULL },
	{ "executor.image", "spark.kubernetes.executor.container.image", put_value, NULL },
	{ "executor.cores", "spark.executor.cores", put_value, "1" },
	{ "executor.coreRequest", "spark.kubernetes.executor.request.cores", put_value, NULL },
	{ "executor.coreLimit", "spark.kubernetes.executor.limit.cores", put_value, NULL },
	{ "executor.memory", "spark.executor.memory", put_value, "1g" },
	{ "executor.memoryOverhead", "spark.executor.memoryOverhead", put_value, NULL },
	{ "executor.serviceAccount", "spark.kubernetes.authenticate.executor.serviceAccountName", put_value, NULL },
	{ "executor.deleteOnTermination", "spark.kubernetes.executor.deleteOnTermination", put_value, NULL },
	{ "executor.javaOptions", "spark.executor.extraJavaOptions", put_value, NULL },
	{ "executor.terminationGracePeriodSeconds", "spark.kubernetes.executor.terminationGracePeriodSeconds",
	  put_grace, NULL },
	{ NULL, EXECUTOR_LABEL, put_app_labels, NULL },
	{ "executor.labels", EXECUTOR_LABEL, put_value, NULL },
	{ "executor.annotations", "spark.kubernetes.executor.annotation.", put_value, NULL },
	{ "executor.envSecretKeyRefs", "spark.kubernetes.executor.secretKeyRef.", put_secret_refs, NULL },
	{ "executor.envVars", "spark.executorEnv.", put_value, NULL },
	{ "executor.secrets", "spark.kubernetes.executor.secrets.", put_secrets, NULL },
	{ "executor.volumeMounts", "spark.kubernetes.executor.volumes.", put_local_dirs, NULL },
	{ "executor.env", "spark.executorEnv.", put_executor_env, NULL },
	{ "hadoopConfigMap", "HADOOP_CONF_DIR", drop_executor_env, NULL },
	{ "executor.nodeSelector", "spark.kubernetes.executor.node.selector.", put_executor_selector, NULL },
	{ "executor.schedulerName", "spark.kubernetes.executor.scheduler.name", put_executor_scheduler, NULL },
	{ "sparkConfigMap", "spark.executorEnv.SPARK_CONF_DIR", put_executor_conf_dir, NULL },

	{ "dynamicAllocation", "spark.dynamicAllocation.shuffleTracking.enabled", put_dynamic, NULL },
};

/* The property tells Spark which container of the template is the Spark container. */
static void put_container_name(struct build *b, const struct role *role)
{
	auto_free char *key = xasprintf("%spodTemplateContainerName", role->conf);

	if (!conf_get(b->conf, key, NULL))
		json_set_str(b->conf, key, role->container);
}

void conf_of_spec(struct build *b)
{
	for (size_t i = 0; i < array_len(rows); i++) {
		const struct row *row = &rows[i];
		const struct json *value = row->field ? json_at(b->spec, row->field) : b->spec;

		row->put(b, value, row->key);
		if (row->dflt && !conf_get(b->conf, row->key, NULL))
			json_set_str(b->conf, row->key, row->dflt);
	}
	json_set_str(b->conf, "spark.kubernetes.namespace", b->ns);
	json_set_str(b->conf, "spark.kubernetes.driver.pod.name", b->names.driver_pod);
	monitoring_conf(b);
	put_container_name(b, &role_driver);
	put_container_name(b, &role_executor);
}

/* spark.jars contains a main file that is a jar. spark.submit.pyFiles is always set, if need be to the empty string
 * (SparkSubmit.prepareSubmitEnvironment). */
static void put_main_file(struct build *b)
{
	const char *file = json_str(b->spec, "mainApplicationFile", ""), *jars = conf_get(b->conf, "spark.jars", NULL);

	if (b->program == PROGRAM_JAVA && text_eq(file, "spark-internal"))
		json_setf(b->conf, "spark.jars", "%s", jars ? jars : "");
	else if (b->program == PROGRAM_JAVA)
		json_setf(b->conf, "spark.jars", "%s%s%s", text_empty(jars) ? "" : jars, text_empty(jars) ? "" : ",",
			  file);
	if (!conf_get(b->conf, "spark.submit.pyFiles", NULL))
		json_set_str(b->conf, "spark.submit.pyFiles", "");
}

/* Properties that spark-submit writes under their own key, if they have an old one (SparkSubmitArguments). */
static void put_old_keys(struct build *b)
{
	static const char *const keys[] = { "spark.kerberos.keytab", "spark.kerberos.principal" };

	for (size_t i = 0; i < array_len(keys); i++)
		json_set_str(b->conf, keys[i], conf_get(b->conf, keys[i], NULL));
}

void conf_of_submission(struct build *b)
{
	static const char *const types[] = { "java", "python", "r" };

	put_main_file(b);
	put_old_keys(b);
	json_set_str(b->conf, "spark.master", b->options->master);
	json_set_str(b->conf, "spark.submit.deployMode", "cluster");
	json_set_str(b->conf, "spark.app.name", b->app->name);
	json_set_str(b->conf, "spark.app.id", b->names.app_id);
	json_set_str(b->conf, "spark.kubernetes.submitInDriver", "true");
	json_set_str(b->conf, "spark.kubernetes.submission.waitAppCompletion", "false");
	json_set_str(b->conf, "spark.kubernetes.resource.type", types[b->program]);
	if (b->version < SPARK_3_3)
		return;
	if (b->version < SPARK_3_5 || !conf_get(b->conf, "spark.app.submitTime", NULL))
		json_setf(b->conf, "spark.app.submitTime", "%lld", (long long)b->options->submitted_ms);
}
