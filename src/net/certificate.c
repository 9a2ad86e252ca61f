/*
 * Making and verifying certificates. Happy path: PEM to OpenSSL's objects, one operation, back to PEM; no state is
 * kept.
 *
 * A certificate is verified as the API server's TLS library (Go's crypto/x509) does it. The name has to be among the
 * subject alternative names. Every certificate of the bundle is trusted and needs no issuer. Every certificate of the
 * chain has to be valid at the time. One step is added to OpenSSL's verification. Kubeflow's operator gives the CA
 * and the serving certificate the same subject, and the latter no authority key id (Go's CreateCertificate leaves it
 * out then). OpenSSL takes such a certificate for self-signed. Here its signature decides.
 *
 * Failure modes: a text that cannot be used is ERR_INVALID with OpenSSL's reason, never with the text. Out of memory
 * ends the program.
 */
#include "net/certificate.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "pem.h"
#include "tls.h"

enum { COMMON_NAME_MAX = 64, SERIAL_BYTES = 16 };

static const int64_t last_ms = INT64_C(253402300799000); /* the end of the year 9999, the last time in ASN.1 */

static void chain_cleanup(STACK_OF(X509) * *p)
{
	sk_X509_pop_free(*p, X509_free);
}

static void store_cleanup(X509_STORE **p)
{
	X509_STORE_free(*p);
}

static void context_cleanup(X509_STORE_CTX **p)
{
	X509_STORE_CTX_free(*p);
}

#define auto_chain   __attribute__((cleanup(chain_cleanup))) STACK_OF(X509)
#define auto_store   __attribute__((cleanup(store_cleanup))) X509_STORE
#define auto_context __attribute__((cleanup(context_cleanup))) X509_STORE_CTX

/* Ends the program if p is NULL. For functions of OpenSSL that fail only without memory. */
static void *must_have(void *p)
{
	if (!p)
		abort();
	return p;
}

/* ---- PEM ---- */

/* All certificates of a text, at least one. NULL + ERR_INVALID. */
static STACK_OF(X509) * read_chain(const char *text, struct err *err)
{
	auto_bio *bio = pem_bio(text);
	auto_chain *chain = must_have(sk_X509_new_null());
	X509 *x;

	while ((x = PEM_read_bio_X509(bio, NULL, pem_no_password, NULL)))
		if (sk_X509_push(chain, x) == 0)
			abort();
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
		err_set(err, ERR_INVALID, "certificate %d: %s", sk_X509_num(chain) + 1, pem_reason());
		return NULL;
	}
	if (sk_X509_num(chain) == 0) {
		err_set(err, ERR_INVALID, "expected a PEM certificate, found none");
		return NULL;
	}
	return take_ptr(chain);
}

static EVP_PKEY *read_key(const char *text, struct err *err)
{
	auto_bio *bio = pem_bio(text);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, pem_no_password, NULL);

	if (!key)
		err_set(err, ERR_INVALID, "key: %s",
			ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE
			    ? "expected a PEM private key, found none"
			    : pem_reason());
	return key;
}

/* A copy of the text in a memory BIO. The BIO wipes its own storage when it is freed. */
static char *bio_text(BIO *bio)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);

	return xstrndup(data, len > 0 ? (size_t)len : 0);
}

static void print_pair(X509 *x, EVP_PKEY *key, struct certificate_pair *ret)
{
	auto_bio *cert_bio = must_have(BIO_new(BIO_s_mem()));
	auto_bio *key_bio = must_have(BIO_new(BIO_s_mem()));

	if (!PEM_write_bio_X509(cert_bio, x) || !PEM_write_bio_PKCS8PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL))
		abort();
	ret->cert = bio_text(cert_bio);
	ret->key = bio_text(key_bio);
}

void certificate_wipe(char *text)
{
	if (text)
		OPENSSL_cleanse(text, strlen(text));
	free(text);
}

void certificate_pair_done(struct certificate_pair *p)
{
	free(take_ptr(p->cert));
	certificate_wipe(take_ptr(p->key));
}

/* ---- making ---- */

static void set_serial(X509 *x)
{
	unsigned char bytes[SERIAL_BYTES];
	BIGNUM *number;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		abort();
	bytes[0] = (unsigned char)((bytes[0] & 0x3f) | 0x40); /* positive, and as long as it should be */
	number = must_have(BN_bin2bn(bytes, sizeof(bytes), NULL));
	must_have(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)));
	BN_free(number);
}

static int set_times(X509 *x, int64_t from_ms, int64_t until_ms, struct err *err)
{
	if (until_ms <= from_ms || until_ms > last_ms ||
	    !ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(from_ms / 1000)) ||
	    !ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(until_ms / 1000)))
		return err_set(err, ERR_INVALID, "certificate: a life that cannot be written down");
	return 0;
}

static void add_name(X509 *x, const char *field, const char *text)
{
	size_t len = strnlen(text, COMMON_NAME_MAX);

	if (!X509_NAME_add_entry_by_txt(X509_get_subject_name(x), field, MBSTRING_ASC, (const unsigned char *)text,
					(int)len, -1, 0))
		abort();
}

static void add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	extension = must_have(X509V3_EXT_conf_nid(NULL, &ctx, nid, value));
	if (!X509_add_ext(x, extension, -1))
		abort();
	X509_EXTENSION_free(extension);
}

/* An address is an iPAddress, everything else a dNSName. */
static GENERAL_NAME *alternative_name(const char *text)
{
	GENERAL_NAME *name = must_have(GENERAL_NAME_new());
	ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);
	ASN1_IA5STRING *dns;

	if (address) {
		GENERAL_NAME_set0_value(name, GEN_IPADD, address);
		return name;
	}
	dns = must_have(ASN1_IA5STRING_new());
	if (!ASN1_STRING_set(dns, text, -1))
		abort();
	GENERAL_NAME_set0_value(name, GEN_DNS, dns);
	return name;
}

static void add_alternatives(X509 *x, const char *const *names)
{
	GENERAL_NAMES *all = must_have(GENERAL_NAMES_new());

	for (; *names; names++)
		if (!sk_GENERAL_NAME_push(all, alternative_name(*names)))
			abort();
	ERR_clear_error(); /* names that are no addresses */
	if (!X509_add1_ext_i2d(x, NID_subject_alt_name, all, 0, 0))
		abort();
	GENERAL_NAMES_free(all);
}

static int sign_certificate(X509 *x, EVP_PKEY *key, struct err *err)
{
	int nid = NID_undef;
	bool fixed = EVP_PKEY_get_default_digest_nid(key, &nid) == 2 && nid == NID_undef; /* Ed25519 has its own */

	ERR_clear_error();
	if (!X509_sign(x, key, fixed ? NULL : EVP_sha256()))
		return err_set(err, ERR_INVALID, "certificate: cannot be signed: %s", pem_reason());
	return 0;
}

/* A certificate for key that still lacks names, extensions and signature. */
static X509 *unsigned_certificate(EVP_PKEY *key, int64_t from_ms, int64_t until_ms, struct err *err)
{
	auto_x509 *x = must_have(X509_new());

	if (!X509_set_version(x, X509_VERSION_3) || !X509_set_pubkey(x, key))
		abort();
	set_serial(x);
	if (set_times(x, from_ms, until_ms, err) < 0)
		return NULL;
	return take_ptr(x);
}

int certificate_make_ca(const char *common_name, int64_t now_ms, int64_t life_ms, struct certificate_pair *ret,
			struct err *err)
{
	auto_key *key = must_have(EVP_EC_gen("P-256"));
	auto_x509 *x = unsigned_certificate(key, now_ms - CERTIFICATE_SKEW_MS, now_ms + life_ms, err);

	if (!x)
		return err_code(err);
	add_name(x, "CN", common_name);
	if (!X509_set_issuer_name(x, X509_get_subject_name(x)))
		abort();
	add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
	add_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign");
	add_extension(x, x, NID_subject_key_identifier, "hash");
	add_extension(x, x, NID_authority_key_identifier, "keyid");
	if (sign_certificate(x, key, err) < 0)
		return err_code(err);
	print_pair(x, key, ret);
	return 0;
}

static int64_t asn1_time_ms(const ASN1_TIME *t)
{
	ASN1_TIME *epoch = must_have(ASN1_TIME_set(NULL, 0));
	int days = 0, seconds = 0;

	ASN1_TIME_diff(&days, &seconds, epoch, t);
	ASN1_TIME_free(epoch);
	return ((int64_t)days * 86400 + seconds) * 1000;
}

static int64_t earlier_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Adds names and extensions. The organisation makes the subject differ from the CA's: with the same subject, the
 * certificate would count as self-signed. */
static void describe_server(X509 *x, X509 *ca, const char *const *names)
{
	add_name(x, "O", "Spark operator webhook");
	add_name(x, "CN", names[0]);
	if (!X509_set_issuer_name(x, X509_get_subject_name(ca)))
		abort();
	add_extension(x, ca, NID_basic_constraints, "critical,CA:FALSE");
	add_extension(x, ca, NID_key_usage, "critical,digitalSignature");
	add_extension(x, ca, NID_ext_key_usage, "serverAuth");
	add_extension(x, ca, NID_subject_key_identifier, "hash");
	if (X509_get0_subject_key_id(ca))
		add_extension(x, ca, NID_authority_key_identifier, "keyid");
	add_alternatives(x, names);
}

int certificate_make_server(const struct certificate_pair *ca, const char *const *names, int64_t now_ms,
			    int64_t life_ms, struct certificate_pair *ret, struct err *err)
{
	auto_chain *chain = read_chain(ca->cert, err);
	auto_key *ca_key = chain ? read_key(ca->key, err) : NULL;
	auto_key *key = NULL;
	auto_x509 *x = NULL;
	X509 *issuer;

	if (!ca_key)
		return err_wrap(err, "CA");
	issuer = sk_X509_value(chain, 0);
	if (!X509_check_private_key(issuer, ca_key) || X509_check_ca(issuer) == 0)
		return err_set(err, ERR_INVALID, "CA: a certificate that may sign and its key were expected");
	key = must_have(EVP_EC_gen("P-256"));
	x = unsigned_certificate(key, now_ms - CERTIFICATE_SKEW_MS,
				 earlier_of(now_ms + life_ms, asn1_time_ms(X509_get0_notAfter(issuer))), err);
	if (!x)
		return err_code(err);
	describe_server(x, issuer, names);
	if (sign_certificate(x, ca_key, err) < 0)
		return err_code(err);
	print_pair(x, key, ret);
	return 0;
}

/* ---- verifying ---- */

static X509_STORE *trust_store(const STACK_OF(X509) * bundle)
{
	X509_STORE *store = must_have(X509_STORE_new());

	for (int i = 0; i < sk_X509_num(bundle); i++)
		if (!X509_STORE_add_cert(store, sk_X509_value(bundle, i)))
			abort();
	return store;
}

static bool is_valid_at(const X509 *x, int64_t now_ms)
{
	return asn1_time_ms(X509_get0_notBefore(x)) <= now_ms && now_ms <= asn1_time_ms(X509_get0_notAfter(x)) + 999;
}

/* Whether a certificate of the bundle is the issuer of leaf by name and has signed it. Then leaf only looks
 * self-signed. */
static bool is_signed_by_one(X509 *leaf, const STACK_OF(X509) * bundle, int64_t now_ms)
{
	for (int i = 0; i < sk_X509_num(bundle); i++) {
		X509 *ca = sk_X509_value(bundle, i);

		if (X509_NAME_cmp(X509_get_subject_name(ca), X509_get_issuer_name(leaf)) == 0 && X509_check_ca(ca) &&
		    is_valid_at(ca, now_ms) && X509_verify(leaf, X509_get0_pubkey(ca)) == 1)
			return true;
	}
	return false;
}

static int check_chain(X509_STORE_CTX *ctx, X509 *leaf, const STACK_OF(X509) * bundle, int64_t now_ms, struct err *err)
{
	int code;

	ERR_clear_error();
	if (X509_verify_cert(ctx) == 1)
		return 0;
	code = X509_STORE_CTX_get_error(ctx);
	if (code == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT && is_valid_at(leaf, now_ms) &&
	    X509_check_purpose(leaf, X509_PURPOSE_SSL_SERVER, 0) == 1 && is_signed_by_one(leaf, bundle, now_ms))
		return 0;
	return err_set(err, ERR_INVALID, "%s", X509_verify_cert_error_string(code));
}

static bool is_for_name(X509 *leaf, const char *name)
{
	enum { SAN_ONLY = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS };
	ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);
	bool is_address = address;

	ASN1_OCTET_STRING_free(address);
	if (is_address)
		return X509_check_ip_asc(leaf, name, SAN_ONLY) == 1;
	return X509_check_host(leaf, name, strlen(name), SAN_ONLY, NULL) == 1;
}

int certificate_verify(const char *cert, const char *bundle, const char *name, int64_t now_ms, struct err *err)
{
	auto_chain *chain = read_chain(cert, err);
	auto_chain *trusted = chain ? read_chain(bundle, err) : NULL;
	auto_store *store = NULL;
	auto_context *ctx = NULL;
	X509_VERIFY_PARAM *param;
	X509 *leaf;

	if (!chain)
		return err_code(err);
	if (!trusted)
		return err_wrap(err, "bundle");
	leaf = sk_X509_value(chain, 0);
	store = trust_store(trusted);
	ctx = must_have(X509_STORE_CTX_new());
	if (!X509_STORE_CTX_init(ctx, store, leaf, chain))
		abort();
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)(now_ms / 1000));
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER);
	if (check_chain(ctx, leaf, trusted, now_ms, err) < 0)
		return err_code(err);
	if (!is_for_name(leaf, name))
		return err_set(err, ERR_INVALID, "not valid for the name %s", name);
	return 0;
}

int certificate_check_pair(const struct certificate_pair *p, struct err *err)
{
	auto_chain *chain = read_chain(p->cert, err);
	auto_key *key = chain ? read_key(p->key, err) : NULL;

	if (!key)
		return err_code(err);
	if (!X509_check_private_key(sk_X509_value(chain, 0), key))
		return err_set(err, ERR_INVALID, "the key does not belong to the certificate");
	return 0;
}

int certificate_check_serving(const struct certificate_pair *p, struct err *err)
{
	if (certificate_check_pair(p, err) < 0)
		return err_code(err);
	return tls_check_pair(p->cert, p->key, err);
}

int certificate_validity(const char *cert, int64_t *ret_from_ms, int64_t *ret_until_ms, struct err *err)
{
	auto_chain *chain = read_chain(cert, err);

	if (!chain)
		return err_code(err);
	*ret_from_ms = asn1_time_ms(X509_get0_notBefore(sk_X509_value(chain, 0)));
	*ret_until_ms = asn1_time_ms(X509_get0_notAfter(sk_X509_value(chain, 0)));
	return 0;
}
