/*
 * The webhook's certificate in virtual time: replicas that start together agree, restarts and Secrets of others are
 * adopted, leaves and CAs are renewed without a moment in which something untrusted is served.
 */
#include "certs_world.h"
#include "json_text.h"

/* ---- start ---- */

static void replicas_agree_on_one_secret(void **state)
{
	struct fixture *f = *state;

	start_all(f);
	assert_int_equal(creations(f), 1);
	for (size_t i = 0; i < REPLICAS; i++) {
		assert_int_equal(f->replicas[i].changes, 1);
		assert_string_equal(f->replicas[i].cert, f->replicas[0].cert);
	}
	assert_string_equal(json_str(secret(f), "type", ""), "Opaque");
	assert_string_equal(
	    json_text(json_get(json_at(secret(f), "metadata.labels"), "app.kubernetes.io/managed-by"), ""),
	    "spark-operator");
	assert_int_equal(json_len(json_get(secret(f), "data")), 4);
	assert_int_equal(json_len(json_get(hooks(f, MUTATES), "webhooks")), 3);
	assert_int_equal(lines_with(f, "PRIVATE"), 0);
	assert_int_equal(lines_with(f, "level=warn"), 0);
	assert_quiet(f);
}

static void certificate_before_configurations(void **state)
{
	struct fixture *f = *state;
	const char *why = NULL;

	start(f, 0);
	assert_false(certs_trusted(f->replicas[0].certs, &why));
	assert_non_null(why);
	run(f, second_ms);
	assert_non_null(f->replicas[0].cert);
	assert_false(certs_trusted(f->replicas[0].certs, &why));
	assert_non_null(strstr(why, "MutatingWebhookConfiguration hooks has no webhook"));
	put_hooks(f);
	run(f, 50);
	assert_settled(f);
}

static void restart_adopts(void **state)
{
	struct fixture *f = *state;
	auto_free char *cert = NULL;
	unsigned writes;

	start_all(f);
	cert = xstrdup(f->replicas[0].cert);
	writes = fake_kube_write_count(f->fk);
	for (size_t i = 0; i < REPLICAS; i++) {
		stop(f, i);
		start(f, i);
	}
	run(f, 5 * second_ms);
	assert_settled(f);
	assert_string_equal(f->replicas[2].cert, cert);
	assert_int_equal(fake_kube_write_count(f->fk), writes);
}

static void without_configurations(void **state)
{
	struct fixture *f = *state;
	const char *why;

	f->options.mutating_name = "";
	f->options.validating_name = "";
	start(f, 0);
	run(f, second_ms);
	assert_true(certs_trusted(f->replicas[0].certs, &why));
	assert_int_equal(fake_kube_calls(f->fk, VERB_LIST, MUTATES), 0);
}

static void empty_secret_is_filled(void **state)
{
	struct fixture *f = *state;

	fake_kube_put(f->fk, SECRET, json(JSON({
			      "metadata" : {
				      "name" : "certs",
				      "namespace" : "spark",
				      "labels" : { "a" : "b", "app.kubernetes.io/managed-by" : "Helm" }
			      },
			      "data" : { "server-key.pem" : "" }
		      })));
	fake_kube_put(f->fk, SECRET, json(JSON({ "metadata" : { "name" : "else", "namespace" : "spark" } })));
	start_all(f);
	assert_int_equal(creations(f), 0);
	assert_int_equal(json_len(json_at(secret(f), "metadata.labels")), 2);
	assert_quiet(f);
}

static void garbage_is_replaced(void **state)
{
	struct fixture *f = *state;

	fake_kube_put(f->fk, SECRET, json(JSON({
			      "metadata" : { "name" : "certs", "namespace" : "spark" },
			      "data" : {
				      "server-key.pem" : "eA==",
				      "ca-cert.pem" : "%%",
				      "old-ca-cert.pem" : "eA==",
				      "next-ca-cert.pem" : "eA==",
				      "mine" : "eA=="
			      }
		      })));
	start_all(f);
	assert_true(holds(f, "mine"));
	assert_quiet(f);
}

static void young_secret_is_adopted(void **state)
{
	struct fixture *f = *state;
	auto_free char *cert = NULL;

	put_secret(f, day_ms, 3650 * day_ms, NAME, true);
	cert = held(f, "server-cert.pem");
	start_all(f);
	assert_string_equal(f->replicas[0].cert, cert);
	assert_quiet(f);
}

/* What kubeflow's operator left two years ago is served at first and renewed without a gap. */
static void old_secret_is_renewed_gracefully(void **state)
{
	struct fixture *f = *state;
	auto_free char *ca = NULL, *later = NULL;

	put_secret(f, 700 * day_ms, 3650 * day_ms, NAME, true);
	ca = held(f, "ca-cert.pem");
	put_hooks(f);
	for (size_t i = 0; i < REPLICAS; i++)
		start(f, i);
	run(f, second_ms);
	f->watchful = true;
	run(f, 300 * second_ms);
	assert_settled(f);
	later = held(f, "ca-cert.pem");
	assert_string_not_equal(ca, later);
	assert_int_equal(f->replicas[0].changes, 2);
	assert_quiet(f);
}

static void secret_for_another_name(void **state)
{
	struct fixture *f = *state;
	auto_free char *ca = NULL, *same = NULL;

	put_secret(f, day_ms, 300 * day_ms, "elsewhere.spark.svc", true);
	ca = held(f, "ca-cert.pem");
	start_all(f);
	same = held(f, "ca-cert.pem");
	assert_string_equal(ca, same);
	assert_int_equal(lines_with(f, "certificate renewed"), 1);
}

static void expired_secret(void **state)
{
	struct fixture *f = *state;

	put_secret(f, 400 * day_ms, 300 * day_ms, NAME, true);
	start_all(f);
	assert_int_equal(lines_with(f, "Secret filled"), 1);
}

static void ca_without_key_is_replaced_in_time(void **state)
{
	struct fixture *f = *state;
	auto_free char *ca = NULL, *later = NULL;

	f->options.cert_life_ms = 4 * day_ms; /* of which one has passed */
	put_secret(f, day_ms, 300 * day_ms, NAME, false);
	ca = held(f, "ca-cert.pem");
	start_all(f);
	assert_quiet(f);
	run(f, 2 * day_ms);
	assert_settled(f);
	later = held(f, "ca-cert.pem");
	assert_string_not_equal(ca, later);
}

/* ---- renewal ---- */

static void leaf_is_renewed_with_the_same_ca(void **state)
{
	struct fixture *f = *state;
	auto_free char *ca = NULL, *same = NULL;

	f->options.cert_life_ms = 6 * day_ms;
	start_all(f);
	ca = held(f, "ca-cert.pem");
	run(f, 3 * day_ms + 12 * hour_ms);
	assert_int_equal(f->replicas[0].changes, 1);
	run(f, 12 * hour_ms);
	assert_settled(f);
	for (size_t i = 0; i < REPLICAS; i++)
		assert_int_equal(f->replicas[i].changes, 2);
	same = held(f, "ca-cert.pem");
	assert_string_equal(ca, same);
	assert_int_equal(
	    metric_get(metrics_find(f->replicas[0].metrics, "spark_operator_webhook_certificate_renewals_total"), NULL),
	    1);
	assert_true(metric_get(metrics_find(f->replicas[0].metrics,
					    "spark_operator_webhook_certificate_expiry_timestamp_seconds"),
			       NULL) *
			1000 >
		    (double)(wall0_ms + 9 * day_ms));
}

static void a_year_alone(void **state)
{
	struct fixture *f = *state;

	put_hooks(f);
	start(f, 0);
	run(f, second_ms);
	f->watchful = true;
	run(f, 250 * day_ms);
	assert_settled(f);
	assert_int_equal(lines_with(f, "webhook: CA renewed"), 1);
	assert_in_range(f->replicas[0].changes, 5, 6);
	assert_true(fake_kube_write_count(f->fk) < 20);
}

static void person_asks(void **state)
{
	struct fixture *f = *state;
	auto_free char *ca = NULL, *later = NULL;

	start_all(f);
	ca = held(f, "ca-cert.pem");
	ask_for_renewal(f, "now");
	run(f, 30 * second_ms);
	assert_true(holds(f, "next-ca-cert.pem"));
	assert_int_equal(f->replicas[0].changes, 1);
	run(f, 40 * second_ms);
	assert_true(holds(f, "old-ca-cert.pem"));
	assert_int_equal(f->replicas[0].changes, 2);
	run(f, 70 * second_ms);
	assert_settled(f);
	later = held(f, "ca-cert.pem");
	assert_string_not_equal(ca, later);
	assert_quiet(f);
	ask_for_renewal(f, "again");
	run(f, 200 * second_ms);
	assert_settled(f);
	assert_int_equal(lines_with(f, "webhook: CA renewed"), 2);
}

static void one_renewal_after_another(void **state)
{
	struct fixture *f = *state;

	f->options.overlap_ms = second_ms;
	start_all(f);
	for (int i = 0; i < 25; i++) {
		auto_free char *word = xasprintf("%d", i);

		ask_for_renewal(f, word);
		run(f, 5 * second_ms);
		assert_settled(f);
	}
	assert_int_equal(lines_with(f, "webhook: CA renewed"), 25);
}

static void short_lives(void **state)
{
	struct fixture *f = *state;

	f->options.ca_life_ms = 60 * second_ms;
	f->options.cert_life_ms = 20 * second_ms;
	f->options.overlap_ms = 2 * second_ms;
	start_all(f);
	run(f, 200 * second_ms);
	assert_true(f->replicas[0].changes > 12);
	assert_true(fake_kube_write_count(f->fk) < 200);
}

/* Until both configurations are seen to trust the next CA, nothing of it is served. */
static void switch_waits_for_the_configurations(void **state)
{
	struct fixture *f = *state;
	const struct fake_refusal denied = { .status = 403 };

	start_all(f);
	fake_kube_refuse(f->fk, VERB_PATCH, &resource_validatingwebhook, -1, &denied);
	ask_for_renewal(f, "now");
	run(f, hour_ms);
	assert_true(holds(f, "next-ca-cert.pem"));
	assert_int_equal(f->replicas[0].changes, 1);
	fake_kube_accept(f->fk);
	run(f, 300 * second_ms);
	assert_settled(f);
	assert_int_equal(f->replicas[0].changes, 2);
}

static void restart_in_each_phase(void **state)
{
	struct fixture *f = *state;

	start_all(f);
	ask_for_renewal(f, "now");
	for (int i = 0; i < 60; i++) {
		stop(f, (size_t)i % REPLICAS);
		start(f, (size_t)i % REPLICAS);
		run(f, 7 * second_ms);
	}
	run(f, 200 * second_ms);
	assert_settled(f);
	assert_int_equal(lines_with(f, "webhook: CA renewed"), 1);
}

/* A replica that sees the Secret late neither takes the new CA out nor fights about it. */
static void late_replica(void **state)
{
	struct fixture *f = *state;
	unsigned writes;

	start_all(f);
	writes = fake_kube_write_count(f->fk);
	fake_kube_delay(f->fk, SECRET, 20 * second_ms);
	ask_for_renewal(f, "now");
	run(f, 400 * second_ms);
	fake_kube_delay(f->fk, SECRET, 0);
	run(f, 10 * second_ms);
	assert_settled(f);
	assert_true(fake_kube_write_count(f->fk) - writes < 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(replicas_agree_on_one_secret),
		TEST(certificate_before_configurations),
		TEST(restart_adopts),
		TEST(without_configurations),
		TEST(empty_secret_is_filled),
		TEST(garbage_is_replaced),
		TEST(young_secret_is_adopted),
		TEST(old_secret_is_renewed_gracefully),
		TEST(secret_for_another_name),
		TEST(expired_secret),
		TEST(ca_without_key_is_replaced_in_time),
		TEST(leaf_is_renewed_with_the_same_ca),
		TEST(a_year_alone),
		TEST(person_asks),
		TEST(one_renewal_after_another),
		TEST(short_lives),
		TEST(switch_waits_for_the_configurations),
		TEST(restart_in_each_phase),
		TEST(late_replica),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
