/*
 * Validation of what driver and executor take from elsewhere: config maps, secrets and claims by name and key, in
 * variables and in volumes; and of mounts, ports and tolerations. The rules are the API server's (kubernetes
 * pkg/apis/core/validation: ValidateEnv, ValidateEnvFrom, validateVolumeSource, ValidateVolumeMounts,
 * ValidateTolerations): it would refuse the pod, and for executors the driver would go on asking.
 */
#include <string.h>

#include "base/text.h"
#include "rules/validate.h"

enum { KEY_MAX_LEN = 253, PORT_MAX = 65535 };

/* validation.IsConfigMapKey. */
static const char *check_map_key(const char *text)
{
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

	if (strlen(text) > KEY_MAX_LEN)
		return "must be no more than 253 bytes";
	if (!len || text[len] || text_eq(text, ".") || text_starts(text, ".."))
		return "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
	return NULL;
}

/* validateLocalNonReservedPath, validateLocalDescendingPath. */
static const char *check_inside(const char *text)
{
	if (*text == '/')
		return "must be a relative path";
	for (const char *part = text; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (text_starts(part, "..") && (!part[2] || part[2] == '/'))
			return "must not contain '..'";
	}
	return NULL;
}

static const char *check_host_path(const char *text)
{
	for (const char *part = strstr(text, ".."); part; part = strstr(part + 2, ".."))
		if ((part == text || part[-1] == '/') && (!part[2] || part[2] == '/'))
			return "must not contain '..'";
	return NULL;
}

/* Claims for Spark's local directories may be made by Spark (MountVolumesFeatureStep, PVC_ON_DEMAND). */
static const char *check_claim(const char *text)
{
	return strstr(text, "OnDemand") ? NULL : check_object_name(text);
}

static const char *check_medium(const char *text)
{
	return text_eq(text, "Memory") || text_starts(text, "HugePages")
		   ? NULL
		   : "supported values: \"\", \"HugePages\", \"Memory\"";
}

/* One of several sources that a variable or volume may have, what it needs and what that looks like. */
struct source {
	const char *name;
	const char *member; /* NULL: no more is known of it */
	check_fn *check;
	bool optional;
};

static const struct source env_sources[] = {
	{ "configMapKeyRef", "name", check_object_name, false },
	{ "configMapKeyRef", "key", check_map_key, false },
	{ "secretKeyRef", "name", check_object_name, false },
	{ "secretKeyRef", "key", check_map_key, false },
	{ "fieldRef", "fieldPath", NULL, false },
	{ "resourceFieldRef", "resource", NULL, false },
	{ "fileKeyRef", NULL, NULL, true },
};

static const struct source env_from_sources[] = {
	{ "configMapRef", "name", check_object_name, false },
	{ "secretRef", "name", check_object_name, false },
};

static const struct source volume_sources[] = {
	{ "configMap", "name", check_object_name, false },
	{ "secret", "secretName", check_object_name, false },
	{ "persistentVolumeClaim", "claimName", check_claim, false },
	{ "hostPath", "path", check_host_path, false },
	{ "emptyDir", "medium", check_medium, true },
	{ "emptyDir", "sizeLimit", check_quantity, true },
	{ "nfs", "server", NULL, false },
	{ "nfs", "path", check_absolute, false },
	{ "csi", "driver", NULL, false },
	{ "projected", NULL, NULL, true },
	{ "downwardAPI", NULL, NULL, true },
	{ "ephemeral", NULL, NULL, true },
	{ "image", NULL, NULL, true },
	{ "iscsi", NULL, NULL, true },
	{ "fc", NULL, NULL, true },
	{ "rbd", NULL, NULL, true },
	{ "cephfs", NULL, NULL, true },
	{ "glusterfs", NULL, NULL, true },
	{ "azureFile", NULL, NULL, true },
	{ "azureDisk", NULL, NULL, true },
	{ "awsElasticBlockStore", NULL, NULL, true },
	{ "gcePersistentDisk", NULL, NULL, true },
	{ "gitRepo", NULL, NULL, true },
	{ "cinder", NULL, NULL, true },
	{ "flexVolume", NULL, NULL, true },
	{ "flocker", NULL, NULL, true },
	{ "photonPersistentDisk", NULL, NULL, true },
	{ "portworxVolume", NULL, NULL, true },
	{ "quobyte", NULL, NULL, true },
	{ "scaleIO", NULL, NULL, true },
	{ "storageos", NULL, NULL, true },
	{ "vsphereVolume", NULL, NULL, true },
};

static void check_source(struct problems *p, const struct json *value, const char *path, const struct source *source)
{
	const struct json *member = json_get(value, source->member);
	auto_free char *at = xasprintf("%s.%s.%s", path, source->name, source->member), *number = json_print(member);
	const char *text = json_is(member, JSON_NUMBER) ? number : json_text(member, "");
	const char *why = source->check && *text ? source->check(text) : NULL;

	if (!*text && !source->optional)
		problems_add(p, at, "Required value");
	else if (why)
		problems_invalid(p, at, member, why);
}

/* At most one source, and that one complete. Returns how many there are. */
static size_t check_sources(struct problems *p, const struct json *object, const char *path,
			    const struct source *sources, size_t count)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		const struct json *value = json_get(object, sources[i].name);
		bool is_new = i == 0 || !text_eq(sources[i].name, sources[i - 1].name);
		auto_free char *at = xasprintf("%s.%s", path, sources[i].name);

		if (!json_is(value, JSON_OBJECT))
			continue;
		found += is_new;
		if (found > 1 && is_new)
			problems_add(p, at, "Forbidden: may not specify more than 1 source");
		if (found == 1 && sources[i].member)
			check_source(p, value, path, &sources[i]);
	}
	return found;
}

/* What of a map is projected into files. */
static void check_items(struct problems *p, const struct json *source, const char *path)
{
	static const struct {
		const char *name;
		check_fn *check;
	} members[] = { { "key", check_map_key }, { "path", check_inside } };
	size_t i = 0;

	json_each (item, json_get(source, "items")) {
		for (size_t k = 0; k < array_len(members); k++) {
			const char *text = json_str(item, members[k].name, "");
			auto_free char *at = xasprintf("%s.items[%zu].%s", path, i, members[k].name);

			if (!*text)
				problems_add(p, at, "Required value");
			else if (members[k].check(text))
				problems_invalid_text(p, at, text, members[k].check(text));
		}
		i++;
	}
}

static void check_env(struct problems *p, const struct json *role, const char *prefix)
{
	size_t i = 0;

	json_each (env, json_get(role, "env")) {
		const struct json *from = json_get(env, "valueFrom");
		auto_free char *path = xasprintf("%senv[%zu].valueFrom", prefix, i++);

		if (!json_is(from, JSON_OBJECT))
			continue;
		if (!text_empty(json_str(env, "value", NULL)))
			problems_add(p, path, "Forbidden: may not be specified when `value` is not empty");
		if (!check_sources(p, from, path, env_sources, array_len(env_sources)))
			problems_add(p, path,
				     "Required value: one of configMapKeyRef, secretKeyRef, fieldRef and "
				     "resourceFieldRef");
	}
	i = 0;
	json_each (from, json_get(role, "envFrom")) {
		auto_free char *path = xasprintf("%senvFrom[%zu]", prefix, i++);

		if (!check_sources(p, from, path, env_from_sources, array_len(env_from_sources)))
			problems_add(p, path, "Required value: configMapRef or secretRef");
	}
}

static void check_key_refs(struct problems *p, const struct json *role, const char *prefix)
{
	json_each (ref, validate_map(json_get(role, "envSecretKeyRefs"))) {
		const char *name = json_str(ref, "name", ""), *key = json_str(ref, "key", "");
		auto_free char *path = xasprintf("%senvSecretKeyRefs[%s]", prefix, json_name(ref));
		auto_free char *name_path = xasprintf("%s.name", path), *key_path = xasprintf("%s.key", path);

		if (!*name || !*key)
			problems_add(p, path, "Required value: name and key");
		if (*name && check_object_name(name))
			problems_invalid_text(p, name_path, name, check_object_name(name));
		if (*key && check_map_key(key))
			problems_invalid_text(p, key_path, key, check_map_key(key));
	}
}

/* Those that a mount names; others come into no pod. */
static void check_volume_references(struct problems *p, const struct json *spec)
{
	const struct json *driver = json_at(spec, "driver.volumeMounts");
	const struct json *executor = json_at(spec, "executor.volumeMounts");
	size_t i = 0;

	json_each (volume, json_get(spec, "volumes")) {
		auto_free char *path = xasprintf("spec.volumes[%zu]", i++);
		auto_free char *map = xasprintf("%s.configMap", path), *secret = xasprintf("%s.secret", path);
		const char *name = json_str(volume, "name", "");

		if (!json_find(driver, "name", name) && !json_find(executor, "name", name))
			continue;
		check_sources(p, volume, path, volume_sources, array_len(volume_sources));
		check_items(p, json_get(volume, "configMap"), map);
		check_items(p, json_get(volume, "secret"), secret);
	}
}

static void check_mount_names(struct problems *p, const struct json *role, const char *prefix)
{
	size_t i = 0;

	json_each (mount, json_get(role, "volumeMounts")) {
		const char *sub = json_str(mount, "subPath", ""), *expr = json_str(mount, "subPathExpr", "");
		auto_free char *path = xasprintf("%svolumeMounts[%zu].", prefix, i++);
		auto_free char *sub_path = xasprintf("%ssubPath", path), *expr_path = xasprintf("%ssubPathExpr", path);

		if (check_inside(sub))
			problems_invalid_text(p, sub_path, sub, check_inside(sub));
		if (check_inside(expr))
			problems_invalid_text(p, expr_path, expr, check_inside(expr));
		if (*sub && *expr)
			problems_add(p, expr_path, "Forbidden: subPathExpr and subPath are mutually exclusive");
	}
}

static void check_port_names(struct problems *p, const struct json *role, const char *prefix)
{
	size_t i = 0;

	json_each (port, json_get(role, "ports")) {
		const struct json *number = json_get(port, "containerPort");
		const char *protocol = json_str(port, "protocol", "TCP");
		auto_free char *path = xasprintf("%sports[%zu].", prefix, i++);
		auto_free char *number_path = xasprintf("%scontainerPort", path);
		auto_free char *protocol_path = xasprintf("%sprotocol", path);

		if (!json_has(port, "containerPort"))
			problems_add(p, number_path, "Required value");
		else if (json_integer(number, 0) < 1 || json_integer(number, 0) > PORT_MAX)
			problems_invalid(p, number_path, number, "must be between 1 and 65535, inclusive");
		if (*protocol && !text_eq(protocol, "TCP") && !text_eq(protocol, "UDP") && !text_eq(protocol, "SCTP"))
			problems_invalid_text(p, protocol_path, protocol,
					      "supported values: \"SCTP\", \"TCP\", \"UDP\"");
	}
}

/* Of a cluster whose feature gate TaintTolerationComparisonOperators is on. */
static bool is_comparison(const char *op)
{
	return text_eq(op, "Gt") || text_eq(op, "Lt");
}

static void check_toleration(struct problems *p, const struct json *toleration, const char *path)
{
	const char *op = json_str(toleration, "operator", ""), *effect = json_str(toleration, "effect", "");
	const char *key = json_str(toleration, "key", "");
	auto_free char *operator_path = xasprintf("%s.operator", path), *effect_path = xasprintf("%s.effect", path);
	auto_free char *value_path = xasprintf("%s.value", path);
	int64_t number;

	if (is_comparison(op) && !text_i64(json_str(toleration, "value", ""), &number))
		problems_invalid_text(p, value_path, json_str(toleration, "value", ""),
				      "operator compares numbers: expected an integer");
	else if (*op && !text_eq(op, "Exists") && !text_eq(op, "Equal") && !is_comparison(op))
		problems_invalid_text(p, operator_path, op, "supported values: \"Equal\", \"Exists\", \"Gt\", \"Lt\"");
	else if (!*key && !text_eq(op, "Exists"))
		problems_invalid_text(p, operator_path, op,
				      "operator must be Exists when `key` is empty, which means \"match all values and "
				      "all keys\"");
	else if (text_eq(op, "Exists") && !text_empty(json_str(toleration, "value", NULL)))
		problems_invalid_text(p, operator_path, json_str(toleration, "value", ""),
				      "value must be empty when `operator` is 'Exists'");
	if (*effect && !text_eq(effect, "NoSchedule") && !text_eq(effect, "PreferNoSchedule") &&
	    !text_eq(effect, "NoExecute"))
		problems_invalid_text(p, effect_path, effect,
				      "supported values: \"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\"");
	else if (json_has(toleration, "tolerationSeconds") && !text_eq(effect, "NoExecute"))
		problems_invalid_text(p, effect_path, effect,
				      "effect must be 'NoExecute' when `tolerationSeconds` is set");
}

static void check_role_references(struct problems *p, const struct json *role, const char *prefix)
{
	size_t i = 0;

	check_env(p, role, prefix);
	check_key_refs(p, role, prefix);
	check_mount_names(p, role, prefix);
	check_port_names(p, role, prefix);
	json_each (toleration, json_get(role, "tolerations")) {
		auto_free char *path = xasprintf("%stolerations[%zu]", prefix, i++);

		check_toleration(p, toleration, path);
	}
}

void validate_references(struct problems *p, const struct json *spec)
{
	check_volume_references(p, spec);
	check_role_references(p, json_get(spec, "driver"), "spec.driver.");
	check_role_references(p, json_get(spec, "executor"), "spec.executor.");
}
