/* The names of time zones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "zones.h"

static void names(void **state)
{
	static const char *const known[] = { "Africa/Abidjan",
					     "America/Argentina/Buenos_Aires",
					     "Asia/Kolkata",
					     "Asia/Calcutta",
					     "Etc/GMT+12",
					     "Europe/Kyiv",
					     "GMT",
					     "Pacific/Kanton",
					     "UTC",
					     "US/Pacific",
					     "Zulu" };
	static const char *const unknown[] = {
		"",	"Europe", "europe/berlin", "Europe/Berlin ", "Europe/Berli", "Factory", "../etc/passwd",
		"zone", "A",	  "Zulu/Nation"
	};

	(void)state;
	for (size_t i = 0; i < array_len(known); i++)
		if (!zones_has(known[i]))
			fail_msg("%s", known[i]);
	for (size_t i = 0; i < array_len(unknown); i++)
		if (zones_has(unknown[i]))
			fail_msg("%s", unknown[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
