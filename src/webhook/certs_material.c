/*
 * Keys and certificates as Secrets hold them: the operator's own Secret has the keys of kubeflow's operator and
 * further ones during a renewal of the CA, a Secret of cert-manager has those of kubernetes.io/tls.
 *
 * Happy path: a Secret's `data` → certs_material, by a table of rows; and back.
 *
 * Failure modes: none. A value that cannot be decoded is taken as absent, and whether the rest is of use is for
 * certs_state() to say. Private keys are wiped before they are freed.
 */
#include "certs_material.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

enum { BUNDLE_MAX = 256 * 1024 };

struct material_row {
	const char *key; /* of the Secret's data */
	size_t offset;
};

#define ROW(key, field)                                                                                                \
	{                                                                                                              \
		key, offsetof(struct certs_material, field)                                                            \
	}

static const struct material_row own_rows[] = {
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

static const struct material_row foreign_rows[] = {
	ROW("tls.crt", server.cert),
	ROW("tls.key", server.key),
	ROW("ca.crt", ca.cert),
	{ 0 },
};

static char **text_of(struct certs_material *m, const struct material_row *row)
{
	return (char **)(void *)((char *)m + row->offset);
}

static const char *text_in(const struct certs_material *m, const struct material_row *row)
{
	return *(const char *const *)(const void *)((const char *)m + row->offset);
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

struct certs_material *certs_material_dup(const struct certs_material *m)
{
	struct certs_material *copy = xcalloc(1, sizeof(*copy));

	for (const struct material_row *row = own_rows; row->key; row++)
		*text_of(copy, row) = xstrdup_null(text_in(m, row));
	copy->renew = xstrdup_null(m->renew);
	copy->renewed = xstrdup_null(m->renewed);
	return copy;
}

bool certs_material_eq(const struct certs_material *a, const struct certs_material *b)
{
	for (const struct material_row *row = own_rows; row->key; row++)
		if (!text_eq(text_in(a, row), text_in(b, row)))
			return false;
	return text_eq(a->renew, b->renew) && text_eq(a->renewed, b->renewed);
}

/* ---- Secrets ---- */

/* Owned; NULL if it is absent, empty, not base64 or not text. */
static char *decode_value(const struct json *value)
{
	const char *encoded = json_text(value, "");
	size_t len = 0;
	char *text = encoded[0] ? text_base64_decode(encoded, &len) : NULL;

	if (text && len > 0 && strlen(text) == len)
		return text;
	certificate_wipe(text);
	return NULL;
}

static struct certs_material *read_secret(const struct json *tree, const struct material_row *rows)
{
	struct certs_material *m = xcalloc(1, sizeof(*m));
	const struct json *data = json_get(tree, "data");
	const struct json *annotations = json_at(tree, "metadata.annotations");

	for (const struct material_row *row = rows; row->key; row++)
		*text_of(m, row) = decode_value(json_get(data, row->key));
	m->renew = xstrdup_null(json_text(json_get(annotations, CERTS_RENEW), NULL));
	m->renewed = xstrdup_null(json_text(json_get(annotations, CERTS_RENEWED), NULL));
	return m;
}

static void *own_secret_view(const struct json *tree, struct err *err)
{
	(void)err;
	return read_secret(tree, own_rows);
}

static void *foreign_secret_view(const struct json *tree, struct err *err)
{
	(void)err;
	return read_secret(tree, foreign_rows);
}

const struct kind certs_secret_kind = {
	.res = &resource_secret,
	.view_new = own_secret_view,
	.view_free = certs_material_free,
};
const struct kind certs_foreign_secret_kind = {
	.res = &resource_secret,
	.view_new = foreign_secret_view,
	.view_free = certs_material_free,
};

void certs_material_put(struct json *data, const struct certs_material *m)
{
	for (const struct material_row *row = own_rows; row->key; row++)
		certs_material_put_text(data, row->key, text_in(m, row));
}

void certs_material_put_text(struct json *data, const char *key, const char *text)
{
	char *encoded = text ? text_base64_encode(text, strlen(text)) : NULL;

	json_set(data, key, encoded ? json_new_string(encoded) : json_new_null());
	certificate_wipe(encoded);
}

/* ---- the bundle ---- */

/* One text in a caBundle that cannot be read would make the API server refuse the whole configuration. */
static void add_readable_ca(struct buf *out, const char *cert, struct certs_memo *memo)
{
	int64_t from_ms, until_ms;
	struct err ignored;

	if (!cert || certs_memo_validity(memo, cert, &from_ms, &until_ms, &ignored) < 0 || strstr(buf_str(out), cert))
		return;
	buf_puts(out, cert);
	if (!text_ends(cert, "\n"))
		buf_putc(out, '\n');
}

char *certs_material_bundle(const struct certs_material *m, struct certs_memo *memo)
{
	auto_buf out = { .max = BUNDLE_MAX };

	add_readable_ca(&out, m->old_ca, memo);
	add_readable_ca(&out, m->ca.cert, memo);
	add_readable_ca(&out, m->next_ca.cert, memo);
	return buf_take(&out);
}
