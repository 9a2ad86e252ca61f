/*
 * The rules of each kind, on a whole object.
 */
#ifndef ADMISSION_KINDS_H
#define ADMISSION_KINDS_H

#include "rules/validate.h"

void validate_scheduled(struct problems *p, const struct json *object, enum pod_policy policy);
void validate_connect(struct problems *p, const struct json *object, enum pod_policy policy);
/* A SparkApplication, or what will be one. */
void validate_application(struct problems *p, const struct json *object, enum pod_policy policy);

#endif
