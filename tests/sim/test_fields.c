/*
 * The API server refuses a driver pod with fields that it does not know. The application ends, and says which of its
 * own fields these are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "sim_cluster.h"

#define JSON(...)   #__VA_ARGS__
#define DRIVER(...) "{\"driver\":" #__VA_ARGS__ "}"

/* Of each kind of place where the CRD keeps what it does not know. */
static const struct {
	const char *spec;
	const char *line; /* of the message */
} rows[] = {
	{ JSON({
		  "volumes" : [ { "name" : "data", "persistentVolumeClaims" : {} } ],
		  "driver" : { "volumeMounts" : [ { "name" : "data", "mountPath" : "/data" } ] }
	  }),
	  "spec.volumes[0].persistentVolumeClaims: unknown field: did you mean persistentVolumeClaim?; the API server "
	  "does not know spec.volumes[" },
	{ DRIVER({ "env" : [ { "name" : "A", "value" : "a" }, { "name" : "B", "valeu" : "b" } ] }),
	  "spec.driver.env[1].valeu: unknown field: did you mean value?; the API server does not know "
	  "spec.containers[0].env[" },
	{ DRIVER({ "envFrom" : [ { "configMapRef" : { "name" : "m", "optionl" : true } } ] }),
	  "spec.driver.envFrom[0].configMapRef.optionl: unknown field: did you mean optional?" },
	{ JSON({
		  "volumes" : [ { "name" : "data", "emptyDir" : {} } ],
		  "driver" : { "volumeMounts" : [ { "name" : "data", "mountPath" : "/data", "readonly" : true } ] }
	  }),
	  "spec.driver.volumeMounts[0].readonly: unknown field: did you mean readOnly?" },
	{ DRIVER(
	      { "securityContext" : { "readOnlyRootFilesytem" : true }, "podSecurityContext" : { "runAsUser" : 1 } }),
	  "spec.driver.securityContext.readOnlyRootFilesytem: unknown field: did you mean readOnlyRootFilesystem?" },
	{ DRIVER({ "podSecurityContext" : { "runAsUsr" : 1000 } }),
	  "spec.driver.podSecurityContext.runAsUsr: unknown field: did you mean runAsUser?; the API server does not "
	  "know "
	  "spec.securityContext.runAsUsr of the driver pod" },
	{ DRIVER({ "affinity" : { "nodeAffinty" : {} } }),
	  "spec.driver.affinity.nodeAffinty: unknown field: did you mean nodeAffinity?" },
	{ DRIVER({ "dnsConfig" : { "nameserver" : ["10.0.0.1"] } }),
	  "spec.driver.dnsConfig.nameserver: unknown field: did you mean nameservers?" },
	{ DRIVER({ "lifecycle" : { "postStart" : { "exec" : { "comand" : ["true"] } } } }),
	  "spec.driver.lifecycle.postStart.exec.comand: unknown field: did you mean command?" },
	{ DRIVER({ "sidecars" : [ { "name" : "s", "image" : "i", "resources" : { "limit" : { "cpu" : "1" } } } ] }),
	  "spec.driver.sidecars[0].resources.limit: unknown field: did you mean limits?" },
	{ DRIVER({ "initContainers" : [ { "name" : "t", "image" : "i", "comand" : ["true"] } ] }),
	  "spec.driver.initContainers[0].comand: unknown field: did you mean command?" },
	{ DRIVER({ "template" : { "spec" : { "hostnam" : "x" } } }),
	  "spec.driver.template.spec.hostnam: unknown field: did you mean hostname?" },
	{ DRIVER({ "template" : { "metadata" : { "label" : { "a" : "b" } } } }),
	  "spec.driver.template.metadata.label: unknown field: did you mean labels?" },
	/* Each field is told once. */
	{ DRIVER({ "env" : [ { "name" : "A", "valeu" : "a" }, { "name" : "B", "valeu" : "b" } ] }),
	  "\nspec.driver.env[1].valeu: unknown field: did you mean value?" },
};

/* Spark would have these dropped. */
static const struct {
	const char *spec;
	const char *line;
} executor_rows[] = {
	{ JSON({ "executor" : { "env" : [ { "name" : "A", "valeu" : "a" } ] } }),
	  "spec.executor.env[0].valeu: unknown field: did you mean value?; the API server does not know "
	  "spec.containers[0].env[" },
	{ JSON({ "executor" : { "template" : { "spec" : { "containers" : [ { "name" : "x", "imag" : "y" } ] } } } }),
	  "spec.executor.template.spec.containers[0].imag: unknown field: did you mean image?" },
	{ JSON({
		  "volumes" : [ { "name" : "data", "emptyDi" : {} } ],
		  "executor" : { "volumeMounts" : [ { "name" : "data", "mountPath" : "/data" } ] }
	  }),
	  "spec.volumes[0].emptyDi: unknown field: did you mean emptyDir?" },
};

static const char *app_str(const struct sim *s, const char *path)
{
	return json_str(fake_kube_get(s->kube, &resource_sparkapplication, "default", "pi"), path, "");
}

static void a_dropped_field_is_told_by_its_path_in_the_application(void **state)
{
	const struct operator_options options = sim_options();
	struct sim s;

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		const char *message;

		sim_init_with(&s, SIM_SUCCEED, &options, rows[i].spec);
		sim_run(&s);
		message = app_str(&s, "status.applicationState.errorMessage");
		if (!text_eq(app_str(&s, "status.applicationState.state"), "FAILED") ||
		    !strstr(message, rows[i].line) || strstr(message, "executor"))
			fail_msg("%s: %s", rows[i].line, message);
		assert_null(fake_kube_get(s.kube, &resource_pod, "default", "pi-driver"));
		assert_in_range(fake_kube_calls(s.kube, VERB_CREATE, &resource_pod), 1, 16);
		sim_done(&s);
	}
}

/* As with kubeflow's operator, the application runs without the field. */
static void unknown_fields_may_be_dropped(void **state)
{
	struct operator_options options = sim_options();
	struct sim s;

	(void)state;
	options.manager.drops_unknown_fields = true;
	sim_init_with(&s, SIM_SUCCEED, &options, rows[1].spec);
	sim_run(&s);
	assert_string_equal(app_str(&s, "status.applicationState.state"), "COMPLETED");
	sim_done(&s);
}

static void fields_of_executors_are_asked_about(void **state)
{
	const struct operator_options options = sim_options();
	struct sim s;

	(void)state;
	for (size_t i = 0; i < array_len(executor_rows); i++) {
		const char *message;

		sim_init_with(&s, SIM_SUCCEED, &options, executor_rows[i].spec);
		sim_run(&s);
		message = app_str(&s, "status.applicationState.errorMessage");
		if (!text_eq(app_str(&s, "status.applicationState.state"), "FAILED") ||
		    !strstr(message, executor_rows[i].line) || !strstr(message, "of the executor pod"))
			fail_msg("%s: %s", executor_rows[i].line, message);
		assert_int_equal(fake_kube_count(s.kube, &resource_configmap), 0);
		sim_done(&s);
	}
}

/* Of executors only unknown fields count: what else the API server says of them may pass, and is told later. */
static void a_refusal_of_the_rehearsal_alone_is_no_refusal(void **state)
{
	static const struct fake_refusal quota = { .status = 403, .message = "exceeded quota" };
	struct operator_options options = sim_options();
	struct sim s;

	(void)state;
	sim_init_with(&s, SIM_SUCCEED, &options, executor_rows[0].spec);
	fake_kube_refuse(s.kube, VERB_CREATE, &resource_pod, 1, &quota);
	fake_kube_run(s.kube, 200);
	assert_int_equal(fake_kube_count(s.kube, &resource_pod), 1);
	sim_done(&s);

	options.manager.drops_unknown_fields = true;
	sim_init_with(&s, SIM_SUCCEED, &options, executor_rows[0].spec);
	sim_run(&s);
	assert_string_equal(app_str(&s, "status.applicationState.state"), "COMPLETED");
	sim_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dropped_field_is_told_by_its_path_in_the_application),
		cmocka_unit_test(unknown_fields_may_be_dropped),
		cmocka_unit_test(fields_of_executors_are_asked_about),
		cmocka_unit_test(a_refusal_of_the_rehearsal_alone_is_no_refusal),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
