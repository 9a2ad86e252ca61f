/* Errors: codes, cutting, wrapping, aliasing of the old message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/err.h"

static void test_set(void **state)
{
	struct err err = { .retry_after_ms = 5 };

	(void)state;
	assert_int_equal(err_set(&err, ERR_CONFLICT, "pod %s: %d", "a", 7), -ERR_CONFLICT);
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_int_equal(err.retry_after_ms, 0);
	assert_string_equal(err.msg, "pod a: 7");
}

static void test_wrap_keeps_class_and_retry(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, ERR_BUSY, "too many requests");
	err.retry_after_ms = 1500;
	assert_int_equal(err_wrap(&err, "create pod %s", "x"), -ERR_BUSY);
	assert_int_equal(err.retry_after_ms, 1500);
	assert_string_equal(err.msg, "create pod x: too many requests");
}

static void test_old_message_as_argument(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, ERR_IO, "reset");
	err_set(&err, ERR_TIMEOUT, "after: %s", err.msg);
	assert_string_equal(err.msg, "after: reset");
	err_wrap(&err, "(%s)", err.msg);
	assert_string_equal(err.msg, "(after: reset): after: reset");
}

static void test_long_messages_are_cut(void **state)
{
	char text[2 * ERR_MSG_SIZE];
	struct err err;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, ERR_INVALID, "%s", text);
	assert_int_equal(strlen(err.msg), ERR_MSG_SIZE - 1);
	err_wrap(&err, "abc");
	assert_int_equal(strlen(err.msg), ERR_MSG_SIZE - 1);
	assert_memory_equal(err.msg, "abc: xxx", 8);
	err_wrap(&err, "%s", text);
	assert_int_equal(strlen(err.msg), ERR_MSG_SIZE - 1);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(err_name(ERR_NONE), "ok");
	assert_string_equal(err_name(ERR_NOT_FOUND), "not_found");
	assert_string_equal(err_name(ERR_INTERNAL), "internal");
	assert_string_equal(err_name((enum err_code)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_wrap_keeps_class_and_retry),
		cmocka_unit_test(test_old_message_as_argument),
		cmocka_unit_test(test_long_messages_are_cut),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
