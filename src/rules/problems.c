/*
 * Collects the problems of an object. After as many as anybody reads, further problems are only counted.
 *
 * A problem is kept as the API server gives it to clients (metav1.StatusCause): field, message (field.Error's
 * ErrorBody) and reason, which follows from the first words of the message.
 */
#include "rules/problems.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"

enum {
	LIST_MAX = 100,
	WHOLE_MAX_LEN = 4 << 20,
	PATH_MAX_LEN = 160,
	TEXT_MAX_LEN = 512,
	VALUE_MAX = 64,
	TAIL_SIZE = 40
};

#define INVALID	  "Invalid value"
#define SUPPORTED "supported values: "

/* field.ErrorType's words and names. */
static const struct {
	const char *words;
	const char *reason;
} reasons[] = {
	{ INVALID, "FieldValueInvalid" },
	{ "Required value", "FieldValueRequired" },
	{ "Forbidden", "FieldValueForbidden" },
	{ "Duplicate value", "FieldValueDuplicate" },
	{ "Unsupported value", "FieldValueNotSupported" },
	{ "Not found", "FieldValueNotFound" },
	{ "Too long", "FieldValueTooLong" },
	{ "Too many", "FieldValueTooMany" },
};

void problems_init(struct problems *p)
{
	memset(p, 0, sizeof(*p));
}

void problems_done(struct problems *p)
{
	json_free(p->list);
	problems_init(p);
}

/* Cuts text to at most max bytes, between two characters. */
static void shorten_text(char *text, size_t max)
{
	size_t len = strlen(text);

	if (len <= max)
		return;
	len = max - 3;
	while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	memcpy(text + len, "...", 4);
}

/* Returns the text as one line, whatever characters keys and values contain. Owned. */
static char *one_line(const char *text)
{
	auto_buf out;

	buf_init(&out, WHOLE_MAX_LEN * 6);
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c < ' ' || *c == 0x7f)
			buf_printf(&out, "\\u%04x", *c);
		else
			buf_putc(&out, (char)*c);
	}
	return buf_take(&out);
}

static const char *reason_of(const char *text)
{
	for (size_t i = 0; i < array_len(reasons); i++)
		if (text_starts(text, reasons[i].words))
			return reasons[i].reason;
	return reasons[0].reason;
}

/* Keys are part of paths, and may be of any length. Owned. */
static char *field_of(const struct problems *p, const char *path)
{
	bool in_spec = p->spec && text_starts(path, "spec") && (!path[4] || path[4] == '.');
	auto_free char *place = in_spec ? xasprintf("%s%s", p->spec, path + 4) : xstrdup(path);
	char *field = one_line(place);

	shorten_text(field, PATH_MAX_LEN);
	return field;
}

static void append_problem(struct problems *p, const char *path, const char *text)
{
	auto_free char *field = field_of(p, path), *message = one_line(text);
	struct json *entry;

	if (problems_is_full(p)) {
		p->hidden++;
		return;
	}
	shorten_text(message, TEXT_MAX_LEN);
	if (!p->list)
		p->list = json_new_array();
	entry = json_append(p->list, json_new_object());
	json_set_str(entry, "field", field);
	json_set_str(entry, "message", message);
	json_set_str(entry, "reason", reason_of(text));
}

void problems_add(struct problems *p, const char *path, const char *fmt, ...)
{
	auto_buf whole;
	va_list ap;

	buf_init(&whole, WHOLE_MAX_LEN);
	va_start(ap, fmt);
	buf_vprintf(&whole, fmt, ap);
	va_end(ap);
	append_problem(p, path, buf_str(&whole));
}

void problems_invalid(struct problems *p, const char *path, const struct json *value, const char *why)
{
	auto_free char *text = json_print(value);
	bool is_cut = strlen(text) > VALUE_MAX;

	shorten_text(text, VALUE_MAX);
	problems_add(p, path, "%s: %s%s: %s", text_starts(why, SUPPORTED) ? "Unsupported value" : INVALID, text,
		     is_cut && *text == '"' ? "\"" : "", why);
}

void problems_invalid_text(struct problems *p, const char *path, const char *value, const char *why)
{
	auto_json text = json_new_string(value);

	problems_invalid(p, path, text, why);
}

/* Where the path ends and the words of an error begin; NULL if there are none. */
static const char *find_words(const char *msg)
{
	for (const char *at = strstr(msg, ": "); at; at = strstr(at + 2, ": "))
		for (size_t i = 0; i < array_len(reasons); i++)
			if (text_starts(at + 2, reasons[i].words))
				return at + 2;
	return NULL;
}

void problems_add_err(struct problems *p, const struct err *err)
{
	const char *words = find_words(err->msg);
	auto_free char *path = words ? xstrndup(err->msg, (size_t)(words - err->msg) - 2) : xstrdup("spec");

	if (text_starts(path, "spark.")) {
		auto_free char *property = take_ptr(path);

		path = xasprintf("spec.sparkConf[%s]", property);
	}
	if (words)
		append_problem(p, path, words);
	else
		problems_add(p, path, INVALID ": %s", err->msg);
}

bool problems_any(const struct problems *p)
{
	return p->list != NULL;
}

bool problems_is_full(const struct problems *p)
{
	return json_len(p->list) >= LIST_MAX;
}

bool problems_has(const struct problems *p, const char *path)
{
	auto_free char *field = field_of(p, path);

	return json_find(p->list, "field", field) != NULL;
}

int problems_result(const struct problems *p, struct err *err)
{
	size_t hidden = p->hidden, shown = 0;
	auto_buf text = { 0 };

	if (!p->list)
		return 0;
	buf_init(&text, ERR_MSG_SIZE - TAIL_SIZE);
	json_each (entry, p->list) {
		const char *field = json_str(entry, "field", ""), *message = json_str(entry, "message", "");
		auto_free char *line = xasprintf("%s%s: %s", shown ? "\n" : "", field, message);

		if (hidden > p->hidden || !buf_puts(&text, line))
			hidden++;
		else
			shown++;
	}
	if (!hidden)
		return err_set(err, ERR_INVALID, "%s", buf_str(&text));
	return err_set(err, ERR_INVALID, "%s\n… and %zu more", buf_str(&text), hidden);
}

struct json *problems_take(struct problems *p)
{
	struct json *list = p->list ? take_ptr(p->list) : json_new_array();
	struct json *entry;

	if (!p->hidden)
		return list;
	entry = json_append(list, json_new_object());
	json_set_str(entry, "field", "");
	json_setf(entry, "message", "… and %zu more", p->hidden);
	json_set_str(entry, "reason", reasons[0].reason);
	json_set_i64(entry, "count", (int64_t)p->hidden);
	return list;
}
