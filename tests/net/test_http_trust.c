/*
 * Whom the client trusts. Builds of libcurl have a directory or a file of authorities of their own, for instance
 * /etc/ssl/certs on Debian, and a transfer begins with them. Here every transfer begins with a directory and a file
 * that the test has made, since curl_easy_init is replaced: what the build of this machine says does not matter.
 */
#include "net_lib.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdlib.h>

#include "net/http_client.h"
#include "net/http_server.h"

static char dir[] = "/tmp/test_http_trust.XXXXXX";
static char *bundle, *hashed; /* the same authority as a file, and in the directory under the hash of its name */

CURL *curl_easy_init(void)
{
	CURL *(*real)(void) = (CURL * (*)(void)) dlsym(RTLD_NEXT, "curl_easy_init");
	CURL *easy = real();

	curl_easy_setopt(easy, CURLOPT_CAINFO, bundle);
	curl_easy_setopt(easy, CURLOPT_CAPATH, dir);
	return easy;
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void on_hello(void *arg, struct http_exchange *x)
{
	(void)arg;
	buf_puts(&x->reply, "hello");
}

struct fixture {
	struct loop loop;
	struct http_client *client;
	struct http_server *server;
	struct pki public_ca; /* the system's, which has signed the server's certificate */
	struct pki leaf;
};

static void start(struct fixture *f)
{
	static const struct http_route route = { .method = "GET", .path = "/", .fn = on_hello };
	struct err err;

	f->public_ca = pki_new(NULL, "SomePublicCA", NULL);
	f->leaf = pki_new(&f->public_ca, "leaf", "DNS:localhost");
	bundle = xasprintf("%s/bundle.crt", dir);
	hashed = xasprintf("%s/%08lx.0", dir, X509_subject_name_hash(f->public_ca.cert));
	put(bundle, f->public_ca.cert_pem);
	put(hashed, f->public_ca.cert_pem);
	assert_int_equal(loop_init(&f->loop, &err), 0);
	f->server = http_server_new(&f->loop, &route, 1, &(struct http_server_options){ 0 });
	assert_int_equal(http_server_set_certificate(f->server, f->leaf.cert_pem, f->leaf.key_pem, &err), 0);
	assert_int_equal(http_server_listen(f->server, "127.0.0.1:0", &err), 0);
	f->client = http_client_new(&f->loop, &(struct http_client_options){ 0 });
}

static void finish(struct fixture *f)
{
	http_client_close(f->client);
	http_server_close(f->server, 0);
	assert_int_equal(loop_close(&f->loop), 0);
	pki_done(&f->public_ca);
	pki_done(&f->leaf);
	unlink(bundle);
	unlink(hashed);
	free(take_ptr(bundle));
	free(take_ptr(hashed));
}

struct result {
	bool done;
	struct err err;
};

static void on_done(void *arg, struct http_reply *reply)
{
	struct result *r = arg;

	r->err = reply->err;
	r->done = true;
}

static struct err try_with(struct fixture *f, const struct http_tls *tls)
{
	auto_free char *url = xasprintf("https://localhost:%d/", http_server_port(f->server));
	struct http_request request = { .method = "GET", .url = url, .timeout_ms = 2000 };
	struct result r = { 0 };
	struct err err;

	assert_int_equal(http_client_set_tls(f->client, tls, &err), 0);
	http_client_send(f->client, &request, NULL, on_done, &r);
	run_until(&f->loop, &r.done);
	return r.err;
}

static void the_systems_authorities_count_if_none_is_given(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	assert_int_equal(try_with(&f, &(struct http_tls){ 0 }).code, ERR_NONE);
	unlink(bundle);
	assert_int_equal(try_with(&f, &(struct http_tls){ 0 }).code, ERR_NONE);
	finish(&f);
}

static void only_the_given_authority_is_trusted(void **state)
{
	struct pki cluster = pki_new(NULL, "ClusterCA", NULL);
	struct fixture f;
	struct err err;

	(void)state;
	start(&f);
	err = try_with(&f, &(struct http_tls){ .ca = cluster.cert_pem });
	assert_int_equal(err.code, ERR_IO);
	if (!strstr(err.msg, "certificate"))
		fail_msg("%s", err.msg);
	/* with the file alone, and with the directory alone */
	unlink(hashed);
	assert_int_equal(try_with(&f, &(struct http_tls){ .ca = cluster.cert_pem }).code, ERR_IO);
	put(hashed, f.public_ca.cert_pem);
	unlink(bundle);
	assert_int_equal(try_with(&f, &(struct http_tls){ .ca = cluster.cert_pem }).code, ERR_IO);
	assert_int_equal(try_with(&f, &(struct http_tls){ .ca = f.public_ca.cert_pem }).code, ERR_NONE);
	finish(&f);
	pki_done(&cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_systems_authorities_count_if_none_is_given),
		cmocka_unit_test(only_the_given_authority_is_trusted),
	};
	int failed;

	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
