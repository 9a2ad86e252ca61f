/* Quotas: rows of a quota and an application, and what is said of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "quota.h"
#include "base/text.h"
#include "parse.h"
#include "admission/admission.h"

/* Driver 1 CPU and 1024 + 384 MiB, two executors of the same. */
static const char base[] = JSON({
	"metadata" : { "name" : "orders", "namespace" : "team-a", "uid" : "u" },
	"spec" : {
		"type" : "Scala",
		"mode" : "cluster",
		"image" : "i:1",
		"mainClass" : "M",
		"mainApplicationFile" : "local:///a.jar",
		"sparkVersion" : "3.5.6",
		"driver" : {},
		"executor" : { "instances" : 2 }
	}
});

static struct json *application(const char *patch_text)
{
	struct json *tree = parse(base);
	auto_json patch = parse(patch_text);

	json_merge_apply(tree, patch);
	return tree;
}

static void put_quota(struct store *quotas, const char *ns, const char *name, const char *body)
{
	auto_free char *text = xasprintf(
	    "{\"metadata\":{\"namespace\":\"%s\",\"name\":\"%s\",\"uid\":\"%s\",\"resourceVersion\":\"1\"},%s}", ns,
	    name, name, body);
	struct err err = { 0 };
	struct kobj *o = kobj_new(&quota_kind, parse(text), &err);

	assert_non_null(o);
	store_upsert(quotas, o);
}

static int check(const struct store *quotas, const char *patch, const char *before_patch, struct err *err)
{
	auto_json tree = application(patch);
	auto_json before_tree = application(before_patch ? before_patch : "{}");
	struct app app, before;

	memset(err, 0, sizeof(*err));
	assert_int_equal(app_decode(tree, &app, err), 0);
	assert_int_equal(app_decode(before_tree, &before, err), 0);
	return quota_check(quotas, &app, before_patch ? &before : NULL, &(const struct rule_options){ 0 }, err);
}

/* HARD, SPEC and EXEC take a JSON object as it is written (see JSON() in json_text.h), USED and STATE literals. */
#define HARD(...)	  "\"spec\":{\"hard\":" #__VA_ARGS__ "}"
#define USED(hard, used)  "\"spec\":{\"hard\":" hard "},\"status\":{\"used\":" used "}"
#define SPEC(...)	  "{\"spec\":" #__VA_ARGS__ "}"
#define EXEC(...)	  "{\"spec\":{\"executor\":" #__VA_ARGS__ "}}"
#define STATE(name, spec) "{\"status\":{\"applicationState\":{\"state\":\"" name "\"}},\"spec\":" spec "}"

static const struct {
	const char *quota;
	const char *patch;  /* of the application */
	const char *before; /* patch that makes the one before; NULL: creation */
	const char *lines;  /* after the first; NULL: fits */
} rows[] = {
	/* each name of a resource, at the border */
	{ HARD({ "cpu" : "3" }), "{}", NULL, NULL },
	{ HARD({ "cpu" : "2999m" }), "{}", NULL, "  cpu: requested 3, used 0, hard 2999m" },
	{ HARD({ "requests.cpu" : 3 }), "{}", NULL, NULL },
	{ HARD({ "requests.cpu" : "2" }), "{}", NULL, "  requests.cpu: requested 3, used 0, hard 2" },
	{ HARD({ "limits.cpu" : "2" }), "{}", NULL, "  limits.cpu: requested 3, used 0, hard 2" },
	{ HARD({ "memory" : "4224Mi" }), "{}", NULL, NULL },
	{ HARD({ "memory" : "4223Mi" }), "{}", NULL, "  memory: requested 4224Mi, used 0, hard 4223Mi" },
	{ HARD({ "requests.memory" : "4Gi" }), "{}", NULL, "  requests.memory: requested 4224Mi, used 0, hard 4Gi" },
	{ HARD({ "limits.memory" : "4Gi" }), "{}", NULL, "  limits.memory: requested 4224Mi, used 0, hard 4Gi" },
	{ HARD({ "pods" : "1", "requests.storage" : "0" }), "{}", NULL, NULL },
	/* what is used already */
	{ USED(JSON({ "cpu" : "4" }), JSON({ "cpu" : "1" })), "{}", NULL, NULL },
	{ USED(JSON({ "cpu" : "4" }), JSON({ "cpu" : "1001m" })), "{}", NULL,
	  "  cpu: requested 3, used 1001m, hard 4" },
	{ USED(JSON({ "cpu" : "4", "memory" : "5Gi" }), JSON({ "cpu" : "2", "memory" : "2Gi" })), "{}", NULL,
	  "  cpu: requested 3, used 2, hard 4\n  memory: requested 4224Mi, used 2Gi, hard 5Gi" },
	/* what pods ask for */
	{ HARD({ "cpu" : "1" }), EXEC({ "coreRequest" : "100m" }), NULL, "  cpu: requested 1.200, used 0, hard 1" },
	{ HARD({ "limits.cpu" : "4" }), EXEC({ "coreRequest" : "100m", "coreLimit" : "2" }), NULL,
	  "  limits.cpu: requested 5, used 0, hard 4" },
	{ HARD({ "memory" : "1" }), SPEC({ "mainApplicationFile" : "local:///a.py" }), NULL,
	  "  memory: requested 4299Mi, used 0, hard 1" },
	{ HARD({ "memory" : "1" }), EXEC({ "memory" : "10g", "memoryOverhead" : "1g" }), NULL,
	  "  memory: requested 23936Mi, used 0, hard 1" },
	{ HARD({ "limits.memory" : "1", "requests.memory" : "1Ti" }), SPEC({ "driver" : { "memoryLimit" : "4g" } }),
	  NULL, "  limits.memory: requested 6912Mi, used 0, hard 1" },
	{ HARD({ "cpu" : "1", "limits.cpu" : "9" }),
	  EXEC({ "sidecars" : [ { "name" : "s", "image" : "i", "resources" : { "limits" : { "cpu" : "500m" } } } ] }),
	  NULL, "  cpu: requested 4, used 0, hard 1" },
	{ HARD({ "cpu" : "1" }), EXEC({
		  "initContainers" : [ { "name" : "s", "image" : "i", "resources" : { "requests" : { "cpu" : "5" } } } ]
	  }),
	  NULL, "  cpu: requested 11, used 0, hard 1" },
	{ HARD({ "cpu" : "1" }), EXEC({
		  "initContainers" : [ {
			  "name" : "s",
			  "image" : "i",
			  "restartPolicy" : "Always",
			  "resources" : { "requests" : { "cpu" : "5" } }
		  } ]
	  }),
	  NULL, "  cpu: requested 13, used 0, hard 1" },
	/* executors that Spark starts with */
	{ HARD({ "cpu" : "1" }), EXEC({ "instances" : null }), NULL, "  cpu: requested 2, used 0, hard 1" },
	{ HARD({ "cpu" : "1" }),
	  SPEC({ "executor" : { "instances" : null }, "dynamicAllocation" : { "enabled" : true } }), NULL, NULL },
	{ HARD({ "cpu" : "1" }),
	  SPEC({ "dynamicAllocation" : { "enabled" : true, "initialExecutors" : 1, "minExecutors" : 3 } }), NULL,
	  "  cpu: requested 4, used 0, hard 1" },
	{ HARD({ "cpu" : "1" }), SPEC({ "dynamicAllocation" : { "enabled" : true, "maxExecutors" : 30 } }), NULL,
	  "  cpu: requested 3, used 0, hard 1" },
	{ HARD({ "cpu" : "1" }), SPEC({ "dynamicAllocation" : { "enabled" : false, "minExecutors" : 30 } }), NULL,
	  "  cpu: requested 3, used 0, hard 1" },
	/* updates */
	{ USED(JSON({ "cpu" : "3" }), JSON({ "cpu" : "3" })), STATE("RUNNING", JSON({ "arguments" : ["1"] })),
	  STATE("RUNNING", "{}"), NULL },
	{ USED(JSON({ "cpu" : "3" }), JSON({ "cpu" : "3" })),
	  STATE("RUNNING", JSON({ "executor" : { "instances" : 3 } })), STATE("RUNNING", "{}"),
	  "  cpu: requested 1, used 3, hard 3" },
	{ USED(JSON({ "cpu" : "3" }), JSON({ "cpu" : "5" })),
	  STATE("RUNNING", JSON({ "executor" : { "instances" : 1 } })), STATE("RUNNING", "{}"), NULL },
	{ USED(JSON({ "cpu" : "3" }), JSON({ "cpu" : "3" })), STATE("COMPLETED", JSON({ "arguments" : ["1"] })),
	  STATE("COMPLETED", "{}"), "  cpu: requested 3, used 3, hard 3" },
	{ HARD({ "cpu" : "1" }), SPEC({ "suspend" : true }), NULL, NULL },
	/* quotas of some pods only */
	{ "\"spec\":{\"hard\":{\"cpu\":\"1\"},\"scopes\":[\"BestEffort\"]}", "{}", NULL, NULL },
	{ "\"spec\":{\"hard\":{\"cpu\":\"1\"},\"scopeSelector\":{\"matchExpressions\":[{\"scopeName\":"
	  "\"PriorityClass\","
	  "\"operator\":\"Exists\"}]}}",
	  "{}", NULL, NULL },
	{ "\"spec\":{\"hard\":{\"cpu\":\"1\"},\"scopes\":[],\"scopeSelector\":null}", "{}", NULL,
	  "  cpu: requested 3, used 0, hard 1" },
	{ "\"spec\":{}", "{}", NULL, NULL },
};

static void each_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *want = xasprintf("failed to validate resource quota \"team-a/compute\"\n%s",
						 rows[i].lines ? rows[i].lines : "");
		struct store *quotas = store_new(&quota_kind);
		struct err err;
		int rc;

		put_quota(quotas, "team-a", "compute", rows[i].quota);
		rc = check(quotas, rows[i].patch, rows[i].before, &err);
		store_free(quotas);
		if (!rows[i].lines && rc)
			fail_msg("%s %s: %s", rows[i].quota, rows[i].patch, err.msg);
		if (rows[i].lines && (rc != -ERR_DENIED || !text_eq(err.msg, want)))
			fail_msg("%s %s:\n%s\nnot:\n%s", rows[i].quota, rows[i].patch, err.msg, want);
	}
}

/* An update that asks for nothing more: in these states the application's pods are in the quota already. */
static void pods_of_each_state(void **state)
{
	static const enum app_state holding[] = { APP_SUBMITTED, APP_RUNNING, APP_INVALIDATING, APP_SUSPENDING,
						  APP_UNKNOWN };
	static const char full[] = USED(JSON({ "cpu" : "3" }), JSON({ "cpu" : "3" }));
	struct store *quotas = store_new(&quota_kind);

	(void)state;
	put_quota(quotas, "team-a", "compute", full);
	for (size_t i = 0; i < APP_STATE_COUNT; i++) {
		const char *text = app_state_text((enum app_state)i);
		auto_free char *before =
		    xasprintf("{\"spec\":{},\"status\":{\"applicationState\":{\"state\":\"%s\"}}}", text);
		bool holds = false;
		struct err err;
		int rc;

		for (size_t k = 0; k < array_len(holding); k++)
			holds = holds || holding[k] == (enum app_state)i;
		rc = check(quotas, before, before, &err);
		if (rc != (holds ? 0 : -ERR_DENIED))
			fail_msg("%s: %s", text, rc ? err.msg : "allowed");
	}
	store_free(quotas);
}

static void all_quotas_of_the_namespace_count(void **state)
{
	struct store *quotas = store_new(&quota_kind);
	struct err err;

	(void)state;
	assert_int_equal(check(quotas, "{}", NULL, &err), 0);
	put_quota(quotas, "team-b", "other", HARD({ "cpu" : "0" }));
	assert_int_equal(check(quotas, "{}", NULL, &err), 0);
	put_quota(quotas, "team-a", "one", HARD({ "cpu" : "1" }));
	put_quota(quotas, "team-a", "two", HARD({ "memory" : "1" }));
	assert_int_equal(check(quotas, "{}", NULL, &err), -ERR_DENIED);
	assert_non_null(strstr(err.msg, "\"team-a/one\"\n  cpu: "));
	assert_non_null(strstr(err.msg, "\"team-a/two\"\n  memory: "));
	store_free(quotas);
}

static void without_pods_no_demand(void **state)
{
	struct store *quotas = store_new(&quota_kind);
	struct err err;

	(void)state;
	put_quota(quotas, "team-a", "one", HARD({ "cpu" : "1" }));
	assert_int_equal(check(quotas, SPEC({ "driver" : { "memory" : "1gg" } }), NULL, &err), -ERR_INVALID);
	assert_non_null(strstr(err.msg, "spec.driver.memory"));
	store_free(quotas);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row),
		cmocka_unit_test(pods_of_each_state),
		cmocka_unit_test(all_quotas_of_the_namespace_count),
		cmocka_unit_test(without_pods_no_demand),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
