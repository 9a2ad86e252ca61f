/*
 * AdmissionReview in, AdmissionReview out.
 *
 * Happy path: review_parse reads a request of the API server (apiserver's request/admissionreview.go,
 * CreateAdmissionObjects) and review_reply_print writes what VerifyAdmissionResponse there accepts: the same version
 * and uid, patch and patchType both or neither, a status only with a denial. Failure: parsing refuses everything that
 * the API server would not send. It also refuses a body of too many small values, since its tree would take 40 times
 * its text.
 */
#include "kube/review.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"

static const char *const api_versions[] = { "admission.k8s.io/v1", "admission.k8s.io/v1beta1" };

static const char *const operations[] = {
	[REVIEW_CREATE] = "CREATE",
	[REVIEW_UPDATE] = "UPDATE",
	[REVIEW_DELETE] = "DELETE",
	[REVIEW_CONNECT] = "CONNECT",
};

/* apimachinery's meta/v1/types.go, StatusReason; the first row is the default. */
static const struct {
	int code;
	const char *reason;
} denials[] = {
	{ 403, "Forbidden" },	       { 422, "Invalid" },
	{ 400, "BadRequest" },	       { 401, "Unauthorized" },
	{ 404, "NotFound" },	       { 405, "MethodNotAllowed" },
	{ 409, "Conflict" },	       { 413, "RequestEntityTooLarge" },
	{ 429, "TooManyRequests" },    { 500, "InternalError" },
	{ 503, "ServiceUnavailable" }, { 504, "Timeout" },
};

/* ---- the request ---- */

/* Returns at least the number of nodes that a tree of the text would have. */
static size_t count_nodes(const char *text, size_t len)
{
	bool quoted = false;
	size_t count = 1;

	for (size_t i = 0; i < len; i++) {
		if (quoted && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted)
			count += text[i] == ',' || text[i] == '[' || text[i] == '{';
	}
	return count;
}

static int parse_tree(const char *text, size_t len, struct json **ret, struct err *err)
{
	if (len > REVIEW_MAX_NODES && count_nodes(text, len) > REVIEW_MAX_NODES)
		return err_set(err, ERR_TOO_LARGE, "AdmissionReview: more than %d values", REVIEW_MAX_NODES);
	*ret = json_parse_without(text, len, "metadata", "managedFields", err);
	return *ret ? 0 : err_wrap(err, "AdmissionReview");
}

static const char *find_api_version(const char *text)
{
	for (size_t i = 0; i < array_len(api_versions); i++)
		if (text_eq(text, api_versions[i]))
			return api_versions[i];
	return NULL;
}

/* 0 if unknown. */
static enum review_operation find_operation(const char *text)
{
	for (enum review_operation i = REVIEW_CREATE; i <= REVIEW_CONNECT; i++)
		if (text_eq(text, operations[i]))
			return i;
	return 0;
}

/* *ret is NULL for null and absent members. */
static int get_object(const struct json *request, const char *name, const struct json **ret, struct err *err)
{
	const struct json *value = json_get(request, name);

	*ret = NULL;
	if (!value || json_is(value, JSON_NULL))
		return 0;
	if (!json_is(value, JSON_OBJECT))
		return err_set(err, ERR_INVALID, "AdmissionReview: request.%s: expected an object", name);
	*ret = value;
	return 0;
}

static int read_objects(const struct json *request, struct review *r, struct err *err)
{
	int rc = get_object(request, "object", &r->object, err);

	if (rc == 0)
		rc = get_object(request, "oldObject", &r->old_object, err);
	if (rc < 0)
		return rc;
	if (!r->object && (r->operation == REVIEW_CREATE || r->operation == REVIEW_UPDATE))
		return err_set(err, ERR_INVALID, "AdmissionReview: request.object: Required value");
	return 0;
}

static int read_request(const struct json *request, struct review *r, struct err *err)
{
	if (!json_is(request, JSON_OBJECT))
		return err_set(err, ERR_INVALID, "AdmissionReview: request: Required value");
	r->uid = json_str(request, "uid", "");
	r->operation = find_operation(json_str(request, "operation", NULL));
	r->group = json_str(request, "resource.group", "");
	r->version = json_str(request, "resource.version", "");
	r->plural = json_str(request, "resource.resource", "");
	r->kind = json_str(request, "kind.kind", "");
	r->subresource = json_str(request, "subResource", "");
	r->ns = json_str(request, "namespace", "");
	r->name = json_str(request, "name", "");
	r->dry_run = json_bool(request, "dryRun", false);
	if (!*r->uid)
		return err_set(err, ERR_INVALID, "AdmissionReview: request.uid: Required value");
	if (!*r->plural)
		return err_set(err, ERR_INVALID, "AdmissionReview: request.resource: Required value");
	if (!r->operation)
		return err_set(err, ERR_INVALID,
			       "AdmissionReview: request.operation: expected CREATE, UPDATE, DELETE or CONNECT");
	return read_objects(request, r, err);
}

int review_parse(const char *text, size_t len, struct review *ret, struct err *err)
{
	auto_json tree = NULL;
	int rc;

	*ret = (struct review){ 0 };
	rc = parse_tree(text, len, &tree, err);
	if (rc < 0)
		return rc;
	ret->api_version = find_api_version(json_str(tree, "apiVersion", NULL));
	if (!ret->api_version || !text_eq(json_str(tree, "kind", NULL), "AdmissionReview"))
		return err_set(err, ERR_INVALID, "not an AdmissionReview of admission.k8s.io/v1 or v1beta1");
	rc = read_request(json_get(tree, "request"), ret, err);
	if (rc == 0)
		ret->tree = take_ptr(tree);
	return rc;
}

void review_done(struct review *r)
{
	json_free(r->tree);
	*r = (struct review){ 0 };
}

const char *review_operation_name(enum review_operation operation)
{
	return operations[operation];
}

/* ---- the reply ---- */

void review_reply_done(struct review_reply *r)
{
	free(r->message);
	json_free(r->causes);
	json_free(r->patch);
	json_free(r->warnings);
	*r = (struct review_reply){ 0 };
}

static int code_of(const char *reason)
{
	for (size_t i = 0; reason && i < array_len(denials); i++)
		if (text_eq(reason, denials[i].reason))
			return denials[i].code;
	return denials[0].code;
}

static const char *reason_of(int code)
{
	for (size_t i = 0; i < array_len(denials); i++)
		if (code == denials[i].code)
			return denials[i].reason;
	return NULL;
}

/* As NewInvalid of apimachinery's api/errors fills it. */
static void set_details(struct json *status, const struct review *r, const struct json *causes)
{
	struct json *details;

	if (!json_first(causes))
		return;
	details = json_set(status, "details", json_new_object());
	json_set_str(details, "name", *r->name ? r->name : json_str(r->object, "metadata.generateName", ""));
	json_set_str(details, "group", r->group);
	json_set_str(details, "kind", r->kind);
	json_set(details, "causes", json_dup(causes));
}

static void set_status(struct json *response, const struct review *r, const struct review_reply *reply)
{
	struct json *status = json_set(response, "status", json_new_object());
	int code = reply->code ? reply->code : code_of(reply->reason);

	json_set_str(status, "status", "Failure");
	json_set_str(status, "message", reply->message);
	json_set_str(status, "reason", reply->reason ? reply->reason : reason_of(code));
	set_details(status, r, reply->causes);
	json_set_i64(status, "code", code);
}

static const struct {
	const char *text;
	const char *escape;
} html_escapes[] = {
	{ "<", "\\u003c" },
	{ ">", "\\u003e" },
	{ "&", "\\u0026" },
	{ "\xe2\x80\xa8", "\\u2028" },
	{ "\xe2\x80\xa9", "\\u2029" },
};

/* Adds the first character of text, escaped if it has to be. Returns its length in text. */
static size_t add_escaped(struct buf *out, const char *text)
{
	for (size_t i = 0; i < array_len(html_escapes); i++) {
		if (text_starts(text, html_escapes[i].text)) {
			buf_puts(out, html_escapes[i].escape);
			return strlen(html_escapes[i].text);
		}
	}
	buf_putc(out, *text);
	return 1;
}

/*
 * The text of a patch as Go would write it. The API server's library compares the strings of a "test" with their
 * escapes (evanphx/json-patch v4, lazyNode.equal). The object was written by Go, which escapes the special characters
 * of HTML.
 */
static char *print_patch(const struct json *patch)
{
	auto_free char *plain = json_print(patch);
	struct buf out = { .max = SIZE_MAX };

	for (const char *p = plain; *p;) {
		size_t len = strcspn(p, "<>&\xe2");

		buf_add(&out, p, len);
		p += len;
		if (*p)
			p += add_escaped(&out, p);
	}
	return buf_take(&out);
}

static void set_patch(struct json *response, const struct json *patch)
{
	auto_free char *text = NULL, *base64 = NULL;

	if (!json_first(patch))
		return;
	text = print_patch(patch);
	base64 = text_base64_encode(text, strlen(text));
	json_set_str(response, "patch", base64);
	json_set_str(response, "patchType", "JSONPatch");
}

char *review_reply_print(const struct review *r, const struct review_reply *reply)
{
	auto_json tree = json_new_object();
	struct json *response;

	json_set_str(tree, "kind", "AdmissionReview");
	json_set_str(tree, "apiVersion", r->api_version);
	response = json_set(tree, "response", json_new_object());
	json_set_str(response, "uid", r->uid);
	json_set_bool(response, "allowed", !reply->denied);
	if (reply->denied)
		set_status(response, r, reply);
	else
		set_patch(response, reply->patch);
	if (json_first(reply->warnings))
		json_set(response, "warnings", json_dup(reply->warnings));
	return json_print(tree);
}
