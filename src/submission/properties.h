/*
 * The file spark.properties.
 */
#ifndef SUBMISSION_PROPERTIES_H
#define SUBMISSION_PROPERTIES_H

#include <stdint.h>

#include "json/json.h"

/* conf: an object of strings. name: of the ConfigMap, for the first comment. Owned text. */
char *properties_print(const struct json *conf, const char *name, int64_t written_ms);

#endif
