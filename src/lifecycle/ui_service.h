/*
 * The Service in front of the driver's web UI. It is not part of a submission. The application runs without it too.
 */
#ifndef LIFECYCLE_UI_SERVICE_H
#define LIFECYCLE_UI_SERVICE_H

#include "spark/app.h"

/* Builds the Service. NULL if the application's UI is switched off. Owned. */
struct json *ui_service_build(const struct app *app, const char *submission_id);
/* APP-ui-svc, shortened by kubeflow's rule if that is too long. Owned. */
char *ui_service_name(const char *app_name);
/* The port of the Service. */
int64_t ui_service_port(const struct app *app);
/* Sets the Service's name, port and address in driver_info. address: the Service's clusterIP, "" if it has none. */
void ui_service_report(const struct app *app, const char *address, struct json *driver_info);

#endif
