/*
 * Reads Spark's configuration, and derives from its texts what Spark derives: users, kinds of program.
 * Nothing can fail. A text that cannot be read counts as absent.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "spark/app.h"
#include "spark/conf.h"

enum { VALUE_MAX = 1 << 20 }; /* a substituted value is at most as long as the whole ConfigMap may be */

const struct role role_driver = { "driver", "spark.kubernetes.driver.", DRIVER_CONTAINER };
const struct role role_executor = { "executor", "spark.kubernetes.executor.", EXECUTOR_CONTAINER };

enum program conf_program(const char *main_file)
{
	if (text_ends(main_file, ".py"))
		return PROGRAM_PYTHON;
	if (text_ends(main_file, ".R") || text_ends(main_file, ".r"))
		return PROGRAM_R;
	return PROGRAM_JAVA;
}

/* The length of the user, the host or the realm at text: up to the mark of the next part. */
static size_t part_len(const char *text)
{
	return strcspn(text, "/@");
}

/* Moves *p behind an optional part with its mark. Returns false if the mark is there and the part is empty. */
static bool skip_part(const char **p, char mark)
{
	const char *part = *p + 1;

	if (**p != mark)
		return true;
	*p = part + part_len(part);
	return *p > part;
}

/* Hadoop splits a principal into USER[/HOST][@REALM]. Any other text without an '@' is the name of a user. */
size_t conf_user_len(const char *principal)
{
	size_t user = part_len(principal);
	const char *rest = principal + user;

	if (user && skip_part(&rest, '/') && skip_part(&rest, '@') && !*rest)
		return user;
	return strchr(principal, '@') ? 0 : strlen(principal);
}

/* Old keys of what a submission reads (SparkConf.configsWithAlternatives; the same from Spark 3.1 to 4.3). */
static const struct {
	const char *old;
	const char *key;
} old_keys[] = {
	{ "spark.yarn.driver.memoryOverhead", "spark.driver.memoryOverhead" },
	{ "spark.yarn.executor.memoryOverhead", "spark.executor.memoryOverhead" },
	{ "spark.unsafe.offHeap", "spark.memory.offHeap.enabled" },
	{ "spark.yarn.keytab", "spark.kerberos.keytab" },
	{ "spark.yarn.principal", "spark.kerberos.principal" },
};

const char *conf_key(const char *key)
{
	for (size_t i = 0; i < array_len(old_keys); i++)
		if (text_eq(key, old_keys[i].old))
			return old_keys[i].key;
	return key;
}

const char *conf_get(const struct json *conf, const char *key, const char *dflt)
{
	const struct json *value = json_get(conf, key);

	for (size_t i = 0; i < array_len(old_keys) && !value; i++)
		if (text_eq(key, old_keys[i].key))
			value = json_get(conf, old_keys[i].old);
	return json_text(value, dflt);
}

int64_t conf_i64(const struct json *conf, const char *key, int64_t dflt)
{
	auto_free char *text = text_trimmed(conf_get(conf, key, ""));
	int64_t value = dflt;

	text_i64(text, &value);
	return value;
}

bool conf_true(const struct json *conf, const char *key)
{
	return conf_is_true(conf_get(conf, key, ""));
}

bool conf_is_true(const char *text)
{
	auto_free char *value = text_trimmed(text);

	return strcasecmp(value, "true") == 0;
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
	auto_free char *enabled = text_trimmed(conf_get(json_get(spec, "sparkConf"), "spark.ui.enabled", ""));

	return strcasecmp(enabled, "false") != 0;
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
