/*
 * What a Spark pod gets from its application when it is created, by whomever (kubeflow
 * internal/webhook/sparkpod_defaulter.go): the owner, the fields that Spark's configuration has no word for
 * (pod_rows.c), and the secrets, which a driver that was not submitted by us knows nothing of.
 *
 * What is there already stays: a volume of that name, whatever is mounted at the place, a variable. So twice is once.
 * Fails with the field that no pod can be made of.
 *
 * A pod that was built by a submission is complete. It is left as it is, whatever other webhooks or an edit of the
 * application have changed since, but for what Spark overwrites in the template of executors.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "rules/check.h"
#include "submission/pod_rows.h"
#include "spark/secrets.h"
#include "admission/admission.h"
#include "spark/pod.h"

struct injection {
	const struct json *role; /* spec.driver or spec.executor */
	const char *role_name;
	struct json *spec; /* of the pod */
	struct json *container;
};

/* Whoever puts this annotation on a pod of their own only has the pod left as it is. */
static bool is_built(const struct json *pod)
{
	return json_get(json_at(pod, "metadata.annotations"), ANNOTATION_SUBMITTED_SPEC) != NULL;
}

/* A pod that has a controller keeps it, since there can be only one. */
static void put_owner(const struct app *app, struct json *pod)
{
	struct json *metadata = json_ensure_object(pod, "metadata");
	bool has_controller = false;

	if (text_empty(app->uid))
		return;
	json_each (owner, json_get(metadata, "ownerReferences")) {
		if (text_eq(json_str(owner, "uid", NULL), app->uid))
			return;
		has_controller = has_controller || json_bool(owner, "controller", false);
	}
	json_append(json_ensure_array(metadata, "ownerReferences"),
		    resource_owner_reference(&resource_sparkapplication, app->name, app->uid, !has_controller));
}

static int check_list_to_inject(const struct injection *in, const struct json *value, const char *path, check_fn *fn,
				struct err *err)
{
	const char *why = fn(json_text(value, ""));

	if (!why)
		return 0;
	return err_set(err, ERR_INVALID, "spec.%s.%s: Invalid value: \"%s\": %s", in->role_name, path,
		       json_text(value, ""), why);
}

static size_t path_len(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	return len;
}

static bool is_mounted(const struct json *container, const char *path)
{
	size_t len = path_len(path);

	json_each (mount, json_get(container, "volumeMounts")) {
		const char *own = json_str(mount, "mountPath", "");

		if (path_len(own) == len && strncmp(own, path, len) == 0)
			return true;
	}
	return false;
}

static bool has_env(const struct injection *in, const char *name)
{
	return json_find(json_get(in->container, "env"), "name", name) != NULL;
}

static struct json *put_env(const struct injection *in, const char *name)
{
	struct json *env = json_append(json_ensure_array(in->container, "env"), json_new_object());

	json_set_str(env, "name", name);
	return env;
}

/* Mounts the secret as Spark does (MountSecretsFeatureStep). */
static void mount_secret(const struct injection *in, const char *name, const char *path)
{
	struct json *volumes = json_ensure_array(in->spec, "volumes"), *item;
	auto_free char *volume = xasprintf("%s-volume", name);

	if (!json_find(volumes, "name", volume)) {
		item = json_append(volumes, json_new_object());
		json_set_str(item, "name", volume);
		json_set_str(json_ensure_object(item, "secret"), "secretName", name);
	}
	item = json_append(json_ensure_array(in->container, "volumeMounts"), json_new_object());
	json_set_str(item, "name", volume);
	json_set_str(item, "mountPath", path);
}

static int put_secrets(const struct injection *in, struct err *err)
{
	size_t i = 0;

	json_each (secret, json_get(in->role, "secrets")) {
		const char *path = json_str(secret, "path", ""), *type = json_str(secret, "secretType", NULL);
		const char *variable = secrets_variable(type);
		char name_path[64], path_path[64];
		int rc;

		snprintf(name_path, sizeof(name_path), "secrets[%zu].name", i);
		snprintf(path_path, sizeof(path_path), "secrets[%zu].path", i++);
		rc = check_list_to_inject(in, json_get(secret, "name"), name_path, check_secret_name, err);
		if (!rc)
			rc = check_list_to_inject(in, json_get(secret, "path"), path_path, check_absolute, err);
		if (rc)
			return rc;
		if (!is_mounted(in->container, path))
			mount_secret(in, json_str(secret, "name", ""), path);
		if (variable && !has_env(in, variable)) {
			auto_free char *file = secrets_file(type, path);

			json_set_str(put_env(in, variable), "value", file);
		}
	}
	return 0;
}

static int put_secret_refs(const struct injection *in, struct err *err)
{
	const struct json *refs = json_get(in->role, "envSecretKeyRefs");

	if (!json_is(refs, JSON_OBJECT))
		return 0;
	json_each (from, refs) {
		auto_free char *name_path = xasprintf("envSecretKeyRefs[%s].name", json_name(from));
		auto_free char *key_path = xasprintf("envSecretKeyRefs[%s].key", json_name(from));
		struct json *ref;
		int rc;

		if (has_env(in, json_name(from)))
			continue;
		rc = check_list_to_inject(in, json_get(from, "name"), name_path, check_object_name, err);
		if (!rc)
			rc = check_list_to_inject(in, json_get(from, "key"), key_path, check_not_empty, err);
		if (rc)
			return rc;
		ref = json_ensure_object(json_ensure_object(put_env(in, json_name(from)), "valueFrom"), "secretKeyRef");
		json_set_str(ref, "name", json_str(from, "name", ""));
		json_set_str(ref, "key", json_str(from, "key", ""));
	}
	return 0;
}

/* Refuses values of a type that the API server could not even decode. */
static int check_limit_set(const struct injection *in, struct err *err)
{
	const struct json *wanted = json_get(in->role, "memoryLimit");

	if (text_empty(json_text(wanted, NULL)) ||
	    !check_quantity(json_str(in->container, "resources.limits.memory", "")))
		return 0;
	return err_set(err, ERR_INVALID,
		       "spec.%s.memoryLimit: Invalid value: \"%s\": expected a size, such as 2g or 2Gi", in->role_name,
		       json_text(wanted, ""));
}

int admission_mutate_pod(const struct app *app, struct json *pod, struct err *err)
{
	struct pod_ctx ctx = pod_rows_context(app, pod);
	struct injection in;
	int rc;

	ctx.is_admitted = true;
	ctx.is_built = is_built(pod);
	rc = pod_rows_apply(&ctx, pod, err);
	if (rc || ctx.is_built)
		return rc;
	in = (struct injection){ json_get(ctx.spec, ctx.role), ctx.role, json_get(pod, "spec"), ctx.container };
	if (pod_role_of(pod) == POD_ROLE_DRIVER)
		put_owner(app, pod);
	rc = check_limit_set(&in, err);
	if (!rc)
		rc = put_secrets(&in, err);
	return rc ? rc : put_secret_refs(&in, err);
}
