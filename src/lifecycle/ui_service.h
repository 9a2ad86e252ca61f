/*
 * The Service in front of the driver's web UI. It is no part of a submission: whether it is there or not, the
 * application runs.
 */
#ifndef LIFECYCLE_UI_SERVICE_H
#define LIFECYCLE_UI_SERVICE_H

#include "spark/app.h"

/* NULL if it has none. Owned. */
struct json *ui_service_build(const struct app *app, const char *submission_id);
/* APP-ui-svc, shortened by kubeflow's rule if that is too long. Owned. */
char *ui_service_name(const char *app_name);
/* The Service's own port. */
int64_t ui_service_port(const struct app *app);
/* Name, port and address in driver_info. address: the Service's clusterIP, "" if it has none. */
void ui_service_report(const struct app *app, const char *address, struct json *driver_info);

#endif
