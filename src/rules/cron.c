/*
 * Schedules: each of the five fields is a list of ranges, and each range sets bits of the field. "@daily" and its
 * like stand for fields; "@every DURATION" has none.
 *
 * Failure modes: whatever robfig/cron v3 (parser.go: ParseStandard, getField, getRange, parseDescriptor) refuses is
 * ERR_INVALID with the name of the field. A day that never comes ("0 0 31 2 *") is no error there and none here.
 */
#include "rules/cron.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/duration.h"
#include "base/mem.h"
#include "base/text.h"
#include "zones.h"

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may", "jun",
					   "jul", "aug", "sep", "oct", "nov", "dec" };
static const char *const day_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

struct cron_field {
	const char *name;
	int64_t min;
	int64_t max;
	const char *const *names; /* of min, min + 1 and so on */
	size_t name_count;
};

enum { MINUTE, HOUR, MONTH_DAY, MONTH, WEEK_DAY, FIELD_COUNT };

static const struct cron_field cron_fields[FIELD_COUNT] = {
	[MINUTE] = { "minute", 0, 59, NULL, 0 },
	[HOUR] = { "hour", 0, 23, NULL, 0 },
	[MONTH_DAY] = { "day of month", 1, 31, NULL, 0 },
	[MONTH] = { "month", 1, 12, month_names, array_len(month_names) },
	[WEEK_DAY] = { "day of week", 0, 6, day_names, array_len(day_names) },
};

static const struct {
	const char *name;
	const char *fields;
} descriptors[] = {
	{ "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" }, { "@monthly", "0 0 1 * *" },
	{ "@weekly", "0 0 * * 0" }, { "@daily", "0 0 * * *" },	  { "@midnight", "0 0 * * *" },
	{ "@hourly", "0 * * * *" },
};

/* What a field says. */
struct cron_values {
	uint64_t bits;
	bool any; /* "*" or "?" is among its ranges */
};

/* The numbers low, low + step and so on up to high. */
struct cron_range {
	int64_t low;
	int64_t high;
	int64_t step;
	bool any;
};

/* ---- a range ---- */

static int read_number(const struct cron_field *f, const char *text, int64_t *ret, struct err *err)
{
	for (size_t i = 0; i < f->name_count; i++) {
		*ret = f->min + (int64_t)i;
		if (strcasecmp(text, f->names[i]) == 0)
			return 0;
	}
	if (isdigit((unsigned char)*text) && text_i64(text, ret))
		return 0;
	return err_set(err, ERR_INVALID, "%s: \"%s\" is no number%s", f->name, text, f->names ? " or name" : "");
}

/* "*", "?", "N" or "N-M". A number alone that has a step begins a range up to the largest value. */
static int read_bounds(const struct cron_field *f, const char *text, bool has_step, struct cron_range *ret,
		       struct err *err)
{
	auto_free char *low = xstrndup(text, strcspn(text, "-"));
	const char *high = text[strlen(low)] ? text + strlen(low) + 1 : NULL;

	ret->any = text_eq(low, "*") || text_eq(low, "?");
	ret->low = f->min;
	ret->high = f->max;
	if (ret->any)
		return 0;
	if (read_number(f, low, &ret->low, err) < 0)
		return err_code(err);
	if (high)
		return read_number(f, high, &ret->high, err);
	if (!has_step)
		ret->high = ret->low;
	return 0;
}

/* Bounds, then perhaps "/STEP". */
static int read_range(const struct cron_field *f, const char *text, struct cron_range *ret, struct err *err)
{
	auto_free char *bounds = xstrndup(text, strcspn(text, "/"));
	const char *step = text[strlen(bounds)] ? text + strlen(bounds) + 1 : NULL;

	if (read_bounds(f, bounds, step != NULL, ret, err) < 0)
		return err_code(err);
	ret->step = 1;
	if (step && (!isdigit((unsigned char)*step) || !text_i64(step, &ret->step) || ret->step < 1))
		return err_set(err, ERR_INVALID, "%s: \"%s\": the step must be a number above 0", f->name, text);
	if (ret->low < f->min || ret->high > f->max || ret->low > ret->high)
		return err_set(err, ERR_INVALID, "%s: \"%s\" is not within %lld-%lld", f->name, text, (long long)f->min,
			       (long long)f->max);
	return 0;
}

/* ---- a field ---- */

static void add_range(struct cron_values *v, const struct cron_range *r)
{
	/* The step may be larger than any value. */
	for (int64_t i = r->low; i <= r->high; i = r->step > r->high - i ? r->high + 1 : i + r->step)
		v->bits |= UINT64_C(1) << i;
	v->any = v->any || (r->any && r->step == 1);
}

static int read_field(const struct cron_field *f, const char *text, struct cron_values *ret, struct err *err)
{
	auto_strv ranges = { 0 };
	struct cron_range range;

	strv_split(&ranges, text, ',');
	if (!ranges.len)
		return err_set(err, ERR_INVALID, "%s: \"%s\" has no value", f->name, text);
	for (size_t i = 0; i < ranges.len; i++) {
		if (read_range(f, ranges.items[i], &range, err) < 0)
			return err_code(err);
		add_range(ret, &range);
	}
	return 0;
}

static void split_blanks(struct strv *v, const char *text)
{
	static const char blanks[] = " \t\n\v\f\r";

	for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
		auto_free char *word = xstrndup(text, strcspn(text, blanks));

		strv_add(v, word);
		text += strlen(word);
	}
}

static int read_fields(const char *text, struct cron *ret, struct err *err)
{
	auto_strv words = { 0 };
	struct cron_values values[FIELD_COUNT] = { 0 };

	split_blanks(&words, text);
	if (words.len != FIELD_COUNT)
		return err_set(err, ERR_INVALID,
			       "expected 5 fields, minute, hour, day of month, month and day of week, found %zu",
			       words.len);
	for (size_t i = 0; i < words.len; i++)
		if (read_field(&cron_fields[i], words.items[i], &values[i], err) < 0)
			return err_code(err);
	ret->minutes = values[MINUTE].bits;
	ret->hours = values[HOUR].bits;
	ret->month_days = values[MONTH_DAY].bits;
	ret->months = values[MONTH].bits;
	ret->week_days = values[WEEK_DAY].bits;
	ret->any_month_day = values[MONTH_DAY].any;
	ret->any_week_day = values[WEEK_DAY].any;
	return 0;
}

/* ---- a schedule ---- */

/* A duration above 0, in whole seconds as robfig/cron's Every makes it: a rest is dropped, less than one is one. */
static int read_interval(const char *text, struct cron *ret, struct err *err)
{
	int64_t ms;

	if (!duration_parse(text + (*text == '+'), &ms) || ms <= 0)
		return err_set(err, ERR_INVALID, "expected a duration after @every, such as 90s or 1h30m");
	ret->every_s = ms < 1000 ? 1 : ms / 1000;
	return 0;
}

static int read_descriptor(const char *text, struct cron *ret, struct err *err)
{
	for (size_t i = 0; i < array_len(descriptors); i++)
		if (text_eq(text, descriptors[i].name))
			return read_fields(descriptors[i].fields, ret, err);
	if (text_starts(text, "@every "))
		return read_interval(text + strlen("@every "), ret, err);
	return err_set(err, ERR_INVALID,
		       "expected @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly or @every DURATION");
}

/* As Go reads names: none is UTC, and "Local" is the zone of the machine, which in the operator's image is UTC. */
const char *cron_check_zone(const char *name)
{
	return !*name || zones_has(name) || text_eq(name, "Local")
		   ? NULL
		   : "expected the name of a time zone of the tz database (" ZONES_VERSION "), such as Europe/Prague";
}

/* "TZ=ZONE " or "CRON_TZ=ZONE ", if it is there. Returns what follows; NULL with *err if the zone is none. */
static const char *read_zone(const char *text, struct cron *ret, struct err *err)
{
	auto_free char *name = NULL;
	const char *why;

	if (!text_starts(text, "TZ=") && !text_starts(text, "CRON_TZ="))
		return text;
	ret->zone = strchr(text, '=') + 1;
	ret->zone_len = strcspn(ret->zone, " ");
	name = xstrndup(ret->zone, ret->zone_len);
	why = cron_check_zone(name);
	if (why) {
		err_set(err, ERR_INVALID, "time zone \"%s\": %s", name, why);
		return NULL;
	}
	text = ret->zone + ret->zone_len;
	return text + strspn(text, " \t");
}

int cron_parse(const char *text, struct cron *ret, struct err *err)
{
	struct cron cron = { 0 };

	text = read_zone(text, &cron, err);
	if (!text)
		return err_code(err);
	if ((*text == '@' ? read_descriptor(text, &cron, err) : read_fields(text, &cron, err)) < 0)
		return err_code(err);
	*ret = cron;
	return 0;
}
