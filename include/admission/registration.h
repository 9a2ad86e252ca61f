/*
 * The webhook configurations: which requests the API server shows to the webhook, and what it does when it gets no
 * answer. Names of entries, paths and rules as kubeflow's chart has them.
 */
#ifndef ADMISSION_REGISTRATION_H
#define ADMISSION_REGISTRATION_H

#include <stddef.h>
#include <stdint.h>

#include "json/json.h"

struct registration_options {
	const char *service_ns;
	const char *service_name;
	const char *url;		/* "https://HOST:PORT" instead of the Service; NULL: the Service, port 443 */
	const char *failure_policy;	/* for applications: "Fail" or "Ignore" */
	const char *pod_failure_policy; /* for Spark pods */
	int64_t timeout_s;		/* 1 to 30 */
	const char *const *namespaces;	/* only requests in these; none: in all but those of Kubernetes itself */
	size_t namespace_count;
	const char *const *selector; /* "KEY=VALUE": labels that namespaces must have besides */
	size_t selector_count;
};

/* Namespaces in which no webhook has a say: without them a cluster does not come up again. NULL-terminated. */
extern const char *const registration_system[];

/* Without caBundle, which the webhook fills in itself. Owned. */
struct json *registration_mutating(const char *name, const struct registration_options *options);
struct json *registration_validating(const char *name, const struct registration_options *options);

#endif
