/*
 * The walker of schemas: an object and the tables of its kind are walked together, from the metadata and the spec
 * down.
 *
 * One walk serves both uses. What it finds goes to one of three lists, each of which may be missing: problems of
 * types, fields that the CRD does not know, fields that Kubernetes does not know. Where the walk is, it remembers as
 * a chain of places on the stack; a path is printed only if there is something to say.
 */
#include "rules/schema.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

enum {
	PATH_MAX_LEN = 4096,
	NAME_SHOWN = 256, /* of a name or key; a problem shows less of a path (problems.c) */
	TEXT_MAX_LEN = 512,
	HOMES_MAX = 3,	    /* objects that an unknown field may belong to; more of them say nothing */
	PROPOSALS_MAX = 20, /* unknown fields for which it is looked up what was meant; nobody reads more */
	PART_MIN = 4,	    /* letters of a name that is a part of a field's name */
};

/* Where the name alone does not lead to the field: names of the older versions v1alpha1 and v1beta1, of Kubernetes, and
 * such as are often written. */
static const struct {
	const char *name;
	const char *now;
} renamed[] = {
	{ "envSecrets", "envSecretKeyRefs" },
	{ "ephemeral-storage", "resources" },
	{ "failureRetries", "onFailureRetries" },
	{ "maxSubmissionRetries", "onSubmissionFailureRetries" },
	{ "retryInterval", "onFailureRetryInterval" },
	{ "serviceAccountName", "serviceAccount" },
	{ "submissionRetryInterval", "onSubmissionFailureRetryInterval" },
};

struct walk {
	unsigned aspects; /* of values; their problems go to: */
	struct problems *wrong;
	const char *const *except; /* fields of the first place that are left out */
	struct problems *dropped;  /* unknown fields */
	struct problems *kept;
};

struct place {
	const struct place *up; /* NULL: the first */
	const char *name;	/* of a field or of a key of a map; NULL: an element of a list; of the first its path */
	size_t index;		/* of an element */
	const struct schema *schema; /* of what is there */
};

/* ---- tables ---- */

const struct schema *schema_of_kind(const char *kind)
{
	for (size_t i = 0; schema_kinds[i].name; i++)
		if (text_eq(schema_kinds[i].name, kind))
			return schema_kinds[i].schema;
	return NULL;
}

const struct schema *schema_field(const struct schema *s, const char *name)
{
	size_t low = 0, high = s ? s->field_count : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, s->fields[middle].name);

		if (order == 0)
			return s->fields[middle].schema;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* ---- places ---- */

static void put_place_path(struct buf *out, const struct place *at)
{
	if (at->up)
		put_place_path(out, at->up);
	if (!at->name)
		buf_printf(out, "[%zu]", at->index);
	else if (at->up && at->up->schema->type == SCHEMA_MAP)
		buf_printf(out, "[%.*s]", NAME_SHOWN, at->name);
	else
		buf_printf(out, "%s%.*s", out->len ? "." : "", NAME_SHOWN, at->name);
}

/* Owned. A longer path than anybody reads ends where there is no more room. */
static char *place_path(const struct place *at)
{
	auto_buf path;

	buf_init(&path, PATH_MAX_LEN);
	put_place_path(&path, at);
	return xstrdup(buf_str(&path));
}

/* ---- types ---- */

static const char *expected_type(const struct schema *s)
{
	bool of_strings = s->each && s->each->type == SCHEMA_STRING;

	switch (s->type) {
	case SCHEMA_STRING:
		return "expected a string";
	case SCHEMA_INTEGER:
		return "expected an integer";
	case SCHEMA_NUMBER:
		return "expected a number";
	case SCHEMA_BOOL:
		return "expected true or false";
	case SCHEMA_INT_OR_STRING:
		return "expected a number or a string";
	case SCHEMA_LIST:
		return of_strings ? "expected a list of strings" : "expected a list";
	default:
		return of_strings ? "expected a map of strings" : "expected an object";
	}
}

static bool has_schema_type(const struct json *value, const struct schema *s)
{
	switch (s->type) {
	case SCHEMA_STRING:
		return json_is(value, JSON_STRING);
	case SCHEMA_INTEGER:
		return json_integer(value, 0) == json_integer(value, 1);
	case SCHEMA_NUMBER:
		return json_is(value, JSON_NUMBER);
	case SCHEMA_BOOL:
		return json_is(value, JSON_BOOL);
	case SCHEMA_INT_OR_STRING:
		return json_is(value, JSON_NUMBER) || json_is(value, JSON_STRING);
	case SCHEMA_LIST:
		return json_is(value, JSON_ARRAY);
	default:
		return json_is(value, JSON_OBJECT);
	}
}

static bool is_value_of(const char *text, const struct schema *s)
{
	if (!s->values || !*text)
		return true;
	for (size_t i = 0; s->values[i]; i++)
		if (text_eq(text, s->values[i]))
			return true;
	return false;
}

static char *supported_values(const struct schema *s)
{
	auto_buf text;

	buf_init(&text, TEXT_MAX_LEN);
	for (size_t i = 0; s->values[i]; i++)
		buf_printf(&text, "%s\"%s\"", i ? ", " : "supported values: ", s->values[i]);
	return xstrdup(buf_str(&text));
}

/* NULL if the number is within its bounds, else why not. Owned. */
static char *check_number_bounds(const struct json *value, const struct schema *s)
{
	int64_t number = json_integer(value, 0);

	if (number < s->min)
		return xasprintf("must be at least %lld", (long long)s->min);
	if (number > s->max)
		return xasprintf("must be at most %lld", (long long)s->max);
	return NULL;
}

/* What was expected, and how to write it where that is plain: YAML reads 1000 and true as what they look like, and a
 * reference to another object is written as an object in pods, but as a name here. Owned. */
static char *type_complaint(const struct json *value, const struct schema *s)
{
	const char *name = json_len(value) == 1 ? json_str(value, "name", NULL) : NULL;
	auto_free char *text = NULL;

	if (s->type == SCHEMA_STRING && (json_is(value, JSON_NUMBER) || json_is(value, JSON_BOOL))) {
		text = json_print(value);
		return xasprintf("%s: quote it: \"%s\"", expected_type(s), text);
	}
	if (s->type == SCHEMA_STRING && name)
		return xasprintf("%s: write the name alone: %.*s", expected_type(s), NAME_SHOWN, name);
	return xstrdup(expected_type(s));
}

/* NULL if the value is right, else why not. Owned. */
static char *value_complaint(const struct json *value, const struct schema *s, unsigned aspects)
{
	if (!has_schema_type(value, s))
		return aspects & SCHEMA_TYPES ? type_complaint(value, s) : NULL;
	if ((aspects & SCHEMA_TYPES) && s->type == SCHEMA_INTEGER)
		return check_number_bounds(value, s);
	if ((aspects & SCHEMA_VALUES) && !is_value_of(json_text(value, ""), s))
		return supported_values(s);
	return NULL;
}

/* Of what there is no room for, no text is made. */
static bool count_if_full(struct problems *p)
{
	if (!problems_is_full(p))
		return false;
	p->hidden++;
	return true;
}

static void check_field_value(const struct walk *w, const struct place *at, const struct json *value)
{
	auto_free char *why = value_complaint(value, at->schema, w->aspects);
	auto_free char *path = NULL;

	if (!why || count_if_full(w->wrong))
		return;
	path = place_path(at);
	if (!problems_has(w->wrong, path))
		problems_invalid(w->wrong, path, value, why);
}

static void check_required_fields(const struct walk *w, const struct place *at, const struct json *object)
{
	const char *const *names = at->schema->required;

	for (size_t i = 0; names && names[i]; i++) {
		const struct json *value = json_get(object, names[i]);
		const struct place place = { .up = at, .name = names[i] };
		auto_free char *path = NULL;

		if ((value && !json_is(value, JSON_NULL)) || count_if_full(w->wrong))
			continue;
		path = place_path(&place);
		if (!problems_has(w->wrong, path))
			problems_add(w->wrong, path, "Required value");
	}
}

/* ---- unknown fields ---- */

static bool is_home(const struct schema *s, const char *name)
{
	return s->type == SCHEMA_OBJECT && schema_field(s, name);
}

/* Adds the objects that are fields of the one at `at` and have such a field. Returns how many. */
static size_t find_children(struct buf *out, const struct place *at, const char *name)
{
	size_t found = 0;

	for (size_t i = 0; i < at->schema->field_count; i++) {
		const struct schema_field *field = &at->schema->fields[i];
		const struct place place = { .up = at, .name = field->name };
		auto_free char *path = NULL;

		if (!is_home(field->schema, name))
			continue;
		path = place_path(&place);
		buf_printf(out, "%s%s", found ? " or " : "", path);
		found++;
	}
	return found;
}

/* The part of a pod template below s that has such a field: its containers, or the pod. NULL if there is none. */
static const char *find_pod_part(const struct schema *s, const char *name)
{
	const struct schema *pod = schema_field(schema_field(s, "template"), "spec");
	const struct schema *containers = schema_field(pod, "containers");

	if (containers && schema_field(containers->each, name))
		return "template.spec.containers[]";
	return schema_field(pod, name) ? "template.spec" : NULL;
}

/* The objects beside the place, or beside one that it is in, that have such a field, the nearest first. Owned; NULL if
 * there are none, "" if there are so many that it says nothing. */
static char *find_neighbours(const struct place *at, const char *name)
{
	for (const struct place *p = at; p; p = p->up) {
		auto_buf homes;
		size_t count;

		buf_init(&homes, TEXT_MAX_LEN);
		count = p->schema->type == SCHEMA_OBJECT ? find_children(&homes, p, name) : 0;
		if (count)
			return xstrdup(count > HOMES_MAX ? "" : buf_str(&homes));
	}
	return NULL;
}

/* Where else such a field is: in an object that the place holds, in one that it is in, in its pod template, or in one
 * beside it. Owned; NULL if nowhere, "" if in so many objects that it says nothing. */
static char *find_homes(const struct place *at, const char *name)
{
	const char *part = find_pod_part(at->schema, name);
	auto_free char *path = place_path(at);
	auto_buf homes;

	buf_init(&homes, TEXT_MAX_LEN);
	if (at->schema->type == SCHEMA_OBJECT && find_children(&homes, at, name) == 1)
		return xstrdup(buf_str(&homes));
	for (const struct place *p = at->up; p; p = p->up)
		if (is_home(p->schema, name))
			return p->up ? place_path(p) : xstrdup("the object itself");
	return part ? xasprintf("%s.%s", path, part) : find_neighbours(at, name);
}

/* The pod templates, in the objects that the place is in or beside it, in which such a field can be. Owned; NULL if
 * there are none. */
static char *find_pods(const struct place *at, const char *name)
{
	for (const struct place *p = at; p; p = p->up) {
		const char *part = find_pod_part(p->schema, name);
		auto_free char *path = place_path(p);
		auto_buf homes;

		if (part)
			return xasprintf("%s.%s", path, part);
		buf_init(&homes, TEXT_MAX_LEN);
		for (size_t i = 0; p->up && i < p->schema->field_count; i++) {
			part = find_pod_part(p->schema->fields[i].schema, name);
			if (part)
				buf_printf(&homes, "%s%s.%s.%s", homes.len ? " or " : "", path,
					   p->schema->fields[i].name, part);
		}
		if (homes.len)
			return xstrdup(buf_str(&homes));
	}
	return NULL;
}

static const char *find_nearest(const struct schema *s, const char *name)
{
	struct text_nearest nearest;

	text_nearest_init(&nearest, name, strlen(name));
	for (size_t i = 0; i < s->field_count; i++)
		text_nearest_add(&nearest, s->fields[i].name);
	return nearest.found;
}

/* The first field of which the name is the beginning or the end: timeToLive of timeToLiveSeconds. NULL if none is. */
static const char *find_longer(const struct schema *s, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < s->field_count && len >= PART_MIN; i++) {
		const char *field = s->fields[i].name;
		size_t more = strlen(field) > len ? strlen(field) - len : 0;

		if (more && text_starts(field, name) && isupper((unsigned char)field[len]))
			return field;
		if (more && isupper((unsigned char)field[more]) && strcasecmp(field + more, name) == 0)
			return field;
	}
	return NULL;
}

/* What a field of another name, or of an older API, is called now; NULL if the table does not know it. */
static const char *find_new_name(const char *name)
{
	for (size_t i = 0; i < array_len(renamed); i++)
		if (text_eq(name, renamed[i].name))
			return renamed[i].now;
	return NULL;
}

/* Says what was meant by the field that the place does not have; owned. */
static char *propose(const struct place *at, const char *name)
{
	const char *now = find_new_name(name), *field = now ? now : name, *same = NULL;
	auto_free char *homes = NULL;

	if (now && schema_field(at->schema, now))
		return xasprintf("unknown field: did you mean %s?", now);
	homes = find_homes(at, field);
	if (!now && text_empty(homes))
		same = find_nearest(at->schema, name);
	if (!now && !same && !homes)
		same = find_longer(at->schema, name);
	if (same)
		return xasprintf("unknown field: did you mean %s?", same);
	if (!homes)
		homes = find_pods(at, field);
	if (text_empty(homes))
		return xstrdup("unknown field");
	return xasprintf("unknown field: it belongs to %s%s%s", homes, now ? ", as " : "", now ? now : "");
}

static void add_unknown(const struct walk *w, const struct place *at, const char *name)
{
	struct problems *list = at->schema->is_kubernetes ? w->kept : w->dropped;
	const struct place place = { .up = at, .name = name };
	auto_free char *proposal = NULL, *path = NULL;

	if (!list || count_if_full(list))
		return; /* no list: values are looked at, not fields */
	if (json_len(list->list) < PROPOSALS_MAX)
		proposal = propose(at, name);
	path = place_path(&place);
	problems_add(list, path, "%s", proposal ? proposal : "unknown field");
}

/* ---- the walk ---- */

static void walk_value(const struct walk *w, const struct place *at, const struct json *value);

static bool is_excepted(const struct walk *w, const char *name)
{
	for (size_t i = 0; w->except && w->except[i]; i++)
		if (text_eq(w->except[i], name))
			return true;
	return false;
}

static void walk_fields(const struct walk *w, const struct place *at, const struct json *object)
{
	if (w->aspects & SCHEMA_REQUIRED)
		check_required_fields(w, at, object);
	json_each (member, object) {
		const struct place place = { .up = at,
					     .name = json_name(member),
					     .schema = schema_field(at->schema, json_name(member)) };

		if (!at->up && is_excepted(w, place.name))
			continue;
		if (place.schema)
			walk_value(w, &place, member);
		else if (at->schema->field_count)
			add_unknown(w, at, place.name);
	}
}

/* Kubernetes reads a null among its own texts and numbers as an empty text or 0. */
static bool takes_null(const struct place *element)
{
	const struct place *object = element->up;

	if (element->schema->type >= SCHEMA_OBJECT)
		return false;
	while (object->up && object->schema->type != SCHEMA_OBJECT)
		object = object->up;
	return object->schema->is_kubernetes || (!object->up && text_eq(object->name, "metadata"));
}

/* A field that is null is as good as absent, but an element would be there, and is not what it has to be. */
static void walk_element(const struct walk *w, const struct place *at, const struct json *element)
{
	if (!json_is(element, JSON_NULL))
		walk_value(w, at, element);
	else if (!takes_null(at))
		check_field_value(w, at, element);
}

static void walk_each(const struct walk *w, const struct place *at, const struct json *collection)
{
	size_t i = 0;

	json_each (child, collection) {
		const struct place place = {
			.up = at, .name = json_name(child), .index = i++, .schema = at->schema->each
		};

		walk_element(w, &place, child);
	}
}

static void walk_value(const struct walk *w, const struct place *at, const struct json *value)
{
	if (!value || json_is(value, JSON_NULL))
		return;
	check_field_value(w, at, value);
	if (!has_schema_type(value, at->schema))
		return;
	if (at->schema->type == SCHEMA_OBJECT)
		walk_fields(w, at, value);
	else if (at->schema->each)
		walk_each(w, at, value);
}

void schema_check(struct problems *p, const struct schema_part *part, const struct json *value, unsigned aspects)
{
	const struct walk walk = { .aspects = aspects, .wrong = p, .except = part->except };
	struct place place = { .name = part->path, .schema = schema_of_kind(part->kind) };
	auto_strv names = { 0 };

	strv_split(&names, part->path, '.');
	for (size_t i = 0; i < names.len; i++)
		place.schema = schema_field(place.schema, names.items[i]);
	if (place.schema)
		walk_value(&walk, &place, value);
}

void schema_unknown(struct problems *dropped, struct problems *kept, const struct json *object, const char *kind)
{
	static const char *const others[] = { "apiVersion", "kind", "status", NULL };
	const struct walk walk = { .dropped = dropped, .kept = kept, .except = others };
	const struct place root = { .name = "", .schema = schema_of_kind(kind) };

	if (root.schema)
		walk_value(&walk, &root, object);
}
