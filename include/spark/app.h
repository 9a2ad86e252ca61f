/*
 * What a SparkApplication is: the view of the fields that logic branches on, and the names derived from it.
 */
#ifndef SPARK_APP_H
#define SPARK_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kube/object.h"

/* What is true of an application because of its state alone. */
enum state_trait {
	STATE_WAITS = 1 << 0,	   /* something has to happen soon, or it is stuck */
	STATE_HAS_DRIVER = 1 << 1, /* a driver pod of the attempt is there or expected */
	STATE_STARTED = 1 << 2,	   /* the driver of the attempt has been seen to run, or is past that */
	STATE_HOLDS_PODS = 1 << 3, /* its pods count in the namespace's quota */
	STATE_SUCCEEDED = 1 << 4,  /* the driver has ended well */
	STATE_FAILED = 1 << 5,	   /* the attempt has not */
	STATE_ENDED = 1 << 6,	   /* nothing follows by itself */
	STATE_LEFT = 1 << 7,	   /* only other operators use it, so the application is left as it is */
};

/* The words are those that `kubectl get sparkapp` shows (kubeflow api/v1beta2 ApplicationStateType). NEW is also the
 * state of a status without one. A new state is a row here, one in lifecycle/reconcile.c, one in lifecycle/report.c,
 * and docs/status.md. */
#define APP_STATES(X)                                                                                                  \
	X(NEW, "", STATE_WAITS)                                                                                        \
	X(SUBMITTED, "SUBMITTED", STATE_WAITS | STATE_HAS_DRIVER | STATE_HOLDS_PODS)                                   \
	X(RUNNING, "RUNNING", STATE_HAS_DRIVER | STATE_STARTED | STATE_HOLDS_PODS)                                     \
	X(COMPLETED, "COMPLETED", STATE_STARTED | STATE_SUCCEEDED | STATE_ENDED)                                       \
	X(FAILED, "FAILED", STATE_STARTED | STATE_FAILED | STATE_ENDED)                                                \
	X(SUBMISSION_FAILED, "SUBMISSION_FAILED", 0)                                                                   \
	X(PENDING_RERUN, "PENDING_RERUN", STATE_WAITS | STATE_LEFT)                                                    \
	X(INVALIDATING, "INVALIDATING", STATE_HOLDS_PODS | STATE_LEFT)                                                 \
	X(SUCCEEDING, "SUCCEEDING", STATE_STARTED | STATE_SUCCEEDED)                                                   \
	X(FAILING, "FAILING", STATE_STARTED | STATE_FAILED)                                                            \
	X(SUSPENDING, "SUSPENDING", STATE_HOLDS_PODS | STATE_LEFT)                                                     \
	X(SUSPENDED, "SUSPENDED", STATE_LEFT)                                                                          \
	X(RESUMING, "RESUMING", STATE_LEFT)                                                                            \
	X(UNKNOWN, "UNKNOWN", STATE_HAS_DRIVER | STATE_STARTED | STATE_HOLDS_PODS)

enum app_state {
#define X(id, text, traits) APP_##id,
	APP_STATES(X)
#undef X
	    APP_STATE_COUNT
};

const char *app_state_text(enum app_state state);
bool app_state_is(enum app_state state, enum state_trait trait);

enum app_type { APP_TYPE_JAVA = 0, APP_TYPE_SCALA, APP_TYPE_PYTHON, APP_TYPE_R };

/* Strings and trees are borrowed from the object's tree. */
struct app {
	const struct json *tree; /* the whole object */
	const char *ns;
	const char *name;
	const char *uid;
	const char *resource_version;
	int64_t generation;
	int64_t created_ms; /* wall */
	bool deleting;	    /* deletionTimestamp is set */
	/* spec */
	int type; /* enum app_type */
	bool suspend;
	bool has_ttl;
	int64_t ttl_s;
	/* status */
	int state; /* enum app_state */
	const char *error_message;
	int64_t submission_attempts;
	int64_t execution_attempts;
	int64_t last_submission_ms; /* 0 if never */
	int64_t terminated_ms;	    /* 0 if not */
	const char *submission_id;
	const char *driver_pod_name;
	const struct json *status; /* NULL if absent */
};

/* The kind for store and informer: keeps the tree, view is struct app. */
extern const struct kind app_kind;

/* ERR_INVALID names the field; then, if the metadata could be read, *ret has them and nothing else. */
int app_decode(const struct json *tree, struct app *ret, struct err *err);
/* What may be known of an application whose spec cannot be decoded: its metadata and the tree of its status. */
void app_metadata(const struct json *tree, struct app *ret);

/* ---- labels (kubeflow pkg/common/spark.go) ---- */
#define LABEL_APP_NAME	    "sparkoperator.k8s.io/app-name"
#define LABEL_LAUNCHED_BY   "sparkoperator.k8s.io/launched-by-spark-operator"
#define LABEL_SUBMISSION_ID "sparkoperator.k8s.io/submission-id"
#define LABEL_CREATED_BY    "sparkoperator.k8s.io/created-by-spark-operator"
#define LABEL_SPARK_ROLE    "spark-role"
#define LABEL_APP_SELECTOR  "spark-app-selector"
#define LABEL_EXEC_ID	    "spark-exec-id"

/*
 * On every pod that is built from a submission of this operator: the driver pod has it, and executors get it by their
 * template. The value is a hash of the spec that was submitted, spec_hash of struct app_names. A pod that has the
 * annotation is complete, so the webhook leaves it alone.
 */
#define ANNOTATION_SUBMITTED_SPEC "sparkoperator.k8s.io/submitted-spec"
enum { SPEC_HASH_SIZE = 20 };

#define DRIVER_CONTAINER   "spark-kubernetes-driver"
#define EXECUTOR_CONTAINER "spark-kubernetes-executor"

/*
 * Names of one run. A run is one submission of the application with one spec. Runs are numbered 1, 2, …, and a number
 * never comes back, unlike status.submissionAttempts, which counts for people. All names derive from uid, run and spec,
 * so that a repeated submission finds its own work, and no submission finds that of another spec. suspend and
 * timeToLiveSeconds do not count. spark-submit takes chance instead; the forms are its own (reference: Spark
 * KubernetesConf, KubernetesClientUtils).
 */
struct app_names {
	char *submission_id; /* UUID text (RFC 9562, version 8), which tells the run: names_run() */
	char *app_id;	     /* "spark-" + 32 hex */
	char *prefix;	     /* NAME-<16 hex>, by Spark's rule for resource name prefixes */
	char *driver_pod; /* spec.driver.podName, else sparkConf spark.kubernetes.driver.pod.name, else NAME-driver */
	char *service;	  /* PREFIX-driver-svc, or spark-<16 hex>-driver-svc when that is longer than 63 */
	char *configmap;  /* spark-drv-<16 hex>-conf-map */
	char *local_dir;  /* /var/data/spark-<UUID> */
	char spec_hash[SPEC_HASH_SIZE]; /* "v1-<16 hex>"; 1 is the version of the hash */
};

void app_names_init(struct app_names *n, const struct app *app, int64_t run);
/* The service of a run with another spec, of which only the spec_hash is known. Owned; NULL if that is not one. */
char *app_names_service(const struct app *app, int64_t run, const char *spec_hash);
void app_names_done(struct app_names *n);

#endif
