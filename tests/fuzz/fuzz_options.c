/*
 * Fuzz target: the command line and the environment of every command.
 *
 * Input: one byte that chooses the command, then arguments and variables, each ended by a line end; a line that
 * begins with "$" is a variable. Lines about the configuration file are left out, since no file may be read. It fails
 * on a crash, a leak, or an error without words.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "json/json.h"
#include "options/options.h"

enum { LINES_MAX = 32 };

struct lines {
	char *items[LINES_MAX + 1]; /* ended by NULL */
	int len;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_line(struct lines *l, char *line)
{
	if (l->len < LINES_MAX && !strcasestr(line, "config"))
		l->items[l->len++] = line;
}

static void split(char *text, struct lines *arguments, struct lines *variables)
{
	char *rest = text;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		add_line(*line == '$' ? variables : arguments, line + (*line == '$'));
}

static void use(const struct options *o)
{
	auto_json debug = options_debug(o);
	auto_free char *warnings = options_warnings(o);
	auto_free char *text = json_print(debug);

	(void)warnings;
	if (!text || !options_reviewed(o))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum option_set sets[] = {
		OPTIONS_START, OPTIONS_OLD,	 OPTIONS_WEBHOOK,      OPTIONS_RENDER,
		OPTIONS_DIFF,  OPTIONS_VALIDATE, OPTIONS_REGISTRATION, OPTIONS_VERSION
	};
	auto_free char *text = size > 0 ? xstrndup((const char *)data + 1, size - 1) : xstrdup("");
	struct lines arguments = { 0 }, variables = { 0 };
	struct options options;
	struct err err = { 0 };

	json_setup();
	split(text, &arguments, &variables);
	if (options_load(&options, sets[size > 0 ? data[0] % array_len(sets) : 0], arguments.len, arguments.items,
			 variables.items, &err) == 0)
		use(&options);
	else if (err.code == ERR_NONE || !err.msg[0])
		abort();
	options_done(&options);
	return 0;
}
