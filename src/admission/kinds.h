/*
 * The validation of each kind: these functions check a whole object by the rules of its kind.
 */
#ifndef ADMISSION_KINDS_H
#define ADMISSION_KINDS_H

#include "rules/validate.h"

void validate_scheduled(struct problems *p, const struct json *object, const struct rule_options *options);
void validate_connect(struct problems *p, const struct json *object, const struct rule_options *options);
/* Checks a SparkApplication, or an object from which one will be made. */
void validate_application(struct problems *p, const struct json *object, const struct rule_options *options);

#endif
