/*
 * Whoever reaches the webhook's port may send a review. Input: one byte that chooses the reply, then the request's
 * body. Properties: what is refused has a reason; what is read has a uid, a resource and the objects of its
 * operation; every reply can be read, echoes version and uid, and has patch and patchType both or neither.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "json/patch.h"
#include "kube/review.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_request(const struct review *r)
{
	bool written = r->operation == REVIEW_CREATE || r->operation == REVIEW_UPDATE;

	require(*r->uid && *r->plural && r->group && r->version && r->kind && r->subresource && r->ns && r->name);
	require(*review_operation_name(r->operation));
	require(r->object ? json_is(r->object, JSON_OBJECT) : !written);
	require(!r->old_object || json_is(r->old_object, JSON_OBJECT));
}

/* Denied with the request's name as message, or the patch that makes the object of the old one. */
static struct review_reply choose(const struct review *r, uint8_t choice)
{
	struct review_reply reply = { 0 };

	reply.denied = choice & 1;
	reply.code = choice & 2 ? choice : 0;
	reply.reason = choice & 4 ? "Invalid" : NULL;
	reply.message = xstrdup(r->name);
	reply.causes = choice & 8 ? json_new_array() : NULL;
	if (r->object && r->old_object)
		reply.patch = json_patch_diff(r->old_object, r->object);
	if (choice & 16) {
		reply.warnings = json_new_array();
		json_append_str(reply.warnings, r->ns);
	}
	if (reply.causes)
		json_set_str(json_append(reply.causes, json_new_object()), "field", r->kind);
	return reply;
}

static void check_patch(const struct json *response, const struct json *patch)
{
	const char *base64 = json_str(response, "patch", NULL);
	auto_free char *text = NULL;
	auto_json decoded = NULL;
	struct err err;
	size_t len;

	require(!base64 == !json_at(response, "patchType"));
	require(!base64 == !json_first(patch));
	if (!base64)
		return;
	text = text_base64_decode(base64, &len);
	require(text);
	decoded = json_parse(text, len, &err);
	require(json_len(decoded) == json_len(patch));
}

static void check_reply(const struct review *r, uint8_t choice)
{
	struct review_reply reply = choose(r, choice);
	auto_free char *text = review_reply_print(r, &reply);
	struct err err;
	auto_json tree = json_parse(text, strlen(text), &err);
	const struct json *response = json_get(tree, "response");

	require(text_eq(json_str(tree, "apiVersion", NULL), r->api_version));
	require(text_eq(json_str(response, "uid", NULL), r->uid));
	require(json_bool(response, "allowed", reply.denied) == !reply.denied);
	require(!json_get(response, "status") == !reply.denied);
	check_patch(response, reply.denied ? NULL : reply.patch);
	review_reply_done(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = { 0 };
	struct review r;

	if (size == 0)
		return 0;
	json_setup();
	if (review_parse((const char *)data + 1, size - 1, &r, &err) < 0) {
		require((err.code == ERR_INVALID || err.code == ERR_TOO_LARGE) && *err.msg);
		return 0;
	}
	check_request(&r);
	check_reply(&r, *data);
	review_done(&r);
	return 0;
}
