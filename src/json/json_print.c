/*
 * Tree to text. cJSON's own printer is not used: it writes 1000000000000000 as 1e+15, which Go refuses as an integer,
 * and it copies bytes that are not UTF-8. This printer writes integers as integers, other numbers with the fewest
 * digits that read back the same, literals as they came, and U+FFFD for bytes that are not UTF-8. NaN and infinities,
 * which JSON cannot write, become null.
 */
#include "json/json.h"

#include <math.h>

#include "base/buf.h"
#include "base/text.h"
#include "literal.h"

enum { COMPACT = -1 };

/* The line break and indentation before an element at this level. */
static void print_break(struct buf *out, int level)
{
	if (level == COMPACT)
		return;
	buf_printf(out, "\n%*s", level * 2, "");
}

static void print_value(struct buf *out, const struct json *v, int level);

static void print_children(struct buf *out, const struct json *v, int level, const char *brackets)
{
	int inner = level == COMPACT ? COMPACT : level + 1;
	const struct json *first = json_first(v);

	buf_putc(out, brackets[0]);
	for (const struct json *child = first; child; child = json_next(child)) {
		if (child != first)
			buf_putc(out, ',');
		print_break(out, inner);
		if (json_name(child)) {
			buf_add_json(out, json_name(child));
			buf_puts(out, level == COMPACT ? ":" : ": ");
		}
		print_value(out, child, inner);
	}
	if (first)
		print_break(out, level);
	buf_putc(out, brackets[1]);
}

static void print_json_number(struct buf *out, const struct json *v)
{
	double value = json_number(v, 0);
	char text[TEXT_NUMBER_SIZE];

	if (literal_text(v))
		buf_puts(out, literal_text(v));
	else
		buf_puts(out, isfinite(value) ? text_number(value, text) : "null");
}

static void print_value(struct buf *out, const struct json *v, int level)
{
	switch (json_type(v)) {
	case JSON_BOOL:
		buf_puts(out, json_true(v) ? "true" : "false");
		break;
	case JSON_NUMBER:
		print_json_number(out, v);
		break;
	case JSON_STRING:
		buf_add_json(out, json_text(v, ""));
		break;
	case JSON_ARRAY:
		print_children(out, v, level, "[]");
		break;
	case JSON_OBJECT:
		print_children(out, v, level, "{}");
		break;
	default:
		buf_puts(out, "null");
	}
}

char *json_print(const struct json *v)
{
	struct buf out = { .max = SIZE_MAX };

	print_value(&out, v, COMPACT);
	return buf_take(&out);
}

char *json_print_pretty(const struct json *v)
{
	struct buf out = { .max = SIZE_MAX };

	print_value(&out, v, 0);
	buf_putc(&out, '\n');
	return buf_take(&out);
}
