/*
 * Everything that is wrong with an object of the operator's kinds, for the webhook, the controller and the offline
 * command alike.
 */
#ifndef ADMISSION_VALIDATION_H
#define ADMISSION_VALIDATION_H

#include "spark/app.h"
#include "rules/policy.h"

/*
 * Of a SparkApplication, ScheduledSparkApplication or SparkConnect, by its kind: array of {"field", "message",
 * "reason"}, one for each problem, in the words of Kubernetes' field errors: field "spec.driver.memory", message
 * "Invalid value: \"1gg\": expected …", reason FieldValueInvalid, FieldValueRequired, FieldValueForbidden,
 * FieldValueDuplicate, FieldValueNotSupported, FieldValueNotFound, FieldValueTooLong or FieldValueTooMany. Empty if
 * all is well. At most 100; if there are more, a last element without a field counts them. Owned.
 */
struct json *validation_problems(const struct json *object, const struct rule_options *options);
/*
 * The fields that the object has and no schema knows, in the same form, each with what was probably meant, such as
 * "unknown field: did you mean memory?". They are no problems: an API server takes the object. Owned, and empty for
 * other kinds. First, the fields that the CRD does not have: the API server drops them, and kubectl refuses the object
 * unless told otherwise. Then those that the types of Kubernetes do not have, as recorded (crds/record-types): they
 * stay in the object, and the API server drops them from pods, unless it is newer than the record.
 */
struct json *validation_unknown_fields(const struct json *object);
/*
 * What will run, but perhaps not as its author expects, in the same form: a version of Spark that is assumed, an image
 * that is not there yet, a property that has no effect. For an object without problems. Owned; empty for other kinds.
 */
struct json *validation_doubts(const struct json *object, const struct rule_options *options);
/* validation_problems has rules for objects of that kind. */
bool validation_knows(const char *kind);
/* "FIELD: MESSAGE" of one problem. Owned. */
char *validation_line(const struct json *problem);
/* One text of them, as utilerrors.Aggregate makes it: "FIELD: MESSAGE", several as "[A, B]". At most 100 lines and 16
 * KiB, the rest counted. Owned; NULL if there are none. */
char *validation_text(const struct json *problems);

#endif
