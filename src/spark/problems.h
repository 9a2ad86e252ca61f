/*
 * Everything that is wrong with an object, a line each, in the words of Kubernetes' field errors
 * (apimachinery util/validation/field).
 */
#ifndef SPARK_PROBLEMS_H
#define SPARK_PROBLEMS_H

#include "base/buf.h"
#include "json/json.h"

struct problems {
	struct buf text;
	unsigned hidden; /* found, but without room in a message */
};

void problems_init(struct problems *p);
void problems_done(struct problems *p);
void problems_add(struct problems *p, const char *path, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* PATH: Invalid value: VALUE: why */
void problems_invalid(struct problems *p, const char *path, const struct json *value, const char *why);
/* 0 if there are none, else ERR_INVALID with the lines, the last of which counts those left out. */
int problems_result(const struct problems *p, struct err *err);

#endif
