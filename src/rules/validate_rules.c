/*
 * What the parts of validation share: rules as rows (path, type, check), what labels may be, how many members a
 * collection may have.
 */
#include "rules/validate.h"

#include "base/text.h"
#include "rules/check.h"
#include "spark/conf.h"
#include "spark/version.h"

enum { MEMBERS_MAX = 1024 };

static void check_text(struct problems *p, const char *path, const struct json *value, check_fn *check)
{
	const char *why = check(json_text(value, ""));

	if (why && json_is(value, JSON_STRING))
		problems_invalid(p, path, value, why);
}

static void check_texts(struct problems *p, const char *path, const struct json *list, check_fn *check)
{
	size_t i = 0;

	json_each (item, list) {
		auto_free char *at = xasprintf("%s[%zu]", path, i++);

		check_text(p, at, item, check);
	}
}

void validate_required(struct problems *p, const struct json *object, const char *prefix, const char *const *names,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		auto_free char *path = xasprintf("%s%s", prefix, names[i]);
		const struct json *value = json_get(object, names[i]);

		if (!json_has(object, names[i]) || text_eq(json_text(value, NULL), ""))
			problems_add(p, path, "Required value");
	}
}

void validate_rules(struct problems *p, const struct json *object, const char *prefix, const struct rule *rules,
		    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct json *value = json_at(object, rules[i].path);
		auto_free char *path = value ? xasprintf("%s%s", prefix, rules[i].path) : NULL;

		if (json_is(value, JSON_ARRAY))
			check_texts(p, path, value, rules[i].check);
		else if (!text_empty(json_text(value, NULL)))
			check_text(p, path, value, rules[i].check);
	}
}

void validate_bounds(struct problems *p, const struct json *object, const char *prefix, const struct bound *bounds,
		     size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct bound *b = &bounds[i];
		int64_t value = json_i64(object, b->path, b->min);
		auto_free char *path = NULL;

		if (value >= b->min && value <= b->max)
			continue;
		path = xasprintf("%s%s", prefix, b->path);
		problems_add(p, path, "Invalid value: %lld: must be at %s %lld", (long long)value,
			     value < b->min ? "least" : "most", (long long)(value < b->min ? b->min : b->max));
	}
}

bool validate_is_reserved(const char *key)
{
	static const char *const keys[] = { LABEL_APP_NAME,
					    LABEL_LAUNCHED_BY,
					    LABEL_SUBMISSION_ID,
					    LABEL_CREATED_BY,
					    LABEL_SPARK_ROLE,
					    LABEL_APP_SELECTOR,
					    LABEL_EXEC_ID,
					    LABEL_CONNECT_NAME,
					    "spark-version",
					    "spark-app-name",
					    "spark-exec-resourceprofile-id" };

	for (size_t i = 0; i < array_len(keys); i++)
		if (text_eq(key, keys[i]))
			return true;
	return false;
}

const struct json *validate_map(const struct json *v)
{
	return json_is(v, JSON_OBJECT) ? v : NULL;
}

check_fn *validate_label_check(const struct json *spec, const struct rule_options *options)
{
	return version_of_spec(spec, options->default_image).number >= SPARK_4_0 ? check_label_template
										 : check_label_value;
}

void validate_keys(struct problems *p, const struct json *object, const char *prefix, const char *map, check_fn *check)
{
	json_each (item, validate_map(json_get(object, map))) {
		auto_free char *path = xasprintf("%s%s[%s]", prefix, map, json_name(item));
		const char *why = check(json_name(item));

		if (why)
			problems_invalid_text(p, path, json_name(item), why);
	}
}

void validate_labels(struct problems *p, const char *path, const struct json *labels, check_fn *check_value)
{
	json_each (label, validate_map(labels)) {
		auto_free char *at = xasprintf("%s[%s]", path, json_name(label));
		const char *why = check_label_key(json_name(label));

		if (why)
			problems_invalid_text(p, at, json_name(label), why);
		why = check_value(json_text(label, ""));
		if (why)
			problems_invalid(p, at, label, why);
	}
}

void validate_reserved(struct problems *p, const char *path, const struct json *labels)
{
	json_each (label, validate_map(labels)) {
		auto_free char *at = xasprintf("%s[%s]", path, json_name(label));

		if (validate_is_reserved(json_name(label)))
			problems_add(p, at, "Forbidden: reserved for the bookkeeping of Spark and the operator");
	}
}

/* Lists of texts that are only passed on, and may be long. */
static bool is_passed_on(const struct json *value)
{
	static const char *const names[] = { "arguments", "jars", "files", "pyFiles", "archives" };

	for (size_t i = 0; i < array_len(names); i++)
		if (text_eq(json_name(value), names[i]))
			return true;
	return false;
}

bool validate_size(struct problems *p, const struct json *value, const char *path)
{
	size_t i = 0, count = json_len(value);
	bool is_list = json_is(value, JSON_ARRAY), good = true;

	if (is_passed_on(value))
		return true;
	if (count > MEMBERS_MAX) {
		problems_add(p, path, "Too many: %zu: must have at most %d items", count, MEMBERS_MAX);
		return false;
	}
	json_each (item, value) {
		auto_free char *at = NULL;

		if (json_len(item) == 0)
			continue;
		at = is_list ? xasprintf("%s[%zu]", path, i++) : xasprintf("%s.%s", path, json_name(item));
		good = validate_size(p, item, at) && good;
	}
	return good;
}
