/*
 * Collects lines until a message is full, then only counts.
 */
#include "problems.h"

#include <stdarg.h>
#include <string.h>

enum { WHOLE_MAX_LEN = 4 << 20, PATH_MAX_LEN = 128, TEXT_MAX_LEN = 512, VALUE_MAX = 64, TAIL_SIZE = 40 };

void problems_init(struct problems *p)
{
	buf_init(&p->text, ERR_MSG_SIZE - TAIL_SIZE);
	p->hidden = 0;
}

void problems_done(struct problems *p)
{
	buf_done(&p->text);
}

/* Cuts before the character at which max falls. */
static void shorten(char *text, size_t max)
{
	size_t len = strlen(text);

	if (len <= max)
		return;
	len = max - 3;
	while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	memcpy(text + len, "...", 4);
}

/* Keys are part of paths and texts, and may be of any length. */
void problems_add(struct problems *p, const char *path, const char *fmt, ...)
{
	auto_free char *field = xstrdup(path);
	auto_free char *text = NULL;
	auto_free char *line = NULL;
	auto_buf whole;
	va_list ap;

	buf_init(&whole, WHOLE_MAX_LEN);
	va_start(ap, fmt);
	buf_vprintf(&whole, fmt, ap);
	va_end(ap);
	text = xstrdup(buf_str(&whole));
	shorten(field, PATH_MAX_LEN);
	shorten(text, TEXT_MAX_LEN);
	line = xasprintf("%s%s: %s", p->text.len ? "\n" : "", field, text);
	if (p->hidden || !buf_puts(&p->text, line))
		p->hidden++;
}

void problems_invalid(struct problems *p, const char *path, const struct json *value, const char *why)
{
	auto_free char *text = json_print(value);

	shorten(text, VALUE_MAX);
	problems_add(p, path, "Invalid value: %s: %s", text, why);
}

int problems_result(const struct problems *p, struct err *err)
{
	if (!p->text.len && !p->hidden)
		return 0;
	if (!p->hidden)
		return err_set(err, ERR_INVALID, "%s", buf_str(&p->text));
	return err_set(err, ERR_INVALID, "%s\n… and %u more", buf_str(&p->text), p->hidden);
}
