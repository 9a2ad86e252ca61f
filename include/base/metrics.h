/*
 * Metrics: a registry and its text exposition (Prometheus format 0.0.4). Pure; the HTTP server only sends it.
 *
 * A family has a fixed list of label names; a series is addressed by the label values in that order. Families
 * live as long as the registry and are never removed.
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stddef.h>

#include "base/buf.h"

enum metric_type { METRIC_COUNTER = 1, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_SUMMARY };

struct metrics;
struct metric;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);

/* label_names: NULL-terminated, may be NULL. buckets (histograms): ascending upper bounds, count of them. All are
 * copied. Registering a name twice is a programming error. A metric without labels shows 0 from the start. */
struct metric *metrics_add(struct metrics *m, enum metric_type type, const char *name, const char *help,
			   const char *const *label_names, const double *buckets, size_t bucket_count);
/* The family of that name, NULL if there is none: for modules of which there are several in one process. */
struct metric *metrics_find(const struct metrics *m, const char *name);

/* values: as many as label names, NULL if there are none. A family keeps at most 10 000 series; further ones
 * are counted in a series whose values are "other". */
void metric_add(struct metric *m, const char *const *values, double delta);
void metric_set(struct metric *m, const char *const *values, double value);
void metric_observe(struct metric *m, const char *const *values, double value);
/* Shows the series, at 0 if nothing was counted yet: what appears only with its first event cannot be seen to rise. */
void metric_init(struct metric *m, const char *const *values);
/* Shows the series no more: what it is about is gone. */
void metric_remove(struct metric *m, const char *const *values);
/* Current value (sum for histograms and summaries); 0 if the series is not there. */
double metric_get(const struct metric *m, const char *const *values);

/*
 * A second name under which the series of a family are shown; with values only that one series, without labels. A histogram
 * may be shown as a summary. The name is taken as by metrics_add.
 */
void metrics_alias(struct metrics *m, const struct metric *of, enum metric_type type, const char *name,
		   const char *help, const char *const *values);

/* Called before each exposition, for gauges that are read and not counted. */
void metrics_on_collect(struct metrics *m, void (*fn)(void *arg), void *arg);
/* Families in order of registration, series in order of appearance. */
void metrics_write(struct metrics *m, struct buf *out);

#endif
