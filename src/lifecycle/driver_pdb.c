/*
 * The driver's PodDisruptionBudget (kubeflow driver_pdb.go). It asks for at least one available driver pod, so that an
 * eviction waits until the driver has ended. Kubernetes does not consult it for deletions, preemption and lost nodes.
 *
 * Happy path: reconcile creates the budget if the application asks for one, and deletes it when the application has
 * ended or no longer asks for one. The cache keeps only the name, the uid and the owner of each budget.
 *
 * Failure modes: nothing fails here. A creation that fails is tried again as any companion's (companions.c).
 */
#include "lifecycle/driver_pdb.h"

#include "base/mem.h"
#include "base/text.h"
#include "companion_object.h"

bool driver_pdb_wanted(const struct app *app)
{
	return json_bool(app->tree, "spec.driverPodDisruptionBudget", false);
}

struct json *driver_pdb_build(const struct app *app, const char *driver_pod)
{
	struct json *pdb = companion_object(&resource_poddisruptionbudget, companion_metadata(app, NULL, driver_pod));
	struct json *spec = json_ensure_object(pdb, "spec");

	json_set_str(json_ensure_object(json_get(pdb, "metadata"), "labels"), LABEL_LAUNCHED_BY, "true");
	json_set_i64(spec, "minAvailable", 1);
	companion_select_driver(app, json_ensure_object(json_ensure_object(spec, "selector"), "matchLabels"));
	return pdb;
}

/* ---- the cached kind ---- */

static const char *controller_uid_of(const struct json *tree)
{
	json_each (owner, json_at(tree, "metadata.ownerReferences"))
		if (json_bool(owner, "controller", false))
			return json_str(owner, "uid", "");
	return "";
}

static void *pdb_view_new(const struct json *tree, struct err *err)
{
	struct driver_pdb *pdb = xcalloc(1, sizeof(*pdb));

	(void)err;
	pdb->ns = xstrdup(json_str(tree, "metadata.namespace", ""));
	pdb->name = xstrdup(json_str(tree, "metadata.name", ""));
	pdb->uid = xstrdup(json_str(tree, "metadata.uid", ""));
	pdb->owner_uid = xstrdup(controller_uid_of(tree));
	return pdb;
}

static void pdb_view_free(void *view)
{
	struct driver_pdb *pdb = view;

	free(pdb->ns);
	free(pdb->name);
	free(pdb->uid);
	free(pdb->owner_uid);
	free(pdb);
}

static char *pdb_index_of(const struct json *tree)
{
	const char *app = json_text(json_get(json_at(tree, "metadata.labels"), LABEL_APP_NAME), NULL);

	return app ? xasprintf("%s/%s", json_str(tree, "metadata.namespace", ""), app) : NULL;
}

const struct kind driver_pdb_kind = {
	.res = &resource_poddisruptionbudget,
	.view_new = pdb_view_new,
	.view_free = pdb_view_free,
	.index = pdb_index_of,
};
