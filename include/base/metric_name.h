/*
 * Names of metrics and of their labels, made from texts that may have other characters
 * (prometheus.io/docs/concepts/data_model).
 */
#ifndef BASE_METRIC_NAME_H
#define BASE_METRIC_NAME_H

#include <stdbool.h>

enum { METRIC_LABELS_MAX = 16 }; /* of one family */

/* prefix (NULL: none) and text, in which every character that may not be in a name is "_". Owned. */
char *metric_name(const char *prefix, const char *text);
/* Whether metric_name(NULL, text) is name; allocates nothing. */
bool metric_name_equals(const char *name, const char *text);
/* Whether a name may be that of a label. It may not be empty, begin with a digit or "__", or be one that Prometheus
 * itself gives to histograms and summaries. */
bool metric_name_is_label(const char *name);

#endif
