/*
 * Rotation of the files of token, client certificate and CA in virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "credentials.h"

enum { NOW = 5000 };

#define PEM_A "-----BEGIN CERTIFICATE-----\nQUFB\n-----END CERTIFICATE-----\n"
#define PEM_B "-----BEGIN CERTIFICATE-----\nQkJC\n-----END CERTIFICATE-----\n"
#define KEY_A "-----BEGIN PRIVATE KEY-----\nQUFB\n-----END PRIVATE KEY-----\n"
#define KEY_B "-----BEGIN PRIVATE KEY-----\nQkJC\n-----END PRIVATE KEY-----\n"

static char dir[] = "/tmp/test_credentials.XXXXXX";
static char server[] = "https://x", first_token[] = "one", first_ca[] = PEM_A;
static char first_cert[] = PEM_A, first_key[] = KEY_A;
static char *token_file, *ca_file, *cert_file, *key_file;
static unsigned warnings;

static void count_line(void *arg, const char *line, size_t len)
{
	(void)arg;
	assert_non_null(memmem(line, len, "unusable", 8));
	warnings++;
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void begin(struct credentials *c)
{
	struct config config = {
		.server = server,
		.ca = first_ca,
		.ca_file = ca_file,
		.cert = first_cert,
		.cert_file = cert_file,
		.key = first_key,
		.key_file = key_file,
		.token = first_token,
		.token_file = token_file,
	};

	put(token_file, "one\n");
	put(ca_file, PEM_A);
	put(cert_file, PEM_A);
	put(key_file, KEY_A);
	warnings = 0;
	credentials_init(c, &config, NOW);
}

static void test_token_is_read_again_after_a_minute(void **state)
{
	struct credentials c;
	uint64_t generation;

	(void)state;
	begin(&c);
	generation = c.generation;
	put(token_file, " two \n");
	credentials_refresh(&c, NOW + CREDENTIALS_TOKEN_MS - 1);
	assert_string_equal(c.config.token, "one");
	credentials_refresh(&c, NOW + CREDENTIALS_TOKEN_MS);
	assert_false(c.tls_changed);
	assert_string_equal(c.config.token, "two");
	assert_int_not_equal(c.generation, generation);
	put(token_file, "three");
	credentials_refresh(&c, NOW + 2 * CREDENTIALS_TOKEN_MS - 1);
	assert_string_equal(c.config.token, "two");
	credentials_done(&c);
}

static void test_bad_token_file_keeps_the_last_and_warns_once(void **state)
{
	static const char *const bad[] = { "", "\n", "two words", "caf\xc3\xa9" };
	struct credentials c;
	int64_t now = NOW;

	(void)state;
	begin(&c);
	for (size_t i = 0; i < array_len(bad); i++) {
		put(token_file, bad[i]);
		credentials_refresh(&c, now += CREDENTIALS_TOKEN_MS);
		assert_string_equal(c.config.token, "one");
		assert_int_equal(warnings, 1);
	}
	unlink(token_file);
	credentials_refresh(&c, now += CREDENTIALS_TOKEN_MS);
	assert_int_equal(warnings, 1);
	put(token_file, "one");
	credentials_refresh(&c, now += CREDENTIALS_TOKEN_MS);
	assert_int_equal(c.generation, 0);
	unlink(token_file);
	credentials_refresh(&c, now += CREDENTIALS_TOKEN_MS);
	assert_int_equal(warnings, 2);
	assert_string_equal(c.config.token, "one");
	credentials_done(&c);
}

static void test_refused_token(void **state)
{
	struct credentials c;

	(void)state;
	begin(&c);
	assert_false(credentials_refused(&c, c.generation, NOW));
	put(token_file, "two");
	assert_true(credentials_refused(&c, 0, NOW));
	assert_string_equal(c.config.token, "two");
	put(token_file, "three");
	assert_true(credentials_refused(&c, 0, NOW)); /* was sent with an old one: no need to read */
	assert_string_equal(c.config.token, "two");
	credentials_done(&c);
}

static bool took_tls(struct credentials *c, int64_t now_ms)
{
	bool changed;

	credentials_refresh(c, now_ms);
	changed = c->tls_changed;
	c->tls_changed = false;
	return changed;
}

static void test_ca_is_read_again_after_five_minutes(void **state)
{
	struct credentials c;
	int64_t now = NOW;

	(void)state;
	begin(&c);
	put(ca_file, PEM_B);
	assert_false(took_tls(&c, now + CREDENTIALS_CA_MS - 1));
	assert_true(took_tls(&c, now += CREDENTIALS_CA_MS));
	assert_string_equal(c.config.ca, PEM_B);
	assert_int_equal(c.generation, 0); /* it does not say who we are */
	assert_false(took_tls(&c, now += CREDENTIALS_CA_MS));
	put(ca_file, "");
	assert_false(took_tls(&c, now += CREDENTIALS_CA_MS));
	assert_false(took_tls(&c, now += CREDENTIALS_CA_MS));
	assert_string_equal(c.config.ca, PEM_B);
	assert_int_equal(warnings, 1);
	credentials_done(&c);
}

static void client_certificates_are_read_again_after_a_minute(void **state)
{
	struct credentials c;
	int64_t now = NOW;

	(void)state;
	begin(&c);
	put(cert_file, PEM_B);
	put(key_file, KEY_B);
	assert_false(took_tls(&c, now + CREDENTIALS_PAIR_MS - 1));
	assert_string_equal(c.config.cert, PEM_A);
	assert_true(took_tls(&c, now += CREDENTIALS_PAIR_MS));
	assert_string_equal(c.config.cert, PEM_B);
	assert_string_equal(c.config.key, KEY_B);
	assert_int_equal(c.generation, 1);
	assert_false(took_tls(&c, now += CREDENTIALS_PAIR_MS));
	put(key_file, "");
	unlink(cert_file);
	assert_false(took_tls(&c, now += CREDENTIALS_PAIR_MS));
	assert_false(took_tls(&c, now += CREDENTIALS_PAIR_MS));
	assert_string_equal(c.config.cert, PEM_B);
	assert_string_equal(c.config.key, KEY_B);
	assert_int_equal(warnings, 2);
	assert_int_equal(c.generation, 1);
	credentials_done(&c);
}

/* Between the writing of one file and of the other: both changes are told. */
static void halves_of_a_pair_are_taken_as_they_come(void **state)
{
	struct credentials c;
	int64_t now = NOW;

	(void)state;
	begin(&c);
	put(cert_file, PEM_B);
	assert_true(took_tls(&c, now += CREDENTIALS_PAIR_MS));
	put(key_file, KEY_B);
	assert_true(took_tls(&c, now += CREDENTIALS_PAIR_MS));
	assert_string_equal(c.config.key, KEY_B);
	credentials_done(&c);
}

static void refused_client_certificates_are_read_again_at_once(void **state)
{
	struct credentials c;

	(void)state;
	begin(&c);
	assert_false(credentials_refused(&c, 0, NOW));
	put(cert_file, PEM_B);
	put(key_file, KEY_B);
	assert_true(credentials_refused(&c, 0, NOW));
	assert_true(c.tls_changed);
	assert_string_equal(c.config.cert, PEM_B);
	assert_string_equal(c.config.key, KEY_B);
	assert_false(credentials_refused(&c, c.generation, NOW));
	credentials_done(&c);
}

static void test_without_files_nothing_is_read(void **state)
{
	struct config config = { .server = server, .token = first_token, .cert = first_cert, .key = first_key };
	struct credentials c;

	(void)state;
	warnings = 0;
	credentials_init(&c, &config, NOW);
	assert_false(took_tls(&c, NOW + 100 * CREDENTIALS_CA_MS));
	assert_false(credentials_refused(&c, c.generation, NOW));
	assert_string_equal(c.config.token, "one");
	assert_string_equal(c.config.cert, PEM_A);
	assert_int_equal(warnings, 0);
	credentials_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_token_is_read_again_after_a_minute),
		cmocka_unit_test(test_bad_token_file_keeps_the_last_and_warns_once),
		cmocka_unit_test(test_refused_token),
		cmocka_unit_test(test_ca_is_read_again_after_five_minutes),
		cmocka_unit_test(client_certificates_are_read_again_after_a_minute),
		cmocka_unit_test(halves_of_a_pair_are_taken_as_they_come),
		cmocka_unit_test(refused_client_certificates_are_read_again_at_once),
		cmocka_unit_test(test_without_files_nothing_is_read),
	};
	int failed;

	if (!mkdtemp(dir))
		return 1;
	token_file = xasprintf("%s/token", dir);
	ca_file = xasprintf("%s/ca.crt", dir);
	cert_file = xasprintf("%s/client.crt", dir);
	key_file = xasprintf("%s/client.key", dir);
	log_set_sink(count_line, NULL);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(token_file);
	unlink(ca_file);
	unlink(cert_file);
	unlink(key_file);
	rmdir(dir);
	free(token_file);
	free(ca_file);
	free(cert_file);
	free(key_file);
	return failed;
}
