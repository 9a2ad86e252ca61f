/* apiVersion, the order of versions, owner references. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kube/resource.h"

static void test_api_version(void **state)
{
	char out[API_VERSION_SIZE];

	(void)state;
	assert_string_equal(resource_api_version(&resource_pod, out), "v1");
	assert_string_equal(resource_api_version(&resource_sparkapplication, out), "sparkoperator.k8s.io/v1beta2");
}

static void test_version_order(void **state)
{
	static const struct {
		const char *a;
		const char *b;
		int sign;
		bool ok;
	} rows[] = {
		{ "1", "1", 0, true },
		{ "9", "10", -1, true },
		{ "10", "9", 1, true },
		{ "123", "124", -1, true },
		{ "18446744073709551615", "18446744073709551616", -1, true },
		{ "340282366920938463463374607431768211456", "340282366920938463463374607431768211455", 1, true },
		{ "", "", 0, false },
		{ "", "1", -1, false },
		{ "007", "7", -1, false },
		{ "0", "1", -1, false },
		{ "12a", "12a", 0, false },
		{ "-1", "1", -1, false },
		{ " 1", "1", -1, false },
		{ NULL, NULL, 0, false },
		{ NULL, "5", -1, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool ok = !rows[i].ok;
		int order = resource_version_compare(rows[i].a, rows[i].b, &ok);
		int back = resource_version_compare(rows[i].b, rows[i].a, NULL);

		assert_int_equal((order > 0) - (order < 0), rows[i].sign);
		assert_int_equal((back > 0) - (back < 0), -rows[i].sign);
		assert_int_equal(ok, rows[i].ok);
	}
}

static void test_owner_reference(void **state)
{
	auto_json controller = resource_owner_reference(&resource_sparkapplication, "pi", "u1", true);
	auto_json plain = resource_owner_reference(&resource_pod, "pi-driver", "u2", false);
	auto_free char *first = json_print(controller);
	auto_free char *second = json_print(plain);

	(void)state;
	assert_string_equal(first, "{\"apiVersion\":\"sparkoperator.k8s.io/v1beta2\",\"kind\":\"SparkApplication\","
				   "\"name\":\"pi\",\"uid\":\"u1\",\"controller\":true,\"blockOwnerDeletion\":true}");
	assert_string_equal(second, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"pi-driver\",\"uid\":\"u2\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_api_version),
		cmocka_unit_test(test_version_order),
		cmocka_unit_test(test_owner_reference),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
