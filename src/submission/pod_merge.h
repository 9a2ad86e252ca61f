/*
 * How what a field wants comes together with what a pod has already. Somebody else made the pod, and other webhooks may
 * have changed it.
 */
#ifndef SUBMISSION_POD_MERGE_H
#define SUBMISSION_POD_MERGE_H

#include <stdbool.h>

#include "json/json.h"

/*
 * The value in a pod says what a field wants and nothing else. The two sides are not alike: the value may have gone
 * through the API server, which adds defaults and leaves out what is empty.
 */
bool pod_merge_says(const struct json *value, const struct json *wanted);

/* Makes the object say what is wanted. Members of which the wanted object says nothing stay. */
void pod_merge_object(struct json *object, const struct json *wanted);

/* Makes the last variable of that name say what is wanted, or appends a variable. A value that another webhook has
 * extended stays as it is. */
void pod_merge_variable(struct json *container, const struct json *wanted);

/* The list has an item that stands for the wanted one, so that a second one would be too much. */
bool pod_merge_has_port(const struct json *ports, const struct json *wanted);
bool pod_merge_has_alias(const struct json *aliases, const struct json *wanted);
/* Containers and init containers of a pod share their names. */
bool pod_merge_has_container(const struct json *pod_spec, const char *name);

/* Appends the toleration, or sets the time of the one that tolerates the same. */
void pod_merge_toleration(struct json *tolerations, const struct json *wanted);

#endif
