/*
 * Small pieces of pods that several steps make, for the driver and for executors. Spark's BasicDriverFeatureStep and
 * BasicExecutorFeatureStep have them in common. Nothing can fail.
 */
#include "build.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "spark/conf.h"
#include "spark/version.h"

const char *build_role_suffix(const struct build *b, const struct json *entry, const char *group)
{
	const char *rest = conf_suffix(entry, b->role->conf);

	return rest && text_starts(rest, group) ? rest + strlen(group) : NULL;
}

const char *build_role_get(const struct build *b, const char *name, const char *dflt)
{
	auto_free char *key = xasprintf("%s%s", b->role->conf, name);

	return conf_get(b->conf, key, dflt);
}

void build_mark(const struct build *b, struct json *metadata)
{
	json_set_str(json_ensure_object(metadata, "annotations"), ANNOTATION_SUBMITTED_SPEC, b->names.spec_hash);
}

struct json *build_volume(struct build *b, const char *name)
{
	struct json *volumes = json_ensure_array(json_ensure_object(b->pod, "spec"), "volumes");
	struct json *volume = json_append(volumes, json_new_object());

	json_set_str(volume, "name", name);
	return volume;
}

struct json *build_mount(struct build *b, const char *name, const char *path)
{
	struct json *mount = json_append(json_ensure_array(b->container, "volumeMounts"), json_new_object());

	json_set_str(mount, "name", name);
	json_set_str(mount, "mountPath", path);
	return mount;
}

void build_env(struct build *b, const char *name, const char *value)
{
	struct json *env = json_append(json_ensure_array(b->container, "env"), json_new_object());

	json_set_str(env, "name", name);
	json_set_str(env, "value", value);
}

struct json *build_env_from(struct build *b, const char *name, const char *source)
{
	struct json *env = json_append(json_ensure_array(b->container, "env"), json_new_object());

	json_set_str(env, "name", name);
	return json_ensure_object(json_ensure_object(env, "valueFrom"), source);
}

/* Since Spark 3.3 each role has properties of its own, which override the common ones. */
void build_node_selector(struct build *b)
{
	struct json *spec = json_get(b->pod, "spec");

	json_each (entry, b->conf) {
		const char *key = conf_suffix(entry, "spark.kubernetes.node.selector.");

		if (key)
			json_set_str(json_ensure_object(spec, "nodeSelector"), key, json_text(entry, ""));
	}
	json_each (entry, b->conf) {
		const char *key = build_role_suffix(b, entry, "node.selector.");

		if (key && b->version >= SPARK_3_3)
			json_set_str(json_ensure_object(spec, "nodeSelector"), key, json_text(entry, ""));
	}
}

void build_pull_secrets(struct build *b)
{
	auto_strv secrets = { 0 };

	strv_split(&secrets, conf_get(b->conf, "spark.kubernetes.container.image.pullSecrets", ""), ',');
	for (size_t i = 0; i < secrets.len; i++) {
		struct json *all = json_ensure_array(json_get(b->pod, "spec"), "imagePullSecrets");

		json_set_str(json_append(all, json_new_object()), "name", secrets.items[i]);
	}
}

/* Up to Spark 3.2 there is only spark.kubernetes.executor.scheduler.name. Spark 3.3 brought the driver's property and
 * the common one. */
void build_scheduler(struct build *b)
{
	const char *common =
	    b->version >= SPARK_3_3 ? conf_get(b->conf, "spark.kubernetes.scheduler.name", NULL) : NULL;
	bool own = b->version >= SPARK_3_3 || b->role == &role_executor;

	json_set_str(json_get(b->pod, "spec"), "schedulerName",
		     own ? build_role_get(b, "scheduler.name", common) : common);
}

char *build_replaced(const char *text, const char *from, const char *to)
{
	const char *at;
	auto_buf out;

	buf_init(&out, strlen(text) * (strlen(to) + 1));
	for (; (at = strstr(text, from)); text = at + strlen(from)) {
		buf_add(&out, text, (size_t)(at - text));
		buf_puts(&out, to);
	}
	buf_puts(&out, text);
	return buf_take(&out);
}

/* Since Spark 4.1 {{SPARK_VERSION}} is replaced in the image's name. */
void build_image(struct build *b)
{
	const char *common = conf_get(b->conf, "spark.kubernetes.container.image", "");
	const char *given = build_role_get(b, "container.image", common);
	auto_free char *image =
	    b->version >= SPARK_4_1 ? build_replaced(given, "{{SPARK_VERSION}}", b->version_text) : xstrdup(given);

	json_set_str(b->container, "image", image);
	json_set_str(b->container, "imagePullPolicy",
		     conf_get(b->conf, "spark.kubernetes.container.image.pullPolicy", "IfNotPresent"));
}

void build_named(struct build *b, struct json *object, const char *group, int replaced_since, const char *executor_id)
{
	json_each (entry, b->conf) {
		const char *key = build_role_suffix(b, entry, group), *text = json_text(entry, "");

		if (!key)
			continue;

		auto_free char *value =
		    b->version >= replaced_since ? conf_substitute(text, b->names.app_id, executor_id) : xstrdup(text);

		json_set_str(object, key, value);
	}
}

double build_factor(const struct build *b, const char *key, double dflt)
{
	auto_free char *text = text_trimmed(conf_get(b->conf, key, ""));
	double value = dflt;

	text_double(text, &value);
	return value;
}

struct json *build_metadata(const struct build *b, const char *name)
{
	struct json *metadata = json_new_object(), *labels;

	json_set_str(metadata, "name", name);
	json_set_str(metadata, "namespace", b->ns);
	labels = json_ensure_object(metadata, "labels");
	json_set_str(labels, LABEL_APP_NAME, b->app->name);
	json_set_str(labels, LABEL_SUBMISSION_ID, b->names.submission_id);
	json_set_str(labels, LABEL_CREATED_BY, "true");
	json_append(json_ensure_array(metadata, "ownerReferences"),
		    resource_owner_reference(&resource_sparkapplication, b->app->name, b->app->uid, true));
	return metadata;
}

struct json *build_object(struct build *b, const struct resource *res, const char *name)
{
	struct json *object = json_append(b->objects, json_new_object());
	char version[API_VERSION_SIZE];

	json_set_str(object, "apiVersion", resource_api_version(res, version));
	json_set_str(object, "kind", res->kind);
	json_set(object, "metadata", build_metadata(b, name));
	return object;
}
