/*
 * Driver and executor fields that Spark's configuration cannot express. There is one row per field, in the order of
 * the webhook of kubeflow's operator (internal/webhook/sparkpod_defaulter.go).
 *
 * Happy path: each row copies a field of spec.driver or spec.executor to the pod or to its Spark container, by a
 * function of its own where that is more than a copy. A row adds nothing that the pod has already, so a pod that went
 * through these rows before stays as it is. What that means in pods of others is in pod_merge.c. Fails with ERR_INVALID
 * if the pod has no container.
 */
#include "submission/pod_rows.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "pod_merge.h"
#include "rules/check.h"
#include "spark/digest.h"
#include "spark/conf.h"
#include "spark/exporter.h"
#include "spark/names.h"
#include "spark/pod.h"

enum { NAME_MAX_LEN = 63 };

struct target {
	const struct pod_ctx *ctx;
	struct json *spec;	/* of the pod */
	struct json *container; /* the Spark container */
	struct json *to;	/* the one of both that the row writes to … */
	const char *member;	/* … and the member of it */
};

struct row {
	const char *field; /* below spec.driver or spec.executor; with a leading '/' below spec */
	const char *to;	   /* member of pod spec or container */
	enum { POD, CONTAINER } place;
	void (*put)(const struct target *t, const struct json *value);
	/* Whether Spark overwrites what the executor template says here. NULL: it never does. */
	bool (*is_lost)(const struct pod_ctx *ctx);
};

/* Takes item. */
static void add(struct json *array, struct json *item)
{
	json_each (own, array) {
		if (pod_merge_says(own, item)) {
			json_free(item);
			return;
		}
	}
	json_append(array, item);
}

static void put_set(const struct target *t, const struct json *value)
{
	if (!text_eq(json_text(value, NULL), ""))
		json_set(t->to, t->member, json_dup(value));
}

/* The whole object in a pod of ours. In others' pods, those members of which it says something. */
static void put_object(const struct target *t, const struct json *value)
{
	struct json *own = json_get(t->to, t->member);

	if (t->ctx->is_admitted && json_is(own, JSON_OBJECT))
		pod_merge_object(own, value);
	else
		json_set(t->to, t->member, json_dup(value));
}

/* ConfigMaps of configuration files. Their variable comes after those of the role. */
enum { HADOOP, SPARK };

static const struct directory {
	const char *variable;
	const char *field; /* below spec */
	const char *volume;
	const char *path;
} directories[] = {
	[HADOOP] = { "HADOOP_CONF_DIR", "hadoopConfigMap", "hadoop-configmap-volume", "/etc/hadoop/conf" },
	[SPARK] = { "SPARK_CONF_DIR", "sparkConfigMap", "spark-configmap-volume", "/etc/spark/conf" },
};

static const struct json *last_env(const struct json *list, const char *name)
{
	const struct json *last = NULL;

	json_each (item, list)
		if (text_eq(json_str(item, "name", NULL), name))
			last = item;
	return last;
}

/* The container has the wanted variable. If several variables have the name, the last one counts, on both sides. */
static bool has_env(const struct target *t, const struct json *wanted, const char *name)
{
	const struct json *own = last_env(json_get(t->container, "env"), name);

	for (size_t i = 0; i < array_len(directories); i++)
		if (text_eq(name, directories[i].variable) &&
		    !text_empty(json_str(t->ctx->spec, directories[i].field, NULL)))
			return text_eq(json_str(own, "value", NULL), directories[i].path);
	return own && pod_merge_says(own, last_env(wanted, name));
}

/* A ConfigMap of configuration files sets the variable, whatever the role's own says. */
static bool is_directory(const struct target *t, const char *name)
{
	for (size_t i = 0; i < array_len(directories); i++)
		if (text_eq(name, directories[i].variable))
			return !text_empty(json_str(t->ctx->spec, directories[i].field, NULL));
	return false;
}

/* Of several variables with one name the last one counts. */
static void merge_env_list(const struct target *t, const struct json *value)
{
	json_each (item, value) {
		const char *name = json_str(item, "name", "");

		if (item == last_env(value, name) && !is_directory(t, name))
			pod_merge_variable(t->container, item);
	}
}

/* A template leaves out the variables that are set through spark.executorEnv. */
static void put_env_list(const struct target *t, const struct json *value)
{
	if (t->ctx->is_admitted) {
		merge_env_list(t, value);
		return;
	}
	json_each (item, value) {
		const char *name = json_str(item, "name", "");

		if ((!t->ctx->is_template || !conf_sets_executor_env(name)) && !has_env(t, value, name))
			json_append(json_ensure_array(t->to, t->member), json_dup(item));
	}
}

static void put_append(const struct target *t, const struct json *value)
{
	json_each (item, value)
		add(json_ensure_array(t->to, t->member), json_dup(item));
}

/* Takes port. */
static void put_port(const struct target *t, struct json *port)
{
	struct json *ports = json_ensure_array(t->to, t->member);

	if (t->ctx->is_admitted && pod_merge_has_port(ports, port))
		json_free(port);
	else
		add(ports, port);
}

static void put_port_list(const struct target *t, const struct json *value)
{
	json_each (item, value)
		put_port(t, json_dup(item));
}

static void put_aliases(const struct target *t, const struct json *value)
{
	json_each (item, value)
		if (!t->ctx->is_admitted || !pod_merge_has_alias(json_get(t->to, t->member), item))
			add(json_ensure_array(t->to, t->member), json_dup(item));
}

static void put_tolerations(const struct target *t, const struct json *value)
{
	json_each (item, value) {
		struct json *tolerations = json_ensure_array(t->to, t->member);

		if (t->ctx->is_admitted)
			pod_merge_toleration(tolerations, item);
		else
			add(tolerations, json_dup(item));
	}
}

static void put_merge(const struct target *t, const struct json *value)
{
	if (!json_is(value, JSON_OBJECT))
		return;
	json_each (item, value)
		json_set(json_ensure_object(t->to, t->member), json_name(item), json_dup(item));
}

/* In others' pods a container of that name is the wanted one, whatever its image: a mirror may have rewritten it. A pod
 * of ours may get two of one name from different fields, which validation then refuses. */
static bool has_container(const struct target *t, const struct json *all, const struct json *wanted)
{
	if (t->ctx->is_admitted)
		return pod_merge_has_container(t->spec, json_str(wanted, "name", ""));
	json_each (own, all)
		if (text_eq(json_str(own, "name", NULL), json_str(wanted, "name", NULL)) &&
		    text_eq(json_str(own, "image", NULL), json_str(wanted, "image", NULL)))
			return true;
	return false;
}

static void put_containers(const struct target *t, const struct json *value)
{
	json_each (item, value) {
		struct json *all = json_ensure_array(t->to, t->member);

		if (!has_container(t, all, item))
			json_append(all, json_dup(item));
	}
}

/* Adds the mount unless another one has its path, and the volume unless another one has its name. Takes both. */
static void put_mounted(const struct target *t, struct json *volume, struct json *mount)
{
	bool is_taken =
	    json_find(json_get(t->container, "volumeMounts"), "mountPath", json_str(mount, "mountPath", ""));
	bool has_volume = json_find(json_get(t->spec, "volumes"), "name", json_str(volume, "name", ""));

	if (is_taken || has_volume)
		json_free(volume);
	else
		json_append(json_ensure_array(t->spec, "volumes"), volume);
	if (is_taken)
		json_free(mount);
	else
		json_append(json_ensure_array(t->container, "volumeMounts"), mount);
}

static void put_configmap(const struct target *t, const char *volume, const char *configmap, const char *path)
{
	struct json *item = json_new_object(), *mount = json_new_object();

	json_set_str(item, "name", volume);
	json_set_str(json_ensure_object(item, "configMap"), "name", configmap);
	json_set_str(mount, "name", volume);
	json_set_str(mount, "mountPath", path);
	json_set_bool(mount, "readOnly", true);
	put_mounted(t, item, mount);
}

static void put_directory(const struct target *t, const struct directory *d, const char *configmap, bool with_env)
{
	auto_json env = NULL;

	if (!*configmap)
		return;
	put_configmap(t, d->volume, configmap, d->path);
	if (!with_env || has_env(t, NULL, d->variable))
		return;
	env = json_new_object();
	json_set_str(env, "name", d->variable);
	json_set_str(env, "value", d->path);
	if (t->ctx->is_admitted)
		pod_merge_variable(t->container, env);
	else
		json_append(json_ensure_array(t->container, "env"), json_dup(env));
}

static void mount_hadoop_conf(const struct target *t, const struct json *value)
{
	put_directory(t, &directories[HADOOP], json_text(value, ""), true);
}

/* Spark appends its own SPARK_CONF_DIR behind a template's, and the last one counts. So for executors the variable is
 * set by spark.executorEnv. */
static void mount_spark_conf(const struct target *t, const struct json *value)
{
	put_directory(t, &directories[SPARK], json_text(value, ""), !t->ctx->is_template);
}

static void put_configmaps(const struct target *t, const struct json *value)
{
	json_each (item, value) {
		const char *name = json_str(item, "name", "");
		auto_free char *volume = names_configmap_volume(name);

		put_configmap(t, volume, name, json_str(item, "path", ""));
	}
}

/* Mounts a volume that the pod has from elsewhere. */
static void put_mount_only(const struct target *t, const struct json *mount)
{
	const char *path = json_str(mount, "mountPath", "");

	if (json_find(json_get(t->spec, "volumes"), "name", json_str(mount, "name", "")) &&
	    !json_find(json_get(t->container, "volumeMounts"), "mountPath", path))
		json_append(json_ensure_array(t->container, "volumeMounts"), json_dup(mount));
}

/* The pod gets only those volumes that the role mounts. Spark itself makes the volumes for its scratch space. */
static void put_volumes(const struct target *t, const struct json *value)
{
	const struct json *volumes = json_get(t->ctx->spec, "volumes");

	json_each (mount, value) {
		const char *name = json_str(mount, "name", "");
		const struct json *volume = json_find(volumes, "name", name);

		if (text_starts(name, LOCAL_DIR_PREFIX))
			continue;
		if (volume)
			put_mounted(t, json_dup(volume), json_dup(mount));
		else
			put_mount_only(t, mount);
	}
}

/* With dnsPolicy None another webhook has set up the resolver of the pod by dnsConfig. */
static void put_host_network(const struct target *t, const struct json *value)
{
	if (!json_true(value))
		return;
	json_set_bool(t->to, t->member, true);
	if (!t->ctx->is_admitted || !text_eq(json_str(t->to, "dnsPolicy", NULL), "None"))
		json_set_str(t->to, "dnsPolicy", "ClusterFirstWithHostNet");
}

/* A batch scheduler schedules both roles, so the role's own scheduler has no effect beside it. */
static void put_scheduler(const struct target *t, const struct json *value)
{
	const struct json *batch = json_get(t->ctx->spec, "batchScheduler");

	if (!batch || json_is(batch, JSON_NULL))
		put_set(t, value);
}

/* The API server computed priority and preemptionPolicy from the pod's former class, so both are removed. */
static void put_priority_class(const struct target *t, const struct json *value)
{
	if (text_empty(json_text(value, NULL)) || text_eq(json_str(t->to, t->member, NULL), json_text(value, NULL)))
		return;
	json_set(t->to, t->member, json_dup(value));
	json_remove(t->to, "priority");
	json_remove(t->to, "preemptionPolicy");
}

/* A size in Java's notation as a Kubernetes quantity ("2g" → "2Gi"); others stay as they are. Owned. */
static char *quantity_of(const char *text)
{
	static const char *const units[][2] = {
		{ "kb", "Ki" }, { "mb", "Mi" }, { "gb", "Gi" }, { "tb", "Ti" }, { "pb", "Pi" }
	};
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	for (size_t i = 0; i < array_len(units); i++) {
		size_t digits = strspn(text, "0123456789."), left = len - digits;

		if ((left == 1 || left == 2) && strncasecmp(text + digits, units[i][0], left) == 0)
			return xasprintf("%.*s%s", (int)digits, text, units[i][1]);
	}
	return xstrndup(text, len);
}

/* The API server may print a quantity in another form, so the values are compared and not the texts. */
static void put_memory_limit(const struct target *t, const struct json *value)
{
	auto_free char *quantity = quantity_of(json_text(value, ""));
	struct json *limits;
	double wanted, own;

	if (!*quantity)
		return;
	limits = json_ensure_object(json_ensure_object(t->to, t->member), "limits");
	if (!check_quantity_value(quantity, &wanted) || !check_quantity_value(json_str(limits, "memory", ""), &own) ||
	    wanted != own)
		json_set_str(limits, "memory", quantity);
}

static void put_gpu(const struct target *t, const struct json *value)
{
	const char *name = json_str(value, "name", "");
	int64_t quantity = json_i64(value, "quantity", 0);

	if (*name && quantity > 0)
		json_setf(json_ensure_object(json_ensure_object(t->to, t->member), "limits"), name, "%lld",
			  (long long)quantity);
}

static void put_monitoring(const struct target *t, const struct json *value)
{
	const struct pod_ctx *ctx = t->ctx;
	auto_free char *configmap = exporter_configmap(ctx->app_name);
	auto_free char *volume = names_configmap_volume(configmap);
	struct json *port;

	(void)value;
	if (!exporter_has_configmap(ctx->spec) || !exporter_exposes(ctx->spec, ctx->role))
		return;
	put_configmap(t, volume, configmap, EXPORTER_DIR);
	port = json_new_object();
	json_set_str(port, "name", exporter_port_name(ctx->spec));
	json_set_i64(port, "containerPort", exporter_port(ctx->spec));
	json_set_str(port, "protocol", "TCP");
	put_port(t, port);
}

static void put_if_true(const struct target *t, const struct json *value)
{
	if (json_true(value))
		json_set_bool(t->to, t->member, true);
}

/* Spark writes the request as the limit (BasicExecutorFeatureStep). */
static bool is_limit_lost(const struct pod_ctx *ctx)
{
	(void)ctx;
	return true;
}

/* Spark writes a preStop hook of its own (BasicExecutorFeatureStep). */
static bool is_lifecycle_lost(const struct pod_ctx *ctx)
{
	return conf_true(json_get(ctx->spec, "sparkConf"), "spark.decommission.enabled");
}

static const struct row rows[] = {
	{ "env", "env", CONTAINER, put_env_list, NULL },
	{ "envFrom", "envFrom", CONTAINER, put_append, NULL },
	{ "/hadoopConfigMap", NULL, CONTAINER, mount_hadoop_conf, NULL },
	{ "/sparkConfigMap", NULL, CONTAINER, mount_spark_conf, NULL },
	{ "configMaps", NULL, CONTAINER, put_configmaps, NULL },
	{ "volumeMounts", "volumeMounts", CONTAINER, put_volumes, NULL },
	{ "ports", "ports", CONTAINER, put_port_list, NULL },
	{ "hostNetwork", "hostNetwork", POD, put_host_network, NULL },
	{ "hostAliases", "hostAliases", POD, put_aliases, NULL },
	{ "initContainers", "initContainers", POD, put_containers, NULL },
	{ "sidecars", "containers", POD, put_containers, NULL },
	{ "dnsConfig", "dnsConfig", POD, put_object, NULL },
	{ "priorityClassName", "priorityClassName", POD, put_priority_class, NULL },
	{ "schedulerName", "schedulerName", POD, put_scheduler, NULL },
	{ "/batchScheduler", "schedulerName", POD, put_set, NULL },
	{ "nodeSelector", "nodeSelector", POD, put_merge, NULL },
	{ "affinity", "affinity", POD, put_object, NULL },
	{ "tolerations", "tolerations", POD, put_tolerations, NULL },
	{ "memoryLimit", "resources", CONTAINER, put_memory_limit, is_limit_lost },
	{ "gpu", "resources", CONTAINER, put_gpu, NULL },
	{ "/monitoring", "ports", CONTAINER, put_monitoring, NULL },
	{ "securityContext", "securityContext", CONTAINER, put_object, NULL },
	{ "podSecurityContext", "securityContext", POD, put_object, NULL },
	{ "terminationGracePeriodSeconds", "terminationGracePeriodSeconds", POD, put_set, NULL },
	{ "lifecycle", "lifecycle", CONTAINER, put_object, is_lifecycle_lost },
	{ "shareProcessNamespace", "shareProcessNamespace", POD, put_if_true, NULL },
};

struct pod_ctx pod_rows_context(const struct app *app, const struct json *pod)
{
	bool executor = pod_role_of(pod) == POD_ROLE_EXECUTOR;

	return (struct pod_ctx){
		.app_name = app->name,
		.spec = json_get(app->tree, "spec"),
		.role = executor ? "executor" : "driver",
		.container = pod_spark_container(pod, executor ? POD_ROLE_EXECUTOR : POD_ROLE_DRIVER),
	};
}

/* A pod that a submission built lacks nothing but what the template could not carry to an executor. */
static bool is_for(const struct row *row, const struct pod_ctx *ctx)
{
	if (!ctx->is_built)
		return true;
	return row->is_lost && text_eq(ctx->role, "executor") && row->is_lost(ctx);
}

int pod_rows_apply(const struct pod_ctx *ctx, struct json *pod, struct err *err)
{
	struct json *spec = json_ensure_object(pod, "spec");
	struct target t = { .ctx = ctx, .spec = spec, .container = ctx->container };
	const struct json *role = json_get(ctx->spec, ctx->role);

	if (!json_is(json_get(spec, "containers"), JSON_ARRAY) || !json_is(t.container, JSON_OBJECT))
		return err_set(err, ERR_INVALID, "spec.containers: Required value: the pod has no container");
	for (size_t i = 0; i < array_len(rows); i++) {
		const struct row *row = &rows[i];
		bool common = row->field[0] == '/';
		const struct json *value = json_get(common ? ctx->spec : role, row->field + common);

		t.to = row->place == POD ? spec : t.container;
		t.member = row->to;
		if (value && !json_is(value, JSON_NULL) && is_for(row, ctx))
			row->put(&t, value);
	}
	return 0;
}
