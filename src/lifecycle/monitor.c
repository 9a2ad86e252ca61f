/*
 * The pod monitor derives a state and a message from a driver or executor pod.
 *
 * Happy path: a driver that runs or has completed has a state and no message.
 *
 * Failure modes: any other driver also gets a message. The message names the pod or the container, the exit code, the
 * reason and what Kubernetes itself says. What only time shows is told when its time has come: a driver that does not
 * start, a sidecar that has ended well, a driver that is being deleted on a node that does not answer. The phrase
 * "driver container failed with ExitCode: N, Reason: R" is that of kubeflow's operator (getDriverState), since users'
 * alerts look for it.
 *
 * Three defects of kubeflow's operator are corrected. The end of the Spark container counts whatever the pod's phase
 * is, since sidecars may still run. If a pod fails and its Spark container has not ended, the message says why
 * (eviction, init container). An executor that Spark has stopped does not count as failed.
 */
#include "monitor.h"

#include <string.h>

#include "base/text.h"
#include "base/time.h"

enum {
	EXIT_MAX_EXECUTOR_FAILURES = 11, /* Spark SparkExitCode.EXCEED_MAX_EXECUTOR_FAILURES, on Kubernetes since 3.5 */
	EXIT_SIGKILL = 137,
	EXIT_SIGTERM = 143,
	MESSAGE_MAX = 1024,
	SECOND_MS = 1000,
	SLOW_START_MS = 60 * SECOND_MS,
	SIDECAR_GRACE_MS = 10 * SECOND_MS, /* the driver may have ended the sidecar because it ends itself */
	STUCK_MS = 60 * SECOND_MS, /* after the grace period; the kubelet needs a moment to say that all is over */
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
	if (driver->exit_code == EXIT_MAX_EXECUTOR_FAILURES)
		buf_puts(b, "; from Spark 3.5 on, exit code 11 means that more executors have failed than "
			    "spark.executor.maxNumFailures allows: see the events SparkExecutorFailed");
	if (driver->deleting || !text_empty(driver->reason)) {
		buf_printf(b, "; driver pod %s%s", driver->name, driver->deleting ? " was being deleted" : "");
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
static void say_image_pull(struct buf *b, const struct pod_view *pod)
{
	static const char cause[] = ": ErrImagePull: ";
	const char *detail = pod->waiting_message;

	if (text_starts(detail, "Back-off pulling image")) {
		detail = strstr(detail, cause);
		detail = detail ? detail + sizeof(cause) - 1 : "";
	}
	buf_printf(b, "ImagePullBackOff: image \"%s\"", pod->waiting_image);
	if (!text_empty(detail))
		buf_printf(b, ": %.*s", MESSAGE_MAX, detail);
}

static const char *role_name(const struct pod_view *pod)
{
	return pod->role == POD_ROLE_EXECUTOR ? "executor" : "driver";
}

static void say_waiting(struct buf *b, const struct pod_view *pod)
{
	buf_printf(b, "%s pod %s: container %s cannot start: ", role_name(pod), pod->name, pod->waiting_container);
	if (text_eq(pod->waiting_reason, "ErrImagePull") || text_eq(pod->waiting_reason, "ImagePullBackOff")) {
		say_image_pull(b, pod);
		return;
	}
	buf_puts(b, pod->waiting_reason);
	if (!text_empty(pod->waiting_message))
		buf_printf(b, ": %.*s", MESSAGE_MAX, pod->waiting_message);
}

static bool is_slow(const struct pod_view *pod, int64_t now_ms)
{
	return pod->created_ms > 0 && !pod->deleting && now_ms - pod->created_ms >= SLOW_START_MS;
}

/* No status of a pod shows that a volume or ConfigMap is missing, so after a while the message says where to look. */
static void say_pending(struct buf *b, const struct pod_view *pod, int64_t now_ms)
{
	if (!text_empty(pod->waiting_reason))
		say_waiting(b, pod);
	else if (!text_empty(pod->unschedulable))
		buf_printf(b, "%s pod %s cannot be scheduled: %.*s", role_name(pod), pod->name, MESSAGE_MAX,
			   pod->unschedulable);
	else if (is_slow(pod, now_ms))
		buf_printf(
		    b,
		    "%s pod %s has not started within %d s: its image may be large, or a ConfigMap, Secret or volume "
		    "that it mounts may be missing; see the events of the pod",
		    role_name(pod), pod->name, SLOW_START_MS / SECOND_MS);
}

int64_t monitor_pending_rest_ms(const struct pod_view *pod, int64_t now_ms)
{
	if (!text_empty(pod->waiting_reason) || !text_empty(pod->unschedulable) || is_slow(pod, now_ms))
		return -1;
	return pod->created_ms > 0 ? pod->created_ms + SLOW_START_MS - now_ms : SLOW_START_MS;
}

char *monitor_pending_message(const struct pod_view *pod, int64_t now_ms)
{
	auto_buf b;

	buf_init(&b, 8u * MESSAGE_MAX);
	say_pending(&b, pod, now_ms);
	return buf_take(&b);
}

/* Whether the sidecar that has ended with 0 is to be told. */
static bool is_sidecar_missed(const struct driver_look *look)
{
	const struct pod_view *driver = look->driver;

	return !text_empty(driver->ended_container) && look->now_ms - driver->ended_ms >= SIDECAR_GRACE_MS;
}

/*
 * A sidecar that has ended makes the pod unready. The driver's headless Service resolves to ready pods only, so
 * executors that start from now on cannot find the driver.
 */
static void say_sidecar(struct buf *b, const struct driver_look *look)
{
	const struct pod_view *driver = look->driver;
	bool has_failed = !text_empty(driver->failed_container);

	if (look->finds_unready || (!has_failed && !is_sidecar_missed(look)))
		return;
	if (has_failed)
		buf_printf(b, "container %s of driver pod %s ended with ExitCode: %lld, Reason: %s",
			   driver->failed_container, driver->name, (long long)driver->failed_exit_code,
			   or_unknown(driver->failed_reason));
	else
		buf_printf(b, "container %s of driver pod %s ended with ExitCode: 0", driver->ended_container,
			   driver->name);
	buf_puts(b, ": while the pod is not ready new executors cannot find the driver; a container that may end "
		    "belongs into initContainers with restartPolicy Always");
}

static void say_running(struct buf *b, const struct driver_look *look)
{
	const struct pod_view *driver = look->driver;

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
	say_sidecar(b, look);
}

static void say_unknown(struct buf *b, const struct pod_view *driver)
{
	char since[TIME_TEXT_SIZE];

	buf_printf(b, "driver pod %s is in an unknown state", driver->name);
	if (driver->unready_ms > 0)
		buf_printf(b, " since %s", time_rfc3339(driver->unready_ms, since));
	buf_printf(b, ", its node %s%smay be lost", driver->node, text_empty(driver->node) ? "" : " ");
	add_pod_reason(b, driver);
}

/* Kubernetes: "Non-graceful node shutdown". Only a person can know that a node that does not answer is off. */
static void say_stuck(struct buf *b, const struct pod_view *driver)
{
	char end[TIME_TEXT_SIZE];

	buf_printf(b, "driver pod %s should have ended by %s, ", driver->name, time_rfc3339(driver->deletion_ms, end));
	if (text_empty(driver->node)) {
		buf_puts(b, "but is still there: it has no node, so a finalizer must hold it");
		return;
	}
	buf_printf(b,
		   "but its node %s does not confirm that: if the node is off, taint it with "
		   "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute, or run kubectl delete pod -n %s %s "
		   "--force --grace-period=0; until then the driver may still run",
		   driver->node, driver->ns, driver->name);
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

static bool has_ended(const struct pod_view *driver)
{
	enum driver_state state = monitor_driver_state(driver);

	return state == DRIVER_COMPLETED || state == DRIVER_FAILED;
}

bool monitor_driver_is_stuck(const struct pod_view *driver, int64_t now_ms)
{
	return driver->deletion_ms > 0 && !has_ended(driver) && now_ms - driver->deletion_ms >= STUCK_MS;
}

static void say_state(struct buf *b, const struct driver_look *look)
{
	switch (monitor_driver_state(look->driver)) {
	case DRIVER_PENDING:
		say_pending(b, look->driver, look->now_ms);
		break;
	case DRIVER_RUNNING:
		say_running(b, look);
		break;
	case DRIVER_COMPLETED:
		break;
	case DRIVER_FAILED:
		if (look->driver->terminated)
			say_container_failed(b, look->driver);
		else
			say_pod_failed(b, look->driver);
		break;
	case DRIVER_UNKNOWN:
		say_unknown(b, look->driver);
		break;
	}
}

char *monitor_driver_message(const struct driver_look *look)
{
	auto_buf b;

	buf_init(&b, 8u * MESSAGE_MAX);
	if (monitor_driver_is_stuck(look->driver, look->now_ms))
		say_stuck(&b, look->driver);
	else
		say_state(&b, look);
	return buf_take(&b);
}

/* The earlier of two times from now, of which the second counts if it is still to come. */
static int64_t next_of(int64_t next_ms, int64_t due_ms, int64_t now_ms)
{
	int64_t rest_ms = due_ms - now_ms;

	return rest_ms <= 0 || (next_ms >= 0 && next_ms <= rest_ms) ? next_ms : rest_ms;
}

int64_t monitor_driver_next_ms(const struct driver_look *look)
{
	const struct pod_view *driver = look->driver;
	int64_t next_ms = -1;

	if (has_ended(driver))
		return -1;
	if (driver->deletion_ms > 0)
		return next_of(next_ms, driver->deletion_ms + STUCK_MS, look->now_ms);
	if (driver->phase == POD_PENDING && driver->created_ms > 0)
		next_ms = next_of(next_ms, driver->created_ms + SLOW_START_MS, look->now_ms);
	if (!text_empty(driver->ended_container) && !look->finds_unready)
		next_ms = next_of(next_ms, driver->ended_ms + SIDECAR_GRACE_MS, look->now_ms);
	return next_ms;
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
	return xasprintf("Executor %s failed with ExitCode: %lld, Reason: %s%s%.*s", executor->name, code, reason,
			 text_empty(executor->message) ? "" : ", Pod Message: ", MESSAGE_MAX, executor->message);
}
