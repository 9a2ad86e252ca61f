/*
 * The interpreter of field tables. Each row leaves something defined in its field, the default or NULL when the value
 * is wrong, and decoding goes on, so that the struct can be used for a status that reports the error. Messages are
 * worded like those of k8s.io/apimachinery/pkg/util/validation/field (Invalid, NotSupported).
 */
#include "json/decode.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"

enum { SHOWN_VALUE = 200 };

struct place {
	const char *prefix;
	const struct field *row;
	struct err *err;
};

static int invalid_value(const struct place *p, const char *sub, const struct json *value, const char *what)
{
	auto_free char *text = json_print(value);
	bool cut = strlen(text) > SHOWN_VALUE;

	return err_set(p->err, ERR_INVALID, "%s%s%s: Invalid value: %.*s%s: %s", p->prefix, p->row->path, sub,
		       SHOWN_VALUE, text, cut ? "..." : "", what);
}

static int decode_i64(const struct place *p, const struct json *value, int64_t *ret)
{
	int64_t number = json_integer(value, 0);

	*ret = p->row->dflt;
	if (!value)
		return 0;
	if (number == 0 && json_integer(value, 1) != 0)
		return invalid_value(p, "", value, "expected an integer");
	if (number < p->row->min) {
		auto_free char *what = xasprintf("must be greater than or equal to %lld", (long long)p->row->min);

		return invalid_value(p, "", value, what);
	}
	if (p->row->max && number > p->row->max) {
		auto_free char *what = xasprintf("must be less than or equal to %lld", (long long)p->row->max);

		return invalid_value(p, "", value, what);
	}
	*ret = number;
	return 0;
}

static int decode_bool(const struct place *p, const struct json *value, bool *ret)
{
	*ret = p->row->dflt != 0;
	if (!value)
		return 0;
	if (!json_is(value, JSON_BOOL))
		return invalid_value(p, "", value, "expected a boolean");
	*ret = json_true(value);
	return 0;
}

static int decode_enum(const struct place *p, const struct json *value, int *ret)
{
	const char *text = json_text(value, NULL);
	auto_buf all = { .max = ERR_MSG_SIZE };
	auto_free char *shown = NULL;

	*ret = (int)p->row->dflt;
	if (!value)
		return 0;
	if (!text)
		return invalid_value(p, "", value, "expected a string");
	for (int i = 0; p->row->names[i]; i++) {
		if (text_eq(text, p->row->names[i])) {
			*ret = i;
			return 0;
		}
		buf_printf(&all, "%s\"%s\"", i > 0 ? ", " : "", p->row->names[i]);
	}
	shown = json_print(value);
	return err_set(p->err, ERR_INVALID, "%s%s: Unsupported value: %.*s: supported values: %s", p->prefix,
		       p->row->path, SHOWN_VALUE, shown, buf_str(&all));
}

static int decode_time(const struct place *p, const struct json *value, int64_t *ret)
{
	*ret = p->row->dflt;
	if (value && !time_parse(json_text(value, NULL), ret))
		return invalid_value(p, "", value, "expected an RFC 3339 time");
	return 0;
}

static int decode_str(const struct place *p, const struct json *value, const char **ret)
{
	*ret = json_text(value, NULL);
	return value && !*ret ? invalid_value(p, "", value, "expected a string") : 0;
}

/* A subtree of one type; item_what, if given, demands that its children are strings. */
static int decode_tree(const struct place *p, const struct json *value, enum json_type type, const char *what,
		       const char *item_what, const struct json **ret)
{
	size_t index = 0;

	*ret = NULL;
	if (!value)
		return 0;
	if (!json_is(value, type))
		return invalid_value(p, "", value, what);
	if (item_what) {
		json_each (item, value) {
			auto_free char *sub = NULL;

			if (json_is(item, JSON_STRING)) {
				index++;
				continue;
			}
			sub = json_name(item) ? xasprintf("[%s]", json_name(item)) : xasprintf("[%zu]", index);
			return invalid_value(p, sub, item, item_what);
		}
	}
	*ret = value;
	return 0;
}

static int decode_row(const struct place *p, const struct json *value, void *at)
{
	switch (p->row->type) {
	case FIELD_STR:
		return decode_str(p, value, at);
	case FIELD_I64:
		return decode_i64(p, value, at);
	case FIELD_BOOL:
		return decode_bool(p, value, at);
	case FIELD_ENUM:
		return decode_enum(p, value, at);
	case FIELD_TIME:
		return decode_time(p, value, at);
	case FIELD_TREE:
		*(const struct json **)at = value;
		return 0;
	case FIELD_OBJECT:
		return decode_tree(p, value, JSON_OBJECT, "expected an object", NULL, at);
	case FIELD_ARRAY:
		return decode_tree(p, value, JSON_ARRAY, "expected an array", NULL, at);
	case FIELD_STRMAP:
		return decode_tree(p, value, JSON_OBJECT, "expected an object of strings", "expected a string", at);
	case FIELD_STRLIST:
		return decode_tree(p, value, JSON_ARRAY, "expected an array of strings", "expected a string", at);
	}
	return 0;
}

int decode(const struct json *tree, const struct field *rows, size_t count, const char *prefix, void *out,
	   struct err *err)
{
	struct err ignored;
	int first = 0;

	for (size_t i = 0; i < count; i++) {
		const struct place p = { prefix, &rows[i], first ? &ignored : err };
		const struct json *value = json_at(tree, rows[i].path);
		int rc;

		if (json_is(value, JSON_NULL))
			value = NULL;
		rc = decode_row(&p, value, (char *)out + rows[i].offset);
		first = first ? first : rc;
	}
	return first;
}
