/*
 * Steps that add volumes, mounts and variables which Spark's configuration asks for, in Spark's order:
 * MountSecretsFeatureStep, EnvSecretsFeatureStep, HadoopConf{Driver,Executor}FeatureStep, LocalDirsFeatureStep. The
 * last step mounts the configuration itself (the volume of KubernetesClientUtils.buildConfigMap). The properties
 * spark.kubernetes.ROLE.volumes.* are in conf_volumes.c. Fails with ERR_INVALID if a secretKeyRef is not NAME:KEY.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "build.h"
#include "submission/pod_rows.h"
#include "spark/conf.h"
#include "spark/version.h"

#define HADOOP_DIR "/opt/hadoop/conf"

int volumes_secrets(struct build *b, struct err *err)
{
	(void)err;
	json_each (entry, b->conf) {
		const char *secret = build_role_suffix(b, entry, "secrets.");

		if (!secret)
			continue;

		auto_free char *name = xasprintf("%s-volume", secret);

		json_set_str(json_ensure_object(build_volume(b, name), "secret"), "secretName", secret);
		build_mount(b, name, json_text(entry, ""));
	}
	return 0;
}

int volumes_secret_env(struct build *b, struct err *err)
{
	json_each (entry, b->conf) {
		const char *name = build_role_suffix(b, entry, "secretKeyRef.");
		const char *text = json_text(entry, ""), *colon = strchr(text, ':');

		if (!name)
			continue;
		if (!colon || strchr(colon + 1, ':'))
			return err_set(err, ERR_INVALID, "%s: Invalid value: \"%s\": expected NAME:KEY",
				       json_name(entry), text);

		auto_free char *secret = xstrndup(text, (size_t)(colon - text));
		struct json *ref = build_env_from(b, name, "secretKeyRef");

		json_set_str(ref, "name", secret);
		json_set_str(ref, "key", colon + 1);
	}
	return 0;
}

int volumes_hadoop(struct build *b, struct err *err)
{
	bool driver = b->role == &role_driver;
	const char *key =
	    driver ? "spark.kubernetes.hadoop.configMapName" : "spark.kubernetes.executor.hadoopConfigMapName";
	const char *map = conf_get(b->conf, key, NULL);

	(void)err;
	if (!map || (!driver && b->version < SPARK_3_5))
		return 0;
	json_set_str(json_ensure_object(build_volume(b, "hadoop-properties"), "configMap"), "name", map);
	build_mount(b, "hadoop-properties", HADOOP_DIR);
	build_env(b, "HADOOP_CONF_DIR", HADOOP_DIR);
	if (driver && b->version >= SPARK_3_5 && text_empty(json_str(b->spec, "hadoopConfigMap", NULL)))
		json_set_str(b->conf, "spark.kubernetes.executor.hadoopConfigMapName", map);
	return 0;
}

static void put_scratch(struct build *b, size_t number, const char *path)
{
	auto_free char *name = xasprintf(LOCAL_DIR_PREFIX "%zu", number);
	struct json *source = json_ensure_object(build_volume(b, name), "emptyDir");

	if (conf_true(b->conf, "spark.kubernetes.local.dirs.tmpfs"))
		json_set_str(source, "medium", "Memory");
	build_mount(b, name, path);
}

/* Executors use the directories of their driver, which the driver reads from its environment. */
static const char *local_dirs(const struct build *b)
{
	const char *dirs = conf_get(b->conf, "spark.local.dir", b->names.local_dir);

	return b->role == &role_executor ? executor_env_of_driver(b, "SPARK_LOCAL_DIRS", dirs) : dirs;
}

int volumes_local_dirs(struct build *b, struct err *err)
{
	auto_strv paths = { 0 };
	auto_free char *joined = NULL;

	(void)err;
	json_each (mount, json_get(b->container, "volumeMounts"))
		if (text_starts(json_str(mount, "name", NULL), LOCAL_DIR_PREFIX))
			strv_add(&paths, json_str(mount, "mountPath", ""));
	if (paths.len == 0) {
		strv_split(&paths, local_dirs(b), ',');
		for (size_t i = 0; i < paths.len; i++)
			put_scratch(b, i + 1, paths.items[i]);
	}
	joined = strv_join(&paths, ",");
	build_env(b, "SPARK_LOCAL_DIRS", joined);
	return 0;
}

int volumes_spark_conf(struct build *b, struct err *err)
{
	struct json *source = json_ensure_object(build_volume(b, "spark-conf-volume-driver"), "configMap");
	struct json *item = json_append(json_ensure_array(source, "items"), json_new_object());

	(void)err;
	json_set_str(source, "name", b->names.configmap);
	json_set_str(item, "key", PROPERTIES_KEY);
	json_set_i64(item, "mode", 0644);
	json_set_str(item, "path", PROPERTIES_KEY);
	build_mount(b, "spark-conf-volume-driver", CONF_DIR);
	build_env(b, "SPARK_CONF_DIR", CONF_DIR);
	return 0;
}
