/* Pod rows: twice changes nothing, defaulted members count as the same, names of volumes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "spark/digest.h"
#include "submission/pod_rows.h"
#include "parse.h"
#include "spark/names.h"

static const char spec_text[] = JSON({
	"sparkConfigMap" : "sc",
	"hadoopConfigMap" : "hc",
	"volumes" : [ { "name" : "v", "emptyDir" : {} }, { "name" : "u", "emptyDir" : {} } ],
	"driver" : {
		"env" : [
			{ "name" : "A", "value" : "1" },
			{ "name" : "B", "valueFrom" : { "fieldRef" : { "fieldPath" : "x" } } }
		],
		"envFrom" : [ { "secretRef" : { "name" : "s" } } ],
		"configMaps" : [ { "name" : "a.b", "path" : "/a" } ],
		"volumeMounts" :
		    [ { "name" : "v", "mountPath" : "/v" }, { "name" : "v", "mountPath" : "/w", "subPath" : "w" } ],
		"ports" : [ { "name" : "p", "containerPort" : 1, "protocol" : "TCP" } ],
		"hostNetwork" : true,
		"hostAliases" : [ { "ip" : "192.0.2.1", "hostnames" : ["h"] } ],
		"initContainers" : [ { "name" : "i", "image" : "x" } ],
		"sidecars" : [ { "name" : "s", "image" : "y" } ],
		"dnsConfig" : { "nameservers" : ["192.0.2.53"] },
		"priorityClassName" : "high",
		"schedulerName" : "mine",
		"nodeSelector" : { "a" : "b" },
		"affinity" : { "nodeAffinity" : {} },
		"tolerations" : [ { "key" : "k" } ],
		"memoryLimit" : "2g",
		"gpu" : { "name" : "n/gpu", "quantity" : 2 },
		"securityContext" : { "runAsUser" : 1 },
		"podSecurityContext" : { "fsGroup" : 2 },
		"terminationGracePeriodSeconds" : 3,
		"lifecycle" : { "preStop" : {} },
		"shareProcessNamespace" : true
	},
	"executor" : {}
});

static int apply(const struct json *spec, struct json *pod, struct err *err)
{
	struct json *containers = json_at(pod, "spec.containers"), *main = json_find(containers, "name", "main");
	const struct pod_ctx ctx = { .spec = spec,
				     .role = "driver",
				     .container = main ? main : json_first(containers) };

	return pod_rows_apply(&ctx, pod, err);
}

static void twice_changes_nothing(void **state)
{
	auto_json spec = parse(spec_text);
	auto_json pod = parse(JSON({
		"spec" : {
			"containers" : [ { "name" : "other" }, { "name" : "main" } ],
			"priority" : 0,
			"preemptionPolicy" : "x"
		}
	}));
	auto_json once = NULL;
	const struct json *main;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(apply(spec, pod, &err), 0);
	once = json_dup(pod);
	assert_int_equal(apply(spec, pod, &err), 0);
	assert_true(json_equal(once, pod));
	main = json_find(json_at(pod, "spec.containers"), "name", "main");
	assert_int_equal(json_len(json_get(main, "env")), 4);
	assert_int_equal(json_len(json_get(main, "volumeMounts")), 5);
	assert_int_equal(json_len(json_at(pod, "spec.volumes")), 4);
	assert_int_equal(json_len(json_at(pod, "spec.containers")), 3);
	assert_null(json_at(pod, "spec.priority"));
	assert_null(json_at(pod, "spec.preemptionPolicy"));
	assert_string_equal(json_str(main, "resources.limits.memory", ""), "2Gi");
	assert_string_equal(json_text(json_get(json_at(main, "resources.limits"), "n/gpu"), ""), "2");
	assert_null(json_at(json_first(json_at(pod, "spec.containers")), "env"));
}

/* As the API server would hand the pod to a webhook: with its defaults filled in. */
static void defaulted_members_are_no_difference(void **state)
{
	auto_json spec = parse(JSON({
		"volumes" : [ { "name" : "v", "configMap" : { "name" : "c" } } ],
		"driver" : {
			"env" : [ { "name" : "B", "valueFrom" : { "fieldRef" : { "fieldPath" : "x" } } } ],
			"volumeMounts" : [ { "name" : "v", "mountPath" : "/v" } ],
			"sidecars" : [ { "name" : "s", "image" : "y" } ]
		}
	}));
	auto_json pod = parse(JSON({
		"spec" : {
			"containers" : [
				{
					"name" : "main",
					"env" : [ {
						"name" : "B",
						"valueFrom" :
						    { "fieldRef" : { "apiVersion" : "v1", "fieldPath" : "x" } }
					} ],
					"volumeMounts" : [ { "name" : "v", "mountPath" : "/v" } ]
				},
				{ "name" : "s", "image" : "y", "imagePullPolicy" : "Always" }
			],
			"volumes" : [ { "name" : "v", "configMap" : { "name" : "c", "defaultMode" : 420 } } ]
		}
	}));
	auto_json before = json_dup(pod);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(apply(spec, pod, &err), 0);
	assert_true(json_equal(before, pod));
}

static void nothing_asked_nothing_done(void **state)
{
	auto_json spec = parse(JSON({
		"driver" : {
			"hostNetwork" : false,
			"shareProcessNamespace" : false,
			"memoryLimit" : "",
			"schedulerName" : "",
			"priorityClassName" : "",
			"gpu" : { "name" : "g", "quantity" : 0 },
			"env" : null,
			"volumeMounts" : [ { "name" : "spark-local-dir-1", "mountPath" : "/x" } ]
		}
	}));
	auto_json pod = parse(JSON({ "spec" : { "containers" : [ { "name" : "main" } ] } }));
	auto_json before = json_dup(pod);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(apply(spec, pod, &err), 0);
	assert_true(json_equal(before, pod));
}

static void the_first_container_stands_in(void **state)
{
	auto_json spec = parse(JSON({ "driver" : { "env" : [ { "name" : "A", "value" : "1" } ] } }));
	auto_json pod = parse(JSON({ "spec" : { "containers" : [ { "name" : "a" }, { "name" : "b" } ] } }));
	auto_json empty = parse(JSON({ "spec" : {} }));
	struct err err = { 0 };

	(void)state;
	assert_int_equal(apply(spec, pod, &err), 0);
	assert_int_equal(json_len(json_at(json_first(json_at(pod, "spec.containers")), "env")), 1);
	assert_int_equal(apply(spec, empty, &err), -ERR_INVALID);
}

/* The names are those of kubeflow's operator. */
static void volume_names(void **state)
{
	static const char *const rows[][2] = {
		{ "configmap1", "configmap1-vol" },
		{ "spark.application.conf", "spark-application-conf-faf58873-vol" },
		{ "generated-config-name-generated-config-name-generated-config-name",
		  "generated-config-name-generated-config-name-genera-d0f2ef0c-vol" },
		{ "dotted.settings.v1", "dotted-settings-v1-1ff609bb-vol" },
		{ "a-name-of-a-configmap-that-is-much-too-long-to-be-the-name-of-a-volume",
		  "a-name-of-a-configmap-that-is-much-too-long-to-be-353b694f-vol" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *name = names_configmap_volume(rows[i][0]);

		assert_string_equal(name, rows[i][1]);
	}
}

/* FIPS 180-4 examples, and lengths around the padding's edge. */
static void digests(void **state)
{
	static const char *const rows[][2] = {
		{ "", "e3b0c442" },
		{ "abc", "ba7816bf" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "9f4390f8" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "ffe054fe" },
	};
	char out[DIGEST_SHORT_SIZE];

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		assert_string_equal(digest_sha256(rows[i][0], out), rows[i][1]);
}

struct merge {
	const char *spec;
	const char *container; /* members of the pod's only one */
	const char *path;      /* below the pod's spec */
	const char *want;      /* what is there after one application and after two */
};

/* The argument is a JSON object as it is written (see JSON() in json_text.h). */
#define DRIVER(...) "{\"driver\":" #__VA_ARGS__ "}"

static const struct merge merges[] = {
	/* of several variables of a name the last counts */
	{ DRIVER({ "env" : [ { "name" : "A", "value" : "1" } ] }), "\"env\":[{\"name\":\"A\",\"value\":\"1\"}]",
	  "containers.env", JSON([ { "name" : "A", "value" : "1" } ]) },
	{ DRIVER({ "env" : [ { "name" : "A", "value" : "1" } ] }),
	  "\"env\":[{\"name\":\"A\",\"value\":\"1\"},{\"name\":\"A\",\"value\":\"2\"}]", "containers.env",
	  JSON([ { "name" : "A", "value" : "1" }, { "name" : "A", "value" : "2" }, { "name" : "A", "value" : "1" } ]) },
	{ DRIVER({ "env" : [ { "name" : "A", "value" : "1" }, { "name" : "A", "value" : "2" } ] }),
	  "\"env\":[{\"name\":\"A\",\"value\":\"2\"}]", "containers.env", JSON([ { "name" : "A", "value" : "2" } ]) },
	{ DRIVER({ "env" : [ { "name" : "A", "value" : "" } ] }), "\"env\":[{\"name\":\"A\"}]", "containers.env",
	  JSON([ { "name" : "A" } ]) },
	{ DRIVER({ "env" : [ { "name" : "A", "value" : "" } ] }), "\"env\":[{\"name\":\"A\",\"value\":\"1\"}]",
	  "containers.env", JSON([ { "name" : "A", "value" : "1" }, { "name" : "A", "value" : "" } ]) },
	{ JSON({ "hadoopConfigMap" : "h", "driver" : { "env" : [ { "name" : "HADOOP_CONF_DIR", "value" : "/x" } ] } }),
	  "\"env\":[{\"name\":\"HADOOP_CONF_DIR\",\"value\":\"/etc/hadoop/conf\"}]", "containers.env",
	  JSON([ { "name" : "HADOOP_CONF_DIR", "value" : "/etc/hadoop/conf" } ]) },
	{ JSON({ "hadoopConfigMap" : "h", "driver" : { "env" : [ { "name" : "HADOOP_CONF_DIR", "value" : "/x" } ] } }),
	  "", "containers.env", JSON([
		  { "name" : "HADOOP_CONF_DIR", "value" : "/x" },
		  { "name" : "HADOOP_CONF_DIR", "value" : "/etc/hadoop/conf" }
	  ]) },
	/* what tolerates more than the pod's own is not the same */
	{ DRIVER({ "tolerations" : [ { "operator" : "Exists" } ] }), "", "tolerations",
	  JSON([ { "key" : "a", "operator" : "Exists" }, { "operator" : "Exists" } ]) },
	{ DRIVER({ "tolerations" : [ { "key" : "a", "operator" : "Exists" } ] }), "", "tolerations",
	  JSON([ { "key" : "a", "operator" : "Exists" } ]) },
	/* a place is taken once */
	{ JSON({
		  "volumes" : [ { "name" : "v", "emptyDir" : {} } ],
		  "driver" : { "volumeMounts" : [ { "name" : "v", "mountPath" : "/v" } ] }
	  }),
	  "\"volumeMounts\":[{\"name\":\"own\",\"mountPath\":\"/v\"}]", "volumes", JSON([ { "name" : "w" } ]) },
	{ JSON({
		  "volumes" : [ { "name" : "w", "emptyDir" : {} } ],
		  "driver" : { "volumeMounts" : [ { "name" : "w", "mountPath" : "/v" } ] }
	  }),
	  "", "volumes", JSON([ { "name" : "w" } ]) },
	/* sizes in a form of the API server's own */
	{ DRIVER({ "memoryLimit" : "2048m" }), "\"resources\":{\"limits\":{\"memory\":\"2Gi\"}}",
	  "containers.resources", JSON({ "limits" : { "memory" : "2Gi" } }) },
	{ DRIVER({ "memoryLimit" : "3g" }), "\"resources\":{\"limits\":{\"memory\":\"2Gi\"}}", "containers.resources",
	  JSON({ "limits" : { "memory" : "3Gi" } }) },
	/* a batch scheduler goes before */
	{ JSON({ "batchScheduler" : "volcano", "driver" : { "schedulerName" : "own" } }), "", "schedulerName",
	  "\"volcano\"" },
	{ JSON({ "batchScheduler" : null, "driver" : { "schedulerName" : "own" } }), "", "schedulerName", "\"own\"" },
};

static void expect_member(const struct merge *m, const struct json *pod)
{
	bool of_container = strncmp(m->path, "containers.", 11) == 0;
	const struct json *spec = json_get(pod, "spec");
	const struct json *got =
	    of_container ? json_at(json_first(json_get(spec, "containers")), m->path + 11) : json_at(spec, m->path);
	auto_json want = parse(m->want);
	auto_free char *text = json_print(got);

	if (!json_equal(got, want))
		fail_msg("%s: %s, not %s", m->spec, text, m->want);
}

static void what_is_there_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(merges); i++) {
		auto_free char *text = xasprintf("{\"spec\":{\"tolerations\":[{\"key\":\"a\",\"operator\":\"Exists\"}],"
						 "\"volumes\":[{\"name\":\"w\"}],"
						 "\"containers\":[{%s}]}}",
						 merges[i].container);
		auto_json spec = parse(merges[i].spec);
		auto_json pod = parse(text);
		struct err err = { 0 };

		assert_int_equal(apply(spec, pod, &err), 0);
		expect_member(&merges[i], pod);
		assert_int_equal(apply(spec, pod, &err), 0);
		expect_member(&merges[i], pod);
	}
}

static void containers_of_one_name_are_added_once(void **state)
{
	auto_json spec = parse(DRIVER({ "sidecars" : [ { "name" : "s", "image" : "a" } ] }));
	auto_json pod =
	    parse(JSON({ "spec" : { "containers" : [ { "name" : "main" }, { "name" : "s", "image" : "b" } ] } }));
	struct err err = { 0 };

	(void)state;
	assert_int_equal(apply(spec, pod, &err), 0);
	assert_int_equal(apply(spec, pod, &err), 0);
	assert_int_equal(json_len(json_at(pod, "spec.containers")), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_counts),
		cmocka_unit_test(containers_of_one_name_are_added_once),
		cmocka_unit_test(twice_changes_nothing),
		cmocka_unit_test(defaulted_members_are_no_difference),
		cmocka_unit_test(nothing_asked_nothing_done),
		cmocka_unit_test(the_first_container_stands_in),
		cmocka_unit_test(volume_names),
		cmocka_unit_test(digests),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
