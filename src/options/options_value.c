/*
 * From the text of an option to the value of its member. The table at the end has a function for each type, which
 * parses the text or says what was expected, and one that frees the value. Booleans and lists are read as Go's
 * strconv.ParseBool and pflag's readAsCSV read them.
 */
#include "options_parts.h"

#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "base/metric_name.h"
#include "base/text.h"
#include "kube/selector.h"
#include "rules/check.h"
#include "spark/ui_url.h"

enum { COUNT_MAX = 1000000, PORT_MAX = 65535, BUCKETS_MAX = 100 };

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

/* Adds an element in quotes; text is what follows the first quote. Returns what follows the last one, NULL if there
 * is none. */
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

static void set_json(struct json **target, struct json *value)
{
	json_free(*target);
	*target = value;
}

static void done_string(void *target)
{
	set_string(target, NULL);
}

static void done_list(void *target)
{
	strv_done(target);
}

static void done_buckets(void *target)
{
	struct option_buckets *buckets = target;

	free(buckets->bounds);
	*buckets = (struct option_buckets){ 0 };
}

static void done_gates(void *target)
{
	*(struct option_gates *)target = (struct option_gates){ 0 };
}

static void done_selector(void *target)
{
	selector_free(*(struct selector **)target);
	*(struct selector **)target = NULL;
}

static void done_json(void *target)
{
	set_json(target, NULL);
}

static int value_string(const struct option_row *row, const char *value, void *target, struct err *err)
{
	(void)row;
	(void)err;
	set_string(target, value);
	return 0;
}

static int value_text(const struct option_row *row, const char *value, void *target, struct err *err)
{
	return value_string(row, text_empty(value) ? NULL : value, target, err);
}

static int value_list(const struct option_row *row, const char *value, void *target, struct err *err)
{
	return option_split(target, value) ? 0 : refuse(row, value, "values separated by commas", err);
}

static int value_words(const struct option_row *row, const char *value, void *target, struct err *err)
{
	auto_strv words = { 0 };

	if (value_list(row, value, &words, err) < 0)
		return err_code(err);
	for (size_t i = 0; i < words.len; i++)
		if (*words.items[i])
			strv_add(target, words.items[i]);
	return 0;
}

static int value_gates(const struct option_row *row, const char *value, void *target, struct err *err)
{
	auto_strv elements = { 0 };

	return value_list(row, value, &elements, err) < 0 ? err_code(err) : option_gates_set(&elements, target, err);
}

static int value_file(const struct option_row *row, const char *value, void *target, struct err *err)
{
	(void)row;
	(void)err;
	strv_add(target, value);
	return 0;
}

/* Keys of labels become names of labels of metrics. */
static int value_labels(const struct option_row *row, const char *value, void *target, struct err *err)
{
	struct strv *labels = target;
	auto_strv keys = { 0 };

	if (value_list(row, value, &keys, err) < 0)
		return err_code(err);
	for (size_t i = 0; i < keys.len; i++) {
		auto_free char *label = metric_name(NULL, keys.items[i]);

		if (!*label || strv_has(labels, label))
			continue;
		if (!metric_name_is_label(label))
			return err_set(err, ERR_INVALID, "--%s: \"%s\" cannot be a label of metrics", row->name,
				       keys.items[i]);
		if (labels->len == METRIC_LABELS_MAX)
			return err_set(err, ERR_INVALID, "--%s: more than %d labels of metrics", row->name,
				       METRIC_LABELS_MAX);
		strv_add(labels, label);
	}
	return 0;
}

static int value_prefix(const struct option_row *row, const char *value, void *target, struct err *err)
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-:";

	if (strspn(value, letters) != strlen(value) || strspn(value, "0123456789") > 0)
		return refuse(row, value, "letters, digits, \"_\", \"-\" or \":\", not a digit first", err);
	set_string(target, value);
	return 0;
}

static int add_bucket(const struct option_row *row, const char *value, const char *element,
		      struct option_buckets *buckets, struct err *err)
{
	double bound;

	if (!text_double(element, &bound) || (buckets->len > 0 && bound <= buckets->bounds[buckets->len - 1]))
		return refuse(row, value, "numbers in ascending order", err);
	if (buckets->len == BUCKETS_MAX)
		return refuse(row, value, "at most 100 numbers", err);
	buckets->bounds = xreallocarray(buckets->bounds, buckets->len + 1, sizeof(*buckets->bounds));
	buckets->bounds[buckets->len++] = bound;
	return 0;
}

static int value_buckets(const struct option_row *row, const char *value, void *target, struct err *err)
{
	auto_strv elements = { 0 };

	if (!option_split(&elements, value))
		return refuse(row, value, "numbers separated by commas", err);
	for (size_t i = 0; i < elements.len; i++)
		if (add_bucket(row, value, elements.items[i], target, err) < 0)
			return err_code(err);
	return 0;
}

static int value_integer(const struct option_row *row, const char *value, void *target, struct err *err)
{
	static const struct {
		enum option_type type;
		int64_t min;
		int64_t max;
		const char *expected;
	} ranges[] = {
		{ OPT_COUNT, 1, COUNT_MAX, "a number from 1 to 1000000" },
		{ OPT_PORT, 1, PORT_MAX, "a number from 1 to 65535" },
		{ OPT_TTL, 0, INT64_MAX, "a number of seconds, 0 or more" },
		{ OPT_NUMBER, INT64_MIN, INT64_MAX, "a number" },
	};
	int64_t number;
	size_t i = 0;

	while (ranges[i].type != row->type)
		i++;
	if (!text_i64(value, &number) || number < ranges[i].min || number > ranges[i].max)
		return refuse(row, value, ranges[i].expected, err);
	*(int64_t *)target = number;
	return 0;
}

static int value_rate(const struct option_row *row, const char *value, void *target, struct err *err)
{
	double rate;

	if (!text_double(value, &rate) || rate < 0)
		return refuse(row, value, "a number, 0 or more", err);
	*(double *)target = rate;
	return 0;
}

/* The limit is that of Go's time.Duration. With it, times can be added to each other and to the clock. */
static int value_duration(const struct option_row *row, const char *value, void *target, struct err *err)
{
	static const int64_t max_ms = INT64_C(2562047) * 3600 * 1000;
	int64_t duration_ms;

	if (!duration_parse(value, &duration_ms))
		return refuse(row, value, "a time like 30s, 5m or 1h30m", err);
	if (duration_ms > max_ms)
		return refuse(row, value, "a time of at most 2562047h (292 years)", err);
	*(int64_t *)target = duration_ms;
	return 0;
}

static int value_seconds(const struct option_row *row, const char *value, void *target, struct err *err)
{
	int64_t seconds;

	if (!text_i64(value, &seconds) || seconds < 0 || seconds > COUNT_MAX)
		return value_duration(row, value, target, err);
	*(int64_t *)target = seconds * 1000;
	return 0;
}

static int value_bool(const struct option_row *row, const char *value, void *target, struct err *err)
{
	return option_parse_bool(value, target) ? 0 : refuse(row, value, "true or false", err);
}

static int value_enum(const struct option_row *row, const char *value, void *target, struct err *err)
{
	auto_strv choices = { 0 };

	strv_split(&choices, row->choices, ' ');
	for (unsigned i = 0; i < choices.len; i++)
		if (text_eq(choices.items[i], value)) {
			*(unsigned *)target = i;
			return 0;
		}
	return err_set(err, ERR_INVALID, "--%s: \"%s\": expected one of: %s", row->name, value, row->choices);
}

static int value_choice(const struct option_row *row, const char *value, void *target, struct err *err)
{
	unsigned index;

	if (value_enum(row, value, &index, err) < 0)
		return err_code(err);
	set_string(target, value);
	return 0;
}

static int value_path(const struct option_row *row, const char *value, void *target, struct err *err)
{
	if (value[0] != '/' || strpbrk(value, "?# ") || is_choice("/healthz /readyz /debug/state", value))
		return refuse(row, value, "a path like /metrics, not one of /healthz, /readyz, /debug/state", err);
	set_string(target, value);
	return 0;
}

static int value_url_format(const struct option_row *row, const char *value, void *target, struct err *err)
{
	const char *why = ui_url_check_format(value);

	if (why)
		return err_set(err, ERR_INVALID, "--%s: \"%s\": %s", row->name, value, why);
	return value_text(row, value, target, err);
}

static int value_class(const struct option_row *row, const char *value, void *target, struct err *err)
{
	if (*value && !text_is_dns_subdomain(value))
		return refuse(row, value, "the name of an IngressClass", err);
	return value_text(row, value, target, err);
}

static const struct {
	enum option_type type;
	check_fn *check;
} limit_types[] = {
	{ OPT_HOSTS, limits_check_host },
	{ OPT_KEYS, limits_check_key },
	{ OPT_CLASSES, limits_check_class },
	{ OPT_TYPES, limits_check_type },
};

static int value_limit(const struct option_row *row, const char *value, void *target, struct err *err)
{
	auto_strv entries = { 0 };
	size_t i = 0;

	if (value_words(row, value, &entries, err) < 0)
		return err_code(err);
	/* Where a variable of a manifest is empty, everything would be allowed. */
	if (entries.len == 0)
		return refuse(row, value, "an entry at least: what is not to be limited is left out", err);
	while (limit_types[i].type != row->type)
		i++;
	for (size_t k = 0; k < entries.len; k++) {
		const char *entry = entries.items[k];
		bool is_none = text_eq(entry, LIMIT_NONE) && row->type != OPT_TYPES;
		const char *why = is_none ? NULL : limit_types[i].check(entry);

		if (why)
			return refuse(row, entry, why, err);
		strv_add(target, entry);
	}
	return 0;
}

static int value_quantity(const struct option_row *row, const char *value, void *target, struct err *err)
{
	if (check_quantity(value))
		return refuse(row, value, "a quantity such as 100Gi", err);
	return value_text(row, value, target, err);
}

static int value_selector(const struct option_row *row, const char *value, void *target, struct err *err)
{
	struct selector *selector = selector_parse(value, err);

	if (!selector)
		return err_wrap(err, "--%s: \"%s\"", row->name, value);
	done_selector(target);
	if (*value)
		*(struct selector **)target = take_ptr(selector);
	selector_free(selector);
	return 0;
}

/* The empty text gives NULL. */
static int parse_json(const struct option_row *row, const char *value, struct json **ret, struct err *err)
{
	*ret = *value ? json_parse(value, strlen(value), err) : NULL;
	return *value && !*ret ? err_wrap(err, "--%s", row->name) : 0;
}

static bool has_only(const struct json *collection, enum json_type type)
{
	json_each (child, collection)
		if (!json_is(child, type))
			return false;
	return true;
}

static int value_json_list(const struct option_row *row, const char *value, void *target, struct err *err)
{
	auto_json list = NULL;

	if (parse_json(row, value, &list, err) < 0)
		return err_code(err);
	if (list && (!json_is(list, JSON_ARRAY) || !has_only(list, JSON_OBJECT)))
		return refuse(row, value, "a JSON array of objects", err);
	set_json(target, take_ptr(list));
	return 0;
}

static int value_annotations(const struct option_row *row, const char *value, void *target, struct err *err)
{
	auto_json map = NULL;

	if (parse_json(row, value, &map, err) < 0)
		return err_code(err);
	if (map && (!json_is(map, JSON_OBJECT) || !has_only(map, JSON_STRING)))
		return refuse(row, value, "a JSON object of strings", err);
	json_each (annotation, map)
		if (!text_is_label_key(json_name(annotation)))
			return refuse(row, value, "a JSON object of annotations", err);
	set_json(target, take_ptr(map));
	return 0;
}

/* ---- all types ---- */

static const struct {
	int (*parse)(const struct option_row *row, const char *value, void *target, struct err *err);
	void (*done)(void *target); /* NULL: there is nothing to free */
} types[] = {
	[OPT_STRING] = { value_string, done_string },
	[OPT_TEXT] = { value_text, done_string },
	[OPT_LIST] = { value_list, done_list },
	[OPT_WORDS] = { value_words, done_list },
	[OPT_LABELS] = { value_labels, done_list },
	[OPT_GATES] = { value_gates, done_gates },
	[OPT_BUCKETS] = { value_buckets, done_buckets },
	[OPT_FILES] = { value_file, done_list },
	[OPT_COUNT] = { value_integer, NULL },
	[OPT_PORT] = { value_integer, NULL },
	[OPT_NUMBER] = { value_integer, NULL },
	[OPT_TTL] = { value_integer, NULL },
	[OPT_RATE] = { value_rate, NULL },
	[OPT_DURATION] = { value_duration, NULL },
	[OPT_SECONDS] = { value_seconds, NULL },
	[OPT_CHOICE] = { value_choice, done_string },
	[OPT_ENUM] = { value_enum, NULL },
	[OPT_BOOL] = { value_bool, NULL },
	[OPT_HELP] = { value_bool, NULL },
	[OPT_PATH] = { value_path, done_string },
	[OPT_PREFIX] = { value_prefix, done_string },
	[OPT_URL_FORMAT] = { value_url_format, done_string },
	[OPT_CLASS] = { value_class, done_string },
	[OPT_SELECTOR] = { value_selector, done_selector },
	[OPT_HOSTS] = { value_limit, done_list },
	[OPT_KEYS] = { value_limit, done_list },
	[OPT_CLASSES] = { value_limit, done_list },
	[OPT_TYPES] = { value_limit, done_list },
	[OPT_QUANTITY] = { value_quantity, done_string },
	[OPT_JSON_LIST] = { value_json_list, done_json },
	[OPT_ANNOTATIONS] = { value_annotations, done_json },
};

/* The place for the value of an idle row. */
union anything {
	int64_t number;
	double rate;
	bool flag;
	char *text;
	struct strv list;
};

static void value_done(const struct option_row *row, void *target)
{
	if (types[row->type].done)
		types[row->type].done(target);
}

bool option_is_list(const struct option_row *row)
{
	void (*done)(void *target) = types[row->type].done;

	return done == done_list || done == done_gates || done == done_buckets;
}

static bool is_limit(const struct option_row *row)
{
	return types[row->type].parse == value_limit;
}

struct strv *option_set_of_texts(struct options *o, const struct option_row *row)
{
	bool is_set = row->type == OPT_LIST || row->type == OPT_WORDS || is_limit(row);

	return is_set && row->offset != NOWHERE ? (struct strv *)(void *)((char *)o + row->offset) : NULL;
}

const struct strv *option_limit(struct options *o, const struct option_row *row)
{
	return is_limit(row) ? option_set_of_texts(o, row) : NULL;
}

int option_value(struct options *o, const struct option_row *row, const char *value, struct err *err)
{
	union anything unused = { 0 };
	int rc;

	if (row->offset != NOWHERE)
		return types[row->type].parse(row, value, (char *)o + row->offset, err);
	rc = types[row->type].parse(row, value, &unused, err);
	value_done(row, &unused);
	return rc;
}

void option_clear(struct options *o, const struct option_row *row)
{
	if (row->offset != NOWHERE)
		value_done(row, (char *)o + row->offset);
}
