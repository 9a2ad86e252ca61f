/*
 * What a store has done, for tests of what it costs.
 */
#ifndef KUBE_STORE_COST_H
#define KUBE_STORE_COST_H

#include "kube/store.h"

/* How many objects the ends of relists have looked at until now. */
uint64_t store_looks(const struct store *s);

#endif
