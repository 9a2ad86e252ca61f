/*
 * Where the configuration comes from: kubeconfig files (a table of broken ones with their messages) and the pod's
 * service account.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "json/json.h"
#include "config_parts.h"
#include "json_text.h"

#define PEM(label, body) "-----BEGIN " label "-----\n" body "\n-----END " label "-----\n"
#define CERT		 PEM("CERTIFICATE", "TUlJ\nQUFB")
#define KEY		 PEM("EC PRIVATE KEY", "TUlJ")

static char dir[] = "/tmp/test_config.XXXXXX";
static char *cert_data, *key_data;

/* ---- files under dir ---- */

static void put(const char *name, const char *text)
{
	auto_free char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void make_dir(const char *name)
{
	auto_free char *path = xasprintf("%s/%s", dir, name);

	assert_int_equal(mkdir(path, 0700), 0);
}

static void remove_all(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		auto_free char *child = xasprintf("%s/%s", path, e->d_name);

		if (e->d_name[0] != '.' && unlink(child) < 0)
			remove_all(child);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

/* Text with every MARK replaced; owned. */
static char *replace(const char *text, const char *mark, const char *with)
{
	auto_buf out;
	const char *hit;

	buf_init(&out, 4 * CONFIG_FILE_MAX);
	while ((hit = strstr(text, mark))) {
		buf_add(&out, text, (size_t)(hit - text));
		buf_puts(&out, with);
		text = hit + strlen(mark);
	}
	buf_puts(&out, text);
	return buf_take(&out);
}

static int load_names(const char *const *names, const char *context, struct config *ret, struct err *err)
{
	auto_strv files = { 0 };

	for (; *names; names++)
		strv_addf(&files, "%s/%s", dir, *names);
	return kubeconfig_load(&files, context, ret, err);
}

static int load_one(const char *text, const char *context, struct config *ret, struct err *err)
{
	static const char *const names[] = { "config", NULL };
	auto_free char *with_cert = replace(text, "CERT64", cert_data);
	auto_free char *whole = replace(with_cert, "KEY64", key_data);

	put("config", whole);
	return load_names(names, context, ret, err);
}

/* The message of a failure, dir taken out. Owned. */
static char *message(int r, const struct err *err)
{
	auto_free char *prefix = xasprintf("%s/", dir);

	assert_int_equal(r, -ERR_INVALID);
	assert_int_equal(err->code, ERR_INVALID);
	return replace(err->msg, prefix, "");
}

/* ---- kubeconfig ---- */

#define CONTEXT                                                                                                        \
	"apiVersion: v1\nkind: Config\ncurrent-context: c\n"                                                           \
	"contexts: [{name: c, context: {cluster: k, user: u, namespace: spark}}]\n"
#define CLUSTER		     "clusters: [{name: k, cluster: {server: 'https://api:6443'}}]\n"
#define CLUSTER_WITH(fields) "clusters: [{name: k, cluster: {server: 'https://api:6443', " fields "}}]\n"
#define USER		     "users: [{name: u, user: {token: t0k}}]\n"
#define USER_WITH(fields)    "users: [{name: u, user: {" fields "}}]\n"

static void test_everything_inline(void **state)
{
	struct config c;
	struct err err;

	(void)state;
	assert_int_equal(
	    load_one(CONTEXT CLUSTER_WITH("certificate-authority-data: CERT64, certificate-authority: missing, "
					  "tls-server-name: kubernetes, proxy-url: 'socks5://p:1080'")
			 USER_WITH("client-certificate-data: CERT64, client-key-data: KEY64, token: t0k"),
		     NULL, &c, &err),
	    0);
	assert_string_equal(c.server, "https://api:6443");
	assert_string_equal(c.ca, CERT);
	assert_null(c.ca_file);
	assert_string_equal(c.cert, CERT);
	assert_string_equal(c.key, KEY);
	assert_string_equal(c.token, "t0k");
	assert_null(c.token_file);
	assert_string_equal(c.server_name, "kubernetes");
	assert_string_equal(c.proxy, "socks5://p:1080");
	assert_string_equal(c.ns, "spark");
	assert_false(c.insecure);
	config_done(&c);
	assert_null(c.server);
	config_done(&c);
}

static void test_files_are_relative_to_their_kubeconfig(void **state)
{
	static const char *const names[] = { "deep/config", NULL };
	auto_free char *token_file = xasprintf("%s/deep/secrets/token", dir);
	auto_free char *ca_file = xasprintf("%s/deep/../ca.crt", dir);
	auto_free char *cert_file = xasprintf("%s/deep/u.crt", dir), *key_file = xasprintf("%s/deep/u.key", dir);
	struct config c;
	struct err err;

	(void)state;
	make_dir("deep");
	make_dir("deep/secrets");
	put("ca.crt", "some words of explanation\n" PEM("X", "QQ==") CERT CERT);
	put("deep/u.crt", CERT);
	put("deep/u.key", PEM("EC PARAMETERS", "QQ==") KEY);
	put("deep/secrets/token", "from-file\n");
	put("deep/config",
	    CONTEXT CLUSTER_WITH("certificate-authority: ../ca.crt")
		USER_WITH("client-certificate: u.crt, client-key: u.key, tokenFile: secrets/token, token: inline"));
	assert_int_equal(load_names(names, NULL, &c, &err), 0);
	assert_string_equal(c.ca_file, ca_file);
	assert_true(text_ends(c.ca, CERT CERT));
	assert_string_equal(c.cert, CERT);
	assert_true(text_ends(c.key, KEY));
	assert_string_equal(c.cert_file, cert_file);
	assert_string_equal(c.key_file, key_file);
	assert_string_equal(c.token, "from-file");
	assert_string_equal(c.token_file, token_file);
	config_done(&c);
}

static void test_details(void **state)
{
	struct config c;
	struct err err;

	(void)state;
	assert_int_equal(
	    load_one(
		JSON({
			"current-context" : "c",
			"contexts" : [ { "name" : "c", "context" : { "cluster" : "k", "user" : "u" } } ],
			"clusters" : [ {
				"name" : "k",
				"cluster" : { "server" : "https://h/k8s/c1//", "insecure-skip-tls-verify" : true }
			} ],
			"users" : [ { "name" : "u", "user" : { "exec" : null, "username" : "", "as-groups" : [] } } ]
		}),
		NULL, &c, &err),
	    0);
	assert_string_equal(c.server, "https://h/k8s/c1");
	assert_string_equal(c.ns, "default");
	assert_true(c.insecure);
	assert_null(c.token);
	config_done(&c);
	/* base64 folded over lines, as some tools write it */
	assert_int_equal(
	    load_one("current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
		     "clusters:\n- name: k\n  cluster:\n    server: https://h\n"
		     "    certificate-authority-data: |\n      LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tClFRPT0KLS0t\n"
		     "      LS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=\n" USER,
		     NULL, &c, &err),
	    0);
	assert_string_equal(c.ca, PEM("CERTIFICATE", "QQ=="));
	config_done(&c);
}

/* As `kubectl proxy` is used: no TLS, no credentials. */
static void test_credentials_never_go_over_http(void **state)
{
	struct config c;
	struct err err;

	(void)state;
	assert_int_equal(load_one(CONTEXT
				  "clusters: [{name: k, cluster: {server: 'http://127.0.0.1:8001/'}}]\n" USER_WITH(
				      "token: t0k, tokenFile: missing"),
				  NULL, &c, &err),
			 0);
	assert_string_equal(c.server, "http://127.0.0.1:8001");
	assert_null(c.token);
	assert_null(c.token_file);
	config_done(&c);
}

static void test_first_file_wins_per_name(void **state)
{
	static const char *const names[] = { "missing", "empty", "a", "b", NULL };
	struct config c;
	struct err err;

	(void)state;
	put("empty", "");
	put("a", "contexts: [{name: c, context: {cluster: k, user: u}}]\n" USER);
	put("b", "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: v, namespace: 'no'}},"
		 "{name: d, context: {cluster: k, user: v}}]\n" CLUSTER
		 "users: [{name: u, user: {token: 'no', as: 'no'}}, {name: v, user: {token: of-v}}]\n");
	assert_int_equal(load_names(names, NULL, &c, &err), 0);
	assert_string_equal(c.token, "t0k");
	assert_string_equal(c.ns, "default");
	config_done(&c);
	assert_int_equal(load_names(names, "d", &c, &err), 0);
	assert_string_equal(c.token, "of-v");
	config_done(&c);
}

static const struct {
	const char *text;
	const char *context;
	const char *message; /* its beginning */
} bad[] = {
	{ "a: [", NULL, "config: " },
	{ "- a", NULL, "config: not a kubeconfig: expected kind: Config" },
	{ "just words", NULL, "config: not a kubeconfig: expected kind: Config" },
	{ "a: 1\n---\nb: 1\n", NULL, "config: expected one YAML document, found 2" },
	{ "kind: Pod", NULL, "config: not a kubeconfig: kind is Pod, expected Config" },
	{ "", NULL, "config: current-context is not set; there are no contexts" },
	{ "contexts: {}", NULL, "config: contexts: expected a list" },
	{ "users: [{user: {}}]", NULL, "config: users: expected a name in every entry" },
	{ "users: [{name: u}]", NULL, "config: users \"u\": expected a member \"user\" with fields" },
	{ "users: [{name: u, user: {}}, {name: u, user: {}}]", NULL, "config: users: duplicate name \"u\"" },
	{ "contexts: [{name: a, context: {}}, {name: b, context: {}}]", NULL,
	  "config: current-context is not set; the contexts are: a, b" },
	{ CONTEXT CLUSTER USER, "nope", "config: context \"nope\" not found; the contexts are: c" },
	{ "contexts: [{name: a, context: {user: u}}]\n" USER, "a", "config: context \"a\": cluster is not set" },
	{ "contexts: [{name: a, context: {cluster: k}}]\n" CLUSTER, "a", "config: context \"a\": user is not set" },
	{ "contexts: [{name: a, context: {cluster: 5}}]\n", "a",
	  "config: context \"a\": cluster: Invalid value: 5: expected a string" },
	{ CONTEXT USER, NULL, "config: context \"c\": cluster: \"k\" not found in clusters" },
	{ CONTEXT CLUSTER, NULL, "config: context \"c\": user: \"u\" not found in users" },
	/* cluster */
	{ CONTEXT "clusters: [{name: k, cluster: {}}]\n" USER, NULL,
	  "config: cluster \"k\": server: Invalid value: \"\": expected https://HOST:PORT" },
	{ CONTEXT "clusters: [{name: k, cluster: {server: 'api:6443'}}]\n" USER, NULL,
	  "config: cluster \"k\": server: Invalid value: \"api:6443\": expected https://HOST:PORT" },
	{ CONTEXT "clusters: [{name: k, cluster: {server: 'https://'}}]\n" USER, NULL,
	  "config: cluster \"k\": server: Invalid value: \"https://\"" },
	{ CONTEXT "clusters: [{name: k, cluster: {server: 'https:///x'}}]\n" USER, NULL,
	  "config: cluster \"k\": server: " },
	{ CONTEXT "clusters: [{name: k, cluster: {server: 'https://a b'}}]\n" USER, NULL,
	  "config: cluster \"k\": server: " },
	{ CONTEXT "clusters: [{name: k, cluster: {server: 'https://u:p@a'}}]\n" USER, NULL,
	  "config: cluster \"k\": server: Invalid value: \"https://…@a\": expected https://HOST:PORT" },
	{ CONTEXT CLUSTER_WITH("certificate-authority: ca.crt, insecure-skip-tls-verify: 'yes'") USER, NULL,
	  "config: cluster \"k\": insecure-skip-tls-verify: Invalid value" },
	{ CONTEXT CLUSTER_WITH("certificate-authority: gone.crt") USER, NULL,
	  "config: cluster \"k\": certificate-authority: gone.crt: No such file or directory" },
	{ CONTEXT CLUSTER_WITH("certificate-authority: not-pem") USER, NULL,
	  "config: cluster \"k\": certificate-authority: not-pem: not PEM: there is no certificate" },
	{ CONTEXT CLUSTER_WITH("certificate-authority-data: '%%%'") USER, NULL,
	  "config: cluster \"k\": certificate-authority-data: not base64" },
	{ CONTEXT CLUSTER_WITH("certificate-authority-data: KEY64") USER, NULL,
	  "config: cluster \"k\": certificate-authority-data: not PEM: there is no certificate" },
	{ CONTEXT CLUSTER_WITH("certificate-authority-data: AAAA") USER, NULL,
	  "config: cluster \"k\": certificate-authority-data: not PEM: it has zero bytes" },
	{ CONTEXT CLUSTER_WITH("certificate-authority: cut.crt") USER, NULL,
	  "config: cluster \"k\": certificate-authority: cut.crt: not PEM: no line \"-----END CERTIFICATE-----\"" },
	{ CONTEXT CLUSTER_WITH("certificate-authority: shorter.crt") USER, NULL,
	  "config: cluster \"k\": certificate-authority: shorter.crt: not PEM: a BEGIN line is cut off" },
	{ CONTEXT CLUSTER_WITH("certificate-authority: junk.crt") USER, NULL,
	  "config: cluster \"k\": certificate-authority: junk.crt: not PEM: the block CERTIFICATE is not base64" },
	{ CONTEXT CLUSTER_WITH("certificate-authority-data: CERT64, insecure-skip-tls-verify: true") USER, NULL,
	  "config: cluster \"k\": insecure-skip-tls-verify: cannot be used together with a certificate-authority" },
	{ CONTEXT CLUSTER_WITH("proxy-url: 'p:3128'") USER, NULL,
	  "config: cluster \"k\": proxy-url: Invalid value: \"p:3128\": expected http://, https:// or socks5://" },
	/* user */
	{ CONTEXT CLUSTER USER_WITH("exec: {apiVersion: client.authentication.k8s.io/v1, command: aws-iam, args: [x]}"),
	  NULL,
	  "config: user \"u\": exec: credential plugins are not run, so \"aws-iam\" is not; use a token or tokenFile "
	  "(\"kubectl create token SERVICEACCOUNT\" makes one) or a client certificate instead" },
	{ CONTEXT CLUSTER USER_WITH("auth-provider: {name: gcp}"), NULL,
	  "config: user \"u\": auth-provider: authentication providers ended with Kubernetes 1.26; use a token" },
	{ CONTEXT CLUSTER USER_WITH("username: root"), NULL,
	  "config: user \"u\": username: basic authentication ended" },
	{ CONTEXT CLUSTER USER_WITH("password: x"), NULL, "config: user \"u\": password: basic authentication ended" },
	{ CONTEXT CLUSTER USER_WITH("as: admin"), NULL, "config: user \"u\": as: impersonation is not supported" },
	{ CONTEXT CLUSTER USER_WITH("as-groups: [a]"), NULL, "config: user \"u\": as-groups: impersonation" },
	{ CONTEXT CLUSTER USER_WITH("as-user-extra: {a: [b]}"), NULL,
	  "config: user \"u\": as-user-extra: impersonation" },
	{ CONTEXT CLUSTER USER_WITH("as-uid: 5"), NULL, "config: user \"u\": as-uid: impersonation" },
	{ CONTEXT CLUSTER USER_WITH("token: 5"), NULL,
	  "config: user \"u\": token: Invalid value: 5: expected a string" },
	{ CONTEXT CLUSTER USER_WITH("token: \"a\\nHost: b\""), NULL,
	  "config: user \"u\": token: not a token: expected one word" },
	{ CONTEXT CLUSTER USER_WITH("tokenFile: gone"), NULL,
	  "config: user \"u\": tokenFile: gone: No such file or directory" },
	{ CONTEXT CLUSTER USER_WITH("tokenFile: blank"), NULL,
	  "config: user \"u\": tokenFile: blank: the token is empty" },
	{ CONTEXT CLUSTER USER_WITH("tokenFile: ."), NULL, "config: user \"u\": tokenFile: .: Is a directory" },
	{ CONTEXT CLUSTER USER_WITH("client-certificate-data: CERT64"), NULL,
	  "config: user \"u\": client-key: not set, but client-certificate is: expected both or none" },
	{ CONTEXT CLUSTER USER_WITH("client-key-data: KEY64"), NULL,
	  "config: user \"u\": client-certificate: not set, but client-key is" },
	{ CONTEXT CLUSTER USER_WITH("client-certificate-data: CERT64, client-key-data: CERT64"), NULL,
	  "config: user \"u\": client-key-data: not PEM: there is no private key" },
	{ CONTEXT CLUSTER USER_WITH("client-certificate-data: CERT64, client-key: locked.key"), NULL,
	  "config: user \"u\": client-key: locked.key: the private key is encrypted" },
	{ CONTEXT CLUSTER USER_WITH("client-certificate-data: CERT64, client-key: locked-too.key"), NULL,
	  "config: user \"u\": client-key: locked-too.key: the private key is encrypted" },
	{ CONTEXT CLUSTER USER_WITH("client-certificate-data: CERT64, client-key: gone.key"), NULL,
	  "config: user \"u\": client-key: gone.key: No such file or directory" },
};

static void test_what_is_refused(void **state)
{
	(void)state;
	put("not-pem", "hello");
	put("blank", " \n");
	put("cut.crt", "-----BEGIN CERTIFICATE-----\nTUlJ\n");
	put("shorter.crt", "-----BEGIN CERTIFI");
	put("junk.crt", PEM("CERTIFICATE", "<html>"));
	put("locked.key", PEM("ENCRYPTED PRIVATE KEY", "TUlJ"));
	put("locked-too.key", PEM("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nTUlJ"));
	for (size_t i = 0; i < array_len(bad); i++) {
		struct config c = { .server = (char *)1 };
		struct err err = { 0 };
		auto_free char *text = message(load_one(bad[i].text, bad[i].context, &c, &err), &err);

		if (!text_starts(text, bad[i].message))
			fail_msg("row %zu: %s", i, text);
		assert_ptr_equal(c.server, (char *)1);
	}
}

static void test_too_large(void **state)
{
	auto_free char *text = xmalloc(CONFIG_FILE_MAX + 2);
	auto_free char *msg = NULL;
	struct config c;
	struct err err;

	(void)state;
	memset(text, '#', CONFIG_FILE_MAX + 1);
	text[CONFIG_FILE_MAX + 1] = '\0';
	msg = message(load_one(text, NULL, &c, &err), &err);
	assert_string_equal(msg, "config: larger than 1048576 bytes");
}

/* ---- in the cluster ---- */

static void set_env(const char *host, const char *port)
{
	unsetenv("KUBERNETES_SERVICE_HOST");
	unsetenv("KUBERNETES_SERVICE_PORT");
	if (host)
		setenv("KUBERNETES_SERVICE_HOST", host, 1);
	if (port)
		setenv("KUBERNETES_SERVICE_PORT", port, 1);
}

static void test_in_cluster(void **state)
{
	struct config c;
	struct err err;

	(void)state;
	setenv("HTTPS_PROXY", "http://proxy:3128",
	       1); /* for the images of a company, not for the cluster's own address */
	put("token", "sa-token\n");
	put("ca.crt", CERT);
	put("namespace", "spark-operator");
	set_env("10.96.0.1", "443");
	assert_int_equal(config_in_cluster(dir, &c, &err), 0);
	assert_string_equal(c.server, "https://10.96.0.1:443");
	assert_string_equal(c.token, "sa-token");
	assert_true(text_starts(c.token_file, dir) && text_ends(c.token_file, "/token"));
	assert_string_equal(c.ca, CERT);
	assert_true(text_starts(c.ca_file, dir) && text_ends(c.ca_file, "/ca.crt"));
	assert_string_equal(c.ns, "spark-operator");
	assert_null(c.proxy);
	assert_null(config_proxy_host(&c));
	config_done(&c);
	unsetenv("HTTPS_PROXY");
	put("namespace", "Not A Namespace");
	set_env("fd00::1", "6443");
	assert_int_equal(config_in_cluster(dir, &c, &err), 0);
	assert_string_equal(c.server, "https://[fd00::1]:6443");
	assert_string_equal(c.ns, "default");
	config_done(&c);
	set_env(NULL, NULL);
}

static void test_in_cluster_refused(void **state)
{
	static const char *const ports[] = { NULL, "", "x", "0", "65536" };
	auto_free char *no_ca = NULL, *no_token = NULL;
	struct config c;
	struct err err;

	(void)state;
	make_dir("sa");
	set_env(NULL, "443");
	assert_int_equal(config_in_cluster(dir, &c, &err), -ERR_INVALID);
	for (size_t i = 0; i < array_len(ports); i++) {
		set_env("10.96.0.1", ports[i]);
		assert_int_equal(config_in_cluster(dir, &c, &err), -ERR_INVALID);
		assert_true(text_starts(err.msg, "KUBERNETES_SERVICE_PORT is \""));
	}
	set_env("10.96.0.1", "443");
	{
		auto_free char *sa = xasprintf("%s/sa", dir);

		no_token = message(config_in_cluster(sa, &c, &err), &err);
		put("sa/token", "t");
		no_ca = message(config_in_cluster(sa, &c, &err), &err);
	}
	assert_string_equal(no_token, "the pod's service account: sa/token: No such file or directory");
	assert_string_equal(no_ca, "the pod's service account: sa/ca.crt: No such file or directory");
	set_env(NULL, NULL);
}

/* ---- which source ---- */

static void test_order_of_sources(void **state)
{
	auto_free char *flag = xasprintf("%s/flag", dir), *list = xasprintf("%s/missing:%s/env", dir, dir);
	auto_free char *home = xasprintf("%s/home", dir), *none = NULL, *missing = NULL;
	struct config c;
	struct err err;

	(void)state;
	put("flag", CONTEXT CLUSTER USER_WITH("token: of-flag"));
	put("env", CONTEXT CLUSTER USER_WITH("token: of-env"));
	make_dir("home");
	make_dir("home/.kube");
	setenv("HOME", home, 1);
	setenv("KUBECONFIG", list, 1);
	set_env("10.96.0.1", "443");
	assert_int_equal(config_load(flag, NULL, &c, &err), 0);
	assert_string_equal(c.token, "of-flag");
	config_done(&c);
	assert_int_equal(config_load(NULL, NULL, &c, &err), 0);
	assert_string_equal(c.token, "of-env");
	config_done(&c);
	setenv("KUBECONFIG", "", 1);
	assert_int_equal(config_load(NULL, NULL, &c, &err), -ERR_INVALID);
	assert_true(
	    text_starts(err.msg, "the pod's service account: /var/run/secrets/kubernetes.io/serviceaccount/token"));
	set_env(NULL, NULL);
	none = message(config_load(NULL, NULL, &c, &err), &err);
	assert_string_equal(none,
			    "no API server configured: give --kubeconfig, set KUBECONFIG, run in a pod, or provide "
			    "home/.kube/config");
	put("home/.kube/config", CONTEXT CLUSTER USER_WITH("token: of-home"));
	assert_int_equal(config_load(NULL, "c", &c, &err), 0);
	assert_string_equal(c.token, "of-home");
	config_done(&c);
	unlink(flag);
	missing = message(config_load(flag, NULL, &c, &err), &err);
	assert_string_equal(missing, "kubeconfig: no such file: flag");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_inline),
		cmocka_unit_test(test_files_are_relative_to_their_kubeconfig),
		cmocka_unit_test(test_details),
		cmocka_unit_test(test_credentials_never_go_over_http),
		cmocka_unit_test(test_first_file_wins_per_name),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_in_cluster),
		cmocka_unit_test(test_in_cluster_refused),
		cmocka_unit_test(test_order_of_sources),
	};
	int failed;

	json_setup();
	if (!mkdtemp(dir))
		return 1;
	cert_data = text_base64_encode(CERT, strlen(CERT));
	key_data = text_base64_encode(KEY, strlen(KEY));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	remove_all(dir);
	free(cert_data);
	free(key_data);
	return failed;
}
