/*
 * The rules of a SparkApplication's spec, by part.
 */
#ifndef SPARK_VALIDATE_H
#define SPARK_VALIDATE_H

#include "check.h"
#include "problems.h"
#include "spark/app.h"

/* All rules; ERR_INVALID with everything that is wrong. */
int validate_spec(const struct app *app, struct err *err);

/* ---- parts ---- */
enum rule_type { RULE_STRING, RULE_INTEGER, RULE_BOOL, RULE_OBJECT, RULE_LIST, RULE_STRINGS, RULE_MAP };

struct rule {
	const char *path; /* below the object that is checked */
	enum rule_type type;
	check_fn *check; /* of the string, each string of a list; NULL if any will do */
	int64_t min;	 /* of an integer */
};

/* prefix: path of object in messages, with a dot at its end. Absent fields and nulls are fine. */
void validate_rules(struct problems *p, const struct json *object, const char *prefix, const struct rule *rules,
		    size_t count);
bool validate_is_reserved(const char *key);
/* v if it is an object, else NULL: members have names to check only if the type is right. */
const struct json *validate_map(const struct json *v);
/* Syntax of keys and values. path: of the map in messages. */
void validate_labels(struct problems *p, const char *path, const struct json *labels, check_fn *check_value);
/* How to check values of labels in which Spark replaces {{APP_ID}} and {{EXECUTOR_ID}}: it does since 4.0. */
check_fn *validate_label_check(const struct json *spec);
/* No key with which Spark or the operator keeps its books. */
void validate_reserved(struct problems *p, const char *path, const struct json *labels);

void validate_role(struct problems *p, const struct json *spec, const char *role);
/* Volumes and mounts of one pod that would have the same name or place. */
void validate_volumes(struct problems *p, const struct json *spec, const char *role);
/* Variables of executors that Spark would overwrite. */
void validate_env(struct problems *p, const struct json *spec);
void validate_conf(struct problems *p, const struct app *app);
void validate_monitoring(struct problems *p, const struct json *spec);

#endif
