/*
 * Which Kubernetes the API server is, asked of an API server in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "logged_kube.h"
#include "server_version.h"

struct fixture {
	struct logged_kube stage;
	struct server_version *version;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	logged_kube_init(&f->stage);
	f->version = server_version_new(fake_kube_api(f->stage.kube), &f->stage.sched);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	server_version_free(f->version);
	logged_kube_done(&f->stage);
	free(f);
	return 0;
}

/* The API server is of this version; NULL: its answer does not say. */
static void put_version(struct fixture *f, const char *version)
{
	struct json *info = json_new_object();

	json_set_str(info, "gitVersion", version);
	json_set(info, "metadata", json_new_object());
	fake_kube_put(f->stage.kube, &resource_server_version, info);
}

static void run(struct fixture *f, int64_t ms)
{
	server_version_start(f->version);
	fake_kube_run(f->stage.kube, ms);
}

static unsigned asked(const struct fixture *f)
{
	return fake_kube_calls(f->stage.kube, VERB_GET, &resource_server_version);
}

static void assert_warned(const struct fixture *f, const char *version)
{
	auto_free char *both = xasprintf("kubernetes=%s oldest=v1.28", version);
	const char *line = strstr(buf_str(&f->stage.log), "level=warn");

	assert_non_null(line);
	assert_non_null(strstr(line, both));
	assert_null(strstr(line + 1, "level=warn"));
}

static void test_older_is_warned_of_once(void **state)
{
	struct fixture *f = *state;

	put_version(f, "v1.27.16");
	run(f, 600000);
	assert_warned(f, "v1.27.16");
	assert_int_equal(asked(f), 1);
	assert_string_equal(server_version_text(f->version), "v1.27.16");
}

static void test_older_as_clouds_write_it(void **state)
{
	struct fixture *f = *state;

	put_version(f, "v1.9.11-eks-7c9bda");
	run(f, 1000);
	assert_warned(f, "v1.9.11-eks-7c9bda");
}

static void check_silent(void **state, const char *version)
{
	struct fixture *f = *state;

	put_version(f, version);
	run(f, 1000);
	assert_null(strstr(buf_str(&f->stage.log), "level=warn"));
	assert_int_equal(asked(f), 1);
}

static void test_oldest_is_fine(void **state)
{
	check_silent(state, "v1.28.0-gke.1");
}

static void test_newest_is_fine(void **state)
{
	check_silent(state, "v1.134.0");
}

static void test_next_major_is_fine(void **state)
{
	check_silent(state, "v2.0.1");
}

static void test_what_is_no_version_is_passed_over(void **state)
{
	check_silent(state, "devel");
}

static void test_no_version_is_passed_over(void **state)
{
	struct fixture *f = *state;

	check_silent(state, NULL);
	assert_string_equal(server_version_text(f->version), "unknown");
}

static void test_asks_until_it_is_answered(void **state)
{
	static const struct fake_refusal busy = { .status = 503 };
	struct fixture *f = *state;

	put_version(f, "v1.20.0");
	fake_kube_refuse(f->stage.kube, VERB_GET, &resource_server_version, 3, &busy);
	fake_kube_down(f->stage.kube, 60000);
	run(f, 30000);
	assert_null(server_version_text(f->version));
	assert_null(strstr(buf_str(&f->stage.log), "level=warn"));
	fake_kube_run(f->stage.kube, 1800000);
	assert_warned(f, "v1.20.0");
	assert_int_equal(asked(f), 4);
}

static void test_freed_while_asking(void **state)
{
	struct fixture *f = *state;

	put_version(f, "v1.20.0");
	run(f, 1);
	server_version_free(f->version);
	f->version = NULL;
	fake_kube_run(f->stage.kube, 1000);
	assert_null(strstr(buf_str(&f->stage.log), "level=warn"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_older_is_warned_of_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_older_as_clouds_write_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_oldest_is_fine, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_newest_is_fine, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_next_major_is_fine, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_no_version_is_passed_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_version_is_passed_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_asks_until_it_is_answered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_freed_while_asking, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
