/*
 * The small files that belong to a configuration: read up to a limit, trimmed, checked.
 *
 * Only the form of PEM texts is checked. The TLS library checks whether key and certificate belong together. Every
 * message begins with the path.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "config_parts.h"

static const char legacy_encrypted[] = "Proc-Type: 4,ENCRYPTED"; /* RFC 1421 header */
static const char begin_mark[] = "-----BEGIN ", end_mark[] = "-----END ", dashes[] = "-----";

void config_done(struct config *c)
{
	free(c->server);
	free(c->ca);
	free(c->ca_file);
	free(c->cert);
	free(c->key);
	free(c->cert_file);
	free(c->key_file);
	free(c->token);
	free(c->token_file);
	free(c->server_name);
	free(c->proxy);
	free(c->ns);
	*c = (struct config){ 0 };
}

static int read_to_end(int fd, const char *path, struct buf *out, struct err *err)
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
	r = read_to_end(fd, path, out, err);
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

static void trim_blanks(struct buf *b)
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
	trim_blanks(&text);
	if (config_check_token(buf_str(&text), err) < 0) {
		err_wrap(err, "%s", path);
		return NULL;
	}
	return buf_take(&text);
}

/* Whether all text from `from` to `to` is base64, in one line or several. */
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

/* The kind of a block with this label; 0 if it is another one. */
static enum config_pem pem_kind_of(const char *label)
{
	if (text_eq(label, "CERTIFICATE"))
		return CONFIG_PEM_CERTIFICATE;
	return text_ends(label, "PRIVATE KEY") ? CONFIG_PEM_KEY : 0;
}

/* Checks the block that begins at p if it is of the kind. Returns the text behind it, or NULL with *err if it is
 * broken. */
static const char *check_pem_block(const char *p, enum config_pem kind, bool *ret_found, struct err *err)
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
	if (pem_kind_of(label) != kind)
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
		p = check_pem_block(p, kind, &found, err);
		if (!p)
			return err_code(err);
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
