/*
 * Times are int64_t milliseconds: "wall" since the Unix epoch (UTC), "now" on a monotonic clock.
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

enum { TIME_TEXT_SIZE = 32 };

/* "2026-01-02T03:04:05Z" as metav1.Time prints it (seconds, fraction dropped). Returns out. */
char *time_rfc3339(int64_t wall_ms, char out[TIME_TEXT_SIZE]);
/* "2026-01-02T03:04:05.123000Z" as metav1.MicroTime prints it. */
char *time_rfc3339_micro(int64_t wall_ms, char out[TIME_TEXT_SIZE]);
/* Accepts fractions and zone offsets; false (and *ret untouched) for anything else, NULL included. */
bool time_parse(const char *text, int64_t *ret_wall_ms);

/* The clocks of this machine. Called by net/loop and main only: everything else is told the time. */
int64_t time_now_ms(void);
int64_t time_now_us(void); /* the same clock in microseconds, to measure what takes less than a millisecond */
int64_t time_wall_ms(void);
int64_t time_boot_ms(void); /* monotonic, goes on while the machine sleeps */

/* A small random generator (splitmix64): for jitter, never for secrets. Seed it by setting state. */
struct rng {
	uint64_t state;
};
uint64_t rng_next(struct rng *rng);
/* Uniform in [low, high). */
int64_t rng_range(struct rng *rng, int64_t low, int64_t high);

/* Exponential back-off: base * 2^tries, at most cap, then full jitter in [d/2, d]. */
int64_t time_backoff_ms(int64_t base_ms, int64_t cap_ms, unsigned tries, struct rng *rng);

#endif
