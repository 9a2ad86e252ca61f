/*
 * Pod monitor: from driver and executor pods to what the status says. Rules: kubeflow
 * internal/controller/sparkapplication (getDriverState, updateExecutorState), its defects corrected (docs/status.md).
 */
#ifndef LIFECYCLE_MONITOR_H
#define LIFECYCLE_MONITOR_H

#include "base/buf.h"
#include "spark/app.h"
#include "spark/pod.h"

enum driver_state { DRIVER_PENDING = 0, DRIVER_RUNNING, DRIVER_COMPLETED, DRIVER_FAILED, DRIVER_UNKNOWN };

/* A pod whose driver container has ended counts as ended, whatever sidecars still run. */
enum driver_state monitor_driver_state(const struct pod_view *driver);
/* Why the driver failed, or why it does not start: exit code, reason and container in plain words. "" if there is
 * nothing to say. Owned. */
char *monitor_driver_message(const struct pod_view *driver);
/* "PENDING", "RUNNING", "COMPLETED", "FAILED", "UNKNOWN". ending: the application has succeeded, so that an executor
 * that Spark itself stopped (exit code 143, or killed while being deleted) counts as COMPLETED. Before that a stopped
 * one that is being deleted counts as RUNNING: what its end means is not known yet. */
const char *monitor_executor_state(const struct pod_view *executor, bool ending);
/* Text of SparkExecutorFailed: "Executor E failed with ExitCode: N, Reason: R, Pod Message: M". Owned. */
char *monitor_executor_failure(const struct pod_view *executor);

#endif
