/* --webhook-register and `webhook config`: what is created, what is left alone, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "fake_kube.h"
#include "webhook/webhook_registration.h"

struct fixture {
	struct sched sched;
	struct fake_kube *kube;
	struct options options;
};

static void no_log(void *arg, const char *line, size_t len)
{
	(void)arg;
	(void)line;
	(void)len;
}

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err err = { 0 };

	log_set_sink(no_log, NULL);
	sched_init(&f->sched, 0, 1767323045000, 1);
	f->kube = fake_kube_new(&f->sched, NULL);
	assert_int_equal(options_parse(&f->options, OPTIONS_REGISTRATION, 0, NULL, &err), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	options_done(&f->options);
	fake_kube_free(f->kube);
	sched_done(&f->sched);
	free(f);
	return 0;
}

static const struct json *configuration(const struct fixture *f, const struct resource *res)
{
	return fake_kube_get(f->kube, res, NULL, "spark-operator-webhook");
}

static struct webhook_registration *start(struct fixture *f)
{
	struct webhook_registration *r =
	    webhook_registration_new(fake_kube_api(f->kube), &f->sched, "ops", &f->options);

	webhook_registration_start(r);
	return r;
}

static void test_creates_both(void **state)
{
	struct fixture *f = *state;
	struct webhook_registration *r = start(f);

	fake_kube_run(f->kube, 100);
	assert_non_null(configuration(f, &resource_mutatingwebhook));
	assert_non_null(configuration(f, &resource_validatingwebhook));
	assert_string_equal(json_str(json_first(json_get(configuration(f, &resource_validatingwebhook), "webhooks")),
				     "clientConfig.service.namespace", ""),
			    "ops");
	webhook_registration_free(r);
}

/* Somebody's own configuration stays; a server that refuses is asked again. */
static void test_leaves_and_retries(void **state)
{
	static const struct fake_refusal refusal = { .status = 503 };
	struct fixture *f = *state;
	struct json *own = json_new_object();
	struct webhook_registration *r;

	json_set_str(json_ensure_object(own, "metadata"), "name", "spark-operator-webhook");
	fake_kube_put(f->kube, &resource_mutatingwebhook, own);
	fake_kube_refuse(f->kube, VERB_CREATE, &resource_validatingwebhook, 2, &refusal);
	r = start(f);
	fake_kube_run(f->kube, 4000);
	assert_null(configuration(f, &resource_validatingwebhook));
	fake_kube_run(f->kube, 8000);
	assert_non_null(configuration(f, &resource_validatingwebhook));
	assert_null(json_get(configuration(f, &resource_mutatingwebhook), "webhooks"));
	assert_int_equal(fake_kube_calls(f->kube, VERB_CREATE, &resource_mutatingwebhook), 1);
	webhook_registration_free(r);
}

static void test_none_wanted(void **state)
{
	struct fixture *f = *state;
	struct webhook_registration *r;

	*f->options.mutating_name = '\0';
	r = start(f);
	fake_kube_run(f->kube, 100);
	assert_int_equal(fake_kube_count(f->kube, &resource_mutatingwebhook), 0);
	assert_int_equal(fake_kube_count(f->kube, &resource_validatingwebhook), 1);
	webhook_registration_free(r);
}

static void test_refused(void **state)
{
	static const struct {
		const char *arg;
		const char *want;
	} cases[] = {
		{ "--webhook-timeout=31s", "--webhook-timeout: expected a time from 1s to 30s" },
		{ "--webhook-timeout=999ms", "--webhook-timeout: expected a time from 1s to 30s" },
		{ "--webhook-url=http://h:1", "--webhook-url: \"http://h:1\": expected https://HOST:PORT" },
		{ "--webhook-namespace-selector=a=b,c",
		  "--webhook-namespace-selector: \"c\": expected KEY=VALUE, as labels have them" },
		{ "--webhook-namespace-selector=\"\"",
		  "--webhook-namespace-selector: \"\": expected KEY=VALUE, as labels have them" },
		{ "--webhook-namespace-selector==b",
		  "--webhook-namespace-selector: \"=b\": expected KEY=VALUE, as labels have them" },
		{ "--webhook-namespace-selector=a=b=c",
		  "--webhook-namespace-selector: \"a=b=c\": expected KEY=VALUE, as labels have them" },
		{ "--webhook-namespace-selector=a=b,a=c",
		  "--webhook-namespace-selector: \"a=c\": no namespace can have two values of a" },
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		char *argv[] = { (char *)cases[i].arg };
		struct err err = { 0 };
		struct options o;

		assert_int_equal(options_parse(&o, OPTIONS_REGISTRATION, 1, argv, &err), 0);
		assert_int_equal(webhook_registration_check(&o, &err), -ERR_INVALID);
		assert_string_equal(err.msg, cases[i].want);
		options_done(&o);
	}
}

static void test_print(void **state)
{
	struct fixture *f = *state;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(webhook_registration_print(&f->options, out, stderr), 0);
	fclose(out);
	assert_non_null(strstr(text, "kind: MutatingWebhookConfiguration"));
	assert_non_null(strstr(text, "kind: ValidatingWebhookConfiguration"));
	assert_non_null(strstr(text, "namespace: spark-operator"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_creates_both, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_leaves_and_retries, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_none_wanted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_print, set_up, tear_down),
		cmocka_unit_test(test_refused),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
