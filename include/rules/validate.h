/*
 * The rules of a SparkApplication's spec, by part.
 */
#ifndef RULES_VALIDATE_H
#define RULES_VALIDATE_H

#include "rules/check.h"
#include "rules/policy.h"
#include "rules/problems.h"
#include "rules/schema.h"
#include "spark/app.h"

/* By which a SparkConnect knows its pods (kubeflow pkg/common/spark.go). */
#define LABEL_CONNECT_NAME "sparkoperator.k8s.io/connect-name"

/* ---- the whole ---- */
/* The rules of a SparkApplication's metadata and spec. */
void validate_app(struct problems *p, const struct app *app, const struct rule_options *options);
/* What will run, but perhaps not as its author expects: p gets a line for each field, and nothing is refused for it. */
void validate_doubts(struct problems *p, const struct json *spec, const struct rule_options *options);

/* ---- parts ---- */
/* A role has neither an image of its own nor the common one. */
bool validate_lacks_image(const struct json *spec);
/* How a text has to look. */
struct rule {
	const char *path; /* below the object that is checked */
	check_fn *check;  /* of the text if it is not empty, or of each text of a list */
};

/* A bound that the schema does not have, since the API server takes more. */
struct bound {
	const char *path;
	int64_t min, max;
};

/* prefix: path of object in messages, with a dot at its end. What is absent, or has another type, is fine: types are
 * the schema's. */
void validate_rules(struct problems *p, const struct json *object, const char *prefix, const struct rule *rules,
		    size_t count);
void validate_bounds(struct problems *p, const struct json *object, const char *prefix, const struct bound *bounds,
		     size_t count);
/* The members that have to be there, and not be empty texts. */
void validate_required(struct problems *p, const struct json *object, const char *prefix, const char *const *names,
		       size_t count);
bool validate_is_reserved(const char *key);
/* v if it is an object, else NULL: members have names to check only if the type is right. */
const struct json *validate_map(const struct json *v);
/* Syntax of keys and values. path: of the map in messages. */
void validate_labels(struct problems *p, const char *path, const struct json *labels, check_fn *check_value);
/* How to check values of labels in which Spark replaces {{APP_ID}} and {{EXECUTOR_ID}}: it does since 4.0. */
check_fn *validate_label_check(const struct json *spec, const struct rule_options *options);
/* No key with which Spark or the operator keeps its books. */
void validate_reserved(struct problems *p, const char *path, const struct json *labels);

/* False, and a problem, where a list or map has more members than any application needs: comparing each with each would
 * take too long. */
bool validate_size(struct problems *p, const struct json *value, const char *path);

/* Keys of the map that is object's member. */
void validate_keys(struct problems *p, const struct json *object, const char *prefix, const char *map, check_fn *check);

void validate_role(struct problems *p, const struct json *spec, const char *role, const struct rule_options *options);
/* Names and keys of secrets and config maps, sources of variables and volumes, tolerations. */
void validate_references(struct problems *p, const struct json *spec);
/* Volumes and mounts of one pod that would have the same name or place. */
void validate_volumes(struct problems *p, const struct json *spec, const char *role);
/* Variables of executors that Spark would overwrite. */
void validate_env(struct problems *p, const struct json *spec);
void validate_conf(struct problems *p, const struct app *app, const struct rule_options *options);
/* Of sparkConf only what the operator sets itself, in every kind. */
void validate_conf_managed(struct problems *p, const struct app *app);
/* dynamicAllocation; strict: initialExecutors too, which Spark would only warn of. */
void validate_allocation(struct problems *p, const struct json *spec, bool strict);
void validate_monitoring(struct problems *p, const struct json *spec);
/* sparkUIOptions and driverIngressOptions. */
void validate_services(struct problems *p, const struct app *app);
/* What the policy "baseline" does not let pods have; of other kinds: of a template, of sparkConf. */
void validate_policy(struct problems *p, const struct json *spec);
void validate_policy_template(struct problems *p, const struct json *pod_template, const char *path);
void validate_policy_conf(struct problems *p, const struct json *conf);

/* What authors chose of Ingresses, Services and claims, beyond the operator's limits; of other kinds: of a template, of
 * sparkConf, of a Service. */
void validate_limits(struct problems *p, const struct app *app, const struct rule_options *options);
void validate_limits_template(struct problems *p, const struct json *pod_template, const char *path,
			      const struct limits *l);
void validate_limits_conf(struct problems *p, const struct json *conf, const struct limits *l);
void validate_limits_service(struct problems *p, const struct json *service, const char *path, const struct limits *l);

/* The name, or what the API server will make of generateName, is a DNS-1035 label of at most max characters; why: it
 * has to be that short. */
void validate_name(struct problems *p, const struct json *object, size_t max, const char *why);

#endif
