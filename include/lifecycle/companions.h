/*
 * Companions: objects of an application without which it runs as well. They are the UI Service and the UI Ingress,
 * Services and Ingresses of further driver ports, and the driver's PodDisruptionBudget. Each is created for itself,
 * and tried again for itself.
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

/* What the objects are made for. All borrowed. */
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
	const struct json *entry; /* of spec.driverIngressOptions; borrowed */
};

struct companions {
	struct companion *items;
	size_t len;
};

/* Those that the application gets, in the order in which they are to be created. */
void companions_list(struct companions *ret, const struct companions_site *site);
void companions_done(struct companions *x);
#define auto_companions __attribute__((cleanup(companions_done))) struct companions
/* The object. Owned. */
struct json *companions_build(const struct companions_site *site, const struct companion *companion);
/* Whether the status reports that one. driver_info: of the status. */
bool companion_is_reported(const struct app *app, const struct json *driver_info, const struct resource *res,
			   const char *name);

/* How long not to try again after so many failures in a row, the last of them so long ago; 0: try. */
int64_t companions_rest_ms(unsigned failures, int64_t ago_ms);

/* One look at an application whose driver is coming or there. All borrowed. */
struct companions_view {
	struct companions_site site;
	const struct outcomes *outcomes; /* of those that this run of the operator has tried to create */
	const struct driver_pdb *pdb;	 /* NULL: there is none */
	const struct json *driver_info;
	int64_t now_ms;
};

/* Those that are to be created now. What failed lately has to wait: *plan gets the time to look again. */
void companions_due(struct companions *ret, const struct companions_view *view, struct plan *plan);
/* Their creations, and a warning about what has failed twice in a row: once may be a reply that was lost. */
void companions_create(const struct companions *due, const struct companions_view *view, struct plan *plan);
/* Puts into driver_info what it does not report yet of those that have been created. */
void companions_report(const struct companions_view *view, struct json *driver_info);
/* Whether the status as it was read reports everything that the outcomes are kept for. */
bool companions_are_reported(const struct app *app, const struct outcomes *outcomes);

#endif
