/*
 * Durations written as text, as in flags ("--webhook-cert-lifetime=2160h") and schedules ("@every 90s").
 */
#ifndef BASE_DURATION_H
#define BASE_DURATION_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads "1h30m", "1.5h", "500ms" or "0", as Go's time.ParseDuration does. The units are h, m, s, ms, us, µs and ns. A
 * rest of less than a millisecond counts as a whole one. Of a fraction, nine digits count. Returns false and leaves
 * *ret_ms alone if text is NULL or anything else: a sign, a number without a unit, more than nine digits before the
 * point, a sum that does not fit.
 */
bool duration_parse(const char *text, int64_t *ret_ms);

#endif
