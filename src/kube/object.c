/*
 * Cached objects: made once from a tree, never changed, shared by reference.
 *
 * Happy path: kobj_new checks the identity, decodes the view, takes the index value and drops the tree unless the
 * kind keeps it. A tree without name or version is refused; one whose view cannot be made is kept with the reason
 * in `problem`, so that the rest of the cache works and reconcile can say on that one object what is wrong.
 */
#include "kube/object.h"

#include <assert.h>

#include "base/text.h"

/* A view that failed is remembered, not returned: see `problem`. */
static void make_view(struct kobj *o, const struct json *tree)
{
	struct err err = { 0 };

	if (!o->kind->view_new)
		return;
	o->view = o->kind->view_new(tree, &err);
	if (!o->view)
		o->problem = xstrdup(err.msg);
}

struct kobj *kobj_new(const struct kind *kind, struct json *tree, struct err *err)
{
	auto_json owned = tree;
	const char *ns = json_str(tree, "metadata.namespace", "");
	const char *name = json_str(tree, "metadata.name", NULL);
	const char *version = json_str(tree, "metadata.resourceVersion", NULL);
	struct kobj *o;

	if (text_empty(name)) {
		err_set(err, ERR_INVALID, "%s: metadata.name: missing", kind->res->kind);
		return NULL;
	}
	if (text_empty(version)) {
		err_set(err, ERR_INVALID, "%s %s: metadata.resourceVersion: missing", kind->res->kind, name);
		return NULL;
	}
	o = xcalloc(1, sizeof(*o));
	o->refs = 1;
	o->kind = kind;
	o->key = ns[0] ? xasprintf("%s/%s", ns, name) : xstrdup(name);
	o->ns = xstrdup(ns);
	o->name = xstrdup(name);
	o->uid = xstrdup(json_str(tree, "metadata.uid", ""));
	o->resource_version = xstrdup(version);
	o->index = kind->index ? kind->index(tree) : NULL;
	make_view(o, tree);
	if (kind->keep_tree)
		o->tree = take_ptr(owned);
	return o;
}

struct kobj *kobj_ref(struct kobj *o)
{
	assert(o->refs > 0);
	o->refs++;
	return o;
}

void kobj_unref(struct kobj *o)
{
	if (!o)
		return;
	assert(o->refs > 0);
	if (--o->refs > 0)
		return;
	if (o->view)
		o->kind->view_free(o->view);
	json_free(o->tree);
	free(o->key);
	free(o->ns);
	free(o->name);
	free(o->uid);
	free(o->resource_version);
	free(o->index);
	free(o->problem);
	free(o);
}
