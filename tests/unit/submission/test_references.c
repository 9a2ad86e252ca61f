/*
 * References between properties (org.apache.spark.internal.config.ConfigReader), and the user's name of a principal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "build.h"
#include "parse.h"
#include "spark/conf.h"

static void resolved(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{ "${spark.a}", "1" },
		{ "x${spark.a}y${spark.b}", "x1y2-1" },
		{ "${spark.b}", "2-1" }, /* which refers to another */
		{ "${spark.none}", "${spark.none}" },
		{ "${spark.none}${spark.a}", "${spark.none}1" },
		{ "${env:HOME} ${spark.a}", "${env:HOME} 1" },
		{ "${spark.a", "${spark.a" },
		{ "${spark.a b} ${}", "${spark.a b} ${}" },
		{ "$${spark.a}", "$1" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_json conf = parse(JSON({ "spark.a" : "1", "spark.b" : "2-${spark.a}" }));
		auto_json written = NULL;

		json_set_str(conf, "spark.local.dir", rows[i].text);
		written = references_resolve(conf);
		assert_string_equal(conf_get(conf, "spark.local.dir", ""), rows[i].want);
		references_restore(conf, written);
		assert_string_equal(conf_get(conf, "spark.local.dir", ""), rows[i].text);
		assert_string_equal(conf_get(conf, "spark.b", ""), "2-${spark.a}");
	}
}

/* What Spark reads by prefix, and a circle, which no depth ends. */
static void left_alone(void **state)
{
	auto_json conf = parse(JSON({
		"spark.a" : "${spark.c}",
		"spark.c" : "${spark.a}",
		"spark.kubernetes.driver.label.x" : "${spark.app.id}",
		"spark.app.id" : "i",
		"spark.kubernetes.driverEnv.X" : "${spark.app.id}"
	}));
	auto_json written = references_resolve(conf);
	auto_json plain = parse(JSON({ "spark.a" : "$1 {x}" }));

	(void)state;
	assert_string_equal(conf_get(conf, "spark.kubernetes.driver.label.x", ""), "${spark.app.id}");
	assert_string_equal(conf_get(conf, "spark.kubernetes.driverEnv.X", ""), "${spark.app.id}");
	assert_int_equal(json_len(written), 2);
	assert_null(references_resolve(plain));
}

static void user_names(void **state)
{
	static const struct {
		const char *principal;
		size_t len;
	} rows[] = {
		{ "bob", 3 },	   { "bob@EXAMPLE.COM", 3 }, { "bob/host@EXAMPLE.COM", 3 },
		{ "bob/host", 3 }, { "../../etc", 9 },	     { "@REALM", 0 },
		{ "bob@", 0 },	   { "a@b@c", 0 },	     { "a/b/c@REALM", 0 },
		{ "/x", 2 },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		assert_int_equal(conf_user_len(rows[i].principal), rows[i].len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolved),
		cmocka_unit_test(left_alone),
		cmocka_unit_test(user_names),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
