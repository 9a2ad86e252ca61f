/*
 * The webhook configurations of the command line: printed by `webhook config`, or created in the cluster by
 * --webhook-register.
 */
#ifndef WEBHOOK_WEBHOOK_REGISTRATION_H
#define WEBHOOK_WEBHOOK_REGISTRATION_H

#include <stdio.h>

#include "base/sched.h"
#include "kube/api.h"
#include "options/options.h"

struct webhook_registration;

/* ERR_INVALID, and the text names the flag, if a flag of the configurations is not possible. */
int webhook_registration_check(const struct options *o, struct err *err);
/* `webhook config`: prints both as YAML. Returns the exit code. */
int webhook_registration_print(const struct options *o, FILE *out, FILE *errors);

/* ns: the operator's own namespace. All borrowed. */
struct webhook_registration *webhook_registration_new(struct api *api, struct sched *sched, const char *ns,
						      const struct options *o);
/* Creates the configurations, and tries again until both exist; one that exists already is left as it is. */
void webhook_registration_start(struct webhook_registration *r);
/* NULL is fine. */
void webhook_registration_free(struct webhook_registration *r);

#endif
