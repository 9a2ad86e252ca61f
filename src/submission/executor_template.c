/*
 * The pod template for executors. It has everything that executor fields ask for and that Spark's configuration cannot
 * express, so that no webhook is needed. It has no owner. Spark makes the driver pod the only owner of its executors,
 * so Kubernetes deletes executors when their driver pod is deleted.
 *
 * Happy path: the template is made from spec.executor.template and the rows of pod_rows.c. It goes into the ConfigMap,
 * where the driver reads it and builds executor pods from it (BasicExecutorFeatureStep, PodTemplateConfigMapStep).
 * Fails with ERR_INVALID as pod_rows_apply() does.
 */
#include "base/text.h"
#include "build.h"
#include "submission/pod_rows.h"
#include "spark/conf.h"

/* Spark overwrites serviceAccountName unless the old field is set as well. */
static void put_template_account(const struct build *b, struct json *spec)
{
	const char *account = json_str(b->spec, "executor.serviceAccount", NULL);

	if (text_empty(account))
		return;
	json_set_str(spec, "serviceAccount", account);
	json_set_str(spec, "serviceAccountName", account);
}

/* The template's Spark container, added if there is none. The containers keep their order, since Spark chooses among
 * them again. */
static struct json *spark_container(const struct build *b, struct json *spec)
{
	const char *name = conf_get(b->conf, "spark.kubernetes.executor.podTemplateContainerName", NULL);
	struct json *all = json_ensure_array(spec, "containers"), *container = template_container(all, name);

	if (!container)
		container = json_append(all, json_new_object());
	if (text_empty(json_str(container, "name", NULL)))
		json_set_str(container, "name", EXECUTOR_CONTAINER);
	return container;
}

int executor_template(struct build *b, struct err *err)
{
	struct json *pod = template_pod(json_at(b->spec, "executor.template")), *spec = json_get(pod, "spec");
	const struct pod_ctx ctx = { .app_name = b->app->name,
				     .spec = b->spec,
				     .role = "executor",
				     .container = spark_container(b, spec),
				     .is_template = true };

	b->executor_template = pod;
	json_remove(json_get(pod, "metadata"), "namespace"); /* before 3.5 Spark refuses another than its own */
	build_mark(b, json_get(pod, "metadata"));
	put_template_account(b, spec);
	return pod_rows_apply(&ctx, pod, err);
}

int executor_template_step(struct build *b, struct err *err)
{
	struct json *source, *item;

	(void)err;
	source = json_ensure_object(build_volume(b, "pod-template-volume"), "configMap");
	json_set_str(source, "name", b->names.configmap);
	item = json_append(json_ensure_array(source, "items"), json_new_object());
	json_set_str(item, "key", TEMPLATE_KEY);
	json_set_str(item, "path", TEMPLATE_FILE);
	build_mount(b, "pod-template-volume", TEMPLATE_DIR);
	json_set_str(b->conf, "spark.kubernetes.executor.podTemplateFile", TEMPLATE_DIR "/" TEMPLATE_FILE);
	return 0;
}
