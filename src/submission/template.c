/*
 * Pods begin as a template. The driver pod begins as spec.driver.template, an executor pod as the template in the
 * ConfigMap.
 *
 * Happy path: spark.kubernetes.ROLE.podTemplateContainerName names the Spark container. If no container has that name,
 * or if several have it, the first container is the Spark container (KubernetesUtils.selectSparkContainer).
 * template_begin() takes it out of the pod, so that the steps work on pod and container. template_end() appends it to
 * the pod's other containers. Nothing can fail.
 */
#include "base/text.h"
#include "build.h"
#include "spark/conf.h"

static size_t count_containers(const struct json *containers, const char *name)
{
	size_t count = 0;

	json_each (container, containers)
		count += text_eq(json_str(container, "name", NULL), name);
	return count;
}

struct json *template_container(const struct json *containers, const char *name)
{
	return count_containers(containers, name) == 1 ? json_find(containers, "name", name) : json_first(containers);
}

/* Owned. */
static struct json *take_container(struct json *spec, const char *name)
{
	auto_json all = json_take(spec, "containers");
	const struct json *wanted = template_container(all, name);
	struct json *rest = json_set(spec, "containers", json_new_array()), *chosen = NULL;

	for (struct json *c = json_take_first(all); c; c = json_take_first(all)) {
		if (c == wanted)
			chosen = c;
		else
			json_append(rest, c);
	}
	return chosen ? chosen : json_new_object();
}

static void drop(struct build *b)
{
	json_free(b->pod);
	if (!b->container_in_pod)
		json_free(b->container);
	b->container_in_pod = false;
}

struct json *template_pod(const struct json *from)
{
	static const char *const members[] = { "metadata", "spec" };
	/* The API server's own members, as templates have them that were copied from a pod. With a resourceVersion it
	 * would refuse each executor. */
	static const char *const of_server[] = { "resourceVersion",   "uid",
						 "creationTimestamp", "generation",
						 "selfLink",	      "managedFields",
						 "deletionTimestamp", "deletionGracePeriodSeconds" };
	struct json *pod = json_new_object();

	json_set_str(pod, "apiVersion", "v1");
	json_set_str(pod, "kind", "Pod");
	for (size_t i = 0; i < array_len(members); i++) {
		const struct json *own = json_get(from, members[i]);

		json_set(pod, members[i], json_is(own, JSON_OBJECT) ? json_dup(own) : json_new_object());
	}
	for (size_t i = 0; i < array_len(of_server); i++)
		json_remove(json_get(pod, "metadata"), of_server[i]);
	return pod;
}

void template_begin(struct build *b, const struct role *role, const struct json *from)
{
	drop(b);
	b->role = role;
	b->pod = template_pod(from);
	b->container = take_container(json_get(b->pod, "spec"), build_role_get(b, "podTemplateContainerName", NULL));
	if (text_empty(json_str(b->container, "name", NULL)))
		json_set_str(b->container, "name", role->container);
}

int template_end(struct build *b, struct err *err)
{
	(void)err;
	json_append(json_ensure_array(json_get(b->pod, "spec"), "containers"), b->container);
	b->container_in_pod = true;
	return 0;
}
