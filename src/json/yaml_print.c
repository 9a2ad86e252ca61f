/*
 * JSON trees to YAML in the block style of kubectl. Scalars are written plain only when no reader of YAML 1.1 or 1.2
 * could take them for anything but that string. Text of several lines becomes a literal block if its content allows it.
 * Everything else is written in double quotes, where every character can be written. Nothing here fails.
 */
#include "json/yaml.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "literal.h"

enum { SIMPLE_KEY_MAX = 1000 }; /* readers look 1024 characters ahead for the colon of a key */

static void print_block(struct buf *out, const struct json *v, int indent);

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_in_set(char c, const char *set)
{
	return c && strchr(set, c);
}

/* Words that some YAML version reads as null or a boolean. */
static bool is_reserved_word(const char *text)
{
	static const char *const words[] = { "null", "true", "false", "yes", "no", "on", "off", "y", "n" };

	for (size_t i = 0; i < array_len(words); i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	return false;
}

static bool is_plain(const char *text)
{
	if (!is_alpha(*text) && !is_digit(*text) && !is_in_set(*text, "_/$("))
		return false;
	/* a number, date or sexagesimal has no letter from this set; 512m and 10Gi do */
	if (is_digit(*text) && !strpbrk(text, "gGhHjJkKlLmMpPqQrRsSuUvVwWyY"))
		return false;
	if (is_reserved_word(text))
		return false;
	for (const char *p = text; *p; p++) {
		if (is_alpha(*p) || is_digit(*p) || is_in_set(*p, "_-./+@%^()$=<>;*&!~?"))
			continue;
		if ((*p == ' ' || *p == ':') && p[1] && p[1] != ' ')
			continue;
		return false;
	}
	return true;
}

/* The code point of a well-formed character. */
static uint32_t decode_code_point(const char *text, size_t len)
{
	static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t point = (unsigned char)*text & masks[len];

	for (size_t i = 1; i < len; i++)
		point = point << 6 | ((unsigned char)text[i] & 0x3f);
	return point;
}

/* Printable (YAML 1.2, 5.1) and no line break in YAML 1.1. */
static bool is_printable(uint32_t point)
{
	if (point < 0xa0)
		return point >= 0x20 && point < 0x7f;
	return point != 0x2028 && point != 0x2029 && point != 0xfeff && point != 0xfffe && point != 0xffff;
}

static void print_quoted_char(struct buf *out, const char *text, size_t len)
{
	uint32_t point = decode_code_point(text, len);

	if (point == '"' || point == '\\')
		buf_printf(out, "\\%c", (char)point);
	else if (is_printable(point))
		buf_add(out, text, len);
	else if (point == '\n')
		buf_puts(out, "\\n");
	else if (point == '\t')
		buf_puts(out, "\\t");
	else
		buf_printf(out, "\\u%04X", point); /* whatever is not printable is below 0x10000 */
}

static void print_quoted(struct buf *out, const char *text)
{
	size_t left = strlen(text);

	buf_putc(out, '"');
	while (left > 0) {
		size_t len = text_utf8_char(text, left);

		if (len > 0)
			print_quoted_char(out, text, len);
		else
			buf_puts(out, "\\uFFFD");
		len = len ? len : 1;
		text += len;
		left -= len;
	}
	buf_putc(out, '"');
}

/* Whether text can be a literal block: several lines, no blanks at their ends, no blank or empty line at the start, at
 * most one line break at the end. */
static bool is_literal(const char *text)
{
	size_t len = strlen(text);

	if (!strchr(text, '\n') || is_in_set(*text, " \t\n") || is_in_set(text[len - 1], " \t") ||
	    text_ends(text, "\n\n"))
		return false;
	for (const char *end = text + len; text < end;) {
		size_t n = text_utf8_char(text, (size_t)(end - text));

		if (n == 0 || (!is_in_set(*text, "\n\t") && !is_printable(decode_code_point(text, n))))
			return false;
		if (is_in_set(*text, " \t") && text[1] == '\n')
			return false;
		text += n;
	}
	return true;
}

static void print_literal(struct buf *out, const char *text, int indent)
{
	buf_puts(out, text_ends(text, "\n") ? "|" : "|-");
	while (*text) {
		size_t len = strcspn(text, "\n");

		buf_putc(out, '\n');
		if (len > 0)
			buf_printf(out, "%*s", indent, "");
		buf_add(out, text, len);
		text += len;
		text += *text == '\n';
	}
}

/* A plain 1e400 is out of range for readers of YAML 1.1, which take it for a string. */
static void print_yaml_number(struct buf *out, const struct json *v)
{
	const char *literal = literal_text(v);
	char number[TEXT_NUMBER_SIZE];

	if (!literal)
		buf_puts(out, text_number(json_number(v, 0), number));
	else
		buf_printf(out, "%s%s", !is_in_set(*literal, "{[") && strpbrk(literal, "eE") ? "!!float " : "",
			   literal);
}

static void print_scalar(struct buf *out, const struct json *v, int indent)
{
	const char *text = json_text(v, NULL);

	if (json_is(v, JSON_BOOL))
		buf_puts(out, json_true(v) ? "true" : "false");
	else if (json_is(v, JSON_NUMBER) && isfinite(json_number(v, NAN)))
		print_yaml_number(out, v);
	else if (json_is(v, JSON_OBJECT))
		buf_puts(out, "{}");
	else if (json_is(v, JSON_ARRAY))
		buf_puts(out, "[]");
	else if (!text)
		buf_puts(out, "null");
	else if (is_plain(text))
		buf_puts(out, text);
	else if (is_literal(text))
		print_literal(out, text, indent + 2);
	else
		print_quoted(out, text);
}

static void print_key(struct buf *out, const char *name, int indent)
{
	size_t start = out->len;

	if (is_plain(name))
		buf_puts(out, name);
	else
		print_quoted(out, name);
	if (out->len - start > SIMPLE_KEY_MAX) {
		out->len = start;
		buf_puts(out, "? ");
		print_quoted(out, name);
		buf_printf(out, "\n%*s", indent, "");
	}
	buf_putc(out, ':');
}

static void print_member(struct buf *out, const struct json *v, int indent)
{
	int inner = json_is(v, JSON_OBJECT) ? indent + 2 : indent;

	print_key(out, json_name(v), indent);
	if (json_first(v)) {
		buf_printf(out, "\n%*s", inner, "");
		print_block(out, v, inner);
		return;
	}
	buf_putc(out, ' ');
	print_scalar(out, v, indent);
}

static void print_element(struct buf *out, const struct json *v, int indent)
{
	buf_puts(out, "- ");
	if (json_first(v))
		print_block(out, v, indent + 2);
	else
		print_scalar(out, v, indent);
}

/* Prints a collection that is not empty, from column indent on, without the last line break. */
static void print_block(struct buf *out, const struct json *v, int indent)
{
	const struct json *first = json_first(v);

	for (const struct json *child = first; child; child = json_next(child)) {
		if (child != first)
			buf_printf(out, "\n%*s", indent, "");
		if (json_is(v, JSON_OBJECT))
			print_member(out, child, indent);
		else
			print_element(out, child, indent);
	}
}

char *yaml_print(const struct json *v)
{
	struct buf out = { .max = SIZE_MAX };

	if (json_first(v))
		print_block(&out, v, 0);
	else
		print_scalar(&out, v, 0);
	buf_putc(&out, '\n');
	return buf_take(&out);
}
