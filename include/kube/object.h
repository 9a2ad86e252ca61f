/*
 * The cached object: immutable, reference-counted, the one type with a count.
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
	/* The view of a tree; owned by the object, which gives it to view_free. Strings may be borrowed from the tree only
	 * if keep_tree. NULL + *err on failure. May be NULL if there is no view. */
	void *(*view_new)(const struct json *tree, struct err *err);
	void (*view_free)(void *view);
	/* Value under which store_index_first finds the object ("namespace/app"); owned text or NULL. May be NULL. */
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
	char *problem;	   /* why the view could not be made, NULL if it could: the object is kept all the same, so that
				 * one bad object fails alone and visibly */
};

/* JSON that an API server sent, without metadata.managedFields: nobody reads them, and often they are half of an object. */
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
