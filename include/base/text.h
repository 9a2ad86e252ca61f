/*
 * Small pure helpers on strings and numbers.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NULL equals only NULL. */
bool text_eq(const char *a, const char *b);
bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);
/* NULL or "". */
bool text_empty(const char *text);
/* text without blanks and control characters at both ends, as Java's String.trim. Owned. */
char *text_trimmed(const char *text);

/* The whole text is a decimal integer (sign allowed) that fits; else false and *ret untouched. */
bool text_i64(const char *text, int64_t *ret);
/* The whole text is a finite decimal number, '.' as the point whatever the locale. */
bool text_double(const char *text, double *ret);

enum { TEXT_NUMBER_SIZE = 32 };

/* A text that reads back as value, with as few of 15 to 17 digits as do: integers up to 2^53 as such (nothing
 * larger looks like one), NaN, +Inf, -Inf. Returns out. */
char *text_number(double value, char out[TEXT_NUMBER_SIZE]);

/*
 * 64 bits that depend on every byte of text and on seed (FNV-1a with a final mix). For names, not for security:
 * equal inputs give equal names in every process and version.
 */
uint64_t text_hash(uint64_t seed, const char *text);

/* Base64 (RFC 4648, with padding). Owned result; NULL if text is not base64. *ret_len without the added NUL. */
char *text_base64_decode(const char *text, size_t *ret_len);
char *text_base64_encode(const void *data, size_t len);

/* Percent-encodes everything outside RFC 3986 "unreserved"; owned. */
char *text_url_encode(const char *text);

/* RFC 1123 checks as Kubernetes makes them (apimachinery validation): at most 63 / 253 characters. */
bool text_is_dns_label(const char *text);
bool text_is_dns_subdomain(const char *text);
/* Kubernetes label value: empty or [A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?, at most 63. */
bool text_is_label_value(const char *text);
/* Kubernetes qualified name: [prefix/]name. */
bool text_is_label_key(const char *text);

/*
 * "Did you mean": finds the known name that is the nearest to an unknown one. The distance is the number of letters to
 * be changed, added or left out (Levenshtein). It is at most 1 for a name of 2 or 3 letters, and 1 more for each 4
 * letters. Of equally near names the first is found.
 */
enum { TEXT_NEAREST_MAX = 64 }; /* names that are longer are not compared */

struct text_nearest {
	const char *name; /* the unknown name, len bytes; borrowed */
	size_t len;
	size_t limit;	   /* a candidate has to be nearer than this */
	const char *found; /* the nearest candidate so far, borrowed; NULL if none is near */
};

void text_nearest_init(struct text_nearest *n, const char *name, size_t len);
void text_nearest_add(struct text_nearest *n, const char *candidate);

/* Well-formed UTF-8 without surrogates and overlong forms. */
bool text_is_utf8(const char *text, size_t len);
/* Bytes of the UTF-8 character that text starts with; 0 if it is malformed or len is 0. */
size_t text_utf8_char(const char *text, size_t len);

#endif
