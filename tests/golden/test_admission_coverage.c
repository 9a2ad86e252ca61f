/*
 * Which mutations of pods by kubeflow's operator the goldens of golden/admission show, for driver and executor: the
 * application asks for it, and the recorded pod has it. One that no golden shows is a failure; the table is printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>

#include "base/text.h"
#include "golden.h"
#include "spark/app.h"
#include "spark/pod.h"

/* The mutations of kubeflow's operator (internal/webhook/sparkpod_defaulter.go mutateSparkPod), in its order. */
static const struct mutation {
	const char *name;
	const char *field; /* below spec.driver or spec.executor; with '/' below spec; NULL: every application */
	const char *place; /* in the pod, or with '/' in its Spark container; of an array the length counts */
	bool driver_only;
} mutations[] = {
	{ "ownerReference", NULL, "metadata.ownerReferences", true },
	{ "env", "env", "/env", false },
	{ "envFrom", "envFrom", "/envFrom", false },
	{ "hadoopConfigMap", "/hadoopConfigMap", "spec.volumes", false },
	{ "sparkConfigMap", "/sparkConfigMap", "spec.volumes", false },
	{ "configMaps", "configMaps", "/volumeMounts", false },
	{ "volumes", "volumeMounts", "/volumeMounts", false },
	{ "ports", "ports", "/ports", false },
	{ "hostNetwork", "hostNetwork", "spec.hostNetwork", false },
	{ "hostAliases", "hostAliases", "spec.hostAliases", false },
	{ "initContainers", "initContainers", "spec.initContainers", false },
	{ "sidecars", "sidecars", "spec.containers", false },
	{ "dnsConfig", "dnsConfig", "spec.dnsConfig", false },
	{ "priorityClassName", "priorityClassName", "spec.priorityClassName", false },
	{ "schedulerName", "schedulerName", "spec.schedulerName", false },
	{ "nodeSelector", "nodeSelector", "spec.nodeSelector", false },
	{ "affinity", "affinity", "spec.affinity", false },
	{ "tolerations", "tolerations", "spec.tolerations", false },
	{ "memoryLimit", "memoryLimit", "/resources.limits.memory", false },
	{ "gpu", "gpu", "/resources.limits", false },
	{ "prometheus", "/monitoring", "/ports", false },
	{ "container securityContext", "securityContext", "/securityContext", false },
	{ "pod securityContext", "podSecurityContext", "spec.securityContext", false },
	{ "terminationGracePeriodSeconds", "terminationGracePeriodSeconds", "spec.terminationGracePeriodSeconds",
	  false },
	{ "lifecycle", "lifecycle", "/lifecycle", false },
	{ "shareProcessNamespace", "shareProcessNamespace", "spec.shareProcessNamespace", false },
};

enum { DRIVER, EXECUTOR, ROLES };

static const char *const role_names[ROLES] = { "driver", "executor" };

static bool asks(const struct mutation *m, const struct json *spec, int role)
{
	bool common = m->field && m->field[0] == '/';

	if (!m->field)
		return true;
	return json_get(common ? spec : json_get(spec, role_names[role]), m->field + common);
}

static const struct json *place_of(const struct mutation *m, const struct json *pod, int role)
{
	if (m->place[0] != '/')
		return json_at(pod, m->place);
	return json_at(pod_spark_container(pod, role == DRIVER ? POD_ROLE_DRIVER : POD_ROLE_EXECUTOR), m->place + 1);
}

static bool has_effect(const struct mutation *m, const struct json *item, int role)
{
	const struct json *before = place_of(m, json_get(item, "pod"), role);
	const struct json *after = place_of(m, json_get(item, "mutated"), role);

	if (json_is(after, JSON_ARRAY))
		return json_len(after) != json_len(before);
	return !json_equal(before, after);
}

static void count_file(const char *path, size_t counts[][ROLES])
{
	auto_json document = golden_json(path);
	const struct json *spec = json_at(document, "application.spec");

	json_each (item, json_get(document, "pods")) {
		const struct json *labels = json_at(item, "pod.metadata.labels");
		int role = text_eq(json_text(json_get(labels, LABEL_SPARK_ROLE), ""), "executor") ? EXECUTOR : DRIVER;

		for (size_t i = 0; json_get(item, "mutated") && i < array_len(mutations); i++)
			counts[i][role] += asks(&mutations[i], spec, role) && has_effect(&mutations[i], item, role);
	}
}

static void test_coverage(void **state)
{
	size_t counts[array_len(mutations)][ROLES] = { 0 }, missing = 0;
	glob_t found = { 0 };

	(void)state;
	assert_int_equal(array_len(mutations), 26);
	assert_int_equal(glob(TESTS_DIR "/golden/admission/*.json", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		count_file(found.gl_pathv[i], counts);
	globfree(&found);
	print_message("%-32s %6s %8s\n", "goldens of", "driver", "executor");
	for (size_t i = 0; i < array_len(mutations); i++) {
		print_message("%2zu %-29s %6zu %8zu\n", i + 1, mutations[i].name, counts[i][DRIVER],
			      counts[i][EXECUTOR]);
		missing += !counts[i][DRIVER] || (!counts[i][EXECUTOR] && !mutations[i].driver_only);
	}
	assert_int_equal(missing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_coverage) };

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
