/* Answers about certificates that are remembered, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "certs_memo.h"

#define NAME	  "hook.spark.svc"
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS	  (60 * MINUTE_MS)
#define DAY_MS	  (24 * HOUR_MS)
#define NOW	  INT64_C(1767323045000)

struct fixture {
	struct certs_memo *memo;
	struct certificate_pair ca;
	struct certificate_pair server; /* valid hours before its CA */
};

static int setup(void **state)
{
	static const char *const names[] = { NAME, NULL };
	static struct fixture f;
	struct err err = { 0 };

	f = (struct fixture){ .memo = certs_memo_new() };
	if (certificate_make_ca("ca", NOW, 30 * DAY_MS, &f.ca, &err) < 0 ||
	    certificate_make_server(&f.ca, names, NOW - 10 * HOUR_MS, 20 * DAY_MS, &f.server, &err) < 0)
		fail_msg("%s", err.msg);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	certificate_pair_done(&f->ca);
	certificate_pair_done(&f->server);
	certs_memo_free(f->memo);
	return 0;
}

static bool verifies(struct fixture *f, int64_t wall_ms)
{
	struct err err = { 0 };

	return certs_memo_verify(f->memo, f->server.cert, f->ca.cert, NAME, wall_ms, &err) == 0;
}

/* Of the CA's own validity the memo knows nothing. */
static void an_answer_holds_for_an_hour_at_most(void **state)
{
	struct fixture *f = *state;

	assert_false(verifies(f, NOW - 30 * MINUTE_MS)); /* the CA is not valid yet */
	assert_false(verifies(f, NOW));			 /* the answer of before */
	assert_true(verifies(f, NOW + 30 * MINUTE_MS));
	assert_true(verifies(f, NOW - 29 * MINUTE_MS)); /* and so does a good one, when the clock is set back */
	assert_false(verifies(f, NOW - 31 * MINUTE_MS));
}

static void an_answer_ends_where_validity_begins_or_ends(void **state)
{
	struct fixture *f = *state;

	assert_true(verifies(f, NOW + 20 * DAY_MS - 10 * HOUR_MS - MINUTE_MS));
	assert_false(verifies(f, NOW + 20 * DAY_MS - 10 * HOUR_MS + MINUTE_MS));
	assert_true(verifies(f, NOW + 20 * DAY_MS - 10 * HOUR_MS - MINUTE_MS));
}

/* The memo has a few places only, and the answers of the first questions make room. */
static void many_questions_are_answered_rightly(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 40; i++) {
			char name[16] = { 'a', (char)('a' + i % 26), (char)('a' + i / 26), '\0' };

			assert_true(certs_memo_verify(f->memo, f->server.cert, f->ca.cert, name, NOW, &err) < 0);
		}
		assert_true(verifies(f, NOW));
	}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_holds_for_an_hour_at_most),
		TEST(an_answer_ends_where_validity_begins_or_ends),
		TEST(many_questions_are_answered_rightly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
