/*
 * Certificates: what is made is what the API server's TLS library accepts, for the names and times it was made for and
 * no others; CAs of kubeflow's operator (RSA, PKCS#1 keys, the same subject in CA and serving certificate) sign and
 * verify too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/certificate.h"

#define NAME "webhook.spark.svc"

static const int64_t now_ms = 1767323045000, day_ms = INT64_C(24) * 3600 * 1000;
static const char *const names[] = { NAME, "webhook.spark", "localhost", "127.0.0.1", "::1", NULL };

struct fixture {
	struct certificate_pair ca;
	struct certificate_pair server;
	struct err err;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	assert_int_equal(certificate_make_ca("a CA", now_ms, 365 * day_ms, &f->ca, &f->err), 0);
	assert_int_equal(certificate_make_server(&f->ca, names, now_ms, 90 * day_ms, &f->server, &f->err), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	certificate_pair_done(&f->ca);
	certificate_pair_done(&f->server);
	free(f);
	return 0;
}

static X509 *parse(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(x);
	return x;
}

static char *bio_take(BIO *bio)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);
	char *text = xstrndup(data, (size_t)len);

	BIO_free(bio);
	return text;
}

static char *print(X509 *x)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_X509(bio, x);
	return bio_take(bio);
}

static void assert_says(const struct fixture *f, const char *text)
{
	if (!strstr(f->err.msg, text))
		fail_msg("\"%s\" does not say \"%s\"", f->err.msg, text);
}

static int verify(struct fixture *f, const char *name, int64_t at_ms)
{
	return certificate_verify(f->server.cert, f->ca.cert, name, at_ms, &f->err);
}

/* ---- what is made ---- */

static void made_pair_verifies(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; names[i]; i++)
		assert_int_equal(verify(f, names[i], now_ms), 0);
	assert_int_equal(certificate_check_pair(&f->ca, &f->err), 0);
	assert_int_equal(certificate_check_pair(&f->server, &f->err), 0);
}

static void form_is_what_a_webhook_needs(void **state)
{
	struct fixture *f = *state;
	X509 *ca = parse(f->ca.cert), *leaf = parse(f->server.cert);
	char text[128];

	assert_true(X509_check_ca(ca) == 1);
	assert_int_equal(X509_get_pathlen(ca), 0);
	assert_int_equal(X509_get_key_usage(ca), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	assert_int_equal(X509_check_ca(leaf), 0);
	assert_int_equal(X509_get_extended_key_usage(leaf), XKU_SSL_SERVER);
	assert_int_equal(X509_get_version(leaf), X509_VERSION_3);
	assert_int_equal(X509_check_issued(ca, leaf), X509_V_OK);
	X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, text, sizeof(text));
	assert_string_equal(text, NAME);
	assert_true(EVP_PKEY_is_a(X509_get0_pubkey(leaf), "EC"));
	assert_true(text_starts(f->server.key, "-----BEGIN PRIVATE KEY-----"));
	X509_free(ca);
	X509_free(leaf);
}

static void serials_and_keys_differ(void **state)
{
	struct fixture *f = *state;
	struct certificate_pair second = { 0 };
	X509 *a, *b;

	assert_int_equal(certificate_make_server(&f->ca, names, now_ms, day_ms, &second, &f->err), 0);
	a = parse(f->server.cert);
	b = parse(second.cert);
	assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(a), X509_get0_serialNumber(b)), 0);
	assert_string_not_equal(f->server.key, second.key);
	X509_free(a);
	X509_free(b);
	certificate_pair_done(&second);
}

static void long_names_fit(void **state)
{
	struct fixture *f = *state;
	char name[200];
	const char *const one[] = { name, NULL };
	struct certificate_pair pair = { 0 };

	memset(name, 'a', sizeof(name));
	memcpy(name + 60, ".", 1);
	memcpy(name + 120, ".", 1);
	memcpy(name + 180, ".svc", 5);
	assert_int_equal(certificate_make_server(&f->ca, one, now_ms, day_ms, &pair, &f->err), 0);
	assert_int_equal(certificate_verify(pair.cert, f->ca.cert, name, now_ms, &f->err), 0);
	certificate_pair_done(&pair);
}

static void validity_is_backdated_and_ends_with_the_ca(void **state)
{
	struct fixture *f = *state;
	struct certificate_pair pair = { 0 };
	int64_t from_ms, until_ms;

	assert_int_equal(certificate_validity(f->server.cert, &from_ms, &until_ms, &f->err), 0);
	assert_int_equal(from_ms, now_ms - CERTIFICATE_SKEW_MS);
	assert_int_equal(until_ms, now_ms + 90 * day_ms);
	assert_int_equal(certificate_make_server(&f->ca, names, now_ms, 9999 * day_ms, &pair, &f->err), 0);
	assert_int_equal(certificate_validity(pair.cert, &from_ms, &until_ms, &f->err), 0);
	assert_int_equal(until_ms, now_ms + 365 * day_ms);
	certificate_pair_done(&pair);
}

static void impossible_lives(void **state)
{
	struct fixture *f = *state;
	struct certificate_pair pair = { 0 };

	assert_int_equal(certificate_make_ca("x", now_ms, -day_ms, &pair, &f->err), -ERR_INVALID);
	assert_int_equal(certificate_make_ca("x", now_ms, 8000 * 366 * day_ms, &pair, &f->err), -ERR_INVALID);
	assert_int_equal(certificate_make_server(&f->ca, names, now_ms + 400 * day_ms, day_ms, &pair, &f->err),
			 -ERR_INVALID);
	assert_null(pair.cert);
	assert_null(pair.key);
}

/* ---- what is refused ---- */

static void wrong_name(void **state)
{
	struct fixture *f = *state;
	static const char *const wrong[] = {
		"other.spark.svc", "webhook.spark.svc.evil.org", "x.webhook.spark.svc", "127.0.0.2",
		"WEBHOOK",	   "spark operator webhook"
	};

	for (size_t i = 0; i < array_len(wrong); i++) {
		assert_int_equal(verify(f, wrong[i], now_ms), -ERR_INVALID);
		assert_says(f, wrong[i]);
	}
}

/* Go ignores the common name. */
static void common_name_is_no_name(void **state)
{
	struct fixture *f = *state;
	struct certificate_pair pair = { 0 };
	X509 *leaf = parse(f->server.cert), *ca = parse(f->ca.cert);
	BIO *bio = BIO_new_mem_buf(f->ca.key, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	X509_EXTENSION_free(X509_delete_ext(leaf, X509_get_ext_by_NID(leaf, NID_subject_alt_name, -1)));
	X509_sign(leaf, key, EVP_sha256());
	pair.cert = print(leaf);
	assert_int_equal(certificate_verify(pair.cert, f->ca.cert, NAME, now_ms, &f->err), -ERR_INVALID);
	assert_says(f, "not valid for the name");
	certificate_pair_done(&pair);
	X509_free(leaf);
	X509_free(ca);
	EVP_PKEY_free(key);
	BIO_free(bio);
}

static void wrong_time(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(verify(f, NAME, now_ms - CERTIFICATE_SKEW_MS), 0);
	assert_int_equal(verify(f, NAME, now_ms - CERTIFICATE_SKEW_MS - 1000), -ERR_INVALID);
	assert_says(f, "not yet valid");
	assert_int_equal(verify(f, NAME, now_ms + 90 * day_ms - 1000), 0);
	assert_int_equal(verify(f, NAME, now_ms + 90 * day_ms + 1000), -ERR_INVALID);
	assert_says(f, "expired");
}

static void expired_ca(void **state)
{
	struct fixture *f = *state;
	struct certificate_pair ca = { 0 }, server = { 0 };

	assert_int_equal(certificate_make_ca("short", now_ms, day_ms, &ca, &f->err), 0);
	assert_int_equal(certificate_make_server(&ca, names, now_ms, day_ms, &server, &f->err), 0);
	assert_int_equal(certificate_verify(server.cert, ca.cert, NAME, now_ms + day_ms + 1000, &f->err), -ERR_INVALID);
	certificate_pair_done(&ca);
	certificate_pair_done(&server);
}

static void another_ca(void **state)
{
	struct fixture *f = *state;
	struct certificate_pair other = { 0 };
	auto_free char *both = NULL;

	assert_int_equal(certificate_make_ca("a CA", now_ms, day_ms, &other, &f->err), 0); /* of the same name */
	assert_int_equal(certificate_verify(f->server.cert, other.cert, NAME, now_ms, &f->err), -ERR_INVALID);
	both = xasprintf("%s%s", other.cert, f->ca.cert);
	assert_int_equal(certificate_verify(f->server.cert, both, NAME, now_ms, &f->err), 0);
	certificate_pair_done(&other);
}

static void no_server_certificate(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(certificate_verify(f->ca.cert, f->ca.cert, NAME, now_ms, &f->err), -ERR_INVALID);
}

static void texts_that_are_none(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = {
		"",
		"no PEM",
		"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
		"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
	};
	struct certificate_pair made = { 0 };
	int64_t a, b;

	for (size_t i = 0; i < array_len(bad); i++) {
		struct certificate_pair no_cert = { (char *)bad[i], f->server.key };
		struct certificate_pair no_key = { f->server.cert, (char *)bad[i] };
		struct certificate_pair bad_ca = { f->ca.cert, (char *)bad[i] };
		auto_free char *torn = xasprintf("%s%.300s", f->ca.cert, f->ca.cert);

		assert_int_equal(certificate_verify(bad[i], f->ca.cert, NAME, now_ms, &f->err), -ERR_INVALID);
		assert_int_equal(certificate_verify(f->server.cert, bad[i], NAME, now_ms, &f->err), -ERR_INVALID);
		assert_says(f, "bundle");
		assert_int_equal(certificate_verify(f->server.cert, torn, NAME, now_ms, &f->err), -ERR_INVALID);
		assert_int_equal(certificate_validity(bad[i], &a, &b, &f->err), -ERR_INVALID);
		assert_int_equal(certificate_check_pair(&no_cert, &f->err), -ERR_INVALID);
		assert_int_equal(certificate_check_pair(&no_key, &f->err), -ERR_INVALID);
		assert_int_equal(certificate_make_server(&bad_ca, names, now_ms, day_ms, &made, &f->err), -ERR_INVALID);
		assert_null(strstr(f->err.msg, "MIIB"));
	}
	assert_int_equal(certificate_validity(NULL, &a, &b, &f->err), -ERR_INVALID);
}

static void pairs_that_are_none(void **state)
{
	struct fixture *f = *state;
	struct certificate_pair mixed = { f->server.cert, f->ca.key };
	struct certificate_pair made = { 0 };

	assert_int_equal(certificate_check_pair(&mixed, &f->err), -ERR_INVALID);
	assert_says(f, "does not belong");
	assert_int_equal(certificate_make_server(&mixed, names, now_ms, day_ms, &made, &f->err), -ERR_INVALID);
	assert_int_equal(certificate_make_server(&f->server, names, now_ms, day_ms, &made, &f->err), -ERR_INVALID);
	assert_says(f, "CA:");
}

/* ---- certificates of others ---- */

/* Key number 1, 2 or 3 of this folder. To make an RSA key takes valgrind minutes. */
static EVP_PKEY *rsa_key(int number)
{
	auto_free char *path = xasprintf("%s/unit/net/rsa-%d.pem", TESTS_DIR, number);
	BIO *bio = BIO_new_file(path, "r");
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(key);
	return key;
}

static EVP_PKEY *rsa_pair(const char *common_name, bool is_ca, int number, struct certificate_pair *ret)
{
	EVP_PKEY *key = rsa_key(number);
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	BIO *bio = BIO_new(BIO_s_mem());

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 2019);
	ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(now_ms / 1000));
	ASN1_TIME_set(X509_getm_notAfter(x), (time_t)((now_ms + 3650 * day_ms) / 1000));
	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const unsigned char *)"spark-operator", -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_set_pubkey(x, key);
	X509_add1_ext_i2d(x, NID_basic_constraints, &(BASIC_CONSTRAINTS){ .ca = is_ca ? 0xff : 0 }, 1, 0);
	X509_sign(x, key, EVP_sha256());
	PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL);
	*ret = (struct certificate_pair){ print(x), bio_take(bio) };
	X509_free(x);
	return key;
}

static void rsa_ca_with_pkcs1_key(void **state)
{
	struct fixture *f = *state;
	struct certificate_pair ca = { 0 }, server = { 0 };
	EVP_PKEY *key = rsa_pair(NAME, true, 1, &ca);

	assert_true(text_starts(ca.key, "-----BEGIN RSA PRIVATE KEY-----"));
	assert_int_equal(certificate_check_pair(&ca, &f->err), 0);
	assert_int_equal(certificate_make_server(&ca, names, now_ms, 90 * day_ms, &server, &f->err), 0);
	assert_int_equal(certificate_verify(server.cert, ca.cert, NAME, now_ms, &f->err), 0);
	EVP_PKEY_free(key);
	certificate_pair_done(&ca);
	certificate_pair_done(&server);
}

/* As kubeflow's operator makes it: subject = issuer, no authority key id, another key than the CA's. */
static X509 *lookalike(EVP_PKEY *signer)
{
	struct certificate_pair pair;
	EVP_PKEY *key = rsa_pair(NAME, false, 3, &pair);
	X509 *x = parse(pair.cert);
	GENERAL_NAMES *sans = GENERAL_NAMES_new();
	GENERAL_NAME *san = GENERAL_NAME_new();
	ASN1_IA5STRING *dns = ASN1_IA5STRING_new();

	ASN1_STRING_set(dns, NAME, -1);
	GENERAL_NAME_set0_value(san, GEN_DNS, dns);
	sk_GENERAL_NAME_push(sans, san);
	X509_add1_ext_i2d(x, NID_subject_alt_name, sans, 0, 0);
	GENERAL_NAMES_free(sans);
	X509_sign(x, signer, EVP_sha256());
	EVP_PKEY_free(key);
	certificate_pair_done(&pair);
	return x;
}

static void same_subject_as_its_ca(void **state)
{
	struct fixture *f = *state;
	struct certificate_pair ca = { 0 }, other = { 0 };
	EVP_PKEY *key = rsa_pair(NAME, true, 1, &ca), *other_key = rsa_pair(NAME, true, 2, &other);
	X509 *x = lookalike(key);
	auto_free char *cert = print(x);

	assert_int_equal(certificate_verify(cert, ca.cert, NAME, now_ms + 1000, &f->err), 0);
	assert_int_equal(certificate_verify(cert, ca.cert, "other", now_ms + 1000, &f->err), -ERR_INVALID);
	assert_int_equal(certificate_verify(cert, ca.cert, NAME, now_ms + 3651 * day_ms, &f->err), -ERR_INVALID);
	assert_int_equal(certificate_verify(cert, other.cert, NAME, now_ms + 1000, &f->err), -ERR_INVALID);
	X509_free(x);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	certificate_pair_done(&ca);
	certificate_pair_done(&other);
}

static void reissue(const struct certificate_pair *from, const struct certificate_pair *by, char **ret)
{
	X509 *x = parse(from->cert), *issuer = parse(by->cert);
	BIO *bio = BIO_new_mem_buf(by->key, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	X509_EXTENSION_free(X509_delete_ext(x, X509_get_ext_by_NID(x, NID_authority_key_identifier, -1)));
	X509_set_issuer_name(x, X509_get_subject_name(issuer));
	X509_sign(x, key, EVP_sha256());
	*ret = print(x);
	X509_free(x);
	X509_free(issuer);
	EVP_PKEY_free(key);
	BIO_free(bio);
}

/* leaf ← intermediate ← root, as cert-manager writes tls.crt; the intermediate comes with the leaf, or is itself
 * trusted. */
static void chain_with_an_intermediate(void **state)
{
	struct fixture *f = *state;
	struct certificate_pair root = { 0 };
	EVP_PKEY *key = rsa_pair("root", true, 1, &root);
	auto_free char *intermediate = NULL, *chain = NULL;

	reissue(&f->ca, &root, &intermediate);
	chain = xasprintf("%s%s", f->server.cert, intermediate);
	assert_int_equal(certificate_verify(chain, root.cert, NAME, now_ms, &f->err), 0);
	assert_int_equal(certificate_verify(f->server.cert, root.cert, NAME, now_ms, &f->err), -ERR_INVALID);
	assert_int_equal(certificate_verify(f->server.cert, intermediate, NAME, now_ms, &f->err), 0);
	EVP_PKEY_free(key);
	certificate_pair_done(&root);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(made_pair_verifies),
		TEST(form_is_what_a_webhook_needs),
		TEST(serials_and_keys_differ),
		TEST(long_names_fit),
		TEST(validity_is_backdated_and_ends_with_the_ca),
		TEST(impossible_lives),
		TEST(wrong_name),
		TEST(common_name_is_no_name),
		TEST(wrong_time),
		TEST(expired_ca),
		TEST(another_ca),
		TEST(no_server_certificate),
		TEST(texts_that_are_none),
		TEST(pairs_that_are_none),
		TEST(rsa_ca_with_pkcs1_key),
		TEST(same_subject_as_its_ca),
		TEST(chain_with_an_intermediate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
