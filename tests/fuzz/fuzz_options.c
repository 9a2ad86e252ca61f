/*
 * Fuzz target: command line, environment and configuration file of every command, and an operator with what they say.
 *
 * Input: one byte that chooses the command, then arguments and variables, each ended by a line end; a line that begins
 * with "$" is a variable. What follows after a line "---" is the configuration file. Lines that name another file are
 * left out, since no file may be read. An operator that is given the options then runs an application on an API server
 * in memory for some seconds of virtual time. The target fails on a crash, an assertion, a leak, or an error without
 * words.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "fake_kube.h"
#include "json/json.h"
#include "runtime/leader.h"
#include "operator.h"
#include "options/options.h"
#include "start.h"
#include "webhook/webhook_registration.h"

enum { LINES_MAX = 32, PATH_SIZE = 64, RUN_MS = 5000, TEXT_SIZE = 16 << 20 };

struct lines {
	char *items[LINES_MAX + 1]; /* ended by NULL */
	int len;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- input ---- */

static bool names_file(const char *line)
{
	return text_starts(line + strspn(line, "-"), "config") || text_starts(line, "SPARK_OPERATOR_CONFIG=");
}

static void add_line(struct lines *l, char *line)
{
	if (l->len < LINES_MAX && !names_file(line))
		l->items[l->len++] = line;
}

/* Returns the text of the configuration file, NULL if there is none. */
static const char *split(char *text, struct lines *arguments, struct lines *variables)
{
	char *rest = text;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (text_eq(line, "---"))
			return rest ? rest : "";
		add_line(*line == '$' ? variables : arguments, line + (*line == '$'));
	}
	return NULL;
}

/* A file in memory, that *ret_variable names for the operator. Returns its descriptor. */
static int write_config(const char *text, char ret_variable[PATH_SIZE])
{
	int fd = memfd_create("config", 0);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	snprintf(ret_variable, PATH_SIZE, "SPARK_OPERATOR_CONFIG=/proc/self/fd/%d", fd);
	return fd;
}

/* ---- use ---- */

static struct json *parse_app(void)
{
	static const char text[] =
	    "{\"apiVersion\": \"sparkoperator.k8s.io/v1beta2\", \"kind\": \"SparkApplication\","
	    " \"metadata\": {\"name\": \"pi\", \"namespace\": \"jobs\", \"labels\": {\"team\": \"x\"}},"
	    " \"spec\": {\"type\": \"Scala\", \"mode\": \"cluster\", \"image\": \"spark:3.5.3\","
	    " \"sparkVersion\": \"3.5.3\", \"mainClass\": \"Pi\", \"mainApplicationFile\": \"local:///pi.jar\","
	    " \"driver\": {\"serviceAccount\": \"spark\"}, \"executor\": {\"instances\": 1}}}";
	struct err err = { 0 };
	struct json *app = json_parse(text, strlen(text), &err);

	return app ? app : (abort(), NULL);
}

static void run_operator(const struct options *o)
{
	struct operator_options options = start_operator_options(o);
	struct metrics *metrics = metrics_new();
	struct sched sched;
	struct fake_kube *kube;
	struct spark_operator *spark;
	auto_buf text = { .max = TEXT_SIZE };

	sched_init(&sched, 1, 1700000000000, 1);
	kube = fake_kube_new(&sched, NULL);
	fake_kube_put(kube, &resource_sparkapplication, parse_app());
	options.manager.instance = "fuzz";
	spark = operator_new(fake_kube_api(kube), &sched, metrics, &options);
	manager_start(operator_manager(spark));
	manager_lead(operator_manager(spark));
	fake_kube_run(kube, RUN_MS);
	metrics_write(metrics, &text);
	json_free(operator_debug(spark));
	operator_free(spark);
	fake_kube_free(kube);
	metrics_free(metrics);
	sched_done(&sched);
}

static void serve(const struct options *o, struct err *err)
{
	const struct leader_options leader = {
		.lease = {
			.ns = o->lease_ns ? o->lease_ns : "ops",
			.name = o->lease_name,
			.identity = "fuzz",
			.duration_ms = o->lease_duration_ms,
			.renew_deadline_ms = o->lease_renew_ms,
			.retry_ms = o->lease_retry_ms,
		},
		.former_name = o->former_lease_name,
	};

	if (start_check(o, err) < 0 || (o->leader_election && leader_check(&leader, err) < 0))
		return;
	run_operator(o);
}

static void print_registration(const struct options *o)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	webhook_registration_print(o, out, out);
	fclose(out);
	free(text);
}

static void use(const struct options *o, enum option_set set, struct err *err)
{
	auto_json debug = options_debug(o);
	auto_free char *warnings = options_warnings(o);
	auto_free char *text = json_print(debug);

	(void)warnings;
	if (!text || !options_reviewed(o))
		abort();
	if (o->help)
		return;
	if (set & OPTIONS_SERVE)
		serve(o, err);
	if (set & (OPTIONS_SERVE | OPTIONS_REGISTRATION))
		print_registration(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum option_set sets[] = { OPTIONS_START,	      OPTIONS_OLD,     OPTIONS_WEBHOOK,
						OPTIONS_RENDER,	      OPTIONS_DIFF,    OPTIONS_VALIDATE,
						OPTIONS_REGISTRATION, OPTIONS_VERSION, OPTIONS_CRDS };
	enum option_set set = sets[size > 0 ? data[0] % array_len(sets) : 0];
	auto_free char *text = size > 0 ? xstrndup((const char *)data + 1, size - 1) : xstrdup("");
	struct lines arguments = { 0 }, variables = { 0 };
	const char *config = split(text, &arguments, &variables);
	char variable[PATH_SIZE];
	int fd = config ? write_config(config, variable) : -1;
	struct options options;
	struct err err = { 0 };

	json_setup();
	log_setup(LOG_ERROR, false);
	if (config)
		variables.items[variables.len < LINES_MAX ? variables.len : LINES_MAX - 1] = variable;
	if (options_load(&options, set, arguments.len, arguments.items, variables.items, &err) == 0)
		use(&options, set, &err);
	else if (err.code == ERR_NONE || !err.msg[0])
		abort();
	options_done(&options);
	if (fd >= 0)
		close(fd);
	return 0;
}
