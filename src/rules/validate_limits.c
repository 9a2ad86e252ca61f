/*
 * Everything by which an author reaches an object beside the pods, held against the operator's limits: fields of the
 * spec, properties that mean the same, pod templates, and the Service of a SparkConnect.
 *
 * Properties are compared as they are written. One that refers to another ("${spark.x}") is none of those allowed.
 * Claims come from properties of volumes on demand (Spark's KubernetesVolumeUtils), and from generic ephemeral volumes
 * of pods. An old annotation names a claim's storage class too, and beats the field (Kubernetes component-helpers
 * storage/volume, GetPersistentVolumeClaimClass).
 */
#include <string.h>

#include "base/text.h"
#include "rules/check.h"
#include "rules/validate.h"
#include "spark/conf.h"
#include "spark/ui_url.h"

#define CLASS_ANNOTATION "volume.beta.kubernetes.io/storage-class"
/* In a URL this stands for the id of a run, of which the author has no choice. */
#define ANY_APP_ID "spark-0"
/* No application has such a name. */
#define NO_APP_NAME "no.name"

/* The names in a map. */
static void check_keys(struct problems *p, const struct limits *l, enum limit_kind kind, const struct json *map,
		       const char *path)
{
	json_each (item, validate_map(map)) {
		auto_free char *at = xasprintf("%s[%s]", path, json_name(item));

		limits_check(p, l, kind, json_name(item), at);
	}
}

/* ---- Ingresses and their Services ---- */

static const struct {
	const char *field;
	enum limit_kind kind;
} option_maps[] = {
	{ "ingressAnnotations", LIMIT_INGRESS_ANNOTATION },
	{ "serviceAnnotations", LIMIT_SERVICE_ANNOTATION },
	{ "serviceLabels", LIMIT_SERVICE_LABEL },
};

static void check_type(struct problems *p, const struct limits *l, const struct json *type, const char *path)
{
	if (!text_empty(json_text(type, NULL)))
		limits_check(p, l, LIMIT_SERVICE_TYPE, json_text(type, ""), path);
}

/* An entry of TLS without hosts may stand for all hosts, as the Ingress controller likes. */
static void check_tls_hosts(struct problems *p, const struct limits *l, const struct json *options, const char *prefix)
{
	size_t i = 0;

	json_each (tls, json_get(options, "ingressTLS")) {
		auto_free char *path = xasprintf("%singressTLS[%zu].hosts", prefix, i++);
		size_t k = 0;

		if (json_len(json_get(tls, "hosts")) == 0)
			limits_check(p, l, LIMIT_INGRESS_HOST, "", path);
		json_each (host, json_get(tls, "hosts")) {
			auto_free char *at = xasprintf("%s[%zu]", path, k++);

			limits_check(p, l, LIMIT_INGRESS_HOST, json_text(host, ""), at);
		}
	}
}

/* Of sparkUIOptions, or of an entry of driverIngressOptions. */
static void check_option_limits(struct problems *p, const struct limits *l, const struct json *options,
				const char *prefix)
{
	auto_free char *type_path = xasprintf("%sserviceType", prefix);

	for (size_t i = 0; i < array_len(option_maps); i++) {
		auto_free char *path = xasprintf("%s%s", prefix, option_maps[i].field);

		check_keys(p, l, option_maps[i].kind, json_get(options, option_maps[i].field), path);
	}
	check_type(p, l, json_get(options, "serviceType"), type_path);
	check_tls_hosts(p, l, options, prefix);
}

/* The host that the format gives for the application, or for another one in its place. Owned. */
static char *host_for(const struct app *app, const char *format, const char *name)
{
	struct app one = { .tree = app->tree, .ns = app->ns, .name = name ? name : "" };
	struct ui_url url;
	char *host;

	ui_url_init(&url, format, &one, ANY_APP_ID);
	host = take_ptr(url.host);
	ui_url_done(&url);
	return host;
}

/* Certificates are often for "*.DOMAIN". An Ingress of such a host gets every name that no other Ingress has. */
static void check_ingress_host(struct problems *p, const struct limits *l, const char *host, const char *path)
{
	if (limits_has(l, LIMIT_INGRESS_HOST) && strchr(host, '*'))
		problems_add(p, path,
			     "Forbidden: the host \"%s\" stands for every name that has no Ingress, and the operator "
			     "has --allowed-ingress-hosts: put a name in the place of *",
			     host);
	else
		limits_check(p, l, LIMIT_INGRESS_HOST, host, path);
}

static void check_ingress_limits(struct problems *p, const struct limits *l, const struct app *app,
				 const struct json *entry, size_t i)
{
	auto_free char *path = xasprintf("spec.driverIngressOptions[%zu]", i);
	auto_free char *prefix = xasprintf("%s.", path), *url = xasprintf("%singressURLFormat", prefix);
	const char *format = json_str(entry, "ingressURLFormat", "");
	auto_free char *host = host_for(app, format, app->name);

	/* An entry without a format is refused anyway. */
	if (*format)
		check_ingress_host(p, l, host, limits_allow_none(l, LIMIT_INGRESS_HOST) ? path : url);
	check_option_limits(p, l, entry, prefix);
}

/* The operator's owner chose the host of web UIs. The author chooses what the application's name makes of it. */
static void check_ui_host(struct problems *p, const struct limits *l, const struct app *app, const char *format)
{
	auto_free char *host = NULL, *other = NULL;

	if (text_empty(format) || !conf_has_ui(json_get(app->tree, "spec")))
		return;
	host = host_for(app, format, app->name);
	other = host_for(app, format, NO_APP_NAME);
	if (text_eq(host, other))
		return;
	if (limits_allow_none(l, LIMIT_INGRESS_HOST)) /* whatever the name is */
		problems_add(p, "metadata.name",
			     "Forbidden: the web UI would have the host \"%s\", and the operator's "
			     "--allowed-ingress-hosts is none: set spark.ui.enabled to false, or ask for an "
			     "--ingress-url-format without {{$appName}} in the host",
			     host);
	else
		limits_check(p, l, LIMIT_INGRESS_HOST, host, "metadata.name");
}

/* ---- claims ---- */

static void check_claim_size(struct problems *p, const struct limits *l, const struct json *size, const char *path)
{
	auto_free char *number = json_print(size);
	const char *text = json_text(size, number);
	double bytes, most;

	if (!l->claim_size || !check_quantity_value(l->claim_size, &most))
		return;
	if (!check_quantity_value(text, &bytes))
		problems_add(p, path,
			     "Forbidden: \"%s\" is no quantity such as 10Gi, and the operator's --max-claim-size is %s",
			     text, l->claim_size);
	else if (bytes > most)
		problems_add(
		    p, path,
		    "Forbidden: \"%s\" is more than a claim may ask for: the operator's --max-claim-size is %s", text,
		    l->claim_size);
}

static void check_class(struct problems *p, const struct limits *l, const struct json *name, const char *path)
{
	limits_check(p, l, LIMIT_STORAGE_CLASS, json_text(name, ""), path);
}

/* claim: of a generic ephemeral volume. Without a class it would get the cluster's default one. */
static void check_claim_template(struct problems *p, const struct limits *l, const struct json *claim, const char *path)
{
	const struct json *old = json_get(json_at(claim, "metadata.annotations"), CLASS_ANNOTATION);
	const struct json *name = json_at(claim, "spec.storageClassName");
	const struct json *size = json_at(claim, "spec.resources.requests.storage");
	auto_free char *old_path = xasprintf("%s.metadata.annotations[" CLASS_ANNOTATION "]", path);
	auto_free char *name_path = xasprintf("%s.spec.storageClassName", path);
	auto_free char *size_path = xasprintf("%s.spec.resources.requests.storage", path);

	if (old)
		check_class(p, l, old, old_path);
	if (name || !old)
		check_class(p, l, name, name_path);
	if (size)
		check_claim_size(p, l, size, size_path);
}

static void check_volumes_limits(struct problems *p, const struct limits *l, const struct json *volumes,
				 const char *path)
{
	size_t i = 0;

	json_each (volume, volumes) {
		const struct json *claim = json_at(volume, "ephemeral.volumeClaimTemplate");
		auto_free char *at = xasprintf("%s[%zu].ephemeral.volumeClaimTemplate", path, i++);

		if (json_is(claim, JSON_OBJECT))
			check_claim_template(p, l, claim, at);
	}
}

/* ---- properties ---- */

static const struct {
	const char *prefix;
	enum limit_kind kind;
} conf_maps[] = {
	{ "spark.kubernetes.driver.service.annotation.", LIMIT_SERVICE_ANNOTATION },
	{ "spark.kubernetes.driver.service.label.", LIMIT_SERVICE_LABEL },
};

static const struct {
	const char *option; /* behind the name of the volume */
	void (*check)(struct problems *p, const struct limits *l, const struct json *value, const char *path);
} claim_options[] = {
	{ ".options.storageClass", check_class },
	{ ".annotation." CLASS_ANNOTATION, check_class },
	{ ".options.sizeLimit", check_claim_size },
};

static void check_claim_property(struct problems *p, const struct limits *l, const struct json *entry,
				 const struct role *role, const char *path)
{
	auto_free char *prefix = xasprintf("%svolumes.persistentVolumeClaim.", role->conf);
	const char *name = conf_suffix(entry, prefix), *option = name ? strchr(name, '.') : NULL;

	for (size_t i = 0; i < array_len(claim_options) && option; i++)
		if (text_eq(option, claim_options[i].option))
			claim_options[i].check(p, l, entry, path);
}

void validate_limits_conf(struct problems *p, const struct json *conf, const struct limits *l)
{
	json_each (entry, limits_any(l) ? validate_map(conf) : NULL) {
		auto_free char *path = xasprintf("spec.sparkConf[%s]", json_name(entry));

		for (size_t i = 0; i < array_len(conf_maps); i++) {
			const char *key = conf_suffix(entry, conf_maps[i].prefix);

			if (key)
				limits_check(p, l, conf_maps[i].kind, key, path);
		}
		check_claim_property(p, l, entry, &role_driver, path);
		check_claim_property(p, l, entry, &role_executor, path);
	}
}

/* ---- the whole ---- */

void validate_limits_template(struct problems *p, const struct json *pod_template, const char *path,
			      const struct limits *l)
{
	auto_free char *volumes = xasprintf("%s.spec.volumes", path);

	if (limits_any(l))
		check_volumes_limits(p, l, json_at(pod_template, "spec.volumes"), volumes);
}

void validate_limits_service(struct problems *p, const struct json *service, const char *path, const struct limits *l)
{
	auto_free char *annotations = xasprintf("%s.metadata.annotations", path);
	auto_free char *labels = xasprintf("%s.metadata.labels", path), *type = xasprintf("%s.spec.type", path);
	auto_free char *addresses = xasprintf("%s.spec.externalIPs", path);

	if (!limits_any(l))
		return;
	check_keys(p, l, LIMIT_SERVICE_ANNOTATION, json_at(service, "metadata.annotations"), annotations);
	check_keys(p, l, LIMIT_SERVICE_LABEL, json_at(service, "metadata.labels"), labels);
	check_type(p, l, json_at(service, "spec.type"), type);
	if (limits_has(l, LIMIT_SERVICE_TYPE) && json_len(json_at(service, "spec.externalIPs")))
		problems_add(p, addresses,
			     "Forbidden: whatever the type is, nodes would take what is sent to these addresses, and "
			     "the operator has --allowed-service-types: leave it out");
}

void validate_limits(struct problems *p, const struct app *app, const struct rule_options *options)
{
	const struct limits *l = &options->limits;
	const struct json *spec = json_get(app->tree, "spec"), *list = json_get(spec, "driverIngressOptions");
	size_t i = 0;

	if (!limits_any(l))
		return;
	check_ui_host(p, l, app, options->ui_url_format);
	check_option_limits(p, l, json_get(spec, "sparkUIOptions"), "spec.sparkUIOptions.");
	json_each (entry, json_is(list, JSON_ARRAY) ? list : NULL)
		check_ingress_limits(p, l, app, entry, i++);
	check_keys(p, l, LIMIT_SERVICE_ANNOTATION, json_at(spec, "driver.serviceAnnotations"),
		   "spec.driver.serviceAnnotations");
	check_keys(p, l, LIMIT_SERVICE_LABEL, json_at(spec, "driver.serviceLabels"), "spec.driver.serviceLabels");
	check_volumes_limits(p, l, json_get(spec, "volumes"), "spec.volumes");
	validate_limits_template(p, json_at(spec, "driver.template"), "spec.driver.template", l);
	validate_limits_template(p, json_at(spec, "executor.template"), "spec.executor.template", l);
	validate_limits_conf(p, json_get(spec, "sparkConf"), l);
}
