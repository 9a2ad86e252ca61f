/*
 * The driver pod: metadata, Spark container, resources, environment, command.
 *
 * Mirrors BasicDriverFeatureStep, DriverKubernetesCredentialsFeatureStep (without a Secret of credentials: keys that
 * would need one are refused by validation) and DriverCommandFeatureStep. What a SparkApplication adds beyond Spark's
 * configuration comes last, from the rows of pod_rows.c.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "build.h"
#include "memory.h"
#include "names.h"
#include "pod_rows.h"

enum { MIN_OVERHEAD_MIB = 384 };

/* The user's labels, then Spark's presets: both together are what the service selects. */
static struct json *labels(const struct build *b)
{
	struct json *out = json_new_object();
	auto_free char *app_label = names_app_label(b->app->name);

	json_each (entry, b->conf) {
		const char *key = conf_suffix(entry, "spark.kubernetes.driver.label.");
		const char *text = json_text(entry, "");
		auto_free char *value = b->version >= 400 ? conf_substitute(text, b->names.app_id) : xstrdup(text);

		if (key)
			json_set_str(out, key, value);
	}
	if (b->version >= 303) {
		json_set_str(out, "spark-version", json_str(b->spec, "sparkVersion", NULL));
		json_set_str(out, "spark-app-name", app_label);
	}
	json_set_str(out, LABEL_APP_SELECTOR, b->names.app_id);
	json_set_str(out, LABEL_SPARK_ROLE, "driver");
	return out;
}

int driver_metadata(struct build *b, struct err *err)
{
	struct json *metadata = json_ensure_object(b->pod, "metadata");

	(void)err;
	json_set_str(metadata, "name", b->names.driver_pod);
	json_set_str(metadata, "namespace", b->ns);
	b->labels = labels(b);
	json_set(metadata, "labels", json_dup(b->labels));
	json_each (entry, b->conf) {
		const char *key = conf_suffix(entry, "spark.kubernetes.driver.annotation.");
		const char *text = json_text(entry, "");
		auto_free char *value = b->version >= 303 ? conf_substitute(text, b->names.app_id) : xstrdup(text);

		if (key)
			json_set_str(json_ensure_object(metadata, "annotations"), key, value);
	}
	json_append(json_ensure_array(metadata, "ownerReferences"),
		    resource_owner_reference(&resource_sparkapplication, b->app->name, b->app->uid, true));
	return 0;
}

static void put_node_selector(struct build *b, struct json *spec, const char *prefix)
{
	json_each (entry, b->conf) {
		const char *key = conf_suffix(entry, prefix);

		if (key)
			json_set_str(json_ensure_object(spec, "nodeSelector"), key, json_text(entry, ""));
	}
}

int driver_pod(struct build *b, struct err *err)
{
	struct json *spec = json_ensure_object(b->pod, "spec");
	const char *scheduler = conf_get(b->conf, "spark.kubernetes.scheduler.name", NULL);
	auto_strv secrets = { 0 };

	(void)err;
	json_set_str(spec, "restartPolicy", "Never");
	put_node_selector(b, spec, "spark.kubernetes.node.selector.");
	if (b->version >= 303) {
		put_node_selector(b, spec, "spark.kubernetes.driver.node.selector.");
		json_set_str(spec, "schedulerName",
			     conf_get(b->conf, "spark.kubernetes.driver.scheduler.name", scheduler));
	}
	strv_split(&secrets, conf_get(b->conf, "spark.kubernetes.container.image.pullSecrets", ""), ',');
	for (size_t i = 0; i < secrets.len; i++) {
		struct json *all = json_ensure_array(spec, "imagePullSecrets");

		json_set_str(json_append(all, json_new_object()), "name", secrets.items[i]);
	}
	return 0;
}

static void put_port(struct build *b, const char *name, int64_t number)
{
	struct json *port = json_append(json_ensure_array(b->container, "ports"), json_new_object());

	json_set_str(port, "name", name);
	json_set_i64(port, "containerPort", number);
	json_set_str(port, "protocol", "TCP");
}

/* {{SPARK_VERSION}} in images is 4.1's. */
static char *image_text(const struct build *b)
{
	static const char mark[] = "{{SPARK_VERSION}}";
	const char *image = conf_get(b->conf, "spark.kubernetes.container.image", "");
	const char *at;

	image = conf_get(b->conf, "spark.kubernetes.driver.container.image", image);
	at = strstr(image, mark);
	if (b->version < 401 || !at)
		return xstrdup(image);
	return xasprintf("%.*s%s%s", (int)(at - image), image, json_str(b->spec, "sparkVersion", ""),
			 at + sizeof(mark) - 1);
}

int driver_container(struct build *b, struct err *err)
{
	auto_free char *image = image_text(b);
	int64_t shared = b->version >= 302 ? conf_i64(b->conf, "spark.blockManager.port", 7079) : 7079;

	(void)err;
	json_set_str(b->container, "name", DRIVER_CONTAINER);
	json_set_str(b->container, "image", image);
	json_set_str(b->container, "imagePullPolicy",
		     conf_get(b->conf, "spark.kubernetes.container.image.pullPolicy", "IfNotPresent"));
	put_port(b, "driver-rpc-port", conf_i64(b->conf, "spark.driver.port", 7078));
	put_port(b, "blockmanager", conf_i64(b->conf, "spark.driver.blockManager.port", shared));
	put_port(b, "spark-ui", conf_i64(b->conf, "spark.ui.port", 4040));
	if (b->version >= 401)
		put_port(b, "spark-connect", conf_i64(b->conf, "spark.connect.grpc.binding.port", 15002));
	if (b->version >= 403)
		json_set_bool(json_ensure_object(b->container, "securityContext"), "allowPrivilegeEscalation", false);
	return 0;
}

static int mib_of(const struct build *b, const char *key, const char *dflt, int64_t *ret, struct err *err)
{
	const char *text = conf_get(b->conf, key, dflt);

	if (!memory_mib(text, ret))
		return err_set(err, ERR_INVALID, "%s: Invalid value: \"%s\": expected a size such as 512m or 2g", key,
			       text);
	return 0;
}

static double factor_of(const struct build *b, const char *key, double dflt)
{
	double value = dflt;

	text_double(conf_get(b->conf, key, NULL), &value);
	return value;
}

static int memory_total(struct build *b, int64_t *ret_mib, struct err *err)
{
	double dflt = factor_of(b, "spark.kubernetes.memoryOverheadFactor", b->program == PROGRAM_JAVA ? 0.1 : 0.4);
	double factor = dflt;
	int64_t memory, overhead, minimum = MIN_OVERHEAD_MIB;
	auto_free char *text = memory_double_text(dflt);
	int rc;

	json_set_str(b->conf, "spark.kubernetes.memoryOverheadFactor", text);
	if (b->version >= 303)
		factor = factor_of(b, "spark.driver.memoryOverheadFactor", dflt);
	rc = mib_of(b, "spark.driver.memory", "1g", &memory, err);
	if (!rc && b->version >= 400)
		rc = mib_of(b, "spark.driver.minMemoryOverhead", "384m", &minimum, err);
	if (rc)
		return rc;
	overhead = memory_overhead_mib(memory, factor, minimum);
	if (conf_get(b->conf, "spark.driver.memoryOverhead", NULL))
		rc = mib_of(b, "spark.driver.memoryOverhead", NULL, &overhead, err);
	if (rc)
		return rc;
	if (__builtin_add_overflow(memory, overhead, ret_mib))
		return err_set(err, ERR_INVALID, "spark.driver.memory: Invalid value: too large with its overhead");
	return 0;
}

/* spark.driver.resource.NAME.amount with its vendor: a limit VENDOR/NAME. */
static int put_devices(struct build *b, struct json *limits, struct err *err)
{
	static const char prefix[] = "spark.driver.resource.";

	json_each (entry, b->conf) {
		const char *name = conf_suffix(entry, prefix);
		size_t len = name && text_ends(name, ".amount") ? strlen(name) - strlen(".amount") : 0;
		auto_free char *vendor_key = xasprintf("%s%.*s.vendor", prefix, (int)len, len ? name : "");
		const char *vendor = conf_get(b->conf, vendor_key, NULL);
		auto_free char *limit = xasprintf("%s/%.*s", vendor ? vendor : "", (int)len, len ? name : "");

		if (!len)
			continue;
		if (!vendor)
			return err_set(err, ERR_INVALID,
				       "%s: Required value: resource was requested, but vendor was not specified",
				       vendor_key);
		json_set_str(limits, limit, json_text(entry, ""));
	}
	return 0;
}

int driver_resources(struct build *b, struct err *err)
{
	struct json *resources = json_ensure_object(b->container, "resources");
	struct json *requests = json_ensure_object(resources, "requests");
	struct json *limits = json_ensure_object(resources, "limits");
	const char *cores = conf_get(b->conf, "spark.driver.cores", "1");
	int64_t mib;
	int rc;

	rc = memory_total(b, &mib, err);
	if (rc)
		return rc;
	json_set_str(requests, "cpu", conf_get(b->conf, "spark.kubernetes.driver.request.cores", cores));
	json_setf(requests, "memory", "%lldMi", (long long)mib);
	json_set_str(limits, "cpu", conf_get(b->conf, "spark.kubernetes.driver.limit.cores", NULL));
	json_setf(limits, "memory", "%lldMi", (long long)mib);
	return put_devices(b, limits, err);
}

int driver_env(struct build *b, struct err *err)
{
	const char *proxy = json_str(b->spec, "proxyUser", NULL);
	struct json *ip;

	(void)err;
	build_env(b, "SPARK_USER", text_empty(proxy) ? "spark" : proxy);
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

int driver_account(struct build *b, struct err *err)
{
	const char *account = conf_get(b->conf, "spark.kubernetes.authenticate.driver.serviceAccountName", NULL);
	struct json *spec = json_ensure_object(b->pod, "spec");

	(void)err;
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
	const struct pod_ctx ctx = { .spec = b->spec, .role = "driver", .container = DRIVER_CONTAINER };

	return pod_rows_apply(&ctx, b->pod, err);
}
