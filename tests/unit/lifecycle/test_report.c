/* What a new application is told at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "patched_app.h"
#include "report.h"

/* Beside the normal event that tells of the application, one warning each. */
static void warnings(void **state)
{
	static const struct {
		const char *patch;
		const char *reason;
		const char *text;
	} rows[] = {
		{ "{}", NULL, NULL },
		{ "{'spec':{'sparkVersion':'4.4.0'}}", "SparkApplicationVersionUnknown",
		  "SparkApplication orders: spec.sparkVersion: Spark 4.4.0 is newer than this operator knows: it is "
		  "submitted as for "
		  "4.3" },
		{ "{'spec':{'sparkVersion':null,'image':'i:5.0.0'}}", "SparkApplicationVersionUnknown",
		  "SparkApplication orders: spec.sparkVersion: Spark 5.0.0 is newer than this operator knows: it is "
		  "submitted as for "
		  "4.3" },
		{ "{'spec':{'sparkVersion':'2.4.5','image':'kernel:dev'}}", "SparkApplicationVersionUnknown",
		  "SparkApplication orders: spec.sparkVersion: \"2.4.5\" does not say MAJOR.MINOR of a Spark from 3.1 "
		  "on, "
		  "and neither does the tag of the driver's image: it is submitted as for Spark 4.3: set sparkVersion "
		  "to "
		  "the version of Spark in the image" },
		{ "{'spec':{'sparkVersion':'','image':'i:3.5.6'}}", NULL, NULL },
		{ "{'spec':{'sparkVersion':'4.3.9'}}", NULL, NULL },
		{ "{'spec':{'failureRetries':3}}", "SparkApplicationFailureRetriesIgnored",
		  "SparkApplication orders has failureRetries or retryInterval, which have no effect: use "
		  "restartPolicy.onFailureRetries and onFailureRetryInterval" },
		{ "{'spec':{'retryInterval':3}}", "SparkApplicationFailureRetriesIgnored", NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct plan plan;
		struct app app;
		auto_json tree = patched_app(rows[i].patch, &app);
		size_t count = 0;

		(void)tree;
		plan_init(&plan);
		report_added(&app, &(const struct rule_options){ 0 }, &plan);
		for (size_t k = 0; k < plan.len; k++) {
			const struct action *a = &plan.actions[k];

			if (!text_eq(json_str(a->body, "type", NULL), "Warning"))
				continue;
			count++;
			assert_string_equal(json_str(a->body, "reason", ""), rows[i].reason ? rows[i].reason : "none");
			if (rows[i].text)
				assert_string_equal(json_str(a->body, "message", ""), rows[i].text);
		}
		assert_int_equal(count, rows[i].reason ? 1 : 0);
		plan_done(&plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(warnings),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
