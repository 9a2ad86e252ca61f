/* Events: all fields, names that the API server accepts, cuts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "kube/event.h"

static const struct event_about about = { &resource_sparkapplication, "n", "pi", "u" };

static struct json *build(const struct event_about *a, const char *reason, const char *message, int64_t wall_ms)
{
	return event_build(a, "Warning", reason, message, "spark-operator", "op-1", wall_ms);
}

static void test_all_fields(void **state)
{
	auto_json e = build(&about, "Failed", "it failed", 1767323045000);
	auto_free char *name = xstrdup(json_str(e, "metadata.name", ""));
	auto_free char *text = NULL;

	(void)state;
	json_set_str(json_get(e, "metadata"), "name", "NAME");
	text = json_print(e);
	assert_true(text_starts(name, "pi."));
	assert_int_equal(strlen(name), 3 + 16);
	assert_int_equal(strspn(name + 3, "0123456789abcdef"), 16);
	assert_string_equal(
	    text, "{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":{\"name\":\"NAME\",\"namespace\":\"n\"},"
		  "\"involvedObject\":{\"apiVersion\":\"sparkoperator.k8s.io/v1beta2\",\"kind\":\"SparkApplication\","
		  "\"name\":\"pi\",\"namespace\":\"n\",\"uid\":\"u\"},"
		  "\"type\":\"Warning\",\"reason\":\"Failed\",\"message\":\"it failed\","
		  "\"source\":{\"component\":\"spark-operator\"},\"firstTimestamp\":\"2026-01-02T03:04:05Z\","
		  "\"lastTimestamp\":\"2026-01-02T03:04:05Z\",\"count\":1,\"reportingComponent\":\"spark-operator\","
		  "\"reportingInstance\":\"op-1\"}");
}

/* Two equal ones first, then one for each part that differs. */
static void test_name_depends_on_all(void **state)
{
	struct event_about other = about;
	struct json *events[7];

	(void)state;
	other.uid = "u2";
	events[0] = build(&about, "R", "m", 1);
	events[1] = build(&about, "R", "m", 1);
	events[2] = build(&about, "S", "m", 1);
	events[3] = build(&about, "R", "n", 1);
	events[4] = build(&about, "R", "m", 2);
	events[5] = build(&other, "R", "m", 1);
	events[6] = build(&about, "Rm", "", 1);
	assert_true(json_equal(events[0], events[1]));
	for (size_t i = 2; i < array_len(events); i++)
		for (size_t j = 1; j < i; j++)
			assert_string_not_equal(json_str(events[j], "metadata.name", ""),
						json_str(events[i], "metadata.name", ""));
	for (size_t i = 0; i < array_len(events); i++)
		json_free(events[i]);
}

/* Whatever the name of the object and wherever it is cut, the name of the event is valid. */
static void test_long_names(void **state)
{
	(void)state;
	for (size_t len = 2; len <= 253; len++) {
		auto_free char *name = xcalloc(len + 1, 1);
		struct event_about long_name = { &resource_pod, "n", name, "u" };
		auto_json e = NULL;
		const char *got;

		memset(name, 'a', len);
		for (size_t i = 230; i < 240 && i + 1 < len; i++)
			name[i] = len % 2 ? '-' : i % 2 ? '.' : 'a';
		e = build(&long_name, "R", "m", 1);
		got = json_str(e, "metadata.name", "");
		assert_true(strlen(got) <= 253);
		assert_true(text_is_dns_subdomain(got));
		assert_string_equal(json_str(e, "involvedObject.name", ""), name);
	}
}

static void test_message_is_cut_between_characters(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		char message[1101] = "xxx";
		auto_json e = NULL;
		const char *got;

		for (size_t i = shift; i + 4 < sizeof(message); i += 4)
			memcpy(message + i, "\xf0\x9f\x9a\x80", 4);
		e = build(&about, "R", message, 1);
		got = json_str(e, "message", "");
		assert_in_range(strlen(got), 1021, 1024);
		assert_true(text_is_utf8(got, strlen(got)));
		assert_true(text_starts(message, got));
	}
}

static void test_message_of_the_limit_is_whole(void **state)
{
	char message[1025] = "";
	auto_json e = NULL;

	(void)state;
	memset(message, 'x', sizeof(message) - 1);
	e = build(&about, "R", message, 1);
	assert_string_equal(json_str(e, "message", ""), message);
}

static void test_object_without_namespace(void **state)
{
	struct event_about node = { &resource_pod, NULL, "x", NULL };
	auto_json e = build(&node, "R", "m", 1);

	(void)state;
	assert_string_equal(json_str(e, "metadata.namespace", ""), "default");
	assert_null(json_at(e, "involvedObject.namespace"));
	assert_null(json_at(e, "involvedObject.uid"));
}

static void test_repeat(void **state)
{
	auto_json patch = event_repeat(7, 1767323045000);
	auto_free char *text = json_print(patch);

	(void)state;
	assert_string_equal(text, "{\"count\":7,\"lastTimestamp\":\"2026-01-02T03:04:05Z\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_fields),
		cmocka_unit_test(test_name_depends_on_all),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_message_is_cut_between_characters),
		cmocka_unit_test(test_message_of_the_limit_is_whole),
		cmocka_unit_test(test_object_without_namespace),
		cmocka_unit_test(test_repeat),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
