/* Log lines in both formats: quoting, levels, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"

static struct buf lines = { .max = 1 << 20 };
static int calls;

static void collect(void *arg, const char *line, size_t len)
{
	buf_add(arg, line, len);
	calls++;
}

static int setup(void **state)
{
	(void)state;
	buf_clear(&lines);
	calls = 0;
	log_set_sink(collect, &lines);
	log_setup(LOG_INFO, false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	log_set_sink(NULL, NULL);
	buf_done(&lines);
	return 0;
}

/* The line without its time, which has to be a time. */
static const char *line_after(const char *before_time, const char *after_time)
{
	const char *line = buf_str(&lines), *end;
	char stamp[TIME_TEXT_SIZE] = { 0 };
	int64_t ms;

	assert_memory_equal(line, before_time, strlen(before_time));
	line += strlen(before_time);
	end = strstr(line, after_time);
	assert_non_null(end);
	assert_int_equal(end - line, 24);
	memcpy(stamp, line, 24);
	assert_true(time_parse(stamp, &ms));
	return end + strlen(after_time);
}

static void test_logfmt(void **state)
{
	(void)state;
	log_warn("default/pi", "driver created", "pod", "pi-driver", "empty", "", "eq", "a=b", "quote", "a\"b", "nl",
		 "a\nb", "utf8", "h\xc3\xa9", "broken", "\xff", "null", (char *)NULL, "slash", "a\\b", NULL);
	assert_string_equal(
	    line_after("time=", " "),
	    "level=warn key=default/pi msg=\"driver created\" pod=pi-driver empty=\"\" eq=\"a=b\" "
	    "quote=\"a\\\"b\" nl=\"a\\nb\" utf8=h\xc3\xa9 broken=\"\xef\xbf\xbd\" null=\"\" slash=a\\b\n");
	assert_int_equal(calls, 1);
}

static void test_json(void **state)
{
	(void)state;
	log_setup(LOG_INFO, true);
	log_error(NULL, "a \"b\"\n", "pod", "x", NULL);
	assert_string_equal(line_after("{\"time\":\"", "\","),
			    "\"level\":\"error\",\"key\":\"-\",\"msg\":\"a \\\"b\\\"\\n\",\"pod\":\"x\"}\n");
}

static void test_levels(void **state)
{
	(void)state;
	log_debug("-", "no", NULL);
	assert_int_equal(calls, 0);
	log_setup(LOG_ERROR, false);
	log_warn("-", "no", NULL);
	assert_int_equal(calls, 0);
	log_error("-", "yes", NULL);
	assert_int_equal(calls, 1);
}

static void check_long_values(bool json, const char *want_end)
{
	auto_free char *huge = xmalloc(100001);
	size_t end = strlen(want_end);

	memset(huge, '"', 100000);
	huge[100000] = '\0';
	log_setup(LOG_INFO, json);
	buf_clear(&lines);
	log_info("-", huge, "a", huge, "b", huge, "c", "kept", NULL);
	assert_true(lines.len <= 16384);
	assert_true(lines.len > 8000);
	assert_non_null(strstr(buf_str(&lines), "kept"));
	assert_string_equal(buf_str(&lines) + lines.len - end, want_end);
}

static void test_long_lines_are_cut(void **state)
{
	(void)state;
	check_long_values(false, " truncated=true\n");
	check_long_values(true, ",\"truncated\":\"true\"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_logfmt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_lines_are_cut, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
