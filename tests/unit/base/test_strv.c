/* The list of strings: growth, search, join and split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

static void test_add_and_find(void **state)
{
	auto_strv v = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++)
		strv_addf(&v, "item-%d", i);
	strv_add(&v, "last");
	assert_int_equal(v.len, 101);
	assert_string_equal(v.items[99], "item-99");
	assert_true(strv_has(&v, "item-0"));
	assert_true(strv_has(&v, "last"));
	assert_false(strv_has(&v, "item"));
	strv_done(&v);
	assert_int_equal(v.len, 0);
	assert_false(strv_has(&v, "last"));
}

static void test_join(void **state)
{
	auto_strv v = { 0 };
	auto_free char *none = strv_join(&v, ",");
	auto_free char *one = NULL;
	auto_free char *three = NULL;

	(void)state;
	assert_string_equal(none, "");
	strv_add(&v, "a");
	one = strv_join(&v, ", ");
	assert_string_equal(one, "a");
	strv_add(&v, "");
	strv_add(&v, "c");
	three = strv_join(&v, ", ");
	assert_string_equal(three, "a, , c");
}

static void test_split(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },    { "a", "a" },	     { "a,b", "a|b" },	 { " a , b\t,", "a|b" }, { ",,", "" },
		{ " , ", "" }, { "a b,c", "a b|c" }, { ",a,,b", "a|b" }, { "a,\n", "a" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_strv v = { 0 };
		auto_free char *got = NULL;

		strv_split(&v, cases[i].text, ',');
		got = strv_join(&v, "|");
		assert_string_equal(got, cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_and_find),
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
