/*
 * The web UI's Service (kubeflow web_ui.go, createWebUIService; pkg/util GetDefaultUIServiceName, generateName).
 *
 * Happy path: the spec says ports, type, labels and annotations; the selector finds whichever driver pod the application
 * has, so one Service serves all attempts. Corrected: serviceLabels join the operator's labels, and there is none for a
 * UI that is switched off. What the API server does not take, it refuses: nothing fails here.
 */
#include "spark/ui_service.h"

#include <string.h>

#include "base/text.h"
#include "digest.h"

#define SUFFIX "ui-svc"

enum {
	NAME_MAX_LEN = 63,
	DEFAULT_PORT = 4040,
	PORT_MAX = 65535,
	RETRY_MS = 1000, /* doubled with each failure … */
	RETRY_MAX_MS = 5 * 60 * 1000,
};

char *ui_service_name(const char *app_name)
{
	auto_free char *name = xasprintf("%s-" SUFFIX, app_name);
	char digest[DIGEST_SHORT_SIZE];
	int room = NAME_MAX_LEN - (int)sizeof("-" SUFFIX) - (int)sizeof(digest) + 1;

	if (strlen(name) <= NAME_MAX_LEN)
		return take_ptr(name);
	return xasprintf("%.*s-%s-" SUFFIX, room, app_name, digest_md5(name, digest));
}

static const struct json *ui_options(const struct app *app)
{
	return json_at(app->tree, "spec.sparkUIOptions");
}

static const char *conf_text(const struct app *app, const char *key)
{
	return json_text(json_get(json_at(app->tree, "spec.sparkConf"), key), "");
}

/* Where the driver listens, as far as sparkConf says. */
static int64_t target_port(const struct app *app)
{
	int64_t port;

	if (text_i64(conf_text(app, "spark.ui.port"), &port) && port > 0 && port <= PORT_MAX)
		return port;
	return DEFAULT_PORT;
}

static int64_t service_port(const struct app *app)
{
	const struct json *options = ui_options(app);

	return json_is(options, JSON_OBJECT) ? json_i64(options, "servicePort", DEFAULT_PORT) : target_port(app);
}

static struct json *metadata(const struct app *app, const char *submission_id)
{
	const struct json *annotations = json_get(ui_options(app), "serviceAnnotations");
	struct json *out = json_new_object(), *labels;
	auto_free char *name = ui_service_name(app->name);

	json_set_str(out, "name", name);
	json_set_str(out, "namespace", app->ns ? app->ns : "default");
	labels = json_ensure_object(out, "labels");
	json_each (label, json_get(ui_options(app), "serviceLabels"))
		json_set_str(labels, json_name(label), json_text(label, ""));
	json_set_str(labels, LABEL_APP_NAME, app->name);
	json_set_str(labels, LABEL_SUBMISSION_ID, submission_id);
	json_set_str(labels, LABEL_CREATED_BY, "true");
	if (json_len(annotations) > 0)
		json_set(out, "annotations", json_dup(annotations));
	json_append(json_ensure_array(out, "ownerReferences"),
		    resource_owner_reference(&resource_sparkapplication, app->name, app->uid, true));
	return out;
}

struct json *ui_service_build(const struct app *app, const char *submission_id)
{
	const struct json *options = ui_options(app);
	struct json *service, *spec, *port, *selector;
	char version[API_VERSION_SIZE];

	if (strcasecmp(conf_text(app, "spark.ui.enabled"), "false") == 0)
		return NULL;
	service = json_new_object();
	json_set_str(service, "apiVersion", resource_api_version(&resource_service, version));
	json_set_str(service, "kind", resource_service.kind);
	json_set(service, "metadata", metadata(app, submission_id));
	spec = json_ensure_object(service, "spec");
	json_set_str(spec, "type", json_str(options, "serviceType", "ClusterIP"));
	selector = json_ensure_object(spec, "selector");
	json_set_str(selector, LABEL_APP_NAME, app->name);
	json_set_str(selector, LABEL_SPARK_ROLE, "driver");
	port = json_append(json_ensure_array(spec, "ports"), json_new_object());
	json_set_str(port, "name", json_str(options, "servicePortName", "spark-driver-ui-port"));
	json_set_str(port, "protocol", "TCP");
	json_set_i64(port, "port", service_port(app));
	json_set_i64(port, "targetPort", target_port(app));
	return service;
}

int64_t ui_service_rest_ms(unsigned failures, int64_t ago_ms)
{
	int64_t delay_ms = RETRY_MS;

	if (failures == 0)
		return 0;
	for (unsigned i = 1; i < failures && delay_ms < RETRY_MAX_MS; i++)
		delay_ms *= 2;
	if (delay_ms > RETRY_MAX_MS)
		delay_ms = RETRY_MAX_MS;
	if (ago_ms < 0)
		return delay_ms;
	return ago_ms < delay_ms ? delay_ms - ago_ms : 0;
}

void ui_service_tell(const struct app *app, const char *address, struct json *driver_info)
{
	auto_free char *name = ui_service_name(app->name);
	int64_t port = service_port(app);

	json_set_str(driver_info, "webUIServiceName", name);
	json_set_i64(driver_info, "webUIPort", port);
	if (*address)
		json_setf(driver_info, "webUIAddress", "%s:%lld", address, (long long)port);
}
