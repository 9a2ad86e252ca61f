/* Every flag of kubeflow's and GCP's operators, with one dash and two, for every command that serves; aliases; idle
 * flags and their warning; what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "kube/selector.h"
#include "options_args.h"
#include "json_text.h"

struct flag {
	const char *name;
	const char *value; /* NULL: a boolean */
};

/* `controller start` of 2.x. */
static const struct flag controller_flags[] = {
	{ "controller-threads", "10" },
	{ "namespaces", "a,b" },
	{ "namespace-selector", "spark-operator=enabled,env in (prod,staging)" },
	{ "cache-sync-timeout", "30s" },
	{ "max-tracked-executor-per-app", "1000" },
	{ "default-time-to-live-seconds", "0" },
	{ "enable-driver-pdb", NULL },
	{ "workqueue-ratelimiter-bucket-qps", "10" },
	{ "workqueue-ratelimiter-bucket-size", "100" },
	{ "workqueue-ratelimiter-max-delay", "6h" },
	{ "enable-batch-scheduler", NULL },
	{ "kube-scheduler-names", "one,two" },
	{ "default-batch-scheduler", "volcano" },
	{ "enable-ui-service", NULL },
	{ "ingress-class-name", "nginx" },
	{ "ingress-url-format", "{{$appName}}.example.com" },
	{ "ingress-tls", JSON([ { "hosts" : ["*.example.com"], "secretName" : "example" } ]) },
	{ "ingress-annotations", JSON({ "cert-manager.io/cluster-issuer" : "letsencrypt" }) },
	{ "leader-election", NULL },
	{ "leader-election-lock-name", "lock" },
	{ "leader-election-lock-namespace", "spark-operator" },
	{ "leader-election-lease-duration", "15s" },
	{ "leader-election-renew-deadline", "10s" },
	{ "leader-election-retry-period", "2s" },
	{ "driver-pod-creation-grace-period", "10s" },
	{ "kube-api-qps", "20" },
	{ "kube-api-burst", "30" },
	{ "enable-metrics", NULL },
	{ "metrics-bind-address", ":8080" },
	{ "metrics-endpoint", "/metrics" },
	{ "metrics-prefix", "" },
	{ "metrics-labels", "app_type" },
	{ "metrics-job-submit-latency-buckets", "0.5,1,2,4,8,16,32,64,128,256" },
	{ "metrics-job-start-latency-buckets", "30,60,90,120,150,180,210,240,270,300" },
	{ "health-probe-bind-address", ":8081" },
	{ "secure-metrics", NULL },
	{ "metric-tls-min-version", "VersionTLS13" },
	{ "metric-tls-cipher-suites", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
	{ "pprof-bind-address", "0" },
	{ "scheduled-spark-application-timestamp-precision", "nanos" },
	{ "submitter-service-url", "http://submitter:8080/" },
	{ "submitter-startup-timeout", "5m" },
	{ "submitter-request-timeout", "2m0s" },
	{ "submitter-max-retries", "3" },
	{ "submitter-initial-backoff", "2s" },
	{ "submitter-tls-enabled", NULL },
	{ "submitter-tls-cert-file", "/cert" },
	{ "submitter-tls-key-file", "/key" },
	{ "submitter-tls-ca-file", "/ca" },
	{ "feature-gates", "PartialRestart=false,LoadSparkDefaults=false,RestSubmitter=false,DefaultTimeToLive=false" },
	{ "kubeconfig", "" },
	{ "zap-devel", NULL },
	{ "zap-encoder", "console" },
	{ "zap-log-level", "info" },
	{ "zap-stacktrace-level", "panic" },
	{ "zap-time-encoding", "iso8601" },
};

/* `webhook start` of 2.x. */
static const struct flag webhook_flags[] = {
	{ "controller-threads", "10" },
	{ "namespaces", "\"\"" },
	{ "label-selector-filter", "team=a" },
	{ "cache-sync-timeout", "30s" },
	{ "kube-api-qps", "20" },
	{ "kube-api-burst", "30" },
	{ "webhook-cert-dir", "/etc/k8s-webhook-server/serving-certs" },
	{ "webhook-cert-name", "tls.crt" },
	{ "webhook-key-name", "tls.key" },
	{ "mutating-webhook-name", "spark-operator-webhook" },
	{ "validating-webhook-name", "spark-operator-webhook" },
	{ "webhook-port", "9443" },
	{ "webhook-secret-name", "certs" },
	{ "webhook-secret-namespace", "spark-operator" },
	{ "webhook-svc-name", "spark-webhook" },
	{ "webhook-svc-namespace", "spark-operator" },
	{ "enable-resource-quota-enforcement", NULL },
	{ "enable-cert-manager", NULL },
	{ "leader-election", NULL },
	{ "leader-election-lock-name", "lock" },
	{ "leader-election-lock-namespace", "spark-operator" },
	{ "leader-election-lease-duration", "15s" },
	{ "leader-election-renew-deadline", "14s" },
	{ "leader-election-retry-period", "4s" },
	{ "enable-metrics", NULL },
	{ "metrics-bind-address", "0" },
	{ "metrics-endpoint", "/metrics" },
	{ "metrics-prefix", "spark-" },
	{ "metrics-labels", "app_type,team" },
	{ "health-probe-bind-address", ":8081" },
	{ "secure-metrics", NULL },
	{ "webhook-tls-min-version", "VersionTLS12" },
	{ "webhook-tls-cipher-suites", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
};

/* 1.x; behind them glog's. */
static const struct flag old_flags[] = {
	{ "master", "" },
	{ "kubeConfig", "" },
	{ "controller-threads", "10" },
	{ "resync-interval", "30" },
	{ "namespace", "jobs" },
	{ "label-selector-filter", "team=a,!hidden" },
	{ "enable-webhook", NULL },
	{ "webhook-timeout", "30" },
	{ "enable-resource-quota-enforcement", NULL },
	{ "ingress-url-format", "{{$appName}}.example.com" },
	{ "enable-ui-service", NULL },
	{ "leader-election", NULL },
	{ "leader-election-lock-namespace", "spark-operator" },
	{ "leader-election-lock-name", "lock" },
	{ "leader-election-lease-duration", "15s" },
	{ "leader-election-renew-deadline", "14s" },
	{ "leader-election-retry-period", "4s" },
	{ "enable-batch-scheduler", NULL },
	{ "enable-metrics", NULL },
	{ "metrics-port", "10254" },
	{ "metrics-endpoint", "/metrics" },
	{ "metrics-prefix", "" },
	{ "ingress-class-name", "" },
	{ "metrics-labels", "app_type" },
	{ "metrics-job-start-latency-buckets", "30,60,90" },
	{ "webhook-config-name", "spark-webhook-config" },
	{ "webhook-server-cert", "/etc/webhook-certs/server-cert.pem" },
	{ "webhook-server-cert-key", "/etc/webhook-certs/server-key.pem" },
	{ "webhook-ca-cert", "/etc/webhook-certs/ca-cert.pem" },
	{ "webhook-cert-reload-interval", "15m" },
	{ "webhook-svc-namespace", "spark-operator" },
	{ "webhook-svc-name", "spark-webhook" },
	{ "webhook-port", "8080" },
	{ "webhook-fail-on-error", NULL },
	{ "webhook-namespace-selector", "spark=true" },
	{ "v", "2" },
	{ "logtostderr", NULL },
	{ "alsologtostderr", NULL },
	{ "stderrthreshold", "ERROR" },
	{ "log_dir", "/tmp" },
	{ "log_link", "" },
	{ "logbuflevel", "0" },
	{ "log_backtrace_at", ":0" },
	{ "vmodule", "" },
};

enum { CONTROLLER_FLAGS = 49, WEBHOOK_FLAGS = 33, OLD_FLAGS = 35 };

static void accept(enum option_set set, const struct flag *flag, const char *dashes)
{
	auto_free char *bare = xasprintf("%s%s", dashes, flag->name);
	auto_free char *joined = xasprintf("%s=%s", bare, flag->value ? flag->value : "true");
	const char *webhook = set == OPTIONS_OLD ? "-enable-webhook=true" : "--controller-threads=1";
	struct options o;

	must_parse(&o, set, ARGS(webhook, joined));
	options_done(&o);
	if (flag->value)
		must_parse(&o, set, ARGS(webhook, bare, flag->value));
	else
		must_parse(&o, set, ARGS(webhook, bare));
	options_done(&o);
}

static void accept_all(const struct flag *flags, size_t count)
{
	static const enum option_set sets[] = { OPTIONS_START, OPTIONS_WEBHOOK, OPTIONS_OLD };

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < array_len(sets); k++) {
			accept(sets[k], &flags[i], "-");
			accept(sets[k], &flags[i], "--");
		}
}

static void test_accepted(void **state)
{
	(void)state;
	assert_true(array_len(controller_flags) >= CONTROLLER_FLAGS);
	assert_int_equal(array_len(webhook_flags), WEBHOOK_FLAGS);
	assert_true(array_len(old_flags) >= OLD_FLAGS);
	assert_string_equal(old_flags[OLD_FLAGS].name, "v");
	assert_string_equal(controller_flags[CONTROLLER_FLAGS].name, "feature-gates");
	accept_all(controller_flags, array_len(controller_flags));
	accept_all(webhook_flags, array_len(webhook_flags));
	accept_all(old_flags, array_len(old_flags));
}

/* Together, as a Deployment has them: nothing excludes another one. */
static void parse_together(enum option_set set, const struct flag *flags, size_t count)
{
	char **argv = xcalloc(count, sizeof(*argv));
	struct options o;
	struct err err = { 0 };

	for (size_t i = 0; i < count; i++)
		argv[i] = xasprintf("-%s=%s", flags[i].name, flags[i].value ? flags[i].value : "true");
	if (options_parse(&o, set, (int)count, argv, &err) < 0)
		fail_msg("%s", err.msg);
	options_done(&o);
	for (size_t i = 0; i < count; i++)
		free(argv[i]);
	free(argv);
}

static void test_together(void **state)
{
	(void)state;
	parse_together(OPTIONS_START, controller_flags, array_len(controller_flags));
	parse_together(OPTIONS_WEBHOOK, webhook_flags, array_len(webhook_flags));
	parse_together(OPTIONS_OLD, old_flags, array_len(old_flags));
}

/* The command line of the 1.x chart, with its defaults. */
static void test_old_form(void **state)
{
	struct options o;

	(void)state;
	must_parse(&o, OPTIONS_OLD, ARGS());
	assert_string_equal(o.metrics_bind, ":10254");
	assert_false(o.metrics);
	assert_true(o.metrics_old_names);
	assert_int_equal(o.webhook_port, 8080);
	assert_string_equal(o.webhook_service, "spark-webhook");
	assert_string_equal(o.webhook_service_ns, "spark-operator");
	assert_string_equal(o.lease_ns, "spark-operator");
	assert_string_equal(o.mutating_name, "spark-webhook-config");
	assert_string_equal(o.validating_name, "spark-webhook-config");
	assert_true(o.webhook_register);
	assert_string_equal(o.webhook_policy, "Ignore");
	assert_string_equal(o.webhook_pod_policy, "Ignore");
	assert_int_equal(o.webhook_timeout_ms, 30000);
	assert_int_equal(o.lease_renew_ms, 14000);
	assert_int_equal(o.lease_retry_ms, 4000);
	assert_false(o.leader_election);
	assert_string_equal(o.master, "k8s://https://kubernetes.default.svc:443");
	options_done(&o);

	must_parse(&o, OPTIONS_OLD,
		   ARGS("-v=2", "-logtostderr", "-namespace=jobs", "-enable-webhook=true", "-webhook-svc-name=s",
			"-metrics-labels=app_type", "-metrics-labels=team"));
	assert_true(o.webhook);
	assert_int_equal(o.namespaces.len, 1);
	assert_string_equal(o.namespaces.items[0], "jobs");
	assert_string_equal(o.webhook_service, "s");
	assert_int_equal(o.metrics_labels.len, 2);
	assert_null(options_warnings(&o));
	options_done(&o);
}

static void test_own_defaults(void **state)
{
	struct options o;

	(void)state;
	must_parse(&o, OPTIONS_START, ARGS());
	assert_false(o.upgrade_crds);
	assert_null(o.namespace_selector);
	assert_null(o.label_selector);
	assert_int_equal(o.default_ttl_s, 0);
	assert_false(o.driver_pdb);
	assert_null(o.ingress_class_name);
	assert_null(o.ingress_url_format);
	assert_null(o.ingress_tls);
	assert_null(o.ingress_annotations);
	assert_true(o.metrics);
	assert_string_equal(o.metrics_endpoint, "/metrics");
	assert_string_equal(o.metrics_prefix, "");
	assert_int_equal(o.metrics_labels.len, 0);
	assert_int_equal(o.submit_buckets.len, 0);
	assert_int_equal(o.start_buckets.len, 0);
	assert_false(o.metrics_old_names);
	assert_false(o.secure_metrics);
	assert_string_equal(o.metrics_tls_min, "VersionTLS12");
	assert_int_equal(o.metrics_ciphers.len, 0);
	assert_null(options_warnings(&o));
	options_done(&o);
	assert_null(options_warnings(&o));
}

static void test_own_values(void **state)
{
	struct options o;

	(void)state;
	must_parse(&o, OPTIONS_START,
		   ARGS("--upgrade-crds", "--metrics-job-submit-latency-buckets=0.5, 1,2.5", "-ingress-tls=[]",
			"-ingress-annotations={\"a\":\"b\"}", "--label-selector-filter=a in (b,c)"));
	assert_true(o.upgrade_crds);
	assert_int_equal(o.submit_buckets.len, 3);
	assert_true(o.submit_buckets.bounds[0] == 0.5);
	assert_true(o.submit_buckets.bounds[1] == 1);
	assert_true(o.submit_buckets.bounds[2] == 2.5);
	assert_true(json_is(o.ingress_tls, JSON_ARRAY));
	assert_int_equal(json_len(o.ingress_tls), 0);
	assert_string_equal(json_str(o.ingress_annotations, "a", ""), "b");
	assert_string_equal(selector_text(o.label_selector), "a in (b,c)");
	options_done(&o);
	/* the empty text is as good as nothing */
	must_parse(&o, OPTIONS_START,
		   ARGS("--ingress-url-format=", "--ingress-class-name=", "--ingress-tls=", "--ingress-annotations=",
			"--namespace-selector=", "--leader-election-lock-namespace=", "--master="));
	assert_null(o.ingress_url_format);
	assert_null(o.ingress_class_name);
	assert_null(o.ingress_tls);
	assert_null(o.ingress_annotations);
	assert_null(o.namespace_selector);
	assert_null(o.lease_ns);
	assert_string_equal(o.master, "k8s://https://kubernetes.default.svc:443");
	options_done(&o);
}

static void test_booleans(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} cases[] = {
		{ "1", true },	  { "t", true },      { "T", true },	  { "TRUE", true },
		{ "true", true }, { "True", true },   { "0", false },	  { "f", false },
		{ "F", false },	  { "FALSE", false }, { "false", false }, { "False", false },
	};
	struct options o;

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_free char *arg = xasprintf("-enable-ui-service=%s", cases[i].text);

		must_parse(&o, OPTIONS_START, ARGS(arg));
		assert_int_equal(o.ui_service, cases[i].want);
		options_done(&o);
	}
}

static void test_lists(void **state)
{
	static const struct {
		const char *text;
		const char *want; /* joined by | */
	} cases[] = {
		{ "a,b", "a|b" },
		{ "", "" },
		{ ",,", "" },
		{ " a , b ", "a|b" },
		{ "\"a\",b", "a|b" },
		{ "\"a,b\"", "a,b" },
		{ "\"a\"\"b\" ,c", "a\"b|c" },
		{ "\"\"", "" }, /* one element, which is empty */
		{ "a,\"\"", "a|" },
		{ "a,", "a" },
	};
	struct options o;

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_free char *arg = xasprintf("--webhook-namespace-selector=%s", cases[i].text);
		auto_free char *got = NULL;

		must_parse(&o, OPTIONS_START, ARGS(arg));
		got = strv_join(&o.webhook_selector, "|");
		assert_string_equal(got, cases[i].want);
		options_done(&o);
	}
}

static void labels_become_names_that_prometheus_takes(void **state)
{
	struct options o;
	auto_free char *got = NULL;

	(void)state;
	must_parse(&o, OPTIONS_START,
		   ARGS("--metrics-labels=app-type,\"\",team,app_type", "--metrics-labels=a/b.c,namespace,team"));
	got = strv_join(&o.metrics_labels, "|");
	assert_string_equal(got, "app_type|team|a_b_c|namespace");
	options_done(&o);
}

static void a_histogram_has_a_hundred_buckets_at_most(void **state)
{
	auto_buf arg = { .max = 4096 };
	struct err err = { 0 };
	struct options o;

	(void)state;
	buf_puts(&arg, "--metrics-job-start-latency-buckets=0");
	for (int i = 1; i < 100; i++)
		buf_printf(&arg, ",%d", i);
	must_parse(&o, OPTIONS_START, ARGS(buf_str(&arg)));
	assert_int_equal(o.start_buckets.len, 100);
	options_done(&o);
	assert_true(parse(&o, OPTIONS_START, ARGS(buf_str(&arg), "--metrics-job-start-latency-buckets=100"), &err) < 0);
	assert_string_equal(err.msg, "--metrics-job-start-latency-buckets: \"100\": expected at most 100 numbers");
	options_done(&o);
}

static void empty_names_of_suites_do_not_count(void **state)
{
	struct options o;

	(void)state;
	must_parse(
	    &o, OPTIONS_START,
	    ARGS("--metric-tls-cipher-suites=\"\"", "--webhook-tls-cipher-suites=a", "--webhook-tls-cipher-suites=,b"));
	assert_int_equal(o.metrics_ciphers.len, 0);
	assert_int_equal(o.webhook_ciphers.len, 2);
	assert_string_equal(o.webhook_ciphers.items[1], "b");
	options_done(&o);
}

/* As the 2.x chart writes it: quotes and all. */
static void test_all_namespaces(void **state)
{
	static const char *const args[] = { "--namespaces=\"\"", "--namespaces=", "--namespaces=a,\"\"",
					    "-namespace=" };
	struct options o;

	(void)state;
	for (size_t i = 0; i < array_len(args); i++) {
		must_parse(&o, OPTIONS_START, ARGS(args[i]));
		assert_int_equal(o.namespaces.len, 0);
		options_done(&o);
	}
}

static void test_aliases(void **state)
{
	struct options o;

	(void)state;
	must_parse(&o, OPTIONS_START,
		   ARGS("-kubeConfig=k", "-metrics-port", "9090", "-webhook-config-name=c", "-webhook-fail-on-error",
			"-webhook-timeout=7", "-v", "4"));
	assert_string_equal(o.kubeconfig, "k");
	assert_string_equal(o.metrics_bind, ":9090");
	assert_string_equal(o.mutating_name, "c");
	assert_string_equal(o.validating_name, "c");
	assert_string_equal(o.webhook_pod_policy, "Fail");
	assert_string_equal(o.webhook_policy, "Fail");
	assert_int_equal(o.webhook_timeout_ms, 7000);
	assert_int_equal(o.log_level, LOG_DEBUG);
	options_done(&o);

	must_parse(&o, OPTIONS_WEBHOOK,
		   ARGS("-webhook-server-cert=/c/server-cert.pem", "-webhook-server-cert-key=/c/server-key.pem",
			"--zap-encoder=json", "--zap-log-level=panic", "-webhook-fail-on-error=false"));
	assert_string_equal(o.webhook_cert_dir, "/c");
	assert_string_equal(o.webhook_cert_name, "server-cert.pem");
	assert_string_equal(o.webhook_key_name, "server-key.pem");
	assert_string_equal(o.log_format, "json");
	assert_int_equal(o.log_level, LOG_ERROR);
	assert_string_equal(o.webhook_policy, "Ignore");
	options_done(&o);
}

static void test_log_levels(void **state)
{
	static const struct {
		const char *arg;
		enum log_level want;
	} cases[] = {
		{ "--zap-log-level=debug", LOG_DEBUG },
		{ "--zap-log-level=INFO", LOG_INFO },
		{ "--zap-log-level=error", LOG_ERROR },
		{ "--zap-log-level=3", LOG_DEBUG },
		{ "--zap-devel", LOG_DEBUG },
		{ "--zap-devel=false", LOG_INFO },
		{ "-v=0", LOG_INFO },
		{ "-v=2", LOG_INFO },
		{ "-v=3", LOG_DEBUG },
	};
	struct options o;

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		must_parse(&o, OPTIONS_START, ARGS(cases[i].arg));
		assert_int_equal(o.log_level, cases[i].want);
		options_done(&o);
	}
}

static void test_time_to_live(void **state)
{
	static const struct {
		const char *gates;
		int64_t want;
	} cases[] = {
		{ "--feature-gates=", 60 },
		{ "--feature-gates=DefaultTimeToLive=true", 60 },
		{ "--feature-gates=DefaultTimeToLive=false", 0 },
		{ "--feature-gates=AllAlpha=true", 60 },
		{ "--feature-gates=AllAlpha=true,DefaultTimeToLive=false", 0 },
		{ "--feature-gates=PartialRestart=true", 60 },
		{ "--feature-gates=AllAlpha=false", 60 },
		{ "--feature-gates=DefaultTimeToLive=false,DefaultTimeToLive=true", 60 },
		{ "--feature-gates=DefaultTimeToLive=true,DefaultTimeToLive=false", 0 },
	};
	struct options o;

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_free char *warnings = NULL;

		must_parse(&o, OPTIONS_START, ARGS(cases[i].gates, "--default-time-to-live-seconds=60"));
		assert_int_equal(o.default_ttl_s, cases[i].want);
		warnings = options_warnings(&o);
		assert_int_equal(warnings && strstr(warnings, "--default-time-to-live-seconds (its feature gate"),
				 cases[i].want == 0);
		options_done(&o);
	}
}

static void test_warnings(void **state)
{
	static const struct {
		enum option_set set;
		const char *args[4];
		const char *want;
	} cases[] = {
		{ OPTIONS_START,
		  { "-resync-interval=30" },
		  "--resync-interval (changes are watched; nothing is polled)" },
		{ OPTIONS_START,
		  { "--pprof-bind-address=:6060", "--cache-sync-timeout=1m", "--submitter-max-retries=2",
		    "--submitter-service-url=http://s" },
		  "--cache-sync-timeout (the caches are waited for as long as it takes; /readyz "
		  "says so); --submitter-service-url, --submitter-max-retries (applications are submitted by the "
		  "operator itself); --pprof-bind-address (there is no Go program to profile)" },
		{ OPTIONS_START,
		  { "--enable-batch-scheduler=true" },
		  "--enable-batch-scheduler (applications with batchScheduler are refused by "
		  "this version)" },
		{ OPTIONS_START, { "--enable-batch-scheduler=false", "--pprof-bind-address=0", "--vmodule=" }, NULL },
		{ OPTIONS_OLD, { "-logtostderr", "-alsologtostderr=true", "-log_dir=" }, NULL },
		{ OPTIONS_OLD,
		  { "-logtostderr=false", "-master=https://h:6443" },
		  "--master (the API server is that of --kubeconfig or of the pod); --logtostderr "
		  "(the log goes to standard error, --log-level says how much)" },
		{ OPTIONS_START,
		  { "--feature-gates=PartialRestart=true" },
		  "feature gate PartialRestart (a change of the spec starts the application "
		  "anew)" },
		{ OPTIONS_START,
		  { "--feature-gates=AllAlpha=true,RestSubmitter=false" },
		  "feature gate PartialRestart (a change of the spec starts the application anew); "
		  "feature gate LoadSparkDefaults (there is no spark-defaults.conf here)" },
	};
	struct options o;

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		const char *const args[] = { cases[i].args[0], cases[i].args[1], cases[i].args[2], cases[i].args[3],
					     NULL };
		auto_free char *warnings = NULL;

		must_parse(&o, cases[i].set, args);
		warnings = options_warnings(&o);
		if (cases[i].want)
			assert_string_equal(warnings, cases[i].want);
		else
			assert_null(warnings);
		options_done(&o);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *args[3];
		const char *want; /* of the beginning */
	} cases[] = {
		{ { "--namespacess=a" }, "--namespacess=a: unknown flag; did you mean --namespaces?" },
		{ { "-enable-web-hook" }, "-enable-web-hook: unknown flag; did you mean --enable-webhook?" },
		{ { "--resync-intervall=3" }, "--resync-intervall=3: unknown flag; did you mean --resync-interval?" },
		{ { "-metric-port=1" }, "-metric-port=1: unknown flag; did you mean --metrics-port?" },
		{ { "--leader-election", "false" }, "false: unknown argument; did you mean --leader-election=false?" },
		{ { "--default-time-to-live-seconds=-1" },
		  "--default-time-to-live-seconds: \"-1\": expected a number of seconds, 0 or more" },
		{ { "--scheduled-spark-application-timestamp-precision=hours" },
		  "--scheduled-spark-application-timestamp-precision: \"hours\": expected one of: nanos micros" },
		{ { "--submitter-max-retries=0" }, "--submitter-max-retries: \"0\": expected a number from 1" },
		{ { "--cache-sync-timeout=soon" }, "--cache-sync-timeout: \"soon\": expected a time" },
		{ { "--resync-interval=often" }, "--resync-interval: \"often\": expected a number" },
		{ { "--submitter-tls-enabled=maybe" }, "--submitter-tls-enabled: \"maybe\": expected true or false" },
		{ { "--feature-gates=Nonsense=true" }, "--feature-gates: \"Nonsense=true\": expected one of: Default" },
		{ { "--feature-gates=PartialRestart" }, "--feature-gates: \"PartialRestart\": expected NAME=true" },
		{ { "--feature-gates=PartialRestartx=true" },
		  "--feature-gates: \"PartialRestartx=true\": expected one" },
		{ { "--feature-gates=\"\"" }, "--feature-gates: \"\": expected NAME=true" },
		{ { "--feature-gates=PartialRestart=yes" },
		  "--feature-gates: \"PartialRestart=yes\": expected NAME=true" },
		{ { "--ingress-tls={}" }, "--ingress-tls: \"{}\": expected a JSON array of objects" },
		{ { "--ingress-tls=[1]" }, "--ingress-tls: \"[1]\": expected a JSON array of objects" },
		{ { "--ingress-tls=[" }, "--ingress-tls: " },
		{ { "--ingress-annotations=[{}]" }, "--ingress-annotations: \"[{}]\": expected a JSON object of" },
		{ { "--ingress-annotations={\"a\":1}" }, "--ingress-annotations: \"{\"a\":1}\": expected a JSON" },
		{ { "--ingress-annotations={\"-\":\"1\"}" },
		  "--ingress-annotations: \"{\"-\":\"1\"}\": expected a JSON object of annotations" },
		{ { "--ingress-url-format={{$x}}" },
		  "--ingress-url-format: \"{{$x}}\": expected a URL in which {{$appName}}" },
		{ { "--ingress-class-name=a b" },
		  "--ingress-class-name: \"a b\": expected the name of an IngressClass" },
		{ { "--namespace-selector=a in" }, "--namespace-selector: \"a in\": " },
		{ { "--label-selector-filter=-=-" }, "--label-selector-filter: \"-=-\": " },
		{ { "--metrics-job-start-latency-buckets=1,x" }, "--metrics-job-start-latency-buckets: \"1,x\": expe" },
		{ { "--metrics-job-start-latency-buckets=2,1" }, "--metrics-job-start-latency-buckets: \"2,1\": expe" },
		{ { "--metrics-job-submit-latency-buckets=1,1" },
		  "--metrics-job-submit-latency-buckets: \"1,1\": expected numbers in ascending order" },
		{ { "--metrics-job-submit-latency-buckets=soon" },
		  "--metrics-job-submit-latency-buckets: \"soon\": expected numbers in ascending order" },
		{ { "--metrics-job-submit-latency-buckets=3", "--metrics-job-submit-latency-buckets=2" },
		  "--metrics-job-submit-latency-buckets: \"2\": expected numbers in ascending order" },
		{ { "--metric-tls-min-version=VersionTLS11" }, "--metric-tls-min-version: \"VersionTLS11\": expected" },
		{ { "--metrics-endpoint=metrics" }, "--metrics-endpoint: \"metrics\": expected a path like /metrics" },
		{ { "--metrics-endpoint=/readyz" }, "--metrics-endpoint: \"/readyz\": expected a path like /metrics" },
		{ { "--metrics-prefix=1a" }, "--metrics-prefix: \"1a\": expected letters" },
		{ { "--metrics-prefix=a.b" }, "--metrics-prefix: \"a.b\": expected letters" },
		{ { "--metrics-labels=a\"b\"c,\"d" }, "--metrics-labels: \"a\"b\"c,\"d\": expected values separated" },
		{ { "--metrics-labels=le" }, "--metrics-labels: \"le\" cannot be a label of metrics" },
		{ { "--metrics-labels=a,1st" }, "--metrics-labels: \"1st\" cannot be a label of metrics" },
		{ { "--metrics-labels=__name__" }, "--metrics-labels: \"__name__\" cannot be a label of metrics" },
		{ { "--metrics-labels=a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q" },
		  "--metrics-labels: more than 16 labels of metrics" },
		{ { "--metrics-labels=\"d\"e" }, "--metrics-labels: \"\"d\"e\": expected values separated" },
		{ { "--namespaces=Jobs" }, "--namespaces: \"Jobs\": expected names of namespaces" },
		{ { "-metrics-port=x" }, "--metrics-port: \"x\": expected a number from 1 to 65535" },
		{ { "-metrics-port" }, "--metrics-port: a value is missing (N)" },
		{ { "-webhook-port=65536" }, "--webhook-port: \"65536\": expected a number from 1 to 65535" },
		{ { "--webhook-ca-lifetime=599s" }, "--webhook-ca-lifetime: expected at least 10m" },
		{ { "--webhook-cert-lifetime=0" }, "--webhook-cert-lifetime: expected at least 10m" },
		{ { "--webhook-cert-overlap=2562047h1ms" },
		  "--webhook-cert-overlap: \"2562047h1ms\": expected a time of at most 2562047h (292 years)" },
		{ { "-webhook-timeout=-1" }, "--webhook-timeout: \"-1\": expected a time" },
		{ { "-webhook-fail-on-error=x" }, "--webhook-fail-on-error: \"x\": expected true or false" },
		{ { "-zap-devel=x" }, "--zap-devel: \"x\": expected true or false" },
		{ { "-zap-encoder=xml" }, "--zap-encoder: \"xml\": expected one of: console json" },
		{ { "-zap-log-level=loud" }, "--zap-log-level: \"loud\": expected one of: debug" },
		{ { "-zap-log-level=0" }, "--zap-log-level: \"0\": expected one of: debug" },
		{ { "-zap-time-encoding=x" }, "--zap-time-encoding: \"x\": expected one of: epoch" },
		{ { "-v=x" }, "--v: \"x\": expected a number" },
		{ { "-webhook-server-cert=cert.pem" },
		  "--webhook-server-cert: \"cert.pem\": expected a path DIR/FILE" },
		{ { "-webhook-server-cert=/a/c.pem", "-webhook-server-cert-key=/b/k.pem" },
		  "--webhook-server-cert-key: \"/b/k.pem\": expected a file in /a, where --webhook-server-cert is" },
		{ { "--help=pdf" }, "--help: \"pdf\": expected true or false" },
		{ { "--config=/nonexistent/options.yaml" }, "/nonexistent/options.yaml" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		const char *const args[] = { cases[i].args[0], cases[i].args[1], cases[i].args[2], NULL };
		struct err err = { 0 };
		struct options o;

		if (parse(&o, OPTIONS_START, args, &err) == 0)
			fail_msg("%s was accepted", args[0]);
		assert_int_not_equal(err.code, ERR_NONE);
		if (!text_starts(err.msg, cases[i].want))
			fail_msg("%s: %s", args[0], err.msg);
		options_done(&o);
	}
}

static void test_old_refused(void **state)
{
	struct err err = { 0 };
	struct options o;

	(void)state;
	assert_true(parse(&o, OPTIONS_OLD, ARGS("-enable-resource-quota-enforcement"), &err) < 0);
	assert_string_equal(err.msg, "--enable-resource-quota-enforcement: expected --enable-webhook with it");
	options_done(&o);
	must_parse(&o, OPTIONS_START, ARGS("-enable-resource-quota-enforcement"));
	options_done(&o);
}

/* Flags that have no effect are never wrong together: one warning names them. */
static void idle_flags_are_accepted_in_every_combination(void **state)
{
	static const struct {
		enum option_set set;
		const char *args[3];
		const char *warning; /* its beginning */
	} cases[] = {
		{ OPTIONS_START, { "--feature-gates=RestSubmitter=true" }, "feature gate RestSubmitter (" },
		{ OPTIONS_START,
		  { "--feature-gates=RestSubmitter=true", "--submitter-service-url=u", "--submitter-tls-enabled" },
		  "--submitter-service-url, --submitter-tls-enabled (" },
		{ OPTIONS_START,
		  { "--enable-batch-scheduler", "--default-batch-scheduler=mine" },
		  "--enable-batch-scheduler, --default-batch-scheduler (" },
		{ OPTIONS_OLD, { "-enable-batch-scheduler" }, "--enable-batch-scheduler (" },
	};
	struct options o;

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		const char *const args[] = { cases[i].args[0], cases[i].args[1], cases[i].args[2], NULL };
		auto_free char *warnings = NULL;

		must_parse(&o, cases[i].set, args);
		warnings = options_warnings(&o);
		assert_true(text_starts(warnings, cases[i].warning));
		options_done(&o);
	}
}

static void test_help(void **state)
{
	struct options o;

	(void)state;
	must_parse(&o, OPTIONS_START, ARGS("--help=true"));
	assert_true(o.help);
	options_done(&o);
	must_parse(&o, OPTIONS_OLD, ARGS("-help"));
	assert_true(o.help);
	options_done(&o);
	must_parse(&o, OPTIONS_VERSION, ARGS("--short"));
	assert_true(o.short_version);
	options_done(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_together),
		cmocka_unit_test(test_old_form),
		cmocka_unit_test(test_own_defaults),
		cmocka_unit_test(test_own_values),
		cmocka_unit_test(test_booleans),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(empty_names_of_suites_do_not_count),
		cmocka_unit_test(labels_become_names_that_prometheus_takes),
		cmocka_unit_test(a_histogram_has_a_hundred_buckets_at_most),
		cmocka_unit_test(test_all_namespaces),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_log_levels),
		cmocka_unit_test(test_time_to_live),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_old_refused),
		cmocka_unit_test(idle_flags_are_accepted_in_every_combination),
		cmocka_unit_test(test_help),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
