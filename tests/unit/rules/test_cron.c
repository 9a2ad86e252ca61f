/* Schedules: which values of which field are meant, zones, intervals, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "rules/cron.h"

#define BIT(n)		  (UINT64_C(1) << (n))
#define BITS(first, last) ((BIT((last) + 1) - 1) & ~(BIT(first) - 1))

static const uint64_t all_minutes = BITS(0, 59);
static const uint64_t all_hours = BITS(0, 23);
static const uint64_t all_month_days = BITS(1, 31);
static const uint64_t all_months = BITS(1, 12);
static const uint64_t all_week_days = BITS(0, 6);

static struct cron must_parse(const char *text)
{
	struct cron cron;
	struct err err = { 0 };

	if (cron_parse(text, &cron, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return cron;
}

static void each_field_has_its_values(void **state)
{
	static const struct {
		const char *text;
		struct cron want;
	} cases[] = {
		{ "* * * * *",
		  { all_minutes, all_hours, all_month_days, all_months, all_week_days, true, true, 0, NULL, 0 } },
		{ "? ? ? ? ?",
		  { all_minutes, all_hours, all_month_days, all_months, all_week_days, true, true, 0, NULL, 0 } },
		{ "0 6 1 1 0", { BIT(0), BIT(6), BIT(1), BIT(1), BIT(0), false, false, 0, NULL, 0 } },
		{ "59 23 31 12 6", { BIT(59), BIT(23), BIT(31), BIT(12), BIT(6), false, false, 0, NULL, 0 } },
		{ "0 9 * * MON-fri",
		  { BIT(0), BIT(9), all_month_days, all_months, BITS(1, 5), true, false, 0, NULL, 0 } },
		{ "0 0 1,15 jan,DEC *",
		  { BIT(0), BIT(0), BIT(1) | BIT(15), BIT(1) | BIT(12), all_week_days, false, true, 0, NULL, 0 } },
		{ "0-6/2,45 22/1 */10 * *",
		  { BIT(0) | BIT(2) | BIT(4) | BIT(6) | BIT(45), BIT(22) | BIT(23),
		    BIT(1) | BIT(11) | BIT(21) | BIT(31), all_months, all_week_days, false, true, 0, NULL, 0 } },
		{ "5/20 0 1-1 * *",
		  { BIT(5) | BIT(25) | BIT(45), BIT(0), BIT(1), all_months, all_week_days, false, true, 0, NULL, 0 } },
		{ "5/9223372036854775807 0 */1 * 3,*/2",
		  { BIT(5), BIT(0), all_month_days, all_months, BIT(0) | BIT(2) | BIT(3) | BIT(4) | BIT(6), true, false,
		    0, NULL, 0 } },
		{ "  0\t0 * *   sun ",
		  { BIT(0), BIT(0), all_month_days, all_months, BIT(0), true, false, 0, NULL, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		const struct cron got = must_parse(cases[i].text), *want = &cases[i].want;

		if (got.minutes != want->minutes || got.hours != want->hours || got.month_days != want->month_days ||
		    got.months != want->months || got.week_days != want->week_days)
			fail_msg("%s: other values", cases[i].text);
		assert_int_equal(got.any_month_day, want->any_month_day);
		assert_int_equal(got.any_week_day, want->any_week_day);
		assert_int_equal(got.every_s, 0);
		assert_null(got.zone);
	}
}

static void descriptors_stand_for_fields(void **state)
{
	static const char *const rows[][2] = {
		{ "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" }, { "@monthly", "0 0 1 * *" },
		{ "@weekly", "0 0 * * 0" }, { "@daily", "0 0 * * *" },	  { "@midnight", "0 0 * * *" },
		{ "@hourly", "0 * * * *" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		const struct cron got = must_parse(rows[i][0]), want = must_parse(rows[i][1]);

		assert_memory_equal(&got, &want, sizeof(got));
	}
}

static void intervals_are_whole_seconds(void **state)
{
	static const struct {
		const char *text;
		int64_t want_s;
	} cases[] = {
		{ "@every 90s", 90 },	{ "@every 1h30m", 5400 }, { "@every 1.5h", 5400 }, { "@every +5m", 300 },
		{ "@every 1500ms", 1 }, { "@every 1ns", 1 },	  { "@every 0.5s", 1 },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		const struct cron got = must_parse(cases[i].text);

		assert_int_equal(got.every_s, cases[i].want_s);
		assert_int_equal(got.minutes, 0);
	}
}

static void a_zone_is_kept(void **state)
{
	static const struct {
		const char *text;
		const char *want; /* NULL: none */
	} cases[] = {
		{ "CRON_TZ=Asia/Tokyo 0 6 * * *", "Asia/Tokyo" },
		{ "TZ=UTC  @hourly", "UTC" },
		{ "TZ=Etc/GMT+3 @every 1m", "Etc/GMT+3" },
		{ "TZ= @daily", "" },
		{ "@daily", NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		const struct cron got = must_parse(cases[i].text);

		assert_int_equal(got.zone != NULL, cases[i].want != NULL);
		if (!cases[i].want)
			continue;
		assert_int_equal(got.zone_len, strlen(cases[i].want));
		assert_memory_equal(got.zone, cases[i].want, got.zone_len);
	}
}

/* The words of each refusal are those of tests/unit/admission, by way of validation. */
static void a_refusal_leaves_the_result_alone(void **state)
{
	static const char *const rows[] = {
		"",
		" ",
		"* * * *",
		"0 0 0 * * *",
		"60 * * * *",
		"* * 0 * *",
		"* * * 13 *",
		"5-1 * * * *",
		"*/0 * * * *",
		"* * * * 7",
		"1-2-3 * * * *",
		"* * * * mon-",
		"@reboot",
		"@every 0s",
		"@every -5m",
		"@every",
		"TZ=UTC",
		"TZ=../etc @daily",
		"TZ=/etc @daily",
		", * * * *",
		"99999999999999999999 * * * *",
		"+1 * * * *",
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct cron cron = { .every_s = 7 };
		struct err err = { 0 };

		if (cron_parse(rows[i], &cron, &err) != -(int)ERR_INVALID)
			fail_msg("\"%s\" is taken", rows[i]);
		assert_int_equal(err.code, ERR_INVALID);
		assert_true(*err.msg != '\0');
		assert_int_equal(cron.every_s, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_field_has_its_values),	     cmocka_unit_test(descriptors_stand_for_fields),
		cmocka_unit_test(intervals_are_whole_seconds),	     cmocka_unit_test(a_zone_is_kept),
		cmocka_unit_test(a_refusal_leaves_the_result_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
