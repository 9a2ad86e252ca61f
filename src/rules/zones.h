/*
 * The names of time zones.
 */
#ifndef RULES_ZONES_H
#define RULES_ZONES_H

#include <stdbool.h>

#define ZONES_VERSION "2025b"

/* The tz database has a zone, or another name of one, that is spelt so. */
bool zones_has(const char *name);

#endif
