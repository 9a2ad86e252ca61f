/*
 * What the parts of validation share: rules as rows (path, type, check), what labels may be, how many members a
 * collection may have.
 */
#include "rules/validate.h"

#include "base/text.h"
#include "rules/check.h"
#include "spark/conf.h"

enum { MEMBERS_MAX = 1024 };

static const char *const type_names[] = {
	[RULE_STRING] = "expected a string",	  [RULE_INTEGER] = "expected an integer",
	[RULE_BOOL] = "expected true or false",	  [RULE_OBJECT] = "expected an object",
	[RULE_LIST] = "expected a list",	  [RULE_STRINGS] = "expected a list of strings",
	[RULE_MAP] = "expected a map of strings",
};

static bool has_type(const struct json *value, enum rule_type type)
{
	switch (type) {
	case RULE_STRING:
		return json_is(value, JSON_STRING);
	case RULE_INTEGER:
		return json_integer(value, 0) == json_integer(value, 1);
	case RULE_BOOL:
		return json_is(value, JSON_BOOL);
	case RULE_OBJECT:
	case RULE_MAP:
		return json_is(value, JSON_OBJECT);
	default:
		return json_is(value, JSON_ARRAY);
	}
}

static void check_text(struct problems *p, const char *path, const struct json *value, const struct rule *rule)
{
	const char *why = NULL;

	if (!json_is(value, JSON_STRING))
		why = "expected a string";
	else if (rule->check)
		why = rule->check(json_text(value, ""));
	if (why)
		problems_invalid(p, path, value, why);
}

static void check_items(struct problems *p, const char *path, const struct json *value, const struct rule *rule)
{
	size_t i = 0;

	json_each (item, value) {
		auto_free char *at = rule->type == RULE_MAP ? xasprintf("%s[%s]", path, json_name(item))
							    : xasprintf("%s[%zu]", path, i++);

		if (rule->type != RULE_LIST)
			check_text(p, at, item, rule);
		else if (!json_is(item, JSON_OBJECT))
			problems_invalid(p, at, item, "expected an object");
	}
}

static void check_rule(struct problems *p, const char *path, const struct json *value, const struct rule *rule)
{
	if (!has_type(value, rule->type)) {
		problems_invalid(p, path, value, type_names[rule->type]);
		return;
	}
	if (rule->type == RULE_INTEGER && json_integer(value, 0) < rule->min)
		problems_add(p, path, "Invalid value: %lld: must be at least %lld", (long long)json_integer(value, 0),
			     (long long)rule->min);
	if (rule->type == RULE_STRING && !text_empty(json_text(value, "")))
		check_text(p, path, value, rule);
	if (rule->type == RULE_MAP || rule->type == RULE_STRINGS || rule->type == RULE_LIST)
		check_items(p, path, value, rule);
}

void validate_required(struct problems *p, const struct json *object, const char *prefix, const char *const *names,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		auto_free char *path = xasprintf("%s%s", prefix, names[i]);
		const struct json *value = json_get(object, names[i]);

		if (!value || json_is(value, JSON_NULL) || text_eq(json_text(value, NULL), ""))
			problems_add(p, path, "Required value");
	}
}

void validate_rules(struct problems *p, const struct json *object, const char *prefix, const struct rule *rules,
		    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct json *value = json_at(object, rules[i].path);
		auto_free char *path = NULL;

		if (!value || json_is(value, JSON_NULL))
			continue;
		path = xasprintf("%s%s", prefix, rules[i].path);
		check_rule(p, path, value, &rules[i]);
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

check_fn *validate_label_check(const struct json *spec)
{
	auto_free char *version = conf_version_text(spec);

	return conf_version(version) >= 400 ? check_label_template : check_label_value;
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
