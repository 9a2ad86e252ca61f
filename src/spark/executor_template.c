/*
 * The pod template for executors: everything that executor fields ask for and Spark's configuration cannot say. The
 * driver reads it from its ConfigMap and builds executor pods of it (BasicExecutorFeatureStep,
 * PodTemplateConfigMapStep), so no webhook is needed.
 */
#include "base/text.h"
#include "build.h"
#include "json/yaml.h"
#include "pod_rows.h"

/* Spark overwrites serviceAccountName unless the old field is set as well. */
static void put_account(const struct build *b, struct json *spec)
{
	const char *account = json_str(b->spec, "executor.serviceAccount", NULL);

	if (text_empty(account))
		return;
	json_set_str(spec, "serviceAccount", account);
	json_set_str(spec, "serviceAccountName", account);
}

static int template_text(const struct build *b, char **ret, struct err *err)
{
	const struct pod_ctx ctx = {
		.spec = b->spec, .role = "executor", .container = EXECUTOR_CONTAINER, .is_template = true
	};
	auto_json pod = json_new_object();
	struct json *containers, *spec;
	int rc;

	json_set_str(pod, "apiVersion", "v1");
	json_set_str(pod, "kind", "Pod");
	json_append(json_ensure_array(json_ensure_object(pod, "metadata"), "ownerReferences"),
		    resource_owner_reference(&resource_sparkapplication, b->app->name, b->app->uid, false));
	spec = json_ensure_object(pod, "spec");
	containers = json_ensure_array(spec, "containers");
	json_set_str(json_append(containers, json_new_object()), "name", EXECUTOR_CONTAINER);
	put_account(b, spec);
	rc = pod_rows_apply(&ctx, pod, err);
	if (rc)
		return rc;
	*ret = yaml_print(pod);
	return 0;
}

int executor_template_step(struct build *b, struct err *err)
{
	struct json *source, *item;
	int rc;

	rc = template_text(b, &b->executor_template, err);
	if (rc)
		return rc;
	source = json_ensure_object(build_volume(b, "pod-template-volume"), "configMap");
	json_set_str(source, "name", b->names.configmap);
	item = json_append(json_ensure_array(source, "items"), json_new_object());
	json_set_str(item, "key", TEMPLATE_KEY);
	json_set_str(item, "path", TEMPLATE_FILE);
	build_mount(b, "pod-template-volume", TEMPLATE_DIR);
	json_set_str(b->conf, "spark.kubernetes.executor.podTemplateFile", TEMPLATE_DIR "/" TEMPLATE_FILE);
	json_set_str(b->conf, "spark.kubernetes.executor.podTemplateContainerName", EXECUTOR_CONTAINER);
	return 0;
}
