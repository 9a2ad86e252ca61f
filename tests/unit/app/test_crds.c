/*
 * The CRDs in the program: printed as they are in the folder crds/, and kept up to date in an API server in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "crds.h"
#include "golden.h"
#include "json/yaml.h"
#include "json_text.h"
#include "logged_kube.h"

enum { CRDS = 3, FIVE_MINUTES_MS = 5 * 60 * 1000 };

#define APPS "sparkapplications.sparkoperator.k8s.io"

struct fixture {
	struct logged_kube stage;
	struct crd_upgrade *upgrade;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	logged_kube_init(&f->stage);
	f->upgrade = crd_upgrade_new(fake_kube_api(f->stage.kube), &f->stage.sched);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	crd_upgrade_free(f->upgrade);
	logged_kube_done(&f->stage);
	free(f);
	return 0;
}

static void run(struct fixture *f, int64_t ms)
{
	crd_upgrade_start(f->upgrade);
	fake_kube_run(f->stage.kube, ms);
}

static const struct json *stored(const struct fixture *f, const char *name)
{
	return fake_kube_get(f->stage.kube, &resource_crd, NULL, name);
}

static const char *number_of(const struct json *crd)
{
	return json_text(json_get(json_at(crd, "metadata.annotations"), ANNOTATION_CRDS_VERSION), "none");
}

static struct json *ours(size_t i)
{
	struct err err = { 0 };
	struct json *crd = json_parse(crds_data[i], strlen(crds_data[i]), &err);

	if (!crd)
		fail_msg("%s", err.msg);
	return crd;
}

/* All three as this program has them, with another number; NULL: with its own, "": without. */
static void put_all(struct fixture *f, const char *number)
{
	for (size_t i = 0; i < CRDS; i++) {
		struct json *crd = ours(i);
		struct json *annotations = json_at(crd, "metadata.annotations");

		if (number && !*number)
			json_remove(annotations, ANNOTATION_CRDS_VERSION);
		else
			json_set_str(annotations, ANNOTATION_CRDS_VERSION, number);
		json_set_str(annotations, "example.com/mine", "kept");
		fake_kube_put(f->stage.kube, &resource_crd, crd);
	}
}

static void check_state(const struct fixture *f, const char *plural, const char *state)
{
	auto_json debug = crd_upgrade_debug(f->upgrade);

	assert_string_equal(json_str(json_get(debug, plural), "state", "?"), state);
}

static size_t count_lines(const struct fixture *f, const char *words)
{
	size_t count = 0;

	for (const char *p = strstr(buf_str(&f->stage.log), words); p; p = strstr(p + 1, words))
		count++;
	return count;
}

static unsigned applied(const struct fixture *f)
{
	return fake_kube_calls(f->stage.kube, VERB_APPLY, &resource_crd);
}

/* ---- upgrade ---- */

static void test_created(void **state)
{
	struct fixture *f = *state;

	check_state(f, "sparkapplications", "waiting");
	run(f, 1000);
	assert_int_equal(fake_kube_count(f->stage.kube, &resource_crd), CRDS);
	assert_int_equal(applied(f), CRDS);
	assert_int_equal(count_lines(f, "CRD created"), CRDS);
	check_state(f, "sparkapplications", "created");
	check_state(f, "scheduledsparkapplications", "created");
	check_state(f, "sparkconnects", "created");
	assert_string_not_equal(number_of(stored(f, APPS)), "none");
}

static void test_current(void **state)
{
	struct fixture *f = *state;

	put_all(f, NULL);
	run(f, 2 * FIVE_MINUTES_MS);
	assert_int_equal(fake_kube_calls(f->stage.kube, VERB_GET, &resource_crd), CRDS);
	assert_int_equal(applied(f), 0);
	check_state(f, "sparkapplications", "current");
}

static void check_upgraded(struct fixture *f)
{
	run(f, 1000);
	assert_int_equal(applied(f), CRDS);
	assert_int_equal(count_lines(f, "CRD upgraded"), CRDS);
	check_state(f, "sparkconnects", "upgraded");
	for (size_t i = 0; i < CRDS; i++) {
		auto_json crd = ours(i);
		const struct json *now = stored(f, json_str(crd, "metadata.name", ""));

		assert_true(json_equal(json_at(now, "spec"), json_at(crd, "spec")));
		assert_string_equal(number_of(now), number_of(crd));
		assert_string_equal(json_text(json_get(json_at(now, "metadata.annotations"), "example.com/mine"), ""),
				    "kept");
	}
}

static void test_older(void **state)
{
	put_all(*state, "0");
	check_upgraded(*state);
}

static void test_other_operator(void **state)
{
	put_all(*state, "");
	check_upgraded(*state);
}

static void test_no_number(void **state)
{
	put_all(*state, "one");
	check_upgraded(*state);
}

/* Applied by somebody else over ours: the annotation stays, the schema does not. */
static void test_overwritten(void **state)
{
	struct fixture *f = *state;

	put_all(f, NULL);
	fake_kube_patch(f->stage.kube, &resource_crd, NULL, APPS,
			JSON({ "spec" : { "versions" : [ { "name" : "v1beta2" } ] } }));
	run(f, 1000);
	assert_int_equal(applied(f), 1);
	check_state(f, "sparkapplications", "upgraded");
	check_state(f, "sparkconnects", "current");
}

static void test_newer(void **state)
{
	struct fixture *f = *state;

	put_all(f, "1000000");
	fake_kube_patch(f->stage.kube, &resource_crd, NULL, APPS,
			JSON({ "spec" : { "versions" : [ { "name" : "v2" } ] } }));
	run(f, 2 * FIVE_MINUTES_MS);
	assert_int_equal(applied(f), 0);
	assert_int_equal(count_lines(f, "of a newer operator"), CRDS);
	check_state(f, "sparkapplications", "newer");
	assert_string_equal(number_of(stored(f, APPS)), "1000000");
}

static void test_started_once(void **state)
{
	struct fixture *f = *state;

	run(f, 1000);
	crd_upgrade_start(f->upgrade);
	fake_kube_run(f->stage.kube, 1000);
	assert_int_equal(fake_kube_calls(f->stage.kube, VERB_GET, &resource_crd), CRDS);
}

/* ---- refusals ---- */

static void check_forbidden(struct fixture *f, enum verb verb)
{
	static const struct fake_refusal forbidden = {
		.status = 403, .message = "User \"system:serviceaccount:ops:spark\" cannot patch resource"
	};

	fake_kube_refuse(f->stage.kube, verb, &resource_crd, -1, &forbidden);
	run(f, 3 * FIVE_MINUTES_MS);
	assert_int_equal(count_lines(f, "the CRD cannot be upgraded"), CRDS); /* once each */
	assert_int_equal(count_lines(f, "spark-operator crds | kubectl apply --server-side"), CRDS);
	assert_int_equal(count_lines(f, "get, create and patch customresourcedefinitions"), CRDS);
	assert_int_equal(count_lines(f, "system:serviceaccount:ops:spark"), CRDS);
	check_state(f, "sparkapplications", "forbidden");
	assert_in_range(fake_kube_calls(f->stage.kube, VERB_GET, &resource_crd), 2 * CRDS, 4 * CRDS);
	fake_kube_accept(f->stage.kube);
	fake_kube_run(f->stage.kube, FIVE_MINUTES_MS + 1000);
	assert_int_equal(fake_kube_count(f->stage.kube, &resource_crd), CRDS);
	check_state(f, "sparkapplications", "created");
}

static void test_forbidden_read(void **state)
{
	check_forbidden(*state, VERB_GET);
}

static void test_forbidden_write(void **state)
{
	check_forbidden(*state, VERB_APPLY);
}

/* Somebody wrote in between: read again, without a word. */
static void test_conflict(void **state)
{
	static const struct fake_refusal conflict = { .status = 409, .reason = "Conflict" };
	struct fixture *f = *state;

	put_all(f, "0");
	fake_kube_refuse(f->stage.kube, VERB_APPLY, &resource_crd, CRDS, &conflict);
	run(f, 5000);
	assert_int_equal(fake_kube_calls(f->stage.kube, VERB_GET, &resource_crd), 2 * CRDS);
	assert_int_equal(applied(f), 2 * CRDS);
	assert_int_equal(count_lines(f, "cannot be upgraded"), 0);
	check_state(f, "sparkapplications", "upgraded");
}

static void on_change(void *arg, const struct resource *res, const struct json *before, const struct json *now)
{
	bool *done = arg;

	(void)res;
	(void)before;
	(void)now;
	*done = true;
}

/* A newer operator writes between our look and our write: what it wrote stays. */
static void test_overtaken(void **state)
{
	struct fixture *f = *state;
	bool changed = false;

	put_all(f, "0");
	crd_upgrade_start(f->upgrade);
	fake_kube_run(f->stage.kube, 4); /* the GETs have arrived, their answers have not */
	fake_kube_patch(f->stage.kube, &resource_crd, NULL, APPS,
			"{\"metadata\": {\"annotations\": {\"" ANNOTATION_CRDS_VERSION "\": \"1000000\"}}}");
	fake_kube_on_change(f->stage.kube, on_change, &changed);
	fake_kube_run(f->stage.kube, 10000);
	assert_true(changed); /* the other two */
	check_state(f, "sparkapplications", "newer");
	assert_string_equal(number_of(stored(f, APPS)), "1000000");
}

static void test_busy(void **state)
{
	static const struct fake_refusal busy = { .status = 503, .retry_after_s = 60 };
	struct fixture *f = *state;

	fake_kube_refuse(f->stage.kube, VERB_GET, &resource_crd, CRDS, &busy);
	run(f, 59 * 1000);
	check_state(f, "sparkconnects", "failing");
	assert_int_equal(fake_kube_calls(f->stage.kube, VERB_GET, &resource_crd), CRDS);
	fake_kube_run(f->stage.kube, 5000);
	check_state(f, "sparkconnects", "created");
}

/* An API server that is away for long: one warning, later tries, then it is done. */
static void test_down(void **state)
{
	struct fixture *f = *state;

	fake_kube_down(f->stage.kube, 2 * FIVE_MINUTES_MS);
	run(f, 2 * FIVE_MINUTES_MS - 1000);
	assert_int_equal(count_lines(f, "trying again"), CRDS);
	fake_kube_run(f->stage.kube, FIVE_MINUTES_MS + 2000);
	assert_int_equal(fake_kube_count(f->stage.kube, &resource_crd), CRDS);
}

/* Written, but the answer was lost: it is found as it should be. */
static void test_lost_reply(void **state)
{
	struct fixture *f = *state;

	fake_kube_fail(f->stage.kube, 1, FAKE_LOSE_REPLY, NULL);
	run(f, 10000);
	assert_int_equal(fake_kube_count(f->stage.kube, &resource_crd), CRDS);
	assert_int_equal(applied(f), CRDS);
}

static void test_freed_under_way(void **state)
{
	struct fixture *f = *state;

	crd_upgrade_start(f->upgrade);
	fake_kube_run(f->stage.kube, 1);
	crd_upgrade_free(take_ptr(f->upgrade));
	fake_kube_run(f->stage.kube, 1000);
	assert_int_equal(fake_kube_count(f->stage.kube, &resource_crd), 0);
	crd_upgrade_free(NULL);
}

static void test_freed_while_waiting(void **state)
{
	static const struct fake_refusal busy = { .status = 503 };
	struct fixture *f = *state;

	fake_kube_refuse(f->stage.kube, VERB_GET, &resource_crd, -1, &busy);
	run(f, 100);
	check_state(f, "sparkconnects", "failing");
	crd_upgrade_free(take_ptr(f->upgrade));
	fake_kube_run(f->stage.kube, FIVE_MINUTES_MS);
	assert_int_equal(fake_kube_calls(f->stage.kube, VERB_GET, &resource_crd), CRDS);
}

/* ---- the command ---- */

/* What crds_print writes, parsed. */
static struct json *printed(const char *output)
{
	auto_free char *format = xstrdup(output);
	const struct options o = { .output = format };
	auto_free char *text = NULL;
	struct err err = { 0 };
	struct json *tree;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(crds_print(&o, out), 0);
	fclose(out);
	tree = yaml_parse(text, len, &err);
	if (!tree)
		fail_msg("%s", err.msg);
	return tree;
}

static struct json *in_folder(const char *plural)
{
	auto_free char *path = xasprintf("%s/../crds/sparkoperator.k8s.io_%s.yaml", TESTS_DIR, plural);
	size_t len = 0;
	auto_free char *text = golden_read(path, &len);
	struct err err = { 0 };
	auto_json documents = yaml_parse(text, len, &err);

	return json_take_first(documents);
}

static void check_documents(const struct json *documents)
{
	assert_int_equal(json_len(documents), CRDS);
	json_each (document, documents) {
		auto_json file = in_folder(json_str(document, "spec.names.plural", ""));

		assert_true(json_equal(document, file));
	}
}

static void test_print_yaml(void **state)
{
	auto_json documents = printed("yaml");

	(void)state;
	check_documents(documents);
}

static void test_print_json(void **state)
{
	auto_json documents = printed("json");

	(void)state;
	assert_int_equal(json_len(documents), 1);
	assert_string_equal(json_str(json_first(documents), "kind", ""), "List");
	check_documents(json_get(json_first(documents), "items"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_created),
		TEST(test_current),
		TEST(test_older),
		TEST(test_other_operator),
		TEST(test_no_number),
		TEST(test_overwritten),
		TEST(test_newer),
		TEST(test_started_once),
		TEST(test_forbidden_read),
		TEST(test_forbidden_write),
		TEST(test_conflict),
		TEST(test_overtaken),
		TEST(test_busy),
		TEST(test_down),
		TEST(test_lost_reply),
		TEST(test_freed_under_way),
		TEST(test_freed_while_waiting),
		cmocka_unit_test(test_print_yaml),
		cmocka_unit_test(test_print_json),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
