/* Defaults: rows of a spec before and after, as kubeflow's webhook filled them in on a real cluster. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "parse.h"
#include "admission/admission.h"

#define ROLE		 "{\"cores\":1,\"memory\":\"1g\"}"
#define ONE		 "{\"cores\":1,\"memory\":\"1g\",\"instances\":1}"
#define HEAD		 "\"type\":\"Scala\",\"mode\":\"cluster\","
#define NEVER		 "\"restartPolicy\":{\"type\":\"Never\"},"
#define SET_ROLES	 "\"driver\":" ROLE ",\"executor\":" ONE
#define SPEC(text)	 "{\"spec\":{" text "}}"
#define IN_STATE(state)	 "{\"spec\":{},\"status\":{\"applicationState\":{\"state\":\"" state "\"}}}"
#define CONF(key, value) "\"sparkConf\":{\"" key "\":\"" value "\"}"

static const struct {
	const char *before;
	const char *spec; /* after; NULL: unchanged */
} rows[] = {
	{ SPEC(""), HEAD NEVER SET_ROLES },
	{ SPEC("\"driver\":{},\"executor\":{}"), HEAD NEVER SET_ROLES },
	{ SPEC("\"type\":\"\",\"mode\":null,\"driver\":null"), HEAD NEVER SET_ROLES },
	{ SPEC("\"type\":\"Python\",\"mode\":\"client\""), "\"type\":\"Python\",\"mode\":\"client\"," NEVER SET_ROLES },
	{ IN_STATE(""), HEAD NEVER SET_ROLES },
	{ IN_STATE("INVALIDATING"), HEAD NEVER SET_ROLES },
	{ IN_STATE("SUBMITTED"), NULL },
	{ IN_STATE("RUNNING"), NULL },
	{ IN_STATE("COMPLETED"), NULL },
	/* restart policy */
	{ SPEC(HEAD SET_ROLES ",\"restartPolicy\":{}"), HEAD NEVER SET_ROLES },
	{ SPEC(HEAD SET_ROLES ",\"restartPolicy\":{\"type\":\"Never\",\"onFailureRetryInterval\":7}"), NULL },
	{ SPEC(HEAD SET_ROLES ",\"restartPolicy\":{\"type\":\"OnFailure\"}"),
	  HEAD SET_ROLES ",\"restartPolicy\":{\"type\":\"OnFailure\",\"onFailureRetryInterval\":5,"
			 "\"onSubmissionFailureRetryInterval\":5}" },
	{ SPEC(HEAD SET_ROLES ",\"restartPolicy\":{\"type\":\"Always\",\"onFailureRetryInterval\":7,"
			      "\"onSubmissionFailureRetryInterval\":null}"),
	  HEAD SET_ROLES ",\"restartPolicy\":{\"type\":\"Always\",\"onFailureRetryInterval\":7,"
			 "\"onSubmissionFailureRetryInterval\":5}" },
	/* roles */
	{ SPEC(HEAD NEVER "\"driver\":{\"cores\":3,\"memory\":\"3g\"},\"executor\":{\"cores\":3,\"memory\":\"3g\","
			  "\"instances\":3}"),
	  NULL },
	{ SPEC(HEAD NEVER "\"driver\":{},\"executor\":{},\"sparkConf\":{\"spark.driver.cores\":\"2\",\"spark.driver."
			  "memory\":\"2g\",\"spark.executor.cores\":\"2\",\"spark.executor.memory\":\"2g\","
			  "\"spark.executor.instances\":\"4\"}"),
	  NULL },
	{ SPEC(HEAD NEVER SET_ROLES "," CONF("spark.driver.cores", "")), NULL },
	{ SPEC(HEAD NEVER "\"driver\":{},\"executor\":" ONE "," CONF("spark.driver.cores", "")),
	  HEAD NEVER SET_ROLES "," CONF("spark.driver.cores", "") },
	/* instances and dynamic allocation */
	{ SPEC(HEAD NEVER "\"driver\":" ROLE ",\"executor\":" ROLE ",\"dynamicAllocation\":{\"enabled\":true}"),
	  HEAD NEVER "\"driver\":" ROLE ",\"executor\":" ROLE
		     ",\"dynamicAllocation\":{\"enabled\":true,\"shuffleTrackingEnabled\":true}" },
	{ SPEC(HEAD NEVER "\"driver\":" ROLE ",\"executor\":" ROLE
			  ",\"dynamicAllocation\":{\"enabled\":true,\"shuffleTrackingEnabled\":false}"),
	  NULL },
	{ SPEC(HEAD NEVER "\"driver\":" ROLE ",\"executor\":" ROLE ",\"dynamicAllocation\":{\"enabled\":false}"),
	  HEAD NEVER SET_ROLES ",\"dynamicAllocation\":{\"enabled\":false}" },
	{ SPEC(HEAD NEVER "\"driver\":" ROLE ",\"executor\":" ROLE "," CONF("spark.dynamicAllocation.enabled", "true")),
	  NULL },
	/* what the schema will refuse */
	{ JSON({ "spec" : [] }), NULL },
	{ "{}", NULL },
	{ SPEC(HEAD "\"restartPolicy\":\"x\",\"driver\":7,\"executor\":[]"), NULL },
};

static void expect_equal(const char *before, const struct json *got, const struct json *want)
{
	auto_free char *got_text = json_print(got), *want_text = json_print(want);

	if (!json_equal(got, want))
		fail_msg("%s\nbecame %s\nnot    %s", before, got_text, want_text);
}

static void each_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *text = rows[i].spec ? xasprintf("{%s}", rows[i].spec) : NULL;
		auto_json tree = parse(rows[i].before);
		auto_json want = parse(text ? text : rows[i].before);

		admission_default(tree);
		expect_equal(rows[i].before, text ? json_get(tree, "spec") : tree, want);
	}
}

static void twice_is_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_json tree = parse(rows[i].before);
		auto_json once = NULL;

		admission_default(tree);
		once = json_dup(tree);
		admission_default(tree);
		expect_equal(rows[i].before, tree, once);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row),
		cmocka_unit_test(twice_is_once),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
