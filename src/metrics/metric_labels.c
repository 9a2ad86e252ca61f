/*
 * Where the values of labels come from, see metric_labels.h. Keys of labels are compared as if they were made names,
 * without making them.
 */
#include "metric_labels.h"

#include <string.h>

#include "base/text.h"

static const char *of_tree(const struct kobj *app, const char *name)
{
	const struct json *labels = app ? json_at(app->tree, "metadata.labels") : NULL;

	if (!json_is(labels, JSON_OBJECT))
		return NULL;
	json_each (label, labels)
		if (metric_name_equals(name, json_name(label)))
			return json_text(label, "");
	return NULL;
}

bool metric_labels_are_alike(const struct strv *names, const struct kobj *a, const struct kobj *b)
{
	for (size_t i = 0; i < names->len; i++)
		if (!text_eq(of_tree(a, names->items[i]), of_tree(b, names->items[i])))
			return false;
	return true;
}

static const char *of_pod(const struct pod_view *pod, const char *name)
{
	for (size_t i = 0; i + 1 < pod->labels.len; i += 2)
		if (metric_name_equals(name, pod->labels.items[i]))
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
