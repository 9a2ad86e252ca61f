/*
 * What the webhook makes of a pod beside what submission makes of the same application, for the applications of
 * golden/admission: the pods of the application without all that a webhook may add, mutated, are the pods of the whole.
 * So it does not matter who submits. The pods of the whole are left as they are, and so are they with the API server's
 * defaults.
 *
 * Orders of named things (volumes, mounts, variables, containers, ports) mean nothing here, except among equal names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "golden.h"
#include "json/patch.h"
#include "admission/admission.h"
#include "submission/submission.h"
#include "json_text.h"
#include "masked_ids.h"

enum { DRIVER, EXECUTOR, ROLES };

static const char *const role_names[ROLES] = { "driver", "executor" };

static const struct difference {
	const char *golden;
	int role;
	const char *patch; /* of the bare pod after mutation, by names, makes what submission builds */
	const char *reason;
} differences[] = {
	{ "case-env-spark-own", EXECUTOR, JSON([ {
		  "op" : "replace",
		  "path" : "/spec/containers/spark-kubernetes-executor/env/SPARK_USER/value",
		  "value" : "me"
	  } ]),
	  "the driver hands on its own, and the bare one has none" },
	{ "case-template-typed-on-top", DRIVER, JSON([
		  { "op" : "move", "from" : "/spec/affinity/nodeAffinity", "path" : "/spec/affinity/podAffinity" },
		  { "op" : "remove", "path" : "/spec/securityContext/runAsUser" }, {
			  "op" : "remove",
			  "path" : "/spec/containers/spark-kubernetes-driver/securityContext/readOnlyRootFilesystem"
		  }
	  ]),
	  "the field replaces the template's object; the webhook cannot know a template's members from those of "
	  "others" },
	{ "case-template-typed-on-top", EXECUTOR, JSON([
		  { "op" : "remove", "path" : "/spec/containers/spark-kubernetes-executor/lifecycle/postStart" }, {
			  "op" : "remove",
			  "path" : "/spec/containers/spark-kubernetes-executor/securityContext/readOnlyRootFilesystem"
		  }
	  ]),
	  "the same" },
	{ "case-secret-key-refs", DRIVER, JSON([ {
		  "op" : "replace",
		  "path" : "/spec/containers/spark-kubernetes-driver/env/PASSWORD/valueFrom/secretKeyRef/name",
		  "value" : "field"
	  } ]),
	  "a variable that is there stays, even if it came from sparkConf, which has less to say than the field" },
};

/* ---- what is compared ---- */

static const char *key_of(const struct json *array)
{
	static const char *const keys[][2] = {
		{ "volumeMounts", "mountPath" }, { "volumes", "name" },	       { "env", "name" },
		{ "containers", "name" },	 { "initContainers", "name" }, { "ports", "containerPort" },
		{ "ownerReferences", "uid" },
	};

	for (size_t i = 0; i < array_len(keys); i++)
		if (text_eq(json_name(array), keys[i][0]))
			return keys[i][1];
	return NULL;
}

static struct json *by_name(struct json *v);

/* Takes array. */
static struct json *by_key(struct json *array, const char *of, const char *key)
{
	struct json *out = json_new_object(), *item;

	while ((item = json_take_first(array))) {
		const struct json *value = json_get(item, key);
		auto_free char *text = json_is(value, JSON_STRING) ? xstrdup(json_text(value, "")) : json_print(value);
		auto_free char *name = xstrdup(text);

		/* of variables of one name the last holds, and takes the place */
		for (int n = 2; json_get(out, name) && !text_eq(of, "env"); n++) {
			free(name);
			name = xasprintf("%s#%d", text, n);
		}
		json_set(out, name, by_name(item));
	}
	json_free(array);
	return out;
}

/* Takes v: with objects in place of the arrays of named things. */
static struct json *by_name(struct json *v)
{
	struct json *out, *child;

	if (json_is(v, JSON_ARRAY)) {
		out = json_new_array();
		while ((child = json_take_first(v)))
			json_append(out, by_name(child));
		json_free(v);
		return out;
	}
	if (!json_is(v, JSON_OBJECT))
		return v;
	out = json_new_object();
	while ((child = json_take_first(v))) {
		const char *key = json_is(child, JSON_ARRAY) ? key_of(child) : NULL;
		auto_free char *name = xstrdup(json_name(child));

		json_set(out, name, key ? by_key(child, name, key) : by_name(child));
	}
	json_free(v);
	return out;
}

static void apply_differences(const char *golden, int role, struct json **pod)
{
	struct err err = { 0 };

	for (size_t i = 0; i < array_len(differences); i++) {
		const struct difference *d = &differences[i];
		auto_json patch = json_parse(d->patch, strlen(d->patch), &err);

		if (!text_eq(d->golden, golden) || d->role != role)
			continue;
		if (json_patch_apply(pod, patch, &err) < 0)
			fail_msg("differences: %s: %s", golden, err.msg);
	}
}

/* golden: whose differences there may be; NULL: none. */
static bool is_same(const char *golden, int role, const struct json *got, const struct json *want)
{
	auto_json ours = by_name(json_dup(got));
	auto_json theirs = by_name(json_dup(want));
	auto_json patch = NULL;

	if (golden)
		apply_differences(golden, role, &ours);

	if (json_equal(ours, theirs))
		return true;
	patch = json_patch_diff(theirs, ours);
	print_error("%s %s: what makes the webhook's of submission's:\n", golden ? "bare" : "complete",
		    role_names[role]);
	json_each (operation, patch) {
		auto_free char *text = json_print(operation);

		print_error("  %s\n", text);
	}
	return false;
}

/* ---- pods ---- */

/* An application without what a webhook may add. Owned. */
static struct json *bare(const struct json *application)
{
	static const char *const common[] = { "hadoopConfigMap", "sparkConfigMap" };
	static const char *const fields[] = {
		"affinity",
		"configMaps",
		"dnsConfig",
		"env",
		"envFrom",
		"envSecretKeyRefs",
		"gpu",
		"hostAliases",
		"hostNetwork",
		"initContainers",
		"lifecycle",
		"memoryLimit",
		"nodeSelector",
		"podSecurityContext",
		"ports",
		"priorityClassName",
		"schedulerName",
		"secrets",
		"securityContext",
		"shareProcessNamespace",
		"sidecars",
		"terminationGracePeriodSeconds",
		"tolerations",
	};
	struct json *out = json_dup(application), *spec = json_get(out, "spec");

	for (size_t i = 0; i < array_len(common); i++)
		json_remove(spec, common[i]);
	for (int role = 0; role < ROLES; role++)
		for (size_t i = 0; i < array_len(fields); i++)
			json_remove(json_get(spec, role_names[role]), fields[i]);
	return out;
}

/* Mounts that Spark knows nothing of. */
static void remove_mounts(struct json *application, const char *role)
{
	struct json *fields = json_ensure_object(json_get(application, "spec"), role), *mount;
	struct json *all = json_take(fields, "volumeMounts"), *kept = json_new_array();

	while ((mount = json_take_first(all))) {
		if (text_starts(json_str(mount, "name", ""), "spark-local-dir-"))
			json_append(kept, mount);
		else
			json_free(mount);
	}
	json_free(all);
	json_set(fields, "volumeMounts", kept);
}

/* The webhook leaves a pod with the mark of a submission alone. Without the mark it treats the pod as others' pods. */
static void remove_mark(struct json *pod)
{
	struct json *metadata = json_get(pod, "metadata");

	json_remove(json_get(metadata, "annotations"), ANNOTATION_SUBMITTED_SPEC);
	if (json_len(json_get(metadata, "annotations")) == 0)
		json_remove(metadata, "annotations");
}

/* The pods of a submission without its mark and the ids of the run, owned; false if the application is refused. */
static bool build(const struct json *application, struct json *pods[ROLES])
{
	const struct submission_options options = { .master = "k8s://https://10.96.0.1:443", .with_executor = true };
	struct submission s = { 0 };
	struct err err = { 0 };
	struct app app;

	if (app_decode(application, &app, &err) < 0 || submission_build(&app, 1, &options, &s, &err) < 0)
		return false;
	pods[DRIVER] = masked_tree(json_dup(submission_find(&s, "Pod")));
	pods[EXECUTOR] = masked_tree(take_ptr(s.executor));
	remove_mark(pods[DRIVER]);
	remove_mark(pods[EXECUTOR]);
	submission_done(&s);
	return true;
}

static void mutate(const struct json *application, struct json *pod)
{
	struct err err = { 0 };
	struct app app;

	if (app_decode(application, &app, &err) < 0 || admission_mutate_pod(&app, pod, &err) < 0)
		fail_msg("%s", err.msg);
}

/* ---- what the API server adds ---- */

static void set_default(struct json *object, const char *name, const char *value)
{
	if (json_is(object, JSON_OBJECT) && !json_get(object, name))
		json_set_str(object, name, value);
}

static void set_default_i64(struct json *object, const char *name, int64_t value)
{
	if (json_is(object, JSON_OBJECT) && !json_get(object, name))
		json_set_i64(object, name, value);
}

static void default_containers(struct json *containers)
{
	json_each (container, containers) {
		set_default(container, "terminationMessagePath", "/dev/termination-log");
		set_default(container, "terminationMessagePolicy", "File");
		set_default(container, "imagePullPolicy", "IfNotPresent");
		json_ensure_object(container, "resources");
		json_each (port, json_get(container, "ports"))
			set_default(port, "protocol", "TCP");
		json_each (env, json_get(container, "env")) {
			set_default(json_at(env, "valueFrom.fieldRef"), "apiVersion", "v1");
			set_default(json_at(env, "valueFrom.resourceFieldRef"), "divisor", "0");
		}
		json_each (hook, json_get(container, "lifecycle")) {
			set_default(json_get(hook, "httpGet"), "path", "/");
			set_default(json_get(hook, "httpGet"), "scheme", "HTTP");
		}
	}
}

static void default_volumes(struct json *volumes)
{
	static const char *const with_mode[] = { "configMap", "secret", "projected", "downwardAPI" };

	json_each (volume, volumes) {
		for (size_t i = 0; i < array_len(with_mode); i++)
			set_default_i64(json_get(volume, with_mode[i]), "defaultMode", 0644);
		set_default(json_get(volume, "hostPath"), "type", "");
		json_each (item, json_at(volume, "downwardAPI.items"))
			set_default(json_get(item, "fieldRef"), "apiVersion", "v1");
	}
}

/* A pod as a webhook sees it (k8s.io/kubernetes pkg/apis/core/v1/defaults.go and two admission plugins). Owned. */
static struct json *as_admitted(const struct json *pod)
{
	static const char *const taints[] = { "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable" };
	struct json *out = json_dup(pod), *spec = json_get(out, "spec"), *toleration;

	default_containers(json_get(spec, "containers"));
	default_containers(json_get(spec, "initContainers"));
	default_volumes(json_get(spec, "volumes"));
	set_default(spec, "dnsPolicy", "ClusterFirst");
	set_default(spec, "schedulerName", "default-scheduler");
	set_default_i64(spec, "terminationGracePeriodSeconds", 30);
	json_ensure_object(spec, "securityContext");
	json_set_bool(spec, "enableServiceLinks", true);
	json_set_i64(spec, "priority", 0);
	json_set_str(spec, "preemptionPolicy", "PreemptLowerPriority");
	for (size_t i = 0; i < array_len(taints); i++) {
		toleration = json_append(json_ensure_array(spec, "tolerations"), json_new_object());
		json_set_str(toleration, "key", taints[i]);
		json_set_str(toleration, "operator", "Exists");
		json_set_str(toleration, "effect", "NoExecute");
		json_set_i64(toleration, "tolerationSeconds", 300);
	}
	return out;
}

/* ---- goldens ---- */

static size_t compared;

static void run_file(void **state)
{
	const char *path = *state, *base = strrchr(path, '/') + 1;
	auto_free char *golden = xstrndup(base, strlen(base) - strlen(".json"));
	auto_json document = golden_json(path);
	const struct json *application = json_get(document, "application");
	auto_json less = bare(application);
	struct json *whole[ROLES] = { 0 }, *pods[ROLES] = { 0 };
	int failed = 0;

	if (!json_get(document, "pods") || !build(application, whole))
		return;
	for (int role = 0; role < ROLES; role++)
		remove_mounts(less, role_names[role]);
	if (!build(less, pods))
		fail_msg("refused without what a webhook adds");
	for (int role = 0; role < ROLES; role++) {
		auto_json before = json_dup(whole[role]);
		auto_json admitted = as_admitted(before);
		auto_json admitted_before = json_dup(admitted);

		mutate(application, whole[role]);
		mutate(application, admitted);
		failed += !is_same(NULL, role, admitted, admitted_before);
		mutate(application, pods[role]);
		failed += !is_same(NULL, role, whole[role], before);
		failed += !is_same(golden, role, pods[role], before);
		json_free(whole[role]);
		json_free(pods[role]);
	}
	compared++;
	assert_int_equal(failed, 0);
}

/* Most of them are not refused. Runs last. */
static void test_enough(void **state)
{
	(void)state;
	print_message("%zu applications compared\n", compared);
	assert_true(compared >= 60);
}

int main(void)
{
	const char *pattern = TESTS_DIR "/golden/admission/*.json";
	struct CMUnitTest *tests;
	glob_t found = { 0 };
	size_t count;
	int failed;

	json_setup();
	if (glob(pattern, 0, NULL, &found) != 0) {
		print_error("%s: no golden files\n", pattern);
		return 1;
	}
	count = found.gl_pathc;
	tests = xcalloc(count + 1, sizeof(*tests));
	for (size_t i = 0; i < count; i++)
		tests[i] = (struct CMUnitTest){ found.gl_pathv[i], run_file, NULL, NULL, found.gl_pathv[i] };
	tests[count] = (struct CMUnitTest)cmocka_unit_test(test_enough);
	failed = _cmocka_run_group_tests("golden/admission, built", tests, count + 1, NULL, NULL);
	free(tests);
	globfree(&found);
	return failed;
}
