/*
 * Builds the Ingresses in front of a driver (kubeflow web_ui.go, configWebUI, createWebUIIngress; driveringress.go),
 * and the Services of further driver ports.
 *
 * Happy path: the URL (ui_url.c) gives host and path. If there is a path, an annotation makes nginx remove it from
 * requests, and a property (app_conf.c) makes Spark put it in front of its links. Unlike kubeflow's operator,
 * serviceLabels are added to the operator's labels and do not replace them.
 *
 * Failure modes: nothing fails here. The API server refuses an object that is not valid when it is created.
 */
#include "lifecycle/ingress.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "companion_object.h"
#include "ui_service.h"
#include "spark/ui_url.h"

#define PATTERN	    "(/|$)(.*)"
#define REWRITE_KEY "nginx.ingress.kubernetes.io/rewrite-target"

/* ---- Ingresses ---- */

struct backend {
	const char *service;
	int64_t port;
	const struct json *options; /* sparkUIOptions, or an entry of driverIngressOptions */
};

/* The member of the application's options, or the operator's value if the application has none. */
static const struct json *own_option_or(const struct json *options, const char *member, const struct json *common)
{
	const struct json *own = json_get(options, member);

	return json_len(own) > 0 ? own : common;
}

/* What a pattern of the user's own is rewritten to, is the user's to say, unless it is the one that is made here. */
static void add_ingress_annotations(struct json *metadata, const struct json *annotations, const struct ui_url *url)
{
	if (json_len(annotations) > 0)
		json_set(metadata, "annotations", json_dup(annotations));
	if (url->pattern ? text_ends(url->pattern, PATTERN) && !json_get(annotations, REWRITE_KEY) : *url->base != '\0')
		json_set_str(json_ensure_object(metadata, "annotations"), REWRITE_KEY, "/$2");
}

static void add_ingress_rule(struct json *spec, const struct ui_url *url, const struct backend *backend)
{
	struct json *rule = json_append(json_ensure_array(spec, "rules"), json_new_object());
	struct json *http, *path, *service;

	if (*url->host)
		json_set_str(rule, "host", url->host);
	http = json_ensure_object(rule, "http");
	path = json_append(json_ensure_array(http, "paths"), json_new_object());
	if (url->pattern)
		json_set_str(path, "path", url->pattern);
	else if (*url->base)
		json_setf(path, "path", "%s" PATTERN, url->base);
	else if (*url->path)
		json_set_str(path, "path", "/");
	json_set_str(path, "pathType", "ImplementationSpecific");
	service = json_ensure_object(json_ensure_object(path, "backend"), "service");
	json_set_str(service, "name", backend->service);
	json_set_i64(json_ensure_object(service, "port"), "number", backend->port);
}

/* Takes metadata. */
static struct json *build_ingress(struct json *metadata, const struct ui_url *url, const struct backend *backend,
				  const struct ingress_options *o)
{
	const struct json *tls = own_option_or(backend->options, "ingressTLS", o->tls);
	struct json *ingress, *spec;

	add_ingress_annotations(metadata, own_option_or(backend->options, "ingressAnnotations", o->annotations), url);
	ingress = companion_object(&resource_ingress, metadata);
	spec = json_ensure_object(ingress, "spec");
	if (!text_empty(o->class_name))
		json_set_str(spec, "ingressClassName", o->class_name);
	add_ingress_rule(spec, url, backend);
	if (json_len(tls) > 0)
		json_set(spec, "tls", json_dup(tls));
	return ingress;
}

char *ingress_ui_name(const char *app_name)
{
	return companion_name(app_name, "ui-ingress");
}

struct json *ingress_ui_build(const struct app *app, const char *submission_id, const char *app_id,
			      const struct ingress_options *o)
{
	auto_free char *name = ingress_ui_name(app->name), *service = ui_service_name(app->name);
	const struct backend backend = { service, ui_service_port(app), json_at(app->tree, "spec.sparkUIOptions") };
	struct ui_url url;
	struct json *ingress;

	ui_url_init(&url, o->url_format, app, app_id);
	ingress = build_ingress(companion_metadata(app, submission_id, name), &url, &backend, o);
	ui_url_done(&url);
	return ingress;
}

void ingress_ui_report(const struct app *app, const char *app_id, const struct ingress_options *o,
		       struct json *driver_info)
{
	auto_free char *name = ingress_ui_name(app->name);
	struct ui_url url;

	ui_url_init(&url, o->url_format, app, app_id);
	json_set_str(driver_info, "webUIIngressName", name);
	json_set_str(driver_info, "webUIIngressAddress", url.text);
	ui_url_done(&url);
}

/* ---- further ports of the driver ---- */

static long long entry_port(const struct json *entry)
{
	return (long long)json_i64(entry, "servicePort", 0);
}

char *ingress_driver_service_name(const struct app *app, const struct json *entry)
{
	return xasprintf("%s-driver-%lld", app->name, entry_port(entry));
}

char *ingress_driver_name(const struct app *app, const struct json *entry)
{
	return xasprintf("%s-ing-%lld", app->name, entry_port(entry));
}

struct json *ingress_driver_service_build(const struct app *app, const char *submission_id, const struct json *entry)
{
	auto_free char *name = ingress_driver_service_name(app, entry);
	auto_free char *port_name = xasprintf("driver-ing-%lld", entry_port(entry));
	const struct companion_port port = { port_name, entry_port(entry), entry_port(entry) };

	return companion_service(app, submission_id, name, entry, &port);
}

struct json *ingress_driver_build(const struct app *app, const char *submission_id, const char *app_id,
				  const struct json *entry, const struct ingress_options *o)
{
	auto_free char *name = ingress_driver_name(app, entry), *service = ingress_driver_service_name(app, entry);
	const struct backend backend = { service, entry_port(entry), entry };
	struct ui_url url;
	struct json *ingress;

	ui_url_init(&url, json_str(entry, "ingressURLFormat", ""), app, app_id);
	ingress = build_ingress(companion_metadata(app, submission_id, name), &url, &backend, o);
	ui_url_done(&url);
	return ingress;
}
