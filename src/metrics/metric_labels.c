/*
 * Names of labels and where their values come from, see metric_labels.h.
 *
 * kubeflow's CreateValidMetricNameLabel replaces '-' only, and fails to register what has a '.' or '/'; here everything that may not be
 * in a name is replaced, so that app.kubernetes.io/name works as app_kubernetes_io_name. Keys are compared as they would be
 * written, without writing them.
 */
#include "metric_labels.h"

#include <string.h>

#include "base/text.h"

static const char *const reserved[] = { "le", "quantile" };

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

char *metric_labels_name(const char *prefix, const char *name)
{
	char *out = xasprintf("%s%s", prefix ? prefix : "", name);

	for (char *c = out; *c; c++)
		if (!is_plain(*c))
			*c = '_';
	return out;
}

static bool is_reserved(const char *name)
{
	for (size_t i = 0; i < array_len(reserved); i++)
		if (text_eq(name, reserved[i]))
			return true;
	return text_starts(name, "__") || (*name >= '0' && *name <= '9');
}

int metric_labels_names(const struct strv *given, struct strv *ret, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; given && i < given->len; i++) {
		auto_free char *name = metric_labels_name("", given->items[i]);

		if (!*name)
			continue;
		if (is_reserved(name))
			rc = err_set(err, ERR_INVALID, "\"%s\" cannot be a label of metrics", given->items[i]);
		else if (ret->len == METRIC_LABELS_MAX)
			rc = err_set(err, ERR_INVALID, "more than %d labels of metrics", METRIC_LABELS_MAX);
		else if (!strv_has(ret, name))
			strv_add(ret, name);
	}
	if (ret->len == 0)
		strv_add(ret, "namespace");
	return rc;
}

/* Whether key, made a name, is that name. */
static bool is_named(const char *key, const char *name)
{
	for (; *key && *name; key++, name++)
		if ((is_plain(*key) ? *key : '_') != *name)
			return false;
	return !*key && !*name;
}

static const char *of_tree(const struct kobj *app, const char *name)
{
	const struct json *labels = app ? json_at(app->tree, "metadata.labels") : NULL;

	if (!json_is(labels, JSON_OBJECT))
		return NULL;
	json_each (label, labels)
		if (is_named(json_name(label), name))
			return json_text(label, "");
	return NULL;
}

static const char *of_pod(const struct pod_view *pod, const char *name)
{
	for (size_t i = 0; i + 1 < pod->labels.len; i += 2)
		if (is_named(pod->labels.items[i], name))
			return pod->labels.items[i + 1];
	return NULL;
}

static const char *or_else(const char *value, const char *name, const char *ns)
{
	if (value)
		return value;
	return text_eq(name, "namespace") ? ns : "Unknown";
}

void metric_labels_of_app(const struct strv *names, const struct kobj *app, const char *ret[METRIC_LABELS_MAX + 1])
{
	for (size_t i = 0; i < names->len; i++)
		ret[i] = or_else(of_tree(app, names->items[i]), names->items[i], app->ns);
	ret[names->len] = NULL;
}

void metric_labels_of_pod(const struct strv *names, const struct pod_view *pod, const struct kobj *app,
			  const char *ret[METRIC_LABELS_MAX + 1])
{
	for (size_t i = 0; i < names->len; i++) {
		const char *value = of_pod(pod, names->items[i]);

		ret[i] = or_else(value ? value : of_tree(app, names->items[i]), names->items[i], pod->ns);
	}
	ret[names->len] = NULL;
}
