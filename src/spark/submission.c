/*
 * Native submission: the objects that spark-submit would create for a SparkApplication, without a JVM.
 *
 * The spec is validated as a whole, becomes Spark's configuration (app_conf.c), and the steps, in the order of Spark's
 * KubernetesDriverBuilder, make the driver pod of it. Last come the fields that only a webhook could add to Spark's own
 * pods. What goes wrong is the spec's fault: ERR_INVALID with the field's name, and nothing was created.
 */
#include "spark/submission.h"

#include <assert.h>
#include <string.h>

#include "build.h"
#include "properties.h"
#include "validate.h"

/* What the API server takes (apimachinery core/v1 MaxSecretSize, also for ConfigMaps). */
enum { CONFIGMAP_MAX = 1 << 20 };

static int (*const steps[])(struct build *b, struct err *err) = {
	driver_metadata, driver_pod,	 driver_container,	 driver_resources,   driver_env,
	driver_account,	 service_step,	 volumes_secrets,	 volumes_secret_env, volumes_conf,
	driver_command,	 volumes_hadoop, executor_template_step, volumes_local_dirs, volumes_spark_conf,
	driver_fields,
};

static void build_init(struct build *b, const struct app *app, int64_t attempt,
		       const struct submission_options *options)
{
	struct json *containers;

	memset(b, 0, sizeof(*b));
	b->app = app;
	b->spec = json_get(app->tree, "spec");
	b->ns = app->ns ? app->ns : "default";
	b->options = options;
	app_names_init(&b->names, app, attempt);
	b->version = conf_version(json_str(b->spec, "sparkVersion", NULL));
	b->program = conf_program(json_str(b->spec, "mainApplicationFile", ""));
	b->conf = json_new_object();
	b->pod = json_new_object();
	json_set_str(b->pod, "apiVersion", "v1");
	json_set_str(b->pod, "kind", "Pod");
	json_ensure_object(b->pod, "metadata");
	containers = json_ensure_array(json_ensure_object(b->pod, "spec"), "containers");
	b->container = json_append(containers, json_new_object());
}

static void build_done(struct build *b)
{
	app_names_done(&b->names);
	json_free(b->conf);
	json_free(b->labels);
	json_free(b->pod);
	json_free(b->service);
	free(b->executor_template);
}

static int configmap(const struct build *b, struct json **ret, struct err *err)
{
	auto_json map = json_new_object();
	auto_free char *properties = properties_print(b->conf, b->names.configmap, b->options->submitted_ms);
	size_t size = strlen(properties) + strlen(b->executor_template) + strlen(b->ns);
	struct json *data;

	if (size > CONFIGMAP_MAX)
		return err_set(err, ERR_INVALID,
			       "spec: Too long: properties and executor template take %zu bytes, a ConfigMap holds %d",
			       size, CONFIGMAP_MAX);
	json_set_str(map, "apiVersion", "v1");
	json_set_str(map, "kind", "ConfigMap");
	json_set(map, "metadata", build_metadata(b, b->names.configmap));
	if (b->version >= 302)
		json_set_bool(map, "immutable", true);
	data = json_ensure_object(map, "data");
	json_set_str(data, TEMPLATE_KEY, b->executor_template);
	if (b->version >= 303)
		json_set_str(data, "spark.kubernetes.namespace", b->ns);
	json_set_str(data, PROPERTIES_KEY, properties);
	*ret = take_ptr(map);
	return 0;
}

int submission_build(const struct app *app, int64_t attempt, const struct submission_options *options,
		     struct submission *ret, struct err *err)
{
	__attribute__((cleanup(build_done))) struct build b;
	struct json *map = NULL;
	int rc;

	assert(options->master && attempt >= 1);
	build_init(&b, app, attempt, options);
	rc = validate_spec(app, err);
	if (rc)
		return rc;
	conf_fill(&b);
	for (size_t i = 0; i < array_len(steps); i++) {
		rc = steps[i](&b, err);
		if (rc)
			return rc;
	}
	rc = configmap(&b, &map, err);
	if (rc)
		return rc;
	ret->configmap = map;
	ret->service = take_ptr(b.service);
	ret->driver = take_ptr(b.pod);
	return 0;
}

/* Some errors are found only while building: volumes of the configuration, the size of the ConfigMap. */
int submission_validate(const struct app *app, struct err *err)
{
	const struct submission_options options = { .master = "k8s://https://kubernetes.default.svc",
						    .submitted_ms = 0 };
	struct submission s = { 0 };
	int rc;

	rc = submission_build(app, 1, &options, &s, err);
	submission_done(&s);
	return rc;
}

void submission_done(struct submission *s)
{
	json_free(s->configmap);
	json_free(s->service);
	json_free(s->driver);
	memset(s, 0, sizeof(*s));
}
