/*
 * The executor pod that the driver would make from its configuration and from the template in its ConfigMap. It is for
 * reading and comparing. The operator never creates it.
 *
 * Happy path: the steps do what ExecutorPodsAllocator, KubernetesExecutorBuilder and BasicExecutorFeatureStep do for
 * executor 1 of the default resource profile, in Spark's order. Names that the driver makes at random are derived from
 * the submission. Facts that only a cluster knows (the driver pod's uid and address) are made up. Fails where the
 * driver would: a size cannot be read, a device has no vendor, a volume is wrong.
 */
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "build.h"
#include "spark/conf.h"
#include "spark/version.h"
#include "spark/names.h"
#include "submission/pod_rows.h"

#define EXECUTOR_ID  "1"
#define CONF_VOLUME  "spark-conf-volume-exec"
#define UNKNOWN_UID  "00000000-0000-0000-0000-000000000000"
#define STEP_PACKAGE "org.apache.spark.deploy.k8s.features."

enum { HOSTNAME_MAX = 63, GRACE_DEFAULT_S = 30, BLOCK_MANAGER_PORT = 7079 };

/* Stands for an id that the driver makes at random, with the length of KubernetesUtils.uniqueID. Owned. */
static char *chance(const struct build *b, const char *purpose)
{
	auto_free char *text = xasprintf("%s/%s", b->names.submission_id, purpose);

	return xasprintf("%016llx", (unsigned long long)text_hash(0, text));
}

static char *pod_name(const struct build *b)
{
	const char *given = conf_get(b->conf, "spark.kubernetes.executor.podNamePrefix", NULL);
	auto_free char *id = chance(b, "executors");
	auto_free char *prefix = NULL;

	prefix = given ? xstrdup(given) : names_prefix(conf_get(b->conf, "spark.app.name", ""), id);
	return xasprintf("%s-exec-" EXECUTOR_ID, prefix);
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The end of the pod's name, which is its unique part. It is at most as long as a DNS label. Characters that a host's
 * name may not have are replaced. Owned. */
static char *hostname(const char *name)
{
	size_t len = strlen(name);
	auto_buf out;

	buf_init(&out, HOSTNAME_MAX);
	name += len > HOSTNAME_MAX ? len - HOSTNAME_MAX : 0;
	while (*name && !is_word(*name))
		name++;
	for (; *name; name++) {
		bool fine = is_word(*name) || *name == '-';

		if (fine)
			buf_putc(&out, *name);
		else if (out.len == 0 || is_word(name[-1]) || name[-1] == '-')
			buf_putc(&out, '_');
	}
	return buf_take(&out);
}

static void put_labels(struct build *b, struct json *metadata)
{
	struct json *labels = json_ensure_object(metadata, "labels");
	auto_free char *app = names_app_label(conf_get(b->conf, "spark.app.name", ""));

	build_named(b, labels, "label.", SPARK_4_0, EXECUTOR_ID);
	if (b->version >= SPARK_3_3) {
		json_set_str(labels, "spark-version", b->version_text);
		json_set_str(labels, "spark-app-name", app);
	}
	json_set_str(labels, LABEL_EXEC_ID, EXECUTOR_ID);
	json_set_str(labels, LABEL_APP_SELECTOR, b->names.app_id);
	json_set_str(labels, LABEL_SPARK_ROLE, "executor");
	json_set_str(labels, "spark-exec-resourceprofile-id", "0");
}

static void put_executor_owner(struct build *b, struct json *metadata)
{
	struct json *owner = json_append(json_ensure_array(metadata, "ownerReferences"), json_new_object());

	json_set_str(owner, "apiVersion", "v1");
	json_set_bool(owner, "controller", true);
	json_set_str(owner, "kind", "Pod");
	json_set_str(owner, "name", b->names.driver_pod);
	json_set_str(owner, "uid", UNKNOWN_UID);
}

static int put_metadata(struct build *b, struct err *err)
{
	struct json *metadata = json_get(b->pod, "metadata");
	auto_free char *name = pod_name(b);

	(void)err;
	json_set_str(metadata, "name", name);
	json_set_str(metadata, "namespace", b->ns);
	put_labels(b, metadata);
	build_named(b, json_ensure_object(metadata, "annotations"), "annotation.", SPARK_3_3, EXECUTOR_ID);
	put_executor_owner(b, metadata);
	return 0;
}

/* A StatefulSet restarts its pods, and so does a Deployment, which Spark may use since 4.2. */
static const char *restart_policy(const struct build *b)
{
	const char *allocator = conf_get(b->conf, "spark.kubernetes.allocation.pods.allocator", "direct");

	if (text_eq(allocator, "statefulset") || (text_eq(allocator, "deployment") && b->version >= SPARK_4_2))
		return "Always";
	return "Never";
}

/* Seconds of a duration as JavaUtils.timeStringAs reads it. */
static bool seconds_of(const char *text, int64_t *ret)
{
	static const struct {
		const char *name;
		int64_t numerator, denominator;
	} units[] = { { "", 1, 1 },   { "us", 1, 1000000 }, { "ms", 1, 1000 }, { "s", 1, 1 },
		      { "m", 60, 1 }, { "min", 60, 1 },	    { "h", 3600, 1 },  { "d", 86400, 1 } };
	size_t digits = strspn(text, "0123456789");
	auto_free char *number = xstrndup(text, digits);
	int64_t value;

	for (size_t i = 0; i < array_len(units); i++)
		if (text_eq(text + digits, units[i].name) && text_i64(number, &value))
			return !__builtin_mul_overflow(value / units[i].denominator, units[i].numerator, ret);
	return false;
}

static int put_grace_period(struct build *b, struct json *spec, struct err *err)
{
	static const char key[] = "spark.kubernetes.executor.terminationGracePeriodSeconds";
	const char *text = conf_get(b->conf, key, NULL);
	int64_t seconds = GRACE_DEFAULT_S;

	if (b->version < SPARK_4_1)
		return 0;
	if (text && !seconds_of(text, &seconds))
		return err_set(err, ERR_INVALID, "%s: Invalid value: \"%s\": expected a duration such as 30s", key,
			       text);
	json_set_i64(spec, "terminationGracePeriodSeconds", seconds);
	return 0;
}

/* Executors get the files of the driver's configuration directory as a ConfigMap, which the driver creates. */
static void put_conf_volume(struct build *b)
{
	auto_free char *id = chance(b, "executor-configmap");
	struct json *source;

	if (conf_true(b->conf, "spark.kubernetes.executor.disableConfigMap"))
		return;
	source = json_ensure_object(build_volume(b, CONF_VOLUME), "configMap");
	json_setf(source, "name", "spark-exec-%s-conf-map", id);
	build_mount(b, CONF_VOLUME, CONF_DIR);
}

static int put_pod(struct build *b, struct err *err)
{
	struct json *spec = json_get(b->pod, "spec");
	auto_free char *host = hostname(json_str(b->pod, "metadata.name", ""));

	json_set_str(spec, "hostname", host);
	json_set_str(spec, "restartPolicy", restart_policy(b));
	build_node_selector(b);
	build_pull_secrets(b);
	build_scheduler(b);
	put_conf_volume(b);
	return put_grace_period(b, spec, err);
}

static void put_executor_port(struct build *b)
{
	int64_t number = b->version >= SPARK_3_2 ? conf_i64(b->conf, "spark.blockManager.port", BLOCK_MANAGER_PORT)
						 : conf_i64(b->conf, "spark.blockmanager.port", BLOCK_MANAGER_PORT);
	struct json *port;

	if (number == 0)
		return;
	port = json_append(json_ensure_array(b->container, "ports"), json_new_object());
	json_set_i64(port, "containerPort", number);
	json_set_str(port, "name", "blockmanager");
}

/* Executors may be resized in place. */
static void put_resize_policy(struct build *b)
{
	static const char *const resources[] = { "cpu", "memory" };

	for (size_t i = 0; i < array_len(resources) && b->version >= SPARK_4_2; i++) {
		struct json *policies = json_ensure_array(b->container, "resizePolicy");
		struct json *policy = json_append(policies, json_new_object());

		json_set_str(policy, "resourceName", resources[i]);
		json_set_str(policy, "restartPolicy", "NotRequired");
	}
}

static void put_security(struct build *b)
{
	const char *common = conf_get(b->conf, "spark.kubernetes.securityContext.allowPrivilegeEscalation", "false");
	const char *allowed = build_role_get(b, "securityContext.allowPrivilegeEscalation", common);

	if (b->version >= SPARK_4_3)
		json_set_bool(json_ensure_object(b->container, "securityContext"), "allowPrivilegeEscalation",
			      text_eq(allowed, "true"));
}

static void put_lifecycle(struct build *b)
{
	struct json *lifecycle, *command;

	if (!conf_true(b->conf, "spark.decommission.enabled"))
		return;
	lifecycle = json_set(b->container, "lifecycle", json_new_object());
	command = json_ensure_array(json_ensure_object(json_ensure_object(lifecycle, "preStop"), "exec"), "command");
	json_append_str(command, conf_get(b->conf, "spark.kubernetes.decommission.script", "/opt/decom.sh"));
}

static int put_container(struct build *b, struct err *err)
{
	(void)err;
	build_image(b);
	put_executor_port(b);
	put_resize_policy(b);
	put_security(b);
	put_lifecycle(b);
	json_append_str(json_ensure_array(b->container, "args"), "executor");
	return 0;
}

static int put_resources(struct build *b, struct err *err)
{
	return build_resources(b, build_factor(b, "spark.kubernetes.memoryOverheadFactor", 0.1), err);
}

/* A template's account stays only if the template sets the old field serviceAccount
 * (ExecutorKubernetesCredentialsFeatureStep). */
static int put_executor_account(struct build *b, struct err *err)
{
	const char *driver = conf_get(b->conf, "spark.kubernetes.authenticate.driver.serviceAccountName", NULL);
	const char *account = conf_get(b->conf, "spark.kubernetes.authenticate.executor.serviceAccountName", driver);
	struct json *spec = json_get(b->pod, "spec");

	(void)err;
	if (json_str(spec, "serviceAccount", NULL))
		return 0;
	json_set_str(spec, "serviceAccount", account);
	json_set_str(spec, "serviceAccountName", account);
	return 0;
}

static int put_env(struct build *b, struct err *err)
{
	return executor_env(b, EXECUTOR_ID, err);
}

static const struct step {
	const char *class_name;
	int (*run)(struct build *b, struct err *err);
} steps[] = {
	{ "BasicExecutorFeatureStep", put_metadata },
	{ "BasicExecutorFeatureStep", put_pod },
	{ "BasicExecutorFeatureStep", put_container },
	{ "BasicExecutorFeatureStep", put_resources },
	{ "BasicExecutorFeatureStep", put_env },
	{ "ExecutorKubernetesCredentialsFeatureStep", put_executor_account },
	{ "MountSecretsFeatureStep", volumes_secrets },
	{ "EnvSecretsFeatureStep", volumes_secret_env },
	{ "MountVolumesFeatureStep", volumes_conf },
	{ "HadoopConfExecutorFeatureStep", volumes_hadoop },
	{ "LocalDirsFeatureStep", volumes_local_dirs },
};

static bool is_trimmed(char c)
{
	return c && (unsigned char)c <= ' ' && c != '\r' && c != '\n';
}

/* The driver reads the configuration from its file. There Utils.trimExceptCRLF removes blanks around each value. */
static struct json *reread(const struct json *conf)
{
	struct json *out = json_new_object();

	json_each (entry, conf) {
		const char *text = json_text(entry, "");
		size_t len;

		while (is_trimmed(*text))
			text++;
		len = strlen(text);
		while (len && is_trimmed(text[len - 1]))
			len--;
		json_setf(out, json_name(entry), "%.*s", (int)len, text);
	}
	return out;
}

/* What the operator's webhook adds to the pod that the driver creates. */
static int admit(struct build *b, struct err *err)
{
	const struct pod_ctx ctx = { .app_name = b->app->name,
				     .spec = b->spec,
				     .role = "executor",
				     .container = b->container,
				     .is_admitted = true,
				     .is_built = true };

	return b->options->rules.has_webhook ? pod_rows_apply(&ctx, b->pod, err) : 0;
}

int executor_pod(struct build *b, struct err *err)
{
	struct json *conf = reread(b->conf);
	auto_strv excluded = { 0 };

	json_free(references_resolve(conf)); /* the values as written are not needed again */
	json_free(b->conf);
	b->conf = conf;
	if (b->version >= SPARK_4_1)
		strv_split(&excluded, conf_get(b->conf, "spark.kubernetes.executor.pod.excludedFeatureSteps", ""), ',');
	template_begin(b, &role_executor, b->executor_template);
	for (size_t i = 0; i < array_len(steps); i++) {
		auto_free char *name = xasprintf(STEP_PACKAGE "%s", steps[i].class_name);
		int rc = strv_has(&excluded, name) ? 0 : steps[i].run(b, err);

		if (rc)
			return rc;
	}
	template_end(b, err);
	return admit(b, err);
}
