/*
 * Whether an application fits into what is left of its namespace.
 */
#ifndef ADMISSION_QUOTA_H
#define ADMISSION_QUOTA_H

#include "kube/store.h"
#include "spark/app.h"
#include "rules/policy.h"

/* quotas: of kind quota_kind. before: the application that app replaces, NULL if there is none. ERR_DENIED names the
 * quotas that are too small and says by what; ERR_INVALID: no pods can be made of the application, and why. */
int quota_check(const struct store *quotas, const struct app *app, const struct app *before,
		const struct rule_options *rules, struct err *err);

#endif
