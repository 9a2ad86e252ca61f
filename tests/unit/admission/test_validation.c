/* Validation of whole objects, of each kind: problems as a list, and as one text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/text.h"
#include "json/yaml.h"
#include "rules/policy.h"
#include "admission/validation.h"

#define APP                                                                                                            \
	"kind: SparkApplication\nmetadata: {name: a}\nspec: {type: Scala, image: i, mainClass: M, "                    \
	"mainApplicationFile: 'local:///a.jar', sparkVersion: 3.5.6, driver: {}, executor: {}"
#define SPEC                                                                                                           \
	"{type: Scala, image: i, mainClass: M, mainApplicationFile: 'local:///a.jar', sparkVersion: 3.5.6, driver: "   \
	"{}, "                                                                                                         \
	"executor: {}}"
#define MAIN(rest)                                                                                                     \
	"kind: SparkApplication\nmetadata: {name: a}\nspec: {type: Scala, mainClass: M, mainApplicationFile: "         \
	"'local:///a.jar', " rest "}"
#define CRON(rest)    "kind: ScheduledSparkApplication\nmetadata: {name: a}\nspec: {template: " SPEC ", " rest "}"
#define CONNECT(rest) "kind: SparkConnect\nmetadata: {name: a}\nspec: {" rest "}"
#define SERVER	      "sparkVersion: 4.0.1, image: i, server: {}, executor: {}"

static struct json *problems_of(const char *text, enum pod_policy policy)
{
	const struct rule_options options = { .pod_policy = policy };
	struct err err = { 0 };
	auto_json documents = yaml_parse(text, strlen(text), &err);

	if (!documents)
		fail_msg("%s: %s", text, err.msg);
	return validation_problems(json_first(documents), &options);
}

static char *text_of(const char *text)
{
	auto_json problems = problems_of(text, POD_POLICY_PRIVILEGED);

	return validation_text(problems);
}

static void each_has_field_message_and_reason(void **state)
{
	static const struct {
		const char *spec;
		const char *field;
		const char *message; /* its beginning */
		const char *reason;
	} rows[] = {
		{ "proxyUser: 7", "spec.proxyUser", "Invalid value: 7: expected a string", "FieldValueInvalid" },
		{ "sparkUIOptions: {serviceType: X}", "spec.sparkUIOptions.serviceType",
		  "Unsupported value: \"X\": supported values: \"ClusterIP\"", "FieldValueNotSupported" },
		{ "batchScheduler: volcano", "spec.batchScheduler", "Forbidden: ", "FieldValueForbidden" },
		{ "volumes: [{name: a}, {name: a}]", "spec.volumes[1].name", "Duplicate value: \"a\"",
		  "FieldValueDuplicate" },
		{ "driverIngressOptions: [{servicePort: 1, servicePortName: p}]",
		  "spec.driverIngressOptions[0].ingressURLFormat", "Required value", "FieldValueRequired" },
		{ "sparkConf: {spark.driver.memoryOverhead: \"1\nx\"}", "spec.sparkConf[spark.driver.memoryOverhead]",
		  "Invalid value: \"1 x\"", "FieldValueInvalid" },
		{ "sparkConf: {\"a\\nb=\": x}", "spec.sparkConf[a\\u000ab=]", "Invalid value: ", "FieldValueInvalid" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *text = xasprintf(APP ", %s}", rows[i].spec);
		auto_json problems = problems_of(text, POD_POLICY_PRIVILEGED);
		const struct json *problem = json_first(problems);

		assert_int_equal(json_len(problems), 1);
		assert_string_equal(json_str(problem, "field", ""), rows[i].field);
		if (!text_starts(json_str(problem, "message", ""), rows[i].message))
			fail_msg("%s: got: %s", rows[i].spec, json_str(problem, "message", ""));
		assert_string_equal(json_str(problem, "reason", ""), rows[i].reason);
	}
}

static void one_text_of_them(void **state)
{
	auto_free char *none = text_of(APP "}");
	auto_free char *one = text_of(APP ", mode: client}");
	auto_free char *two = text_of(APP ", mode: x, pythonVersion: '2'}");

	(void)state;
	assert_null(none);
	assert_true(text_starts(one, "spec.mode: Invalid value: \"client\": the driver"));
	assert_string_equal(
	    two, "[spec.mode: Unsupported value: \"x\": supported values: \"cluster\", "
		 "spec.pythonVersion: Invalid value: \"2\": expected 3: Spark 3 and newer run Python 3 only]");
}

static struct json *with_bad_labels(int count, size_t extra)
{
	auto_free char *tail = xcalloc(1, extra + 1);
	auto_buf text;

	memset(tail, ' ', extra);
	buf_init(&text, 16 << 20);
	buf_puts(&text, APP ", nodeSelector: {");
	for (int i = 0; i < count; i++)
		buf_printf(&text, "'bad key %04d%sx': x, ", i, tail);
	buf_puts(&text, "}}");
	return problems_of(buf_str(&text), POD_POLICY_PRIVILEGED);
}

static void a_hundred_and_a_count(void **state)
{
	auto_json full = with_bad_labels(100, 0);
	auto_json more = with_bad_labels(1000, 0);
	auto_free char *full_text = validation_text(full), *more_text = validation_text(more);

	(void)state;
	assert_int_equal(json_len(full), 100);
	assert_true(text_ends(full_text, "at most 63]"));
	assert_int_equal(json_len(more), 101);
	assert_true(text_ends(more_text, "at most 63, … and 900 more]"));
}

/* The types of arguments are compared once more for files and reviews: what is only counted is not counted twice. */
static void wrong_types_are_counted_once(void **state)
{
	auto_buf text;
	auto_json problems = NULL;
	auto_free char *line = NULL;

	(void)state;
	buf_init(&text, 1 << 20);
	buf_puts(&text, APP ", arguments: [");
	for (int i = 0; i < 150; i++)
		buf_puts(&text, "1, ");
	buf_puts(&text, "]}");
	problems = problems_of(buf_str(&text), POD_POLICY_PRIVILEGED);
	line = validation_text(problems);
	assert_int_equal(json_len(problems), 101);
	assert_true(text_ends(line, "expected a string: quote it: \"1\", … and 50 more]"));
}

static void a_text_is_bounded(void **state)
{
	auto_json problems = with_bad_labels(300, 500);
	auto_free char *text = validation_text(problems);

	(void)state;
	assert_true(strlen(text) <= 16 << 10);
	assert_true(strlen(text) > 15 << 10);
	assert_true(text_ends(text, " more]"));
}

/* Comparing each with each would take minutes. */
static void not_more_than_anybody_needs(void **state)
{
	clock_t start = clock();
	auto_json problems = NULL;
	auto_free char *text = NULL;
	auto_buf spec;

	(void)state;
	buf_init(&spec, 16 << 20);
	buf_puts(&spec, APP ", volumes: [");
	for (int i = 0; i < 20000; i++)
		buf_printf(&spec, "{name: v%d}, ", i);
	buf_puts(&spec, "]}");
	problems = problems_of(buf_str(&spec), POD_POLICY_PRIVILEGED);
	text = validation_text(problems);
	assert_string_equal(text, "spec.volumes: Too many: 20000: must have at most 1024 items");
	assert_true(clock() - start < 30 * CLOCKS_PER_SEC);
}

static void many_arguments_are_fine(void **state)
{
	auto_free char *text = NULL;
	auto_buf spec;

	(void)state;
	buf_init(&spec, 16 << 20);
	buf_puts(&spec, APP ", arguments: [");
	for (int i = 0; i < 6000; i++)
		buf_printf(&spec, "f%d, ", i);
	buf_puts(&spec, "]}");
	text = text_of(buf_str(&spec));
	assert_null(text);
}

static void fields_that_the_view_needs(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{ APP ", timeToLiveSeconds: soon}",
		  "spec.timeToLiveSeconds: Invalid value: \"soon\": expected an integer" },
		{ APP ", suspend: 'yes'}", "spec.suspend: Invalid value: \"yes\": expected true or false" },
		{ APP "}\nstatus: {executionAttempts: x}", NULL },
		{ "kind: SparkApplication\nmetadata: {generateName: nightly-}\nspec: " SPEC, NULL },
		{ "kind: SparkApplication\nmetadata: {generateName: 1-}\nspec: " SPEC,
		  "metadata.generateName: Invalid value: \"1-\": a DNS-1035 label" },
		{ "kind: SparkApplication\nmetadata: {}\nspec: " SPEC, "metadata.name: Required value" },
		{ "kind: Pod", "kind: Unsupported value: \"Pod\": supported values: \"SparkApplication\"" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *text = text_of(rows[i].text);

		if (!text != !rows[i].want || (text && !text_starts(text, rows[i].want)))
			fail_msg("%s: got: %s", rows[i].text, text ? text : "nothing");
	}
}

static void schedules(void **state)
{
	static const char *const good[] = {
		"@every 5m",	"*/5 * * * *",	  "@daily",	    "0 9 * * MON-FRI", "CRON_TZ=Asia/Tokyo 0 6 * * *",
		"@every 1h30m", "TZ=UTC @hourly", "0 0 1,15 jan *", "? ? ? ? ?",       "0-30/2,45 1-5 * 1-12 0-6",
		"5/15 * * * *", "  0  0 * * sun", "@every 1.5h",    "@midnight",       "@annually",
		"@every +1s",	"@every 1ns",
	};
	static const struct {
		const char *schedule;
		const char *why;
	} bad[] = {
		{ "* * * *", "expected 5 fields, minute, hour, day of month, month and day of week, found 4" },
		{ "0 0 0 * * *", "expected 5 fields" },
		{ " ", "expected 5 fields" },
		{ "60 * * * *", "minute: \"60\" is not within 0-59" },
		{ "* 24 * * *", "hour: \"24\" is not within 0-23" },
		{ "* * 0 * *", "day of month: \"0\" is not within 1-31" },
		{ "* * * 13 *", "month: \"13\" is not within 1-12" },
		{ "* * * * 7", "day of week: \"7\" is not within 0-6" },
		{ "5-1 * * * *", "minute: \"5-1\" is not within 0-59" },
		{ "*/0 * * * *", "minute: \"*/0\": the step must be a number above 0" },
		{ "*/x * * * *", "minute: \"*/x\": the step" },
		{ "*/2/3 * * * *", "minute: \"*/2/3\": the step" },
		{ "1-2-3 * * * *", "minute: \"2-3\" is no number" },
		{ ", * * * *", "minute: \",\" has no value" },
		{ "-1 * * * *", "minute: \"\" is no number" },
		{ "noon * * * *", "minute: \"noon\" is no number" },
		{ "* * * * monday", "day of week: \"monday\" is no number or name" },
		{ "@reboot", "expected @yearly" },
		{ "@every", "expected @yearly" },
		{ "@every 5", "expected a duration after @every" },
		{ "@every -5m", "expected a duration after @every" },
		{ "@every 0s", "expected a duration after @every" },
		{ "@every ", "expected a duration after @every" },
		{ "@every --5m", "expected a duration after @every" },
		{ "TZ=../etc * * * * *", "time zone \"../etc\": expected the name of a time zone" },
		{ "TZ=Europe/Atlantis 0 5 * * *", "time zone \"Europe/Atlantis\": expected the name of a time zone of "
						  "the tz database (2025b), such as" },
		{ "TZ=europe/prague 0 5 * * *", "time zone \"europe/prague\": expected the name" },
		{ "TZ=UTC", "expected 5 fields" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(good); i++) {
		auto_free char *object = xasprintf(CRON("schedule: '%s'"), good[i]);
		auto_free char *text = text_of(object);

		if (text)
			fail_msg("%s: got: %s", good[i], text);
	}
	for (size_t i = 0; i < array_len(bad); i++) {
		auto_free char *object = xasprintf(CRON("schedule: '%s'"), bad[i].schedule);
		auto_free char *want =
		    xasprintf("spec.schedule: Invalid value: \"%s\": %s", bad[i].schedule, bad[i].why);
		auto_free char *text = text_of(object);

		if (!text || !text_starts(text, want))
			fail_msg("%s: got: %s", bad[i].schedule, text ? text : "nothing");
	}
}

static void scheduled_applications(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{ CRON("schedule: '@daily', timeZone: America/Argentina/Buenos_Aires, concurrencyPolicy: Forbid"),
		  NULL },
		{ CRON("schedule: '@daily', timeZone: Local, successfulRunHistoryLimit: 0"), NULL },
		{ CRON("schedule: '@daily', timeZone: Etc/UTC"), NULL },
		{ CRON("schedule: '@daily', timeZone: US/Pacific"), NULL },
		{ CRON("schedule: '@daily', timeZone: Africa/Abidjan"), NULL },
		{ CRON("schedule: '@daily', timeZone: Zulu"), NULL },
		{ CRON("schedule: '@daily', timeZone: ''"), NULL },
		{ CRON("schedule: '@daily', timeZone: Europe/Atlantis"),
		  "spec.timeZone: Invalid value: \"Europe/Atlantis\": expected the name of a time zone of the tz "
		  "database" },
		{ CRON("schedule: '@daily', timeZone: CEST"),
		  "spec.timeZone: Invalid value: \"CEST\": expected the name" },
		{ CRON("timeZone: UTC"), "spec.schedule: Required value" },
		{ CRON("schedule: 5"), "spec.schedule: Invalid value: 5: expected a string" },
		{ CRON("schedule: '@daily', concurrencyPolicy: forbid"),
		  "spec.concurrencyPolicy: Unsupported value: \"forbid\": supported values: \"Allow\", \"Forbid\"" },
		{ "kind: ScheduledSparkApplication\nmetadata: {name: a}\nspec: {schedule: '@daily'}",
		  "spec.template: Required value" },
		{ "kind: ScheduledSparkApplication\nmetadata: {name: a}\nspec: {schedule: '@daily', template: 1}",
		  "spec.template: Invalid value: 1: expected an object" },
		{ "kind: ScheduledSparkApplication\nmetadata: {name: a, labels: {spark-role: x}}\nspec: {schedule: "
		  "'@daily', "
		  "template: " SPEC "}",
		  "metadata.labels[spark-role]: Forbidden" },
		{ "kind: ScheduledSparkApplication\nmetadata: {name: A}\nspec: {schedule: '@daily', template: " SPEC
		  "}",
		  "metadata.name: Invalid value: \"A\": a DNS-1035" },
		{ "kind: ScheduledSparkApplication\nmetadata: {name: a, namespace: ns}\nspec: {schedule: '@daily', "
		  "template: "
		  "{type: Scala, image: i, mainClass: M, mainApplicationFile: 'local:///a.jar', sparkVersion: 3.5.6, "
		  "driver: {}, executor: {}, sparkConf: {spark.kubernetes.namespace: ns}}}",
		  NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *text = text_of(rows[i].text);

		if (!text != !rows[i].want || (text && !text_starts(text, rows[i].want)))
			fail_msg("%s: got: %s", rows[i].text, text ? text : "nothing");
	}
}

static void names_of_schedules(void **state)
{
	static const struct {
		enum run_precision precision;
		int max;
	} rows[] = {
		{ RUN_NANOS, 43 }, { RUN_MICROS, 46 }, { RUN_MILLIS, 49 }, { RUN_SECONDS, 52 }, { RUN_MINUTES, 54 },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows) * 2; i++) {
		const struct rule_options options = { .run_precision = rows[i / 2].precision };
		int len = rows[i / 2].max + (int)(i % 2);
		auto_free char *text = xasprintf("kind: ScheduledSparkApplication\nmetadata: {name: %.*s}\nspec: "
						 "{schedule: '@daily', template: " SPEC "}",
						 len, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
		struct err err = { 0 };
		auto_json documents = yaml_parse(text, strlen(text), &err);
		auto_json problems = validation_problems(json_first(documents), &options);

		if ((json_len(problems) == 1) != (i % 2 == 1))
			fail_msg("%d characters, precision %d", len, rows[i / 2].precision);
	}
}

/* What is only doubtful is no problem. */
static void doubts(void **state)
{
	static const struct rule_options plain = { 0 }, webhook = { .has_webhook = true };
	static const struct rule_options arriving = { .is_admission = true };
	static const struct rule_options image = { .is_admission = true, .default_image = "apache/spark:3.5.6" };
	static const struct {
		const struct rule_options *options;
		const char *text;
		const char *want; /* beginning of the only one; NULL: none */
	} rows[] = {
		{ &plain, APP "}", NULL },
		{ &arriving, MAIN("image: i, sparkVersion: ''"),
		  "spec.sparkVersion: neither this field nor the tag of the driver's image says MAJOR.MINOR" },
		{ &arriving, MAIN("sparkVersion: 3.5.6"),
		  "spec.image: there is no image: the submission will fail, unless" },
		{ &image, MAIN("sparkVersion: 3.5.6"), NULL },
		{ &image, MAIN("sparkVersion: ''"), NULL },
		{ &plain, APP ", sparkConf: {fs.s3a.endpoint: x}}",
		  "spec.sparkConf[fs.s3a.endpoint]: Spark drops properties that do not begin with \"spark.\"" },
		{ &webhook,
		  MAIN("image: i, sparkVersion: 3.5.6, sparkConf: {spark.decommission.enabled: 'true'}, "
		       "executor: {lifecycle: {preStop: {}}}"),
		  "spec.executor.lifecycle: the operator's webhook puts it in the place of the hook by which Spark" },
		{ &webhook, MAIN("image: i, sparkVersion: 3.5.6, executor: {lifecycle: {preStop: {}}}"), NULL },
		{ &plain, APP ", deps: {jars: ['local:///opt/jars/*']}}",
		  "spec.deps.jars[0]: Spark finds no jars in a folder: name it in spark.driver.extraClassPath" },
		{ &plain, APP ", deps: {jars: ['local:///opt/a.jar', 's3a://b/*']}}", NULL },
		{ &plain, "kind: SparkConnect\nspec: {sparkVersion: latest}", NULL },
		{ &plain, "kind: SparkApplication\nspec: 7", NULL },
		{ &plain, "kind: ScheduledSparkApplication\nspec: {template: {sparkVersion: 2.4.5, image: 'i:3.5.6'}}",
		  "spec.template.sparkVersion: \"2.4.5\" does not say MAJOR.MINOR of a Spark from 3.1 on, but" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct err err = { 0 };
		auto_json documents = yaml_parse(rows[i].text, strlen(rows[i].text), &err);
		auto_json found = validation_doubts(json_first(documents), rows[i].options);
		auto_free char *text = validation_text(found);

		if (json_len(found) != (rows[i].want != NULL) || (text && !text_starts(text, rows[i].want)))
			fail_msg("%s: got: %s", rows[i].text, text ? text : "nothing");
	}
}

static void connect_servers(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{ CONNECT(SERVER), NULL },
		{ CONNECT("sparkVersion: latest, image: i, server: {}, executor: {}"), NULL },
		{ CONNECT(SERVER ", sparkConf: {spark.jars: /opt/a.jar, spark.submit.deployMode: client}"), NULL },
		{ CONNECT(SERVER ", sparkConf: {spark.kubernetes.authenticate.oauthToken: x}"),
		  "spec.sparkConf[spark.kubernetes.authenticate.oauthToken]: Forbidden" },
		{ CONNECT("image: i, server: {template: {}}, executor: {}, sparkVersion: latest"),
		  "spec.server.template: Forbidden: pod template feature requires Spark version 3.0.0 or higher" },
		{ CONNECT("image: i, server: {template: {}}, executor: {}, sparkVersion: v3.5.6"), NULL },
		{ CONNECT(
		      "sparkVersion: 4.0.1, server: {template: {spec: {containers: [{name: x, image: i}]}}}, executor: "
		      "{template: {spec: {containers: [{name: z}, {name: spark-kubernetes-executor, image: i}]}}}"),
		  NULL },
		{ CONNECT(SERVER ", dynamicAllocation: {enabled: true, minExecutors: 3, maxExecutors: 2}"),
		  "spec.dynamicAllocation.minExecutors: Invalid value: 3: is above maxExecutors, 2" },
		{ CONNECT(SERVER ", dynamicAllocation: {enabled: true, minExecutors: 3, initialExecutors: 2}"),
		  "spec.dynamicAllocation.initialExecutors: Invalid value: 2: is below minExecutors, 3" },
		{ CONNECT(SERVER ", dynamicAllocation: {enabled: false, minExecutors: 3, initialExecutors: 2}"), NULL },
		{ CONNECT("sparkVersion: 4.0.1, image: i, server: {memory: 1 g}, executor: {}"),
		  "spec.server.memory: Invalid value: \"1 g\"" },
		{ CONNECT("sparkVersion: 4.0.1, image: i, executor: {}"), "spec.server: Required value" },
		{ CONNECT("sparkVersion: 4.0.1, image: i, server: {service: {metadata: {name: 1a}}}, executor: {}"),
		  "spec.server.service.metadata.name: Invalid value: \"1a\"" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *text = text_of(rows[i].text);

		if (!text != !rows[i].want || (text && !text_starts(text, rows[i].want)))
			fail_msg("%s: got: %s", rows[i].text, text ? text : "nothing");
	}
}

/* What pod-security-admission lets pass at the level baseline. */
static void allowed_by_the_policy(void **state)
{
	static const char *const texts[] = {
		APP ", volumes: [{name: a, emptyDir: {}}, {name: b, configMap: {name: c}}]}",
		"kind: SparkApplication\nmetadata: {name: a}\nspec: {type: Scala, image: i, mainClass: M, "
		"mainApplicationFile: "
		"'local:///a.jar', sparkVersion: 3.5.6, driver: {hostNetwork: false, securityContext: {privileged: "
		"false, "
		"capabilities: {add: [CHOWN, NET_BIND_SERVICE], drop: [ALL]}, seccompProfile: {type: RuntimeDefault}, "
		"procMount: Default}, podSecurityContext: {seLinuxOptions: {level: s0, type: container_t, user: ''}, "
		"sysctls: "
		"[{name: net.ipv4.tcp_syncookies, value: '1'}]}, annotations: "
		"{container.apparmor.security.beta.kubernetes.io/x: localhost/p}}, executor: {ports: [{name: a, "
		"containerPort: "
		"8080, protocol: TCP, hostPort: 0}], template: {spec: {hostPID: false}}}}",
	};

	(void)state;
	for (size_t i = 0; i < array_len(texts); i++) {
		auto_json problems = problems_of(texts[i], POD_POLICY_BASELINE);
		auto_free char *text = validation_text(problems);

		if (text)
			fail_msg("%s: got: %s", texts[i], text);
	}
}

static void refused_by_the_policy(void **state)
{
	static const struct {
		const char *text;
		const char *field;
	} rows[] = {
		{ CONNECT(
		      "sparkVersion: 4.0.1, image: i, server: {template: {spec: {hostNetwork: true}}}, executor: {}"),
		  "spec.server.template.spec.hostNetwork" },
		{ CONNECT(SERVER ", sparkConf: {spark.kubernetes.executor.volumes.hostPath.x.mount.path: /x}"),
		  "spec.sparkConf[spark.kubernetes.executor.volumes.hostPath.x.mount.path]" },
		{ APP
		  ", sparkConf: {spark.kubernetes.driver.annotation.container.apparmor.security.beta.kubernetes.io/x: "
		  "unconfined}}",
		  "spec.sparkConf[spark.kubernetes.driver.annotation.container.apparmor.security.beta.kubernetes.io/"
		  "x]" },
		{ "kind: ScheduledSparkApplication\nmetadata: {name: a}\nspec: {schedule: '@daily', template: {type: "
		  "Scala, "
		  "image: i, mainClass: M, mainApplicationFile: 'local:///a.jar', sparkVersion: 3.5.6, driver: {}, "
		  "executor: "
		  "{}, volumes: [{name: x, hostPath: {path: /}}]}}",
		  "spec.template.volumes[0].hostPath" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_json strict = problems_of(rows[i].text, POD_POLICY_BASELINE);
		auto_json lax = problems_of(rows[i].text, POD_POLICY_PRIVILEGED);

		assert_null(json_find(lax, "field", rows[i].field));
		assert_non_null(json_find(strict, "field", rows[i].field));
		assert_true(
		    text_starts(json_str(json_first(strict), "message", ""), "Forbidden: pod policy \"baseline\": "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_field_message_and_reason),
		cmocka_unit_test(one_text_of_them),
		cmocka_unit_test(a_hundred_and_a_count),
		cmocka_unit_test(wrong_types_are_counted_once),
		cmocka_unit_test(a_text_is_bounded),
		cmocka_unit_test(not_more_than_anybody_needs),
		cmocka_unit_test(many_arguments_are_fine),
		cmocka_unit_test(fields_that_the_view_needs),
		cmocka_unit_test(schedules),
		cmocka_unit_test(scheduled_applications),
		cmocka_unit_test(names_of_schedules),
		cmocka_unit_test(doubts),
		cmocka_unit_test(connect_servers),
		cmocka_unit_test(allowed_by_the_policy),
		cmocka_unit_test(refused_by_the_policy),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
