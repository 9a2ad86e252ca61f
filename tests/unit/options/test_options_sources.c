/* Options of the environment and of a configuration file: precedence, origins, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "options/options.h"

enum { MAX_ARGS = 8 };

#define LIST(...) ((const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

/* A configuration file that is gone at the end of the scope. */
struct config {
	char path[32];
};

static struct config config_new(const char *text)
{
	struct config c = { "/tmp/test-options-XXXXXX" };
	int fd = mkstemp(c.path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return c;
}

static void config_done(struct config *c)
{
	unlink(c->path);
}

#define auto_config __attribute__((cleanup(config_done))) struct config

static int load(struct options *o, enum option_set set, const char *const *args, const char *const *environment,
		struct err *err)
{
	char *argv[MAX_ARGS];
	char *variables[MAX_ARGS] = { NULL };
	int argc = 0;

	for (; args[argc]; argc++)
		argv[argc] = (char *)args[argc];
	for (size_t i = 0; environment[i]; i++)
		variables[i] = (char *)environment[i];
	return options_load(o, set, argc, argv, variables, err);
}

static void must_load(struct options *o, enum option_set set, const char *const *args, const char *const *environment)
{
	struct err err = { 0 };

	if (load(o, set, args, environment, &err) < 0)
		fail_msg("%s", err.msg);
}

static void expect(const struct options *o, const char *name, const char *value, const char *origin)
{
	auto_json all = options_debug(o);
	const struct json *entry = json_get(all, name);

	assert_string_equal(json_str(entry, "value", "(none)"), value);
	assert_string_equal(json_str(entry, "origin", "(none)"), origin);
}

static void test_environment(void **state)
{
	struct options o;

	(void)state;
	must_load(&o, OPTIONS_START, LIST(),
		  LIST("SPARK_OPERATOR_CONTROLLER_THREADS=7", "SPARK_OPERATOR_NAMESPACES=a,b",
		       "SPARK_OPERATOR_LEADER_ELECTION=true", "SPARK_OPERATOR_LOG_LEVEL=", "PATH=/bin",
		       "SPARK_OPERATOR"));
	assert_int_equal(o.controller_threads, 7);
	assert_int_equal(o.namespaces.len, 2);
	assert_true(o.leader_election);
	assert_int_equal(o.log_level, LOG_INFO);
	expect(&o, "controller-threads", "7", "environment SPARK_OPERATOR_CONTROLLER_THREADS");
	expect(&o, "log-level", "info", "default");
	assert_null(options_warnings(&o));
	options_done(&o);
}

/* Other names too; ours wins over them, whatever the order. */
static void test_environment_aliases(void **state)
{
	struct options o;

	(void)state;
	must_load(&o, OPTIONS_WEBHOOK, LIST(),
		  LIST("SPARK_OPERATOR_LOG_LEVEL=warn", "SPARK_OPERATOR_ZAP_LOG_LEVEL=debug",
		       "SPARK_OPERATOR_METRICS_PORT=99", "SPARK_OPERATOR_KUBECONFIG=k"));
	assert_int_equal(o.log_level, LOG_WARN);
	assert_string_equal(o.metrics_bind, ":99");
	assert_string_equal(o.kubeconfig, "k");
	expect(&o, "metrics-bind-address", ":99", "environment SPARK_OPERATOR_METRICS_PORT");
	options_done(&o);
}

/* A Service spark-operator-webhook in the pod's namespace makes Kubernetes set these. */
static void test_service_links(void **state)
{
	struct options o;

	(void)state;
	must_load(&o, OPTIONS_START, LIST(),
		  LIST("SPARK_OPERATOR_WEBHOOK_PORT=tcp://10.96.0.9:443",
		       "SPARK_OPERATOR_WEBHOOK_SERVICE_HOST=10.96.0.9", "SPARK_OPERATOR_WEBHOOK_SERVICE_PORT=443",
		       "SPARK_OPERATOR_WEBHOOK_SERVICE_PORT_WEBHOOK=443",
		       "SPARK_OPERATOR_WEBHOOK_PORT_443_TCP=tcp://10.96.0.9:443",
		       "SPARK_OPERATOR_METRICS_PORT_1_TCP_PORT=1"));
	assert_int_equal(o.webhook_port, 9443);
	assert_null(options_warnings(&o));
	options_done(&o);
}

static void test_environment_unknown(void **state)
{
	struct options o;
	auto_free char *warnings = NULL;

	(void)state;
	must_load(&o, OPTIONS_START, LIST(), LIST("SPARK_OPERATOR_NAMSPACES=a", "SPARK_OPERATOR_PAYDAY=1"));
	warnings = options_warnings(&o);
	assert_string_equal(warnings, "SPARK_OPERATOR_NAMSPACES (no such option; did you mean "
				      "SPARK_OPERATOR_NAMESPACES?); SPARK_OPERATOR_PAYDAY (no such option)");
	options_done(&o);
}

static void test_file(void **state)
{
	auto_config c = config_new("namespaces: [a, \"b\"]\n"
				   "controller-threads: 7\n"
				   "kube-api-qps: 0.5\n"
				   "leader-election: true\n"
				   "metrics-labels: x,y\n"
				   "metrics-job-start-latency-buckets: [1, 2.5]\n"
				   "feature-gates: {DefaultTimeToLive: false}\n"
				   "ingress-tls:\n- hosts: [h]\n"
				   "ingress-annotations: {a: b}\n"
				   "namespace-selector: team in (a,b)\n"
				   "zap-log-level: debug\n"
				   "webhook-namespace-selector: {spark: 'on'}\n");
	auto_free char *origin = xasprintf("file %s", c.path);
	auto_free char *tls = NULL;
	auto_free char *annotations = NULL;
	struct options o;

	(void)state;
	must_load(&o, OPTIONS_START, LIST("--config", c.path), LIST());
	assert_int_equal(o.namespaces.len, 2);
	assert_string_equal(o.namespaces.items[1], "b");
	assert_int_equal(o.controller_threads, 7);
	assert_true(o.kube_api_qps == 0.5);
	assert_true(o.leader_election);
	assert_int_equal(o.metrics_labels.len, 2);
	assert_true(o.start_buckets.bounds[1] == 2.5);
	expect(&o, "feature-gates", "DefaultTimeToLive=false", origin);
	assert_int_equal(o.feature_gates.given, 1);
	assert_int_equal(o.feature_gates.on, 0);
	tls = json_print(o.ingress_tls);
	annotations = json_print(o.ingress_annotations);
	assert_string_equal(tls, "[{\"hosts\":[\"h\"]}]");
	assert_string_equal(annotations, "{\"a\":\"b\"}");
	assert_int_equal(o.log_level, LOG_DEBUG);
	assert_string_equal(o.webhook_selector.items[0], "spark=on");
	expect(&o, "namespaces", "a,b", origin);
	expect(&o, "config", c.path, "flag");
	options_done(&o);
}

/* What a text with commas could not say. */
static void test_file_elements(void **state)
{
	auto_config c =
	    config_new("webhook-namespace-selector: [\"a,b\", \" c \", 'd\"e', f]\nnamespaces: [a, \"\"]\n");
	auto_free char *origin = xasprintf("file %s", c.path);
	auto_free char *got = NULL;
	struct options o;

	(void)state;
	must_load(&o, OPTIONS_WEBHOOK, LIST("--config", c.path), LIST());
	got = strv_join(&o.webhook_selector, "|");
	assert_string_equal(got, "a,b| c |d\"e|f");
	expect(&o, "webhook-namespace-selector", "\"a,b\",\" c \",\"d\"\"e\",f", origin);
	assert_int_equal(o.namespaces.len, 0);
	options_done(&o);
}

static void test_file_of_environment(void **state)
{
	auto_config c = config_new("{\"controller-threads\": 7, \"namespaces\": []}\n");
	auto_config empty = config_new("# nothing\n");
	auto_free char *variable = xasprintf("SPARK_OPERATOR_CONFIG=%s", c.path);
	struct options o;

	(void)state;
	must_load(&o, OPTIONS_OLD, LIST(), LIST(variable));
	assert_int_equal(o.controller_threads, 7);
	expect(&o, "config", c.path, "environment SPARK_OPERATOR_CONFIG");
	options_done(&o);
	must_load(&o, OPTIONS_START, LIST("--config", empty.path), LIST(variable));
	assert_int_equal(o.controller_threads, 32);
	options_done(&o);
	must_load(&o, OPTIONS_START, LIST("--config="), LIST(variable));
	assert_int_equal(o.controller_threads, 32);
	options_done(&o);
}

/* Flag over environment over file over default; a list replaces the one of a lower source and grows within its own. */
static void test_precedence(void **state)
{
	auto_config c = config_new("controller-threads: 1\nkube-api-qps: 1\nkube-api-burst: 1\nnamespaces: [file]\n"
				   "metrics-labels: [file]\n");
	auto_free char *file = xasprintf("file %s", c.path);
	struct options o;

	(void)state;
	must_load(&o, OPTIONS_START, LIST("--kube-api-burst=3", "--config", c.path, "--namespaces=x", "-namespace=y"),
		  LIST("SPARK_OPERATOR_KUBE_API_QPS=2", "SPARK_OPERATOR_KUBE_API_BURST=2",
		       "SPARK_OPERATOR_METRICS_LABELS=environment"));
	expect(&o, "controller-threads", "1", file);
	expect(&o, "kube-api-qps", "2", "environment SPARK_OPERATOR_KUBE_API_QPS");
	expect(&o, "kube-api-burst", "3", "flag");
	expect(&o, "namespaces", "x,y", "flag --namespace");
	expect(&o, "metrics-labels", "environment", "environment SPARK_OPERATOR_METRICS_LABELS");
	expect(&o, "max-tracked-executor-per-app", "1000", "default");
	assert_int_equal(o.namespaces.len, 2);
	assert_int_equal(o.metrics_labels.len, 1);
	options_done(&o);
}

static void test_debug(void **state)
{
	struct options o;
	struct options none = { 0 };

	(void)state;
	must_load(&o, OPTIONS_OLD, LIST("-resync-interval=30", "-metrics-port=1"), LIST());
	expect(&o, "resync-interval", "30", "flag");
	expect(&o, "metrics-bind-address", ":1", "flag --metrics-port");
	expect(&o, "webhook-port", "8080", "default");
	expect(&o, "kubeconfig", "", "default");
	expect(&o, "pprof-bind-address", "(none)", "(none)"); /* idle, not given */
	expect(&o, "output", "(none)", "(none)");	      /* of another command */
	expect(&o, "help", "(none)", "(none)");
	options_done(&o);
	expect(&none, "kubeconfig", "(none)", "(none)");
}

/* Commands that do not serve take flags only. */
static void test_offline(void **state)
{
	struct options o;

	(void)state;
	must_load(&o, OPTIONS_RENDER, LIST(),
		  LIST("SPARK_OPERATOR_ENABLE_UI_SERVICE=false", "SPARK_OPERATOR_CONFIG=/nonexistent"));
	assert_true(o.ui_service);
	options_done(&o);
}

static void test_file_refused(void **state)
{
	static const struct {
		const char *text;
		const char *want; /* behind "file PATH: " */
	} cases[] = {
		{ "namespacess: a\n", "namespacess: no such option; did you mean namespaces?" },
		{ "nonsense: a\n", "nonsense: no such option" },
		{ "config: a\n", "config: no such option" },
		{ "help: true\n", "help: no such option" },
		{ "output: yaml\n", "output: no such option" },
		{ "controller-threads: many\n",
		  "controller-threads: --controller-threads: \"many\": expected a number from 1 to 1000000" },
		{ "controller-threads: [1]\n", "controller-threads: expected a text, number or boolean" },
		{ "controller-threads:\n", "controller-threads: expected a text, number or boolean" },
		{ "namespaces: [[a]]\n", "namespaces: expected a list of texts, numbers or booleans" },
		{ "ingress-tls: {}\n", "ingress-tls: --ingress-tls: \"{}\": expected a JSON array of objects" },
		{ "- a\n", "expected a map of options to values" },
		{ "a\n", "expected a map of options to values" },
		{ "master: a\n---\nmaster: b\n", "expected one document" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_config c = config_new(cases[i].text);
		auto_free char *want = xasprintf("file %s: %s", c.path, cases[i].want);
		struct err err = { 0 };
		struct options o;

		if (load(&o, OPTIONS_START, LIST("--config", c.path), LIST(), &err) == 0)
			fail_msg("%s was accepted", cases[i].text);
		assert_string_equal(err.msg, want);
		options_done(&o);
	}
}

static void test_refused(void **state)
{
	auto_config broken = config_new("a: [\n");
	auto_free char *prefix = xasprintf("file %s: ", broken.path);
	struct err err = { 0 };
	struct options o;

	(void)state;
	assert_true(load(&o, OPTIONS_START, LIST("--config", broken.path), LIST(), &err) < 0);
	assert_true(text_starts(err.msg, prefix));
	options_done(&o);
	assert_true(load(&o, OPTIONS_START, LIST("--config=/nonexistent"), LIST(), &err) < 0);
	assert_non_null(strstr(err.msg, "/nonexistent"));
	options_done(&o);
	assert_true(load(&o, OPTIONS_START, LIST(), LIST("SPARK_OPERATOR_WEBHOOK_PORT=x"), &err) < 0);
	assert_string_equal(err.msg,
			    "environment SPARK_OPERATOR_WEBHOOK_PORT: --webhook-port: \"x\": expected a number "
			    "from 1 to 65535");
	options_done(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_environment),   cmocka_unit_test(test_environment_aliases),
		cmocka_unit_test(test_service_links), cmocka_unit_test(test_environment_unknown),
		cmocka_unit_test(test_file),	      cmocka_unit_test(test_file_of_environment),
		cmocka_unit_test(test_precedence),    cmocka_unit_test(test_debug),
		cmocka_unit_test(test_offline),	      cmocka_unit_test(test_file_refused),
		cmocka_unit_test(test_refused),	      cmocka_unit_test(test_file_elements),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
