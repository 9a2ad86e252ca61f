/*
 * Text to tree. cJSON builds the tree, but it is lax: it takes control characters for blanks, "01" for a number, bytes
 * that are not UTF-8 for text, the first of two equal names, and it rounds large integers. So one pass over the text
 * checks every token before cJSON sees it (cJSON then only checks that the tokens are in a legal order), and one pass
 * over the tree afterwards looks for duplicate names and puts literals in the place of numbers that cJSON has rounded.
 *
 * Whatever an API server can send must be read, or one odd object would make the list of all of them unreadable for good:
 * integers up to 2^63, \u0000 in strings and 10 000 levels (maxNestingDepth in Go's encoding/json), which fields of no
 * fixed schema can have. cJSON gets a copy of the text in which U+FFFD stands for NUL and 0 for collections that are too deep.
 */
#include "json/json.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "base/text.h"
#include "literal.h"
#include "members.h"

/* 2^53 as text: integers with more digits, or as many and greater, are not exact as doubles. */
static const char exact_max[] = "9007199254740992";

enum { TEXT_DEPTH_MAX = 10000 };

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* Where in the text a number is that cJSON cannot keep. */
struct literal {
	size_t index; /* among all numbers that cJSON sees */
	const char *text;
	size_t len;
};

struct scan {
	const char *start;
	const char *p;
	const char *end;
	char *copy; /* of the text from start to end, for cJSON */
	int depth;
	bool nul; /* a string has had one */
	size_t numbers;
	struct literal *literals;
	size_t literal_count;
	size_t literal_cap;
	struct err *err;
};

static int fail(const struct scan *s, const char *at, const char *what)
{
	return err_set(s->err, ERR_INVALID, "JSON, byte %zu: %s", (size_t)(at - s->start) + 1, what);
}

/* The next byte, or 0 at the end. */
static char peek(const struct scan *s)
{
	return s->p < s->end ? *s->p : '\0';
}

/* The four hexadecimal digits at p, or -1. */
static int hex4(const struct scan *s, const char *p)
{
	int value = 0;

	if (s->end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++, p++) {
		static const char digits[] = "0123456789abcdef";
		const char *at = *p ? strchr(digits, *p | ('A' <= *p && *p <= 'F' ? 0x20 : 0)) : NULL;

		if (!at)
			return -1;
		value = value * 16 + (int)(at - digits);
	}
	return value;
}

/* s->p is behind the backslash. */
static int scan_escape(struct scan *s)
{
	const char *at = s->p - 1;
	char c = peek(s);
	int unit, low;

	s->p++;
	if (c != 'u')
		return c && strchr("\"\\/bfnrt", c) ? 0 : fail(s, at, "unknown escape sequence");
	unit = hex4(s, s->p);
	if (unit < 0)
		return fail(s, at, "\\u without four hexadecimal digits");
	if (unit == 0) {
		memcpy(s->copy + (s->p - s->start), "fffd", 4);
		s->nul = true;
	}
	s->p += 4;
	if (unit < 0xd800 || unit > 0xdfff)
		return 0;
	low = s->end - s->p >= 6 && s->p[0] == '\\' && s->p[1] == 'u' ? hex4(s, s->p + 2) : -1;
	if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return fail(s, at, "half of a surrogate pair");
	s->p += 6;
	return 0;
}

static int scan_string(struct scan *s)
{
	const char *open = s->p++;

	while (s->p < s->end) {
		size_t len = text_utf8_char(s->p, (size_t)(s->end - s->p));
		char c = *s->p;
		int rc;

		if (len == 0)
			return fail(s, s->p, "not UTF-8");
		if ((unsigned char)c < 0x20)
			return fail(s, s->p, "control character in a string");
		s->p += len;
		if (c == '"')
			return 0;
		if (c != '\\')
			continue;
		rc = scan_escape(s);
		if (rc < 0)
			return rc;
	}
	return fail(s, open, "string without end");
}

static size_t scan_digits(struct scan *s)
{
	const char *start = s->p;

	while (peek(s) >= '0' && peek(s) <= '9')
		s->p++;
	return (size_t)(s->p - start);
}

static void add_literal(struct scan *s, const char *text)
{
	if (s->literal_count == s->literal_cap) {
		s->literal_cap = s->literal_cap ? s->literal_cap * 2 : 16;
		s->literals = xreallocarray(s->literals, s->literal_cap, sizeof(*s->literals));
	}
	s->literals[s->literal_count++] = (struct literal){ s->numbers, text, (size_t)(s->p - text) };
}

static bool is_exact(const char *digits, size_t len)
{
	size_t max_len = strlen(exact_max);

	return len < max_len || (len == max_len && memcmp(digits, exact_max, len) <= 0);
}

static bool is_finite(const char *text, size_t len)
{
	char number[JSON_NUMBER_MAX + 1] = "";
	double value;

	memcpy(number, text, len);
	return text_double(number, &value);
}

static int scan_number(struct scan *s)
{
	const char *at = s->p, *digits;
	bool integral = true, exponent = false;
	size_t len;

	if (*s->p == '-')
		s->p++;
	digits = s->p;
	len = scan_digits(s);
	if (len == 0 || (len > 1 && *digits == '0'))
		return fail(s, at, "malformed number");
	if (peek(s) == '.') {
		integral = false;
		s->p++;
		if (scan_digits(s) == 0)
			return fail(s, at, "malformed number");
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		integral = false;
		exponent = true;
		s->p++;
		if (peek(s) == '+' || peek(s) == '-')
			s->p++;
		if (scan_digits(s) == 0)
			return fail(s, at, "malformed number");
	}
	if (s->p - at > JSON_NUMBER_MAX)
		return fail(s, at, "number with more than 60 characters");
	if (integral ? !is_exact(digits, len) : exponent && !is_finite(at, (size_t)(s->p - at)))
		add_literal(s, at);
	s->numbers++;
	return 0;
}

static int scan_word(struct scan *s)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < array_len(words); i++) {
		size_t len = strlen(words[i]);

		if ((size_t)(s->end - s->p) >= len && memcmp(s->p, words[i], len) == 0) {
			s->p += len;
			return 0;
		}
	}
	return fail(s, s->p, "unexpected character");
}

/* To the end of the collection at p. What is in it is checked by others. */
static int skip_collection(struct scan *s)
{
	const char *open = s->p;
	int depth = 0;
	bool quoted = false;

	for (; s->p < s->end; s->p++) {
		if (*s->p == '"')
			quoted = !quoted;
		else if (quoted && *s->p == '\\' && s->end - s->p > 1)
			s->p++;
		if (quoted)
			continue;
		if ((*s->p == '{' || *s->p == '[') && s->depth + ++depth > TEXT_DEPTH_MAX)
			return fail(s, s->p, "nested too deeply");
		if ((*s->p == '}' || *s->p == ']') && --depth == 0) {
			s->p++;
			return 0;
		}
	}
	return fail(s, open, "collection without end");
}

/* A collection below the deepest level of trees: a tree of its own only to be checked, and a literal. */
static int scan_deep(struct scan *s)
{
	const char *open = s->p;
	auto_json tree = NULL;
	int rc = skip_collection(s);

	if (rc < 0)
		return rc;
	tree = json_parse(open, (size_t)(s->p - open), s->err);
	if (!tree)
		return err_wrap(s->err, "JSON, from byte %zu", (size_t)(open - s->start) + 1);
	memset(s->copy + (open - s->start), ' ', (size_t)(s->p - open));
	s->copy[open - s->start] = '0';
	add_literal(s, open);
	s->numbers++;
	return 0;
}

static int scan_token(struct scan *s)
{
	switch (*s->p) {
	case '{':
	case '[':
		if (s->depth == JSON_MAX_DEPTH)
			return scan_deep(s);
		s->depth++;
		break;
	case '}':
	case ']':
		s->depth--;
		break;
	case ',':
	case ':':
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		break;
	case '"':
		return scan_string(s);
	case '-':
	case '0' ... '9':
		return scan_number(s);
	default:
		return scan_word(s);
	}
	s->p++;
	return 0;
}

/* What only the tree shows. Its numbers come in the order of the text; *number and *literal are how many have been seen. */
static int check(const struct scan *s, cJSON *v, size_t *number, size_t *literal)
{
	const char *name = cJSON_IsObject(v) ? members_duplicate(v, s->nul ? replacement : NULL) : NULL;

	if (name)
		return err_set(s->err, ERR_INVALID, "JSON: duplicate member \"%s\"", name);
	if (cJSON_IsNumber(v)) {
		const struct literal *next = *literal < s->literal_count ? &s->literals[*literal] : NULL;

		if (next && next->index == (*number)++) {
			literal_set(v, next->text, next->len);
			++*literal;
		}
	}
	for (cJSON *child = v->child; child; child = child->next) {
		int rc = check(s, child, number, literal);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static struct json *parse(struct scan *s)
{
	size_t len = (size_t)(s->end - s->start), number = 0, literal = 0;
	const char *stop = s->copy;
	auto_json tree = NULL;

	while (s->p < s->end)
		if (scan_token(s) < 0)
			return NULL;
	tree = (struct json *)cJSON_ParseWithLengthOpts(s->copy, len + 1, &stop, true);
	if (!tree) {
		bool end = stop - s->copy >= (ptrdiff_t)len;

		fail(s, s->start + (stop - s->copy), end ? "unexpected end" : "unexpected token");
		return NULL;
	}
	return check(s, (cJSON *)tree, &number, &literal) < 0 ? NULL : take_ptr(tree);
}

/* The copy also ends with NUL: cJSON 1.7.15 reads past the end of other text (CVE-2023-53154). */
struct json *json_parse(const char *text, size_t len, struct err *err)
{
	struct scan s = { .start = text, .p = text, .end = text + len, .copy = xmalloc(len + 1), .err = err };
	struct json *tree;

	memcpy(s.copy, text, len);
	s.copy[len] = '\0';
	tree = parse(&s);
	free(s.copy);
	free(s.literals);
	return tree;
}
