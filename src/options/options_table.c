/*
 * The options as rows: name, type, commands, where the value goes, default, help. The parser, --help and
 * docs/flags.md read the same table.
 *
 * All flags of kubeflow's operator are here (cmd/operator/controller/start.go, cmd/operator/webhook/start.go,
 * controller-runtime's zap flags) and all of GCP's (main.go, glog). A flag that means nothing here is an idle row: it
 * is accepted, its value is checked, and a warning names it. A flag that means the same as another one is an alias.
 */
#include "options_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define AT(member)    offsetof(struct options, member)
#define OPTIONS_NEW   (OPTIONS_START | OPTIONS_WEBHOOK)
#define OPTIONS_RULES (OPTIONS_SERVE | OPTIONS_VALIDATE | OPTIONS_RENDER)
#define OPTIONS_HOOKS (OPTIONS_SERVE | OPTIONS_REGISTRATION)

#define BATCH	  "applications with batchScheduler are refused by this version"
#define SUBMITTER "applications are submitted by the operator itself"
#define LOGS	  "the log goes to standard error, --log-level says how much"

/* The choices of an OPT_ENUM are written in the order of the enum's values. */
static_assert(LOG_DEBUG == 0 && LOG_INFO == 1 && LOG_WARN == 2 && LOG_ERROR == 3, "choices of --log-level");
static_assert(POD_POLICY_PRIVILEGED == 0 && POD_POLICY_BASELINE == 1, "choices of --pod-policy");
static_assert(RUN_NANOS == 0 && RUN_MICROS == 1 && RUN_MILLIS == 2 && RUN_SECONDS == 3 && RUN_MINUTES == 4,
	      "choices of --scheduled-spark-application-timestamp-precision");
static_assert(FIELDS_STRICT == 0 && FIELDS_IGNORED == 1, "choices of --field-validation");
static_assert(sizeof(enum field_validation) == sizeof(unsigned), "OPT_ENUM");
static_assert(sizeof(enum run_precision) == sizeof(unsigned), "OPT_ENUM");
static_assert(sizeof(enum log_level) == sizeof(unsigned) && sizeof(enum pod_policy) == sizeof(unsigned), "OPT_ENUM");

const struct option_row option_rows[] = {
	{ "kubeconfig", OPT_STRING, OPTIONS_SERVE, TOPIC_CLUSTER, AT(kubeconfig), .flag_of = OF_CONTROLLER | OF_WEBHOOK,
	  .value = "FILE",
	  .help = "kubeconfig to use; default: $KUBECONFIG, the pod's service account, ~/.kube/config" },
	{ "context", OPT_TEXT, OPTIONS_SERVE, TOPIC_CLUSTER, AT(context), .value = "NAME",
	  .help = "context of the kubeconfig; default: its current one" },
	{ "namespaces", OPT_LIST, OPTIONS_HOOKS, TOPIC_CLUSTER, AT(namespaces), .flag_of = OF_CONTROLLER | OF_WEBHOOK,
	  .value = "A,B", .help = "namespaces to watch; default, or with \"\" among them: all" },
	{ "kube-api-qps", OPT_RATE, OPTIONS_SERVE, TOPIC_CLUSTER, AT(kube_api_qps),
	  .flag_of = OF_CONTROLLER | OF_WEBHOOK, .dflt = "500", .value = "N",
	  .help = "requests a second to the API server; 0: its own limits decide" },
	{ "kube-api-burst", OPT_RATE, OPTIONS_SERVE, TOPIC_CLUSTER, AT(kube_api_burst),
	  .flag_of = OF_CONTROLLER | OF_WEBHOOK, .dflt = "1000", .value = "N",
	  .help = "requests that may exceed the rate for a moment" },
	{ "namespace-selector", OPT_SELECTOR, OPTIONS_SERVE, TOPIC_CLUSTER, AT(namespace_selector),
	  .flag_of = OF_CONTROLLER, .value = "SELECTOR",
	  .help = "watch the namespaces with these labels too; without --namespaces: only them" },
	{ "label-selector-filter", OPT_SELECTOR, OPTIONS_SERVE, TOPIC_CLUSTER, AT(label_selector),
	  .flag_of = OF_WEBHOOK | OF_OLD, .value = "SELECTOR", .help = "watch only applications with these labels" },
	{ "upgrade-crds", OPT_BOOL, OPTIONS_SERVE, TOPIC_CLUSTER, AT(upgrade_crds), .dflt = "false",
	  .help = "apply the CustomResourceDefinitions of this version at start (server-side apply)" },
	{ "controller-threads", OPT_COUNT, OPTIONS_SERVE, TOPIC_APPS, AT(controller_threads),
	  .flag_of = OF_CONTROLLER | OF_WEBHOOK | OF_OLD, .dflt = "32", .value = "N",
	  .help = "applications worked on at the same time (there is one thread)" },
	{ "workqueue-ratelimiter-bucket-qps", OPT_RATE, OPTIONS_SERVE, TOPIC_APPS, AT(retry_qps),
	  .flag_of = OF_CONTROLLER, .dflt = "50", .value = "N",
	  .help = "retries a second after failures, over all applications" },
	{ "workqueue-ratelimiter-bucket-size", OPT_RATE, OPTIONS_SERVE, TOPIC_APPS, AT(retry_burst),
	  .flag_of = OF_CONTROLLER, .dflt = "500", .value = "N",
	  .help = "retries that may exceed the rate for a moment" },
	{ "workqueue-ratelimiter-max-delay", OPT_DURATION, OPTIONS_SERVE, TOPIC_APPS, AT(retry_max_ms),
	  .flag_of = OF_CONTROLLER, .dflt = "5m", .value = "TIME",
	  .help = "longest wait between two retries of an application" },
	{ "driver-pod-creation-grace-period", OPT_DURATION, OPTIONS_SERVE, TOPIC_APPS, AT(driver_pod_creation_grace_ms),
	  .flag_of = OF_CONTROLLER, .dflt = "30s", .value = "TIME",
	  .help = "a submitted driver pod must be seen within this" },
	{ "submission-refusal-deadline", OPT_DURATION, OPTIONS_SERVE, TOPIC_APPS, AT(refusal_deadline_ms),
	  .dflt = "30s", .value = "TIME",
	  .help = "how long a submission is tried again that the API server refuses (quota, RBAC, name taken)" },
	{ "field-validation", OPT_ENUM, OPTIONS_SERVE, TOPIC_APPS, AT(field_validation), .dflt = "Strict",
	  .choices = "Strict Ignore", .value = "LEVEL",
	  .help = "of fields that the API server does not know, in pods and other objects of an application: Strict "
		  "(it refuses them) or Ignore (it drops them)" },
	{ "max-tracked-executor-per-app", OPT_COUNT, OPTIONS_SERVE, TOPIC_APPS, AT(max_tracked_executors),
	  .flag_of = OF_CONTROLLER, .dflt = "1000", .value = "N", .help = "executors listed in a status" },
	{ "master", OPT_STRING, OPTIONS_NEW | OPTIONS_RENDER | OPTIONS_DIFF | OPTIONS_VALIDATE, TOPIC_APPS, AT(master),
	  .dflt = "k8s://https://kubernetes.default.svc:443", .value = "URL",
	  .help = "spark.master of the drivers; \"\": the default" },
	{ "pod-policy", OPT_ENUM, OPTIONS_SERVE | OPTIONS_VALIDATE | OPTIONS_RENDER, TOPIC_APPS, AT(pod_policy),
	  .dflt = "privileged", .choices = "privileged baseline", .value = "LEVEL",
	  .help = "what pods of applications may have, as Pod Security Standards say: privileged (everything) or "
		  "baseline" },
	{ "allowed-ingress-hosts", OPT_HOSTS, OPTIONS_RULES, TOPIC_LIMITS, AT(allowed[LIMIT_INGRESS_HOST]),
	  .value = "A,B",
	  .help = "hosts of Ingresses; *.DOMAIN: all below a domain; none: no Ingress of an application's own" },
	{ "allowed-ingress-annotations", OPT_KEYS, OPTIONS_RULES, TOPIC_LIMITS, AT(allowed[LIMIT_INGRESS_ANNOTATION]),
	  .value = "A,B", .help = "annotations of Ingresses: keys, or prefixes that end in / or *; none" },
	{ "allowed-service-types", OPT_TYPES, OPTIONS_RULES, TOPIC_LIMITS, AT(allowed[LIMIT_SERVICE_TYPE]),
	  .value = "A,B", .help = "types of Services beside ClusterIP, which always is allowed" },
	{ "allowed-service-annotations", OPT_KEYS, OPTIONS_RULES, TOPIC_LIMITS, AT(allowed[LIMIT_SERVICE_ANNOTATION]),
	  .value = "A,B", .help = "annotations of Services: keys, or prefixes that end in / or *; none" },
	{ "allowed-service-labels", OPT_KEYS, OPTIONS_RULES, TOPIC_LIMITS, AT(allowed[LIMIT_SERVICE_LABEL]),
	  .value = "A,B", .help = "labels of Services: keys, or prefixes that end in / or *; none" },
	{ "allowed-storage-classes", OPT_CLASSES, OPTIONS_RULES, TOPIC_LIMITS, AT(allowed[LIMIT_STORAGE_CLASS]),
	  .value = "A,B", .help = "storage classes of claims that are made for an application; none" },
	{ "max-claim-size", OPT_QUANTITY, OPTIONS_RULES, TOPIC_LIMITS, AT(max_claim_size), .value = "QUANTITY",
	  .help = "the most that such a claim may ask for, as 100Gi" },
	{ "default-image", OPT_TEXT, OPTIONS_SERVE | OPTIONS_VALIDATE | OPTIONS_RENDER, TOPIC_APPS, AT(default_image),
	  .value = "IMAGE",
	  .help = "image of applications that have none; {sparkVersion} in it is replaced, as in "
		  "apache/spark:{sparkVersion}" },
	{ "webhook-for-executors", OPT_BOOL, OPTIONS_SERVE, TOPIC_APPS, AT(webhook_elsewhere), .dflt = "false",
	  .help = "the operator's webhook runs in another process: allow executor.memoryLimit, and executor.lifecycle "
		  "where Spark decommissions executors; --enable-webhook implies it" },
	{ "webhook-for-executors", OPT_BOOL, OPTIONS_VALIDATE | OPTIONS_RENDER, TOPIC_APPS, AT(webhook_is_on),
	  .dflt = "true",
	  .help = "the operator's webhook is on: allow executor.memoryLimit, and executor.lifecycle where Spark "
		  "decommissions executors" },
	{ "scheduled-spark-application-timestamp-precision", OPT_ENUM, OPTIONS_SERVE | OPTIONS_VALIDATE, TOPIC_APPS,
	  AT(run_precision), .flag_of = OF_CONTROLLER, .dflt = "nanos",
	  .choices = "nanos micros millis seconds minutes", .value = "UNIT",
	  .help = "of the time in the names of a schedule's runs; the coarser, the longer a schedule's name may be" },
	{ "default-time-to-live-seconds", OPT_TTL, OPTIONS_SERVE, TOPIC_APPS, AT(default_ttl_s),
	  .flag_of = OF_CONTROLLER, .dflt = "0", .value = "N",
	  .help = "applications without timeToLiveSeconds are deleted so long after their end; 0: never" },
	{ "enable-driver-pdb", OPT_BOOL, OPTIONS_SERVE, TOPIC_APPS, AT(driver_pdb), .flag_of = OF_CONTROLLER,
	  .dflt = "false", .help = "drivers of applications with driverPodDisruptionBudget get a PodDisruptionBudget" },
	{ "enable-ui-service", OPT_BOOL, OPTIONS_RULES | OPTIONS_DIFF, TOPIC_UI, AT(ui_service),
	  .flag_of = OF_CONTROLLER | OF_OLD, .dflt = "true",
	  .help = "applications get a Service for their web UI; --enable-ui-service=false: none" },
	{ "ingress-url-format", OPT_URL_FORMAT, OPTIONS_RULES, TOPIC_UI, AT(ingress_url_format),
	  .flag_of = OF_CONTROLLER | OF_OLD, .value = "URL",
	  .help = "applications get an Ingress for their web UI at this address; {{$appName}} and {{$appNamespace}} "
		  "are replaced" },
	{ "ingress-class-name", OPT_CLASS, OPTIONS_SERVE | OPTIONS_RENDER, TOPIC_UI, AT(ingress_class_name),
	  .flag_of = OF_CONTROLLER | OF_OLD, .value = "NAME", .help = "ingressClassName of Ingresses" },
	{ "ingress-tls", OPT_JSON_LIST, OPTIONS_SERVE | OPTIONS_RENDER, TOPIC_UI, AT(ingress_tls),
	  .flag_of = OF_CONTROLLER, .value = "JSON",
	  .help = "tls of Ingresses: [{\"hosts\": [\"*.example.com\"], \"secretName\": \"example\"}]" },
	{ "ingress-annotations", OPT_ANNOTATIONS, OPTIONS_SERVE | OPTIONS_RENDER, TOPIC_UI, AT(ingress_annotations),
	  .flag_of = OF_CONTROLLER, .value = "JSON", .help = "annotations of Ingresses: {\"name\": \"value\"}" },
	{ "metrics-bind-address", OPT_STRING, OPTIONS_SERVE, TOPIC_METRICS, AT(metrics_bind),
	  .flag_of = OF_CONTROLLER | OF_WEBHOOK, .dflt = ":8080", .old_dflt = ":10254", .value = "ADDR:PORT",
	  .help = "where /metrics, /healthz, /readyz and, on loopback, /debug/state are served; 0: nowhere" },
	{ "health-probe-bind-address", OPT_STRING, OPTIONS_SERVE, TOPIC_METRICS, AT(health_bind),
	  .flag_of = OF_CONTROLLER | OF_WEBHOOK, .dflt = "0", .value = "ADDR:PORT",
	  .help = "a second address for the same; 0: none" },
	{ "log-level", OPT_ENUM, OPTIONS_SERVE, TOPIC_METRICS, AT(log_level), .dflt = "info",
	  .choices = "debug info warn error", .value = "LEVEL", .help = "debug, info, warn or error" },
	{ "log-format", OPT_CHOICE, OPTIONS_SERVE, TOPIC_METRICS, AT(log_format), .dflt = "logfmt",
	  .choices = "logfmt json", .value = "FORMAT", .help = "logfmt or json" },
	{ "enable-metrics", OPT_BOOL, OPTIONS_SERVE, TOPIC_METRICS, AT(metrics),
	  .flag_of = OF_CONTROLLER | OF_WEBHOOK | OF_OLD, .dflt = "true", .old_dflt = "false",
	  .help = "serve metrics" },
	{ "metrics-endpoint", OPT_PATH, OPTIONS_SERVE, TOPIC_METRICS, AT(metrics_endpoint),
	  .flag_of = OF_CONTROLLER | OF_WEBHOOK | OF_OLD, .dflt = "/metrics", .value = "PATH",
	  .help = "where they are" },
	{ "metrics-prefix", OPT_PREFIX, OPTIONS_SERVE, TOPIC_METRICS, AT(metrics_prefix),
	  .flag_of = OF_CONTROLLER | OF_WEBHOOK | OF_OLD, .dflt = "", .value = "TEXT",
	  .help = "put before the names of the metrics of applications" },
	{ "metrics-labels", OPT_LABELS, OPTIONS_SERVE, TOPIC_METRICS, AT(metrics_labels),
	  .flag_of = OF_CONTROLLER | OF_WEBHOOK | OF_OLD, .value = "A,B",
	  .help = "labels of applications that become labels of their metrics; default: namespace" },
	{ "metrics-job-submit-latency-buckets", OPT_BUCKETS, OPTIONS_SERVE, TOPIC_METRICS, AT(submit_buckets),
	  .flag_of = OF_CONTROLLER, .value = "A,B", .help = "seconds; default: 0.5,1,2,4,8,16,32,64,128,256" },
	{ "metrics-job-start-latency-buckets", OPT_BUCKETS, OPTIONS_SERVE, TOPIC_METRICS, AT(start_buckets),
	  .flag_of = OF_CONTROLLER | OF_OLD, .value = "A,B",
	  .help = "seconds; default: 30,60,90,120,150,180,210,240,270,300" },
	{ "metrics-old-names", OPT_BOOL, OPTIONS_SERVE, TOPIC_METRICS, AT(metrics_old_names), .dflt = "false",
	  .old_dflt = "true", .help = "serve the metrics of the 1.x operator too" },
	{ "secure-metrics", OPT_BOOL, OPTIONS_SERVE, TOPIC_METRICS, AT(secure_metrics),
	  .flag_of = OF_CONTROLLER | OF_WEBHOOK, .dflt = "false", .help = "serve metrics by TLS" },
	{ "metric-tls-min-version", OPT_CHOICE, OPTIONS_SERVE, TOPIC_METRICS, AT(metrics_tls_min),
	  .flag_of = OF_CONTROLLER, .dflt = "VersionTLS12", .choices = "VersionTLS12 VersionTLS13", .value = "VERSION",
	  .help = "VersionTLS12 or VersionTLS13" },
	{ "metric-tls-cipher-suites", OPT_WORDS, OPTIONS_SERVE, TOPIC_METRICS, AT(metrics_ciphers),
	  .flag_of = OF_CONTROLLER, .value = "A,B",
	  .help = "suites of TLS 1.2, by Go's names; default: all that are safe" },
	{ "leader-election", OPT_BOOL, OPTIONS_SERVE, TOPIC_LEADER, AT(leader_election),
	  .flag_of = OF_CONTROLLER | OF_WEBHOOK | OF_OLD, .dflt = "false",
	  .help = "only the replica that holds the Lease works on applications; all serve webhook and metrics" },
	{ "leader-election-lock-name", OPT_STRING, OPTIONS_SERVE, TOPIC_LEADER, AT(lease_name),
	  .flag_of = OF_CONTROLLER | OF_WEBHOOK | OF_OLD, .dflt = "spark-operator-lock", .value = "NAME",
	  .help = "the Lease" },
	{ "leader-election-former-lock-name", OPT_TEXT, OPTIONS_SERVE, TOPIC_LEADER, AT(former_lease_name),
	  .value = "NAME",
	  .help = "the Lease of an operator whose place this one takes; held too, so that they never work at once" },
	{ "leader-election-lock-namespace", OPT_TEXT, OPTIONS_SERVE, TOPIC_LEADER, AT(lease_ns),
	  .flag_of = OF_CONTROLLER | OF_WEBHOOK | OF_OLD, .old_dflt = "spark-operator", .value = "NAMESPACE",
	  .help = "where it is; default: the operator's own namespace" },
	{ "leader-election-lease-duration", OPT_DURATION, OPTIONS_SERVE, TOPIC_LEADER, AT(lease_duration_ms),
	  .flag_of = OF_CONTROLLER | OF_WEBHOOK | OF_OLD, .dflt = "15s", .value = "TIME",
	  .help = "a leader that has been silent for so long is replaced" },
	{ "leader-election-renew-deadline", OPT_DURATION, OPTIONS_SERVE, TOPIC_LEADER, AT(lease_renew_ms),
	  .flag_of = OF_CONTROLLER | OF_WEBHOOK | OF_OLD, .dflt = "10s", .old_dflt = "14s", .value = "TIME",
	  .help = "a leader that cannot renew the Lease for so long ends; less than the duration" },
	{ "leader-election-retry-period", OPT_DURATION, OPTIONS_SERVE, TOPIC_LEADER, AT(lease_retry_ms),
	  .flag_of = OF_CONTROLLER | OF_WEBHOOK | OF_OLD, .dflt = "2s", .old_dflt = "4s", .value = "TIME",
	  .help = "between two tries to take or renew it" },
	{ "enable-webhook", OPT_BOOL, OPTIONS_SERVE, TOPIC_WEBHOOK, AT(webhook), .flag_of = OF_OLD, .dflt = "false",
	  .help = "serve the admission webhook too" },
	{ "webhook-port", OPT_PORT, OPTIONS_SERVE, TOPIC_WEBHOOK, AT(webhook_port), .flag_of = OF_WEBHOOK | OF_OLD,
	  .dflt = "9443", .old_dflt = "8080", .value = "N", .help = "where the webhook is served, by TLS" },
	{ "webhook-bind-address", OPT_TEXT, OPTIONS_SERVE, TOPIC_WEBHOOK, AT(webhook_bind), .value = "ADDR",
	  .help = "on this address only; default: on all" },
	{ "webhook-secret-name", OPT_STRING, OPTIONS_SERVE, TOPIC_WEBHOOK, AT(webhook_secret), .flag_of = OF_WEBHOOK,
	  .dflt = "spark-webhook-certs", .value = "NAME",
	  .help = "Secret with CA and certificate; made if it is not there" },
	{ "webhook-secret-namespace", OPT_TEXT, OPTIONS_SERVE, TOPIC_WEBHOOK, AT(webhook_secret_ns),
	  .flag_of = OF_WEBHOOK, .value = "NAMESPACE", .help = "where it is; default: the operator's own namespace" },
	{ "webhook-svc-name", OPT_STRING, OPTIONS_HOOKS, TOPIC_WEBHOOK, AT(webhook_service),
	  .flag_of = OF_WEBHOOK | OF_OLD, .dflt = "spark-operator-webhook", .old_dflt = "spark-webhook",
	  .value = "NAME", .help = "Service of the webhook; the certificate is made for it" },
	{ "webhook-svc-namespace", OPT_TEXT, OPTIONS_HOOKS, TOPIC_WEBHOOK, AT(webhook_service_ns),
	  .flag_of = OF_WEBHOOK | OF_OLD, .old_dflt = "spark-operator", .value = "NAMESPACE",
	  .help = "where it is; default: the operator's own namespace" },
	{ "mutating-webhook-name", OPT_STRING, OPTIONS_HOOKS, TOPIC_WEBHOOK, AT(mutating_name), .flag_of = OF_WEBHOOK,
	  .dflt = "spark-operator-webhook", .old_dflt = "spark-webhook-config", .value = "NAME",
	  .help = "MutatingWebhookConfiguration in which to keep the CA; \"\": none" },
	{ "validating-webhook-name", OPT_STRING, OPTIONS_HOOKS, TOPIC_WEBHOOK, AT(validating_name),
	  .flag_of = OF_WEBHOOK, .dflt = "spark-operator-webhook", .old_dflt = "spark-webhook-config", .value = "NAME",
	  .help = "ValidatingWebhookConfiguration in which to keep the CA; \"\": none" },
	{ "webhook-cert-dir", OPT_TEXT, OPTIONS_SERVE, TOPIC_WEBHOOK, AT(webhook_cert_dir), .flag_of = OF_WEBHOOK,
	  .value = "DIR",
	  .help = "take the certificate from files, read again when they change; default: from the Secret" },
	{ "webhook-cert-name", OPT_STRING, OPTIONS_SERVE, TOPIC_WEBHOOK, AT(webhook_cert_name), .flag_of = OF_WEBHOOK,
	  .dflt = "tls.crt", .value = "FILE", .help = "the certificate in that directory" },
	{ "webhook-key-name", OPT_STRING, OPTIONS_SERVE, TOPIC_WEBHOOK, AT(webhook_key_name), .flag_of = OF_WEBHOOK,
	  .dflt = "tls.key", .value = "FILE", .help = "its key" },
	{ "enable-cert-manager", OPT_BOOL, OPTIONS_SERVE, TOPIC_WEBHOOK, AT(cert_manager), .flag_of = OF_WEBHOOK,
	  .dflt = "false",
	  .help = "the Secret is cert-manager's (tls.crt, tls.key, ca.crt): read it, write neither it nor the "
		  "configurations" },
	{ "webhook-ca-lifetime", OPT_DURATION, OPTIONS_SERVE, TOPIC_WEBHOOK, AT(webhook_ca_life_ms), .dflt = "8760h",
	  .value = "TIME", .help = "of the CA; renewed before two thirds of it" },
	{ "webhook-cert-lifetime", OPT_DURATION, OPTIONS_SERVE, TOPIC_WEBHOOK, AT(webhook_cert_life_ms),
	  .dflt = "2160h", .value = "TIME", .help = "of the certificate; renewed before two thirds of it" },
	{ "webhook-cert-overlap", OPT_DURATION, OPTIONS_SERVE, TOPIC_WEBHOOK, AT(webhook_overlap_ms), .dflt = "60s",
	  .value = "TIME", .help = "how long both CAs are trusted before and after a change of CA" },
	{ "webhook-tls-min-version", OPT_CHOICE, OPTIONS_SERVE, TOPIC_WEBHOOK, AT(webhook_tls_min),
	  .flag_of = OF_WEBHOOK, .dflt = "VersionTLS12", .choices = "VersionTLS12 VersionTLS13", .value = "VERSION",
	  .help = "VersionTLS12 or VersionTLS13" },
	{ "webhook-tls-cipher-suites", OPT_WORDS, OPTIONS_SERVE, TOPIC_WEBHOOK, AT(webhook_ciphers),
	  .flag_of = OF_WEBHOOK, .value = "A,B",
	  .help = "suites of TLS 1.2, by Go's names; default: all that are safe" },
	{ "webhook-register", OPT_BOOL, OPTIONS_SERVE, TOPIC_WEBHOOK, AT(webhook_register), .dflt = "false",
	  .old_dflt = "true", .help = "create the two configurations if they are not there" },
	{ "webhook-fail-policy", OPT_CHOICE, OPTIONS_HOOKS, TOPIC_WEBHOOK, AT(webhook_policy), .dflt = "Fail",
	  .old_dflt = "Ignore", .choices = "Fail Ignore", .value = "POLICY",
	  .help = "of configurations that are created: Fail or Ignore what cannot be asked about" },
	{ "webhook-pod-fail-policy", OPT_CHOICE, OPTIONS_HOOKS, TOPIC_WEBHOOK, AT(webhook_pod_policy), .dflt = "Ignore",
	  .choices = "Fail Ignore", .value = "POLICY",
	  .help = "the same for Spark pods; those that the operator submits are complete without the webhook" },
	{ "webhook-timeout", OPT_SECONDS, OPTIONS_HOOKS, TOPIC_WEBHOOK, AT(webhook_timeout_ms), .flag_of = OF_OLD,
	  .dflt = "10s", .old_dflt = "30s", .value = "TIME",
	  .help = "of configurations that are created: how long the API server waits, 1s to 30s" },
	{ "webhook-namespace-selector", OPT_LIST, OPTIONS_HOOKS, TOPIC_WEBHOOK, AT(webhook_selector), .flag_of = OF_OLD,
	  .value = "KEY=VALUE,…", .help = "of configurations that are created: labels that namespaces must have" },
	{ "webhook-url", OPT_TEXT, OPTIONS_HOOKS, TOPIC_WEBHOOK, AT(webhook_url), .value = "URL",
	  .help = "of configurations that are created: https://HOST:PORT instead of the Service" },
	{ "enable-resource-quota-enforcement", OPT_BOOL, OPTIONS_SERVE, TOPIC_WEBHOOK, AT(quota),
	  .flag_of = OF_WEBHOOK | OF_OLD, .dflt = "false",
	  .help = "refuse applications that ask for more than their namespace's ResourceQuotas leave" },
	{ "file", OPT_FILES, OPTIONS_RENDER | OPTIONS_DIFF | OPTIONS_VALIDATE, TOPIC_OFFLINE, AT(files), .letter = 'f',
	  .value = "FILE",
	  .help = "YAML or JSON, several documents allowed, or a folder of such files; -: standard input; may be "
		  "repeated" },
	{ "output", OPT_CHOICE, OPTIONS_RENDER | OPTIONS_CRDS, TOPIC_OFFLINE, AT(output), .letter = 'o', .dflt = "yaml",
	  .choices = "yaml json", .value = "FORMAT", .help = "yaml (documents) or json (a List)" },
	{ "run", OPT_COUNT, OPTIONS_RENDER | OPTIONS_DIFF | OPTIONS_VALIDATE, TOPIC_OFFLINE, AT(run), .dflt = "1",
	  .value = "N", .help = "number of the run that names are derived from" },
	{ "strict", OPT_BOOL, OPTIONS_VALIDATE, TOPIC_OFFLINE, AT(strict), .dflt = "false",
	  .help = "warnings count as problems; kubectl refuses fields that the CRD does not have" },
	{ "spark-home", OPT_STRING, OPTIONS_DIFF, TOPIC_OFFLINE, AT(spark_home), .value = "DIR",
	  .help = "run bin/spark-submit of this Spark and compare with what it would create; no cluster is touched" },
	{ "recorded", OPT_STRING, OPTIONS_DIFF, TOPIC_OFFLINE, AT(recorded), .value = "DIR",
	  .help = "compare with DIR/NAME.json, the recorded requests of a spark-submit" },
	{ "print-command", OPT_BOOL, OPTIONS_DIFF, TOPIC_OFFLINE, AT(print_command),
	  .help = "print the spark-submit that says the same, a JSON line per application; run nothing" },
	{ "ignore", OPT_FILES, OPTIONS_DIFF, TOPIC_OFFLINE, AT(ignore), .value = "FILE",
	  .help = "more that may differ, a line for each: PATTERN  # reason; may be repeated" },
	{ "explain", OPT_BOOL, OPTIONS_DIFF, TOPIC_OFFLINE, AT(explain),
	  .help = "print what may differ and why, as --ignore reads it" },
	{ "verbose", OPT_BOOL, OPTIONS_DIFF, TOPIC_OFFLINE, AT(verbose), .letter = 'v',
	  .help = "also show the differences that are ignored" },
	{ "output", OPT_CHOICE, OPTIONS_DIFF, TOPIC_OFFLINE, AT(diff_output), .letter = 'o', .dflt = "text",
	  .choices = "text json", .value = "FORMAT", .help = "text or json" },
	{ "help", OPT_HELP,
	  OPTIONS_HOOKS | OPTIONS_RENDER | OPTIONS_VERSION | OPTIONS_DIFF | OPTIONS_VALIDATE | OPTIONS_CRDS,
	  TOPIC_PROGRAM, AT(help), .letter = 'h', .help = "this text" },
	{ "config", OPT_STRING, OPTIONS_SERVE, TOPIC_PROGRAM, AT(config), .value = "FILE",
	  .help = "more options, as YAML: a map of names to values or lists; $SPARK_OPERATOR_CONFIG" },
	{ "feature-gates", OPT_GATES, OPTIONS_SERVE, TOPIC_PROGRAM, AT(feature_gates), .flag_of = OF_CONTROLLER,
	  .value = "NAME=BOOL,…",
	  .help = "DefaultTimeToLive=false turns --default-time-to-live-seconds off; the other gates have no effect" },
	{ "short", OPT_BOOL, OPTIONS_VERSION, TOPIC_PROGRAM, AT(short_version),
	  .help = "only the version of the program" },
	{ "cache-sync-timeout", OPT_DURATION, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_CONTROLLER | OF_WEBHOOK,
	  .value = "TIME", .idle = "the caches are waited for as long as it takes; /readyz says so" },
	{ "resync-interval", OPT_NUMBER, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_OLD, .value = "N",
	  .idle = "changes are watched; nothing is polled" },
	{ "enable-batch-scheduler", OPT_BOOL, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_CONTROLLER | OF_OLD,
	  .idle = BATCH },
	{ "kube-scheduler-names", OPT_LIST, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_CONTROLLER,
	  .value = "A,B", .idle = BATCH },
	{ "default-batch-scheduler", OPT_STRING, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_CONTROLLER,
	  .value = "NAME", .idle = BATCH },
	{ "submitter-service-url", OPT_STRING, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_CONTROLLER,
	  .value = "URL", .idle = SUBMITTER },
	{ "submitter-startup-timeout", OPT_DURATION, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_CONTROLLER,
	  .value = "TIME", .idle = SUBMITTER },
	{ "submitter-request-timeout", OPT_DURATION, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_CONTROLLER,
	  .value = "TIME", .idle = SUBMITTER },
	{ "submitter-max-retries", OPT_COUNT, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_CONTROLLER,
	  .value = "N", .idle = SUBMITTER },
	{ "submitter-initial-backoff", OPT_DURATION, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_CONTROLLER,
	  .value = "TIME", .idle = SUBMITTER },
	{ "submitter-tls-enabled", OPT_BOOL, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_CONTROLLER,
	  .idle = SUBMITTER },
	{ "submitter-tls-cert-file", OPT_STRING, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_CONTROLLER,
	  .value = "FILE", .idle = SUBMITTER },
	{ "submitter-tls-key-file", OPT_STRING, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_CONTROLLER,
	  .value = "FILE", .idle = SUBMITTER },
	{ "submitter-tls-ca-file", OPT_STRING, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_CONTROLLER,
	  .value = "FILE", .idle = SUBMITTER },
	{ "pprof-bind-address", OPT_STRING, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_CONTROLLER,
	  .value = "ADDR:PORT", .idle = "there is no Go program to profile" },
	{ "zap-stacktrace-level", OPT_CHOICE, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_CONTROLLER | OF_WEBHOOK,
	  .choices = "info error panic", .value = "LEVEL", .idle = "errors say where they are without a stack" },
	{ "zap-time-encoding", OPT_CHOICE, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_CONTROLLER | OF_WEBHOOK,
	  .choices = "epoch millis nano iso8601 rfc3339 rfc3339nano", .value = "FORMAT",
	  .idle = "times in the log are RFC 3339", .unwarned = "rfc3339" },
	{ "webhook-ca-cert", OPT_STRING, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_OLD, .value = "FILE",
	  .idle = "the CA is in the Secret, or ca.crt beside the certificate" },
	{ "webhook-cert-reload-interval", OPT_DURATION, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_OLD,
	  .value = "TIME", .idle = "certificates are read again when they change" },
	{ "master", OPT_STRING, OPTIONS_OLD, TOPIC_IDLE, NOWHERE, .flag_of = OF_OLD, .value = "URL",
	  .idle = "the API server is that of --kubeconfig or of the pod" },
	{ "logtostderr", OPT_BOOL, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_OLD, .idle = LOGS,
	  .unwarned = "true" },
	{ "alsologtostderr", OPT_BOOL, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_OLD, .idle = LOGS,
	  .unwarned = "true" },
	{ "stderrthreshold", OPT_STRING, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_OLD, .value = "LEVEL",
	  .idle = LOGS },
	{ "log_dir", OPT_STRING, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_OLD, .value = "DIR", .idle = LOGS },
	{ "log_link", OPT_STRING, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_OLD, .value = "DIR", .idle = LOGS },
	{ "logbuflevel", OPT_NUMBER, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_OLD, .value = "N",
	  .idle = LOGS },
	{ "log_backtrace_at", OPT_STRING, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_OLD, .value = "FILE:LINE",
	  .idle = LOGS },
	{ "vmodule", OPT_STRING, OPTIONS_SERVE, TOPIC_IDLE, NOWHERE, .flag_of = OF_OLD, .value = "PATTERN=N,…",
	  .idle = LOGS },
};

const size_t option_row_count = array_len(option_rows);

static int alias_same(const char *name, const char *value, char *ret[2], struct err *err)
{
	(void)name;
	(void)err;
	ret[0] = xstrdup(value);
	ret[1] = xstrdup(value);
	return 0;
}

static int alias_port(const char *name, const char *value, char *ret[2], struct err *err)
{
	int64_t port = 0;

	if (!text_i64(value, &port) || port < 1 || port > 65535)
		return err_set(err, ERR_INVALID, "--%s: \"%s\": expected a number from 1 to 65535", name, value);
	ret[0] = xasprintf(":%lld", (long long)port);
	return 0;
}

static int alias_fail(const char *name, const char *value, char *ret[2], struct err *err)
{
	bool fail = false;

	if (!option_parse_bool(value, &fail))
		return err_set(err, ERR_INVALID, "--%s: \"%s\": expected true or false", name, value);
	ret[0] = xstrdup(fail ? "Fail" : "Ignore");
	ret[1] = xstrdup(ret[0]);
	return 0;
}

/* A path is split into its directory and the name of the file. */
static int alias_path(const char *name, const char *value, char *ret[2], struct err *err)
{
	const char *slash = strrchr(value, '/');

	if (!slash || slash[1] == '\0')
		return err_set(err, ERR_INVALID, "--%s: \"%s\": expected a path DIR/FILE", name, value);
	ret[0] = slash == value ? xstrdup("/") : xstrndup(value, (size_t)(slash - value));
	ret[1] = xstrdup(slash + 1);
	return 0;
}

/* glog's -v. The chart of GCP's operator gives 2, with which it logs its normal work. */
static int alias_verbosity(const char *name, const char *value, char *ret[2], struct err *err)
{
	int64_t level = 0;

	if (!text_i64(value, &level))
		return err_set(err, ERR_INVALID, "--%s: \"%s\": expected a number", name, value);
	ret[0] = xstrdup(level > 2 ? "debug" : "info");
	return 0;
}

/* As controller-runtime's zap.levelFlag: a name, or a verbosity of 1 or more. */
static int alias_zap_level(const char *name, const char *value, char *ret[2], struct err *err)
{
	static const struct {
		const char *zap;
		const char *level;
	} levels[] = {
		{ "debug", "debug" }, { "info", "info" }, { "warn", "warn" }, { "error", "error" }, { "panic", "error" }
	};
	int64_t number = 0;

	for (size_t i = 0; i < array_len(levels); i++)
		if (!strcasecmp(value, levels[i].zap))
			ret[0] = xstrdup(levels[i].level);
	if (!ret[0] && text_i64(value, &number) && number > 0)
		ret[0] = xstrdup("debug");
	if (!ret[0])
		return err_set(err, ERR_INVALID,
			       "--%s: \"%s\": expected one of: debug info warn error panic, or a number above 0", name,
			       value);
	return 0;
}

static int alias_zap_encoder(const char *name, const char *value, char *ret[2], struct err *err)
{
	if (!text_eq(value, "json") && !text_eq(value, "console"))
		return err_set(err, ERR_INVALID, "--%s: \"%s\": expected one of: console json", name, value);
	ret[0] = xstrdup(text_eq(value, "json") ? "json" : "logfmt");
	return 0;
}

static int alias_zap_devel(const char *name, const char *value, char *ret[2], struct err *err)
{
	bool on = false;

	if (!option_parse_bool(value, &on))
		return err_set(err, ERR_INVALID, "--%s: \"%s\": expected true or false", name, value);
	if (on)
		ret[0] = xstrdup("debug");
	return 0;
}

#define OF_NEW (OF_CONTROLLER | OF_WEBHOOK)

const struct option_alias option_aliases[] = {
	{ "kubeConfig", OF_OLD, false, alias_same, { "kubeconfig", NULL }, "FILE", NULL },
	{ "namespace", OF_OLD, false, alias_same, { "namespaces", NULL }, "NAMESPACE", NULL },
	{ "metrics-port", OF_OLD, false, alias_port, { "metrics-bind-address", NULL }, "N", ":N" },
	{ "webhook-config-name",
	  OF_OLD,
	  false,
	  alias_same,
	  { "mutating-webhook-name", "validating-webhook-name" },
	  "NAME",
	  NULL },
	{ "webhook-fail-on-error",
	  OF_OLD,
	  true,
	  alias_fail,
	  { "webhook-pod-fail-policy", "webhook-fail-policy" },
	  NULL,
	  "true: Fail, false: Ignore" },
	{ "webhook-server-cert",
	  OF_OLD,
	  false,
	  alias_path,
	  { "webhook-cert-dir", "webhook-cert-name" },
	  "DIR/FILE",
	  NULL },
	{ "webhook-server-cert-key",
	  OF_OLD,
	  false,
	  alias_path,
	  { "webhook-cert-dir", "webhook-key-name" },
	  "DIR/FILE",
	  NULL },
	{ "v", OF_OLD, false, alias_verbosity, { "log-level", NULL }, "N", "above 2: debug, else info" },
	{ "zap-log-level",
	  OF_NEW,
	  false,
	  alias_zap_level,
	  { "log-level", NULL },
	  "LEVEL",
	  "panic: error; a number: debug" },
	{ "zap-encoder", OF_NEW, false, alias_zap_encoder, { "log-format", NULL }, "FORMAT", "json; console: logfmt" },
	{ "zap-devel", OF_NEW, true, alias_zap_devel, { "log-level", NULL }, NULL, "true: debug" },
};

const size_t option_alias_count = array_len(option_aliases);
