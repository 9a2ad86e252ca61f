/*
 * Every field of the CRD is carried into what a submission creates, or has a written reason why not.
 *
 * The fields are those of the schema. Each is set in an application that has as little as possible; if not one byte
 * of the objects changes, neither of the pod of an executor, then no row carries the field.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "masked_ids.h"
#include "parse.h"
#include "rules/schema.h"
#include "spark/app.h"
#include "submission/submission.h"

static const char base[] =
    "{'apiVersion':'sparkoperator.k8s.io/v1beta2','kind':'SparkApplication',"
    "'metadata':{'name':'orders','namespace':'team','uid':'f4d9c1a2-0000-4000-8000-000000000001'},"
    "'spec':{'type':'Scala','sparkVersion':'3.5.6','image':'i','mainClass':'M','mainApplicationFile':'local:///a.jar',"
    "'driver':{},'executor':{}}}";

/* Why a field changes nothing of what is created. A name that ends in '*' stands for all fields that begin so. */
static const struct {
	const char *field;
	const char *why;
} reasons[] = {
	{ "type", "spark-submit tells it from the file; validation compares both" },
	{ "mode", "there is but cluster mode" },
	{ "suspend", "lifecycle: nothing is submitted" },
	{ "timeToLiveSeconds", "lifecycle: when the application is deleted" },
	{ "failureRetries", "has no effect in kubeflow's operator either; an event says so" },
	{ "retryInterval", "as failureRetries" },
	{ "restartPolicy.*", "lifecycle: when the application is submitted again" },
	{ "batchScheduler", "refused: not carried out by this version" },
	{ "batchSchedulerOptions.*", "of a batch scheduler, and none is carried out by this version" },
	{ "driverPodDisruptionBudget", "lifecycle: an object beside the driver" },
	{ "driverIngressOptions*", "lifecycle: objects beside the driver" },
	{ "sparkUIOptions.*", "lifecycle: objects beside the driver" },
	{ "executor.memoryLimit", "refused unless it is the limit that Spark sets, or the webhook raises it" },
};

/* How to write a field where its type alone does not say it: more of the application, and the value. */
static const struct {
	const char *field; /* below driver and executor "*." */
	const char *more;  /* a merge patch for the spec; for "*." for driver or executor */
	const char *value;
} samples[] = {
	{ "pythonVersion", NULL, "'3'" },
	{ "imagePullPolicy", NULL, "'Always'" },
	{ "sparkVersion", NULL, "'4.0.1'" },
	{ "mainApplicationFile", NULL, "'local:///b.jar'" },
	{ "memoryOverheadFactor", NULL, "'0.3'" },
	{ "sparkConf", NULL, "{'spark.sample':'x'}" },
	{ "volumes",
	  "{'driver':{'volumeMounts':[{'name':'v','mountPath':'/v'}]},'volumes':[{'name':'v','emptyDir':{}}]}",
	  "[{'name':'v','hostPath':{'path':'/h'}}]" },
	{ "deps.jars", NULL, "['local:///b.jar']" },
	{ "deps.files", NULL, "['local:///b']" },
	{ "deps.pyFiles", NULL, "['local:///b.py']" },
	{ "deps.archives", NULL, "['local:///b.zip']" },
	{ "deps.packages", NULL, "['g:a:1']" },
	{ "deps.excludePackages", "{'deps':{'packages':['g:a:1']}}", "['g:b']" },
	{ "deps.repositories", "{'deps':{'packages':['g:a:1']}}", "['https://r']" },
	{ "dynamicAllocation.*", "{'dynamicAllocation':{'enabled':true}}", NULL },
	{ "monitoring.exposeDriverMetrics", "{'monitoring':{'prometheus':{'jmxExporterJar':'/j'}}}", "true" },
	{ "monitoring.exposeExecutorMetrics", "{'monitoring':{'prometheus':{'jmxExporterJar':'/j'}}}", "true" },
	{ "monitoring.prometheus.port",
	  "{'monitoring':{'exposeDriverMetrics':true,'prometheus':{'jmxExporterJar':'/j'}}}", "8091" },
	{ "monitoring.*", "{'monitoring':{'exposeDriverMetrics':true,'prometheus':{'jmxExporterJar':'/j'}}}", NULL },
	{ "*.coreRequest", NULL, "'250m'" },
	{ "*.coreLimit", NULL, "'7'" },
	{ "*.memory", NULL, "'3g'" },
	{ "*.memoryOverhead", NULL, "'1g'" },
	{ "driver.memoryLimit", NULL, "'9Gi'" },
	{ "*.gpu.name", "{'gpu':{'quantity':1}}", "'nvidia.com/gpu'" },
	{ "*.gpu.quantity", "{'gpu':{'name':'nvidia.com/gpu'}}", "2" },
	{ "*.affinity", NULL, "{'nodeAffinity':{}}" },
	{ "*.configMaps[].name", "{'configMaps':[{'path':'/p','name':'a'}]}", "'b'" },
	{ "*.configMaps[].path", "{'configMaps':[{'path':'/p','name':'a'}]}", "'/q'" },
	{ "*.dnsConfig", NULL, "{'nameservers':['1.1.1.1']}" },
	{ "*.env", NULL, "[{'name':'A','value':'b'}]" },
	{ "*.envFrom", NULL, "[{'secretRef':{'name':'s'}}]" },
	{ "*.envSecretKeyRefs.NAME.key", "{'envSecretKeyRefs':{'A':{'name':'s','key':'k'}}}", "'l'" },
	{ "*.envSecretKeyRefs.NAME.name", "{'envSecretKeyRefs':{'A':{'name':'s','key':'k'}}}", "'t'" },
	{ "*.hostAliases[].ip", "{'hostAliases':[{'ip':'1.1.1.1','hostnames':['h']}]}", "'2.2.2.2'" },
	{ "*.hostAliases[].hostnames", "{'hostAliases':[{'ip':'1.1.1.1','hostnames':['h']}]}", "['g']" },
	{ "*.initContainers", NULL, "[{'name':'c','image':'i'}]" },
	{ "*.lifecycle", NULL, "{'preStop':{'sleep':{'seconds':1}}}" },
	{ "*.podSecurityContext", NULL, "{'runAsUser':1}" },
	{ "*.ports[].name", "{'ports':[{'name':'a','containerPort':1,'protocol':'TCP'}]}", "'b'" },
	{ "*.ports[].containerPort", "{'ports':[{'name':'a','containerPort':1,'protocol':'TCP'}]}", "2" },
	{ "*.ports[].protocol", "{'ports':[{'name':'a','containerPort':1,'protocol':'TCP'}]}", "'UDP'" },
	{ "*.secrets[].name", "{'secrets':[{'name':'a','path':'/p','secretType':'Generic'}]}", "'b'" },
	{ "*.secrets[].path", "{'secrets':[{'name':'a','path':'/p','secretType':'Generic'}]}", "'/q'" },
	{ "*.secrets[].secretType", "{'secrets':[{'name':'a','path':'/p','secretType':'Generic'}]}",
	  "'GCPServiceAccount'" },
	{ "*.securityContext", NULL, "{'runAsUser':1}" },
	{ "*.sidecars", NULL, "[{'name':'c','image':'i'}]" },
	{ "*.template", NULL, "{'spec':{'priority':1}}" },
	{ "*.tolerations[].operator", "{'tolerations':[{'key':'a','effect':'NoExecute'}]}", "'Exists'" },
	{ "*.tolerations[].effect", "{'tolerations':[{'key':'a'}]}", "'NoExecute'" },
	{ "*.tolerations[].*", "{'tolerations':[{'key':'a','operator':'Equal','effect':'NoExecute'}]}", NULL },
	{ "driver.volumeMounts", "{'volumes':[{'name':'v','emptyDir':{}}]}", "[{'name':'v','mountPath':'/v'}]" },
	{ "executor.volumeMounts", "{'volumes':[{'name':'v','emptyDir':{}}]}", "[{'name':'v','mountPath':'/v'}]" },
};

/* By type, where there is no sample: values, at least one of which is not what the application is without the field. */
static const struct {
	enum schema_type type;
	const char *values[2];
} values_by_type[] = {
	{ SCHEMA_STRING, { "'sample'" } }, { SCHEMA_INTEGER, { "7" } },		 { SCHEMA_BOOL, { "true", "false" } },
	{ SCHEMA_LIST, { "['sample']" } }, { SCHEMA_MAP, { "{'sample':'x'}" } },
};

static bool matches(const char *field, const char *pattern)
{
	size_t len = strlen(pattern);
	const char *dot = strchr(field, '.');

	if (text_starts(pattern, "*."))
		return dot && (text_starts(field, "driver.") || text_starts(field, "executor.")) &&
		       matches(dot + 1, pattern + 2);
	if (pattern[len - 1] == '*')
		return strncmp(field, pattern, len - 1) == 0;
	return text_eq(field, pattern);
}

static const char *reason_of(const char *field)
{
	for (size_t i = 0; i < array_len(reasons); i++)
		if (matches(field, reasons[i].field))
			return reasons[i].why;
	return NULL;
}

static void merge(struct json *target, const char *patch_text)
{
	auto_json patch = parse_quoted(patch_text);

	json_merge_apply(target, patch);
}

/* The application without the field. Owned. */
static struct json *application_for(const char *field, const char **ret_value)
{
	struct json *application = parse_quoted(base);
	struct json *spec = json_get(application, "spec");

	*ret_value = NULL;
	for (size_t i = 0; i < array_len(samples); i++) {
		bool of_role = text_starts(samples[i].field, "*.");
		auto_free char *role = xstrndup(field, strcspn(field, "."));

		if (!matches(field, samples[i].field))
			continue;
		if (samples[i].more)
			merge(of_role ? json_get(spec, role) : spec, samples[i].more);
		*ret_value = samples[i].value;
		break;
	}
	return application;
}

/* "[]" is the first element of a list, NAME the first member of a map. */
static void set_field(struct json *spec, const char *field, const char *value)
{
	struct json *at = spec;

	for (const char *dot = strchr(field, '.'); dot; field = dot + 1, dot = strchr(field, '.')) {
		bool is_list = dot[-1] == ']';
		auto_free char *name = xstrndup(field, (size_t)(dot - field) - (is_list ? 2 : 0));

		if (text_eq(name, "NAME"))
			at = json_first(at);
		else
			at = is_list ? json_first(json_get(at, name)) : json_ensure_object(at, name);
	}
	json_set(at, field, parse_quoted(value));
}

/* What a submission makes of it, as text without ids, which change with each field. Owned. */
static char *text_of(const struct json *application, const char *field)
{
	const struct submission_options options = { .master = "k8s://https://h", .with_executor = true };
	struct submission s = { 0 };
	struct err err = { 0 };
	struct app app;
	auto_free char *objects = NULL, *executor = NULL;

	if (app_decode(application, &app, &err) || submission_build(&app, 1, &options, &s, &err))
		fail_msg("spec.%s: needs another sample: %s", field, err.msg);
	objects = json_print(s.objects);
	executor = json_print(s.executor);
	submission_done(&s);
	return masked_ids(xasprintf("%s%s", objects, executor));
}

/* Some value of the field changes what is created. */
static bool is_carried(const char *field, const char *const *values)
{
	const char *sample;
	auto_json without = application_for(field, &sample);
	auto_free char *text = text_of(without, field);

	for (size_t i = 0; i < 2; i++) {
		auto_json with = json_dup(without);
		auto_free char *changed = NULL;

		if (!sample && !values[i])
			break;
		set_field(json_get(with, "spec"), field, sample ? sample : values[i]);
		changed = text_of(with, field);
		if (!text_eq(text, changed))
			return true;
	}
	return false;
}

static void check_field(const char *field, const struct schema *schema)
{
	static const char *const none[2] = { NULL, NULL };
	const char *const *values = none;

	for (size_t i = 0; i < array_len(values_by_type); i++)
		if (values_by_type[i].type == schema->type)
			values = values_by_type[i].values;
	if (!reason_of(field) && !is_carried(field, values))
		fail_msg("spec.%s: nothing of what is created says it: add a row that carries it, or a reason here",
			 field);
}

/* All fields of the CRD's own; what Kubernetes defines below them is copied as a whole. */
static void each_field(const char *path, const struct schema *s, void (*visit)(const char *, const struct schema *))
{
	const struct schema *inner = s->each ? s->each : s;

	if (inner->type != SCHEMA_OBJECT || inner->is_kubernetes) {
		visit(path, s);
		return;
	}
	for (size_t i = 0; i < inner->field_count; i++) {
		auto_free char *at = xasprintf("%s%s%s%s", path,
					       s->type == SCHEMA_LIST ? "[]"
					       : s->each	      ? ".NAME"
								      : "",
					       *path ? "." : "", inner->fields[i].name);

		each_field(at, inner->fields[i].schema, visit);
	}
}

static const struct schema *spec_schema(void)
{
	return schema_field(schema_of_kind("SparkApplication"), "spec");
}

static void every_field_is_carried_or_has_a_reason(void **state)
{
	(void)state;
	each_field("", spec_schema(), check_field);
}

static bool reason_used[array_len(reasons)];

static void use_reasons(const char *field, const struct schema *schema)
{
	(void)schema;
	for (size_t i = 0; i < array_len(reasons); i++)
		reason_used[i] = reason_used[i] || matches(field, reasons[i].field);
}

static void every_reason_is_of_a_field(void **state)
{
	(void)state;
	each_field("", spec_schema(), use_reasons);
	for (size_t i = 0; i < array_len(reasons); i++)
		if (!reason_used[i])
			fail_msg("spec.%s: the CRD has no such field", reasons[i].field);
}

/* The reasons say the truth: of the fields that a submission can be built with, none changes it. */
static void what_has_a_reason_is_not_carried(void **state)
{
	static const char *const fields[][2] = {
		{ "type", "'Java'" },
		{ "mode", "'cluster'" },
		{ "suspend", "true" },
		{ "timeToLiveSeconds", "7" },
		{ "failureRetries", "7" },
		{ "retryInterval", "7" },
		{ "restartPolicy", "{'type':'Always'}" },
		{ "batchSchedulerOptions", "{'queue':'q','priorityClassName':'p','resources':{'cpu':1}}" },
		{ "driverPodDisruptionBudget", "true" },
		{ "driverIngressOptions", "[{'servicePort':1,'servicePortName':'p','ingressURLFormat':'h'}]" },
		{ "sparkUIOptions", "{'servicePort':1}" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(fields); i++) {
		const char *const values[2] = { fields[i][1], NULL };

		if (is_carried(fields[i][0], values))
			fail_msg("spec.%s is carried: no reason is needed", fields[i][0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_carried_or_has_a_reason),
		cmocka_unit_test(every_reason_is_of_a_field),
		cmocka_unit_test(what_has_a_reason_is_not_carried),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
