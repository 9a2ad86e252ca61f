/*
 * What the modules of this layer share and nobody else sees.
 */
#ifndef NET_INTERNAL_H
#define NET_INTERNAL_H

#include "net/loop.h"

/* Tells the scheduler the time. Every libuv callback begins with it, or delays would count from the last timer that
 * fired. */
void loop_touch(struct loop *loop);

#endif
