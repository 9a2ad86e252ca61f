/*
 * Structured logs: one line per event, logfmt or JSON, to standard error.
 *
 * Every line has time, level, key ("namespace/name" of the object it is about, "-" if none) and msg. Further
 * fields follow as name, value pairs of strings ended by NULL:
 *     log_info("default/pi", "driver created", "pod", pod_name, NULL);
 * Values are escaped, and secrets never get here. Library layers do not log; runtime and app do.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level { LOG_DEBUG = 0, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Lines below level are dropped. */
void log_setup(enum log_level level, bool json);
/* Where the lines go (each ends in '\n'); NULL = standard error. For tests. */
void log_set_sink(void (*sink)(void *arg, const char *line, size_t len), void *arg);

void log_write(enum log_level level, const char *key, const char *msg, ...) __attribute__((sentinel));

#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)

#endif
