/*
 * The PodDisruptionBudget that keeps a driver pod from being evicted: for applications with
 * spec.driverPodDisruptionBudget, under an operator with --enable-driver-pdb.
 */
#ifndef LIFECYCLE_DRIVER_PDB_H
#define LIFECYCLE_DRIVER_PDB_H

#include "spark/app.h"

#define DRIVER_PDB_SELECTOR LABEL_LAUNCHED_BY "=true"

/* What the cache keeps of a budget. */
struct driver_pdb {
	char *ns;
	char *name;
	char *uid;
	char *owner_uid; /* of its controller, "" if it has none */
};

/* The kind for store and informer: drops the tree, view is struct driver_pdb, index "namespace/app". */
extern const struct kind driver_pdb_kind;

/* Whether the application asks for a budget. */
bool driver_pdb_wanted(const struct app *app);
/* Builds the budget. It has the name of the driver pod. Owned. */
struct json *driver_pdb_build(const struct app *app, const char *driver_pod);

#endif
