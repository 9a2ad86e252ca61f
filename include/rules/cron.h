/*
 * Schedules as cron writes them: "30 6 * * MON-FRI", "@daily", "@every 90s", each also with the time zone in front:
 * "CRON_TZ=Asia/Tokyo 0 6 * * *". What is accepted is what robfig/cron's ParseStandard accepts, on which the other
 * operators of SparkApplications rely.
 */
#ifndef RULES_CRON_H
#define RULES_CRON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct cron {
	/* Bit n is set if the value n is meant: minutes and hours from 0, days of the month and months from 1, days
	 * of the week from 0, which is Sunday. All are 0 for a schedule of "@every". */
	uint64_t minutes;
	uint64_t hours;
	uint64_t month_days;
	uint64_t months;
	uint64_t week_days;
	/* The field is "*" or "?", alone or among others. If neither is, a day has to be right by one of both fields
	 * only. */
	bool any_month_day;
	bool any_week_day;
	int64_t every_s;  /* "@every": seconds between two runs, at least 1; 0: the fields above count */
	const char *zone; /* its name, zone_len bytes of the text; NULL: none was written */
	size_t zone_len;
};

/* Borrows text for cron's life. ERR_INVALID says which field is wrong, and why; *ret is untouched then. */
int cron_parse(const char *text, struct cron *ret, struct err *err);

/* What is wrong with the name of a time zone, static; NULL if there is such a zone, and for "Local" and "". */
const char *cron_check_zone(const char *name);

#endif
