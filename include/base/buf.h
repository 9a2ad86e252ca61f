/*
 * A growing byte buffer with a mandatory maximum, and a growing list of strings.
 * Every byte that comes from outside is collected in one of these, so that nothing grows without a limit.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* NUL-terminated whenever not NULL; NULL while nothing was added */
	size_t len; /* without the NUL */
	size_t cap;
	size_t max;    /* largest len allowed */
	bool overflow; /* an addition was refused; the content is what was added before it */
};

void buf_init(struct buf *b, size_t max);
/* Frees the content; b can be used again with the same max. Accepts a zeroed struct. */
void buf_done(struct buf *b);
/* Empties the buffer and keeps its storage. */
void buf_clear(struct buf *b);
/* The additions return false, set overflow and add nothing when the maximum would be passed. */
bool buf_add(struct buf *b, const void *data, size_t len);
bool buf_puts(struct buf *b, const char *text);
bool buf_putc(struct buf *b, char c);
bool buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Adds text as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. */
bool buf_add_json(struct buf *b, const char *text);
/* Removes the first n bytes. */
void buf_drop(struct buf *b, size_t n);
/* The content as an owned string ("" if empty); b is empty afterwards. */
char *buf_take(struct buf *b);
/* The content, never NULL; borrowed until the next change. */
const char *buf_str(const struct buf *b);

#define auto_buf __attribute__((cleanup(buf_done))) struct buf

/* A list of owned strings. {0} is empty. */
struct strv {
	char **items;
	size_t len;
	size_t cap;
};

void strv_done(struct strv *v);
void strv_add(struct strv *v, const char *text);
void strv_addf(struct strv *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool strv_has(const struct strv *v, const char *text);
/* Owned; "" for an empty list. */
char *strv_join(const struct strv *v, const char *separator);
/* Appends the pieces of text between separators, blanks around them trimmed, empty ones dropped. */
void strv_split(struct strv *v, const char *text, char separator);

#define auto_strv __attribute__((cleanup(strv_done))) struct strv

#endif
