/*
 * List + watch: what the stream brings, and what follows when it fails or falls silent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "watch_rows.h"

/* ---- events of the stream ---- */

static void test_bookmarks(void **state)
{
	(void)state;
	/* T25: bookmarks move the version and nothing else; an older one does not move it back. */
	RUN(OPENED, DATA(1, BOOKMARK("11"), ""), DATA(1, BOOKMARK("100") BOOKMARK("99") BOOKMARK("20"), ""),
	    ENDED(5, ERR_NONE, 0, OPEN("100")));
	/* None at all: the version is that of the last event. */
	RUN(OPENED, DATA(1, EVENT("ADDED", OBJ("b", "11")), "UPSERT b@11"), ENDED(400000, ERR_NONE, 0, OPEN("11")));
	RUN(OPENED, ENDED(400000, ERR_NONE, 0, OPEN("10")), ENDED(400000, ERR_NONE, 0, OPEN("10")));
	/* A bookmark without a version could be skipped only by not knowing where we are. */
	RUN(OPENED, DATA(1, EVENT("BOOKMARK", "{}"), "CANCEL; WARN; WAIT 0"), TIMER(WHEN_DUE, RELIST));
}

/* T22: a repeated event does not undo a later one. The store drops what is the same version. */
static void test_repeated_events(void **state)
{
	(void)state;
	RUN(OPENED,
	    DATA(1, EVENT("MODIFIED", OBJ("a", "11")) EVENT("MODIFIED", OBJ("a", "11")), "UPSERT a@11; UPSERT a@11"),
	    DATA(1, EVENT("DELETED", OBJ("a", "12")) EVENT("ADDED", OBJ("a", "13")), "DELETE a@12; UPSERT a@13"),
	    DATA(1, EVENT("DELETED", OBJ("a", "12")) EVENT("MODIFIED", OBJ("a", "11")), ""),
	    DATA(1, EVENT("MODIFIED", OBJ("a", "9")), ""), ENDED(2000, ERR_NONE, 0, OPEN("13")));
}

static void test_malformed_versions_are_followed(void **state)
{
	(void)state;
	RUN(OPENED,
	    DATA(1, EVENT("MODIFIED", OBJ("a", "x7")) EVENT("MODIFIED", OBJ("a", "x6")), "UPSERT a@x7; UPSERT a@x6"),
	    DATA(1, EVENT("MODIFIED", OBJ("a", "x&y")), "UPSERT a@x&y"), ENDED(2000, ERR_NONE, 0, OPEN("x%26y")));
}

static void test_undecodable_events(void **state)
{
	static const struct {
		const char *data;
		const char *warning;
	} rows[] = {
		{ "{\"type\":\"CREATED\",\"object\":" OBJ("a", "1") "}", "watch: unknown event type \"CREATED\"" },
		{ "{\"object\":" OBJ("a", "1") "}", "watch: unknown event type \"\"" },
		{ "{}", "watch: unknown event type \"\"" },
		{ EVENT("ADDED", "{}"), "watch: object without metadata.name" },
		{ EVENT("DELETED", "null"), "watch: object without metadata.name" },
		{ "{\"type\":\"ADDED\"}", "watch: object without metadata.name" },
		{ EVENT("MODIFIED", "{\"metadata\":{\"name\":\"b\"}}"),
		  "watch: object b without metadata.resourceVersion" },
		{ "<html>", "watch: expected an object, found byte 0x3c" },
		{ "{\"type\":ADDED}", "watch: " },
		{ STATUS("\"message\":\"boom\""), "watch: ERROR event: boom" },
		{ "{\"type\":\"ERROR\"}", "watch: ERROR event: no message" },
		{ STATUS("\"code\":500,\"reason\":\"InternalError\",\"message\":\"boom\""),
		  "watch: ERROR event: 500 InternalError: boom" },
		{ STATUS("\"code\":504,\"reason\":\"Timeout\",\"message\":\"Too large resource version\""),
		  "watch: ERROR event: 504 Timeout: Too large" },
		{ STATUS("\"code\":-1e300"), "watch: ERROR event: no message" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		const struct row steps[] = {
			OPENED,
			DATA(1, EVENT("ADDED", OBJ("b", "11")), "UPSERT b@11"),
			DATA(1, rows[i].data, "CANCEL; WARN; WAIT 0"),
			DATA(1, EVENT("ADDED", OBJ("c", "12")), ""),
			ENDED(1, ERR_NONE, 0, ""),
			TIMER(1, "WAIT 0"),
			TIMER(WHEN_DUE, RELIST),
			PAGE(LIST("20", OBJ("a", "5")), "UPSERT a@5; END; " OPEN("20")),
		};
		struct fixture f;

		begin(&f);
		run(&f, steps, array_len(steps) - 3);
		assert_true(text_starts(buf_str(&f.warnings), rows[i].warning));
		run(&f, steps + array_len(steps) - 2, 2);
		finish(&f);
	}
}

/* What stood before the bad event in the same chunk counts, what comes after it does not. */
static void test_bad_event_between_good(void **state)
{
	(void)state;
	RUN(OPENED, DATA(1, EVENT("ADDED", OBJ("b", "11")) EVENT("WHAT", "{}") EVENT("ADDED", OBJ("c", "12")),
			 "UPSERT b@11; CANCEL; WARN; WAIT 0"));
}

static void test_event_over_the_limit(void **state)
{
	size_t size = 17 * 1024 * 1024;
	auto_free char *data = xmalloc(size + 1);

	(void)state;
	memset(data, 'x', size);
	memcpy(data, "{\"type\":\"", 9);
	data[size] = '\0';
	RUN(OPENED, DATA(1, data, "CANCEL; WARN; WAIT 0"), TIMER(WHEN_DUE, RELIST));
}

/* ---- 410 ---- */

/* T20: as HTTP status, as ERROR event, by code or by reason alone. */
static void test_gone(void **state)
{
	static const char *const events[] = {
		STATUS("\"code\":410,\"reason\":\"Expired\",\"message\":\"too old resource version: 10 (99)\""),
		STATUS("\"code\":410"),
		STATUS("\"reason\":\"Expired\""),
		STATUS("\"reason\":\"Gone\",\"metadata\":{\"continue\":\"token\"}"),
	};

	(void)state;
	RUN(OPENED, ENDED(1, ERR_GONE, 0, RELIST), PAGE(LIST("99", OBJ("a", "5")), "UPSERT a@5; END; " OPEN("99")));
	for (size_t i = 0; i < array_len(events); i++)
		RUN(OPENED, DATA(1, events[i], "CANCEL; " RELIST),
		    PAGE(LIST("99", OBJ("a", "5")), "UPSERT a@5; END; " OPEN("99")));
}

static void test_gone_in_a_row(void **state)
{
	(void)state;
	RUN(OPENED, ENDED(1, ERR_GONE, 0, RELIST), PAGE(LIST("20", ""), "END; " OPEN("20")),
	    DATA(1, STATUS("\"code\":410"), "CANCEL; WARN; WAIT 0"), TIMER(WHEN_DUE, RELIST),
	    PAGE(LIST("30", ""), "END; " OPEN("30")), ENDED(1, ERR_GONE, 0, "WARN; WAIT 1"), TIMER(WHEN_DUE, RELIST),
	    PAGE(LIST("40", ""), "END; " OPEN("40")),
	    /* Later it is the first one again. */
	    ENDED(60000, ERR_GONE, 0, RELIST));
}

/* ---- failures and back-off ---- */

static void test_reopened_at_same_version(void **state)
{
	static const enum err_code codes[] = { ERR_BUSY, ERR_IO, ERR_TIMEOUT };

	(void)state;
	for (size_t i = 0; i < array_len(codes); i++)
		RUN(OPENED, DATA(1, BOOKMARK("15"), ""), ENDED(1, codes[i], 0, "WARN; WAIT 0"),
		    TIMER(WHEN_DUE, OPEN("15")));
	RUN(OPENED, DATA(1, STATUS("\"code\":429,\"reason\":\"TooManyRequests\""), "CANCEL; WARN; WAIT 0"),
	    TIMER(WHEN_DUE, OPEN("10")));
}

static void test_listed_again(void **state)
{
	static const enum err_code codes[] = { ERR_DENIED,   ERR_UNAUTHORIZED, ERR_NOT_FOUND, ERR_INVALID,
					       ERR_INTERNAL, ERR_CONFLICT,     ERR_TOO_LARGE, ERR_CANCELED };

	(void)state;
	for (size_t i = 0; i < array_len(codes); i++)
		RUN(OPENED, ENDED(1, codes[i], 0, "WARN; WAIT 0"), TIMER(WHEN_DUE, RELIST));
}

static void test_ladder(void **state)
{
	(void)state;
	RUN(START(RELIST), PAGE_FAILED(ERR_IO, 0, "WARN; WAIT 0"), TIMER(WHEN_DUE, RELIST),
	    PAGE_FAILED(ERR_IO, 0, "WARN; WAIT 1"), TIMER(WHEN_DUE, RELIST), PAGE_FAILED(ERR_IO, 0, "WARN; WAIT 2"),
	    TIMER(WHEN_DUE, RELIST), PAGE_FAILED(ERR_IO, 0, "WARN; WAIT 3"), TIMER(WHEN_DUE, RELIST),
	    PAGE_FAILED(ERR_IO, 0, "WARN; WAIT 4"), TIMER(WHEN_DUE, RELIST), PAGE(LIST("10", ""), "END; " OPEN("10")),
	    /* The list worked, but only for a moment. */
	    ENDED(1, ERR_INTERNAL, 0, "WARN; WAIT 5"), TIMER(WHEN_DUE, RELIST),
	    PAGE(LIST("20", ""), "END; " OPEN("20")),
	    /* A stream that lasted begins anew: a proxy that cuts it every 50 s costs a second, not half a minute. */
	    ENDED(50000, ERR_IO, 0, "WARN; WAIT 0"), TIMER(WHEN_DUE, OPEN("20")),
	    ENDED(50000, ERR_IO, 0, "WARN; WAIT 0"), TIMER(WHEN_DUE, OPEN("20")));
}

static void test_wait_has_a_cap(void **state)
{
	const struct row start = START(RELIST), failed = PAGE_FAILED(ERR_IO, 0, NULL), timer = TIMER(WHEN_DUE, NULL);
	int64_t least = INT64_MAX, most = 0;
	struct fixture f;
	auto_buf out;

	(void)state;
	begin(&f);
	buf_init(&out, 64 * 1024);
	run_row(&f, &start, &out);
	for (int i = 0; i < 200; i++) {
		run_row(&f, &failed, &out);
		run_row(&f, &timer, &out);
		buf_clear(&out);
		if (i < 10)
			continue;
		least = f.timer_ms < least ? f.timer_ms : least;
		most = f.timer_ms > most ? f.timer_ms : most;
	}
	assert_in_range(least, 15000, 18000);
	assert_in_range(most, 27000, 30000);
	finish(&f);
}

/* T28: the server's wish is the minimum, ours counts if it is longer. */
static void test_retry_after(void **state)
{
	(void)state;
	RUN(START(RELIST), PAGE_FAILED(ERR_BUSY, 40000, "WARN; WAIT 40000ms"), TIMER(39999, "WAIT 1ms"),
	    TIMER(1, RELIST), PAGE_FAILED(ERR_BUSY, 100, "WARN; WAIT 1"));
	RUN(OPENED, ENDED(1, ERR_BUSY, 60000, "WARN; WAIT 60000ms"), TIMER(WHEN_DUE, OPEN("10")));
	RUN(OPENED,
	    DATA(1, STATUS("\"code\":429,\"details\":{\"retryAfterSeconds\":40}"), "CANCEL; WARN; WAIT 40000ms"),
	    TIMER(WHEN_DUE, OPEN("10")), ENDED(1, ERR_IO, 0, "WARN; WAIT 1"));
}

/* T24: a stream that ends at once without a word is a failure, or the loop would be hot. */
static void test_short_streams(void **state)
{
	(void)state;
	RUN(OPENED, ENDED(0, ERR_NONE, 0, "WARN; WAIT 0"), TIMER(WHEN_DUE, OPEN("10")),
	    ENDED(999, ERR_NONE, 0, "WARN; WAIT 1"), TIMER(WHEN_DUE, OPEN("10")),
	    ENDED(999, ERR_NONE, 0, "WARN; WAIT 2"), TIMER(WHEN_DUE, OPEN("10")), ENDED(1000, ERR_NONE, 0, OPEN("10")),
	    DATA(1, BOOKMARK("11"), ""), ENDED(1, ERR_NONE, 0, OPEN("11")),
	    /* Half an event is no event. */
	    DATA(1, "{\"type\":", ""), ENDED(1, ERR_NONE, 0, "WARN; WAIT 3"));
}

static void test_error_object_that_says_nothing(void **state)
{
	const struct row rows[] = { OPENED };
	struct err err = { .code = ERR_NONE };
	struct watch_event ev = { .type = WATCH_EV_ENDED, .err = &err };
	struct fixture f;
	auto_buf out;

	(void)state;
	begin(&f);
	buf_init(&out, 1024);
	run(&f, rows, array_len(rows));
	ev.now_ms = f.now_ms + 5000;
	step(&f, &ev, &out);
	assert_string_equal(buf_str(&out), OPEN("10"));
	finish(&f);
}

static void test_warning_says_why_and_how_long(void **state)
{
	const struct row rows[] = { OPENED, ENDED(1, ERR_BUSY, 60000, "WARN; WAIT 60000ms"),
				    TIMER(WHEN_DUE, OPEN("10")), ENDED(1, ERR_DENIED, 60000, "WARN; WAIT 60000ms") };
	struct fixture f;

	(void)state;
	begin(&f);
	run(&f, rows, array_len(rows));
	assert_string_equal(buf_str(&f.warnings),
			    "the reason; reopening in 60000 ms\nthe reason; listing again in 60000 ms\n");
	finish(&f);
}

/* ---- time ---- */

/* T23: no byte for 150 s. The timer is not re-armed by data; when it fires, it waits for the rest. */
static void test_silence(void **state)
{
	(void)state;
	RUN(OPENED, TIMER(WHEN_DUE, "CANCEL; " OPEN("10")), TIMER(WHEN_DUE, "CANCEL; " OPEN("10")));
	RUN(OPENED, DATA(100000, BOOKMARK("11"), ""), TIMER(50000, "TIMER 100000"),
	    TIMER(WHEN_DUE, "CANCEL; " OPEN("11")));
	/* Any byte is a sign of life. */
	RUN(OPENED, DATA(20000, "\n", ""), TIMER(130000, "TIMER 20000"), DATA(19999, "{", ""), TIMER(1, "TIMER 149999"),
	    TIMER(WHEN_DUE, "CANCEL; " OPEN("10")));
}

/* The half event of a cancelled stream does not spoil the next one. */
static void test_half_event_is_forgotten(void **state)
{
	(void)state;
	RUN(OPENED, DATA(0, "{\"type\":\"ADD", ""), TIMER(WHEN_DUE, "CANCEL; " OPEN("10")),
	    DATA(1, EVENT("ADDED", OBJ("b", "11")), "UPSERT b@11"));
	RUN(OPENED, DATA(0, "{\"type\":\"ADD", ""), ENDED(2000, ERR_NONE, 0, OPEN("10")),
	    DATA(1, EVENT("ADDED", OBJ("b", "11")), "UPSERT b@11"));
}

/* A server that never ends the stream though it was asked to: given up 30 s later, bytes or not. */
static void test_open_for_too_long(void **state)
{
	const struct row rows[] = { OPENED };
	const struct row timer = TIMER(WHEN_DUE, NULL), data = DATA(1000, BOOKMARK("11"), "");
	struct fixture f;
	int64_t opened_ms;

	(void)state;
	begin(&f);
	run(&f, rows, array_len(rows));
	opened_ms = f.now_ms;
	for (int i = 0; i < 20; i++) {
		auto_buf out;

		buf_init(&out, 1024);
		run(&f, &data, 1);
		f.timer_ms -= 1000;
		run_row(&f, &timer, &out);
		if (text_starts(buf_str(&out), "CANCEL")) {
			assert_string_equal(buf_str(&out), "CANCEL; " OPEN("11"));
			assert_in_range(f.now_ms - opened_ms, 330000, 629000);
			finish(&f);
			return;
		}
	}
	fail();
}

static void test_what_does_not_fit_the_state(void **state)
{
	(void)state;
	RUN(TIMER(1, ""), DATA(1, "x", ""), ENDED(1, ERR_IO, 0, ""), PAGE(LIST("1", ""), ""),
	    PAGE_FAILED(ERR_IO, 0, ""), START(RELIST), TIMER(1, ""), DATA(1, "x", ""), ENDED(1, ERR_IO, 0, ""),
	    PAGE(LIST("1", ""), "END; " OPEN("1")), PAGE(LIST("2", OBJ("a", "1")), ""), PAGE_FAILED(ERR_IO, 0, ""),
	    ENDED(1, ERR_IO, 0, "WARN; WAIT 0"), PAGE(LIST("2", OBJ("a", "1")), ""), PAGE_FAILED(ERR_IO, 0, ""),
	    DATA(1, "x", ""), ENDED(1, ERR_IO, 0, ""));
}

static void test_state_and_version(void **state)
{
	static const struct {
		struct row row;
		enum watch_state state;
		const char *version;
	} rows[] = {
		{ START(RELIST), WATCH_LISTING, "" },
		{ PAGE(MORE("10", "t", ""), "LIST limit=100&continue=t"), WATCH_LISTING, "" },
		{ PAGE(LIST("10", ""), "END; " OPEN("10")), WATCH_STREAMING, "10" },
		{ DATA(1, BOOKMARK("12"), ""), WATCH_STREAMING, "12" },
		{ ENDED(1, ERR_IO, 0, "WARN; WAIT 0"), WATCH_BACKOFF, "12" },
		{ TIMER(WHEN_DUE, OPEN("12")), WATCH_STREAMING, "12" },
		{ ENDED(1, ERR_GONE, 0, RELIST), WATCH_LISTING, "12" },
		{ PAGE(LIST("11", ""), "END; " OPEN("11")), WATCH_STREAMING, "11" },
	};
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(watch_state(f.w), WATCH_EMPTY);
	assert_string_equal(watch_version(f.w), "");
	for (size_t i = 0; i < array_len(rows); i++) {
		run(&f, &rows[i].row, 1);
		assert_int_equal(watch_state(f.w), rows[i].state);
		assert_string_equal(watch_version(f.w), rows[i].version);
	}
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bookmarks),
		cmocka_unit_test(test_repeated_events),
		cmocka_unit_test(test_malformed_versions_are_followed),
		cmocka_unit_test(test_undecodable_events),
		cmocka_unit_test(test_bad_event_between_good),
		cmocka_unit_test(test_event_over_the_limit),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_gone_in_a_row),
		cmocka_unit_test(test_reopened_at_same_version),
		cmocka_unit_test(test_listed_again),
		cmocka_unit_test(test_ladder),
		cmocka_unit_test(test_wait_has_a_cap),
		cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_short_streams),
		cmocka_unit_test(test_error_object_that_says_nothing),
		cmocka_unit_test(test_warning_says_why_and_how_long),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_half_event_is_forgotten),
		cmocka_unit_test(test_open_for_too_long),
		cmocka_unit_test(test_what_does_not_fit_the_state),
		cmocka_unit_test(test_state_and_version),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
