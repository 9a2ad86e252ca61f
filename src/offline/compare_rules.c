/*
 * What may differ, and why: the differences that are meant, as rows, and those that the caller adds from files.
 * A rule that no path meets does nothing; the order of rules only decides whose reason is reported.
 */
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "compare_parts.h"

enum { PRINT_MAX = 1 << 20 };

/* Beside the driver: made before it, so that they cannot be its own. */
#define BESIDE "service properties executor-template network-policy claim[*] secret[*] configmap[*]"
#define PODS   "driver executor"

static const struct builtin {
	const char *objects; /* names, as patterns */
	const char *path;    /* NULL: the object itself */
	const char *reason;
} builtins[] = {
	{ "executor-template", "metadata.name", "one ConfigMap holds the properties and the executor template" },
	{ "driver", "spec.volumes[pod-template-volume].configMap.name",
	  "one ConfigMap holds the properties and the executor template" },
	{ BESIDE, "metadata.ownerReferences",
	  "made before the driver pod, so that the application owns them; spark-submit adds the pod as owner "
	  "afterwards" },
	{ BESIDE, "metadata.labels.sparkoperator.k8s.io/* (extra)",
	  "by these labels the operator finds what it has made" },
	{ PODS " executor-template", "metadata.annotations.sparkoperator.k8s.io/submitted-spec (extra)",
	  "by this annotation the operator's webhook sees that a pod is complete" },
	{ PODS " " BESIDE, "metadata.namespace (extra)", "spark-submit names it in the path of the request only" },
	{ PODS, "spec.containers[*].env (order)", "Spark takes it from a hash table" },
	{ PODS, "spec.containers[*].volumeMounts (order)", "Spark takes it from a hash table" },
	{ PODS, "spec.volumes (order)", "Spark takes it from a hash table" },
	{ "properties", "data.spark.properties.spark.kubernetes.driver.podTemplateFile (missing)",
	  "a file of the machine that submits; the driver does not read it" },
	{ "ui-service (extra)", NULL, "made by the operator; spark-submit makes none" },
	{ "prometheus (extra)", NULL, "made by the operator; spark-submit knows nothing of spec.monitoring" },
};

struct rule {
	char *app; /* pattern; NULL: all */
	char *pattern;
	char *reason;
};

struct compare_rules {
	struct rule *items;
	size_t len;
};

/* Takes the strings. */
static void append_rule(struct compare_rules *r, const struct rule *rule)
{
	r->items = xreallocarray(r->items, r->len + 1, sizeof(*r->items));
	r->items[r->len++] = *rule;
}

static void add_builtin(struct compare_rules *r, const struct builtin *row)
{
	auto_strv objects = { 0 };

	if (row->path)
		strv_split(&objects, row->objects, ' ');
	else
		strv_add(&objects, row->objects);
	for (size_t i = 0; i < objects.len; i++)
		append_rule(r, &(struct rule){ .pattern = xasprintf("%s%s%s", objects.items[i], row->path ? "." : "",
								    row->path ? row->path : ""),
					       .reason = xstrdup(row->reason) });
}

struct compare_rules *compare_rules_new(void)
{
	struct compare_rules *r = xcalloc(1, sizeof(*r));

	for (size_t i = 0; i < array_len(builtins); i++)
		add_builtin(r, &builtins[i]);
	return r;
}

void compare_rules_free(struct compare_rules *r)
{
	for (size_t i = 0; r && i < r->len; i++) {
		free(r->items[i].app);
		free(r->items[i].pattern);
		free(r->items[i].reason);
	}
	if (r)
		free(r->items);
	free(r);
}

/* How much of the line is "NAME: ", which no path begins with. */
static size_t app_length(const char *line)
{
	size_t len = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789-.*");

	return len && text_starts(line + len, ": ") ? len : 0;
}

static int add_line(struct compare_rules *r, const char *line, struct err *err)
{
	const char *hash = strstr(line, "  #");
	size_t app = app_length(line), start = app ? app + 2 : 0, end = hash ? (size_t)(hash - line) : 0;
	const char *reason = hash ? hash + strlen("  #") : "";

	while (end > start && line[end - 1] == ' ')
		end--;
	reason += strspn(reason, " ");
	if (end <= start || !*reason)
		return err_set(err, ERR_INVALID, "\"%s\": expected PATTERN  # reason", line);
	append_rule(r, &(struct rule){ .app = app ? xstrndup(line, app) : NULL,
				       .pattern = xstrndup(line + start, end - start),
				       .reason = xstrdup(reason) });
	return 0;
}

int compare_rules_add(struct compare_rules *r, const char *text, const char *file, struct err *err)
{
	for (int number = 1; *text; number++) {
		size_t len = strcspn(text, "\n");
		auto_free char *line = xstrndup(text, len);
		bool says = line[strspn(line, " \t\r")] != '\0' && line[0] != '#';

		if (says && add_line(r, line, err) < 0)
			return err_wrap(err, "%s:%d", file, number);
		text += len + (text[len] == '\n');
	}
	return 0;
}

char *compare_rules_print(const struct compare_rules *r)
{
	auto_buf out;

	buf_init(&out, PRINT_MAX);
	for (size_t i = 0; i < r->len; i++)
		buf_printf(&out, "%s%s%s  # %s\n", r->items[i].app ? r->items[i].app : "", r->items[i].app ? ": " : "",
			   r->items[i].pattern, r->items[i].reason);
	return buf_take(&out);
}

/* Text as the pattern wants it, up to its end or, with below, the end of a path's step. */
static bool matches_pattern(const char *pattern, const char *text, bool below)
{
	for (; *pattern; pattern++, text++) {
		if (*pattern == '*') {
			for (;; text++) {
				if (matches_pattern(pattern + 1, text, below))
					return true;
				if (!*text)
					return false;
			}
		}
		if (*pattern != *text)
			return false;
	}
	return *text == '\0' || (below && strchr(" .[", *text));
}

const char *compare_reason(const struct compare_rules *r, const char *name, const char *path)
{
	for (size_t i = 0; i < r->len; i++) {
		const struct rule *rule = &r->items[i];

		if (matches_pattern(rule->pattern, path, true) &&
		    (!rule->app || matches_pattern(rule->app, name, false)))
			return rule->reason;
	}
	return NULL;
}
