/*
 * Companions are objects beside an application, which runs without them as well. They are the UI Service and the UI
 * Ingress, the Services and Ingresses of further driver ports, and the driver's PodDisruptionBudget. Each companion is
 * created on its own, and a failed one is tried again on its own.
 */
#ifndef LIFECYCLE_COMPANIONS_H
#define LIFECYCLE_COMPANIONS_H

#include "kube/outcome.h"
#include "lifecycle/driver_pdb.h"
#include "lifecycle/ingress.h"

struct companions_options {
	bool ui_service;
	bool driver_pdb;
	const struct ingress_options *ingress;
};

/* What companions are built from. All borrowed. */
struct companions_site {
	const struct app *app;
	const char *submission_id;
	const char *app_id; /* Spark's: "spark-…" */
	const char *driver_pod;
	struct companions_options options;
};

enum companion_type {
	COMPANION_UI_SERVICE,
	COMPANION_UI_INGRESS,
	COMPANION_DRIVER_SERVICE,
	COMPANION_DRIVER_INGRESS,
	COMPANION_DRIVER_PDB
};

struct companion {
	enum companion_type type;
	const struct resource *res;
	char *name;
	const struct json *entry; /* its entry of spec.driverIngressOptions, or NULL; borrowed */
};

struct companions {
	struct companion *items;
	size_t len;
};

/* Lists the companions that the application gets, in the order in which they are created. */
void companions_list(struct companions *ret, const struct companions_site *site);
void companions_done(struct companions *x);
#define auto_companions __attribute__((cleanup(companions_done))) struct companions
/* Builds the object of one companion. Owned. */
struct json *companions_build(const struct companions_site *site, const struct companion *companion);
/* Whether the status reports the companion with this resource and name. driver_info: status.driverInfo. */
bool companion_is_reported(const struct app *app, const struct json *driver_info, const struct resource *res,
			   const char *name);

/* How long to wait before the next try, after so many failures in a row of which the last was ago_ms ago. 0: try
 * now. */
int64_t companions_rest_ms(unsigned failures, int64_t ago_ms);

/* What is known of an application whose driver is being created or exists. All borrowed. */
struct companions_view {
	struct companions_site site;
	const struct outcomes *outcomes; /* of the creations that this process has tried */
	const struct driver_pdb *pdb;	 /* the one that exists; NULL: none */
	const struct json *driver_info;
	int64_t now_ms;
	/* By which the spec is checked once more, since it may have been edited, and the operator's limits may be new.
	 * NULL: the submission has just been checked. */
	const struct rule_options *rules;
};

/* Lists the companions that are to be created now. One that has failed lately waits, and plan gets the time of the next
 * look. */
void companions_due(struct companions *ret, const struct companions_view *view, struct plan *plan);
/* Plans the creations, and a warning event for a companion that has failed twice in a row. A single failure may be a
 * reply that was lost. */
void companions_create(const struct companions *due, const struct companions_view *view, struct plan *plan);
/* Adds to driver_info the created companions that it does not report yet. */
void companions_report(const struct companions_view *view, struct json *driver_info);
/* Whether the stored status reports all companions that outcomes has. */
bool companions_are_reported(const struct app *app, const struct outcomes *outcomes);

#endif
