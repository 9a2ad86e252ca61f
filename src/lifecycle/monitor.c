/*
 * The pod monitor derives a state and a message from a driver or executor pod.
 *
 * Happy path: a driver that runs or has completed has a state and no message.
 *
 * Failure modes: any other driver also gets a message. The message names the pod or the container, the exit code, the
 * reason and what Kubernetes itself says. The phrase "driver container failed with ExitCode: N, Reason: R" is that of
 * kubeflow's operator (getDriverState), since users' alerts look for it.
 *
 * Three defects of kubeflow's operator are corrected. The end of the Spark container counts whatever the pod's phase
 * is, since sidecars may still run. If a pod fails and its Spark container has not ended, the message says why
 * (eviction, init container). An executor that Spark has stopped does not count as failed.
 */
#include "monitor.h"

#include <string.h>

#include "base/text.h"

enum {
	EXIT_SIGKILL = 137,
	EXIT_SIGTERM = 143,
	MESSAGE_MAX = 1024,
};

struct hint {
	const char *reason;
	const char *text;
};

static const struct hint hints[] = {
	{ "OOMKilled", "raise spec.driver.memoryOverhead or spec.driver.memory" },
	{ "DeadlineExceeded", "activeDeadlineSeconds of the pod has passed" },
	{ "ContainerStatusUnknown", "its node was lost or restarted" },
	{ "NodeLost", "its node does not answer" },
	{ "StartError", "check command, user and mounts of the container" },
	{ "ContainerCannotRun", "check command, user and mounts of the container" },
};

static const char *or_unknown(const char *reason)
{
	return text_empty(reason) ? "Unknown" : reason;
}

static void add_hint(struct buf *b, const char *reason)
{
	for (size_t i = 0; i < array_len(hints); i++)
		if (text_eq(hints[i].reason, reason))
			buf_printf(b, "; %s", hints[i].text);
}

/* Appends ": REASON: MESSAGE" of the pod, without the parts that are empty. */
static void add_pod_reason(struct buf *b, const struct pod_view *pod)
{
	if (!text_empty(pod->reason))
		buf_printf(b, ": %s", pod->reason);
	if (!text_empty(pod->message))
		buf_printf(b, ": %.*s", MESSAGE_MAX, pod->message);
	add_hint(b, pod->reason);
}

static void say_container_failed(struct buf *b, const struct pod_view *driver)
{
	buf_printf(b, "driver container failed with ExitCode: %lld, Reason: %s (container %s)",
		   (long long)driver->exit_code, or_unknown(driver->term_reason), driver->container);
	if (!text_empty(driver->term_message))
		buf_printf(b, ": %.*s", MESSAGE_MAX, driver->term_message);
	add_hint(b, driver->term_reason);
	if (driver->deleting || !text_empty(driver->reason)) {
		buf_printf(b, "; driver pod %s%s", driver->name, driver->deleting ? " is being deleted" : "");
		add_pod_reason(b, driver);
	}
}

static void say_pod_failed(struct buf *b, const struct pod_view *driver)
{
	buf_puts(b, "driver pod failed");
	if (!text_empty(driver->reason)) {
		add_pod_reason(b, driver);
		return;
	}
	if (text_empty(driver->failed_container)) {
		buf_puts(b, ": driver container status missing");
		return;
	}
	buf_printf(b, ": container %s failed with ExitCode: %lld, Reason: %s, before the driver could start",
		   driver->failed_container, (long long)driver->failed_exit_code, or_unknown(driver->failed_reason));
}

/*
 * Kubelet alternates between ErrImagePull and ImagePullBackOff. The message of ImagePullBackOff contains the message of
 * ErrImagePull (pkg/kubelet/images). Both are reported as ImagePullBackOff, so that the text does not change as long as
 * the problem stays the same.
 */
static void say_image_pull(struct buf *b, const struct pod_view *driver)
{
	static const char cause[] = ": ErrImagePull: ";
	const char *detail = driver->waiting_message;

	if (text_starts(detail, "Back-off pulling image")) {
		detail = strstr(detail, cause);
		detail = detail ? detail + sizeof(cause) - 1 : "";
	}
	buf_printf(b, "ImagePullBackOff: image \"%s\"", driver->waiting_image);
	if (!text_empty(detail))
		buf_printf(b, ": %.*s", MESSAGE_MAX, detail);
}

static void say_pending(struct buf *b, const struct pod_view *driver)
{
	if (!text_empty(driver->waiting_reason)) {
		buf_printf(b, "driver pod %s: container %s cannot start: ", driver->name, driver->waiting_container);
		if (text_eq(driver->waiting_reason, "ErrImagePull") ||
		    text_eq(driver->waiting_reason, "ImagePullBackOff")) {
			say_image_pull(b, driver);
			return;
		}
		buf_puts(b, driver->waiting_reason);
		if (!text_empty(driver->waiting_message))
			buf_printf(b, ": %.*s", MESSAGE_MAX, driver->waiting_message);
		return;
	}
	if (!text_empty(driver->unschedulable))
		buf_printf(b, "driver pod %s cannot be scheduled: %.*s", driver->name, MESSAGE_MAX,
			   driver->unschedulable);
}

/*
 * A sidecar that has ended makes the pod unready. The driver's headless Service resolves to ready pods only, so
 * executors that start from now on cannot find the driver.
 */
static void say_running(struct buf *b, const struct pod_view *driver)
{
	if (driver->deleting) {
		buf_printf(b, "driver pod %s is being deleted", driver->name);
		add_pod_reason(b, driver);
		return;
	}
	if (!text_empty(driver->reason)) {
		buf_printf(b, "driver pod %s is in trouble", driver->name);
		add_pod_reason(b, driver);
		return;
	}
	if (!text_empty(driver->failed_container))
		buf_printf(
		    b,
		    "container %s of driver pod %s ended with ExitCode: %lld, Reason: %s: while the pod is not ready "
		    "new executors cannot find the driver",
		    driver->failed_container, driver->name, (long long)driver->failed_exit_code,
		    or_unknown(driver->failed_reason));
}

static void say_unknown(struct buf *b, const struct pod_view *driver)
{
	buf_printf(b, "driver pod %s is in an unknown state, its node may be lost", driver->name);
	add_pod_reason(b, driver);
}

enum driver_state monitor_driver_state(const struct pod_view *driver)
{
	if (driver->terminated)
		return driver->exit_code == 0 ? DRIVER_COMPLETED : DRIVER_FAILED;
	switch ((enum pod_phase)driver->phase) {
	case POD_PENDING:
		return DRIVER_PENDING;
	case POD_RUNNING:
		return DRIVER_RUNNING;
	case POD_SUCCEEDED:
		return DRIVER_COMPLETED;
	case POD_FAILED:
		return DRIVER_FAILED;
	case POD_UNKNOWN:
		break;
	}
	return DRIVER_UNKNOWN;
}

char *monitor_driver_message(const struct pod_view *driver)
{
	auto_buf b;

	buf_init(&b, 8u * MESSAGE_MAX);
	switch (monitor_driver_state(driver)) {
	case DRIVER_PENDING:
		say_pending(&b, driver);
		break;
	case DRIVER_RUNNING:
		say_running(&b, driver);
		break;
	case DRIVER_COMPLETED:
		break;
	case DRIVER_FAILED:
		if (driver->terminated)
			say_container_failed(&b, driver);
		else
			say_pod_failed(&b, driver);
		break;
	case DRIVER_UNKNOWN:
		say_unknown(&b, driver);
		break;
	}
	return buf_take(&b);
}

/* Whether the executor ended because it was asked to: by SIGTERM, or by SIGKILL after its grace period. */
static bool was_stopped(const struct pod_view *e)
{
	if (e->exit_code == EXIT_SIGTERM)
		return true;
	return e->deleting && e->exit_code == EXIT_SIGKILL && !text_eq(e->term_reason, "OOMKilled");
}

const char *monitor_executor_state(const struct pod_view *executor, bool ending)
{
	static const char *const by_phase[] = {
		[POD_PENDING] = "PENDING", [POD_RUNNING] = "RUNNING", [POD_SUCCEEDED] = "COMPLETED",
		[POD_FAILED] = "FAILED",   [POD_UNKNOWN] = "UNKNOWN",
	};

	if (!executor->terminated)
		return by_phase[executor->phase];
	if (executor->exit_code == 0 || (ending && was_stopped(executor)))
		return "COMPLETED";
	/* Spark stops its executors before the driver ends. Whether they have completed is known only after that. */
	if (executor->deleting && was_stopped(executor))
		return "RUNNING";
	return "FAILED";
}

char *monitor_executor_failure(const struct pod_view *executor)
{
	long long code = executor->terminated ? executor->exit_code : -1;
	const char *reason = executor->terminated ? or_unknown(executor->term_reason) : executor->reason;

	if (text_empty(reason))
		reason = "Unknown (Container not Found)";
	return xasprintf("Executor %s failed with ExitCode: %lld, Reason: %s, Pod Message: %.*s", executor->name, code,
			 reason, MESSAGE_MAX, executor->message);
}
