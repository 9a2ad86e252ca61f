/*
 * What "the pod has it already" means, for each kind of value that a field can have.
 *
 * Happy path: a value that is there stays or is changed in its place, and only what is missing is added. So what other
 * webhooks have done survives, and nothing is in a pod twice. Where both say something about the same thing, the
 * application wins. Nothing can fail.
 */
#include "pod_merge.h"

#include <string.h>

#include "base/text.h"

/* Members that an object in a pod may have although the field does not: the API server or Spark adds them. */
static const struct {
	const char *name;
	const char *value; /* NULL: any */
} defaults[] = {
	{ "apiVersion", "v1" },		      /* fieldRef */
	{ "divisor", "0" },		      /* resourceFieldRef */
	{ "protocol", "TCP" },		      /* port … */
	{ "hostPort", NULL },		      /* … on the host's network */
	{ "path", "/" },		      /* httpGet … */
	{ "scheme", "HTTP" },		      /* … */
	{ "allowPrivilegeEscalation", NULL }, /* securityContext, by Spark since 4.3 */
};

/* Objects that mean one of several things. Members of two of them together would mean nothing. */
static const char *const choices[] = {
	"seccompProfile", "appArmorProfile", "seLinuxOptions", /* by their type or as one label */
	"postStart",	  "preStop",			       /* exec, httpGet, sleep … */
};

/* Variables that hold a list. Agents for traces and metrics come into a program by them. */
static const struct {
	const char *name;
	char separator;
} lists[] = {
	{ "JAVA_TOOL_OPTIONS", ' ' },
	{ "JDK_JAVA_OPTIONS", ' ' },
	{ "PYTHONPATH", ':' },
};

/* ---- values ---- */

static bool is_default(const struct json *member)
{
	for (size_t i = 0; i < array_len(defaults); i++)
		if (text_eq(json_name(member), defaults[i].name))
			return !defaults[i].value || text_eq(json_text(member, NULL), defaults[i].value);
	return false;
}

/* The API server leaves such a value out when it prints an object (Go's omitempty). It prints each number and boolean,
 * since those are pointers there. */
static bool is_omitted(const struct json *v)
{
	if (json_is(v, JSON_STRING))
		return text_empty(json_text(v, NULL));
	return !json_is(v, JSON_NUMBER) && !json_is(v, JSON_BOOL) && json_len(v) == 0;
}

/* The object has every wanted member; an empty one may be missing. Any other member is empty or a default. */
static bool object_says(const struct json *object, const struct json *wanted)
{
	json_each (member, wanted) {
		const struct json *own = json_get(object, json_name(member));

		if (own ? !pod_merge_says(own, member) : !is_omitted(member))
			return false;
	}
	json_each (own, object)
		if (!json_get(wanted, json_name(own)) && !is_omitted(own) && !is_default(own))
			return false;
	return true;
}

/* The list has the wanted items in the wanted order, and no others. */
static bool list_says(const struct json *list, const struct json *wanted)
{
	const struct json *own = json_first(list);

	json_each (item, wanted) {
		if (!pod_merge_says(own, item))
			return false;
		own = json_next(own);
	}
	return !own;
}

bool pod_merge_says(const struct json *value, const struct json *wanted)
{
	if (json_type(value) != json_type(wanted))
		return false;
	if (json_is(wanted, JSON_OBJECT))
		return object_says(value, wanted);
	if (json_is(wanted, JSON_ARRAY))
		return list_says(value, wanted);
	return json_equal(value, wanted);
}

/* ---- objects ---- */

static bool is_choice(const char *name)
{
	for (size_t i = 0; i < array_len(choices); i++)
		if (text_eq(name, choices[i]))
			return true;
	return false;
}

/* The options of a resolver: of those with one name, the wanted one holds. */
static void merge_options(struct json *options, const struct json *wanted)
{
	json_each (item, wanted) {
		struct json *own = json_find(options, "name", json_str(item, "name", ""));

		if (own)
			pod_merge_object(own, item);
		else
			json_append(options, json_dup(item));
	}
}

void pod_merge_object(struct json *object, const struct json *wanted)
{
	json_each (member, wanted) {
		const char *name = json_name(member);
		struct json *own = json_get(object, name);

		if (json_is(member, JSON_NULL) || (own ? pod_merge_says(own, member) : is_omitted(member)))
			continue;
		if (json_is(own, JSON_OBJECT) && json_is(member, JSON_OBJECT) && !is_choice(name))
			pod_merge_object(own, member);
		else if (json_is(own, JSON_ARRAY) && text_eq(name, "options"))
			merge_options(own, member);
		else
			json_set(object, name, json_dup(member));
	}
}

/* ---- variables ---- */

static struct json *find_last(const struct json *list, const char *name)
{
	struct json *last = NULL;

	json_each (item, list)
		if (text_eq(json_str(item, "name", NULL), name))
			last = item;
	return last;
}

/* text has the words in a row, as "-a -b" has "-b" but not "-". */
static bool has_words(const char *text, const char *words)
{
	static const char separators[] = " ,;:";
	size_t len = strlen(words);

	for (const char *at = len ? strstr(text, words) : NULL; at; at = strstr(at + 1, words))
		if ((at == text || strchr(separators, at[-1])) && (!at[len] || strchr(separators, at[len])))
			return true;
	return false;
}

static char separator_of(const char *name)
{
	for (size_t i = 0; i < array_len(lists); i++)
		if (text_eq(name, lists[i].name))
			return lists[i].separator;
	return '\0';
}

/* A variable can refer only to those before it ("$(NAME)"), so such a one goes to the end. */
static void move_to_end(struct json *container, const struct json *variable)
{
	auto_json all = json_take(container, "env");
	struct json *env = json_set(container, "env", json_new_array()), *moved = NULL;

	for (struct json *item = json_take_first(all); item; item = json_take_first(all)) {
		if (item == variable)
			moved = item;
		else
			json_append(env, item);
	}
	json_append(env, moved);
}

static void replace_variable(struct json *container, struct json *own, const struct json *wanted)
{
	json_remove(own, "value");
	json_remove(own, "valueFrom");
	json_each (member, wanted)
		json_set(own, json_name(member), json_dup(member));
	if (strstr(json_str(wanted, "value", ""), "$("))
		move_to_end(container, own);
}

void pod_merge_variable(struct json *container, const struct json *wanted)
{
	const char *name = json_str(wanted, "name", ""), *value = json_str(wanted, "value", NULL);
	struct json *env = json_ensure_array(container, "env"), *own = find_last(env, name);
	const char *there = json_str(own, "value", "");

	if (!own)
		json_append(env, json_dup(wanted));
	else if (pod_merge_says(own, wanted) || (value && has_words(there, value)))
		return;
	else if (separator_of(name) && !text_empty(value) && !text_empty(there)) {
		auto_free char *both = xasprintf("%s%c%s", there, separator_of(name), value);

		json_set_str(own, "value", both);
	} else {
		replace_variable(container, own, wanted);
	}
}

/* ---- other lists ---- */

bool pod_merge_has_port(const struct json *ports, const struct json *wanted)
{
	const char *name = json_str(wanted, "name", ""), *protocol = json_str(wanted, "protocol", "TCP");

	json_each (own, ports) {
		bool same_number = json_i64(own, "containerPort", -1) == json_i64(wanted, "containerPort", -2);

		if (*name && text_eq(json_str(own, "name", ""), name))
			return true;
		if (same_number && text_eq(json_str(own, "protocol", "TCP"), protocol))
			return true;
	}
	return false;
}

static bool has_text(const struct json *texts, const char *text)
{
	json_each (own, texts)
		if (text_eq(json_text(own, NULL), text))
			return true;
	return false;
}

bool pod_merge_has_alias(const struct json *aliases, const struct json *wanted)
{
	size_t missing = json_len(json_get(wanted, "hostnames"));

	json_each (name, json_get(wanted, "hostnames")) {
		bool found = false;

		json_each (own, aliases)
			found = found || (text_eq(json_str(own, "ip", ""), json_str(wanted, "ip", "?")) &&
					  has_text(json_get(own, "hostnames"), json_text(name, "")));
		missing -= found;
	}
	return missing == 0;
}

bool pod_merge_has_container(const struct json *pod_spec, const char *name)
{
	return json_find(json_get(pod_spec, "containers"), "name", name) ||
	       json_find(json_get(pod_spec, "initContainers"), "name", name);
}

static bool tolerates_the_same(const struct json *a, const struct json *b)
{
	static const char *const members[][2] = {
		{ "key", "" }, { "operator", "Equal" }, { "value", "" }, { "effect", "" }
	};

	for (size_t i = 0; i < array_len(members); i++)
		if (!text_eq(json_str(a, members[i][0], members[i][1]), json_str(b, members[i][0], members[i][1])))
			return false;
	return true;
}

void pod_merge_toleration(struct json *tolerations, const struct json *wanted)
{
	const struct json *time = json_get(wanted, "tolerationSeconds");

	json_each (own, tolerations) {
		if (!tolerates_the_same(own, wanted))
			continue;
		if (json_is(time, JSON_NUMBER))
			json_set(own, "tolerationSeconds", json_dup(time));
		else
			json_remove(own, "tolerationSeconds");
		return;
	}
	json_append(tolerations, json_dup(wanted));
}
