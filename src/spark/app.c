/*
 * Reads the tree of a SparkApplication into the view on which logic branches. There is one row per field.
 *
 * Happy path: each row reads a field. The view borrows its strings from the tree. Fails with ERR_INVALID and the name
 * of the field if a field has the wrong type, so one bad object fails alone. The view then has the metadata only.
 */
#include "spark/app.h"

#include <string.h>

#include "json/decode.h"

static const char *const state_names[] = {
#define X(id, text, traits) text,
	APP_STATES(X)
#undef X
	    NULL
};

static const unsigned state_traits[] = {
#define X(id, text, traits) traits,
	APP_STATES(X)
#undef X
};

static const char *const type_names[] = { "Java", "Scala", "Python", "R", NULL };

#define AT(member) offsetof(struct app, member)

static const struct field metadata_rows[] = {
	{ .path = "metadata.namespace", .type = FIELD_STR, .offset = AT(ns) },
	{ .path = "metadata.name", .type = FIELD_STR, .offset = AT(name) },
	{ .path = "metadata.uid", .type = FIELD_STR, .offset = AT(uid) },
	{ .path = "metadata.resourceVersion", .type = FIELD_STR, .offset = AT(resource_version) },
	{ .path = "metadata.generation", .type = FIELD_I64, .offset = AT(generation), .min = INT64_MIN },
	{ .path = "metadata.creationTimestamp", .type = FIELD_TIME, .offset = AT(created_ms) },
};

static const struct field rows[] = {
	{ .path = "spec.type", .type = FIELD_ENUM, .offset = AT(type), .names = type_names },
	{ .path = "spec.suspend", .type = FIELD_BOOL, .offset = AT(suspend) },
	{ .path = "spec.timeToLiveSeconds", .type = FIELD_I64, .offset = AT(ttl_s), .min = INT64_MIN },
	{ .path = "status.applicationState.state", .type = FIELD_ENUM, .offset = AT(state), .names = state_names },
	{ .path = "status.applicationState.errorMessage", .type = FIELD_STR, .offset = AT(error_message) },
	{ .path = "status.submissionAttempts", .type = FIELD_I64, .offset = AT(submission_attempts), .max = INT32_MAX },
	{ .path = "status.executionAttempts", .type = FIELD_I64, .offset = AT(execution_attempts), .max = INT32_MAX },
	{ .path = "status.lastSubmissionAttemptTime", .type = FIELD_TIME, .offset = AT(last_submission_ms) },
	{ .path = "status.terminationTime", .type = FIELD_TIME, .offset = AT(terminated_ms) },
	{ .path = "status.submissionID", .type = FIELD_STR, .offset = AT(submission_id) },
	{ .path = "status.driverInfo.podName", .type = FIELD_STR, .offset = AT(driver_pod_name) },
	{ .path = "status", .type = FIELD_OBJECT, .offset = AT(status) },
};

const char *app_state_text(enum app_state state)
{
	return state_names[state];
}

bool app_state_is(enum app_state state, enum state_trait trait)
{
	return state_traits[state] & trait;
}

void app_metadata(const struct json *tree, struct app *ret)
{
	*ret = (struct app){
		.tree = tree,
		.ns = json_str(tree, "metadata.namespace", ""),
		.name = json_str(tree, "metadata.name", ""),
		.uid = json_str(tree, "metadata.uid", ""),
		.resource_version = json_str(tree, "metadata.resourceVersion", ""),
		.generation = json_i64(tree, "metadata.generation", 0),
		.deleting = json_has(tree, "metadata.deletionTimestamp"),
		.status = json_get(tree, "status"),
	};
}

int app_decode(const struct json *tree, struct app *ret, struct err *err)
{
	struct app meta, whole;
	int rc;

	memset(&meta, 0, sizeof(meta));
	rc = decode(tree, metadata_rows, array_len(metadata_rows), "", &meta, err);
	if (rc)
		return rc;
	meta.tree = tree;
	meta.deleting = json_has(tree, "metadata.deletionTimestamp");
	*ret = meta;
	whole = meta;
	rc = decode(tree, rows, array_len(rows), "", &whole, err);
	if (rc)
		return rc;
	whole.has_ttl = json_has(tree, "spec.timeToLiveSeconds");
	*ret = whole;
	return 0;
}

static void *app_view_new(const struct json *tree, struct err *err)
{
	auto_free struct app *app = xcalloc(1, sizeof(*app));

	if (app_decode(tree, app, err))
		return NULL;
	return take_ptr(app);
}

const struct kind app_kind = {
	.res = &resource_sparkapplication,
	.keep_tree = true,
	.view_new = app_view_new,
	.view_free = free,
};
