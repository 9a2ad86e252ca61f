/*
 * What the operator's owner says that the rules need to know: what applications may have of the node, and what the
 * operator does for them.
 */
#ifndef RULES_POLICY_H
#define RULES_POLICY_H

#include <stdbool.h>

#include "rules/limits.h"

/* How much of the node a Spark pod may have: the levels of the Pod Security Standards, checked in the application
 * already, where the message can name its field. */
enum pod_policy {
	POD_POLICY_PRIVILEGED = 0, /* everything */
	/* no hostPath, hostNetwork, hostPID, hostIPC, hostPort, privileged containers, added capabilities and so on */
	POD_POLICY_BASELINE,
};

/* Of what the names of a schedule's runs are made, from the longest to the shortest (kubeflow
 * --scheduled-spark-application-timestamp-precision). */
enum run_precision { RUN_NANOS = 0, RUN_MICROS, RUN_MILLIS, RUN_SECONDS, RUN_MINUTES };

/* In the default image it stands for the application's version of Spark. */
#define IMAGE_VERSION "{sparkVersion}"

/* All zero is the strictest that no option asks for. Texts are borrowed. */
struct rule_options {
	enum pod_policy pod_policy;
	enum run_precision run_precision;
	/* The operator's webhook sees each executor when it is created. It writes the fields that Spark overwrites in
	 * the pod template: memoryLimit, and lifecycle where Spark decommissions executors. */
	bool has_webhook;
	/* The image of applications that have none; it may hold IMAGE_VERSION. NULL: there is none. */
	const char *default_image;
	struct limits limits;
	/* The operator's own format of the URL of web UIs, see spark/ui_url.h. NULL: they have no Ingress. */
	const char *ui_url_format;
	/* The object is on its way into the API server, so that others can still add what is missing. */
	bool is_admission;
};

#endif
