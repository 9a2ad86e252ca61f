/*
 * Certificates that cannot be served: a key that TLS finds too weak, and a server that refuses. What cannot be served
 * never counts as served, the reason is told, and what was served before goes on being served.
 */
#include "certs_world.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "json/files.h"

static void *read_pem(const char *text, bool is_key)
{
	BIO *bio = BIO_new_mem_buf(text, -1);
	void *ret = is_key ? (void *)PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL)
			   : (void *)PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(ret);
	return ret;
}

static void add_san(X509 *x)
{
	X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:" NAME);

	assert_non_null(san);
	X509_add_ext(x, san, -1);
	X509_EXTENSION_free(san);
}

/* A certificate that ca has signed, for an RSA key of 1024 bits: it verifies, and the key belongs to it, but OpenSSL
 * does not serve with it. */
static struct certificate_pair weak_pair(const struct certificate_pair *ca)
{
	auto_free char *path = xasprintf("%s/unit/webhook/weak-key.pem", TESTS_DIR);
	struct err err = { 0 };
	struct certificate_pair ret = { .key = files_read_text(path, &err) };
	EVP_PKEY *key = read_pem(ret.key, true), *ca_key = read_pem(ca->key, true);
	X509 *issuer = read_pem(ca->cert, false), *x = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long len;

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(wall0_ms / 1000 - 60));
	ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(wall0_ms / 1000 + 86400L * 90));
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"weak", -1, -1,
				   0);
	X509_set_issuer_name(x, X509_get_subject_name(issuer));
	add_san(x);
	assert_true(X509_sign(x, ca_key, EVP_sha256()) > 0);
	PEM_write_bio_X509(bio, x);
	len = BIO_get_mem_data(bio, &data);
	ret.cert = xstrndup(data, (size_t)len);
	BIO_free(bio);
	X509_free(x);
	X509_free(issuer);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	return ret;
}

/* As cert-manager's Secret. The bundle of both configurations is its CA. */
static void put_foreign(struct fixture *f, const struct certificate_pair *server, const char *ca)
{
	auto_free char *bundle = text_base64_encode(ca, strlen(ca));
	auto_free char *patch = xasprintf("{\"webhooks\": [{\"name\": \"a\", \"clientConfig\": {\"caBundle\": \"%s\", "
					  "\"service\": {\"name\": \"hook\", \"namespace\": \"spark\"}}}]}",
					  bundle);
	struct json *tree = json(JSON({ "metadata" : { "name" : "certs", "namespace" : "spark" }, "data" : {} }));

	put_pair(json_get(tree, "data"), "tls.crt", "tls.key", server);
	put_pair(json_get(tree, "data"), "ca.crt", "ignored", &(struct certificate_pair){ (char *)ca, NULL });
	fake_kube_put(f->fk, SECRET, tree);
	fake_kube_patch(f->fk, MUTATES, NULL, "hooks", patch);
	fake_kube_patch(f->fk, &resource_validatingwebhook, NULL, "hooks", patch);
}

static void start_foreign(struct fixture *f)
{
	f->options.foreign_secret = true;
	f->options.inject_ca = false;
	put_hooks(f);
	start(f, 0);
}

static bool is_trusted(const struct fixture *f, const char **why)
{
	*why = "?";
	return certs_trusted(f->replicas[0].certs, why);
}

static double expiry(const struct fixture *f)
{
	return metric_get(
	    metrics_find(f->replicas[0].metrics, "spark_operator_webhook_certificate_expiry_timestamp_seconds"), NULL);
}

static void make_pair(struct certificate_pair *ca, struct certificate_pair *server)
{
	const char *const names[] = { NAME, NULL };
	struct err err;

	assert_int_equal(certificate_make_ca("cm", wall0_ms, 365 * day_ms, ca, &err), 0);
	assert_int_equal(certificate_make_server(ca, names, wall0_ms, 90 * day_ms, server, &err), 0);
}

static void a_weak_key_is_not_served_first(void **state)
{
	struct fixture *f = *state;
	struct certificate_pair weak, ca = { 0 }, server = { 0 };
	const char *why;

	make_pair(&ca, &server);
	weak = weak_pair(&ca);
	start_foreign(f);
	put_foreign(f, &weak, ca.cert);
	run(f, 2 * second_ms);
	assert_int_equal(f->replicas[0].changes, 0);
	assert_false(is_trusted(f, &why));
	assert_non_null(strstr(why, "the certificate in spark/certs cannot be served: certificate: "));
	assert_non_null(strstr(why, "key too small"));
	assert_true(expiry(f) == 0);
	certificate_pair_done(&weak);
	certificate_pair_done(&ca);
	certificate_pair_done(&server);
}

static void a_weak_key_does_not_replace_a_good_one(void **state)
{
	struct fixture *f = *state;
	struct certificate_pair weak, ca = { 0 }, server = { 0 }, next = { 0 };
	const char *const names[] = { NAME, NULL };
	const char *why;
	struct err err;
	double until;

	make_pair(&ca, &server);
	weak = weak_pair(&ca);
	start_foreign(f);
	put_foreign(f, &server, ca.cert);
	run(f, 2 * second_ms);
	if (!is_trusted(f, &why))
		fail_msg("%s", why);
	until = expiry(f);
	put_foreign(f, &weak, ca.cert);
	run(f, hour_ms);
	assert_string_equal(f->replicas[0].cert, server.cert);
	assert_true(expiry(f) == until);
	assert_true(is_trusted(f, &why)); /* it is served and valid still */
	assert_int_equal(lines_with(f, "a certificate cannot be served"), 1);
	assert_int_equal(certificate_make_server(&ca, names, wall0_ms, 80 * day_ms, &next, &err), 0);
	put_foreign(f, &next, ca.cert);
	run(f, 2 * second_ms);
	assert_string_equal(f->replicas[0].cert, next.cert);
	certificate_pair_done(&weak);
	certificate_pair_done(&ca);
	certificate_pair_done(&server);
	certificate_pair_done(&next);
}

/* In the operator's own Secret it counts as a certificate that is missing: the CA signs another one. */
static void a_weak_key_in_the_own_secret_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct certificate_pair weak, ca = { 0 }, server = { 0 };
	struct json *tree = json(JSON({ "metadata" : { "name" : "certs", "namespace" : "spark" }, "data" : {} }));

	make_pair(&ca, &server);
	weak = weak_pair(&ca);
	put_pair(json_get(tree, "data"), "ca-cert.pem", "ca-key.pem", &ca);
	put_pair(json_get(tree, "data"), "server-cert.pem", "server-key.pem", &weak);
	fake_kube_put(f->fk, SECRET, tree);
	put_hooks(f);
	start(f, 0);
	run(f, 5 * second_ms);
	assert_settled(f);
	assert_string_not_equal(f->replicas[0].cert, weak.cert);
	certificate_pair_done(&weak);
	certificate_pair_done(&ca);
	certificate_pair_done(&server);
}

/* The server has a reason of its own: it is told, nothing is written meanwhile, and the pair comes again. */
static void a_refusal_of_the_server_is_the_reason(void **state)
{
	struct fixture *f = *state;
	const char *why;

	f->refuses = true;
	put_hooks(f);
	start(f, 0);
	run(f, 5 * second_ms);
	assert_int_equal(f->replicas[0].changes, 0);
	assert_false(is_trusted(f, &why));
	assert_string_equal(why, "the certificate in spark/certs cannot be served: refused by a test");
	assert_true(expiry(f) == 0);
	assert_int_equal(lines_with(f, "serving a certificate"), 0);
	f->refuses = false;
	run(f, 61 * second_ms);
	assert_settled(f);
	assert_int_equal(f->replicas[0].changes, 1);
}

/* The old CA stays trusted as long as its certificate is what is served. */
static void a_refusal_halts_a_renewal(void **state)
{
	struct fixture *f = *state;
	auto_free char *before = NULL;
	const char *why;

	put_hooks(f);
	start(f, 0);
	run(f, 5 * second_ms);
	before = xstrdup(f->replicas[0].cert);
	f->refuses = true;
	f->watchful = true;
	ask_for_renewal(f, "now");
	run(f, 20 * 60 * second_ms);
	assert_string_equal(f->replicas[0].cert, before);
	assert_true(all_trust(f, before));
	assert_true(holds(f, "old-ca-cert.pem"));
	assert_false(is_trusted(f, &why));
	assert_non_null(strstr(why, "refused by a test"));
	f->refuses = false;
	run(f, 5 * 60 * second_ms);
	assert_settled(f);
	assert_string_not_equal(f->replicas[0].cert, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_weak_key_is_not_served_first),
		TEST(a_weak_key_does_not_replace_a_good_one),
		TEST(a_weak_key_in_the_own_secret_is_replaced),
		TEST(a_refusal_of_the_server_is_the_reason),
		TEST(a_refusal_halts_a_renewal),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
