/*
 * The canonical form of a set of objects: each under the name of its role, whatever it is called; spark.properties as
 * an object of its lines, the executor template as a tree. The texts of properties stay as they were escaped.
 *
 * One ConfigMap that holds both properties and template becomes two, as spark-submit has them. Time of submission and
 * address of the API server are replaced by what they are. A template that is no YAML stays a text.
 */
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "compare_parts.h"
#include "json/yaml.h"
#include "spark/conf.h"

enum { HEX16 = 16, HEX32 = 32, UUID = 36, MASK_MAX = 4 << 20 };

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_uuid(const char *text)
{
	for (size_t i = 0; i < UUID; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !is_hex(text[i]))
			return false;
	}
	return true;
}

/* A name must not begin with a digit: Spark puts an x in its place (KubernetesConf.getResourceNamePrefix). */
size_t compare_id(char before, const char *text)
{
	size_t digits = text[0] == 'x';

	if (is_word(before))
		return 0;
	if (is_uuid(text) && !is_word(text[UUID]))
		return UUID;
	while (digits <= HEX32 && is_hex(text[digits]))
		digits++;
	if (is_word(text[digits]))
		return 0;
	return digits == HEX16 || (digits == HEX32 && text[0] != 'x') ? digits : 0;
}

char *compare_mask(const char *text)
{
	char before = 0;
	auto_buf out;

	buf_init(&out, MASK_MAX);
	while (*text) {
		size_t len = compare_id(before, text);

		if (len)
			buf_puts(&out, len == UUID ? "<uuid>" : len == HEX32 ? "<hex32>" : "<hex16>");
		else
			buf_putc(&out, *text);
		len = len ? len : 1;
		before = text[len - 1];
		text += len;
	}
	return buf_take(&out);
}

/* name, name#2, … */
static void set_numbered(struct json *object, const char *name, struct json *value)
{
	auto_free char *key = xstrdup(name);

	for (int i = 2; json_get(object, key); i++) {
		free(key);
		key = xasprintf("%s#%d", name, i);
	}
	json_set(object, key, value);
}

static char *property_value(const char *key, const char *value)
{
	static const char scheme[] = "k8s\\://";

	if (text_eq(key, "spark.master") && text_starts(value, scheme))
		return xasprintf("%s<address>", scheme);
	if (text_eq(key, "spark.app.submitTime") && *value && value[strspn(value, "0123456789")] == '\0')
		return xstrdup("<time>");
	return xstrdup(value);
}

/* The first = that no backslash protects; the end if there is none. */
static size_t key_length(const char *line)
{
	size_t i = 0;

	while (line[i] && line[i] != '=')
		i += line[i] == '\\' && line[i + 1] ? 2 : 1;
	return i;
}

/* The second comment is a date. */
static void put_comment(struct json *out, const char *line)
{
	bool second = json_get(out, "#") && !json_get(out, "##");

	set_numbered(out, second ? "##" : "#", json_new_string(second ? "<date>" : line));
}

static struct json *properties_tree(const char *text)
{
	struct json *out = json_new_object();

	while (*text) {
		size_t len = strcspn(text, "\n");
		auto_free char *line = xstrndup(text, len);
		size_t key_len = key_length(line);
		auto_free char *key = xstrndup(line, key_len);
		auto_free char *value = property_value(key, line + key_len + (line[key_len] == '='));

		if (line[0] == '#')
			put_comment(out, line);
		else
			set_numbered(out, key, json_new_string(value));
		text += len + (text[len] == '\n');
	}
	return out;
}

/* What stands in its place, owned. */
static struct json *template_tree(const char *text)
{
	struct err err = { 0 };
	auto_json documents = yaml_parse(text, strlen(text), &err);

	if (!documents || json_len(documents) != 1)
		return json_new_string(text);
	return json_take_first(documents);
}

static void put_texts(struct json *data)
{
	const char *properties = json_text(json_get(data, PROPERTIES_KEY), NULL);
	const char *executor_template = json_text(json_get(data, TEMPLATE_KEY), NULL);

	if (properties)
		json_set(data, PROPERTIES_KEY, properties_tree(properties));
	if (executor_template)
		json_set(data, TEMPLATE_KEY, template_tree(executor_template));
}

static void put_configmap(struct json *out, struct json *map)
{
	struct json *data = json_get(map, "data"), *executor_template;
	const char *name = json_str(map, "metadata.name", "");
	auto_free char *masked = compare_mask(name);
	auto_free char *other = xasprintf("configmap[%s]", masked);

	put_texts(data);
	if (!json_get(data, PROPERTIES_KEY)) {
		const char *known = text_ends(name, "-prom-conf") ? "prometheus" : other;

		set_numbered(out, json_get(data, TEMPLATE_KEY) ? "executor-template" : known, map);
		return;
	}
	executor_template = json_take(data, TEMPLATE_KEY);
	if (executor_template) {
		struct json *second = json_dup(map);

		json_set(json_set(second, "data", json_new_object()), TEMPLATE_KEY, executor_template);
		set_numbered(out, "executor-template", second);
	}
	set_numbered(out, "properties", map);
}

/* The driver's uid is the API server's to give. */
static void mask_owner(struct json *pod)
{
	json_each (owner, json_at(pod, "metadata.ownerReferences"))
		if (text_eq(json_str(owner, "kind", NULL), "Pod") && json_get(owner, "uid"))
			json_set_str(owner, "uid", "<uid>");
}

/* SPARK_JAVA_OPT_N of a property: N comes from the order of a hash table (BasicExecutorFeatureStep), the property's
 * name does as well. */
static void mask_java_options(struct json *pod)
{
	json_each (container, json_at(pod, "spec.containers"))
		json_each (env, json_get(container, "env")) {
			const char *value = json_str(env, "value", "");

			if (text_starts(json_str(env, "name", NULL), "SPARK_JAVA_OPT_") &&
			    text_starts(value, "-Dspark."))
				json_setf(env, "name", "SPARK_JAVA_OPT %.*s", (int)strcspn(value, "="), value);
		}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The folders follow from the mounts, whose order comes from a hash table. */
static void sort_local_dirs(struct json *container)
{
	struct json *env = json_find(json_get(container, "env"), "name", "SPARK_LOCAL_DIRS");
	auto_free char *sorted = NULL;
	auto_strv dirs = { 0 };

	if (!json_is(json_get(env, "value"), JSON_STRING))
		return;
	strv_split(&dirs, json_str(env, "value", ""), ',');
	if (dirs.len < 2)
		return;
	qsort(dirs.items, dirs.len, sizeof(*dirs.items), by_text);
	sorted = strv_join(&dirs, ",");
	json_set_str(env, "value", sorted);
}

/* A quantity may be written as a number. */
static void print_quantities(struct json *container, const char *path)
{
	struct json *quantities = json_at(container, path), *next;

	for (struct json *q = json_first(quantities); q; q = next) {
		auto_free char *text = json_is(q, JSON_NUMBER) ? json_print(q) : NULL;

		next = json_next(q);
		json_set_str(quantities, json_name(q), text);
	}
}

/* What means the same when it is left out, and which Go's encoding/json leaves out (omitempty). */
static const struct {
	const char *path; /* of lists of the pod spec, and members of their elements; "*" is each container */
	const char *member;
	enum json_type type; /* of its zero value */
} zeros[] = {
	{ "volumes", "persistentVolumeClaim.readOnly", JSON_BOOL },
	{ "volumes", "emptyDir.medium", JSON_STRING },
	{ "volumes", "hostPath.type", JSON_STRING },
	{ "*volumeMounts", "readOnly", JSON_BOOL },
	{ "*volumeMounts", "subPath", JSON_STRING },
	{ "*volumeMounts", "subPathExpr", JSON_STRING },
	{ "*env", "value", JSON_STRING },
	{ "containers", "resources", JSON_OBJECT },
	{ "initContainers", "resources", JSON_OBJECT },
};

static bool is_zero(const struct json *value, enum json_type type)
{
	if (!json_is(value, type) || type == JSON_BOOL)
		return json_is(value, type) && !json_true(value);
	return type == JSON_STRING ? text_empty(json_text(value, "")) : json_len(value) == 0;
}

static void drop_member(struct json *item, const char *path, enum json_type type)
{
	const char *dot = strchr(path, '.');
	auto_free char *parent = xstrndup(path, dot ? (size_t)(dot - path) : 0);
	struct json *object = dot ? json_get(item, parent) : item;
	const char *name = dot ? dot + 1 : path;

	if (is_zero(json_get(object, name), type))
		json_remove(object, name);
}

static void drop_zeros(struct json *pod)
{
	struct json *spec = json_get(pod, "spec");

	for (size_t i = 0; i < array_len(zeros); i++) {
		if (zeros[i].path[0] != '*') {
			json_each (item, json_get(spec, zeros[i].path))
				drop_member(item, zeros[i].member, zeros[i].type);
			continue;
		}
		json_each (container, json_get(spec, "containers"))
			json_each (item, json_get(container, zeros[i].path + 1))
				drop_member(item, zeros[i].member, zeros[i].type);
	}
}

static void put_containers(struct json *pod)
{
	json_each (container, json_at(pod, "spec.containers")) {
		sort_local_dirs(container);
		print_quantities(container, "resources.requests");
		print_quantities(container, "resources.limits");
	}
}

static const struct {
	const char *kind;
	const char *name;
	bool many; /* several objects of this role, distinguished by their names */
} kinds[] = {
	{ "Pod", "driver", false },
	{ "PersistentVolumeClaim", "claim", true },
	{ "Secret", "secret", true },
	{ "NetworkPolicy", "network-policy", false },
};

/* Takes object. */
static void put_object(struct json *out, struct json *object, bool terse)
{
	const char *kind = json_str(object, "kind", "");
	auto_free char *masked = compare_mask(json_str(object, "metadata.name", ""));
	auto_free char *name = xasprintf("%s[%s]", kind, masked);

	if (text_eq(kind, "ConfigMap")) {
		put_configmap(out, object);
		return;
	}
	if (text_eq(kind, "Pod"))
		put_containers(object);
	if (text_eq(kind, "Pod") && terse)
		drop_zeros(object);
	if (text_eq(kind, "Service")) {
		bool headless = text_eq(json_str(object, "spec.clusterIP", NULL), "None");

		set_numbered(out, headless ? "service" : "ui-service", object);
		return;
	}
	for (size_t i = 0; i < array_len(kinds); i++) {
		if (!text_eq(kinds[i].kind, kind))
			continue;
		free(name);
		name = kinds[i].many ? xasprintf("%s[%s]", kinds[i].name, masked) : xstrdup(kinds[i].name);
	}
	set_numbered(out, name, object);
}

struct json *compare_form(const struct json *objects, const struct json *executor, bool terse)
{
	struct json *out = json_new_object();

	json_each (object, objects)
		put_object(out, json_dup(object), terse);
	if (executor) {
		struct json *pod = json_set(out, "executor", json_dup(executor));

		put_containers(pod);
		mask_owner(pod);
		mask_java_options(pod);
		if (terse)
			drop_zeros(pod);
	}
	return out;
}
