/*
 * The two other sources of options, and what the operator says about all of them.
 *
 * The configuration file is YAML: a map of names to values or lists. A key that names no option is an error.
 * Variables of the environment are called SPARK_OPERATOR_X. One that names no option is only worth a warning, since
 * others may set variables with that prefix. Kubernetes does so for each Service whose name begins with
 * "spark-operator"; these are recognized and left alone. Where each value comes from is shown in /debug/state, and
 * one warning at the start lists what has no effect, and what a list names twice.
 */
#include "options_parts.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "json/files.h"
#include "json/yaml.h"

#define PREFIX "SPARK_OPERATOR_"
#define TTL    "default-time-to-live-seconds"

/* ---- file ---- */

/* The text of a string, number or boolean; NULL for anything else. Owned. */
static char *scalar_text(const struct json *value)
{
	if (json_is(value, JSON_STRING))
		return xstrdup(json_text(value, ""));
	return json_is(value, JSON_NUMBER) || json_is(value, JSON_BOOL) ? json_print(value) : NULL;
}

static bool takes_list(const struct option_name *name)
{
	return name->row ? option_is_list(name->row) : text_eq(name->alias->name, "namespace");
}

static bool takes_json(const struct option_name *name)
{
	return name->row && (name->row->type == OPT_JSON_LIST || name->row->type == OPT_ANNOTATIONS);
}

/* An element of a list, or a member of a map, which becomes the element "name=value". */
static int set_element(struct options *o, const struct option_name *name, const struct json *element,
		       const char *origin, struct err *err)
{
	auto_free char *value = scalar_text(element);
	auto_free char *text = NULL;
	auto_free char *quoted = NULL;

	if (!value)
		return err_set(err, ERR_INVALID, "expected a list of texts, numbers or booleans");
	text = json_name(element) ? xasprintf("%s=%s", json_name(element), value) : xstrdup(value);
	quoted = option_quote(text);
	return option_set(o, name, quoted, SOURCE_FILE, origin, err);
}

static int set_elements(struct options *o, const struct option_name *name, const struct json *value, const char *origin,
			struct err *err)
{
	if (json_len(value) == 0)
		return option_set(o, name, "", SOURCE_FILE, origin, err);
	json_each (element, value)
		if (set_element(o, name, element, origin, err) < 0)
			return err_code(err);
	return 0;
}

/* --config says where the file is, and --help is no option of a run: neither can be in the file. */
static bool is_for_command_line(const char *key)
{
	return text_eq(key, "config") || text_eq(key, "help");
}

static int unknown_key(const struct options *o, const char *key, struct err *err)
{
	auto_free char *hint = option_hint(o->notes->set, key, strlen(key), xstrdup);

	return err_set(err, ERR_INVALID, "no such option%s", hint);
}

static int set_key(struct options *o, const struct json *value, const char *origin, struct err *err)
{
	const char *key = json_name(value);
	bool is_collection = json_is(value, JSON_ARRAY) || json_is(value, JSON_OBJECT);
	struct option_name name;
	auto_free char *text = NULL;

	if (is_for_command_line(key))
		return err_set(err, ERR_INVALID, "no such option");
	if (!option_find(o->notes->set, key, strlen(key), &name))
		return unknown_key(o, key, err);
	if (is_collection && takes_list(&name))
		return set_elements(o, &name, value, origin, err);
	text = is_collection && takes_json(&name) ? json_print(value) : scalar_text(value);
	if (!text)
		return err_set(err, ERR_INVALID, "expected a text, number or boolean");
	return option_set(o, &name, text, SOURCE_FILE, origin, err);
}

static int set_document(struct options *o, const struct json *document, const char *origin, struct err *err)
{
	if (!json_is(document, JSON_OBJECT))
		return err_set(err, ERR_INVALID, "expected a map of options to values");
	json_each (value, document)
		if (set_key(o, value, origin, err) < 0)
			return err_wrap(err, "%s", json_name(value));
	return 0;
}

int option_read_file(struct options *o, const char *path, struct err *err)
{
	auto_free char *text = files_read_text(path, err);
	auto_free char *origin = xasprintf("file %s", path);
	auto_json documents = NULL;

	if (!text)
		return err_code(err);
	documents = yaml_parse(text, strlen(text), err);
	if (!documents)
		return err_wrap(err, "%s", origin);
	if (json_len(documents) > 1)
		return err_set(err, ERR_INVALID, "%s: expected one document", origin);
	if (json_len(documents) == 1 && set_document(o, json_first(documents), origin, err) < 0)
		return err_wrap(err, "%s", origin);
	return 0;
}

/* ---- environment ---- */

char *option_variable(const char *name)
{
	char *variable = xasprintf(PREFIX "%s", name);

	for (char *c = variable; *c; c++)
		*c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
	return variable;
}

const char *option_config_variable(char *const *environment)
{
	for (; environment && *environment; environment++)
		if (text_starts(*environment, PREFIX "CONFIG="))
			return *environment + strlen(PREFIX "CONFIG=");
	return NULL;
}

/* The kubelet sets these variables for a Service: X_SERVICE_HOST, X_PORT=tcp://ADDRESS:PORT, X_PORT_443_TCP and
 * alike. */
static bool is_service(const char *variable, const char *value)
{
	const char *port = strstr(variable, "_PORT_");

	return strstr(variable, "_SERVICE_HOST") || strstr(variable, "_SERVICE_PORT") ||
	       (text_ends(variable, "_PORT") && strstr(value, "://")) || (port && isdigit((unsigned char)port[6]));
}

static bool is_variable(const char *name, const char *variable)
{
	auto_free char *wanted = option_variable(name);

	return text_eq(wanted, variable);
}

static bool find_variable(enum option_set set, const char *variable, struct option_name *ret)
{
	*ret = (struct option_name){ 0 };
	for (size_t i = 0; i < option_row_count && !ret->row; i++)
		if ((option_rows[i].sets & (unsigned)set) && option_rows[i].type != OPT_HELP &&
		    is_variable(option_rows[i].name, variable))
			ret->row = &option_rows[i];
	for (size_t i = 0; i < option_alias_count && !ret->row && !ret->alias; i++)
		if (is_variable(option_aliases[i].name, variable))
			ret->alias = &option_aliases[i];
	return ret->row || ret->alias;
}

static void note_unknown(struct options *o, const char *variable)
{
	auto_free char *name = xstrdup(variable + strlen(PREFIX));
	auto_free char *hint = NULL;

	for (char *c = name; *c; c++)
		*c = *c == '_' ? '-' : (char)tolower((unsigned char)*c);
	hint = option_hint(o->notes->set, name, strlen(name), option_variable);
	strv_addf(&o->notes->unknown, "%s (no such option%s)", variable, hint);
}

/* Sets the option that a variable names. aliases: whether it is the turn of aliases or of rows. Aliases come first,
 * so that the option's own name counts if both are set. */
static int read_variable(struct options *o, const char *entry, bool aliases, struct err *err)
{
	size_t len = strcspn(entry, "=");
	auto_free char *variable = xstrndup(entry, len);
	const char *value = entry[len] ? entry + len + 1 : "";
	auto_free char *origin = xasprintf("environment %s", variable);
	struct option_name name;

	if (!text_starts(entry, PREFIX) || text_empty(value) || is_service(variable, value))
		return 0;
	if (!find_variable(o->notes->set, variable, &name)) {
		if (aliases)
			note_unknown(o, variable);
		return 0;
	}
	if (aliases != (name.alias != NULL))
		return 0;
	if (option_set(o, &name, value, SOURCE_ENVIRONMENT, origin, err) < 0)
		return err_wrap(err, "%s", origin);
	return 0;
}

int option_read_environment(struct options *o, char *const *environment, struct err *err)
{
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; environment[i]; i++)
			if (read_variable(o, environment[i], pass == 0, err) < 0)
				return err_code(err);
	return 0;
}

/* ---- warnings and /debug/state ---- */

static bool is_silent(const struct option_row *row, const struct option_note *note)
{
	bool on = false;

	if (!row->idle || note->source == SOURCE_DEFAULT)
		return true;
	if (row->type == OPT_BOOL) {
		option_parse_bool(note->text, &on);
		return row->unwarned ? on == text_eq(row->unwarned, "true") : !on;
	}
	return text_empty(note->text) || text_eq(note->text, "\"\"") || text_eq(note->text, "0") ||
	       text_eq(note->text, row->unwarned);
}

/* Adds a piece with all flags that have the reason of the first one, unless an earlier flag has it already. */
static void add_idle(const struct options *o, size_t first, struct strv *pieces)
{
	const char *reason = option_rows[first].idle;
	auto_strv names = { 0 };
	auto_free char *list = NULL;

	for (size_t i = 0; i < option_row_count; i++) {
		if (is_silent(&option_rows[i], &o->notes->rows[i]) || !text_eq(option_rows[i].idle, reason))
			continue;
		if (i < first)
			return;
		strv_addf(&names, "--%s", option_rows[i].name);
	}
	list = strv_join(&names, ", ");
	strv_addf(pieces, "%s (%s)", list, reason);
}

char *options_warnings(const struct options *o)
{
	auto_strv pieces = { 0 };

	if (!o->notes)
		return NULL;
	for (size_t i = 0; i < option_row_count; i++)
		if (!is_silent(&option_rows[i], &o->notes->rows[i]))
			add_idle(o, i, &pieces);
	option_gates_idle(&o->feature_gates, &pieces);
	if (option_gates_ttl_is_off(&o->feature_gates) && !text_eq(option_note(o, TTL)->text, "0"))
		strv_add(&pieces, "--" TTL " (its feature gate DefaultTimeToLive is off)");
	for (size_t i = 0; i < o->notes->unknown.len; i++)
		strv_add(&pieces, o->notes->unknown.items[i]);
	for (size_t i = 0; i < o->notes->repeated.len; i++)
		strv_add(&pieces, o->notes->repeated.items[i]);
	return pieces.len > 0 ? strv_join(&pieces, "; ") : NULL;
}

struct json *options_debug(const struct options *o)
{
	struct json *all = json_new_object();

	for (size_t i = 0; o->notes && i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];
		const struct option_note *note = &o->notes->rows[i];
		struct json *entry;

		if (!(row->sets & (unsigned)o->notes->set) || row->type == OPT_HELP ||
		    (row->idle && note->source == SOURCE_DEFAULT))
			continue;
		entry = json_set(all, row->name, json_new_object());
		json_set_str(entry, "value", note->text ? note->text : "");
		json_set_str(entry, "origin", note->origin ? note->origin : "default");
	}
	return all;
}
