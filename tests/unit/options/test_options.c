/* Flags: every type, both ways to write a value, defaults, what is refused and how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "options_args.h"

static void test_defaults(void **state)
{
	struct options o;

	(void)state;
	must_parse(&o, OPTIONS_START, ARGS());
	assert_null(o.kubeconfig);
	assert_null(o.context);
	assert_int_equal(o.namespaces.len, 0);
	assert_int_equal(o.controller_threads, 32);
	assert_true(o.kube_api_qps == 500);
	assert_true(o.kube_api_burst == 1000);
	assert_true(o.retry_qps == 50);
	assert_true(o.retry_burst == 500);
	assert_int_equal(o.retry_max_ms, 300000);
	assert_int_equal(o.driver_pod_creation_grace_ms, 30000);
	assert_int_equal(o.refusal_deadline_ms, 30000);
	assert_int_equal(o.max_tracked_executors, 1000);
	assert_true(o.ui_service);
	assert_string_equal(o.metrics_bind, ":8080");
	assert_string_equal(o.health_bind, "0");
	assert_int_equal(o.log_level, LOG_INFO);
	assert_string_equal(o.log_format, "logfmt");
	assert_string_equal(o.master, "k8s://https://kubernetes.default.svc:443");
	assert_int_equal(o.files.len, 0);
	assert_string_equal(o.output, "yaml");
	assert_int_equal(o.run, 1);
	assert_false(o.help);
	options_done(&o);
	options_done(&o); /* nothing is left to free */
}

static void test_values(void **state)
{
	struct options o;

	(void)state;
	must_parse(&o, OPTIONS_START, ARGS("--kubeconfig", "a=b", "--context=c=d", "--namespaces", "x, y,,z"));
	assert_string_equal(o.kubeconfig, "a=b");
	assert_string_equal(o.context, "c=d");
	assert_int_equal(o.namespaces.len, 3);
	assert_string_equal(o.namespaces.items[1], "y");
	options_done(&o);

	must_parse(&o, OPTIONS_START,
		   ARGS("--controller-threads=1000000", "--kube-api-qps=0.5", "--kube-api-burst", "0"));
	assert_int_equal(o.controller_threads, 1000000);
	assert_true(o.kube_api_qps == 0.5);
	assert_true(o.kube_api_burst == 0);
	options_done(&o);

	must_parse(&o, OPTIONS_START,
		   ARGS("--log-level=debug", "--log-format", "json", "--driver-pod-creation-grace-period=1h"));
	assert_int_equal(o.log_level, LOG_DEBUG);
	assert_string_equal(o.log_format, "json");
	assert_int_equal(o.driver_pod_creation_grace_ms, 3600000);
	options_done(&o);

	must_parse(&o, OPTIONS_START, ARGS("--enable-ui-service=false", "--master", "x"));
	assert_false(o.ui_service);
	assert_string_equal(o.master, "x");
	options_done(&o);

	must_parse(&o, OPTIONS_RENDER, ARGS("--enable-ui-service=false", "--enable-ui-service", "-f", "one"));
	assert_true(o.ui_service);
	assert_int_equal(o.files.len, 1);
	options_done(&o);

	must_parse(&o, OPTIONS_RENDER, ARGS("-f", "one", "--file=two", "-o", "json", "-h"));
	assert_int_equal(o.files.len, 2);
	assert_string_equal(o.files.items[0], "one");
	assert_string_equal(o.files.items[1], "two");
	assert_string_equal(o.output, "json");
	assert_true(o.help);
	options_done(&o);
}

static void test_webhook(void **state)
{
	struct options o;

	(void)state;
	must_parse(&o, OPTIONS_WEBHOOK, ARGS());
	assert_int_equal(o.webhook_port, 9443);
	assert_string_equal(o.webhook_secret, "spark-webhook-certs");
	assert_null(o.webhook_secret_ns);
	assert_null(o.webhook_cert_dir);
	assert_int_equal(o.webhook_ca_life_ms, INT64_C(365) * 24 * 3600 * 1000);
	assert_int_equal(o.pod_policy, POD_POLICY_PRIVILEGED);
	options_done(&o);

	must_parse(&o, OPTIONS_WEBHOOK,
		   ARGS("--webhook-tls-cipher-suites=A,B", "--pod-policy=baseline", "--mutating-webhook-name="));
	assert_int_equal(o.webhook_ciphers.len, 2);
	assert_int_equal(o.pod_policy, POD_POLICY_BASELINE);
	assert_string_equal(o.mutating_name, "");
	options_done(&o);

	must_parse(&o, OPTIONS_REGISTRATION, ARGS("--namespaces=a", "--webhook-fail-policy", "Ignore"));
	assert_string_equal(o.webhook_policy, "Ignore");
	assert_string_equal(o.webhook_pod_policy, "Ignore");
	options_done(&o);
}

static void what_the_rules_know(void **state)
{
	static const struct {
		enum option_set set;
		const char *arg;
		bool has_webhook;
	} rows[] = {
		{ OPTIONS_START, "--namespaces=a", false },
		{ OPTIONS_START, "--enable-webhook", true },
		{ OPTIONS_START, "--webhook-for-executors", true },
		{ OPTIONS_OLD, "--enable-webhook=true", true },
		{ OPTIONS_OLD, "--namespace=a", false },
		{ OPTIONS_WEBHOOK, "--namespaces=a", true },
		{ OPTIONS_VALIDATE, "-f=a", true },
		{ OPTIONS_VALIDATE, "--webhook-for-executors=false", false },
		{ OPTIONS_RENDER, "-f=a", true },
		{ OPTIONS_DIFF, "-f=a", false },
	};
	struct options o;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		must_parse(&o, rows[i].set, ARGS(rows[i].arg));
		if (options_rules(&o).has_webhook != rows[i].has_webhook)
			fail_msg("%s: %d", rows[i].arg, rows[i].has_webhook);
		assert_null(options_rules(&o).default_image);
		assert_false(options_rules(&o).is_admission);
		options_done(&o);
	}
	must_parse(&o, OPTIONS_START,
		   ARGS("--pod-policy=baseline", "--default-image=a/spark:{sparkVersion}-{sparkVersion}",
			"--scheduled-spark-application-timestamp-precision=minutes"));
	assert_int_equal(options_rules(&o).pod_policy, POD_POLICY_BASELINE);
	assert_int_equal(options_rules(&o).run_precision, RUN_MINUTES);
	assert_string_equal(options_rules(&o).default_image, "a/spark:{sparkVersion}-{sparkVersion}");
	options_done(&o);
	assert_int_equal(parse(&o, OPTIONS_START, ARGS("--default-image=spark:{version}"), &err), -ERR_INVALID);
	assert_string_equal(err.msg, "--default-image: \"spark:{version}\": expected an image such as "
				     "apache/spark:{sparkVersion}, without other braces");
	options_done(&o);
	assert_int_equal(parse(&o, OPTIONS_START, ARGS("--default-image= spark:3.5.6"), &err), -ERR_INVALID);
	assert_string_equal(err.msg, "--default-image: \" spark:3.5.6\": expected no blanks before or behind it");
	options_done(&o);
}

/* Of a flag given twice the last value counts; lists and -f add. */
static void test_reviewed_namespaces(void **state)
{
	struct options o;

	(void)state;
	must_parse(&o, OPTIONS_START, ARGS("--namespaces=a,b"));
	assert_int_equal(options_reviewed(&o)->len, 2);
	options_done(&o);
	must_parse(&o, OPTIONS_START, ARGS("--namespaces=a,b", "--namespace-selector=team=x"));
	assert_int_equal(options_reviewed(&o)->len, 0); /* which ones match changes */
	options_done(&o);
	must_parse(&o, OPTIONS_START, ARGS("--namespaces=\"\",a", "--namespace-selector=team=x"));
	assert_int_equal(o.namespaces.len, 0);
	assert_null(o.namespace_selector); /* it adds nothing to all of them */
	options_done(&o);
}

static void test_repeated(void **state)
{
	struct options o;

	(void)state;
	must_parse(&o, OPTIONS_START, ARGS("--namespaces=a,b", "--namespaces=c", "--master", "x", "--master=y"));
	assert_int_equal(o.namespaces.len, 3);
	assert_string_equal(o.namespaces.items[2], "c");
	assert_string_equal(o.master, "y");
	options_done(&o);
	must_parse(&o, OPTIONS_START, ARGS("--namespaces=a", "--namespaces=", "--kubeconfig="));
	assert_int_equal(o.namespaces.len, 1);
	assert_string_equal(o.kubeconfig, "");
	options_done(&o);
}

static void test_refused(void **state)
{
	static const struct {
		enum option_set set;
		const char *args[2];
		const char *want;
	} cases[] = {
		{ OPTIONS_START, { "--nonsense" }, "--nonsense: unknown flag; --help lists what there is" },
		{ OPTIONS_START, { "start" }, "start: unknown argument; --help lists what there is" },
		{ OPTIONS_START, { "" }, ": unknown argument; --help lists what there is" },
		{ OPTIONS_START, { "-" }, "-: unknown flag; --help lists what there is" },
		{ OPTIONS_START, { "--" }, "--: unknown flag; --help lists what there is" },
		{ OPTIONS_START, { "-x" }, "-x: unknown flag; --help lists what there is" },
		{ OPTIONS_START, { "--file=x" }, "--file=x: unknown flag; --help lists what there is" },
		{ OPTIONS_START, { "-f", "x" }, "-f: unknown flag; --help lists what there is" },
		{ OPTIONS_RENDER, { "--namespaces=x" }, "--namespaces=x: unknown flag; --help lists what there is" },
		{ OPTIONS_RENDER, { "-fx" }, "-fx: unknown flag; --help lists what there is" },
		{ OPTIONS_VERSION, { "--master=x" }, "--master=x: unknown flag; --help lists what there is" },
		{ OPTIONS_START, { "--maste=x" }, "--maste=x: unknown flag; did you mean --master?" },
		{ OPTIONS_START, { "--masters=x" }, "--masters=x: unknown flag; did you mean --master?" },
		{ OPTIONS_START, { "--master" }, "--master: a value is missing (URL)" },
		{ OPTIONS_RENDER, { "-f" }, "--file: a value is missing (FILE)" },
		{ OPTIONS_START,
		  { "--controller-threads=0" },
		  "--controller-threads: \"0\": expected a number from 1 to 1000000" },
		{ OPTIONS_START,
		  { "--controller-threads", "1000001" },
		  "--controller-threads: \"1000001\": expected a number from 1 to 1000000" },
		{ OPTIONS_START,
		  { "--controller-threads=1.5" },
		  "--controller-threads: \"1.5\": expected a number from 1 to 1000000" },
		{ OPTIONS_START, { "--kube-api-qps=-1" }, "--kube-api-qps: \"-1\": expected a number, 0 or more" },
		{ OPTIONS_START, { "--kube-api-qps=nan" }, "--kube-api-qps: \"nan\": expected a number, 0 or more" },
		{ OPTIONS_START, { "--kube-api-qps=" }, "--kube-api-qps: \"\": expected a number, 0 or more" },
		{ OPTIONS_START,
		  { "--workqueue-ratelimiter-max-delay=5" },
		  "--workqueue-ratelimiter-max-delay: \"5\": expected a time like 30s, 5m or 1h30m" },
		{ OPTIONS_START,
		  { "--enable-ui-service=maybe" },
		  "--enable-ui-service: \"maybe\": expected true or false" },
		{ OPTIONS_START,
		  { "--log-level=loud" },
		  "--log-level: \"loud\": expected one of: debug info warn error" },
		{ OPTIONS_START,
		  { "--webhook-tls-min-version=1.2" },
		  "--webhook-tls-min-version: \"1.2\": expected one of: VersionTLS12 VersionTLS13" },
		{ OPTIONS_RENDER, { "-o", "yaml json" }, "--output: \"yaml json\": expected one of: yaml json" },
		{ OPTIONS_RENDER,
		  { "--ingress-url-format={{$name}}.example.com" },
		  "--ingress-url-format: \"{{$name}}.example.com\": expected a URL in which {{$appName}}, "
		  "{{$appNamespace}} and {{$appId}} stand for those of the application" },
		{ OPTIONS_VALIDATE,
		  { "--pod-policy=restricted" },
		  "--pod-policy: \"restricted\": expected one of: privileged baseline" },
		{ OPTIONS_RENDER, { "--output=" }, "--output: \"\": expected one of: yaml json" },
		{ OPTIONS_START,
		  { "--allowed-ingress-hosts=login/" },
		  "--allowed-ingress-hosts: \"login/\": expected a host such as spark.example.com, or *.DOMAIN for all "
		  "hosts below a domain" },
		{ OPTIONS_START,
		  { "--allowed-storage-classes=none,fast" },
		  "--allowed-storage-classes: expected none alone, or entries without it" },
		{ OPTIONS_START,
		  { "--allowed-ingress-hosts=" },
		  "--allowed-ingress-hosts: \"\": expected an entry at least: what is not to be limited is left out" },
		{ OPTIONS_START,
		  { "--allowed-service-types= ," },
		  "--allowed-service-types: \" ,\": expected an entry at least: what is not to be limited is left "
		  "out" },
		{ OPTIONS_VALIDATE,
		  { "--max-claim-size=" },
		  "--max-claim-size: \"\": expected a quantity such as 100Gi" },
		{ OPTIONS_VALIDATE,
		  { "--max-claim-size=big" },
		  "--max-claim-size: \"big\": expected a quantity such as 100Gi" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		const char *const args[] = { cases[i].args[0], cases[i].args[1], NULL };
		struct err err = { 0 };
		struct options o;

		if (parse(&o, cases[i].set, args, &err) == 0)
			fail_msg("%s was accepted", args[0]);
		assert_int_equal(err.code, ERR_INVALID);
		assert_string_equal(err.msg, cases[i].want);
		options_done(&o);
	}
}

/* Of each kind of list: what an entry may be, and that nothing is limited unless it is said. */
static void what_authors_may_choose(void **state)
{
	static const struct {
		const char *arg;
		enum limit_kind kind;
		size_t len; /* 0: refused */
	} rows[] = {
		{ "--allowed-ingress-hosts=*.apps.example.com, spark.example.com", LIMIT_INGRESS_HOST, 2 },
		{ "--allowed-ingress-hosts=none", LIMIT_INGRESS_HOST, 1 },
		{ "--allowed-ingress-hosts=none,a.example.com", LIMIT_INGRESS_HOST, 0 },
		{ "--allowed-ingress-hosts=*", LIMIT_INGRESS_HOST, 0 },
		{ "--allowed-ingress-hosts=*example.com", LIMIT_INGRESS_HOST, 0 },
		{ "--allowed-ingress-hosts=a.*.example.com", LIMIT_INGRESS_HOST, 0 },
		{ "--allowed-ingress-hosts=Spark.example.com", LIMIT_INGRESS_HOST, 0 },
		{ "--allowed-ingress-hosts=https://spark.example.com", LIMIT_INGRESS_HOST, 0 },
		{ "--allowed-ingress-annotations=cert-manager.io/,a.com/b,a.com/b-*,c*,*", LIMIT_INGRESS_ANNOTATION,
		  5 },
		{ "--allowed-ingress-annotations=a b", LIMIT_INGRESS_ANNOTATION, 0 },
		{ "--allowed-ingress-annotations=a.com/b/c", LIMIT_INGRESS_ANNOTATION, 0 },
		{ "--allowed-ingress-annotations=a*b", LIMIT_INGRESS_ANNOTATION, 0 },
		{ "--allowed-service-types=NodePort,ClusterIP", LIMIT_SERVICE_TYPE, 2 },
		{ "--allowed-service-types=none", LIMIT_SERVICE_TYPE, 0 },
		{ "--allowed-service-types=nodeport", LIMIT_SERVICE_TYPE, 0 },
		{ "--allowed-service-annotations=none", LIMIT_SERVICE_ANNOTATION, 1 },
		{ "--allowed-service-labels=team,team", LIMIT_SERVICE_LABEL, 1 },
		{ "--allowed-storage-classes=fast,slow", LIMIT_STORAGE_CLASS, 2 },
		{ "--allowed-storage-classes=Fast", LIMIT_STORAGE_CLASS, 0 },
	};
	struct rule_options rules;
	struct options o;
	struct err err = { 0 };

	(void)state;
	must_parse(&o, OPTIONS_START, ARGS());
	rules = options_rules(&o);
	assert_false(limits_any(&rules.limits));
	options_done(&o);
	for (size_t i = 0; i < array_len(rows); i++) {
		int rc = parse(&o, OPTIONS_WEBHOOK, ARGS(rows[i].arg), &err);

		if ((rc == 0) != (rows[i].len > 0) || (rc == 0 && o.allowed[rows[i].kind].len != rows[i].len))
			fail_msg("%s: %d", rows[i].arg, rc);
		rules = options_rules(&o);
		if (rc == 0)
			assert_true(limits_any(&rules.limits) && limits_has(&rules.limits, rows[i].kind));
		options_done(&o);
	}
	must_parse(&o, OPTIONS_VALIDATE, ARGS("-f=a", "--max-claim-size=1Ti", "--ingress-url-format=x/{{$appName}}"));
	assert_string_equal(options_rules(&o).limits.claim_size, "1Ti");
	assert_string_equal(options_rules(&o).ui_url_format, "x/{{$appName}}");
	options_done(&o);
	must_parse(&o, OPTIONS_START, ARGS("--enable-ui-service=false", "--ingress-url-format=x/{{$appName}}"));
	assert_null(options_rules(&o).ui_url_format);
	options_done(&o);
}

static void test_help(void **state)
{
	auto_buf start, version;

	(void)state;
	buf_init(&start, 1 << 16);
	buf_init(&version, 1 << 16);
	options_help(OPTIONS_START, &start);
	options_help(OPTIONS_VERSION, &version);
	assert_non_null(strstr(buf_str(&start), "      --controller-threads N\n"));
	assert_non_null(strstr(buf_str(&start), "(default 32)"));
	assert_null(strstr(buf_str(&start), "--file"));
	assert_non_null(strstr(buf_str(&start), "\nLeader election:\n"));
	assert_non_null(strstr(buf_str(&start), "\nAccepted, without effect:\n      --cache-sync-timeout\n"));
	assert_non_null(strstr(buf_str(&start), "      --kubeConfig FILE\n          as --kubeconfig\n"));
	assert_string_equal(buf_str(&version), "  -h, --help\n          this text\n"
					       "      --short\n          only the version of the program\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_webhook),
		cmocka_unit_test(test_repeated),
		cmocka_unit_test(what_the_rules_know),
		cmocka_unit_test(test_reviewed_namespaces),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_help),
		cmocka_unit_test(what_authors_may_choose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
