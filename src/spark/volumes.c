/*
 * Volumes, mounts and references of the driver that Spark's configuration asks for, in the order of Spark's steps:
 * MountSecretsFeatureStep, EnvSecretsFeatureStep, MountVolumesFeatureStep, HadoopConfDriverFeatureStep,
 * LocalDirsFeatureStep and, last, the configuration itself (KubernetesClientUtils.buildConfigMap's volume).
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "build.h"
#include "pod_rows.h"

#define VOLUMES_PREFIX "spark.kubernetes.driver.volumes."
#define HADOOP_DIR     "/opt/hadoop/conf"

int volumes_secrets(struct build *b, struct err *err)
{
	(void)err;
	json_each (entry, b->conf) {
		const char *secret = conf_suffix(entry, "spark.kubernetes.driver.secrets.");
		auto_free char *name = xasprintf("%s-volume", secret ? secret : "");

		if (!secret)
			continue;
		json_set_str(json_ensure_object(build_volume(b, name), "secret"), "secretName", secret);
		build_mount(b, name, json_text(entry, ""));
	}
	return 0;
}

int volumes_secret_env(struct build *b, struct err *err)
{
	json_each (entry, b->conf) {
		const char *name = conf_suffix(entry, "spark.kubernetes.driver.secretKeyRef.");
		const char *text = json_text(entry, ""), *colon = strchr(text, ':');
		auto_free char *secret = xstrndup(text, colon ? (size_t)(colon - text) : 0);
		struct json *ref;

		if (!name)
			continue;
		if (!colon || strchr(colon + 1, ':'))
			return err_set(err, ERR_INVALID, "%s: Invalid value: \"%s\": expected NAME:KEY",
				       json_name(entry), text);
		ref = build_env_from(b, name, "secretKeyRef");
		json_set_str(ref, "name", secret);
		json_set_str(ref, "key", colon + 1);
	}
	return 0;
}

enum option_flags { OPTION_REQUIRED = 1, OPTION_ALWAYS = 2 };

/* Which options of a volume type go into the pod; OPTION_ALWAYS: the empty string where there is none. */
struct volume_type {
	const char *name;
	struct {
		const char *name;
		unsigned flags;
		int since;
	} options[3];
};

static const struct volume_type types[] = {
	{ "hostPath", { { "path", OPTION_REQUIRED, 0 }, { "type", OPTION_ALWAYS, 400 } } },
	{ "emptyDir", { { "medium", OPTION_ALWAYS, 0 }, { "sizeLimit", 0, 0 } } },
	{ "nfs", { { "path", OPTION_REQUIRED, 0 }, { "server", OPTION_REQUIRED, 0 } } },
	{ "persistentVolumeClaim", { { "claimName", OPTION_REQUIRED, 0 } } },
};

/* One volume of the configuration: "spark.kubernetes.driver.volumes.TYPE.NAME." */
struct conf_volume {
	const struct volume_type *type;
	char *prefix;
	char *name;
};

static void conf_volume_done(struct conf_volume *v)
{
	free(v->prefix);
	free(v->name);
}

static const char *option(const struct build *b, const struct conf_volume *v, const char *group, const char *name)
{
	auto_free char *key = xasprintf("%s%s.%s", v->prefix, group, name);

	return conf_get(b->conf, key, NULL);
}

/* Before 4.0 Spark sends hostPath.type as the empty string, whatever was asked for. */
static const char *value_of(const struct build *b, const struct conf_volume *v, size_t i)
{
	const char *value = option(b, v, "options", v->type->options[i].name);

	if (v->type->options[i].since > b->version)
		value = NULL;
	return !value && v->type->options[i].flags & OPTION_ALWAYS ? "" : value;
}

static int put_source(struct build *b, const struct conf_volume *v, struct err *err)
{
	struct json *source;
	bool read_only = text_eq(option(b, v, "mount", "readOnly"), "true");

	if (option(b, v, "options", "storageClass") && option(b, v, "options", "sizeLimit") &&
	    text_eq(v->type->name, "persistentVolumeClaim"))
		return err_set(err, ERR_INVALID,
			       "%soptions.storageClass: Forbidden: claims for a driver are not made on demand",
			       v->prefix);
	source = json_ensure_object(build_volume(b, v->name), v->type->name);
	for (size_t i = 0; i < array_len(v->type->options) && v->type->options[i].name; i++) {
		const char *value = value_of(b, v, i);

		if (!value && v->type->options[i].flags & OPTION_REQUIRED)
			return err_set(err, ERR_INVALID, "%soptions.%s: Required value", v->prefix,
				       v->type->options[i].name);
		json_set_str(source, v->type->options[i].name, value);
	}
	if (text_eq(v->type->name, "persistentVolumeClaim"))
		json_set_bool(source, "readOnly", read_only);
	return 0;
}

static int put_mount(struct build *b, const struct conf_volume *v, struct err *err)
{
	const char *path = option(b, v, "mount", "path"), *sub = option(b, v, "mount", "subPath");
	const char *expr = option(b, v, "mount", "subPathExpr");
	struct json *mount;

	if (!path)
		return err_set(err, ERR_INVALID, "%smount.path: Required value", v->prefix);
	if (json_find(json_get(b->container, "volumeMounts"), "mountPath", path))
		return err_set(err, ERR_INVALID, "%smount.path: Duplicate value: \"%s\"", v->prefix, path);
	mount = build_mount(b, v->name, path);
	json_set_bool(mount, "readOnly", text_eq(option(b, v, "mount", "readOnly"), "true"));
	json_set_str(mount, "subPath", sub ? sub : "");
	if (b->version >= 400)
		json_set_str(mount, "subPathExpr", expr ? expr : "");
	return 0;
}

/* key: what follows VOLUMES_PREFIX, "TYPE.NAME.mount.path" and the like. */
static int parse_volume(const char *key, struct conf_volume *v, struct err *err)
{
	size_t type_len = strcspn(key, "."), name_len = key[type_len] ? strcspn(key + type_len + 1, ".") : 0;

	for (size_t i = 0; i < array_len(types); i++)
		if (strlen(types[i].name) == type_len && strncmp(types[i].name, key, type_len) == 0)
			v->type = &types[i];
	if (!v->type || !name_len)
		return err_set(err, ERR_INVALID,
			       VOLUMES_PREFIX
			       "%s: Invalid value: volume types are hostPath, emptyDir, nfs, persistentVolumeClaim",
			       key);
	v->name = xstrndup(key + type_len + 1, name_len);
	v->prefix = xasprintf(VOLUMES_PREFIX "%s.%s.", v->type->name, v->name);
	return 0;
}

int volumes_conf(struct build *b, struct err *err)
{
	auto_strv seen = { 0 };

	json_each (entry, b->conf) {
		__attribute__((cleanup(conf_volume_done))) struct conf_volume v = { 0 };
		const char *key = conf_suffix(entry, VOLUMES_PREFIX);
		int rc;

		if (!key)
			continue;
		rc = parse_volume(key, &v, err);
		if (!rc && strv_has(&seen, v.prefix))
			continue;
		if (!rc)
			rc = put_source(b, &v, err);
		if (!rc)
			rc = put_mount(b, &v, err);
		if (rc)
			return rc;
		strv_add(&seen, v.prefix);
	}
	return 0;
}

int volumes_hadoop(struct build *b, struct err *err)
{
	const char *map = conf_get(b->conf, "spark.kubernetes.hadoop.configMapName", NULL);

	(void)err;
	if (!map)
		return 0;
	json_set_str(json_ensure_object(build_volume(b, "hadoop-properties"), "configMap"), "name", map);
	build_mount(b, "hadoop-properties", HADOOP_DIR);
	build_env(b, "HADOOP_CONF_DIR", HADOOP_DIR);
	if (b->version >= 305)
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

int volumes_local_dirs(struct build *b, struct err *err)
{
	auto_strv paths = { 0 };
	auto_free char *joined = NULL;

	(void)err;
	json_each (mount, json_get(b->container, "volumeMounts"))
		if (text_starts(json_str(mount, "name", NULL), LOCAL_DIR_PREFIX))
			strv_add(&paths, json_str(mount, "mountPath", ""));
	if (paths.len == 0) {
		strv_split(&paths, conf_get(b->conf, "spark.local.dir", b->names.local_dir), ',');
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
