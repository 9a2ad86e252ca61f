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

/* On a CRD: its number, which grows with every change. Without it, it is another operator's or older than that. */
#define ANNOTATION_CRDS_VERSION "sparkoperator.k8s.io/crds-version"

/* Compact JSON, ended by NULL. */
extern const char *const crds_data[];

/* One of them as a tree. Owned. */
struct json *crds_parse(const char *text);

/* `spark-operator crds`: all of them, as YAML, or with --output json as one List. Returns the exit code. */
int crds_print(const struct options *o, FILE *out);

/* ---- keeping them up to date: --upgrade-crds, the leader's work ---- */

struct crd_upgrade;

/* All borrowed. */
struct crd_upgrade *crd_upgrade_new(struct api *api, struct sched *sched);
/* Reads each CRD, once: creates one that is missing, applies ours over one that is older or another operator's,
 * leaves a newer one alone. Tries again for as long as it is refused. */
void crd_upgrade_start(struct crd_upgrade *all);
/* For /debug/state: by plural, {"state", "found", "version", "problem"}. Owned. */
struct json *crd_upgrade_debug(const struct crd_upgrade *all);
/* Silent. NULL is fine. */
void crd_upgrade_free(struct crd_upgrade *all);

#endif
