/*
 * The resources that the operator knows, and what can be said about one without an object: its apiVersion, the
 * order of its versions, a reference to an owner.
 *
 * The order of versions is that of apimachinery's util/resourceversion.CompareResourceVersion (KEP-5504): decimal
 * numbers without leading zero, up to 128 bits, so they are compared as text and never converted.
 */
#include "kube/resource.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

const struct resource resource_pod = { "", "v1", "pods", "Pod", true };
const struct resource resource_service = { "", "v1", "services", "Service", true };
const struct resource resource_configmap = { "", "v1", "configmaps", "ConfigMap", true };
const struct resource resource_persistentvolumeclaim = { "", "v1", "persistentvolumeclaims", "PersistentVolumeClaim",
							 true };
const struct resource resource_networkpolicy = { "networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", true };
const struct resource resource_ingress = { "networking.k8s.io", "v1", "ingresses", "Ingress", true };
const struct resource resource_poddisruptionbudget = { "policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget",
						       true };
const struct resource resource_namespace = { "", "v1", "namespaces", "Namespace", false };
const struct resource resource_event = { "", "v1", "events", "Event", true };
const struct resource resource_sparkapplication = { "sparkoperator.k8s.io", "v1beta2", "sparkapplications",
						    "SparkApplication", true };
const struct resource resource_scheduledsparkapplication = { "sparkoperator.k8s.io", "v1beta2",
							     "scheduledsparkapplications", "ScheduledSparkApplication",
							     true };
const struct resource resource_sparkconnect = { "sparkoperator.k8s.io", "v1alpha1", "sparkconnects", "SparkConnect",
						true };
const struct resource resource_secret = { "", "v1", "secrets", "Secret", true };
const struct resource resource_resourcequota = { "", "v1", "resourcequotas", "ResourceQuota", true };
const struct resource resource_lease = { "coordination.k8s.io", "v1", "leases", "Lease", true };
const struct resource resource_mutatingwebhook = { "admissionregistration.k8s.io", "v1",
						   "mutatingwebhookconfigurations", "MutatingWebhookConfiguration",
						   false };
const struct resource resource_validatingwebhook = { "admissionregistration.k8s.io", "v1",
						     "validatingwebhookconfigurations",
						     "ValidatingWebhookConfiguration", false };
const struct resource resource_crd = { "apiextensions.k8s.io", "v1", "customresourcedefinitions",
				       "CustomResourceDefinition", false };
const struct resource resource_server_version = { "", "", "version", "Info", false };

static const struct resource *const resources[] = {
	&resource_pod,
	&resource_service,
	&resource_configmap,
	&resource_persistentvolumeclaim,
	&resource_event,
	&resource_networkpolicy,
	&resource_ingress,
	&resource_poddisruptionbudget,
	&resource_namespace,
	&resource_sparkapplication,
	&resource_scheduledsparkapplication,
	&resource_sparkconnect,
	&resource_secret,
	&resource_resourcequota,
	&resource_lease,
	&resource_mutatingwebhook,
	&resource_validatingwebhook,
	&resource_crd,
};

const struct resource *resource_of_kind(const char *kind)
{
	for (size_t i = 0; i < array_len(resources); i++)
		if (text_eq(resources[i]->kind, kind))
			return resources[i];
	return NULL;
}

char *resource_api_version(const struct resource *res, char out[API_VERSION_SIZE])
{
	snprintf(out, API_VERSION_SIZE, "%s%s%s", res->group, res->group[0] ? "/" : "", res->version);
	return out;
}

static bool is_well_formed_version(const char *version)
{
	size_t digits = strspn(version, "0123456789");

	return digits > 0 && version[digits] == '\0' && version[0] != '0';
}

int resource_version_compare(const char *a, const char *b, bool *ret_ok)
{
	bool ok;
	size_t len_a, len_b;

	if (!a)
		a = "";
	if (!b)
		b = "";
	ok = is_well_formed_version(a) && is_well_formed_version(b);
	if (ret_ok)
		*ret_ok = ok;
	len_a = strlen(a);
	len_b = strlen(b);
	if (ok && len_a != len_b)
		return len_a < len_b ? -1 : 1;
	return strcmp(a, b);
}

struct json *resource_owner_reference(const struct resource *res, const char *name, const char *uid, bool controller)
{
	struct json *ref = json_new_object();
	char version[API_VERSION_SIZE];

	json_set_str(ref, "apiVersion", resource_api_version(res, version));
	json_set_str(ref, "kind", res->kind);
	json_set_str(ref, "name", name);
	json_set_str(ref, "uid", uid);
	if (!controller)
		return ref;
	json_set_bool(ref, "controller", true);
	json_set_bool(ref, "blockOwnerDeletion", true);
	return ref;
}
