/*
 * Ways from outside to a driver: the Ingress of its web UI, and Service and Ingress for each of
 * spec.driverIngressOptions. They are no part of a submission: whether they are there or not, the application runs.
 */
#ifndef LIFECYCLE_INGRESS_H
#define LIFECYCLE_INGRESS_H

#include "spark/app.h"

/* What the operator gives to all Ingresses; borrowed. */
struct ingress_options {
	const char *url_format;		/* of web UIs, see spark/ui_url.h; NULL or "": they get no Ingress */
	const char *class_name;		/* NULL or "": the cluster's default class */
	const struct json *tls;		/* list of IngressTLS, for those that have none of their own; NULL: none */
	const struct json *annotations; /* the same, an object of strings */
};

/* APP-ui-ingress, shortened as the name of the UI Service is. Owned. */
char *ingress_ui_name(const char *app_name);
/* The Ingress in front of the UI Service. Owned. */
struct json *ingress_ui_build(const struct app *app, const char *submission_id, const char *app_id,
			      const struct ingress_options *o);
/* Name and URL in driver_info. */
void ingress_ui_report(const struct app *app, const char *app_id, const struct ingress_options *o,
		       struct json *driver_info);

/* Names and objects of one entry of spec.driverIngressOptions. Owned. */
char *ingress_driver_service_name(const struct app *app, const struct json *entry);
char *ingress_driver_name(const struct app *app, const struct json *entry);
struct json *ingress_driver_service_build(const struct app *app, const char *submission_id, const struct json *entry);
struct json *ingress_driver_build(const struct app *app, const char *submission_id, const char *app_id,
				  const struct json *entry, const struct ingress_options *o);

#endif
