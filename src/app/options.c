/*
 * Loading options: defaults, then the configuration file, the environment, the command line; what comes later replaces what
 * was there, and each value keeps a note of where it comes from. One dash means what two mean, as in Go's flag package.
 *
 * ERR_INVALID names the flag and what was expected; of a name that does not exist the nearest one.
 */
#include "options_parts.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* One flag of the command line, before it is applied. */
struct setting {
	struct option_name name;
	const char *value;
};

struct settings {
	struct setting *items;
	size_t len;
};

static void settings_done(struct settings *s)
{
	free(s->items);
	*s = (struct settings){ 0 };
}

/* ---- names ---- */

static const struct option_row *find_row(enum option_set set, const char *name, size_t len)
{
	for (size_t i = 0; i < option_row_count; i++)
		if ((option_rows[i].sets & (unsigned)set) && strlen(option_rows[i].name) == len &&
		    !strncmp(option_rows[i].name, name, len))
			return &option_rows[i];
	return NULL;
}

static const struct option_row *find_letter(enum option_set set, char letter)
{
	for (size_t i = 0; i < option_row_count; i++)
		if ((option_rows[i].sets & (unsigned)set) && option_rows[i].letter == letter)
			return &option_rows[i];
	return NULL;
}

bool option_find(enum option_set set, const char *name, size_t len, struct option_name *ret)
{
	*ret = (struct option_name){ .row = find_row(set, name, len) };
	for (size_t i = 0; !ret->row && i < option_alias_count; i++) {
		const struct option_alias *alias = &option_aliases[i];

		if (strlen(alias->name) == len && !strncmp(alias->name, name, len) &&
		    find_row(set, alias->rows[0], strlen(alias->rows[0]))) {
			ret->alias = alias;
			return true;
		}
	}
	return ret->row != NULL;
}

static const char *nearest_name(enum option_set set, const char *name, size_t len)
{
	struct text_nearest nearest;

	text_nearest_init(&nearest, name, len);
	for (size_t i = 0; i < option_row_count; i++)
		if (option_rows[i].sets & (unsigned)set)
			text_nearest_add(&nearest, option_rows[i].name);
	for (size_t i = 0; i < option_alias_count; i++)
		if (find_row(set, option_aliases[i].rows[0], strlen(option_aliases[i].rows[0])))
			text_nearest_add(&nearest, option_aliases[i].name);
	return nearest.found;
}

char *option_hint(enum option_set set, const char *name, size_t len, option_spell_fn *spell)
{
	const char *nearest = nearest_name(set, name, len);
	auto_free char *meant = nearest ? spell(nearest) : NULL;

	return meant ? xasprintf("; did you mean %s?", meant) : xstrdup("");
}

/* ---- values ---- */

bool option_is_list(const struct option_row *row)
{
	return row->type == OPT_LIST || row->type == OPT_BUCKETS || row->type == OPT_FILES;
}

static bool has_text(const struct option_row *row)
{
	switch (row->type) {
	case OPT_STRING:
	case OPT_TEXT:
	case OPT_CHOICE:
	case OPT_PATH:
	case OPT_SELECTOR:
	case OPT_JSON_LIST:
	case OPT_JSON_MAP:
		return true;
	default:
		return false;
	}
}

static struct option_note *note_of(const struct options *o, const struct option_row *row)
{
	return &o->notes->rows[row - option_rows];
}

const struct option_note *option_note(const struct options *o, const char *name)
{
	return note_of(o, find_row(o->notes->set, name, strlen(name)));
}

static void set_text(char **target, char *text)
{
	free(*target);
	*target = text;
}

static int set_row(struct options *o, const struct option_row *row, const char *value, enum option_source source,
		   const char *origin, struct err *err)
{
	struct option_note *note = note_of(o, row);
	bool adds = option_is_list(row) && note->source == source && note->text;

	if (option_is_list(row) && !adds && row->offset != NOWHERE)
		strv_done((void *)((char *)o + row->offset));
	if (option_value(o, row, value, err) < 0)
		return err_code(err);
	set_text(&note->text, adds && *note->text ? xasprintf("%s,%s", note->text, value) : xstrdup(value));
	set_text(&note->origin, xstrdup_null(origin));
	note->source = source;
	return 0;
}

/* Two paths that share a directory: the second may not move it. */
static bool moves_directory(const struct option_note *note, const struct option_alias *alias, enum option_source source,
			    const char *value)
{
	return alias->rows[1] && text_eq(alias->rows[0], "webhook-cert-dir") && note->source == source && note->alias &&
	       note->alias != alias && !text_eq(note->text, value);
}

static int set_alias(struct options *o, const struct option_alias *alias, const char *value, enum option_source source,
		     const char *origin, struct err *err)
{
	char *texts[2] = { NULL, NULL };
	int rc = alias->fn(alias->name, value, texts, err);

	for (size_t i = 0; rc == 0 && i < array_len(texts) && alias->rows[i] && texts[i]; i++) {
		const struct option_row *row = find_row(o->notes->set, alias->rows[i], strlen(alias->rows[i]));

		if (!row)
			continue;
		if (i == 0 && moves_directory(note_of(o, row), alias, source, texts[i]))
			rc = err_set(err, ERR_INVALID, "--%s: \"%s\": expected a file in %s, where --%s is",
				     alias->name, value, note_of(o, row)->text, note_of(o, row)->alias->name);
		else
			rc = set_row(o, row, texts[i], source, origin, err);
		note_of(o, row)->alias = alias;
	}
	free(texts[0]);
	free(texts[1]);
	return rc;
}

int option_set(struct options *o, const struct option_name *name, const char *value, enum option_source source,
	       const char *origin, struct err *err)
{
	int rc;

	if (name->alias)
		return set_alias(o, name->alias, value, source, origin, err);
	rc = set_row(o, name->row, value, source, origin, err);
	note_of(o, name->row)->alias = NULL;
	return rc;
}

/* ---- command line ---- */

static char *spell_flag(const char *name)
{
	return xasprintf("--%s", name);
}

static int unknown(enum option_set set, const char *arg, const char *name, size_t len, const struct setting *last,
		   struct err *err)
{
	auto_free char *hint = arg[0] == '-' ? option_hint(set, name, len, spell_flag) : xstrdup("");
	bool is_bool = last && last->name.row && last->name.row->type == OPT_BOOL;
	bool value = false;

	if (*hint)
		return err_set(err, ERR_INVALID, "%s: unknown flag%s", arg, hint);
	if (is_bool && option_parse_bool(arg, &value))
		return err_set(err, ERR_INVALID, "%s: unknown argument; did you mean --%s=%s?", arg,
			       last->name.row->name, arg);
	return err_set(err, ERR_INVALID, "%s: unknown %s; --help lists what there is", arg,
		       arg[0] == '-' ? "flag" : "argument");
}

/* "-x" is a letter, if there is one of it; else one dash means what two do. */
static bool find_argument(enum option_set set, const char *arg, const char *name, size_t len, struct option_name *ret)
{
	*ret = (struct option_name){ 0 };
	if (arg[0] != '-' || len == 0)
		return false;
	if (name == arg + 1 && len == 1)
		ret->row = find_letter(set, name[0]);
	return ret->row || option_find(set, name, len, ret);
}

static int add_argument(struct settings *list, enum option_set set, char **argv, int left, int *used, struct err *err)
{
	const char *arg = argv[0];
	const char *name = arg + (arg[0] == '-') + (arg[0] == '-' && arg[1] == '-');
	size_t len = strcspn(name, "=");
	struct setting *setting = &list->items[list->len];
	bool alone;

	*used = 1;
	if (!find_argument(set, arg, name, len, &setting->name))
		return unknown(set, arg, name, len, list->len ? setting - 1 : NULL, err);
	alone = setting->name.alias ? setting->name.alias->is_bool
				    : setting->name.row->type == OPT_BOOL || setting->name.row->type == OPT_HELP;
	if (name[len] == '=')
		setting->value = name + len + 1;
	else if (alone)
		setting->value = "true";
	else if (left > 1)
		setting->value = argv[(*used)++];
	else
		return err_set(err, ERR_INVALID, "--%s: a value is missing (%s)",
			       setting->name.alias ? setting->name.alias->name : setting->name.row->name,
			       setting->name.alias ? setting->name.alias->value : setting->name.row->value);
	list->len++;
	return 0;
}

static int read_arguments(struct settings *list, enum option_set set, int argc, char **argv, struct err *err)
{
	int used = 0;

	list->items = xcalloc((size_t)argc + 1, sizeof(*list->items));
	for (int i = 0; i < argc; i += used)
		if (add_argument(list, set, argv + i, argc - i, &used, err) < 0)
			return err_code(err);
	return 0;
}

static int apply(struct options *o, const struct settings *list, struct err *err)
{
	for (size_t i = 0; i < list->len; i++) {
		const struct option_alias *alias = list->items[i].name.alias;
		auto_free char *origin = alias ? xasprintf("flag --%s", alias->name) : xstrdup("flag");

		if (option_set(o, &list->items[i].name, list->items[i].value, SOURCE_FLAG, origin, err) < 0)
			return err_code(err);
	}
	return 0;
}

/* ---- all sources ---- */

static int set_defaults(struct options *o, enum option_set set, struct err *err)
{
	*o = (struct options){ .notes = xcalloc(1, sizeof(*o->notes)) };
	o->notes->set = set;
	o->notes->rows = xcalloc(option_row_count, sizeof(*o->notes->rows));
	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];
		const char *dflt = set == OPTIONS_OLD && row->old_dflt ? row->old_dflt : row->dflt;

		if (dflt && set_row(o, row, dflt, SOURCE_DEFAULT, NULL, err) < 0)
			return err_code(err);
	}
	return 0;
}

/* The file of the last --config, or else of the environment. */
static const char *find_config(const struct settings *list, char *const *environment)
{
	for (size_t i = list->len; i > 0; i--)
		if (list->items[i - 1].name.row && text_eq(list->items[i - 1].name.row->name, "config"))
			return list->items[i - 1].value;
	return option_config_variable(environment);
}

static int load(struct options *o, const struct settings *list, char *const *environment, struct err *err)
{
	bool serves = o->notes->set & (OPTIONS_START | OPTIONS_WEBHOOK | OPTIONS_OLD);
	const char *path = serves ? find_config(list, environment) : NULL;

	if (!text_empty(path) && option_read_file(o, path, err) < 0)
		return err_code(err);
	if (serves && environment && option_read_environment(o, environment, err) < 0)
		return err_code(err);
	if (apply(o, list, err) < 0)
		return err_code(err);
	return o->help ? 0 : option_check(o, err);
}

int options_load(struct options *o, enum option_set set, int argc, char **argv, char *const *environment,
		 struct err *err)
{
	__attribute__((cleanup(settings_done))) struct settings list = { 0 };

	if (set_defaults(o, set, err) < 0 || read_arguments(&list, set, argc, argv, err) < 0)
		return err_code(err);
	return load(o, &list, environment, err);
}

int options_parse(struct options *o, enum option_set set, int argc, char **argv, struct err *err)
{
	return options_load(o, set, argc, argv, NULL, err);
}

static void notes_free(struct option_notes *notes)
{
	if (!notes)
		return;
	for (size_t i = 0; i < option_row_count; i++) {
		free(notes->rows[i].origin);
		free(notes->rows[i].text);
	}
	free(notes->rows);
	strv_done(&notes->unknown);
	free(notes);
}

void options_done(struct options *o)
{
	for (size_t i = 0; i < option_row_count; i++) {
		void *target = (char *)o + option_rows[i].offset;

		if (option_rows[i].offset == NOWHERE)
			continue;
		if (option_is_list(&option_rows[i]))
			strv_done(target);
		else if (has_text(&option_rows[i]))
			set_text(target, NULL);
	}
	notes_free(o->notes);
	*o = (struct options){ 0 };
}

const struct strv *options_reviewed(const struct options *o)
{
	static const struct strv all = { 0 };

	return text_empty(o->namespace_selector) ? &o->namespaces : &all;
}

enum pod_policy options_pod_policy(const struct options *o)
{
	enum pod_policy policy = POD_POLICY_PRIVILEGED;

	pod_policy_parse(o->pod_policy, &policy);
	return policy;
}
