/*
 * Writes the file spark.properties as java.util.Properties.store does.
 *
 * Happy path: two comments, then one line per property, with the escapes of that Java class, in UTF-8. The lines are
 * sorted by key, as JDK 18 and later do it, and the caller gives the date. So the same application always gives the
 * same bytes. Nothing can fail.
 */
#include "properties.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"

/* More than a ConfigMap can hold. submission.c reports the limit of a ConfigMap itself. */
enum { TEXT_MAX = 16 << 20, DAY_MS = 86400000 };

static const struct {
	char c;
	char letter;
} escapes[] = {
	{ '\\', '\\' }, { '\t', 't' }, { '\n', 'n' }, { '\r', 'r' }, { '\f', 'f' },
	{ '=', '=' },	{ ':', ':' },  { '#', '#' },  { '!', '!' },
};

static char escape_letter(char c)
{
	for (size_t i = 0; i < array_len(escapes); i++)
		if (escapes[i].c == c)
			return escapes[i].letter;
	return c;
}

/* Blanks are escaped everywhere in a key, but only as the first character of a value. */
static void put_text(struct buf *out, const char *text, bool is_key)
{
	static const char special[] = "\\\t\n\r\f=:#! ";

	for (const char *p = text; *p; p++) {
		size_t plain = strcspn(p, special);

		buf_add(out, p, plain);
		p += plain;
		if (!*p)
			return;
		if (*p != ' ' || is_key || p == text)
			buf_putc(out, '\\');
		buf_putc(out, escape_letter(*p));
	}
}

/* "Thu Jan 01 00:00:00 UTC 1970": java.util.Date.toString in UTC. */
static void put_date(struct buf *out, int64_t wall_ms)
{
	static const char *const days[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	int64_t ms = wall_ms > 0 ? wall_ms : 0;
	char text[TIME_TEXT_SIZE];
	int month;

	time_rfc3339(ms, text);
	month = (text[5] - '0') * 10 + (text[6] - '0');
	buf_printf(out, "%s %s %.2s %.8s UTC %.4s", days[ms / DAY_MS % 7], months[(month - 1) % 12], text + 8,
		   text + 11, text);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(json_name(*(const struct json *const *)a), json_name(*(const struct json *const *)b));
}

char *properties_print(const struct json *conf, const char *name, int64_t written_ms)
{
	size_t count = json_len(conf), n = 0;
	auto_free const struct json **entries = xcalloc(count + 1, sizeof(*entries));
	auto_buf out;

	buf_init(&out, TEXT_MAX);
	buf_printf(&out, "#Java properties built from Kubernetes config map with name: %s\n#", name);
	put_date(&out, written_ms);
	buf_putc(&out, '\n');
	json_each (entry, conf)
		entries[n++] = entry;
	qsort(entries, n, sizeof(*entries), by_key);
	for (size_t i = 0; i < n; i++) {
		put_text(&out, json_name(entries[i]), true);
		buf_putc(&out, '=');
		put_text(&out, json_text(entries[i], ""), false);
		buf_putc(&out, '\n');
	}
	return buf_take(&out);
}
