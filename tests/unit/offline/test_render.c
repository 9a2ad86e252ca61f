/* Offline rendering: what is printed, that it is the same every time, and what is said of what cannot be rendered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "json/yaml.h"
#include "offline/render.h"

#define SPEC                                                                                                           \
	"spec: {type: Scala, sparkVersion: 3.5.6, image: i, mainClass: C, mainApplicationFile: 'local:///a.jar', "     \
	"driver: {}, executor: {}}\n"
#define VERSION	      "apiVersion: sparkoperator.k8s.io/v1beta2\n"
#define APP(metadata) "---\n" VERSION "kind: SparkApplication\nmetadata: " metadata "\n" SPEC

static char path[] = "/tmp/test_render.XXXXXX";

struct result {
	int code;
	char *out;
	char *errors;
};

static int setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || close(fd) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static void done(struct result *r)
{
	free(r->out);
	free(r->errors);
}
#define auto_result __attribute__((cleanup(done))) struct result

static struct result run(const char *const *args)
{
	struct result r = { 0 };
	struct options o;
	struct err err = { 0 };
	size_t out_size, errors_size;
	FILE *out = open_memstream(&r.out, &out_size), *errors = open_memstream(&r.errors, &errors_size);
	int argc = 0;

	while (args[argc])
		argc++;
	if (options_parse(&o, OPTIONS_RENDER, argc, (char **)args, &err) < 0)
		fail_msg("%s", err.msg);
	r.code = render_run(&o, out, errors);
	options_done(&o);
	fclose(out);
	fclose(errors);
	return r;
}

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* text rendered from the file, with one more argument, which may be NULL. */
static struct result render(const char *text, const char *more)
{
	write_file(text);
	return run((const char *const[]){ "-f", path, more, NULL });
}

static struct json *parse(const char *text)
{
	struct err err = { 0 };
	struct json *documents = yaml_parse(text, strlen(text), &err);

	if (!documents)
		fail_msg("%s\n%s", err.msg, text);
	return documents;
}

static void expect_object(const struct json *object, const char *kind, const char *ns)
{
	assert_string_equal(json_str(object, "kind", ""), kind);
	assert_string_equal(json_str(object, "metadata.namespace", ""), ns);
}

/* What is created, and last the executor that the driver would make. */
static void expect_all(const struct json *objects, const char *ns)
{
	const struct json *map = json_first(objects), *service = json_next(map), *pod = json_next(service);
	const struct json *ui = json_next(pod), *executor = json_next(ui);

	expect_object(map, "ConfigMap", ns);
	expect_object(service, "Service", ns);
	expect_object(pod, "Pod", ns);
	expect_object(ui, "Service", ns);
	assert_string_equal(json_str(ui, "metadata.name", ""), "pi-ui-svc");
	expect_object(executor, "Pod", ns);
	assert_null(json_next(executor));
}

static void test_ui_service_off(void **state)
{
	static const char no_ui[] = VERSION
	    "kind: SparkApplication\nmetadata: {name: pi}\n"
	    "spec: {type: Scala, sparkVersion: 3.5.6, image: i, mainClass: C, mainApplicationFile: 'local:///a.jar', "
	    "driver: {}, executor: {}, sparkConf: {spark.ui.enabled: 'false'}}\n";
	auto_result flag = render(APP("{name: pi}"), "--enable-ui-service=false");
	auto_result conf = render(no_ui, NULL);

	(void)state;
	assert_int_equal(flag.code + conf.code, 0);
	assert_null(strstr(flag.out, "pi-ui-svc"));
	assert_null(strstr(conf.out, "pi-ui-svc"));
}

static void test_generated_name(void **state)
{
	auto_result good = render(APP("{generateName: pi-}"), NULL), bad = render(APP("{generateName: Pi-}"), NULL);
	auto_json objects = parse(good.out);

	(void)state;
	assert_int_equal(good.code, 0);
	assert_string_equal(json_str(json_first(objects), "metadata.namespace", ""), "default");
	assert_non_null(strstr(good.out, "name: pi-xxxxx-driver\n"));
	assert_int_equal(bad.code, 1);
	assert_non_null(strstr(bad.errors, "metadata.generateName: Invalid value"));
}

static void test_ingress(void **state)
{
	static const char ports[] = VERSION
	    "kind: SparkApplication\nmetadata: {name: pi}\n"
	    "spec: {type: Scala, sparkVersion: 3.5.6, image: i, mainClass: C, mainApplicationFile: 'local:///a.jar', "
	    "driver: {}, executor: {}, driverIngressOptions: [{servicePort: 80, ingressURLFormat: a.example.com}]}\n";
	auto_result ui = render(APP("{name: pi}"), "--ingress-url-format=x.example.com/{{$appName}}");
	auto_result driver = render(ports, NULL);

	(void)state;
	assert_int_equal(ui.code + driver.code, 0);
	assert_non_null(strstr(ui.out, "name: pi-ui-ingress"));
	assert_non_null(strstr(ui.out, "/pi(/|$)(.*)"));
	assert_non_null(strstr(ui.out, "spark.ui.proxyBase=/pi"));
	assert_null(strstr(driver.out, "pi-ui-ingress"));
	assert_null(strstr(driver.out, "spark.ui.proxy"));
	assert_non_null(strstr(driver.out, "name: pi-driver-80"));
	assert_non_null(strstr(driver.out, "name: pi-ing-80"));
}

static void test_yaml(void **state)
{
	auto_result r = render(APP("{name: pi}"), NULL);
	auto_json objects = parse(r.out);
	const struct json *pod = json_next(json_next(json_first(objects)));

	(void)state;
	assert_string_equal(r.errors, "");
	assert_int_equal(r.code, 0);
	expect_all(objects, "default");
	assert_string_equal(json_str(pod, "metadata.name", ""), "pi-driver");
	assert_string_equal(json_str(json_first(json_at(pod, "metadata.ownerReferences")), "uid", ""),
			    "00000000-0000-0000-0000-000000000000");
	assert_non_null(strstr(json_text(json_get(json_at(json_first(objects), "data"), "spark.properties"), ""),
			       "\nspark.app.submitTime=0\n"));
	assert_non_null(strstr(r.out, "spark.master=k8s\\://https\\://kubernetes.default.svc\\:443\n"));
}

static void test_json(void **state)
{
	auto_result r = render(APP("{name: pi, namespace: jobs}"), "--output=json");
	auto_result yaml = render(APP("{name: pi, namespace: jobs}"), NULL);
	struct err err = { 0 };
	auto_json list = json_parse(r.out, strlen(r.out), &err);
	auto_json objects = parse(yaml.out);

	(void)state;
	assert_int_equal(r.code, 0);
	assert_string_equal(json_str(list, "kind", ""), "List");
	assert_string_equal(json_str(list, "apiVersion", ""), "v1");
	expect_all(json_get(list, "items"), "jobs");
	assert_true(json_equal(json_get(list, "items"), objects));
}

static void test_the_same_twice(void **state)
{
	static const char text[] = APP("{name: pi}") APP("{name: pi, namespace: jobs, uid: u-1}");
	auto_result first = render(text, NULL);
	auto_result second = render(text, NULL);
	auto_result other = render(text, "--run=2");

	(void)state;
	assert_int_equal(first.code, 0);
	assert_string_equal(first.out, second.out);
	assert_string_not_equal(first.out, other.out);
}

static void test_options_count(void **state)
{
	auto_result r = render(APP("{name: pi, uid: u-1}"), "--master=k8s://https://h:1");
	auto_json objects = parse(r.out);
	const struct json *owners = json_at(json_first(objects), "metadata.ownerReferences");

	(void)state;
	assert_non_null(strstr(r.out, "spark.master=k8s\\://https\\://h\\:1\n"));
	assert_string_equal(json_str(json_first(owners), "uid", ""), "u-1");
}

/* What is broken does not keep the others back. */
static void test_several(void **state)
{
	auto_result r = render(APP("{name: a}") APP("{name: B, namespace: jobs}") APP("{name: c}"), NULL);
	auto_json objects = parse(r.out);
	auto_free char *start =
	    xasprintf("%s, document 2: SparkApplication jobs/B: metadata.name: Invalid value: \"B\": ", path);

	(void)state;
	assert_int_equal(r.code, 1);
	assert_int_equal(json_len(objects), 10);
	assert_true(text_starts(r.errors, start));
}

static void test_broken(void **state)
{
	static const struct {
		const char *text, *want; /* after the path */
	} cases[] = {
		{ "", ": holds no object\n" },
		{ "just text", ": (no kind) default/(no name): expected an object with apiVersion and kind\n" },
		{ "[1, 2]", ": (no kind) default/(no name): expected an object with apiVersion and kind\n" },
		{ "metadata: {name: x}\n", ": (no kind) default/x: kind: Required value\n" },
		{ "kind: SparkApplication\nmetadata: {name: x}\n",
		  ": SparkApplication default/x: apiVersion: Required value: it is sparkoperator.k8s.io/v1beta2\n" },
		{ "kind: SparkApplication\napiVersion: sparkoperator.k8s.io/v1beta1\n",
		  ": SparkApplication default/(no name): apiVersion: version v1beta1 is not served, v1beta2 is\n" },
		{ "kind: SparkConnect\n" VERSION "metadata: {name: x}\n",
		  ": SparkConnect default/x: apiVersion: version v1beta2 is not served, v1alpha1 is\n" },
		{ "kind: SparkAplication\n" VERSION "metadata: {name: x}\n",
		  ": SparkAplication default/x: kind: Unsupported value: \"SparkAplication\": supported values: "
		  "\"SparkApplication\", \"ScheduledSparkApplication\", \"SparkConnect\"\n" },
		{ VERSION "kind: SparkApplication\nmetadata: text\n" SPEC,
		  ": SparkApplication default/(no name): metadata.name: Required value\n" },
		{ "kind: List\nitems: [null]\n",
		  ": (no kind) default/(no name): expected an object with apiVersion and kind\n" },
		{ "a: b: c\n", ": YAML, line 1, column 5: mapping values are not allowed in this context\n" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_result r = render(cases[i].text, NULL);
		auto_free char *want = xasprintf("%s%s", path, cases[i].want);

		assert_int_equal(r.code, 1);
		assert_string_equal(r.out, "");
		assert_string_equal(r.errors, want);
	}
}

/* Files hold what belongs together. What is not of this operator, or not run by it, is passed over with a note. */
static void test_other_kinds(void **state)
{
	auto_result r = render("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: code}\ndata: {on: yes}\n" APP(
				   "{name: pi}") "---\napiVersion: spark.apache.org/v1\nkind: SparkApplication\n"
						 "---\napiVersion: sparkoperator.k8s.io/v1alpha1\nkind: SparkConnect\n",
			       NULL);
	auto_json objects = parse(r.out);
	auto_free char *want =
	    xasprintf("%s, document 1: ConfigMap default/code: skipped: not of a kind of this operator\n"
		      "%s, document 3: SparkApplication default/(no name): skipped: not of the group "
		      "sparkoperator.k8s.io\n"
		      "%s, document 4: SparkConnect default/(no name): skipped: this version checks SparkConnects, but "
		      "does not run them\n",
		      path, path, path);

	(void)state;
	assert_int_equal(r.code, 0);
	assert_int_equal(json_len(objects), 5);
	assert_string_equal(r.errors, want);
}

static void test_schedule(void **state)
{
#define SCHEDULE(name, members)                                                                                        \
	VERSION "kind: ScheduledSparkApplication\nmetadata: {name: " name ", namespace: jobs, labels: {team: a}}\n"    \
		"spec:\n  schedule: '@daily'\n  template: {" members "}\n"
	static const char spec[] =
	    SCHEDULE("nightly", "type: Scala, sparkVersion: 3.5.6, image: i, mainClass: C, mainApplicationFile: "
				"'local:///a.jar', driver: {}, executor: {}");
	auto_result good = render(spec, NULL), bad = render(SCHEDULE("nine", "driver: {cores: 0}"), NULL);
	auto_json objects = parse(good.out);
	auto_free char *start = xasprintf("%s: ScheduledSparkApplication jobs/nine: spec.template.", path);

	(void)state;
	assert_string_equal(good.errors, "");
	assert_int_equal(good.code, 0);
	assert_int_equal(json_len(objects), 5);
	assert_non_null(strstr(good.out, "name: nightly-xxxxxxxxxxxxxxxxxxx-driver\n"));
	assert_int_equal(bad.code, 1);
	assert_string_equal(bad.out, "");
	assert_true(text_starts(bad.errors, start));
	assert_non_null(strstr(bad.errors, ": spec.template.driver.cores: Invalid value: 0"));
}

/* What the API server fills in may be absent, empty or null. */
static void test_metadata_that_the_api_server_sets(void **state)
{
	auto_result r = render(APP("{generateName: pi-, name: null, namespace: null, uid: null, resourceVersion: null, "
				   "generation: null, creationTimestamp: null, labels: null}")
				   APP("{generateName: pi-, name: '', namespace: '', uid: '', resourceVersion: ''}"),
			       NULL);
	auto_json objects = parse(r.out);

	(void)state;
	assert_string_equal(r.errors, "");
	assert_int_equal(r.code, 0);
	assert_int_equal(json_len(objects), 10);
	json_each (object, objects)
		assert_string_equal(json_str(object, "metadata.namespace", ""), "default");
	assert_string_equal(json_str(json_first(json_at(json_first(objects), "metadata.ownerReferences")), "uid", ""),
			    "00000000-0000-0000-0000-000000000000");
}

/* What the decoder of the view stops at is one of many. */
static void test_all_problems(void **state)
{
	auto_result r = render(VERSION "kind: SparkApplication\nmetadata: {name: x, labels: {a: 1}}\n"
				       "spec: {suspend: 7, arguments: [1, true]}\n",
			       NULL);

	(void)state;
	assert_int_equal(r.code, 1);
	assert_non_null(strstr(r.errors, "metadata.labels[a]: Invalid value: 1: expected a string: quote it: \"1\"\n"));
	assert_non_null(strstr(r.errors, "spec.suspend: Invalid value: 7: expected true or false\n"));
	assert_non_null(strstr(r.errors, "spec.arguments[0]: Invalid value: 1: expected a string: quote it: \"1\"\n"));
	assert_non_null(strstr(r.errors, "spec.arguments[1]: Invalid value: true: "));
	assert_non_null(strstr(r.errors, "spec.driver: Required value\n"));
}

/* Each line can be found by the file and the object. */
static void test_every_line_is_named(void **state)
{
	auto_result r = render(VERSION "kind: SparkApplication\nmetadata: {name: x}\nspec: {}\n", NULL);
	auto_free char *start = xasprintf("%s: SparkApplication default/x: spec.", path);
	int lines = 0;

	(void)state;
	for (const char *line = r.errors; *line; line = strchr(line, '\n') + 1, lines++)
		assert_true(text_starts(line, start));
	assert_true(lines >= 5);
}

static void test_files(void **state)
{
	auto_result none = run((const char *const[]){ "-o", "yaml", NULL });
	auto_result some = { 0 };

	(void)state;
	assert_int_equal(none.code, 2);
	assert_string_equal(none.errors, "render: -f FILE is missing\n");
	write_file(APP("{name: pi}"));
	some = run((const char *const[]){ "-f", "/nonexistent", "-f", path, "-o", "json", NULL });
	assert_int_equal(some.code, 1);
	assert_string_equal(some.errors, "/nonexistent: No such file or directory\n");
	assert_non_null(strstr(some.out, "pi-driver"));
}

static void test_full_disk(void **state)
{
	FILE *out = fopen("/dev/full", "w"), *errors = fopen("/dev/null", "w");
	const char *const args[] = { "-f", path };
	struct err err = { 0 };
	struct options o;

	(void)state;
	assert_true(out && errors);
	write_file(APP("{name: pi}"));
	assert_int_equal(options_parse(&o, OPTIONS_RENDER, 2, (char **)args, &err), 0);
	assert_int_equal(render_run(&o, out, errors), 1);
	options_done(&o);
	fclose(out);
	fclose(errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yaml),	       cmocka_unit_test(test_json),
		cmocka_unit_test(test_ui_service_off), cmocka_unit_test(test_generated_name),
		cmocka_unit_test(test_ingress),	       cmocka_unit_test(test_the_same_twice),
		cmocka_unit_test(test_options_count),  cmocka_unit_test(test_several),
		cmocka_unit_test(test_broken),	       cmocka_unit_test(test_every_line_is_named),
		cmocka_unit_test(test_files),	       cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_other_kinds),    cmocka_unit_test(test_schedule),
		cmocka_unit_test(test_all_problems),   cmocka_unit_test(test_metadata_that_the_api_server_sets),
	};

	json_setup();
	return cmocka_run_group_tests(tests, setup, teardown);
}
