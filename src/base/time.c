/*
 * Times as text, the clocks, chance and back-off. Printing clamps to the years 1 to 9999, which RFC 3339 can write.
 * Parsing takes what Go's time.Parse(time.RFC3339) takes, no more: upper case T and Z, no leap second, days that exist.
 */
#include "base/time.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define WALL_MIN_MS (-62135596800000) /* 0001-01-01T00:00:00Z */
#define WALL_MAX_MS 253402300799999   /* 9999-12-31T23:59:59.999Z */

/* Seconds and milliseconds of a wall time, the latter never negative. */
static void split_wall_ms(int64_t wall_ms, struct tm *tm, int *ms)
{
	time_t seconds;

	if (wall_ms < WALL_MIN_MS)
		wall_ms = WALL_MIN_MS;
	if (wall_ms > WALL_MAX_MS)
		wall_ms = WALL_MAX_MS;
	*ms = (int)(wall_ms % 1000);
	if (*ms < 0)
		*ms += 1000;
	seconds = (wall_ms - *ms) / 1000;
	gmtime_r(&seconds, tm);
}

char *time_rfc3339(int64_t wall_ms, char out[TIME_TEXT_SIZE])
{
	struct tm tm;
	int ms;

	split_wall_ms(wall_ms, &tm, &ms);
	strftime(out, TIME_TEXT_SIZE, "%4Y-%m-%dT%H:%M:%SZ", &tm);
	return out;
}

char *time_rfc3339_micro(int64_t wall_ms, char out[TIME_TEXT_SIZE])
{
	struct tm tm;
	size_t len;
	int ms;

	split_wall_ms(wall_ms, &tm, &ms);
	len = strftime(out, TIME_TEXT_SIZE, "%4Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + len, TIME_TEXT_SIZE - len, ".%03d000Z", ms);
	return out;
}

/* Exactly digits digits at *p, at most max; moves *p. */
static bool parse_digits(const char **p, int digits, int max, int *ret)
{
	int value = 0;

	for (int i = 0; i < digits; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		value = value * 10 + (**p - '0');
	}
	*ret = value;
	return value <= max;
}

static bool parse_char(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

/* ".123456": any number of digits; those after the third are dropped. */
static bool parse_fraction(const char **p, int *ret_ms)
{
	int weight = 100;

	*ret_ms = 0;
	if (!parse_char(p, '.'))
		return true;
	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; (*p)++) {
		*ret_ms += weight * (**p - '0');
		weight /= 10;
	}
	return true;
}

static bool parse_zone(const char **p, int *ret_seconds)
{
	int sign = **p == '-' ? -1 : 1, hours, minutes;

	*ret_seconds = 0;
	if (parse_char(p, 'Z'))
		return true;
	if (!parse_char(p, '+') && !parse_char(p, '-'))
		return false;
	if (!parse_digits(p, 2, 23, &hours) || !parse_char(p, ':') || !parse_digits(p, 2, 59, &minutes))
		return false;
	*ret_seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

bool time_parse(const char *text, int64_t *ret_wall_ms)
{
	const char *p = text;
	struct tm tm = { 0 }, want;
	int ms, offset;
	time_t seconds;

	if (!text)
		return false;
	if (!parse_digits(&p, 4, 9999, &tm.tm_year) || !parse_char(&p, '-') || !parse_digits(&p, 2, 12, &tm.tm_mon) ||
	    !parse_char(&p, '-') || !parse_digits(&p, 2, 31, &tm.tm_mday) || !parse_char(&p, 'T'))
		return false;
	if (!parse_digits(&p, 2, 23, &tm.tm_hour) || !parse_char(&p, ':') || !parse_digits(&p, 2, 59, &tm.tm_min) ||
	    !parse_char(&p, ':') || !parse_digits(&p, 2, 59, &tm.tm_sec))
		return false;
	if (!parse_fraction(&p, &ms) || !parse_zone(&p, &offset) || *p != '\0')
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	want = tm;
	seconds = timegm(&tm); /* moves a day that does not exist into the next month */
	if (tm.tm_mon != want.tm_mon || tm.tm_mday != want.tm_mday)
		return false;
	*ret_wall_ms = ((int64_t)seconds - offset) * 1000 + ms;
	return true;
}

static int64_t clock_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t time_now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

int64_t time_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t time_boot_ms(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

int64_t time_wall_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

int64_t rng_range(struct rng *rng, int64_t low, int64_t high)
{
	uint64_t span = (uint64_t)high - (uint64_t)low;
	uint64_t skip, value;

	assert(low < high);
	skip = -span % span; /* 2^64 mod span: values below it would make the first ones likelier */
	do {
		value = rng_next(rng);
	} while (value < skip);
	return (int64_t)((uint64_t)low + value % span);
}

int64_t time_backoff_ms(int64_t base_ms, int64_t cap_ms, unsigned tries, struct rng *rng)
{
	int64_t delay = base_ms;

	if (base_ms <= 0 || cap_ms <= 0)
		return 0;
	while (tries-- > 0 && delay < cap_ms)
		if (__builtin_mul_overflow(delay, 2, &delay))
			delay = cap_ms;
	if (delay > cap_ms)
		delay = cap_ms;
	return delay - rng_range(rng, 0, delay - delay / 2 + 1);
}
