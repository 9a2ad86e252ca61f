/* The cache: what counts as news, relists, the index, and what listeners are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"
#include "kube/store.h"
#include "store_cost.h"

static char *index_of(const struct json *tree)
{
	return xstrdup_null(json_str(tree, "metadata.labels.app", NULL));
}

static const struct kind kind = { &resource_pod, false, NULL, NULL, index_of };

struct fixture {
	struct store *store;
	struct buf log;
};

static void on_change(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct fixture *f = arg;
	const struct kobj *any = now ? now : before;

	buf_printf(&f->log, "%s:%s>%s ", any->key, before ? before->resource_version : "",
		   now ? now->resource_version : "");
	/* The store has changed already. */
	assert_ptr_equal(store_get(f->store, any->key), now);
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	buf_init(&f->log, 4096);
	f->store = store_new(&kind);
	store_on_change(f->store, on_change, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_free(f->store);
	buf_done(&f->log);
	free(f);
	return 0;
}

/* app may be NULL. */
static struct kobj *object(const char *ns, const char *name, const char *uid, const char *version, const char *app)
{
	struct json *tree = json_new_object();
	struct json *meta = json_set(tree, "metadata", json_new_object());
	struct kobj *o;
	struct err err;

	json_set_str(meta, "namespace", ns);
	json_set_str(meta, "name", name);
	json_set_str(meta, "uid", uid);
	json_set_str(meta, "resourceVersion", version);
	json_set_str(json_ensure_object(meta, "labels"), "app", app);
	o = kobj_new(&kind, tree, &err);
	assert_non_null(o);
	return o;
}

static void put(struct fixture *f, const char *ns, const char *name, const char *uid, const char *version)
{
	store_upsert(f->store, object(ns, name, uid, version, NULL));
}

static void expect_log(struct fixture *f, const char *want)
{
	assert_string_equal(buf_str(&f->log), want);
	buf_clear(&f->log);
}

static void test_add_change_remove(void **state)
{
	struct fixture *f = *state;

	assert_ptr_equal(store_kind(f->store), &kind);
	assert_null(store_get(f->store, "n/a"));
	put(f, "n", "a", "u", "1");
	put(f, "n", "a", "u", "2");
	assert_int_equal(store_len(f->store), 1);
	assert_string_equal(store_get(f->store, "n/a")->resource_version, "2");
	store_remove(f->store, "n/a");
	store_remove(f->store, "n/a");
	assert_int_equal(store_len(f->store), 0);
	expect_log(f, "n/a:>1 n/a:1>2 n/a:2> ");
}

static void test_remove_by_own_key(void **state)
{
	struct fixture *f = *state;

	put(f, "n", "a", "u", "1");
	store_remove(f->store, store_get(f->store, "n/a")->key);
	expect_log(f, "n/a:>1 n/a:1> ");
}

static void test_what_is_news(void **state)
{
	static const struct {
		const char *uid;
		const char *version;
		bool news;
	} rows[] = {
		{ "u", "10", false },	{ "u", "9", false },	  { "u", "11", true }, { "u", "100", true },
		{ "other", "9", true }, { "other", "10", false }, { "u", "x", true },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < array_len(rows); i++) {
		store_remove(f->store, "n/a");
		put(f, "n", "a", "u", "10");
		buf_clear(&f->log);
		put(f, "n", "a", rows[i].uid, rows[i].version);
		assert_int_equal(f->log.len > 0, rows[i].news);
		assert_string_equal(store_get(f->store, "n/a")->resource_version,
				    rows[i].news ? rows[i].version : "10");
	}
}

static void test_malformed_version_twice(void **state)
{
	struct fixture *f = *state;

	put(f, "n", "a", "u", "x");
	put(f, "n", "a", "u", "x");
	put(f, "n", "a", "u", "w");
	expect_log(f, "n/a:>x n/a:x>w ");
}

static void test_reference_outlives_store(void **state)
{
	struct fixture *f = *state;
	auto_kobj held = NULL;

	put(f, "n", "a", "u", "1");
	held = kobj_ref(store_get(f->store, "n/a"));
	store_remove(f->store, "n/a");
	assert_string_equal(held->name, "a");
	assert_int_equal(held->refs, 1);
}

static void test_relist(void **state)
{
	struct fixture *f = *state;
	uint64_t relist;

	put(f, "n", "kept", "u1", "1");
	put(f, "n", "gone", "u2", "2");
	put(f, "n", "changed", "u3", "3");
	put(f, "n", "recreated", "u4", "9");
	buf_clear(&f->log);
	relist = store_relist_begin(f->store);
	put(f, "n", "kept", "u1", "1");
	put(f, "n", "changed", "u3", "5");
	put(f, "n", "recreated", "u5", "6");
	put(f, "n", "new", "u6", "7");
	store_relist_end(f->store, NULL, relist);
	expect_log(f, "n/changed:3>5 n/recreated:9>6 n/new:>7 n/gone:2> ");
	assert_int_equal(store_len(f->store), 4);
}

static void test_relist_keeps_what_is_newer(void **state)
{
	struct fixture *f = *state;
	uint64_t relist;

	put(f, "n", "a", "u", "9");
	buf_clear(&f->log);
	relist = store_relist_begin(f->store);
	put(f, "n", "a", "u", "8");
	store_relist_end(f->store, NULL, relist);
	expect_log(f, "");
	assert_string_equal(store_get(f->store, "n/a")->resource_version, "9");
}

static void test_relist_begun_again(void **state)
{
	struct fixture *f = *state;
	uint64_t relist;

	put(f, "n", "a", "u", "1");
	put(f, "n", "b", "u", "2");
	buf_clear(&f->log);
	relist = store_relist_begin(f->store);
	put(f, "n", "a", "u", "1");
	relist = store_relist_begin(f->store);
	put(f, "n", "b", "u", "2");
	store_relist_end(f->store, NULL, relist);
	expect_log(f, "n/a:1> ");
}

static void test_relist_of_two_namespaces(void **state)
{
	struct fixture *f = *state;
	uint64_t of_m, of_n;

	put(f, "m", "a", "u", "1");
	put(f, "m", "b", "u", "1");
	put(f, "n", "a", "u", "1");
	put(f, "n", "b", "u", "1");
	put(f, "o", "a", "u", "1");
	buf_clear(&f->log);
	of_m = store_relist_begin(f->store);
	put(f, "m", "a", "u", "1");
	of_n = store_relist_begin(f->store);
	put(f, "n", "b", "u", "1");
	store_relist_end(f->store, "m", of_m);
	expect_log(f, "m/b:1> ");
	store_relist_end(f->store, "n", of_n);
	expect_log(f, "n/a:1> ");
	assert_int_equal(store_len(f->store), 3);
}

/* Two informers of the same namespace: each relist is complete for itself. */
static void test_two_relists_of_one_namespace(void **state)
{
	struct fixture *f = *state;
	uint64_t first, second;

	put(f, "n", "a", "u", "1");
	put(f, "n", "b", "u", "1");
	buf_clear(&f->log);
	first = store_relist_begin(f->store);
	second = store_relist_begin(f->store);
	put(f, "n", "a", "u", "1");
	put(f, "n", "a", "u", "1");
	store_relist_end(f->store, "n", first);
	expect_log(f, "n/b:1> ");
	put(f, "n", "c", "u", "1");
	store_relist_end(f->store, "n", second);
	expect_log(f, "n/c:>1 ");
	assert_int_equal(store_len(f->store), 2);
}

/* What other namespaces hold costs nothing. */
static void test_relist_looks_at_its_namespace_only(void **state)
{
	struct fixture *f = *state;
	uint64_t relist;

	for (int i = 0; i < 1000; i++) {
		char ns[16], name[16];

		snprintf(ns, sizeof(ns), "n%d", i % 100);
		snprintf(name, sizeof(name), "p%d", i);
		put(f, ns, name, "u", "1");
	}
	for (int i = 0; i < 100; i++) {
		char ns[16];

		snprintf(ns, sizeof(ns), "n%d", i);
		relist = store_relist_begin(f->store);
		put(f, ns, "new", "u", "1");
		store_relist_end(f->store, ns, relist);
	}
	assert_int_equal(store_len(f->store), 100);
	assert_int_equal(store_looks(f->store), 1100);
	relist = store_relist_begin(f->store);
	store_relist_end(f->store, "none", relist);
	assert_int_equal(store_looks(f->store), 1100);
}

static void test_relist_of_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t relist;

	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "p%d", i);
		put(f, "n", name, "u", "1");
	}
	relist = store_relist_begin(f->store);
	store_relist_end(f->store, NULL, relist);
	assert_int_equal(store_len(f->store), 0);
}

/* Objects under an index value, each checked to be the cached one. */
static size_t count_index(const struct store *s, const char *value)
{
	size_t pos = 0, count = 0;
	const struct kobj *o;

	while ((o = store_index_next(s, value, &pos))) {
		assert_string_equal(o->index, value);
		assert_ptr_equal(store_get(s, o->key), o);
		count++;
	}
	return count;
}

static void test_index(void **state)
{
	struct fixture *f = *state;
	struct store *s = f->store;
	uint64_t relist;

	store_upsert(s, object("n", "a", "u", "1", "x"));
	store_upsert(s, object("n", "b", "u", "1", "x"));
	store_upsert(s, object("n", "c", "u", "1", "x"));
	store_upsert(s, object("n", "d", "u", "1", NULL));
	assert_int_equal(count_index(s, "x"), 3);
	assert_int_equal(count_index(s, "y"), 0);
	store_upsert(s, object("n", "a", "u", "2", "y"));
	assert_int_equal(count_index(s, "x"), 2);
	assert_int_equal(count_index(s, "y"), 1);
	store_upsert(s, object("n", "a", "u", "3", "y"));
	store_upsert(s, object("n", "c", "u", "2", NULL));
	store_upsert(s, object("n", "d", "u", "2", "x"));
	assert_int_equal(count_index(s, "x"), 2);
	store_remove(s, "n/b");
	store_remove(s, "n/d");
	store_remove(s, "n/c");
	assert_int_equal(count_index(s, "x"), 0);
	assert_int_equal(count_index(s, "y"), 1);
	relist = store_relist_begin(s);
	store_relist_end(s, NULL, relist);
	assert_int_equal(count_index(s, "y"), 0);
}

static void test_iteration(void **state)
{
	struct fixture *f = *state;
	size_t pos = 0, count = 0;
	const struct kobj *o;

	assert_null(store_next(f->store, &pos));
	put(f, "n", "a", "u", "1");
	put(f, "n", "b", "u", "1");
	put(f, "n", "c", "u", "1");
	store_remove(f->store, "n/b");
	for (pos = 0; (o = store_next(f->store, &pos));) {
		assert_true(text_eq(o->key, "n/a") || text_eq(o->key, "n/c"));
		count++;
	}
	assert_int_equal(count, 2);
}

/* Objects of a namespace, each checked to be the cached one. */
static size_t count_ns(const struct store *s, const char *ns)
{
	size_t pos = 0, count = 0;
	const struct kobj *o;

	while ((o = store_ns_next(s, ns, &pos))) {
		assert_string_equal(o->ns, ns);
		assert_ptr_equal(store_get(s, o->key), o);
		count++;
	}
	return count;
}

static void test_namespaces(void **state)
{
	struct fixture *f = *state;

	put(f, "n", "a", "u", "1");
	put(f, "n", "b", "u", "1");
	put(f, "m", "a", "u", "1");
	put(f, "", "whole", "u", "1");
	assert_int_equal(count_ns(f->store, "n"), 2);
	assert_int_equal(count_ns(f->store, "m"), 1);
	assert_int_equal(count_ns(f->store, ""), 1);
	assert_int_equal(count_ns(f->store, "o"), 0);
	put(f, "n", "a", "u", "2");
	store_remove(f->store, "n/a");
	store_remove(f->store, "m/a");
	assert_int_equal(count_ns(f->store, "n"), 1);
	assert_int_equal(count_ns(f->store, "m"), 0);
}

static void count_call(void *arg, const struct kobj *before, const struct kobj *now)
{
	struct fixture *f = arg;

	(void)before;
	(void)now;
	buf_puts(&f->log, "second ");
}

static void test_listeners_in_order(void **state)
{
	struct fixture *f = *state;

	store_on_change(f->store, count_call, f);
	put(f, "n", "a", "u", "1");
	expect_log(f, "n/a:>1 second ");
}

/* Two listeners may have the same function. */
static void only_who_stops_listening_is_told_no_more(void **state)
{
	struct fixture *f = *state;
	struct fixture other = { .store = f->store };

	buf_init(&other.log, 4096);
	store_on_change(f->store, on_change, &other);
	store_off_change(f->store, on_change, &other);
	put(f, "ns", "a", "u", "1");
	assert_string_equal(buf_str(&f->log), "ns/a:>1 ");
	assert_string_equal(buf_str(&other.log), "");
	buf_done(&other.log);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_add_change_remove),
		TEST(test_remove_by_own_key),
		TEST(test_what_is_news),
		TEST(test_malformed_version_twice),
		TEST(test_reference_outlives_store),
		TEST(test_relist),
		TEST(test_relist_keeps_what_is_newer),
		TEST(test_relist_begun_again),
		TEST(test_relist_of_two_namespaces),
		TEST(test_two_relists_of_one_namespace),
		TEST(test_relist_looks_at_its_namespace_only),
		TEST(test_relist_of_nothing),
		TEST(test_index),
		TEST(test_namespaces),
		TEST(test_iteration),
		TEST(test_listeners_in_order),
		TEST(only_who_stops_listening_is_told_no_more),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
