/* Ingresses: URLs of a format, options of the operator, the objects themselves, and when there are which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "parse.h"
#include "lifecycle/companions.h"
#include "spark/ui_url.h"

#define X20 "xxxxxxxxxxxxxxxxxxxx"

static struct app app_of(const struct json *tree)
{
	return (struct app){ .tree = tree, .ns = "jobs", .name = "pi", .uid = "u-1" };
}

static void expect_equal(const struct json *got, const char *text)
{
	auto_json want = parse(text);
	auto_json diff = json_merge_diff(want, got);
	auto_free char *shown = diff ? json_print_pretty(diff) : NULL;

	if (diff)
		fail_msg("%s", shown);
}

/* The long one is what kubeflow's generateName makes of it. */
static void names(void **state)
{
	static const char *const rows[][2] = {
		{ "test-app", "test-app-ui-ingress" },
		{ X20 X20 X20, X20 X20 "xxx-b53ef974-ui-ingress" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *name = ingress_ui_name(rows[i][0]);

		assert_string_equal(name, rows[i][1]);
		assert_true(strlen(name) <= 63);
	}
}

static void urls(void **state)
{
	static const struct {
		const char *format, *text, *host, *path, *base;
	} rows[] = {
		{ "{{$appName}}.example.com", "http://pi.example.com", "pi.example.com", "", "" },
		{ "{{ $appName\t}}.{{ $appNamespace }}.x", "http://pi.jobs.x", "pi.jobs.x", "", "" },
		{ "https://x.example.com/{{$appNamespace}}/{{$appName}}", "https://x.example.com/jobs/pi",
		  "x.example.com", "/jobs/pi", "/jobs/pi" },
		{ "x.example.com/{{$appId}}", "http://x.example.com/spark-1", "x.example.com", "/spark-1", "/spark-1" },
		{ "x.example.com/", "http://x.example.com/", "x.example.com", "/", "" },
		{ "x.example.com/a/", "http://x.example.com/a/", "x.example.com", "/a/", "/a" },
		{ "https://x.example.com:8443/a?b=/c#d", "https://x.example.com:8443/a?b=/c#d", "x.example.com", "/a",
		  "/a" },
		{ "http://u:p@x.example.com", "http://u:p@x.example.com", "x.example.com", "", "" },
		{ "http://[::1]:80/a", "http://[::1]:80/a", "[::1]", "/a", "/a" },
		{ "/{{$appName}}", "http:///pi", "", "/pi", "/pi" },
		{ "*.example.com?a", "http://*.example.com?a", "*.example.com", "", "" },
		{ "", "http://", "", "", "" },
		{ "x.example.com/s/{{$appName}}(/|$)(.*)", "http://x.example.com/s/pi", "x.example.com", "/s/pi",
		  "/s/pi" },
		{ "https://x.example.com/{{$appName}}/(.*)?a", "https://x.example.com/pi/", "x.example.com", "/pi/",
		  "/pi" },
		{ "x.example.com/a?b=(c)", "http://x.example.com/a?b=(c)", "x.example.com", "/a", "/a" },
	};
	const struct app app = app_of(NULL);

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct ui_url u;

		assert_null(ui_url_check_format(rows[i].format));
		ui_url_init(&u, rows[i].format, &app, "spark-1");
		assert_string_equal(u.text, rows[i].text);
		assert_string_equal(u.host, rows[i].host);
		assert_string_equal(u.path, rows[i].path);
		assert_string_equal(u.base, rows[i].base);
		ui_url_done(&u);
	}
}

static void bad_formats(void **state)
{
	static const char *const rows[] = {
		"{{$name}}.example.com",
		"{$appName}",
		"{{appName}}",
		"{{$appName}.x",
		"{{$appName",
		"a b",
		"a\nb",
		"}}",
		"{{$appNames}}",
		"{{$appName }x",
		"{{$appName}} ",
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		if (!ui_url_check_format(rows[i]))
			fail_msg("\"%s\" is taken", rows[i]);
}

#define METADATA(name)                                                                                                 \
	"\"name\": \"" name "\", \"namespace\": \"jobs\", \"labels\": {"                                               \
	"\"sparkoperator.k8s.io/app-name\": \"pi\", \"sparkoperator.k8s.io/submission-id\": \"s-1\"},"                 \
	"\"ownerReferences\": [{\"apiVersion\": \"sparkoperator.k8s.io/v1beta2\","                                     \
	"\"kind\": \"SparkApplication\", \"name\": \"pi\", \"uid\": \"u-1\","                                          \
	"\"controller\": true, \"blockOwnerDeletion\": true}]"
#define INGRESS "\"apiVersion\": \"networking.k8s.io/v1\", \"kind\": \"Ingress\""
#define BACKEND(name, port)                                                                                            \
	"\"pathType\": \"ImplementationSpecific\", \"backend\": {\"service\": {"                                       \
	"\"name\": \"" name "\", \"port\": {\"number\": " port "}}}"

static void ui_of_host(void **state)
{
	struct ingress_options o = { .url_format = "{{$appName}}.example.com" };
	auto_json tree = parse(JSON({ "spec" : {} }));
	const struct app app = app_of(tree);
	auto_json got = ingress_ui_build(&app, "s-1", "spark-1", &o);

	(void)state;
	expect_equal(got, "{" INGRESS ", \"metadata\": {" METADATA(
			      "pi-ui-ingress") "}, \"spec\": {\"rules\": ["
					       "{\"host\": \"pi.example.com\", \"http\": {\"paths\": [{" BACKEND(
						   "pi-ui-svc", "4040") "}]}}]}}");
}

static void ui_of_path(void **state)
{
	auto_json tls = parse(JSON([ { "hosts" : ["x.example.com"], "secretName" : "cert" } ]));
	auto_json annotations = parse(JSON({ "cert-manager.io/issuer" : "main" }));
	const struct ingress_options o = { "https://x.example.com/{{$appName}}", "nginx", tls, annotations };
	auto_json tree = parse(JSON({ "spec" : { "sparkUIOptions" : { "servicePort" : 80 } } }));
	const struct app app = app_of(tree);
	auto_json got = NULL;
	auto_json info = json_new_object();

	(void)state;
	got = ingress_ui_build(&app, "s-1", "spark-1", &o);
	expect_equal(got, "{" INGRESS ", \"metadata\": {" METADATA(
			      "pi-ui-ingress") ", \"annotations\": {\"cert-manager.io/issuer\": \"main\","
					       "\"nginx.ingress.kubernetes.io/rewrite-target\": \"/$2\"}}, \"spec\": {"
					       "\"ingressClassName\": \"nginx\","
					       "\"tls\": [{\"hosts\": [\"x.example.com\"], \"secretName\": \"cert\"}],"
					       "\"rules\": [{\"host\": \"x.example.com\", \"http\": {\"paths\": ["
					       "{\"path\": \"/pi(/|$)(.*)\", " BACKEND("pi-ui-svc", "80") "}]}}]}}");
	ingress_ui_report(&app, "spark-1", &o, info);
	expect_equal(
	    info, JSON({ "webUIIngressName" : "pi-ui-ingress", "webUIIngressAddress" : "https://x.example.com/pi" }));
	assert_int_equal(json_len(annotations), 1);
}

/* A format that is a pattern already is not made one again, and its groups are rewritten as the user says. */
static void ui_of_pattern(void **state)
{
	static const struct {
		const char *format, *annotation, *path, *rewrite;
	} rows[] = {
		{ "x/{{$appName}}(/|$)(.*)", NULL, "/pi(/|$)(.*)", "/$2" },
		{ "x/{{$appName}}(/|$)(.*)", "/ui/$2", "/pi(/|$)(.*)", "/ui/$2" },
		{ "x/{{$appName}}/(.*)", "/$1", "/pi/(.*)", "/$1" },
		{ "x/{{$appName}}/(.*)", NULL, "/pi/(.*)", "" },
		{ "x/{{$appName}}", "/$1", "/pi(/|$)(.*)", "/$2" },
	};
	const struct app app = app_of(NULL);

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_json annotations = json_new_object();
		const struct ingress_options o = { rows[i].format, NULL, NULL, annotations };
		auto_json got = NULL;
		const struct json *rule;

		json_set_str(annotations, "nginx.ingress.kubernetes.io/rewrite-target", rows[i].annotation);
		got = ingress_ui_build(&app, "s-1", "spark-1", &o);
		rule = json_first(json_at(got, "spec.rules"));
		assert_string_equal(json_str(json_first(json_at(rule, "http.paths")), "path", ""), rows[i].path);
		assert_string_equal(json_text(json_get(json_at(got, "metadata.annotations"),
						       "nginx.ingress.kubernetes.io/rewrite-target"),
					      ""),
				    rows[i].rewrite);
	}
}

/* What the application says of its own takes the place of the operator's, empty or not given does not. */
static void own_options(void **state)
{
	static const struct {
		const char *ui, *annotation, *secret;
	} rows[] = {
		{ "{}", "common", "common" },
		{ JSON({ "ingressAnnotations" : {}, "ingressTLS" : [] }), "common", "common" },
		{ JSON({ "ingressAnnotations" : { "a" : "own" } }), "own", "common" },
		{ JSON({ "ingressTLS" : [ { "secretName" : "own" } ] }), "common", "own" },
	};
	auto_json tls = parse(JSON([ { "secretName" : "common" } ]));
	auto_json annotations = parse(JSON({ "a" : "common" }));
	const struct ingress_options o = { "{{$appName}}.x", NULL, tls, annotations };

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *text = xasprintf("{\"spec\": {\"sparkUIOptions\": %s}}", rows[i].ui);
		auto_json tree = parse(text);
		const struct app app = app_of(tree);
		auto_json got = ingress_ui_build(&app, "s-1", "spark-1", &o);

		assert_string_equal(json_str(got, "metadata.annotations.a", ""), rows[i].annotation);
		assert_string_equal(json_str(json_first(json_at(got, "spec.tls")), "secretName", ""), rows[i].secret);
	}
}

static const char ports[] = JSON({
	"spec" : {
		"driverPodDisruptionBudget" : true,
		"driverIngressOptions" : [
			{
				"servicePort" : 8888,
				"servicePortName" : "notebook",
				"serviceType" : "NodePort",
				"serviceLabels" : { "tier" : "n" },
				"serviceAnnotations" : { "a" : "b" },
				"ingressURLFormat" : "{{$appName}}.x/notebook"
			},
			{ "servicePort" : 9090 }, { "ingressURLFormat" : "y" }
		]
	}
});

static struct json *build_all(const struct app *app, const struct companions_options *o)
{
	const struct companions_site site = { app, "s-1", "spark-1", "pi-driver", *o };
	struct json *out = json_new_array();
	auto_companions all = { 0 };

	companions_list(&all, &site);
	for (size_t i = 0; i < all.len; i++) {
		struct json *object = json_append(out, companions_build(&site, &all.items[i]));

		assert_string_equal(json_str(object, "kind", ""), all.items[i].res->kind);
		assert_string_equal(json_str(object, "metadata.name", ""), all.items[i].name);
	}
	return out;
}

static const struct json *named(const struct json *objects, const char *kind, const char *name)
{
	json_each (object, objects)
		if (text_eq(json_str(object, "kind", ""), kind) && text_eq(json_str(object, "metadata.name", ""), name))
			return object;
	fail_msg("no %s %s", kind, name);
	return NULL;
}

static void driver_ports(void **state)
{
	const struct ingress_options ingress = { 0 };
	const struct companions_options o = { .ingress = &ingress };
	auto_json tree = parse(ports);
	const struct app app = app_of(tree);
	auto_json got = build_all(&app, &o);

	(void)state;
	assert_int_equal(json_len(got), 3);
	expect_equal(
	    json_get(named(got, "Service", "pi-driver-8888"), "spec"), JSON({
		    "type" : "NodePort",
		    "selector" : { "sparkoperator.k8s.io/app-name" : "pi", "spark-role" : "driver" },
		    "ports" : [ { "name" : "notebook", "protocol" : "TCP", "port" : 8888, "targetPort" : 8888 } ]
	    }));
	expect_equal(json_at(named(got, "Service", "pi-driver-8888"), "metadata.labels"), JSON({
			     "tier" : "n",
			     "sparkoperator.k8s.io/app-name" : "pi",
			     "sparkoperator.k8s.io/submission-id" : "s-1",
			     "sparkoperator.k8s.io/created-by-spark-operator" : "true"
		     }));
	assert_string_equal(json_str(named(got, "Service", "pi-driver-8888"), "metadata.annotations.a", ""), "b");
	expect_equal(json_at(named(got, "Service", "pi-driver-9090"), "spec.ports"),
		     JSON([ { "name" : "driver-ing-9090", "protocol" : "TCP", "port" : 9090, "targetPort" : 9090 } ]));
	expect_equal(json_get(named(got, "Ingress", "pi-ing-8888"), "spec"),
		     "{\"rules\": [{\"host\": \"pi.x\", \"http\": {\"paths\": ["
		     "{\"path\": \"/notebook(/|$)(.*)\", " BACKEND("pi-driver-8888", "8888") "}]}}]}");
}

static void budget(void **state)
{
	const struct ingress_options ingress = { 0 };
	const struct companions_options o = { .ingress = &ingress, .driver_pdb = true };
	auto_json tree = parse(ports);
	const struct app app = app_of(tree);
	auto_json got = build_all(&app, &o);

	(void)state;
	assert_int_equal(json_len(got), 4);
	expect_equal(
	    named(got, "PodDisruptionBudget", "pi-driver"), JSON({
		    "apiVersion" : "policy/v1",
		    "kind" : "PodDisruptionBudget",
		    "metadata" : {
			    "name" : "pi-driver",
			    "namespace" : "jobs",
			    "labels" : {
				    "sparkoperator.k8s.io/app-name" : "pi",
				    "sparkoperator.k8s.io/launched-by-spark-operator" : "true"
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
			    "minAvailable" : 1,
			    "selector" :
				{ "matchLabels" : { "sparkoperator.k8s.io/app-name" : "pi", "spark-role" : "driver" } }
		    }
	    }));
}

static void budget_in_cache(void **state)
{
	auto_json tree = parse(JSON({
		"metadata" : {
			"name" : "pi-driver",
			"namespace" : "jobs",
			"uid" : "b-1",
			"labels" : { "sparkoperator.k8s.io/app-name" : "pi" },
			"ownerReferences" : [ { "uid" : "u-0" }, { "uid" : "u-1", "controller" : true } ]
		}
	}));
	auto_json bare = parse(JSON({ "metadata" : { "name" : "x" } }));
	auto_free char *index = driver_pdb_kind.index(tree);
	struct err err = { 0 };
	struct driver_pdb *pdb = driver_pdb_kind.view_new(tree, &err);

	(void)state;
	assert_string_equal(index, "jobs/pi");
	assert_string_equal(pdb->name, "pi-driver");
	assert_string_equal(pdb->ns, "jobs");
	assert_string_equal(pdb->uid, "b-1");
	assert_string_equal(pdb->owner_uid, "u-1");
	driver_pdb_kind.view_free(pdb);
	assert_null(driver_pdb_kind.index(bare));
	pdb = driver_pdb_kind.view_new(bare, &err);
	assert_string_equal(pdb->owner_uid, "");
	driver_pdb_kind.view_free(pdb);
}

/* Which there are, in which order. */
static void lists(void **state)
{
	static const struct {
		const char *spec;
		bool ui, pdb;
		const char *url, *want;
	} rows[] = {
		{ "{}", true, true, NULL, "services/pi-ui-svc" },
		{ "{}", true, false, "", "services/pi-ui-svc" },
		{ "{}", true, false, "x", "services/pi-ui-svc ingresses/pi-ui-ingress" },
		{ "{}", false, false, "x", "" },
		{ JSON({ "sparkConf" : { "spark.ui.enabled" : "false" } }), true, false, "x", "" },
		{ JSON({ "driverPodDisruptionBudget" : true }), false, true, NULL, "poddisruptionbudgets/pi-driver" },
		{ JSON({ "driverPodDisruptionBudget" : true }), false, false, NULL, "" },
		{ JSON({ "driverPodDisruptionBudget" : false }), false, true, NULL, "" },
		{ JSON({ "driverIngressOptions" : [ { "servicePort" : 1, "ingressURLFormat" : "x" } ] }), true, false,
		  NULL, "services/pi-ui-svc services/pi-driver-1 ingresses/pi-ing-1" },
		{ JSON({ "driverIngressOptions" : "x" }), false, false, NULL, "" },
		{ JSON({ "driverIngressOptions" : [ "x", {} ] }), false, false, NULL, "" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		const struct ingress_options ingress = { .url_format = rows[i].url };
		auto_free char *text = xasprintf("{\"spec\": %s}", rows[i].spec);
		auto_json tree = parse(text);
		const struct app app = app_of(tree);
		const struct companions_site site = {
			&app, "s-1", "spark-1", "pi-driver", { rows[i].ui, rows[i].pdb, &ingress }
		};
		auto_free char *got = xstrdup("");
		auto_companions all = { 0 };

		companions_list(&all, &site);
		for (size_t k = 0; k < all.len; k++) {
			auto_free char *before = take_ptr(got);

			got = xasprintf("%s%s%s/%s", before, k ? " " : "", all.items[k].res->plural, all.items[k].name);
		}
		assert_string_equal(got, rows[i].want);
	}
}

static void told(void **state)
{
	auto_json none = json_new_object();
	auto_json info = parse(JSON({ "webUIServiceName" : "other", "webUIIngressName" : "" }));
	const struct app app = app_of(NULL);

	(void)state;
	assert_false(companion_is_reported(&app, none, &resource_service, "pi-ui-svc"));
	assert_true(companion_is_reported(&app, info, &resource_service, "pi-ui-svc"));
	assert_false(companion_is_reported(&app, info, &resource_ingress, "pi-ui-ingress"));
	assert_false(companion_is_reported(&app, info, &resource_service, "pi-driver-1"));
	assert_false(companion_is_reported(&app, info, &resource_ingress, "pi-ui-svc"));
}

static void rests(void **state)
{
	static const struct {
		unsigned failures;
		int64_t ago_ms, want_ms;
	} rows[] = {
		{ 0, 0, 0 },
		{ 1, 0, 1000 },
		{ 1, 999, 1 },
		{ 1, 1000, 0 },
		{ 2, 0, 2000 },
		{ 9, 0, 256000 },
		{ 10, 0, 300000 },
		{ UINT32_MAX, 299999, 1 },
		{ 3, -5000, 4000 },
		{ 1, INT64_MAX, 0 },
		{ 50, INT64_MIN, 300000 },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		assert_int_equal(companions_rest_ms(rows[i].failures, rows[i].ago_ms), rows[i].want_ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),	   cmocka_unit_test(urls),	   cmocka_unit_test(bad_formats),
		cmocka_unit_test(ui_of_host),	   cmocka_unit_test(ui_of_path),   cmocka_unit_test(own_options),
		cmocka_unit_test(ui_of_pattern),   cmocka_unit_test(driver_ports), cmocka_unit_test(budget),
		cmocka_unit_test(budget_in_cache), cmocka_unit_test(lists),	   cmocka_unit_test(told),
		cmocka_unit_test(rests),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
