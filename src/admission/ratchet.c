/*
 * Problems of an updated object, compared with those that the stored object has already.
 *
 * Happy path: each problem of the new object looks for its like among those of the old one. Numbers of list elements do
 * not count, since an element that was taken out moves the others. A problem of the old object stands for one of the
 * new object only. Nothing can fail.
 */
#include "ratchet.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "admission/validation.h"

enum { STEP_MAX = 512 };

/* The line of a problem without numbers of elements: "spec.volumes[2].name" → "spec.volumes[].name". Owned. */
static char *line_without_numbers(const struct json *problem)
{
	auto_free char *line = validation_line(problem);
	char *to = line;

	for (const char *from = line; *from;) {
		size_t digits = *from == '[' ? strspn(from + 1, "0123456789") : 0;

		*to++ = *from++;
		if (digits && from[digits] == ']')
			from += digits;
	}
	*to = '\0';
	return take_ptr(line);
}

/* The element or member that stands in brackets. NULL if there is none. */
static const struct json *in_brackets(const struct json *v, const char *name)
{
	int64_t number;

	if (!json_is(v, JSON_ARRAY))
		return json_get(v, name);
	if (!text_i64(name, &number))
		return NULL;
	for (v = json_first(v); v && number; number--)
		v = json_next(v);
	return v;
}

/* How long the name in brackets is that stands at text. A key of v may have a bracket in it. */
static size_t bracket_len(const struct json *v, const char *text)
{
	const char *last = strrchr(text, ']');

	return json_is(v, JSON_ARRAY) || !last ? strcspn(text, "]") : (size_t)(last - text);
}

/* The value that a field names: "spec.sparkConf[spark.a.b]", "spec.volumes[2].name". NULL if there is none. */
static const struct json *value_of(const struct json *object, const char *field)
{
	const struct json *v = object;
	char step[STEP_MAX];

	while (v && *field) {
		bool bracket = *field == '[';
		size_t start = bracket || *field == '.';
		size_t len = bracket ? bracket_len(v, field + start) : strcspn(field + start, ".[");

		if (len >= sizeof(step))
			return NULL;
		memcpy(step, field + start, len);
		step[len] = '\0';
		v = bracket ? in_brackets(v, step) : json_get(v, step);
		field += start + len;
		field += bracket && *field == ']';
	}
	return v;
}

/* The spec as a whole differs with every update. */
static bool is_same_value(const struct ratchet_side *now, const struct json *a, const struct ratchet_side *before,
			  const struct json *b)
{
	const char *field = json_str(a, "field", "");

	return text_eq(field, "spec") ||
	       json_equal(value_of(now->object, field), value_of(before->object, json_str(b, "field", "")));
}

/* Problems that were only counted have no field. */
static bool is_same_problem(const struct ratchet_side *now, const struct json *a, const struct ratchet_side *before,
			    const struct json *b)
{
	auto_free char *line = NULL, *other = NULL;

	if (!json_get(a, "field") || !json_get(b, "field"))
		return json_get(a, "field") == json_get(b, "field") &&
		       json_i64(a, "count", 0) <= json_i64(b, "count", 0);
	line = line_without_numbers(a);
	other = line_without_numbers(b);
	return text_eq(line, other) && is_same_value(now, a, before, b);
}

void ratchet_split(const struct ratchet_side *now, const struct ratchet_side *before, struct json **ret_new,
		   struct json **ret_old)
{
	size_t count = json_len(before->problems);
	auto_free bool *used = xcalloc(count + 1, sizeof(*used));

	*ret_new = json_new_array();
	*ret_old = json_new_array();
	json_each (problem, now->problems) {
		bool found = false;
		size_t i = 0;

		json_each (known, before->problems) {
			if (!found && !used[i] && is_same_problem(now, problem, before, known))
				found = used[i] = true;
			i++;
		}
		json_append(found ? *ret_old : *ret_new, json_dup(problem));
	}
}
