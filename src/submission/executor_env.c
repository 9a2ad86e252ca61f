/*
 * The environment of an executor. It tells the executor about its driver and its JVM (BasicExecutorFeatureStep).
 *
 * Happy path: each option of the JVM becomes a variable of its own. First come the options that SparkContext adds
 * (JavaModuleOptions). Then come the user's options, split as a shell would split them (Utils.splitCommandString). Last
 * come the properties that an executor needs before it can ask its driver (SparkConf.isExecutorStartupConf). Spark
 * numbers these in the order of a hash table; here they are numbered in the order of the configuration. Fails with
 * ERR_INVALID if the executor's memory cannot be read.
 */
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "build.h"
#include "spark/conf.h"
#include "spark/version.h"
#include "spark/pod.h"

#define ADD_OPENS(package) "--add-opens=java.base/" package "=ALL-UNNAMED"
/* Stands for the secret that the driver makes at random. */
#define NO_SECRET "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"

enum { OPTIONS_MAX = 1 << 20 };

/* org.apache.spark.launcher.JavaModuleOptions by version. */
static const struct module_option {
	const char *text;
	int since, until; /* until is the first without it; 0: none */
} module_options[] = {
	{ "-XX:+IgnoreUnrecognizedVMOptions", 0, 0 },
	{ "--add-modules=jdk.incubator.vector", SPARK_4_0, 0 },
	{ ADD_OPENS("java.lang"), 0, 0 },
	{ ADD_OPENS("java.lang.invoke"), 0, 0 },
	{ ADD_OPENS("java.lang.reflect"), 0, 0 },
	{ ADD_OPENS("java.io"), 0, 0 },
	{ ADD_OPENS("java.net"), 0, 0 },
	{ ADD_OPENS("java.nio"), 0, 0 },
	{ ADD_OPENS("java.util"), 0, 0 },
	{ ADD_OPENS("java.util.concurrent"), 0, 0 },
	{ ADD_OPENS("java.util.concurrent.atomic"), 0, 0 },
	{ ADD_OPENS("jdk.internal.ref"), 0, 0 },
	{ ADD_OPENS("sun.nio.ch"), 0, 0 },
	{ ADD_OPENS("sun.nio.cs"), 0, 0 },
	{ ADD_OPENS("sun.security.action"), 0, 0 },
	{ ADD_OPENS("sun.util.calendar"), 0, 0 },
	{ "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED", 0, 0 },
	{ "-Djdk.reflect.useDirectMethodHandle=false", 0, SPARK_4_2 },
	{ "-Dio.netty.tryReflectionSetAccessible=true", SPARK_4_0, 0 },
	{ "-Dio.netty.allocator.type=pooled", SPARK_4_1, 0 },
	{ "-Dio.netty.handler.ssl.defaultEndpointVerificationAlgorithm=NONE", SPARK_4_1, 0 },
	{ "--sun-misc-unsafe-memory-access=allow", SPARK_4_2, 0 },
	{ "--enable-native-access=ALL-UNNAMED", SPARK_4_1, 0 },
};

const char *executor_env_of_driver(const struct build *b, const char *name, const char *dflt)
{
	const struct json *pod = json_find(b->objects, "kind", "Pod");
	const struct json *container = pod_spark_container(pod, POD_ROLE_DRIVER);

	json_each (env, json_get(container, "env"))
		if (text_eq(json_str(env, "name", NULL), name))
			dflt = json_str(env, "value", dflt);
	return dflt;
}

/* Utils.splitCommandString. */
static void split_command(struct strv *out, const char *text)
{
	bool in_word = false;
	char quote = 0;
	auto_buf word;

	buf_init(&word, OPTIONS_MAX);
	for (; *text; text++) {
		if (quote && *text == quote) {
			quote = 0;
		} else if (quote == '"' && *text == '\\' && text[1]) {
			buf_putc(&word, *++text);
		} else if (quote) {
			buf_putc(&word, *text);
		} else if (*text == '"' || *text == '\'') {
			quote = *text;
			in_word = true;
		} else if (!strchr(" \t\r\n", *text)) {
			buf_putc(&word, *text);
			in_word = true;
		} else if (in_word) {
			strv_add(out, buf_str(&word));
			buf_clear(&word);
			in_word = false;
		}
	}
	if (in_word)
		strv_add(out, buf_str(&word));
}

static void add_split(const struct build *b, struct strv *out, const char *text, const char *executor_id)
{
	auto_free char *replaced = conf_substitute(text, b->names.app_id, executor_id);

	split_command(out, replaced);
}

static void add_module_options(const struct build *b, struct strv *out)
{
	for (size_t i = 0; i < array_len(module_options); i++) {
		const struct module_option *o = &module_options[i];

		if (b->version >= o->since && (!o->until || b->version < o->until))
			strv_add(out, o->text);
	}
}

/* SparkContext.supplementJava…Options write their result back to the property. Up to Spark 4.0 each of them adds the
 * default options once more. */
static void add_java_options(const struct build *b, struct strv *out, const char *executor_id)
{
	const char *defaults = conf_get(b->conf, "spark.executor.defaultJavaOptions", "");
	bool repeated = b->version < SPARK_4_1;

	add_split(b, out, defaults, executor_id);
	if (b->version >= SPARK_3_4)
		strv_add(out, "-Djava.net.preferIPv6Addresses=false");
	if (repeated && b->version >= SPARK_3_4)
		add_split(b, out, defaults, executor_id);
	if (b->version >= SPARK_3_3)
		add_module_options(b, out);
	if (repeated && b->version >= SPARK_3_3)
		add_split(b, out, defaults, executor_id);
	add_split(b, out, conf_get(b->conf, "spark.executor.extraJavaOptions", ""), executor_id);
}

/* The property is one that an executor needs at its start (SparkConf.isExecutorStartupConf). Since Spark 4.0 those of
 * TLS are among them, except for passwords. */
static bool is_startup(const struct build *b, const char *key)
{
	if (text_starts(key, "spark.auth"))
		return !text_eq(key, "spark.authenticate.secret");
	if (text_starts(key, "spark.ssl") && b->version >= SPARK_4_0 && !strstr(key, "Password"))
		return true;
	return text_starts(key, "spark.rpc") || text_starts(key, "spark.network") || text_starts(key, "spark.port.") ||
	       (text_starts(key, "spark.") && text_ends(key, ".port"));
}

static void put_options(struct build *b, const char *executor_id)
{
	auto_strv options = { 0 };

	add_java_options(b, &options, executor_id);
	json_each (entry, b->conf)
		if (is_startup(b, json_name(entry)))
			strv_addf(&options, "-D%s=%s", json_name(entry), json_text(entry, ""));
	for (size_t i = 0; i < options.len; i++) {
		auto_free char *name = xasprintf("SPARK_JAVA_OPT_%zu", i);

		build_env(b, name, options.items[i]);
	}
}

/* KubernetesUtils.buildEnvVars drops variables with any other name. */
static bool is_env_name(const char *name)
{
	static const char letters[] = "-._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	return *name && !(*name >= '0' && *name <= '9') && !name[strspn(name, letters)];
}

static void put_user_env(struct build *b, const char *executor_id)
{
	json_each (entry, b->conf) {
		const char *name = conf_suffix(entry, "spark.executorEnv.");
		auto_free char *app = NULL, *value = NULL;

		if (!name || !is_env_name(name))
			continue;
		if (text_eq(name, "SPARK_EXECUTOR_DIRS")) {
			app = build_replaced(json_text(entry, ""), "SPARK_APPLICATION_ID", b->names.app_id);
			value = build_replaced(app, "SPARK_EXECUTOR_ID", executor_id);
		}
		build_env(b, name, value ? value : json_text(entry, ""));
	}
}

static void put_optional(struct build *b, const char *name, const char *value)
{
	if (value)
		build_env(b, name, value);
}

static void put_field(struct build *b, const char *name, const char *path)
{
	struct json *field = build_env_from(b, name, "fieldRef");

	json_set_str(field, "apiVersion", "v1");
	json_set_str(field, "fieldPath", path);
}

/* In recovery mode executors run one task at a time. */
static const char *cores(const struct build *b)
{
	if (b->version >= SPARK_4_2 && conf_true(b->conf, "spark.kubernetes.allocation.recoveryMode.enabled"))
		return conf_get(b->conf, "spark.task.cpus", "1");
	return conf_get(b->conf, "spark.executor.cores", "1");
}

static void put_identity(struct build *b, const char *executor_id, int64_t heap_mib)
{
	auto_free char *url =
	    xasprintf("spark://CoarseGrainedScheduler@%s:%lld", conf_get(b->conf, "spark.driver.host", ""),
		      (long long)conf_i64(b->conf, "spark.driver.port", 7078));
	auto_free char *memory = xasprintf("%lldm", (long long)heap_mib);

	build_env(b, "SPARK_USER", executor_env_of_driver(b, "SPARK_USER", "spark"));
	build_env(b, "SPARK_DRIVER_URL", url);
	build_env(b, "SPARK_EXECUTOR_CORES", cores(b));
	build_env(b, "SPARK_EXECUTOR_MEMORY", memory);
	build_env(b, "SPARK_APPLICATION_ID", b->names.app_id);
	build_env(b, "SPARK_CONF_DIR", CONF_DIR);
	build_env(b, "SPARK_EXECUTOR_ID", executor_id);
	build_env(b, "SPARK_RESOURCE_PROFILE_ID", "0");
	if (b->version >= SPARK_4_0 && conf_get(b->conf, "spark.ui.custom.executor.log.url", NULL)) {
		build_env(b, "SPARK_EXECUTOR_ATTRIBUTE_APP_ID", b->names.app_id);
		build_env(b, "SPARK_EXECUTOR_ATTRIBUTE_EXECUTOR_ID", executor_id);
	}
}

static void put_secret(struct build *b)
{
	const char *file = conf_get(b->conf, "spark.authenticate.secret.file", NULL);

	if (conf_true(b->conf, "spark.authenticate") &&
	    !conf_get(b->conf, "spark.authenticate.secret.executor.file", file))
		build_env(b, "_SPARK_AUTH_SECRET", NO_SECRET);
}

int executor_env(struct build *b, const char *executor_id, struct err *err)
{
	int64_t heap_mib;
	int rc;

	rc = build_mib(b, "spark.executor.memory", "1g", &heap_mib, err);
	if (rc)
		return rc;
	put_identity(b, executor_id, heap_mib);
	put_user_env(b, executor_id);
	put_secret(b);
	put_optional(b, "SPARK_CLASSPATH", conf_get(b->conf, "spark.executor.extraClassPath", NULL));
	if (b->version >= SPARK_4_2)
		put_optional(b, "SPARK_EXECUTOR_LIBRARY_PATH",
			     conf_get(b->conf, "spark.executor.extraLibraryPath", NULL));
	put_options(b, executor_id);
	put_field(b, "SPARK_EXECUTOR_POD_IP", "status.podIP");
	if (b->version >= SPARK_3_3)
		put_field(b, "SPARK_EXECUTOR_POD_NAME", "metadata.name");
	return 0;
}
