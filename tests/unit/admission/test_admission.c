/* Admission: each path and rule, and what pods get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "json/patch.h"
#include "parse.h"
#include "admission/admission.h"

#define POD_PATH	 "/mutate--v1-pod"
#define MUTATE_PATH	 "/mutate-sparkoperator-k8s-io-v1beta2-sparkapplication"
#define VALIDATE_PATH	 "/validate-sparkoperator-k8s-io-v1beta2-sparkapplication"
#define SCHEDULED_MUTATE "/mutate-sparkoperator-k8s-io-v1beta2-scheduledsparkapplication"
#define CONNECT_MUTATE	 "/mutate-sparkoperator-k8s-io-v1alpha1-sparkconnect"

static const char app_text[] = JSON({
	"apiVersion" : "sparkoperator.k8s.io/v1beta2",
	"kind" : "SparkApplication",
	"metadata" : { "name" : "orders", "namespace" : "team-a", "uid" : "u-1", "resourceVersion" : "1" },
	"spec" : {
		"type" : "Scala",
		"mode" : "cluster",
		"image" : "i:1",
		"mainClass" : "M",
		"mainApplicationFile" : "local:///a.jar",
		"sparkVersion" : "3.5.6",
		"driver" : {
			"cores" : 1,
			"memory" : "1g",
			"memoryLimit" : "2g",
			"gpu" : { "name" : "nvidia.com/gpu", "quantity" : 2 },
			"env" : [ { "name" : "EMPTY", "value" : "" } ],
			"secrets" : [
				{ "name" : "gcp", "path" : "/mnt/gcp", "secretType" : "GCPServiceAccount" },
				{ "name" : "token", "path" : "/mnt/token/", "secretType" : "HadoopDelegationToken" },
				{ "name" : "plain", "path" : "/mnt/plain", "secretType" : "Generic" }
			],
			"envSecretKeyRefs" : { "PASSWORD" : { "name" : "db", "key" : "password" } }
		},
		"executor" : {
			"cores" : 1,
			"memory" : "1g",
			"instances" : 1,
			"gpu" : { "name" : "nvidia.com/gpu", "quantity" : 1 },
			"secrets" : [ { "name" : "gcp", "path" : "/mnt/gcp", "secretType" : "GCPServiceAccount" } ]
		},
		"restartPolicy" : { "type" : "Never" }
	}
});

static const char driver_text[] = JSON({
	"metadata" : {
		"namespace" : "team-a",
		"name" : "d",
		"labels" : { "spark-role" : "driver", "sparkoperator.k8s.io/app-name" : "orders" }
	},
	"spec" : { "containers" : [ { "name" : "spark-kubernetes-driver", "image" : "i:1" } ] }
});

struct world {
	struct store *apps;
	struct store *quotas;
	struct admission a;
};

static struct json *patched(const char *text, const char *patch_text)
{
	struct json *tree = parse(text);
	auto_json patch = parse(patch_text);

	json_merge_apply(tree, patch);
	return tree;
}

static void put(struct store *s, const struct kind *kind, struct json *tree)
{
	struct err err = { 0 };
	struct kobj *o = kobj_new(kind, tree, &err);

	assert_non_null(o);
	store_upsert(s, o);
}

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	w->apps = store_new(&app_kind);
	w->quotas = store_new(&quota_kind);
	w->a.apps = w->apps;
	put(w->apps, &app_kind, parse(app_text));
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	store_free(w->apps);
	store_free(w->quotas);
	free(w);
	return 0;
}

static struct review review_of(enum review_operation operation, const struct resource *res, const struct json *object)
{
	return (struct review){ .api_version = "admission.k8s.io/v1",
				.uid = "r",
				.operation = operation,
				.group = res->group,
				.version = res->version,
				.plural = res->plural,
				.subresource = "",
				.ns = "team-a",
				.name = "",
				.object = object };
}

static void answer(const struct world *w, const char *path, const struct review *r, struct review_reply *reply)
{
	memset(reply, 0, sizeof(*reply));
	for (const struct admission_path *p = admission_paths; p->path; p++) {
		if (!text_eq(p->path, path))
			continue;
		p->fn(&w->a, r, reply);
		return;
	}
	fail_msg("%s: no such path", path);
}

static const char *first_warning(const struct review_reply *reply)
{
	return json_text(json_first(reply->warnings), "");
}

/* Allowed, no patch, and one warning that contains text; NULL: none. Frees reply. */
static void expect_unchanged(struct review_reply *reply, const char *text)
{
	if (reply->denied)
		fail_msg("denied: %s", reply->message);
	assert_int_equal(json_len(reply->patch), 0);
	if (!text && reply->warnings)
		fail_msg("warning: %s", first_warning(reply));
	if (text && !strstr(first_warning(reply), text))
		fail_msg("warning \"%s\" instead of \"%s\"", first_warning(reply), text);
	review_reply_done(reply);
}

static void paths_are_those_of_the_registrations(void **state)
{
	static const char *const paths[][2] = {
		{ POD_PATH, "pod" },
		{ MUTATE_PATH, "sparkapplication" },
		{ SCHEDULED_MUTATE, "scheduledsparkapplication" },
		{ CONNECT_MUTATE, "sparkconnect" },
		{ VALIDATE_PATH, "sparkapplication" },
		{ "/validate-sparkoperator-k8s-io-v1beta2-scheduledsparkapplication", "scheduledsparkapplication" },
		{ "/validate-sparkoperator-k8s-io-v1alpha1-sparkconnect", "sparkconnect" },
	};
	size_t i = 0;

	(void)state;
	for (; admission_paths[i].path; i++) {
		assert_true(i < array_len(paths));
		assert_string_equal(admission_paths[i].path, paths[i][0]);
		assert_string_equal(admission_paths[i].kind, paths[i][1]);
	}
	assert_int_equal(i, array_len(paths));
}

/* ---- pods ---- */

static void driver_gets_what_its_application_says(void **state)
{
	auto_json pod = parse(driver_text);
	auto_json once = NULL;
	struct review r = review_of(REVIEW_CREATE, &resource_pod, pod);
	struct review_reply reply;
	struct err err = { 0 };
	const struct json *main, *env, *owner, *volumes;

	answer(*state, POD_PATH, &r, &reply);
	assert_false(reply.denied);
	assert_null(reply.warnings);
	once = json_dup(pod);
	assert_int_equal(json_patch_apply(&once, reply.patch, &err), 0);
	review_reply_done(&reply);
	main = json_first(json_at(once, "spec.containers"));
	assert_string_equal(json_str(main, "resources.limits.memory", ""), "2Gi");
	assert_string_equal(json_text(json_get(json_at(main, "resources.limits"), "nvidia.com/gpu"), ""), "2");
	env = json_get(main, "env");
	assert_int_equal(json_len(env), 4);
	assert_string_equal(json_str(json_find(env, "name", "GOOGLE_APPLICATION_CREDENTIALS"), "value", ""),
			    "/mnt/gcp/key.json");
	assert_string_equal(json_str(json_find(env, "name", "HADOOP_TOKEN_FILE_LOCATION"), "value", ""),
			    "/mnt/token/hadoop.token");
	assert_string_equal(json_str(json_find(env, "name", "PASSWORD"), "valueFrom.secretKeyRef.key", ""), "password");
	volumes = json_at(once, "spec.volumes");
	assert_int_equal(json_len(volumes), 3);
	assert_string_equal(json_str(json_find(volumes, "name", "plain-volume"), "secret.secretName", ""), "plain");
	assert_string_equal(json_str(json_find(json_get(main, "volumeMounts"), "name", "gcp-volume"), "mountPath", ""),
			    "/mnt/gcp");
	owner = json_first(json_at(once, "metadata.ownerReferences"));
	assert_string_equal(json_str(owner, "uid", ""), "u-1");
	assert_true(json_bool(owner, "controller", false));

	r.object = once;
	answer(*state, POD_PATH, &r, &reply);
	expect_unchanged(&reply, NULL);
}

static void executor_gets_no_owner(void **state)
{
	auto_json pod = patched(driver_text, JSON({ "metadata" : { "labels" : { "spark-role" : "executor" } } }));
	struct review r = review_of(REVIEW_CREATE, &resource_pod, pod);
	struct review_reply reply;
	struct err err = { 0 };
	auto_json mutated = json_dup(pod);
	const struct json *main;

	answer(*state, POD_PATH, &r, &reply);
	assert_int_equal(json_patch_apply(&mutated, reply.patch, &err), 0);
	review_reply_done(&reply);
	main = json_first(json_at(mutated, "spec.containers"));
	assert_null(json_at(mutated, "metadata.ownerReferences"));
	assert_string_equal(json_text(json_get(json_at(main, "resources.limits"), "nvidia.com/gpu"), ""), "1");
	assert_int_equal(json_len(json_get(main, "env")), 1);
	assert_int_equal(json_len(json_get(main, "volumeMounts")), 1);
}

/* What the pod's author has decided is not decided again. */
static void present_secrets_are_left_alone(void **state)
{
	const struct world *w = *state;
	const struct app *app = store_get(w->apps, "team-a/orders")->view;
	auto_json pod = patched(
	    driver_text, JSON({
		    "spec" : {
			    "volumes" : [
				    { "name" : "mine", "secret" : { "secretName" : "other" } },
				    { "name" : "token-volume", "csi" : { "driver" : "x" } }
			    ],
			    "containers" : [ {
				    "name" : "main",
				    "env" : [
					    { "name" : "GOOGLE_APPLICATION_CREDENTIALS", "value" : "/elsewhere" },
					    { "name" : "PASSWORD", "value" : "x" }
				    ],
				    "volumeMounts" : [ { "name" : "mine", "mountPath" : "/mnt/gcp/" } ]
			    } ]
		    }
	    }));
	const struct json *main, *volumes;
	struct err err = { 0 };

	assert_int_equal(admission_mutate_pod(app, pod, &err), 0);
	volumes = json_at(pod, "spec.volumes");
	main = json_first(json_at(pod, "spec.containers"));
	assert_null(json_find(volumes, "name", "gcp-volume"));
	assert_null(json_get(json_find(volumes, "name", "token-volume"), "secret"));
	assert_string_equal(
	    json_str(json_find(json_get(main, "volumeMounts"), "name", "token-volume"), "mountPath", ""),
	    "/mnt/token/");
	assert_int_equal(json_len(json_get(main, "volumeMounts")), 3);
	assert_string_equal(
	    json_str(json_find(json_get(main, "env"), "name", "GOOGLE_APPLICATION_CREDENTIALS"), "value", ""),
	    "/elsewhere");
	assert_string_equal(json_str(json_find(json_get(main, "env"), "name", "PASSWORD"), "value", ""), "x");
	assert_int_equal(json_len(json_get(main, "env")), 4);
}

#define OWNERS(text) "{\"metadata\":{\"ownerReferences\":[" text "]}}"

static void owners(void **state)
{
	static const struct {
		const char *patch;
		size_t count;
		bool controller; /* the last one */
	} rows[] = {
		{ "{}", 1, true },
		{ OWNERS(JSON({ "uid" : "u-1" })), 1, false },
		{ OWNERS(JSON({ "uid" : "x", "controller" : true })), 2, false },
		{ OWNERS(JSON({ "uid" : "x", "controller" : false })), 2, true },
		{ OWNERS(JSON({ "uid" : "x" })), 2, true },
	};
	const struct world *w = *state;
	const struct app *app = store_get(w->apps, "team-a/orders")->view;

	for (size_t i = 0; i < array_len(rows); i++) {
		auto_json pod = patched(driver_text, rows[i].patch);
		const struct json *last = NULL;
		struct err err = { 0 };

		assert_int_equal(admission_mutate_pod(app, pod, &err), 0);
		assert_int_equal(json_len(json_at(pod, "metadata.ownerReferences")), rows[i].count);
		json_each (owner, json_at(pod, "metadata.ownerReferences"))
			last = owner;
		assert_string_equal(json_str(last, "uid", ""), "u-1");
		assert_int_equal(json_bool(last, "controller", false), rows[i].controller);
		assert_int_equal(json_bool(last, "blockOwnerDeletion", false), rows[i].controller);
	}
}

/* As the API server prints quantities, defaults and empty values. */
static void api_server_forms_are_no_difference(void **state)
{
	static const char printed[] = JSON({
		"metadata" : {
			"namespace" : "team-a",
			"name" : "d",
			"labels" : { "spark-role" : "executor", "sparkoperator.k8s.io/app-name" : "printed" }
		},
		"spec" : {
			"hostNetwork" : true,
			"dnsPolicy" : "ClusterFirstWithHostNet",
			"containers" : [ {
				"name" : "main",
				"image" : "i:1",
				"env" : [
					{ "name" : "EMPTY" }, {
						"name" : "IP",
						"valueFrom" : {
							"fieldRef" :
							    { "apiVersion" : "v1", "fieldPath" : "status.podIP" }
						}
					}
				],
				"ports" : [ { "containerPort" : 80, "hostPort" : 80, "protocol" : "TCP" } ],
				"resources" : { "limits" : { "memory" : "2Gi" } },
				"lifecycle" :
				    { "preStop" : { "httpGet" : { "path" : "/", "port" : 80, "scheme" : "HTTP" } } },
				"securityContext" : { "allowPrivilegeEscalation" : false, "runAsUser" : 5 },
				"volumeMounts" : [ { "name" : "v", "mountPath" : "/v" } ]
			} ],
			"volumes" : [ { "name" : "v", "emptyDir" : { "sizeLimit" : "1Gi" } } ]
		}
	});
	const struct world *w = *state;
	auto_json pod = parse(printed);
	struct review r = review_of(REVIEW_CREATE, &resource_pod, pod);
	struct review_reply reply;

	put(w->apps, &app_kind,
	    patched(
		app_text, JSON({
			"metadata" : { "name" : "printed" },
			"spec" : {
				"volumes" : [ { "name" : "v", "emptyDir" : { "sizeLimit" : "1024Mi" } } ],
				"executor" : {
					"gpu" : null,
					"secrets" : null,
					"memoryLimit" : "2048m",
					"hostNetwork" : true,
					"env" : [
						{ "name" : "EMPTY", "value" : "" }, {
							"name" : "IP",
							"valueFrom" :
							    { "fieldRef" : { "fieldPath" : "status.podIP" } }
						}
					],
					"ports" : [ { "containerPort" : 80 } ],
					"securityContext" : { "runAsUser" : 5 },
					"lifecycle" : { "preStop" : { "httpGet" : { "port" : 80 } } },
					"volumeMounts" : [ { "name" : "v", "mountPath" : "/v", "readOnly" : false } ]
				}
			}
		})));
	answer(w, POD_PATH, &r, &reply);
	expect_unchanged(&reply, NULL);
}

static void wrong_fields_are_named(void **state)
{
	static const struct {
		const char *patch; /* of spec.driver */
		const char *message;
	} rows[] = {
		{ JSON({ "memoryLimit" : "1gg" }), "memoryLimit: Invalid value: \"1gg\": expected a size" },
		{ JSON({ "memoryLimit" : "1b" }), "memoryLimit: Invalid value: \"1b\": expected a size" },
		{ JSON({ "secrets" : [ { "name" : "A.b", "path" : "/x" } ] }),
		  "secrets[0].name: Invalid value: \"A.b\": " },
		{ JSON({ "secrets" : [ { "name" : "a", "path" : "x" } ] }), "secrets[0].path: Invalid value: \"x\": " },
		{ JSON({ "envSecretKeyRefs" : { "A" : { "name" : "B C", "key" : "k" } } }),
		  "envSecretKeyRefs[A].name: Invalid value: \"B C\": " },
		{ JSON({ "envSecretKeyRefs" : { "A" : { "name" : "b", "key" : "" } } }),
		  "envSecretKeyRefs[A].key: Invalid value: \"\": " },
	};
	const struct world *w = *state;

	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *patch = xasprintf(
		    "{\"metadata\":{\"resourceVersion\":\"%zu\"},\"spec\":{\"driver\":%s}}", i + 2, rows[i].patch);
		auto_free char *want = xasprintf("SparkApplication team-a/orders: spec.driver.%s", rows[i].message);
		auto_json pod = parse(driver_text);
		struct review r = review_of(REVIEW_CREATE, &resource_pod, pod);
		struct review_reply reply;

		put(w->apps, &app_kind, patched(app_text, patch));
		answer(w, POD_PATH, &r, &reply);
		assert_true(reply.denied);
		assert_int_equal(reply.code, 422);
		assert_string_equal(reply.reason, "Invalid");
		if (!text_starts(reply.message, want))
			fail_msg("%s\nnot %s", reply.message, want);
		assert_null(reply.patch);
		assert_null(reply.causes);
		review_reply_done(&reply);
	}
}

/* Nothing of the shape that the API server makes sure of, and no application of its schema's. */
static void odd_shapes_do_no_harm(void **state)
{
	static const char *const pods[] = {
		JSON({ "spec" : null }),
		JSON({ "spec" : "x" }),
		JSON({ "spec" : { "containers" : [] } }),
		JSON({ "spec" : { "containers" : [7] } }),
		JSON({ "spec" : { "containers" : { "a" : {} } } }),
		JSON({ "spec" : { "volumes" : 7 }, "metadata" : { "ownerReferences" : { "a" : {} } } }),
		JSON({ "spec" : { "containers" : [ { "env" : 7, "volumeMounts" : "x", "resources" : [] } ] } }),
	};
	static const char *const specs[] = {
		"{}",
		JSON({ "driver" : [] }),
		JSON({
			"driver" : {
				"secrets" : { "a" : 7 },
				"envSecretKeyRefs" : [1],
				"nodeSelector" : ["a"],
				"memoryLimit" : 7
			}
		}),
		JSON({
			"driver" : { "env" : { "a" : 7 }, "gpu" : "x", "configMaps" : "x", "sidecars" : { "a" : null } }
		}),
		JSON({
			"volumes" : 7,
			"hadoopConfigMap" : [],
			"sparkConfigMap" : {},
			"monitoring" : [],
			"driver" : { "volumeMounts" : [7], "tolerations" : "x", "lifecycle" : 7, "hostNetwork" : "x" }
		}),
	};
	const struct world *w = *state;
	int version = 2;

	for (size_t k = 0; k < array_len(specs); k++) {
		auto_free char *patch =
		    xasprintf("{\"metadata\":{\"resourceVersion\":\"%d\"},\"spec\":null}", version++);
		auto_free char *again = xasprintf("{\"spec\":%s}", specs[k]);
		auto_json spec = parse(again);
		struct json *tree = patched(app_text, patch);

		json_merge_apply(tree, spec);
		put(w->apps, &app_kind, tree);
		for (size_t i = 0; i < array_len(pods); i++) {
			auto_json pod = patched(driver_text, pods[i]);
			struct review r = review_of(REVIEW_CREATE, &resource_pod, pod);
			struct review_reply reply;

			answer(w, POD_PATH, &r, &reply);
			assert_null(reply.warnings);
			review_reply_done(&reply);
		}
	}
}

/* The argument is a JSON object as it is written (see JSON() in json_text.h). */
#define LABELS(...) "{\"metadata\":{\"labels\":" #__VA_ARGS__ "}}"

static void other_pods_are_left_alone(void **state)
{
	static const struct {
		const char *ns;
		const char *patch;
		const char *warning;
	} rows[] = {
		{ "team-a", LABELS({ "sparkoperator.k8s.io/app-name" : null }), NULL },
		{ "team-a", LABELS({ "sparkoperator.k8s.io/app-name" : "" }), NULL },
		{ "team-a", JSON({ "metadata" : { "labels" : null } }), NULL },
		{ "team-a", JSON({ "metadata" : null }), NULL },
		{ "team-a", LABELS({ "spark-role" : "connect-server" }), "neither driver nor executor" },
		{ "team-a", LABELS({ "spark-role" : null }), "neither driver nor executor" },
		{ "team-a", LABELS({ "sparkoperator.k8s.io/app-name" : "x" }),
		  "SparkApplication team-a/x is not known" },
		{ "team-a", LABELS({ "sparkoperator.k8s.io/app-name" : "odd" }),
		  "SparkApplication team-a/odd cannot be read, its pod is left as it is: spec.type" },
		{ "team-b", "{}", "SparkApplication team-b/orders is not known" },
		{ "team-c", "{}", NULL },
		{ "kube-system", "{}", NULL },
		{ "kube-public", "{}", NULL },
		{ "kube-node-lease", "{}", NULL },
	};
	static const char *const namespaces[] = { "team-a", "team-b", "kube-system" };
	struct world *w = *state;

	w->a.namespaces = namespaces;
	w->a.namespace_count = array_len(namespaces);
	put(w->apps, &app_kind, patched(app_text, JSON({ "metadata" : { "name" : "odd" }, "spec" : { "type" : 7 } })));
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_json pod = patched(driver_text, rows[i].patch);
		struct review r = review_of(REVIEW_CREATE, &resource_pod, pod);
		struct review_reply reply;

		r.ns = rows[i].ns;
		answer(w, POD_PATH, &r, &reply);
		expect_unchanged(&reply, rows[i].warning);
	}
}

static void without_namespaces_all_but_the_systems(void **state)
{
	auto_json pod = parse(driver_text);
	struct review r = review_of(REVIEW_CREATE, &resource_pod, pod);
	struct review_reply reply;

	r.ns = "";
	answer(*state, POD_PATH, &r, &reply);
	assert_true(json_len(reply.patch) > 0);
	review_reply_done(&reply);
	r.ns = "kube-system";
	answer(*state, POD_PATH, &r, &reply);
	expect_unchanged(&reply, NULL);
}

/* ---- every path ---- */

static void only_creations_and_updates_of_the_right_kind(void **state)
{
	const struct world *w = *state;
	auto_json pod = parse(driver_text);

	for (const struct admission_path *p = admission_paths; p->path; p++) {
		static const char *const subresources[] = { "status", "scale", "ephemeralcontainers", "eviction" };
		struct review r = review_of(REVIEW_DELETE, &resource_pod, NULL);
		struct review_reply reply;

		r.old_object = pod;
		answer(w, p->path, &r, &reply);
		expect_unchanged(&reply, NULL);
		r.object = pod;
		r.operation = REVIEW_CONNECT;
		answer(w, p->path, &r, &reply);
		expect_unchanged(&reply, NULL);
		for (size_t i = 0; i < array_len(subresources); i++) {
			r.operation = REVIEW_UPDATE;
			r.subresource = subresources[i];
			answer(w, p->path, &r, &reply);
			expect_unchanged(&reply, NULL);
		}
		r = review_of(REVIEW_CREATE, &resource_configmap, pod);
		answer(w, p->path, &r, &reply);
		expect_unchanged(&reply, "spark-operator: configmaps are not what this webhook is for");
	}
}

static void updates_of_pods_are_left_alone(void **state)
{
	auto_json pod = parse(driver_text);
	struct review r = review_of(REVIEW_UPDATE, &resource_pod, pod);
	struct review_reply reply;

	r.old_object = pod;
	answer(*state, POD_PATH, &r, &reply);
	expect_unchanged(&reply, NULL);
}

/* ---- applications ---- */

static void defaults_come_as_a_patch(void **state)
{
	auto_json object = patched(app_text, JSON({ "spec" : { "mode" : null, "driver" : { "memory" : null } } }));
	auto_json want = parse(app_text);
	auto_json before = json_dup(object);
	struct review r = review_of(REVIEW_CREATE, &resource_sparkapplication, object);
	struct review_reply reply;
	struct err err = { 0 };

	answer(*state, MUTATE_PATH, &r, &reply);
	assert_false(reply.denied);
	assert_true(json_equal(object, before));
	assert_int_equal(json_patch_apply(&object, reply.patch, &err), 0);
	assert_true(json_equal(object, want));
	review_reply_done(&reply);
	r.object = object;
	answer(*state, MUTATE_PATH, &r, &reply);
	expect_unchanged(&reply, NULL);
}

static void other_kinds_have_no_defaults(void **state)
{
	auto_json object = parse(JSON({ "metadata" : { "name" : "x" }, "spec" : {} }));
	struct review r = review_of(REVIEW_CREATE, &resource_scheduledsparkapplication, object);
	struct review_reply reply;

	answer(*state, SCHEDULED_MUTATE, &r, &reply);
	expect_unchanged(&reply, NULL);
	r = review_of(REVIEW_CREATE, &resource_sparkconnect, object);
	answer(*state, CONNECT_MUTATE, &r, &reply);
	expect_unchanged(&reply, NULL);
}

static void updates_count_if_the_spec_changes(void **state)
{
	static const struct {
		const char *path;
		const char *patch; /* object after; the one before has no type and a bad memory */
		bool settled;
	} rows[] = {
		{ MUTATE_PATH, "{}", true },
		{ MUTATE_PATH, JSON({ "metadata" : { "labels" : { "a" : "b" } } }), true },
		{ MUTATE_PATH, JSON({ "spec" : { "arguments" : ["1"] } }), false },
		{ MUTATE_PATH,
		  JSON(
		      { "metadata" : { "deletionTimestamp" : "2026-01-01T00:00:00Z" }, "spec" : { "arguments" : [] } }),
		  true },
		{ VALIDATE_PATH, "{}", true },
		{ VALIDATE_PATH, JSON({ "spec" : { "executor" : { "memory" : "1gg" } } }), false },
		{ VALIDATE_PATH, JSON({
			  "metadata" : { "deletionTimestamp" : "2026-01-01T00:00:00Z" },
			  "spec" : { "executor" : { "memory" : "1gg" } }
		  }),
		  true },
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		auto_json before =
		    patched(app_text, JSON({ "spec" : { "mode" : null, "driver" : { "memory" : "1gg" } } }));
		auto_json object = json_dup(before);
		auto_json patch = parse(rows[i].patch);
		struct review r = review_of(REVIEW_UPDATE, &resource_sparkapplication, object);
		struct review_reply reply;

		r.old_object = before;
		json_merge_apply(object, patch);
		answer(*state, rows[i].path, &r, &reply);
		if ((reply.denied || json_len(reply.patch)) == rows[i].settled)
			fail_msg("%s %s", rows[i].path, rows[i].patch);
		review_reply_done(&reply);
	}
}

static void problems_are_all_in_the_denial(void **state)
{
	auto_json object =
	    patched(app_text, JSON({ "spec" : { "driver" : { "memory" : "1gg" }, "executor" : { "cores" : 0 } } }));
	struct review r = review_of(REVIEW_CREATE, &resource_sparkapplication, object);
	struct review_reply reply;
	const struct json *cause;

	answer(*state, VALIDATE_PATH, &r, &reply);
	assert_true(reply.denied);
	assert_int_equal(reply.code, 422);
	assert_string_equal(reply.reason, "Invalid");
	assert_non_null(strstr(reply.message, "spec.driver.memory: Invalid value: \"1gg\": "));
	assert_non_null(strstr(reply.message, "spec.executor.cores: Invalid value: 0: "));
	assert_int_equal(json_len(reply.causes), 2);
	cause = json_find(reply.causes, "field", "spec.driver.memory");
	assert_string_equal(json_str(cause, "reason", ""), "FieldValueInvalid");
	assert_true(text_starts(json_str(cause, "message", ""), "Invalid value: \"1gg\": "));
	review_reply_done(&reply);
}

/* The object of a creation has them only later. */
static void name_and_namespace_may_be_the_requests(void **state)
{
	static const struct {
		const char *patch;
		const char *name; /* of the request */
		bool denied;
	} rows[] = {
		{ JSON({ "metadata" : { "namespace" : null, "name" : null } }), "orders", false },
		{ JSON({ "metadata" : { "namespace" : null, "name" : null } }), "", true },
		{ JSON({ "metadata" : { "name" : null } }), "1x", true },
		{ JSON({ "metadata" : { "name" : null, "generateName" : "orders-" } }), "", false },
		{ JSON({ "metadata" : { "name" : null, "generateName" : "1-" } }), "", true },
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		auto_json object = patched(app_text, rows[i].patch);
		struct review r = review_of(REVIEW_CREATE, &resource_sparkapplication, object);
		struct review_reply reply;

		r.name = rows[i].name;
		answer(*state, VALIDATE_PATH, &r, &reply);
		if (reply.denied != rows[i].denied)
			fail_msg("%s: %s", rows[i].patch, reply.message ? reply.message : "allowed");
		review_reply_done(&reply);
	}
}

static void quotas_count_if_enforced(void **state)
{
	struct world *w = *state;
	auto_json object = parse(app_text);
	struct review r = review_of(REVIEW_CREATE, &resource_sparkapplication, object);
	struct review_reply reply;

	put(w->quotas, &quota_kind, parse(JSON({
		    "metadata" : { "namespace" : "team-a", "name" : "compute", "uid" : "q", "resourceVersion" : "1" },
		    "spec" : { "hard" : { "cpu" : "1" } }
	    })));
	answer(w, VALIDATE_PATH, &r, &reply);
	expect_unchanged(&reply, NULL);
	w->a.quotas = w->quotas;
	answer(w, VALIDATE_PATH, &r, &reply);
	assert_true(reply.denied);
	assert_int_equal(reply.code, 403);
	assert_string_equal(reply.reason, "Forbidden");
	assert_string_equal(reply.message, "failed to validate resource quota \"team-a/compute\"\n"
					   "  cpu: requested 2, used 0, hard 1");
	review_reply_done(&reply);
	r.operation = REVIEW_UPDATE;
	r.old_object = object;
	answer(w, VALIDATE_PATH, &r, &reply);
	expect_unchanged(&reply, NULL);
}

/* What a bad value of before asks for cannot be counted, so it is no reason to refuse the update. */
static void quotas_do_not_judge_old_problems(void **state)
{
	struct world *w = *state;
	auto_json before = patched(app_text, JSON({ "spec" : { "driver" : { "memory" : "1gg" } } }));
	auto_json object =
	    patched(app_text, JSON({ "spec" : { "driver" : { "memory" : "1gg" }, "timeToLiveSeconds" : 60 } }));
	struct review r = review_of(REVIEW_UPDATE, &resource_sparkapplication, object);
	struct review_reply reply;

	put(w->quotas, &quota_kind, parse(JSON({
		    "metadata" : { "namespace" : "team-a", "name" : "compute", "uid" : "q", "resourceVersion" : "1" },
		    "spec" : { "hard" : { "cpu" : "1" } }
	    })));
	w->a.quotas = w->quotas;
	r.old_object = before;
	answer(w, VALIDATE_PATH, &r, &reply);
	assert_false(reply.denied);
	assert_true(text_starts(first_warning(&reply), "spec.driver.memory: "));
	review_reply_done(&reply);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

/* Another webhook may come after this one. Nobody comes after the controller, which refuses it. */
static void an_image_may_come_later(void **state)
{
	struct world *w = *state;
	auto_json object = patched(app_text, JSON({ "spec" : { "image" : null } }));
	struct review r = review_of(REVIEW_CREATE, &resource_sparkapplication, object);
	struct review_reply reply;

	w->a.rules.is_admission = true;
	answer(w, VALIDATE_PATH, &r, &reply);
	expect_unchanged(&reply,
			 "spec.image: there is no image: the submission will fail, unless another webhook adds");
	w->a.rules.default_image = "apache/spark:{sparkVersion}";
	answer(w, VALIDATE_PATH, &r, &reply);
	expect_unchanged(&reply, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_those_of_the_registrations),
		TEST(an_image_may_come_later),
		TEST(driver_gets_what_its_application_says),
		TEST(executor_gets_no_owner),
		TEST(present_secrets_are_left_alone),
		TEST(owners),
		TEST(api_server_forms_are_no_difference),
		TEST(wrong_fields_are_named),
		TEST(odd_shapes_do_no_harm),
		TEST(other_pods_are_left_alone),
		TEST(without_namespaces_all_but_the_systems),
		TEST(only_creations_and_updates_of_the_right_kind),
		TEST(updates_of_pods_are_left_alone),
		TEST(defaults_come_as_a_patch),
		TEST(other_kinds_have_no_defaults),
		TEST(updates_count_if_the_spec_changes),
		TEST(problems_are_all_in_the_denial),
		TEST(name_and_namespace_may_be_the_requests),
		TEST(quotas_count_if_enforced),
		TEST(quotas_do_not_judge_old_problems),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
