/*
 * References in values of Spark's configuration. ${spark.KEY} stands for the value of that property
 * (ConfigReader.substitute).
 *
 * Happy path: Spark replaces references where it reads a property by its definition, and so does this file. Spark reads
 * some properties by their prefix, such as labels and variables; those stay as they are written. The file
 * spark.properties has all values as they are written. ${env:NAME} and ${system:NAME} are left to the driver, which has
 * an environment. Nothing can fail: validation refuses such a reference where the submitter would need its value
 * (check_reference).
 */
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "build.h"
#include "spark/conf.h"

enum { DEPTH_MAX = 20, VALUE_MAX = 1 << 20 };

static const char *const by_prefix[] = {
	"spark.app.name",
	"spark.executorEnv.",
	"spark.executor.resource.",
	"spark.driver.resource.",
	"spark.kubernetes.driverEnv.",
	"spark.kubernetes.node.selector.",
	"spark.kubernetes.driver.annotation.",
	"spark.kubernetes.driver.label.",
	"spark.kubernetes.driver.node.selector.",
	"spark.kubernetes.driver.secretKeyRef.",
	"spark.kubernetes.driver.secrets.",
	"spark.kubernetes.driver.service.annotation.",
	"spark.kubernetes.driver.service.label.",
	"spark.kubernetes.driver.volumes.",
	"spark.kubernetes.executor.annotation.",
	"spark.kubernetes.executor.label.",
	"spark.kubernetes.executor.node.selector.",
	"spark.kubernetes.executor.secretKeyRef.",
	"spark.kubernetes.executor.secrets.",
	"spark.kubernetes.executor.volumes.",
};

static bool is_raw(const char *key)
{
	for (size_t i = 0; i < array_len(by_prefix); i++)
		if (text_starts(key, by_prefix[i]))
			return true;
	return false;
}

/* The length of the reference at text, with braces; 0 if there is none. */
static size_t reference_len(const char *text)
{
	size_t len = strcspn(text, "} \t\n\v\f\r");

	return text_starts(text, "${") && text[len] == '}' && len > 2 ? len + 1 : 0;
}

static void put(const struct json *conf, const char *text, int depth, struct buf *out)
{
	while (*text) {
		size_t len = reference_len(text);
		auto_free char *name = xstrndup(text + 2, len ? len - 3 : 0);
		const char *value = text_starts(name, "spark.") ? conf_get(conf, name, NULL) : NULL;

		if (len && value && depth < DEPTH_MAX)
			put(conf, value, depth + 1, out);
		else
			buf_add(out, text, len ? len : 1);
		text += len ? len : 1;
	}
}

static void put_replaced_value(struct json *out, const struct json *conf, const struct json *entry)
{
	auto_buf value;

	buf_init(&value, VALUE_MAX);
	put(conf, json_text(entry, ""), 0, &value);
	json_set_str(out, json_name(entry), buf_str(&value));
}

/* The entries of conf that have references, with these replaced. Owned; NULL if no entry has any. */
static struct json *resolved(const struct json *conf)
{
	struct json *out = NULL;

	json_each (entry, conf) {
		if (!strstr(json_text(entry, ""), "${spark.") || is_raw(json_name(entry)))
			continue;
		out = out ? out : json_new_object();
		put_replaced_value(out, conf, entry);
	}
	return out;
}

struct json *references_resolve(struct json *conf)
{
	auto_json values = resolved(conf);
	struct json *written = values ? json_new_object() : NULL;

	json_each (entry, values) {
		json_set(written, json_name(entry), json_take(conf, json_name(entry)));
		json_set(conf, json_name(entry), json_dup(entry));
	}
	return written;
}

void references_restore(struct json *conf, const struct json *written)
{
	json_each (entry, written)
		json_set(conf, json_name(entry), json_dup(entry));
}
