/*
 * The growing byte buffer. Storage doubles and stays one byte larger than the content for the NUL. An addition that
 * would pass the maximum changes nothing but the overflow flag, which stays until buf_clear, buf_take or buf_done;
 * callers add without looking and check once at the end.
 */
#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { FIRST_CAP = 64 };

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_done(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->overflow = false;
	if (b->data)
		b->data[0] = '\0';
}

static bool buf_reserve(struct buf *b, size_t len)
{
	size_t need, cap;

	if (len > b->max - b->len || b->len + len == SIZE_MAX) {
		b->overflow = true;
		return false;
	}
	need = b->len + len + 1;
	if (need <= b->cap)
		return true;
	cap = b->cap < FIRST_CAP ? FIRST_CAP : b->cap;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (cap - 1 > b->max)
		cap = b->max + 1;
	b->data = xrealloc(b->data, cap);
	b->cap = cap;
	return true;
}

bool buf_add(struct buf *b, const void *data, size_t len)
{
	if (!buf_reserve(b, len))
		return false;
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return true;
}

bool buf_puts(struct buf *b, const char *text)
{
	return buf_add(b, text, strlen(text));
}

bool buf_putc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

bool buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	bool added;

	va_start(ap, fmt);
	added = buf_vprintf(b, fmt, ap);
	va_end(ap);
	return added;
}

bool buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0 || !buf_reserve(b, (size_t)len)) {
		b->overflow = true;
		return false;
	}
	vsnprintf(b->data + b->len, (size_t)len + 1, fmt, ap);
	b->len += (size_t)len;
	return true;
}

/* How many bytes at p stand for themselves inside a JSON string, characters beyond ASCII left out. */
static size_t json_plain_len(const char *p, size_t left)
{
	size_t len = 0;

	while (len < left && (signed char)p[len] >= 0x20 && p[len] != '"' && p[len] != '\\')
		len++;
	return len;
}

/* Adds the character at p as it stands inside a JSON string; returns how many bytes of text it was. Like Go's
 * encoding/json, a byte that is not UTF-8 becomes U+FFFD. */
static size_t buf_add_json_char(struct buf *b, const char *p, size_t left)
{
	static const char shorts[] = "\bb\ff\nn\rr\tt\"\"\\\\";
	size_t len = text_utf8_char(p, left);

	if (len == 0) {
		buf_puts(b, "\xef\xbf\xbd");
		return 1;
	}
	if (len > 1) {
		buf_add(b, p, len);
		return len;
	}
	for (const char *s = shorts; *s; s += 2) {
		if (*s == *p) {
			buf_putc(b, '\\');
			buf_putc(b, s[1]);
			return 1;
		}
	}
	buf_printf(b, "\\u%04x", (unsigned char)*p);
	return 1;
}

bool buf_add_json(struct buf *b, const char *text)
{
	size_t start = b->len, left = strlen(text);
	bool had_overflow = b->overflow;

	b->overflow = false;
	buf_putc(b, '"');
	while (left > 0 && !b->overflow) {
		size_t used = json_plain_len(text, left);

		if (used > 0)
			buf_add(b, text, used);
		else
			used = buf_add_json_char(b, text, left);

		text += used;
		left -= used;
	}
	buf_putc(b, '"');
	if (b->overflow) {
		b->len = start;
		if (b->data)
			b->data[start] = '\0';
		return false;
	}
	b->overflow = had_overflow;
	return true;
}

void buf_drop(struct buf *b, size_t n)
{
	if (n > b->len)
		n = b->len;
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n + 1);
	b->len -= n;
}

char *buf_take(struct buf *b)
{
	char *data = b->data ? b->data : xstrdup("");

	buf_init(b, b->max);
	return data;
}

const char *buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}
