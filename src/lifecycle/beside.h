/*
 * What objects beside a driver have in common: they belong to the application and serve whichever driver it has.
 */
#ifndef LIFECYCLE_BESIDE_H
#define LIFECYCLE_BESIDE_H

#include "spark/app.h"

/* APP-SUFFIX, or if that is longer than 63 characters a part of APP, a digest and SUFFIX. Owned. */
char *beside_name(const char *app_name, const char *suffix);
/* name, namespace, the application's labels, the application as owner; submission_id: NULL for no such label. Owned. */
struct json *beside_metadata(const struct app *app, const char *submission_id, const char *name);
/* {apiVersion, kind, metadata}; takes metadata. Owned. */
struct json *beside_object(const struct resource *res, struct json *metadata);
/* Selects the driver pod of the application, whichever attempt it is of. */
void beside_select_driver(const struct app *app, struct json *labels);

struct beside_port {
	const char *name; /* where the options name none */
	int64_t port;
	int64_t target;
};

/* A Service with one port; options: type, labels, annotations and name of the port, as sparkUIOptions and
 * driverIngressOptions have them. Owned. */
struct json *beside_service(const struct app *app, const char *submission_id, const char *name,
			    const struct json *options, const struct beside_port *port);

#endif
