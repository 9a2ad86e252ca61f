/* What is wrong with options that are right for the parser: names of cipher suites. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "options_args.h"
#include "start.h"

static void expect_answer(const char *arg, const char *want)
{
	struct err err = { 0 };
	struct options o;

	must_parse(&o, OPTIONS_START, ARGS(arg));
	assert_int_equal(start_check(&o, &err), want ? -(int)ERR_INVALID : 0);
	if (want)
		assert_string_equal(err.msg, want);
	options_done(&o);
}

static void suites_have_the_names_that_go_gives_them(void **state)
{
	(void)state;
	expect_answer("--metric-tls-cipher-suites=", NULL);
	expect_answer("--metric-tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_AES_128_GCM_SHA256", NULL);
	expect_answer("--metric-tls-cipher-suites=NONE",
		      "--metric-tls-cipher-suites: TLS cipher suite \"NONE\" is not known");
	expect_answer("--webhook-tls-cipher-suites=TLS_AES_128_GCM_SHA256,ECDHE-RSA-AES128-SHA",
		      "--webhook-tls-cipher-suites: TLS cipher suite \"ECDHE-RSA-AES128-SHA\" is not known");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suites_have_the_names_that_go_gives_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
