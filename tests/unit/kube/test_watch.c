/*
 * List + watch: tables of what happens and which commands must follow.
 *
 * Commands are compared as text: "BEGIN; LIST limit=100; UPSERT a@5; END; OPEN 10; TIMER 150000". The wait of a
 * back-off is random, so it is printed as WAIT and the step of the ladder that it lies on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "kube/watch.h"

enum { WHEN_DUE = -1 }; /* time passes until the timer that was armed last */

struct row {
	enum watch_event_type type;
	int64_t after_ms; /* since the row before */
	const char *text; /* PAGE, DATA */
	enum err_code code;
	int64_t retry_after_ms;
	const char *want;
};

#define START(want)                                                                                                    \
	{                                                                                                              \
		WATCH_EV_START, 0, NULL, ERR_NONE, 0, want                                                             \
	}
#define PAGE(text, want)                                                                                               \
	{                                                                                                              \
		WATCH_EV_PAGE, 10, text, ERR_NONE, 0, want                                                             \
	}
#define PAGE_FAILED(code, retry_ms, want)                                                                              \
	{                                                                                                              \
		WATCH_EV_PAGE_FAILED, 10, NULL, code, retry_ms, want                                                   \
	}
#define DATA(after_ms, text, want)                                                                                     \
	{                                                                                                              \
		WATCH_EV_DATA, after_ms, text, ERR_NONE, 0, want                                                       \
	}
#define ENDED(after_ms, code, retry, want)                                                                             \
	{                                                                                                              \
		WATCH_EV_ENDED, after_ms, NULL, code, retry, want                                                      \
	}
#define TIMER(after_ms, want)                                                                                          \
	{                                                                                                              \
		WATCH_EV_TIMER, after_ms, NULL, ERR_NONE, 0, want                                                      \
	}

#define OBJ(name, version)   "{\"metadata\":{\"name\":\"" name "\",\"uid\":\"u\",\"resourceVersion\":\"" version "\"}}"
#define EVENT(type, object)  "{\"type\":\"" type "\",\"object\":" object "}\n"
#define BOOKMARK(version)    EVENT("BOOKMARK", "{\"kind\":\"Pod\",\"metadata\":{\"resourceVersion\":\"" version "\"}}")
#define STATUS(fields)	     EVENT("ERROR", "{\"kind\":\"Status\"," fields "}")
#define LIST(version, items) "{\"metadata\":{\"resourceVersion\":\"" version "\"},\"items\":[" items "]}"
#define MORE(version, token, items)                                                                                    \
	"{\"metadata\":{\"resourceVersion\":\"" version "\",\"continue\":\"" token "\"},\"items\":[" items "]}"

#define RELIST	      "BEGIN; LIST limit=100"
#define OPEN(version) "OPEN " version "; TIMER 150000"
/* The beginning of most tables: one object, version 10, the stream is open. */
#define OPENED START(RELIST), PAGE(LIST("10", OBJ("a", "5")), "UPSERT a@5; END; " OPEN("10"))

struct fixture {
	struct rng rng;
	struct watch *w;
	int64_t now_ms;
	int64_t timer_ms; /* the delay armed last */
	struct buf warnings;
};

static void begin(struct fixture *f)
{
	*f = (struct fixture){ .rng = { 1 }, .now_ms = 1000000 };
	f->w = watch_new(&f->rng);
	buf_init(&f->warnings, 64 * 1024);
}

static void finish(struct fixture *f)
{
	watch_free(f->w);
	buf_done(&f->warnings);
}

/* The smallest step of 0.8 s, 1.6 s, ... 30 s with full jitter that ms lies on; -1 if on none. */
static int ladder_step(int64_t ms)
{
	for (int step = 0; step < 6; step++) {
		int64_t top = step == 5 ? 25600 : 800 << step;

		if (ms >= top / 2 && ms <= top)
			return step;
	}
	return ms > 15000 && ms <= 30000 ? 6 : -1;
}

static void print_open(const char *query, struct buf *out)
{
	static const char head[] = "watch=true&allowWatchBookmarks=true&timeoutSeconds=";
	static const char tail[] = "&resourceVersion=";
	int64_t timeout_s = 0;
	auto_free char *number = NULL;

	assert_true(text_starts(query, head));
	query += strlen(head);
	number = xstrndup(query, strcspn(query, "&"));
	assert_true(text_i64(number, &timeout_s));
	assert_in_range(timeout_s, 300, 599);
	query += strlen(number);
	assert_true(text_starts(query, tail));
	buf_printf(out, "OPEN %s", query + strlen(tail));
}

static void print_timer(struct fixture *f, int64_t ms, struct buf *out)
{
	f->timer_ms = ms;
	if (watch_state(f->w) != WATCH_BACKOFF)
		buf_printf(out, "TIMER %lld", (long long)ms);
	else if (ladder_step(ms) >= 0)
		buf_printf(out, "WAIT %d", ladder_step(ms));
	else
		buf_printf(out, "WAIT %lldms", (long long)ms);
}

static void print_object(const char *verb, const struct json *object, struct buf *out)
{
	buf_printf(out, "%s %s@%s", verb, json_str(object, "metadata.name", "?"),
		   json_str(object, "metadata.resourceVersion", "?"));
}

static void print_cmd(struct fixture *f, const struct watch_cmd *cmd, struct buf *out)
{
	switch (cmd->type) {
	case WATCH_CMD_LIST:
		buf_printf(out, "LIST %s", cmd->text);
		return;
	case WATCH_CMD_OPEN:
		print_open(cmd->text, out);
		return;
	case WATCH_CMD_CANCEL:
		buf_puts(out, "CANCEL");
		return;
	case WATCH_CMD_TIMER:
		print_timer(f, cmd->ms, out);
		return;
	case WATCH_CMD_BEGIN:
		buf_puts(out, "BEGIN");
		return;
	case WATCH_CMD_UPSERT:
		print_object("UPSERT", cmd->object, out);
		return;
	case WATCH_CMD_DELETE:
		print_object("DELETE", cmd->object, out);
		return;
	case WATCH_CMD_END:
		buf_puts(out, "END");
		return;
	case WATCH_CMD_WARN:
		buf_puts(out, "WARN");
		buf_printf(&f->warnings, "%s\n", cmd->text);
		return;
	}
	fail();
}

static void step(struct fixture *f, const struct watch_event *ev, struct buf *out)
{
	struct watch_cmds cmds = { 0 };

	watch_step(f->w, ev, &cmds);
	for (size_t i = 0; i < cmds.len; i++) {
		if (out->len)
			buf_puts(out, "; ");
		print_cmd(f, &cmds.items[i], out);
	}
	watch_cmds_done(&cmds);
}

static void run_row(struct fixture *f, const struct row *row, struct buf *out)
{
	struct err err = { .code = row->code, .retry_after_ms = row->retry_after_ms, .msg = "the reason" };
	struct watch_event ev = { .type = row->type };

	f->now_ms += row->after_ms == WHEN_DUE ? f->timer_ms : row->after_ms;
	ev.now_ms = f->now_ms;
	if (row->type == WATCH_EV_PAGE)
		ev.list = json_parse(row->text, strlen(row->text), &err);
	if (row->type == WATCH_EV_DATA) {
		ev.data = row->text;
		ev.len = strlen(row->text);
	}
	if (row->code != ERR_NONE)
		ev.err = &err;
	step(f, &ev, out);
}

static void run(struct fixture *f, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		auto_buf got;

		buf_init(&got, 64 * 1024);
		run_row(f, &rows[i], &got);
		if (!text_eq(buf_str(&got), rows[i].want))
			print_error("row %zu\n", i);
		assert_string_equal(buf_str(&got), rows[i].want);
	}
}

static void run_table(const struct row *rows, size_t count)
{
	struct fixture f;

	begin(&f);
	run(&f, rows, count);
	finish(&f);
}

#define RUN(...)                                                                                                       \
	do {                                                                                                           \
		const struct row rows_[] = { __VA_ARGS__ };                                                            \
		run_table(rows_, array_len(rows_));                                                                    \
	} while (0)

/* ---- list ---- */

static void test_list_then_watch(void **state)
{
	(void)state;
	RUN(OPENED, DATA(5, EVENT("ADDED", OBJ("b", "11")), "UPSERT b@11"),
	    DATA(5, EVENT("MODIFIED", OBJ("b", "12")) EVENT("DELETED", OBJ("a", "13")), "UPSERT b@12; DELETE a@13"),
	    ENDED(300000, ERR_NONE, 0, OPEN("13")));
}

static void test_empty_lists(void **state)
{
	(void)state;
	RUN(START(RELIST), PAGE(LIST("10", ""), "END; " OPEN("10")));
	RUN(START(RELIST), PAGE("{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":null}", "END; " OPEN("7")));
	RUN(START(RELIST), PAGE("{\"metadata\":{\"resourceVersion\":\"7\"}}", "END; " OPEN("7")));
}

/* The token is opaque and encoded; the version is that of the first page (a later one could hide changes). */
static void test_pages(void **state)
{
	(void)state;
	RUN(START(RELIST), PAGE(MORE("10", "x+/=", OBJ("a", "1")), "UPSERT a@1; LIST limit=100&continue=x%2B%2F%3D"),
	    PAGE(MORE("10", "y", OBJ("b", "2") "," OBJ("c", "3")), "UPSERT b@2; UPSERT c@3; LIST limit=100&continue=y"),
	    PAGE(LIST("12", OBJ("d", "4")), "UPSERT d@4; END; " OPEN("10")));
}

/* Items of a list have neither apiVersion nor kind and reach the store as they are. */
static void test_items_are_moved_whole(void **state)
{
	struct watch_cmds cmds = { 0 };
	struct watch_event ev = { .type = WATCH_EV_START };
	static const char page[] =
	    LIST("10", "{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"5\"},\"x\":{\"unknown\":[1]}}");
	auto_free char *text = NULL;
	auto_json object = NULL;
	struct fixture f;
	struct err err;

	(void)state;
	begin(&f);
	watch_step(f.w, &ev, &cmds);
	watch_cmds_done(&cmds);
	ev = (struct watch_event){ .type = WATCH_EV_PAGE, .list = json_parse(page, strlen(page), &err) };
	watch_step(f.w, &ev, &cmds);
	assert_int_equal(cmds.items[0].type, WATCH_CMD_UPSERT);
	object = take_ptr(cmds.items[0].object);
	watch_cmds_done(&cmds);
	text = json_print(object);
	assert_string_equal(text, "{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"5\"},\"x\":{\"unknown\":[1]}}");
	finish(&f);
}

static void test_list_fails(void **state)
{
	static const enum err_code codes[] = { ERR_IO,	    ERR_TIMEOUT,      ERR_DENIED, ERR_NOT_FOUND,
					       ERR_INVALID, ERR_UNAUTHORIZED, ERR_BUSY,	  ERR_INTERNAL };

	(void)state;
	for (size_t i = 0; i < array_len(codes); i++)
		RUN(START(RELIST), PAGE_FAILED(codes[i], 0, "WARN; WAIT 0"), TIMER(WHEN_DUE, RELIST),
		    PAGE(LIST("10", ""), "END; " OPEN("10")));
}

static void test_list_fails_on_second_page(void **state)
{
	(void)state;
	RUN(START(RELIST), PAGE(MORE("10", "t", OBJ("a", "1")), "UPSERT a@1; LIST limit=100&continue=t"),
	    PAGE_FAILED(ERR_IO, 0, "WARN; WAIT 0"), TIMER(WHEN_DUE, RELIST),
	    PAGE(LIST("12", OBJ("b", "2")), "UPSERT b@2; END; " OPEN("12")));
}

/* T20, T27: the first 410 lists again at once, the second in a row waits. */
static void test_gone_on_second_page(void **state)
{
	(void)state;
	RUN(START(RELIST), PAGE(MORE("10", "t", OBJ("a", "1")), "UPSERT a@1; LIST limit=100&continue=t"),
	    PAGE_FAILED(ERR_GONE, 0, RELIST), PAGE(MORE("20", "s", ""), "LIST limit=100&continue=s"),
	    PAGE_FAILED(ERR_GONE, 0, "WARN; WAIT 0"), TIMER(WHEN_DUE, RELIST), PAGE_FAILED(ERR_GONE, 0, "WARN; WAIT 1"),
	    TIMER(WHEN_DUE, RELIST), PAGE(LIST("30", ""), "END; " OPEN("30")));
}

static void test_undecodable_pages(void **state)
{
	static const struct {
		const char *page;
		const char *warning;
	} rows[] = {
		{ "{}", "list: metadata.resourceVersion: missing" },
		{ "[]", "list: metadata.resourceVersion: missing" },
		{ "null", "list: metadata.resourceVersion: missing" },
		{ "{\"metadata\":{\"resourceVersion\":\"\"},\"items\":[]}", "list: metadata.resourceVersion: missing" },
		{ "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":{\"a\":1}}", "list: items: expected an array" },
		{ "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[null]}", "list: object without metadata.name" },
		{ LIST("1", "{\"metadata\":{\"name\":\"a\"}}"), "list: object a without metadata.resourceVersion" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		const struct row steps[] = { START(RELIST), PAGE(rows[i].page, "WARN; WAIT 0"),
					     TIMER(WHEN_DUE, RELIST) };
		struct fixture f;

		begin(&f);
		run(&f, steps, array_len(steps));
		assert_true(text_starts(buf_str(&f.warnings), rows[i].warning));
		finish(&f);
	}
}

static void test_page_without_body(void **state)
{
	struct watch_event ev = { .type = WATCH_EV_START };
	struct fixture f;
	auto_buf out;

	(void)state;
	begin(&f);
	buf_init(&out, 1024);
	step(&f, &ev, &out);
	ev.type = WATCH_EV_PAGE;
	step(&f, &ev, &out);
	assert_string_equal(buf_str(&out), RELIST "; WARN; WAIT 0");
	finish(&f);
}

static void test_continue_token_has_a_limit(void **state)
{
	auto_free char *token = xcalloc(10000, 1);
	auto_free char *page = NULL;

	(void)state;
	memset(token, 't', 8193);
	page = xasprintf("{\"metadata\":{\"resourceVersion\":\"1\",\"continue\":\"%s\"},\"items\":[]}", token);
	RUN(START(RELIST), PAGE(page, "WARN; WAIT 0"));
}

/* An item that is bad after good ones: those stand, nothing is removed. */
static void test_bad_item_after_good(void **state)
{
	(void)state;
	RUN(START(RELIST), PAGE(LIST("10", OBJ("a", "1") ",{}," OBJ("b", "2")), "UPSERT a@1; WARN; WAIT 0"),
	    TIMER(WHEN_DUE, RELIST), PAGE(LIST("10", OBJ("a", "1")), "UPSERT a@1; END; " OPEN("10")));
}

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
		cmocka_unit_test(test_list_then_watch),
		cmocka_unit_test(test_empty_lists),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_items_are_moved_whole),
		cmocka_unit_test(test_list_fails),
		cmocka_unit_test(test_list_fails_on_second_page),
		cmocka_unit_test(test_gone_on_second_page),
		cmocka_unit_test(test_undecodable_pages),
		cmocka_unit_test(test_page_without_body),
		cmocka_unit_test(test_continue_token_has_a_limit),
		cmocka_unit_test(test_bad_item_after_good),
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
