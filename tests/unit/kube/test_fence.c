/*
 * The fence: until when it lets writes pass, and what it takes for an answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kube/fence.h"

static int64_t clock_ms;

static int64_t read_clock(const struct fence *f)
{
	(void)f;
	return clock_ms;
}

static void it_is_closed_at_its_time(void **state)
{
	struct fence f;

	(void)state;
	clock_ms = 1000;
	fence_init(&f, read_clock);
	assert_false(fence_enter(&f));
	f.until_ms = 2000;
	clock_ms = 1999;
	assert_true(fence_enter(&f));
	assert_int_equal(f.under_way, 1);
	clock_ms = 2000;
	assert_false(fence_is_open(&f));
	assert_false(fence_enter(&f));
	assert_int_equal(f.under_way, 1);
	f.until_ms = 3000;
	assert_true(fence_enter(&f));
	assert_int_equal(f.under_way, 2);
}

static void only_an_answer_is_an_answer(void **state)
{
	static const struct {
		struct reply reply;
		bool answered;
	} rows[] = {
		{ { .status = 201 }, true },
		{ { .status = 409, .err.code = ERR_EXISTS }, true },
		{ { .status = 500, .err.code = ERR_INTERNAL }, true },
		{ { .status = 503, .err.code = ERR_BUSY }, true },
		{ { .status = 502, .err.code = ERR_INTERNAL }, false }, /* of a load balancer */
		{ { .status = 504, .err.code = ERR_TIMEOUT }, false },
		{ { .err.code = ERR_TIMEOUT }, false },
		{ { .err.code = ERR_IO }, false },
		{ { .status = 200, .err.code = ERR_IO }, false }, /* cut off */
		{ { .err.code = ERR_CANCELED }, false },
	};
	struct fence f;

	(void)state;
	clock_ms = 1000;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fence_init(&f, read_clock);
		f.until_ms = 2000;
		assert_true(fence_enter(&f));
		fence_leave(&f, &rows[i].reply);
		assert_int_equal(f.under_way, 0);
		assert_int_equal(f.unanswered_ms, rows[i].answered ? INT64_MIN : 1000);
	}
	assert_true(fence_enter(&f));
	clock_ms = 1500;
	fence_leave(&f, NULL);
	assert_int_equal(f.unanswered_ms, 1500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_closed_at_its_time),
		cmocka_unit_test(only_an_answer_is_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
