/*
 * The kinds of objects that the operator reads or writes, and how they are addressed.
 */
#ifndef KUBE_RESOURCE_H
#define KUBE_RESOURCE_H

#include <stdbool.h>

#include "json/json.h"

struct resource {
	const char *group;   /* "" for the core group */
	const char *version; /* "": not of a group; it stands at the root of the API server */
	const char *plural;
	const char *kind;
	bool namespaced;
};

extern const struct resource resource_pod;
extern const struct resource resource_service;
extern const struct resource resource_configmap;
extern const struct resource resource_persistentvolumeclaim;
extern const struct resource resource_networkpolicy;	   /* networking.k8s.io/v1 */
extern const struct resource resource_ingress;		   /* networking.k8s.io/v1 */
extern const struct resource resource_poddisruptionbudget; /* policy/v1 */
extern const struct resource resource_namespace;
extern const struct resource resource_event;		/* core/v1, what `kubectl describe` shows */
extern const struct resource resource_sparkapplication; /* sparkoperator.k8s.io/v1beta2 */
extern const struct resource resource_scheduledsparkapplication;
extern const struct resource resource_sparkconnect; /* sparkoperator.k8s.io/v1alpha1 */
extern const struct resource resource_secret;
extern const struct resource resource_resourcequota;
extern const struct resource resource_lease;		 /* coordination.k8s.io/v1 */
extern const struct resource resource_mutatingwebhook;	 /* admissionregistration.k8s.io/v1 */
extern const struct resource resource_validatingwebhook; /* admissionregistration.k8s.io/v1 */
extern const struct resource resource_crd;		 /* apiextensions.k8s.io/v1 */
extern const struct resource
    resource_server_version; /* /version: one object without a name, which everybody may read */

/* The resource of this kind; NULL if it is not among the above. */
const struct resource *resource_of_kind(const char *kind);

/* "v1", "sparkoperator.k8s.io/v1beta2": for apiVersion. Returns out. */
enum { API_VERSION_SIZE = 128 };
char *resource_api_version(const struct resource *res, char out[API_VERSION_SIZE]);

/*
 * resourceVersions of one resource type are ordered as decimal numbers of any length (KEP-5504). Returns <0, 0, >0.
 * *ret_ok (may be NULL) is false if either is malformed; then only whether they are equal has a meaning.
 */
int resource_version_compare(const char *a, const char *b, bool *ret_ok);

/* {apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true} as metav1.NewControllerRef makes it.
 * With controller false the last two are left out. Owned. */
struct json *resource_owner_reference(const struct resource *res, const char *name, const char *uid, bool controller);

#endif
