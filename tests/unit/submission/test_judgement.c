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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_webhook_can_do),
		cmocka_unit_test(an_image_may_come_later),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
