/*
 * Flags as rows: name, type, where the value goes, default, help. The parser and --help read the same table.
 */
#include "options.h"

#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum option_type {
	OPT_STRING = 1,
	OPT_LIST,
	OPT_FILES,
	OPT_COUNT,
	OPT_RATE,
	OPT_DURATION,
	OPT_CHOICE,
	OPT_FLAG,
	OPT_BOOL
};

struct option_row {
	const char *name;
	char letter; /* short form or 0 */
	enum option_type type;
	unsigned sets; /* enum option_set bits */
	size_t offset;
	const char *dflt;    /* text, parsed like a given one; NULL: none */
	const char *choices; /* OPT_CHOICE: "a b c" */
	const char *value;   /* placeholder in --help */
	const char *help;
};

#define AT(member)    offsetof(struct options, member)
#define OPTIONS_SERVE (OPTIONS_START | OPTIONS_WEBHOOK)
#define OPTIONS_HOOKS (OPTIONS_SERVE | OPTIONS_REGISTRATION)

static const struct option_row rows[] = {
	{ "kubeconfig", 0, OPT_STRING, OPTIONS_SERVE, AT(kubeconfig), NULL, NULL, "FILE",
	  "kubeconfig to use; default: $KUBECONFIG, the pod's service account, ~/.kube/config" },
	{ "context", 0, OPT_STRING, OPTIONS_SERVE, AT(context), NULL, NULL, "NAME",
	  "context of the kubeconfig; default: its current one" },
	{ "namespaces", 0, OPT_LIST, OPTIONS_HOOKS, AT(namespaces), NULL, NULL, "A,B",
	  "namespaces to watch; default: all" },
	{ "controller-threads", 0, OPT_COUNT, OPTIONS_START, AT(controller_threads), "32", NULL, "N",
	  "applications worked on at the same time (there is one thread)" },
	{ "kube-api-qps", 0, OPT_RATE, OPTIONS_SERVE, AT(kube_api_qps), "500", NULL, "N",
	  "requests a second to the API server; 0: its own limits decide" },
	{ "kube-api-burst", 0, OPT_RATE, OPTIONS_SERVE, AT(kube_api_burst), "1000", NULL, "N",
	  "requests that may exceed the rate for a moment" },
	{ "workqueue-ratelimiter-bucket-qps", 0, OPT_RATE, OPTIONS_START, AT(retry_qps), "50", NULL, "N",
	  "retries a second after failures, over all applications" },
	{ "workqueue-ratelimiter-bucket-size", 0, OPT_RATE, OPTIONS_START, AT(retry_burst), "500", NULL, "N",
	  "retries that may exceed the rate for a moment" },
	{ "workqueue-ratelimiter-max-delay", 0, OPT_DURATION, OPTIONS_START, AT(retry_max_ms), "5m", NULL, "TIME",
	  "longest wait between two retries of an application" },
	{ "driver-pod-creation-grace-period", 0, OPT_DURATION, OPTIONS_START, AT(driver_grace_ms), "30s", NULL, "TIME",
	  "a submitted driver pod must be seen within this" },
	{ "submission-refusal-deadline", 0, OPT_DURATION, OPTIONS_START, AT(refusal_deadline_ms), "30s", NULL, "TIME",
	  "how long a submission is tried again that the API server refuses (quota, RBAC, name taken)" },
	{ "max-tracked-executor-per-app", 0, OPT_COUNT, OPTIONS_START, AT(max_tracked_executors), "1000", NULL, "N",
	  "executors listed in a status" },
	{ "enable-ui-service", 0, OPT_BOOL, OPTIONS_START | OPTIONS_RENDER | OPTIONS_DIFF, AT(ui_service), "true", NULL,
	  NULL, "applications get a Service for their web UI; --enable-ui-service=false: none" },
	{ "metrics-bind-address", 0, OPT_STRING, OPTIONS_SERVE, AT(metrics_bind), ":8080", NULL, "ADDR:PORT",
	  "where /metrics, /healthz, /readyz and, on loopback, /debug/state are served; 0: nowhere" },
	{ "health-probe-bind-address", 0, OPT_STRING, OPTIONS_SERVE, AT(health_bind), "0", NULL, "ADDR:PORT",
	  "a second address for the same; 0: none" },
	{ "log-level", 0, OPT_CHOICE, OPTIONS_SERVE, AT(log_level), "info", "debug info warn error", "LEVEL",
	  "debug, info, warn or error" },
	{ "log-format", 0, OPT_CHOICE, OPTIONS_SERVE, AT(log_format), "logfmt", "logfmt json", "FORMAT",
	  "logfmt or json" },
	{ "master", 0, OPT_STRING, OPTIONS_START | OPTIONS_RENDER | OPTIONS_DIFF | OPTIONS_VALIDATE, AT(master),
	  "k8s://https://kubernetes.default.svc:443", NULL, "URL", "spark.master of the drivers" },
	{ "leader-election", 0, OPT_BOOL, OPTIONS_START, AT(leader_election), "false", NULL, NULL,
	  "only the replica that holds the Lease works on applications; all serve webhook and metrics" },
	{ "leader-election-lock-name", 0, OPT_STRING, OPTIONS_START, AT(lease_name), "spark-operator-lock", NULL,
	  "NAME", "the Lease" },
	{ "leader-election-lock-namespace", 0, OPT_STRING, OPTIONS_START, AT(lease_ns), NULL, NULL, "NAMESPACE",
	  "where it is; default: the operator's own namespace" },
	{ "leader-election-lease-duration", 0, OPT_DURATION, OPTIONS_START, AT(lease_duration_ms), "15s", NULL, "TIME",
	  "a leader that has been silent for so long is replaced" },
	{ "leader-election-renew-deadline", 0, OPT_DURATION, OPTIONS_START, AT(lease_renew_ms), "10s", NULL, "TIME",
	  "a leader that cannot renew the Lease for so long ends; less than the duration" },
	{ "leader-election-retry-period", 0, OPT_DURATION, OPTIONS_START, AT(lease_retry_ms), "2s", NULL, "TIME",
	  "between two tries to take or renew it" },
	{ "enable-webhook", 0, OPT_BOOL, OPTIONS_START, AT(webhook), "false", NULL, NULL,
	  "serve the admission webhook too" },
	{ "webhook-port", 0, OPT_COUNT, OPTIONS_SERVE, AT(webhook_port), "9443", NULL, "N",
	  "where the webhook is served, by TLS" },
	{ "webhook-bind-address", 0, OPT_STRING, OPTIONS_SERVE, AT(webhook_bind), NULL, NULL, "ADDR",
	  "on this address only; default: on all" },
	{ "webhook-secret-name", 0, OPT_STRING, OPTIONS_SERVE, AT(webhook_secret), "spark-webhook-certs", NULL, "NAME",
	  "Secret with CA and certificate; made if it is not there" },
	{ "webhook-secret-namespace", 0, OPT_STRING, OPTIONS_SERVE, AT(webhook_secret_ns), NULL, NULL, "NAMESPACE",
	  "where it is; default: the operator's own namespace" },
	{ "webhook-svc-name", 0, OPT_STRING, OPTIONS_HOOKS, AT(webhook_service), "spark-operator-webhook", NULL, "NAME",
	  "Service of the webhook; the certificate is made for it" },
	{ "webhook-svc-namespace", 0, OPT_STRING, OPTIONS_HOOKS, AT(webhook_service_ns), NULL, NULL, "NAMESPACE",
	  "where it is; default: the operator's own namespace" },
	{ "mutating-webhook-name", 0, OPT_STRING, OPTIONS_HOOKS, AT(mutating_name), "spark-operator-webhook", NULL,
	  "NAME", "MutatingWebhookConfiguration in which to keep the CA; \"\": none" },
	{ "validating-webhook-name", 0, OPT_STRING, OPTIONS_HOOKS, AT(validating_name), "spark-operator-webhook", NULL,
	  "NAME", "ValidatingWebhookConfiguration in which to keep the CA; \"\": none" },
	{ "webhook-cert-dir", 0, OPT_STRING, OPTIONS_SERVE, AT(webhook_cert_dir), NULL, NULL, "DIR",
	  "take the certificate from files, read again when they change; default: from the Secret" },
	{ "webhook-cert-name", 0, OPT_STRING, OPTIONS_SERVE, AT(webhook_cert_name), "tls.crt", NULL, "FILE",
	  "the certificate in that directory" },
	{ "webhook-key-name", 0, OPT_STRING, OPTIONS_SERVE, AT(webhook_key_name), "tls.key", NULL, "FILE", "its key" },
	{ "enable-cert-manager", 0, OPT_BOOL, OPTIONS_SERVE, AT(cert_manager), "false", NULL, NULL,
	  "the Secret is cert-manager's (tls.crt, tls.key, ca.crt): read it, write neither it nor the configurations" },
	{ "webhook-ca-lifetime", 0, OPT_DURATION, OPTIONS_SERVE, AT(webhook_ca_life_ms), "8760h", NULL, "TIME",
	  "of the CA; renewed before two thirds of it" },
	{ "webhook-cert-lifetime", 0, OPT_DURATION, OPTIONS_SERVE, AT(webhook_cert_life_ms), "2160h", NULL, "TIME",
	  "of the certificate; renewed before two thirds of it" },
	{ "webhook-cert-overlap", 0, OPT_DURATION, OPTIONS_SERVE, AT(webhook_overlap_ms), "60s", NULL, "TIME",
	  "how long both CAs are trusted before and after a change of CA" },
	{ "webhook-tls-min-version", 0, OPT_CHOICE, OPTIONS_SERVE, AT(webhook_tls_min), "VersionTLS12",
	  "VersionTLS12 VersionTLS13", "VERSION", "VersionTLS12 or VersionTLS13" },
	{ "webhook-tls-cipher-suites", 0, OPT_LIST, OPTIONS_SERVE, AT(webhook_ciphers), NULL, NULL, "A,B",
	  "suites of TLS 1.2, by Go's names; default: all that are safe" },
	{ "webhook-register", 0, OPT_BOOL, OPTIONS_SERVE, AT(webhook_register), "false", NULL, NULL,
	  "create the two configurations if they are not there" },
	{ "webhook-fail-policy", 0, OPT_CHOICE, OPTIONS_HOOKS, AT(webhook_policy), "Fail", "Fail Ignore", "POLICY",
	  "of configurations that are created: Fail or Ignore what cannot be asked about" },
	{ "webhook-pod-fail-policy", 0, OPT_CHOICE, OPTIONS_HOOKS, AT(webhook_pod_policy), "Ignore", "Fail Ignore",
	  "POLICY", "the same for Spark pods; those that the operator submits are complete without the webhook" },
	{ "webhook-timeout", 0, OPT_DURATION, OPTIONS_HOOKS, AT(webhook_timeout_ms), "10s", NULL, "TIME",
	  "of configurations that are created: how long the API server waits, 1s to 30s" },
	{ "webhook-namespace-selector", 0, OPT_LIST, OPTIONS_HOOKS, AT(webhook_selector), NULL, NULL, "KEY=VALUE,…",
	  "of configurations that are created: labels that namespaces must have" },
	{ "webhook-url", 0, OPT_STRING, OPTIONS_HOOKS, AT(webhook_url), NULL, NULL, "URL",
	  "of configurations that are created: https://HOST:PORT instead of the Service" },
	{ "enable-resource-quota-enforcement", 0, OPT_BOOL, OPTIONS_SERVE, AT(quota), "false", NULL, NULL,
	  "refuse applications that ask for more than their namespace's ResourceQuotas leave" },
	{ "pod-policy", 0, OPT_CHOICE, OPTIONS_SERVE | OPTIONS_VALIDATE | OPTIONS_RENDER, AT(pod_policy), "privileged",
	  "privileged baseline", "LEVEL",
	  "what pods of applications may have, as Pod Security Standards say: privileged (everything) or baseline" },
	{ "file", 'f', OPT_FILES, OPTIONS_RENDER | OPTIONS_DIFF | OPTIONS_VALIDATE, AT(files), NULL, NULL, "FILE",
	  "SparkApplications as YAML or JSON, several documents allowed; -: standard input; may be repeated" },
	{ "output", 'o', OPT_CHOICE, OPTIONS_RENDER, AT(output), "yaml", "yaml json", "FORMAT",
	  "yaml (documents) or json (a List)" },
	{ "attempt", 0, OPT_COUNT, OPTIONS_RENDER | OPTIONS_DIFF | OPTIONS_VALIDATE, AT(attempt), "1", NULL, "N",
	  "submission attempt that names are derived from" },
	{ "spark-home", 0, OPT_STRING, OPTIONS_DIFF, AT(spark_home), NULL, NULL, "DIR",
	  "run bin/spark-submit of this Spark and compare with what it would create; no cluster is touched" },
	{ "recorded", 0, OPT_STRING, OPTIONS_DIFF, AT(recorded), NULL, NULL, "DIR",
	  "compare with DIR/NAME.json, the recorded requests of a spark-submit" },
	{ "print-command", 0, OPT_FLAG, OPTIONS_DIFF, AT(print_command), NULL, NULL, NULL,
	  "print the spark-submit that says the same, a JSON line per application; run nothing" },
	{ "ignore", 0, OPT_FILES, OPTIONS_DIFF, AT(ignore), NULL, NULL, "FILE",
	  "more that may differ, a line for each: PATTERN  # reason; may be repeated" },
	{ "explain", 0, OPT_FLAG, OPTIONS_DIFF, AT(explain), NULL, NULL, NULL,
	  "print what may differ and why, as --ignore reads it" },
	{ "verbose", 'v', OPT_FLAG, OPTIONS_DIFF, AT(verbose), NULL, NULL, NULL,
	  "also show the differences that are ignored" },
	{ "output", 'o', OPT_CHOICE, OPTIONS_DIFF, AT(diff_output), "text", "text json", "FORMAT", "text or json" },
	{ "help", 'h', OPT_FLAG, OPTIONS_HOOKS | OPTIONS_RENDER | OPTIONS_VERSION | OPTIONS_DIFF | OPTIONS_VALIDATE,
	  AT(help), NULL, NULL, NULL, "this text" },
};

static const struct {
	const char *unit;
	int64_t ms;
} duration_units[] = { { "ms", 1 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 } };

/* One number with its unit; returns what follows or NULL. */
static const char *duration_part(const char *text, int64_t *ret_ms)
{
	size_t digits = strspn(text, "0123456789");
	auto_free char *number = xstrndup(text, digits);
	int64_t value = 0;

	if (digits == 0 || digits > 9 || !text_i64(number, &value))
		return NULL;
	for (size_t i = 0; i < array_len(duration_units); i++) {
		if (!text_starts(text + digits, duration_units[i].unit))
			continue;
		if (__builtin_add_overflow(*ret_ms, value * duration_units[i].ms, ret_ms))
			return NULL;
		return text + digits + strlen(duration_units[i].unit);
	}
	return NULL;
}

bool options_duration(const char *text, int64_t *ret_ms)
{
	int64_t sum = 0;

	if (text_eq(text, "0")) {
		*ret_ms = 0;
		return true;
	}
	if (text_empty(text))
		return false;
	while (*text) {
		text = duration_part(text, &sum);
		if (!text)
			return false;
	}
	*ret_ms = sum;
	return true;
}

static void set_string(char **target, const char *value)
{
	free(*target);
	*target = xstrdup_null(value);
}

static bool is_choice(const char *choices, const char *value)
{
	auto_strv list = { 0 };

	strv_split(&list, choices, ' ');
	return strv_has(&list, value);
}

static int option_set_value(struct options *o, const struct option_row *row, const char *value, struct err *err)
{
	void *target = (char *)o + row->offset;
	int64_t number = 0;

	switch (row->type) {
	case OPT_STRING:
		set_string(target, value);
		return 0;
	case OPT_CHOICE:
		if (!is_choice(row->choices, value))
			return err_set(err, ERR_INVALID, "--%s: \"%s\": expected one of: %s", row->name, value,
				       row->choices);
		set_string(target, value);
		return 0;
	case OPT_LIST:
		strv_done(target);
		strv_split(target, value, ',');
		return 0;
	case OPT_FILES:
		strv_add(target, value);
		return 0;
	case OPT_COUNT:
		if (!text_i64(value, &number) || number < 1 || number > 1000000)
			return err_set(err, ERR_INVALID, "--%s: \"%s\": expected a number from 1 to 1000000", row->name,
				       value);
		*(int64_t *)target = number;
		return 0;
	case OPT_RATE:
		if (!text_double(value, target) || *(double *)target < 0)
			return err_set(err, ERR_INVALID, "--%s: \"%s\": expected a number, 0 or more", row->name,
				       value);
		return 0;
	case OPT_DURATION:
		if (!options_duration(value, target))
			return err_set(err, ERR_INVALID, "--%s: \"%s\": expected a time like 30s, 5m or 1h30m",
				       row->name, value);
		return 0;
	case OPT_FLAG:
		*(bool *)target = true;
		return 0;
	case OPT_BOOL:
		if (!is_choice("true false", value))
			return err_set(err, ERR_INVALID, "--%s: \"%s\": expected true or false", row->name, value);
		*(bool *)target = text_eq(value, "true");
		return 0;
	}
	return 0;
}

/* The row that arg ("--name", "--name=value", "-x") means; NULL if none. */
static const struct option_row *find_row(enum option_set set, const char *arg)
{
	for (size_t i = 0; i < array_len(rows); i++) {
		size_t len = strlen(rows[i].name);

		if (!(rows[i].sets & (unsigned)set))
			continue;
		if (rows[i].letter && arg[0] == '-' && arg[1] == rows[i].letter && arg[2] == '\0')
			return &rows[i];
		if (text_starts(arg, "--") && !strncmp(arg + 2, rows[i].name, len) &&
		    (arg[2 + len] == '\0' || arg[2 + len] == '='))
			return &rows[i];
	}
	return NULL;
}

static int set_defaults(struct options *o, struct err *err)
{
	*o = (struct options){ 0 };
	for (size_t i = 0; i < array_len(rows); i++)
		if (rows[i].dflt && option_set_value(o, &rows[i], rows[i].dflt, err) < 0)
			return -(int)err->code;
	return 0;
}

static int parse_arguments(struct options *o, enum option_set set, int argc, char **argv, struct err *err)
{
	for (int i = 0; i < argc; i++) {
		const struct option_row *row = find_row(set, argv[i]);
		const char *equals = strchr(argv[i], '=');
		const char *value = equals ? equals + 1 : NULL;

		if (!row)
			return err_set(err, ERR_INVALID, "%s: unknown %s; --help lists what there is", argv[i],
				       argv[i][0] == '-' ? "flag" : "argument");
		if (row->type == OPT_BOOL && !value)
			value = "true";
		if (row->type != OPT_FLAG && !value && ++i < argc)
			value = argv[i];
		if (row->type != OPT_FLAG && !value)
			return err_set(err, ERR_INVALID, "--%s: a value is missing (%s)", row->name, row->value);
		if (option_set_value(o, row, value, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

int options_parse(struct options *o, enum option_set set, int argc, char **argv, struct err *err)
{
	if (set_defaults(o, err) < 0)
		return -(int)err->code;
	return parse_arguments(o, set, argc, argv, err);
}

void options_done(struct options *o)
{
	for (size_t i = 0; i < array_len(rows); i++) {
		void *target = (char *)o + rows[i].offset;

		if (rows[i].type == OPT_LIST || rows[i].type == OPT_FILES)
			strv_done(target);
		else if (rows[i].type == OPT_STRING || rows[i].type == OPT_CHOICE)
			set_string(target, NULL);
	}
	*o = (struct options){ 0 };
}

enum pod_policy options_pod_policy(const struct options *o)
{
	enum pod_policy policy = POD_POLICY_PRIVILEGED;

	pod_policy_parse(o->pod_policy, &policy);
	return policy;
}

void options_help(enum option_set set, struct buf *out)
{
	for (size_t i = 0; i < array_len(rows); i++) {
		const struct option_row *row = &rows[i];
		auto_free char *flag = NULL;

		if (!(row->sets & (unsigned)set))
			continue;
		flag = row->letter
			   ? xasprintf("-%c, --%s%s%s", row->letter, row->name, row->value ? " " : "",
				       row->value ? row->value : "")
			   : xasprintf("    --%s%s%s", row->name, row->value ? " " : "", row->value ? row->value : "");
		buf_printf(out, "  %s\n          %s%s%s%s\n", flag, row->help, row->dflt ? " (default " : "",
			   row->dflt ? row->dflt : "", row->dflt ? ")" : "");
	}
}
