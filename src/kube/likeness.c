/*
 * Likeness: a walk through two trees, and a table of what the API server adds.
 *
 * What is not in the table and not in the wanted object is a difference. So whoever may create objects cannot slip a
 * submission one that says more, such as a ConfigMap with one more property file. A default that a newer API server
 * adds makes an object different, too; it is then created anew, which does no harm.
 */
#include "kube/likeness.h"

#include "base/mem.h"
#include "base/text.h"

/* Defaults: kubernetes pkg/apis/core/v1/defaults.go, pkg/apis/networking/v1/defaults.go, pkg/registry/core/service. */
static const struct addition {
	const struct resource *res;
	const char *path;  /* "[]": any element of a list */
	const char *value; /* the default, if it is always the same text; else NULL */
	bool is_rewritten; /* the API server writes a given value in another form, too */
} additions[] = {
	{ &resource_service, "spec.clusterIPs", NULL, false },
	{ &resource_service, "spec.internalTrafficPolicy", "Cluster", false },
	{ &resource_service, "spec.ipFamilies", NULL, false },
	{ &resource_service, "spec.ipFamilyPolicy", NULL, false },
	{ &resource_service, "spec.ports.[].protocol", "TCP", false },
	{ &resource_service, "spec.sessionAffinity", "None", false },
	{ &resource_service, "spec.type", "ClusterIP", false },
	{ &resource_persistentvolumeclaim, "spec.resources.requests.storage", NULL, true }, /* 1024Mi becomes 1Gi */
	{ &resource_persistentvolumeclaim, "spec.storageClassName", NULL, false },
	{ &resource_persistentvolumeclaim, "spec.volumeMode", "Filesystem", false },
	{ &resource_persistentvolumeclaim, "spec.volumeName", NULL, false },
	{ &resource_networkpolicy, "spec.policyTypes", NULL, false },
	{ &resource_networkpolicy, "spec.ingress.[].ports.[].protocol", "TCP", false },
	{ &resource_networkpolicy, "spec.egress.[].ports.[].protocol", "TCP", false },
};

static const struct addition *find_addition(const struct resource *res, const char *path)
{
	for (size_t i = 0; i < array_len(additions); i++)
		if (additions[i].res == res && text_eq(additions[i].path, path))
			return &additions[i];
	return NULL;
}

/* Whether the path is one of those that say nothing about the contents. Metadata is compared for itself. */
static bool is_beside(const char *path)
{
	static const char *const beside[] = { "apiVersion", "kind", "metadata", "status" };

	for (size_t i = 0; i < array_len(beside); i++)
		if (text_eq(path, beside[i]))
			return true;
	return false;
}

/* Whether the API server adds this value where none was given. */
static bool is_default(const struct resource *res, const char *path, const struct json *value)
{
	const struct addition *addition = find_addition(res, path);

	if (is_beside(path))
		return true;
	return addition && (!addition->value || text_eq(json_text(value, NULL), addition->value));
}

/* Whether the API server leaves the value out when it prints the object (Go's omitempty). */
static bool is_left_out(const struct json *value)
{
	switch (json_type(value)) {
	case JSON_BOOL:
		return !json_true(value);
	case JSON_NUMBER:
		return json_integer(value, 1) == 0;
	case JSON_STRING:
		return text_empty(json_text(value, ""));
	default:
		return json_len(value) == 0;
	}
}

static bool is_like(const struct resource *res, const char *path, const struct json *found, const struct json *wanted);

static bool lists_are_alike(const struct resource *res, const char *path, const struct json *found,
			    const struct json *wanted)
{
	auto_free char *of_element = xasprintf("%s.[]", path);
	const struct json *a = json_first(found), *b = json_first(wanted);

	for (; a && b; a = json_next(a), b = json_next(b))
		if (!is_like(res, of_element, a, b))
			return false;
	return !a && !b;
}

static bool members_are_alike(const struct resource *res, const char *path, const struct json *found,
			      const struct json *wanted)
{
	json_each (member, wanted) {
		auto_free char *of_member = xasprintf("%s%s%s", path, path[0] ? "." : "", json_name(member));
		const struct json *other = json_get(found, json_name(member));

		if (other ? !is_like(res, of_member, other, member) : !is_beside(of_member) && !is_left_out(member))
			return false;
	}
	json_each (member, found) {
		auto_free char *of_member = xasprintf("%s%s%s", path, path[0] ? "." : "", json_name(member));

		if (!json_get(wanted, json_name(member)) && !is_default(res, of_member, member))
			return false;
	}
	return true;
}

static bool is_like(const struct resource *res, const char *path, const struct json *found, const struct json *wanted)
{
	const struct addition *addition = find_addition(res, path);

	if (is_beside(path) || (addition && addition->is_rewritten))
		return true;
	if (json_is(wanted, JSON_OBJECT) && json_is(found, JSON_OBJECT))
		return members_are_alike(res, path, found, wanted);
	if (json_is(wanted, JSON_ARRAY) && json_is(found, JSON_ARRAY))
		return lists_are_alike(res, path, found, wanted);
	return json_equal(found, wanted);
}

/* Whether found has every label, or annotation, of wanted. */
static bool has_all(const struct json *found, const struct json *wanted)
{
	json_each (member, wanted)
		if (!json_equal(json_get(found, json_name(member)), member))
			return false;
	return true;
}

bool object_is_like(const struct resource *res, const struct json *found, const struct json *wanted)
{
	if (res == &resource_pod)
		return true;
	if (!has_all(json_at(found, "metadata.labels"), json_at(wanted, "metadata.labels")) ||
	    !has_all(json_at(found, "metadata.annotations"), json_at(wanted, "metadata.annotations")))
		return false;
	return is_like(res, "", found, wanted);
}
