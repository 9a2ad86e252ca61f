/*
 * Chooses where the configuration comes from (client-go tools/clientcmd ClientConfigLoadingRules,
 * rest.InClusterConfig), and reads the small files that it is made of. Everything is read once, at the start: a
 * configuration that cannot work is refused there, with the file and the field, and not with a TLS error minutes
 * later. PEM texts are checked for shape only; whether key and certificate fit together is for the TLS library to
 * say.
 *
 * In-cluster, a missing ca.crt is refused, where client-go logs and goes on with the system's authorities: no public
 * authority signs for a cluster.
 */
#include "runtime/config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "runtime/config_parts.h"

static const char service_account_dir[] = "/var/run/secrets/kubernetes.io/serviceaccount";
static const char legacy_encrypted[] = "Proc-Type: 4,ENCRYPTED"; /* RFC 1421 header */
static const char begin_mark[] = "-----BEGIN ", end_mark[] = "-----END ", dashes[] = "-----";

void config_done(struct config *c)
{
	free(c->server);
	free(c->ca);
	free(c->ca_file);
	free(c->cert);
	free(c->key);
	free(c->token);
	free(c->token_file);
	free(c->server_name);
	free(c->proxy);
	free(c->ns);
	*c = (struct config){ 0 };
}

static int read_all(int fd, const char *path, struct buf *out, struct err *err)
{
	char block[4096];

	for (;;) {
		ssize_t n = read(fd, block, sizeof(block));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ERR_INVALID, "%s: %s", path, strerror(errno));
		if (n == 0)
			return 0;
		if (out->len + (size_t)n > CONFIG_FILE_MAX || !buf_add(out, block, (size_t)n))
			return err_set(err, ERR_INVALID, "%s: larger than %d bytes", path, CONFIG_FILE_MAX);
	}
}

int config_read(const char *path, struct buf *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_INVALID, "%s: %s", path, strerror(errno));
	r = read_all(fd, path, out, err);
	close(fd);
	return r;
}

int config_check_token(const char *token, struct err *err)
{
	if (!*token)
		return err_set(err, ERR_INVALID, "the token is empty");
	for (const char *p = token; *p; p++) {
		if (*p <= ' ' || *p > '~')
			return err_set(err, ERR_INVALID, "not a token: expected one word of printable ASCII");
	}
	return 0;
}

static void trim(struct buf *b)
{
	while (b->len > 0 && strchr(" \t\r\n", b->data[b->len - 1]))
		b->data[--b->len] = '\0';
	buf_drop(b, strspn(buf_str(b), " \t\r\n"));
}

char *config_read_token(const char *path, struct err *err)
{
	auto_buf text;

	buf_init(&text, CONFIG_FILE_MAX);
	if (config_read(path, &text, err) < 0) {
		err->code = ERR_INVALID;
		return NULL;
	}
	trim(&text);
	if (config_check_token(buf_str(&text), err) < 0) {
		err_wrap(err, "%s", path);
		return NULL;
	}
	return buf_take(&text);
}

/* Whether the text between the marks is base64 over several lines, and nothing else. */
static bool is_base64_lines(const char *from, const char *to)
{
	auto_buf joined;
	auto_free char *decoded = NULL;
	size_t len;

	buf_init(&joined, CONFIG_FILE_MAX);
	for (const char *p = from; p < to; p++) {
		if (!strchr(" \t\r\n", *p))
			buf_putc(&joined, *p);
	}
	decoded = text_base64_decode(buf_str(&joined), &len);
	return decoded && len > 0;
}

/* kind: of the block with this label, 0 if it is none of ours. */
static enum config_pem kind_of(const char *label)
{
	if (text_eq(label, "CERTIFICATE"))
		return CONFIG_PEM_CERTIFICATE;
	return text_ends(label, "PRIVATE KEY") ? CONFIG_PEM_KEY : 0;
}

/* Checks the block that begins at p if it is of the kind. What follows it; NULL with *err set if it is broken. */
static const char *check_block(const char *p, enum config_pem kind, bool *ret_found, struct err *err)
{
	const char *label_end, *body, *end;
	auto_free char *label = NULL, *closing = NULL;

	body = p + strlen(begin_mark);
	label_end = strstr(body, dashes);
	if (!label_end) {
		err_set(err, ERR_INVALID, "not PEM: a BEGIN line is cut off");
		return NULL;
	}
	label = xstrndup(body, (size_t)(label_end - body));
	closing = xasprintf("%s%s%s", end_mark, label, dashes);
	body = label_end + strlen(dashes);
	end = strstr(body, closing);
	if (!end) {
		err_set(err, ERR_INVALID, "not PEM: no line \"%s\"", closing);
		return NULL;
	}
	if (kind_of(label) != kind)
		return end + strlen(closing);
	if (text_starts(label, "ENCRYPTED") ||
	    memmem(body, (size_t)(end - body), legacy_encrypted, strlen(legacy_encrypted))) {
		err_set(err, ERR_INVALID, "the private key is encrypted: expected one without a passphrase");
		return NULL;
	}
	if (!is_base64_lines(body, end)) {
		err_set(err, ERR_INVALID, "not PEM: the block %s is not base64", label);
		return NULL;
	}
	*ret_found = true;
	return end + strlen(closing);
}

int config_check_pem(const char *text, size_t len, enum config_pem kind, struct err *err)
{
	bool found = false;
	const char *p = text;

	if (strlen(text) != len)
		return err_set(err, ERR_INVALID, "not PEM: it has zero bytes");
	while ((p = strstr(p, begin_mark))) {
		p = check_block(p, kind, &found, err);
		if (!p)
			return -(int)err->code;
	}
	if (!found)
		return err_set(err, ERR_INVALID, "not PEM: there is no %s",
			       kind == CONFIG_PEM_KEY ? "private key" : "certificate");
	return 0;
}

char *config_read_pem(const char *path, enum config_pem kind, struct err *err)
{
	auto_buf text;

	buf_init(&text, CONFIG_FILE_MAX);
	if (config_read(path, &text, err) < 0) {
		err->code = ERR_INVALID;
		return NULL;
	}
	if (config_check_pem(buf_str(&text), text.len, kind, err) < 0) {
		err_wrap(err, "%s", path);
		return NULL;
	}
	return buf_take(&text);
}

static char *read_namespace(const char *dir)
{
	auto_free char *path = xasprintf("%s/namespace", dir);
	auto_buf text;
	struct err ignored;

	buf_init(&text, CONFIG_FILE_MAX);
	if (config_read(path, &text, &ignored) < 0)
		return xstrdup("default");
	trim(&text);
	return text_is_dns_label(buf_str(&text)) ? buf_take(&text) : xstrdup("default");
}

int config_in_cluster(const char *dir, struct config *ret, struct err *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
	struct config c = { 0 };
	int64_t number;

	if (!host || !*host)
		return err_set(err, ERR_INVALID, "KUBERNETES_SERVICE_HOST is not set: this is not a pod");
	if (!port || !text_i64(port, &number) || number < 1 || number > 65535)
		return err_set(err, ERR_INVALID, "KUBERNETES_SERVICE_PORT is \"%s\": expected a port number",
			       port ? port : "");
	c.token_file = xasprintf("%s/token", dir);
	c.token = config_read_token(c.token_file, err);
	c.ca_file = xasprintf("%s/ca.crt", dir);
	if (c.token)
		c.ca = config_read_pem(c.ca_file, CONFIG_PEM_CERTIFICATE, err);
	if (!c.token || !c.ca) {
		config_done(&c);
		return err_wrap(err, "the pod's service account");
	}
	c.server = xasprintf(strchr(host, ':') ? "https://[%s]:%" PRId64 : "https://%s:%" PRId64, host, number);
	c.ns = read_namespace(dir);
	*ret = c;
	return 0;
}

/* A context can only be meant for a kubeconfig, so one that is given rules the pod's own account out. */
int config_load(const char *path, const char *context, struct config *ret, struct err *err)
{
	const char *list = getenv("KUBECONFIG"), *home = getenv("HOME");
	auto_strv files = { 0 };

	if (path) {
		strv_add(&files, path);
		return kubeconfig_load(&files, context, ret, err);
	}
	if (!text_empty(list)) {
		strv_split(&files, list, ':');
		return kubeconfig_load(&files, context, ret, err);
	}
	if (!context && !text_empty(getenv("KUBERNETES_SERVICE_HOST")))
		return config_in_cluster(service_account_dir, ret, err);
	strv_addf(&files, "%s/.kube/config", home ? home : "");
	if (access(files.items[0], F_OK) < 0)
		return err_set(
		    err, ERR_INVALID,
		    "no API server configured: give --kubeconfig, set KUBECONFIG, run in a pod, or provide %s",
		    files.items[0]);
	return kubeconfig_load(&files, context, ret, err);
}
