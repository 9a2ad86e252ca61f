/*
 * The pod monitor derives from driver and executor pods what the status says of them. The rules are those of kubeflow
 * internal/controller/sparkapplication (getDriverState, updateExecutorState), with its defects corrected
 * (docs/status.md).
 */
#ifndef LIFECYCLE_MONITOR_H
#define LIFECYCLE_MONITOR_H

#include "base/buf.h"
#include "spark/app.h"
#include "spark/pod.h"

enum driver_state { DRIVER_PENDING = 0, DRIVER_RUNNING, DRIVER_COMPLETED, DRIVER_FAILED, DRIVER_UNKNOWN };

/* A pod whose driver container has ended counts as ended, whatever sidecars still run. */
enum driver_state monitor_driver_state(const struct pod_view *driver);

/* A look at a driver pod. Borrowed. */
struct driver_look {
	const struct pod_view *driver;
	bool finds_unready; /* executors find the driver though its pod is not ready */
	int64_t now_ms;	    /* wall */
};

/* Returns why the driver failed or does not start, with exit code, reason and container. "" if the driver has no
 * problem. Owned. */
char *monitor_driver_message(const struct driver_look *look);
/* From now: when the message changes though the pod does not. -1: never. */
int64_t monitor_driver_next_ms(const struct driver_look *look);
/* Whether the driver pod is being deleted and is there long after its grace period. Whether the driver still runs is
 * not known then. */
bool monitor_driver_is_stuck(const struct pod_view *driver, int64_t now_ms);
/* Returns why the pod of a driver or an executor is still Pending; "" as long as that is nothing unusual. Owned. */
char *monitor_pending_message(const struct pod_view *pod, int64_t now_ms);
/* From now: when a Pending pod counts as slow. -1: there is a message already. */
int64_t monitor_pending_rest_ms(const struct pod_view *pod, int64_t now_ms);
/* Returns "PENDING", "RUNNING", "COMPLETED", "FAILED" or "UNKNOWN". ending: the application has succeeded. Then an
 * executor that Spark itself stopped (exit code 143, or killed while being deleted) counts as COMPLETED. Before that, a
 * stopped executor that is being deleted counts as RUNNING, since it is not yet known what its end means. */
const char *monitor_executor_state(const struct pod_view *executor, bool ending);
/* Returns the text of the event SparkExecutorFailed: "Executor E failed with ExitCode: N, Reason: R", followed by ",
 * Pod Message: M" if the pod has one. Owned. */
char *monitor_executor_failure(const struct pod_view *executor);

#endif
