/*
 * What the companions of a driver have in common: they belong to the application and serve whichever driver it has.
 */
#ifndef LIFECYCLE_COMPANION_OBJECT_H
#define LIFECYCLE_COMPANION_OBJECT_H

#include "spark/app.h"

/* APP-SUFFIX, or if that is longer than 63 characters a part of APP, a digest and SUFFIX. Owned. */
char *companion_name(const char *app_name, const char *suffix);
/* name, namespace, the application's labels, the application as owner; submission_id: NULL for no such label. Owned. */
struct json *companion_metadata(const struct app *app, const char *submission_id, const char *name);
/* {apiVersion, kind, metadata}; takes metadata. Owned. */
struct json *companion_object(const struct resource *res, struct json *metadata);
/* Selects the driver pod of the application, whichever attempt it is of. */
void companion_select_driver(const struct app *app, struct json *labels);

struct companion_port {
	const char *name; /* where the options name none */
	int64_t port;
	int64_t target;
};

/* A Service with one port; options: type, labels, annotations and name of the port, as sparkUIOptions and
 * driverIngressOptions have them. Owned. */
struct json *companion_service(const struct app *app, const char *submission_id, const char *name,
			       const struct json *options, const struct companion_port *port);

#endif
