/*
 * Spark's arithmetic of memory.
 */
#ifndef SPARK_MEMORY_H
#define SPARK_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* MiB of a size in Spark's notation, truncated ("1g", "512m", "1025k", "2048"; since Spark 4.2 also "1Gi"); false if it
 * is none in that version (major * 100 + minor) or too large. */
bool memory_mib(const char *text, int version, int64_t *ret_mib);
/* The default overhead: max(trunc(factor * memory), minimum), all in MiB. */
int64_t memory_overhead_mib(int64_t memory_mib, double factor, int64_t minimum_mib);

/* A double that is not negative as Java's Double.toString prints it: "0.1", "1.0", "5.0E-4". Owned. */
char *memory_double_text(double value);

#endif
