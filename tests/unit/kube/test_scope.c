/* Namespaces by label: what of the cluster's objects is in the inner store, as namespaces and objects come, change and
 * go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "kube/scope.h"
#include "json_text.h"

static const struct kind toy_kind = { .res = &resource_poddisruptionbudget, .keep_tree = true };

struct fixture {
	struct selector *selector;
	struct scope *scope;
	struct store *inner;
	struct store *outer;
	unsigned version;
};

static int set_up(void **state)
{
	static const char *const listed[] = { "always" };
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err err = { 0 };

	f->selector = selector_parse("spark=on", &err);
	f->scope = scope_new(listed, 1, f->selector);
	f->inner = store_new(&toy_kind);
	f->outer = scope_add(f->scope, f->inner);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	scope_free(f->scope);
	selector_free(f->selector);
	store_free(f->inner);
	free(f);
	return 0;
}

static void put(struct fixture *f, struct store *store, char *text)
{
	auto_free char *taken = text;
	struct err err = { 0 };
	struct json *tree = json_parse(taken, strlen(taken), &err);
	struct kobj *o;

	assert_non_null(tree);
	json_setf(json_get(tree, "metadata"), "resourceVersion", "%u", ++f->version);
	o = kobj_new(store_kind(store), tree, &err);
	assert_non_null(o);
	store_upsert(store, o);
}

static void put_namespace(struct fixture *f, const char *name, const char *spark)
{
	put(f, scope_namespaces(f->scope),
	    xasprintf("{\"metadata\": {\"name\": \"%s\", \"labels\": {\"spark\": \"%s\"}}}", name, spark));
}

static void put_object(struct fixture *f, const char *ns, const char *name)
{
	put(f, f->outer,
	    xasprintf("{\"metadata\": {\"namespace\": \"%s\", \"name\": \"%s\", \"uid\": \"%s\"}}", ns, name, name));
}

static void only_watched_namespaces(void **state)
{
	struct fixture *f = *state;

	put_namespace(f, "jobs", "on");
	put_namespace(f, "other", "off");
	put_object(f, "jobs", "a");
	put_object(f, "other", "b");
	put_object(f, "always", "c");
	put_object(f, "unknown", "d");
	assert_int_equal(store_len(f->inner), 2);
	assert_non_null(store_get(f->inner, "jobs/a"));
	assert_non_null(store_get(f->inner, "always/c"));
	assert_true(scope_has(f->scope, "jobs"));
	assert_true(scope_has(f->scope, "always"));
	assert_false(scope_has(f->scope, "other"));
	assert_false(scope_has(f->scope, "unknown"));
	store_remove(f->outer, "jobs/a");
	store_remove(f->outer, "other/b");
	assert_int_equal(store_len(f->inner), 1);
}

static void namespaces_change(void **state)
{
	struct fixture *f = *state;

	put_object(f, "jobs", "a");
	put_object(f, "jobs", "b");
	put_object(f, "other", "c");
	assert_int_equal(store_len(f->inner), 0);
	put_namespace(f, "jobs", "on");
	assert_int_equal(store_len(f->inner), 2);
	put_namespace(f, "jobs", "off");
	assert_int_equal(store_len(f->inner), 0);
	put_namespace(f, "jobs", "on");
	put_object(f, "jobs", "a");
	assert_int_equal(store_len(f->inner), 2);
	assert_ptr_equal(store_get(f->inner, "jobs/a"), store_get(f->outer, "jobs/a"));
	store_remove(scope_namespaces(f->scope), "jobs");
	assert_int_equal(store_len(f->inner), 0);
	assert_int_equal(store_len(f->outer), 3);
}

/* A namespace that is listed is watched whatever its labels. */
static void listed_stay(void **state)
{
	struct fixture *f = *state;

	put_object(f, "always", "a");
	put_namespace(f, "always", "on");
	put_namespace(f, "always", "off");
	store_remove(scope_namespaces(f->scope), "always");
	assert_int_equal(store_len(f->inner), 1);
}

/* A list after a lost watch: what is not in it is gone inside too. */
static void relists(void **state)
{
	struct fixture *f = *state;
	uint64_t relist;

	put_namespace(f, "jobs", "on");
	put_object(f, "jobs", "a");
	put_object(f, "jobs", "b");
	relist = store_relist_begin(f->outer);
	put_object(f, "jobs", "b");
	store_relist_end(f->outer, NULL, relist);
	assert_int_equal(store_len(f->inner), 1);
	assert_non_null(store_get(f->inner, "jobs/b"));
}

static void without_labels(void **state)
{
	struct fixture *f = *state;

	put(f, scope_namespaces(f->scope), xstrdup(JSON({ "metadata" : { "name" : "bare" } })));
	assert_false(scope_has(f->scope, "bare"));
	scope_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_watched_namespaces), TEST(namespaces_change), TEST(listed_stay), TEST(relists),
		TEST(without_labels),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
