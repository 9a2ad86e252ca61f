/*
 * Reads a Spark pod into its view: the application it belongs to, its phase, why it waits, why it ended.
 *
 * Happy path: the texts are read row by row. Then the container statuses are read: that of the Spark container, that of
 * a container which waits with a problem, and those of the first other containers which ended. The view
 * borrows nothing from the tree, which is dropped afterwards. Absent texts share one empty string, so that the view of
 * a healthy pod is small.
 *
 * A pod can always be read. A member that is missing, null or of the wrong type counts as absent. If such a pod had no
 * view, it would look like a driver that has vanished.
 */
#include "spark/pod.h"

#include "base/text.h"
#include "base/time.h"
#include "spark/app.h"

static char no_text[1];

struct text_row {
	const char *path;
	size_t offset;
};

static const struct text_row texts[] = {
	{ "metadata.namespace", offsetof(struct pod_view, ns) },
	{ "metadata.name", offsetof(struct pod_view, name) },
	{ "metadata.uid", offsetof(struct pod_view, uid) },
	{ "status.reason", offsetof(struct pod_view, reason) },
	{ "status.message", offsetof(struct pod_view, message) },
};

static const struct text_row labels[] = {
	{ LABEL_APP_NAME, offsetof(struct pod_view, app_name) },
	{ LABEL_SUBMISSION_ID, offsetof(struct pod_view, submission_id) },
	{ LABEL_APP_SELECTOR, offsetof(struct pod_view, app_id) },
};

/* Every text of the view. Setting up and freeing a view go through this table. */
static const size_t all_texts[] = {
	offsetof(struct pod_view, ns),
	offsetof(struct pod_view, name),
	offsetof(struct pod_view, uid),
	offsetof(struct pod_view, app_name),
	offsetof(struct pod_view, submission_id),
	offsetof(struct pod_view, app_id),
	offsetof(struct pod_view, owner_uid),
	offsetof(struct pod_view, submitted_spec),
	offsetof(struct pod_view, reason),
	offsetof(struct pod_view, message),
	offsetof(struct pod_view, unschedulable),
	offsetof(struct pod_view, container),
	offsetof(struct pod_view, term_reason),
	offsetof(struct pod_view, term_message),
	offsetof(struct pod_view, waiting_reason),
	offsetof(struct pod_view, waiting_message),
	offsetof(struct pod_view, waiting_container),
	offsetof(struct pod_view, waiting_image),
	offsetof(struct pod_view, failed_container),
	offsetof(struct pod_view, failed_reason),
	offsetof(struct pod_view, ended_container),
	offsetof(struct pod_view, node),
};

static const char *const phases[] = { "Pending", "Running", "Succeeded", "Failed" };

/* The kubelet's reasons for a container that has not started although nothing is known to be wrong. */
static const char *const patient_reasons[] = { "", "ContainerCreating", "PodInitializing" };

/* The statuses are sorted by name, so the container is looked up in the spec. If a template gave the container another
 * name, the variable that Spark sets identifies it. Before Spark 3.0 the executor container was called "executor". */
static const char *const spark_containers[][2] = {
	[POD_ROLE_DRIVER] = { DRIVER_CONTAINER, NULL },
	[POD_ROLE_EXECUTOR] = { EXECUTOR_CONTAINER, "executor" },
};

static char **slot(struct pod_view *v, size_t offset)
{
	return (char **)(void *)((char *)v + offset);
}

static void put(char **where, const char *text)
{
	if (*where != no_text)
		free(*where);
	*where = text_empty(text) ? no_text : xstrdup(text);
}

static void take_texts(struct pod_view *v, const struct json *tree)
{
	const struct json *all = json_at(tree, "metadata.labels");

	for (size_t i = 0; i < array_len(texts); i++)
		put(slot(v, texts[i].offset), json_str(tree, texts[i].path, ""));
	for (size_t i = 0; i < array_len(labels); i++)
		put(slot(v, labels[i].offset), json_text(json_get(all, labels[i].path), ""));
}

static bool is_own_label(const char *key)
{
	return text_starts(key, "spark-") || text_starts(key, "sparkoperator.k8s.io/");
}

static void take_labels(struct pod_view *v, const struct json *all)
{
	if (!json_is(all, JSON_OBJECT))
		return;
	json_each (label, all) {
		if (is_own_label(json_name(label)))
			continue;
		strv_add(&v->labels, json_name(label));
		strv_add(&v->labels, json_text(label, ""));
	}
}

enum pod_role pod_role_of(const struct json *pod)
{
	const char *role = json_text(json_get(json_at(pod, "metadata.labels"), LABEL_SPARK_ROLE), "");

	if (text_eq(role, "driver"))
		return POD_ROLE_DRIVER;
	return text_eq(role, "executor") ? POD_ROLE_EXECUTOR : POD_ROLE_OTHER;
}

/* The API server creates every pod as Pending. */
static int phase_of(const struct json *tree)
{
	const char *phase = json_str(tree, "status.phase", "Pending");

	for (size_t i = 0; i < array_len(phases); i++)
		if (text_eq(phase, phases[i]))
			return (int)i;
	return POD_UNKNOWN;
}

static const char *owner_of(const struct json *tree)
{
	json_each (owner, json_at(tree, "metadata.ownerReferences")) {
		const char *version = json_str(owner, "apiVersion", "");

		if (text_eq(json_str(owner, "kind", ""), resource_sparkapplication.kind) &&
		    text_starts(version, resource_sparkapplication.group))
			return json_str(owner, "uid", "");
	}
	return "";
}

/* A pod whose node is lost is Running for ever, and not Ready. */
static void take_readiness(struct pod_view *v, const struct json *ready)
{
	if (ready && !text_eq(json_str(ready, "status", ""), "True"))
		time_parse(json_str(ready, "lastTransitionTime", NULL), &v->unready_ms);
}

/* DisruptionTarget says why a pod is taken away: preemption, eviction, a lost node (Kubernetes: Pod disruptions). */
static void take_conditions(struct pod_view *v, const struct json *tree)
{
	const struct json *all = json_at(tree, "status.conditions");
	const struct json *scheduled = json_find(all, "type", "PodScheduled");
	const struct json *disrupted = json_find(all, "type", "DisruptionTarget");

	if (text_eq(json_str(scheduled, "status", ""), "True"))
		time_parse(json_str(scheduled, "lastTransitionTime", NULL), &v->scheduled_ms);
	if (text_eq(json_str(scheduled, "status", ""), "False") &&
	    text_eq(json_str(scheduled, "reason", ""), "Unschedulable"))
		put(&v->unschedulable, json_str(scheduled, "message", "Unschedulable"));
	take_readiness(v, json_find(all, "type", "Ready"));
	if (text_empty(v->reason) && text_eq(json_str(disrupted, "status", ""), "True")) {
		put(&v->reason, json_str(disrupted, "reason", ""));
		put(&v->message, json_str(disrupted, "message", ""));
	}
}

struct json *pod_spark_container(const struct json *pod, enum pod_role role)
{
	struct json *containers = json_at(pod, "spec.containers");

	for (size_t i = 0; role != POD_ROLE_OTHER && i < array_len(spark_containers[0]); i++) {
		const char *name = spark_containers[role][i];
		struct json *named = name ? json_find(containers, "name", name) : NULL;

		if (named)
			return named;
	}
	json_each (container, containers)
		if (json_find(json_get(container, "env"), "name", "SPARK_APPLICATION_ID"))
			return container;
	return json_first(containers);
}

static void take_spark_status(struct pod_view *v, const struct json *status)
{
	const struct json *end = json_at(status, "state.terminated");

	time_parse(json_str(status, "state.running.startedAt", NULL), &v->started_ms);
	time_parse(json_str(end, "startedAt", NULL), &v->started_ms);
	if (!json_is(end, JSON_OBJECT))
		return;
	v->terminated = true;
	v->exit_code = json_i64(end, "exitCode", -1);
	put(&v->term_reason, json_str(end, "reason", ""));
	put(&v->term_message, json_str(end, "message", ""));
	time_parse(json_str(end, "finishedAt", NULL), &v->finished_ms);
}

static bool waits_with_problem(const struct json *status)
{
	const char *reason = json_str(status, "state.waiting.reason", "");

	for (size_t i = 0; i < array_len(patient_reasons); i++)
		if (text_eq(reason, patient_reasons[i]))
			return false;
	return true;
}

static void take_waiting(struct pod_view *v, const struct json *status)
{
	if (!text_empty(v->waiting_reason) || !waits_with_problem(status))
		return;
	put(&v->waiting_reason, json_str(status, "state.waiting.reason", ""));
	put(&v->waiting_message, json_str(status, "state.waiting.message", ""));
	put(&v->waiting_container, json_str(status, "name", ""));
	put(&v->waiting_image, json_str(status, "image", ""));
}

static void take_failed(struct pod_view *v, const struct json *status, int64_t code)
{
	if (!text_empty(v->failed_container))
		return;
	put(&v->failed_container, json_str(status, "name", ""));
	put(&v->failed_reason, json_str(status, "state.terminated.reason", ""));
	v->failed_exit_code = code;
}

static void take_ended(struct pod_view *v, const struct json *status)
{
	if (!text_empty(v->ended_container))
		return;
	put(&v->ended_container, json_str(status, "name", ""));
	time_parse(json_str(status, "state.terminated.finishedAt", NULL), &v->ended_ms);
}

/* Where the kubelet reports containers, and where they are written down. */
static const struct {
	const char *statuses;
	const char *containers;
	bool may_end; /* with 0, and the pod is none the worse for it */
} container_lists[] = {
	{ "status.initContainerStatuses", "spec.initContainers", true },
	{ "status.containerStatuses", "spec.containers", false },
};

/* The kubelet starts a container with a restartPolicy of its own again, a native sidecar for one. */
static void take_end(struct pod_view *v, const struct json *status, const struct json *container, bool may_end)
{
	int64_t code = json_i64(status, "state.terminated.exitCode", 0);

	if (!json_is(json_at(status, "state.terminated"), JSON_OBJECT) ||
	    text_eq(json_str(status, "name", ""), v->container) ||
	    text_eq(json_str(container, "restartPolicy", ""), "Always"))
		return;
	if (code != 0)
		take_failed(v, status, code);
	else if (!may_end)
		take_ended(v, status);
}

static void take_containers(struct pod_view *v, const struct json *tree)
{
	const struct json *spark;

	put(&v->container, json_str(pod_spark_container(tree, (enum pod_role)v->role), "name", ""));
	spark = json_find(json_at(tree, "status.containerStatuses"), "name", v->container);
	take_spark_status(v, spark);
	for (size_t i = 0; i < array_len(container_lists); i++) {
		const struct json *containers = json_at(tree, container_lists[i].containers);

		json_each (status, json_at(tree, container_lists[i].statuses)) {
			take_waiting(v, status);
			take_end(v, status, json_find(containers, "name", json_str(status, "name", "")),
				 container_lists[i].may_end);
		}
	}
}

static void *pod_view_new(const struct json *tree, struct err *err)
{
	struct pod_view *v = xcalloc(1, sizeof(*v));
	const struct json *all_labels = json_at(tree, "metadata.labels");
	const struct json *annotations = json_at(tree, "metadata.annotations");

	(void)err;
	for (size_t i = 0; i < array_len(all_texts); i++)
		*slot(v, all_texts[i]) = no_text;
	take_texts(v, tree);
	put(&v->owner_uid, owner_of(tree));
	take_labels(v, all_labels);
	v->role = (int)pod_role_of(tree);
	v->phase = phase_of(tree);
	text_i64(json_text(json_get(all_labels, LABEL_EXEC_ID), ""), &v->exec_id);
	v->deleting = json_is(json_at(tree, "metadata.deletionTimestamp"), JSON_STRING);
	time_parse(json_str(tree, "metadata.deletionTimestamp", NULL), &v->deletion_ms);
	if (v->role == POD_ROLE_DRIVER) {
		put(&v->node, json_str(tree, "spec.nodeName", ""));
		put(&v->submitted_spec, json_text(json_get(annotations, ANNOTATION_SUBMITTED_SPEC), ""));
	}
	time_parse(json_str(tree, "metadata.creationTimestamp", NULL), &v->created_ms);
	take_conditions(v, tree);
	take_containers(v, tree);
	return v;
}

static void pod_view_free(void *view)
{
	struct pod_view *v = view;

	if (!v)
		return;
	for (size_t i = 0; i < array_len(all_texts); i++)
		put(slot(v, all_texts[i]), NULL);
	strv_done(&v->labels);
	free(v);
}

/* "namespace/app-name"; a pod without the label belongs to no application. */
static char *app_key(const struct json *tree)
{
	const char *app = json_text(json_get(json_at(tree, "metadata.labels"), LABEL_APP_NAME), "");

	if (text_empty(app))
		return NULL;
	return xasprintf("%s/%s", json_str(tree, "metadata.namespace", ""), app);
}

const struct kind pod_kind = {
	.res = &resource_pod,
	.keep_tree = false,
	.view_new = pod_view_new,
	.view_free = pod_view_free,
	.index = app_key,
};
