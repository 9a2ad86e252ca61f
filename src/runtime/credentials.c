/*
 * Reads the files again when they were read long enough ago, and those that say who we are also after a 401. Happy
 * path: the content is the same, and nothing happens. If a file is missing, empty or unusable, the old content stays,
 * and the file is read again at the next time. The kubelet replaces these files with a rename, but a mount can be away
 * for a while.
 *
 * A certificate and its key are two files, and may be read between the writing of one and of the other. The owner
 * notices that they do not belong together and goes on with the last pair, and a minute later both are there.
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
			.cert_file = xstrdup_null(config->cert_file),
			.key_file = xstrdup_null(config->key_file),
			.token = xstrdup_null(config->token),
			.token_file = xstrdup_null(config->token_file),
			.server_name = xstrdup_null(config->server_name),
			.proxy = xstrdup_null(config->proxy),
			.ns = xstrdup_null(config->ns),
			.insecure = config->insecure,
		},
		.token.read_ms = now_ms,
		.cert.read_ms = now_ms,
		.key.read_ms = now_ms,
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

/* Returns true if *current is another text now. */
static bool reread_pem(struct credentials_file *f, const char *path, char **current, enum config_pem kind,
		       int64_t now_ms)
{
	struct err err = { 0 };
	char *text = config_read_pem(path, kind, &err);

	f->read_ms = now_ms;
	return replace_text(f, current, text, &err, "certificate file unusable, the last certificates stay");
}

static void reread_pair(struct credentials *c, int64_t now_ms)
{
	struct config *config = &c->config;
	bool changed = false;

	if (config->cert_file)
		changed |= reread_pem(&c->cert, config->cert_file, &config->cert, CONFIG_PEM_CERTIFICATE, now_ms);
	if (config->key_file)
		changed |= reread_pem(&c->key, config->key_file, &config->key, CONFIG_PEM_KEY, now_ms);
	c->generation += changed;
	c->tls_changed |= changed;
}

static bool is_due(const struct credentials_file *f, const char *path, int64_t period_ms, int64_t now_ms)
{
	return path && now_ms - f->read_ms >= period_ms;
}

void credentials_refresh(struct credentials *c, int64_t now_ms)
{
	struct config *config = &c->config;

	if (is_due(&c->token, config->token_file, CREDENTIALS_TOKEN_MS, now_ms))
		reread_token(c, now_ms);
	if (is_due(&c->cert, config->cert_file, CREDENTIALS_PAIR_MS, now_ms) ||
	    is_due(&c->key, config->key_file, CREDENTIALS_PAIR_MS, now_ms))
		reread_pair(c, now_ms);
	if (is_due(&c->ca, config->ca_file, CREDENTIALS_CA_MS, now_ms))
		c->tls_changed |= reread_pem(&c->ca, config->ca_file, &config->ca, CONFIG_PEM_CERTIFICATE, now_ms);
}

bool credentials_refused(struct credentials *c, uint64_t generation, int64_t now_ms)
{
	if (generation != c->generation)
		return true;
	if (c->config.token_file)
		reread_token(c, now_ms);
	reread_pair(c, now_ms);
	return generation != c->generation;
}
