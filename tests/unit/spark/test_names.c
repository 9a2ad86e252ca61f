/* Names of a run: forms, determinism, and the rules of Spark for odd application names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "spark/app.h"
#include "spark/names.h"
#include "json_text.h"
#include "parse.h"

#define ID "0000000000000001"

static struct app app_of(const char *name, const char *uid)
{
	return (struct app){ .name = name, .uid = uid };
}

/* The first five rows are what spark-submit 3.5.6 made of these names. */
static void prefixes_follow_spark(void **state)
{
	static const struct {
		const char *name;
		const char *prefix;
	} rows[] = {
		{ "My App", "my-app-" ID },
		{ "A.B_c", "a-b-c-" ID },
		{ "  99 Überjob__v1.2 (test)--x-  ", "x9-berjob-v1-2-test-x-" ID },
		{ "123", "x23-" ID },
		{ "---", "x000000000000001" },
		{ "日本", "x000000000000001" },
		{ "pi", "pi-" ID },
		{ "", "x000000000000001" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *prefix = names_prefix(rows[i].name, ID);

		assert_string_equal(prefix, rows[i].prefix);
	}
}

static void labels_follow_spark(void **state)
{
	static const struct {
		const char *name;
		const char *label;
	} rows[] = {
		{ "  99 Überjob__v1.2 (test)--x-  ", "99-berjob-v1-2-test-x" },
		{ "An Extremely Long Application Name That Goes Beyond The Limits Of Kubernetes Names",
		  "an-extremely-long-application-name-that-goes-beyond-the-limits" },
		{ "日本", "" },
		{ "-", "" },
		{ "123", "123" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *label = names_app_label(rows[i].name);

		assert_string_equal(label, rows[i].label);
	}
}

static bool is_hex(const char *text, size_t len)
{
	return strspn(text, "0123456789abcdef") >= len;
}

static void forms(void **state)
{
	const struct app app = app_of("pi", "u-1");
	struct app_names n;

	(void)state;
	app_names_init(&n, &app, 1);
	assert_int_equal(strlen(n.submission_id), 36);
	assert_true(n.submission_id[8] == '-' && n.submission_id[13] == '-' && n.submission_id[14] == '8');
	assert_non_null(strchr("89ab", n.submission_id[19]));
	assert_int_equal(strlen(n.app_id), strlen("spark-") + 32);
	assert_true(text_starts(n.app_id, "spark-") && is_hex(n.app_id + 6, 32));
	assert_true(text_starts(n.prefix, "pi-") && is_hex(n.prefix + 3, 16));
	assert_string_equal(n.driver_pod, "pi-driver");
	assert_true(text_starts(n.service, n.prefix) && text_ends(n.service, "-driver-svc"));
	assert_true(text_starts(n.configmap, "spark-drv-") && text_ends(n.configmap, "-conf-map"));
	assert_true(text_starts(n.local_dir, "/var/data/spark-"));
	app_names_done(&n);
	assert_null(n.service);
	app_names_done(&n);
}

/* With 16 digits a name of 35 letters fits, one of 36 does not. */
static void long_names_get_short_services(void **state)
{
	const struct app fits = app_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "u-1");
	const struct app too_long = app_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "u-1");
	struct app_names n;

	(void)state;
	app_names_init(&n, &fits, 1);
	assert_int_equal(strlen(n.service), 63);
	assert_true(text_starts(n.service, "aaa"));
	app_names_done(&n);
	app_names_init(&n, &too_long, 1);
	assert_true(text_starts(n.service, "spark-") && text_ends(n.service, "-driver-svc"));
	assert_int_equal(strlen(n.service), strlen("spark-") + 16 + strlen("-driver-svc"));
	app_names_done(&n);
}

static void a_service_is_found_by_the_hash_of_its_spec(void **state)
{
	static const char *const others[] = { "",
					      "v1-",
					      "v1",
					      "-",
					      "v2-0123456789abcdef",
					      "v1-0123456789abcde",
					      "v1-0123456789abcdef0",
					      "v1-0123456789ABCDEF",
					      "x1-0123456789abcdef" };
	const struct app apps[] = { app_of("pi", "u-1"), app_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "u-1") };

	(void)state;
	for (size_t i = 0; i < array_len(apps); i++) {
		auto_free char *service = NULL, *of_next_run = NULL;
		struct app_names n;

		app_names_init(&n, &apps[i], 7);
		service = app_names_service(&apps[i], 7, n.spec_hash);
		of_next_run = app_names_service(&apps[i], 8, n.spec_hash);
		assert_string_equal(service, n.service);
		assert_string_not_equal(of_next_run, n.service);
		app_names_done(&n);
	}
	for (size_t i = 0; i < array_len(others); i++)
		assert_null(app_names_service(&apps[0], 7, others[i]));
}

/* These texts are in clusters: a change of the hash would make a second driver of a run that is under way. */
static void the_same_in_every_version(void **state)
{
	static const char text[] = JSON({
		"spec" : {
			"driver" : { "cores" : 1, "coreLimit" : "1200m" },
			"arguments" : [ "a", "b" ],
			"deps" : {},
			"suspend" : false
		}
	});
	auto_json tree = parse(text);
	struct app app = app_of("orders", "2f1a7b0c-9d3e-4c55-8a61-0123456789ab");
	struct app_names n;

	(void)state;
	app.tree = tree;
	app_names_init(&n, &app, 1);
	assert_string_equal(n.submission_id, "11dd7cf2-8483-8167-9deb-000000000001");
	assert_string_equal(n.app_id, "spark-3b9a47930425630ffb87c12efa732c38");
	assert_string_equal(n.prefix, "orders-3b366f9fc53e674a");
	app_names_done(&n);
}

static void runs_and_applications_differ(void **state)
{
	const struct app app = app_of("pi", "u-1"), other = app_of("pi", "u-2"), none = app_of(NULL, NULL);
	struct app_names a, b, c, d;

	(void)state;
	app_names_init(&a, &app, 1);
	app_names_init(&b, &app, 2);
	app_names_init(&c, &other, 1);
	app_names_init(&d, &none, 1);
	assert_string_not_equal(a.submission_id, b.submission_id);
	assert_string_not_equal(a.app_id, b.app_id);
	assert_string_not_equal(a.configmap, b.configmap);
	assert_string_not_equal(a.service, c.service);
	assert_string_equal(a.driver_pod, b.driver_pod);
	assert_string_equal(d.driver_pod, "-driver");
	app_names_done(&a);
	app_names_done(&b);
	app_names_done(&c);
	app_names_done(&d);
}

static char *id_of(const char *spec)
{
	auto_free char *text = xasprintf("{\"spec\":%s}", spec);
	auto_json tree = parse(text);
	struct app app = app_of("pi", "u-1");
	struct app_names n;
	char *id;

	app.tree = tree;
	app_names_init(&n, &app, 7);
	id = take_ptr(n.submission_id);
	app_names_done(&n);
	return id;
}

static void specs_differ(void **state)
{
	static const struct {
		const char *spec;
		bool is_same;
	} rows[] = {
		{ JSON({ "arguments" : [ "1", "2" ], "driver" : { "memory" : "1g", "cores" : 1 } }), true },
		{ JSON({ "driver" : { "cores" : 1, "memory" : "1g" }, "arguments" : [ "1", "2" ] }), true },
		{ JSON({
			  "suspend" : true,
			  "timeToLiveSeconds" : 9,
			  "driver" : { "cores" : 1, "memory" : "1g" },
			  "arguments" : [ "1", "2" ]
		  }),
		  true },
		{ JSON({ "deps" : null, "driver" : { "cores" : 1, "memory" : "1g" }, "arguments" : [ "1", "2" ] }),
		  true },
		{ JSON({ "arguments" : [ "2", "1" ], "driver" : { "memory" : "1g", "cores" : 1 } }), false },
		{ JSON({ "arguments" : [ "1", "2" ], "driver" : { "memory" : "1g", "cores" : 2 } }), false },
		{ JSON({ "arguments" : [ "1", "2" ], "driver" : { "memory" : "2g", "cores" : 1 } }), false },
		{ JSON({ "arguments" : [ "1", "2" ], "executor" : { "memory" : "1g", "cores" : 1 } }), false },
		{ JSON({ "arguments" : ["12"], "driver" : { "memory" : "1g", "cores" : 1 } }), false },
		{ JSON({ "arguments" : [ 1, 2 ], "driver" : { "memory" : "1g", "cores" : 1 } }), false },
		{ JSON({}), false },
		{ JSON([ "1", "2" ]), false },
		{ "7", false },
	};
	auto_free char *first = id_of(rows[0].spec);

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *id = id_of(rows[i].spec);

		if (text_eq(id, first) != rows[i].is_same)
			fail_msg("%s: %s, the first has %s", rows[i].spec, id, first);
	}
}

static void submission_ids_tell_the_run(void **state)
{
	static const struct {
		const char *id;
		int64_t run;
	} rows[] = {
		{ "66d374e7-d714-819b-a5f7-000000000001", 1 },
		{ "66d374e7-d714-819b-a5f7-0000ffffffff", 0xffffffff },
		{ "66d374e7-d714-819b-a5f7-000100000000", 0 }, /* no run is that far */
		{ "66d374e7-d714-8f9b-a5f7-1d63c9697588", 0 }, /* of an earlier version */
		{ "66d374e7-d714-4f9b-a5f7-000000000001", 0 }, /* a random one, of kubeflow's operator */
		{ "66d374e7-d714-819b-a5f7-0000000000012", 0 },
		{ "66d374e7-d714-819b-a5f7-00000000000", 0 },
		{ "66d374e7-d714-819b-a5f7-00000000000g", 0 },
		{ "", 0 },
		{ NULL, 0 },
	};
	const struct app app = app_of("pi", "u-1");
	struct app_names n;

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		assert_int_equal(names_run(rows[i].id), rows[i].run);
	app_names_init(&n, &app, 12345678);
	assert_int_equal(names_run(n.submission_id), 12345678);
	app_names_done(&n);
}

static void given_pod_names(void **state)
{
	static const char both[] = JSON({
		"spec" :
		    { "driver" : { "podName" : "mine" },
		      "sparkConf" : { "spark.kubernetes.driver.pod.name" : "conf" } }
	});
	static const char conf[] = JSON({
		"spec" :
		    { "driver" : { "podName" : "" }, "sparkConf" : { "spark.kubernetes.driver.pod.name" : "conf" } }
	});
	struct err err;
	auto_json tree = json_parse(both, strlen(both), &err);
	auto_json other = json_parse(conf, strlen(conf), &err);
	struct app app = app_of("pi", "u-1");
	struct app_names n;

	(void)state;
	app.tree = tree;
	app_names_init(&n, &app, 1);
	assert_string_equal(n.driver_pod, "mine");
	app_names_done(&n);
	app.tree = other;
	app_names_init(&n, &app, 1);
	assert_string_equal(n.driver_pod, "conf");
	app_names_done(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_follow_spark),
		cmocka_unit_test(labels_follow_spark),
		cmocka_unit_test(forms),
		cmocka_unit_test(long_names_get_short_services),
		cmocka_unit_test(a_service_is_found_by_the_hash_of_its_spec),
		cmocka_unit_test(the_same_in_every_version),
		cmocka_unit_test(runs_and_applications_differ),
		cmocka_unit_test(specs_differ),
		cmocka_unit_test(submission_ids_tell_the_run),
		cmocka_unit_test(given_pod_names),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
