/*
 * Fuzz target: the text of a schedule, and of a duration. It fails on a crash, or if a result is outside of what its
 * header promises.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/mem.h"
#include "rules/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_cron(const struct cron *c, const char *text)
{
	bool has_fields = c->minutes && c->hours && c->month_days && c->months && c->week_days;

	check(c->every_s > 0 ? !c->minutes : c->every_s == 0 && has_fields);
	check(!(c->minutes >> 60) && !(c->hours >> 24) && !(c->month_days >> 32) && !(c->months >> 13));
	check(!(c->week_days >> 7) && !(c->month_days & 1) && !(c->months & 1));
	check(!c->zone || c->zone > text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);
	struct err err = { 0 };
	struct cron cron;
	int64_t ms;

	if (cron_parse(text, &cron, &err) == 0)
		check_cron(&cron, text);
	else
		check(err.code == ERR_INVALID && err.msg[0]);
	if (duration_parse(text, &ms))
		check(ms >= 0);
	return 0;
}
