/*
 * Collects lines until a message is full, then only counts.
 */
#include "problems.h"

#include <stdarg.h>
#include <string.h>

enum { LINE_MAX_LEN = 512, VALUE_MAX = 64, TAIL_SIZE = 40 };

void problems_init(struct problems *p)
{
	buf_init(&p->text, ERR_MSG_SIZE - TAIL_SIZE);
	p->hidden = 0;
}

void problems_done(struct problems *p)
{
	buf_done(&p->text);
}

void problems_add(struct problems *p, const char *path, const char *fmt, ...)
{
	auto_buf line;
	va_list ap;

	buf_init(&line, LINE_MAX_LEN);
	buf_printf(&line, "%s%s: ", p->text.len ? "\n" : "", path);
	va_start(ap, fmt);
	buf_vprintf(&line, fmt, ap);
	va_end(ap);
	if (line.overflow || p->hidden || !buf_puts(&p->text, buf_str(&line)))
		p->hidden++;
}

/* Cuts before the character at which VALUE_MAX falls. */
static void shorten(char *text)
{
	size_t len = strlen(text);

	if (len <= VALUE_MAX)
		return;
	len = VALUE_MAX - 3;
	while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	memcpy(text + len, "...", 4);
}

void problems_invalid(struct problems *p, const char *path, const struct json *value, const char *why)
{
	auto_free char *text = json_print(value);

	shorten(text);
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
