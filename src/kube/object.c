/*
 * Cached objects: made once from a tree, never changed, shared by reference.
 *
 * Happy path: kobj_new checks the identity, decodes the view, takes the index value and drops the tree unless the
 * kind keeps it. A tree without name or version is refused. If the view cannot be made, the object is kept with the
 * reason in `problem`: the rest of the cache works, and reconcile can report on that object what is wrong.
 */
#include "kube/object.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

struct json *object_parse(const char *text, size_t len, struct err *err)
{
	return json_parse_without(text, len, "metadata", "managedFields", err);
}

/* Removes the annotation that `kubectl apply` writes. It is a copy of nearly the whole object. */
static void drop_last_applied(struct json *tree)
{
	json_remove(json_at(tree, "metadata.annotations"), "kubectl.kubernetes.io/last-applied-configuration");
}

/* If the view cannot be made, the reason is kept in `problem`. */
static void make_view(struct kobj *o, const struct json *tree)
{
	struct err err = { 0 };

	if (!o->kind->view_new)
		return;
	o->view = o->kind->view_new(tree, &err);
	if (!o->view)
		o->problem = xstrdup(err.msg);
}

/* Copies text to *room and moves that behind it. */
static char *put_text(char **room, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = memcpy(*room, text, size);

	*room += size;
	return copy;
}

/* The object and its texts are one block of memory. */
static struct kobj *block_new(const char *ns, const char *name, const char *uid, const char *version)
{
	size_t name_size = strlen(name) + 1, ns_size = strlen(ns) + 1;
	struct kobj *o = xcalloc(1, sizeof(*o) + 2 * ns_size + name_size + strlen(uid) + strlen(version) + 2);
	char *room = (char *)(o + 1);

	o->ns = put_text(&room, ns);
	o->uid = put_text(&room, uid);
	o->resource_version = put_text(&room, version);
	o->key = room;
	if (ns[0]) {
		put_text(&room, ns);
		room[-1] = '/';
	}
	o->name = put_text(&room, name);
	return o;
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
	o = block_new(ns, name, json_str(tree, "metadata.uid", ""), version);
	o->refs = 1;
	o->kind = kind;
	o->index = kind->index ? kind->index(tree) : NULL;
	if (kind->keep_tree)
		drop_last_applied(tree);
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
	free(o->index);
	free(o->problem);
	free(o);
}
