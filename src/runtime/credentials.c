/*
 * Reads the token file and the CA file again when they are old, and the token file also after a 401. Happy path: the
 * content is the same, and nothing happens. If a file is missing, empty or unusable, the old content stays, and the
 * file is read again at the next time. The kubelet replaces these files with a rename, but a mount can be away for a
 * while.
 */
#include "credentials.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "config_parts.h"

void credentials_init(struct credentials *c, const struct config *config, int64_t now_ms)
{
	*c = (struct credentials){
		.config = {
			.server = xstrdup(config->server),
			.ca = xstrdup_null(config->ca),
			.ca_file = xstrdup_null(config->ca_file),
			.cert = xstrdup_null(config->cert),
			.key = xstrdup_null(config->key),
			.token = xstrdup_null(config->token),
			.token_file = xstrdup_null(config->token_file),
			.server_name = xstrdup_null(config->server_name),
			.proxy = xstrdup_null(config->proxy),
			.ns = xstrdup_null(config->ns),
			.insecure = config->insecure,
		},
		.token.read_ms = now_ms,
		.ca.read_ms = now_ms,
	};
}

void credentials_done(struct credentials *c)
{
	config_done(&c->config);
}

/* Takes text; NULL: the file could not be used, and err says why. Returns true if *current is another text now. */
static bool replace_text(struct credentials_file *f, char **current, char *text, const struct err *err, const char *msg)
{
	auto_free char *fresh = text;

	if (!fresh) {
		if (!f->bad)
			log_warn("-", msg, "error", err->msg, NULL);
		f->bad = true;
		return false;
	}
	f->bad = false;
	if (text_eq(fresh, *current))
		return false;
	free(*current);
	*current = take_ptr(fresh);
	return true;
}

static void reread_token(struct credentials *c, int64_t now_ms)
{
	struct err err = { 0 };
	char *text = config_read_token(c->config.token_file, &err);

	c->token.read_ms = now_ms;
	if (replace_text(&c->token, &c->config.token, text, &err, "token file unusable, the last token stays"))
		c->generation++;
}

static bool reread_ca(struct credentials *c, int64_t now_ms)
{
	struct err err = { 0 };
	char *text = config_read_pem(c->config.ca_file, CONFIG_PEM_CERTIFICATE, &err);

	c->ca.read_ms = now_ms;
	return replace_text(&c->ca, &c->config.ca, text, &err, "CA file unusable, the last certificates stay");
}

bool credentials_refresh(struct credentials *c, int64_t now_ms)
{
	if (c->config.token_file && now_ms - c->token.read_ms >= CREDENTIALS_TOKEN_MS)
		reread_token(c, now_ms);
	if (c->config.ca_file && now_ms - c->ca.read_ms >= CREDENTIALS_CA_MS)
		return reread_ca(c, now_ms);
	return false;
}

bool credentials_refused(struct credentials *c, uint64_t generation, int64_t now_ms)
{
	if (c->config.token_file && generation == c->generation)
		reread_token(c, now_ms);
	return generation != c->generation;
}
