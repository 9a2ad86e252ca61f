/*
 * The table of options as text: by topic for --help, as Markdown for docs/flags.md.
 */
#include "options_parts.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static const char *const topics[TOPIC_COUNT] = {
	[TOPIC_CLUSTER] = "Cluster and namespaces",
	[TOPIC_APPS] = "Applications",
	[TOPIC_UI] = "Web UI",
	[TOPIC_METRICS] = "Metrics, health, log",
	[TOPIC_LEADER] = "Leader election",
	[TOPIC_WEBHOOK] = "Webhook",
	[TOPIC_OFFLINE] = "Offline commands",
	[TOPIC_PROGRAM] = "Program",
	[TOPIC_IDLE] = "Accepted, without effect",
};

static const struct {
	enum option_set set;
	const char *name;
} commands[] = {
	{ OPTIONS_START, "start" },   { OPTIONS_WEBHOOK, "webhook start" }, { OPTIONS_REGISTRATION, "webhook config" },
	{ OPTIONS_RENDER, "render" }, { OPTIONS_VALIDATE, "validate" },	    { OPTIONS_DIFF, "diff" },
	{ OPTIONS_CRDS, "crds" },     { OPTIONS_VERSION, "version" },
};

/* ---- --help ---- */

static void help_row(const struct option_row *row, enum option_set set, struct buf *out)
{
	const char *dflt = set == OPTIONS_OLD && row->old_dflt ? row->old_dflt : row->dflt;
	auto_free char *letter = row->letter ? xasprintf("-%c, ", row->letter) : xstrdup("    ");

	buf_printf(out, "  %s--%s%s%s\n          %s", letter, row->name, row->value ? " " : "",
		   row->value ? row->value : "", row->help);
	if (!text_empty(dflt))
		buf_printf(out, " (default %s)", dflt);
	buf_puts(out, "\n");
}

/* Neighbours with the same reason are named together. */
static void help_idle(enum option_set set, struct buf *out)
{
	const char *reason = NULL;

	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];

		if (!row->idle || !(row->sets & (unsigned)set))
			continue;
		if (text_eq(row->idle, reason))
			buf_printf(out, ", --%s", row->name);
		else
			buf_printf(out, "%s%s%s      --%s", reason ? "\n          " : "", reason ? reason : "",
				   reason ? "\n" : "", row->name);
		reason = row->idle;
	}
	buf_printf(out, "\n          %s\n", reason);
}

static void help_aliases(enum option_set set, struct buf *out)
{
	buf_puts(out, "\nOther names:\n");
	for (size_t i = 0; i < option_alias_count; i++) {
		const struct option_alias *alias = &option_aliases[i];
		struct option_name name;

		if (!option_find(set, alias->rows[0], strlen(alias->rows[0]), &name))
			continue;
		buf_printf(out, "      --%s%s%s\n          as --%s%s%s", alias->name, alias->value ? " " : "",
			   alias->value ? alias->value : "", alias->rows[0], alias->rows[1] ? " and --" : "",
			   alias->rows[1] ? alias->rows[1] : "");
		buf_printf(out, "%s%s\n", alias->help ? "; " : "", alias->help ? alias->help : "");
	}
}

static bool has_topic(enum option_set set, enum option_topic topic)
{
	for (size_t i = 0; i < option_row_count; i++)
		if (option_rows[i].topic == topic && (option_rows[i].sets & (unsigned)set))
			return true;
	return false;
}

void options_help(enum option_set set, struct buf *out)
{
	bool headings = set & OPTIONS_SERVE;

	for (enum option_topic topic = 0; topic < TOPIC_COUNT; topic++) {
		if (headings && has_topic(set, topic))
			buf_printf(out, "%s%s:\n", out->len ? "\n" : "", topics[topic]);
		for (size_t i = 0; i < option_row_count && topic != TOPIC_IDLE; i++)
			if (option_rows[i].topic == topic && (option_rows[i].sets & (unsigned)set))
				help_row(&option_rows[i], set, out);
	}
	if (!headings)
		return;
	help_idle(set, out);
	help_aliases(set, out);
}

/* ---- docs/flags.md ---- */

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

/* The names that the existing operators have for it. */
static void md_kin(const struct option_row *row, unsigned kin, const char *dashes, struct buf *out)
{
	auto_strv names = { 0 };
	auto_free char *list = NULL;

	if (row->kin & kin)
		strv_addf(&names, "`%s%s`", dashes, row->name);
	for (size_t i = 0; i < option_alias_count; i++)
		if ((option_aliases[i].kin & kin) &&
		    (text_eq(option_aliases[i].rows[0], row->name) || text_eq(option_aliases[i].rows[1], row->name)))
			strv_addf(&names, "`%s%s`", dashes, option_aliases[i].name);
	list = strv_join(&names, ", ");
	buf_printf(out, "%s |", list);
}

static void md_topic(enum option_topic topic, struct buf *out)
{
	buf_printf(out,
		   "\n## %s\n\n| flag | default | environment | meaning | 2.x | 1.x |\n|---|---|---|---|---|---|\n",
		   topics[topic]);
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
		md_kin(row, KIN_CONTROLLER | KIN_WEBHOOK, "--", out);
		buf_puts(out, " ");
		md_kin(row, KIN_OLD, "-", out);
		buf_puts(out, "\n");
	}
}

static void md_aliases(struct buf *out)
{
	buf_puts(out, "\n## Other names\n\n| flag | means |\n|---|---|\n");
	for (size_t i = 0; i < option_alias_count; i++) {
		const struct option_alias *alias = &option_aliases[i];

		buf_printf(out, "| `%s%s%s%s` | `--%s`", alias->kin == KIN_OLD ? "-" : "--", alias->name,
			   alias->value ? " " : "", alias->value ? alias->value : "", alias->rows[0]);
		if (alias->rows[1])
			buf_printf(out, " and `--%s`", alias->rows[1]);
		buf_printf(out, "%s%s |\n", alias->help ? "; " : "", alias->help ? alias->help : "");
	}
}

static void md_idle(struct buf *out)
{
	buf_printf(out, "\n## %s\n\n| flag | of | why |\n|---|---|---|\n", topics[TOPIC_IDLE]);
	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];
		bool only_old = row->sets == OPTIONS_OLD;

		if (!row->idle)
			continue;
		md_flag(row, out);
		buf_puts(out, row->kin & (KIN_CONTROLLER | KIN_WEBHOOK) && !only_old ? "2.x" : "1.x");
		buf_puts(out, row->kin & (KIN_CONTROLLER | KIN_WEBHOOK) && row->kin & KIN_OLD ? ", 1.x" : "");
		buf_printf(out, " | %s%s |\n", only_old ? "without a command: " : "", row->idle);
	}
}

static void md_offline(struct buf *out)
{
	buf_printf(out, "\n## %s\n\n| flag | default | commands | meaning |\n|---|---|---|---|\n",
		   topics[TOPIC_OFFLINE]);
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

void options_markdown(struct buf *out)
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
