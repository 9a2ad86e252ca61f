/* Lists: what is given twice counts once, and a warning says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "options_args.h"

/* Two watches of one namespace would relist one store at the same time. */
static void what_is_in_a_list_twice_counts_once(void **state)
{
	static const struct {
		const char *args[3];
		const char *want; /* joined by | */
		const char *warning;
	} cases[] = {
		{ { "--namespaces=default,jobs,default" },
		  "default|jobs",
		  "--namespaces (\"default\" is given more than once)" },
		{ { "--namespaces=b,a", "--namespaces= a ,b,\"a\"" },
		  "b|a",
		  "--namespaces (\"a\" is given more than once); --namespaces (\"b\" is given more than once)" },
		{ { "--namespaces=a,\"\",\"\",a" },
		  "",
		  "--namespaces (\"\" is given more than once); --namespaces (\"a\" is given more than once)" },
		{ { "--namespaces=a,b" }, "a|b", NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_free char *warnings = NULL;
		auto_free char *got = NULL;
		struct options o;

		must_parse(&o, OPTIONS_START, cases[i].args);
		got = strv_join(&o.namespaces, "|");
		warnings = options_warnings(&o);
		assert_string_equal(got, cases[i].want);
		assert_string_equal(warnings ? warnings : "", cases[i].warning ? cases[i].warning : "");
		options_done(&o);
	}
}

/* OpenSSL and the API server would be told the same twice. */
static void other_lists_have_each_element_once_too(void **state)
{
	struct options o;
	auto_free char *warnings = NULL;

	(void)state;
	must_parse(&o, OPTIONS_START,
		   ARGS("--webhook-tls-cipher-suites=A,B,A,,A", "--webhook-namespace-selector=a=b,a=b"));
	assert_int_equal(o.webhook_ciphers.len, 2);
	assert_int_equal(o.webhook_selector.len, 1);
	warnings = options_warnings(&o);
	assert_string_equal(warnings, "--webhook-tls-cipher-suites (\"A\" is given more than once); "
				      "--webhook-namespace-selector (\"a=b\" is given more than once)");
	options_done(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_a_list_twice_counts_once),
		cmocka_unit_test(other_lists_have_each_element_once_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
