/*
 * The spark-submit command for a SparkApplication, as kubeflow's operator runs it
 * (internal/controller/sparkapplication/submission.go).
 *
 * Happy path: the command gets the options that spark-submit has, a --conf for every other property of the spec, and a
 * pod template for each role. The driver's template names the application as owner. The executors' template is the one
 * that native submission puts into the ConfigMap. Values become arguments unchanged, even if they contain newlines.
 * Fails with ERR_INVALID if validation refuses the spec.
 */
#include "base/text.h"
#include "build.h"
#include "json/yaml.h"
#include "spark/conf.h"

#define DRIVER_FILE   "driver.yaml"
#define EXECUTOR_FILE "executor.yaml"

/* Properties that spark-submit has options for, in the order of kubeflow's operator. */
static const struct {
	const char *key;
	const char *option;
} options[] = {
	{ "spark.jars", "--jars" },
	{ "spark.jars.packages", "--packages" },
	{ "spark.jars.excludes", "--exclude-packages" },
	{ "spark.jars.repositories", "--repositories" },
	{ "spark.submit.pyFiles", "--py-files" },
	{ "spark.files", "--files" },
	{ "spark.archives", "--archives" },
};

/* Properties without a --conf of their own: the caller of the command sets them, or put_args() does. */
static const char *const left_out[] = {
	"spark.master",
	"spark.submit.deployMode",
	"spark.app.name",
	"spark.kubernetes.submission.waitAppCompletion",
	"spark.kubernetes.driver.podTemplateFile",
	"spark.kubernetes.executor.podTemplateFile",
};

static void add_option(struct json *args, const char *option, const char *value)
{
	if (text_empty(value))
		return;
	json_append_str(args, option);
	json_append_str(args, value);
}

static void put_conf(struct json *args, const char *key, const char *value)
{
	auto_free char *text = xasprintf("%s=%s", key, value);

	add_option(args, "--conf", text);
}

static bool is_left_out(const struct json *entry)
{
	for (size_t i = 0; i < array_len(left_out); i++)
		if (text_eq(json_name(entry), left_out[i]))
			return true;
	for (size_t i = 0; i < array_len(options); i++)
		if (text_eq(json_name(entry), options[i].key))
			return !text_empty(json_text(entry, NULL));
	return false;
}

static void put_args(const struct build *b, struct json *args)
{
	add_option(args, "--name", b->app->name);
	add_option(args, "--class", json_str(b->spec, "mainClass", NULL));
	for (size_t i = 0; i < array_len(options); i++)
		add_option(args, options[i].option, conf_get(b->conf, options[i].key, NULL));
	add_option(args, "--proxy-user", json_str(b->spec, "proxyUser", NULL));
	json_each (entry, b->conf)
		if (!is_left_out(entry))
			put_conf(args, json_name(entry), json_text(entry, ""));
	put_conf(args, "spark.kubernetes.driver.podTemplateFile", "{dir}/" DRIVER_FILE);
	put_conf(args, "spark.kubernetes.executor.podTemplateFile", "{dir}/" EXECUTOR_FILE);
	json_append_str(args, json_str(b->spec, "mainApplicationFile", ""));
	json_each (arg, json_get(b->spec, "arguments"))
		json_append_str(args, json_text(arg, ""));
}

/* The driver's pod template as YAML. Owned. */
static char *driver_template(const struct build *b)
{
	const struct json *from = json_at(b->spec, "driver.template");
	auto_json pod = json_is(from, JSON_OBJECT) ? json_dup(from) : json_new_object();
	struct json *containers = json_ensure_array(json_ensure_object(pod, "spec"), "containers");
	struct json *owners = json_ensure_array(json_ensure_object(pod, "metadata"), "ownerReferences");

	json_set_str(pod, "apiVersion", "v1");
	json_set_str(pod, "kind", "Pod");
	json_append(owners, resource_owner_reference(&resource_sparkapplication, b->app->name, b->app->uid, true));
	if (json_len(containers) == 0)
		json_set_str(json_append(containers, json_new_object()), "name",
			     conf_get(b->conf, "spark.kubernetes.driver.podTemplateContainerName", DRIVER_CONTAINER));
	return yaml_print(pod);
}

int submission_command(const struct app *app, int64_t run, struct json **ret, struct err *err)
{
	auto_json command = json_new_object();
	auto_free char *driver = NULL, *executor = NULL;
	struct json *files;
	auto_build b;
	int rc;

	rc = submission_validate(app, err);
	build_init(&b, app, run, NULL);
	if (rc)
		return rc;
	conf_of_spec(&b);
	rc = executor_template(&b, err);
	if (rc)
		return rc;
	put_args(&b, json_set(command, "args", json_new_array()));
	driver = driver_template(&b);
	executor = yaml_print(b.executor_template);
	files = json_set(command, "files", json_new_object());
	json_set_str(files, DRIVER_FILE, driver);
	json_set_str(files, EXECUTOR_FILE, executor);
	*ret = take_ptr(command);
	return 0;
}
