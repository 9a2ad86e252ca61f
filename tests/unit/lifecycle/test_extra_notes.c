/* Notes on the objects beside applications: what was created, what failed how often, and when it is forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "lifecycle/extra_notes.h"
#include "parse.h"

#define KEY "jobs/pi"

static const struct action ui = { .type = ACTION_CREATE, .res = &resource_service, .name = (char *)"pi-ui-svc" };
static const struct action port = { .type = ACTION_CREATE, .res = &resource_service, .name = (char *)"pi-driver-80" };
static const struct action way = { .type = ACTION_CREATE, .res = &resource_ingress, .name = (char *)"pi-driver-80" };

static void created(struct extra_notes *n, const struct action *action, const char *text)
{
	auto_json object = parse(text);

	extra_notes_add(n, KEY, action, object, NULL, 5);
}

static void failed(struct extra_notes *n, const struct action *action, const char *why, int64_t wall_ms)
{
	struct err err = { 0 };

	err_set(&err, ERR_DENIED, "%s", why);
	extra_notes_add(n, KEY, action, NULL, &err, wall_ms);
}

static const struct extra_sighting *find(const struct extra_notes *n, const struct action *action)
{
	size_t len;
	const struct extra_sighting *items = extra_notes_get(n, KEY, &len);

	for (size_t i = 0; i < len; i++)
		if (items[i].res == action->res && text_eq(items[i].name, action->name))
			return &items[i];
	return NULL;
}

static void addresses(void **state)
{
	struct extra_notes *n = extra_notes_new();
	size_t len = 7;

	(void)state;
	assert_null(extra_notes_get(n, KEY, &len));
	assert_int_equal(len, 0);
	created(n, &ui, "{\"spec\": {\"clusterIP\": \"10.0.0.1\"}}");
	created(n, &port, "{\"spec\": {\"clusterIP\": \"None\"}}");
	created(n, &way, "{}");
	assert_string_equal(find(n, &ui)->address, "10.0.0.1");
	assert_string_equal(find(n, &port)->address, "");
	assert_string_equal(find(n, &way)->address, "");
	extra_notes_get(n, KEY, &len);
	assert_int_equal(len, 3);
	extra_notes_free(n);
}

static void failures(void **state)
{
	struct extra_notes *n = extra_notes_new();

	(void)state;
	failed(n, &ui, "first", 10);
	failed(n, &ui, "second", 20);
	failed(n, &way, "other", 30);
	assert_string_equal(find(n, &ui)->problem, "second");
	assert_int_equal(find(n, &ui)->failures, 2);
	assert_int_equal(find(n, &ui)->failed_ms, 20);
	assert_null(find(n, &ui)->address);
	assert_int_equal(find(n, &way)->failures, 1);
	created(n, &ui, "{}");
	assert_int_equal(find(n, &ui)->failures, 0);
	assert_null(find(n, &ui)->problem);
	failed(n, &ui, "gone again", 40);
	assert_null(find(n, &ui)->address);
	assert_int_equal(find(n, &ui)->failures, 1);
	extra_notes_free(n);
}

static void forgets(void **state)
{
	auto_json status = parse("{\"driverInfo\": {\"webUIServiceName\": \"pi-ui-svc\"}}");
	const struct app app = { .name = "pi", .ns = "jobs", .status = status };
	struct extra_notes *n = extra_notes_new();
	size_t len;

	(void)state;
	extra_notes_told(n, KEY, &app);
	created(n, &ui, "{}");
	created(n, &port, "{}");
	extra_notes_told(n, KEY, &app);
	assert_null(find(n, &ui));
	assert_non_null(find(n, &port));
	extra_notes_drop(n, KEY);
	extra_notes_drop(n, KEY);
	assert_null(find(n, &port));
	created(n, &ui, "{}");
	extra_notes_told(n, KEY, &app);
	assert_null(extra_notes_get(n, KEY, &len));
	extra_notes_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(failures),
		cmocka_unit_test(forgets),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
