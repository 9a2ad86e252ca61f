/*
 * An AdmissionReview with arbitrary content, at the path that the first byte chooses: whoever may create an object says
 * what is in it. The cache holds three applications, one of them with nearly every field, one with fields of wrong
 * types, and a quota.
 *
 * Properties: the reply is well-formed and echoes uid and version; a dry run gets the same one; a patch applies, only
 * to a creation or update of the object itself, leaves alone what is not the webhook's to change, and the patched
 * object gets none; a denial says why.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "json/patch.h"
#include "admission/admission.h"

enum { INPUT_MAX = 32768 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size); /* libFuzzer's */

static const char *const applications[] = {
	"{\"metadata\":{\"name\":\"plain\",\"namespace\":\"default\",\"uid\":\"a\",\"resourceVersion\":\"1\"},\"spec\":"
	"{}}",
	"{\"metadata\":{\"name\":\"odd\",\"namespace\":\"default\",\"uid\":\"b\",\"resourceVersion\":\"1\"},\"spec\":"
	"{\"hadoopConfigMap\":1,\"sparkConfigMap\":{},\"volumes\":{\"a\":1},\"monitoring\":{\"prometheus\":[],"
	"\"exposeDriverMetrics\":\"x\"},\"executor\":[1],\"driver\":{\"env\":{\"a\":\"b\"},\"envFrom\":[1,null],"
	"\"configMaps\":[{},3],"
	"\"volumeMounts\":[{\"name\":\"a\"},\"x\"],\"ports\":\"x\",\"hostAliases\":[[]],\"sidecars\":[{}],"
	"\"initContainers\":[null],"
	"\"nodeSelector\":[\"a\"],\"affinity\":[],\"tolerations\":{\"a\":{}},\"gpu\":[],\"secrets\":[{\"path\":1}],"
	"\"envSecretKeyRefs\":{\"A\":1},\"lifecycle\":3,\"hostNetwork\":\"true\",\"priorityClassName\":{}}}}",
	"{\"metadata\":{\"name\":\"pi-scala\",\"namespace\":\"default\",\"uid\":\"c\",\"resourceVersion\":\"1\"},"
	"\"spec\":"
	"{\"hadoopConfigMap\":\"h\",\"sparkConfigMap\":\"s\",\"volumes\":[{\"name\":\"data\",\"emptyDir\":{}}],"
	"\"monitoring\":{\"exposeDriverMetrics\":true,\"exposeExecutorMetrics\":true,\"prometheus\":{"
	"\"jmxExporterJar\":\"/a.jar\"}},"
	"\"driver\":{\"env\":[{\"name\":\"A\",\"value\":\"1\"}],\"envFrom\":[{\"configMapRef\":{\"name\":\"m\"}}],"
	"\"configMaps\":[{\"name\":\"a.b\",\"path\":\"/c\"}],\"volumeMounts\":[{\"name\":\"data\",\"mountPath\":\"/"
	"d\"}],"
	"\"ports\":[{\"name\":\"p\",\"protocol\":\"TCP\",\"containerPort\":1}],\"hostNetwork\":true,"
	"\"hostAliases\":[{\"ip\":\"10.0.0.1\",\"hostnames\":[\"h\"]}],\"initContainers\":[{\"name\":\"i\",\"image\":"
	"\"i\"}],"
	"\"sidecars\":[{\"name\":\"s\",\"image\":\"s\"}],\"dnsConfig\":{\"nameservers\":[\"10.0.0.10\"]},"
	"\"priorityClassName\":\"high\",\"schedulerName\":\"own\",\"nodeSelector\":{\"disk\":\"ssd\"},"
	"\"affinity\":{\"nodeAffinity\":{}},\"tolerations\":[{\"key\":\"k\",\"operator\":\"Exists\"}],\"memoryLimit\":"
	"\"2g\","
	"\"gpu\":{\"name\":\"nvidia.com/gpu\",\"quantity\":1},\"securityContext\":{\"runAsUser\":185},"
	"\"podSecurityContext\":{\"fsGroup\":185},\"terminationGracePeriodSeconds\":60,\"lifecycle\":{\"preStop\":{"
	"\"sleep\":{}}},"
	"\"shareProcessNamespace\":true,\"secrets\":[{\"name\":\"gcp\",\"path\":\"/"
	"gcp\",\"secretType\":\"GCPServiceAccount\"}],"
	"\"envSecretKeyRefs\":{\"P\":{\"name\":\"n\",\"key\":\"k\"}}},"
	"\"executor\":{\"env\":[{\"name\":\"B\",\"value\":\"2\"}],\"memoryLimit\":\"much\"}}}",
};

static const char quota[] = "{\"metadata\":{\"name\":\"q\",\"namespace\":\"default\",\"resourceVersion\":\"1\"},"
			    "\"spec\":{\"hard\":{\"cpu\":\"3\","
			    "\"requests.memory\":\"2Gi\"}},\"status\":{\"hard\":{\"cpu\":\"3\",\"requests.memory\":"
			    "\"2Gi\"},\"used\":{\"cpu\":\"500m\"}}}";

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void store_add(struct store *store, const char *text)
{
	struct err err = { 0 };
	struct kobj *o = kobj_new(store_kind(store), json_parse(text, strlen(text), &err), &err);

	require(o);
	store_upsert(store, o);
}

/* Whatever is chosen is compared with an entry that is allowed. */
static struct limits limits_of_world(void)
{
	static struct strv hosts, keys, types, classes;

	strv_add(&hosts, "*.example.com");
	strv_add(&keys, "example.com/*");
	strv_add(&types, "ClusterIP");
	strv_add(&classes, "fast");
	return (struct limits){ { &hosts, &keys, &types, &keys, &keys, &classes }, "10Gi" };
}

static const struct admission *world(void)
{
	static struct admission a;
	struct store *apps, *quotas;

	if (a.apps)
		return &a;
	apps = store_new(&app_kind);
	quotas = store_new(&quota_kind);
	for (size_t i = 0; i < array_len(applications); i++)
		store_add(apps, applications[i]);
	store_add(quotas, quota);
	a = (struct admission){ .apps = apps, .quotas = quotas, .rules.pod_policy = POD_POLICY_BASELINE };
	a.rules.limits = limits_of_world();
	a.rules.ui_url_format = "{{$appName}}.example.com";
	return &a;
}

/* The response, owned; NULL if the text is no review. */
static struct json *ask(const struct admission_path *path, const struct json *review)
{
	auto_free char *text = json_print(review), *answer = NULL;
	struct review_reply reply = { 0 };
	struct review r = { 0 };
	struct err err = { 0 };
	auto_json out = NULL;

	if (review_parse(text, strlen(text), &r, &err) < 0) {
		require((err.code == ERR_INVALID || err.code == ERR_TOO_LARGE) && *err.msg);
		return NULL;
	}
	path->fn(world(), &r, &reply);
	answer = review_reply_print(&r, &reply);
	out = json_parse(answer, strlen(answer), &err);
	require(out && text_eq(json_str(out, "apiVersion", NULL), r.api_version));
	require(text_eq(json_str(out, "response.uid", NULL), r.uid));
	review_reply_done(&reply);
	review_done(&r);
	return json_take(out, "response");
}

static struct json *patch_of(const struct json *response)
{
	struct err err = { 0 };
	size_t len = 0;
	auto_free char *text = NULL;
	struct json *patch;

	if (!json_get(response, "patch"))
		return NULL;
	require(text_eq(json_str(response, "patchType", NULL), "JSONPatch"));
	text = text_base64_decode(json_str(response, "patch", ""), &len);
	require(text);
	patch = json_parse(text, len, &err);
	require(json_len(patch) > 0);
	return patch;
}

/* Who it is and how it fares; of a pod's metadata only the owners are the webhook's business. */
static void check_untouched(const struct json *before, const struct json *now)
{
	auto_json metadata = json_dup(json_get(now, "metadata"));
	auto_json metadata_before = json_dup(json_get(before, "metadata"));

	json_remove(metadata, "ownerReferences");
	json_remove(metadata_before, "ownerReferences");
	require(json_equal(metadata, metadata_before));
	require(json_equal(json_get(now, "status"), json_get(before, "status")));
	require(json_equal(json_get(now, "kind"), json_get(before, "kind")));
}

static void check_dry_run(const struct admission_path *path, struct json *review, const struct json *response)
{
	struct json *request = json_get(review, "request");
	auto_json rehearsed = NULL;

	json_set_bool(request, "dryRun", !json_bool(request, "dryRun", false));
	rehearsed = ask(path, review);
	require(json_equal(rehearsed, response));
}

/* After a patch of an update the spec may be what it was, and then nothing is denied any more; but nothing more is
 * changed. */
static void check_patch(const struct admission_path *path, struct json *review, const struct json *patch)
{
	struct json *request = json_get(review, "request");
	struct json *object = json_dup(json_get(request, "object"));
	const char *operation = json_str(request, "operation", "");
	struct err err = { 0 };
	auto_json again = NULL;

	require(text_eq(operation, "CREATE") || text_eq(operation, "UPDATE"));
	require(text_empty(json_str(request, "subResource", NULL)));
	require(json_patch_apply(&object, patch, &err) == 0);
	check_untouched(json_get(request, "object"), object);
	json_set(request, "object", object);
	again = ask(path, review);
	require(json_bool(again, "allowed", false) && !json_get(again, "patch"));
}

static void run(const struct admission_path *path, struct json *review)
{
	auto_json response = ask(path, review);
	auto_json patch = NULL;

	if (!response)
		return;
	check_dry_run(path, review, response);
	patch = patch_of(response);
	if (!json_bool(response, "allowed", false))
		require(!patch && !text_empty(json_str(response, "status.message", NULL)));
	else if (patch)
		check_patch(path, review, patch);
}

/* ---- mutation of trees: bytes alone would mostly give what is no JSON ---- */

static size_t nodes(const struct json *v)
{
	size_t count = 1;

	if (json_is(v, JSON_OBJECT) || json_is(v, JSON_ARRAY))
		json_each (child, v)
			count += nodes(child);
	return count;
}

/* In place of a value; NULL: nothing. */
static struct json *strange(unsigned seed)
{
	static const char *const texts[] = { "null",   "true",	"0",	    "-1",	  "1e300",
					     "\"\"",   "\"x\"", "\"/a.b\"", "[]",	  "{}",
					     "[null]", "[{}]",	"[[1]]",    "{\"a\":{}}", "[\"x\",\"x\"]" };
	struct err err;
	size_t i = seed % (array_len(texts) + 1);

	return i < array_len(texts) ? json_parse(texts[i], strlen(texts[i]), &err) : NULL;
}

/* Takes v, whose node number *left becomes a strange one. */
static struct json *changed(struct json *v, size_t *left, unsigned seed)
{
	bool array = json_is(v, JSON_ARRAY);
	struct json *out, *child, *other;

	if ((*left)-- == 0) {
		json_free(v);
		return strange(seed);
	}
	if (!array && !json_is(v, JSON_OBJECT))
		return v;
	out = array ? json_new_array() : json_new_object();
	while ((child = json_take_first(v))) {
		auto_free char *name = array ? NULL : xstrdup(json_name(child));

		other = changed(child, left, seed);
		if (other && array)
			json_append(out, other);
		else if (other)
			json_set(out, name, other);
	}
	json_free(v);
	return out;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	struct err err;
	auto_json review = NULL;
	auto_free char *text = NULL;
	size_t left, len;

	json_setup();
	if (size > 1 && seed % 4)
		review = json_parse((const char *)data + 1, size - 1, &err);
	if (!review)
		return LLVMFuzzerMutate(data, size, max_size);
	left = seed / 64 % nodes(review);
	review = changed(review, &left, seed / 4);
	text = review ? json_print(review) : xstrdup("");
	len = strlen(text);
	if (len + 1 > max_size)
		return LLVMFuzzerMutate(data, size, max_size);
	memcpy(data + 1, text, len);
	return len + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t count = 0;
	struct err err = { 0 };
	auto_json review = NULL;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	json_setup();
	while (admission_paths[count].path)
		count++;
	require(count > 0);
	review = json_parse((const char *)data + 1, size - 1, &err);
	if (json_is(review, JSON_OBJECT))
		run(&admission_paths[(uint8_t)(data[0] - '0') % count], review);
	return 0;
}
