/* Cached objects: identity, views that work and views that do not, who frees what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "kube/object.h"
#include "parse.h"

static int views; /* alive */

static void *view_new(const struct json *tree, struct err *err)
{
	if (json_at(tree, "spec.bad")) {
		err_set(err, ERR_INVALID, "spec.bad: not allowed");
		return NULL;
	}
	views++;
	return xstrdup(json_str(tree, "spec.image", ""));
}

static void view_free(void *view)
{
	views--;
	free(view);
}

static char *index_of(const struct json *tree)
{
	return xstrdup_null(json_str(tree, "metadata.labels.app", NULL));
}

static const struct kind full = { &resource_pod, true, view_new, view_free, index_of };
static const struct kind lean = { &resource_pod, false, view_new, view_free, index_of };
static const struct kind bare = { &resource_pod, false, NULL, NULL, NULL };

#define META(more) "\"metadata\":{\"name\":\"a\",\"namespace\":\"ns\",\"uid\":\"u\",\"resourceVersion\":\"7\"" more "}"

static void test_all_fields(void **state)
{
	struct err err;
	auto_kobj o =
	    kobj_new(&full, parse("{" META(",\"labels\":{\"app\":\"x\"}") ",\"spec\":{\"image\":\"i\"}}"), &err);

	(void)state;
	assert_non_null(o);
	assert_string_equal(o->key, "ns/a");
	assert_string_equal(o->ns, "ns");
	assert_string_equal(o->name, "a");
	assert_string_equal(o->uid, "u");
	assert_string_equal(o->resource_version, "7");
	assert_string_equal(o->index, "x");
	assert_string_equal(o->view, "i");
	assert_string_equal(json_str(o->tree, "spec.image", ""), "i");
	assert_null(o->problem);
	assert_ptr_equal(o->kind, &full);
}

static void test_what_nobody_reads_is_dropped(void **state)
{
	static const char text[] = "{" META(
	    ",\"managedFields\":[{\"manager\":\"kubectl\"}],\"annotations\":{\"a\":\"b\","
	    "\"kubectl.kubernetes.io/last-applied-configuration\":\"{}\"}") ","
									    "\"spec\":{\"managedFields\":[1]}}";
	struct err err;
	auto_kobj o = kobj_new(&full, object_parse(text, strlen(text), &err), &err);
	auto_free char *left = json_print(o->tree);

	(void)state;
	assert_string_equal(left, "{" META(",\"annotations\":{\"a\":\"b\"}") ",\"spec\":{\"managedFields\":[1]}}");
}

static void test_lean_kind_drops_tree(void **state)
{
	struct err err;
	auto_kobj o = kobj_new(&lean, parse("{" META("") ",\"spec\":{\"image\":\"i\"}}"), &err);

	(void)state;
	assert_null(o->tree);
	assert_null(o->index);
	assert_string_equal(o->view, "i");
}

static void test_kind_without_view(void **state)
{
	struct err err;
	auto_kobj o = kobj_new(&bare, parse(JSON({ "metadata" : { "name" : "n", "resourceVersion" : "1" } })), &err);

	(void)state;
	assert_null(o->view);
	assert_null(o->problem);
	assert_null(o->index);
	assert_string_equal(o->key, "n");
	assert_string_equal(o->ns, "");
	assert_string_equal(o->uid, "");
}

static void test_bad_view_is_kept_as_problem(void **state)
{
	struct err err;
	auto_kobj o = kobj_new(&full, parse("{" META("") ",\"spec\":{\"bad\":1}}"), &err);

	(void)state;
	assert_non_null(o);
	assert_null(o->view);
	assert_string_equal(o->problem, "spec.bad: not allowed");
	assert_non_null(o->tree);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		const char *msg;
	} rows[] = {
		{ "{}", "Pod: metadata.name: missing" },
		{ "[]", "Pod: metadata.name: missing" },
		{ JSON({ "metadata" : { "name" : "", "resourceVersion" : "1" } }), "Pod: metadata.name: missing" },
		{ JSON({ "metadata" : { "name" : 1, "resourceVersion" : "1" } }), "Pod: metadata.name: missing" },
		{ JSON({ "metadata" : { "name" : "a" } }), "Pod a: metadata.resourceVersion: missing" },
		{ JSON({ "metadata" : { "name" : "a", "resourceVersion" : "" } }),
		  "Pod a: metadata.resourceVersion: missing" },
		{ JSON({ "metadata" : { "name" : "a", "resourceVersion" : 5 } }),
		  "Pod a: metadata.resourceVersion: missing" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct err err = { 0 };

		assert_null(kobj_new(&full, parse(rows[i].text), &err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_string_equal(err.msg, rows[i].msg);
	}
}

static void test_references(void **state)
{
	struct err err;
	struct kobj *o = kobj_new(&lean, parse("{" META("") "}"), &err);

	(void)state;
	assert_int_equal(views, 1);
	assert_ptr_equal(kobj_ref(o), o);
	kobj_unref(o);
	assert_int_equal(views, 1);
	assert_string_equal(o->name, "a");
	kobj_unref(o);
	assert_int_equal(views, 0);
	kobj_unref(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_fields),
		cmocka_unit_test(test_what_nobody_reads_is_dropped),
		cmocka_unit_test(test_lean_kind_drops_tree),
		cmocka_unit_test(test_kind_without_view),
		cmocka_unit_test(test_bad_view_is_kept_as_problem),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_references),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
