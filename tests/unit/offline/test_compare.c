/* The comparison: what it finds (everything, which is tried leaf by leaf on recorded submissions), and what it
 * forgives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "json/yaml.h"
#include "compare.h"

enum { FILE_MAX = 4 << 20 };

#define UUID_A "11111111-2222-4333-8444-555555555555"
#define UUID_B "99999999-2222-4333-8444-555555555555"
#define HEX_A  "0123456789abcdef"
#define HEX_B  "fedcba9876543210"

static struct json *yaml(const char *text)
{
	struct err err = { 0 };
	auto_json documents = yaml_parse(text, strlen(text), &err);

	if (!documents)
		fail_msg("%s\n%s", err.msg, text);
	return json_take_first(documents);
}

static struct json *compare_with(const struct compare_rules *rules, const char *app_text, const char *name,
				 const struct json *ours, const struct json *theirs)
{
	auto_json tree = yaml(app_text);
	const struct app app = { .tree = tree, .name = "pi" };
	const struct compare_side a = { .objects = ours }, b = { .objects = theirs };

	return compare_run(rules, &app, name, &a, &b);
}

static struct json *compare_objects(const struct json *ours, const struct json *theirs)
{
	struct compare_rules *rules = compare_rules_new();
	struct json *result = compare_with(rules, "spec: {}", "pi", ours, theirs);

	compare_rules_free(rules);
	return result;
}

static struct json *compare_texts(const char *ours, const char *theirs)
{
	auto_json a = yaml(ours);
	auto_json b = yaml(theirs);

	return compare_objects(a, b);
}

/* The path of the only difference. */
static void expect_path(const char *ours, const char *theirs, const char *path)
{
	auto_json result = compare_texts(ours, theirs);

	if (json_len(json_get(result, "differences")) != (path != NULL)) {
		auto_free char *text = json_print_pretty(result);

		fail_msg("expected %s\n%s", path ? path : "nothing", text);
	}
	if (path)
		assert_string_equal(json_str(json_first(json_get(result, "differences")), "path", ""), path);
}

/* ---- every place of a recording ---- */

static struct json *recording(const char *name)
{
	auto_free char *path = xasprintf("%s/differential/oracle/expected/3.5.6/%s.json", TESTS_DIR, name);
	FILE *file = fopen(path, "re");
	struct err err = { 0 };
	struct json *out;
	char block[4096];
	auto_buf text;
	size_t n;

	if (!file)
		fail_msg("%s is missing", path);
	buf_init(&text, FILE_MAX);
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		buf_add(&text, block, n);
	fclose(file);
	out = json_parse(buf_str(&text), text.len, &err);
	if (!out)
		fail_msg("%s: %s", path, err.msg);
	return out;
}

/* Lines are places of their own, but comments, empty ones, and the address of the API server. */
static bool is_place(const char *line, size_t len)
{
	return len > 0 && (line[0] != '#' || text_starts(line, "#Java")) && !text_starts(line, "spark.master=");
}

/* text with an x at the end of its line *n, which counts down. */
static struct json *change_text(const char *text, long *n)
{
	auto_buf out;

	buf_init(&out, FILE_MAX);
	while (*text) {
		size_t len = strcspn(text, "\n");

		buf_add(&out, text, len);
		if (is_place(text, len) && (*n)-- == 0)
			buf_putc(&out, 'x');
		text += len;
		if (*text)
			buf_putc(&out, *text++);
	}
	return json_new_string(buf_str(&out));
}

static struct json *change_leaf(const struct json *v, long *n)
{
	if (json_is(v, JSON_STRING) && strchr(json_text(v, ""), '\n'))
		return change_text(json_text(v, ""), n);
	if ((*n)-- != 0)
		return json_dup(v);
	if (json_is(v, JSON_STRING)) {
		auto_free char *text = xasprintf("%sx", json_text(v, ""));

		return json_new_string(text);
	}
	if (json_is(v, JSON_NUMBER))
		return json_new_i64(json_integer(v, 0) + 1);
	if (json_is(v, JSON_BOOL))
		return json_new_bool(!json_true(v));
	return json_new_string("x");
}

/* A copy in which leaf *n is another; *n is negative afterwards if there was one. */
static struct json *change(const struct json *v, long *n)
{
	bool object = json_is(v, JSON_OBJECT);
	struct json *out;

	if ((!object && !json_is(v, JSON_ARRAY)) || json_len(v) == 0)
		return change_leaf(v, n);
	out = object ? json_new_object() : json_new_array();
	json_each (child, v) {
		if (object)
			json_set(out, json_name(child), change(child, n));
		else
			json_append(out, change(child, n));
	}
	return out;
}

/* A copy without the member or element *n. */
static struct json *without(const struct json *v, long *n)
{
	bool object = json_is(v, JSON_OBJECT);
	struct json *out;

	if (!object && !json_is(v, JSON_ARRAY))
		return json_dup(v);
	out = object ? json_new_object() : json_new_array();
	json_each (child, v) {
		if ((*n)-- == 0)
			continue;
		if (object)
			json_set(out, json_name(child), without(child, n));
		else
			json_append(out, without(child, n));
	}
	return out;
}

/* Returns the number of places tried. */
static long try_everywhere(const struct json *objects, struct json *edit(const struct json *v, long *n))
{
	for (long i = 0;; i++) {
		long n = i;
		auto_json edited = edit(objects, &n);
		auto_json there = compare_objects(objects, edited);
		auto_json back = compare_objects(edited, objects);

		if (n >= 0)
			return i;
		if (json_len(json_get(there, "differences")) == 0 || json_len(json_get(back, "differences")) == 0) {
			auto_free char *text = json_print(edited);

			fail_msg("place %ld is not seen:\n%s", i, text);
		}
	}
}

static const char *const recordings[] = { "template-executor", "template-driver-named", "volumes", "service-settings",
					  "conf-values" };

static void test_every_change_is_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(recordings); i++) {
		auto_json recorded = recording(recordings[i]);
		auto_json objects = compare_recorded(recorded);
		auto_json same = compare_objects(objects, objects);

		assert_true(json_len(objects) >= 3);
		assert_int_equal(json_len(json_get(same, "differences")), 0);
		assert_true(json_i64(same, "equal", 0) > 100);
		assert_true(try_everywhere(objects, change) > 100);
		assert_true(try_everywhere(objects, without) > 100);
	}
}

/* An executor is compared like a driver. */
static void test_executor(void **state)
{
	auto_json pod = yaml("{kind: Pod, metadata: {name: e}, spec: {containers: [{name: c, image: i}]}}");
	auto_json other = yaml("{kind: Pod, metadata: {name: e}, spec: {containers: [{name: c, image: j}]}}");
	auto_json tree = json_new_object();
	const struct app app = { .tree = tree, .name = "pi" };
	const struct compare_side none = { 0 }, one = { .executor = pod }, two = { .executor = other };
	struct compare_rules *rules = compare_rules_new();
	auto_json equal = compare_run(rules, &app, "pi", &one, &one);
	auto_json differs = compare_run(rules, &app, "pi", &one, &two);
	auto_json ours_only = compare_run(rules, &app, "pi", &one, &none);
	auto_json theirs_only = compare_run(rules, &app, "pi", &none, &one);

	(void)state;
	compare_rules_free(rules);
	assert_int_equal(json_i64(equal, "differ", -1), 0);
	assert_int_equal(json_i64(equal, "objects", -1), 1);
	assert_string_equal(json_str(json_first(json_get(differs, "differences")), "path", ""),
			    "executor.spec.containers[c].image");
	assert_int_equal(json_i64(ours_only, "objects", -1), 0);
	assert_string_equal(json_str(json_first(json_get(theirs_only, "differences")), "path", ""),
			    "executor (missing)");
}

#define EXECUTOR(uid, dir, one, two)                                                                                   \
	"{kind: Pod, metadata: {name: e, ownerReferences: [{kind: Pod, name: d, uid: " uid "}]}, spec: {containers: [" \
	"{name: c, env: [{name: SPARK_LOCAL_DIRS, value: /d-" dir "}, {name: SPARK_JAVA_OPT_0, value: " one "},"       \
	" {name: SPARK_JAVA_OPT_1, value: " two "}]}]}}"

static int64_t differ_executor(const char *ours, const char *theirs)
{
	auto_json a = yaml(ours);
	auto_json b = yaml(theirs);
	auto_json tree = json_new_object();
	auto_json driver_a = yaml("[{kind: Pod, metadata: {name: d}, spec: {dir: " UUID_A "}}]");
	auto_json driver_b = yaml("[{kind: Pod, metadata: {name: d}, spec: {dir: " UUID_B "}}]");
	const struct app app = { .tree = tree, .name = "pi" };
	const struct compare_side one = { .objects = driver_a, .executor = a };
	const struct compare_side two = { .objects = driver_b, .executor = b };
	struct compare_rules *rules = compare_rules_new();
	auto_json result = compare_run(rules, &app, "pi", &one, &two);

	compare_rules_free(rules);
	return json_i64(result, "differ", -1);
}

/* What the driver takes from chance and from the order of a hash table. */
static void test_executor_chance(void **state)
{
	static const char ours[] = EXECUTOR("u1", UUID_A, "-Dspark.a=1", "-Dspark.b=2");

	(void)state;
	assert_int_equal(
	    differ_executor(ours, EXECUTOR("u2", "11111111-1111-4111-8111-111111111111", "-Dspark.b=2", "-Dspark.a=1")),
	    0);
	assert_int_equal(differ_executor(ours, EXECUTOR("u1", "x", "-Dspark.a=1", "-Dspark.b=2")), 1);
	assert_int_equal(differ_executor(ours, EXECUTOR("u1", UUID_A, "-Dspark.a=2", "-Dspark.b=2")), 1);
	assert_int_equal(
	    differ_executor(EXECUTOR("u1", UUID_A, "-XX:A", "-XX:B"), EXECUTOR("u1", UUID_A, "-XX:B", "-XX:A")), 2);
}

/* ---- paths ---- */

#define POD(spec) "[{kind: Pod, metadata: {name: p}, spec: " spec "}]"

static void test_paths(void **state)
{
	(void)state;
	expect_path(POD("{a: 1}"), POD("{a: 1}"), NULL);
	expect_path(POD("{a: 1}"), POD("{a: 2}"), "driver.spec.a");
	expect_path(POD("{a: 1}"), POD("{a: '1'}"), "driver.spec.a");
	expect_path(POD("{a: 1}"), POD("{a: 1, b: {c: 1}}"), "driver.spec.b.c (missing)");
	expect_path(POD("{a: 1, b: {c: 1}}"), POD("{a: 1}"), "driver.spec.b.c (extra)");
}

static void test_empty_is_not_absent(void **state)
{
	(void)state;
	expect_path(POD("{e: {}, a: 1}"), POD("{a: 1}"), "driver.spec.e (extra)");
	expect_path(POD("{e: [], a: 1}"), POD("{a: 1}"), "driver.spec.e (extra)");
	expect_path(POD("{a: 1}"), POD("{e: null, a: 1}"), "driver.spec.e (missing)");
	expect_path(POD("{e: {}}"), POD("{e: []}"), "driver.spec.e");
}

static void test_lists(void **state)
{
	(void)state;
	expect_path(POD("{l: [{name: a, v: 1}, {name: b}]}"), POD("{l: [{name: a, v: 2}, {name: b}]}"),
		    "driver.spec.l[a].v");
	expect_path(POD("{l: [{name: a}, {name: b}]}"), POD("{l: [{name: b}, {name: a}]}"), "driver.spec.l (order)");
	expect_path(POD("{l: [{name: a}, {name: a, v: 1}]}"), POD("{l: [{name: a}, {name: a, v: 2}]}"),
		    "driver.spec.l[a#2].v");
	expect_path(POD("{l: [{name: a}]}"), POD("{l: [{name: a}, {name: a}]}"), "driver.spec.l[a#2] (missing)");
	expect_path(POD("{l: [x, w]}"), POD("{l: [x, z]}"), "driver.spec.l[1]");
	expect_path(POD("{l: [x, w]}"), POD("{l: [x]}"), "driver.spec.l[1] (extra)");
	expect_path(POD("{m: [{mountPath: /a, name: v}]}"), POD("{m: [{mountPath: /a, name: w}]}"),
		    "driver.spec.m[/a].name");
}

static void test_order_of_folders(void **state)
{
#define DIRS(value) POD("{containers: [{name: c, env: [{name: SPARK_LOCAL_DIRS, value: '" value "'}]}]}")
	(void)state;
	expect_path(DIRS("/a,/b"), DIRS("/b,/a"), NULL);
	expect_path(DIRS("/a,/b"), DIRS("/a,/c"), "driver.spec.containers[c].env[SPARK_LOCAL_DIRS].value");
	expect_path(DIRS("/a,/b"), DIRS("/a"), "driver.spec.containers[c].env[SPARK_LOCAL_DIRS].value");
}

static void test_quantities(void **state)
{
#define LIMIT(value) POD("{containers: [{name: c, resources: {limits: {gpu: " value "}}}]}")
	(void)state;
	expect_path(LIMIT("1"), LIMIT("'1'"), NULL);
	expect_path(LIMIT("1"), LIMIT("'2'"), "driver.spec.containers[c].resources.limits.gpu");
	expect_path(LIMIT("1Gi"), LIMIT("1024Mi"), "driver.spec.containers[c].resources.limits.gpu");
}

static void test_objects(void **state)
{
	static const char service[] = "[{kind: Service, metadata: {name: s}, spec: {clusterIP: None}}]";
	static const char ui[] = "[{kind: Service, metadata: {name: s}, spec: {}}]";

	(void)state;
	expect_path(service, "[]", "service (extra)");
	expect_path("[]", ui, "ui-service (missing)");
	expect_path("[]", "[{kind: ConfigMap, metadata: {name: pi-prom-conf}, data: {a: b}}]", "prometheus (missing)");
	expect_path("[{kind: ConfigMap, metadata: {name: m}}]", "[]", "configmap[m] (extra)");
	expect_path("[{kind: Secret, metadata: {name: m}}]", "[]", "secret[m] (extra)");
	expect_path("[{kind: PersistentVolumeClaim, metadata: {name: pi-" HEX_A "-pvc}}]", "[]",
		    "claim[pi-<hex16>-pvc] (extra)");
	expect_path("[{kind: NetworkPolicy, metadata: {name: m}}]", "[]", "network-policy (extra)");
	expect_path("[{kind: Odd, metadata: {name: m}}]", "[]", "Odd[m] (extra)");
	expect_path(POD("{}"), "[{kind: Pod, metadata: {name: p}, spec: {}}, {kind: Pod, metadata: {name: q}}]",
		    "driver#2 (missing)");
}

/* ---- texts ---- */

#define MAP(properties)                                                                                                \
	"[{kind: ConfigMap, metadata: {name: m}, data: {spark.properties: \"#Java\\n#Thu Jan 01\\n" properties "\"}}]"

static void test_properties(void **state)
{
	(void)state;
	expect_path(MAP("a=1\\nb=2\\n"), MAP("b=2\\na=1\\n"), NULL);
	expect_path(MAP("a=1\\n"), MAP("a=2\\n"), "properties.data.spark.properties.a");
	expect_path(MAP("a=1\\na=2\\n"), MAP("a=1\\n"), "properties.data.spark.properties.a#2 (extra)");
	expect_path(MAP("a\\\\=b=1\\n"), MAP("a\\\\=b=2\\n"), "properties.data.spark.properties.a\\=b");
	expect_path(MAP("a=\\\\u00e9\\n"), MAP("a=\xc3\xa9\\n"), "properties.data.spark.properties.a");
	expect_path(MAP("a\\nb=1\\n"), MAP("b=1\\n"), "properties.data.spark.properties.a (extra)");
}

static void test_made_up_properties(void **state)
{
	(void)state;
	expect_path(MAP("spark.app.submitTime=1\\n"), MAP("spark.app.submitTime=22\\n"), NULL);
	expect_path(MAP("spark.app.submitTime=1\\n"), MAP("spark.app.submitTime=x\\n"),
		    "properties.data.spark.properties.spark.app.submitTime");
	expect_path(MAP("spark.master=k8s\\\\://https\\\\://h\\n"), MAP("spark.master=k8s\\\\://http\\\\://i\\n"),
		    NULL);
	expect_path(MAP("spark.master=k8s\\\\://https\\\\://h\\n"), MAP("spark.master=local\\n"),
		    "properties.data.spark.properties.spark.master");
}

/* One ConfigMap or two. */
static void test_template(void **state)
{
	static const char one[] = "[{kind: ConfigMap, metadata: {name: m}, data: {spark.properties: 'a=1', "
				  "podspec-configmap-key: '{spec: {a: 1}}'}}]";
	static const char two[] =
	    "[{kind: ConfigMap, metadata: {name: t}, data: {podspec-configmap-key: \"spec:\\n  a: "
	    "1\\n\"}}, {kind: ConfigMap, metadata: {name: m}, data: {spark.properties: 'a=1'}}]";
	static const char other[] = "[{kind: ConfigMap, metadata: {name: m}, data: {spark.properties: 'a=1', "
				    "podspec-configmap-key: '{spec: {a: 2}}'}}]";
	static const char broken[] = "[{kind: ConfigMap, metadata: {name: m}, data: {spark.properties: 'a=1', "
				     "podspec-configmap-key: '{spec'}}]";
	auto_json forgiven = compare_texts(one, two);

	(void)state;
	assert_int_equal(json_i64(forgiven, "differ", -1), 0);
	assert_int_equal(json_i64(forgiven, "ignored", -1), 1);
	expect_path(one, other, "executor-template.data.podspec-configmap-key.spec.a");
	expect_path(one, broken, "executor-template.data.podspec-configmap-key");
	expect_path(broken, broken, NULL);
}

/* ---- ids ---- */

static void test_ids(void **state)
{
	(void)state;
	expect_path(POD("{a: x-" HEX_A "-y, b: " HEX_A HEX_B "}"), POD("{a: x-" HEX_B "-y, b: " HEX_B HEX_A "}"), NULL);
	expect_path(POD("{m: [{mountPath: /d-" UUID_A "}]}"), POD("{m: [{mountPath: /d-" UUID_B "}]}"), NULL);
	expect_path(POD("{a: x123456789abcdef0}"), POD("{a: xfff456789abcdef0}"), "driver.spec.a");
	expect_path(POD("{a: x12345678abcdef0}"), POD("{a: xfff45678abcdef0}"), NULL);
	expect_path(POD("{a: " HEX_A "}"), POD("{a: " UUID_A "}"), "driver.spec.a");
	expect_path(POD("{a: " HEX_A "0}"), POD("{a: " HEX_B "0}"), "driver.spec.a");
	expect_path(POD("{a: v" HEX_A "}"), POD("{a: v" HEX_B "}"), "driver.spec.a");
}

/* Each of ours stands for one of theirs. */
static void test_ids_mixed_up(void **state)
{
	(void)state;
	expect_path(POD("{a: i-" HEX_A ", b: i-" HEX_A "}"), POD("{a: i-" HEX_B ", b: i-0000000000000000}"),
		    "driver.spec.b");
	expect_path(POD("{a: i-" HEX_A ", b: i-1111111111111111}"), POD("{a: i-" HEX_B ", b: i-" HEX_B "}"),
		    "driver.spec.b");
}

static void test_ids_of_the_user(void **state)
{
	auto_json ours = yaml(POD("{a: i-" HEX_A "}"));
	auto_json theirs = yaml(POD("{a: i-" HEX_B "}"));
	struct compare_rules *rules = compare_rules_new();
	auto_json result = compare_with(rules, "spec: {given: i-" HEX_A "}", "pi", ours, theirs);

	(void)state;
	compare_rules_free(rules);
	assert_int_equal(json_i64(result, "differ", -1), 1);
}

/* ---- rules ---- */

static int64_t differ_by(const char *rules_text, const char *name, const char *ours, const char *theirs)
{
	struct compare_rules *rules = compare_rules_new();
	auto_json a = yaml(ours);
	auto_json b = yaml(theirs);
	auto_json result = NULL;
	struct err err = { 0 };

	if (compare_rules_add(rules, rules_text, "f", &err) < 0)
		fail_msg("%s", err.msg);
	result = compare_with(rules, "spec: {}", name, a, b);
	compare_rules_free(rules);
	return json_i64(result, "differ", -1);
}

static void test_rules(void **state)
{
	static const struct {
		const char *rule;
		int64_t differ;
	} cases[] = {
		{ "", 1 },
		{ "# driver.spec.list[a].value  # r", 1 },
		{ "driver.spec.list[a].value  # r", 0 },
		{ "driver.spec.list[a]  # r", 0 },
		{ "driver.spec.list  # r", 0 },
		{ "driver.spec.li  # r", 1 },
		{ "driver.*.value  # r", 0 },
		{ "*[a]*  # r", 0 },
		{ "*  # r", 0 },
		{ "*.valu  # r", 1 },
		{ "driver.spec.list[a].value (extra)  # r", 1 },
		{ "\n\n  \nx  # r\ndriver  # r\n", 0 },
		{ "pi: driver.spec  # r", 0 },
		{ "p*: driver.spec  # r", 0 },
		{ "po: driver.spec  # r", 1 },
		{ "p: driver.spec  # r", 1 },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++)
		if (differ_by(cases[i].rule, "pi", POD("{list: [{name: a, value: 1}]}"),
			      POD("{list: [{name: a, value: 2}]}")) != cases[i].differ)
			fail_msg("\"%s\"", cases[i].rule);
}

static void test_rule_of_order(void **state)
{
	static const char ours[] = POD("{l: [{name: a, v: 1}, {name: b}]}");

	(void)state;
	assert_int_equal(differ_by("driver.spec.l (order)  # r", "pi", ours, POD("{l: [{name: b}, {name: a, v: 1}]}")),
			 0);
	assert_int_equal(differ_by("driver.spec.l (order)  # r", "pi", ours, POD("{l: [{name: b}, {name: a, v: 2}]}")),
			 1);
}

static void test_rules_broken(void **state)
{
	static const char *const cases[] = { "driver", "driver # r", "driver  #", "driver  #  ", "  # r", "pi:   # r" };
	struct compare_rules *rules = compare_rules_new();

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_free char *text = xasprintf("\n%s\n", cases[i]);
		struct err err = { 0 };

		if (compare_rules_add(rules, text, "f.ignore", &err) == 0)
			fail_msg("\"%s\" was taken", cases[i]);
		assert_int_equal(err.code, ERR_INVALID);
		assert_true(text_starts(err.msg, "f.ignore:2: \""));
	}
	compare_rules_free(rules);
}

/* What is printed can be read, and says the same. */
static void test_rules_printed(void **state)
{
	struct compare_rules *rules = compare_rules_new(), *again = compare_rules_new();
	auto_free char *text = NULL, *twice = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(compare_rules_add(rules, "pi: a.b (order)  # why", "f", &err), 0);
	text = compare_rules_print(rules);
	assert_true(text_ends(text, "\npi: a.b (order)  # why\n"));
	assert_int_equal(compare_rules_add(again, text, "f", &err), 0);
	twice = compare_rules_print(again);
	assert_true(text_ends(twice, text));
	compare_rules_free(rules);
	compare_rules_free(again);
}

/* ---- recordings ---- */

static void test_recorded(void **state)
{
	auto_json recorded =
	    yaml("{requests: ["
		 "{method: POST, body: {kind: Pod, metadata: {name: a}, spec: {x: 1}}},"
		 "{method: GET, body: null},"
		 "{method: PATCH, body: {kind: Service, metadata: {name: a}}},"
		 "{method: DELETE, body: {kind: Pod, metadata: {name: z}}},"
		 "{method: PATCH, body: {kind: Pod, metadata: {name: a, uid: u}}},"
		 "{method: PUT, body: text}],"
		 "objects: [{kind: Pod, metadata: {name: a}, spec: {x: 2}}, {kind: Pod, metadata: {name: b}}]}");
	auto_json want =
	    yaml("[{kind: Pod, metadata: {name: a, uid: u}, spec: {x: 1}}, {kind: Service, metadata: {name: a}},"
		 "{kind: Pod, metadata: {name: b}}]");
	auto_json got = compare_recorded(recorded);
	auto_json none = compare_recorded(NULL);

	(void)state;
	assert_true(json_equal(got, want));
	assert_int_equal(json_len(none), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_change_is_seen),
		cmocka_unit_test(test_executor),
		cmocka_unit_test(test_executor_chance),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_empty_is_not_absent),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_order_of_folders),
		cmocka_unit_test(test_quantities),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_made_up_properties),
		cmocka_unit_test(test_template),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_ids_mixed_up),
		cmocka_unit_test(test_ids_of_the_user),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_rule_of_order),
		cmocka_unit_test(test_rules_broken),
		cmocka_unit_test(test_rules_printed),
		cmocka_unit_test(test_recorded),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
