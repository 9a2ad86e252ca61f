/*
 * Requests as paths and words, and answers as error classes.
 *
 * Happy path: request_path gives the URL's path and query, request_method its method; the client sends them and
 * fills a reply. For an answer that is not 2xx reply_classify turns HTTP status and Status object (apimachinery
 * api/errors, StatusReason in meta/v1/types.go) into one of our classes, in the order of the rows of `classes`.
 * An answer that is no Status, as proxies and load balancers make them, is classified by its HTTP status alone.
 */
#include "kube/request.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

enum { RETRY_AFTER_MAX_S = 300 };

static const struct {
	const char *method;
	const char *verb;
} verbs[] = {
	[VERB_GET] = { "GET", "get" },	     [VERB_LIST] = { "GET", "list" },
	[VERB_WATCH] = { "GET", "watch" },   [VERB_CREATE] = { "POST", "create" },
	[VERB_PATCH] = { "PATCH", "patch" }, [VERB_DELETE] = { "DELETE", "delete" },
	[VERB_APPLY] = { "PATCH", "patch" },
};

/* The first row that fits counts. Status 0 fits every status, and reason NULL every reason. */
static const struct {
	int status;
	const char *reason;
	enum err_code code;
} classes[] = {
	{ 0, "Expired", ERR_GONE },    { 0, "Gone", ERR_GONE },
	{ 410, NULL, ERR_GONE },       { 409, "AlreadyExists", ERR_EXISTS },
	{ 409, NULL, ERR_CONFLICT },   { 429, NULL, ERR_BUSY },
	{ 503, NULL, ERR_BUSY },       { 504, NULL, ERR_TIMEOUT },
	{ 0, "Timeout", ERR_TIMEOUT }, { 401, NULL, ERR_UNAUTHORIZED },
	{ 403, NULL, ERR_DENIED },     { 404, NULL, ERR_NOT_FOUND },
	{ 400, NULL, ERR_INVALID },    { 405, NULL, ERR_INVALID },
	{ 406, NULL, ERR_INVALID },    { 415, NULL, ERR_INVALID },
	{ 422, NULL, ERR_INVALID },    { 413, NULL, ERR_TOO_LARGE },
	{ 0, NULL, ERR_INTERNAL },
};

const char *request_method(const struct request *r)
{
	return verbs[r->verb].method;
}

bool request_is_write(const struct request *r)
{
	return r->verb == VERB_CREATE || r->verb == VERB_PATCH || r->verb == VERB_DELETE || r->verb == VERB_APPLY;
}

const char *request_verb(const struct request *r)
{
	return verbs[r->verb].verb;
}

/* Adds the part percent-encoded; an empty part adds nothing. */
static void add_part(struct strv *parts, const char *part)
{
	auto_free char *encoded = NULL;

	if (text_empty(part))
		return;
	encoded = text_url_encode(part);
	strv_add(parts, encoded);
}

char *request_path(const struct request *r)
{
	const struct resource *res = r->res;
	auto_strv parts = { 0 };
	auto_free char *path = NULL;

	if (res->version[0])
		add_part(&parts, res->group[0] ? "apis" : "api");
	add_part(&parts, res->group);
	add_part(&parts, res->version);
	if (!text_empty(r->ns)) {
		add_part(&parts, "namespaces");
		add_part(&parts, r->ns);
	}
	add_part(&parts, res->plural);
	add_part(&parts, r->name);
	add_part(&parts, r->subresource);
	path = strv_join(&parts, "/");
	return xasprintf("/%s%s%s", path, text_empty(r->query) ? "" : "?", r->query ? r->query : "");
}

const char *request_content_type(const struct request *r)
{
	if (!r->body)
		return NULL;
	if (r->verb == VERB_APPLY)
		return "application/apply-patch+yaml"; /* JSON is YAML */
	return r->verb == VERB_PATCH ? "application/merge-patch+json" : "application/json";
}

char *request_describe(const struct request *r)
{
	const char *name = r->name ? r->name : json_str(r->body, "metadata.name", "");
	const char *sub = r->subresource ? r->subresource : "";
	auto_free char *what = xasprintf("%s %s%s%s", request_verb(r), r->res->plural, sub[0] ? "/" : "", sub);

	if (r->verb == VERB_LIST || r->verb == VERB_WATCH)
		return text_empty(r->ns) ? take_ptr(what) : xasprintf("%s in %s", what, r->ns);
	if (text_empty(r->ns))
		return name[0] ? xasprintf("%s %s", what, name) : take_ptr(what);
	return xasprintf("%s %s/%s", what, r->ns, name);
}

void reply_done(struct reply *r)
{
	json_free(r->body);
	*r = (struct reply){ 0 };
}

static enum err_code class_of(int status, const char *reason)
{
	size_t i = 0;

	while ((classes[i].status && classes[i].status != status) ||
	       (classes[i].reason && !text_eq(classes[i].reason, reason)))
		i++;
	return classes[i].code;
}

static int64_t retry_after_ms(const struct reply *r, int64_t header_s)
{
	int64_t s = header_s >= 0 ? header_s : json_i64(r->body, "details.retryAfterSeconds", 0);

	if (s < 0)
		return 0;
	return (s < RETRY_AFTER_MAX_S ? s : RETRY_AFTER_MAX_S) * 1000;
}

/* "422 Invalid: spec.x: Required value"; status and reason are left out if there are none. */
static void set_err_text(struct reply *r)
{
	const char *reason = json_str(r->body, "reason", "");
	const char *message = json_str(r->body, "message", "no message");
	char status[16] = "";

	if (r->status)
		snprintf(status, sizeof(status), "%d%s", r->status, reason[0] ? " " : "");
	err_set(&r->err, class_of(r->status, reason), "%s%s%s%s", status, reason, status[0] || reason[0] ? ": " : "",
		message);
}

void reply_classify(struct reply *r, const struct request *req, int64_t retry_after_s)
{
	set_err_text(r);
	r->err.retry_after_ms = retry_after_ms(r, retry_after_s);
	if (req) {
		auto_free char *what = request_describe(req);

		err_wrap(&r->err, "%s", what);
	}
}

bool reply_names_unknown_fields(const struct err *err)
{
	const char *strict = strstr(err->msg, "strict decoding error: ");

	return err->code == ERR_INVALID && strict && strstr(strict, "unknown field \"");
}
