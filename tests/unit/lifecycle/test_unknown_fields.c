/* What is made of the API server's words for fields that it does not know, whatever these are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/text.h"
#include "parse.h"
#include "unknown_fields.h"

#define STRICT                                                                                                         \
	"create pods a/b: 400 BadRequest: Pod in version \"v1\" cannot be handled as a Pod: strict decoding error: "

static const char spec[] = "{'metadata':{'name':'x'},'spec':{'driver':{'env':[{'name':'A','valeu':'a'}],"
			   "'securityContext':{'zzz':1},'podSecurityContext':{'zzz':1}},"
			   "'executor':{'env':[{'name':'A','valeu':'a'}],'lifecycle':{'postStat':{}}}}}";

static void translate(struct failure *f, const char *message)
{
	auto_json tree = parse_quoted(spec);
	const struct app app = { .tree = tree, .name = "x" };

	err_set(&f->err, ERR_INVALID, "%s", message);
	unknown_fields_translate(f, &app);
}

static void of_the_driver(void **state)
{
	static const char *const rows[][2] = {
		{ STRICT "unknown field \"spec.containers[0].env[3].valeu\"",
		  "spec.driver.env[0].valeu: unknown field: did you mean value?; the API server does not know "
		  "spec.containers[0].env[3].valeu of the driver pod" },
		/* There is no such field, so nobody knows where it is from. */
		{ STRICT "unknown field \"spec.lifecycle.postStat\"",
		  "spec.driver: unknown field; the API server does not know spec.lifecycle.postStat of the driver "
		  "pod" },
		{ STRICT "unknown field \"\"",
		  "spec.driver: unknown field; the API server does not know  of the driver pod" },
		/* Cut off within the second path. */
		{ STRICT "unknown field \"spec.containers[0].env[3].valeu\", unknown field \"spec.cont",
		  "spec.driver.env[0].valeu: unknown field: did you mean value?; the API server does not know "
		  "spec.containers[0].env[3].valeu of the driver pod" },
		/* The nearest first, and none twice. */
		{ STRICT "unknown field \"spec.containers[0].securityContext.zzz\", unknown field "
			 "\"spec.securityContext.zzz\"",
		  "spec.driver.securityContext.zzz: unknown field; the API server does not know "
		  "spec.containers[0].securityContext.zzz of the driver pod\n"
		  "spec.driver.podSecurityContext.zzz: unknown field; the API server does not know "
		  "spec.securityContext.zzz of the driver pod" },
		{ STRICT "duplicate field \"spec.x\"", STRICT "duplicate field \"spec.x\"" },
		{ STRICT, STRICT },
		{ "unknown field \"spec.x\"", "unknown field \"spec.x\"" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct failure f = { .type = ACTION_CREATE, .res = &resource_pod };

		translate(&f, rows[i][0]);
		assert_string_equal(f.err.msg, rows[i][1]);
		assert_int_equal(f.err.code, ERR_INVALID);
	}
}

static void of_an_executor(void **state)
{
	struct failure f = { .type = ACTION_REHEARSE, .res = &resource_pod };

	(void)state;
	translate(&f, STRICT "unknown field \"spec.containers[0].lifecycle.postStat\"");
	assert_string_equal(f.err.msg,
			    "spec.executor.lifecycle.postStat: unknown field: did you mean postStart?; the API server "
			    "does not know spec.containers[0].lifecycle.postStat of the executor pod");
	assert_true(failure_is_refusal(&f));
}

static void of_other_objects(void **state)
{
	struct failure f = { .type = ACTION_CREATE, .res = &resource_service };

	(void)state;
	translate(&f, STRICT "unknown field \"spec.env[0].valeu\"");
	assert_string_equal(f.err.msg, STRICT "unknown field \"spec.env[0].valeu\"");
}

/* Arguments may be as many as an object has room for, and the operator does nothing else meanwhile. */
static void many_arguments(void **state)
{
	struct failure f = { .type = ACTION_CREATE, .res = &resource_pod };
	auto_json tree = parse_quoted(spec);
	const struct app app = { .tree = tree, .name = "x" };
	struct json *arguments = json_ensure_array(json_get(tree, "spec"), "arguments");
	auto_buf text = { .max = ERR_MSG_SIZE };
	clock_t begin;

	(void)state;
	for (int i = 0; i < 300000; i++)
		json_append_str(arguments, "");
	buf_puts(&text, STRICT);
	for (int i = 0; i < 20; i++)
		buf_printf(&text, "unknown field \"spec.zz%d\", ", i);
	err_set(&f.err, ERR_INVALID, "%s", buf_str(&text));
	begin = clock();
	unknown_fields_translate(&f, &app);
	assert_true(clock() - begin < CLOCKS_PER_SEC);
	assert_non_null(strstr(f.err.msg, "spec.driver: unknown field"));
}

static void who_is_asked_about(void **state)
{
	static const struct {
		const char *spec;
		bool in_executors;
	} rows[] = {
		{ "{'driver':{'env':[{'valeu':'a'}]},'executor':{}}", false },
		{ "{'executor':{'env':[{'valeu':'a'}]}}", true },
		{ "{'volumes':[{'name':'a','floppy':{}}]}", true },
		{ "{'executor':{'zzz':1},'zzz':1}", false }, /* unknown to the CRD, so nothing comes of it */
		{ "{}", false },
		{ "[]", false },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_json tree = json_new_object();
		const struct app app = { .tree = tree };

		json_set(tree, "spec", parse_quoted(rows[i].spec));
		assert_int_equal(unknown_fields_in_executors(&app), rows[i].in_executors);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_the_driver),      cmocka_unit_test(of_an_executor),
		cmocka_unit_test(of_other_objects),   cmocka_unit_test(many_arguments),
		cmocka_unit_test(who_is_asked_about),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
