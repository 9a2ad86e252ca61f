/*
 * Volumes that Spark's configuration asks for by properties spark.kubernetes.ROLE.volumes.TYPE.NAME.*
 * (MountVolumesFeatureStep, KubernetesVolumeUtils).
 *
 * Happy path: the pod gets each volume once, with its mount. For the driver, a claim that is made on demand joins the
 * objects. Fails with ERR_INVALID and the name of the property if an option is wrong or missing.
 */
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "build.h"
#include "rules/check.h"
#include "rules/validate.h"
#include "spark/conf.h"
#include "spark/version.h"

#define ON_DEMAND "OnDemand"

enum option_flags { OPTION_REQUIRED = 1, OPTION_ALWAYS = 2 };

/* The options of a volume type that go into the pod. With OPTION_ALWAYS an absent option is the empty string. */
struct volume_type {
	const char *name;
	struct {
		const char *name;
		unsigned flags;
		int since;
	} options[3];
};

static const struct volume_type types[] = {
	{ "hostPath", { { "path", OPTION_REQUIRED, 0 }, { "type", OPTION_ALWAYS, SPARK_4_0 } } },
	{ "emptyDir", { { "medium", OPTION_ALWAYS, 0 }, { "sizeLimit", 0, 0 } } },
	{ "nfs", { { "path", OPTION_REQUIRED, 0 }, { "server", OPTION_REQUIRED, 0 } } },
	{ "persistentVolumeClaim", { { "claimName", OPTION_REQUIRED, 0 } } },
};

/* One volume of the configuration: "spark.kubernetes.driver.volumes.TYPE.NAME." */
struct conf_volume {
	const struct volume_type *type;
	char *prefix;
	char *name;
	size_t number; /* among the volumes of the role, from 0 */
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

static bool is_claim(const struct conf_volume *v)
{
	return text_eq(v->type->name, "persistentVolumeClaim");
}

static bool is_read_only(const struct build *b, const struct conf_volume *v)
{
	const char *text = option(b, v, "mount", "readOnly");

	return text && strcasecmp(text, "true") == 0;
}

/* The claim's name, with OnDemand and the executor's id replaced in pattern. Owned. */
static char *claim_name(const struct build *b, const struct conf_volume *v, const char *pattern)
{
	bool driver = b->role == &role_driver;
	auto_free char *owner =
	    driver ? xasprintf("%s-driver", b->names.prefix) : xstrdup(json_str(b->pod, "metadata.name", ""));
	auto_free char *made = xasprintf("%s-pvc-%zu", owner, v->number);
	auto_free char *name = build_replaced(pattern, ON_DEMAND, made);

	if (driver)
		return take_ptr(name);
	return build_replaced(name, "SPARK_EXECUTOR_ID",
			      json_text(json_get(json_at(b->pod, "metadata.labels"), LABEL_EXEC_ID), ""));
}

static void put_claim_members(struct build *b, const struct conf_volume *v, struct json *metadata, const char *member,
			      const char *group)
{
	if (b->version < SPARK_4_0)
		return;

	auto_free char *prefix = xasprintf("%s%s", v->prefix, group);

	json_each (entry, b->conf) {
		const char *key = conf_suffix(entry, prefix);

		if (key)
			json_set_str(json_ensure_object(metadata, member), key, json_text(entry, ""));
	}
}

static bool claim_is_shared(const struct build *b)
{
	const char *legacy = conf_get(b->conf, "spark.kubernetes.legacy.useReadWriteOnceAccessMode", NULL);

	return legacy ? conf_is_true(legacy) : b->version < SPARK_4_0;
}

static void put_claim(struct build *b, const struct conf_volume *v, const char *name)
{
	const char *storage_class = option(b, v, "options", "storageClass");
	const char *size = option(b, v, "options", "sizeLimit");

	if (!storage_class || !size)
		return;

	struct json *claim = build_object(b, &resource_persistentvolumeclaim, name);
	struct json *metadata = json_get(claim, "metadata"), *spec;

	put_claim_members(b, v, metadata, "labels", "label.");
	put_claim_members(b, v, metadata, "annotations", "annotation.");
	if (b->version >= SPARK_3_2)
		json_set_str(json_get(metadata, "labels"), LABEL_APP_SELECTOR, b->names.app_id);
	spec = json_ensure_object(claim, "spec");
	json_append_str(json_ensure_array(spec, "accessModes"),
			claim_is_shared(b) ? "ReadWriteOnce" : "ReadWriteOncePod");
	json_set_str(json_ensure_object(json_ensure_object(spec, "resources"), "requests"), "storage", size);
	json_set_str(spec, "storageClassName", storage_class);
}

static void put_claim_source(struct build *b, const struct conf_volume *v, struct json *source)
{
	auto_free char *name = claim_name(b, v, json_str(source, "claimName", ""));

	json_set_bool(source, "readOnly", is_read_only(b, v));
	json_set_str(source, "claimName", name);
	if (b->role == &role_driver)
		put_claim(b, v, name);
}

static int put_source(struct build *b, const struct conf_volume *v, struct err *err)
{
	struct json *source = json_ensure_object(build_volume(b, v->name), v->type->name);

	for (size_t i = 0; i < array_len(v->type->options) && v->type->options[i].name; i++) {
		const char *value = value_of(b, v, i);

		if (!value && v->type->options[i].flags & OPTION_REQUIRED)
			return err_set(err, ERR_INVALID, "%soptions.%s: Required value", v->prefix,
				       v->type->options[i].name);
		json_set_str(source, v->type->options[i].name, value);
	}
	if (is_claim(v))
		put_claim_source(b, v, source);
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
	json_set_bool(mount, "readOnly", is_read_only(b, v));
	json_set_str(mount, "subPath", sub ? sub : "");
	if (b->version >= SPARK_4_0)
		json_set_str(mount, "subPathExpr", expr ? expr : "");
	return 0;
}

static bool is_small(const char *size)
{
	int64_t bytes;

	return size[strspn(size, "0123456789")] == '\0' && text_i64(size, &bytes) && bytes < 1024;
}

static int check_size(const struct build *b, const struct conf_volume *v, struct err *err)
{
	const char *size = option(b, v, "options", "sizeLimit");
	bool used = is_claim(v) || text_eq(v->type->name, "emptyDir");
	const char *why = size && used ? check_quantity(size) : NULL;

	if (!why && used && size && b->version >= SPARK_4_0 && is_small(size))
		why = "is smaller than 1KiB; is the unit missing?";
	return why ? err_set(err, ERR_INVALID, "%soptions.sizeLimit: Invalid value: \"%s\": %s", v->prefix, size, why)
		   : 0;
}

/* Checks the labels and annotations of a claim that is made on demand. */
static int check_claim_members(const struct build *b, const struct conf_volume *v, struct err *err)
{
	auto_free char *label = xasprintf("%slabel.", v->prefix), *annotation = xasprintf("%sannotation.", v->prefix);

	json_each (entry, b->conf) {
		const char *key = conf_suffix(entry, label), *name = key ? key : conf_suffix(entry, annotation);
		const char *why = !name ? NULL : key ? check_label_key(name) : check_annotation_key(name);

		if (!why && key)
			why = check_label_value(json_text(entry, ""));
		if (!why && key && validate_is_reserved(key))
			why = "reserved for the bookkeeping of Spark and the operator";
		if (why)
			return err_set(err, ERR_INVALID, "%s: Invalid value: \"%s\": %s", json_name(entry),
				       json_text(entry, ""), why);
	}
	return 0;
}

static int check_options(const struct build *b, const struct conf_volume *v, struct err *err)
{
	const char *why = check_label_name(v->name), *read_only = option(b, v, "mount", "readOnly");
	int rc = 0;

	if (why)
		return err_set(err, ERR_INVALID, "%s: Invalid value: \"%s\": %s", v->prefix, v->name, why);
	why = read_only ? check_bool_exact(read_only) : NULL;
	if (why)
		return err_set(err, ERR_INVALID, "%smount.readOnly: Invalid value: \"%s\": %s", v->prefix, read_only,
			       why);
	if (b->version >= SPARK_4_0 && option(b, v, "mount", "subPath") && option(b, v, "mount", "subPathExpr"))
		return err_set(err, ERR_INVALID, "%smount.subPathExpr: Forbidden: excludes mount.subPath", v->prefix);
	if (is_claim(v) && b->version >= SPARK_4_0)
		rc = check_claim_members(b, v, err);
	return rc ? rc : check_size(b, v, err);
}

/* key: the part of the property's name behind "volumes.", such as "TYPE.NAME.mount.path". */
static int parse_volume(const struct build *b, const char *key, struct conf_volume *v, struct err *err)
{
	size_t type_len = strcspn(key, "."), name_len = key[type_len] ? strcspn(key + type_len + 1, ".") : 0;

	for (size_t i = 0; i < array_len(types); i++)
		if (strlen(types[i].name) == type_len && strncmp(types[i].name, key, type_len) == 0)
			v->type = &types[i];
	if (!v->type || !name_len)
		return err_set(err, ERR_INVALID,
			       "%svolumes.%s: Invalid value: volume types are hostPath, emptyDir, nfs, "
			       "persistentVolumeClaim",
			       b->role->conf, key);
	v->name = xstrndup(key + type_len + 1, name_len);
	v->prefix = xasprintf("%svolumes.%s.%s.", b->role->conf, v->type->name, v->name);
	return 0;
}

int volumes_conf(struct build *b, struct err *err)
{
	auto_strv seen = { 0 };

	json_each (entry, b->conf) {
		__attribute__((cleanup(conf_volume_done))) struct conf_volume v = { 0 };
		const char *key = build_role_suffix(b, entry, "volumes.");
		int rc;

		if (!key)
			continue;
		rc = parse_volume(b, key, &v, err);
		if (!rc && strv_has(&seen, v.prefix))
			continue;
		v.number = seen.len;
		if (!rc)
			rc = check_options(b, &v, err);
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
