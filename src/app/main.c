/*
 * spark-operator: the table of its commands. What each of them does is in a file of its own.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <uv.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crds.h"
#include "offline/diff.h"
#include "json/json.h"
#include "options/options.h"
#include "offline/render.h"
#include "revision.h"
#include "start.h"
#include "offline/validate_files.h"
#include "webhook/webhook_registration.h"

static int start_roles(const struct options *o, unsigned roles)
{
	auto_free char *warnings = options_warnings(o);

	log_setup(o->log_level, text_eq(o->log_format, "json"));
	if (warnings)
		log_warn(NULL, "some options have no effect here", "options", warnings, NULL);
	return start_run(o, roles);
}

static int command_start(const struct options *o)
{
	return start_roles(o, ROLE_CONTROLLER | (o->webhook ? ROLE_WEBHOOK : 0));
}

static int command_webhook(const struct options *o)
{
	return start_roles(o, ROLE_WEBHOOK);
}

static int command_webhook_config(const struct options *o)
{
	return webhook_registration_print(o, stdout, stderr);
}

static int command_render(const struct options *o)
{
	return render_run(o, stdout, stderr);
}

static int command_validate(const struct options *o)
{
	return validate_files_run(o, stdout, stderr);
}

static int command_diff(const struct options *o)
{
	return diff_run(o, stdout, stderr);
}

static int command_crds(const struct options *o)
{
	return crds_print(o, stdout);
}

static int command_version(const struct options *o)
{
	if (o->short_version) {
		puts(SPARK_OPERATOR_VERSION);
		return 0;
	}
	printf("spark-operator %s\nrevision %s\n%s\nlibuv %s\n%s\n", SPARK_OPERATOR_VERSION, revision, curl_version(),
	       uv_version_string(), OpenSSL_version(OPENSSL_VERSION));
	return 0;
}

static const struct command {
	const char *name; /* one or two words */
	enum option_set set;
	int (*run)(const struct options *o);
	const char *help;
} commands[] = {
	{ "start", OPTIONS_START, command_start,
	  "run every role in one process: the controller and, if enabled, the webhook" },
	{ "controller start", OPTIONS_START, command_start, "run the controller" },
	{ "webhook start", OPTIONS_WEBHOOK, command_webhook, "run the admission webhook" },
	{ "webhook config", OPTIONS_REGISTRATION, command_webhook_config,
	  "print the webhook configurations, for kubectl apply" },
	{ "crds", OPTIONS_CRDS, command_crds, "print the CustomResourceDefinitions, for kubectl apply" },
	{ "render", OPTIONS_RENDER, command_render, "print the objects that an application would create, offline" },
	{ "validate", OPTIONS_VALIDATE, command_validate, "say what is wrong with applications, offline" },
	{ "diff", OPTIONS_DIFF, command_diff,
	  "compare with what a real spark-submit would create; no cluster is touched" },
	{ "version", OPTIONS_VERSION, command_version, "print the versions of the program and its libraries" },
};

/* Flags without a command start the operator, as with GCP's operator, which has no commands. */
static const struct command old_start = { "start", OPTIONS_OLD, command_start, "run every role in one process" };

static void print_help(void)
{
	puts("spark-operator: runs Apache Spark applications on Kubernetes, without a JVM.\n\n"
	     "usage: spark-operator COMMAND [flags]\n");
	for (size_t i = 0; i < array_len(commands); i++)
		printf("  %-18s %s\n", commands[i].name, commands[i].help);
	puts("\nspark-operator COMMAND --help lists the flags of a command.\n\n"
	     "In a pod it uses the service account; elsewhere --kubeconfig, $KUBECONFIG or ~/.kube/config.\n"
	     "Examples:\n"
	     "  spark-operator start --namespaces default,jobs\n"
	     "  spark-operator validate -f app.yaml\n"
	     "  spark-operator render -f app.yaml\n"
	     "  spark-operator diff -f app.yaml --spark-home /opt/spark\n"
	     "  kubectl apply -f app.yaml && kubectl wait --for=condition=Completed sparkapp/pi");
}

static void print_command_help(const struct command *c)
{
	auto_buf text;

	buf_init(&text, 64 * 1024);
	options_help(c->set, &text);
	printf("usage: spark-operator %s [flags]\n\n%s.\n\n%s", c->name, c->help, buf_str(&text));
}

/* The command that the first one or two words name; *used is set to their number. NULL if there is no such command. */
static const struct command *find_command(int argc, char **argv, int *used)
{
	auto_free char *two = argc > 1 ? xasprintf("%s %s", argv[0], argv[1]) : NULL;

	for (size_t i = 0; i < array_len(commands); i++) {
		*used = strchr(commands[i].name, ' ') ? 2 : 1;
		if (text_eq(commands[i].name, *used == 2 ? two : argv[0]))
			return &commands[i];
	}
	return NULL;
}

static int load_options(struct options *o, enum option_set set, int argc, char **argv, struct err *err)
{
	if (options_load(o, set, argc, argv, environ, err) < 0)
		return err_code(err);
	return set & OPTIONS_SERVE && !o->help ? start_check(o, err) : 0;
}

static int run_command(const struct command *c, int argc, char **argv)
{
	struct options options;
	struct err err = { 0 };
	int result;

	if (load_options(&options, c->set, argc, argv, &err) < 0) {
		fprintf(stderr, "spark-operator %s: %s\n", c->name, err.msg);
		options_done(&options);
		return 2;
	}
	if (options.help) {
		print_command_help(c);
		result = 0;
	} else {
		result = c->run(&options);
	}
	options_done(&options);
	return result;
}

int main(int argc, char **argv)
{
	const struct command *command;
	int used = 0;

	json_setup();
	if (argc < 2 || text_eq(argv[1], "--help") || text_eq(argv[1], "-h") || text_eq(argv[1], "help")) {
		print_help();
		return argc < 2 ? 2 : 0;
	}
	if (argv[1][0] == '-')
		return run_command(&old_start, argc - 1, argv + 1);
	command = find_command(argc - 1, argv + 1, &used);
	if (!command) {
		fprintf(stderr, "spark-operator: \"%s%s%s\": no such command; spark-operator --help lists them\n",
			argv[1], argc > 2 ? " " : "", argc > 2 ? argv[2] : "");
		return 2;
	}
	return run_command(command, argc - 1 - used, argv + 1 + used);
}
