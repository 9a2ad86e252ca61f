/*
 * Everything that is wrong with an object of the operator's kinds, for the webhook, the controller and the offline command alike.
 */
#ifndef SPARK_VALIDATION_H
#define SPARK_VALIDATION_H

#include "spark/app.h"

/* How much of the node a Spark pod may have: the levels of the Pod Security Standards, checked in the application already, where the
 * message can name its field. */
enum pod_policy {
	POD_POLICY_PRIVILEGED = 0, /* everything */
	POD_POLICY_BASELINE, /* no hostPath, hostNetwork, hostPID, hostIPC, hostPort, privileged containers, added capabilities … */
};

struct validation_options {
	enum pod_policy pod_policy;
};

/*
 * Of a SparkApplication, ScheduledSparkApplication or SparkConnect, by its kind: array of {"field", "message", "reason"}, one for each
 * problem, in the words of Kubernetes' field errors: field "spec.driver.memory", message "Invalid value: \"1gg\": expected …", reason
 * FieldValueInvalid, FieldValueRequired, FieldValueForbidden, FieldValueDuplicate, FieldValueNotSupported or FieldValueTooLong. Empty if all is well.
 * Owned.
 */
struct json *validation_problems(const struct json *object, const struct validation_options *options);
/* One text of them, as utilerrors.Aggregate makes it: "FIELD: MESSAGE", several as "[A, B]". At most 100 lines and 16 KiB, the
 * rest counted. Owned; NULL if there are none. */
char *validation_text(const struct json *problems);

#endif
