/* Allocation: copies, zero sizes, moving out of auto_free, and the abort when memory is out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

static void test_copies(void **state)
{
	auto_free char *all = xstrdup("text");
	auto_free char *some = xstrndup("text", 2);
	auto_free char *short_text = xstrndup("a", 100);
	auto_free char *made = xasprintf("%s-%d", "a", 5);

	(void)state;
	assert_string_equal(all, "text");
	assert_string_equal(some, "te");
	assert_string_equal(short_text, "a");
	assert_string_equal(made, "a-5");
	assert_null(xstrdup_null(NULL));
}

static void test_zero_sizes(void **state)
{
	auto_free void *a = xmalloc(0);
	auto_free void *b = xcalloc(0, 8);
	auto_free void *c = xreallocarray(NULL, 0, 8);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
}

static void test_calloc_clears(void **state)
{
	auto_free char *p = xcalloc(4, 2);

	(void)state;
	assert_memory_equal(p, "\0\0\0\0\0\0\0\0", 8);
}

static char *moved(void)
{
	auto_free char *text = xstrdup("kept");

	return take_ptr(text);
}

static void test_take_ptr(void **state)
{
	auto_free char *text = moved();

	(void)state;
	assert_string_equal(text, "kept");
}

static void test_container_of(void **state)
{
	struct pair {
		int a;
		int b;
	} pair = { 1, 2 };

	(void)state;
	assert_ptr_equal(container_of(&pair.b, struct pair, b), &pair);
}

static void test_overflow_aborts(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		free(xreallocarray(NULL, SIZE_MAX / 2, 3));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies),	      cmocka_unit_test(test_zero_sizes),
		cmocka_unit_test(test_calloc_clears), cmocka_unit_test(test_take_ptr),
		cmocka_unit_test(test_container_of),  cmocka_unit_test(test_overflow_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
