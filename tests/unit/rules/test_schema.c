/* The walker of schemas: every construct of a schema that the CRDs and the types of Kubernetes have, and fields that
 * nobody knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "json/files.h"
#include "parse.h"
#include "rules/schema.h"

enum { LONG_NAME = 100 * 1000 };

/* The problems, a line each. Owned. */
static char *lines_of(struct problems *p)
{
	auto_json list = problems_take(p);
	auto_strv lines = { 0 };

	json_each (problem, list)
		strv_addf(&lines, "%s: %s", json_str(problem, "field", "?"), json_str(problem, "message", "?"));
	return strv_join(&lines, "\n");
}

struct check_row {
	const char *spec; /* ' in place of " */
	const char *want;
};

static void check_rows(const struct schema_part *part, unsigned aspects, const struct check_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		auto_json value = parse_quoted(rows[i].spec);
		auto_free char *got = NULL;
		auto_problems p;

		problems_init(&p);
		schema_check(&p, part, value, aspects);
		got = lines_of(&p);
		if (!text_eq(got, rows[i].want))
			fail_msg("%s: got:\n%s\nwant:\n%s", rows[i].spec, got, rows[i].want);
	}
}

static const struct schema_part spec_part = { "SparkApplication", "spec", NULL };

static void types(void **state)
{
	static const struct check_row rows[] = {
		{ "{}", "" },
		{ "[]", "spec: Invalid value: []: expected an object" },
		{ "{'image':1}", "spec.image: Invalid value: 1: expected a string: quote it: \"1\"" },
		{ "{'suspend':'no'}", "spec.suspend: Invalid value: \"no\": expected true or false" },
		{ "{'timeToLiveSeconds':'1'}", "spec.timeToLiveSeconds: Invalid value: \"1\": expected an integer" },
		{ "{'timeToLiveSeconds':1.5}", "spec.timeToLiveSeconds: Invalid value: 1.5: expected an integer" },
		{ "{'timeToLiveSeconds':-1}", "" },
		{ "{'arguments':'a'}", "spec.arguments: Invalid value: \"a\": expected a list of strings" },
		{ "{'arguments':['a',1,null]}",
		  "spec.arguments[1]: Invalid value: 1: expected a string: quote it: \"1\"\n"
		  "spec.arguments[2]: Invalid value: null: expected a string" },
		{ "{'volumes':{}}", "spec.volumes: Invalid value: {}: expected a list" },
		{ "{'volumes':[{'name':'a'},7]}", "spec.volumes[1]: Invalid value: 7: expected an object" },
		{ "{'sparkConf':[]}", "spec.sparkConf: Invalid value: []: expected a map of strings" },
		{ "{'sparkConf':{'a.b':1}}",
		  "spec.sparkConf[a.b]: Invalid value: 1: expected a string: quote it: \"1\"" },
		{ "{'driver':1}", "spec.driver: Invalid value: 1: expected an object" },
		{ "{'driver':{'cores':[]}}", "spec.driver.cores: Invalid value: []: expected an integer" },
		{ "{'driver':{'envSecretKeyRefs':{'A':1}}}",
		  "spec.driver.envSecretKeyRefs[A]: Invalid value: 1: expected an object" },
		{ "{'driver':{'envSecretKeyRefs':{'A':{'key':1}}}}",
		  "spec.driver.envSecretKeyRefs[A].key: Invalid value: 1: expected a string: quote it: \"1\"" },
		{ "{'batchSchedulerOptions':{'resources':{'cpu':1,'memory':'1Gi'}}}", "" },
		{ "{'batchSchedulerOptions':{'resources':{'cpu':true}}}",
		  "spec.batchSchedulerOptions.resources[cpu]: Invalid value: true: expected a number or a string" },
		{ "{'image':null,'driver':null,'volumes':null,'sparkConf':null}", "" },
		{ "{'sparkConf':{'a':null}}", "spec.sparkConf[a]: Invalid value: null: expected a string" },
		{ "{'volumes':[null]}", "spec.volumes[0]: Invalid value: null: expected an object" },
		{ "{'driver':{'template':{'spec':{'containers':[null]}}}}",
		  "spec.driver.template.spec.containers[0]: Invalid value: null: expected an object" },
		{ "{'image':1,'suspend':2}", "spec.image: Invalid value: 1: expected a string: quote it: \"1\"\n"
					     "spec.suspend: Invalid value: 2: expected true or false" },
		{ "{'nobody':1,'mode':'x','monitoring':{}}", "" }, /* that is for the other aspects */
	};

	(void)state;
	check_rows(&spec_part, SCHEMA_TYPES, rows, array_len(rows));
}

/* What is shown of a path ends within such a name, not before it: the field that holds it is right. */
static void long_names(void **state)
{
	auto_free char *name = xmalloc(LONG_NAME + 1);
	auto_free char *spec = NULL;
	auto_json value = NULL;
	auto_problems p, dropped;

	(void)state;
	memset(name, 'k', LONG_NAME);
	name[LONG_NAME] = '\0';
	spec = xasprintf("{'spec':{'sparkConf':{'%s':1},'%s':1}}", name, name);
	value = parse_quoted(spec);
	problems_init(&p);
	problems_init(&dropped);
	schema_check(&p, &spec_part, json_get(value, "spec"), SCHEMA_TYPES);
	schema_unknown(&dropped, NULL, value, "SparkApplication");
	assert_true(text_starts(json_str(json_first(p.list), "field", ""), "spec.sparkConf[kkk"));
	assert_true(text_starts(json_str(json_first(dropped.list), "field", ""), "spec.kkk"));
}

static void bounds(void **state)
{
	static const struct check_row rows[] = {
		{ "{'driver':{'cores':1}}", "" },
		{ "{'driver':{'cores':0}}", "spec.driver.cores: Invalid value: 0: must be at least 1" },
		{ "{'monitoring':{'prometheus':{'port':1024}}}", "" },
		{ "{'monitoring':{'prometheus':{'port':49151}}}", "" },
		{ "{'monitoring':{'prometheus':{'port':1023}}}",
		  "spec.monitoring.prometheus.port: Invalid value: 1023: must be at least 1024" },
		{ "{'monitoring':{'prometheus':{'port':49152}}}",
		  "spec.monitoring.prometheus.port: Invalid value: 49152: must be at most 49151" },
	};

	(void)state;
	check_rows(&spec_part, SCHEMA_TYPES, rows, array_len(rows));
}

static void values(void **state)
{
	static const struct check_row rows[] = {
		{ "{'type':'R'}", "" },
		{ "{'type':''}", "" },
		{ "{'type':1}", "" }, /* a matter of types */
		{ "{'type':'Go'}",
		  "spec.type: Unsupported value: \"Go\": supported values: \"Java\", \"Python\", \"R\", \"Scala\"" },
	};

	(void)state;
	check_rows(&spec_part, SCHEMA_VALUES, rows, array_len(rows));
}

static void required(void **state)
{
	static const struct check_row rows[] = {
		{ "{'driver':{},'executor':{},'mainApplicationFile':'','type':''}", "" },
		{ "{'driver':null,'mainApplicationFile':'f','type':'R'}",
		  "spec.driver: Required value\nspec.executor: Required value" },
		{ "{'driver':{'secrets':[{}]},'executor':1,'mainApplicationFile':'f','type':'R'}",
		  "spec.driver.secrets[0].name: Required value\nspec.driver.secrets[0].path: Required value\n"
		  "spec.driver.secrets[0].secretType: Required value" },
		{ "{'driver':{},'executor':{'envSecretKeyRefs':{'A':{'key':'k'}}},'mainApplicationFile':'f','type':'R'"
		  "}",
		  "spec.executor.envSecretKeyRefs[A].name: Required value" },
	};

	(void)state;
	check_rows(&spec_part, SCHEMA_REQUIRED, rows, array_len(rows));
}

/* Where the CRD leaves the fields to Kubernetes, its types count, and what the CRD requires besides. */
static void types_of_kubernetes(void **state)
{
	static const struct check_row rows[] = {
		{ "{'name':'log','image':'i','args':['a'],'resources':{'limits':{'cpu':1,'memory':'1Gi'}}}", "" },
		{ "{}", "sidecars[0].name: Required value" },
		{ "{'name':'a','args':[null],'resources':{'limits':{'cpu':null}}}", "" },
		{ "{'name':'a','env':[null]}", "sidecars[0].env[0]: Invalid value: null: expected an object" },
		{ "{'name':'a','args':[1]}",
		  "sidecars[0].args[0]: Invalid value: 1: expected a string: quote it: \"1\"" },
		{ "{'name':'a','tty':1}", "sidecars[0].tty: Invalid value: 1: expected true or false" },
		{ "{'name':'a','resources':{'limits':{'cpu':[]}}}",
		  "sidecars[0].resources.limits[cpu]: Invalid value: []: expected a number or a string" },
		{ "{'name':'a','livenessProbe':{'httpGet':{'port':'web'}}}", "" },
		{ "{'name':'a','livenessProbe':{'httpGet':{}}}",
		  "sidecars[0].livenessProbe.httpGet.port: Required value" },
		{ "{'name':'a','livenessProbe':{'httpGet':{'port':1,'httpHeaders':[{'name':'X'}]}}}", "" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *role = xasprintf("{'sidecars':[%s]}", rows[i].spec);
		auto_free char *want = *rows[i].want ? xasprintf("spec.driver.%s", rows[i].want) : xstrdup("");
		const struct schema_part part = { "SparkApplication", "spec.driver", NULL };
		const struct check_row row = { role, want };

		check_rows(&part, SCHEMA_ALL, &row, 1);
	}
}

static void a_part_without_some_fields(void **state)
{
	const struct schema_part part = { "SparkApplication", "spec.executor",
					  (const char *const[]){ "instances", "gpu", NULL } };
	static const struct schema_part none = { "Pod", "spec", NULL },
					nowhere = { "SparkApplication", "spec.x", NULL };
	static const struct check_row rows[] = {
		{ "{'instances':0,'gpu':{},'cores':0}", "spec.executor.cores: Invalid value: 0: must be at least 1" },
		{ "{'ports':[{'instances':0,'name':'a','containerPort':1,'protocol':'TCP'}]}", "" },
	};
	static const struct check_row ignored[] = { { "{'instances':0,'cores':'x'}", "" } };

	(void)state;
	check_rows(&part, SCHEMA_ALL, rows, array_len(rows));
	check_rows(&none, SCHEMA_ALL, ignored, 1);
	check_rows(&nowhere, SCHEMA_ALL, ignored, 1);
}

static void a_field_has_one_problem(void **state)
{
	auto_json spec = parse_quoted("{'mode':'x','driver':1}");
	auto_free char *got = NULL;
	auto_problems p;

	(void)state;
	problems_init(&p);
	problems_add(&p, "spec.mode", "Forbidden: by a rule");
	problems_add(&p, "spec.executor", "Required value");
	schema_check(&p, &spec_part, spec, SCHEMA_TYPES | SCHEMA_VALUES);
	got = lines_of(&p);
	assert_string_equal(got, "spec.mode: Forbidden: by a rule\nspec.executor: Required value\n"
				 "spec.driver: Invalid value: 1: expected an object");
}

/* ---- unknown fields ---- */

struct unknown_row {
	const char *object;
	const char *dropped;
	const char *kept;
};

static void check_unknown(const char *kind, const struct unknown_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		auto_json object = parse_quoted(rows[i].object);
		auto_free char *got_dropped = NULL, *got_kept = NULL;
		auto_problems dropped, kept;

		problems_init(&dropped);
		problems_init(&kept);
		schema_unknown(&dropped, &kept, object, kind);
		got_dropped = lines_of(&dropped);
		got_kept = lines_of(&kept);
		assert_string_equal(got_dropped, rows[i].dropped);
		assert_string_equal(got_kept, rows[i].kept);
	}
}

static void unknown_fields_and_what_was_meant(void **state)
{
	static const struct unknown_row rows[] = {
		{ "{'apiVersion':'v','kind':'k','metadata':{},'spec':{},'status':{'any':1}}", "", "" },
		{ "{'spec':{'driver':{'memroy':'1g'}}}", "spec.driver.memroy: unknown field: did you mean memory?",
		  "" },
		{ "{'spec':{'sparkConf':{'any':'x'},'driver':{'labels':{'any':'x'}}}}", "", "" },
		{ "{'spec':{'tolerations':[]}}",
		  "spec.tolerations: unknown field: it belongs to spec.driver or spec.executor", "" },
		{ "{'spec':{'executor':{'mainClass':'M'}}}",
		  "spec.executor.mainClass: unknown field: it belongs to spec", "" },
		{ "{'spec':{'driver':{'instances':1}}}",
		  "spec.driver.instances: unknown field: it belongs to spec.executor", "" },
		{ "{'spec':{'name':'x','nothing like it':1}}",
		  "spec.name: unknown field: it belongs to metadata\nspec.nothing like it: unknown field", "" },
		{ "{'image':'i','metadata':{'lables':{},'spec':{}}}",
		  "image: unknown field: it belongs to spec\nmetadata.lables: unknown field: did you mean labels?\n"
		  "metadata.spec: unknown field: it belongs to the object itself",
		  "" },
		{ "{'spec':{'driver':{'secrets':[{'path':'/p','nam':'s'}]}}}",
		  "spec.driver.secrets[0].nam: unknown field: did you mean name?", "" },
		{ "{'spec':{'driver':{'envSecretKeyRefs':{'A':{'kee':'s'}}}}}",
		  "spec.driver.envSecretKeyRefs[A].kee: unknown field: did you mean key?", "" },
		{ "{'spec':{'driver':1,'executor':null}}", "", "" }, /* there is nothing to look into */
	};

	(void)state;
	check_unknown("SparkApplication", rows, array_len(rows));
	check_unknown("Pod", &(struct unknown_row){ "{'any':1,'spec':{'any':1}}", "", "" }, 1);
}

static void fields_that_kubernetes_does_not_know(void **state)
{
	static const struct unknown_row rows[] = {
		{ "{'spec':{'volumes':[{'name':'a','floppy':{}},{'name':'b','hostpath':{}}]}}", "",
		  "spec.volumes[0].floppy: unknown field\n"
		  "spec.volumes[1].hostpath: unknown field: did you mean hostPath?" },
		{ "{'spec':{'driver':{'securityContext':{'fsGroup':1}}}}", "",
		  "spec.driver.securityContext.fsGroup: unknown field: it belongs to spec.driver.podSecurityContext" },
		{ "{'spec':{'executor':{'template':{'spec':{'containers':[{'nodeSelector':{}}]}}}}}", "",
		  "spec.executor.template.spec.containers[0].nodeSelector: unknown field: it belongs to "
		  "spec.executor.template.spec" },
		{ "{'spec':{'volumes':[{'name':'a','path':'/p'}]}}", "",
		  "spec.volumes[0].path: unknown field" }, /* too many volumes have one */
		{ "{'metadata':{'managedFields':[{'fieldsV1':{'f:spec':{}}}]}}", "", "" }, /* of any form */
		/* the CRD lists the fields of tolerations itself, so the API server drops others */
		{ "{'spec':{'driver':{'tolerations':[{'effects':''}]}}}",
		  "spec.driver.tolerations[0].effects: unknown field: did you mean effect?", "" },
	};

	(void)state;
	check_unknown("SparkApplication", rows, array_len(rows));
}

/* A place of the CRD: its names from the root, "[]" for the elements of a list. */
struct crd_walk {
	const char *kind;
	const struct json *stack[32]; /* schemas, named as in their parents */
	size_t depth;
	size_t places;
};

/* An object with nothing in it but a made-up field at that place. Owned. */
static struct json *object_with_unknown(const struct crd_walk *w)
{
	struct json *root = json_new_object(), *at = root;

	for (size_t i = 0; i < w->depth; i++)
		if (text_eq(json_name(w->stack[i]), "items"))
			at = json_append(at, json_new_object());
		else if (json_get(w->stack[i], "items"))
			at = json_ensure_array(at, json_name(w->stack[i]));
		else
			at = json_ensure_object(at, json_name(w->stack[i]));
	json_set_i64(at, "zzz", 1);
	return root;
}

static void check_kept_place(struct crd_walk *w)
{
	auto_json object = object_with_unknown(w);
	auto_free char *text = json_print(object);
	auto_problems kept;

	problems_init(&kept);
	schema_unknown(NULL, &kept, object, w->kind);
	if (json_len(kept.list) != 1)
		fail_msg("%s: nothing is said of zzz in %s", w->kind, text);
	w->places++;
}

static void walk_crd(struct crd_walk *w, const struct json *schema)
{
	const struct json *items = json_get(schema, "items");

	assert_true(w->depth < array_len(w->stack));
	if (json_bool(schema, "x-kubernetes-preserve-unknown-fields", false))
		check_kept_place(w);
	json_each (field, json_get(schema, "properties")) {
		w->stack[w->depth++] = field;
		walk_crd(w, field);
		w->depth--;
	}
	if (items) {
		w->stack[w->depth++] = items;
		walk_crd(w, items);
		w->depth--;
	}
}

/* Nobody else says it: the CRD keeps fields there that it does not know. */
static void every_place_that_the_crds_leave_to_kubernetes_is_looked_at(void **state)
{
	static const struct {
		const char *file;
		const char *kind;
		size_t places;
	} rows[] = {
		{ "sparkapplications", "SparkApplication", 23 },
		{ "scheduledsparkapplications", "ScheduledSparkApplication", 23 },
		{ "sparkconnects", "SparkConnect", 3 },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		auto_free char *path = xasprintf("%s/../crds/sparkoperator.k8s.io_%s.yaml", TESTS_DIR, rows[i].file);
		struct err err = { 0 };
		auto_json crds = files_read_objects(path, &err);
		const struct json *version = json_first(json_at(json_first(crds), "spec.versions"));
		struct crd_walk w = { .kind = rows[i].kind };

		walk_crd(&w, json_at(version, "schema.openAPIV3Schema"));
		if (w.places < rows[i].places)
			fail_msg("%s: %zu places; %s", rows[i].kind, w.places, err.msg);
	}
}

static void a_list_that_is_missing_takes_nothing(void **state)
{
	auto_json object = parse_quoted("{'spec':{'memroy':1,'volumes':[{'floppy':1}]}}");
	auto_free char *got = NULL;
	auto_problems p;

	(void)state;
	problems_init(&p);
	schema_unknown(NULL, &p, object, "SparkApplication");
	got = lines_of(&p);
	assert_string_equal(got, "spec.volumes[0].floppy: unknown field");
}

/* To look for what was meant takes time: of many only the first are told. */
static void many_unknown_fields(void **state)
{
	auto_buf text;
	auto_json object = NULL;
	auto_json list = NULL;
	auto_problems p;

	(void)state;
	buf_init(&text, 1 << 24);
	buf_puts(&text, "{'spec':{");
	for (int i = 0; i < 50000; i++)
		buf_printf(&text, "%s'memory%d':1", i ? "," : "", i);
	buf_puts(&text, "}}");
	object = parse_quoted(buf_str(&text));
	problems_init(&p);
	schema_unknown(&p, NULL, object, "SparkApplication");
	list = problems_take(&p);
	assert_int_equal(json_len(list), 101);
	assert_string_equal(json_str(json_first(list), "message", ""), "unknown field");
}

/* ---- tables ---- */

static void fields_are_found_by_name(void **state)
{
	const struct schema *application = schema_of_kind("SparkApplication");
	const struct schema *spec = schema_field(application, "spec");

	(void)state;
	assert_non_null(spec);
	assert_ptr_equal(schema_field(schema_field(schema_of_kind("ScheduledSparkApplication"), "spec"), "template"),
			 spec);
	for (size_t i = 0; i < spec->field_count; i++)
		assert_ptr_equal(schema_field(spec, spec->fields[i].name), spec->fields[i].schema);
	assert_null(schema_field(spec, "Driver"));
	assert_null(schema_field(spec, ""));
	assert_null(schema_field(schema_field(spec, "image"), "image"));
	assert_null(schema_field(NULL, "spec"));
	assert_null(schema_of_kind("sparkapplication"));
	assert_null(schema_of_kind(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types),
		cmocka_unit_test(long_names),
		cmocka_unit_test(bounds),
		cmocka_unit_test(values),
		cmocka_unit_test(required),
		cmocka_unit_test(types_of_kubernetes),
		cmocka_unit_test(a_part_without_some_fields),
		cmocka_unit_test(a_field_has_one_problem),
		cmocka_unit_test(unknown_fields_and_what_was_meant),
		cmocka_unit_test(fields_that_kubernetes_does_not_know),
		cmocka_unit_test(every_place_that_the_crds_leave_to_kubernetes_is_looked_at),
		cmocka_unit_test(a_list_that_is_missing_takes_nothing),
		cmocka_unit_test(many_unknown_fields),
		cmocka_unit_test(fields_are_found_by_name),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
