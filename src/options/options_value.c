/*
 * Values: the text of an option becomes what its member holds. Every type has one function, which says what was expected.
 * Booleans and lists are read as Go's strconv.ParseBool and pflag's readAsCSV read them.
 */
#include "options_parts.h"

#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "base/text.h"
#include "kube/selector.h"

enum { COUNT_MAX = 1000000, PORT_MAX = 65535 };

static bool is_choice(const char *choices, const char *value)
{
	auto_strv list = { 0 };

	strv_split(&list, choices, ' ');
	return strv_has(&list, value);
}

bool option_parse_bool(const char *text, bool *ret)
{
	if (!is_choice("1 t T TRUE true True 0 f F FALSE false False", text))
		return false;
	*ret = strchr("1tT", text[0]) != NULL;
	return true;
}

/* ---- lists ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* An element in quotes, text behind the first one; returns what follows the last or NULL. */
static const char *split_quoted(struct strv *list, const char *text)
{
	auto_buf element;

	buf_init(&element, strlen(text) + 1);
	for (; *text; text++) {
		if (*text == '"' && text[1] != '"')
			break;
		text += *text == '"';
		buf_putc(&element, *text);
	}
	if (*text != '"')
		return NULL;
	strv_add(list, buf_str(&element));
	return text + 1;
}

static const char *split_bare(struct strv *list, const char *text)
{
	size_t len = strcspn(text, ",");
	auto_free char *element = NULL;
	size_t end = len;

	while (end > 0 && is_blank(text[end - 1]))
		end--;
	element = xstrndup(text, end);
	if (end > 0)
		strv_add(list, element);
	return text + len;
}

bool option_split(struct strv *list, const char *text)
{
	for (;;) {
		while (is_blank(*text))
			text++;
		text = *text == '"' ? split_quoted(list, text + 1) : split_bare(list, text);
		if (!text)
			return false;
		while (is_blank(*text))
			text++;
		if (*text == '\0')
			return true;
		if (*text++ != ',')
			return false;
	}
}

char *option_quote(const char *element)
{
	auto_buf text = { 0 };
	size_t len = strlen(element);

	if (len > 0 && !strpbrk(element, ",\"") && !is_blank(element[0]) && !is_blank(element[len - 1]))
		return xstrdup(element);
	buf_init(&text, 2 * len + 3);
	buf_putc(&text, '"');
	for (; *element; element++) {
		if (*element == '"')
			buf_putc(&text, '"');
		buf_putc(&text, *element);
	}
	buf_putc(&text, '"');
	return buf_take(&text);
}

/* ---- types ---- */

static int refuse(const struct option_row *row, const char *value, const char *expected, struct err *err)
{
	return err_set(err, ERR_INVALID, "--%s: \"%s\": expected %s", row->name, value, expected);
}

static void set_string(char **target, const char *value)
{
	free(*target);
	*target = xstrdup_null(value);
}

static int value_list(const struct option_row *row, const char *value, struct strv *target, struct err *err)
{
	return option_split(target, value) ? 0 : refuse(row, value, "values separated by commas", err);
}

static int value_words(const struct option_row *row, const char *value, struct strv *target, struct err *err)
{
	auto_strv words = { 0 };

	if (value_list(row, value, &words, err) < 0)
		return err_code(err);
	for (size_t i = 0; i < words.len; i++)
		if (*words.items[i])
			strv_add(target, words.items[i]);
	return 0;
}

static int value_buckets(const struct option_row *row, const char *value, struct strv *target, struct err *err)
{
	double last = 0;
	double number = 0;

	if (!option_split(target, value))
		return refuse(row, value, "numbers separated by commas", err);
	for (size_t i = 0; i < target->len; i++) {
		if (!text_double(target->items[i], &number) || (i > 0 && number <= last))
			return refuse(row, value, "numbers in ascending order", err);
		last = number;
	}
	return 0;
}

static int value_integer(const struct option_row *row, const char *value, int64_t *target, struct err *err)
{
	int64_t number = 0;
	bool good = text_i64(value, &number);

	if (row->type == OPT_COUNT && (!good || number < 1 || number > COUNT_MAX))
		return refuse(row, value, "a number from 1 to 1000000", err);
	if (row->type == OPT_PORT && (!good || number < 1 || number > PORT_MAX))
		return refuse(row, value, "a number from 1 to 65535", err);
	if (row->type == OPT_TTL && (!good || number < 0))
		return refuse(row, value, "a number of seconds, 0 or more", err);
	if (!good)
		return refuse(row, value, "a number", err);
	*target = number;
	return 0;
}

static int value_duration(const struct option_row *row, const char *value, int64_t *target, struct err *err)
{
	int64_t seconds = 0;

	if (row->type == OPT_SECONDS && text_i64(value, &seconds) && seconds >= 0 && seconds <= COUNT_MAX) {
		*target = seconds * 1000;
		return 0;
	}
	if (duration_parse(value, target))
		return 0;
	return refuse(row, value, "a time like 30s, 5m or 1h30m", err);
}

static int value_choice(const struct option_row *row, const char *value, char **target, struct err *err)
{
	if (!is_choice(row->choices, value))
		return err_set(err, ERR_INVALID, "--%s: \"%s\": expected one of: %s", row->name, value, row->choices);
	set_string(target, value);
	return 0;
}

static int value_path(const struct option_row *row, const char *value, char **target, struct err *err)
{
	if (value[0] != '/' || strpbrk(value, "?# ") || is_choice("/healthz /readyz /debug/state", value))
		return refuse(row, value, "a path like /metrics, not one of /healthz, /readyz, /debug/state", err);
	set_string(target, value);
	return 0;
}

static int value_selector(const struct option_row *row, const char *value, char **target, struct err *err)
{
	if (selector_check(value, err) < 0)
		return err_wrap(err, "--%s: \"%s\"", row->name, value);
	set_string(target, text_empty(value) ? NULL : value);
	return 0;
}

static bool has_only(const struct json *collection, enum json_type type)
{
	json_each (child, collection)
		if (!json_is(child, type))
			return false;
	return true;
}

static int value_json(const struct option_row *row, const char *value, char **target, struct err *err)
{
	bool list = row->type == OPT_JSON_LIST;
	auto_json tree = text_empty(value) ? NULL : json_parse(value, strlen(value), err);

	if (!text_empty(value) && !tree)
		return err_wrap(err, "--%s", row->name);
	if (tree &&
	    (!json_is(tree, list ? JSON_ARRAY : JSON_OBJECT) || !has_only(tree, list ? JSON_OBJECT : JSON_STRING)))
		return refuse(row, value, list ? "a JSON array of objects" : "a JSON object of strings", err);
	set_string(target, tree ? value : NULL);
	return 0;
}

/* Where the value of an idle row goes. */
union anything {
	int64_t number;
	double rate;
	bool flag;
};

static int value_scalar(const struct option_row *row, const char *value, void *target, struct err *err)
{
	switch (row->type) {
	case OPT_COUNT:
	case OPT_PORT:
	case OPT_NUMBER:
	case OPT_TTL:
		return value_integer(row, value, target, err);
	case OPT_DURATION:
	case OPT_SECONDS:
		return value_duration(row, value, target, err);
	case OPT_RATE:
		if (!text_double(value, target) || *(double *)target < 0)
			return refuse(row, value, "a number, 0 or more", err);
		return 0;
	default:
		return option_parse_bool(value, target) ? 0 : refuse(row, value, "true or false", err);
	}
}

static int value_into(const struct option_row *row, const char *value, void *target, struct err *err)
{
	switch (row->type) {
	case OPT_STRING:
		set_string(target, value);
		return 0;
	case OPT_TEXT:
		set_string(target, text_empty(value) ? NULL : value);
		return 0;
	case OPT_FILES:
		strv_add(target, value);
		return 0;
	case OPT_LIST:
		return value_list(row, value, target, err);
	case OPT_WORDS:
		return value_words(row, value, target, err);
	case OPT_BUCKETS:
		return value_buckets(row, value, target, err);
	case OPT_CHOICE:
		return value_choice(row, value, target, err);
	case OPT_PATH:
		return value_path(row, value, target, err);
	case OPT_SELECTOR:
		return value_selector(row, value, target, err);
	case OPT_JSON_LIST:
	case OPT_JSON_MAP:
		return value_json(row, value, target, err);
	default:
		return value_scalar(row, value, target, err);
	}
}

int option_value(struct options *o, const struct option_row *row, const char *value, struct err *err)
{
	auto_free char *text = NULL;
	auto_strv list = { 0 };
	union anything scalar = { 0 };

	if (row->offset != NOWHERE)
		return value_into(row, value, (char *)o + row->offset, err);
	if (option_is_list(row))
		return value_into(row, value, &list, err);
	if (row->type == OPT_STRING || row->type == OPT_CHOICE)
		return value_into(row, value, &text, err);
	return value_into(row, value, &scalar, err);
}
