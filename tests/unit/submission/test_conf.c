/* Spark configuration: reading it, and the parts of the table that goldens do not single out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "build.h"
#include "parse.h"
#include "spark/conf.h"

static void programs(void **state)
{
	(void)state;
	assert_int_equal(conf_program("local:///a/b.py"), PROGRAM_PYTHON);
	assert_int_equal(conf_program("local:///a/b.R"), PROGRAM_R);
	assert_int_equal(conf_program("local:///a/b.r"), PROGRAM_R);
	assert_int_equal(conf_program("local:///a/b.PY"), PROGRAM_JAVA);
	assert_int_equal(conf_program("local:///a/b.py.jar"), PROGRAM_JAVA);
	assert_int_equal(conf_program(""), PROGRAM_JAVA);
}

static void substitution(void **state)
{
	auto_free char *text = conf_substitute("{{APP_ID}}/{{EXECUTOR_ID}}/{{OTHER}}/{{APP_ID", "spark-1", "");
	auto_free char *empty = conf_substitute("", "spark-1", "");

	(void)state;
	assert_string_equal(text, "spark-1//{{OTHER}}/{{APP_ID");
	assert_string_equal(empty, "");
}

/* The configuration of a spec in a version; owned. */
static struct json *fill(const char *spec_text, int version)
{
	auto_json tree = json_new_object();
	const struct submission_options options = { .master = "k8s://m", .submitted_ms = 5 };
	struct app app = { .name = "pi", .uid = "u", .tree = tree };
	struct build b = { .app = &app, .ns = "default", .options = &options, .version = version };

	json_set(tree, "spec", parse(spec_text));
	b.spec = json_get(tree, "spec");
	b.program = conf_program(json_str(b.spec, "mainApplicationFile", ""));
	b.conf = json_new_object();
	app_names_init(&b.names, &app, 1);
	conf_of_spec(&b);
	conf_of_submission(&b);
	app_names_done(&b.names);
	return b.conf;
}

static void check(const struct json *conf, const char *key, const char *want)
{
	const char *got = conf_get(conf, key, NULL);

	if (!want && got)
		fail_msg("%s is %s, not absent", key, got);
	if (want && (!got || strcmp(got, want) != 0))
		fail_msg("%s is %s, not %s", key, got ? got : "absent", want);
}

static void defaults(void **state)
{
	auto_json conf = fill("{}", 305);
	auto_json given =
	    fill(JSON({ "sparkConf" : { "spark.driver.cores" : "3", "spark.executor.instances" : "9" } }), 305);

	(void)state;
	check(conf, "spark.driver.cores", "1");
	check(conf, "spark.driver.memory", "1g");
	check(conf, "spark.executor.cores", "1");
	check(conf, "spark.executor.memory", "1g");
	check(conf, "spark.executor.instances", "1");
	check(conf, "spark.submit.pyFiles", "");
	check(conf, "spark.dynamicAllocation.enabled", NULL);
	check(given, "spark.driver.cores", "3");
	check(given, "spark.executor.instances", "9");
}

static void dynamic_allocation(void **state)
{
	auto_json typed = fill(
	    JSON({
		    "dynamicAllocation" :
			{ "enabled" : true, "minExecutors" : 0, "maxExecutors" : 5, "shuffleTrackingTimeout" : 4000 }
	    }),
	    305);
	auto_json off = fill(JSON({ "dynamicAllocation" : { "enabled" : false, "maxExecutors" : 5 } }), 305);
	auto_json other_case = fill(JSON({ "sparkConf" : { "spark.dynamicallocation.enabled" : "true" } }), 305);

	(void)state;
	check(typed, "spark.dynamicAllocation.enabled", "true");
	check(typed, "spark.dynamicAllocation.minExecutors", "0");
	check(typed, "spark.dynamicAllocation.maxExecutors", "5");
	check(typed, "spark.dynamicAllocation.initialExecutors", NULL);
	check(typed, "spark.dynamicAllocation.shuffleTracking.enabled", "true");
	check(typed, "spark.dynamicAllocation.shuffleTracking.timeout", "4000");
	check(typed, "spark.executor.instances", NULL);
	check(off, "spark.dynamicAllocation.maxExecutors", NULL);
	check(off, "spark.executor.instances", "1");
	check(other_case, "spark.executor.instances", "1");
}

static void hadoop_prefix_only_where_missing(void **state)
{
	auto_json conf = fill(JSON({ "hadoopConf" : { "fs.a" : "1", "spark.hadoop.fs.b" : "2" } }), 305);

	(void)state;
	check(conf, "spark.hadoop.fs.a", "1");
	check(conf, "spark.hadoop.fs.b", "2");
	check(conf, "spark.hadoop.spark.hadoop.fs.b", NULL);
}

static void secrets_tell_where_their_file_is(void **state)
{
	auto_json conf =
	    fill(JSON({
			 "driver" : {
				 "secrets" : [
					 { "name" : "g", "path" : "/mnt/g//", "secretType" : "GCPServiceAccount" },
					 { "name" : "o", "path" : "/o", "secretType" : "Other" }
				 ]
			 },
			 "executor" :
			     { "secrets" : [ { "name" : "h", "path" : "/", "secretType" : "HadoopDelegationToken" } ] }
		 }),
		 305);

	(void)state;
	check(conf, "spark.kubernetes.driver.secrets.g", "/mnt/g//");
	check(conf, "spark.kubernetes.driverEnv.GOOGLE_APPLICATION_CREDENTIALS", "/mnt/g/key.json");
	check(conf, "spark.kubernetes.driver.secrets.o", "/o");
	check(conf, "spark.executorEnv.HADOOP_TOKEN_FILE_LOCATION", "/hadoop.token");
	check(conf, "spark.executorEnv.GOOGLE_APPLICATION_CREDENTIALS", NULL);
}

static void submit_time(void **state)
{
	static const char spec[] = JSON({ "sparkConf" : { "spark.app.submitTime" : "1" } });
	auto_json old = fill(spec, 304);
	auto_json kept = fill(spec, 305);
	auto_json own = fill("{}", 305);

	(void)state;
	check(old, "spark.app.submitTime", "5");
	check(kept, "spark.app.submitTime", "1");
	check(own, "spark.app.submitTime", "5");
}

static void grace_of_executors(void **state)
{
	static const char spec[] = JSON({ "executor" : { "terminationGracePeriodSeconds" : 7 } });
	auto_json before = fill(spec, 400);
	auto_json since = fill(spec, 401);

	(void)state;
	check(before, "spark.kubernetes.executor.terminationGracePeriodSeconds", NULL);
	check(since, "spark.kubernetes.executor.terminationGracePeriodSeconds", "7s");
}

static void jars_and_the_main_file(void **state)
{
	auto_json both = fill(
	    JSON({ "mainApplicationFile" : "local:///a.jar", "sparkConf" : { "spark.jars" : "local:///b.jar" } }), 305);
	auto_json internal = fill(JSON({ "mainApplicationFile" : "spark-internal" }), 305);
	auto_json python = fill(JSON({ "mainApplicationFile" : "local:///a.py" }), 305);

	(void)state;
	check(both, "spark.jars", "local:///b.jar,local:///a.jar");
	check(internal, "spark.jars", "");
	check(python, "spark.jars", NULL);
	check(python, "spark.kubernetes.resource.type", "python");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs),
		cmocka_unit_test(substitution),
		cmocka_unit_test(defaults),
		cmocka_unit_test(dynamic_allocation),
		cmocka_unit_test(hadoop_prefix_only_where_missing),
		cmocka_unit_test(secrets_tell_where_their_file_is),
		cmocka_unit_test(submit_time),
		cmocka_unit_test(grace_of_executors),
		cmocka_unit_test(jars_and_the_main_file),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
