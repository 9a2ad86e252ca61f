/*
 * The API server refuses a pod for fields that it does not know (fieldValidation=Strict): which fields of the
 * application these are.
 */
#ifndef LIFECYCLE_UNKNOWN_FIELDS_H
#define LIFECYCLE_UNKNOWN_FIELDS_H

#include "kube/outcome.h"
#include "spark/app.h"

/* Puts the application's fields into the failure's text, a line for each, with what was probably meant. The failure of
 * anything else stays as it is. */
void unknown_fields_translate(struct failure *f, const struct app *app);
/* Whether executors may have fields that the API server does not know: those that the record of Kubernetes' types does
 * not have. Spark creates executors, and has such fields dropped. */
bool unknown_fields_in_executors(const struct app *app);

#endif
