/*
 * Defaults of a SparkApplication (kubeflow internal/webhook/sparkapplication_defaulter.go): what the spec leaves open
 * is written into it, for people to read. Submission knows the same defaults, so that without the webhook nothing is
 * missing.
 *
 * An application that has been submitted stays as it is. Unlike there, dynamic allocation that is switched on in
 * sparkConf counts too. A member of the wrong type is left to the API server's schema.
 */
#include "base/text.h"
#include "admission/admission.h"
#include "spark/conf.h"

enum { RETRY_INTERVAL_S = 5 };

static bool is_absent(const struct json *value)
{
	return !value || json_is(value, JSON_NULL);
}

/* Returns the member of spec if it is an object. Creates the member if it is absent. NULL if it is something else. */
static struct json *ensure_section(struct json *spec, const char *name)
{
	struct json *value = json_get(spec, name);

	return is_absent(value) || json_is(value, JSON_OBJECT) ? json_ensure_object(spec, name) : NULL;
}

static void put_text(struct json *object, const char *name, const char *value)
{
	const struct json *own = json_get(object, name);

	if (is_absent(own) || text_eq(json_text(own, NULL), ""))
		json_set_str(object, name, value);
}

static void put_restart(struct json *spec)
{
	static const char *const intervals[] = { "onFailureRetryInterval", "onSubmissionFailureRetryInterval" };
	struct json *policy = ensure_section(spec, "restartPolicy");

	if (!policy)
		return;
	put_text(policy, "type", "Never");
	for (size_t i = 0; i < array_len(intervals) && !text_eq(json_str(policy, "type", ""), "Never"); i++)
		if (is_absent(json_get(policy, intervals[i])))
			json_set_i64(policy, intervals[i], RETRY_INTERVAL_S);
}

/* Whether neither the field nor its property in sparkConf is set. */
static bool is_open(const struct json *spec, const struct json *role, const char *field, const char *property)
{
	return is_absent(json_get(role, field)) && text_empty(conf_get(json_get(spec, "sparkConf"), property, NULL));
}

static void put_role(struct json *spec, const char *name)
{
	auto_free char *cores = xasprintf("spark.%s.cores", name), *memory = xasprintf("spark.%s.memory", name);
	struct json *role = ensure_section(spec, name);

	if (role && is_open(spec, role, "cores", cores))
		json_set_i64(role, "cores", 1);
	if (role && is_open(spec, role, "memory", memory))
		json_set_str(role, "memory", "1g");
}

static void put_instances(struct json *spec)
{
	struct json *executor = json_get(spec, "executor"), *dynamic = json_get(spec, "dynamicAllocation");

	if (json_is(executor, JSON_OBJECT) && is_open(spec, executor, "instances", "spark.executor.instances") &&
	    !conf_dynamic(spec))
		json_set_i64(executor, "instances", 1);
	if (json_bool(dynamic, "enabled", false) && is_absent(json_get(dynamic, "shuffleTrackingEnabled")))
		json_set_bool(dynamic, "shuffleTrackingEnabled", true);
}

void admission_default(struct json *application)
{
	const char *state = json_str(application, "status.applicationState.state", "");
	struct json *spec = json_get(application, "spec");

	if (!json_is(spec, JSON_OBJECT) || !(text_empty(state) || text_eq(state, app_state_text(APP_INVALIDATING))))
		return;
	put_text(spec, "type", "Scala");
	put_text(spec, "mode", "cluster");
	put_restart(spec);
	put_role(spec, "driver");
	put_role(spec, "executor");
	put_instances(spec);
}
