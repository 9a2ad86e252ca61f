/*
 * Names of metrics. kubeflow's CreateValidMetricNameLabel replaces "-" only, and fails to register what has a "." or
 * "/". Here everything that may not be in a name is replaced, so that app.kubernetes.io/name works as
 * app_kubernetes_io_name.
 */
#include "base/metric_name.h"

#include <stddef.h>

#include "base/mem.h"
#include "base/text.h"

static const char *const reserved[] = { "le", "quantile" };

static char plain(char c)
{
	bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

	return is_plain ? c : '_';
}

char *metric_name(const char *prefix, const char *text)
{
	char *name = xasprintf("%s%s", prefix ? prefix : "", text);

	for (char *c = name; *c; c++)
		*c = plain(*c);
	return name;
}

bool metric_name_equals(const char *name, const char *text)
{
	for (; *name && *text; name++, text++)
		if (plain(*text) != *name)
			return false;
	return !*name && !*text;
}

bool metric_name_is_label(const char *name)
{
	for (size_t i = 0; i < array_len(reserved); i++)
		if (text_eq(name, reserved[i]))
			return false;
	return *name && !text_starts(name, "__") && !(*name >= '0' && *name <= '9');
}
