/*
 * Builds the Service of the web UI (kubeflow web_ui.go, createWebUIService; pkg/util GetDefaultUIServiceName).
 *
 * Happy path: the spec gives ports, type, labels and annotations. The selector matches the driver pod of any attempt,
 * so one Service serves all attempts. Unlike kubeflow's operator, an application whose UI is switched off gets no
 * Service.
 *
 * Failure modes: nothing fails here. The API server refuses an object that is not valid when it is created.
 */
#include "ui_service.h"

#include <string.h>

#include "base/text.h"
#include "companion_object.h"
#include "spark/conf.h"

enum {
	DEFAULT_PORT = 4040,
	PORT_MAX = 65535,
};

char *ui_service_name(const char *app_name)
{
	return companion_name(app_name, "ui-svc");
}

static const struct json *ui_options(const struct app *app)
{
	return json_at(app->tree, "spec.sparkUIOptions");
}

/* The port on which the driver's UI listens: spark.ui.port, or Spark's default. */
static int64_t target_port(const struct app *app)
{
	int64_t port = conf_i64(json_at(app->tree, "spec.sparkConf"), "spark.ui.port", DEFAULT_PORT);

	return port > 0 && port <= PORT_MAX ? port : DEFAULT_PORT;
}

int64_t ui_service_port(const struct app *app)
{
	const struct json *options = ui_options(app);

	return json_is(options, JSON_OBJECT) ? json_i64(options, "servicePort", DEFAULT_PORT) : target_port(app);
}

struct json *ui_service_build(const struct app *app, const char *submission_id)
{
	const struct companion_port port = { "spark-driver-ui-port", ui_service_port(app), target_port(app) };
	auto_free char *name = NULL;

	if (!conf_has_ui(json_get(app->tree, "spec")))
		return NULL;
	name = ui_service_name(app->name);
	return companion_service(app, submission_id, name, ui_options(app), &port);
}

void ui_service_report(const struct app *app, const char *address, struct json *driver_info)
{
	auto_free char *name = ui_service_name(app->name);
	int64_t port = ui_service_port(app);

	json_set_str(driver_info, "webUIServiceName", name);
	json_set_i64(driver_info, "webUIPort", port);
	if (*address && !text_eq(address, "None")) /* "None": a headless Service */
		json_setf(driver_info, "webUIAddress", "%s:%lld", address, (long long)port);
}
