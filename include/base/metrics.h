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

/*
 * The family of that name, which is made if there is none: modules of which there are several in one process share
 * their families. label_names: NULL-terminated, may be NULL. buckets (histograms): ascending upper bounds, count of
 * them. All are copied. Two families of one name that differ in type or labels are a programming error. A metric
 * without labels shows 0 from the start.
 */
struct metric *metrics_family(struct metrics *m, enum metric_type type, const char *name, const char *help,
			      const char *const *label_names, const double *buckets, size_t bucket_count);
/* The family of that name, NULL if there is none. */
struct metric *metrics_find(const struct metrics *m, const char *name);

/* values: as many as label names, NULL if there are none. A family keeps at most 10 000 series; further ones
 * are counted in a series whose values are "other". */
void metric_add(struct metric *m, const char *const *values, double delta);
void metric_set(struct metric *m, const char *const *values, double value);
void metric_observe(struct metric *m, const char *const *values, double value);
/* Shows the series at 0 before anything is counted: Prometheus cannot see a rise in a series that begins with its first
 * event. */
void metric_init(struct metric *m, const char *const *values);
/* Removes the series, when the thing that it describes is gone. Where several have called metric_init for it, the last
 * one of them that calls this removes it. */
void metric_remove(struct metric *m, const char *const *values);
/* Current value (sum for histograms and summaries); 0 if the series is not there. */
double metric_get(const struct metric *m, const char *const *values);

/*
 * Adds a second name under which the series of the family `of` are shown. With values, only the series with these
 * values is shown, and without labels. A histogram may be shown as a summary. Registering a name twice is a programming
 * error.
 */
void metrics_alias(struct metrics *m, const struct metric *of, enum metric_type type, const char *name,
		   const char *help, const char *const *values);

/* fn is called before each exposition. It sets gauges whose values are read from somewhere. */
void metrics_on_collect(struct metrics *m, void (*fn)(void *arg), void *arg);
/* No longer: before arg is freed, if the registry outlives it. */
void metrics_off_collect(struct metrics *m, void (*fn)(void *arg), const void *arg);
/* Families in order of registration, series in order of appearance. */
void metrics_write(struct metrics *m, struct buf *out);

#endif
