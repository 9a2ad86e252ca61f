/*
 * Volumes of one name and mounts at one place: the API server refuses such a pod, and for executors the driver would
 * go on asking for it. Spark does not look (MountVolumesFeatureStep compares its own paths only).
 *
 * Everything that brings a volume or a mount into the pod of a role is put into a list, with the field that it is from:
 * Spark's own, the template's, those of fields, those of sparkConf. What comes twice is reported with both fields.
 */
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "rules/validate.h"
#include "spark/conf.h"
#include "spark/exporter.h"
#include "spark/names.h"

#define SPARK	   "Spark itself"
#define MONITORING "spec.monitoring"
#define EXPORTER_CURE                                                                                                  \
	": use another path, or name your files in both monitoring.metricsPropertiesFile and "                         \
	"monitoring.prometheus.configFile, and the operator mounts none"

struct places {
	struct problems *problems;
	const struct json *spec;
	const struct json *role;
	const struct json *conf;
	const struct json *template_container; /* the Spark container of the pod template */
	const char *name;		       /* of the role */
	struct json *volumes;		       /* objects {name, field} */
	struct json *mounts;		       /* objects {name, field}: the name is a path */
	bool scratch;			       /* a mount takes the place of Spark's own scratch space */
};

static const struct {
	const char *role;     /* NULL: both */
	const char *property; /* if this is there; NULL: always */
	const char *unless;   /* this is true; NULL: whatever */
	const char *volume;
	const char *path;
} of_spark[] = {
	{ "driver", NULL, NULL, "pod-template-volume", TEMPLATE_DIR },
	{ "driver", NULL, NULL, "spark-conf-volume-driver", CONF_DIR },
	{ "executor", NULL, "spark.kubernetes.executor.disableConfigMap", "spark-conf-volume-exec", CONF_DIR },
	{ NULL, "spark.kubernetes.hadoop.configMapName", NULL, "hadoop-properties", "/opt/hadoop/conf" },
	{ "driver", "spark.kubernetes.kerberos.krb5.configMapName", NULL, "krb5-file", "/etc/krb5.conf" },
	{ "driver", "spark.kubernetes.kerberos.tokenSecret.name", NULL, "hadoop-secret",
	  "/mnt/secrets/hadoop-credentials" },
};

static void append_place(struct places *p, struct json *list, const char *name, const char *field)
{
	const struct json *other = json_find(list, "name", name);
	const char *by = json_str(other, "field", "");
	struct json *entry;

	if (other) {
		problems_add(p->problems, field, "Duplicate value: \"%s\": the pod has that from %s already%s", name,
			     by, text_eq(by, MONITORING) ? EXPORTER_CURE : "");
		return;
	}
	entry = json_append(list, json_new_object());
	json_set_str(entry, "name", name);
	json_set_str(entry, "field", field);
}

static void put_volume(struct places *p, const char *name, const char *field)
{
	append_place(p, p->volumes, name, field);
}

static void put_mount(struct places *p, const char *volume, const char *path, const char *field)
{
	if (text_starts(volume, LOCAL_DIR_PREFIX))
		p->scratch = true;
	if (*path)
		append_place(p, p->mounts, path, field);
}

static void collect_spark(struct places *p)
{
	for (size_t i = 0; i < array_len(of_spark); i++) {
		if (of_spark[i].role && !text_eq(of_spark[i].role, p->name))
			continue;
		if (of_spark[i].property && !json_get(p->conf, of_spark[i].property))
			continue;
		if (of_spark[i].unless && conf_true(p->conf, of_spark[i].unless))
			continue;
		put_volume(p, of_spark[i].volume, SPARK);
		put_mount(p, of_spark[i].volume, of_spark[i].path, SPARK);
	}
}

static void collect_template(struct places *p)
{
	auto_free char *key = xasprintf("spark.kubernetes.%s.podTemplateContainerName", p->name);
	const char *dflt = text_eq(p->name, "driver") ? DRIVER_CONTAINER : EXECUTOR_CONTAINER;
	const struct json *containers = json_at(p->role, "template.spec.containers");
	size_t i = 0;

	json_each (volume, json_at(p->role, "template.spec.volumes")) {
		auto_free char *field = xasprintf("spec.%s.template.spec.volumes[%zu]", p->name, i++);

		put_volume(p, json_str(volume, "name", ""), field);
	}
	p->template_container = json_find(containers, "name", conf_get(p->conf, key, dflt));
	if (!p->template_container)
		p->template_container = json_first(containers);
	i = 0;
	json_each (mount, json_get(p->template_container, "volumeMounts")) {
		auto_free char *field = xasprintf("spec.%s.template.spec.containers[%s].volumeMounts[%zu]", p->name,
						  json_str(p->template_container, "name", ""), i++);

		put_mount(p, json_str(mount, "name", ""), json_str(mount, "mountPath", ""), field);
	}
}

static bool has_equal(const struct json *array, const struct json *item)
{
	json_each (own, array)
		if (json_equal(own, item))
			return true;
	return false;
}

/* What a template has already in the same words is not added again. */
static void collect_mounts(struct places *p)
{
	const struct json *mounts = json_get(p->role, "volumeMounts"), *volumes = json_get(p->spec, "volumes");
	size_t i = 0;

	json_each (mount, mounts) {
		auto_free char *field = xasprintf("spec.%s.volumeMounts[%zu]", p->name, i++);
		const char *name = json_str(mount, "name", "");
		const struct json *volume = json_find(volumes, "name", name);

		if (volume && json_find(mounts, "name", name) == mount &&
		    !has_equal(json_at(p->role, "template.spec.volumes"), volume))
			put_volume(p, name, field);
		if (!has_equal(json_get(p->template_container, "volumeMounts"), mount))
			put_mount(p, name, json_str(mount, "mountPath", ""), field);
	}
}

static void collect_configmaps(struct places *p)
{
	static const char *const fields[][3] = {
		{ "hadoopConfigMap", "hadoop-configmap-volume", "/etc/hadoop/conf" },
		{ "sparkConfigMap", "spark-configmap-volume", "/etc/spark/conf" },
	};
	const struct json *maps = json_get(p->role, "configMaps");
	size_t i = 0;

	for (size_t k = 0; k < array_len(fields); k++) {
		auto_free char *field = xasprintf("spec.%s", fields[k][0]);

		if (text_empty(json_str(p->spec, fields[k][0], NULL)))
			continue;
		put_volume(p, fields[k][1], field);
		put_mount(p, fields[k][1], fields[k][2], field);
	}
	if (exporter_has_configmap(p->spec) && exporter_exposes(p->spec, p->name))
		put_mount(p, "", EXPORTER_DIR, MONITORING);
	json_each (map, maps) {
		auto_free char *field = xasprintf("spec.%s.configMaps[%zu]", p->name, i++);
		const char *name = json_str(map, "name", "");
		auto_free char *volume = names_configmap_volume(name);

		if (json_find(maps, "name", name) == map)
			put_volume(p, volume, field);
		put_mount(p, volume, json_str(map, "path", ""), field);
	}
}

/* Another element further on has this name, and its path counts. */
static bool is_repeated(const struct json *item)
{
	const char *name = json_str(item, "name", "");

	for (const struct json *next = json_next(item); next; next = json_next(next))
		if (text_eq(json_str(next, "name", ""), name))
			return true;
	return false;
}

/* A secret becomes a property, so of several of one name the last one counts, and before those of sparkConf. */
static void collect_secrets(struct places *p)
{
	auto_free char *prefix = xasprintf("spark.kubernetes.%s.secrets.", p->name);
	const struct json *secrets = json_get(p->role, "secrets");
	size_t i = 0;

	json_each (secret, secrets) {
		auto_free char *field = xasprintf("spec.%s.secrets[%zu]", p->name, i++);
		const char *name = json_str(secret, "name", "");
		auto_free char *volume = xasprintf("%s-volume", name);

		if (is_repeated(secret))
			continue;
		put_volume(p, volume, field);
		put_mount(p, volume, json_str(secret, "path", ""), field);
	}
	json_each (entry, p->conf) {
		const char *name = conf_suffix(entry, prefix);
		auto_free char *volume = xasprintf("%s-volume", name ? name : "");
		auto_free char *field = xasprintf("spec.sparkConf[%s]", json_name(entry));

		if (!name || json_find(secrets, "name", name))
			continue;
		put_volume(p, volume, field);
		put_mount(p, volume, json_text(entry, ""), field);
	}
}

/* TYPE.NAME.mount.path: each volume has one. Those of a mounted spark-local-dir-* are the field's. */
static void collect_conf(struct places *p)
{
	auto_free char *prefix = xasprintf("spark.kubernetes.%s.volumes.", p->name);

	json_each (entry, p->conf) {
		const char *key = conf_suffix(entry, prefix), *dot = key ? strchr(key, '.') : NULL;
		auto_free char *name = dot ? xstrndup(dot + 1, strcspn(dot + 1, ".")) : NULL;
		auto_free char *field = xasprintf("spec.sparkConf[%s]", json_name(entry));

		if (!dot || !text_ends(key, ".mount.path") ||
		    json_find(json_get(p->role, "volumeMounts"), "name", name))
			continue;
		put_volume(p, name, field);
		put_mount(p, name, json_text(entry, ""), field);
	}
}

static void collect_scratch(struct places *p)
{
	const char *paths = conf_get(p->conf, "spark.local.dir", NULL);
	auto_strv items = { 0 };

	strv_split(&items, paths ? paths : "", ',');
	if (!paths)
		strv_add(&items, "");
	for (size_t i = 0; i < items.len && !p->scratch; i++) {
		auto_free char *volume = xasprintf(LOCAL_DIR_PREFIX "%zu", i + 1);

		put_volume(p, volume, "spec.sparkConf[spark.local.dir]");
		if (*items.items[i])
			append_place(p, p->mounts, items.items[i], "spec.sparkConf[spark.local.dir]");
	}
}

void validate_volumes(struct problems *problems, const struct json *spec, const char *role)
{
	auto_json volumes = json_new_array();
	auto_json mounts = json_new_array();
	struct places p = {
		.problems = problems,
		.spec = spec,
		.role = json_get(spec, role),
		.conf = validate_map(json_get(spec, "sparkConf")),
		.name = role,
		.volumes = volumes,
		.mounts = mounts,
	};

	collect_spark(&p);
	collect_template(&p);
	collect_mounts(&p);
	collect_configmaps(&p);
	collect_secrets(&p);
	collect_conf(&p);
	collect_scratch(&p);
}
