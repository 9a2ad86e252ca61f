/*
 * The walk over two canonical forms. Members and named things are paired by name, the rest by position; each pair of
 * leaves is equal or a difference, and what one side lacks is reported leaf by leaf, but a whole thing of a list or a
 * whole object in one line.
 *
 * Ids that are made of chance or of a hash differ on purpose. They are equal if each of ours always stands where the
 * same one of theirs stands; ids that the application itself contains are plain text.
 */
#include "compare.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "compare_parts.h"

enum { TEXT_MAX = 1 << 20 };

struct walk {
	const struct compare_rules *rules;
	const char *name;
	char *app_text;	     /* where ids may stand that are no chance */
	struct json *ours;   /* our id → theirs */
	struct json *theirs; /* and back */
	struct json *differences;
	int64_t equal;
	int64_t ignored;
};

static void add_difference(struct walk *w, const char *path, const struct json *ours, const struct json *theirs)
{
	struct json *item = json_append(w->differences, json_new_object());
	const char *reason = compare_reason(w->rules, w->name, path);

	json_set_str(item, "path", path);
	if (ours)
		json_set(item, "ours", json_dup(ours));
	if (theirs)
		json_set(item, "theirs", json_dup(theirs));
	json_set_str(item, "reason", reason);
	w->ignored += reason != NULL;
}

static void report_absent(struct walk *w, const char *path, const struct json *ours, const struct json *theirs)
{
	auto_free char *text = xasprintf("%s (%s)", path, ours ? "extra" : "missing");

	add_difference(w, text, ours, theirs);
}

/* ---- leaves ---- */

static bool pair_ids(struct walk *w, const char *ours, const char *theirs, size_t len)
{
	auto_free char *a = xstrndup(ours, len), *b = xstrndup(theirs, len);
	const char *known = json_text(json_get(w->ours, a), NULL), *back = json_text(json_get(w->theirs, b), NULL);

	if (known || back)
		return text_eq(known, b) && text_eq(back, a);
	if (strstr(w->app_text, a))
		return text_eq(a, b);
	json_set_str(w->ours, a, b);
	json_set_str(w->theirs, b, a);
	return true;
}

static bool equal_texts(struct walk *w, const char *ours, const char *theirs)
{
	char before = 0;

	if (text_eq(ours, theirs))
		return true;
	while (*ours && *theirs) {
		size_t len = compare_id(before, ours);

		if (len != compare_id(before, theirs))
			return false;
		if (len && !pair_ids(w, ours, theirs, len))
			return false;
		if (!len && *ours != *theirs)
			return false;
		len = len ? len : 1;
		/* the last digits of two ids may differ, but are digits both */
		before = ours[len - 1];
		ours += len;
		theirs += len;
	}
	return *ours == *theirs;
}

static void compare_leaves(struct walk *w, const char *path, const struct json *ours, const struct json *theirs)
{
	bool texts = json_is(ours, JSON_STRING) && json_is(theirs, JSON_STRING);

	if (texts ? equal_texts(w, json_text(ours, ""), json_text(theirs, "")) : json_equal(ours, theirs))
		w->equal++;
	else if (!ours || !theirs)
		report_absent(w, path, ours, theirs);
	else
		add_difference(w, path, ours, theirs);
}

/* ---- lists ---- */

/* What a thing of a list is called; NULL if it has no name. */
static const char *name_of(const struct json *item)
{
	static const char *const paths[] = { "metadata.name", "mountPath", "devicePath", "name", "key", "ip" };

	for (size_t i = 0; i < array_len(paths); i++) {
		const char *name = json_str(item, paths[i], NULL);

		if (!text_empty(name))
			return name;
	}
	return NULL;
}

static bool all_named(const struct json *list)
{
	json_each (item, list)
		if (!name_of(item))
			return false;
	return true;
}

/* An object of the list's items by name, or by position. Owned. */
static struct json *by_name(const struct json *list, bool named)
{
	struct json *out = json_new_object();
	size_t i = 0;

	json_each (item, list) {
		auto_free char *base = named ? compare_mask(name_of(item)) : xasprintf("%zu", i++);
		auto_free char *key = xstrdup(base);

		for (int n = 2; json_get(out, key); n++) {
			free(key);
			key = xasprintf("%s#%d", base, n);
		}
		json_set(out, key, json_dup(item));
	}
	return out;
}

/* The names of a that b has too. Owned. */
static char *common_names(const struct json *a, const struct json *b)
{
	auto_strv names = { 0 };

	json_each (item, a)
		if (json_get(b, json_name(item)))
			strv_add(&names, json_name(item));
	return strv_join(&names, ", ");
}

static void check_order(struct walk *w, const char *path, const struct json *ours, const struct json *theirs)
{
	auto_free char *our_names = common_names(ours, theirs), *their_names = common_names(theirs, ours);
	auto_free char *text = xasprintf("%s (order)", path);
	auto_json a = json_new_string(our_names);
	auto_json b = json_new_string(their_names);

	if (!text_eq(our_names, their_names))
		add_difference(w, text, a, b);
}

static void compare_nodes(struct walk *w, const char *path, const struct json *ours, const struct json *theirs);

static void compare_lists(struct walk *w, const char *path, const struct json *ours, const struct json *theirs)
{
	bool named = all_named(ours) && all_named(theirs);
	auto_json a = by_name(ours, named);
	auto_json b = by_name(theirs, named);

	check_order(w, path, a, b);
	json_each (item, a) {
		auto_free char *at = xasprintf("%s[%s]", path, json_name(item));
		const struct json *other = json_get(b, json_name(item));

		if (other)
			compare_nodes(w, at, item, other);
		else
			report_absent(w, at, item, NULL);
	}
	json_each (item, b) {
		auto_free char *at = xasprintf("%s[%s]", path, json_name(item));

		if (!json_get(a, json_name(item)))
			report_absent(w, at, NULL, item);
	}
}

/* ---- objects ---- */

static void compare_members(struct walk *w, const char *path, const struct json *ours, const struct json *theirs)
{
	json_each (item, ours) {
		auto_free char *at = xasprintf("%s.%s", path, json_name(item));

		compare_nodes(w, at, item, json_get(theirs, json_name(item)));
	}
	json_each (item, theirs) {
		auto_free char *at = xasprintf("%s.%s", path, json_name(item));

		if (!json_get(ours, json_name(item)))
			compare_nodes(w, at, NULL, item);
	}
}

/* Both are of that type, or one is and the other is not there; and not both are empty. */
static bool are_both_of_type(const struct json *a, const struct json *b, enum json_type type)
{
	return (!a || json_is(a, type)) && (!b || json_is(b, type)) && json_len(a) + json_len(b) > 0;
}

static void compare_nodes(struct walk *w, const char *path, const struct json *ours, const struct json *theirs)
{
	if (are_both_of_type(ours, theirs, JSON_OBJECT))
		compare_members(w, path, ours, theirs);
	else if (are_both_of_type(ours, theirs, JSON_ARRAY))
		compare_lists(w, path, ours, theirs);
	else
		compare_leaves(w, path, ours, theirs);
}

/* The driver takes UUIDs of its own for executors: which stood for which in its pod says nothing about theirs. */
static void forget_uuids(struct json *pairs)
{
	struct json *next;

	for (struct json *pair = json_first(pairs); pair; pair = next) {
		next = json_next(pair);
		if (strchr(json_name(pair), '-'))
			json_remove(pairs, json_name(pair));
	}
}

static int64_t walk_forms(struct walk *w, const struct json *ours, const struct json *theirs)
{
	int64_t count = 0;

	json_each (object, ours) {
		const struct json *other = json_get(theirs, json_name(object));

		count++;
		if (text_eq(json_name(object), "executor")) {
			forget_uuids(w->ours);
			forget_uuids(w->theirs);
		}
		if (other)
			compare_nodes(w, json_name(object), object, other);
		else
			report_absent(w, json_name(object), object, NULL);
	}
	json_each (object, theirs) {
		if (json_get(ours, json_name(object)))
			continue;
		count++;
		report_absent(w, json_name(object), NULL, object);
	}
	return count;
}

struct json *compare_run(const struct compare_rules *r, const struct app *app, const char *name,
			 const struct compare_side *ours, const struct compare_side *theirs)
{
	bool terse = ours->terse || theirs->terse;
	auto_json a = compare_form(ours->objects, theirs->executor ? ours->executor : NULL, terse);
	auto_json b = compare_form(theirs->objects, theirs->executor, terse);
	auto_json our_ids = json_new_object();
	auto_json their_ids = json_new_object();
	auto_free char *app_text = json_print(app->tree);
	struct json *out = json_new_object();
	struct walk w = { .rules = r, .name = name, .app_text = app_text, .ours = our_ids, .theirs = their_ids };
	int64_t count;

	w.differences = json_new_array();
	count = walk_forms(&w, a, b);
	json_set_i64(out, "objects", count);
	json_set_i64(out, "equal", w.equal);
	json_set_i64(out, "differ", (int64_t)json_len(w.differences) - w.ignored);
	json_set_i64(out, "ignored", w.ignored);
	json_set(out, "differences", w.differences);
	return out;
}

/* ---- recordings ---- */

static struct json *find_same(const struct json *objects, const struct json *object)
{
	json_each (other, objects)
		if (text_eq(json_str(other, "kind", NULL), json_str(object, "kind", NULL)) &&
		    text_eq(json_str(other, "metadata.name", NULL), json_str(object, "metadata.name", NULL)))
			return other;
	return NULL;
}

static bool is_write_request(const struct json *request)
{
	const char *method = json_str(request, "method", "");

	return text_eq(method, "POST") || text_eq(method, "PUT") || text_eq(method, "PATCH");
}

struct json *compare_recorded(const struct json *recording)
{
	struct json *out = json_new_array();

	json_each (request, json_get(recording, "requests")) {
		const struct json *body = json_get(request, "body");
		struct json *known = find_same(out, body);

		if (!is_write_request(request) || !json_is(body, JSON_OBJECT))
			continue;
		if (!known)
			known = json_append(out, json_new_object());
		json_each (member, body)
			json_set(known, json_name(member), json_dup(member));
	}
	json_each (object, json_get(recording, "objects"))
		if (!find_same(out, object))
			json_append(out, json_dup(object));
	return out;
}
