/*
 * The webhook's certificate when others interfere: each write lost or refused, outages, caBundle overwritten, objects
 * deleted or spoilt; and certificates that come from elsewhere, by a Secret or by files.
 */
#include "certs_world.h"
#include "json_text.h"

/* ---- faults ---- */

static void renew_with_fault(struct fixture *f, unsigned k, enum fake_fault fault, int status)
{
	const struct fake_refusal refusal = { .status = status };

	f->options.cert_life_ms = 80 * 60 * second_ms;
	fake_kube_fail(f->fk, k, fault, &refusal);
	put_hooks(f);
	start(f, 0);
	start(f, 1);
	run(f, 5 * second_ms);
	assert_settled(f);
	f->watchful = true;
	ask_for_renewal(f, "now");
	run(f, 200 * second_ms);
	assert_settled(f);
	run(f, hour_ms);
	assert_settled(f);
	assert_int_equal(f->replicas[0].changes, 3);
	f->watchful = false;
}

static void every_write_fails_once(void **state)
{
	static const struct {
		enum fake_fault fault;
		int status;
	} faults[] = {
		{ FAKE_LOSE_CALL, 0 },
		{ FAKE_LOSE_REPLY, 0 },
		{ FAKE_REFUSE, 409 },
	};
	unsigned last = 1;

	(void)state;
	for (size_t i = 0; i < array_len(faults); i++) {
		for (unsigned k = 1; k <= last; k++) {
			void *each;
			struct fixture *f;

			setup(&each);
			f = each;
			renew_with_fault(f, k, faults[i].fault, faults[i].status);
			last = fake_kube_write_count(f->fk);
			teardown(&each);
		}
	}
	assert_true(last > 15);
}

static void outage_in_each_phase(void **state)
{
	struct fixture *f = *state;

	start_all(f);
	for (int i = 0; i < 30; i++) {
		if (i % 10 == 0) {
			auto_free char *word = xasprintf("%d", i);

			ask_for_renewal(f, word);
		}
		run(f, 17 * second_ms);
		fake_kube_down(f->fk, 10 * second_ms);
		run(f, 17 * second_ms);
	}
	run(f, 300 * second_ms);
	assert_settled(f);
	assert_int_equal(lines_with(f, "webhook: CA renewed"), 3);
}

/* ---- others at work ---- */

static void set_bundle(struct fixture *f, const struct resource *res, const char *bundle)
{
	struct json *tree = json_dup(hooks(f, res));

	json_each (webhook, json_get(tree, "webhooks"))
		json_set_str(json_get(webhook, "clientConfig"), "caBundle",
			     text_eq(json_str(webhook, "name", ""), "other") ? "b3RoZXI=" : bundle);
	fake_kube_put(f->fk, res, tree);
}

static void bundle_is_repaired(void **state)
{
	struct fixture *f = *state;
	static const char *const bundles[] = { "", "Cg==", "b3RoZXI=" };

	start_all(f);
	f->watchful = false;
	for (size_t i = 0; i < array_len(bundles); i++) {
		const char *why = NULL;

		run(f, 70 * second_ms);
		set_bundle(f, MUTATES, bundles[i]);
		set_bundle(f, &resource_validatingwebhook, bundles[i]);
		run(f, 4);
		assert_false(certs_trusted(f->replicas[0].certs, &why));
		assert_non_null(strstr(why, "webhook a"));
		run(f, 100);
		assert_settled(f);
	}
	assert_int_equal(f->replicas[0].changes, 1);
	assert_true(lines_with(f, "caBundle repaired") >= 6);
	f->watchful = true;
	assert_quiet(f);
}

static void quarrel_slows_down(void **state)
{
	struct fixture *f = *state;
	unsigned writes;

	start_all(f);
	f->watchful = false;
	writes = fake_kube_write_count(f->fk);
	for (int i = 0; i < 600; i++) {
		set_bundle(f, MUTATES, "");
		run(f, 100);
	}
	assert_in_range(fake_kube_write_count(f->fk) - writes, 5, 60);
	run(f, 40 * second_ms);
	assert_settled(f);
}

static void overwritten_during_renewal(void **state)
{
	struct fixture *f = *state;
	auto_free char *old = NULL;

	start_all(f);
	old = xstrdup(json_str(json_first(json_get(hooks(f, MUTATES), "webhooks")), "clientConfig.caBundle", ""));
	ask_for_renewal(f, "now");
	run(f, 59 * second_ms);
	set_bundle(f, MUTATES, old);
	run(f, 30 * second_ms);
	assert_int_equal(f->replicas[0].changes, 1);
	run(f, 200 * second_ms);
	assert_settled(f);
	assert_int_equal(f->replicas[0].changes, 2);
}

static void configuration_deleted_and_made_again(void **state)
{
	struct fixture *f = *state;
	const char *why = NULL;

	start_all(f);
	fake_kube_delete(f->fk, MUTATES, NULL, "hooks");
	run(f, second_ms);
	assert_false(certs_trusted(f->replicas[0].certs, &why));
	ask_for_renewal(f, "now");
	run(f, 200 * second_ms);
	assert_int_equal(f->replicas[0].changes, 2);
	f->watchful = false;
	put_hooks(f);
	run(f, second_ms);
	assert_settled(f);
}

/* What is served goes on; it comes back, and a new CA follows. */
static void deleted_secret(void **state)
{
	struct fixture *f = *state;
	auto_free char *ca = NULL, *same = NULL, *later = NULL;

	start_all(f);
	ca = held(f, "ca-cert.pem");
	fake_kube_delete(f->fk, SECRET, "spark", "certs");
	run(f, 20 * second_ms);
	assert_null(secret(f));
	run(f, 15 * second_ms);
	assert_non_null(secret(f));
	same = held(f, "ca-cert.pem");
	assert_string_equal(ca, same);
	run(f, 300 * second_ms);
	assert_settled(f);
	later = held(f, "ca-cert.pem");
	assert_string_not_equal(ca, later);
	assert_int_equal(creations(f), 2);
	assert_quiet(f);
}

static void secret_emptied_or_spoilt(void **state)
{
	struct fixture *f = *state;
	static const char *const patches[] = {
		JSON({ "data" : null }),
		JSON({ "data" : { "server-cert.pem" : "eA==" } }),
		JSON({ "data" : { "server-key.pem" : null, "ca-key.pem" : null } }),
		JSON({ "data" : { "old-ca-cert.pem" : "eA==" } }),
		JSON({ "data" : { "next-ca-cert.pem" : "eA==" } }),
	};

	start_all(f);
	for (size_t i = 0; i < array_len(patches); i++) {
		fake_kube_patch(f->fk, SECRET, "spark", "certs", patches[i]);
		run(f, 300 * second_ms);
		assert_settled(f);
		assert_quiet(f);
	}
}

/* Somebody puts a Secret of his own in: his CA is trusted before his certificate is served. */
static void secret_replaced(void **state)
{
	struct fixture *f = *state;
	auto_free char *cert = NULL;

	start_all(f);
	put_secret(f, day_ms, 300 * day_ms, NAME, true);
	cert = held(f, "server-cert.pem");
	run(f, second_ms);
	assert_string_equal(f->replicas[0].cert, cert);
	run(f, 200 * second_ms);
	assert_settled(f);
	assert_quiet(f);
}

static void configurations_that_may_not_be_read(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal denied = { .status = 403, .message = "not for you" };
	const char *why = NULL;

	put_hooks(f);
	fake_kube_refuse(f->fk, VERB_LIST, MUTATES, -1, &denied);
	start(f, 0);
	run(f, 10 * second_ms);
	assert_non_null(f->replicas[0].cert);
	assert_false(certs_trusted(f->replicas[0].certs, &why));
	assert_non_null(strstr(why, "not for you"));
	assert_true(trusts(hooks(f, &resource_validatingwebhook), f->replicas[0].cert, sched_wall(&f->sched)));
}

/* ---- foreign certificates ---- */

static void cert_manager_secret(struct fixture *f, const char *common_name, struct certificate_pair *ca)
{
	struct json *tree = json(JSON(
	    { "metadata" : { "name" : "certs", "namespace" : "spark" }, "data" : {}, "type" : "kubernetes.io/tls" }));
	struct certificate_pair server = { 0 };
	const char *const names[] = { NAME, NULL };
	struct err err;

	assert_int_equal(certificate_make_ca(common_name, wall0_ms, 365 * day_ms, ca, &err), 0);
	assert_int_equal(certificate_make_server(ca, names, wall0_ms, 90 * day_ms, &server, &err), 0);
	put_pair(json_get(tree, "data"), "tls.crt", "tls.key", &server);
	put_pair(json_get(tree, "data"), "ca.crt", "ignored", &(struct certificate_pair){ ca->cert, NULL });
	fake_kube_put(f->fk, SECRET, tree);
	certificate_pair_done(&server);
}

static void foreign_secret_is_only_read(void **state)
{
	struct fixture *f = *state;
	struct certificate_pair ca = { 0 };
	const char *why = NULL;
	auto_free char *bundle = NULL, *cert = NULL;

	f->options.foreign_secret = true;
	f->options.inject_ca = false;
	put_hooks(f);
	start(f, 0);
	run(f, second_ms);
	assert_false(certs_trusted(f->replicas[0].certs, &why));
	assert_non_null(strstr(why, "no certificate in spark/certs"));
	cert_manager_secret(f, "cm", &ca);
	run(f, second_ms);
	assert_non_null(f->replicas[0].cert);
	assert_false(certs_trusted(f->replicas[0].certs, &why));
	assert_non_null(strstr(why, "caBundle is empty"));
	bundle = text_base64_encode(ca.cert, strlen(ca.cert));
	set_bundle(f, MUTATES, bundle);
	set_bundle(f, &resource_validatingwebhook, bundle);
	run(f, second_ms);
	assert_true(certs_trusted(f->replicas[0].certs, &why));
	certificate_pair_done(&ca);
	cert_manager_secret(f, "cm 2", &ca);
	run(f, second_ms);
	assert_int_equal(f->replicas[0].changes, 1); /* not while only the old CA is trusted */
	free(bundle);
	bundle = text_base64_encode(ca.cert, strlen(ca.cert));
	set_bundle(f, MUTATES, bundle);
	set_bundle(f, &resource_validatingwebhook, bundle);
	run(f, second_ms);
	assert_int_equal(f->replicas[0].changes, 2);
	cert = held(f, "tls.crt");
	assert_string_equal(f->replicas[0].cert, cert);
	assert_int_equal(fake_kube_write_count(f->fk), 0);
	certificate_pair_done(&ca);
}

static void write_file(struct fixture *f, const char *name, const char *text)
{
	auto_free char *path = xasprintf("%s/%s", f->directory, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void files_are_read_again(void **state)
{
	struct fixture *f = *state;
	struct certificate_pair ca = { 0 }, server = { 0 }, second = { 0 };
	const char *const names[] = { NAME, NULL };
	const char *why = NULL;
	struct err err;

	f->directory = xstrdup("/tmp/test_certs_XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	f->options.directory = f->directory;
	f->options.cert_name = "tls.crt";
	f->options.key_name = "tls.key";
	certificate_make_ca("files", wall0_ms, 365 * day_ms, &ca, &err);
	certificate_make_server(&ca, names, wall0_ms, 90 * day_ms, &server, &err);
	certificate_make_server(&ca, names, wall0_ms, 90 * day_ms, &second, &err);
	put_hooks(f);
	start(f, 0);
	run(f, 5 * second_ms);
	assert_false(certs_trusted(f->replicas[0].certs, &why));
	write_file(f, "ca.crt", ca.cert);
	write_file(f, "tls.crt", server.cert);
	write_file(f, "tls.key", server.key);
	run(f, 3 * second_ms);
	assert_true(certs_trusted(f->replicas[0].certs, &why));
	assert_string_equal(f->replicas[0].cert, server.cert);
	write_file(f, "tls.crt", second.cert);
	run(f, 10 * second_ms);
	assert_string_equal(f->replicas[0].cert, server.cert);
	assert_int_equal(lines_with(f, "files are not usable"), 2); /* absent, then half-written: once each */
	write_file(f, "tls.key", second.key);
	run(f, 3 * second_ms);
	assert_string_equal(f->replicas[0].cert, second.cert);
	assert_string_equal(f->replicas[0].key, second.key);
	assert_int_equal(fake_kube_calls(f->fk, VERB_LIST, SECRET), 0);
	assert_int_equal(fake_kube_write_count(f->fk), 2);
	certificate_pair_done(&ca);
	certificate_pair_done(&server);
	certificate_pair_done(&second);
}

/* Outside of a cluster: by URL, under the host's name. */
static void configurations_with_urls(void **state)
{
	struct fixture *f = *state;
	const char *why = "?";
	static const char text[] = JSON({
		"metadata" : { "name" : "hooks" },
		"webhooks" : [
			{ "name" : "a", "clientConfig" : { "url" : "https://localhost:9443/a" } },
			{ "name" : "b", "clientConfig" : { "url" : "https://127.0.0.1/b" } }
		]
	});

	f->options.validating_name = "";
	f->options.service_name = "";
	fake_kube_put(f->fk, MUTATES, json(text));
	start(f, 0);
	run(f, second_ms);
	if (!certs_trusted(f->replicas[0].certs, &why))
		fail_msg("%s", why);
}

static void put_url(struct fixture *f, const char *url)
{
	struct json *tree = json(JSON({
		"metadata" : { "name" : "hooks" },
		"webhooks" : [
			{ "name" : "a", "clientConfig" : { "url" : "https://localhost:9443/a" } },
			{ "name" : "b", "clientConfig" : { "caBundle" : "b3RoZXI=" } }
		]
	}));

	json_set_str(json_get(json_find(json_get(tree, "webhooks"), "name", "b"), "clientConfig"), "url", url);
	fake_kube_put(f->fk, MUTATES, tree);
}

static const char *bundle_of_b(const struct fixture *f)
{
	return json_str(json_find(json_get(hooks(f, MUTATES), "webhooks"), "name", "b"), "clientConfig.caBundle", "");
}

/* A configuration may hold webhooks of others, which must not trust our CA. */
static void urls_of_others_are_left_alone(void **state)
{
	static const char *const urls[] = { "https://policy.example.com/b", "https://localhost.example.com/b",
					    "https://localhost:x@example.com/b", "https://[::1]:9443/b",
					    "https://example.com?://localhost/" };
	struct fixture *f = *state;
	const char *why = "?";

	f->options.validating_name = "";
	start(f, 0);
	for (size_t i = 0; i < array_len(urls); i++) {
		put_url(f, urls[i]);
		run(f, 2 * second_ms);
		assert_string_equal(bundle_of_b(f), "b3RoZXI=");
		if (!certs_trusted(f->replicas[0].certs, &why)) /* localhost's is ours */
			fail_msg("%s", why);
	}
}

static void others_alone_are_no_webhook_of_ours(void **state)
{
	struct fixture *f = *state;
	const char *why = "?";

	f->options.validating_name = "";
	fake_kube_put(
	    f->fk, MUTATES, json(JSON({
		    "metadata" : { "name" : "hooks" },
		    "webhooks" : [ { "name" : "a", "clientConfig" : { "url" : "https://[::1]:9443/a" } } ]
	    })));
	start(f, 0);
	run(f, 2 * second_ms);
	assert_false(certs_trusted(f->replicas[0].certs, &why));
	assert_non_null(strstr(why, "has no webhook of service spark/hook, and none whose url has the host of "
				    "--webhook-url"));
}

/* The certificate is for the host of --webhook-url too, also one that was made before. */
static void the_url_that_was_given_is_ours(void **state)
{
	static const char *const urls[] = { "https://[::1]:9443", "https://Hooks.example.com:9443/base" };
	static const char *const paths[] = { "https://[::1]:9443/b", "https://hooks.example.com:9443/base/b" };
	struct fixture *f = *state;
	const char *why = "?";

	f->options.validating_name = "";
	put_url(f, "https://policy.example.com/b");
	start(f, 0);
	run(f, 2 * second_ms);
	for (size_t i = 0; i < array_len(urls); i++) {
		stop(f, 0);
		f->options.url = urls[i];
		put_url(f, paths[i]);
		start(f, 0);
		run(f, 5 * second_ms);
		if (!certs_trusted(f->replicas[0].certs, &why))
			fail_msg("%s", why);
		assert_string_not_equal(bundle_of_b(f), "b3RoZXI=");
	}
	assert_int_equal(creations(f), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_write_fails_once),
		TEST(outage_in_each_phase),
		TEST(bundle_is_repaired),
		TEST(quarrel_slows_down),
		TEST(overwritten_during_renewal),
		TEST(configuration_deleted_and_made_again),
		TEST(deleted_secret),
		TEST(secret_emptied_or_spoilt),
		TEST(secret_replaced),
		TEST(configurations_that_may_not_be_read),
		TEST(foreign_secret_is_only_read),
		TEST(files_are_read_again),
		TEST(configurations_with_urls),
		TEST(urls_of_others_are_left_alone),
		TEST(others_alone_are_no_webhook_of_ours),
		TEST(the_url_that_was_given_is_ours),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
