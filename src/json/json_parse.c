/*
 * Text to tree, in one pass. Every node is made where its text is found, appended to its parent and filled, so that
 * after a failure the tree so far is freed as a whole. cJSON's own parser is not used: it takes control characters for
 * blanks, "01" for a number and bytes that are not UTF-8 for text, accepts duplicate names and rounds large integers.
 *
 * Everything that an API server can send has to be read, or one odd object would make the list of all of them
 * unreadable. Fields without a fixed schema can hold integers up to 2^63, \u0000 in strings and 10 000 levels
 * (maxNestingDepth in Go's encoding/json). NUL becomes U+FFFD. Numbers that a double cannot hold and collections that
 * are too deep become literals.
 */
#include "json/json.h"

#include <assert.h>
#include <float.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/text.h"
#include "literal.h"
#include "members.h"
#include "node.h"

/* 2^53 as text: integers with more digits, or as many and greater, are not exact as doubles. */
static const char exact_max[] = "9007199254740992";

enum { TEXT_DEPTH_MAX = 10000 };

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

struct scan {
	const char *start;
	const char *p;
	const char *end;
	int depth;
	bool nul;	  /* a string contained NUL */
	const char *skip; /* the member to be left out in objects of the name `under`; NULL: none */
	const char *under;
	struct err *err;
};

static int scan_fail(const struct scan *s, const char *at, const char *what)
{
	return err_set(s->err, ERR_INVALID, "JSON, byte %zu: %s", (size_t)(at - s->start) + 1, what);
}

/* The next byte, or 0 at the end. */
static char scan_peek(const struct scan *s)
{
	return s->p < s->end ? *s->p : '\0';
}

static bool next_is(const struct scan *s, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(s->end - s->p) >= len && memcmp(s->p, word, len) == 0;
}

static void skip_blanks(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\t' || *s->p == '\r'))
		s->p++;
}

/* Sets the type and keeps the flags. */
static void set_type(cJSON *v, int type)
{
	v->type = (v->type & ~0xff) | type;
}

/* Fails, since what begins at p does not fit here. */
static int scan_unexpected(const struct scan *s)
{
	if (s->p == s->end)
		return scan_fail(s, s->p, "unexpected end");
	if ((*s->p && strchr("{}[],:\"-0123456789", *s->p)) || next_is(s, "true") || next_is(s, "false") ||
	    next_is(s, "null"))
		return scan_fail(s, s->p, "unexpected token");
	return scan_fail(s, s->p, "unexpected character");
}

/* ---- strings ---- */

/* A string in the text, without its quotes; unescaped it is never longer. */
struct span {
	const char *from;
	size_t len;
	bool escaped;
};

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

/* The character of the escape sequence whose \u is before *p, which moves behind it; -1 if it is none. */
static int scan_code_point(const struct scan *s, const char **p)
{
	int high = hex4(s, *p), low;

	*p += 4;
	if (high < 0xd800 || high > 0xdfff)
		return high;
	low = s->end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u' ? hex4(s, *p + 2) : -1;
	if (high > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return -1;
	*p += 6;
	return 0x10000 + (high - 0xd800) * 0x400 + (low - 0xdc00);
}

/* Checks the escape sequence whose backslash is before p, and moves p behind it. */
static int scan_escape(struct scan *s)
{
	const char *at = s->p - 1;
	char c = scan_peek(s);

	s->p++;
	if (c != 'u')
		return c && strchr("\"\\/bfnrt", c) ? 0 : scan_fail(s, at, "unknown escape sequence");
	if (hex4(s, s->p) < 0)
		return scan_fail(s, at, "\\u without four hexadecimal digits");
	return scan_code_point(s, &s->p) < 0 ? scan_fail(s, at, "half of a surrogate pair") : 0;
}

/* Moves p behind the string that begins there. */
static int scan_string(struct scan *s, struct span *ret)
{
	const char *open = s->p++;
	bool escaped = false;

	while (s->p < s->end) {
		unsigned char c = (unsigned char)*s->p;
		size_t len = 1;

		if (c == '"') {
			*ret = (struct span){ open + 1, (size_t)(s->p - open) - 1, escaped };
			s->p++;
			return 0;
		}
		if (c < 0x20)
			return scan_fail(s, s->p, "control character in a string");
		if (c >= 0x80)
			len = text_utf8_char(s->p, (size_t)(s->end - s->p));
		if (len == 0)
			return scan_fail(s, s->p, "not UTF-8");
		s->p += len;
		if (c != '\\')
			continue;
		escaped = true;
		if (scan_escape(s) < 0)
			return err_code(s->err);
	}
	return scan_fail(s, open, "string without end");
}

static char *put_utf8(char *to, int c)
{
	if (c < 0x80) {
		*to++ = (char)c;
		return to;
	}
	if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (c & 0x3f));
	return to;
}

static void copy_unescaped(struct scan *s, const struct span *span, char *out)
{
	static const char shorts[] = "b\bf\fn\nr\rt\t";
	const char *from = span->from, *to = from + span->len;

	while (from < to) {
		const char *escape = memchr(from, '\\', (size_t)(to - from));
		size_t len = (size_t)((escape ? escape : to) - from);
		const char *found;
		int c;

		memcpy(out, from, len);
		out += len;
		from += len;
		if (!escape)
			break;
		c = (unsigned char)from[1];
		from += 2;
		if (c == 'u') {
			c = scan_code_point(s, &from);
			s->nul = s->nul || c == 0;
			out = put_utf8(out, c ? c : 0xfffd);
			continue;
		}
		found = strchr(shorts, c);
		*out++ = found ? found[1] : (char)c;
	}
	*out = '\0';
}

static void copy_text(struct scan *s, const struct span *span, char *to)
{
	assert(to && span->from);
	if (span->escaped) {
		copy_unescaped(s, span, to);
		return;
	}
	memcpy(to, span->from, span->len);
	to[span->len] = '\0';
}

/* ---- numbers and words ---- */

static size_t scan_digits(struct scan *s)
{
	const char *start = s->p;

	while (scan_peek(s) >= '0' && scan_peek(s) <= '9')
		s->p++;
	return (size_t)(s->p - start);
}

static bool is_exact(const char *digits, size_t len)
{
	size_t max_len = strlen(exact_max);

	return len < max_len || (len == max_len && memcmp(digits, exact_max, len) <= 0);
}

/* Fills v with the number from at to p. */
static void set_number(const struct scan *s, cJSON *v, const char *at, bool exact)
{
	char text[JSON_NUMBER_MAX + 1] = "";
	double value = *at == '-' ? -DBL_MAX : DBL_MAX;
	bool finite;

	memcpy(text, at, (size_t)(s->p - at));
	finite = text_double(text, &value);
	set_type(v, cJSON_Number);
	v->valuedouble = value;
	if (!exact || !finite)
		literal_set(v, at, (size_t)(s->p - at));
}

static int parse_number(struct scan *s, cJSON *v)
{
	const char *at = s->p, *digits;
	bool integral = true;
	size_t len;

	if (*s->p == '-')
		s->p++;
	digits = s->p;
	len = scan_digits(s);
	if (len == 0 || (len > 1 && *digits == '0'))
		return scan_fail(s, at, "malformed number");
	if (scan_peek(s) == '.') {
		integral = false;
		s->p++;
		if (scan_digits(s) == 0)
			return scan_fail(s, at, "malformed number");
	}
	if (scan_peek(s) == 'e' || scan_peek(s) == 'E') {
		integral = false;
		s->p++;
		if (scan_peek(s) == '+' || scan_peek(s) == '-')
			s->p++;
		if (scan_digits(s) == 0)
			return scan_fail(s, at, "malformed number");
	}
	if (s->p - at > JSON_NUMBER_MAX)
		return scan_fail(s, at, "number with more than 60 characters");
	set_number(s, v, at, !integral || is_exact(digits, len));
	return 0;
}

static int parse_word(struct scan *s, cJSON *v)
{
	static const struct {
		const char *text;
		int type;
	} words[] = { { "true", cJSON_True }, { "false", cJSON_False }, { "null", cJSON_NULL } };

	for (size_t i = 0; i < array_len(words); i++) {
		if (!next_is(s, words[i].text))
			continue;
		s->p += strlen(words[i].text);
		set_type(v, words[i].type);
		return 0;
	}
	return scan_unexpected(s);
}

/* ---- collections ---- */

/* Moves p behind the collection that begins there. Its contents are not checked. */
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
			return scan_fail(s, s->p, "nested too deeply");
		if ((*s->p == '}' || *s->p == ']') && --depth == 0) {
			s->p++;
			return 0;
		}
	}
	return scan_fail(s, open, "collection without end");
}

/* A collection below the deepest level of trees. It becomes a tree of its own, only to be checked, and then a
 * literal. */
static int parse_deep(struct scan *s, cJSON *v)
{
	const char *open = s->p;
	auto_json tree = NULL;
	int rc = skip_collection(s);

	if (rc < 0)
		return rc;
	tree = json_parse(open, (size_t)(s->p - open), s->err);
	if (!tree)
		return err_wrap(s->err, "JSON, from byte %zu", (size_t)(open - s->start) + 1);
	literal_set(v, open, (size_t)(s->p - open));
	return 0;
}

static bool is_skipped(const struct scan *s, const cJSON *parent, const struct span *name)
{
	return s->skip && parent->string && name->len == strlen(s->skip) && strcmp(parent->string, s->under) == 0 &&
	       memcmp(name->from, s->skip, name->len) == 0 && (scan_peek(s) == '{' || scan_peek(s) == '[');
}

static int scan_name(struct scan *s, struct span *ret)
{
	if (scan_peek(s) != '"')
		return scan_unexpected(s);
	if (scan_string(s, ret) < 0)
		return err_code(s->err);
	skip_blanks(s);
	if (scan_peek(s) != ':')
		return scan_unexpected(s);
	s->p++;
	skip_blanks(s);
	return 0;
}

static int parse_value(struct scan *s, cJSON *v);

/* The element or member at p. */
static int parse_child(struct scan *s, cJSON *parent, bool named)
{
	struct span name = { 0 }, text = { 0 };
	size_t name_size = 0, text_size = 0;
	bool is_text;
	cJSON *v;

	if (named && scan_name(s, &name) < 0)
		return err_code(s->err);
	if (named && is_skipped(s, parent, &name))
		return skip_collection(s);
	is_text = scan_peek(s) == '"';
	if (is_text && scan_string(s, &text) < 0)
		return err_code(s->err);
	name_size = named ? name.len + 1 : 0;
	text_size = is_text ? text.len + 1 : 0;
	v = node_new(is_text ? cJSON_String : cJSON_NULL, name_size, text_size);
	node_append(parent, v);
	if (named)
		copy_text(s, &name, v->string);
	if (is_text)
		copy_text(s, &text, v->valuestring);
	return is_text ? 0 : parse_value(s, v);
}

/* All children up to the closing bracket. */
static int parse_children(struct scan *s, cJSON *v, bool object)
{
	char close = object ? '}' : ']';

	skip_blanks(s);
	if (scan_peek(s) == close) {
		s->p++;
		return 0;
	}
	while (true) {
		if (parse_child(s, v, object) < 0)
			return err_code(s->err);
		skip_blanks(s);
		if (scan_peek(s) == close)
			break;
		if (scan_peek(s) != ',')
			return scan_unexpected(s);
		s->p++;
		skip_blanks(s);
	}
	s->p++;
	return 0;
}

static int parse_collection(struct scan *s, cJSON *v)
{
	bool object = *s->p == '{';
	const char *twice;

	if (s->depth == JSON_MAX_DEPTH)
		return parse_deep(s, v);
	s->p++;
	s->depth++;
	set_type(v, object ? cJSON_Object : cJSON_Array);
	if (parse_children(s, v, object) < 0)
		return err_code(s->err);
	s->depth--;
	twice = object ? members_duplicate(v, s->nul ? replacement : NULL) : NULL;
	return twice ? err_set(s->err, ERR_INVALID, "JSON: duplicate member \"%s\"", twice) : 0;
}

/* Any value but a string, into v. */
static int parse_value(struct scan *s, cJSON *v)
{
	switch (scan_peek(s)) {
	case '{':
	case '[':
		return parse_collection(s, v);
	case '-':
	case '0' ... '9':
		return parse_number(s, v);
	default:
		return parse_word(s, v);
	}
}

static struct json *parse_text(struct scan *s)
{
	cJSON list = { .type = cJSON_Array };
	auto_json tree = NULL;
	int rc;

	skip_blanks(s);
	rc = parse_child(s, &list, false);
	tree = (struct json *)list.child;
	if (rc < 0)
		return NULL;
	skip_blanks(s);
	if (s->p < s->end) {
		scan_unexpected(s);
		return NULL;
	}
	assert(tree); /* parse_child has made one */
	list.child->prev = NULL;
	return take_ptr(tree);
}

struct json *json_parse(const char *text, size_t len, struct err *err)
{
	struct scan s = { .start = text, .p = text, .end = text + len, .err = err };

	return parse_text(&s);
}

struct json *json_parse_without(const char *text, size_t len, const char *under, const char *skip, struct err *err)
{
	struct scan s = { .start = text, .p = text, .end = text + len, .err = err, .under = under, .skip = skip };

	return parse_text(&s);
}
