/*
 * Reading Spark's configuration, and what Spark derives from text in it.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "build.h"

/* A substituted value is at most as long as the whole ConfigMap may be. */
enum { VALUE_MAX = 1 << 20 };

int conf_version(const char *text)
{
	int major = 0, minor = 0;
	const char *p = text ? text + (*text == 'v') : "";

	for (; *p >= '0' && *p <= '9' && major < 100; p++)
		major = major * 10 + (*p - '0');
	if (*p++ != '.' || *p < '0' || *p > '9')
		return 0;
	for (; *p >= '0' && *p <= '9' && minor < 100; p++)
		minor = minor * 10 + (*p - '0');
	return major < 100 && minor < 100 ? major * 100 + minor : 0;
}

enum program conf_program(const char *main_file)
{
	if (text_ends(main_file, ".py"))
		return PROGRAM_PYTHON;
	if (text_ends(main_file, ".R") || text_ends(main_file, ".r"))
		return PROGRAM_R;
	return PROGRAM_JAVA;
}

const char *conf_get(const struct json *conf, const char *key, const char *dflt)
{
	return json_text(json_get(conf, key), dflt);
}

int64_t conf_i64(const struct json *conf, const char *key, int64_t dflt)
{
	int64_t value = dflt;

	text_i64(conf_get(conf, key, NULL), &value);
	return value;
}

bool conf_true(const struct json *conf, const char *key)
{
	return text_eq(conf_get(conf, key, NULL), "true");
}

const char *conf_suffix(const struct json *entry, const char *prefix)
{
	const char *key = json_name(entry);

	return text_starts(key, prefix) ? key + strlen(prefix) : NULL;
}

char *conf_substitute(const char *text, const char *app_id)
{
	static const char app[] = "{{APP_ID}}", executor[] = "{{EXECUTOR_ID}}";
	auto_buf out;

	buf_init(&out, VALUE_MAX);
	while (*text) {
		if (text_starts(text, app)) {
			buf_puts(&out, app_id);
			text += sizeof(app) - 1;
		} else if (text_starts(text, executor)) {
			text += sizeof(executor) - 1;
		} else {
			buf_putc(&out, *text++);
		}
	}
	return buf_take(&out);
}

bool conf_dynamic(const struct json *spec)
{
	return json_bool(spec, "dynamicAllocation.enabled", false) ||
	       conf_true(json_get(spec, "sparkConf"), "spark.dynamicAllocation.enabled");
}
