/* The byte buffer: the maximum, all or nothing, formats, JSON strings, dropping and taking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static void test_empty(void **state)
{
	struct buf zeroed = { 0 };
	auto_buf b;
	auto_free char *taken = NULL;

	(void)state;
	buf_done(&zeroed);
	buf_init(&b, 10);
	assert_string_equal(buf_str(&b), "");
	taken = buf_take(&b);
	assert_string_equal(taken, "");
	buf_drop(&b, 5);
	assert_int_equal(b.len, 0);
}

static void test_exact_maximum(void **state)
{
	auto_buf b;

	(void)state;
	buf_init(&b, 5);
	assert_true(buf_puts(&b, "abc"));
	assert_true(buf_add(&b, "de", 2));
	assert_false(b.overflow);
	assert_false(buf_putc(&b, 'f'));
	assert_true(b.overflow);
	assert_string_equal(buf_str(&b), "abcde");
	assert_true(b.cap <= 6);
}

static void test_all_or_nothing(void **state)
{
	auto_buf b;

	(void)state;
	buf_init(&b, 4);
	buf_puts(&b, "ab");
	assert_false(buf_puts(&b, "cde"));
	assert_false(buf_printf(&b, "%s", "cde"));
	assert_false(buf_add_json(&b, "c"));
	assert_string_equal(buf_str(&b), "ab");
	assert_true(b.overflow);
	buf_clear(&b);
	assert_false(b.overflow);
	assert_string_equal(buf_str(&b), "");
	assert_true(buf_printf(&b, "%d", 1234));
	assert_string_equal(buf_str(&b), "1234");
}

static void test_unlimited_growth(void **state)
{
	auto_buf b;

	(void)state;
	buf_init(&b, SIZE_MAX);
	for (int i = 0; i < 10000; i++)
		assert_true(buf_puts(&b, "0123456789"));
	assert_int_equal(b.len, 100000);
	assert_int_equal(strlen(buf_str(&b)), 100000);
	buf_drop(&b, 99995);
	assert_string_equal(buf_str(&b), "56789");
	buf_drop(&b, 100);
	assert_string_equal(buf_str(&b), "");
}

static void test_binary(void **state)
{
	auto_buf b;

	(void)state;
	buf_init(&b, 100);
	buf_add(&b, "a\0b", 3);
	buf_add(&b, NULL, 0);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "a\0b", 4);
}

static void test_take_keeps_maximum(void **state)
{
	auto_free char *taken = NULL;
	auto_buf b;

	(void)state;
	buf_init(&b, 3);
	buf_puts(&b, "abc");
	buf_putc(&b, 'd');
	taken = buf_take(&b);
	assert_string_equal(taken, "abc");
	assert_false(b.overflow);
	assert_true(buf_puts(&b, "xyz"));
	assert_false(buf_putc(&b, '!'));
}

static void test_json_strings(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "\"\"" },
		{ "a\"b\\c/", "\"a\\\"b\\\\c/\"" },
		{ "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"" },
		{ "\x01\x1f", "\"\\u0001\\u001f\"" },
		{ "h\xc3\xa9\xf0\x9f\x98\x80", "\"h\xc3\xa9\xf0\x9f\x98\x80\"" },
		{ "\xff"
		  "a\xe2\x82",
		  "\"\xef\xbf\xbd"
		  "a\xef\xbf\xbd\xef\xbf\xbd\"" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_buf b;

		buf_init(&b, 100);
		assert_true(buf_add_json(&b, cases[i].text));
		assert_string_equal(buf_str(&b), cases[i].want);
	}
}

static void test_json_string_that_does_not_fit(void **state)
{
	auto_buf b;

	(void)state;
	buf_init(&b, 6);
	buf_puts(&b, "x");
	assert_false(buf_add_json(&b, "ab\n")); /* 6 bytes with quotes and escape, 5 are left */
	assert_int_equal(b.len, 1);
	assert_string_equal(buf_str(&b), "x");
	assert_true(buf_add_json(&b, "abc"));
	assert_true(b.overflow); /* stays until cleared */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),	       cmocka_unit_test(test_exact_maximum),
		cmocka_unit_test(test_all_or_nothing), cmocka_unit_test(test_unlimited_growth),
		cmocka_unit_test(test_binary),	       cmocka_unit_test(test_take_keeps_maximum),
		cmocka_unit_test(test_json_strings),   cmocka_unit_test(test_json_string_that_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
