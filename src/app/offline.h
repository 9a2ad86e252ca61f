/*
 * What the commands that need no cluster have in common. What only a cluster gives is made up and the same every time: a uid
 * of zeros, namespace "default" if none is written, the Unix epoch as time of submission.
 */
#ifndef APP_OFFLINE_H
#define APP_OFFLINE_H

#include "options.h"
#include "spark/submission.h"

/* The application that object is; borrows from it. ERR_INVALID if it is none. */
int offline_app(struct json *object, struct app *ret, struct err *err);
/* All that `start` would create, the UI Service last if it is switched on, and the executor pod. */
int offline_build(const struct options *o, const struct app *app, struct submission *ret, struct err *err);

#endif
