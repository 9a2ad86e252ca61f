/*
 * Helpers on strings and numbers: comparisons, strict number parsing, hashing, base64, percent-encoding, UTF-8 and the
 * name checks of Kubernetes (apimachinery/pkg/util/validation, which the functions follow rule by rule).
 * All are pure; what is malformed gives false or NULL and leaves the out parameter alone.
 */
#include "base/text.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { LABEL_MAX = 63, SUBDOMAIN_MAX = 253 };

static const double exact_max = 9007199254740992.0; /* 2^53 */

bool text_eq(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(a, b) == 0;
}

bool text_starts(const char *text, const char *prefix)
{
	return text && strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *suffix)
{
	size_t len = text ? strlen(text) : 0, tail = strlen(suffix);

	return text && len >= tail && memcmp(text + len - tail, suffix, tail) == 0;
}

bool text_empty(const char *text)
{
	return !text || !*text;
}

char *text_trimmed(const char *text)
{
	size_t len;

	while (*text && (unsigned char)*text <= ' ')
		text++;
	len = strlen(text);
	while (len && (unsigned char)text[len - 1] <= ' ')
		len--;
	return xstrndup(text, len);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_sign(const char *p)
{
	return *p == '+' || *p == '-' ? p + 1 : p;
}

static const char *skip_digits(const char *p)
{
	while (is_digit(*p))
		p++;
	return p;
}

bool text_i64(const char *text, int64_t *ret)
{
	const char *digits;
	long long value;

	if (text_empty(text))
		return false;
	digits = skip_sign(text);
	if (!is_digit(*digits) || *skip_digits(digits))
		return false;
	errno = 0;
	value = strtoll(text, NULL, 10);
	if (errno)
		return false;
	*ret = value;
	return true;
}

/* [sign] digits [. digits] [e [sign] digits], with a digit somewhere before the e. */
static bool is_decimal(const char *text)
{
	const char *start = skip_sign(text), *p = skip_digits(start);
	bool any = p > start;

	if (*p == '.') {
		start = p + 1;
		p = skip_digits(start);
		any = any || p > start;
	}
	if (!any)
		return false;
	if (*p == 'e' || *p == 'E') {
		start = skip_sign(p + 1);
		p = skip_digits(start);
		if (p == start)
			return false;
	}
	return *p == '\0';
}

static double parse_double(const char *text)
{
	static locale_t c_locale;

	if (!c_locale)
		c_locale = newlocale(LC_ALL_MASK, "C", NULL);
	return strtod_l(text, NULL, c_locale);
}

bool text_double(const char *text, double *ret)
{
	double value;

	if (!text || !is_decimal(text))
		return false;
	value = parse_double(text);
	if (!isfinite(value))
		return false;
	*ret = value;
	return true;
}

char *text_number(double value, char out[TEXT_NUMBER_SIZE])
{
	if (!isfinite(value)) {
		snprintf(out, TEXT_NUMBER_SIZE, "%s", isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
		return out;
	}
	if (fabs(value) <= exact_max && value == trunc(value)) {
		snprintf(out, TEXT_NUMBER_SIZE, "%lld", (long long)value);
		return out;
	}
	for (int digits = 15; digits <= 17; digits++) {
		char *comma;

		snprintf(out, TEXT_NUMBER_SIZE, "%.*g", digits, value);
		comma = strchr(out, ','); /* the point of some locales */
		if (comma)
			*comma = '.';
		if (parse_double(out) == value)
			break;
	}
	if (!out[strspn(out, "-0123456789")])
		memcpy(out + strlen(out), ".0", 3); /* not exact: must not look like an integer */
	return out;
}

/* The last step of splitmix64. */
static uint64_t hash_mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t text_hash(uint64_t seed, const char *text)
{
	uint64_t hash = 0xcbf29ce484222325u ^ hash_mix(seed);

	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		hash = (hash ^ *p) * 0x100000001b3u;
	return hash_mix(hash);
}

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* -1 for a character outside the alphabet. */
static int base64_value(char c)
{
	const char *at = c ? strchr(base64_alphabet, c) : NULL;

	return at ? (int)(at - base64_alphabet) : -1;
}

char *text_base64_decode(const char *text, size_t *ret_len)
{
	size_t len = strlen(text), used = len, out_len = 0;
	auto_free char *out = NULL;
	uint32_t bits = 0;

	if (len % 4 != 0)
		return NULL;
	while (used > 0 && len - used < 2 && text[used - 1] == '=')
		used--;
	out = xmalloc(len / 4 * 3 + 1);
	for (size_t i = 0; i < used; i++) {
		int value = base64_value(text[i]);

		if (value < 0)
			return NULL;
		bits = (bits << 6 | (uint32_t)value) & 0xffffff;
		if (i % 4 > 0)
			out[out_len++] = (char)(bits >> (6 - i % 4 * 2) & 0xff);
	}
	/* the unused bits of the last character must be 0, so that each content has exactly one encoding */
	if ((used % 4 == 2 && bits & 0xf) || (used % 4 == 3 && bits & 0x3))
		return NULL;
	out[out_len] = '\0';
	*ret_len = out_len;
	return take_ptr(out);
}

char *text_base64_encode(const void *data, size_t len)
{
	const unsigned char *in = data;
	char *out = xmalloc((len + 2) / 3 * 4 + 1), *p = out;

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t bits = (uint32_t)in[i] << 16;

		if (left > 1)
			bits |= (uint32_t)in[i + 1] << 8;
		if (left > 2)
			bits |= in[i + 2];
		*p++ = base64_alphabet[bits >> 18];
		*p++ = base64_alphabet[bits >> 12 & 63];
		*p++ = left > 1 ? base64_alphabet[bits >> 6 & 63] : '=';
		*p++ = left > 2 ? base64_alphabet[bits & 63] : '=';
	}
	*p = '\0';
	return out;
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_lower_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z');
}

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

char *text_url_encode(const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = xmalloc(strlen(text) * 3 + 1), *p = out;

	for (; *text; text++) {
		if (is_alnum(*text) || is_one_of(*text, "-._~")) {
			*p++ = *text;
			continue;
		}
		*p++ = '%';
		*p++ = hex[(unsigned char)*text >> 4];
		*p++ = hex[(unsigned char)*text & 15];
	}
	*p = '\0';
	return out;
}

/* One or more characters for which is_edge holds, others from inner allowed between the first and the last. */
static bool is_name(const char *text, size_t len, bool (*is_edge)(char c), const char *inner)
{
	if (len == 0 || !is_edge(text[0]) || !is_edge(text[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_edge(text[i]) && !is_one_of(text[i], inner))
			return false;
	return true;
}

bool text_is_dns_label(const char *text)
{
	size_t len = text ? strlen(text) : 0;

	return len <= LABEL_MAX && is_name(text, len, is_lower_alnum, "-");
}

/* IsDNS1123Subdomain: the whole is limited, its labels are not. */
static bool is_subdomain(const char *text, size_t len)
{
	const char *end = text + len;

	if (len > SUBDOMAIN_MAX)
		return false;
	for (;;) {
		const char *dot = memchr(text, '.', (size_t)(end - text));
		const char *stop = dot ? dot : end;

		if (!is_name(text, (size_t)(stop - text), is_lower_alnum, "-"))
			return false;
		if (!dot)
			return true;
		text = dot + 1;
	}
}

bool text_is_dns_subdomain(const char *text)
{
	return text && is_subdomain(text, strlen(text));
}

bool text_is_label_value(const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (!text || len > LABEL_MAX)
		return false;
	return len == 0 || is_name(text, len, is_alnum, "-_.");
}

bool text_is_label_key(const char *text)
{
	const char *slash = text ? strchr(text, '/') : NULL;

	if (!text)
		return false;
	if (slash && !is_subdomain(text, (size_t)(slash - text)))
		return false;
	return *(slash ? slash + 1 : text) && text_is_label_value(slash ? slash + 1 : text);
}

size_t text_utf8_char(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	size_t need;

	if (len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	need = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	/* the second byte tells overlong forms, surrogates and what is above U+10FFFF (Unicode, table 3-7) */
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (len < need || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return need;
}

bool text_is_utf8(const char *text, size_t len)
{
	while (len > 0) {
		size_t n = text_utf8_char(text, len);

		if (n == 0)
			return false;
		text += n;
		len -= n;
	}
	return true;
}

static size_t least_of(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's distance, a row of the table at a time; b has at most TEXT_NEAREST_MAX bytes. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t row[TEXT_NEAREST_MAX + 1];

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t above = row[j];

			row[j] = least_of(above + 1, row[j - 1] + 1, corner + (a[i - 1] != b[j - 1]));
			corner = above;
		}
	}
	return row[b_len];
}

void text_nearest_init(struct text_nearest *n, const char *name, size_t len)
{
	*n = (struct text_nearest){ .name = name, .len = len, .limit = 2 + len / 4 };
	if (len < 2 || len > TEXT_NEAREST_MAX)
		n->limit = 0;
}

void text_nearest_add(struct text_nearest *n, const char *candidate)
{
	size_t len = strlen(candidate);
	size_t distance;

	if (n->limit == 0 || len < 2 || len > TEXT_NEAREST_MAX)
		return;
	distance = edit_distance(n->name, n->len, candidate, len);
	if (distance >= n->limit)
		return;
	n->limit = distance;
	n->found = candidate;
}
