/*
 * Figures of this process, named as every Prometheus client library names them.
 */
#ifndef RUNTIME_PROCESS_METRICS_H
#define RUNTIME_PROCESS_METRICS_H

#include <stdint.h>

#include "base/metrics.h"

struct process_metrics;

/* Read from /proc/self at each collection. started_wall_ms: for process_start_time_seconds. */
struct process_metrics *process_metrics_new(struct metrics *m, int64_t started_wall_ms);
/* spark_operator_build_info: version, revision (the commit), compiler, architecture. */
void process_metrics_build_info(struct metrics *m, const char *version, const char *revision);
void process_metrics_free(struct process_metrics *p);

#endif
