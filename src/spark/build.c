/*
 * Small pieces of pods that several steps make.
 */
#include "build.h"

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
