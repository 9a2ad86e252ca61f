/*
 * Command-line flags: one table, names as the existing operator's where it has them.
 */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "spark/validation.h"

struct options {
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
	int64_t driver_grace_ms;
	int64_t refusal_deadline_ms;
	int64_t max_tracked_executors;
	bool ui_service;
	char *metrics_bind;
	char *health_bind;
	char *log_level;
	char *log_format;
	char *master;
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
	struct strv webhook_ciphers; /* Go's names; empty: OpenSSL's choice */
	bool webhook_register;
	char *webhook_policy;
	char *webhook_pod_policy;
	int64_t webhook_timeout_ms;
	char *webhook_url;	      /* NULL: through the Service */
	struct strv webhook_selector; /* KEY=VALUE of namespaces */
	bool quota;
	char *pod_policy; /* also validate */
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
};

/* Which command a flag belongs to; also the columns of --help. */
enum option_set {
	OPTIONS_START = 1,
	OPTIONS_RENDER = 2,
	OPTIONS_VERSION = 4,
	OPTIONS_DIFF = 8,
	OPTIONS_VALIDATE = 16,
	OPTIONS_WEBHOOK = 32,
	OPTIONS_REGISTRATION = 64
};

/* Fills *o with defaults and then with argv[0..argc): "--name value", "--name=value", "-f value", "--flag". ERR_INVALID names
 * the flag and what was expected. */
int options_parse(struct options *o, enum option_set set, int argc, char **argv, struct err *err);
void options_done(struct options *o);
enum pod_policy options_pod_policy(const struct options *o);
/* The flags of set with defaults, for --help. */
void options_help(enum option_set set, struct buf *out);

/* Go's time.ParseDuration for h, m, s, ms: "1h30m", "500ms", "0". */
bool options_duration(const char *text, int64_t *ret_ms);

#endif
