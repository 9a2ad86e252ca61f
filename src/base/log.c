/*
 * Log lines: assembled in a bounded buffer and handed over in one write, so that lines of several processes do not
 * mix. A value that is too long is cut, a field that no longer fits is left out, and either shows as truncated=true;
 * a line that cannot be written is lost. Quoting follows github.com/go-logfmt/logfmt; times are RFC 3339, UTC.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

enum { LINE_SIZE = 16384, TAIL_SIZE = 32, VALUE_SIZE = 4096 };

static const char *const level_names[] = { "debug", "info", "warn", "error" };

static struct {
	enum log_level level;
	bool json;
	void (*sink)(void *arg, const char *line, size_t len);
	void *arg;
} setup = { .level = LOG_INFO };

void log_setup(enum log_level level, bool json)
{
	setup.level = level;
	setup.json = json;
}

void log_set_sink(void (*sink)(void *arg, const char *line, size_t len), void *arg)
{
	setup.sink = sink;
	setup.arg = arg;
}

static bool needs_quotes(const char *value)
{
	if (!*value || !text_is_utf8(value, strlen(value)))
		return true;
	for (; *value; value++)
		if ((unsigned char)*value <= ' ' || *value == '=' || *value == '"' || *value == 0x7f)
			return true;
	return false;
}

static void add_field(struct buf *line, const char *name, const char *value)
{
	size_t start = line->len;

	if (setup.json) {
		buf_putc(line, start > 0 ? ',' : '{');
		buf_add_json(line, name);
		buf_putc(line, ':');
		buf_add_json(line, value);
	} else {
		buf_printf(line, "%s%s=", start > 0 ? " " : "", name);
		if (needs_quotes(value))
			buf_add_json(line, value);
		else
			buf_puts(line, value);
	}
	if (line->overflow)
		line->len = start;
}

/* Returns whether the whole value went in. */
static bool add_value(struct buf *line, const char *name, const char *value)
{
	auto_free char *cut = NULL;
	bool fits;

	if (!value)
		value = "";
	fits = strnlen(value, VALUE_SIZE + 1) <= VALUE_SIZE;
	if (!fits)
		value = cut = xstrndup(value, VALUE_SIZE);
	line->overflow = false;
	add_field(line, name, value);
	return fits && !line->overflow;
}

static void write_line(const char *text, size_t len)
{
	if (setup.sink) {
		setup.sink(setup.arg, text, len);
		return;
	}
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

void log_write(enum log_level level, const char *key, const char *msg, ...)
{
	char seconds[TIME_TEXT_SIZE], stamp[TIME_TEXT_SIZE + 8];
	auto_buf line = { .max = LINE_SIZE - TAIL_SIZE };
	const char *name;
	int64_t now_ms;
	bool whole;
	va_list ap;

	if (level < setup.level)
		return;
	now_ms = time_wall_ms();
	snprintf(stamp, sizeof(stamp), "%.19s.%03dZ", time_rfc3339(now_ms, seconds), (int)(now_ms % 1000));
	add_value(&line, "time", stamp);
	add_value(&line, "level", level_names[level]);
	whole = add_value(&line, "key", key ? key : "-");
	whole = add_value(&line, "msg", msg) && whole;
	va_start(ap, msg);
	while ((name = va_arg(ap, const char *)))
		whole = add_value(&line, name, va_arg(ap, const char *)) && whole;
	va_end(ap);
	line.max = LINE_SIZE;
	if (!whole)
		add_value(&line, "truncated", "true");
	buf_puts(&line, setup.json ? "}\n" : "\n");
	write_line(buf_str(&line), line.len);
}
