/*
 * What the operator's owner lets applications have of the node.
 */
#ifndef RULES_POLICY_H
#define RULES_POLICY_H

#include <stdbool.h>

/* How much of the node a Spark pod may have: the levels of the Pod Security Standards, checked in the application
 * already, where the message can name its field. */
enum pod_policy {
	POD_POLICY_PRIVILEGED = 0, /* everything */
	/* no hostPath, hostNetwork, hostPID, hostIPC, hostPort, privileged containers, added capabilities and so on */
	POD_POLICY_BASELINE,
};

#endif
