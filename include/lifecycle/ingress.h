/*
 * The ways to reach a driver from outside the cluster: the Ingress of its web UI, and a Service and an Ingress for each
 * entry of spec.driverIngressOptions. They are not part of a submission. The application runs without them too.
 */
#ifndef LIFECYCLE_INGRESS_H
#define LIFECYCLE_INGRESS_H

#include "spark/app.h"

/* The operator's own options for all Ingresses. Borrowed. */
struct ingress_options {
	const char *url_format;		/* URL of web UIs, see spark/ui_url.h; NULL or "": no Ingress for web UIs */
	const char *class_name;		/* NULL or "": the cluster's default class */
	const struct json *tls;		/* list of IngressTLS, for applications without their own; NULL: none */
	const struct json *annotations; /* object of strings, for applications without their own; NULL: none */
};

/* Returns APP-ui-ingress, shortened by companion_name(). Owned. */
char *ingress_ui_name(const char *app_name);
/* Builds the Ingress in front of the UI Service. Owned. */
struct json *ingress_ui_build(const struct app *app, const char *submission_id, const char *app_id,
			      const struct ingress_options *o);
/* Sets the Ingress's name and URL in driver_info. */
void ingress_ui_report(const struct app *app, const char *app_id, const struct ingress_options *o,
		       struct json *driver_info);

/* Names and objects of one entry of spec.driverIngressOptions. Owned. */
char *ingress_driver_service_name(const struct app *app, const struct json *entry);
char *ingress_driver_name(const struct app *app, const struct json *entry);
struct json *ingress_driver_service_build(const struct app *app, const char *submission_id, const struct json *entry);
struct json *ingress_driver_build(const struct app *app, const char *submission_id, const char *app_id,
				  const struct json *entry, const struct ingress_options *o);

#endif
