/*
 * List + watch: the list, its pages, and what follows when one of them does not come.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "watch_rows.h"

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
	    PAGE_FAILED(ERR_DENIED, 0, "WARN; WAIT 0"), TIMER(WHEN_DUE, RELIST),
	    PAGE(LIST("12", OBJ("b", "2")), "UPSERT b@2; END; " OPEN("12")));
}

/* The pages that came stay, and the page that did not come is asked for with its token. */
static void test_page_is_asked_for_again(void **state)
{
	static const enum err_code codes[] = { ERR_BUSY, ERR_TIMEOUT, ERR_IO, ERR_INTERNAL };

	(void)state;
	for (size_t i = 0; i < array_len(codes); i++)
		RUN(START(RELIST), PAGE(MORE("10", "t+", OBJ("a", "1")), "UPSERT a@1; LIST limit=100&continue=t%2B"),
		    PAGE_FAILED(codes[i], 0, "WARN; WAIT 0"), TIMER(WHEN_DUE, "LIST limit=100&continue=t%2B"),
		    PAGE_FAILED(codes[i], 40000, "WARN; WAIT 40000ms"), TIMER(WHEN_DUE, "LIST limit=100&continue=t%2B"),
		    PAGE(MORE("10", "u", OBJ("b", "2")), "UPSERT b@2; LIST limit=100&continue=u"),
		    PAGE_FAILED(codes[i], 0, "WARN; WAIT 2"), TIMER(WHEN_DUE, "LIST limit=100&continue=u"),
		    /* The version is still that of the first page. */
		    PAGE(LIST("12", OBJ("c", "3")), "UPSERT c@3; END; " OPEN("10")),
		    /* The token of that list is forgotten. */
		    ENDED(1, ERR_GONE, 0, RELIST), PAGE_FAILED(ERR_IO, 0, "WARN; WAIT 3"), TIMER(WHEN_DUE, RELIST));
}

/* The token has expired while it was waited for. */
static void test_page_is_gone_meanwhile(void **state)
{
	(void)state;
	RUN(START(RELIST), PAGE(MORE("10", "t", OBJ("a", "1")), "UPSERT a@1; LIST limit=100&continue=t"),
	    PAGE_FAILED(ERR_BUSY, 0, "WARN; WAIT 0"), TIMER(WHEN_DUE, "LIST limit=100&continue=t"),
	    PAGE_FAILED(ERR_GONE, 0, RELIST), PAGE(LIST("20", ""), "END; " OPEN("20")));
}

#define SLOW_PAGE(text, want)                                                                                          \
	{                                                                                                              \
		WATCH_EV_PAGE, 40000, text, ERR_NONE, 0, want                                                          \
	}

/* A list of 40 s whose version is gone when the watch begins: each time it is waited for longer. */
static void test_slow_lists_do_not_end_the_trouble(void **state)
{
	const struct row rows[] = {
		OPENED,
		ENDED(1, ERR_GONE, 0, RELIST),
		SLOW_PAGE(LIST("20", ""), "END; " OPEN("20")),
		ENDED(1, ERR_GONE, 0, "WARN; WAIT 0"),
		TIMER(WHEN_DUE, RELIST),
		SLOW_PAGE(LIST("30", ""), "END; " OPEN("30")),
		DATA(1, STATUS("\"code\":410"), "CANCEL; WARN; WAIT 1"),
		TIMER(WHEN_DUE, RELIST),
		SLOW_PAGE(MORE("40", "t", ""), "LIST limit=100&continue=t"),
		PAGE_FAILED(ERR_BUSY, 0, "WARN; WAIT 2"),
		TIMER(WHEN_DUE, "LIST limit=100&continue=t"),
		SLOW_PAGE(LIST("40", ""), "END; " OPEN("40")),
		ENDED(29999, ERR_GONE, 0, "WARN; WAIT 3"),
		TIMER(WHEN_DUE, RELIST),
		SLOW_PAGE(LIST("50", ""), "END; " OPEN("50")),
		/* A stream that lasted ends it, also if it ended well. */
		ENDED(30000, ERR_NONE, 0, OPEN("50")),
		ENDED(1, ERR_GONE, 0, RELIST),
		PAGE_FAILED(ERR_IO, 0, "WARN; WAIT 0"),
	};
	struct fixture f;

	(void)state;
	begin(&f);
	run(&f, rows, array_len(rows));
	assert_true(text_starts(buf_str(&f.warnings), "the reason; listing again in "));
	finish(&f);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_then_watch),
		cmocka_unit_test(test_empty_lists),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_items_are_moved_whole),
		cmocka_unit_test(test_list_fails),
		cmocka_unit_test(test_list_fails_on_second_page),
		cmocka_unit_test(test_page_is_asked_for_again),
		cmocka_unit_test(test_page_is_gone_meanwhile),
		cmocka_unit_test(test_slow_lists_do_not_end_the_trouble),
		cmocka_unit_test(test_gone_on_second_page),
		cmocka_unit_test(test_undecodable_pages),
		cmocka_unit_test(test_page_without_body),
		cmocka_unit_test(test_continue_token_has_a_limit),
		cmocka_unit_test(test_bad_item_after_good),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
