/*
 * The API client against a scripted server in the same loop: what it sends, what it makes of each kind of answer and of
 * none, and how it follows the rotation of its token.
 */
#include "client_lib.h"

/* ---- what is sent ---- */

static void say_created(struct raw *c, const char *head, const char *body)
{
	(void)head;
	answer(c, 201, "", body);
}

static void test_create(void **state)
{
	auto_json pod = json_new_object();
	struct request req = { .verb = VERB_CREATE, .res = &resource_pod, .ns = "a", .body = pod };
	struct outcome *o;
	const char *sent;

	(void)state;
	json_set_str(pod, "kind", "Pod");
	o = exchange(say_created, &req);
	assert_int_equal(o->reply.err.code, ERR_NONE);
	assert_int_equal(o->reply.status, 201);
	assert_true(json_equal(o->reply.body, pod));
	sent = w.server.requests.items[0];
	assert_true(text_starts(sent, "POST /api/v1/namespaces/a/pods?fieldManager=spark-operator HTTP/1.1\r\n"));
	assert_non_null(strstr(sent, "\r\nAccept: application/json\r\n"));
	assert_non_null(strstr(sent, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(sent, "\r\nAuthorization: Bearer t0k\r\n"));
	assert_non_null(strstr(sent, "\r\nUser-Agent: tester/1\r\n"));
	assert_null(strstr(sent, "Accept-Encoding"));
	assert_null(strstr(sent, "Expect"));
	assert_true(text_ends(sent, "\r\n\r\n{\"kind\":\"Pod\"}"));
	assert_true(counted("201", "POST", 1));
	end();
}

static void test_patch_keeps_its_query(void **state)
{
	auto_json body = json_new_object();
	struct request req = { .verb = VERB_PATCH,
			       .res = &resource_pod,
			       .ns = "a",
			       .name = "p",
			       .subresource = "status",
			       .query = "dryRun=All",
			       .body = body };

	(void)state;
	exchange(say_created, &req);
	assert_true(text_starts(w.server.requests.items[0], "PATCH /api/v1/namespaces/a/pods/p/status?dryRun=All&"
							    "fieldManager=spark-operator HTTP/1.1\r\n"));
	assert_non_null(strstr(w.server.requests.items[0], "\r\nContent-Type: application/merge-patch+json\r\n"));
	end();
}

static void test_reads_and_deletes(void **state)
{
	struct request delete_pod = { .verb = VERB_DELETE, .res = &resource_pod, .ns = "a", .name = "p" };
	const char *sent;

	(void)state;
	begin(say_ok);
	send_as(&list_pods, 0);
	run(1);
	send_as(&get_pod, 1);
	run(2);
	send_as(&delete_pod, 2);
	run(3);
	sent = w.server.requests.items[0];
	assert_true(text_starts(sent, "GET /api/v1/namespaces/a/pods?limit=500 HTTP/1.1\r\n"));
	assert_non_null(strstr(sent, "\r\nAccept-Encoding: gzip\r\n"));
	assert_null(strstr(sent, "Content-Type"));
	sent = w.server.requests.items[1];
	assert_true(text_starts(sent, "GET /api/v1/namespaces/a/pods/p HTTP/1.1\r\n"));
	assert_null(strstr(sent, "Accept-Encoding"));
	assert_true(text_starts(w.server.requests.items[2], "DELETE /api/v1/namespaces/a/pods/p HTTP/1.1\r\n"));
	assert_true(counted("200", "GET", 2));
	assert_true(counted("200", "DELETE", 1));
	end();
}

/* ---- what is made of the answers ---- */

static void say_422(struct raw *c, const char *head, const char *body)
{
	(void)head;
	(void)body;
	answer(c, 422, "Content-Type: application/json\r\n",
	       "{\"kind\":\"Status\",\"reason\":\"Invalid\",\"message\":\"spec: wrong\",\"code\":422}");
}

static void say_429(struct raw *c, const char *head, const char *body)
{
	(void)head;
	(void)body;
	answer(c, 429, "Retry-After: 7\r\n", "Too many requests,\n please try again later.");
}

static void say_502(struct raw *c, const char *head, const char *body)
{
	auto_buf text;

	(void)head;
	(void)body;
	buf_init(&text, 4096);
	for (int i = 0; i < 299; i++)
		buf_putc(&text, 'x');
	buf_puts(&text, "\xc3\xa9 and more");
	answer(c, 502, "", buf_str(&text));
}

static void say_binary(struct raw *c, const char *head, const char *body)
{
	(void)head;
	(void)body;
	answer(c, 500, "", "\xff\xfe");
}

static void test_errors_of_the_server(void **state)
{
	struct outcome *o;

	(void)state;
	o = exchange(say_422, &get_pod);
	check_error(o, ERR_INVALID, "get pods a/p: 422 Invalid: spec: wrong");
	assert_int_equal(o->reply.status, 422);
	assert_string_equal(json_str(o->reply.body, "reason", ""), "Invalid");
	assert_true(counted("422", "GET", 1));
	end();
	o = exchange(say_429, &get_pod);
	check_error(o, ERR_BUSY, "get pods a/p: 429: Too many requests,  please try again later.");
	assert_int_equal(o->reply.err.retry_after_ms, 7000);
	end();
	o = exchange(say_502, &list_pods);
	check_error(o, ERR_INTERNAL, "list pods in a: 502: xxx");
	assert_true(text_ends(o->reply.err.msg, "xxx"));
	assert_int_equal(strlen(json_str(o->reply.body, "message", "")), 299);
	end();
	o = exchange(say_binary, &get_pod);
	check_error(o, ERR_INTERNAL, "get pods a/p: 500: no message");
	assert_null(o->reply.body);
	end();
	o = exchange(say_422, &watch_pods);
	check_error(o, ERR_INVALID, "watch pods: 422 Invalid: spec: wrong");
	assert_int_equal(o->chunks, 0);
	end();
}

static void say_html(struct raw *c, const char *head, const char *body)
{
	(void)head;
	(void)body;
	answer(c, 200, "", "<html>please log in</html>");
}

static void say_nothing(struct raw *c, const char *head, const char *body)
{
	(void)head;
	(void)body;
	answer(c, 200, "", "");
}

static void say_204(struct raw *c, const char *head, const char *body)
{
	(void)head;
	(void)body;
	raw_puts(c, "HTTP/1.1 204 No Content\r\n\r\n");
}

static void test_success_must_be_json(void **state)
{
	struct outcome *o;

	(void)state;
	o = exchange(say_html, &get_pod);
	check_error(o, ERR_IO, "get pods a/p: reply is not JSON: ");
	assert_null(o->reply.body);
	end();
	check_error(exchange(say_nothing, &get_pod), ERR_IO, "get pods a/p: reply is not JSON: ");
	end();
	o = exchange(say_204, &get_pod);
	assert_int_equal(o->reply.err.code, ERR_NONE);
	assert_int_equal(o->reply.status, 204);
	end();
}

static void cut_off(struct raw *c, const char *head, const char *body)
{
	(void)head;
	(void)body;
	raw_puts(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":1}");
	raw_close(c);
}

static void test_no_answer(void **state)
{
	struct request impatient = get_pod;
	static char refused[] = "http://127.0.0.1:1";
	struct config config = { .server = refused };
	struct outcome *o;

	(void)state;
	o = exchange(cut_off, &get_pod);
	check_error(o, ERR_IO, "get pods a/p: 127.0.0.1:");
	assert_int_equal(o->reply.status, 0);
	assert_null(o->reply.body);
	assert_true(counted("<error>", "GET", 1));
	end();
	impatient.timeout_ms = 30;
	check_error(exchange(stay_silent, &impatient), ERR_TIMEOUT, "get pods a/p: 127.0.0.1:");
	end();
	begin(stay_silent);
	client_close(w.client);
	metrics_free(w.metrics);
	w.metrics = NULL;
	new_client(&config, 0, 0);
	send_as(&get_pod, 0);
	run(1);
	check_error(&w.outcomes[0], ERR_IO, "get pods a/p: 127.0.0.1:1: ");
	end();
}

/* A JSON string of 9 MiB. */
static void say_much(struct raw *c, const char *head, const char *body)
{
	size_t len = 9UL * 1024 * 1024;
	char *text = xmalloc(len + 1);

	(void)head;
	(void)body;
	memset(text, 'a', len);
	text[0] = text[len - 1] = '"';
	text[len] = '\0';
	answer(c, 200, "", text);
	free(text);
}

static void test_big_replies(void **state)
{
	struct outcome *o;

	(void)state;
	o = exchange(say_much, &list_pods);
	assert_int_equal(o->reply.err.code, ERR_NONE);
	assert_int_equal(strlen(json_text(o->reply.body, "")), 9 * 1024 * 1024 - 2);
	end();
	check_error(exchange(say_much, &get_pod), ERR_TOO_LARGE, "get pods a/p: ");
	end();
}

/* ---- the token file ---- */

static char token_file[] = "/tmp/test_client.XXXXXX";

static void put_token(const char *text)
{
	FILE *f = fopen(token_file, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* Only "fresh" is accepted. */
static void want_fresh(struct raw *c, const char *head, const char *body)
{
	(void)body;
	if (strstr(head, "Bearer fresh\r\n"))
		answer(c, 200, "", "{\"a\":1}");
	else
		answer(c, 401, "", "{\"kind\":\"Status\",\"reason\":\"Unauthorized\",\"message\":\"Unauthorized\"}");
}

static void begin_with_token_file(const char *in_use, const char *in_file)
{
	char *token = xstrdup(in_use);
	struct config config = { .token = token, .token_file = token_file };

	begin(want_fresh);
	client_close(w.client);
	metrics_free(w.metrics);
	w.metrics = metrics_new();
	put_token(in_file);
	config.server = w.url;
	new_client(&config, 0, 0);
	free(token);
}

static void test_token_is_read_again_after_401(void **state)
{
	auto_json body = json_new_object();
	struct request create = { .verb = VERB_CREATE, .res = &resource_pod, .ns = "a", .body = body };

	(void)state;
	begin_with_token_file("stale", "fresh\n");
	send_as(&create, 0);
	send_as(&get_pod, 1); /* under way with the old token when the new one is found */
	assert_non_null(api_stream(api(), &watch_pods, on_bytes, on_done, &w.outcomes[2]));
	run(3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(w.outcomes[i].reply.err.code, ERR_NONE);
	assert_string_equal(buf_str(&w.outcomes[2].data), "{\"a\":1}");
	assert_int_equal(w.server.requests.len, 6);
	for (size_t i = 0; i < 6; i++) {
		if (text_starts(w.server.requests.items[i], "POST"))
			assert_true(text_ends(w.server.requests.items[i], "\r\n\r\n{}"));
	}
	assert_true(counted("401", "POST", 1));
	send_as(&get_pod, 3);
	run(4);
	assert_int_equal(w.server.requests.len, 7);
	end();
}

static void test_401_is_final_without_another_token(void **state)
{
	(void)state;
	begin_with_token_file("stale", "stale");
	send_as(&get_pod, 0);
	run(1);
	check_error(&w.outcomes[0], ERR_UNAUTHORIZED, "get pods a/p: 401 Unauthorized: Unauthorized");
	assert_int_equal(w.server.requests.len, 1);
	put_token("stale too");
	send_as(&get_pod, 1);
	run(2);
	assert_int_equal(w.server.requests.len, 2); /* two words are no token */
	put_token("wrong");
	send_as(&get_pod, 2);
	run(3);
	check_error(&w.outcomes[2], ERR_UNAUTHORIZED, "get pods a/p: 401 Unauthorized");
	assert_int_equal(w.server.requests.len, 4);
	send_as(&get_pod, 3);
	run(4);
	assert_int_equal(w.server.requests.len, 5);
	end();
}

static void rotate_and_refuse(struct raw *c, const char *head, const char *body)
{
	auto_free char *token = xasprintf("token-%zu", w.server.requests.len);

	(void)head;
	(void)body;
	put_token(token);
	answer(c, 401, "", "");
}

static void test_401_is_repeated_once(void **state)
{
	(void)state;
	begin_with_token_file("stale", "stale");
	w.server.script = rotate_and_refuse;
	send_as(&get_pod, 0);
	run(1);
	check_error(&w.outcomes[0], ERR_UNAUTHORIZED, "get pods a/p: 401");
	assert_int_equal(w.server.requests.len, 2);
	end();
}

/* ---- the files of the client certificate ---- */

static void put_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void refuse_first(struct raw *c, const char *head, const char *body)
{
	(void)head;
	(void)body;
	answer(c, w.server.requests.len == 1 ? 401 : 200, "", "{}");
}

/* client-go reads the files again and so does the client, at once after a 401. Whether a connection shows the new
 * certificate, test_http_tls checks. */
static void client_certificates_are_read_again_after_401(void **state)
{
	static char cert_file[] = "/tmp/test_client.crt.XXXXXX", key_file[] = "/tmp/test_client.key.XXXXXX";
	struct pki old = pki_new(NULL, "old", NULL), fresh = pki_new(NULL, "fresh", NULL);
	struct config config = {
		.cert = old.cert_pem, .cert_file = cert_file, .key = old.key_pem, .key_file = key_file
	};

	(void)state;
	close(mkstemp(cert_file));
	close(mkstemp(key_file));
	for (int changed = 0; changed <= 1; changed++) {
		begin(refuse_first);
		client_close(w.client);
		metrics_free(take_ptr(w.metrics));
		config.server = w.url;
		new_client(&config, 0, 0);
		put_text(cert_file, changed ? fresh.cert_pem : old.cert_pem);
		put_text(key_file, changed ? fresh.key_pem : old.key_pem);
		send_as(&get_pod, 0);
		run(1);
		assert_int_equal(w.outcomes[0].reply.err.code, changed ? ERR_NONE : ERR_UNAUTHORIZED);
		assert_int_equal(w.server.requests.len, changed ? 2 : 1);
		end();
	}
	unlink(cert_file);
	unlink(key_file);
	pki_done(&old);
	pki_done(&fresh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_patch_keeps_its_query),
		cmocka_unit_test(test_reads_and_deletes),
		cmocka_unit_test(test_errors_of_the_server),
		cmocka_unit_test(test_success_must_be_json),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_big_replies),
		cmocka_unit_test(test_token_is_read_again_after_401),
		cmocka_unit_test(test_401_is_final_without_another_token),
		cmocka_unit_test(test_401_is_repeated_once),
		cmocka_unit_test(client_certificates_are_read_again_after_401),
	};
	int failed, fd;

	json_setup();
	fd = mkstemp(token_file);
	if (fd < 0)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(token_file);
	return failed;
}
