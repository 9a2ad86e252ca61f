/*
 * Objects beside an application without which it runs as well: UI Service and UI Ingress, Services and Ingresses of
 * further driver ports, the driver's PodDisruptionBudget. Each is created for itself, and tried again for itself.
 */
#ifndef LIFECYCLE_EXTRAS_H
#define LIFECYCLE_EXTRAS_H

#include "kube/plan.h"
#include "lifecycle/driver_pdb.h"
#include "lifecycle/ingress.h"

struct extras_options {
	bool ui_service;
	bool driver_pdb;
	const struct ingress_options *ingress;
};

/* What the objects are made for. All borrowed. */
struct extras_site {
	const struct app *app;
	const char *submission_id;
	const char *app_id; /* Spark's: "spark-…" */
	const char *driver_pod;
	struct extras_options options;
};

enum extra_type { EXTRA_UI_SERVICE, EXTRA_UI_INGRESS, EXTRA_DRIVER_SERVICE, EXTRA_DRIVER_INGRESS, EXTRA_DRIVER_PDB };

struct extra {
	enum extra_type type;
	const struct resource *res;
	char *name;
	const struct json *entry; /* of spec.driverIngressOptions; borrowed */
};

struct extras {
	struct extra *items;
	size_t len;
};

/* Those that the application gets, in the order in which they are to be created. */
void extras_list(struct extras *ret, const struct extras_site *site);
void extras_done(struct extras *x);
#define auto_extras __attribute__((cleanup(extras_done))) struct extras
/* The object. Owned. */
struct json *extras_build(const struct extras_site *site, const struct extra *extra);
/* Whether the status tells of that one. driver_info: of the status. */
bool extras_is_told(const struct app *app, const struct json *driver_info, const struct resource *res,
		    const char *name);

/* What this run of the operator knows of one that it has tried to create. */
struct extra_sighting {
	const struct resource *res;
	const char *name;
	const char *address; /* created: clusterIP of a Service, "" if it has none; NULL: not yet */
	const char *problem; /* why the last try failed; NULL: it did not */
	int64_t failed_ms;   /* … and when */
	unsigned failures;   /* in a row */
};

/* How long not to try again after so many failures in a row, the last of them so long ago; 0: try. */
int64_t extras_rest_ms(unsigned failures, int64_t ago_ms);

/* One look at an application whose driver is coming or there. All borrowed. */
struct extras_view {
	struct extras_site site;
	const struct extra_sighting *seen;
	size_t seen_count;
	const struct driver_pdb *pdb; /* NULL: there is none */
	const struct json *driver_info;
	int64_t now_ms;
};

/* Those that are to be created now. What failed lately has to wait: *plan gets the time to look again. */
void extras_due(struct extras *ret, const struct extras_view *view, struct plan *plan);
/* Their creations, and a warning about what has failed twice in a row: once may be a reply that was lost. */
void extras_create(const struct extras *due, const struct extras_view *view, struct plan *plan);
/* What the status says of those that have been created and that it does not tell of yet. */
void extras_tell(const struct extras_view *view, struct json *driver_info);

#endif
