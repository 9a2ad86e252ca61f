/*
 * Loading options. First every member gets its default. Then come the configuration file, the environment and the
 * command line, in this order, and each replaces what was there before. A note says where each value comes from. One
 * dash means what two mean, as in Go's flag package.
 *
 * Failure modes: a value that cannot be parsed, and a name that does not exist. ERR_INVALID names the flag and what
 * was expected, or the nearest name.
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

	if (option_is_list(row) && !adds)
		option_clear(o, row);
	if (option_value(o, row, value, err) < 0)
		return err_code(err);
	set_text(&note->text, adds && *note->text ? xasprintf("%s,%s", note->text, value) : xstrdup(value));
	set_text(&note->origin, xstrdup_null(origin));
	note->source = source;
	return 0;
}

/* --webhook-server-cert and --webhook-server-cert-key name two files, for whose directory there is one option. Returns
 * true if the second of these aliases names another directory than the first one. */
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

/* The arguments that were not read yet. */
struct cursor {
	char **argv;
	int left;
};

static const char *take_argument(struct cursor *c)
{
	c->left--;
	return *c->argv++;
}

/* An argument with one dash or two, in its parts. */
struct flag {
	const char *name; /* len bytes */
	size_t len;
	const char *value; /* NULL: there is no "=" */
	bool is_letter;	   /* one dash and one character */
};

/* Returns false if the argument has no dash. */
static bool split_flag(const char *arg, struct flag *ret)
{
	bool is_long = text_starts(arg, "--");

	if (arg[0] != '-')
		return false;
	ret->name = arg + (is_long ? 2 : 1);
	ret->len = strcspn(ret->name, "=");
	ret->value = ret->name[ret->len] == '=' ? ret->name + ret->len + 1 : NULL;
	ret->is_letter = !is_long && ret->len == 1;
	return true;
}

/* A letter is the short form of a row, or else a name of one letter, as "-v" of GCP's operator. */
static bool find_flag(enum option_set set, const struct flag *flag, struct option_name *ret)
{
	*ret = (struct option_name){ 0 };
	if (flag->len == 0)
		return false;
	if (flag->is_letter)
		ret->row = find_letter(set, flag->name[0]);
	return ret->row || option_find(set, flag->name, flag->len, ret);
}

static bool takes_value(const struct option_name *name)
{
	if (name->alias)
		return !name->alias->is_bool;
	return name->row->type != OPT_BOOL && name->row->type != OPT_HELP;
}

static int refuse_missing_value(const struct option_name *name, struct err *err)
{
	if (name->alias)
		return err_set(err, ERR_INVALID, "--%s: a value is missing (%s)", name->alias->name,
			       name->alias->value);
	return err_set(err, ERR_INVALID, "--%s: a value is missing (%s)", name->row->name, name->row->value);
}

static char *spell_flag(const char *name)
{
	return xasprintf("--%s", name);
}

static int refuse_flag(enum option_set set, const char *arg, const struct flag *flag, struct err *err)
{
	auto_free char *hint = option_hint(set, flag->name, flag->len, spell_flag);

	return err_set(err, ERR_INVALID, "%s: unknown flag%s", arg, *hint ? hint : "; --help lists what there is");
}

/* before: the flag in front of the argument, or NULL. "--leader-election false" may mean "--leader-election=false". */
static int refuse_argument(const char *arg, const struct setting *before, struct err *err)
{
	bool value = false;

	if (before && before->name.row && before->name.row->type == OPT_BOOL && option_parse_bool(arg, &value))
		return err_set(err, ERR_INVALID, "%s: unknown argument; did you mean --%s=%s?", arg,
			       before->name.row->name, arg);
	return err_set(err, ERR_INVALID, "%s: unknown argument; --help lists what there is", arg);
}

/* Adds the next flag and its value, which is the next argument if the flag needs one and has none. */
static int add_flag(struct settings *list, enum option_set set, struct cursor *at, struct err *err)
{
	struct setting *setting = &list->items[list->len];
	const char *arg = take_argument(at);
	struct flag flag;

	if (!split_flag(arg, &flag))
		return refuse_argument(arg, list->len ? setting - 1 : NULL, err);
	if (!find_flag(set, &flag, &setting->name))
		return refuse_flag(set, arg, &flag, err);
	if (flag.value)
		setting->value = flag.value;
	else if (!takes_value(&setting->name))
		setting->value = "true";
	else if (at->left > 0)
		setting->value = take_argument(at);
	else
		return refuse_missing_value(&setting->name, err);
	list->len++;
	return 0;
}

static int read_arguments(struct settings *list, enum option_set set, int argc, char **argv, struct err *err)
{
	struct cursor at = { argv, argc };

	list->items = xcalloc((size_t)argc + 1, sizeof(*list->items));
	while (at.left > 0)
		if (add_flag(list, set, &at, err) < 0)
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

/* The path that the last --config names, or else the environment. NULL if none does. */
static const char *find_config(const struct settings *list, char *const *environment)
{
	for (size_t i = list->len; i > 0; i--)
		if (list->items[i - 1].name.row && text_eq(list->items[i - 1].name.row->name, "config"))
			return list->items[i - 1].value;
	return option_config_variable(environment);
}

static int load(struct options *o, const struct settings *list, char *const *environment, struct err *err)
{
	bool serves = o->notes->set & OPTIONS_SERVE;
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
	strv_done(&notes->repeated);
	free(notes);
}

void options_done(struct options *o)
{
	for (size_t i = 0; i < option_row_count; i++)
		option_clear(o, &option_rows[i]);
	notes_free(o->notes);
	*o = (struct options){ 0 };
}

/* A process that serves the webhook has one. */
static bool has_webhook(const struct options *o)
{
	unsigned set = o->notes ? o->notes->set : 0;

	if (set & (OPTIONS_VALIDATE | OPTIONS_RENDER))
		return o->webhook_is_on;
	return o->webhook_elsewhere || o->webhook || set == OPTIONS_WEBHOOK;
}

static struct limits limits_of(const struct options *o)
{
	struct limits l = { .claim_size = o->max_claim_size };

	for (size_t i = 0; i < LIMIT_COUNT; i++)
		l.allowed[i] = &o->allowed[i];
	return l;
}

struct rule_options options_rules(const struct options *o)
{
	return (struct rule_options){
		.pod_policy = o->pod_policy,
		.run_precision = o->run_precision,
		.has_webhook = has_webhook(o),
		.default_image = text_empty(o->default_image) ? NULL : o->default_image,
		.limits = limits_of(o),
		.ui_url_format = o->ui_service ? o->ingress_url_format : NULL,
	};
}

const struct strv *options_reviewed(const struct options *o)
{
	static const struct strv all = { 0 };

	return o->namespace_selector ? &all : &o->namespaces;
}
