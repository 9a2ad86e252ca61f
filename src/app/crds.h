/*
 * The CustomResourceDefinitions of the folder crds/, which are part of the program: `spark-operator crds` prints
 * them, and the leader keeps those of the cluster up to date.
 */
#ifndef APP_CRDS_H
#define APP_CRDS_H

#include <stdio.h>

#include "base/sched.h"
#include "kube/api.h"
#include "options/options.h"

/* The annotation that holds the number of a CRD, which grows with every change of the CRD. A CRD without the annotation
 * is another operator's, or is older than the annotation. */
#define ANNOTATION_CRDS_VERSION "sparkoperator.k8s.io/crds-version"

/* The CRDs as compact JSON. NULL ends the array. */
extern const char *const crds_data[];

/* Parses one text of crds_data. Owned. */
struct json *crds_parse(const char *text);

/* The command `spark-operator crds`: prints all CRDs as YAML, or with --output json as one List. Returns the exit
 * code. */
int crds_print(const struct options *o, FILE *out);

/* ---- keeping them up to date: --upgrade-crds, the leader's work ---- */

struct crd_upgrade;

/* api and sched are borrowed. */
struct crd_upgrade *crd_upgrade_new(struct api *api, struct sched *sched);
/* Reads each CRD once. Creates a CRD that is missing, applies ours over one that is older or another operator's, and
 * leaves a newer one alone. Whatever fails is tried again. */
void crd_upgrade_start(struct crd_upgrade *all);
/* For /debug/state: by plural, {"state", "found", "version", "problem"}. Owned. */
struct json *crd_upgrade_debug(const struct crd_upgrade *all);
/* Cancels calls that are under way, without a callback. NULL is fine. */
void crd_upgrade_free(struct crd_upgrade *all);

#endif
