/*
 * The flags of a command as text, by topic, for --help.
 */
#include "options_parts.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

const char *const option_topics[TOPIC_COUNT] = {
	[TOPIC_CLUSTER] = "Cluster and namespaces",
	[TOPIC_APPS] = "Applications",
	[TOPIC_LIMITS] = "What authors of applications may choose (default: everything)",
	[TOPIC_UI] = "Web UI",
	[TOPIC_METRICS] = "Metrics, health, log",
	[TOPIC_LEADER] = "Leader election",
	[TOPIC_WEBHOOK] = "Webhook",
	[TOPIC_OFFLINE] = "Offline commands",
	[TOPIC_PROGRAM] = "Program",
	[TOPIC_IDLE] = "Accepted, without effect",
};

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

/* Flags without effect. Neighbours with the same reason are listed together. */
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
			buf_printf(out, "%s%s:\n", out->len ? "\n" : "", option_topics[topic]);
		for (size_t i = 0; i < option_row_count && topic != TOPIC_IDLE; i++)
			if (option_rows[i].topic == topic && (option_rows[i].sets & (unsigned)set))
				help_row(&option_rows[i], set, out);
	}
	if (!headings)
		return;
	help_idle(set, out);
	help_aliases(set, out);
}
