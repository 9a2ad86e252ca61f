/*
 * Everything that is wrong with an object, in the words of Kubernetes' field errors (apimachinery
 * util/validation/field).
 */
#ifndef RULES_PROBLEMS_H
#define RULES_PROBLEMS_H

#include "base/buf.h"
#include "json/json.h"

struct problems {
	struct json *list; /* objects {field, message, reason}; NULL while there are none */
	const char *spec;  /* the path of what paths call "spec"; NULL: they are right */
	size_t hidden;	   /* found, but without room in the list */
};

void problems_init(struct problems *p);
void problems_done(struct problems *p);
#define auto_problems __attribute__((cleanup(problems_done))) struct problems

/* The text begins with the kind of error: "Required value", "Forbidden: …". Control characters are escaped. */
void problems_add(struct problems *p, const char *path, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* PATH: Invalid value: VALUE: why; if why lists supported values: Unsupported value. */
void problems_invalid(struct problems *p, const char *path, const struct json *value, const char *why);
void problems_invalid_text(struct problems *p, const char *path, const char *value, const char *why);
/* An error of another part, whose message begins with a path, or with the property that spec.sparkConf has. */
void problems_add_err(struct problems *p, const struct err *err);
bool problems_any(const struct problems *p);
/* There is no room in the list: another problem would only be counted. */
bool problems_is_full(const struct problems *p);
bool problems_has(const struct problems *p, const char *path);
/* 0 if there are none, else ERR_INVALID with as many lines as there is room for, the last of which counts those left
 * out. */
int problems_result(const struct problems *p, struct err *err);
/* The list, handed over; an element without a field has the count of those left out. */
struct json *problems_take(struct problems *p);

#endif
