/*
 * flags_page [--check] docs/flags.md: writes the tables of the flags into the page, behind the line that says so. With
 * --check the page stays as it is, and the exit code is 1 if the tables are not those of the program.
 */
#include "options_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define MARK "<!-- generated: flags_page docs/flags.md -->"

enum { PAGE_MAX = 1 << 20 };

static const struct {
	enum option_set set;
	const char *name;
} commands[] = {
	{ OPTIONS_START, "start" },   { OPTIONS_WEBHOOK, "webhook start" }, { OPTIONS_REGISTRATION, "webhook config" },
	{ OPTIONS_RENDER, "render" }, { OPTIONS_VALIDATE, "validate" },	    { OPTIONS_DIFF, "diff" },
	{ OPTIONS_CRDS, "crds" },     { OPTIONS_VERSION, "version" },
};

static void md_flag(const struct option_row *row, struct buf *out)
{
	if (row->letter)
		buf_printf(out, "| `-%c`, ", row->letter);
	else
		buf_puts(out, "| ");
	buf_printf(out, "`--%s%s%s` | ", row->name, row->value ? " " : "", row->value ? row->value : "");
}

static void md_default(const struct option_row *row, struct buf *out)
{
	if (!text_empty(row->dflt))
		buf_printf(out, "`%s`", row->dflt);
	if (row->old_dflt)
		buf_printf(out, "%s1.x form: `%s`", text_empty(row->dflt) ? "" : "; ", row->old_dflt);
	buf_puts(out, " | ");
}

/* The names that kubeflow's and GCP's operators have for the row. */
static void md_kin(const struct option_row *row, unsigned owners, const char *dashes, struct buf *out)
{
	auto_strv names = { 0 };
	auto_free char *list = NULL;

	if (row->flag_of & owners)
		strv_addf(&names, "`%s%s`", dashes, row->name);
	for (size_t i = 0; i < option_alias_count; i++)
		if ((option_aliases[i].flag_of & owners) &&
		    (text_eq(option_aliases[i].rows[0], row->name) || text_eq(option_aliases[i].rows[1], row->name)))
			strv_addf(&names, "`%s%s`", dashes, option_aliases[i].name);
	list = strv_join(&names, ", ");
	buf_printf(out, "%s |", list);
}

static void md_topic(enum option_topic topic, struct buf *out)
{
	buf_printf(out,
		   "\n## %s\n\n| flag | default | environment | meaning | 2.x | 1.x |\n|---|---|---|---|---|---|\n",
		   option_topics[topic]);
	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];
		auto_free char *variable = option_variable(row->name);

		if (row->topic != topic || !(row->sets & OPTIONS_SERVE))
			continue;
		md_flag(row, out);
		md_default(row, out);
		if (row->type != OPT_HELP)
			buf_printf(out, "`%s`", variable);
		buf_printf(out, " | %s | ", row->help);
		md_kin(row, OF_CONTROLLER | OF_WEBHOOK, "--", out);
		buf_puts(out, " ");
		md_kin(row, OF_OLD, "-", out);
		buf_puts(out, "\n");
	}
}

static void md_aliases(struct buf *out)
{
	buf_puts(out, "\n## Other names\n\n| flag | means |\n|---|---|\n");
	for (size_t i = 0; i < option_alias_count; i++) {
		const struct option_alias *alias = &option_aliases[i];

		buf_printf(out, "| `%s%s%s%s` | `--%s`", alias->flag_of == OF_OLD ? "-" : "--", alias->name,
			   alias->value ? " " : "", alias->value ? alias->value : "", alias->rows[0]);
		if (alias->rows[1])
			buf_printf(out, " and `--%s`", alias->rows[1]);
		buf_printf(out, "%s%s |\n", alias->help ? "; " : "", alias->help ? alias->help : "");
	}
}

static void md_idle(struct buf *out)
{
	buf_printf(out, "\n## %s\n\n| flag | of | why |\n|---|---|---|\n", option_topics[TOPIC_IDLE]);
	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];
		bool only_old = row->sets == OPTIONS_OLD;

		if (!row->idle)
			continue;
		md_flag(row, out);
		buf_puts(out, row->flag_of & (OF_CONTROLLER | OF_WEBHOOK) && !only_old ? "2.x" : "1.x");
		buf_puts(out, row->flag_of & (OF_CONTROLLER | OF_WEBHOOK) && row->flag_of & OF_OLD ? ", 1.x" : "");
		buf_printf(out, " | %s%s |\n", only_old ? "without a command: " : "", row->idle);
	}
}

static void md_offline(struct buf *out)
{
	buf_printf(out, "\n## %s\n\n| flag | default | commands | meaning |\n|---|---|---|---|\n",
		   option_topics[TOPIC_OFFLINE]);
	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];
		auto_strv names = { 0 };
		auto_free char *list = NULL;

		for (size_t k = 0; k < array_len(commands); k++)
			if (row->sets & (unsigned)commands[k].set & ~(unsigned)OPTIONS_SERVE)
				strv_add(&names, commands[k].name);
		if (names.len == 0)
			continue;
		list = strv_join(&names, ", ");
		md_flag(row, out);
		buf_printf(out, "%s%s%s | %s | %s |\n", text_empty(row->dflt) ? "" : "`",
			   text_empty(row->dflt) ? "" : row->dflt, text_empty(row->dflt) ? "" : "`", list, row->help);
	}
}

static void print_tables(struct buf *out)
{
	for (enum option_topic topic = 0; topic < TOPIC_COUNT; topic++) {
		if (topic == TOPIC_IDLE)
			md_aliases(out);
		if (topic == TOPIC_IDLE)
			md_idle(out);
		else if (topic != TOPIC_OFFLINE)
			md_topic(topic, out);
	}
	md_offline(out);
}

/* ---- the page ---- */

static bool read_page(const char *path, struct buf *ret)
{
	char chunk[4096];
	FILE *file = fopen(path, "r");
	size_t n;

	if (!file)
		return false;
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(ret, chunk, n);
	fclose(file);
	return !ret->overflow;
}

static bool write_page(const char *path, const struct buf *page)
{
	FILE *file = fopen(path, "w");
	bool good = file && fwrite(page->data, 1, page->len, file) == page->len;

	return file && fclose(file) == 0 && good;
}

/* What people wrote, up to the mark, and the tables behind it. False if there is no mark. */
static bool make_page(const struct buf *old, struct buf *ret)
{
	const char *mark = strstr(buf_str(old), MARK "\n");

	if (!mark)
		return false;
	buf_add(ret, old->data, (size_t)(mark - old->data) + strlen(MARK "\n"));
	print_tables(ret);
	return !ret->overflow;
}

static int fail(const char *path, const char *why)
{
	fprintf(stderr, "flags_page: %s: %s\n", path, why);
	return 1;
}

int main(int argc, char **argv)
{
	bool check = argc == 3 && text_eq(argv[1], "--check");
	const char *path = argc == (check ? 3 : 2) ? argv[argc - 1] : NULL;
	auto_buf old = { .max = PAGE_MAX };
	auto_buf page = { .max = PAGE_MAX };

	if (!path)
		return fail("usage", "flags_page [--check] PAGE");
	if (!read_page(path, &old))
		return fail(path, "cannot be read");
	if (!make_page(&old, &page))
		return fail(path, "has no line " MARK);
	if (text_eq(buf_str(&old), buf_str(&page)))
		return 0;
	if (check)
		return fail(path, "is not in step with the flags; run flags_page "
				  "docs/flags.md");
	return write_page(path, &page) ? 0 : fail(path, "cannot be written");
}
