/* RFC 6902: the examples of its appendix A, what diffs look like, and that a diff applied gives what was wanted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/time.h"
#include "json/patch.h"
#include "parse.h"

/* A.1 to A.16 in their order, without A.9 and A.12 to A.15, which fail; then other cases. */
static void test_apply(void **state)
{
	static const struct {
		const char *doc, *patch, *want;
	} cases[] = {
		{ "{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
		  "{\"foo\":\"bar\",\"baz\":\"qux\"}" },
		{ "{\"foo\":[\"bar\",\"baz\"]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"qux\"}]",
		  "{\"foo\":[\"bar\",\"qux\",\"baz\"]}" },
		{ "{\"baz\":\"qux\",\"foo\":\"bar\"}", "[{\"op\":\"remove\",\"path\":\"/baz\"}]", "{\"foo\":\"bar\"}" },
		{ "{\"foo\":[\"bar\",\"qux\",\"baz\"]}", "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]",
		  "{\"foo\":[\"bar\",\"baz\"]}" },
		{ "{\"baz\":\"qux\",\"foo\":\"bar\"}", "[{\"op\":\"replace\",\"path\":\"/baz\",\"value\":\"boo\"}]",
		  "{\"baz\":\"boo\",\"foo\":\"bar\"}" },
		{ "{\"foo\":{\"bar\":\"baz\",\"waldo\":\"fred\"},\"qux\":{\"corge\":\"grault\"}}",
		  "[{\"op\":\"move\",\"from\":\"/foo/waldo\",\"path\":\"/qux/thud\"}]",
		  "{\"foo\":{\"bar\":\"baz\"},\"qux\":{\"corge\":\"grault\",\"thud\":\"fred\"}}" },
		{ "{\"foo\":[\"all\",\"grass\",\"cows\",\"eat\"]}",
		  "[{\"op\":\"move\",\"from\":\"/foo/1\",\"path\":\"/foo/3\"}]",
		  "{\"foo\":[\"all\",\"cows\",\"eat\",\"grass\"]}" },
		{ "{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}",
		  "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"qux\"},{\"op\":\"test\",\"path\":\"/foo/"
		  "1\",\"value\":2}]",
		  "{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}" },
		{ "{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/child\",\"value\":{\"grandchild\":{}}}]",
		  "{\"foo\":\"bar\",\"child\":{\"grandchild\":{}}}" },
		{ "{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\",\"xyz\":123}]",
		  "{\"foo\":\"bar\",\"baz\":\"qux\"}" },
		{ "{\"/\":9,\"~1\":10}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":10}]", "{\"/\":9,\"~1\":10}" },
		{ "{\"foo\":[\"bar\"]}", "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":[\"abc\",\"def\"]}]",
		  "{\"foo\":[\"bar\",[\"abc\",\"def\"]]}" },

		{ "{\"a\":1}", "[]", "{\"a\":1}" },
		{ "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":null}]", "{\"a\":null}" },
		{ "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"\",\"value\":[2]}]", "[2]" },
		{ "{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":3}]", "3" },
		{ "{\"a\":1}", "[{\"op\":\"test\",\"path\":\"\",\"value\":{\"a\":1}}]", "{\"a\":1}" },
		{ "{\"a\":1}", "[{\"op\":\"copy\",\"from\":\"\",\"path\":\"/b\"}]", "{\"a\":1,\"b\":{\"a\":1}}" },
		{ "{\"a\":[1]}", "[{\"op\":\"copy\",\"from\":\"/a/0\",\"path\":\"/a/0\"}]", "{\"a\":[1,1]}" },
		{ "{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/1\",\"value\":2}]", "{\"a\":[1,2]}" },
		{ "{\"a\":[]}", "[{\"op\":\"add\",\"path\":\"/a/0\",\"value\":2}]", "{\"a\":[2]}" },
		{ "{\"a\":[1,2]}", "[{\"op\":\"add\",\"path\":\"/a/0\",\"value\":0}]", "{\"a\":[0,1,2]}" },
		{ "{\"a\":[1,2]}", "[{\"op\":\"replace\",\"path\":\"/a/1\",\"value\":3}]", "{\"a\":[1,3]}" },
		{ "[1]",
		  "[{\"op\":\"replace\",\"path\":\"/0\",\"value\":3},{\"op\":\"add\",\"path\":\"/-\",\"value\":4}]",
		  "[3,4]" },
		{ "[1,{\"a\":2}]", "[{\"op\":\"move\",\"from\":\"/1/a\",\"path\":\"/0\"}]", "[2,1,{}]" },
		{ "{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a\"}]", "{\"a\":1}" },
		{ "{\"a\":1,\"ab\":2}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/ab\"}]", "{\"ab\":1}" },
		{ "{\"\":{\"\":1}}", "[{\"op\":\"replace\",\"path\":\"//\",\"value\":2}]", "{\"\":{\"\":2}}" },
		{ "{\"-\":1,\"01\":2}",
		  "[{\"op\":\"remove\",\"path\":\"/-\"},{\"op\":\"replace\",\"path\":\"/01\",\"value\":3}]",
		  "{\"01\":3}" },
		{ "{\"a.b\":1}", "[{\"op\":\"replace\",\"path\":\"/a.b\",\"value\":2}]", "{\"a.b\":2}" },
		{ "{\"a~/b\":1}", "[{\"op\":\"replace\",\"path\":\"/a~0~1b\",\"value\":2}]", "{\"a~/b\":2}" },
		{ "{\"a\":9007199254740993}",
		  "[{\"op\":\"test\",\"path\":\"/a\",\"value\":9007199254740993},"
		  "{\"op\":\"replace\",\"path\":\"/a\",\"value\":9223372036854775807}]",
		  "{\"a\":9223372036854775807}" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_json doc = parse(cases[i].doc);
		auto_json patch = parse(cases[i].patch);
		auto_json want = parse(cases[i].want);
		auto_free char *text = NULL;
		struct err err = { 0 };

		if (json_patch_apply(&doc, patch, &err) < 0)
			fail_msg("%s: %s", cases[i].patch, err.msg);
		text = json_print(doc);
		assert_string_equal(text, cases[i].want);
		assert_true(json_equal(doc, want));
	}
}

static void test_apply_fails(void **state)
{
	static const struct {
		const char *doc, *patch, *error;
	} cases[] = {
		{ "{\"baz\":\"qux\"}", "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"bar\"}]", /* A.9 */
		  "operation 0: test /baz: the value is another" },
		{ "{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz/bat\",\"value\":\"qux\"}]", /* A.12 */
		  "operation 0: add /baz/bat: \"bat\" is not in an object or array" },
		{ "{\"/\":9,\"~1\":10}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":\"10\"}]", /* A.15 */
		  "operation 0: test /~01: the value is another" },

		{ "{}", "{}", "a JSON Patch is an array" },
		{ "{}", "[1]", "operation 0: not an object with op and path" },
		{ "{}", "[{\"path\":\"/a\"}]", "operation 0: not an object with op and path" },
		{ "{}", "[{\"op\":\"add\",\"path\":5}]", "operation 0: not an object with op and path" },
		{ "{}", "[{\"op\":\"Add\",\"path\":\"/a\",\"value\":1}]", "operation 0: unknown op \"Add\"" },
		{ "{}", "[{\"op\":\"add\",\"path\":\"/a\"}]", "operation 0: add without value" },
		{ "{}", "[{\"op\":\"copy\",\"path\":\"/a\",\"value\":1}]", "operation 0: copy without from" },
		{ "{}", "[{\"op\":\"add\",\"path\":\"a\",\"value\":1}]", "operation 0: add a: a path starts with /" },
		{ "{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"a\"}]",
		  "operation 0: move a: a path starts with /" },
		{ "{}", "[{\"op\":\"add\",\"path\":\"/a~\",\"value\":1}]",
		  "operation 0: add /a~: ~ in a path is written ~0" },
		{ "{}", "[{\"op\":\"add\",\"path\":\"/~2\",\"value\":1}]",
		  "operation 0: add /~2: ~ in a path is written ~0" },
		{ "{}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":null}]",
		  "operation 0: test /a: nothing is at \"/a\"" },
		{ "{}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":1}]",
		  "operation 0: replace /a: nothing is at \"/a\"" },
		{ "{}", "[{\"op\":\"remove\",\"path\":\"/a\"}]", "operation 0: remove /a: nothing is at \"/a\"" },
		{ "{}", "[{\"op\":\"remove\",\"path\":\"\"}]",
		  "operation 0: remove : the whole document cannot be removed" },
		{ "{}", "[{\"op\":\"move\",\"from\":\"\",\"path\":\"/a\"}]",
		  "operation 0: move /a: a value cannot be moved into itself" },
		{ "{\"a\":{}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]",
		  "operation 0: move /a/b: a value cannot be moved into itself" },
		{ "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a/b\",\"value\":1}]",
		  "operation 0: add /a/b: \"b\" is not in an object or array" },
		{ "[1]", "[{\"op\":\"add\",\"path\":\"/2\",\"value\":1}]",
		  "operation 0: add /2: the array is shorter" },
		{ "[1]", "[{\"op\":\"replace\",\"path\":\"/1\",\"value\":1}]",
		  "operation 0: replace /1: nothing is at \"/1\"" },
		{ "[1]", "[{\"op\":\"remove\",\"path\":\"/-\"}]", "operation 0: remove /-: nothing is at \"/-\"" },
		{ "[1]", "[{\"op\":\"test\",\"path\":\"/00\",\"value\":1}]",
		  "operation 0: test /00: \"00\" is no index of an array" },
		{ "[1]", "[{\"op\":\"test\",\"path\":\"/+0\",\"value\":1}]",
		  "operation 0: test /+0: \"+0\" is no index of an array" },
		{ "[1]", "[{\"op\":\"test\",\"path\":\"/-1\",\"value\":1}]",
		  "operation 0: test /-1: \"-1\" is no index of an array" },
		{ "[1]", "[{\"op\":\"test\",\"path\":\"/\",\"value\":1}]",
		  "operation 0: test /: \"\" is no index of an array" },
		{ "[1]", "[{\"op\":\"test\",\"path\":\"/99999999999999999999\",\"value\":1}]",
		  "operation 0: test /99999999999999999999: \"99999999999999999999\" is no index of an array" },
		{ "{\"a\":1}", /* what came before is undone */
		  "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":2},{\"op\":\"add\",\"path\":\"\",\"value\":[]},"
		  "{\"op\":\"test\",\"path\":\"\",\"value\":{}}]",
		  "operation 2: test : the value is another" },
		{ "{\"a\":9007199254740993}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":9007199254740992}]",
		  "operation 0: test /a: the value is another" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_json doc = parse(cases[i].doc);
		auto_json patch = parse(cases[i].patch);
		auto_free char *text = NULL;
		struct err err = { 0 };

		assert_int_equal(json_patch_apply(&doc, patch, &err), -ERR_INVALID);
		assert_string_equal(err.msg, cases[i].error);
		text = json_print(doc);
		assert_string_equal(text, cases[i].doc);
	}
}

/* Each copy doubles the document. */
static void test_copies_are_bounded(void **state)
{
	static const struct {
		const char *op, *error;
	} cases[] = {
		{ "{\"op\":\"copy\",\"from\":\"\",\"path\":\"/-\"}", "copies more than 1000000 values" },
		{ "{\"op\":\"copy\",\"from\":\"\",\"path\":\"/0\"}", "copies more than 1000000 values" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_json doc = parse("[[1]]");
		auto_json patch = json_new_array();
		struct err err = { 0 };

		for (int n = 0; n < 100; n++)
			json_append(patch, parse(cases[i].op));
		assert_int_equal(json_patch_apply(&doc, patch, &err), -ERR_INVALID);
		assert_non_null(strstr(err.msg, cases[i].error));
	}
}

/* None of them is large. Each replaces the last one, so the document stays small, but the work does not. */
static void test_all_copies_together_are_bounded(void **state)
{
	enum { VALUES = 20000, FINE = 5, TOO_MANY = 55 };
	auto_json doc = parse("{\"a\":[]}");
	auto_json patch = json_new_array();
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < VALUES; i++)
		json_append(json_get(doc, "a"), json_new_i64(i));
	while (json_len(patch) < FINE)
		json_append(patch, parse("{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"}"));
	assert_int_equal(json_patch_apply(&doc, patch, &err), 0);
	while (json_len(patch) < TOO_MANY)
		json_append(patch, parse("{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"}"));
	assert_int_equal(json_patch_apply(&doc, patch, &err), -ERR_INVALID);
	assert_non_null(strstr(err.msg, "copies more than 1000000 values"));
}

static struct json *nested(int levels)
{
	struct json *v = json_new_i64(1);

	while (levels-- > 0) {
		struct json *outer = json_new_array();

		json_append(outer, v);
		v = outer;
	}
	return v;
}

static void test_depth_is_bounded(void **state)
{
	static const char *const ops[] = { "add", "replace" };

	(void)state;
	for (size_t i = 0; i < array_len(ops); i++) {
		for (int extra = 0; extra < 2; extra++) {
			auto_json doc = nested(200);
			auto_json patch = json_new_array();
			struct json *op = json_append(patch, json_new_object());
			auto_buf path = { .max = SIZE_MAX };
			struct err err = { 0 };

			for (int n = 0; n < 200; n++)
				buf_puts(&path, "/0");
			json_set_str(op, "op", ops[i]);
			json_set_str(op, "path", buf_str(&path));
			json_set(op, "value", nested(JSON_MAX_DEPTH - 200 + extra));
			assert_int_equal(json_patch_apply(&doc, patch, &err), extra ? -ERR_INVALID : 0);
			if (extra)
				assert_non_null(strstr(err.msg, "nested too deeply"));
		}
	}
}

static void test_diff(void **state)
{
	static const struct {
		const char *from, *to, *want;
	} cases[] = {
		{ "{\"a\":1}", "{\"a\":1}", "[]" },
		{ "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", "[]" },
		{ "{}", "{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":[1]}]" },
		{ "{}", "{\"a\":null}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":null}]" },
		{ "{\"a\":1}", "{}",
		  "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1},{\"op\":\"remove\",\"path\":\"/a\"}]" },
		{ "{\"a\":1}", "{\"a\":\"1\"}",
		  "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1},{\"op\":\"replace\",\"path\":\"/"
		  "a\",\"value\":\"1\"}]" },
		{ "{\"a\":9007199254740992}", "{\"a\":9007199254740993}",
		  "[{\"op\":\"test\",\"path\":\"/a\",\"value\":9007199254740992},"
		  "{\"op\":\"replace\",\"path\":\"/a\",\"value\":9007199254740993}]" },
		{ "{\"a\":{\"x/y~z.w\":1,\"\":2}}", "{\"a\":{\"x/y~z.w\":1,\"\":2,\"~1/\":3}}",
		  "[{\"op\":\"add\",\"path\":\"/a/~01~1\",\"value\":3}]" },
		{ "{\"\":{}}", "{\"\":{\"\":1}}", "[{\"op\":\"add\",\"path\":\"//\",\"value\":1}]" },
		{ "1", "2",
		  "[{\"op\":\"test\",\"path\":\"\",\"value\":1},{\"op\":\"replace\",\"path\":\"\",\"value\":2}]" },
		/* null is tested, collections with null inside are not */
		{ "{\"a\":null}", "{\"a\":1}",
		  "[{\"op\":\"test\",\"path\":\"/a\",\"value\":null},{\"op\":\"replace\",\"path\":\"/"
		  "a\",\"value\":1}]" },
		{ "{\"a\":[{\"b\":null}]}", "{\"a\":[]}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":[]}]" },
		{ "{\"a\":{\"b\":null}}", "{}", "[{\"op\":\"remove\",\"path\":\"/a\"}]" },
		/* appended */
		{ "{\"a\":[1,2]}", "{\"a\":[1,2,3,[4]]}",
		  "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":3},{\"op\":\"add\",\"path\":\"/a/-\",\"value\":[4]}]" },
		{ "{\"a\":[]}", "{\"a\":[{}]}", "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":{}}]" },
		/* changed in place: known by name */
		{ "{\"c\":[{\"name\":\"x\"},{\"name\":\"y\",\"v\":1}]}",
		  "{\"c\":[{\"name\":\"x\"},{\"name\":\"y\",\"v\":2}]}",
		  "[{\"op\":\"test\",\"path\":\"/c/1/name\",\"value\":\"y\"},{\"op\":\"test\",\"path\":\"/c/1/"
		  "v\",\"value\":1},"
		  "{\"op\":\"replace\",\"path\":\"/c/1/v\",\"value\":2}]" },
		{ "{\"c\":[{\"name\":\"x\",\"env\":[{\"name\":\"e\"}]}]}",
		  "{\"c\":[{\"name\":\"x\",\"env\":[{\"name\":\"e\"},{\"name\":\"f\"}]},{\"name\":\"y\"}]}",
		  "[{\"op\":\"test\",\"path\":\"/c/0/name\",\"value\":\"x\"},"
		  "{\"op\":\"add\",\"path\":\"/c/0/env/-\",\"value\":{\"name\":\"f\"}},"
		  "{\"op\":\"add\",\"path\":\"/c/-\",\"value\":{\"name\":\"y\"}}]" },
		/* changed in place: known by value, tested once */
		{ "[\"a\",\"b\"]", "[\"a\",\"c\"]",
		  "[{\"op\":\"test\",\"path\":\"/1\",\"value\":\"b\"},{\"op\":\"replace\",\"path\":\"/"
		  "1\",\"value\":\"c\"}]" },
		{ "[{\"k\":{\"l\":[1]}}]", "[{\"k\":{\"l\":[2]},\"m\":3}]",
		  "[{\"op\":\"test\",\"path\":\"/0\",\"value\":{\"k\":{\"l\":[1]}}},"
		  "{\"op\":\"replace\",\"path\":\"/0/k/l/0\",\"value\":2},{\"op\":\"add\",\"path\":\"/0/"
		  "m\",\"value\":3}]" },
		{ "[{\"a\":1,\"b\":2}]", "[{\"a\":1}]",
		  "[{\"op\":\"test\",\"path\":\"/0\",\"value\":{\"a\":1,\"b\":2}},{\"op\":\"remove\",\"path\":\"/0/"
		  "b\"}]" },
		/* inserted, removed, renamed: as a whole */
		{ "[1,2]", "[0,1,2]",
		  "[{\"op\":\"test\",\"path\":\"\",\"value\":[1,2]},{\"op\":\"replace\",\"path\":\"\",\"value\":[0,1,2]"
		  "}]" },
		{ "[1,2]", "[1]",
		  "[{\"op\":\"test\",\"path\":\"\",\"value\":[1,2]},{\"op\":\"replace\",\"path\":\"\",\"value\":[1]}"
		  "]" },
		{ "[{\"name\":\"x\"}]", "[{\"name\":\"y\"}]",
		  "[{\"op\":\"test\",\"path\":\"\",\"value\":[{\"name\":\"x\"}]},"
		  "{\"op\":\"replace\",\"path\":\"\",\"value\":[{\"name\":\"y\"}]}]" },
		{ "[{\"name\":\"x\",\"v\":1},{\"name\":\"y\"}]",
		  "[{\"name\":\"x\",\"v\":2},{\"name\":\"z\"},{\"name\":\"y\"}]",
		  "[{\"op\":\"test\",\"path\":\"\",\"value\":[{\"name\":\"x\",\"v\":1},{\"name\":\"y\"}]},{\"op\":"
		  "\"replace\","
		  "\"path\":\"\",\"value\":[{\"name\":\"x\",\"v\":2},{\"name\":\"z\"},{\"name\":\"y\"}]}]" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_json from = parse(cases[i].from);
		auto_json to = parse(cases[i].to);
		auto_json patch = json_patch_diff(from, to);
		auto_free char *text = json_print(patch);

		assert_string_equal(text, cases[i].want);
	}
}

/* Whoever changed what the patch was made for makes it fail; whoever changed something else does not. */
static void test_a_diff_fails_on_changed_ground(void **state)
{
	static const char from_text[] = "{\"c\":[{\"name\":\"x\",\"v\":1},{\"name\":\"y\"}],\"l\":{\"a\":\"1\"}}";
	static const char to_text[] = "{\"c\":[{\"name\":\"x\",\"v\":2},{\"name\":\"y\"},{\"name\":\"z\"}],\"l\":{}}";
	static const struct {
		const char *doc, *want;
	} cases[] = {
		{ from_text, to_text },
		{ "{\"c\":[{\"name\":\"w\",\"v\":1},{\"name\":\"x\",\"v\":1},{\"name\":\"y\"}],\"l\":{\"a\":\"1\"}}",
		  NULL },
		{ "{\"c\":[{\"name\":\"x\",\"v\":3},{\"name\":\"y\"}],\"l\":{\"a\":\"1\"}}", NULL },
		{ "{\"c\":[{\"name\":\"x\",\"v\":1},{\"name\":\"y\"}],\"l\":{\"a\":\"2\"}}", NULL },
		{ "{\"c\":[{\"name\":\"x\",\"v\":1},{\"name\":\"sidecar\"}],\"l\":{\"a\":\"1\",\"b\":\"2\"}}",
		  "{\"c\":[{\"name\":\"x\",\"v\":2},{\"name\":\"sidecar\"},{\"name\":\"z\"}],\"l\":{\"b\":\"2\"}}" },
	};
	auto_json from = parse(from_text);
	auto_json to = parse(to_text);
	auto_json patch = json_patch_diff(from, to);

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		auto_json doc = parse(cases[i].doc);
		auto_free char *text = NULL;
		struct err err = { 0 };

		assert_int_equal(json_patch_apply(&doc, patch, &err), cases[i].want ? 0 : -ERR_INVALID);
		text = json_print(doc);
		assert_string_equal(text, cases[i].want ? cases[i].want : cases[i].doc);
	}
}

static struct json *random_value(struct rng *rng, int depth);

static const char *const names[] = { "name", "a", "", "~", "/", "b/~1.c", "0", "-" };

static struct json *random_object(struct rng *rng, int depth)
{
	struct json *v = json_new_object();

	for (size_t i = 0; i < array_len(names); i++)
		if (rng_next(rng) % 3 == 0)
			json_set(v, names[i], random_value(rng, depth - 1));
	return v;
}

static struct json *random_array(struct rng *rng, int depth)
{
	struct json *v = json_new_array();

	for (int64_t i = rng_range(rng, 0, 5); i > 0; i--)
		json_append(v, random_value(rng, depth - 1));
	return v;
}

static struct json *random_value(struct rng *rng, int depth)
{
	switch (rng_range(rng, depth > 0 ? 0 : 2, 7)) {
	case 0:
		return random_object(rng, depth);
	case 1:
		return random_array(rng, depth);
	case 2:
		return json_new_bool(rng_next(rng) & 1);
	case 3:
		return json_new_null();
	case 4:
		return json_new_i64(INT64_C(9007199254740990) + rng_range(rng, 0, 5));
	case 5:
		return json_new_double((double)rng_range(rng, 0, 5) / 2);
	default:
		return json_new_string(names[rng_range(rng, 0, 3)]);
	}
}

static struct json *mutated(struct rng *rng, const struct json *v, int depth);

static void copy_children(struct rng *rng, const struct json *v, struct json *copy, int depth)
{
	json_each (child, v) {
		struct json *changed;

		if (rng_next(rng) % 16 == 0)
			continue;
		changed = mutated(rng, child, depth - 1);
		if (json_is(v, JSON_OBJECT))
			json_set(copy, json_name(child), changed);
		else
			json_append(copy, changed);
	}
}

/* v with some changes, insertions and removals. */
static struct json *mutated(struct rng *rng, const struct json *v, int depth)
{
	struct json *copy;

	if (rng_next(rng) % 16 == 0)
		return random_value(rng, depth);
	if (!json_is(v, JSON_ARRAY) && !json_is(v, JSON_OBJECT))
		return json_dup(v);
	copy = json_is(v, JSON_ARRAY) ? json_new_array() : json_new_object();
	copy_children(rng, v, copy, depth);
	if (json_is(v, JSON_ARRAY) && rng_next(rng) % 3 == 0)
		json_append(copy, random_value(rng, depth - 1));
	if (json_is(v, JSON_OBJECT) && rng_next(rng) % 4 == 0)
		json_set(copy, names[rng_range(rng, 0, array_len(names) - 1)], random_value(rng, depth - 1));
	return copy;
}

/* Through its text, as it travels. */
static void check_diff(const struct json *from, const struct json *to)
{
	auto_json diff = json_patch_diff(from, to);
	auto_free char *text = json_print(diff);
	auto_json patch = parse(text);
	auto_json doc = json_dup(from);
	struct err err = { 0 };

	assert_int_equal(json_len(patch) == 0, json_equal(from, to));
	if (json_patch_apply(&doc, patch, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	if (!json_equal(doc, to))
		fail_msg("%s gives another tree", text);
}

static void test_diff_applied_gives_the_target(void **state)
{
	struct rng rng = { 17 };

	(void)state;
	for (int i = 0; i < 5000; i++) {
		auto_json from = random_value(&rng, 5);
		auto_json to = mutated(&rng, from, 5);
		auto_json other = random_value(&rng, 4);

		check_diff(from, to);
		check_diff(from, other);
		check_diff(from, from);
	}
}

static struct json *numbers(int64_t first, int64_t end)
{
	struct json *v = json_new_array();

	while (first < end)
		json_append(v, json_new_i64(first++));
	return v;
}

/* Quadratic work would be seen: minutes. */
static void test_long_arrays(void **state)
{
	enum { LEN = 100000 };
	auto_json from = numbers(0, LEN);
	auto_json appended = numbers(0, 2 * LEN);
	auto_json shifted = numbers(1, LEN + 1);
	auto_json cut = numbers(0, LEN - 1);
	auto_json changed = json_dup(from);
	auto_json patch = json_patch_diff(from, shifted);

	(void)state;
	assert_int_equal(json_len(patch), 2);
	json_set(json_append(changed, json_new_object()), "name", json_new_string("x"));
	check_diff(from, appended);
	check_diff(from, shifted);
	check_diff(from, cut);
	check_diff(from, changed);
}

static void test_deep_trees(void **state)
{
	auto_json from = nested(JSON_MAX_DEPTH);
	auto_json to = nested(JSON_MAX_DEPTH);
	struct json *deepest = to;
	struct err err = { 0 };

	(void)state;
	while (json_is(json_first(deepest), JSON_ARRAY))
		deepest = json_first(deepest);
	json_append(deepest, json_new_i64(2));
	{
		auto_json patch = json_patch_diff(from, to);

		assert_int_equal(json_patch_apply(&from, patch, &err), 0);
		assert_true(json_equal(from, to));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apply),
		cmocka_unit_test(test_apply_fails),
		cmocka_unit_test(test_copies_are_bounded),
		cmocka_unit_test(test_all_copies_together_are_bounded),
		cmocka_unit_test(test_depth_is_bounded),
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_a_diff_fails_on_changed_ground),
		cmocka_unit_test(test_diff_applied_gives_the_target),
		cmocka_unit_test(test_long_arrays),
		cmocka_unit_test(test_deep_trees),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
