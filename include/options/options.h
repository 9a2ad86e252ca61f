/*
 * Options: one table of flags, names as the existing operators' where they have them. Each may be given as a flag, by the
 * environment or in a configuration file, in this order of precedence. docs/flags.md is made from the same table.
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

struct option_notes; /* where each value comes from, and warnings */

struct option_buckets { /* of a histogram */
	double *bounds; /* ascending */
	size_t len;	/* 0: the default */
};

struct option_gates { /* a bit for each feature gate, see src/options/options_gates.c */
	unsigned given;
	unsigned on;
};

/* Values as they are used: each was checked and parsed when it was set. */
struct options {
	struct option_notes *notes;
	/* start */
	char *kubeconfig; /* NULL if not given, so are the other strings without a default */
	char *context;
	struct strv namespaces; /* empty: all */
	int64_t controller_threads;
	double kube_api_qps;
	double kube_api_burst;
	double retry_qps;
	double retry_burst;
	int64_t retry_max_ms;
	int64_t driver_pod_creation_grace_ms;
	int64_t refusal_deadline_ms;
	int64_t max_tracked_executors;
	bool ui_service;
	char *metrics_bind;
	char *health_bind;
	enum log_level log_level;
	char *log_format;
	char *master;
	bool upgrade_crds;
	struct selector *namespace_selector; /* NULL: none */
	struct selector *label_selector;
	struct option_gates feature_gates;
	int64_t default_ttl_s; /* 0: none; 0 too if its feature gate is off */
	bool driver_pdb;
	char *ingress_url_format; /* NULL: not given, so are the others */
	char *ingress_class_name;
	struct json *ingress_tls;	  /* an array of objects */
	struct json *ingress_annotations; /* an object of strings */
	/* start: metrics */
	bool metrics;
	char *metrics_endpoint;
	char *metrics_prefix;	    /* never NULL */
	struct strv metrics_labels; /* names that Prometheus takes, each once; empty: the default */
	struct option_buckets submit_buckets;
	struct option_buckets start_buckets;
	bool metrics_old_names;
	bool secure_metrics;
	char *metrics_tls_min;
	struct strv metrics_ciphers; /* Go's names; empty: all that are safe */
	char *config;
	/* start: one of several replicas leads */
	bool leader_election;
	char *lease_name;
	char *lease_ns; /* NULL: the operator's own namespace, so are the others */
	int64_t lease_duration_ms;
	int64_t lease_renew_ms;
	int64_t lease_retry_ms;
	/* start, webhook start */
	bool webhook;
	int64_t webhook_port;
	char *webhook_bind; /* NULL: all addresses */
	char *webhook_secret;
	char *webhook_secret_ns;
	char *webhook_service;
	char *webhook_service_ns;
	char *mutating_name;
	char *validating_name;
	char *webhook_cert_dir; /* NULL: certificates from the Secret */
	char *webhook_cert_name;
	char *webhook_key_name;
	bool cert_manager;
	int64_t webhook_ca_life_ms;
	int64_t webhook_cert_life_ms;
	int64_t webhook_overlap_ms;
	char *webhook_tls_min;
	struct strv webhook_ciphers; /* Go's names; empty: all that are safe */
	bool webhook_register;
	char *webhook_policy;
	char *webhook_pod_policy;
	int64_t webhook_timeout_ms;
	char *webhook_url;	      /* NULL: through the Service */
	struct strv webhook_selector; /* KEY=VALUE of namespaces */
	bool quota;
	enum pod_policy pod_policy; /* also validate, render */
	/* render */
	struct strv files;
	char *output;
	int64_t attempt;
	/* diff */
	char *spark_home;
	char *recorded;
	struct strv ignore;
	char *diff_output;
	bool print_command;
	bool explain;
	bool verbose;
	bool help;
	bool short_version;
};

/* Which command a flag belongs to. OPTIONS_OLD: flags without a command, as the 1.x operator takes them, with its defaults. */
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

/* The commands that run until they are stopped. They take the same flags. */
#define OPTIONS_SERVE (OPTIONS_START | OPTIONS_WEBHOOK | OPTIONS_OLD)

/*
 * Fills *o with defaults and then with argv[0..argc): "--name value", "--name=value", the same with one dash, "-f value",
 * "--flag". ERR_INVALID names the flag and what was expected, or the flag that may have been meant.
 */
int options_parse(struct options *o, enum option_set set, int argc, char **argv, struct err *err);
/* The same, with the environment ("NAME=value" … NULL; NULL: none) and the configuration file for the commands that serve. */
int options_load(struct options *o, enum option_set set, int argc, char **argv, char *const *environment,
		 struct err *err);
void options_done(struct options *o);
/* The namespaces that the webhook is asked about; empty: all, so also where a selector chooses them. */
const struct strv *options_reviewed(const struct options *o);
/* All that was given and has no effect here, with reasons, as one line. Owned; NULL if there is nothing to say. */
char *options_warnings(const struct options *o);
/* Name → {value, origin} of every option of the command, for /debug/state; origins: default, "file PATH", "environment NAME",
 * flag. No option is a secret. Owned. */
struct json *options_debug(const struct options *o);
/* The flags of set with defaults, by topic, for --help. */
void options_help(enum option_set set, struct buf *out);

#endif
