/*
 * Which Kubernetes the API server is: asked once, and a warning if it is older than the oldest that is tested.
 */
#ifndef APP_SERVER_VERSION_H
#define APP_SERVER_VERSION_H

#include "base/sched.h"
#include "kube/api.h"

/* The oldest Kubernetes that the tests run: reason and fieldPath of the rules in our CRDs are of 1.28
 * (kubernetes#118041). The chart's kubeVersion and the documentation say the same (tests/check/kubernetes). */
enum { KUBERNETES_MAJOR = 1, KUBERNETES_OLDEST_MINOR = 28 };

struct server_version;

/* api and sched are borrowed. */
struct server_version *server_version_new(struct api *api, struct sched *sched);
/* Asks until it is answered. Nothing depends on the answer. */
void server_version_start(struct server_version *v);
/* Such as "v1.34.4"; NULL: not known yet. Borrowed. */
const char *server_version_text(const struct server_version *v);
/* Cancels a call that is under way, without a callback. NULL is fine. */
void server_version_free(struct server_version *v);

#endif
