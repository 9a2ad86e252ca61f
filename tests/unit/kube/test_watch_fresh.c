/*
 * List + watch: the store becomes as fresh as the moment at which that was asked for, however late the watch is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "watch_rows.h"

#define PROBE	       "LIST limit=100"
#define SHORT(version) "SHORT OPEN " version "; TIMER 6000"
/* More than a page, so the watch has to show where it is: version 50 is wanted, 10 was reached. */
#define WANTED OPENED, FRESHEN(PROBE), PAGE(MORE("50", "t", OBJ("a", "5")), "CANCEL; " SHORT("10"))

static void the_watch_has_got_there(void **state)
{
	(void)state;
	RUN(OPENED, FRESHEN(PROBE), PAGE(LIST("10", OBJ("a", "5")), "FRESH"));
	RUN(OPENED, DATA(1, BOOKMARK("60"), ""), FRESHEN(PROBE), PAGE(MORE("50", "t", OBJ("a", "5")), "FRESH"));
	/* It gets there while the question is under way. */
	RUN(OPENED, FRESHEN(PROBE), DATA(1, EVENT("MODIFIED", OBJ("a", "70")), "UPSERT a@70"),
	    PAGE(LIST("50", OBJ("a", "5")), "FRESH"));
}

/* The stream stays open, and what it repeats is ignored. */
static void a_page_with_all_objects_becomes_the_store(void **state)
{
	(void)state;
	RUN(OPENED, FRESHEN(PROBE),
	    PAGE(LIST("50", OBJ("a", "45") "," OBJ("b", "20")), "BEGIN; UPSERT a@45; UPSERT b@20; END; FRESH"),
	    DATA(1, EVENT("ADDED", OBJ("c", "30")) EVENT("DELETED", OBJ("c", "40")), ""),
	    DATA(1, EVENT("MODIFIED", OBJ("a", "51")), "UPSERT a@51"), ENDED(60000, ERR_NONE, 0, OPEN("51")));
}

static void a_bookmark_before_the_end_shows_it(void **state)
{
	(void)state;
	RUN(WANTED, DATA(1, EVENT("MODIFIED", OBJ("a", "20")), "UPSERT a@20"), DATA(1000, BOOKMARK("49"), ""),
	    DATA(1, BOOKMARK("50"), "FRESH"), ENDED(2000, ERR_NONE, 0, OPEN("50")));
	/* The first bookmark may come too early: then the next one counts. */
	RUN(WANTED, DATA(1000, BOOKMARK("30"), ""), ENDED(2000, ERR_NONE, 0, "SHORT OPEN 30; TIMER 3000"),
	    DATA(1000, EVENT("ADDED", OBJ("b", "55")), "UPSERT b@55; FRESH"));
}

static void a_silent_watch_is_not_waited_for(void **state)
{
	(void)state;
	RUN(WANTED, TIMER(WHEN_DUE, "CANCEL; " RELIST), PAGE(MORE("60", "t", ""), "LIST limit=100&continue=t"),
	    PAGE(LIST("60", ""), "END; FRESH; " OPEN("60")));
	RUN(WANTED, ENDED(3000, ERR_NONE, 0, "SHORT OPEN 10; TIMER 3000"), ENDED(3000, ERR_NONE, 0, RELIST));
	RUN(WANTED, ENDED(5900, ERR_IO, 0, "WARN; WAIT 0"), TIMER(WHEN_DUE, RELIST),
	    PAGE(LIST("60", ""), "END; FRESH; " OPEN("60")));
	RUN(WANTED, ENDED(1, ERR_GONE, 0, RELIST), PAGE(LIST("60", ""), "END; FRESH; " OPEN("60")));
}

static void a_list_that_begins_later_is_fresh(void **state)
{
	(void)state;
	RUN(FRESHEN(""), START(RELIST), PAGE(LIST("10", ""), "END; FRESH; " OPEN("10")));
	RUN(FRESHEN(""), START(RELIST), PAGE_FAILED(ERR_IO, 0, "WARN; WAIT 0"), TIMER(WHEN_DUE, RELIST),
	    PAGE(LIST("10", ""), "END; FRESH; " OPEN("10")));
}

/* Its first page may have been answered before. */
static void a_list_that_has_just_begun_begins_again(void **state)
{
	(void)state;
	RUN(START(RELIST), FRESHEN(RELIST), PAGE(LIST("10", OBJ("a", "5")), "UPSERT a@5; END; FRESH; " OPEN("10")));
	RUN(START(RELIST), PAGE(MORE("10", "t", ""), "LIST limit=100&continue=t"), FRESHEN(RELIST),
	    PAGE(LIST("12", ""), "END; FRESH; " OPEN("12")));
	RUN(START(RELIST), PAGE(MORE("10", "t", ""), "LIST limit=100&continue=t"),
	    PAGE_FAILED(ERR_BUSY, 0, "WARN; WAIT 0"), FRESHEN(RELIST));
}

/* It is finished, and then the question is asked. */
static void a_long_list_does_not_begin_again(void **state)
{
	static const struct row begun[] = { START(RELIST) };
	static const struct row page[] = { PAGE(MORE("10", "t", ""), "LIST limit=100&continue=t") };
	static const struct row rest[] = {
		FRESHEN(""),
		PAGE(MORE("10", "u", ""), "LIST limit=100&continue=u"),
		PAGE_FAILED(ERR_BUSY, 0, "WARN; WAIT 0"),
		FRESHEN("LIST limit=100&continue=u"),
		PAGE(LIST("10", OBJ("a", "5")), "UPSERT a@5; END; " OPEN("10") "; " PROBE),
		PAGE(LIST("12", ""), "BEGIN; END; FRESH"),
	};
	struct fixture f;

	(void)state;
	begin(&f);
	run(&f, begun, array_len(begun));
	for (int i = 0; i < 10; i++)
		run(&f, page, array_len(page));
	run(&f, rest, array_len(rest));
	finish(&f);
}

/* Who takes over does not wait for the end of a back-off. */
static void a_back_off_ends(void **state)
{
	(void)state;
	RUN(OPENED, ENDED(1, ERR_IO, 0, "WARN; WAIT 0"), FRESHEN(OPEN("10") "; " PROBE),
	    PAGE(LIST("10", OBJ("a", "5")), "FRESH"));
	RUN(OPENED, ENDED(1, ERR_DENIED, 0, "WARN; WAIT 0"), FRESHEN(RELIST),
	    PAGE(LIST("20", ""), "END; FRESH; " OPEN("20")));
}

static void a_question_that_fails_is_asked_again(void **state)
{
	(void)state;
	RUN(OPENED, FRESHEN(PROBE), PAGE_FAILED(ERR_BUSY, 0, "CANCEL; WARN; WAIT 0"),
	    TIMER(WHEN_DUE, OPEN("10") "; " PROBE), PAGE(LIST("10", OBJ("a", "5")), "FRESH"));
	RUN(OPENED, FRESHEN(PROBE), PAGE("{}", "CANCEL; WARN; WAIT 0"), TIMER(WHEN_DUE, RELIST),
	    PAGE(LIST("20", ""), "END; FRESH; " OPEN("20")));
	RUN(OPENED, FRESHEN(PROBE), PAGE(LIST("50", "{}"), "BEGIN; CANCEL; WARN; WAIT 0"), TIMER(WHEN_DUE, RELIST));
	/* The stream fails first. Its answer counts all the same. */
	RUN(OPENED, FRESHEN(PROBE), ENDED(1, ERR_IO, 0, "WARN; WAIT 0"),
	    PAGE(LIST("50", OBJ("a", "45")), "BEGIN; UPSERT a@45; END; FRESH"), TIMER(WHEN_DUE, OPEN("50")));
	RUN(OPENED, FRESHEN(PROBE), ENDED(1, ERR_IO, 0, "WARN; WAIT 0"), PAGE(MORE("50", "t", ""), ""),
	    TIMER(800, "SHORT OPEN 10; TIMER 5200"));
	RUN(OPENED, FRESHEN(PROBE), ENDED(1, ERR_IO, 0, "WARN; WAIT 0"), PAGE_FAILED(ERR_IO, 0, ""),
	    TIMER(WHEN_DUE, OPEN("10") "; " PROBE));
}

/* A namespace whose permissions are gone, or a CRD that was uninstalled, must not keep all others waiting. */
static void what_may_not_be_read_cannot_be_fresher(void **state)
{
	static const enum err_code codes[] = { ERR_DENIED, ERR_NOT_FOUND };

	(void)state;
	for (size_t i = 0; i < array_len(codes); i++) {
		RUN(OPENED, FRESHEN(PROBE), PAGE_FAILED(codes[i], 0, "FRESH; CANCEL; WARN; WAIT 0"),
		    TIMER(WHEN_DUE, RELIST), PAGE(LIST("20", ""), "END; " OPEN("20")));
		RUN(OPENED, ENDED(1, codes[i], 0, "WARN; WAIT 0"), FRESHEN(RELIST),
		    PAGE_FAILED(codes[i], 0, "FRESH; WARN; WAIT 1"));
	}
	/* Without any list there is nothing to work with. */
	RUN(FRESHEN(""), START(RELIST), PAGE_FAILED(ERR_DENIED, 0, "WARN; WAIT 0"), TIMER(WHEN_DUE, RELIST),
	    PAGE(LIST("20", ""), "END; FRESH; " OPEN("20")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_watch_has_got_there),
		cmocka_unit_test(a_page_with_all_objects_becomes_the_store),
		cmocka_unit_test(a_bookmark_before_the_end_shows_it),
		cmocka_unit_test(a_silent_watch_is_not_waited_for),
		cmocka_unit_test(a_list_that_begins_later_is_fresh),
		cmocka_unit_test(a_list_that_has_just_begun_begins_again),
		cmocka_unit_test(a_long_list_does_not_begin_again),
		cmocka_unit_test(a_back_off_ends),
		cmocka_unit_test(a_question_that_fails_is_asked_again),
		cmocka_unit_test(what_may_not_be_read_cannot_be_fresher),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
