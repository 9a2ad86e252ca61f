/* Paths, words, and the classes of answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "kube/request.h"
#include "json_text.h"

static struct json *parse(const char *text)
{
	struct err err;

	return text ? json_parse(text, strlen(text), &err) : NULL;
}

static void test_path(void **state)
{
	static const struct {
		struct request req;
		const char *path;
	} rows[] = {
		{ { .verb = VERB_LIST, .res = &resource_pod }, "/api/v1/pods" },
		{ { .verb = VERB_LIST, .res = &resource_pod, .ns = "n", .query = "limit=500" },
		  "/api/v1/namespaces/n/pods?limit=500" },
		{ { .verb = VERB_GET, .res = &resource_sparkapplication, .ns = "n", .name = "a" },
		  "/apis/sparkoperator.k8s.io/v1beta2/namespaces/n/sparkapplications/a" },
		{ { .verb = VERB_PATCH,
		    .res = &resource_sparkapplication,
		    .ns = "n",
		    .name = "a",
		    .subresource = "status" },
		  "/apis/sparkoperator.k8s.io/v1beta2/namespaces/n/sparkapplications/a/status" },
		{ { .verb = VERB_GET, .res = &resource_pod, .ns = "../x", .name = "a/b?c d\xc3\xa9" },
		  "/api/v1/namespaces/..%2Fx/pods/a%2Fb%3Fc%20d%C3%A9" },
		{ { .verb = VERB_GET, .res = &resource_pod, .ns = "", .name = "a", .query = "" }, "/api/v1/pods/a" },
		{ { .verb = VERB_GET, .res = &resource_server_version, .name = "" }, "/version" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *path = request_path(&rows[i].req);

		assert_string_equal(path, rows[i].path);
	}
}

static void test_words(void **state)
{
	static const struct {
		enum verb verb;
		const char *method;
		const char *word;
	} rows[] = {
		{ VERB_GET, "GET", "get" },	  { VERB_LIST, "GET", "list" },
		{ VERB_WATCH, "GET", "watch" },	  { VERB_CREATE, "POST", "create" },
		{ VERB_PATCH, "PATCH", "patch" }, { VERB_DELETE, "DELETE", "delete" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct request req = { .verb = rows[i].verb };

		assert_string_equal(request_method(&req), rows[i].method);
		assert_string_equal(request_verb(&req), rows[i].word);
	}
}

static void test_content_type(void **state)
{
	auto_json body = json_new_object();
	struct request req = { .verb = VERB_CREATE, .body = body };

	(void)state;
	assert_string_equal(request_content_type(&req), "application/json");
	req.verb = VERB_DELETE;
	assert_string_equal(request_content_type(&req), "application/json");
	req.verb = VERB_PATCH;
	assert_string_equal(request_content_type(&req), "application/merge-patch+json");
	req.verb = VERB_APPLY;
	assert_string_equal(request_content_type(&req), "application/apply-patch+yaml");
	assert_string_equal(request_method(&req), "PATCH");
	assert_string_equal(request_verb(&req), "patch");
	req.body = NULL;
	assert_null(request_content_type(&req));
}

static void test_describe(void **state)
{
	auto_json pod = parse(JSON({ "metadata" : { "name" : "pi-driver" } }));
	struct {
		struct request req;
		const char *text;
	} rows[] = {
		{ { .verb = VERB_CREATE, .res = &resource_pod, .ns = "default", .body = pod },
		  "create pods default/pi-driver" },
		{ { .verb = VERB_PATCH,
		    .res = &resource_sparkapplication,
		    .ns = "n",
		    .name = "a",
		    .subresource = "status" },
		  "patch sparkapplications/status n/a" },
		{ { .verb = VERB_LIST, .res = &resource_pod }, "list pods" },
		{ { .verb = VERB_WATCH, .res = &resource_pod, .ns = "n" }, "watch pods in n" },
		{ { .verb = VERB_GET, .res = &resource_pod, .name = "a" }, "get pods a" },
		{ { .verb = VERB_GET, .res = &resource_server_version, .name = "" }, "get version" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *text = request_describe(&rows[i].req);

		assert_string_equal(text, rows[i].text);
	}
}

static void test_classes(void **state)
{
	static const struct {
		int status;
		const char *reason;
		enum err_code code;
	} rows[] = {
		{ 400, "BadRequest", ERR_INVALID },
		{ 401, "Unauthorized", ERR_UNAUTHORIZED },
		{ 403, "Forbidden", ERR_DENIED },
		{ 404, "NotFound", ERR_NOT_FOUND },
		{ 405, "MethodNotAllowed", ERR_INVALID },
		{ 406, "NotAcceptable", ERR_INVALID },
		{ 409, "AlreadyExists", ERR_EXISTS },
		{ 409, "Conflict", ERR_CONFLICT },
		{ 409, NULL, ERR_CONFLICT },
		{ 410, "Expired", ERR_GONE },
		{ 410, "Gone", ERR_GONE },
		{ 410, NULL, ERR_GONE },
		{ 500, "Expired", ERR_GONE },
		{ 413, "RequestEntityTooLarge", ERR_TOO_LARGE },
		{ 415, "UnsupportedMediaType", ERR_INVALID },
		{ 422, "Invalid", ERR_INVALID },
		{ 429, "TooManyRequests", ERR_BUSY },
		{ 500, "InternalError", ERR_INTERNAL },
		{ 500, "Timeout", ERR_TIMEOUT },
		{ 502, NULL, ERR_INTERNAL },
		{ 503, "ServiceUnavailable", ERR_BUSY },
		{ 504, "Timeout", ERR_TIMEOUT },
		{ 504, NULL, ERR_TIMEOUT },
		{ 302, NULL, ERR_INTERNAL },
		{ 418, NULL, ERR_INTERNAL },
	};
	struct request req = { .verb = VERB_GET, .res = &resource_pod, .ns = "n", .name = "a" };

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct reply r = { .status = rows[i].status };

		if (rows[i].reason) {
			r.body = json_new_object();
			json_set_str(r.body, "reason", rows[i].reason);
		}
		reply_classify(&r, &req, -1);
		assert_int_equal(r.err.code, rows[i].code);
		assert_int_equal(r.err.retry_after_ms, 0);
		reply_done(&r);
	}
}

static void test_text(void **state)
{
	static const struct {
		int status;
		const char *body;
		bool with_request;
		const char *text;
	} rows[] = {
		{ 422, JSON({ "reason" : "Invalid", "message" : "spec.x: Required value" }), true,
		  "create pods default/a: 422 Invalid: spec.x: Required value" },
		{ 500, JSON({ "message" : "boom" }), true, "create pods default/a: 500: boom" },
		{ 502, NULL, true, "create pods default/a: 502: no message" },
		{ 502, "[1]", true, "create pods default/a: 502: no message" },
		{ 410, JSON({ "reason" : "Expired", "message" : "too old" }), false, "410 Expired: too old" },
		{ 0, JSON({ "reason" : "Expired", "message" : "too old" }), false, "Expired: too old" },
		{ 0, NULL, false, "no message" },
	};
	struct request req = { .verb = VERB_CREATE, .res = &resource_pod, .ns = "default", .name = "a" };

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct reply r = { .status = rows[i].status, .body = parse(rows[i].body) };

		reply_classify(&r, rows[i].with_request ? &req : NULL, -1);
		assert_string_equal(r.err.msg, rows[i].text);
		reply_done(&r);
		assert_null(r.body);
	}
}

static void test_long_message_is_cut(void **state)
{
	struct reply r = { .status = 422, .body = json_new_object() };
	char message[3000];

	(void)state;
	memset(message, 'x', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	json_set_str(r.body, "message", message);
	reply_classify(&r, NULL, -1);
	assert_int_equal(strlen(r.err.msg), ERR_MSG_SIZE - 1);
	reply_done(&r);
}

static void test_retry_after(void **state)
{
	static const struct {
		int64_t header_s;
		const char *body;
		int64_t ms;
	} rows[] = {
		{ -1, NULL, 0 },
		{ 5, NULL, 5000 },
		{ 0, JSON({ "details" : { "retryAfterSeconds" : 7 } }), 0 },
		{ -1, JSON({ "details" : { "retryAfterSeconds" : 7 } }), 7000 },
		{ 2, JSON({ "details" : { "retryAfterSeconds" : 7 } }), 2000 },
		{ -1, JSON({ "details" : { "retryAfterSeconds" : -7 } }), 0 },
		{ -1, JSON({ "details" : { "retryAfterSeconds" : "7" } }), 0 },
		{ 301, NULL, 300000 },
		{ INT64_MAX, NULL, 300000 },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct reply r = { .status = 429, .body = parse(rows[i].body) };

		reply_classify(&r, NULL, rows[i].header_s);
		assert_int_equal(r.err.code, ERR_BUSY);
		assert_int_equal(r.err.retry_after_ms, rows[i].ms);
		reply_done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_content_type),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_long_message_is_cut),
		cmocka_unit_test(test_retry_after),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
