/*
 * Keys and certificates as they are found: in the operator's own Secret (keys as the existing operator names them, further ones during a
 * renewal), in a Secret of cert-manager, in a mounted directory. Decoding never fails: what cannot be decoded is absent, and whether
 * the rest is of use is decided elsewhere. Private keys are wiped before they are freed.
 *
 * Failure modes: files of which one is missing or unreadable, or that are not of each other, as while they are being replaced (ERR_INVALID).
 */
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/text.h"
#include "runtime/config.h"
#include "certs_parts.h"

enum { BUNDLE_MAX = 256 * 1024 };

struct row {
	const char *key;
	size_t offset;
};

#define ROW(key, field)                                                                                                \
	{                                                                                                              \
		key, offsetof(struct certs_material, field)                                                            \
	}

static const struct row own_rows[] = {
	ROW("ca-cert.pem", ca.cert),
	ROW("ca-key.pem", ca.key),
	ROW("server-cert.pem", server.cert),
	ROW("server-key.pem", server.key),
	ROW("next-ca-cert.pem", next_ca.cert),
	ROW("next-ca-key.pem", next_ca.key),
	ROW("next-server-cert.pem", next_server.cert),
	ROW("next-server-key.pem", next_server.key),
	ROW("old-ca-cert.pem", old_ca),
	{ 0 },
};

static const struct row foreign_rows[] = {
	ROW("tls.crt", server.cert),
	ROW("tls.key", server.key),
	ROW("ca.crt", ca.cert),
	{ 0 },
};

static char **field(struct certs_material *m, const struct row *row)
{
	return (char **)(void *)((char *)m + row->offset);
}

void certs_material_free(void *material)
{
	struct certs_material *m = material;

	if (!m)
		return;
	certificate_pair_done(&m->ca);
	certificate_pair_done(&m->server);
	certificate_pair_done(&m->next_ca);
	certificate_pair_done(&m->next_server);
	free(m->old_ca);
	free(m->renew);
	free(m->renewed);
	free(m);
}

/* ---- Secrets ---- */

/* Owned; NULL if it is absent, empty, not base64 or not text. */
static char *decode(const struct json *value)
{
	const char *encoded = json_text(value, "");
	size_t len = 0;
	char *text = encoded[0] ? text_base64_decode(encoded, &len) : NULL;

	if (text && len > 0 && strlen(text) == len)
		return text;
	certificate_wipe(text);
	return NULL;
}

static struct certs_material *from_secret(const struct json *tree, const struct row *rows)
{
	struct certs_material *m = xcalloc(1, sizeof(*m));
	const struct json *data = json_get(tree, "data");
	const struct json *annotations = json_at(tree, "metadata.annotations");

	for (; rows->key; rows++)
		*field(m, rows) = decode(json_get(data, rows->key));
	m->renew = xstrdup_null(json_text(json_get(annotations, CERTS_RENEW), NULL));
	m->renewed = xstrdup_null(json_text(json_get(annotations, CERTS_RENEWED), NULL));
	return m;
}

static void *own_view(const struct json *tree, struct err *err)
{
	(void)err;
	return from_secret(tree, own_rows);
}

static void *foreign_view(const struct json *tree, struct err *err)
{
	(void)err;
	return from_secret(tree, foreign_rows);
}

const struct kind certs_secret_kind = {
	.res = &resource_secret,
	.view_new = own_view,
	.view_free = certs_material_free,
};
const struct kind certs_foreign_secret_kind = {
	.res = &resource_secret,
	.view_new = foreign_view,
	.view_free = certs_material_free,
};
const struct kind certs_mutating_kind = { .res = &resource_mutatingwebhook, .keep_tree = true };
const struct kind certs_validating_kind = { .res = &resource_validatingwebhook, .keep_tree = true };

void certs_put_material(struct json *data, const struct certs_material *m)
{
	for (const struct row *row = own_rows; row->key; row++)
		certs_put(data, row->key, *field((struct certs_material *)m, row));
}

void certs_put(struct json *data, const char *key, const char *text)
{
	char *encoded = text ? text_base64_encode(text, strlen(text)) : NULL;

	json_set(data, key, encoded ? json_new_string(encoded) : json_new_null());
	certificate_wipe(encoded);
}

/* ---- files ---- */

struct certs_material *certs_read_files(const char *directory, const char *cert_name, const char *key_name,
					struct err *err)
{
	auto_free char *cert = xasprintf("%s/%s", directory, cert_name);
	auto_free char *key = xasprintf("%s/%s", directory, key_name);
	auto_free char *ca = xasprintf("%s/ca.crt", directory);
	struct certs_material *m = xcalloc(1, sizeof(*m));
	struct err no_ca;

	m->server.cert = config_read_pem(cert, CONFIG_PEM_CERTIFICATE, err);
	if (m->server.cert)
		m->server.key = config_read_pem(key, CONFIG_PEM_KEY, err);
	if (m->server.key && certificate_check_pair(&m->server, err) == 0) {
		m->ca.cert = config_read_pem(ca, CONFIG_PEM_CERTIFICATE, &no_ca);
		return m;
	}
	err_wrap(err, "%s", directory);
	certs_material_free(m);
	return NULL;
}

static uint64_t stamp(uint64_t seed, const char *directory, const char *name)
{
	auto_free char *path = xasprintf("%s/%s", directory, name);
	auto_free char *text = NULL;
	struct stat st;

	if (stat(path, &st) < 0)
		return text_hash(seed, "absent");
	text = xasprintf("%llu %llu %lld %lld.%09ld", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
			 (long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	return text_hash(seed, text);
}

uint64_t certs_files_stamp(const char *directory, const char *cert_name, const char *key_name)
{
	return stamp(stamp(stamp(0, directory, cert_name), directory, key_name), directory, "ca.crt");
}

/* ---- the bundle ---- */

/* A text that cannot be read would make the API server refuse the whole configuration. */
static void add_ca(struct buf *out, const char *cert, struct certs_memo *memo)
{
	int64_t from_ms, until_ms;
	struct err err;

	if (!cert || certs_memo_validity(memo, cert, &from_ms, &until_ms, &err) < 0 || strstr(buf_str(out), cert))
		return;
	buf_puts(out, cert);
	if (!text_ends(cert, "\n"))
		buf_putc(out, '\n');
}

char *certs_bundle(const struct certs_material *m, struct certs_memo *memo)
{
	auto_buf out = { .max = BUNDLE_MAX };

	add_ca(&out, m->old_ca, memo);
	add_ca(&out, m->ca.cert, memo);
	add_ca(&out, m->next_ca.cert, memo);
	return buf_take(&out);
}
