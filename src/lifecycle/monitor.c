/*
 * Pod monitor: what a driver or executor pod means for its application, and in which words.
 *
 * Happy path: a driver that runs or has completed has a state and no message. Everything else ends in a sentence
 * that names pod or container, exit code, reason and, where Kubernetes has words of its own, those. The phrase
 * "driver container failed with ExitCode: N, Reason: R" is that of kubeflow's operator (getDriverState): alerts
 * look for it.
 *
 * Corrected against it: the end of the Spark container counts whatever the pod's phase (sidecars may still run), a
 * pod that failed without an end of that container says why (eviction, init container), and an executor that Spark
 * stopped has not failed.
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

/* ": REASON: MESSAGE" of the pod as far as there is something. */
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
 * Kubelet alternates between ErrImagePull and ImagePullBackOff, and puts the former's message behind words of the
 * latter (pkg/kubelet/images). Both are told as one, so that the text stands still while the trouble does.
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
 * A sidecar that has ended makes the pod unready, and the headless Service of the driver resolves ready pods only,
 * so that executors which start from now on cannot find it.
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

/* Ended because somebody asked it to: by SIGTERM, or killed when it did not follow within its grace period. */
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
	/* Spark stops its executors before the driver ends: what that means is known when the driver has ended. */
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
