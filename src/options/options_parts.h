/*
 * What the files of this layer share: the rows of the table of options, the notes about their values, and the steps of
 * loading them.
 */
#ifndef OPTIONS_OPTIONS_PARTS_H
#define OPTIONS_OPTIONS_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "options/options.h"

/* What may be written as a value, and in brackets the type of the member for it. options_value.c has a function for
 * each. */
enum option_type {
	OPT_STRING = 1,	 /* any text (char *) */
	OPT_TEXT,	 /* the same; "" becomes NULL */
	OPT_LIST,	 /* elements separated by commas; a flag given again adds to them (struct strv) */
	OPT_WORDS,	 /* the same without empty elements */
	OPT_LABELS,	 /* the same: keys of labels, made names of labels of metrics */
	OPT_GATES,	 /* elements NAME=BOOL (struct option_gates) */
	OPT_BUCKETS,	 /* ascending numbers (struct option_buckets) */
	OPT_FILES,	 /* each flag adds one path (struct strv) */
	OPT_COUNT,	 /* 1 to a million (int64_t) */
	OPT_PORT,	 /* 1 to 65535 (int64_t) */
	OPT_NUMBER,	 /* any integer (int64_t) */
	OPT_TTL,	 /* seconds, 0 or more (int64_t) */
	OPT_RATE,	 /* 0 or more (double) */
	OPT_DURATION,	 /* see base/duration.h (int64_t, milliseconds) */
	OPT_SECONDS,	 /* the same, or a number of seconds */
	OPT_CHOICE,	 /* one of the row's choices (char *) */
	OPT_ENUM,	 /* the same (an enum whose values are the places of the choices, from 0) */
	OPT_BOOL,	 /* as Go's strconv.ParseBool reads it (bool) */
	OPT_PATH,	 /* of a URL (char *) */
	OPT_PREFIX,	 /* of names of metrics (char *) */
	OPT_URL_FORMAT,	 /* see spark/ui_url.h (char *); "" becomes NULL, so it does for the next ones */
	OPT_CLASS,	 /* name of an IngressClass (char *) */
	OPT_SELECTOR,	 /* see kube/selector.h (struct selector *) */
	OPT_HOSTS,	 /* elements that rules/limits.h knows, or "none" (struct strv), and so are the next ones */
	OPT_KEYS,	 /* keys and prefixes of keys */
	OPT_CLASSES,	 /* storage classes */
	OPT_TYPES,	 /* types of Services; "none" is none of them */
	OPT_QUANTITY,	 /* see rules/check.h (char *) */
	OPT_JSON_LIST,	 /* JSON array of objects (struct json *) */
	OPT_ANNOTATIONS, /* JSON object of strings (struct json *) */
	OPT_HELP	 /* as OPT_BOOL, but only on the command line */
};

enum option_topic {
	TOPIC_CLUSTER,
	TOPIC_APPS,
	TOPIC_LIMITS,
	TOPIC_UI,
	TOPIC_METRICS,
	TOPIC_LEADER,
	TOPIC_WEBHOOK,
	TOPIC_OFFLINE,
	TOPIC_PROGRAM,
	TOPIC_IDLE,
	TOPIC_COUNT
};

/* Which commands of other operators have a flag of this name: `controller start` and `webhook start` of kubeflow's,
 * GCP's. */
enum option_owner { OF_CONTROLLER = 1, OF_WEBHOOK = 2, OF_OLD = 4 };

/* The offset of a row without a member: its value is checked and noted. */
#define NOWHERE ((size_t)-1)

struct option_row {
	const char *name;
	enum option_type type;
	unsigned sets; /* enum option_set bits */
	enum option_topic topic;
	size_t offset;
	char letter;	      /* short form or 0 */
	unsigned flag_of;     /* enum option_owner bits */
	const char *dflt;     /* the default as text, parsed like one that is given; NULL: none */
	const char *old_dflt; /* the default of OPTIONS_OLD; NULL: the same */
	const char *choices;  /* of OPT_CHOICE and OPT_ENUM: "a b c" */
	const char *value;    /* what --help writes for the value; NULL: a boolean */
	const char *help;
	const char *idle;     /* why the flag has no effect here; NULL: it has one */
	const char *unwarned; /* of such a row: a value that is not worth a warning, as "", 0 and false never are */
};

/* Makes of an alias's value the values of its rows, owned. A row whose text is left NULL stays as it is. */
typedef int option_alias_fn(const char *name, const char *value, char *ret[2], struct err *err);

/* Another name for a row or two, whose values may be written in another way. */
struct option_alias {
	const char *name;
	unsigned flag_of;
	bool is_bool;
	option_alias_fn *fn;
	const char *rows[2];
	const char *value; /* as of a row */
	const char *help;
};

extern const char *const option_topics[TOPIC_COUNT]; /* their headings */
extern const struct option_row option_rows[];
extern const size_t option_row_count;
extern const struct option_alias option_aliases[];
extern const size_t option_alias_count;

enum option_source { SOURCE_DEFAULT, SOURCE_FILE, SOURCE_ENVIRONMENT, SOURCE_FLAG };

/* About the value of a row. */
struct option_note {
	enum option_source source;
	char *origin;			  /* for /debug/state; NULL: the default */
	char *text;			  /* as it was given; NULL: there is no value */
	const struct option_alias *alias; /* the name under which it was given; NULL: the row's own */
};

struct option_notes {
	enum option_set set;
	struct option_note *rows; /* option_row_count of them */
	struct strv unknown;	  /* variables of the environment that name no option */
	struct strv repeated;	  /* pieces of a warning: elements of lists that were given more than once */
};

/* What a name stands for: one of both is set. */
struct option_name {
	const struct option_row *row;
	const struct option_alias *alias;
};

/* ---- options.c ---- */
bool option_find(enum option_set set, const char *name, size_t len, struct option_name *ret);
/* Writes the name of an option as a source of options has it. Owned. */
typedef char *option_spell_fn(const char *name);
/* For a name that set does not have: "; did you mean X?" with the nearest one that set has, or "" if none is near.
 * Owned. */
char *option_hint(enum option_set set, const char *name, size_t len, option_spell_fn *spell);
/* Sets the rows that the name stands for and notes where the value comes from. origin: "flag", "file PATH" or alike. */
int option_set(struct options *o, const struct option_name *name, const char *value, enum option_source source,
	       const char *origin, struct err *err);
/* The note about the row of that name; borrowed. */
const struct option_note *option_note(const struct options *o, const char *name);

/* ---- options_value.c ---- */
/* Parses value into the row's member; a list grows. ERR_INVALID names the flag and what was expected. */
int option_value(struct options *o, const struct option_row *row, const char *value, struct err *err);
/* Frees what the row's member holds and empties it. Members without memory of their own keep their value. */
void option_clear(struct options *o, const struct option_row *row);
bool option_is_list(const struct option_row *row);
/* The elements of the row's member if it is a list of texts whose order means nothing, else NULL. Borrowed. */
struct strv *option_set_of_texts(struct options *o, const struct option_row *row);
/* The same if the elements are what authors may choose. */
const struct strv *option_limit(struct options *o, const struct option_row *row);
bool option_parse_bool(const char *text, bool *ret);
/* Adds the elements of text, split as pflag's readAsCSV does it: quotes keep commas, and "" in quotes is an empty
 * element. Other empty elements are dropped. False if the quotes are wrong. */
bool option_split(struct strv *list, const char *text);
/* The element in the form that option_split reads: in quotes if it needs them. Owned. */
char *option_quote(const char *element);

/* ---- options_sources.c ---- */
int option_read_file(struct options *o, const char *path, struct err *err);
int option_read_environment(struct options *o, char *const *environment, struct err *err);
/* The variable of the environment for an option: "SPARK_OPERATOR_X_Y" for "x-y". Owned. */
char *option_variable(const char *name);
/* The value of $SPARK_OPERATOR_CONFIG, borrowed; NULL if it is not set. */
const char *option_config_variable(char *const *environment);

/* ---- options_gates.c ---- */
/* Adds elements NAME=BOOL. The last one of a name counts. ERR_INVALID. */
int option_gates_set(const struct strv *elements, struct option_gates *ret, struct err *err);
/* Whether DefaultTimeToLive was turned off. */
bool option_gates_ttl_is_off(const struct option_gates *g);
/* Adds a text for each gate that is on and has no effect here. */
void option_gates_idle(const struct option_gates *g, struct strv *ret);

/* ---- options_check.c ---- */
/* Applies the rules about several options. ERR_INVALID. */
int option_check(struct options *o, struct err *err);

#endif
