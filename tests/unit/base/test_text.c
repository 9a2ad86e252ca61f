/* Strings and numbers: strictness, hashes that stay, base64, UTF-8 and the name checks of Kubernetes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

static void test_comparisons(void **state)
{
	(void)state;
	assert_true(text_eq(NULL, NULL));
	assert_false(text_eq(NULL, ""));
	assert_false(text_eq("", NULL));
	assert_true(text_eq("a", "a"));
	assert_false(text_eq("a", "A"));
	assert_true(text_starts("abc", "ab"));
	assert_true(text_starts("abc", ""));
	assert_false(text_starts("a", "ab"));
	assert_false(text_starts(NULL, ""));
	assert_true(text_ends("abc", "bc"));
	assert_false(text_ends("c", "bc"));
	assert_false(text_ends(NULL, ""));
	assert_true(text_empty(NULL));
	assert_true(text_empty(""));
	assert_false(text_empty(" "));
}

static void test_i64(void **state)
{
	static const char *const bad[] = { NULL,
					   "",
					   " 1",
					   "1 ",
					   "+",
					   "-",
					   "--1",
					   "0x10",
					   "1.0",
					   "1e3",
					   "9223372036854775808",
					   "-9223372036854775809",
					   "1a" };
	int64_t n = 42;

	(void)state;
	for (size_t i = 0; i < array_len(bad); i++)
		assert_false(text_i64(bad[i], &n));
	assert_int_equal(n, 42);
	assert_true(text_i64("-9223372036854775808", &n));
	assert_true(n == INT64_MIN);
	assert_true(text_i64("+9223372036854775807", &n));
	assert_true(n == INT64_MAX);
	assert_true(text_i64("007", &n));
	assert_int_equal(n, 7);
}

static void test_double(void **state)
{
	static const char *const bad[] = { NULL,  "",	   " 1",  "1 ",	 ".",	  "+",	 "e5",	 "1e",
					   "1e+", "0x1p3", "inf", "nan", "1e999", "1,5", "1.5.5" };
	double n = 42;

	(void)state;
	for (size_t i = 0; i < array_len(bad); i++)
		assert_false(text_double(bad[i], &n));
	assert_true(n == 42);
	assert_true(text_double("-1.5e3", &n) && n == -1500);
	assert_true(text_double(".5", &n) && n == 0.5);
	assert_true(text_double("5.", &n) && n == 5);
	assert_true(text_double("+1E-2", &n) && n == 0.01);
}

static void test_number(void **state)
{
	static const struct {
		double value;
		const char *want;
	} cases[] = {
		{ 0, "0" },
		{ -0.0, "0" },
		{ 1e15, "1000000000000000" },
		{ 9007199254740992, "9007199254740992" },
		{ -9007199254740992, "-9007199254740992" },
		{ 9007199254740994, "9007199254740994.0" },
		{ 0.1, "0.1" },
		{ 0.1 + 0.2, "0.30000000000000004" },
		{ 1e300, "1e+300" },
		{ -2.5, "-2.5" },
		{ 5e-324, "4.94065645841247e-324" },
		{ NAN, "NaN" },
		{ INFINITY, "+Inf" },
		{ -INFINITY, "-Inf" },
	};
	char out[TEXT_NUMBER_SIZE];
	struct rng rng = { 5 };

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++)
		assert_string_equal(text_number(cases[i].value, out), cases[i].want);
	for (int i = 0; i < 5000; i++) {
		uint64_t bits = rng_next(&rng);
		double value, back;

		memcpy(&value, &bits, sizeof(value));
		if (!isfinite(value))
			continue;
		assert_true(text_double(text_number(value, out), &back));
		assert_true(back == value);
	}
}

/* Names on clusters depend on these: a change of the function orphans what an older version made. */
static void test_hash_never_changes(void **state)
{
	(void)state;
	assert_true(text_hash(0, "") == 0xf52a15e9a9b5e89bu);
	assert_true(text_hash(0, "spark-pi") == 0x3b9625ae8dffb93au);
	assert_true(text_hash(1, "spark-pi") == 0xc57d83ea87141c9bu);
}

static void test_base64(void **state)
{
	static const struct {
		const char *plain, *coded;
	} cases[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xff\xfe\xfd", "//79" },
	};
	static const char *const bad[] = { "Z",	   "Zg",       "Zg=",  "Zg===",	 "Z===", "====", "=",	"Zm9v=",
					   "Zm=v", "Zg==Zg==", "Zm 9", "Zm9v\n", "Zm-v", "Zh==", "Zm9=" };
	size_t len = 42;

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_free char *coded = text_base64_encode(cases[i].plain, strlen(cases[i].plain));
		auto_free char *plain = text_base64_decode(cases[i].coded, &len);

		assert_string_equal(coded, cases[i].coded);
		assert_non_null(plain);
		assert_int_equal(len, strlen(cases[i].plain));
		assert_string_equal(plain, cases[i].plain);
	}
	len = 42;
	for (size_t i = 0; i < array_len(bad); i++)
		assert_null(text_base64_decode(bad[i], &len));
	assert_int_equal(len, 42);
}

static void test_base64_binary(void **state)
{
	char data[256];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)i;
	for (size_t n = 0; n <= sizeof(data); n++) {
		auto_free char *coded = text_base64_encode(data, n);
		size_t len;
		auto_free char *plain = text_base64_decode(coded, &len);

		assert_int_equal(len, n);
		assert_memory_equal(plain, data, n);
	}
}

static void test_url_encode(void **state)
{
	auto_free char *text = text_url_encode("aZ09-._~ /?&=%+\xc3\xa9,");

	(void)state;
	assert_string_equal(text, "aZ09-._~%20%2F%3F%26%3D%25%2B%C3%A9%2C");
}

struct name_case {
	const char *text;
	bool label, subdomain, value, key;
};

static void test_names(void **state)
{
	static const struct name_case cases[] = {
		{ NULL, false, false, false, false },
		{ "", false, false, true, false },
		{ "a", true, true, true, true },
		{ "0a-b9", true, true, true, true },
		{ "-a", false, false, false, false },
		{ "a-", false, false, false, false },
		{ "A", false, false, true, true },
		{ "a_b", false, false, true, true },
		{ "a.b", false, true, true, true },
		{ "a..b", false, false, true, true },
		{ "a.", false, false, false, false },
		{ ".a", false, false, false, false },
		{ "a.-b", false, false, true, true },
		{ "a/b", false, false, false, true },
		{ "spark.apache.org/App_Name", false, false, false, true },
		{ "/a", false, false, false, false },
		{ "a/", false, false, false, false },
		{ "a/b/c", false, false, false, false },
		{ "A/b", false, false, false, false },
		{ "a b", false, false, false, false },
		{ "\xc3\xa9", false, false, false, false },
		{ "a\n", false, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		const struct name_case *c = &cases[i];

		if (text_is_dns_label(c->text) != c->label || text_is_dns_subdomain(c->text) != c->subdomain ||
		    text_is_label_value(c->text) != c->value || text_is_label_key(c->text) != c->key)
			fail_msg("wrong verdict on '%s'", c->text);
	}
}

static void test_name_lengths(void **state)
{
	auto_free char *text = xcalloc(1, 400);
	auto_free char *key = NULL;

	(void)state;
	memset(text, 'a', 63);
	assert_true(text_is_dns_label(text) && text_is_label_value(text) && text_is_label_key(text));
	text[63] = 'a';
	assert_false(text_is_dns_label(text) || text_is_label_value(text) || text_is_label_key(text));
	assert_true(text_is_dns_subdomain(text));
	memset(text, 'a', 253);
	assert_true(text_is_dns_subdomain(text));
	key = xasprintf("%s/a", text);
	assert_true(text_is_label_key(key));
	text[253] = 'a';
	assert_false(text_is_dns_subdomain(text));
}

static void test_utf8(void **state)
{
	static const char *const good[] = { "",
					    "a",
					    "\xc2\x80",
					    "\xdf\xbf",
					    "\xe0\xa0\x80",
					    "\xed\x9f\xbf",
					    "\xee\x80\x80",
					    "\xf0\x90\x80\x80",
					    "\xf4\x8f\xbf\xbf" };
	static const char *const bad[] = {
		"\x80",		"\xc0\x80",	    "\xc1\xbf",		"\xe0\x9f\xbf",	    "\xed\xa0\x80",
		"\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
		"\xc2",		"\xe2\x82",	    "\xf0\x9f\x98",	"\xe2\x28\xa1",	    "a\xf0\x9f\x98z",
		"\xc2\xc2"
	};

	(void)state;
	for (size_t i = 0; i < array_len(good); i++)
		assert_true(text_is_utf8(good[i], strlen(good[i])));
	for (size_t i = 0; i < array_len(bad); i++)
		assert_false(text_is_utf8(bad[i], strlen(bad[i])));
	assert_true(text_is_utf8("a\0b", 3));
	assert_int_equal(text_utf8_char("", 0), 0);
	assert_int_equal(text_utf8_char("\xf0\x9f\x98\x80", 4), 4);
}

static void the_nearest_name_is_found(void **state)
{
	static const char *const names[] = { "memory", "memoryLimit", "env", "x", "envFrom", "tolerations" };
	static const char *const rows[][2] = {
		{ "memroy", "memory" },
		{ "Memory", "memory" },
		{ "memoryLimits", "memoryLimit" },
		{ "envs", "env" },
		{ "toleration", "tolerations" },
		{ "e", NULL },
		{ "volumeMounts", NULL },
		{ "y", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct text_nearest nearest;

		text_nearest_init(&nearest, rows[i][0], strlen(rows[i][0]));
		for (size_t k = 0; k < array_len(names); k++)
			text_nearest_add(&nearest, names[k]);
		assert_true(text_eq(nearest.found, rows[i][1]));
	}
}

static void long_names_have_no_nearest_one(void **state)
{
	char name[TEXT_NEAREST_MAX + 2];
	struct text_nearest nearest;

	(void)state;
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = 0;
	text_nearest_init(&nearest, name, strlen(name));
	text_nearest_add(&nearest, name + 1);
	assert_null(nearest.found);
	text_nearest_init(&nearest, name + 1, strlen(name + 1));
	text_nearest_add(&nearest, name);
	assert_null(nearest.found);
	text_nearest_add(&nearest, name + 2);
	assert_ptr_equal(nearest.found, name + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comparisons),
		cmocka_unit_test(test_i64),
		cmocka_unit_test(test_double),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_hash_never_changes),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_base64_binary),
		cmocka_unit_test(test_url_encode),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_name_lengths),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(the_nearest_name_is_found),
		cmocka_unit_test(long_names_have_no_nearest_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
