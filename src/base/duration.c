/*
 * Durations: each number is split into whole units and billionths of a unit, and both are added as integers. There is
 * no floating point, so "0.1s" is exactly 100 ms.
 */
#include "base/duration.h"

#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { NS_PER_MS = 1000000, DIGITS_MAX = 9 };

static const struct {
	const char *unit;
	int64_t ns;
} units[] = { /* "ms" comes before "m" */
	      { "ms", NS_PER_MS },
	      { "us", 1000 },
	      { "µs", 1000 }, /* U+00B5, micro sign */
	      { "μs", 1000 }, /* U+03BC, Greek letter mu */
	      { "ns", 1 },
	      { "h", INT64_C(3600000) * NS_PER_MS },
	      { "m", INT64_C(60000) * NS_PER_MS },
	      { "s", INT64_C(1000) * NS_PER_MS }
};

struct duration {
	int64_t ms;
	int64_t ns; /* less than a millisecond */
};

/* Adds whole units (a number of at most nine digits) and a fraction (billionths of a unit). */
static bool duration_add(struct duration *d, int64_t whole, int64_t fraction, int64_t unit_ns)
{
	int64_t ns = unit_ns < NS_PER_MS ? whole * unit_ns : 0;

	if (unit_ns >= NS_PER_MS && __builtin_add_overflow(d->ms, whole * (unit_ns / NS_PER_MS), &d->ms))
		return false;
	ns += fraction * (unit_ns / 1000) / 1000000;
	ns += d->ns;
	d->ns = ns % NS_PER_MS;
	return !__builtin_add_overflow(d->ms, ns / NS_PER_MS, &d->ms);
}

/* The first count digits as a number, with zeros for those behind len. */
static int64_t read_digits(const char *text, size_t len, size_t count)
{
	int64_t value = 0;

	for (size_t i = 0; i < count; i++)
		value = value * 10 + (i < len ? text[i] - '0' : 0);
	return value;
}

/* Adds one number with its unit. Returns what follows, or NULL if there is no such number. */
static const char *add_part(const char *text, struct duration *d)
{
	size_t digits = strspn(text, "0123456789");
	bool has_point = text[digits] == '.';
	size_t places = has_point ? strspn(text + digits + 1, "0123456789") : 0;
	const char *unit = text + digits + (has_point ? 1 + places : 0);
	int64_t fraction = places ? read_digits(text + digits + 1, places, DIGITS_MAX) : 0;

	if (digits + places == 0 || digits > DIGITS_MAX)
		return NULL;
	for (size_t i = 0; i < array_len(units); i++)
		if (text_starts(unit, units[i].unit))
			return duration_add(d, read_digits(text, digits, digits), fraction, units[i].ns)
				   ? unit + strlen(units[i].unit)
				   : NULL;
	return NULL;
}

bool duration_parse(const char *text, int64_t *ret_ms)
{
	struct duration sum = { 0 };

	if (text_eq(text, "0")) {
		*ret_ms = 0;
		return true;
	}
	if (text_empty(text))
		return false;
	while (*text) {
		text = add_part(text, &sum);
		if (!text)
			return false;
	}
	if (sum.ns > 0 && __builtin_add_overflow(sum.ms, 1, &sum.ms))
		return false;
	*ret_ms = sum.ms;
	return true;
}
