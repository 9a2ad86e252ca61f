/*
 * Options of all commands. Each may be given as a flag, by the environment or in a configuration file; the first of
 * these that has it counts. Flags are rows of one table, from which --help and docs/flags.md are made too. Their
 * names are those of kubeflow's operator (2.x) and of GCP's (1.x) where these have such a flag.
 */
#ifndef OPTIONS_OPTIONS_H
#define OPTIONS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "json/json.h"
#include "rules/policy.h"

struct option_notes; /* for each option: the text that was given, and where */

/* Upper bounds of a histogram, ascending. */
struct option_buckets {
	double *bounds;
	size_t len; /* 0: the default */
};

/* A bit for each feature gate, see src/options/options_gates.c. */
struct option_gates {
	unsigned given;
	unsigned on;
};

/* What the API server makes of fields that it does not know, in objects that are created. */
enum field_validation { FIELDS_STRICT = 0, FIELDS_IGNORED };

/*
 * The values as the program uses them. Each was checked and parsed when it was set, so nothing needs a second look. A
 * string, selector or JSON value that was not given and has no default is NULL. Members have the names of their
 * flags; only what is long is shorter here.
 */
struct options {
	struct option_notes *notes;
	/* start, controller start */
	char *kubeconfig;
	char *context;
	struct strv namespaces; /* to watch; empty: all */
	int64_t controller_threads;
	double kube_api_qps;
	double kube_api_burst;
	double retry_qps;
	double retry_burst;
	int64_t retry_max_ms;
	int64_t driver_pod_creation_grace_ms;
	int64_t refusal_deadline_ms;
	int64_t max_tracked_executors;
	enum field_validation field_validation;
	bool ui_service;
	char *metrics_bind;
	char *health_bind;
	enum log_level log_level;
	char *log_format;
	char *master;
	bool upgrade_crds;
	struct selector *namespace_selector; /* of further namespaces to watch */
	struct selector *label_selector;
	struct option_gates feature_gates;
	int64_t default_ttl_s; /* 0: none, or its feature gate is off */
	bool driver_pdb;
	char *ingress_url_format; /* see spark/ui_url.h */
	char *ingress_class_name;
	struct json *ingress_tls;	  /* an array of IngressTLS */
	struct json *ingress_annotations; /* an object of strings */
	/* start, controller start: metrics */
	bool metrics;
	char *metrics_endpoint;
	char *metrics_prefix;	    /* "": none */
	struct strv metrics_labels; /* names that Prometheus takes, each once; empty: the default */
	struct option_buckets submit_buckets;
	struct option_buckets start_buckets;
	bool metrics_old_names;
	bool secure_metrics;
	char *metrics_tls_min;
	struct strv metrics_ciphers; /* names as Go has them; empty: all that are safe */
	char *config;
	/* start, controller start: leader election */
	bool leader_election;
	char *lease_name;
	char *former_lease_name; /* NULL: none */
	char *lease_ns;		 /* NULL: the operator's own namespace, so it is for the webhook's Secret and Service */
	int64_t lease_duration_ms;
	int64_t lease_renew_ms;
	int64_t lease_retry_ms;
	/* all that serve: the webhook */
	bool webhook;
	int64_t webhook_port;
	char *webhook_bind; /* NULL: all addresses */
	char *webhook_secret;
	char *webhook_secret_ns;
	char *webhook_service;
	char *webhook_service_ns;
	char *mutating_name;
	char *validating_name;
	char *webhook_cert_dir; /* NULL: the certificate is in the Secret */
	char *webhook_cert_name;
	char *webhook_key_name;
	bool cert_manager;
	int64_t webhook_ca_life_ms;
	int64_t webhook_cert_life_ms;
	int64_t webhook_overlap_ms;
	char *webhook_tls_min;
	struct strv webhook_ciphers; /* as metrics_ciphers */
	bool webhook_register;
	char *webhook_policy;
	char *webhook_pod_policy;
	int64_t webhook_timeout_ms;
	char *webhook_url;	      /* NULL: the API server reaches the webhook by its Service */
	struct strv webhook_selector; /* KEY=VALUE: labels that a namespace must have */
	bool quota;
	/* all that serve, validate, render: see options_rules() */
	enum pod_policy pod_policy;
	enum run_precision run_precision;
	bool webhook_elsewhere; /* of all that serve */
	bool webhook_is_on;	/* of validate and render */
	char *default_image;
	struct strv allowed[LIMIT_COUNT]; /* empty: everything */
	char *max_claim_size;		  /* a quantity; NULL: no limit */
	/* offline commands */
	struct strv files;
	char *output;
	int64_t run;
	char *spark_home;
	char *recorded;
	struct strv ignore;
	char *diff_output;
	bool print_command;
	bool strict; /* validate: warnings count as problems */
	bool explain;
	bool verbose;
	bool help;
	bool short_version;
};

/* The commands that have flags. OPTIONS_OLD: flags without a command, as GCP's operator takes them, with its
 * defaults. */
enum option_set {
	OPTIONS_START = 1,
	OPTIONS_RENDER = 2,
	OPTIONS_VERSION = 4,
	OPTIONS_DIFF = 8,
	OPTIONS_VALIDATE = 16,
	OPTIONS_WEBHOOK = 32,
	OPTIONS_REGISTRATION = 64,
	OPTIONS_OLD = 128,
	OPTIONS_CRDS = 256
};

/* The commands that run until they are stopped. They take the same flags, from a file and the environment too. */
#define OPTIONS_SERVE (OPTIONS_START | OPTIONS_WEBHOOK | OPTIONS_OLD)

/*
 * Fills *o with defaults and then with what argv[0..argc) says: "--name value", "--name=value", the same with one
 * dash, "-f value", "--flag". ERR_INVALID names the flag and what was expected, or the flag that may have been meant.
 * *o is to be freed by options_done in any case.
 */
int options_parse(struct options *o, enum option_set set, int argc, char **argv, struct err *err);
/* The same for all three sources. environment: "NAME=value", ended by NULL, or NULL for none. Only OPTIONS_SERVE
 * reads it, and the configuration file that it or the command line names. */
int options_load(struct options *o, enum option_set set, int argc, char **argv, char *const *environment,
		 struct err *err);
void options_done(struct options *o);
/* The namespaces whose objects the webhook reviews; borrowed. Empty: all, which it is too if a selector chooses
 * namespaces, since what it chooses changes. */
const struct strv *options_reviewed(const struct options *o);
/* What the rules of applications need to know of the options. Borrows from o. */
struct rule_options options_rules(const struct options *o);
/* One line with everything that was given and has no effect here, or is in a list twice, and why. Owned; NULL if there
 * is nothing to say. */
char *options_warnings(const struct options *o);
/* For /debug/state: an object that has, for the name of each option of the command, its value as text and its origin,
 * which is "default", "file PATH", "environment NAME" or "flag". No option is a secret. Owned. */
struct json *options_debug(const struct options *o);
/* Writes the flags of set with their defaults, by topic, for --help. */
void options_help(enum option_set set, struct buf *out);

#endif
