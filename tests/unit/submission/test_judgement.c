/* Where validation draws the line: what users' files have, accepted, or refused with the cure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "json_text.h"
#include "patched_app.h"
#include "submission/submission.h"

#define SPEC(...)   "{\"spec\":" #__VA_ARGS__ "}"
#define DRIVER(...) "{\"spec\":{\"driver\":" #__VA_ARGS__ "}}"
#define EXEC(...)   "{\"spec\":{\"executor\":" #__VA_ARGS__ "}}"
#define CONF(...)   "{\"spec\":{\"sparkConf\":" #__VA_ARGS__ "}}"

static const struct rule_options strict = { 0 };
static const struct rule_options webhook = { .has_webhook = true };
static const struct rule_options image = { .default_image = "apache/spark:{sparkVersion}" };
static const struct rule_options arriving = { .is_admission = true };

struct row {
	const struct rule_options *options;
	const char *patch;
	const char *line; /* beginning of the only line; NULL if it is accepted */
};

static const struct row limits[] = {
	{ &strict, EXEC({ "memoryLimit" : "4g" }),
	  "spec.executor.memoryLimit: Forbidden: Spark sets the memory limit of executors to their request, 1408Mi; "
	  "only "
	  "the operator's webhook could raise it, and that is off: leave it out, and raise memoryOverhead instead" },
	{ &strict, EXEC({ "memoryLimit" : "1408Mi" }), NULL },
	{ &webhook, EXEC({ "memoryLimit" : "4g" }), NULL },
	{ &webhook, EXEC({ "memoryLimit" : "1g" }),
	  "spec.executor.memoryLimit: Invalid value: \"1g\": is below the request of executors, 1408Mi" },
	{ &webhook, EXEC({ "memoryLimit" : "1gg" }),
	  "spec.executor.memoryLimit: Invalid value: \"1gg\": expected a size" },
};

static const struct row lifecycles[] = {
	{ &strict, SPEC({
		 "executor" : { "lifecycle" : { "preStop" : {} } },
		 "sparkConf" : { "spark.decommission.enabled" : "true" }
	 }),
	  "spec.executor.lifecycle: Forbidden: Spark replaces it when spark.decommission.enabled is true; only the "
	  "operator's webhook could bring it back, and that is off" },
	{ &webhook, SPEC({
		 "executor" : { "lifecycle" : { "preStop" : {} } },
		 "sparkConf" : { "spark.decommission.enabled" : "true" }
	 }),
	  NULL },
	{ &strict,
	  SPEC({ "executor" : { "lifecycle" : null }, "sparkConf" : { "spark.decommission.enabled" : "true" } }),
	  NULL },
};

static const struct row images[] = {
	{ &strict, SPEC({ "image" : null }), "spec.image: Required value" },
	{ &strict, SPEC({ "image" : "", "driver" : { "image" : "i" } }),
	  "spec.executor.image: Required value: there is no spec.image either" },
	{ &arriving, SPEC({ "image" : null }), NULL },
	{ &image, SPEC({ "image" : null }), NULL },
	{ &image, SPEC({ "image" : null, "sparkVersion" : "latest" }),
	  "spec.sparkVersion: Required value: the operator's default image is apache/spark:{sparkVersion}, so the "
	  "version "
	  "has to be MAJOR.MINOR.PATCH, such as 3.5.6" },
	{ &image, SPEC({ "image" : "spark", "sparkVersion" : "latest" }), NULL },
};

/* Spark's own reading: blanks around numbers and booleans, and keys of old versions. */
static const struct row conf[] = {
	{ &strict, CONF({ "spark.kubernetes.local.dirs.tmpfs" : " true", "spark.driver.cores" : " 2 " }), NULL },
	{ &strict, CONF({ "spark.kubernetes.memoryOverheadFactor" : "0.2 ", "spark.ui.port" : "\t4041" }), NULL },
	{ &strict, CONF({ "spark.kubernetes.local.dirs.tmpfs" : "yes" }),
	  "spec.sparkConf[spark.kubernetes.local.dirs.tmpfs]: Invalid value: \"yes\": expected true or false" },
	/* KubernetesVolumeUtils reads this one as it is. */
	{ &strict, CONF({
		 "spark.kubernetes.driver.volumes.emptyDir.a.mount.path" : "/a",
		 "spark.kubernetes.driver.volumes.emptyDir.a.mount.readOnly" : " true"
	 }),
	  "spec.sparkConf[spark.kubernetes.driver.volumes.emptyDir.a.mount.readOnly]: Invalid value: \" true\"" },
	{ &strict, CONF({ "spark.yarn.driver.memoryOverhead" : "2g" }), NULL },
	{ &strict, CONF({ "spark.yarn.executor.memoryOverhead" : "2x" }),
	  "spec.sparkConf[spark.yarn.executor.memoryOverhead]: Invalid value: \"2x\": expected a size" },
	{ &strict, CONF({ "spark.yarn.keytab" : "file:///k", "spark.kerberos.principal" : "me" }),
	  "spec.sparkConf[spark.yarn.keytab]: Invalid value: \"file:///k\": the operator has no files of yours" },
	{ &strict, CONF({ "spark.yarn.keytab" : "local:///k" }),
	  "spec.sparkConf[spark.kerberos.principal]: Required value: spark.kerberos.keytab is set" },
	{ &strict, CONF({ "spark.yarn.keytab" : "local:///k", "spark.yarn.principal" : "me" }), NULL },
	{ &strict, SPEC({
		 "proxyUser" : "you",
		 "sparkConf" : { "spark.yarn.keytab" : "local:///k", "spark.yarn.principal" : "me" }
	 }),
	  "spec.proxyUser: Forbidden: only one of proxyUser and spark.kerberos.principal can be provided" },
};

/* A field that is null is as good as absent, wherever it is. */
static const struct {
	const char *spec;
	const char *line;
} null_fields[] = {
	{ "\"driver\":{\"tolerations\":[{\"key\":\"a\",\"operator\":\"Exists\",\"effect\":\"NoSchedule\","
	  "\"tolerationSeconds\":null,\"value\":null}]}",
	  NULL },
	{ "\"executor\":{\"instances\":null},\"sparkConf\":{\"spark.executor.instances\":\"0\"}",
	  "spec.sparkConf[spark.executor.instances]: Invalid value: 0" },
	{ "\"driver\":{\"ports\":[{\"name\":\"a\",\"protocol\":\"TCP\",\"containerPort\":null}]}",
	  "spec.driver.ports[0].containerPort: Required value" },
	{ "\"executor\":{\"coreLimit\":null,\"coreRequest\":\"2\"},\"sparkConf\":{"
	  "\"spark.kubernetes.executor.limit.cores\":\"1\"}",
	  "spec.sparkConf[spark.kubernetes.executor.limit.cores]: Invalid value: \"1\": is below the request" },
	{ "\"sparkUIOptions\":{\"servicePort\":null,\"serviceType\":null},\"nodeSelector\":null,\"volumes\":null",
	  NULL },
	{ "\"dynamicAllocation\":{\"enabled\":null,\"minExecutors\":null,\"maxExecutors\":null}", NULL },
	{ "\"sparkConf\":null,\"hadoopConf\":null,\"deps\":null,\"monitoring\":null,\"batchScheduler\":null", NULL },
};

static void problems_of(const struct row *row, struct err *err)
{
	struct app app;
	auto_json tree = patched_app(row->patch, &app);
	auto_problems p;

	(void)tree;
	problems_init(&p);
	submission_problems(&p, &app, row->options);
	problems_result(&p, err);
}

/* As a merge patch, but nulls are values. */
static void put_all(struct json *object, const struct json *patch)
{
	json_each (member, patch) {
		if (json_is(member, JSON_OBJECT) && json_is(json_get(object, json_name(member)), JSON_OBJECT))
			put_all(json_get(object, json_name(member)), member);
		else
			json_set(object, json_name(member), json_dup(member));
	}
}

static void check(const struct row *rows, size_t count)
{
	int wrong = 0;

	for (size_t i = 0; i < count; i++) {
		const char *line = rows[i].line;
		struct err err = { 0 };

		problems_of(&rows[i], &err);
		if (line ? text_starts(err.msg, line) && !strchr(err.msg, '\n') : err.code == ERR_NONE)
			continue;
		print_error("%s: got: %s\n", rows[i].patch, err.msg);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void null_is_absent(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(null_fields); i++) {
		auto_free char *text = xasprintf("{\"spec\":{%s}}", null_fields[i].spec);
		struct err err = { 0 };
		auto_json tree = parse_quoted(patched_app_base);
		auto_json patch = parse_quoted(text);
		struct app app;
		auto_problems p;

		put_all(tree, patch);
		assert_int_equal(app_decode(tree, &app, &err), 0);
		problems_init(&p);
		submission_problems(&p, &app, &strict);
		problems_result(&p, &err);
		if (null_fields[i].line ? !text_starts(err.msg, null_fields[i].line) : err.code != ERR_NONE)
			fail_msg("%s: got: %s", text, err.msg);
	}
}

#define CHECK(rows) check(rows, array_len(rows))

static void what_the_webhook_can_do(void **state)
{
	(void)state;
	CHECK(limits);
	CHECK(lifecycles);
}

static void an_image_may_come_later(void **state)
{
	(void)state;
	CHECK(images);
}

static void as_spark_reads_it(void **state)
{
	(void)state;
	CHECK(conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_webhook_can_do),
		cmocka_unit_test(an_image_may_come_later),
		cmocka_unit_test(as_spark_reads_it),
		cmocka_unit_test(null_is_absent),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
