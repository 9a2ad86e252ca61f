/*
 * Whether an object that is there is the one that is wanted.
 */
#ifndef KUBE_LIKENESS_H
#define KUBE_LIKENESS_H

#include "kube/resource.h"

/*
 * Whether found, as the API server has it, is what comes out if wanted is created. Labels and annotations that wanted
 * does not have, and what only the API server sets (metadata, status, defaults), mean nothing. Pods are all alike:
 * other webhooks may change a pod at its creation, so who identifies a pod by its label has said all there is to say.
 */
bool object_is_like(const struct resource *res, const struct json *found, const struct json *wanted);

#endif
