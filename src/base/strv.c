/*
 * The growing list of owned strings, declared in buf.h. Nothing here fails; whoever fills a list from outside limits
 * what goes in.
 */
#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static void strv_push(struct strv *v, char *text)
{
	if (v->len == v->cap) {
		v->cap = v->cap ? v->cap * 2 : 8;
		v->items = xreallocarray(v->items, v->cap, sizeof(*v->items));
	}
	v->items[v->len++] = text;
}

void strv_done(struct strv *v)
{
	for (size_t i = 0; i < v->len; i++)
		free(v->items[i]);
	free(v->items);
	*v = (struct strv){ 0 };
}

void strv_add(struct strv *v, const char *text)
{
	strv_push(v, xstrdup(text));
}

void strv_addf(struct strv *v, const char *fmt, ...)
{
	struct buf text;
	va_list ap;

	buf_init(&text, SIZE_MAX);
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	strv_push(v, buf_take(&text));
}

bool strv_has(const struct strv *v, const char *text)
{
	for (size_t i = 0; i < v->len; i++)
		if (text_eq(v->items[i], text))
			return true;
	return false;
}

char *strv_join(const struct strv *v, const char *separator)
{
	struct buf text;

	buf_init(&text, SIZE_MAX);
	for (size_t i = 0; i < v->len; i++) {
		if (i > 0)
			buf_puts(&text, separator);
		buf_puts(&text, v->items[i]);
	}
	return buf_take(&text);
}

void strv_split(struct strv *v, const char *text, char separator)
{
	const char *end = text + strlen(text);

	while (text < end) {
		const char *stop = memchr(text, separator, (size_t)(end - text));
		const char *next = stop ? stop + 1 : end;

		if (!stop)
			stop = end;
		while (text < stop && strchr(" \t\r\n", *text))
			text++;
		while (stop > text && strchr(" \t\r\n", stop[-1]))
			stop--;
		if (text < stop)
			strv_push(v, xstrndup(text, (size_t)(stop - text)));
		text = next;
	}
}
