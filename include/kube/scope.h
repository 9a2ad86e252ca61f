/*
 * The namespaces that are watched if there is a label selector for them: those that are listed, and those that match.
 * It fills inner stores, which hold the objects of watched namespaces only, from outer stores of the whole cluster.
 */
#ifndef KUBE_SCOPE_H
#define KUBE_SCOPE_H

#include "kube/selector.h"
#include "kube/store.h"

/* The kind of the store of namespaces. It drops the tree; the view is the labels as JSON. */
extern const struct kind scope_namespace_kind;

struct scope;

/* Borrows selector for the scope's life; the names are copied. */
struct scope *scope_new(const char *const *listed, size_t count, const struct selector *selector);
/* To be called after what fills its stores is gone; NULL is accepted. */
void scope_free(struct scope *s);
/* The store of namespaces, for an informer. */
struct store *scope_namespaces(const struct scope *s);
/* Returns the outer store of `inner`, for an informer of the whole cluster. inner gets those of its objects whose
 * namespace is watched. When a namespace begins to match, inner stores are filled in the order in which they were
 * added. */
struct store *scope_add(struct scope *s, struct store *inner);
bool scope_has(const struct scope *s, const char *ns);

#endif
