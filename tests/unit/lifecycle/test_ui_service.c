/* The web UI's Service: names, ports, labels, when there is none, and what the status says of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "parse.h"
#include "ui_service.h"

#define X20 "xxxxxxxxxxxxxxxxxxxx"

static struct app app_of(const struct json *tree)
{
	return (struct app){ .tree = tree, .ns = "jobs", .name = "pi", .uid = "u-1" };
}

static struct json *service_of(const char *spec)
{
	auto_free char *text = xasprintf("{\"spec\": %s}", spec);
	auto_json tree = parse(text);
	const struct app app = app_of(tree);

	return ui_service_build(&app, "s-1");
}

/* The long ones are what kubeflow's generateName makes of them. */
static void names(void **state)
{
	static const char *const rows[][2] = {
		{ "test-app", "test-app-ui-svc" },
		{ X20 X20 "xxxxxxxxxxxxxxxx", X20 X20 "xxxxxxxxxxxxxxxx-ui-svc" }, /* 63 */
		{ X20 X20 X20, X20 X20 "xxxxxxx-3cac74c9-ui-svc" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *name = ui_service_name(rows[i][0]);

		assert_string_equal(name, rows[i][1]);
		assert_true(strlen(name) <= 63);
	}
}

static void plain(void **state)
{
	auto_json got = service_of("{}");
	auto_json want = parse(JSON({
		"apiVersion" : "v1",
		"kind" : "Service",
		"metadata" : {
			"name" : "pi-ui-svc",
			"namespace" : "jobs",
			"labels" : {
				"sparkoperator.k8s.io/app-name" : "pi",
				"sparkoperator.k8s.io/submission-id" : "s-1",
				"sparkoperator.k8s.io/created-by-spark-operator" : "true"
			},
			"ownerReferences" : [ {
				"apiVersion" : "sparkoperator.k8s.io/v1beta2",
				"kind" : "SparkApplication",
				"name" : "pi",
				"uid" : "u-1",
				"controller" : true,
				"blockOwnerDeletion" : true
			} ]
		},
		"spec" : {
			"type" : "ClusterIP",
			"selector" : { "sparkoperator.k8s.io/app-name" : "pi", "spark-role" : "driver" },
			"ports" : [ {
				"name" : "spark-driver-ui-port",
				"protocol" : "TCP",
				"port" : 4040,
				"targetPort" : 4040
			} ]
		}
	}));
	auto_json diff = json_merge_diff(want, got);

	(void)state;
	if (diff) {
		auto_free char *text = json_print_pretty(diff);

		fail_msg("%s", text);
	}
}

static void all_options(void **state)
{
	auto_json got = service_of(JSON({
		"sparkConf" : { "spark.ui.port" : "4041" },
		"sparkUIOptions" : {
			"servicePort" : 8088,
			"servicePortName" : "web",
			"serviceType" : "NodePort",
			"serviceAnnotations" : { "a" : "b" },
			"serviceLabels" : { "tier" : "ui", "sparkoperator.k8s.io/app-name" : "other" }
		}
	}));
	const struct json *labels = json_at(got, "metadata.labels"), *port = json_first(json_at(got, "spec.ports"));

	(void)state;
	assert_string_equal(json_str(labels, "tier", ""), "ui");
	assert_string_equal(json_text(json_get(labels, LABEL_APP_NAME), ""), "pi");
	assert_string_equal(json_text(json_get(labels, LABEL_SUBMISSION_ID), ""), "s-1");
	assert_string_equal(json_text(json_get(labels, LABEL_CREATED_BY), ""), "true");
	assert_string_equal(json_str(got, "metadata.annotations.a", ""), "b");
	assert_string_equal(json_str(got, "spec.type", ""), "NodePort");
	assert_string_equal(json_str(port, "name", ""), "web");
	assert_int_equal(json_i64(port, "port", 0), 8088);
	assert_int_equal(json_i64(port, "targetPort", 0), 4041);
}

static void ports(void **state)
{
	static const struct {
		const char *spec;
		int64_t port, target;
	} rows[] = {
		{ JSON({ "sparkConf" : { "spark.ui.port" : "4041" } }), 4041, 4041 },
		{ JSON({ "sparkConf" : { "spark.ui.port" : "4041" }, "sparkUIOptions" : null }), 4041, 4041 },
		{ JSON({ "sparkConf" : { "spark.ui.port" : "4041" }, "sparkUIOptions" : {} }), 4040, 4041 },
		{ JSON({ "sparkUIOptions" : { "servicePort" : 80 } }), 80, 4040 },
		{ JSON({ "sparkConf" : { "spark.ui.port" : "web" } }), 4040, 4040 },
		{ JSON({ "sparkConf" : { "spark.ui.port" : "0" } }), 4040, 4040 },
		{ JSON({ "sparkConf" : { "spark.ui.port" : "65536" } }), 4040, 4040 },
		{ JSON({ "sparkConf" : { "spark.ui.port" : "65535" } }), 65535, 65535 },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_json got = service_of(rows[i].spec);
		const struct json *port = json_first(json_at(got, "spec.ports"));

		assert_int_equal(json_i64(port, "port", 0), rows[i].port);
		assert_int_equal(json_i64(port, "targetPort", 0), rows[i].target);
	}
}

static void none_without_ui(void **state)
{
	auto_json on = service_of(JSON({ "sparkConf" : { "spark.ui.enabled" : "true" } }));

	(void)state;
	assert_non_null(on);
	assert_null(service_of("{\"sparkConf\": {\"spark.ui.enabled\": \"false\"}}"));
	assert_null(service_of("{\"sparkConf\": {\"spark.ui.enabled\": \"False\"}}"));
}

static void told(void **state)
{
	auto_json tree = parse(JSON({ "spec" : { "sparkUIOptions" : { "servicePort" : 80 } } }));
	const struct app app = app_of(tree);
	auto_json info = parse(JSON({ "podName" : "pi-driver" }));
	auto_json headless = json_new_object();

	(void)state;
	ui_service_report(&app, "10.0.0.1", info);
	assert_string_equal(json_str(info, "podName", ""), "pi-driver");
	assert_string_equal(json_str(info, "webUIServiceName", ""), "pi-ui-svc");
	assert_string_equal(json_str(info, "webUIAddress", ""), "10.0.0.1:80");
	assert_int_equal(json_i64(info, "webUIPort", 0), 80);
	ui_service_report(&app, "", headless);
	assert_string_equal(json_str(headless, "webUIServiceName", ""), "pi-ui-svc");
	assert_null(json_get(headless, "webUIAddress"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names), cmocka_unit_test(plain),	    cmocka_unit_test(all_options),
		cmocka_unit_test(ports), cmocka_unit_test(none_without_ui), cmocka_unit_test(told),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
