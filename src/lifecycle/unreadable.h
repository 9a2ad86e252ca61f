/*
 * What becomes of an application that could not be decoded.
 */
#ifndef LIFECYCLE_UNREADABLE_H
#define LIFECYCLE_UNREADABLE_H

#include "lifecycle/reconcile.h"

/* The reason in the status of such an application if it has failed for that. */
#define UNREADABLE_REASON "InvalidSpec"

/* Plans the status of an application with a problem (w->problem). It fails only if it has not begun. One that runs or
 * has ended is left alone. */
void unreadable_reconcile(const struct world *w, struct plan *plan);

#endif
