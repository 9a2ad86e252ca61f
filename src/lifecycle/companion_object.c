/*
 * Builds what all companions have in common: their names, their metadata and the form of their Services (kubeflow
 * createDriverIngressService, pkg/util generateName, GetResourceLabels).
 *
 * Happy path: the application gives the names and labels, and its options give the rest. Unlike kubeflow's operator,
 * serviceLabels are added to the operator's labels and do not replace them.
 *
 * Failure modes: nothing fails here. The API server refuses an object that is not valid when it is created.
 */
#include "companion_object.h"

#include <string.h>

#include "base/text.h"
#include "spark/digest.h"

enum { NAME_MAX_LEN = 63 };

char *companion_name(const char *app_name, const char *suffix)
{
	auto_free char *name = xasprintf("%s-%s", app_name, suffix);
	char digest[DIGEST_SHORT_SIZE];
	int room = NAME_MAX_LEN - (int)strlen(suffix) - (int)sizeof(digest) - 1;

	if (strlen(name) <= NAME_MAX_LEN)
		return take_ptr(name);
	return xasprintf("%.*s-%s-%s", room, app_name, digest_md5(name, digest), suffix);
}

struct json *companion_metadata(const struct app *app, const char *submission_id, const char *name)
{
	struct json *out = json_new_object(), *labels;

	json_set_str(out, "name", name);
	json_set_str(out, "namespace", app->ns ? app->ns : "default");
	labels = json_ensure_object(out, "labels");
	json_set_str(labels, LABEL_APP_NAME, app->name);
	json_set_str(labels, LABEL_SUBMISSION_ID, submission_id);
	json_append(json_ensure_array(out, "ownerReferences"),
		    resource_owner_reference(&resource_sparkapplication, app->name, app->uid, true));
	return out;
}

struct json *companion_object(const struct resource *res, struct json *metadata)
{
	struct json *object = json_new_object();
	char version[API_VERSION_SIZE];

	json_set_str(object, "apiVersion", resource_api_version(res, version));
	json_set_str(object, "kind", res->kind);
	json_set(object, "metadata", metadata);
	return object;
}

void companion_select_driver(const struct app *app, struct json *labels)
{
	json_set_str(labels, LABEL_APP_NAME, app->name);
	json_set_str(labels, LABEL_SPARK_ROLE, "driver");
}

static void add_service_labels(struct json *metadata, const struct json *options)
{
	struct json *labels = json_get(metadata, "labels");

	json_each (label, json_get(options, "serviceLabels"))
		if (!json_get(labels, json_name(label)))
			json_set_str(labels, json_name(label), json_text(label, ""));
}

struct json *companion_service(const struct app *app, const char *submission_id, const char *name,
			       const struct json *options, const struct companion_port *port)
{
	struct json *metadata = companion_metadata(app, submission_id, name), *service, *spec, *item;
	const struct json *annotations = json_get(options, "serviceAnnotations");

	json_set_str(json_get(metadata, "labels"), LABEL_CREATED_BY, "true");
	add_service_labels(metadata, options);
	if (json_len(annotations) > 0)
		json_set(metadata, "annotations", json_dup(annotations));
	service = companion_object(&resource_service, metadata);
	spec = json_ensure_object(service, "spec");
	json_set_str(spec, "type", json_str(options, "serviceType", "ClusterIP"));
	companion_select_driver(app, json_ensure_object(spec, "selector"));
	item = json_append(json_ensure_array(spec, "ports"), json_new_object());
	json_set_str(item, "name", json_str(options, "servicePortName", port->name));
	json_set_str(item, "protocol", "TCP");
	json_set_i64(item, "port", port->port);
	json_set_i64(item, "targetPort", port->target);
	return service;
}
