/*
 * Spark's arithmetic of memory: sizes as JavaUtils.byteStringAs reads them, the overhead of BasicDriverFeatureStep,
 * and the text of a double, in which a factor is written into the properties.
 */
#include "spark/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "spark/version.h"

static const struct unit {
	const char *name;
	int shift; /* bytes as a power of two */
	int since;
} units[] = {
	{ "", 20, 0 },		 { "b", 0, 0 },
	{ "k", 10, 0 },		 { "kb", 10, 0 },
	{ "m", 20, 0 },		 { "mb", 20, 0 },
	{ "g", 30, 0 },		 { "gb", 30, 0 },
	{ "t", 40, 0 },		 { "tb", 40, 0 },
	{ "p", 50, 0 },		 { "pb", 50, 0 },
	{ "ki", 10, SPARK_4_2 }, { "kib", 10, SPARK_4_2 },
	{ "mi", 20, SPARK_4_2 }, { "mib", 20, SPARK_4_2 },
	{ "gi", 30, SPARK_4_2 }, { "gib", 30, SPARK_4_2 },
	{ "ti", 40, SPARK_4_2 }, { "tib", 40, SPARK_4_2 },
	{ "pi", 50, SPARK_4_2 }, { "pib", 50, SPARK_4_2 },
};

/* Characters up to the blank at both ends are dropped, as String.trim does; at most size - 1 characters. */
static bool trimmed_lower(const char *text, char *out, size_t size)
{
	auto_free char *trimmed = text_trimmed(text);
	size_t len = strlen(trimmed);

	if (len >= size)
		return false;
	for (size_t i = 0; i < len; i++)
		out[i] = trimmed[i] >= 'A' && trimmed[i] <= 'Z' ? (char)(trimmed[i] - 'A' + 'a') : trimmed[i];
	out[len] = '\0';
	return true;
}

static const struct unit *unit_find(const char *name)
{
	for (size_t i = 0; i < array_len(units); i++)
		if (text_eq(units[i].name, name))
			return &units[i];
	return NULL;
}

bool memory_mib(const char *text, int version, int64_t *ret_mib)
{
	char lower[32], digits[32];
	const struct unit *unit;
	size_t len;
	int64_t value;

	if (!text || !trimmed_lower(text, lower, sizeof(lower)))
		return false;
	len = strspn(lower, "0123456789");
	snprintf(digits, sizeof(digits), "%.*s", (int)len, lower);
	unit = unit_find(lower + len);
	if (!unit || unit->since > version || !text_i64(digits, &value))
		return false;
	if (unit->shift < 20) {
		*ret_mib = value >> (20 - unit->shift);
		return true;
	}
	if (value > INT64_MAX >> (unit->shift - 20))
		return false;
	*ret_mib = value << (unit->shift - 20);
	return true;
}

int64_t memory_overhead_mib(int64_t memory_mib, double factor, int64_t minimum_mib)
{
	double product = factor * (double)memory_mib;
	int64_t overhead = product >= (double)INT32_MAX ? INT32_MAX : (int64_t)product;

	return overhead > minimum_mib ? overhead : minimum_mib;
}

enum { DIGITS_SIZE = 32 };

/* The shortest digits that give value again, without the point, and the exponent of the first of them. */
static int shortest(double value, char digits[DIGITS_SIZE])
{
	char text[DIGITS_SIZE];
	int64_t exponent = 0;
	size_t n = 0;
	double again;

	for (int precision = 0; precision < 17; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, value);
		if (text_double(text, &again) && again == value)
			break;
	}
	for (const char *p = text; *p != 'e'; p++)
		if (*p >= '0' && *p <= '9')
			digits[n++] = *p;
	digits[n] = '\0';
	text_i64(strchr(text, 'e') + 1, &exponent);
	return (int)exponent;
}

char *memory_double_text(double value)
{
	static const char zeros[] = "0000000";
	char digits[DIGITS_SIZE];
	int exponent = shortest(value, digits), len = (int)strlen(digits);

	if (value == 0)
		return xstrdup("0.0");
	if (exponent < -3 || exponent >= 7)
		return xasprintf("%c.%sE%d", digits[0], len > 1 ? digits + 1 : "0", exponent);
	if (exponent < 0)
		return xasprintf("0.%.*s%s", -exponent - 1, zeros, digits);
	if (len <= exponent + 1)
		return xasprintf("%s%.*s.0", digits, exponent + 1 - len, zeros);
	return xasprintf("%.*s.%s", exponent + 1, digits, digits + exponent + 1);
}
