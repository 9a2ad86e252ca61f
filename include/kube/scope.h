/*
 * The namespaces that are watched where a label selector says which: those that are listed, and those that match.
 * Stores of the whole cluster on one side, on the other those that everybody else reads, with the objects of watched
 * namespaces only.
 */
#ifndef KUBE_SCOPE_H
#define KUBE_SCOPE_H

#include "kube/selector.h"
#include "kube/store.h"

/* The kind of the store of namespaces: drops the tree, view is the labels as JSON. */
extern const struct kind scope_namespace_kind;

struct scope;

/* Borrows selector for the scope's life; the names are copied. */
struct scope *scope_new(const char *const *listed, size_t count, const struct selector *selector);
void scope_free(struct scope *s); /* NULL is fine; before the stores that were added */
/* For an informer of all namespaces. */
struct store *scope_namespaces(const struct scope *s);
/* inner gets the watched part of what is in the store that is returned, which is for an informer of the whole
 * cluster. When a namespace begins to match, stores are filled in the order in which they were added. */
struct store *scope_add(struct scope *s, struct store *inner);
bool scope_has(const struct scope *s, const char *ns);

#endif
