/*
 * Native submission: the objects that spark-submit would create for a SparkApplication, without a JVM.
 *
 * Happy path: the spec is validated as a whole and written into Spark's configuration (app_conf.c). The steps make the
 * driver pod from that configuration, in the order of Spark's KubernetesDriverBuilder. The last step adds the fields
 * that Spark's configuration cannot express (pod_rows.c). Fails with ERR_INVALID and the name of the field if the spec
 * is wrong. Nothing has been created then.
 */
#include "submission/submission.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "build.h"
#include "json/yaml.h"
#include "submission/pod_rows.h"
#include "properties.h"
#include "spark/conf.h"
#include "spark/version.h"
#include "spark/pod.h"
#include "rules/validate.h"
#include "rules/policy.h"

/* The API server refuses a larger ConfigMap (core/v1 MaxSecretSize, which also counts for ConfigMaps). */
enum { CONFIGMAP_MAX = 1 << 20 };

#define FEATURES     "org.apache.spark.deploy.k8s.features."
#define EXCLUDED_KEY "spark.kubernetes.driver.pod.excludedFeatureSteps"

struct step {
	int (*run)(struct build *b, struct err *err);
	const char *feature; /* Spark's name of the step if an application may exclude it, else NULL */
};

static const struct step driver_steps[] = {
	{ driver_metadata, NULL },
	{ driver_pod, NULL },
	{ driver_container, NULL },
	{ driver_resources, NULL },
	{ driver_env, NULL },
	{ driver_account, NULL },
	{ service_step, NULL },
	{ network_policy_step, FEATURES "NetworkPolicyFeatureStep" },
	{ monitoring_step, NULL },
	{ volumes_secrets, FEATURES "MountSecretsFeatureStep" },
	{ volumes_secret_env, FEATURES "EnvSecretsFeatureStep" },
	{ volumes_conf, FEATURES "MountVolumesFeatureStep" },
	{ driver_command, NULL },
	{ volumes_hadoop, FEATURES "HadoopConfDriverFeatureStep" },
	{ kerberos_step, FEATURES "KerberosConfDriverFeatureStep" },
	{ executor_template_step, NULL },
	{ volumes_local_dirs, FEATURES "LocalDirsFeatureStep" },
	{ volumes_spark_conf, NULL },
	{ template_end, NULL },
	{ driver_fields, NULL },
};

void build_init(struct build *b, const struct app *app, int64_t run, const struct submission_options *options)
{
	const struct json *spec = json_get(app->tree, "spec");
	const struct version version = version_of_spec(spec, options ? options->rules.default_image : NULL);

	memset(b, 0, sizeof(*b));
	b->app = app;
	b->spec = spec;
	b->ns = app->ns ? app->ns : "default";
	b->options = options;
	app_names_init(&b->names, app, run);
	b->version = version.number;
	memcpy(b->version_text, version.text, sizeof(b->version_text));
	b->program = conf_program(json_str(b->spec, "mainApplicationFile", ""));
	b->conf = json_new_object();
	b->objects = json_new_array();
}

void build_done(struct build *b)
{
	app_names_done(&b->names);
	json_free(b->conf);
	json_free(b->labels);
	if (!b->container_in_pod)
		json_free(b->container);
	json_free(b->pod);
	json_free(b->executor_template);
	json_free(b->objects);
}

static const struct step *find_feature(const char *name)
{
	for (size_t i = 0; i < array_len(driver_steps); i++)
		if (driver_steps[i].feature && text_eq(driver_steps[i].feature, name))
			return &driver_steps[i];
	return NULL;
}

/* The steps that the application excludes. Spark has this property since 4.1. */
static int read_excluded(const struct build *b, struct strv *excluded, struct err *err)
{
	if (b->version >= SPARK_4_1)
		strv_split(excluded, conf_get(b->conf, EXCLUDED_KEY, ""), ',');
	for (size_t i = 0; i < excluded->len; i++)
		if (!find_feature(excluded->items[i]))
			return err_set(
			    err, ERR_INVALID,
			    "spec.sparkConf[" EXCLUDED_KEY "]: Unsupported value: \"%s\": expected, after " FEATURES
			    ", NetworkPolicyFeatureStep, MountSecretsFeatureStep, EnvSecretsFeatureStep, "
			    "MountVolumesFeatureStep, HadoopConfDriverFeatureStep, KerberosConfDriverFeatureStep "
			    "or LocalDirsFeatureStep: the operator cannot do without the others",
			    excluded->items[i]);
	return 0;
}

static int run_steps(struct build *b, struct err *err)
{
	auto_strv excluded = { 0 };
	int rc = read_excluded(b, &excluded, err);

	for (size_t i = 0; i < array_len(driver_steps) && !rc; i++) {
		const struct step *step = &driver_steps[i];

		if (!step->feature || !strv_has(&excluded, step->feature))
			rc = step->run(b, err);
	}
	return rc;
}

/* Fills the ConfigMap, which is the first object. The steps add to the configuration, so they have to run before. */
static int configmap(struct build *b, struct err *err)
{
	auto_free char *properties = properties_print(b->conf, b->names.configmap, b->options->submitted_ms);
	auto_free char *template_text = yaml_print(b->executor_template);
	size_t size = strlen(properties) + strlen(template_text) + strlen(b->ns);
	struct json *map = json_first(b->objects), *data;

	if (size > CONFIGMAP_MAX)
		return err_set(err, ERR_INVALID,
			       "spec: Too long: properties and executor template take %zu bytes, a ConfigMap holds %d",
			       size, CONFIGMAP_MAX);
	if (b->version >= SPARK_3_2)
		json_set_bool(map, "immutable", true);
	data = json_ensure_object(map, "data");
	json_set_str(data, TEMPLATE_KEY, template_text);
	if (b->version >= SPARK_3_3)
		json_set_str(data, "spark.kubernetes.namespace", b->ns);
	json_set_str(data, PROPERTIES_KEY, properties);
	return 0;
}

/* Adds each problem to p or puts it into err. In both cases ret stays empty. */
static void build_all(struct problems *p, struct build *b, struct submission *ret, struct err *err)
{
	auto_json written = NULL;
	int rc;

	conf_of_spec(b);
	conf_of_submission(b);
	rc = executor_template(b, err);
	if (rc)
		return;
	written = references_resolve(b->conf);
	build_object(b, &resource_configmap, b->names.configmap);
	template_begin(b, &role_driver, json_at(b->spec, "driver.template"));
	rc = run_steps(b, err);
	references_restore(b->conf, written);
	if (!rc)
		rc = configmap(b, err);
	if (rc)
		return;
	validate_pod(p, b);
	json_append(b->objects, take_ptr(b->pod));
	b->container = NULL;
	if (executor_pod(b, err))
		return;
	validate_pod(p, b);
	if (problems_any(p))
		return;
	ret->objects = take_ptr(b->objects);
	if (b->options->with_executor)
		ret->executor = take_ptr(b->pod);
}

static void try_build(struct problems *p, const struct app *app, int64_t run, const struct submission_options *options,
		      struct submission *ret)
{
	struct err err = { 0 };
	auto_build b;

	assert(options->master && run >= 1);
	build_init(&b, app, run, options);
	validate_app(p, app, &options->rules);
	if (problems_any(p))
		return;
	build_all(p, &b, ret, &err);
	if (err.code)
		problems_add_err(p, &err);
}

int submission_build(const struct app *app, int64_t run, const struct submission_options *options,
		     struct submission *ret, struct err *err)
{
	auto_problems p;

	problems_init(&p);
	try_build(&p, app, run, options, ret);
	return problems_result(&p, err);
}

int submission_fields(const struct app *app, struct json *pod, struct err *err)
{
	const struct pod_ctx ctx = pod_rows_context(app, pod);

	return pod_rows_apply(&ctx, pod, err);
}

const struct json *submission_find(const struct submission *s, const char *kind)
{
	return json_find(s->objects, "kind", kind);
}

void submission_problems(struct problems *p, const struct app *app, const struct rule_options *rules)
{
	const struct submission_options options = { .master = "k8s://https://kubernetes.default.svc", .rules = *rules };
	struct submission s = { 0 };

	try_build(p, app, 1, &options, &s);
	submission_done(&s);
}

int submission_validate(const struct app *app, struct err *err)
{
	auto_problems p;

	problems_init(&p);
	submission_problems(&p, app, &(const struct rule_options){ 0 });
	return problems_result(&p, err);
}

void submission_done(struct submission *s)
{
	json_free(s->objects);
	json_free(s->executor);
	memset(s, 0, sizeof(*s));
}

int64_t submission_executors(const struct app *app)
{
	static const char *const keys[] = { "spark.executor.instances", "spark.dynamicAllocation.minExecutors",
					    "spark.dynamicAllocation.initialExecutors" };
	int64_t count = 0;
	auto_build b;

	build_init(&b, app, 1, NULL);
	conf_of_spec(&b);
	if (!conf_true(b.conf, "spark.dynamicAllocation.enabled"))
		return conf_i64(b.conf, keys[0], 1);
	for (size_t i = 0; i < array_len(keys); i++) {
		int64_t value = conf_i64(b.conf, keys[i], 0);

		count = value > count ? value : count;
	}
	return count;
}
