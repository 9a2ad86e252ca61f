/*
 * Watching by the labels of namespaces (kubeflow pkg/util NamespaceMatcher, --namespace-selector).
 *
 * Happy path: an object of the cluster changes, its namespace is watched, and the same change happens in the inner
 * store. When a namespace begins to match, its objects appear in the inner store as if they had just been created. When
 * it no longer matches, or is gone, they disappear as if they had been deleted; in the cluster nothing happens to them.
 * This corrects kubeflow's operator, which looks at the labels only when an object changes.
 */
#include "kube/scope.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/buf.h"

struct layer {
	struct scope *scope;
	struct store *outer; /* owned */
	struct store *inner;
};

struct scope {
	struct strv listed;
	const struct selector *selector;
	struct store *namespaces;
	struct layer **layers; /* one by one, since stores keep their addresses */
	size_t count;
};

static void *labels_view_new(const struct json *tree, struct err *err)
{
	const struct json *labels = json_at(tree, "metadata.labels");

	(void)err;
	return json_is(labels, JSON_OBJECT) ? json_dup(labels) : json_new_object();
}

static void labels_view_free(void *view)
{
	json_free(view);
}

const struct kind scope_namespace_kind = {
	.res = &resource_namespace,
	.view_new = labels_view_new,
	.view_free = labels_view_free,
};

static bool has_matching_labels(const struct scope *s, const struct kobj *ns)
{
	return ns && selector_matches(s->selector, ns->view);
}

bool scope_has(const struct scope *s, const char *ns)
{
	return strv_has(&s->listed, ns) || has_matching_labels(s, store_get(s->namespaces, ns));
}

static void show_namespace(const struct layer *layer, const char *ns)
{
	struct kobj *o;
	size_t pos = 0;

	while ((o = store_ns_next(layer->outer, ns, &pos)))
		store_upsert(layer->inner, kobj_ref(o));
}

static void hide_namespace(const struct layer *layer, const char *ns)
{
	struct kobj *o;
	size_t pos = 0;

	while ((o = store_ns_next(layer->outer, ns, &pos)))
		store_remove(layer->inner, o->key);
}

static void on_namespace(void *arg, const struct kobj *before, const struct kobj *now)
{
	const struct scope *s = arg;
	const char *ns = now ? now->name : before->name;
	bool was = has_matching_labels(s, before), is = has_matching_labels(s, now);

	if (was == is || strv_has(&s->listed, ns))
		return;
	for (size_t i = 0; i < s->count; i++) {
		if (is)
			show_namespace(s->layers[i], ns);
		else
			hide_namespace(s->layers[i], ns);
	}
}

static void on_object(void *arg, const struct kobj *before, const struct kobj *now)
{
	const struct layer *layer = arg;

	if (!now)
		store_remove(layer->inner, before->key);
	else if (scope_has(layer->scope, now->ns))
		store_upsert(layer->inner, kobj_ref((struct kobj *)now));
}

struct scope *scope_new(const char *const *listed, size_t count, const struct selector *selector)
{
	struct scope *s = xcalloc(1, sizeof(*s));

	for (size_t i = 0; i < count; i++)
		strv_add(&s->listed, listed[i]);
	s->selector = selector;
	s->namespaces = store_new(&scope_namespace_kind);
	store_on_change(s->namespaces, on_namespace, s);
	return s;
}

void scope_free(struct scope *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++) {
		store_free(s->layers[i]->outer);
		free(s->layers[i]);
	}
	free(s->layers);
	store_free(s->namespaces);
	strv_done(&s->listed);
	free(s);
}

struct store *scope_namespaces(const struct scope *s)
{
	return s->namespaces;
}

struct store *scope_add(struct scope *s, struct store *inner)
{
	struct layer *layer = xcalloc(1, sizeof(*layer));

	*layer = (struct layer){ .scope = s, .outer = store_new(store_kind(inner)), .inner = inner };
	store_on_change(layer->outer, on_object, layer);
	s->layers = xreallocarray(s->layers, s->count + 1, sizeof(struct layer *));
	s->layers[s->count++] = layer;
	return layer->outer;
}
