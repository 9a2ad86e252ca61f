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

#define AT(member) offsetof(struct options, member)

static const struct option_row rows[] = {
	{ "kubeconfig", 0, OPT_STRING, OPTIONS_START, AT(kubeconfig), NULL, NULL, "FILE",
	  "kubeconfig to use; default: $KUBECONFIG, the pod's service account, ~/.kube/config" },
	{ "context", 0, OPT_STRING, OPTIONS_START, AT(context), NULL, NULL, "NAME",
	  "context of the kubeconfig; default: its current one" },
	{ "namespaces", 0, OPT_LIST, OPTIONS_START, AT(namespaces), NULL, NULL, "A,B",
	  "namespaces to watch; default: all" },
	{ "controller-threads", 0, OPT_COUNT, OPTIONS_START, AT(controller_threads), "32", NULL, "N",
	  "applications worked on at the same time (there is one thread)" },
	{ "kube-api-qps", 0, OPT_RATE, OPTIONS_START, AT(kube_api_qps), "500", NULL, "N",
	  "requests a second to the API server; 0: its own limits decide" },
	{ "kube-api-burst", 0, OPT_RATE, OPTIONS_START, AT(kube_api_burst), "1000", NULL, "N",
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
	{ "metrics-bind-address", 0, OPT_STRING, OPTIONS_START, AT(metrics_bind), ":8080", NULL, "ADDR:PORT",
	  "where /metrics, /healthz, /readyz and, on loopback, /debug/state are served; 0: nowhere" },
	{ "health-probe-bind-address", 0, OPT_STRING, OPTIONS_START, AT(health_bind), "0", NULL, "ADDR:PORT",
	  "a second address for the same; 0: none" },
	{ "log-level", 0, OPT_CHOICE, OPTIONS_START, AT(log_level), "info", "debug info warn error", "LEVEL",
	  "debug, info, warn or error" },
	{ "log-format", 0, OPT_CHOICE, OPTIONS_START, AT(log_format), "logfmt", "logfmt json", "FORMAT",
	  "logfmt or json" },
	{ "master", 0, OPT_STRING, OPTIONS_START | OPTIONS_RENDER | OPTIONS_DIFF | OPTIONS_VALIDATE, AT(master),
	  "k8s://https://kubernetes.default.svc:443", NULL, "URL", "spark.master of the drivers" },
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
	{ "help", 'h', OPT_FLAG, OPTIONS_START | OPTIONS_RENDER | OPTIONS_VERSION | OPTIONS_DIFF | OPTIONS_VALIDATE,
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
	*target = xstrdup(value);
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
	free(o->kubeconfig);
	free(o->context);
	strv_done(&o->namespaces);
	free(o->metrics_bind);
	free(o->health_bind);
	free(o->log_level);
	free(o->log_format);
	free(o->master);
	strv_done(&o->files);
	free(o->output);
	free(o->spark_home);
	free(o->recorded);
	strv_done(&o->ignore);
	free(o->diff_output);
	*o = (struct options){ 0 };
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
