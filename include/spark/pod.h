/*
 * The view of a Spark pod. It has what the pod monitor needs, in some hundred bytes. The pod's tree is dropped.
 */
#ifndef SPARK_POD_H
#define SPARK_POD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "kube/object.h"

enum pod_role { POD_ROLE_OTHER = 0, POD_ROLE_DRIVER, POD_ROLE_EXECUTOR };
enum pod_phase { POD_PENDING = 0, POD_RUNNING, POD_SUCCEEDED, POD_FAILED, POD_UNKNOWN };

/* All strings owned by the view, never NULL ("" if absent). */
struct pod_view {
	char *ns;
	char *name;
	char *uid;
	char *app_name;	      /* label */
	char *submission_id;  /* label */
	char *app_id;	      /* label spark-app-selector */
	char *owner_uid;      /* uid of the owning SparkApplication, "" if none */
	char *submitted_spec; /* annotation: a hash of the spec that a driver pod was made of */
	int role;	      /* enum pod_role */
	int phase;	      /* enum pod_phase */
	int64_t exec_id;      /* label spark-exec-id, 0 if not a number */
	bool deleting;
	char *node;	      /* of a driver, "" while it is not scheduled; "" for executors, which are many */
	int64_t deletion_ms;  /* wall, the end of its grace period if it is being deleted; else 0 */
	int64_t unready_ms;   /* wall, since when the condition Ready is not True; 0 if it is, or is unknown */
	int64_t created_ms;   /* wall, 0 if absent */
	int64_t scheduled_ms; /* wall, condition PodScheduled=True; 0 if it is not */
	int64_t started_ms;   /* wall, the Spark container; 0 if it has not */
	struct strv labels;   /* names and values in turn, Spark's and the operator's own left out: mostly none */
	char *reason;	      /* status.reason: Evicted, NodeLost …; else that of condition DisruptionTarget */
	char *message;	      /* beside reason */
	char *unschedulable;  /* message of condition PodScheduled=False, reason Unschedulable */
	/* the Spark container */
	char *container;
	bool terminated;
	int64_t exit_code;
	char *term_reason; /* OOMKilled, Error, Completed … */
	char *term_message;
	int64_t finished_ms; /* wall, 0 if unknown */
	/* ImagePullBackOff, CreateContainerConfigError and so on, of whichever container waits with a problem */
	char *waiting_reason;
	char *waiting_message;
	char *waiting_container;
	char *waiting_image;
	/* the first other container (init or sidecar) that ended with an error, and is not started again */
	char *failed_container;
	int64_t failed_exit_code;
	char *failed_reason;
	/* the first sidecar that ended with 0, and is not started again: the pod is as unready as if it had failed */
	char *ended_container;
	int64_t ended_ms; /* wall, 0 if unknown */
};

/* The container that runs Spark in a driver or executor pod, borrowed: by name, by what Spark sets in it, else the
 * first; NULL if there is none. */
enum pod_role pod_role_of(const struct json *pod); /* what its label spark-role says */
struct json *pod_spark_container(const struct json *pod, enum pod_role role);

/* Drops the tree; indexed by "namespace/app-name". */
extern const struct kind pod_kind;

#endif
