/* AdmissionReview: what is read of a request, what is refused, and what a reply says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "json/patch.h"
#include "kube/review.h"
#include "parse.h"

#define HEAD	   "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\","
#define POD	   "\"resource\":{\"group\":\"\",\"version\":\"v1\",\"resource\":\"pods\"},"
#define CREATE_POD HEAD "\"request\":{\"uid\":\"u-1\"," POD "\"operation\":\"CREATE\",\"object\":{}}}"

static struct review read_review(const char *text)
{
	struct err err = { 0 };
	struct review r;

	if (review_parse(text, strlen(text), &r, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return r;
}

static void test_update(void **state)
{
	static const char text[] = JSON({
		"apiVersion" : "admission.k8s.io/v1",
		"kind" : "AdmissionReview",
		"more" : 1,
		"request" : {
			"uid" : "u-1",
			"kind" :
			    { "group" : "sparkoperator.k8s.io", "version" : "v1beta2", "kind" : "SparkApplication" },
			"resource" : {
				"group" : "sparkoperator.k8s.io",
				"version" : "v1beta2",
				"resource" : "sparkapplications"
			},
			"subResource" : "status",
			"name" : "pi",
			"namespace" : "jobs",
			"operation" : "UPDATE",
			"userInfo" : { "username" : "x" },
			"object" : {
				"metadata" : { "name" : "pi", "managedFields" : [ { "manager" : "kubectl" } ] },
				"a" : 1
			},
			"oldObject" : { "a" : 2 },
			"dryRun" : true,
			"options" : null
		}
	});
	struct review r = read_review(text);

	(void)state;
	assert_string_equal(r.api_version, "admission.k8s.io/v1");
	assert_string_equal(r.uid, "u-1");
	assert_int_equal(r.operation, REVIEW_UPDATE);
	assert_string_equal(r.group, "sparkoperator.k8s.io");
	assert_string_equal(r.version, "v1beta2");
	assert_string_equal(r.plural, "sparkapplications");
	assert_string_equal(r.kind, "SparkApplication");
	assert_string_equal(r.subresource, "status");
	assert_string_equal(r.ns, "jobs");
	assert_string_equal(r.name, "pi");
	assert_true(r.dry_run);
	assert_int_equal(json_i64(r.object, "a", 0), 1);
	assert_int_equal(json_i64(r.old_object, "a", 0), 2);
	assert_string_equal(json_str(r.object, "metadata.name", ""), "pi");
	assert_null(json_at(r.object, "metadata.managedFields"));
	review_done(&r);
	assert_null(r.tree);
}

static void test_operations(void **state)
{
	static const struct {
		const char *rest;
		enum review_operation operation;
		const char *name;
		bool object, old_object;
	} cases[] = {
		{ "\"CREATE\",\"object\":{},\"oldObject\":null", REVIEW_CREATE, "CREATE", true, false },
		{ "\"UPDATE\",\"object\":{},\"oldObject\":{}", REVIEW_UPDATE, "UPDATE", true, true },
		{ "\"DELETE\",\"object\":null,\"oldObject\":{}", REVIEW_DELETE, "DELETE", false, true },
		{ "\"CONNECT\",\"object\":{}", REVIEW_CONNECT, "CONNECT", true, false },
		{ "\"CONNECT\"", REVIEW_CONNECT, "CONNECT", false, false },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_free char *text =
		    xasprintf(HEAD "\"request\":{\"uid\":\"u\"," POD "\"operation\":%s}}", cases[i].rest);
		struct review r = read_review(text);

		assert_int_equal(r.operation, cases[i].operation);
		assert_string_equal(review_operation_name(r.operation), cases[i].name);
		assert_int_equal(r.object != NULL, cases[i].object);
		assert_int_equal(r.old_object != NULL, cases[i].old_object);
		assert_string_equal(r.group, "");
		assert_string_equal(r.plural, "pods");
		assert_string_equal(r.subresource, "");
		assert_string_equal(r.ns, "");
		assert_string_equal(r.name, "");
		assert_string_equal(r.kind, "");
		assert_false(r.dry_run);
		review_done(&r);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "", "AdmissionReview: " },
		{ "{", "AdmissionReview: " },
		{ CREATE_POD "x", "AdmissionReview: " },
		{ "[]", "not an AdmissionReview of" },
		{ "null", "not an AdmissionReview of" },
		{ JSON({ "apiVersion" : "admission.k8s.io/v2", "kind" : "AdmissionReview", "request" : {} }),
		  "not an AdmissionReview of" },
		{ JSON({ "apiVersion" : "admission.k8s.io/v1", "kind" : "Review", "request" : {} }),
		  "not an AdmissionReview of" },
		{ JSON({ "kind" : "AdmissionReview", "request" : {} }), "not an AdmissionReview of" },
		{ HEAD "\"response\":{}}", "request: Required value" },
		{ HEAD "\"request\":null}", "request: Required value" },
		{ HEAD "\"request\":[]}", "request: Required value" },
		{ HEAD "\"request\":{" POD "\"operation\":\"CREATE\",\"object\":{}}}", "request.uid: Required value" },
		{ HEAD "\"request\":{\"uid\":7," POD "\"operation\":\"CREATE\",\"object\":{}}}",
		  "request.uid: Required value" },
		{ HEAD "\"request\":{\"uid\":\"\"," POD "\"operation\":\"CREATE\",\"object\":{}}}",
		  "request.uid: Required value" },
		{ HEAD "\"request\":{\"uid\":\"u\",\"operation\":\"CREATE\",\"object\":{}}}",
		  "request.resource: Required value" },
		{ HEAD "\"request\":{\"uid\":\"u\"," POD "\"object\":{}}}", "request.operation: expected CREATE" },
		{ HEAD "\"request\":{\"uid\":\"u\"," POD "\"operation\":\"create\",\"object\":{}}}",
		  "request.operation: expected" },
		{ HEAD "\"request\":{\"uid\":\"u\"," POD "\"operation\":\"\",\"object\":{}}}",
		  "request.operation: expected" },
		{ HEAD "\"request\":{\"uid\":\"u\"," POD "\"operation\":\"CREATE\",\"object\":[]}}",
		  "request.object: expected an object" },
		{ HEAD "\"request\":{\"uid\":\"u\"," POD "\"operation\":\"DELETE\",\"oldObject\":\"x\"}}",
		  "request.oldObject: expected an object" },
		{ HEAD "\"request\":{\"uid\":\"u\"," POD "\"operation\":\"CREATE\",\"object\":null}}",
		  "request.object: Required value" },
		{ HEAD "\"request\":{\"uid\":\"u\"," POD "\"operation\":\"UPDATE\",\"oldObject\":{}}}",
		  "request.object: Required value" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		struct err err = { 0 };
		struct review r;

		assert_int_equal(review_parse(cases[i].text, strlen(cases[i].text), &r, &err), -ERR_INVALID);
		if (!strstr(err.msg, cases[i].error))
			fail_msg("%s: %s", cases[i].text, err.msg);
		assert_null(r.tree);
	}
}

/* CREATE_POD with a member of so many bytes, made of pieces. */
static int parse_large(const char *piece, size_t size)
{
	auto_buf text = { .max = SIZE_MAX };
	struct err err = { 0 };
	struct review r;
	int rc;

	buf_puts(&text, HEAD "\"request\":{\"uid\":\"u\"," POD "\"operation\":\"CREATE\",\"object\":{\"a\":[\"\"");
	for (size_t i = 0; i < size; i += strlen(piece))
		buf_puts(&text, piece);
	buf_puts(&text, "]}}}");
	rc = review_parse(text.data, text.len, &r, &err);
	if (rc == 0)
		review_done(&r);
	return rc;
}

static void test_small_values_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(parse_large(",\",,,,[[[[{{{{\\\",,,,\"", 1 << 20), 0); /* in strings they do not count */
	assert_int_equal(parse_large(",0", 2 * (REVIEW_MAX_NODES - 100)), 0);
	assert_int_equal(parse_large(",0", 2 * REVIEW_MAX_NODES), -ERR_TOO_LARGE);
	assert_int_equal(parse_large(",[]", 7 << 20), -ERR_TOO_LARGE);
	assert_int_equal(parse_large(",{}", 7 << 20), -ERR_TOO_LARGE);
}

/* The reply to CREATE_POD in this version; frees reply. */
static struct json *printed(const char *request, struct review_reply *reply)
{
	struct review r = read_review(request);
	auto_free char *text = review_reply_print(&r, reply);

	review_done(&r);
	review_reply_done(reply);
	return parse(text);
}

static void test_allowed(void **state)
{
	struct review_reply reply = { 0 };
	auto_json got = printed(CREATE_POD, &reply);
	auto_json want = parse(HEAD "\"response\":{\"uid\":\"u-1\",\"allowed\":true}}");

	(void)state;
	assert_true(json_equal(got, want));
}

static void test_v1beta1(void **state)
{
	static const char text[] = "{\"apiVersion\":\"admission.k8s.io/v1beta1\",\"kind\":\"AdmissionReview\","
				   "\"request\":{\"uid\":\"\\\"\\u0001é\"," POD "\"operation\":\"DELETE\"}}";
	struct review_reply reply = { 0 };
	auto_json got = printed(text, &reply);
	auto_json want = parse("{\"apiVersion\":\"admission.k8s.io/v1beta1\",\"kind\":\"AdmissionReview\","
			       "\"response\":{\"uid\":\"\\\"\\u0001é\",\"allowed\":true}}");

	(void)state;
	assert_true(json_equal(got, want));
}

static char *decoded_patch(const struct json *tree)
{
	size_t len;

	assert_string_equal(json_str(tree, "response.patchType", ""), "JSONPatch");
	return text_base64_decode(json_str(tree, "response.patch", ""), &len);
}

static void test_patch(void **state)
{
	struct review_reply reply = {
		.patch = parse(
		    "[{\"op\":\"test\",\"path\":\"/a\",\"value\":\"<a&b> \xe2\x80\xa8\xe2\x80\xa9\xe2\x82\xac\"}]"),
		.warnings = parse(JSON(["careful"])),
	};
	auto_json got = printed(CREATE_POD, &reply);
	auto_free char *patch = decoded_patch(got);

	(void)state;
	assert_true(json_bool(got, "response.allowed", false));
	assert_null(json_at(got, "response.status"));
	assert_string_equal(json_text(json_first(json_at(got, "response.warnings")), ""), "careful");
	assert_string_equal(patch, "[{\"op\":\"test\",\"path\":\"/a\",\"value\":"
				   "\"\\u003ca\\u0026b\\u003e \\u2028\\u2029\xe2\x82\xac\"}]");
}

static void test_no_change(void **state)
{
	struct review_reply reply = { .patch = json_new_array(), .warnings = json_new_array() };
	auto_json got = printed(CREATE_POD, &reply);

	(void)state;
	assert_null(json_at(got, "response.patch"));
	assert_null(json_at(got, "response.patchType"));
	assert_null(json_at(got, "response.warnings"));
}

static void test_codes(void **state)
{
	static const struct {
		int code;
		const char *reason;
		int want_code;
		const char *want_reason;
	} cases[] = {
		{ 0, NULL, 403, "Forbidden" },	     { 0, "Forbidden", 403, "Forbidden" },
		{ 0, "Invalid", 422, "Invalid" },    { 422, NULL, 422, "Invalid" },
		{ 0, "Unheard", 403, "Unheard" },    { 418, NULL, 418, NULL },
		{ 500, NULL, 500, "InternalError" }, { 409, "AlreadyExists", 409, "AlreadyExists" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		struct review_reply reply = {
			.denied = true, .code = cases[i].code, .reason = cases[i].reason, .message = xstrdup("no")
		};
		auto_json got = printed(CREATE_POD, &reply);
		const char *reason = json_str(got, "response.status.reason", NULL);

		assert_false(json_bool(got, "response.allowed", true));
		assert_string_equal(json_str(got, "response.status.status", ""), "Failure");
		assert_string_equal(json_str(got, "response.status.message", ""), "no");
		assert_int_equal(json_i64(got, "response.status.code", 0), cases[i].want_code);
		assert_true(text_eq(reason, cases[i].want_reason));
		assert_null(json_at(got, "response.status.details"));
	}
}

/* As the API server answers for what it refuses itself. */
static void test_causes(void **state)
{
	static const char request[] =
	    HEAD "\"request\":{\"uid\":\"u-1\",\"kind\":{\"group\":\"g\",\"version\":\"v\",\"kind\":\"K\"},"
		 "\"resource\":{\"group\":\"g\",\"version\":\"v\",\"resource\":\"ks\"},\"name\":\"pi\","
		 "\"operation\":\"CREATE\",\"object\":{}}}";
	static const char causes[] =
	    JSON([ { "reason" : "FieldValueInvalid", "message" : "Invalid value", "field" : "spec.a" } ]);
	struct review_reply reply = {
		.denied = true,
		.reason = "Invalid",
		.message = xstrdup("spec.a: Invalid value"),
		.causes = parse(causes),
		.patch = parse(JSON([ { "op" : "remove", "path" : "/a" } ])),
	};
	auto_json got = printed(request, &reply);
	auto_json want =
	    parse(HEAD "\"response\":{\"uid\":\"u-1\",\"allowed\":false,\"status\":{\"status\":\"Failure\","
		       "\"message\":\"spec.a: Invalid value\",\"reason\":\"Invalid\",\"code\":422,\"details\":{"
		       "\"name\":\"pi\",\"group\":\"g\",\"kind\":\"K\",\"causes\":[{\"reason\":\"FieldValueInvalid\","
		       "\"message\":\"Invalid value\",\"field\":\"spec.a\"}]}}}}");

	(void)state;
	assert_true(json_equal(got, want));
	assert_null(reply.message);
	assert_null(reply.causes);
}

static void test_generated_names_in_details(void **state)
{
	static const char request[] = HEAD "\"request\":{\"uid\":\"u-1\"," POD "\"operation\":\"CREATE\","
					   "\"object\":{\"metadata\":{\"generateName\":\"pi-\"}}}}";
	struct review_reply reply = { .denied = true, .causes = parse(JSON([ { "field" : "a" } ])) };
	auto_json got = printed(request, &reply);

	(void)state;
	assert_string_equal(json_str(got, "response.status.details.name", ""), "pi-");
	assert_null(json_at(got, "response.status.message"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_operations),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_small_values_are_bounded),
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_v1beta1),
		cmocka_unit_test(test_patch),
		cmocka_unit_test(test_no_change),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_generated_names_in_details),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
