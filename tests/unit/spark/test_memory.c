/* Sizes, overheads and doubles as Spark and Java have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spark/memory.h"
#include "base/mem.h"

static void sizes(void **state)
{
	static const struct {
		const char *text;
		int64_t mib;
	} rows[] = {
		{ "1g", 1024 },	   { "512m", 512 },    { "512M", 512 },
		{ "2G", 2048 },	   { "2gb", 2048 },    { "2048", 2048 },
		{ "1025k", 1 },	   { "1kb", 0 },       { "3000000b", 2 },
		{ "1t", 1048576 }, { "1tb", 1048576 }, { "1p", 1073741824 },
		{ " 2g ", 2048 },  { "0", 0 },	       { "8589934591p", INT64_C(9223372035781033984) },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		int64_t mib = -1;

		assert_true(memory_mib(rows[i].text, 305, &mib));
		assert_int_equal(mib, rows[i].mib);
	}
}

static void not_sizes(void **state)
{
	static const char *const rows[] = { "",
					    "g",
					    "1.5g",
					    "2Gi",
					    "2GiB",
					    "-1g",
					    "+1g",
					    "1 g",
					    "lots",
					    "1gg",
					    "1x",
					    "0x10m",
					    "8589934592p",
					    "99999999999999999999",
					    "11111111111111111111111111111111111m" };
	int64_t mib = -1;

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		assert_false(memory_mib(rows[i], 401, &mib));
	assert_false(memory_mib(NULL, 305, &mib));
	assert_int_equal(mib, -1);
}

/* As spark-submit 4.1.0 and 4.2.1 take them. */
static void binary_units(void **state)
{
	static const char *const rows[] = { "2Gi", "2gib", "2048mi", "2097152KiB" };
	int64_t mib;

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		assert_false(memory_mib(rows[i], 401, &mib));
		assert_true(memory_mib(rows[i], 402, &mib));
		assert_int_equal(mib, 2048);
	}
}

/* The sums are those of spark-submit 3.5.6. */
static void overheads(void **state)
{
	(void)state;
	assert_int_equal(5431 + memory_overhead_mib(5431, 0.15, 384), 6245);
	assert_int_equal(3072 + memory_overhead_mib(3072, 0.4, 384), 4300);
	assert_int_equal(8192 + memory_overhead_mib(8192, 0.1, 384), 9011);
	assert_int_equal(memory_overhead_mib(1024, 0.1, 384), 384);
	assert_int_equal(memory_overhead_mib(INT64_MAX, 1e300, 384), INT32_MAX);
}

static void doubles(void **state)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {
		{ 0.1, "0.1" },
		{ 0.4, "0.4" },
		{ 0.25, "0.25" },
		{ 1, "1.0" },
		{ 0, "0.0" },
		{ 10, "10.0" },
		{ 12.5, "12.5" },
		{ 0.001, "0.001" },
		{ 0.0005, "5.0E-4" },
		{ 0.05, "0.05" },
		{ 1e7, "1.0E7" },
		{ 1234567, "1234567.0" },
		{ 0.1 + 0.2, "0.30000000000000004" },
		{ 1.5e-5, "1.5E-5" },
		{ 1200, "1200.0" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *text = memory_double_text(rows[i].value);

		assert_string_equal(text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),     cmocka_unit_test(not_sizes), cmocka_unit_test(binary_units),
		cmocka_unit_test(overheads), cmocka_unit_test(doubles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
