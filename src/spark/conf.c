/*
 * Reading Spark's configuration, and what Spark derives from text in it.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "spark/app.h"
#include "spark/conf.h"

/* A substituted value is at most as long as the whole ConfigMap may be. */
enum { VALUE_MAX = 1 << 20 };

const struct role role_driver = { "driver", "spark.kubernetes.driver.", DRIVER_CONTAINER };
const struct role role_executor = { "executor", "spark.kubernetes.executor.", EXECUTOR_CONTAINER };

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

/* What stands behind the last colon of an image, unless that belongs to the registry's port. */
static const char *image_tag(const char *image)
{
	const char *colon = strrchr(image, ':');

	return colon && !strchr(colon, '/') ? colon + 1 : "";
}

char *conf_version_text(const struct json *spec)
{
	const char *image = json_str(spec, "driver.image", NULL), *text = json_str(spec, "sparkVersion", NULL);
	size_t len;

	if (text_empty(text)) {
		text = image_tag(text_empty(image) ? json_str(spec, "image", "") : image);
		text += *text == 'v';
		len = strspn(text, "0123456789.");
		while (len && text[len - 1] == '.')
			len--;
	} else {
		len = strlen(text);
	}
	return conf_version(text) ? xstrndup(text, len) : NULL;
}

enum program conf_program(const char *main_file)
{
	if (text_ends(main_file, ".py"))
		return PROGRAM_PYTHON;
	if (text_ends(main_file, ".R") || text_ends(main_file, ".r"))
		return PROGRAM_R;
	return PROGRAM_JAVA;
}

size_t conf_user_len(const char *principal)
{
	size_t len = strcspn(principal, "/@"),
	       host = principal[len] == '/' ? 1 + strcspn(principal + len + 1, "/@") : 0;
	const char *realm = principal + len + host;

	if (len && host != 1 && (!*realm || (*realm == '@' && realm[1] && !realm[1 + strcspn(realm + 1, "/@")])))
		return len;
	return strchr(principal, '@') ? 0 : strlen(principal);
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
	const char *value = conf_get(conf, key, NULL);

	return value && strcasecmp(value, "true") == 0;
}

const char *conf_suffix(const struct json *entry, const char *prefix)
{
	const char *key = json_name(entry);

	return text_starts(key, prefix) ? key + strlen(prefix) : NULL;
}

char *conf_substitute(const char *text, const char *app_id, const char *executor_id)
{
	static const char app[] = "{{APP_ID}}", executor[] = "{{EXECUTOR_ID}}";
	auto_buf out;

	buf_init(&out, VALUE_MAX);
	while (*text) {
		if (text_starts(text, app)) {
			buf_puts(&out, app_id);
			text += sizeof(app) - 1;
		} else if (text_starts(text, executor)) {
			buf_puts(&out, executor_id);
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

bool conf_has_ui(const struct json *spec)
{
	return strcasecmp(conf_get(json_get(spec, "sparkConf"), "spark.ui.enabled", ""), "false") != 0;
}

bool conf_sets_executor_env(const char *name)
{
	static const char *const names[] = { "SPARK_USER",
					     "SPARK_DRIVER_URL",
					     "SPARK_EXECUTOR_CORES",
					     "SPARK_EXECUTOR_MEMORY",
					     "SPARK_APPLICATION_ID",
					     "SPARK_CONF_DIR",
					     "SPARK_EXECUTOR_ID",
					     "SPARK_RESOURCE_PROFILE_ID",
					     "SPARK_EXECUTOR_ATTRIBUTE_APP_ID",
					     "SPARK_EXECUTOR_ATTRIBUTE_EXECUTOR_ID" };

	for (size_t i = 0; i < array_len(names); i++)
		if (text_eq(name, names[i]))
			return true;
	return false;
}
