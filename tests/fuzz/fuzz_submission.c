/*
 * A SparkApplication with arbitrary content: whoever may create one must not gain more than what its fields say.
 *
 * Properties of what is built: it stays in the application's namespace and belongs to the application alone; names and
 * the labels by which Spark and the operator find their pods are not the user's to choose; spark.properties, read as
 * java.util.Properties reads it, says the same; a repetition gives the same bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "json/yaml.h"
#include "submission/submission.h"
#include "spark/ui_url.h"

enum { INPUT_MAX = 16384, TEXT_MAX = 16 << 20 };

#define MASTER "k8s://https://10.0.0.1:443"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct submission_options options = {
	.master = MASTER,
	.submitted_ms = 1700000000000,
	.ui_url_format = "https://x.example.com:8443/{{$appNamespace}}/{{ $appName }}/{{$appId}}/?q",
};

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* ---- java.util.Properties.load ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\f';
}

static bool is_break(char c)
{
	return c == '\n' || c == '\r';
}

static const char *skip_blanks(const char *p)
{
	while (is_blank(*p))
		p++;
	return p;
}

/* What follows a backslash. \uXXXX is never written by the operator, so that one would be the user's work. */
static const char *read_escape(const char *p, struct buf *out)
{
	static const char letters[] = "tnrf", chars[] = "\t\n\r\f";
	const char *at = strchr(letters, *p);

	require(*p && *p != 'u' && !is_break(*p));
	buf_putc(out, at ? chars[at - letters] : *p);
	return p + 1;
}

static const char *read_part(const char *p, const char *stops, struct buf *out)
{
	while (*p && !is_break(*p) && !strchr(stops, *p)) {
		if (*p == '\\') {
			p = read_escape(p + 1, out);
			continue;
		}
		buf_putc(out, *p++);
	}
	return p;
}

static const char *read_property(const char *p, struct json *out)
{
	auto_buf key, value;

	buf_init(&key, TEXT_MAX);
	buf_init(&value, TEXT_MAX);
	p = skip_blanks(read_part(p, "=: \t\f", &key));
	if (*p == '=' || *p == ':')
		p = skip_blanks(p + 1);
	p = read_part(p, "", &value);
	require(key.len > 0 && !json_get(out, buf_str(&key)));
	json_set_str(out, buf_str(&key), buf_str(&value));
	return p;
}

static struct json *read_properties(const char *p)
{
	struct json *out = json_new_object();

	while (*p) {
		p = skip_blanks(p);
		if (*p == '#' || *p == '!')
			p += strcspn(p, "\r\n");
		else if (is_break(*p))
			p++;
		else
			p = read_property(p, out);
	}
	return out;
}

/* ---- properties ---- */

static bool has(const struct json *object, const char *name, const char *want)
{
	return text_eq(json_text(json_get(object, name), NULL), want);
}

static void check_owner(const struct json *metadata, const struct app *app)
{
	const struct json *owners = json_get(metadata, "ownerReferences"), *owner = json_first(owners);

	require(json_len(owners) == 1);
	require(has(owner, "uid", app->uid) && has(owner, "name", app->name) && has(owner, "kind", "SparkApplication"));
}

static void check_object(const struct json *object, const char *kind, const char *name, const struct app *app)
{
	const struct json *metadata = json_get(object, "metadata");
	auto_free char *text = json_print(object);
	auto_json again = NULL;
	struct err err;

	require(has(object, "kind", kind) && has(object, "apiVersion", "v1"));
	require(has(metadata, "name", name) && has(metadata, "namespace", app->ns));
	check_owner(metadata, app);
	again = json_parse(text, strlen(text), &err);
	require(json_equal(object, again));
}

static void check_labels(const struct json *labels, const struct app *app, const struct app_names *names)
{
	require(has(labels, LABEL_APP_NAME, app->name) && has(labels, LABEL_SUBMISSION_ID, names->submission_id));
	require(has(labels, LABEL_LAUNCHED_BY, "true") && !json_get(labels, LABEL_EXEC_ID));
	require(has(labels, LABEL_SPARK_ROLE, "driver") && has(labels, LABEL_APP_SELECTOR, names->app_id));
}

static void check_driver(const struct json *driver, const struct json *service)
{
	size_t count = 0;

	json_each (container, json_at(driver, "spec.containers"))
		count += has(container, "name", DRIVER_CONTAINER);
	require(count == 1);
	json_each (label, json_at(service, "spec.selector"))
		require(has(json_at(driver, "metadata.labels"), json_name(label), json_text(label, NULL)));
}

static void check_role_labels(const struct json *conf, const char *role, const struct app *app,
			      const struct app_names *names)
{
	const struct {
		const char *label;
		const char *want; /* NULL: absent */
	} rows[] = {
		{ LABEL_APP_NAME, app->name }, { LABEL_SUBMISSION_ID, names->submission_id },
		{ LABEL_LAUNCHED_BY, "true" }, { LABEL_CREATED_BY, NULL },
		{ LABEL_SPARK_ROLE, NULL },    { LABEL_APP_SELECTOR, NULL },
		{ LABEL_EXEC_ID, NULL },
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *key = xasprintf("spark.kubernetes.%s.label.%s", role, rows[i].label);

		require(has(conf, key, rows[i].want));
	}
}

static void check_conf(const struct json *conf, const struct app *app, const struct app_names *names)
{
	auto_free char *host = xasprintf("%s.%s.svc", names->service, app->ns);
	const struct {
		const char *key, *want;
	} rows[] = {
		{ "spark.app.id", names->app_id },
		{ "spark.app.name", app->name },
		{ "spark.driver.host", host },
		{ "spark.kubernetes.driver.pod.name", names->driver_pod },
		{ "spark.kubernetes.namespace", app->ns },
		{ "spark.kubernetes.submitInDriver", "true" },
		{ "spark.master", MASTER },
		{ "spark.submit.deployMode", "cluster" },
		{ "spark.kubernetes.driver.podTemplateFile", NULL },
		{ "spark.kubernetes.executor.podTemplateFile", "/opt/spark/pod-template/pod-spec-template.yml" },
		{ "spark.kubernetes.executor.podTemplateContainerName", EXECUTOR_CONTAINER },
	};

	for (size_t i = 0; i < array_len(rows); i++)
		require(has(conf, rows[i].key, rows[i].want));
	json_each (entry, conf)
		require(text_starts(json_name(entry), "spark."));
	check_role_labels(conf, "driver", app, names);
	check_role_labels(conf, "executor", app, names);
}

/* The user's own properties; nothing else writes to spark.user. */
static void check_user_conf(const struct json *conf, const struct app *app)
{
	json_each (entry, json_at(app->tree, "spec.sparkConf")) {
		const char *name = json_name(entry), *text = json_text(entry, NULL);

		if (text_starts(name, "spark."))
			require(json_get(conf, name));
		if (text_starts(name, "spark.user."))
			require(has(conf, name, text));
	}
}

static void check_template(const char *text, const struct app *app)
{
	struct err err;
	auto_json documents = yaml_parse(text, strlen(text), &err);
	const struct json *pod = json_first(documents);

	require(documents && json_len(documents) == 1 && has(pod, "kind", "Pod"));
	require(!json_at(pod, "metadata.namespace") && !json_at(pod, "metadata.name"));
	require(json_len(json_at(pod, "metadata.ownerReferences")) ==
		json_len(json_at(app->tree, "spec.executor.template.metadata.ownerReferences")));
}

static void check(const struct submission *s, const struct app *app, int64_t run)
{
	__attribute__((cleanup(app_names_done))) struct app_names names;
	const struct json *configmap = submission_find(s, "ConfigMap"), *service = submission_find(s, "Service");
	const struct json *driver = submission_find(s, "Pod"), *data = json_get(configmap, "data");
	auto_json conf = read_properties(json_text(json_get(data, "spark.properties"), ""));

	app_names_init(&names, app, run);
	check_object(configmap, "ConfigMap", names.configmap, app);
	check_object(service, "Service", names.service, app);
	check_object(driver, "Pod", names.driver_pod, app);
	check_labels(json_at(driver, "metadata.labels"), app, &names);
	check_driver(driver, service);
	check_conf(conf, app, &names);
	check_user_conf(conf, app);
	check_template(json_text(json_get(data, "podspec-configmap-key"), ""), app);
}

/* What the API server gives to every object. */
static void set_default(struct json *metadata, const char *name, const char *value)
{
	if (text_empty(json_text(json_get(metadata, name), NULL)))
		json_set_str(metadata, name, value);
}

static void run(struct json *tree, int64_t attempt)
{
	struct json *metadata = json_ensure_object(tree, "metadata");
	struct submission first = { 0 }, second = { 0 };
	struct err err = { 0 };
	struct app app;

	set_default(metadata, "name", "pi");
	set_default(metadata, "namespace", "default");
	set_default(metadata, "uid", "2f1a7b0c-9d3e-4c55-8a61-0123456789ab");
	if (app_decode(tree, &app, &err) < 0 || submission_build(&app, attempt, &options, &first, &err) < 0) {
		require(err.code == ERR_INVALID && *err.msg && !first.objects);
		return;
	}
	check(&first, &app, attempt);
	require(submission_build(&app, attempt, &options, &second, &err) == 0);
	require(json_equal(first.objects, second.objects));
	submission_done(&first);
	submission_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err;
	auto_json tree = NULL;

	if (size > INPUT_MAX)
		return 0;
	json_setup();
	tree = json_parse((const char *)data, size, &err);
	if (json_is(tree, JSON_OBJECT))
		run(tree, (int64_t)(size % 3) + 1);
	return 0;
}
