/*
 * Leader election over a Lease (coordination.k8s.io/v1) as a stepper: events in, one command out; no sockets, no clock.
 * Semantics: client-go tools/leaderelection. The times of other machines are never compared with ours: what counts is for how
 * long a record has been seen unchanged.
 */
#ifndef KUBE_LEASE_H
#define KUBE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "json/json.h"

struct lease_options {
	const char *ns;
	const char *name;
	const char *identity;	   /* unique to this start of this process */
	int64_t duration_ms;	   /* 15 s */
	int64_t renew_deadline_ms; /* 10 s */
	int64_t retry_ms;	   /* 2 s */
};

#endif
