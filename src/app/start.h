/*
 * `start`, `controller start` and `webhook start`: the operator on a real API server, until SIGTERM or SIGINT.
 */
#ifndef APP_START_H
#define APP_START_H

#include "operator.h"
#include "options/options.h"

enum { ROLE_CONTROLLER = 1, ROLE_WEBHOOK = 2 };

/* Checks what only the TLS library knows: the names of cipher suites. ERR_INVALID names the flag. */
int start_check(const struct options *o, struct err *err);
/* What the options mean to the operator. Borrows from *o. */
struct operator_options start_operator_options(const struct options *o);
/* Returns the exit code: 0 after a clean stop, 1 if it could not start or could not stop cleanly. */
int start_run(const struct options *o, unsigned roles);

#endif
