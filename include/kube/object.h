/*
 * The cached object: immutable, and the only type with a reference count.
 *
 * A `kind` says how a tree becomes a cached object: which fields are decoded into a view, whether the tree is
 * kept (SparkApplications) or dropped (pods: a tree costs 6.5 times its text), and under which value it is indexed.
 */
#ifndef KUBE_OBJECT_H
#define KUBE_OBJECT_H

#include "kube/resource.h"

struct kind {
	const struct resource *res;
	bool keep_tree;
	/* Makes the view of a tree. The object owns it and gives it to view_free. Strings may be borrowed from the tree
	 * only if keep_tree is set. Returns NULL and fills *err on failure. view_new is NULL if the kind has no
	 * view. */
	void *(*view_new)(const struct json *tree, struct err *err);
	void (*view_free)(void *view);
	/* Returns the value under which store_index_next finds the object ("namespace/app"), owned, or NULL. May be
	 * NULL. */
	char *(*index)(const struct json *tree);
};

struct kobj {
	unsigned refs;
	const struct kind *kind;
	char *key; /* "namespace/name", or "name" */
	char *ns;  /* "" if not namespaced */
	char *name;
	char *uid;
	char *resource_version;
	char *index;	   /* or NULL */
	struct json *tree; /* NULL unless kind->keep_tree; without kubectl's last-applied annotation */
	void *view;	   /* NULL if there is none */
	char *problem; /* why the view could not be made; NULL if it could. The object is kept, so that only it fails */
};

/* Parses JSON from an API server, without metadata.managedFields: nobody reads them, and often they are half an
 * object. */
struct json *object_parse(const char *text, size_t len, struct err *err);
/* Takes tree. ERR_INVALID if metadata.name or resourceVersion are missing; then tree is freed. */
struct kobj *kobj_new(const struct kind *kind, struct json *tree, struct err *err);
struct kobj *kobj_ref(struct kobj *o);
void kobj_unref(struct kobj *o); /* NULL is fine */

static inline void kobj_cleanup(struct kobj **o)
{
	kobj_unref(*o);
}
#define auto_kobj __attribute__((cleanup(kobj_cleanup))) struct kobj *

#endif
