/*
 * Functions that only the modules of this layer use.
 */
#ifndef NET_INTERNAL_H
#define NET_INTERNAL_H

#include "net/loop.h"

/* Tells the scheduler the time. Every libuv callback begins with it. Otherwise delays would count from the time when
 * the last timer fired. */
void loop_touch(struct loop *loop);

#endif
