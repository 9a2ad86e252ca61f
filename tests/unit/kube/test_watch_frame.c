/* Framing: values come out whole however the bytes are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "watch_frame.h"

static const char stream[] = " \r\n\n{\"a\":\"}{][\\\"\\\\\"}\r\n{\"b\":[{},[[]],\"\xc3\xa9\xf0\x9f\x9a\x80\"]}{}"
			     "\n\n\t{\"c\":\"\\u00e9\\ud83d\\ude80\\n\"}\n";
static const char *const values[] = {
	"{\"a\":\"}{][\\\"\\\\\"}",
	"{\"b\":[{},[[]],\"\xc3\xa9\xf0\x9f\x9a\x80\"]}",
	"{}",
	"{\"c\":\"\xc3\xa9\xf0\x9f\x9a\x80\\n\"}",
};

/* Pushes one chunk and compares what comes out with values[*seen], ... */
static void push(struct watch_frame *f, const char *data, size_t len, size_t *seen)
{
	auto_free char *exact = xmalloc(len ? len : 1); /* so that a read past the chunk is found */
	const char *at = exact;
	struct json *value;
	struct err err;
	int rc;

	memcpy(exact, data, len);
	while ((rc = watch_frame_next(f, &at, &len, &value, &err)) > 0) {
		auto_json owned = value;
		auto_free char *text = json_print(owned);

		assert_true(*seen < array_len(values));
		assert_string_equal(text, values[(*seen)++]);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(len, 0);
}

static void test_one_chunk(void **state)
{
	struct watch_frame f;
	size_t seen = 0;

	(void)state;
	watch_frame_init(&f, 1024);
	push(&f, stream, strlen(stream), &seen);
	assert_int_equal(seen, array_len(values));
	watch_frame_done(&f);
}

static void test_equal_chunks(void **state)
{
	(void)state;
	for (size_t size = 1; size < sizeof(stream); size++) {
		size_t len = strlen(stream), seen = 0;
		struct watch_frame f;

		watch_frame_init(&f, 1024);
		for (size_t at = 0; at < len; at += size)
			push(&f, stream + at, size < len - at ? size : len - at, &seen);
		assert_int_equal(seen, array_len(values));
		watch_frame_done(&f);
	}
}

static void test_every_cut(void **state)
{
	(void)state;
	for (size_t cut = 0; cut <= strlen(stream); cut++) {
		struct watch_frame f;
		size_t seen = 0;

		watch_frame_init(&f, 1024);
		push(&f, stream, cut, &seen);
		push(&f, "", 0, &seen);
		push(&f, stream + cut, strlen(stream) - cut, &seen);
		assert_int_equal(seen, array_len(values));
		watch_frame_done(&f);
	}
}

static void test_errors(void **state)
{
	static const struct {
		const char *data;
		enum err_code code;
		const char *msg;
	} rows[] = {
		{ "x", ERR_INVALID, "watch: expected an object, found byte 0x78" },
		{ "[]", ERR_INVALID, "watch: expected an object, found byte 0x5b" },
		{ "\"{}\"", ERR_INVALID, "watch: expected an object, found byte 0x22" },
		{ "\xef\xbb\xbf{}", ERR_INVALID, "watch: expected an object, found byte 0xef" },
		{ "}", ERR_INVALID, "watch: expected an object, found byte 0x7d" },
		{ "{\"a\":1]", ERR_INVALID, "watch: " },
		{ "{a}", ERR_INVALID, "watch: " },
		{ "{\"a\":\"0123456789012345678901234567890123456789\"}", ERR_TOO_LARGE,
		  "watch: event larger than 32 bytes" },
		{ "{\"a\":\"0123456789012345678901234567890123456789", ERR_TOO_LARGE,
		  "watch: event larger than 32 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		size_t len = strlen(rows[i].data);
		const char *data = rows[i].data;
		struct json *value = NULL;
		struct err err = { 0 };
		struct watch_frame f;

		watch_frame_init(&f, 32);
		assert_int_equal(watch_frame_next(&f, &data, &len, &value, &err), -(int)rows[i].code);
		assert_int_equal(err.code, rows[i].code);
		assert_true(text_starts(err.msg, rows[i].msg));
		assert_null(value);
		watch_frame_done(&f);
	}
}

/* The limit counts one value, to the byte, in whatever pieces it comes. */
static void test_limit(void **state)
{
	static const char fits[] = "{\"a\":\"0123456789\"} {\"a\":\"0123456789\"}";
	static const char larger[] = "{\"a\":\"01234567890\"}";

	(void)state;
	for (size_t size = 1; size < sizeof(fits); size++) {
		const char *data = fits;
		struct watch_frame f;
		struct json *value;
		struct err err;
		int count = 0, rc = 0;

		watch_frame_init(&f, 18);
		while (data < fits + strlen(fits)) {
			size_t left = (size_t)(fits + strlen(fits) - data);
			size_t len = size < left ? size : left;

			rc = watch_frame_next(&f, &data, &len, &value, &err);
			assert_true(rc >= 0);
			count += rc;
			if (rc)
				json_free(value);
		}
		assert_int_equal(count, 2);
		data = larger;
		while (rc >= 0 && data < larger + strlen(larger)) {
			size_t len = 1;

			rc = watch_frame_next(&f, &data, &len, &value, &err);
		}
		assert_int_equal(rc, -(int)ERR_TOO_LARGE);
		watch_frame_done(&f);
	}
}

static void test_reset_forgets(void **state)
{
	static const char *const heads[] = { "{\"a\":[", "{\"a", "{\"a\\", "{" };

	(void)state;
	for (size_t i = 0; i < array_len(heads); i++) {
		struct watch_frame f;
		size_t seen = 0;

		watch_frame_init(&f, 1024);
		push(&f, heads[i], strlen(heads[i]), &seen);
		watch_frame_reset(&f);
		push(&f, stream, strlen(stream), &seen);
		assert_int_equal(seen, array_len(values));
		watch_frame_done(&f);
	}
}

/* 4 MiB in chunks of a byte: anything but linear cost would take hours. */
static void test_cost_is_linear(void **state)
{
	size_t size = 4 * 1024 * 1024;
	auto_free char *text = xmalloc(size);
	struct json *value = NULL;
	struct watch_frame f;
	struct err err;
	int rc = 0;

	(void)state;
	memset(text, 'x', size);
	memcpy(text, "{\"a\":\"", 6);
	memcpy(text + size - 2, "\"}", 2);
	watch_frame_init(&f, size);
	for (size_t i = 0; i < size; i++) {
		const char *data = text + i;
		size_t len = 1;

		assert_false(rc);
		rc = watch_frame_next(&f, &data, &len, &value, &err);
	}
	assert_int_equal(rc, 1);
	assert_int_equal(strlen(json_str(value, "a", "")), size - 8);
	json_free(value);
	watch_frame_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_chunk),      cmocka_unit_test(test_equal_chunks),
		cmocka_unit_test(test_every_cut),      cmocka_unit_test(test_errors),
		cmocka_unit_test(test_limit),	       cmocka_unit_test(test_reset_forgets),
		cmocka_unit_test(test_cost_is_linear),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
