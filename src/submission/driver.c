/*
 * The steps for the driver pod: metadata, Spark container, resources, environment, command.
 *
 * They do what Spark's BasicDriverFeatureStep, DriverKubernetesCredentialsFeatureStep and DriverCommandFeatureStep do.
 * There is no Secret with credentials: validation refuses the properties that would need one. The last step adds the
 * fields that Spark's configuration cannot express (pod_rows.c). A step fails with ERR_INVALID and the name of a
 * property or field.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "build.h"
#include "spark/memory.h"
#include "spark/conf.h"
#include "spark/version.h"
#include "spark/names.h"

/* The user's labels and then those that Spark sets. The service selects the driver pod by all of them. */
static struct json *labels(struct build *b)
{
	struct json *out = json_new_object();
	auto_free char *app_label = names_app_label(b->app->name);

	build_named(b, out, "label.", SPARK_4_0, "");
	if (b->version >= SPARK_3_3) {
		json_set_str(out, "spark-version", b->version_text);
		json_set_str(out, "spark-app-name", app_label);
	}
	json_set_str(out, LABEL_APP_SELECTOR, b->names.app_id);
	json_set_str(out, LABEL_SPARK_ROLE, "driver");
	return out;
}

static void put_driver_owner(const struct build *b, struct json *metadata)
{
	auto_json ref = resource_owner_reference(&resource_sparkapplication, b->app->name, b->app->uid, true);
	struct json *owners = json_ensure_array(metadata, "ownerReferences");

	json_each (own, owners)
		if (json_equal(own, ref))
			return;
	json_append(owners, take_ptr(ref));
}

int driver_metadata(struct build *b, struct err *err)
{
	struct json *metadata = json_get(b->pod, "metadata"), *all;

	(void)err;
	json_set_str(metadata, "name", b->names.driver_pod);
	json_set_str(metadata, "namespace", b->ns);
	b->labels = labels(b);
	all = json_ensure_object(metadata, "labels");
	json_each (label, b->labels)
		json_set(all, json_name(label), json_dup(label));
	build_named(b, json_ensure_object(metadata, "annotations"), "annotation.", SPARK_3_3, "");
	build_mark(b, metadata);
	put_driver_owner(b, metadata);
	return 0;
}

int driver_pod(struct build *b, struct err *err)
{
	(void)err;
	json_set_str(json_get(b->pod, "spec"), "restartPolicy", "Never");
	build_node_selector(b);
	build_pull_secrets(b);
	build_scheduler(b);
	return 0;
}

static void put_driver_port(struct build *b, const char *name, int64_t number)
{
	struct json *port = json_append(json_ensure_array(b->container, "ports"), json_new_object());

	json_set_str(port, "name", name);
	json_set_i64(port, "containerPort", number);
	json_set_str(port, "protocol", "TCP");
}

static void put_escalation(struct build *b)
{
	static const char name[] = "securityContext.allowPrivilegeEscalation";
	const char *common = conf_get(b->conf, "spark.kubernetes.securityContext.allowPrivilegeEscalation", "false");
	bool allowed = conf_is_true(build_role_get(b, name, common));

	json_set_bool(json_ensure_object(b->container, "securityContext"), "allowPrivilegeEscalation", allowed);
}

int driver_container(struct build *b, struct err *err)
{
	int64_t shared = b->version >= SPARK_3_2 ? conf_i64(b->conf, "spark.blockManager.port", 7079) : 7079;

	(void)err;
	build_image(b);
	put_driver_port(b, "driver-rpc-port", conf_i64(b->conf, "spark.driver.port", 7078));
	put_driver_port(b, "blockmanager", conf_i64(b->conf, "spark.driver.blockManager.port", shared));
	put_driver_port(b, "spark-ui", conf_i64(b->conf, "spark.ui.port", 4040));
	if (b->version >= SPARK_4_1)
		put_driver_port(b, "spark-connect", conf_i64(b->conf, "spark.connect.grpc.binding.port", 15002));
	if (b->version >= SPARK_4_3)
		put_escalation(b);
	return 0;
}

/* The factor is written into the properties, where the driver reads it for its executors. */
int driver_resources(struct build *b, struct err *err)
{
	double dflt = build_factor(b, "spark.kubernetes.memoryOverheadFactor", b->program == PROGRAM_JAVA ? 0.1 : 0.4);
	auto_free char *text = memory_double_text(dflt);

	json_set_str(b->conf, "spark.kubernetes.memoryOverheadFactor", text);
	return build_resources(b, dflt, err);
}

/* The user as whom the program runs (Utils.getCurrentUserName under UserGroupInformation.doAs). Up to Spark 4.2 it is
 * the first part of a principal, since 4.3 it is the whole principal. Owned. */
static char *user_name(const struct build *b)
{
	const char *proxy = json_str(b->spec, "proxyUser", "");
	size_t len = b->version >= SPARK_4_3 ? strlen(proxy) : conf_user_len(proxy);

	return len ? xstrndup(proxy, len) : xstrdup("spark");
}

int driver_env(struct build *b, struct err *err)
{
	auto_free char *user = user_name(b);
	struct json *ip;

	(void)err;
	build_env(b, "SPARK_USER", user);
	build_env(b, "SPARK_APPLICATION_ID", b->names.app_id);
	json_each (entry, b->conf) {
		const char *name = conf_suffix(entry, "spark.kubernetes.driverEnv.");

		if (name)
			build_env(b, name, json_text(entry, ""));
	}
	ip = build_env_from(b, "SPARK_DRIVER_BIND_ADDRESS", "fieldRef");
	json_set_str(ip, "apiVersion", "v1");
	json_set_str(ip, "fieldPath", "status.podIP");
	return 0;
}

/* Hides tokens, since everybody who may read the ConfigMap can read the properties. */
static void redact(struct build *b)
{
	auto_strv keys = { 0 };

	json_each (entry, b->conf)
		if (text_ends(json_name(entry), "oauthToken"))
			strv_add(&keys, json_name(entry));
	for (size_t i = 0; i < keys.len; i++)
		json_set_str(b->conf, keys.items[i], "<present_but_redacted>");
}

int driver_account(struct build *b, struct err *err)
{
	const char *account = conf_get(b->conf, "spark.kubernetes.authenticate.driver.serviceAccountName", NULL);
	struct json *spec = json_ensure_object(b->pod, "spec");

	(void)err;
	redact(b);
	json_set_str(spec, "serviceAccount", account);
	json_set_str(spec, "serviceAccountName", account);
	return 0;
}

static const char *main_class(const struct build *b)
{
	switch (b->program) {
	case PROGRAM_PYTHON:
		return "org.apache.spark.deploy.PythonRunner";
	case PROGRAM_R:
		return "org.apache.spark.deploy.RRunner";
	default:
		return json_str(b->spec, "mainClass", "");
	}
}

int driver_command(struct build *b, struct err *err)
{
	struct json *args = json_ensure_array(b->container, "args");
	const char *proxy = json_str(b->spec, "proxyUser", NULL);
	const char *python = conf_get(b->conf, "spark.pyspark.python", NULL);
	const char *driver_python = conf_get(b->conf, "spark.pyspark.driver.python", python);

	(void)err;
	json_append_str(args, "driver");
	if (!text_empty(proxy)) {
		json_append_str(args, "--proxy-user");
		json_append_str(args, proxy);
	}
	json_append_str(args, "--properties-file");
	json_append_str(args, CONF_DIR "/" PROPERTIES_KEY);
	json_append_str(args, "--class");
	json_append_str(args, main_class(b));
	json_append_str(args, json_str(b->spec, "mainApplicationFile", ""));
	json_each (arg, json_get(b->spec, "arguments"))
		json_append_str(args, json_text(arg, ""));
	if (b->program == PROGRAM_PYTHON && python)
		build_env(b, "PYSPARK_PYTHON", python);
	if (b->program == PROGRAM_PYTHON && driver_python)
		build_env(b, "PYSPARK_DRIVER_PYTHON", driver_python);
	return 0;
}

int driver_fields(struct build *b, struct err *err)
{
	return submission_fields(b->app, b->pod, err);
}
