/*
 * Goldens of admission, golden/admission/X.json, of three kinds by their members:
 *
 *   application, pods        pods as plain spark-submit makes them and as the webhook of kubeflow's operator leaves
 *                            them
 *   application, defaulted   an application and what the webhook of kubeflow's operator makes of it
 *   path, review, reply      a review of golden/reviews as an API server sent it, its request changed by the merge
 *                            patch `change` if there is one, and our reply; UPDATE_GOLDEN=1 rewrites it
 *
 * The first two are recorded (golden/admission/record); where we mean to differ stands in `differences`. Whatever a
 * review gets for a patch, the patched object gets none.
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
#include "json_text.h"

#define FOLDER	  TESTS_DIR "/golden/admission/"
#define REVIEWS	  TESTS_DIR "/golden/reviews/"
#define NAMESPACE "default"
#define PATH_POD  "/mutate--v1-pod"
#define PATH_APP  "/mutate-sparkoperator-k8s-io-v1beta2-sparkapplication"

struct difference {
	const char *golden;
	int pod;
	const char *patch; /* makes ours of theirs; NULL: theirs is a refusal, ours leaves the pod alone and warns */
	const char *reason;
};

#define MEMORY(text)                                                                                                   \
	"[{\"op\":\"replace\",\"path\":\"/spec/containers/0/resources/limits/memory\",\"value\":\"" text "\"}]"

static const struct difference differences[] = {
	{ "case-env-value-from", 1,
	  JSON([ { "op" : "remove", "path" : "/spec/containers/0/env/15/valueFrom/resourceFieldRef/divisor" } ]),
	  "Go writes the default" },
	{ "edge-memory-limit-decimal", 1, MEMORY("2.5Gi"), "Go writes a quantity in another form" },
	{ "edge-memory-limit-quantities", 0, MEMORY("3000000000"), "the same" },
	{ "edge-memory-limit-small", 0, MEMORY("1048576Ki"), "the same" },
	{ "edge-memory-limit-units", 0, MEMORY("2048Mi"), "the same" },
	{ "edge-memory-limits", 1, MEMORY("1.5Gi"), "the same" },
	{ "case-name-63", 0, JSON([
		  {
			  "op" : "replace",
			  "path" : "/spec/containers/0/volumeMounts/3/name",
			  "value" : "name-of-exactly-63-characters-which-is-the-most-th-e4c217b2-vol"
		  },
		  {
			  "op" : "replace",
			  "path" : "/spec/volumes/3/name",
			  "value" : "name-of-exactly-63-characters-which-is-the-most-th-e4c217b2-vol"
		  }
	  ]),
	  "theirs is longer than the name of a volume may be" },
	{ "edge-prometheus-long-name", 0, JSON([
		  {
			  "op" : "replace",
			  "path" : "/spec/containers/0/volumeMounts/0/name",
			  "value" : "prometheus-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-181ace3d-vol"
		  },
		  {
			  "op" : "replace",
			  "path" : "/spec/volumes/0/name",
			  "value" : "prometheus-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-181ace3d-vol"
		  }
	  ]),
	  "the same" },
	{ "edge-prometheus-long-name", 1, JSON([
		  {
			  "op" : "replace",
			  "path" : "/spec/containers/0/volumeMounts/0/name",
			  "value" : "prometheus-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-181ace3d-vol"
		  },
		  {
			  "op" : "replace",
			  "path" : "/spec/volumes/0/name",
			  "value" : "prometheus-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-181ace3d-vol"
		  }
	  ]),
	  "the same" },
	{ "edge-config-maps", 0, JSON([ { "op" : "remove", "path" : "/spec/volumes/5" } ]),
	  "one volume serves both mounts; two of one name are no pod" },
	{ "edge-config-maps", 1, JSON([ { "op" : "remove", "path" : "/spec/volumes/5" } ]), "the same" },
	{ "case-template-typed-on-top", 0, JSON([
		  { "op" : "move", "from" : "/spec/affinity/podAffinity", "path" : "/spec/affinity/nodeAffinity" }, {
			  "op" : "add",
			  "path" : "/spec/containers/0/securityContext/readOnlyRootFilesystem",
			  "value" : true
		  },
		  { "op" : "add", "path" : "/spec/securityContext/runAsUser", "value" : 2 }
	  ]),
	  "theirs replaces the object; ours keeps members of which the field says nothing, as an empty one does" },
	{ "case-template-typed-on-top", 1, JSON([
		  {
			  "op" : "add",
			  "path" : "/spec/containers/0/lifecycle/postStart",
			  "value" : { "exec" : { "command" : ["template"] } }
		  },
		  { "op" : "add", "path" : "/spec/containers/0/securityContext/readOnlyRootFilesystem", "value" : true }
	  ]),
	  "the same" },
	{ "edge-empty-objects", 0, JSON([
		  { "op" : "add", "path" : "/spec/affinity/nodeAffinity", "value" : {} },
		  { "op" : "add", "path" : "/spec/dnsConfig/nameservers", "value" : ["10.0.0.1"] },
		  { "op" : "add", "path" : "/spec/securityContext/fsGroup", "value" : 1 }
	  ]),
	  "the same" },
	{ "edge-empty-objects", 1, JSON([
		  { "op" : "add", "path" : "/spec/affinity/nodeAffinity", "value" : {} },
		  { "op" : "add", "path" : "/spec/dnsConfig/nameservers", "value" : ["10.0.0.1"] },
		  { "op" : "add", "path" : "/spec/securityContext/fsGroup", "value" : 1 }
	  ]),
	  "the same" },
	{ "edge-pod-has-other-values", 0, JSON([
		  {
			  "op" : "add",
			  "path" : "/spec/affinity/podAffinity",
			  "value" : {
				  "preferredDuringSchedulingIgnoredDuringExecution" :
				      [ { "podAffinityTerm" : { "topologyKey" : "zone" }, "weight" : 1 } ]
			  }
		  },
		  {
			  "op" : "add",
			  "path" : "/spec/containers/0/lifecycle/preStop",
			  "value" : { "exec" : { "command" : ["false"] } }
		  },
		  {
			  "op" : "add",
			  "path" : "/spec/dnsConfig/options",
			  "value" : [ { "name" : "ndots", "value" : "2" } ]
		  },
		  { "op" : "add", "path" : "/spec/securityContext/runAsNonRoot", "value" : true }
	  ]),
	  "the same" },
	{ "edge-pod-has-other-values", 1, JSON([
		  {
			  "op" : "add",
			  "path" : "/spec/affinity/podAffinity",
			  "value" : {
				  "preferredDuringSchedulingIgnoredDuringExecution" :
				      [ { "podAffinityTerm" : { "topologyKey" : "zone" }, "weight" : 1 } ]
			  }
		  },
		  {
			  "op" : "add",
			  "path" : "/spec/containers/0/lifecycle/preStop",
			  "value" : { "exec" : { "command" : ["false"] } }
		  },
		  {
			  "op" : "add",
			  "path" : "/spec/dnsConfig/options",
			  "value" : [ { "name" : "ndots", "value" : "2" } ]
		  },
		  { "op" : "add", "path" : "/spec/securityContext/runAsNonRoot", "value" : true }
	  ]),
	  "the same" },
	{ "edge-containers-two-names", 0,
	  JSON([ { "op" : "move", "from" : "/spec/containers/1/env/1", "path" : "/spec/containers/2/env/1" } ]),
	  "of two containers the one that has the name of this Spark" },
	{ "edge-owner", 3, JSON([ { "op" : "remove", "path" : "/metadata/ownerReferences/1" } ]),
	  "the owner is there" },
	{ "edge-owner", 4, JSON([
		  { "op" : "remove", "path" : "/metadata/ownerReferences/1/controller" },
		  { "op" : "remove", "path" : "/metadata/ownerReferences/1/blockOwnerDeletion" }
	  ]),
	  "a pod has one controller" },
	{ "default-conf-empty-values", 0, JSON([
		  { "op" : "add", "path" : "/spec/driver/cores", "value" : 1 },
		  { "op" : "add", "path" : "/spec/driver/memory", "value" : "1g" },
		  { "op" : "add", "path" : "/spec/executor/cores", "value" : 1 },
		  { "op" : "add", "path" : "/spec/executor/memory", "value" : "1g" }
	  ]),
	  "an empty property is as if absent, as in a submission" },
	{ "default-dynamic-allocation-by-conf", 0, JSON([ { "op" : "remove", "path" : "/spec/executor/instances" } ]),
	  "theirs looks for spark.dynamicallocation.enabled" },
	{ "default-dynamic-allocation-off-and-conf", 0,
	  JSON([ { "op" : "remove", "path" : "/spec/executor/instances" } ]),
	  "the property holds: the field switches nothing off" },
	{ "edge-labels", 1, NULL, "a pod that is neither driver nor executor is not ours to refuse" },
	{ "edge-labels", 2, NULL, "the same" },
	{ "edge-labels", 3, NULL, "pods of an application that is not known yet are not refused" },
};

static bool difference_used[array_len(differences)];

/* ---- reviews ---- */

struct world {
	struct store *apps;
	struct admission admission;
};

static void world_init(struct world *w, const struct json *application)
{
	memset(w, 0, sizeof(*w));
	w->apps = store_new(&app_kind);
	w->admission.apps = w->apps;
	if (application) {
		struct json *tree = json_dup(application);
		struct err err = { 0 };
		struct kobj *o;

		json_set_str(json_get(tree, "metadata"), "resourceVersion", "1");
		o = kobj_new(&app_kind, tree, &err);
		if (!o)
			fail_msg("%s", err.msg);
		store_upsert(w->apps, o);
	}
}

static void world_done(struct world *w)
{
	store_free(w->apps);
}
#define auto_world __attribute__((cleanup(world_done))) struct world

static struct json *group_version(const char *group, const char *version, const char *what, const char *name)
{
	struct json *out = json_new_object();

	json_set_str(out, "group", group);
	json_set_str(out, "version", version);
	json_set_str(out, what, name);
	return out;
}

/* ns: that of the request; pods of Spark have it there only. */
static struct json *review_new(const char *operation, const char *ns, const struct json *object, const struct json *old)
{
	bool pod = text_eq(json_str(object, "kind", NULL), "Pod");
	const char *group = pod ? "" : "sparkoperator.k8s.io", *version = pod ? "v1" : "v1beta2";
	struct json *review = json_new_object(), *request = json_ensure_object(review, "request");

	json_set_str(review, "apiVersion", "admission.k8s.io/v1");
	json_set_str(review, "kind", "AdmissionReview");
	json_set_str(request, "uid", "11f6a0c4-5a0b-4c0e-8d6e-000000000001");
	json_set(request, "kind", group_version(group, version, "kind", json_str(object, "kind", NULL)));
	json_set(request, "resource", group_version(group, version, "resource", pod ? "pods" : "sparkapplications"));
	json_set_str(request, "operation", operation);
	json_set_str(request, "namespace", ns);
	json_set_str(request, "name", json_str(object, "metadata.name", NULL));
	json_set(request, "object", json_dup(object));
	json_set(request, "oldObject", old ? json_dup(old) : json_new_null());
	return review;
}

static const struct admission_path *path_find(const char *path)
{
	for (const struct admission_path *p = admission_paths; p->path; p++)
		if (text_eq(p->path, path))
			return p;
	fail_msg("%s: no such path", path);
	return NULL;
}

/* The response, from the text that the API server would get. Owned. */
static struct json *respond(const struct world *w, const char *path, const struct json *review)
{
	auto_free char *question = json_print(review), *answer = NULL;
	struct review_reply reply = { 0 };
	struct review r = { 0 };
	struct err err = { 0 };
	auto_json out = NULL;

	if (review_parse(question, strlen(question), &r, &err) < 0)
		fail_msg("review: %s", err.msg);
	path_find(path)->fn(&w->admission, &r, &reply);
	answer = review_reply_print(&r, &reply);
	review_reply_done(&reply);
	review_done(&r);
	out = json_parse(answer, strlen(answer), &err);
	assert_non_null(out);
	assert_string_equal(json_str(out, "apiVersion", ""), json_str(review, "apiVersion", "?"));
	assert_string_equal(json_str(out, "response.uid", ""), json_str(review, "request.uid", "?"));
	return json_take(out, "response");
}

/* The operations of a response; NULL if it has none. Owned. */
static struct json *patch_of(const struct json *response)
{
	const char *encoded = json_str(response, "patch", NULL);
	auto_free char *text = NULL;
	struct err err = { 0 };
	struct json *patch;
	size_t len = 0;

	if (!encoded)
		return NULL;
	assert_string_equal(json_str(response, "patchType", ""), "JSONPatch");
	text = text_base64_decode(encoded, &len);
	assert_non_null(text);
	patch = json_parse(text, len, &err);
	if (!patch)
		fail_msg("patch: %s", err.msg);
	return patch;
}

/* The object after the response's patch. Owned. */
static struct json *patched(const struct json *response, const struct json *object)
{
	auto_json patch = patch_of(response);
	struct json *out = json_dup(object);
	struct err err = { 0 };

	if (patch && json_patch_apply(&out, patch, &err) < 0)
		fail_msg("patch does not apply: %s", err.msg);
	return out;
}

/* ---- theirs and ours ---- */

static const struct difference *difference_of(const char *golden, int pod)
{
	for (size_t i = 0; i < array_len(differences); i++) {
		if (text_eq(differences[i].golden, golden) && differences[i].pod == pod) {
			difference_used[i] = true;
			return &differences[i];
		}
	}
	return NULL;
}

/* What we are to make of it. Owned. */
static struct json *wanted(const struct difference *d, const struct json *theirs)
{
	struct json *want = json_dup(theirs);
	struct err err = { 0 };
	auto_json patch = NULL;

	if (!d || !d->patch)
		return want;
	patch = json_parse(d->patch, strlen(d->patch), &err);
	if (!patch || json_patch_apply(&want, patch, &err) < 0)
		fail_msg("differences: %s: %s", d->golden, err.msg);
	return want;
}

/* Go leaves these out of what it prints, mostly. */
static bool is_zero(const struct json *v)
{
	return json_equal(v, NULL) || json_is(v, JSON_NULL) || (json_is(v, JSON_BOOL) && !json_true(v)) ||
	       text_eq(json_text(v, NULL), "") || (json_is(v, JSON_NUMBER) && json_number(v, 1) == 0);
}

/* Takes out of ours the zeros that theirs does not have. */
static void omit_zeros(struct json *ours, const struct json *theirs)
{
	struct json *next, *other = json_first(theirs);

	if (json_type(ours) != json_type(theirs))
		return;
	for (struct json *child = json_first(ours); child; child = next) {
		next = json_next(child);
		if (json_is(ours, JSON_ARRAY)) {
			omit_zeros(child, other);
			other = json_next(other);
			continue;
		}
		other = json_get(theirs, json_name(child));
		if (!other && is_zero(child))
			json_remove(ours, json_name(child));
		else
			omit_zeros(child, other);
	}
}

/* Of variables with one name the last one counts. Theirs appends one that is there already, ours changes it in its
 * place: so the first place and the last value are compared. */
static void count_last(struct json *container)
{
	auto_json all = json_take(container, "env");
	struct json *env = all ? json_set(container, "env", json_new_array()) : NULL;

	for (struct json *item = json_take_first(all); item; item = json_take_first(all)) {
		struct json *before = json_find(env, "name", json_str(item, "name", ""));

		if (!before) {
			json_append(env, item);
			continue;
		}
		while (json_len(before))
			json_free(json_take_first(before));
		json_each (member, item)
			json_set(before, json_name(member), json_dup(member));
		json_free(item);
	}
}

static void count_last_of_all(struct json *pod)
{
	json_each (container, json_at(pod, "spec.containers"))
		count_last(container);
}

/* Prints what is different. */
static bool is_same(const char *golden, int pod, struct json *got, const struct json *theirs)
{
	auto_json want = json_dup(theirs);
	auto_json patch = NULL;

	omit_zeros(got, want);
	count_last_of_all(want);
	count_last_of_all(got);
	if (json_equal(got, want))
		return true;
	patch = json_patch_diff(want, got);
	print_error("%s, number %d: what makes ours of what was wanted:\n", golden, pod);
	json_each (operation, patch) {
		auto_free char *text = json_print(operation);

		print_error("  %s\n", text);
	}
	return false;
}

/* The same webhook sees the object again, as with a second configuration that names it. */
static void assert_no_more(const struct world *w, const char *path, const char *ns, const struct json *object)
{
	auto_json review = review_new("CREATE", ns, object, NULL);
	auto_json response = respond(w, path, review);
	auto_json patch = patch_of(response);
	auto_free char *text = patch ? json_print(patch) : NULL;

	assert_true(json_bool(response, "allowed", false));
	if (text)
		fail_msg("patched again: %s", text);
}

/* False if the pod is not as it should be. */
static bool run_pod(const struct world *w, const char *ns, const char *golden, int number, const struct json *item)
{
	const struct json *pod = json_get(item, "pod"), *theirs = json_get(item, "mutated");
	const struct difference *d = difference_of(golden, number);
	auto_json review = review_new("CREATE", ns, pod, NULL);
	auto_json response = respond(w, PATH_POD, review);
	auto_json got = patched(response, pod);
	auto_json want = NULL;

	if (!theirs && !d) { /* refused by both */
		assert_false(json_bool(response, "allowed", true));
		assert_true(strlen(json_str(response, "status.message", "")) > 0);
		return true;
	}
	if (!json_bool(response, "allowed", false))
		fail_msg("%s, number %d: %s", golden, number, json_str(response, "status.message", ""));
	want = wanted(d, theirs ? theirs : pod);
	assert_int_equal(json_len(json_get(response, "warnings")) > 0, !theirs);
	assert_no_more(w, PATH_POD, ns, got);
	return is_same(golden, number, got, want);
}

static void run_pods(const char *golden, const struct json *document)
{
	const struct json *application = json_get(document, "application");
	const char *ns = json_str(application, "metadata.namespace", "");
	auto_world w;
	int number = 0, failed = 0;

	world_init(&w, application);
	json_each (item, json_get(document, "pods"))
		failed += !run_pod(&w, ns, golden, number++, item);
	assert_int_equal(failed, 0);
}

/* On update the change is one of the spec, as a user makes it. */
static void run_default(const char *golden, const struct json *document)
{
	static const char *const operations[] = { "CREATE", "UPDATE" };
	const struct json *application = json_get(document, "application");
	auto_json want = wanted(difference_of(golden, 0), json_get(document, "defaulted"));
	auto_json old = json_dup(application);
	auto_world w;

	world_init(&w, NULL);
	json_append_str(json_ensure_array(json_get(old, "spec"), "arguments"), "old");
	for (size_t i = 0; i < array_len(operations); i++) {
		auto_json review = review_new(operations[i], NAMESPACE, application, i ? old : NULL);
		auto_json response = respond(&w, PATH_APP, review);
		auto_json got = patched(response, application);

		assert_true(json_bool(response, "allowed", false));
		assert_no_more(&w, PATH_APP, NAMESPACE, got);
		assert_true(is_same(golden, (int)i, got, want));
	}
}

/* ---- files ---- */

static struct json *read_json(const char *folder, const char *name)
{
	auto_free char *path = xasprintf("%s%s.json", folder, name);

	return golden_json(path);
}

static void write_json(const char *name, const struct json *document)
{
	auto_free char *path = xasprintf("%s%s.json", FOLDER, name);
	auto_free char *text = json_print_pretty(document);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* The patch can be read there. */
static struct json *readable(const struct json *response)
{
	struct json *out = json_dup(response), *patch = patch_of(response);

	json_remove(out, "uid");
	json_remove(out, "patchType");
	if (patch)
		json_set(out, "patch", patch);
	return out;
}

/* The patched object, managed fields and all, is left alone. */
static void assert_reinvoked(const struct world *w, const char *path, struct json *review, const struct json *response)
{
	struct json *request = json_get(review, "request");
	auto_json again = NULL;

	if (!json_get(response, "patch"))
		return;
	json_set(request, "object", patched(response, json_get(request, "object")));
	again = respond(w, path, review);
	assert_true(json_bool(again, "allowed", false) && !json_get(again, "patch"));
}

static void run_reply(const char *golden, struct json *document)
{
	auto_json review = read_json(REVIEWS, json_str(document, "review", ""));
	const char *path = json_str(document, "path", "");
	const struct json *change = json_get(document, "change");
	auto_world w;
	auto_json response = NULL;
	auto_json got = NULL;

	if (change)
		json_merge_apply(json_get(review, "request"), change);
	world_init(&w, json_get(document, "application"));
	response = respond(&w, path, review);
	got = readable(response);
	assert_reinvoked(&w, path, review, response);
	if (getenv("UPDATE_GOLDEN")) {
		json_set(document, "reply", take_ptr(got));
		write_json(golden, document);
		return;
	}
	assert_true(is_same(golden, 0, got, json_get(document, "reply")));
}

static void run_file(void **state)
{
	const char *golden = *state;
	auto_json document = read_json(FOLDER, golden);

	if (json_get(document, "pods"))
		run_pods(golden, document);
	else if (json_get(document, "defaulted"))
		run_default(golden, document);
	else
		run_reply(golden, document);
}

/* Names without folder and ending; the count is at least one. */
static size_t list(const char *folder, char ***ret)
{
	auto_free char *pattern = xasprintf("%s*.json", folder);
	glob_t found = { 0 };
	char **names;
	size_t count;

	if (glob(pattern, 0, NULL, &found) != 0)
		fail_msg("%s: no files", pattern);
	count = found.gl_pathc;
	names = xcalloc(count, sizeof(*names));
	for (size_t i = 0; i < count; i++) {
		const char *name = found.gl_pathv[i] + strlen(folder);

		names[i] = xstrndup(name, strlen(name) - strlen(".json"));
	}
	globfree(&found);
	*ret = names;
	return count;
}

static void list_free(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

/* ---- what holds for all of them ---- */

/* A difference that no golden has any more is to be taken out. Runs last. */
static void test_differences_are_met(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(differences); i++)
		if (!difference_used[i])
			fail_msg("%s, number %d: not met", differences[i].golden, differences[i].pod);
}

static void test_reviews_have_replies(void **state)
{
	size_t count, reviews, found = 0;
	char **names, **wanted_names;

	(void)state;
	count = list(FOLDER, &names);
	reviews = list(REVIEWS, &wanted_names);
	for (size_t i = 0; i < reviews; i++) {
		size_t before = found;

		for (size_t k = 0; k < count; k++) {
			auto_json document = read_json(FOLDER, names[k]);

			found += text_eq(json_str(document, "review", NULL), wanted_names[i]);
		}
		if (found == before)
			fail_msg("golden/reviews/%s.json: no golden has its reply", wanted_names[i]);
	}
	list_free(names, count);
	list_free(wanted_names, reviews);
}

int main(void)
{
	const struct CMUnitTest last[] = {
		cmocka_unit_test(test_reviews_have_replies),
		cmocka_unit_test(test_differences_are_met),
	};
	struct CMUnitTest *tests;
	char **names;
	size_t count;
	int failed;

	json_setup();
	count = list(FOLDER, &names);
	tests = xcalloc(count + array_len(last), sizeof(*tests));
	for (size_t i = 0; i < count; i++)
		tests[i] = (struct CMUnitTest){ names[i], run_file, NULL, NULL, names[i] };
	memcpy(tests + count, last, sizeof(last));
	failed = _cmocka_run_group_tests("golden/admission", tests, count + array_len(last), NULL, NULL);
	list_free(names, count);
	free(tests);
	return failed;
}
