/*
 * What the companions of a driver have in common: they belong to the application and serve whichever driver it has.
 */
#ifndef LIFECYCLE_COMPANION_OBJECT_H
#define LIFECYCLE_COMPANION_OBJECT_H

#include "spark/app.h"

/* Returns APP-SUFFIX. If that is longer than 63 characters, returns the beginning of APP, a digest and SUFFIX.
 * Owned. */
char *companion_name(const char *app_name, const char *suffix);
/* Returns metadata with name, namespace, the application's labels and the application as owner. submission_id: NULL for
 * no label with it. Owned. */
struct json *companion_metadata(const struct app *app, const char *submission_id, const char *name);
/* Returns {apiVersion, kind, metadata}. Takes metadata. Owned. */
struct json *companion_object(const struct resource *res, struct json *metadata);
/* Adds the labels that select the application's driver pod, of whichever attempt. */
void companion_select_driver(const struct app *app, struct json *labels);

struct companion_port {
	const char *name; /* used if the options name none */
	int64_t port;
	int64_t target;
};

/* Returns a Service with one port. options: sparkUIOptions or an entry of driverIngressOptions, which give the type,
 * the labels, the annotations and the name of the port. Owned. */
struct json *companion_service(const struct app *app, const char *submission_id, const char *name,
			       const struct json *options, const struct companion_port *port);

#endif
