/*
 * Translates the API server's "strict decoding error: unknown field "spec.containers[0].env[0].valeu"" (apimachinery
 * runtime/error.go, strictDecodingError) into fields of the application.
 *
 * Fields of pods keep their names on the way from the application: what is called valeu in a list env of the pod is so
 * in the application too. So the field is the one below the spec of which the names agree with the pod's path, from its
 * end, for the longest. Places and numbers differ, since lists are merged. A field that is not found is told as the
 * API server has told it.
 */
#include "unknown_fields.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "kube/request.h"
#include "rules/schema.h"
#include "spark/conf.h"

#define STRICT	"strict decoding error: "
#define UNKNOWN "unknown field \""

enum { PATH_MAX_LEN = 4096, DEPTH_MAX = 32 };

/* The search for the field of which the pod's path has these names. */
struct search {
	const struct strv *names;
	const char *except; /* member of the spec: the role that the pod is not of */
	const struct strv *taken;
	const char *stack[DEPTH_MAX]; /* names from the spec to the value that is looked at */
	size_t depth;
	size_t best; /* names that agree; 0: nothing is found yet */
	char *path;  /* owned */
};

/* Returns how many names agree, from the end. */
static size_t count_agreeing(const struct search *s)
{
	size_t count = 0;

	while (count < s->depth && count < s->names->len &&
	       text_eq(s->stack[s->depth - 1 - count], s->names->items[s->names->len - 1 - count]))
		count++;
	return count;
}

static void look_at_field(struct search *s, const char *path)
{
	size_t count = count_agreeing(s);

	if (count <= s->best || strv_has(s->taken, path))
		return;
	s->best = count;
	free(s->path);
	s->path = xstrdup(path);
}

static void look_below(struct search *s, const struct json *value, const char *path)
{
	size_t i = 0;

	json_each (item, value) {
		bool is_member = json_is(value, JSON_OBJECT);
		auto_free char *at = NULL;

		i++;
		if (!is_member && !json_first(item))
			continue; /* such as arguments, of which there may be very many */
		at = is_member ? xasprintf("%s.%s", path, json_name(item)) : xasprintf("%s[%zu]", path, i - 1);
		if (s->depth == DEPTH_MAX || (s->depth == 0 && text_eq(json_name(item), s->except)))
			continue;
		if (is_member) {
			s->stack[s->depth++] = json_name(item);
			look_at_field(s, at);
		}
		look_below(s, item, at);
		s->depth -= is_member;
	}
}

/* "spec.containers[0].env[0].valeu": spec, containers, env, valeu. */
static void split_path(struct strv *names, const char *path)
{
	auto_strv parts = { 0 };

	strv_split(&parts, path, '.');
	for (size_t i = 0; i < parts.len; i++) {
		auto_free char *name = xstrndup(parts.items[i], strcspn(parts.items[i], "["));

		strv_add(names, name);
	}
}

/* The application's field for the pod's. Owned; NULL if none is found. */
static char *find_field(const struct app *app, const char *path, const char *except, const struct strv *taken)
{
	auto_strv names = { 0 };
	struct search s = { .names = &names, .except = except, .taken = taken };

	split_path(&names, path);
	look_below(&s, json_get(app->tree, "spec"), "spec");
	return s.path;
}

/* What the record of Kubernetes' types makes of the field. */
static const char *proposal_for(const struct problems *known, const char *field)
{
	return json_str(json_find(known->list, "field", field), "message", "unknown field");
}

static void add_field(struct problems *p, const struct app *app, const char *path, const struct role *role,
		      const struct problems *known, struct strv *taken)
{
	const struct role *other = role == &role_driver ? &role_executor : &role_driver;
	auto_free char *field = find_field(app, path, other->name, taken);
	auto_free char *whole = xasprintf("spec.%s", role->name);

	if (field)
		strv_add(taken, field);
	problems_add(p, field ? field : whole, "%s; the API server does not know %s of the %s pod",
		     field ? proposal_for(known, field) : "unknown field", path, role->name);
}

bool unknown_fields_in_executors(const struct app *app)
{
	auto_problems known;

	problems_init(&known);
	schema_unknown(NULL, &known, app->tree, "SparkApplication");
	json_each (field, known.list)
		if (!text_starts(json_str(field, "field", ""), "spec.driver"))
			return true;
	return false;
}

void unknown_fields_translate(struct failure *f, const struct app *app)
{
	const struct role *role = f->type == ACTION_REHEARSE ? &role_executor : &role_driver;
	auto_problems fields, known;
	auto_strv taken = { 0 };
	auto_free char *text = xstrdup(f->err.msg);

	problems_init(&fields);
	problems_init(&known);
	if (f->res != &resource_pod || !reply_names_unknown_fields(&f->err))
		return;
	schema_unknown(NULL, &known, app->tree, "SparkApplication");
	for (const char *at = strstr(strstr(text, STRICT), UNKNOWN); at; at = strstr(at, UNKNOWN)) {
		auto_free char *path = NULL;

		at += strlen(UNKNOWN);
		path = xstrndup(at, strcspn(at, "\""));
		if (strchr(at, '"')) /* else the text was cut off within the path */
			add_field(&fields, app, path, role, &known, &taken);
	}
	if (problems_any(&fields))
		problems_result(&fields, &f->err);
}
