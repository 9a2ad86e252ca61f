/*
 * What the files of the options share: rows of the table, what is noted about each value, and the steps of loading.
 */
#ifndef OPTIONS_OPTIONS_PARTS_H
#define OPTIONS_OPTIONS_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "options/options.h"

/* What may be written, and the type of the member that it goes to. src/options/options_value.c has a function for each. */
enum option_type {
	OPT_STRING = 1, /* char *: any text */
	OPT_TEXT,	/* char *: any text, of which "" is NULL */
	OPT_LIST,	/* struct strv: separated by commas, as pflag's StringSlice; a flag given again adds to it */
	OPT_WORDS,	/* the same without empty elements */
	OPT_LABELS,	/* the same: labels of applications, made names of labels of metrics */
	OPT_GATES,	/* struct option_gates: the same */
	OPT_BUCKETS,	/* struct option_buckets: the same */
	OPT_FILES,	/* struct strv: a flag is an element */
	OPT_COUNT,	/* int64_t, so are the next ones: 1 to a million */
	OPT_PORT,
	OPT_NUMBER,	 /* any integer */
	OPT_TTL,	 /* 0 or more */
	OPT_RATE,	 /* double */
	OPT_DURATION,	 /* int64_t: milliseconds */
	OPT_SECONDS,	 /* the same, and a number is one of seconds */
	OPT_CHOICE,	 /* char *: one of the row's choices */
	OPT_ENUM,	 /* an enum whose values are the places of the row's choices, from 0 */
	OPT_BOOL,	 /* bool */
	OPT_PATH,	 /* char * */
	OPT_PREFIX,	 /* char *: of names of metrics */
	OPT_URL_FORMAT,	 /* char *: see spark/ui_url.h; "" is NULL, so it is for the next ones */
	OPT_CLASS,	 /* char *: the name of an IngressClass */
	OPT_SELECTOR,	 /* struct selector * */
	OPT_JSON_LIST,	 /* struct json *: an array of objects */
	OPT_ANNOTATIONS, /* struct json *: an object of strings */
	OPT_HELP	 /* bool: a flag only */
};

enum option_topic {
	TOPIC_CLUSTER,
	TOPIC_APPS,
	TOPIC_UI,
	TOPIC_METRICS,
	TOPIC_LEADER,
	TOPIC_WEBHOOK,
	TOPIC_OFFLINE,
	TOPIC_PROGRAM,
	TOPIC_IDLE,
	TOPIC_COUNT
};

/* Commands of the existing operators that have a flag of this name. */
enum option_kin { KIN_CONTROLLER = 1, KIN_WEBHOOK = 2, KIN_OLD = 4 };

/* A row without a member: the value is checked and noted. */
#define NOWHERE ((size_t)-1)

struct option_row {
	const char *name;
	enum option_type type;
	unsigned sets; /* enum option_set bits */
	enum option_topic topic;
	size_t offset;
	char letter;	      /* short form or 0 */
	unsigned kin;	      /* enum option_kin bits */
	const char *dflt;     /* text, parsed like a given one; NULL: none */
	const char *old_dflt; /* of OPTIONS_OLD; NULL: dflt */
	const char *choices;  /* OPT_CHOICE, OPT_ENUM: "a b c" */
	const char *value;    /* placeholder in --help; NULL: none needed */
	const char *help;
	const char *idle; /* why it has no effect here; NULL: it has one */
	const char *fits; /* of an idle row: the value that is not worth a warning; besides "", 0 and false */
};

/* Writes owned texts for the alias's rows, NULL: that row is left alone. */
typedef int option_alias_fn(const char *name, const char *value, char *ret[2], struct err *err);

struct option_alias {
	const char *name;
	unsigned kin;
	bool is_bool;
	option_alias_fn *fn;
	const char *rows[2];
	const char *value; /* placeholder */
	const char *help;
};

extern const char *const option_topics[TOPIC_COUNT]; /* headings */
extern const struct option_row option_rows[];
extern const size_t option_row_count;
extern const struct option_alias option_aliases[];
extern const size_t option_alias_count;

enum option_source { SOURCE_DEFAULT, SOURCE_FILE, SOURCE_ENVIRONMENT, SOURCE_FLAG };

struct option_note {
	enum option_source source;
	char *origin;			  /* NULL: default */
	char *text;			  /* as given; NULL: nothing was */
	const struct option_alias *alias; /* under which name it was given */
};

struct option_notes {
	enum option_set set;
	struct option_note *rows; /* option_row_count of them */
	struct strv unknown;	  /* variables of the environment that name no option */
};

/* A name, found: one of both is set. */
struct option_name {
	const struct option_row *row;
	const struct option_alias *alias;
};

/* ---- options.c ---- */
bool option_find(enum option_set set, const char *name, size_t len, struct option_name *ret);
/* How a source of options writes the name of an option. Owned. */
typedef char *option_spell_fn(const char *name);
/* For a name that set does not have: "; did you mean X?" with the nearest one that it has, "" if none is near. Owned. */
char *option_hint(enum option_set set, const char *name, size_t len, option_spell_fn *spell);
/* origin: "flag", "file PATH" … */
int option_set(struct options *o, const struct option_name *name, const char *value, enum option_source source,
	       const char *origin, struct err *err);
/* What is noted about the row of that name. */
const struct option_note *option_note(const struct options *o, const char *name);

/* ---- options_value.c ---- */
/* Parses value into the row's member; a list grows. ERR_INVALID names the flag and what was expected. */
int option_value(struct options *o, const struct option_row *row, const char *value, struct err *err);
/* Frees what the row's member holds and empties it. Members without memory of their own keep their value. */
void option_clear(struct options *o, const struct option_row *row);
bool option_is_list(const struct option_row *row);
bool option_parse_bool(const char *text, bool *ret);
/* Elements as pflag's readAsCSV splits them: quotes keep commas, "" is an empty element; bare empty ones are dropped. */
bool option_split(struct strv *list, const char *text);
/* One element as option_split reads it, in quotes if it has to be. Owned. */
char *option_quote(const char *element);

/* ---- options_sources.c ---- */
int option_read_file(struct options *o, const char *path, struct err *err);
int option_read_environment(struct options *o, char *const *environment, struct err *err);
/* "SPARK_OPERATOR_X" for "x". Owned. */
char *option_variable(const char *name);
/* $SPARK_OPERATOR_CONFIG; NULL if it is not set. Borrowed. */
const char *option_config_variable(char *const *environment);

/* ---- options_gates.c ---- */
/* Adds elements NAME=BOOL; a later one of the same name counts. ERR_INVALID. */
int option_gates_set(const struct strv *elements, struct option_gates *ret, struct err *err);
/* DefaultTimeToLive was turned off. */
bool option_gates_ttl_is_off(const struct option_gates *g);
/* Adds those that are on and have no effect here, with why. */
void option_gates_idle(const struct option_gates *g, struct strv *ret);

/* ---- options_check.c ---- */
/* Checks what one value alone does not tell, when all are known. */
int option_check(struct options *o, struct err *err);

#endif
