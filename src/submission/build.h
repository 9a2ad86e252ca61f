/*
 * One submission while it is being built: the parts that conf rows, steps and printers share.
 *
 * conf_of_spec() and conf_of_submission() write the spec into Spark's configuration. The steps then read the
 * configuration, as the feature steps of spark-submit do (org.apache.spark.deploy.k8s.features). They add to the pod in
 * hand, to the configuration and to the list of objects. Most steps are for both roles; `role` says whose pod it is.
 */
#ifndef SUBMISSION_BUILD_H
#define SUBMISSION_BUILD_H

#include "spark/conf.h"
#include "spark/version.h"
#include "submission/submission.h"

struct build {
	const struct app *app;
	const struct json *spec;
	const char *ns;
	const struct submission_options *options;
	struct app_names names;
	int version; /* major * 100 + minor */
	char version_text[VERSION_TEXT_SIZE];
	enum program program;
	struct json *conf;   /* Spark's configuration: an object of strings */
	struct json *labels; /* of the driver pod, without a template's; what the service selects */
	const struct role *role;
	struct json *pod;	/* in hand; without its Spark container between template_begin and template_end */
	struct json *container; /* its Spark container: owned by the build until template_end, then borrowed from pod */
	bool container_in_pod;
	struct json *executor_template; /* a Pod */
	struct json *objects;		/* array: done, in order of creation */
};

/* ---- submission.c ---- */
/* The arguments are borrowed and have to outlive b. b has no pod yet. */
void build_init(struct build *b, const struct app *app, int64_t run, const struct submission_options *options);
void build_done(struct build *b);
#define auto_build __attribute__((cleanup(build_done))) struct build

/* ---- app_conf.c ---- */
/* The application's own settings, in the precedence of docs/submission.md: what spark-submit gets as options and
 * --conf. */
void conf_of_spec(struct build *b);
/* The properties that spark-submit adds, or sets whatever the application says. */
void conf_of_submission(struct build *b);

/* ---- monitoring.c ---- */
/* The properties for monitoring. conf_of_spec() calls this last, so they override all others. */
void monitoring_conf(struct build *b);

/* ---- references.c ---- */
/* Replaces each ${spark.KEY} in conf. Returns the changed entries as they were, to be restored before conf is written.
 * Owned; NULL if nothing changed. */
struct json *references_resolve(struct json *conf);
void references_restore(struct json *conf, const struct json *written);

/* ---- template.c ---- */
/* A pod with metadata and spec of a pod or pod template (may be NULL). Owned. */
struct json *template_pod(const struct json *from);
/* Starts the pod in hand as a copy of `from`, a pod or pod template that may be NULL
 * (KubernetesUtils.loadPodFromTemplate, selectSparkContainer). */
void template_begin(struct build *b, const struct role *role, const struct json *from);
/* The container that Spark takes for the Spark container. Borrowed; NULL if there is none. */
struct json *template_container(const struct json *containers, const char *name);
/* Appends the Spark container to the pod's other containers. */
int template_end(struct build *b, struct err *err);

/* ---- executor_template.c ---- */
/* Makes b->executor_template. To be called before the driver's pod is in hand. */
int executor_template(struct build *b, struct err *err);

/* ---- validate_pod.c ---- */
/* Adds the problems of the pod in hand, in which fields, sparkConf and template have come together. */
void validate_pod(struct problems *p, const struct build *b);

/* ---- steps of both roles ---- */
int volumes_secrets(struct build *b, struct err *err);
int volumes_secret_env(struct build *b, struct err *err);
int volumes_conf(struct build *b, struct err *err);
int volumes_hadoop(struct build *b, struct err *err);
int volumes_local_dirs(struct build *b, struct err *err);

/* ---- steps of the driver, in the order in which submission.c runs them ---- */
int driver_metadata(struct build *b, struct err *err);
int driver_pod(struct build *b, struct err *err);
int driver_container(struct build *b, struct err *err);
int driver_resources(struct build *b, struct err *err);
int driver_env(struct build *b, struct err *err);
int driver_account(struct build *b, struct err *err);
int service_step(struct build *b, struct err *err);
int network_policy_step(struct build *b, struct err *err);
int monitoring_step(struct build *b, struct err *err);
int driver_command(struct build *b, struct err *err);
int kerberos_step(struct build *b, struct err *err);
int executor_template_step(struct build *b, struct err *err);
int volumes_spark_conf(struct build *b, struct err *err);
int driver_fields(struct build *b, struct err *err);

/* Makes the pod that ExecutorPodsAllocator would create for executor 1 the pod in hand. To be called after the driver's
 * steps. */
int executor_pod(struct build *b, struct err *err);
/* The executor's environment, without the variables that later steps add. */
int executor_env(struct build *b, const char *executor_id, struct err *err);
/* The value of a variable in the driver's Spark container. The driver pod has to be among the objects. */
const char *executor_env_of_driver(const struct build *b, const char *name, const char *dflt);

/* ---- resources.c ---- */
/* Requests and limits of the Spark container: processors, memory and devices. common_factor is the overhead's share of
 * the heap unless the role has a factor of its own. ERR_INVALID names the property. */
int build_resources(struct build *b, double common_factor, struct err *err);
/* The property as MiB. A number without a unit counts MiB. ERR_INVALID names key. */
int build_mib(const struct build *b, const char *key, const char *dflt, int64_t *ret, struct err *err);

/* ---- helpers of the steps ---- */
/* The rest of the entry's key after "spark.kubernetes.ROLE." and group; NULL if it does not begin with them. */
const char *build_role_suffix(const struct build *b, const struct json *entry, const char *group);
/* The property "spark.kubernetes.ROLE.name". */
const char *build_role_get(const struct build *b, const char *name, const char *dflt);
/* Appends a volume {name} to the pod and returns it, so that the caller adds the source. */
struct json *build_volume(struct build *b, const char *name);
struct json *build_mount(struct build *b, const char *name, const char *path);
void build_env(struct build *b, const char *name, const char *value);
/* env NAME from a source: returns the object valueFrom.SOURCE. */
struct json *build_env_from(struct build *b, const char *name, const char *source);
/* text with every `from` replaced by `to`. Owned. */
char *build_replaced(const char *text, const char *from, const char *to);
/* spec.nodeSelector, imagePullSecrets, schedulerName, and the container's image and its policy, as both roles have
 * them. */
void build_node_selector(struct build *b);
void build_pull_secrets(struct build *b);
void build_scheduler(struct build *b);
void build_image(struct build *b);
/* The labels or annotations of the configuration ("label.", "annotation."), with ids replaced since that version. */
void build_named(struct build *b, struct json *object, const char *group, int replaced_since, const char *executor_id);
double build_factor(const struct build *b, const char *key, double dflt);
/* Says in a pod's metadata that a submission built the pod, and from what. */
void build_mark(const struct build *b, struct json *metadata);
/* Metadata for an object beside the driver pod: name, namespace, the operator's labels, the application as owner.
 * Owned. */
struct json *build_metadata(const struct build *b, const char *name);
/* A new object {apiVersion, kind, metadata}, appended to the objects that are to be created. Borrowed. */
struct json *build_object(struct build *b, const struct resource *res, const char *name);

#endif
